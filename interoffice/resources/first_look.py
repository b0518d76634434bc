"""A first look at a file of which nothing is known: what it is, how it is written, its header and first rows."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from interoffice.errors import BusinessError
from interoffice.model.contract import Writing
from interoffice.resources.sheet_marks import DamagedWorkbook
from interoffice.resources.sheets import Cell, RawRow, format_of, open_sheet
from interoffice.resources.table_rows import MARKS_OF

_ROWS: Final = 1_000
_HEAD_BYTES: Final = 1 << 20
_HEADER_WITHIN: Final = 20
_DELIMITERS: Final = (";", ",", "\t", "|")
_GUESSED_ENCODINGS: Final = ("utf-8", "windows-1252")

CellKind = Literal["text", "number", "percent", "date", "date_time", "time", "yes_no"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstLook:
    """What a file holds. `rows` are its first ones below the header: (kind of cell, its text); a CSV has only text."""

    format: str
    encoding: str
    is_encoding_sure: bool
    delimiter: str
    header_row: int
    header: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    sheet: str = ""

    def column(self, place: int) -> list[tuple[str, str]]:
        """The filled cells of a column."""
        return [row[place] for row in self.rows if place < len(row) and row[place][1].strip()]

    def as_json(self) -> dict[str, Any]:
        """What the child answers."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> FirstLook:
        """The inverse of `as_json`."""
        rows = tuple(tuple((kind, text) for kind, text in row) for row in said["rows"])
        return cls(**{**said, "header": tuple(said["header"]), "rows": rows})


def look_at(path: Path, name: str, *, sheet: str | None, unpacked_bytes: int) -> FirstLook:
    """The first look; BusinessError where the file can't be read at all."""
    found = format_of(path, name, unpacked_bytes)
    encoding, is_sure = _encoding(path) if found == "csv" else ("utf-8", True)
    delimiter = _delimiter(path, encoding) if found == "csv" else ","
    writing = Writing(encoding=encoding, delimiter=delimiter)
    raw = open_sheet(path, name, writing, contract_file="a contract", sheet=sheet, unpacked_bytes=unpacked_bytes)
    rows = [row for _, row in zip(range(_ROWS + _HEADER_WITHIN), raw.rows, strict=False)]
    if not rows:
        raise BusinessError(f"{name} holds no rows; export it with a header", code="file_empty")
    at = _header_at(rows)
    header = tuple(" ".join(str(cell).split()) for cell in rows[at].cells)
    try:
        marks = MARKS_OF[found](path, raw.sheet, frozenset(range(len(header)))) if found != "csv" else None
    except DamagedWorkbook as error:
        raise BusinessError(f"{name} is damaged ({error}); export it again", code="file_unreadable") from error
    cells = []
    for row in rows[at + 1 :]:
        percents = [marks is not None and marks.is_percent(row.number, place) for place in range(len(row.cells))]
        cells.append(tuple(_described(cell, shown) for cell, shown in zip(row.cells, percents, strict=True)))
    return FirstLook(
        format=found, encoding=encoding, is_encoding_sure=is_sure, delimiter=delimiter, sheet=raw.sheet,
        header_row=rows[at].number, header=header, rows=tuple(cells),
    )  # fmt: skip


def _encoding(path: Path) -> tuple[str, bool]:
    """The encoding, and whether it is sure: bytes that are no UTF-8 could be any of many."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16", True
    for encoding in _GUESSED_ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        try:
            decoder.decode(head)
            return encoding, encoding == "utf-8"
        except UnicodeDecodeError:
            continue
    return "iso-8859-1", False


def _delimiter(path: Path, encoding: str) -> str:
    """The sign that parts most lines into the same number of fields, more than one."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = [line for _, line in zip(range(50), file, strict=False)]
    best, score = ",", (0, 0)
    for mark in _DELIMITERS:
        counts = Counter(len(fields) for fields in csv.reader(lines, delimiter=mark) if len(fields) > 1)
        if counts:
            fields, times = counts.most_common(1)[0]
            if (times, fields) > score:
                best, score = mark, (times, fields)
    return best


def _header_at(rows: Sequence[RawRow]) -> int:
    """The first row with the most texts in it: titles above a table have few."""
    filled = [sum(isinstance(cell, str) and bool(cell.strip()) for cell in row.cells) for row in rows[:_HEADER_WITHIN]]
    return filled.index(max(filled))


def _described(cell: Cell, is_percent: bool) -> tuple[str, str]:
    kind: CellKind = "text"
    if isinstance(cell, bool):
        kind = "yes_no"
    elif isinstance(cell, (int, float)):
        kind = "percent" if is_percent else "number"
    elif isinstance(cell, datetime):
        kind = "date" if cell.time() == time() else "date_time"
    elif isinstance(cell, date):
        kind = "date"
    elif isinstance(cell, (time, timedelta)):
        kind = "time"
    return kind, format(cell, ".15g") if isinstance(cell, float) else str(cell)
