"""What the ledger shows: frozen pictures of its records, for command line, dashboard and report.

Values are decoded when they are asked for; tables stay handles, so that a listing reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from interoffice.frozen import dataclass
from interoffice.model.values import Value
from interoffice.model.work import ItemState, RunState, StepState

FailureKind = Literal["business", "application", "credential", "unclear", "interrupted", "bug", "workflow", "rejected"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why something ended badly. `kind` says what the engine makes of it; `step` the path where it happened."""

    kind: FailureKind
    message: str
    code: str = ""
    step: str = ""
    transient: bool = False
    traceback: str = ""

    def as_json(self) -> dict[str, object]:
        """What is stored; the inverse is `failure_from`."""
        said: dict[str, object] = {"kind": self.kind, "message": self.message, "code": self.code, "step": self.step}
        if self.transient:
            said["transient"] = True
        if self.traceback:
            said["traceback"] = self.traceback
        return said


def failure_from(said: Mapping[str, Any]) -> Failure:
    """The failure that `as_json` wrote."""
    return Failure(**said)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunView:
    """One run. `waiting_for` is in words; `items` counts its work items by state."""

    run_id: str
    position: int
    workflow: str
    workflow_name: str
    plan_digest: str
    inputs_digest: str
    environment: str
    started_by: str
    planned_at: datetime
    rehearse: bool
    overlap: str
    state: RunState
    created_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    wake_at: datetime | None
    waiting_for: str
    engine_id: str | None
    cancel: str | None
    body_done: bool
    warned: bool
    error: Failure | None
    outputs: Mapping[str, Value]
    items: Mapping[ItemState, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepView:
    """One step of a run at its path; `inputs` are the values its expressions had, `note` why it was skipped."""

    run_id: str
    path: str
    position: int
    step_id: str
    item_id: str | None
    kind: str
    bot: str
    office: str
    state: StepState
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]
    error: Failure | None
    note: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    wake_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemView:
    """One work item. `result` is what the loop collected of it, as one or several records."""

    item_id: str
    run_id: str
    loop: str
    position: int
    key: str
    parent_id: str | None
    row: Mapping[str, Value]
    posts: str
    origin: str
    state: ItemState
    lease_token: str | None
    engine_id: str | None
    defer_until: datetime | None
    deadline: datetime | None
    priority: int
    attempts: int
    created_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None
    error: Failure | None
    result: tuple[Mapping[str, Value], ...]
    held_at: str
    finished_later: bool
    reviewer: str | None
    comment: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptView:
    """One try at a bot's call or look-up. `evidence`: what was typed, read back and photographed, by name."""

    run_id: str
    path: str
    number: int
    kind: str
    item_id: str | None
    lane: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]
    error: Failure | None
    evidence: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class IntentView:
    """What was about to be done, and what became of it: open, confirmed, withdrawn or in_doubt."""

    intent_id: str
    posting_key: str
    occasion: str
    state: str
    run_id: str
    path: str
    attempt: int
    item_id: str | None
    token: str
    engine_id: str
    meant: Mapping[str, Value]
    reference: str
    outputs: Mapping[str, Value]
    evidence: Mapping[str, Value]
    why: str
    written_at: datetime
    ended_at: datetime | None
    settled_by: str | None
    comment: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRowView:
    """One row that waits for a decision, or was decided; `decided_row` is the row with what the approver filled in."""

    approval_id: str
    key: str
    position: int
    row: Mapping[str, Value]
    digest: str
    by_person: str | None
    state: str
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None
    fields: Mapping[str, Value]
    decided_row: Mapping[str, Value] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalView:
    """An approval with its rows. `terms`: ask, by, not_by, decide, show, fields, if_late as they were then."""

    approval_id: str
    run_id: str
    path: str
    workflow: str
    step_id: str
    state: str
    terms: Mapping[str, Any]
    digest: str
    binds: Mapping[str, str]
    opened_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    rows: tuple[ApprovalRowView, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditView:
    """One entry of the audit; `hash` covers the entry and the hash before it."""

    seq: int
    at: datetime
    actor: str
    act: str
    run_id: str
    subject: str
    details: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PausedCredential:
    """A credential that nobody may try until a person resumes it (G6)."""

    environment: str
    name: str
    paused_at: datetime
    run_id: str | None
    path: str | None
    reason: str
