"""Planned times beside an oracle that knows nothing of them: it looks at a zone's clock minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from interoffice.language.calendars import Calendar
from interoffice.plan.timetable import Timetable, every, first_moment, is_changed

# Zone, and a span with both of its changes. Sao Paulo changed at midnight, so that its days began at 01:00.
SPANS = [
    ("Europe/Berlin", date(2026, 3, 27), date(2026, 3, 31)),
    ("Europe/Berlin", date(2026, 10, 23), date(2026, 10, 27)),
    ("Australia/Lord_Howe", date(2026, 4, 3), date(2026, 4, 7)),
    ("Australia/Lord_Howe", date(2026, 10, 2), date(2026, 10, 6)),
    ("America/Sao_Paulo", date(2018, 2, 16), date(2018, 2, 20)),
    ("America/Sao_Paulo", date(2018, 11, 2), date(2018, 11, 6)),
    ("Pacific/Kiritimati", date(1994, 12, 29), date(1995, 1, 3)),
    ("Pacific/Kiritimati", date(2026, 5, 1), date(2026, 5, 4)),
]
CLOCKS = ["00:00", "00:30", "01:45", "02:00", "02:15", "02:30", "03:00", "06:30", "23:59"]
MINUTE = timedelta(minutes=1)


def minutes(zone: ZoneInfo, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """Every minute of the local days, as UTC and as the local clock shows it."""
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
    while moment < end:
        local = moment.astimezone(zone)
        if first <= local.date() <= last:
            yield moment, local
        moment += MINUTE


def daily_by_looking(zone: ZoneInfo, clock: time, first: date, last: date) -> list[datetime]:
    """The first minute of each local day at which the clock is at or past the time."""
    found: dict[date, datetime] = {}
    for moment, local in minutes(zone, first, last):
        if local.replace(tzinfo=None).time() >= clock:
            found.setdefault(local.date(), moment)
    return sorted(found.values())


@pytest.mark.parametrize(("zone", "first", "last"), SPANS)
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_daily_time_comes_once_per_local_day(zone: str, first: date, last: date, clock: str) -> None:
    place = ZoneInfo(zone)
    times = every(f"day at {clock}", place, Calendar())
    planned = [
        moment
        for moment in Timetable(times=times, zone=place).after(
            datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=3),
            until=datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=3),
        )
        if first <= moment.astimezone(place).date() <= last
    ]
    assert planned == daily_by_looking(place, time.fromisoformat(clock), first, last)


@pytest.mark.parametrize(("zone", "first", "last"), SPANS)
@pytest.mark.parametrize("number", [20, 30, 60])
def test_an_interval_counts_the_time_that_passes(zone: str, first: date, last: date, number: int) -> None:
    place, day, passed, expected = ZoneInfo(zone), None, 0, []
    for moment, local in minutes(place, first, last):
        passed = 0 if local.date() != day else passed + 1
        day = local.date()
        if passed % number == 0:
            expected.append(moment)
    times = every(f"{number} minutes", place, Calendar())
    table = Timetable(times=times, zone=place)
    assert list(table.after(expected[0] - MINUTE, until=expected[-1])) == expected


def test_business_days_of_the_month_and_from_its_end() -> None:
    zone, calendar = ZoneInfo("Europe/Berlin"), Calendar(country="DE", financial="ECB")
    start = datetime(2026, 3, 31, 22, tzinfo=UTC)  # 1 April, Good Friday is the 3rd and Easter Monday the 6th
    open_days = [day for day in (date(2026, 4, n) for n in range(1, 31)) if calendar.is_business_day(day)]
    for number in (1, 2, 3, -1, -3):
        times = every(f"business day {number} of the month at 18:00", zone, calendar)
        found = next(Timetable(times=times, zone=zone, calendar=calendar).after(start)).astimezone(zone)
        assert found.date() == open_days[number - 1 if number > 0 else number]
        assert found.hour == 18
    quarter = every("business day 1 of the quarter at 08:00", zone, calendar)
    found_days = Timetable(times=quarter, zone=zone).after(start, until=start + timedelta(days=300))
    days = [moment.astimezone(zone).date() for moment in found_days]
    assert days == [date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1), date(2027, 1, 4)]


def test_a_day_that_a_month_has_not_is_left_out() -> None:
    zone = ZoneInfo("UTC")
    times = every("day 31 of the month at 09:00", zone, Calendar())
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = list(Timetable(times=times, zone=zone).after(start, until=datetime(2026, 6, 1, tzinfo=UTC)))
    assert [(m.month, m.day) for m in found] == [(1, 31), (3, 31), (5, 31)]


def test_between_and_days_leave_out_by_the_local_clock() -> None:
    zone = ZoneInfo("Europe/Berlin")
    times = every("1 hour", zone, Calendar())
    table = Timetable(times=times, zone=zone, between=(time(22), time(1)), days=("friday", "saturday"))
    first, last = datetime(2026, 11, 26, 22, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)
    found = [f"{moment.astimezone(zone):%a %H}" for moment in table.after(first, until=last)]
    assert found == ["Fri 00", "Fri 01", "Fri 22", "Fri 23", "Sat 00", "Sat 01", "Sat 22", "Sat 23"]


def test_what_a_change_skips_and_repeats_is_known() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert is_changed(date(2026, 3, 29), time(2, 30), berlin) == "skips"
    assert is_changed(date(2026, 10, 25), time(2, 30), berlin) == "repeats"
    assert is_changed(date(2026, 10, 25), time(3, 30), berlin) is None
    assert first_moment(date(1994, 12, 31), time(12), ZoneInfo("Pacific/Kiritimati")) is None
