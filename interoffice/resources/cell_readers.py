"""Cells of a file as values of a column; a reader raises ValueError with a reason made to follow the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from interoffice.language.patterns import fits
from interoffice.model.contract import Column, Writing
from interoffice.model.reading import (
    in_zone,
    percent_of,
    read_date,
    read_date_time,
    read_number,
    read_percent,
    read_time,
    read_yes_no,
)
from interoffice.model.values import Duration, Value, exact, plain
from interoffice.resources.sheets import Cell

_EXACT_BELOW: Final = 10**15
"""A workbook holds numbers as doubles, exact to 15 digits (ECMA-376, IEEE 754)."""

@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """How a workbook shows a cell, as far as it tells more than the value."""

    is_percent: bool = False
    zeros: int = 0
    number_format: str | None = None


PLAIN: Final = Shown()
CellReader = Callable[[Cell, Shown], Value]


def reader_of(column: Column, writing: Writing, *, zone: str, patterns: Mapping[str, str]) -> CellReader:
    """What turns a filled cell into a value of this column. `patterns`: the project's own, name -> like."""
    read = _READERS.get(column.type.kind, _text_reader)(column, writing, zone)
    if column.format is None:
        return read
    wanted = column.format
    like = f" ({patterns[wanted]})" if wanted in patterns else ""

    def checked(cell: Cell, shown: Shown) -> Value:
        value = read(cell, shown)
        if not fits(wanted, str(value), patterns):
            raise ValueError(f'does not have the format "{wanted}"{like}')
        return value

    return checked


def cell_text(cell: Cell) -> str:
    """A cell as messages show it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT_BELOW:
        return str(int(cell))
    text = str(cell)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _text_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        return cell if isinstance(cell, str) else _text_of_cell(cell, shown)

    return read


def _text_of_cell(cell: Cell, shown: Shown) -> str:
    if isinstance(cell, (bool, date, time, timedelta)):
        what = "yes or no" if isinstance(cell, bool) else "a date or time"
        raise ValueError(f"was turned into {what} by the workbook, and its text is lost: format the column as text")
    assert isinstance(cell, (int, float))
    if abs(cell) >= _EXACT_BELOW:
        raise ValueError("is a number of more than 15 digits, and its last ones are lost: format the column as text")
    if cell != int(cell):
        raise ValueError("is a number with decimals where a text belongs: format the column as text")
    digits = str(int(cell))
    if shown.zeros and cell >= 0:
        return digits.zfill(shown.zeros)
    if shown.number_format is not None and not shown.zeros:
        raise ValueError(
            f"is a number, shown by the format {shown.number_format}: its text is not known, format the column as text"
        )
    return digits


def _choice_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    choices = frozenset(column.type.choices)

    def read(cell: Cell, shown: Shown) -> Value:
        text = cell if isinstance(cell, str) else _text_of_cell(cell, shown)
        if choices and text not in choices:
            raise ValueError(f"is none of {', '.join(column.type.choices)}")
        return text

    return read


def _number_of_cell(cell: Cell) -> Decimal:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        raise ValueError("is no number but a date, a time or yes/no in the workbook")
    if abs(cell) >= _EXACT_BELOW:
        raise ValueError("is a number of more than 15 digits, which a workbook does not hold exactly")
    return plain(exact(Decimal(format(cell, ".15g"))))


def _number_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    decimal, thousands = writing.decimal, writing.thousands

    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, str):
            return read_number(cell, decimal=decimal, thousands=thousands)
        return _number_of_cell(cell)

    return read


def _percent_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, str):
            return read_percent(
                cell, scale=column.scale, decimal=writing.decimal, thousands=writing.thousands
            )
        return percent_of(_number_of_cell(cell), "fraction" if shown.is_percent else column.scale)

    return read


def _date_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, str):
            return read_date(cell, writing.dates)
        if isinstance(cell, datetime):
            if cell.time() != time():
                raise ValueError("has a time of day where a date belongs")
            return cell.date()
        if isinstance(cell, date):
            return cell
        raise ValueError("is no date in the workbook: format the column as date")

    return read


def _date_time_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, str):
            return read_date_time(cell, writing.dates, zone=zone)
        if isinstance(cell, datetime):
            return in_zone(cell.replace(microsecond=0), zone)
        if isinstance(cell, date):
            return in_zone(datetime.combine(cell, time()), zone)
        raise ValueError("is no date with a time in the workbook: format the column as date and time")

    return read


def _time_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, str):
            return read_time(cell)
        if isinstance(cell, time):
            return cell
        if isinstance(cell, timedelta) and timedelta() <= cell < timedelta(days=1):
            return (datetime(2000, 1, 1, tzinfo=UTC) + cell).time()
        raise ValueError("is no time of day in the workbook: format the column as time")

    return read


def _duration_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, str):
            return Duration.parse(cell)
        if isinstance(cell, timedelta):
            return Duration(seconds=int(cell.total_seconds()))
        if isinstance(cell, time):
            return Duration(seconds=cell.hour * 3600 + cell.minute * 60 + cell.second)
        raise ValueError("is no duration: write 90s, 5m, 2h, 3 days or 2 business days")

    return read


def _yes_no_reader(column: Column, writing: Writing, zone: str) -> CellReader:
    def read(cell: Cell, shown: Shown) -> Value:
        if isinstance(cell, bool):
            return cell
        return read_yes_no(cell if isinstance(cell, str) else _text_of_cell(cell, PLAIN))

    return read


_READERS: Final[Mapping[str, Callable[[Column, Writing, str], CellReader]]] = {
    "text": _text_reader,
    "choice": _choice_reader,
    "number": _number_reader,
    "money": _number_reader,
    "percent": _percent_reader,
    "date": _date_reader,
    "date_time": _date_time_reader,
    "time": _time_reader,
    "duration": _duration_reader,
    "yes_no": _yes_no_reader,
}
