"""Planned times -> firings: what is due now, and what became of the times at which nobody was there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from interoffice.schedule.armed import Armed
from interoffice.store import firings
from interoffice.store.database import Transaction
from interoffice.store.firings import Firing

ON_TIME: Final = timedelta(minutes=1)
"""So late a firing may be noticed and is still on time."""
ASK_AGAIN: Final = timedelta(seconds=30)
MOST_MISSED: Final = 500
"""So many missed firings of one schedule are recorded one by one, the newest; older ones are counted in words."""


def occasion_of(planned: datetime) -> str:
    """What tells a planned firing from every other of its schedule."""
    return f"time {planned:%Y-%m-%dT%H:%M:%SZ}"


def catch_up(tx: Transaction, armed: Armed, now: datetime) -> datetime | None:
    """Records every planned time that has come since the last one recorded; gives the next one.

    Planned times never come twice: they are counted from the last one recorded, not from the clock, so that a clock
    which is set back finds them there. A paused schedule records nothing, and is to be asked again in a while.
    """
    assert armed.table is not None
    known = firings.schedule(tx, armed.id)
    if known is None:
        firings.know(tx, (armed.id,), now)
        return armed.table.next(now)
    if known.paused_at is not None:
        return now + ASK_AGAIN
    planned = list(armed.table.after(known.planned_up_to, until=now)) if known.planned_up_to < now else []
    for firing in _firings(armed, planned, now):
        firings.add(tx, firing, now)
    if planned:
        firings.planned_up_to(tx, armed.id, planned[-1])
    return armed.table.next(max(now, known.planned_up_to))


def _firings(armed: Armed, planned: list[datetime], now: datetime) -> Iterable[Firing]:
    on_time = [moment for moment in planned if moment > now - ON_TIME]
    late = planned[: len(planned) - len(on_time)]
    caught_up = _caught_up(armed, late, on_time, now)
    missed = [moment for moment in late if moment not in caught_up]
    for moment in missed[-MOST_MISSED:]:
        why = _why(armed, moment, len(missed)) if moment is missed[-1] else _why(armed, moment, 1)
        yield _firing(armed, moment, moment, "missed", why)
    for moment in sorted(caught_up):
        yield _firing(armed, moment, now, "due", f"caught up: nobody was there at {moment:%Y-%m-%d %H:%M} UTC")
    for moment in on_time:
        yield _firing(armed, moment, armed.jittered(moment), "due", "")


def _caught_up(armed: Armed, late: list[datetime], on_time: list[datetime], now: datetime) -> frozenset[datetime]:
    """Which of the missed times are run after all, as `if_missed` and `catch_up_window` say."""
    schedule = armed.schedule
    if schedule.if_missed == "skip":
        return frozenset()
    window = schedule.catch_up_window
    within = [moment for moment in late if window is None or armed.later(moment, window) >= now]
    if schedule.if_missed == "run_once":
        return frozenset(() if on_time else within[-1:])
    return frozenset(within)


def _why(armed: Armed, moment: datetime, number: int) -> str:
    words = {"skip": "it is not caught up (if_missed: skip)", "run_once": "a later one stands for it (run_once)"}
    said = words.get(armed.schedule.if_missed, "it is older than catch_up_window")
    if number > MOST_MISSED:
        said += f"; the last of {number}"
    return f"no scheduler was running, or it was paused; {said}"


def _firing(armed: Armed, planned: datetime, not_before: datetime, state: str, why: str) -> Firing:
    return Firing(
        schedule_id=armed.id, occasion=occasion_of(planned), planned_at=planned, not_before=not_before, state=state,
        why=why,
    )  # fmt: skip
