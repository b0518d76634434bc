"""Locks that all runs share (`locks: [erp_desktop]`): held while a step needs them, never while a run waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from interoffice.engine.endings import Cancelled
from interoffice.engine.run import Place, Run
from interoffice.store import office
from interoffice.store.database import Transaction

POLL_S: Final = 0.2


@contextmanager
def locks_held(run: Run, place: Place) -> Iterator[None]:
    """The workflow's locks while a bot outside a loop, or a whole loop, works."""
    names = sorted(place.workflow.locks) if not place.in_loop else []
    taken: list[str] = []
    try:
        for name in names:
            take_lock(run, name)
            taken.append(name)
        yield
    finally:
        free_locks(run, taken)


def take_lock(run: Run, name: str) -> None:
    """Waits until the lock is ours; Cancelled when the run is to end meanwhile."""

    def attempt(tx: Transaction) -> str | None:
        now = run.clock.now()
        return office.take_lock(
            tx, name, engine_id=run.engine_id, run_id=run.run_id, now=now, is_dead=run.locks.is_dead
        )

    told = False
    while (holder := run.ledger.write(attempt)) is not None:
        if not told:
            run.tell("message", text=f"waits for {name}, which run {holder} has")
            told = True
        if run.clock.wait(POLL_S, run.control.stop):
            raise Cancelled(f"cancelled while it waited for {name}")


def free_locks(run: Run, names: Sequence[str]) -> None:
    """Gives locks back."""

    def free(tx: Transaction) -> None:
        for name in names:
            office.free_lock(tx, name, engine_id=run.engine_id, run_id=run.run_id)

    if names:
        run.ledger.write(free)
