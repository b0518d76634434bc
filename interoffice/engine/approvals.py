"""`approve`: rows are shown to people with their digests; the run goes on when they have decided, on disk meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from interoffice.engine.bot_call import with_saved_tables
from interoffice.engine.endings import StepFailed
from interoffice.engine.evaluation import failed, scope_at, text_of, value_of
from interoffice.engine.keys import key_text
from interoffice.engine.outcome import Done
from interoffice.engine.pure_steps import table_of
from interoffice.engine.run import Place, Run
from interoffice.language.calendars import Times, add_duration
from interoffice.model import codec
from interoffice.model.cells import json_text
from interoffice.model.table import Table
from interoffice.model.types import Type
from interoffice.model.values import FileValue, Value
from interoffice.model.work import ItemState, StepState
from interoffice.model.workflow import Approve, Step
from interoffice.plan.check_approvals import field_type
from interoffice.store import approvals, audit, items, steps
from interoffice.store.approvals import NewApproval, NewApprovalRow
from interoffice.store.database import Transaction
from interoffice.store.steps import StepPlace
from interoffice.store.views import ApprovalRowView, ApprovalView, Failure, ItemView

REJECTED = frozenset({"rejected", "late"})
ITEM_WORKED = frozenset({ItemState.SUCCESSFUL, ItemState.ALREADY_THERE, ItemState.IN_DOUBT, ItemState.ABANDONED})
EDITED = "edited: it is approved again"
"""The comment of an item that waits until its row is decided on again."""


def do_approve(run: Run, place: Place, step: Step, approve: Approve, at: StepPlace) -> Done | None:
    """`.approved` and `.rejected` when all is decided; None, and pending in the results, while a row is open."""
    rows = table_of(run, place, approve.rows)
    approval = run.ledger.read(lambda tx: approvals.at_path(tx, run.run_id, at.path))
    if approval is None:
        approval = _open(run, place, step, approve, at, rows)
    approval = when_late(run.ledger, approval, run.clock.now())
    if approval.state == "late" and approve.if_late == "stop":
        message = f"{step.title}: nobody decided within {approve.within}"
        raise StepFailed(Failure(kind="business", message=message, code="approval_late", step=at.path))
    if dict(approval.binds) != dict(run.digests):
        approval = _bound_anew(run, approval)
    outputs = _outputs(approve, rows, approval)
    if approval.state != "open":
        saved = with_saved_tables(outputs, run.tables_folder)
        assert isinstance(saved, Mapping)
        return Done(outputs=dict(saved), note=_words(approval))
    place.results.put(step.id, {**outputs, "status": str(StepState.WAITING), "error": None})
    place.results.pending[step.id] = approve.decide
    _record_waiting(run, place, at, approval)
    return None


def _open(run: Run, place: Place, step: Step, approve: Approve, at: StepPlace, rows: Table) -> ApprovalView:
    now = run.clock.now()
    elsewhere = run.ledger.read(lambda tx: approvals.open_elsewhere(tx, run.run_id, place.workflow.key, step.id))
    shown = [_row(run, place, approve, number, row, elsewhere) for number, row in enumerate(rows.rows(), start=1)]
    _refuse_doubles(at.path, [row.key for row in shown])
    terms = _terms(run, place, step, approve)
    within, approval_id = approve.within, f"{run.run_id}.{at.path}"
    new = NewApproval(
        approval_id=approval_id,
        run_id=run.run_id,
        path=at.path,
        workflow=place.workflow.key,
        step_id=step.id,
        terms=terms,
        digest=digest_of(approval_id, terms, (row.digest for row in shown), run.digests),
        binds=dict(run.digests),
        expires_at=None if within is None else _later(now, within, run.times),
        rows=shown,
    )

    def write(tx: Transaction) -> ApprovalView:
        steps.begin(tx, at, now, None)
        approvals.open_approval(tx, new, now)
        details = {"digest": new.digest, "rows": len(shown)}
        audit.write(
            tx, now=now, actor="engine", act="approval.opened", run_id=run.run_id, subject=new.approval_id,
            details=details,
        )  # fmt: skip
        return approvals.one(tx, new.approval_id)

    approval = place.recorder.write(write)
    if approval.state == "open":
        waiting = sum(1 for row in approval.rows if row.state == "open")
        run.tell("approval_opened", at.path, title=step.title, text=new.approval_id, total=waiting)
    return approval


def _later(now: datetime, within: Any, times: Times) -> datetime:
    later = add_duration(now, within, times)
    assert isinstance(later, datetime)
    return later


def _row(
    run: Run, place: Place, approve: Approve, number: int, row: dict[str, Value], elsewhere: Iterable[str]
) -> NewApprovalRow:
    key = key_text([row.get(name) for name in approve.row]) if approve.row else str(number)
    by_person = None
    if approve.by_row is not None:
        scope = scope_at(run, place, row=row)
        by_person = text_of(approve.by_row, scope, run).strip().casefold()
        if not by_person:
            raise failed(place.prefix.rstrip("."), f"row {key} names nobody who decides on it ({approve.by_row})")
    state = "already" if key in elsewhere else "open"
    return NewApprovalRow(key=key, row=row, digest=row_digest(row), by_person=by_person, state=state)


def _refuse_doubles(path: str, keys: list[str]) -> None:
    doubled = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if doubled:
        raise failed(path, f'two rows are called "{doubled[0]}"; "row" must name each row', code="duplicate_key")


def _terms(run: Run, place: Place, step: Step, approve: Approve) -> dict[str, Any]:
    scope = scope_at(run, place)
    attached = value_of(approve.attach, scope)
    files = [one for one in (attached if isinstance(attached, tuple | list) else [attached]) if one is not None]
    return {
        "title": step.title,
        "ask": text_of(approve.ask, scope, run),
        "by": list(approve.by),
        "not_by": list(approve.not_by),
        "decide": approve.decide,
        "row": list(approve.row),
        "show": list(approve.show),
        "if_late": approve.if_late,
        "fields": list(approve.fields),
        "attach": [codec.encode(file) for file in files if isinstance(file, FileValue)],
        "remind_every": str(approve.remind_every) if approve.remind_every is not None else None,
        "escalate_to": list(approve.escalate.to) if approve.escalate is not None else [],
        "escalate_after": str(approve.escalate.after) if approve.escalate is not None else None,
    }


def row_digest(row: Mapping[str, Value]) -> str:
    """The digest of a row as it was shown."""
    return hashlib.sha256(codec.canonical(dict(row)).encode()).hexdigest()


def digest_of(approval_id: str, terms: Mapping[str, Any], rows: Iterable[str], binds: Mapping[str, str]) -> str:
    """The digest of exactly what was shown: the question, who may answer it, the files, every row; and of what runs
    after it (selectors, bots, tables, templates by name)."""
    said = json_text({"approval": approval_id, "terms": dict(terms), "rows": list(rows), "binds": dict(binds)})
    return hashlib.sha256(said.encode()).hexdigest()


# the time is up


def when_late(ledger: Any, approval: ApprovalView, now: datetime) -> ApprovalView:
    """The approval as it is at this moment: past its time its open rows are late, unless it may wait for ever."""
    late = approval.expires_at is not None and approval.expires_at <= now and approval.terms["if_late"] != "wait"
    if approval.state != "open" or not late:
        return approval

    def write(tx: Transaction) -> ApprovalView:
        for row in approvals.one(tx, approval.approval_id).rows:
            if row.state == "open":
                approvals.decide_row(tx, approval.approval_id, row.key, "late", now, decided_by=None)
        if approvals.end_if_decided(tx, approval.approval_id, now, "late"):
            audit.write(
                tx, now=now, actor="engine", act="approval.late", run_id=approval.run_id, subject=approval.approval_id
            )
        return approvals.one(tx, approval.approval_id)

    found: ApprovalView = ledger.write(write)
    return found


# what runs after it has changed


def _bound_anew(run: Run, approval: ApprovalView) -> ApprovalView:
    """An approval binds what runs after it: with another selector or bot, what was approved and is not done yet is
    asked again, and who looks at the open rows now must have seen this very state."""
    now = run.clock.now()
    changed = sorted(
        name for name in {*approval.binds, *run.digests} if approval.binds.get(name) != run.digests.get(name)
    )

    def write(tx: Transaction) -> tuple[ApprovalView, int]:
        undone = [row for row in approval.rows if row.state == "approved" and not _is_done(tx, approval, row)]
        if not undone and approval.state != "open":
            return approval, 0
        for row in undone:
            approvals.reopen_row(tx, approval, row.key, row.row, row.digest, now)
            _hold_items(tx, approval, row, now)
        rows = (row.digest for row in approval.rows)
        digest = digest_of(approval.approval_id, approval.terms, rows, run.digests)
        approvals.rebind(tx, approval.approval_id, run.digests, digest)
        act = "approval.asked_again" if undone else "approval.bound_anew"
        audit.write(
            tx, now=now, actor="engine", act=act, run_id=run.run_id, subject=approval.approval_id,
            details={"changed": changed, "rows": [row.key for row in undone]},
        )  # fmt: skip
        return approvals.one(tx, approval.approval_id), len(undone)

    found, again = run.ledger.write(write)
    if again:
        words = f"changed since the approval, so it is asked again: {', '.join(changed)}"
        run.tell("message", approval.path, text=words, level="warning")
    return found


def is_row_of(approval: ApprovalView, row: ApprovalRowView, item: ItemView) -> bool:
    """True where the item was made from this row: the columns that name the row say the same."""
    named = approval.terms["row"]
    return bool(named) and all(item.row.get(name) == row.row.get(name) for name in named)


def _is_done(tx: Transaction, approval: ApprovalView, row: ApprovalRowView) -> bool:
    """Whether all items that were made from the row have been worked: nothing is left to ask about."""
    made = [item for item in items.find(tx, approval.run_id) if is_row_of(approval, row, item)]
    return bool(made) and all(item.state in ITEM_WORKED for item in made)


def _hold_items(tx: Transaction, approval: ApprovalView, row: ApprovalRowView, now: datetime) -> None:
    """Items of the row that were not begun wait for the new decision, as those of an edited row do."""
    for item in items.find(tx, approval.run_id, state=ItemState.NEW):
        if is_row_of(approval, row, item):
            items.move(tx, item, ItemState.CANCELLED, now, comment=EDITED)


# outputs


def _outputs(approve: Approve, rows: Table, approval: ApprovalView) -> dict[str, Value]:
    columns = decided_columns(approve, rows.columns)
    approved = [row for row in approval.rows if row.state == "approved"]
    rejected = [row for row in approval.rows if row.state in REJECTED]
    already = [row.row for row in approval.rows if row.state == "already"]
    decided = [row for row in approval.rows if row.decided_by is not None]
    return {
        "approved": Table.from_rows(columns, [_decided(row, columns) for row in approved]),
        "rejected": Table.from_rows(columns, [_decided(row, columns) for row in rejected]),
        "already": Table.from_rows(rows.columns, already),
        "by": ", ".join(dict.fromkeys(str(row.decided_by) for row in decided)) or None,
        "at": max((row.decided_at for row in decided if row.decided_at is not None), default=None),
    }


def decided_columns(approve: Approve, columns: Mapping[str, Type]) -> dict[str, Type]:
    """The columns of decided rows: those shown, what approvers fill in, and what they corrected as it was before."""
    found = dict(columns)
    for name, field in approve.fields.items():
        found[name] = columns.get(name, field_type(field))
        if name in columns:
            found[f"{name}_before"] = columns[name]
    return found


def _decided(row: ApprovalRowView, columns: Mapping[str, Type]) -> dict[str, Value]:
    given = row.decided_row if row.decided_row is not None else row.row
    return {name: given.get(name) for name in columns}


def _words(approval: ApprovalView) -> str:
    counts: dict[str, int] = {}
    for row in approval.rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    return ", ".join(f"{number} {state}" for state, number in counts.items()) or "nothing to decide"


def _record_waiting(run: Run, place: Place, at: StepPlace, approval: ApprovalView) -> None:
    now, due = run.clock.now(), approval.expires_at
    place.recorder.write(
        lambda tx: steps.end(
            tx, at, StepState.WAITING, started_at=now, ended_at=None, note=f"approval {approval.approval_id}",
            wake_at=due,
        )
    )  # fmt: skip
