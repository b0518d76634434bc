"""The values that travel between steps: exact, immutable, without a guess.

number, money   decimal.Decimal, at most 38 digits with 10 behind the point, rounded half away from zero
percent         `Percent`, holding the fraction: 15% is Percent("0.15")
missing         None, also the third truth value
date, date_time datetime.date, aware datetime.datetime (UTC inside); time: datetime.time
duration        `Duration`; file: `FileValue`; record: a mapping; list: a tuple or list; table: `model.table.Table`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Final

Value = object
"""Any value named above; what can't be said in Python's own types is checked where values come in."""

EXACT: Final = Context(prec=76, rounding=ROUND_HALF_UP)
"""Wide enough for every product of two numbers, so that only `exact` rounds."""
STEP: Final = Decimal("1E-10")
BOUND: Final = Decimal("1E+28")
_ONE: Final = Decimal(1)


class NumberTooBig(ArithmeticError):
    """A number with more than 28 digits before the point."""


class Percent(Decimal):
    """A percent, held as its fraction: Percent("0.15") is 15%. Arithmetic on it gives Decimal."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Percent('{self}')"


def exact(number: Decimal) -> Decimal:
    """The number rounded to 10 decimals, half away from zero; NumberTooBig from 10^28 on."""
    if number.as_tuple().exponent < -10:  # type: ignore[operator]
        number = number.quantize(STEP, context=EXACT)
    if not -BOUND < number < BOUND:
        raise NumberTooBig("a number with more than 28 digits before the point")
    return number


def plain(number: Decimal) -> Decimal:
    """The same number without needless zeros and without an exponent."""
    shortest = number.normalize(EXACT)
    if "E+" in str(shortest):
        shortest = shortest.quantize(_ONE, context=EXACT)
    return shortest if shortest else Decimal(0)


def number_text(number: Decimal) -> str:
    """The number in digits, a point and a minus, nothing else: the one spelling for keys, digests and JSON."""
    return format(plain(number), "f")


def number_from_text(text: str) -> Decimal:
    """A number written as digits with a point (`-1234.56`); everything else, `1,234.56` too, is a ValueError."""
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip(), re.ASCII):
        raise ValueError(f'"{text}" is not a number')
    try:
        return exact(Decimal(text.strip()))
    except (NumberTooBig, InvalidOperation) as error:
        raise ValueError(f'"{text}" has too many digits') from error


