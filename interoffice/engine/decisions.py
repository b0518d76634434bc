"""Decisions on approvals: who may, on exactly what was shown, with what corrections. Every try is in the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from interoffice.engine.approvals import when_late
from interoffice.engine.clock import Clock
from interoffice.engine.corrections import corrected_row, typed_fields
from interoffice.engine.makers import makers_of, same_person
from interoffice.engine.releasing import follow_decision
from interoffice.errors import Refused, UsageError
from interoffice.language.calendars import add_duration
from interoffice.model.settings import Person, ReleaseLimit, Settings, mailbox_of
from interoffice.model.values import Duration, Value, number_from_text
from interoffice.plan.plan import Plan
from interoffice.plan.project import Project
from interoffice.plan.times import times_of
from interoffice.store import Ledger, approvals, audit, runs
from interoffice.store.database import Transaction
from interoffice.store.views import ApprovalRowView, ApprovalView, RunView

DecidedRows = Mapping[str, Mapping[str, Value] | None]
"""Row by key as it is decided; None: as it was shown."""
WORDS = {"approve": "approved", "reject": "rejected"}


class Owner(Protocol):
    """The engine that is asked."""

    project: Project
    state_dir: Path
    clock: Clock
    ledger: Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a signed-in person decides. `digest`: of the approval as it was shown; `rows` None: all that are open."""

    approval_id: str
    decision: str
    person: str
    digest: str
    rows: tuple[str, ...] | None
    fields: Mapping[str, str]
    comment: str


def decide(owner: Owner, asked: Decision) -> RunView:
    """Writes a decision, or refuses it with the reason; the run, which its caller drives on."""
    ledger, now = owner.ledger, owner.clock.now()
    run_id = ""
    try:
        if asked.decision not in WORDS:
            raise UsageError(f'a decision is approve or reject, not "{asked.decision}"')
        approval = when_late(ledger, ledger.approval(asked.approval_id), now)
        run_id = approval.run_id
        plan = Plan.from_json(json.loads(ledger.plan(run_id)))
        chosen = _chosen(approval, asked)
        person = _who_may(owner, approval, plan, asked, chosen, now)
        decided = _decided_rows(owner, approval, plan, asked, chosen)
        if asked.decision == "approve":
            _refuse_over_limit(owner.project.settings, approval, person, chosen, decided)
        return ledger.write(lambda tx: _write(tx, approval, asked, decided, now))
    except (Refused, UsageError) as refused:
        _audit_refused(ledger, run_id, asked, now, str(refused))
        raise


def _write(tx: Transaction, approval: ApprovalView, asked: Decision, decided: DecidedRows, now: datetime) -> RunView:
    current = approvals.one(tx, approval.approval_id)
    if current.digest != asked.digest or current.state != "open":
        raise Refused("The rows have changed since they were shown; look at them again.")
    rows = {row.key: row for row in current.rows}
    for key, new_row in decided.items():
        fields = None if new_row is None else {name: new_row.get(name) for name in asked.fields}
        approvals.decide_row(
            tx, approval.approval_id, key, WORDS[asked.decision], now, decided_by=asked.person,
            comment=asked.comment or None, fields=fields, decided_row=new_row,
        )  # fmt: skip
    for row in approvals.one(tx, approval.approval_id).rows:
        if row.key in decided:
            follow_decision(tx, approval, row, decided[row.key], now)
    details = {
        "digest": asked.digest,
        "rows": {key: rows[key].digest for key in decided},
        "fields": dict(asked.fields),
        "comment": asked.comment,
    }
    audit.write(
        tx, now=now, actor=asked.person, act=f"approval.{WORDS[asked.decision]}", run_id=approval.run_id,
        subject=approval.approval_id, details=details,
    )  # fmt: skip
    approvals.end_if_decided(tx, approval.approval_id, now)
    run = runs.one(tx, approval.run_id)
    if run.state == "waiting" and not run.body_done:
        runs.wait(tx, run.run_id, wake_at=now, waiting_for=run.waiting_for)
    return runs.one(tx, approval.run_id)


