"""The lines of a decision table: read from its CSV text, and asked which of them fit a row.

A given cell is `*` (any value), a range `a..b` (from a up to, but not, b; an end may be left out), blank (only a
missing value fits), or one value. A `LineMistake` names line and column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from interoffice.frozen import dataclass
from interoffice.model.contract import Column, DecisionTable, Writing
from interoffice.model.reading import (
    read_date,
    read_date_time,
    read_number,
    read_percent,
    read_time,
    read_yes_no,
)
from interoffice.model.values import Duration, Value, exact, plain

_ORDERED: Final = ("number", "money", "percent", "date", "date_time", "time")


class LineMistake(ValueError):
    """A line that can't be read, and its number in the file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What one given cell asks for."""

    is_any: bool = False
    value: Value = None
    start: Value = None
    end: Value = None
    is_range: bool = False

    def fits(self, value: Value) -> bool:
        """Whether a row's value is meant."""
        if self.is_any:
            return True
        if not self.is_range:
            return value == self.value
        if value is None:
            return False
        found: Any = value
        return (self.start is None or found >= self.start) and (self.end is None or found < self.end)


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionLine:
    """One line: its number in the file, what it asks, what it answers."""

    number: int
    given: Mapping[str, Condition]
    gives: Mapping[str, Value]

    def fits(self, values: Mapping[str, Value]) -> bool:
        """Whether all of its conditions fit."""
        return all(condition.fits(values[name]) for name, condition in self.given.items())


def read_decision_lines(table: DecisionTable, text: str) -> tuple[DecisionLine, ...]:
    """The lines of the table's file; LineMistake naming the line and column that is wrong."""
    rows = csv.reader(io.StringIO(text), delimiter=table.writing.delimiter, strict=True)
    try:
        return _read_lines(table, rows)
    except csv.Error as error:
        raise LineMistake(f"{table.file}, line {rows.line_num}: {error}", rows.line_num) from error


def _read_lines(table: DecisionTable, rows: Any) -> tuple[DecisionLine, ...]:
    header = [title.strip() for title in next(rows, [])]
    wanted = [*table.given, *table.gives]
    missing = [name for name in wanted if header.count(name) != 1]
    if missing:
        wrong = f"{table.file} must have each of the columns {', '.join(wanted)} once; it lacks {missing[0]}"
        raise LineMistake(wrong, 1)
    places = {name: header.index(name) for name in wanted}
    lines = []
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            wrong = f"{table.file}, line {rows.line_num}: {len(cells)} fields, the header has {len(header)}"
            raise LineMistake(wrong, rows.line_num)
        lines.append(_line(table, rows.line_num, {name: cells[place] for name, place in places.items()}))
    return tuple(lines)


def decide(table: DecisionTable, lines: Sequence[DecisionLine], row: Mapping[str, Value]) -> list[dict[str, Value]]:
    """The answers for a row: one, with `hit: all` one per line that fits; missing values where no line does."""
    values = {name: _asked(column, row.get(name), table.writing) for name, column in table.given.items()}
    found = [line.gives for line in lines if line.fits(values)]
    if not found:
        return [dict.fromkeys(table.gives)]
    if table.hit == "all":
        return [dict(gives) for gives in found]
    if table.hit == "add_up":
        return [{name: _sum([gives[name] for gives in found]) for name in table.gives}]
    return [dict(found[0])]


def _line(table: DecisionTable, number: int, cells: Mapping[str, str]) -> DecisionLine:
    def typed(column: Column, read: Callable[[Column, str, Writing], Any]) -> Any:
        try:
            return read(column, cells[column.name].strip(), table.writing)
        except ValueError as error:
            said = f'{table.file}, line {number}, {column.name}: "{cells[column.name].strip()}"'
            raise LineMistake(f"{said} {error}", number) from error

    return DecisionLine(
        number=number,
        given={name: typed(column, _condition) for name, column in table.given.items()},
        gives={name: typed(column, _value) for name, column in table.gives.items()},
    )


def _condition(column: Column, cell: str, writing: Writing) -> Condition:
    if cell == "*":
        return Condition(is_any=True)
    start, dots, end = cell.partition("..")
    if dots and column.type.kind in _ORDERED:
        condition = Condition(is_range=True, start=_value(column, start, writing), end=_value(column, end, writing))
        low: Any = condition.start
        if low is not None and condition.end is not None and not low < condition.end:
            raise ValueError("is a range that holds nothing: it must end above its beginning")
        return condition
    return Condition(value=_value(column, cell, writing))


def _value(column: Column, cell: str, writing: Writing) -> Value:
    if not cell:
        return None
    kind = column.type.kind
    if kind == "choice" and cell not in column.type.choices:
        raise ValueError(f"is none of {', '.join(column.type.choices)}")
    if kind in ("number", "money"):
        return read_number(cell, decimal=writing.decimal, thousands=writing.thousands)
    if kind == "percent":
        return read_percent(cell, scale=column.scale, decimal=writing.decimal, thousands=writing.thousands)
    if kind == "date":
        return read_date(cell, writing.dates)
    if kind == "date_time":
        return read_date_time(cell, writing.dates)
    readers: Mapping[str, Callable[[str], Value]] = {
        "time": read_time, "duration": Duration.parse, "yes_no": read_yes_no,
    }  # fmt: skip
    return readers[kind](cell) if kind in readers else cell


def _asked(column: Column, value: Value, writing: Writing) -> Value:
    """The row's value as the table is asked for it."""
    if value is None and column.missing_is is not None:
        return _value(column, column.missing_is, writing)
    if value is not None and not isinstance(value, (str, Decimal, date, bool, Duration)) and column.type.is_text:
        return str(value)
    return value


def _sum(values: Sequence[Value]) -> Value:
    numbers = [value for value in values if isinstance(value, Decimal)]
    return plain(exact(sum(numbers, Decimal(0)))) if numbers else next((one for one in values if one is not None), None)
