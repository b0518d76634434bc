"""The planned times of a schedule: `every` and `cron`, in a zone and a calendar, right on days when clocks change.

A daily time comes once per local day, whatever the clock does (guarantees.md, G5): one that a change skips comes at the
first moment after it, one that a change repeats comes the first time only. "Every 20 minutes" counts time that really
passes, from the start of each local day; so a repeated hour has its runs twice, each for its own 20 minutes. Cron lines
are read by `cronsim`, which has the clock-change semantics of Debian's cron.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from interoffice.language.calendars import Calendar, month_length
from interoffice.model.schedule import Schedule

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
HORIZON: Final = timedelta(days=366 * 9)
"""How far a next time is looked for: 29 February comes within it."""
_ONE_DAY: Final = timedelta(days=1)
_AT: Final = re.compile(r"(?P<what>.+) at (?P<at>\d\d:\d\d)")
_NTH: Final = re.compile(r"(?P<business>business )?day (?P<number>-?\d+) of the (?P<span>month|quarter|year)")
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


class Times(Protocol):
    """Moments in order."""

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The planned moments after this one, in UTC, earliest first."""


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """The planned times of one schedule. `zone` is an IANA name; `between` and `days` leave times out by local clock.

    `between` counts both its ends, and may go over midnight (22:00 to 06:00).
    """

    times: Times
    zone: ZoneInfo
    calendar: Calendar = field(default_factory=Calendar)
    between: tuple[time, time] | None = None
    days: tuple[str, ...] = ()

    @classmethod
    def of(cls, schedule: Schedule, zone: str, calendar: Calendar) -> Timetable:
        """The times of an `every` or a `cron` entry. ValueError: the cron line can't be read."""
        place = ZoneInfo(zone)
        times = _Cron(schedule.when, place) if schedule.trigger == "cron" else every(schedule.when, place, calendar)
        between = schedule.between
        return cls(
            times=times, zone=place, calendar=calendar, days=schedule.days,
            between=None if between is None else (time.fromisoformat(between[0]), time.fromisoformat(between[1])),
        )  # fmt: skip

    def after(self, moment: datetime, *, until: datetime | None = None) -> Iterator[datetime]:
        """The planned moments after this one, in UTC, up to `until` (included; left out: nine years on)."""
        end = (until or moment + HORIZON).astimezone(UTC)
        for planned in self.times.after(moment.astimezone(UTC)):
            if planned > end:
                return
            if self._counts(planned.astimezone(self.zone)):
                yield planned

    def next(self, moment: datetime) -> datetime | None:
        """The first planned moment after this one, None when there is none within nine years."""
        return next(self.after(moment), None)

    def step(self, moment: datetime) -> timedelta | None:
        """The shortest time between two of the next ten runs."""
        found = list(islice(self.after(moment), 10))
        return min((later - earlier for earlier, later in pairwise(found)), default=None)

    def _counts(self, local: datetime) -> bool:
        if self.between is not None:
            first, last = self.between
            clock = local.time().replace(second=0, microsecond=0, tzinfo=None)
            inside = first <= clock <= last if first <= last else clock >= first or clock <= last
            if not inside:
                return False
        return not self.days or any(self._is_on(local.date(), day) for day in self.days)

    def _is_on(self, day: date, said: str) -> bool:
        if said == "business":
            return self.calendar.is_business_day(day)
        return said == "all" or day.weekday() == WEEKDAYS.index(said)


def every(said: str, zone: ZoneInfo, calendar: Calendar) -> Times:
    """The times of the words of `every`, which the loader has found to be well formed."""
    words = " ".join(said.split())
    at = _AT.fullmatch(words)
    if at is None:
        number, _, unit = words.rpartition(" ")
        return _Interval(int(number or 1) * SECONDS[unit.rstrip("s")], zone)
    clock, what = time.fromisoformat(at["at"]), at["what"]
    nth = _NTH.fullmatch(what)
    if nth is not None:
        months = _MONTHS[nth["span"]]
        return _NthDay(int(nth["number"]), months, nth["business"] is not None, clock, zone, calendar)
    return _Daily(what, clock, zone, calendar)


