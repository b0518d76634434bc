"""The ledger's views as the rows of listings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from interoffice.errors import UsageError
from interoffice.model.work import ItemState

if TYPE_CHECKING:
    from interoffice.model.values import Formats, Value
    from interoffice.store.queues import EntryView
    from interoffice.store.views import ApprovalView, AttemptView, AuditView, IntentView, ItemView, RunView, StepView

Listed = dict[str, object]


def run_row(run: RunView, sentence: str) -> Listed:
    """One run."""
    return {
        "run": run.run_id,
        "workflow": run.workflow,
        "state": str(run.state),
        "planned": run.planned_at,
        "started": run.begun_at or run.created_at,
        "took": _took(run.begun_at, run.ended_at),
        "started_by": run.started_by,
        "environment": run.environment,
        "sentence": sentence,
        "items": {str(state): count for state, count in run.items.items()},
    }


def step_row(step: StepView, title: str) -> Listed:
    """One step."""
    return {
        "path": step.path,
        "step": title,
        "kind": f"{step.kind} {step.bot}".strip(),
        "state": str(step.state),
        "took": _took(step.started_at, step.ended_at),
        "attempts": step.attempts or "",
        "result": step.error.message if step.error else step.note or _outputs(step),
        "error": step.error.as_json() if step.error else None,
    }


def _outputs(step: StepView) -> str:
    from interoffice.model.table import Table

    if step.kind == "stop":
        return str(step.outputs.get("reason") or "")
    tables = {name: value for name, value in step.outputs.items() if isinstance(value, Table)}
    return ", ".join(f"{name} {table.row_count}" for name, table in tables.items())


def item_state(said: str | None) -> ItemState | None:
    """The state that an operator names; UsageError where there is none of that name."""
    if said is not None and said not in set(ItemState):
        raise UsageError(f"--state {said}: items are {', '.join(ItemState)}.")
    return None if said is None else ItemState(said)


def item_row(item: ItemView, formats: Formats, masked: frozenset[str], kinds: Mapping[str, str]) -> Listed:
    """One work item; `kinds` column -> kind of its type, so that money looks like money."""
    return {
        "item": item.item_id,
        "run": item.run_id,
        "loop": item.loop,
        "key": item.key,
        "state": str(item.state),
        "attempts": item.attempts,
        "row": record_row(item.row, formats, masked, kinds),
        "outputs": record_row(item.result[0], formats, masked, kinds) if item.result else {},
        "error": item.error.message if item.error else item.comment or "",
        "error_kind": item.error.kind if item.error else "",
        "error_code": item.error.code if item.error else "",
        "ended": item.ended_at,
        "reviewer": item.reviewer,
        "comment": item.comment,
    }


def attempt_row(attempt: AttemptView) -> Listed:
    """One try at an item's step."""
    return {
        "step": attempt.path.rpartition(".")[2],
        "number": attempt.number,
        "what": attempt.kind.replace("_", "-"),
        "state": attempt.state.replace("_", " "),
        "began": attempt.started_at,
        "took": _took(attempt.started_at, attempt.ended_at),
        "lane": attempt.lane,
        "error": attempt.error.message if attempt.error else "",
        "evidence": [str(value) for value in attempt.evidence.values()],
    }


def entry_row(entry: EntryView, formats: Formats, masked: frozenset[str]) -> Listed:
    """One entry of a queue."""
    return {
        "key": entry.key,
        "state": str(entry.state),
        "due": entry.deadline,
        "priority": {-1: "low", 0: "normal", 1: "high"}.get(entry.priority, str(entry.priority)),
        "row": record_row(entry.row, formats, masked),
        "added": entry.added_at,
        "added_by": entry.added_by,
        "run": entry.run_id or "",
        "item": entry.item_id or "",
        "attempts": entry.attempts,
        "error": entry.error.message if entry.error else "",
    }


def tries(attempts: Iterable[AttemptView]) -> dict[str, int]:
    """By item, how often the step of it that took most was tried; look-ups are no tries."""
    counts = Counter((each.item_id, each.path) for each in attempts if each.item_id is not None and each.kind == "call")
    found: dict[str, int] = {}
    for (item_id, _), count in counts.items():
        found[str(item_id)] = max(count, found.get(str(item_id), 0))
    return found


def record_row(
    record: Mapping[str, Value], formats: Formats, masked: frozenset[str], kinds: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A record in words, masked columns covered; `kinds` column -> kind of its type, where known."""
    from interoffice.report.cells import shown

    known = kinds or {}
    return {name: shown(name, value, formats, masked, known.get(name, "")) for name, value in record.items()}


def approval_row(approval: ApprovalView) -> Listed:
    """One approval that waits."""
    open_rows = [row for row in approval.rows if row.state == "open"]
    return {
        "approval": approval.approval_id,
        "run": approval.run_id,
        "workflow": approval.workflow,
        "step": approval.step_id,
        "ask": str(approval.terms.get("ask", "")),
        "rows": len(open_rows),
        "by": ", ".join(map(str, approval.terms.get("by", ())))
        or ", ".join(sorted({str(r.by_person) for r in open_rows})),
        "until": approval.expires_at,
    }


def doubt_row(intent: IntentView, formats: Formats, masked: frozenset[str]) -> Listed:
    """One intent of which nobody knows whether it was done, with its evidence."""
    evidence = {name: str(value) for name, value in intent.evidence.items() if isinstance(value, str)}
    meant = record_row(intent.meant, formats, masked)
    return {
        "item": intent.item_id or intent.intent_id,
        "intent": intent.intent_id,
        "run": intent.run_id,
        "step": intent.path,
        "key": intent.posting_key,
        "meant": ", ".join(f"{name}: {value}" for name, value in meant.items()),
        "why": intent.why,
        "look_up": str(intent.evidence.get("look_up", "none was possible")),
        "written": intent.written_at,
        "evidence": [f"{name} {path}" for name, path in evidence.items() if name != "look_up"],
    }


def attached(said: object) -> str:
    """A file that belongs to a question: its name, where it is, its size and digest."""
    from interoffice.model import codec
    from interoffice.model.values import FileValue

    file = codec.decode(said)
    if not isinstance(file, FileValue):
        return str(file)
    return f"{file.name} ({file.size_bytes} bytes, sha256 {file.sha256[:12]}…): {file.path}"


def audit_row(entry: AuditView) -> Listed:
    """One entry of the audit."""
    return {
        "number": entry.seq,
        "at": entry.at,
        "who": entry.actor,
        "what": entry.act,
        "about": " ".join(part for part in (entry.run_id, entry.subject) if part),
        "details": dict(entry.details),
        "hash": entry.hash,
    }


def _took(started: datetime | None, ended: datetime | None) -> str:
    from interoffice.report.cells import took

    return took(started, ended)


def at(moment: datetime, zone: tzinfo | None = None) -> str:
    """A moment on the operator's own clock, or on that of a zone."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
