"""The audit: append-only entries in a hash chain, written in the transaction of what they tell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from interoffice.store.database import Database, Row, Transaction
from interoffice.store.reading import audit_view, text_of
from interoffice.store.statements import statements
from interoffice.store.views import AuditView

FIRST = "0" * 64
_SQL = statements("office")


def write(
    tx: Transaction,
    *,
    now: datetime,
    actor: str,
    act: str,
    run_id: str = "",
    subject: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    """One entry. `actor`: a person's id, `bot module.function`, or `engine`; `act` a fixed word like `item.edited`."""
    head = tx.row(_SQL["audit_head"])
    previous = FIRST if head is None else head["hash"]
    entry = {
        "seq": 1 if head is None else head["seq"] + 1,
        "at": text_of(now),
        "actor": actor,
        "act": act,
        "run_id": run_id,
        "subject": subject,
        "details": json.dumps(details or {}, ensure_ascii=False, sort_keys=True),
        "previous": previous,
    }
    tx.run(_SQL["audit_insert"], {**entry, "hash": _hash(entry)})


def _hash(entry: Mapping[str, object]) -> str:
    fields = [entry[name] for name in ("seq", "at", "actor", "act", "run_id", "subject", "details", "previous")]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()


def broken_at(database: Database) -> int | None:
    """The first entry that does not fit the chain, None when all do."""
    previous, expected = FIRST, 1
    for row in _all(database):
        fits = row["previous"] == previous and row["seq"] == expected and row["hash"] == _hash(row)
        if not fits:
            return expected
        previous, expected = str(row["hash"]), expected + 1
    return None


def _all(database: Database) -> Iterator[Mapping[str, object]]:
    after = 0
    while rows := database.read(partial(_after, after)):
        for row in rows:
            yield dict(row)
        after = rows[-1]["seq"]


def _after(after: int, tx: Transaction) -> list[Row]:
    return tx.rows(_SQL["audit_all"], {"after": after})


def entries(tx: Transaction, *, run_id: str | None, act: str | None, limit: int) -> tuple[AuditView, ...]:
    """The newest entries, oldest first."""
    values = {"run_id": run_id, "act": act, "limit": limit}
    return tuple(audit_view(row) for row in tx.rows(_SQL["audit"], values))