_UNIT_SECONDS: Final[Mapping[str, Decimal]] = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "sec": Decimal(1),
    "second": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "minute": Decimal(60),
    "h": Decimal(3600),
    "hour": Decimal(3600),
}
_UNIT_WORDS: Final[Mapping[str, str]] = {
    "d": "days",
    "day": "days",
    "week": "weeks",
    "month": "months",
    "year": "years",
    "business day": "business_days",
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+(?:\s+[a-z]+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in up to four parts that can't be turned into each other: a month has no fixed days.

    `days` are calendar days in the project's zone (a day with a clock change is still one), `business_days` follow
    the project's calendar, `seconds` are absolute. Added in this order: months, days, business days, seconds.
    """

    days: int = 0
    business_days: int = 0
    months: int = 0
    seconds: int | Decimal = 0

    def __post_init__(self) -> None:
        if isinstance(self.seconds, Decimal) and self.seconds == self.seconds.to_integral_value():
            object.__setattr__(self, "seconds", int(self.seconds))

    @classmethod
    def parse(cls, text: str) -> Duration:
        """The duration of `90s`, `100ms`, `5m`, `2 days`, `2 business days`, `1 month`; else a ValueError."""
        found = _DURATION.fullmatch(text.strip())
        duration = None if found is None else cls.of(Decimal(found[1]), " ".join(found[2].split()))
        if duration is None:
            raise ValueError(f'"{text}" is not a duration; write 90s, 5m, 2h, 3 days or 2 business days')
        return duration

    @classmethod
    def of(cls, amount: Decimal, unit: str) -> Duration | None:
        """The duration of an amount and a unit in singular or plural; None for an unknown unit or half a day."""
        for word in (unit, unit.removesuffix("s")):
            if word in _UNIT_SECONDS:
                return cls(seconds=plain(amount * _UNIT_SECONDS[word]))
            if word in _UNIT_WORDS:
                return cls._of_days(amount, _UNIT_WORDS[word])
        return None

    @classmethod
    def _of_days(cls, amount: Decimal, part: str) -> Duration | None:
        if amount != amount.to_integral_value():
            return None
        whole = int(amount)
        if part == "weeks":
            return cls(days=7 * whole)
        if part == "years":
            return cls(months=12 * whole)
        return cls(**{part: whole})

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Duration:
        """The absolute time from one moment to another."""
        passed = end - start
        whole = passed.days * 86400 + passed.seconds
        return cls(seconds=Decimal(whole) + Decimal(passed.microseconds) / 1_000_000)

    @property
    def is_fixed(self) -> bool:
        """True when it has a length in seconds: neither months nor business days."""
        return not self.months and not self.business_days

    @property
    def total_seconds(self) -> Decimal:
        """Its length in seconds, a day counted as 24 hours; a ValueError where months or business days are in it."""
        if not self.is_fixed:
            raise ValueError(f"{self} has no fixed length")
        return Decimal(self.days) * 86400 + Decimal(self.seconds)

    @property
    def timedelta(self) -> timedelta:
        """The same as a timedelta; a ValueError where months or business days are in it."""
        return timedelta(microseconds=int(self.total_seconds * 1_000_000))

    def __neg__(self) -> Duration:
        return Duration(-self.days, -self.business_days, -self.months, -self.seconds)

    def __add__(self, other: Duration) -> Duration:
        return Duration(
            self.days + other.days,
            self.business_days + other.business_days,
            self.months + other.months,
            Decimal(self.seconds) + Decimal(other.seconds),
        )

    def __sub__(self, other: Duration) -> Duration:
        return self + -other

    def __bool__(self) -> bool:
        return bool(self.days or self.business_days or self.months or self.seconds)

    @property
    def canonical(self) -> str:
        """An ISO 8601 like spelling, with B for business days: `P1M2D3BT90S`, `PT0S` for nothing."""
        parts = ((self.months, "M"), (self.days, "D"), (self.business_days, "B"))
        before = "".join(f"{amount}{letter}" for amount, letter in parts if amount)
        seconds = number_text(Decimal(self.seconds))
        return f"P{before}T{seconds}S" if self.seconds or not before else f"P{before}"

    @classmethod
    def from_canonical(cls, text: str) -> Duration:
        """The duration that `canonical` wrote."""
        found = re.fullmatch(r"P(?:(-?\d+)M)?(?:(-?\d+)D)?(?:(-?\d+)B)?(?:T(-?\d+(?:\.\d+)?)S)?", text, re.ASCII)
        if found is None:
            raise ValueError(f'"{text}" is not a stored duration')
        months, days, business_days = (int(part or 0) for part in found.groups()[:3])
        return cls(days, business_days, months, Decimal(found[4] or 0))

    def __str__(self) -> str:
        words = [_counted(self.months, "month"), _counted(self.days, "day")]
        words.append(_counted(self.business_days, "business day"))
        words.append(_seconds_text(Decimal(self.seconds)))
        return " ".join(word for word in words if word) or "0s"


def _counted(amount: int, unit: str) -> str:
    return f"{amount} {unit}{'' if abs(amount) == 1 else 's'}" if amount else ""


def _seconds_text(seconds: Decimal) -> str:
    if not seconds:
        return ""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{number_text(seconds / length)}{unit}"
    return f"{number_text(seconds)}s"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileValue:
    """A file in the run's folder or under a file root: `path` finds it, `name` is what it is called to people."""

    path: str
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Formats:
    """How values are written for people. `date` in Unicode letters, `number` as 1234.56 looks; `zone` of date-times."""

    date: str = "ISO"
    number: str = "1234.56"
    zone: str = "UTC"


ISO: Final = Formats()
"""For keys, file names and everything that a machine reads again."""


def is_date(value: Value) -> bool:
    """True of a date that is no date-time (which Python calls a kind of date)."""
    return isinstance(value, date) and not isinstance(value, datetime)


def utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def kind_of(value: Value) -> str:
    """The kind of type that a value has, `missing` for None; a Python value that is none of ours is a TypeError."""
    if value is None:
        return "missing"
    for python_type, kind in _KINDS:
        if isinstance(value, python_type):
            return kind
    if type(value).__name__ == "Table":
        return "table"
    raise TypeError(f"{value!r} ({type(value).__name__}) is no value of the language")


_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "yes_no"),
    (str, "text"),
    (Percent, "percent"),
    (Decimal, "number"),
    (datetime, "date_time"),
    (date, "date"),
    (time, "time"),
    (Duration, "duration"),
    (FileValue, "file"),
    (Mapping, "record"),
    (tuple, "list"),
    (list, "list"),
)
