"""What schedules did: their firings, each once whoever noticed it, what arrived, and the alarms raised.

Every function works inside the caller's transaction. A firing is `due` until a run stands for it (`started`), or it is
`missed` (nobody was there, and its schedule does not catch up), or `failed` (no run could be made, `why` says it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from interoffice.frozen import dataclass
from interoffice.store.database import Row, Transaction
from interoffice.store.reading import moment_of, text_of
from interoffice.store.statements import statements

_SQL = statements("firings")


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleView:
    """What the ledger knows of a schedule. All moments are UTC; `looked_at` is its trigger's heartbeat."""

    schedule_id: str
    armed_at: datetime
    planned_up_to: datetime
    looked_at: datetime | None
    off_since: datetime | None
    problem: str
    problem_since: datetime | None
    paused_by: str | None
    paused_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Firing:
    """One firing. `occasion` tells it from every other of its schedule; `brought` is what `trigger.*` is."""

    schedule_id: str
    occasion: str
    planned_at: datetime
    not_before: datetime
    state: str = "due"
    brought: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    run_id: str | None = None
    noticed_at: datetime | None = None
    run_state: str | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """One alarm: of which schedule and firing, what kind, and what it says."""

    schedule_id: str
    occasion: str
    kind: str
    said: str
    raised_at: datetime = datetime.max.replace(tzinfo=UTC)
    mailed_at: datetime | None = None

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells it from every other."""
        return self.schedule_id, self.occasion, self.kind


def know(tx: Transaction, ids: Iterable[str], now: datetime) -> None:
    """Schedules that are seen for the first time count from now on."""
    tx.run_many(_SQL["know"], ({"id": id, "now": text_of(now)} for id in ids))


def arm(tx: Transaction, ids: Iterable[str], now: datetime) -> None:
    """These may fire; what was planned before they were known, or while they were switched off, is nothing missed."""
    chosen = [{"id": id, "now": text_of(now)} for id in ids]
    tx.run_many(_SQL["know"], chosen)
    tx.run_many(_SQL["switch_on"], chosen)


def switch_off(tx: Transaction, ids: Iterable[str], now: datetime) -> None:
    """schedules.yaml switches these off, or has them no more: they fire nothing, and no run comes of what is due."""
    chosen = [{"id": id, "now": text_of(now), "why": "its schedule was switched off or taken out"} for id in ids]
    tx.run_many(_SQL["switch_off"], chosen)
    tx.run_many(_SQL["drop_due"], chosen)


def schedule(tx: Transaction, id: str) -> ScheduleView | None:
    """What is known of a schedule, None when no scheduler has ever seen it."""
    row = tx.row(_SQL["schedule"], {"id": id})
    return None if row is None else _schedule(row)


def schedules(tx: Transaction) -> dict[str, ScheduleView]:
    """All that were ever seen."""
    return {row["schedule_id"]: _schedule(row) for row in tx.rows(_SQL["schedules"])}


def planned_up_to(tx: Transaction, id: str, moment: datetime) -> None:
    """Planned times up to this moment are recorded; it never goes back, whatever the clock does."""
    tx.run(_SQL["up_to"], {"id": id, "moment": text_of(moment)})


def looked(tx: Transaction, ids: Iterable[str], now: datetime, *, problem: str = "") -> None:
    """Their triggers were looked at and work, or have a problem."""
    tx.run_many(_SQL["looked"], ({"id": id, "now": text_of(now), "problem": problem} for id in ids))


def pause(tx: Transaction, id: str, person: str, now: datetime) -> bool:
    """It fires no more until it is resumed; False when it was paused."""
    return bool(tx.run(_SQL["pause"], {"id": id, "person": person, "now": text_of(now)}))


def resume(tx: Transaction, id: str) -> bool:
    """It fires again; False when it was not paused."""
    return bool(tx.run(_SQL["resume"], {"id": id}))


def add(tx: Transaction, firing: Firing, now: datetime) -> bool:
    """Records a firing; False when it stands there already, since another scheduler noticed it."""
    values = {
        "schedule_id": firing.schedule_id, "occasion": firing.occasion, "planned_at": text_of(firing.planned_at),
        "not_before": text_of(firing.not_before), "now": text_of(now), "state": firing.state,
        "brought": json.dumps(firing.brought, ensure_ascii=False), "why": firing.why,
    }  # fmt: skip
    return bool(tx.run(_SQL["add"], values))


def due(tx: Transaction, now: datetime, limit: int = 10_000) -> tuple[Firing, ...]:
    """Firings for which a run is to be started now, the earliest first."""
    return tuple(_firing(row) for row in tx.rows(_SQL["due"], {"now": text_of(now), "limit": limit}))


def started(tx: Transaction, firing: Firing, run_id: str) -> bool:
    """A run stands for it; False when another scheduler was first."""
    values = {"schedule_id": firing.schedule_id, "occasion": firing.occasion, "run_id": run_id}
    return bool(tx.run(_SQL["started"], values))


def failed(tx: Transaction, firing: Firing, why: str) -> bool:
    """No run can be made of it."""
    values = {"schedule_id": firing.schedule_id, "occasion": firing.occasion, "why": why}
    return bool(tx.run(_SQL["failed"], values))


def of_schedule(tx: Transaction, id: str, limit: int = 20) -> tuple[Firing, ...]:
    """The newest firings of a schedule first."""
    return tuple(_firing(row) for row in tx.rows(_SQL["of_schedule"], {"id": id, "limit": limit}))


def unsettled(tx: Transaction, since: datetime) -> tuple[Firing, ...]:
    """Firings planned since that have not come to a good end, and for which no alarm says so already."""
    return tuple(_firing(row) for row in tx.rows(_SQL["unsettled"], {"since": text_of(since)}))


def missed(tx: Transaction, since: datetime) -> dict[str, int]:
    """Schedule -> how many firings it missed since."""
    return {row["schedule_id"]: row["number"] for row in tx.rows(_SQL["missed"], {"since": text_of(since)})}


def active(tx: Transaction, id: str) -> int:
    """How many firings of a schedule wait for their run or run."""
    row = tx.row(_SQL["active"], {"id": id})
    return 0 if row is None else int(row["number"])


def last_of_queue(tx: Transaction, queue: str) -> datetime | None:
    """When the newest entry that waits was put on the queue."""
    row = tx.row(_SQL["last_of_queue"], {"queue": queue})
    return None if row is None or row["added_at"] is None else moment_of(row["added_at"])


def arrive(tx: Transaction, id: str, content: str, name: str, occasion: str, now: datetime) -> bool:
    """Something arrived; False when the same content had arrived before."""
    values = {"id": id, "content": content, "name": name, "occasion": occasion, "now": text_of(now)}
    return bool(tx.run(_SQL["arrived"], values))


def has_arrived(tx: Transaction, id: str, content: str) -> bool:
    """Whether this content had arrived before."""
    return tx.row(_SQL["has_arrived"], {"id": id, "content": content}) is not None


def runs_after(
    tx: Transaction, id: str, workflow: str, environment: str, armed_at: datetime
) -> tuple[tuple[str, datetime], ...]:
    """Runs of a workflow that ended well since and have had no firing of this schedule: their ids and planned times."""
    values = {"id": id, "workflow": workflow, "environment": environment, "armed_at": text_of(armed_at)}
    return tuple((row["run_id"], moment_of(row["planned_at"])) for row in tx.rows(_SQL["runs_after"], values))


def alarm(tx: Transaction, alarm: Alarm, now: datetime) -> bool:
    """An alarm is raised; False when it was raised before."""
    return bool(tx.run(_SQL["alarm"], {**_named(alarm), "said": alarm.said, "now": text_of(now)}))


def unmailed(tx: Transaction) -> tuple[Alarm, ...]:
    """Alarms that nobody was told by mail, the oldest first."""
    return tuple(_alarm(row) for row in tx.rows(_SQL["unmailed"]))


def mailed(tx: Transaction, alarms: Iterable[Alarm], now: datetime) -> None:
    """These were mailed."""
    tx.run_many(_SQL["mailed"], ({**_named(each), "now": text_of(now)} for each in alarms))


def alarms(tx: Transaction, limit: int = 20) -> tuple[Alarm, ...]:
    """The newest alarms first."""
    return tuple(_alarm(row) for row in tx.rows(_SQL["alarms"], {"limit": limit}))


def _named(alarm: Alarm) -> dict[str, str]:
    return {"schedule_id": alarm.schedule_id, "occasion": alarm.occasion, "kind": alarm.kind}


def _alarm(row: Row) -> Alarm:
    said = dict(row)
    raised, mailed = moment_of(said["raised_at"]), said["mailed_at"]
    return Alarm(**{**said, "raised_at": raised, "mailed_at": None if mailed is None else moment_of(mailed)})


def _schedule(row: Row) -> ScheduleView:
    said = dict(row)
    for name in ("armed_at", "planned_up_to", "looked_at", "off_since", "problem_since", "paused_at"):
        said[name] = None if said[name] is None else moment_of(said[name])
    return ScheduleView(**said)


def _firing(row: Row) -> Firing:
    said = dict(row)
    for name in ("planned_at", "not_before", "noticed_at", "begun_at", "ended_at"):
        said[name] = None if said.get(name) is None else moment_of(said[name])
    return Firing(**{**said, "brought": json.loads(said["brought"])})
