"""Alarms: what a schedule promised and did not keep, each raised once, in the audit, and sent by mail.

`late`: its run has not begun `late_after` its planned time. `unfinished`: it has not ended at `must_finish_by`.
`failed`: no run could be made. `run_failed`: its run failed. `missed`: nobody was there. `dead`: its trigger
can't look, or does not come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from datetime import time as clock_time
from itertools import groupby
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.engine.notice_desk import notice_desk, notice_setting
from interoffice.model.settings import Settings
from interoffice.model.values import Value
from interoffice.plan.project import Project
from interoffice.plan.timetable import first_moment
from interoffice.schedule.armed import Armed, Timetables
from interoffice.store import Ledger, audit, firings
from interoffice.store.database import Transaction
from interoffice.store.firings import Alarm, Firing, ScheduleView

LOOK_BACK: Final = timedelta(days=7)
DEAD_AFTER: Final = timedelta(minutes=5)
"""So long a trigger may fail to look before it is an alarm."""
MAILED_WITHIN: Final = timedelta(days=1)
"""An alarm that no mail server took for so long is left to the audit."""
RAISED: Final = "schedule.alarm"
TEXT: Final = """\
{% for line in lines %}<p>{{ line }}</p>
{% endfor %}<p>To see more: <code>runner.py schedule status</code> and <code>runner.py schedule alarms</code></p>
"""


def wanting(ledger: Ledger, tables: Timetables, now: datetime, *, armed_at: datetime) -> list[Alarm]:
    """What deserves an alarm now. `armed_at`: since when this scheduler looks at the triggers."""
    found: list[Alarm] = []
    for firing in ledger.read(lambda tx: firings.unsettled(tx, now - LOOK_BACK)):
        armed = tables.armed.get(firing.schedule_id)
        if armed is not None:
            found += _of_firing(armed, firing, now)
    for id, view in ledger.read(firings.schedules).items():
        if id in tables.armed and view.paused_at is None:
            found += _of_trigger(view, now, armed_at)
    return found


def _of_firing(armed: Armed, firing: Firing, now: datetime) -> Iterator[Alarm]:
    schedule = armed.schedule
    planned = firing.planned_at.astimezone(ZoneInfo(armed.zone))
    what = f"{schedule.workflow}, which schedule {armed.id} planned for {planned:%Y-%m-%d %H:%M} ({armed.zone}),"

    def alarm(kind: str, said: str) -> Alarm:
        return Alarm(schedule_id=armed.id, occasion=firing.occasion, kind=kind, said=f"{what} {said}")

    if firing.state == "failed":
        again = f"runner.py schedule run-now {armed.id} --as-of {planned:%Y-%m-%dT%H:%M}"
        yield alarm("failed", f"could not be started: {firing.why}. Once it is mended: {again}")
    elif firing.run_state == "failed":
        yield alarm("run_failed", f"has failed; see: runner.py show {firing.run_id}")
    elif firing.state == "missed":
        yield alarm("missed", f"was not run: {firing.why}")
    else:
        late = schedule.late_after
        is_begun = firing.begun_at is not None or firing.ended_at is not None
        if late is not None and not is_begun and armed.later(firing.planned_at, late) <= now:
            yield alarm("late", "has not begun yet.")
        limit = finish_limit(armed, firing.planned_at)
        if limit is not None and firing.ended_at is None and limit <= now:
            yield alarm("unfinished", f"should have ended by {schedule.must_finish_by} and has not.")


def _of_trigger(view: ScheduleView, now: datetime, armed_at: datetime) -> Iterator[Alarm]:
    id, looked_at = view.schedule_id, max(view.looked_at or armed_at, armed_at)
    if view.problem_since is not None and now - view.problem_since >= DEAD_AFTER:
        since, why = view.problem_since, view.problem
    elif now - looked_at >= DEAD_AFTER:
        since, why = looked_at, "its last look has not come back"
    else:
        return
    said = f"The trigger of schedule {id} has not worked since {since:%Y-%m-%d %H:%M} UTC: {why}"
    yield Alarm(schedule_id=id, occasion=since.isoformat(), kind="dead", said=said)


def finish_limit(armed: Armed, planned: datetime) -> datetime | None:
    """When a run planned for this moment must have ended: `must_finish_by` of that local day, or of the next one."""
    said = armed.schedule.must_finish_by
    if said is None:
        return None
    zone, clock = ZoneInfo(armed.zone), clock_time.fromisoformat(said)
    day = planned.astimezone(zone).date()
    limit = first_moment(day, clock, zone)
    return limit if limit is not None and limit > planned else first_moment(day + timedelta(days=1), clock, zone)


def raise_new(ledger: Ledger, alarms: Sequence[Alarm], now: datetime) -> list[Alarm]:
    """Writes down those that were not raised before, in the audit too; gives them."""

    def write(tx: Transaction) -> list[Alarm]:
        new = [each for each in alarms if firings.alarm(tx, each, now)]
        for each in new:
            details = {"kind": each.kind, "said": each.said}
            audit.write(tx, now=now, actor="scheduler", act=RAISED, subject=each.schedule_id, details=details)
        return new

    return ledger.write(write) if alarms else []


def lines(alarms: Sequence[Alarm]) -> tuple[str, ...]:
    """What they say, for one mail: the newest of each schedule and kind, and how many more there are like it."""
    ordered = sorted(alarms, key=lambda each: (each.schedule_id, each.kind))
    groups = [list(group) for _, group in groupby(ordered, key=lambda each: (each.schedule_id, each.kind))]
    return tuple(
        group[-1].said + (f" (and {len(group) - 1} more like it)" if len(group) > 1 else "") for group in groups
    )


def addresses(settings: Settings, names: tuple[str, ...]) -> tuple[str, ...]:
    """People, groups and plain addresses as addresses, each once."""
    found: dict[str, None] = {}
    for name in names:
        members = [settings.people[name]] if name in settings.people else settings.members(name)
        found.update(dict.fromkeys([person.email for person in members] or ([name] if "@" in name else [])))
    return tuple(found)


def mail(project: Project, state: Path, to: tuple[str, ...], alarms: Sequence[Alarm]) -> None:
    """One mail for all of them. InterofficeError: it can't be sent."""
    first, name = alarms[0], project.settings.project
    subject = f"{name}: {first.schedule_id} {first.kind}" if len(alarms) == 1 else f"{name}: {len(alarms)} alarms"
    data: dict[str, Value] = {"lines": lines(alarms)}
    with notice_desk(notice_setting(project, state, "alarms"), {}) as desk:
        desk.send(to=to, subject=subject, text=TEXT, data=data, gate=_Gate(first))


class _Gate:
    """The alarms are written down already: their mail may go out."""

    def __init__(self, first: Alarm) -> None:
        self._first = first

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        return f"alarm.{self._first.schedule_id}.{self._first.kind}.{self._first.occasion}"
