"""What the parts of the office ask of it: the project and its ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from interoffice.plan.project import Project
    from interoffice.store import Ledger


class Desk(Protocol):
    """The office that a part of it works in."""

    @property
    def project(self) -> Project: ...

    @property
    def ledger(self) -> Ledger: ...
