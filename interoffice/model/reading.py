"""Texts from outside as values: by the marks and the pattern that were declared, never by a guess.

Every function raises ValueError with a reason in words, made to stand behind the value: `is not a number ...`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.model.formats import format_number
from interoffice.model.values import NumberTooBig, Percent, exact, plain

_BLANKS: Final = " \u00a0\u202f"
_MINUS: Final = "-\u2212"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_YES: Final = frozenset({"yes", "y", "true", "1", "ja", "j"})
_NO: Final = frozenset({"no", "n", "false", "0", "nein"})

_LETTERS: Final = re.compile(r"yyyy|MMMM|MMM|MM|M|dd|d|HH|H|mm|ss|'[^']*'|.", re.DOTALL)
_PARTS: Final = {
    "yyyy": r"(?P<year>\d{4})",
    "MMMM": r"(?P<month_name>[^\W\d_]+)",
    "MMM": r"(?P<month_name>[^\W\d_]+)\.?",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
_ISO_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)


def read_number(text: str, *, decimal: str = ".", thousands: str = "") -> Decimal:
    """The number of a text: digits, groups of three parted by `thousands`, a sign before or (as SAP writes) behind."""
    bare = text.strip(f"{_BLANKS}\t")
    found = _number_pattern(decimal, thousands).fullmatch(bare)
    if found is None or (found["before"] and found["behind"]):
        raise ValueError(f"is not a number written like {number_example(decimal, thousands)}")
    whole = re.sub(r"\D", "", found["whole"] or "0")
    decimals = (found["decimals"] or found["only"] or "").rstrip("0")
    if len(decimals) > 10:
        raise ValueError("has more than 10 decimals")
    try:
        number = plain(exact(Decimal(f"{whole}.{decimals}")))
    except NumberTooBig:
        raise ValueError("has more than 28 digits before the decimals") from None
    return -number if (found["before"] or found["behind"] or "+") in _MINUS else number


@lru_cache(maxsize=64)
def _number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    mark = f"[{_BLANKS}]" if thousands and thousands in _BLANKS else re.escape(thousands)
    whole = rf"\d{{1,3}}(?:{mark}\d{{3}})+|\d+" if thousands else r"\d+"
    point, minus = re.escape(decimal), "\\-\u2212"
    digits = rf"(?P<whole>{whole})(?:{point}(?P<decimals>\d+))?|{point}(?P<only>\d+)"
    return re.compile(rf"(?P<before>[+{minus}]?) ?(?:{digits})(?P<behind>[{minus}]?)", re.ASCII)


def number_example(decimal: str, thousands: str) -> str:
    """How 1234.56 is written with these marks."""
    try:
        return format_number(Decimal("1234.56"), f"1{thousands}234{decimal}56")
    except ValueError:
        return f"1234{decimal}56"


def read_percent(
    text: str, *, scale: str | None = None, decimal: str = ".", thousands: str = ""
) -> Percent:
    """A percent. With a % sign it says so itself; without one, `scale` says whether 15 or 0.15 means 15%."""
    bare = text.strip(f"{_BLANKS}\t")
    if bare.endswith("%"):
        return percent_of(read_number(bare[:-1], decimal=decimal, thousands=thousands), "points")
    return percent_of(read_number(bare, decimal=decimal, thousands=thousands), scale)


def percent_of(number: Decimal, scale: str | None) -> Percent:
    """The percent that a bare number stands for."""
    if scale is None:
        raise ValueError("is a percent without a % sign: say in the contract `scale: points` (15 is 15%) or `fraction`")
    try:
        return Percent(plain(exact(number / 100 if scale == "points" else number)))
    except NumberTooBig:
        raise ValueError("is too big for a percent") from None


@lru_cache(maxsize=64)
def date_pattern(pattern: str) -> re.Pattern[str]:
    """The pattern of dates as Unicode letters; one that could be read in two ways is a ValueError."""
    parts, seen = [], set()
    for letters in _LETTERS.findall(pattern):
        if letters in _PARTS:
            name = letters[0] if letters[0] != "M" else "month"
            if name in seen:
                raise ValueError(f'"{pattern}" has {letters} twice')
            seen.add(name)
            parts.append(_PARTS[letters])
        elif letters.startswith("'") and len(letters) > 1:
            parts.append(re.escape(letters[1:-1] or "'"))
        elif letters.isalpha():
            raise ValueError(f'"{letters}" in "{pattern}" is no date letter: yyyy MM dd, M d, MMM, HH mm ss')
        else:
            parts.append(re.escape(letters))
    if not {"y", "month", "d"} <= seen:
        raise ValueError(f'"{pattern}" does not say year (yyyy), month (MM) and day (dd)')
    return re.compile("".join(parts), re.ASCII if "MMM" not in pattern else re.UNICODE)


def read_date(text: str, patterns: tuple[str, ...] = ("yyyy-MM-dd",)) -> date:
    """The date of a text; one that two patterns read differently is ambiguous, thus refused."""
    bare, impossible = text.strip(), False
    found: dict[date, str] = {}
    for pattern in patterns:
        match = date_pattern(pattern).fullmatch(bare)
        if match is None:
            continue
        try:
            found.setdefault(_date_of(match), pattern)
        except ValueError:
            impossible = True
    if len(found) > 1:
        ways = " or ".join(day.isoformat() for day in found)
        raise ValueError(f"is ambiguous: it could be {ways}")
    if found:
        return next(iter(found))
    if impossible:
        raise ValueError("is no day of the calendar")
    raise ValueError(f"is not a date written like {' or '.join(patterns)}")


def _date_of(match: re.Match[str]) -> date:
    parts = match.groupdict()
    name = parts.get("month_name")
    month = _month_number(name) if name else int(parts["month"])
    return date(int(parts["year"]), month, int(parts["day"]))


def _month_number(name: str) -> int:
    word = name.lower()
    names = _FULL_MONTHS if word in _FULL_MONTHS else _MONTHS
    if word not in names:
        raise ValueError(f'"{name}" is no English name of a month')
    return names.index(word) + 1


def read_date_time(text: str, patterns: tuple[str, ...] = ("yyyy-MM-dd",), *, zone: str = "UTC") -> datetime:
    """A moment, in UTC: ISO 8601 or a declared date with a time behind it; without an offset it is local to `zone`."""
    bare = text.strip()
    iso = _ISO_MOMENT.fullmatch(bare)
    if iso is not None:
        try:
            clock = time.fromisoformat(iso[2])
            moment = datetime.combine(date.fromisoformat(iso[1]), clock)
        except ValueError:
            raise ValueError("is no moment of the calendar") from None
        if iso[3]:
            return datetime.fromisoformat(f"{moment.isoformat()}{iso[3]}").astimezone(UTC)
        return in_zone(moment, zone)
    day, _, clock_text = bare.rpartition(" ")
    if not day or not _CLOCK.fullmatch(clock_text):
        raise ValueError(f"is not a date with a time, written like {patterns[0]} HH:mm")
    return in_zone(datetime.combine(read_date(day, patterns), read_time(clock_text)), zone)


def in_zone(moment: datetime, zone: str) -> datetime:
    """The UTC moment of a local one; an hour that a clock change skips or repeats is refused."""
    place = ZoneInfo(zone)
    first, second = moment.replace(tzinfo=place, fold=0), moment.replace(tzinfo=place, fold=1)
    if first.utcoffset() != second.utcoffset():
        why = "does not exist" if first.astimezone(UTC) > second.astimezone(UTC) else "exists twice"
        raise ValueError(f"is ambiguous: this hour {why} in {zone} on the day of the clock change")
    return first.astimezone(UTC)


def read_time(text: str) -> time:
    """A time of day: `9:05`, `09:05:30`."""
    bare = text.strip()
    if not _CLOCK.fullmatch(bare):
        raise ValueError("is not a time written like 14:30")
    try:
        return time.fromisoformat(bare.zfill(len(bare) + (bare.index(":") == 1)))
    except ValueError:
        raise ValueError("is no time of a day") from None


def read_yes_no(text: str) -> bool:
    """Yes or no, in the words that programs write: yes, true, 1, ja; no, false, 0, nein."""
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError("is neither yes nor no")
