"""Breaks: open exceptions of reconciliations, which age until a run sees them no more or a person closes them.

A break is known by the content of its lines. A run with the same inputs that does not see it any more closes it; a run
with other inputs (another day's statement) says nothing about it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from interoffice.errors import Refused
from interoffice.frozen import dataclass
from interoffice.store import audit
from interoffice.store.database import Row, Transaction
from interoffice.store.reading import text_of
from interoffice.store.statements import statements

_SQL = statements("breaks")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Which reconciliation it is. `inputs`: the digest of the run's inputs."""

    environment: str
    workflow: str
    step: str
    inputs: str
    run_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenLine:
    """An exception of a run. `line`: the digest of its content; `row`: what of it people are shown, as texts."""

    side: str
    line: str
    row: Mapping[str, str]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakView:
    """A break. `closed_by` a person's id, or `run ID`; None while it is open."""

    break_id: str
    workflow: str
    step: str
    side: str
    row: Mapping[str, Any]
    reason: str
    first_seen: date
    last_seen: date
    last_run: str
    assigned_to: str | None
    comment: str | None
    closed_by: str | None


def first_seen(tx: Transaction, place: Place) -> dict[str, date]:
    """Since when each line of the reconciliation is open, by its digest."""
    return {row["line"]: date.fromisoformat(row["first_seen"]) for row in _open(tx, place)}


def keep(tx: Transaction, place: Place, seen: Iterable[SeenLine], day: date, now: datetime) -> None:
    """What a run has seen: new breaks, those seen again, and those of the same inputs that it saw no more, closed."""
    there = {row["line"]: row for row in _open(tx, place)}
    common = {"day": day.isoformat(), "run_id": place.run_id, "inputs": place.inputs}
    for each in seen:
        known = there.pop(each.line, None)
        if known is not None:
            tx.run(_SQL["seen_again"], {**common, "reason": each.reason, "break_id": known["break_id"]})
            continue
        new = {
            "break_id": f"B-{secrets.token_hex(4)}",
            "environment": place.environment,
            "workflow": place.workflow,
            "step": place.step,
            "side": each.side,
            "line": each.line,
            "row": json.dumps(dict(each.row), ensure_ascii=False),
            "reason": each.reason,
        }
        tx.run(_SQL["insert"], {**common, **new})
    for row in there.values():
        if row["inputs"] == place.inputs:
            _end(tx, row["break_id"], f"run {place.run_id}", now, None, place.run_id)


def _open(tx: Transaction, place: Place) -> list[Row]:
    values = {"environment": place.environment, "workflow": place.workflow, "step": place.step}
    return tx.rows(_SQL["open_of_step"], values)


def listed(tx: Transaction, *, workflow: str | None, state: str, limit: int) -> tuple[BreakView, ...]:
    """Breaks in a state (open, closed, all), the oldest first."""
    values = {"workflow": workflow, "state": state, "limit": limit}
    return tuple(_view(row) for row in tx.rows(_SQL["listed"], values))


def one(tx: Transaction, break_id: str) -> BreakView:
    """The break."""
    row = tx.row(_SQL["one"], {"break_id": break_id})
    if row is None:
        raise Refused(f'There is no break "{break_id}"; list them with: runner.py breaks')
    return _view(row)


def assign(tx: Transaction, break_id: str, to: str, now: datetime, *, person: str) -> None:
    """From now on it is this person's to clear."""
    _refuse_closed(tx, break_id)
    tx.run(_SQL["assign"], {"break_id": break_id, "person": to})
    audit.write(tx, now=now, actor=person, act="break.assigned", subject=break_id, details={"to": to})


def comment(tx: Transaction, break_id: str, text: str, now: datetime, *, person: str) -> None:
    """What is known about it."""
    _refuse_closed(tx, break_id)
    tx.run(_SQL["comment"], {"break_id": break_id, "comment": text})
    audit.write(tx, now=now, actor=person, act="break.commented", subject=break_id, details={"comment": text})


def close(tx: Transaction, break_id: str, why: str, now: datetime, *, person: str) -> None:
    """A person says that it is cleared. A later run that sees the line again opens a new break."""
    _refuse_closed(tx, break_id)
    _end(tx, break_id, person, now, why, "")


def _end(tx: Transaction, break_id: str, by: str, now: datetime, why: str | None, run_id: str) -> None:
    tx.run(_SQL["close"], {"break_id": break_id, "person": by, "now": text_of(now), "comment": why})
    actor = "engine" if run_id else by
    details = {"comment": why} if why else {}
    audit.write(tx, now=now, actor=actor, act="break.closed", run_id=run_id, subject=break_id, details=details)


def _refuse_closed(tx: Transaction, break_id: str) -> None:
    view = one(tx, break_id)
    if view.closed_by is not None:
        raise Refused(f"Break {break_id} is closed already, by {view.closed_by}.")


def _view(row: Row) -> BreakView:
    return BreakView(
        break_id=row["break_id"], workflow=row["workflow"], step=row["step"], side=row["side"],
        row=json.loads(row["row"]), reason=row["reason"], first_seen=date.fromisoformat(row["first_seen"]),
        last_seen=date.fromisoformat(row["last_seen"]), last_run=row["last_run"], assigned_to=row["assigned_to"],
        comment=row["comment"], closed_by=row["closed_by"],
    )  # fmt: skip
