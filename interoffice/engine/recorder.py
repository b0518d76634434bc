"""Writing for one thread of a walk: what may wait is kept until something must be durable, then all goes together.

An end of a pure or reading step may be noted: should the process die before it is written, the step is done again, and
that changes nothing outside. Everything about an act is written at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from interoffice.store import Ledger
from interoffice.store.database import Transaction

T = TypeVar("T")
Write = Callable[[Transaction], Any]


class Recorder:
    """The notes of one thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._notes: list[Write] = []

    def note(self, write: Write) -> None:
        """Kept for the next transaction."""
        self._notes.append(write)

    def write(self, write: Callable[[Transaction], T]) -> T:
        """All notes and this, durable in one transaction; gives what this gives. If it fails, the notes stay."""
        notes = self._notes

        def together(tx: Transaction) -> T:
            for each in notes:
                each(tx)
            return write(tx)

        result = self._ledger.write(together)
        self._notes = []
        return result

    def flush(self) -> None:
        """The notes, durable; nothing is done when there are none."""
        if self._notes:
            self.write(lambda tx: None)
