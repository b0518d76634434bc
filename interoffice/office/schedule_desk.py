"""Schedules as operators see them: how each stands, what comes next, pausing, and firing one by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

from interoffice.errors import Refused, UsageError
from interoffice.office.listings import Listed
from interoffice.problem import did_you_mean

if TYPE_CHECKING:
    from interoffice.engine.engine import Engine
    from interoffice.office.daemons import Daemons
    from interoffice.plan.project import Project
    from interoffice.resources.secrets import CredentialStore
    from interoffice.schedule.armed import Timetables
    from interoffice.store import Ledger
    from interoffice.store.database import Transaction
    from interoffice.store.firings import Firing, ScheduleView

DEAD_AFTER: Final = timedelta(seconds=90)
"""A trigger looked at longer ago than that has nobody who looks."""
MISSED_WITHIN: Final = timedelta(days=7)


class Desk(Protocol):
    """The office that it works in."""

    @property
    def project(self) -> Project: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def credential_store(self) -> CredentialStore: ...

    @property
    def daemons(self) -> Daemons: ...

    def actor(self) -> str: ...

    def signed_in(self) -> str | None: ...

    def moment(self, as_of: str | None) -> datetime: ...

    def engine(self, environment: str | None = None) -> AbstractContextManager[Engine]: ...


class ScheduleDesk:
    """The schedules of a project."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # --- looking ---

    def _tables(self) -> Timetables:
        from interoffice.schedule.armed import arm

        return arm(self._desk.project)

    def status(self) -> list[Listed]:
        """Each schedule: whether it is armed, its last heartbeat, its last and next firing, what it missed, and why."""
        from interoffice.schedule.armed import read_schedules
        from interoffice.store import firings

        schedules, _ = read_schedules(self._desk.project)
        tables = self._tables()
        now, ledger = datetime.now(UTC), self._desk.ledger
        seen, is_served = ledger.read(firings.schedules), self._desk.daemons.is_served()
        missed = ledger.read(lambda tx: firings.missed(tx, now - MISSED_WITHIN))
        rows: list[Listed] = []
        for each in schedules.schedules if schedules is not None else ():
            known, armed = seen.get(each.id), tables.armed.get(each.id)
            last = ledger.read(lambda tx, id=each.id: firings.of_schedule(tx, id, 1))  # type: ignore[misc]
            zone = ZoneInfo(armed.zone) if armed is not None else UTC
            next_at = armed.table.next(now) if armed is not None and armed.table is not None else None
            rows.append(
                {
                    "schedule": each.id,
                    "starts": each.when if each.trigger == "every" else f"{each.trigger} {each.when}",
                    "workflow": each.workflow,
                    "state": _state(each.enabled, tables.left_out.get(each.id), known, now if is_served else None),
                    "heartbeat": _at(known.looked_at if known else None, zone),
                    "last": _last(last[0], zone) if last else "",
                    "next": _at(next_at, zone),
                    "missed": missed.get(each.id, 0),
                    "problem": tables.left_out.get(each.id, known.problem if known else ""),
                }
            )
        return rows

    def next(self, days: int) -> list[Listed]:
        """Every planned time of the next days, earliest first, by the clock of its schedule's zone."""
        now = datetime.now(UTC)
        found = [
            (moment, armed)
            for armed in self._tables().armed.values()
            if armed.table is not None
            for moment in armed.table.after(now, until=now + timedelta(days=days))
        ]
        return [
            {
                "at": f"{moment.astimezone(ZoneInfo(armed.zone)):%a %Y-%m-%d %H:%M}",
                "zone": armed.zone,
                "schedule": armed.id,
                "workflow": armed.schedule.workflow,
            }
            for moment, armed in sorted(found, key=lambda each: (each[0], each[1].id))
        ]

    def history(self, id: str, limit: int) -> list[Listed]:
        """The newest firings of a schedule, and what became of them."""
        from interoffice.store import firings

        self._one(id)
        found = self._desk.ledger.read(lambda tx: firings.of_schedule(tx, id, limit))
        return [
            {
                "planned": f"{each.planned_at:%Y-%m-%d %H:%M:%S}",
                "state": each.state,
                "run": each.run_id or "",
                "run_state": (each.run_state or "").replace("_", " "),
                "why": each.why,
            }
            for each in found
        ]

    def alarms(self, limit: int) -> list[Listed]:
        """The newest alarms, and whether somebody was told by mail."""
        from interoffice.store import firings

        return [
            {
                "at": f"{each.raised_at:%Y-%m-%d %H:%M:%S}",
                "schedule": each.schedule_id,
                "kind": each.kind,
                "mailed": _at(each.mailed_at, UTC),
                "said": each.said,
            }
            for each in self._desk.ledger.read(lambda tx: firings.alarms(tx, limit))
        ]

    # --- acting ---

    def pause(self, ids: Sequence[str]) -> str:
        """They fire no more until they are resumed."""
        return self._each(ids, "paused")

    def resume(self, ids: Sequence[str]) -> str:
        """They fire again; what was planned meanwhile is treated as missed (if_missed)."""
        return self._each(ids, "resumed")

    def _each(self, ids: Sequence[str], act: str) -> str:
        from interoffice.store import audit, firings

        if not ids:
            raise UsageError(f"Name the schedules to be {act}: runner.py schedule status lists them.")
        for id in ids:
            self._one(id)
        now, person = datetime.now(UTC), self._desk.actor()

        def write(tx: Transaction) -> list[str]:
            firings.know(tx, ids, now)
            is_pause = act == "paused"
            done = [id for id in ids if (firings.pause(tx, id, person, now) if is_pause else firings.resume(tx, id))]
            for id in done:
                audit.write(tx, now=now, actor=person, act=f"schedule.{act}", subject=id)
            return done

        done = self._desk.ledger.write(write)
        idle = [id for id in ids if id not in done]
        said = [f"{', '.join(done)} {act}."] if done else []
        said += [f"{', '.join(idle)} {'was paused already' if act == 'paused' else 'was not paused'}."] if idle else []
        return " ".join(said)

    def run_now(self, id: str, *, as_of: str | None = None, environment: str | None = None) -> str:
        """Fires a schedule by hand, as the person at the keyboard; gives the id of its queued run.

        `as_of`: the moment that it stands for, where that is not now: a day that was missed, or that failed.
        """
        from interoffice.schedule.starting import start
        from interoffice.store import audit, firings

        tables = self._tables()
        self._one(id)
        armed = tables.armed.get(id)
        if armed is None:
            raise Refused(f"{id} can't fire: {tables.left_out.get(id, 'it is not enabled')}.")
        now, person = datetime.now(UTC), self._desk.actor()
        planned = now if as_of is None else self._desk.moment(as_of)
        occasion = f"by hand {now.isoformat()}"
        firing = firings.Firing(schedule_id=id, occasion=occasion, planned_at=planned, not_before=now)

        def write(tx: Transaction) -> None:
            firings.know(tx, (id,), now)
            firings.add(tx, firing, now)
            audit.write(tx, now=now, actor=person, act="schedule.run_now", subject=id)

        names = self._desk.credential_store.names()
        with self._desk.engine(environment) as engine:
            run_id = start(
                engine, armed, firing, credentials=names, person=person, signed_in=self._desk.signed_in(), before=write
            )
        if run_id is None:
            raise Refused(f"{id} was fired at the same moment by somebody else.")
        return run_id

    def _one(self, id: str) -> None:
        from interoffice.schedule.armed import read_schedules

        schedules, _ = read_schedules(self._desk.project)
        known = [each.id for each in schedules.schedules] if schedules is not None else []
        if id not in known:
            meant = did_you_mean(id, known)
            hint = f'did you mean "{meant}"?' if meant else f"there is {', '.join(known) or 'none'}"
            raise UsageError(f'schedules.yaml has no schedule "{id}"; {hint}')


def _state(enabled: bool, left_out: str | None, known: ScheduleView | None, now: datetime | None) -> str:
    """How a schedule stands, in a word; `now`: None when no process that fires schedules lives."""
    if not enabled:
        return "off"
    if left_out is not None:
        return "broken"
    if known is None:
        return "never armed"
    if known.paused_at is not None:
        return f"paused by {known.paused_by}"
    if known.looked_at is None or now is None or now - known.looked_at > DEAD_AFTER:
        return "no scheduler"
    return "can't look" if known.problem else "armed"


def _last(firing: Firing, zone: tzinfo) -> str:
    state = (firing.run_state or firing.state).replace("_", " ")
    return f"{_at(firing.planned_at, zone)} {state}"


def _at(moment: datetime | None, zone: tzinfo) -> str:
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