def _audit_refused(ledger: Ledger, run_id: str, asked: Decision, now: datetime, why: str) -> None:
    said = {"decision": asked.decision, "digest": asked.digest, "rows": list(asked.rows or ()), "why": why}
    ledger.write(
        lambda tx: audit.write(
            tx, now=now, actor=asked.person, act="approval.refused", run_id=run_id, subject=asked.approval_id,
            details=said,
        )
    )  # fmt: skip


# which rows


def _chosen(approval: ApprovalView, asked: Decision) -> Sequence[ApprovalRowView]:
    if approval.state != "open":
        raise Refused(f"This approval is {approval.state} already; nothing can be decided any more.")
    if asked.digest != approval.digest:
        raise Refused("What was shown is not what waits now; look at the rows again, then decide.")
    opened = {row.key: row for row in approval.rows if row.state == "open"}
    if asked.rows is None:
        return tuple(opened.values())
    unknown = [key for key in asked.rows if key not in opened]
    if unknown:
        raise Refused(f'Row "{unknown[0]}" does not wait for a decision here.')
    if approval.terms["decide"] == "together" and len(set(asked.rows)) < len(opened):
        raise Refused("These rows are decided together or not at all; decide on the whole step.")
    return tuple(opened[key] for key in dict.fromkeys(asked.rows))


# who may


def _who_may(
    owner: Owner, approval: ApprovalView, plan: Plan, asked: Decision, chosen: Sequence[ApprovalRowView], now: datetime
) -> Person:
    """The person, who is no maker and is asked here. Refused with the reason."""
    settings, ledger = owner.project.settings, owner.ledger
    person = settings.people.get(asked.person)
    if person is None:
        raise Refused(f'"{asked.person}" is nobody in settings.yaml; sign in as a person of this project.')
    makers = makers_of(ledger, settings, owner.project.folder, plan) | _editors_of_values(ledger, approval.run_id)
    if any(same_person(settings, person.id, maker) for maker in makers):
        raise Refused(f"{person.name} made this run (started it, edited its workflow or a value) and may not decide.")
    if "previous_approver" in approval.terms["not_by"]:
        before = ledger.read(lambda tx: approvals.approvers(tx, approval.run_id, approval.approval_id))
        if any(same_person(settings, person.id, one) for one in before):
            raise Refused(f"{person.name} decided on an earlier step of this run and may not decide here.")
    _refuse_stranger(settings, approval, plan, person, chosen, now)
    return person


class Facts(Protocol):
    """What is known of a run while it is walked."""

    @property
    def project(self) -> Project: ...

    @property
    def ledger(self) -> Ledger: ...


def deciders(run: Facts, approval: ApprovalView, plan: Plan, now: datetime) -> tuple[Person, ...]:
    """Who may decide on an open row now: no maker, no earlier approver where the step says so, and of who is away the
    stand-in. Refused where nobody can tell who the makers are."""
    settings, ledger = run.project.settings, run.ledger
    makers = makers_of(ledger, settings, run.project.folder, plan) | _editors_of_values(ledger, approval.run_id)
    if "previous_approver" in approval.terms["not_by"]:
        makers |= ledger.read(lambda tx: approvals.approvers(tx, approval.run_id, approval.approval_id))
    opened = [row for row in approval.rows if row.state == "open"]
    today = now.astimezone(plan.planned.tzinfo).date()
    return tuple(
        person
        for person in settings.people.values()
        if not _is_away(person, today)
        and not any(same_person(settings, person.id, maker) for maker in makers)
        and any(_is_asked(settings, approval, plan, person, row, now) for row in opened)
    )


def _is_asked(
    settings: Settings, approval: ApprovalView, plan: Plan, person: Person, row: ApprovalRowView, now: datetime
) -> bool:
    try:
        _refuse_stranger(settings, approval, plan, person, [row], now)
    except Refused:
        return False
    return True


