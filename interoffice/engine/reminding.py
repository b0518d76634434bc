"""Reminders of open approvals and their escalation, by mail to those who may decide.

A reminder is due every `remind_every` since the approval was opened, an escalation once after `escalate: after`.
Both are sent when the run is woken for them; of several that are due at once the last alone. That one was sent
stands in the audit, with the moment it was due, written just before the mail's content goes out: whatever dies,
nobody is reminded twice of the same. A mail that could not be handed over is tried again ten minutes later. A
rehearsal sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from interoffice.engine.decisions import deciders
from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.notice_desk import notice_desk
from interoffice.engine.run import Run
from interoffice.errors import InterofficeError, Refused
from interoffice.frozen import dataclass
from interoffice.language.calendars import Times, add_duration
from interoffice.model.formats import format_value
from interoffice.model.settings import Person
from interoffice.model.values import Duration, Value
from interoffice.plan.plan import Plan
from interoffice.store import Ledger, approvals, audit
from interoffice.store.database import Transaction
from interoffice.store.views import ApprovalView

REMINDED, ESCALATED = "approval.reminded", "approval.escalated"
AGAIN_AFTER: Final = timedelta(minutes=10)
MOST_REMINDERS: Final = 1_000
ROWS_NAMED: Final = 20
TEXT: Final = """\
<p>{{ ask }}</p>
<p>{{ count }} in {{ workflow.name }} {{ waits }} for a decision{{ until }}:</p>
<ul>{% for row in rows %}<li>{{ row.name }}</li>{% endfor %}</ul>
{% if more %}<p>and {{ more }} more</p>{% endif %}
<p>To look at the rows and their reasons, and to decide: <code>runner.py approve {{ run.id }} {{ step }}</code></p>
<p>{{ why }}</p>
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A mail that is due. `acts`: what it stands for, each with the moment it was due."""

    acts: Mapping[str, datetime]

    @property
    def is_escalation(self) -> bool:
        """Whether others are asked from now on."""
        return ESCALATED in self.acts


def remind(run: Run, path: str) -> None:
    """Sends what is due of the open approval at this place; a mail that can't be sent is told, and stops nothing."""
    approval = run.ledger.read(lambda tx: approvals.at_path(tx, run.run_id, path))
    if approval is None or approval.state != "open" or run.options.rehearse:
        return
    notice = due_notice(run.ledger, approval, run.times, run.clock.now())
    if notice is None:
        return
    try:
        _send(run, approval, notice)
    except InterofficeError as error:
        run.tell("message", path, text=f"nobody could be reminded of {approval.terms['title']}: {error}",
                 level="warning")  # fmt: skip


def due_notice(ledger: Ledger, approval: ApprovalView, times: Times, now: datetime) -> Notice | None:
    """The mail that is due by now and was not sent; None where there is none."""
    sent = _sent(ledger, approval)
    acts: dict[str, datetime] = {}
    for act, due in _moments(approval, times):
        if due > now:
            break
        if act not in sent or due > sent[act]:
            acts[act] = due
    return Notice(acts=acts) if acts else None


def next_notice(ledger: Ledger, approval: ApprovalView, times: Times, now: datetime) -> datetime | None:
    """When the run must be woken for a mail; None where none will be due."""
    if due_notice(ledger, approval, times, now) is not None:
        return now + AGAIN_AFTER
    return next((due for _, due in _moments(approval, times) if due > now), None)


def _moments(approval: ApprovalView, times: Times) -> Iterator[tuple[str, datetime]]:
    """Every act of an approval and when it is due, in order of time."""
    every, after = approval.terms.get("remind_every"), approval.terms.get("escalate_after")
    escalation = None if after is None else _later(approval.opened_at, after, times)
    due = approval.opened_at
    for _ in range(MOST_REMINDERS if every is not None else 0):
        due = _later(due, str(every), times)
        if escalation is not None and escalation <= due:
            yield ESCALATED, escalation
            escalation = None
        yield REMINDED, due
    if escalation is not None:
        yield ESCALATED, escalation


