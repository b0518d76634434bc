"""How the commands print: plain tables, JSON, and colours only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """The formats of every listing."""

    TEXT = "text"
    JSON = "json"


COLOURS: Final = {
    "good": "32", "bad": "31", "warn": "33", "wait": "34", "soft": "90", "bold": "1",
}  # fmt: skip
TONES: Final = {
    "succeeded": "good", "successful": "good", "already_there": "good", "done_with_warnings": "warn", "failed": "bad",
    "rejected": "bad", "waiting": "wait", "on_hold": "wait", "in_doubt": "warn", "cancelled": "soft", "running": "wait",
    "interrupted": "warn", "skipped": "soft",
}  # fmt: skip


def coloured() -> bool:
    """Whether standard output is a terminal that may show colours (https://no-color.org)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, tone: str) -> str:
    """The text in a tone, where colours are shown."""
    code = COLOURS.get(tone)
    return f"\x1b[{code}m{text}\x1b[0m" if code and coloured() else text


def say(text: str = "") -> None:
    """One line of the story on standard output, at once."""
    print(text, flush=True)


def warn(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, flush=True)


def cell(value: object) -> str:
    """A value in one cell of a listing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={cell(each)}" for name, each in value.items())
    return " ".join(str(value).split())


def plain(value: object) -> object:
    """A value as JSON knows it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


def print_json(value: object) -> None:
    """A value as JSON on standard output."""
    print(json.dumps(plain(value), ensure_ascii=False, indent=2))


def listing(
    rows: Sequence[Mapping[str, object]],
    *,
    columns: Mapping[str, str],
    format: Format,
    empty: str,
    shrink: str | None = None,
) -> None:
    """A listing: `columns` key -> heading; JSON gives every key of the rows. `shrink` may be cut to the width."""
    if format is Format.JSON:
        print_json(list(rows))
        return
    if not rows:
        say(empty)
        return
    table = [[cell(row.get(key)) for key in columns] for row in rows]
    widths = [max(len(head), *(len(line[at]) for line in table)) for at, head in enumerate(columns.values())]
    if shrink is not None and sys.stdout.isatty():
        import shutil

        at = list(columns).index(shrink)
        room = shutil.get_terminal_size((120, 24)).columns - sum(widths) - 2 * len(widths) + widths[at]
        widths[at] = min(widths[at], max(16, room))
    heading = "  ".join(head.ljust(width) for head, width in zip(columns.values(), widths, strict=True))
    say(paint(heading.rstrip(), "bold"))
    for line in table:
        say("  ".join(_shown(text, width) for text, width in zip(line, widths, strict=True)).rstrip())


def _shown(text: str, width: int) -> str:
    short = text if len(text) <= width else text[: width - 1] + "…"
    return paint(short.ljust(width), TONES.get(text, ""))


def took(seconds: float | None) -> str:
    """A length of time as people say it: 0.4 s, 14 s, 6 min 12 s, 2 h 05 min."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
