"""Lines of a grid: typed row by row, read back as a whole."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.selectors import Column, Screen
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.screens.finding import Place
from interoffice.screens.formats import Field, Reading, field_of_column, fold_caption, for_people, same, typed
from interoffice.screens.page import PageReplaced
from interoffice.screens.session import Session, press_problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """Rows that belong into a grid; only the columns that grid and table both have."""

    place: Place
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    typed: tuple[tuple[Mapping[str, Any] | None, ...], ...]

    @classmethod
    def of(cls, session: Session, place: Place, table: Table) -> Lines:
        """The lines of a table; BusinessError when the grid can't hold a value."""
        grid = place.element.grid
        if grid is None:
            raise ApplicationError(f'"{place.element.name}" is no grid, so it takes no lines', transient=False)
        columns = tuple(column for name, column in grid.columns.items() if name in table.columns)
        fields = tuple(field_of_column(column, session.application.formats) for column in columns)
        missing = [name for name, column in grid.columns.items() if column.required and name not in table.columns]
        if missing:
            raise ApplicationError(f'the lines for "{place.element.name}" lack {", ".join(missing)}', transient=False)
        rows = tuple(
            values
            for row in table.rows()
            if any(values := tuple(row[column.name] for column in columns)) or any(v is not None for v in values)
        )
        meant = tuple(cls._typed_row(number, row, columns, fields) for number, row in enumerate(rows, start=1))
        return cls(place=place, fields=fields, columns=columns, rows=rows, typed=meant)

    @staticmethod
    def _typed_row(
        number: int, row: Sequence[Value], columns: Sequence[Column], fields: Sequence[Field]
    ) -> tuple[Mapping[str, Any] | None, ...]:
        meant: list[Mapping[str, Any] | None] = []
        for value, column, field in zip(row, columns, fields, strict=True):
            if value is None and column.required:
                raise BusinessError(f'line {number}: "{column.name}" is missing', code="missing")
            meant.append(None if value is None else typed(value, field))
        return tuple(meant)

    @property
    def asked(self) -> dict[str, Any]:
        """What page/door.js takes."""
        grid = self.place.element.grid
        return {
            "spec": self.place.asked(thorough=True),
            "columns": [column_spec(column) for column in self.columns],
            "cells_by": grid.cells_by if grid else None,
        }

    def refuse_wrong(self, session: Session) -> None:
        """ApplicationError when the grid shows other lines than these."""
        name = f'"{self.place.element.name}" of {session.here}'
        shown = [row for row in read_lines(session, self) if any(_is_filled(cell) for cell in row)]
        if len(shown) != len(self.rows):
            message = f"{name} shows {len(shown)} lines, meant were {len(self.rows)}"
            raise ApplicationError(message, code="not_kept")
        for number, (row, cells) in enumerate(zip(self.rows, shown, strict=True), start=1):
            for value, cell, field in zip(row, cells, self.fields, strict=True):
                if value is not None and not same(value, cell, field):
                    found = "(hidden)" if field.sensitive else cell["text"]
                    wanted = for_people(value, field)
                    message = f'line {number} of {name}: "{field.name}" shows "{found}", meant was "{wanted}"'
                    raise ApplicationError(message, code="not_kept")


def column_spec(column: Column) -> dict[str, Any]:
    """A column, for the page."""
    return {"name": column.name, "captions": [fold_caption(caption) for caption in column.caption]}


def read_lines(session: Session, lines: Lines) -> list[list[Reading]]:
    """The cells of the grid as the page shows them."""
    try:
        said = session.web.call("grid", lines.asked, lines.place.frames)
    except PageReplaced:
        raise ApplicationError(f"{session.here} was replaced while its lines were read") from None
    if said["grid"] is None:
        why = press_problem({"problem": "not_found", "state": said["state"]}, lines.place)
        raise ApplicationError(f'"{lines.place.element.name}" of {session.here} {why}')
    if said["grid"]["missing"]:
        missing, shown = ", ".join(said["grid"]["missing"]), ", ".join(said["grid"]["shown"]) or "none"
        message = f'"{lines.place.element.name}" of {session.here} has no column {missing}; it shows {shown}'
        raise ApplicationError(message, code="not_found", transient=False)
    rows: list[list[Reading]] = said["grid"]["rows"]
    return rows


def type_lines(session: Session, screen: Screen, lines: Lines) -> None:
    """Types every line, adding rows where the grid has too few, and reads all of them back."""
    session.press_behind(screen, lines.place)
    for number, meant in enumerate(lines.typed):
        _make_row(session, screen, lines, number)
        _type_row(session, lines, number, meant)
    session.settle()
    lines.refuse_wrong(session)


def _make_row(session: Session, screen: Screen, lines: Lines, number: int) -> None:
    """Waits for the row of that number, after pressing the grid's `add` where it isn't there."""
    rows = read_lines(session, lines)
    if number < len(rows):
        if any(_is_filled(cell) for cell in rows[number]):
            name = f'"{lines.place.element.name}" of {session.here}'
            raise ApplicationError(f"line {number + 1} of {name} is filled already", code="not_empty")
        return
    grid = lines.place.element.grid
    if grid is None or grid.add is None:
        raise ApplicationError(f'"{lines.place.element.name}" of {session.here} has no row for line {number + 1}')
    session.press(screen, grid.add)
    deadline = time.monotonic() + session.patience_s
    while len(read_lines(session, lines)) <= number:
        if time.monotonic() > deadline:
            raise ApplicationError(f'"{grid.add}" of {session.here} adds no line')
        sight = session.settle([lines.place])
        session.look([lines.place], since=sight.movement.moves)


def _is_filled(cell: Reading) -> bool:
    return bool(cell.get("input")) and bool(cell["text"].strip()) and not cell.get("blank")


def _type_row(session: Session, lines: Lines, number: int, meant: Sequence[Mapping[str, Any] | None]) -> None:
    said = session.web.call("fillRow", {**lines.asked, "row": number, "values": meant}, lines.place.frames)
    if said["problem"] is None:
        return
    name = f'line {number + 1} of "{lines.place.element.name}" of {session.here}'
    if said["problem"] == "choice":
        raise BusinessError(f'{name} does not offer "{said["text"]}"', code="not_offered")
    raise ApplicationError(f"{name}: \"{said.get('column', '')}\" can't be typed into", code="not_typed")