def _is_away(person: Person, today: date) -> bool:
    return person.away is not None and person.away.from_ <= today <= person.away.to


def _editors_of_values(ledger: Ledger, run_id: str) -> frozenset[str]:
    """Who edited a work item of the run: a maker of it."""
    return frozenset(entry.actor for entry in ledger.audit(run_id=run_id, act="item.edited", limit=10_000))


def _refuse_stranger(
    settings: Settings,
    approval: ApprovalView,
    plan: Plan,
    person: Person,
    chosen: Sequence[ApprovalRowView],
    now: datetime,
) -> None:
    today = now.astimezone(plan.planned.tzinfo).date()
    standing_for = {mailbox_of(person.email), *_away_emails(settings, person, today)}
    groups = [*approval.terms["by"], *_escalated_to(settings, approval, plan, now)]
    ids = {person.id, *(one.id for one in settings.people.values() if mailbox_of(one.email) in standing_for)}
    in_group = any(ids & set(settings.groups.get(group, ())) for group in groups)
    for row in chosen:
        alone = row.by_person is not None
        if alone and mailbox_of(row.by_person or "") not in standing_for and not in_group:
            raise Refused(f"Row {row.key} is for {row.by_person} to decide, not for {person.name}.")
        if not alone and not in_group:
            raise Refused(f"{person.name} is in none of the groups that decide here ({', '.join(groups)}).")


def _away_emails(settings: Settings, person: Person, today: date) -> set[str]:
    """The addresses of those for whom the person stands in today."""
    return {
        mailbox_of(one.email)
        for one in settings.people.values()
        if one.away is not None and one.away.instead == person.id and _is_away(one, today)
    }


def _escalated_to(settings: Settings, approval: ApprovalView, plan: Plan, now: datetime) -> Sequence[str]:
    after = approval.terms.get("escalate_after")
    if after is None:
        return ()
    due = add_duration(approval.opened_at, Duration.parse(after), times_of(settings, plan.planned, plan.zone))
    assert isinstance(due, datetime)
    return tuple(approval.terms["escalate_to"]) if due <= now else ()


def _refuse_over_limit(
    settings: Settings,
    approval: ApprovalView,
    person: Person,
    chosen: Sequence[ApprovalRowView],
    decided: DecidedRows,
) -> None:
    """The limit holds for what is released: the row as it was corrected, not only as it was shown."""
    for limit in settings.release_limits:
        if (limit.workflow, limit.step) != (approval.workflow, approval.step_id):
            continue
        most = _most(settings, limit, person)
        for row in chosen:
            amount = (decided[row.key] or row.row).get(limit.amount)
            if not isinstance(amount, Decimal):
                raise Refused(f'Row {row.key} has no amount in "{limit.amount}", so no limit can be held against it.')
            if most is None or abs(amount) > most:
                words = "may release nothing here" if most is None else f"may release up to {most}"
                raise Refused(f"{person.name} {words} (release_limits); row {row.key} is {amount}.")


def _most(settings: Settings, limit: ReleaseLimit, person: Person) -> Decimal | None:
    """The most that the person may release: the highest limit of the groups they are in."""
    of_groups = [
        number_from_text(text) for group, text in limit.up_to.items() if person.id in settings.groups.get(group, ())
    ]
    return max(of_groups, default=None)


# what


def _decided_rows(
    owner: Owner, approval: ApprovalView, plan: Plan, asked: Decision, chosen: Sequence[ApprovalRowView]
) -> dict[str, Mapping[str, Value] | None]:
    """Each chosen row as it is decided: with the approver's fields, checked again where one corrects a column."""
    loaded = plan.load()
    given = typed_fields(owner.project, loaded, approval, asked.fields)
    return {
        row.key: corrected_row(owner.project, owner.ledger, loaded, approval, row, given, asked.decision)
        for row in chosen
    }
