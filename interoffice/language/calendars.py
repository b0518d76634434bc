"""Business days, and the planned time that every word of time in an expression stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from interoffice.frozen import dataclass
from interoffice.language.nodes import TIME_WORDS
from interoffice.model.values import Duration

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["TIME_WORDS", "Calendar", "Times", "add_duration", "add_months", "month_length"]

_LONGEST_CLOSURE_DAYS: Final = 400
_MOST_DAYS: Final = 36_525
"""How far business days are counted: a hundred years."""
SATURDAY_SUNDAY: Final = frozenset((5, 6))


class Calendar:
    """The days on which business is done: a country's, a financial market's, and the project's own closed days.

    `country` and `financial` are the codes of the `holidays` library (DE, ECB), loaded when the first day is asked.
    Without either, Monday to Friday.
    """

    def __init__(
        self, country: str | None = None, financial: str | None = None, also_closed: Iterable[date] = ()
    ) -> None:
        self.country = country
        self.financial = financial
        self.also_closed = frozenset(also_closed)
        self._known: dict[date, bool] = {}

    @cached_property
    def _holidays(self) -> tuple[Any, ...]:
        if self.country is None and self.financial is None:
            return ()
        import holidays

        found: list[Any] = []
        if self.country is not None:
            name, _, region = self.country.partition("-")
            found.append(holidays.country_holidays(name, subdiv=region or None))
        if self.financial is not None:
            found.append(holidays.financial_holidays(self.financial))
        return tuple(found)

    def load(self) -> None:
        """Loads its holidays now; a ValueError names a country or market that doesn't exist."""
        try:
            _ = self._holidays
        except (NotImplementedError, KeyError, AttributeError) as error:
            raise ValueError(f"there are no holidays of {self.country or ''} {self.financial or ''}".strip()) from error

    def is_business_day(self, day: date) -> bool:
        """True when business is done on the day."""
        known = self._known.get(day)
        if known is None:
            known = self._known[day] = self._is_open(day)
        return known

    def _is_open(self, day: date) -> bool:
        weekend = self._holidays[0].weekend if self.country is not None else SATURDAY_SUNDAY
        if day.weekday() in weekend or day in self.also_closed:
            return False
        return not any(day in holidays for holidays in self._holidays)

    def add(self, day: date, business_days: int) -> date:
        """The day so many business days later (or earlier): 1 after a Friday is Monday. With 0 the day itself."""
        if abs(business_days) > _MOST_DAYS:
            raise ValueError("business days are counted over a hundred years at most")
        step = timedelta(days=1 if business_days > 0 else -1)
        left, closed = abs(business_days), 0
        while left:
            day += step
            if self.is_business_day(day):
                left, closed = left - 1, 0
            else:
                closed += 1
                if closed > _LONGEST_CLOSURE_DAYS:
                    raise ValueError("the calendar has no business day within a year")
        return day

    def between(self, start: date, end: date) -> int:
        """How many business days come after `start` up to `end`; negative when `end` is earlier."""
        if end < start:
            return -self.between(end, start)
        if (end - start).days > _MOST_DAYS:
            raise ValueError("business days are counted over a hundred years at most")
        days = (start + timedelta(days=number) for number in range(1, (end - start).days + 1))
        return sum(1 for day in days if self.is_business_day(day))


@dataclass(frozen=True, kw_only=True)
class Times:
    """The planned time of a run: what `now` and `today` are in all its expressions. `zone` is the project's."""

    now: datetime
    zone: str = "UTC"
    calendar: Calendar = field(default_factory=Calendar)

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("the planned time has no zone")

    @cached_property
    def zone_info(self) -> ZoneInfo:
        """The project's zone."""
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.zone)

    @cached_property
    def today(self) -> date:
        """The planned day in the project's zone."""
        return self.now.astimezone(self.zone_info).date()

    @property
    def yesterday(self) -> date:
        """The day before."""
        return self.today - timedelta(days=1)

    @property
    def previous_business_day(self) -> date:
        """The last business day before today."""
        return self.calendar.add(self.today, -1)

    def moment(self, day: date) -> datetime:
        """The beginning of a day in the project's zone."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone_info).astimezone(UTC)

    def day_of(self, moment: datetime) -> date:
        """The day of a moment in the project's zone."""
        return moment.astimezone(self.zone_info).date()


def add_months(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where that has no such day. OverflowError past 9999."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("a date out of the years 1 to 9999")
    return day.replace(year=year, month=month + 1, day=min(day.day, month_length(year, month + 1)))


def month_length(year: int, month: int) -> int:
    """How many days a month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def add_duration(start: date, duration: Duration, times: Times) -> date:
    """The date or date-time a duration later: months, days and business days on the zone's clock, then the seconds.

    A date plus a duration with seconds is a date-time. OverflowError past the years 1 to 9999.
    """
    if isinstance(start, datetime):
        local = start.astimezone(times.zone_info)
        shifted = _shifted(local.date(), duration, times.calendar)
        moment = local if shifted == local.date() else datetime.combine(shifted, local.time(), times.zone_info)
        return _later(moment, duration)
    day = _shifted(start, duration, times.calendar)
    return _later(times.moment(day), duration) if duration.seconds else day


def _later(moment: datetime, duration: Duration) -> datetime:
    return moment.astimezone(UTC) + timedelta(microseconds=int(duration.seconds * 1_000_000))


def _shifted(day: date, duration: Duration, calendar: Calendar) -> date:
    day = add_months(day, duration.months) + timedelta(days=duration.days)
    return calendar.add(day, duration.business_days) if duration.business_days else day