@dataclass(frozen=True)
class _Interval:
    """Every so many seconds that pass, from the start of each local day; longer than a day: from 1970 on."""

    seconds: int
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        step = timedelta(seconds=self.seconds)
        if step > _ONE_DAY:
            passed = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // step
            while True:
                passed += 1
                yield datetime(1970, 1, 1, tzinfo=UTC) + passed * step
        day = moment.astimezone(self.zone).date()
        while True:
            begin, end = first_moment(day, time(), self.zone), self._end(day)
            if begin is not None:
                at = begin if moment < begin else begin + ((moment - begin) // step + 1) * step
                while at < end:
                    yield at
                    at += step
            day += _ONE_DAY

    def _end(self, day: date) -> datetime:
        """The beginning of the next day that the zone has."""
        after = first_moment(day + _ONE_DAY, time(), self.zone)
        return self._end(day + _ONE_DAY) if after is None else after


@dataclass(frozen=True)
class _Daily:
    """A time of day, each day, each business day or on one day of the week."""

    what: str
    clock: time
    zone: ZoneInfo
    calendar: Calendar

    def after(self, moment: datetime) -> Iterator[datetime]:
        day = moment.astimezone(self.zone).date() - _ONE_DAY
        while True:
            day += _ONE_DAY
            if not self._is_on(day):
                continue
            at = first_moment(day, self.clock, self.zone)
            if at is not None and at > moment:
                yield at

    def _is_on(self, day: date) -> bool:
        if self.what == "business day":
            return self.calendar.is_business_day(day)
        return self.what == "day" or day.weekday() == WEEKDAYS.index(self.what)


@dataclass(frozen=True)
class _NthDay:
    """The n-th day, or business day, of each month, quarter or year; counted from the end where it is negative."""

    number: int
    months: int
    is_business: bool
    clock: time
    zone: ZoneInfo
    calendar: Calendar

    def after(self, moment: datetime) -> Iterator[datetime]:
        local = moment.astimezone(self.zone).date()
        index = (local.year * 12 + local.month - 1) // self.months
        while True:
            day = self._day(index * self.months)
            at = None if day is None else first_moment(day, self.clock, self.zone)
            if at is not None and at > moment:
                yield at
            index += 1

    def _day(self, month: int) -> date | None:
        """The day within the span that begins with this month, counted from year 0; None where it has too few."""
        first = date(month // 12, month % 12 + 1, 1)
        last_month = month + self.months - 1
        year, of_year = last_month // 12, last_month % 12 + 1
        last = date(year, of_year, month_length(year, of_year))
        days = [first + timedelta(days=passed) for passed in range((last - first).days + 1)]
        if self.is_business:
            days = [day for day in days if self.calendar.is_business_day(day)]
        place = self.number - 1 if self.number > 0 else self.number
        return days[place] if -len(days) <= place < len(days) else None


@dataclass(frozen=True)
class _Cron:
    line: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        refuse_cron(self.line)

    def after(self, moment: datetime) -> Iterator[datetime]:
        from cronsim import CronSim

        for local in CronSim(self.line, moment.astimezone(self.zone)):
            yield local.astimezone(UTC)


def refuse_cron(line: str) -> None:
    """ValueError says what is wrong with a cron line of five fields."""
    from cronsim import CronSim, CronSimError

    try:
        CronSim(line, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(str(error)) from error


def first_moment(day: date, clock: time, zone: ZoneInfo) -> datetime | None:
    """When a local day's clock first shows this time, in UTC; in a gap, the end of the gap. None: no such day.

    A zone that goes over the date line leaves a whole day out (Kiritimati, 1994-12-31).
    """
    local = datetime.combine(day, clock, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    change = _change(local.replace(fold=1).astimezone(UTC), moment, zone)
    return change if change.astimezone(zone).date() == day else None


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the zone's clock changes, to the second."""
    low, high = int(before.timestamp()), int(after.timestamp())
    offset = after.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def is_changed(day: date, clock: time, zone: ZoneInfo) -> str | None:
    """ "skips" or "repeats" when the zone's clock does so with this time on this day, else None."""
    local = datetime.combine(day, clock, zone)
    earlier, later = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if earlier == later:
        return None
    return "repeats" if earlier < later else "skips"
