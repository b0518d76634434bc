"""Business days and the planned time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from interoffice.language import Calendar, Times, add_duration
from interoffice.model.values import Duration

BANKING = Calendar("DE", "ECB", [date(2026, 12, 24), date(2026, 12, 31)])


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 11, 20), True),
        (date(2026, 11, 21), False),
        (date(2026, 4, 3), False),
        (date(2026, 10, 3), False),
        (date(2026, 12, 24), False),
        (date(2026, 12, 28), True),
        (date(2027, 1, 1), False),
    ],
)
def test_a_business_day_is_open_in_country_market_and_project(day: date, is_open: bool) -> None:
    assert BANKING.is_business_day(day) is is_open


def test_without_a_country_monday_to_friday_are_business_days() -> None:
    assert Calendar().is_business_day(date(2026, 12, 25))
    assert not Calendar().is_business_day(date(2026, 12, 26))


def test_business_days_are_added_over_holidays_and_back() -> None:
    assert BANKING.add(date(2026, 12, 23), 1) == date(2026, 12, 28)
    assert BANKING.add(date(2026, 12, 28), -1) == date(2026, 12, 23)
    assert BANKING.add(date(2026, 11, 21), 0) == date(2026, 11, 21)
    assert BANKING.between(date(2026, 12, 23), date(2026, 12, 28)) == 1
    assert BANKING.between(date(2026, 12, 28), date(2026, 12, 23)) == -1


def test_a_calendar_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="XX"):
        Calendar("XX").load()
    with pytest.raises(ValueError, match="MOON"):
        Calendar("DE", "MOON").load()
    Calendar("DE-BY", "ECB").load()


def test_a_region_has_its_own_holidays() -> None:
    assert not Calendar("DE-BY").is_business_day(date(2026, 1, 6))
    assert Calendar("DE").is_business_day(date(2026, 1, 6))


def test_today_is_the_day_in_the_zone_of_the_project() -> None:
    late = Times(now=datetime(2026, 11, 22, 23, 30, tzinfo=UTC), zone="Europe/Berlin")
    assert late.today == date(2026, 11, 23)
    assert late.yesterday == date(2026, 11, 22)
    assert late.previous_business_day == date(2026, 11, 20)
    assert Times(now=late.now, zone="America/New_York").today == date(2026, 11, 22)


def test_a_planned_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        Times(now=datetime(2026, 11, 22))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (Duration(days=1), datetime(2026, 10, 26, 0, 30, tzinfo=UTC)),
        (Duration(seconds=86400), datetime(2026, 10, 25, 23, 30, tzinfo=UTC)),
        (Duration(business_days=1), datetime(2026, 10, 26, 0, 30, tzinfo=UTC)),
        (Duration(months=1, seconds=60), datetime(2026, 11, 25, 0, 31, tzinfo=UTC)),
    ],
)
def test_days_move_on_the_clock_and_seconds_are_absolute(duration: Duration, expected: datetime) -> None:
    times = Times(now=datetime(2026, 11, 22, tzinfo=UTC), zone="Europe/Berlin", calendar=BANKING)
    start = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)  # 01:30 of the day on which the clock goes back
    assert add_duration(start, duration, times) == expected
