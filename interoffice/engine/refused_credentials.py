"""A sign-in that was refused: the credential is paused for every process until a person frees it (G6)."""

from __future__ import annotations

from datetime import datetime

from interoffice.store import audit, office
from interoffice.store.database import Transaction


def pause(
    tx: Transaction, environment: str, name: str, reason: str, now: datetime, *, actor: str, run_id: str = "",
    path: str = "",
) -> None:  # fmt: skip
    """Nobody tries it any more; kept in the audit."""
    office.pause_credential(tx, environment, name, reason, now, run_id=run_id, path=path)
    audit.write(
        tx, now=now, actor=actor, act="credential.paused", run_id=run_id, subject=name,
        details={"environment": environment, "reason": reason},
    )  # fmt: skip


def paused_sentence(name: str) -> str:
    """What somebody is told who would use it."""
    return (
        f'The credential "{name}" is paused since a sign-in with it was refused; '
        f"set it anew and free it: runner.py credentials resume {name}"
    )