def _later(moment: datetime, length: str, times: Times) -> datetime:
    later = add_duration(moment, Duration.parse(length), times)
    assert isinstance(later, datetime)
    return later


def _sent(ledger: Ledger, approval: ApprovalView) -> dict[str, datetime]:
    """The latest moment of each act that stands in the audit."""
    sent: dict[str, datetime] = {}
    for act in (REMINDED, ESCALATED):
        for entry in ledger.audit(run_id=approval.run_id, act=act, limit=MOST_REMINDERS):
            if entry.subject == approval.approval_id:
                sent[act] = datetime.fromisoformat(str(entry.details["due"]))
    return sent


def _send(run: Run, approval: ApprovalView, notice: Notice) -> None:
    plan = Plan.from_json(json.loads(run.ledger.plan(run.run_id)))
    now = run.clock.now()
    try:
        people = deciders(run, approval, plan, now)
    except Refused as refused:
        people, why = (), str(refused)
    else:
        why = "nobody may decide on it"
    if not people:
        _write(run, approval, notice, ())
        run.tell("message", approval.path, text=f"nobody was reminded of {approval.terms['title']}: {why}",
                 level="warning")  # fmt: skip
        return
    setting = LaneSetting(
        project=run.project.folder.resolve(), state=run.folder.parents[1], run_id=run.run_id,
        workflow=approval.workflow, environment=run.environment, folder=run.folder, zone=run.formats.zone,
    )  # fmt: skip
    names: dict[str, Value] = {"run": {"id": run.run_id}, "workflow": {"name": run.workflow.name}}
    with notice_desk(setting, names) as desk:
        desk.send(
            to=tuple(person.email for person in people), subject=_subject(approval, notice), text=TEXT,
            data=_data(run, approval, notice), gate=_Gate(run, approval, notice, people),
        )  # fmt: skip
    words = "asked others too" if notice.is_escalation else "reminded"
    run.tell("message", approval.path, text=f"{words}: {', '.join(person.name for person in people)}")


def _subject(approval: ApprovalView, notice: Notice) -> str:
    word = "Escalated" if notice.is_escalation else "Reminder"
    return f"{word}: {' '.join(str(approval.terms['ask']).split())}"


def _data(run: Run, approval: ApprovalView, notice: Notice) -> dict[str, Value]:
    """What the mail says: names of rows, and none of their values."""
    waiting = [row.key for row in approval.rows if row.state == "open"]
    until = ""
    if approval.expires_at is not None:
        until = f" until {format_value(approval.expires_at.replace(second=0, microsecond=0), run.formats)}"
    why = "You get this mail because you may decide on it."
    if notice.is_escalation:
        why = "Nobody decided in time, so you are asked as well."
    return {
        "ask": str(approval.terms["ask"]), "count": f"{len(waiting)} row{'' if len(waiting) == 1 else 's'}",
        "waits": "waits" if len(waiting) == 1 else "wait",
        "rows": tuple({"name": key} for key in waiting[:ROWS_NAMED]), "until": until, "step": approval.step_id,
        "more": str(len(waiting) - ROWS_NAMED) if len(waiting) > ROWS_NAMED else "", "why": why,
    }  # fmt: skip


def _write(run: Run, approval: ApprovalView, notice: Notice, people: Sequence[Person]) -> None:
    now = run.clock.now()

    def write(tx: Transaction) -> None:
        for act, due in notice.acts.items():
            audit.write(
                tx, now=now, actor="engine", act=act, run_id=run.run_id, subject=approval.approval_id,
                details={"due": due.isoformat(), "to": [person.id for person in people]},
            )  # fmt: skip

    run.ledger.write(write)


class _Gate:
    """The gate before the mail's content: it is written that the mail is sent."""

    def __init__(self, run: Run, approval: ApprovalView, notice: Notice, people: Sequence[Person]) -> None:
        self._parts = (run, approval, notice, people)

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        run, approval, notice, people = self._parts
        _write(run, approval, notice, people)
        due = max(notice.acts.values())
        return f"{approval.approval_id}.{due.isoformat()}"
