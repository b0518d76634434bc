"""Alarms: what a schedule promised and did not keep, each raised once, in the audit, and sent by mail.

`late`: its run has not begun `late_after` its planned time. `unfinished`: it has not ended at `must_finish_by`.
`failed`: no run could be made. `run_failed`: its run failed. `missed`: nobody was there. `dead`: its trigger
can't look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.notice_desk import notice_desk
from interoffice.frozen import dataclass
from interoffice.model.settings import Settings
from interoffice.model.values import Value
from interoffice.plan.project import Project
from interoffice.plan.timetable import first_moment
from interoffice.schedule.armed import Armed, Timetables
from interoffice.store import Ledger, audit, firings
from interoffice.store.database import Transaction
from interoffice.store.firings import Firing

LOOK_BACK: Final = timedelta(days=7)
DEAD_AFTER: Final = timedelta(minutes=5)
"""So long a trigger may fail to look before it is an alarm."""
RAISED: Final = "schedule.alarm"
TEXT: Final = """\
<p>{{ said }}</p>
<p>To see more: <code>runner.py schedule status</code></p>
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """One alarm: of which firing, what kind, and what it says."""

    schedule_id: str
    occasion: str
    kind: str
    said: str


def wanting(ledger: Ledger, tables: Timetables, now: datetime) -> list[Alarm]:
    """Everything that deserves an alarm now, raised before or not."""
    found: list[Alarm] = []
    for firing in ledger.read(lambda tx: firings.since(tx, now - LOOK_BACK)):
        armed = tables.armed.get(firing.schedule_id)
        if armed is not None:
            found += _of_firing(armed, firing, now)
    for id, view in ledger.read(firings.schedules).items():
        if id in tables.armed and view.problem_since is not None and now - view.problem_since >= DEAD_AFTER:
            since = f"{view.problem_since:%Y-%m-%d %H:%M} UTC"
            said = f"The trigger of schedule {id} has not worked since {since}: {view.problem}"
            found.append(Alarm(schedule_id=id, occasion=view.problem_since.isoformat(), kind="dead", said=said))
    return found


def _of_firing(armed: Armed, firing: Firing, now: datetime) -> list[Alarm]:
    schedule, found = armed.schedule, []
    planned = firing.planned_at.astimezone(ZoneInfo(armed.zone))
    what = f"{schedule.workflow}, which schedule {armed.id} planned for {planned:%Y-%m-%d %H:%M} ({armed.zone}),"

    def alarm(kind: str, said: str) -> None:
        found.append(Alarm(schedule_id=armed.id, occasion=firing.occasion, kind=kind, said=f"{what} {said}"))

    if firing.state == "failed":
        alarm("failed", f"could not be started: {firing.why}")
    elif firing.run_state == "failed":
        alarm("run_failed", f"has failed; see: runner.py show {firing.run_id}")
    elif firing.state == "missed":
        alarm("missed", f"was not run: {firing.why}")
    else:
        late = schedule.late_after
        is_begun = firing.begun_at is not None or firing.ended_at is not None
        if late is not None and not is_begun and armed.later(firing.planned_at, late) <= now:
            alarm("late", "has not begun yet.")
        if schedule.must_finish_by is not None and firing.ended_at is None:
            limit = finish_limit(armed, firing.planned_at)
            if limit is not None and limit <= now:
                alarm("unfinished", f"should have ended by {schedule.must_finish_by} and has not.")
    return found


def finish_limit(armed: Armed, planned: datetime) -> datetime | None:
    """When a run planned for this moment must have ended: `must_finish_by` of that local day, or of the next one."""
    said = armed.schedule.must_finish_by
    if said is None:
        return None
    zone, clock = ZoneInfo(armed.zone), clock_time.fromisoformat(said)
    day = planned.astimezone(zone).date()
    limit = first_moment(day, clock, zone)
    return limit if limit is not None and limit > planned else first_moment(day + timedelta(days=1), clock, zone)


def raise_new(ledger: Ledger, alarms: list[Alarm], now: datetime, send: Callable[[Alarm], None]) -> list[Alarm]:
    """Those not raised before are written down, and only then sent: a mail may be lost, never sent twice."""
    raised: list[Alarm] = []
    for each in alarms:

        def write(tx: Transaction, each: Alarm = each) -> bool:
            if not firings.alarm(tx, each.schedule_id, each.occasion, each.kind, each.said, now):
                return False
            audit.write(
                tx, now=now, actor="scheduler", act=RAISED, subject=each.schedule_id,
                details={"kind": each.kind, "said": each.said},
            )  # fmt: skip
            return True

        if ledger.write(write):
            raised.append(each)
            send(each)
    return raised


def addresses(settings: Settings, names: tuple[str, ...]) -> tuple[str, ...]:
    """People, groups and plain addresses as addresses, each once."""
    found: dict[str, None] = {}
    for name in names:
        members = [settings.people[name]] if name in settings.people else settings.members(name)
        found.update(dict.fromkeys([person.email for person in members] or ([name] if "@" in name else [])))
    return tuple(found)


def mail_alarm(project: Project, state: Path, to: tuple[str, ...], alarm: Alarm) -> None:
    """Sends one alarm. InterofficeError: it can't be sent."""
    settings = project.settings
    setting = LaneSetting(
        project=project.folder.resolve(), state=state, run_id="", workflow="", environment=project.environment or "",
        folder=state / "alarms", zone=settings.timezone,
    )  # fmt: skip
    data: dict[str, Value] = {"said": alarm.said}
    with notice_desk(setting, {}) as desk:
        subject = f"{settings.project}: {alarm.schedule_id} {alarm.kind}"
        desk.send(to=to, subject=subject, text=TEXT, data=data, gate=_Gate(alarm))


class _Gate:
    """The alarm is written down already: its mail may go out."""

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        return f"alarm.{self._alarm.schedule_id}.{self._alarm.kind}.{self._alarm.occasion}"
