"""Values written for people: in subjects, mails and messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from interoffice.model.table import Table
from interoffice.model.values import ISO, Duration, FileValue, Formats, Percent, Value, number_text, plain

_DATE_LETTERS: Final = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|HH|H|mm|ss|'[^']*'")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def format_value(value: Value, formats: Formats = ISO) -> str:
    """The value as text. Missing is an empty text, percent `15 %`, a number without needless zeros."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Percent):
        return f"{format_number(value * 100, formats.number)} %"
    if isinstance(value, Decimal):
        return format_number(value, formats.number)
    if isinstance(value, (date, time)):
        return _format_moment(value, formats)
    return _format_other(value, formats)


def format_money(value: Value, formats: Formats) -> str:
    """An amount with two decimals at least and its thousands set apart, in the project's way of writing numbers."""
    if not isinstance(value, Decimal):
        return format_value(value, formats)
    point = formats.number[-3]
    group = next((letter for letter in formats.number[1:-3] if not letter.isdigit()), "")
    whole, _, decimals = number_text(abs(value)).partition(".")
    grouped = f"{int(whole):,}".replace(",", group)
    return f"{'-' if value < 0 else ''}{grouped}{point}{decimals.ljust(2, '0')}"


def _format_other(value: Value, formats: Formats) -> str:
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, FileValue):
        return value.name
    if isinstance(value, Table):
        return f"{value.row_count} row{'' if value.row_count == 1 else 's'}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {format_value(item, formats)}" for name, item in value.items())
    if isinstance(value, (tuple, list)):
        return ", ".join(format_value(item, formats) for item in value)
    raise TypeError(f"{value!r} ({type(value).__name__}) is no value of the language")


def _format_moment(value: date | time, formats: Formats) -> str:
    if isinstance(value, time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    if not isinstance(value, datetime):
        return value.isoformat() if formats.date == "ISO" else format_date(value, formats.date)
    from zoneinfo import ZoneInfo

    local = value.astimezone(ZoneInfo(formats.zone))
    if formats.date == "ISO":
        return local.isoformat(timespec="seconds" if local.second else "minutes")
    return format_date(local, f"{formats.date} HH:mm")


def format_date(value: date, pattern: str) -> str:
    """A date or date-time by Unicode letters: `dd.MM.yyyy HH:mm`; a date has midnight for the letters of time."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return _DATE_LETTERS.sub(lambda found: _date_part(moment, found[0]), pattern)


def _date_part(moment: datetime, letters: str) -> str:
    if letters.startswith("'"):
        return letters[1:-1] or "'"
    names = {
        "EEEE": _DAYS[moment.weekday()],
        "EEE": _DAYS[moment.weekday()][:3],
        "MMMM": _MONTHS[moment.month - 1],
        "MMM": _MONTHS[moment.month - 1][:3],
        "yy": f"{moment.year % 100:02d}",
    }
    if letters in names:
        return names[letters]
    part = {"y": moment.year, "M": moment.month, "d": moment.day, "H": moment.hour, "m": moment.minute}
    return f"{part.get(letters[0], moment.second):0{len(letters)}d}"


def is_date_pattern(pattern: str) -> bool:
    """True when every letter of the pattern is one that `format_date` knows."""
    return not re.search(r"[A-Za-z]", _DATE_LETTERS.sub("", pattern))


def format_number(number: Decimal, pattern: str = "1234.56") -> str:
    """The number as 1234.56 looks in the pattern: `1.234,56` says point for thousands, comma for decimals."""
    grouping, point = number_marks(pattern)
    sign = "-" if number < 0 else ""
    whole, _, decimals = number_text(abs(plain(number))).partition(".")
    if grouping:
        whole = _grouped(whole, grouping)
    return f"{sign}{whole}{point}{decimals}" if decimals else f"{sign}{whole}"


def _grouped(digits: str, mark: str) -> str:
    head = len(digits) % 3
    parts = [digits[:head]] if head else []
    parts += [digits[start : start + 3] for start in range(head, len(digits), 3)]
    return mark.join(parts)


def number_marks(pattern: str) -> tuple[str, str]:
    """The marks for thousands (may be empty) and decimals that 1234.56 has in this pattern; else a ValueError."""
    found = re.fullmatch(r"1([^0-9]?)234([^0-9])56", pattern)
    if found is None or found[1] == found[2]:
        raise ValueError(f'"{pattern}" does not say how 1234.56 is written; write 1.234,56 or 1,234.56 or 1234.56')
    return found[1], found[2]
