"""What all runs share: engines that live, paused credentials, locks, and who first brought a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from interoffice.store.database import Transaction
from interoffice.store.reading import paused_view, text_of
from interoffice.store.statements import statements
from interoffice.store.views import PausedCredential

_SQL = statements("office")


def begin_engine(tx: Transaction, engine_id: str, host: str, pid: int, now: datetime) -> None:
    """An engine process is there."""
    tx.run(_SQL["begin_engine"], {"engine_id": engine_id, "host": host, "pid": pid, "now": text_of(now)})


def end_engine(tx: Transaction, engine_id: str, now: datetime) -> None:
    """An engine process ends in good order."""
    tx.run(_SQL["end_engine"], {"engine_id": engine_id, "now": text_of(now)})


def engine(tx: Transaction, engine_id: str) -> Mapping[str, object] | None:
    """The engine's host, pid and times."""
    row = tx.row(_SQL["engine"], {"engine_id": engine_id})
    return None if row is None else dict(row)


def engines(tx: Transaction) -> tuple[Mapping[str, object], ...]:
    """Engine processes that have not ended in good order, the oldest first: they live, or they died."""
    return tuple(dict(row) for row in tx.rows(_SQL["engines"]))


def pause_credential(
    tx: Transaction, environment: str, name: str, reason: str, now: datetime, *, run_id: str, path: str
) -> None:
    """Nobody tries the credential any more until a person resumes it."""
    values = {"environment": environment, "name": name, "reason": reason, "run_id": run_id, "path": path}
    tx.run(_SQL["pause"], {**values, "now": text_of(now)})


def paused_credential(tx: Transaction, environment: str, name: str) -> PausedCredential | None:
    """The pause of a credential, None when it may be used."""
    row = tx.row(_SQL["paused"], {"environment": environment, "name": name})
    return None if row is None else paused_view(row)


def paused_credentials(tx: Transaction) -> tuple[PausedCredential, ...]:
    """All that are paused."""
    return tuple(paused_view(row) for row in tx.rows(_SQL["all_paused"]))


def resume_credential(tx: Transaction, name: str, environment: str | None = None) -> bool:
    """The credential may be used again; False when it was not paused."""
    return bool(tx.run(_SQL["unpause"], {"name": name, "environment": environment}))


def take_lock(
    tx: Transaction, name: str, *, engine_id: str, run_id: str, now: datetime, is_dead: Callable[[str], bool]
) -> str | None:
    """Takes a lock; None when it is ours now, else the run that has it. A dead engine's lock is taken over."""
    row = tx.row(_SQL["lock"], {"name": name})
    if row is not None and row["run_id"] != run_id and not is_dead(row["engine_id"]):
        return str(row["run_id"])
    tx.run(_SQL["take_lock"], {"name": name, "engine_id": engine_id, "run_id": run_id, "now": text_of(now)})
    return None


def free_lock(tx: Transaction, name: str, *, engine_id: str, run_id: str) -> None:
    """Gives a lock back."""
    tx.run(_SQL["free_lock"], {"name": name, "engine_id": engine_id, "run_id": run_id})


def free_locks(tx: Transaction, run_id: str) -> None:
    """Gives back every lock that a run still has."""
    tx.run(_SQL["free_locks"], {"run_id": run_id})


def see_first(tx: Transaction, digest: str, file: str, person: str, now: datetime) -> None:
    """Remembers under whom a file's content was first seen; a later one changes nothing."""
    tx.run(_SQL["see"], {"digest": digest, "file": file, "person": person, "now": text_of(now)})


def first_seen_under(tx: Transaction, digest: str) -> str | None:
    """The person under whom a content was first seen."""
    row = tx.row(_SQL["seen"], {"digest": digest})
    return None if row is None else str(row["person"])
