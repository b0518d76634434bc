"""How values, times and outcomes are written in a report."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.model.formats import format_money, format_value
from interoffice.model.table import Table
from interoffice.model.values import Formats, Value
from interoffice.report.story import Grid, Tone

MASKED: Final = "•••"
ROWS_SHOWN: Final = 200
LONGEST: Final = 400
TONES: Final[Mapping[str, Tone]] = {
    "succeeded": "good", "successful": "good", "already_there": "good", "approved": "good", "passed": "good",
    "done_with_warnings": "warn", "in_doubt": "warn", "interrupted": "warn", "late": "warn",
    "failed": "bad", "rejected": "bad",
    "waiting": "wait", "on_hold": "wait", "running": "wait", "open": "wait", "review": "wait", "in_progress": "wait",
}  # fmt: skip


def tone_of(state: str) -> Tone:
    """The colour of a state."""
    return TONES.get(state, "plain")


def shown(name: str, value: Value, formats: Formats, masked: frozenset[str], kind: str = "") -> str:
    """A value in one cell; a masked column shows that there is one, and never which. `kind` is its type's."""
    if name in masked and value is not None:
        return MASKED
    text = format_money(value, formats) if kind == "money" else format_value(value, formats)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def pairs(
    row: Mapping[str, Value], formats: Formats, masked: frozenset[str], kinds: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """The parts of a row that hold something, in the order of its table."""
    place = {name: at for at, name in enumerate(kinds)}
    named = sorted(row, key=lambda name: place.get(name, len(place)))
    return tuple(
        (name.replace("_", " "), shown(name, row[name], formats, masked, kinds.get(name, "")))
        for name in named
        if row[name] is not None
    )


def grid(table: Table, formats: Formats, masked: frozenset[str], columns: tuple[str, ...] = ()) -> Grid:
    """The first rows of a table."""
    names = columns or tuple(table.columns)
    kinds = {name: type.kind for name, type in table.columns.items()}
    rows = tuple(
        tuple(shown(name, row.get(name), formats, masked, kinds.get(name, "")) for name in names)
        for row in islice(table.rows(), ROWS_SHOWN)
    )
    return Grid(columns=tuple(name.replace("_", " ") for name in names), rows=rows, of=table.row_count)


def took(started: datetime | None, ended: datetime | None) -> str:
    """The time between two moments as people say it."""
    if started is None or ended is None:
        return ""
    return length((ended - started).total_seconds())


def length(seconds: float) -> str:
    """A length of time as people say it: 0.4 s, 14 s, 6 min 12 s, 2 h 05 min, 3 days."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} days"


def clock(moment: datetime | None, formats: Formats, *, day: bool = False) -> str:
    """A moment in the project's zone; with its day where asked."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(formats.zone))
    return format_value(local.date(), formats) + local.strftime(" %H:%M") if day else local.strftime("%H:%M:%S")


def picture(path: Path) -> str | None:
    """A picture as a data: address, so that the page needs no other file; None where it is gone (retention)."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    kind = "png" if path.suffix == ".png" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def many(count: int, noun: str) -> str:
    """1 row, 2 rows."""
    return f"{count} {noun if count == 1 else noun + 's'}"
