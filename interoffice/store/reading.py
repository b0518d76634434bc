"""Rows of the database as views: the one place that knows how each column is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.model.work import ItemState, RunState, StepState
from interoffice.store.database import Row
from interoffice.store.views import (
    ApprovalRowView,
    ApprovalView,
    AttemptView,
    AuditView,
    Failure,
    IntentView,
    ItemView,
    PausedCredential,
    RunView,
    StepView,
    failure_from,
)

NO_DEADLINE: Final = "9999"
"""Sorts behind every deadline, so that the order of work is the order of an index."""


def text_of(moment: datetime) -> str:
    """A moment as it is stored: UTC, one width, so that texts sort as times do."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def optional_text(moment: datetime | None) -> str | None:
    """The same, None for None."""
    return None if moment is None else text_of(moment)


def moment_of(text: str) -> datetime:
    """The moment that `text_of` wrote."""
    return datetime.fromisoformat(text)


def run_view(row: Row, items: Mapping[ItemState, int]) -> RunView:
    """A run; without its plan, which only the engine reads."""
    said = _plain(row, "plan")
    _convert(said, moment_of, "planned_at", "created_at", "begun_at", "ended_at", "wake_at")
    _convert(said, bool, "rehearse", "body_done", "warned")
    said.update(state=RunState(row["state"]), error=_failure(row), outputs=_record(row["outputs"]), items=items)
    return RunView(**said)


def step_view(row: Row) -> StepView:
    """A step."""
    said = _plain(row)
    _convert(said, moment_of, "started_at", "ended_at", "wake_at")
    said.update(state=StepState(row["state"]), error=_failure(row), note=row["note"] or "")
    said.update(inputs=_record(row["inputs"]), outputs=_record(row["outputs"]))
    return StepView(**said)


def item_view(row: Row) -> ItemView:
    """A work item."""
    said = _plain(row)
    said["deadline"] = None if row["deadline"] == NO_DEADLINE else row["deadline"]
    _convert(said, moment_of, "defer_until", "deadline", "created_at", "claimed_at", "ended_at")
    results = [] if row["result"] is None else codec.loads(row["result"])
    said.update(state=ItemState(row["state"]), error=_failure(row), row=_record(row["row"]))
    said.update(result=tuple(results), finished_later=bool(row["finished_later"]))  # type: ignore[arg-type]
    return ItemView(**said)


def attempt_view(row: Row) -> AttemptView:
    """An attempt."""
    said = _plain(row)
    _convert(said, moment_of, "started_at", "ended_at")
    said.update(error=_failure(row), inputs=_record(row["inputs"]), outputs=_record(row["outputs"]))
    said.update(evidence=_record(row["evidence"]))
    return AttemptView(**said)


def intent_view(row: Row) -> IntentView:
    """An intent."""
    said = _plain(row)
    _convert(said, moment_of, "written_at", "ended_at")
    said.update({name: _record(row[name]) for name in ("meant", "outputs", "evidence")})
    return IntentView(**said)


def approval_view(row: Row, rows: tuple[ApprovalRowView, ...]) -> ApprovalView:
    """An approval with its rows."""
    said = _plain(row)
    _convert(said, moment_of, "opened_at", "expires_at", "ended_at")
    said.update(terms=json.loads(row["terms"]), binds=json.loads(row["binds"]), rows=rows)
    return ApprovalView(**said)


def approval_row_view(row: Row) -> ApprovalRowView:
    """A row of an approval."""
    said = _plain(row)
    _convert(said, moment_of, "decided_at")
    decided = None if row["decided_row"] is None else _record(row["decided_row"])
    said.update(row=_record(row["row"]), fields=_record(row["fields"]), decided_row=decided)
    return ApprovalRowView(**said)


def audit_view(row: Row) -> AuditView:
    """An entry of the audit."""
    said = _plain(row)
    _convert(said, moment_of, "at")
    said.update(details=json.loads(row["details"]))
    return AuditView(**said)


def paused_view(row: Row) -> PausedCredential:
    """A paused credential."""
    said = _plain(row)
    _convert(said, moment_of, "paused_at")
    return PausedCredential(**said)


def failure_text(failure: Failure | None) -> str | None:
    """A failure as it is stored."""
    return None if failure is None else json.dumps(failure.as_json(), ensure_ascii=False)


def record_text(record: Mapping[str, Value] | None) -> str | None:
    """A record as it is stored."""
    return None if record is None else codec.dumps(dict(record))


def _plain(row: Row, *without: str) -> dict[str, Any]:
    return {name: row[name] for name in row.keys() if name not in without}  # noqa: SIM118 - a sqlite3.Row is no dict


def _convert(said: dict[str, Any], how: Any, *names: str) -> None:
    for name in names:
        if said[name] is not None:
            said[name] = how(said[name])


def _failure(row: Row) -> Failure | None:
    return None if row["error"] is None else failure_from(json.loads(row["error"]))


def _record(text: str | None) -> Mapping[str, Value]:
    if text is None:
        return {}
    record: Mapping[str, Value] = codec.loads(text)  # type: ignore[assignment]
    return record
