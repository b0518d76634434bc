"""What a lane is told when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interoffice.engine.messages import Message

OnNote = Callable[[Message], None]
"""Hears what a bot logs while it works."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneSetting:
    """What a lane needs to build what its bots borrow. `folder` is the run's folder."""

    project: Path
    state: Path
    run_id: str
    workflow: str
    environment: str
    folder: Path
    zone: str
    mask: tuple[str, ...] = ()

    def as_json(self) -> Message:
        """What the lane process is told."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def setting_from(said: Message) -> LaneSetting:
    """The setting that `as_json` wrote."""
    paths = {name: Path(said[name]) for name in ("project", "state", "folder")}
    return LaneSetting(**{**said, **paths, "mask": tuple(said["mask"])})
