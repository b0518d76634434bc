"""Approvals as they are stored: the rows that were shown with their digests, and what was decided about each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from interoffice.errors import Refused
from interoffice.frozen import dataclass
from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.store.database import Row, Transaction
from interoffice.store.reading import approval_row_view, approval_view, optional_text, record_text, text_of
from interoffice.store.statements import statements
from interoffice.store.views import ApprovalView

_SQL = statements("approvals")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewApprovalRow:
    """A row that is shown. `by_person`: who alone may decide it, where the step says so per row."""

    key: str
    row: Mapping[str, Value]
    digest: str
    by_person: str | None = None
    state: str = "open"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewApproval:
    """An approval that opens. `terms`: what the step says; `binds`: digests of what runs after it."""

    approval_id: str
    run_id: str
    path: str
    workflow: str
    step_id: str
    terms: Mapping[str, Any]
    digest: str
    binds: Mapping[str, str]
    expires_at: datetime | None
    rows: Sequence[NewApprovalRow]


def open_approval(tx: Transaction, new: NewApproval, now: datetime) -> None:
    """The approval and its rows; one without open rows is decided at once."""
    state = "open" if any(row.state == "open" for row in new.rows) else "decided"
    values = {
        "approval_id": new.approval_id,
        "run_id": new.run_id,
        "path": new.path,
        "workflow": new.workflow,
        "step_id": new.step_id,
        "state": state,
        "terms": json.dumps(new.terms, ensure_ascii=False),
        "digest": new.digest,
        "binds": json.dumps(new.binds),
        "now": text_of(now),
        "expires_at": optional_text(new.expires_at),
        "ended_at": text_of(now) if state == "decided" else None,
    }
    tx.run(_SQL["insert"], values)
    tx.run_many(_SQL["insert_row"], (_row(new.approval_id, n, row) for n, row in enumerate(new.rows, start=1)))


def _row(approval_id: str, position: int, row: NewApprovalRow) -> dict[str, object]:
    return {
        "approval_id": approval_id,
        "key": row.key,
        "position": position,
        "row": codec.dumps(dict(row.row)),
        "digest": row.digest,
        "by_person": row.by_person,
        "state": row.state,
    }


def one(tx: Transaction, approval_id: str) -> ApprovalView:
    """The approval."""
    row = tx.row(_SQL["one"], {"approval_id": approval_id})
    if row is None:
        raise Refused(f'There is no approval "{approval_id}"; list the open ones with: runner.py approvals')
    return _view(tx, row)


def at_path(tx: Transaction, run_id: str, path: str) -> ApprovalView | None:
    """The approval of a step."""
    row = tx.row(_SQL["at_path"], {"run_id": run_id, "path": path})
    return None if row is None else _view(tx, row)


def in_state(tx: Transaction, state: str | None, run_id: str | None = None) -> tuple[ApprovalView, ...]:
    """Approvals in a state, or all of a run, oldest first."""
    return tuple(_view(tx, row) for row in tx.rows(_SQL["in_state"], {"state": state, "run_id": run_id}))


def _view(tx: Transaction, row: Row) -> ApprovalView:
    rows = tx.rows(_SQL["rows"], {"approval_id": row["approval_id"]})
    return approval_view(row, tuple(approval_row_view(one_of) for one_of in rows))


def open_elsewhere(tx: Transaction, run_id: str, workflow: str, step_id: str) -> frozenset[str]:
    """Keys of rows that wait for a decision at the same step in another live run."""
    values = {"run_id": run_id, "workflow": workflow, "step_id": step_id}
    return frozenset(row["key"] for row in tx.rows(_SQL["open_elsewhere"], values))


def decide_row(
    tx: Transaction,
    approval_id: str,
    key: str,
    state: str,
    now: datetime,
    *,
    decided_by: str | None,
    comment: str | None = None,
    fields: Mapping[str, Value] | None = None,
    decided_row: Mapping[str, Value] | None = None,
) -> None:
    """One row's decision; Refused when it was decided meanwhile."""
    values = {
        "approval_id": approval_id,
        "key": key,
        "state": state,
        "now": text_of(now),
        "decided_by": decided_by,
        "comment": comment,
        "fields": record_text(fields),
        "decided_row": record_text(decided_row),
    }
    if not tx.run(_SQL["decide_row"], values):
        raise Refused(f"Row {key} was decided meanwhile; look at it again.")


def end_if_decided(tx: Transaction, approval_id: str, now: datetime, state: str = "decided") -> bool:
    """Ends the approval when no row is open any more; True when it did."""
    if any(row.state == "open" for row in one(tx, approval_id).rows):
        return False
    return bool(tx.run(_SQL["end"], {"approval_id": approval_id, "state": state, "now": text_of(now)}))


def cancel_open(tx: Transaction, run_id: str, now: datetime) -> None:
    """The open approvals of a run that ended otherwise are closed; what was decided stays."""
    for approval in in_state(tx, "open", run_id):
        for row in approval.rows:
            if row.state == "open":
                decide_row(tx, approval.approval_id, row.key, "cancelled", now, decided_by=None)
        tx.run(_SQL["end"], {"approval_id": approval.approval_id, "state": "cancelled", "now": text_of(now)})


def reopen_cancelled(tx: Transaction, run_id: str, now: datetime) -> tuple[str, ...]:
    """What was closed because its run failed or was cancelled waits again, for as long as was left then; their ids."""
    found = in_state(tx, "cancelled", run_id)
    for approval in found:
        left = approval.expires_at - approval.ended_at if approval.expires_at and approval.ended_at else None
        expires_at = now + left if left is not None else approval.expires_at
        tx.run(_SQL["reopen_cancelled_rows"], {"approval_id": approval.approval_id})
        tx.run(_SQL["reopen_cancelled"], {"approval_id": approval.approval_id, "expires_at": optional_text(expires_at)})
    return tuple(approval.approval_id for approval in found)


def reopen_row(
    tx: Transaction, approval: ApprovalView, key: str, row: Mapping[str, Value], digest: str, now: datetime
) -> None:
    """An approved row that was changed afterwards is shown again, with the approval's digest made anew; people have as
    long as they had in the beginning."""
    values = {"approval_id": approval.approval_id, "key": key, "row": record_text(row), "digest": digest}
    tx.run(_SQL["reopen_row"], values)
    within = approval.expires_at - approval.opened_at if approval.expires_at is not None else None
    expires_at = optional_text(now + within if within is not None else None)
    values = {"approval_id": approval.approval_id, "digest": approval.digest, "expires_at": expires_at}
    tx.run(_SQL["reopen"], values)


def rebind(tx: Transaction, approval_id: str, binds: Mapping[str, str], digest: str) -> None:
    """The approval covers these digests of what runs after it from now on, and so its own digest is another one."""
    values = {"approval_id": approval_id, "binds": json.dumps(dict(binds)), "digest": digest}
    tx.run(_SQL["rebind"], values)


def approvers(tx: Transaction, run_id: str, approval_id: str) -> frozenset[str]:
    """Who decided a row in another approval of the run, rows that were asked again since included (the audit knows)."""
    rows = tx.rows(_SQL["approvers"], {"run_id": run_id, "approval_id": approval_id})
    return frozenset(row["person"] for row in rows)
