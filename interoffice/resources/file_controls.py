"""The closing line of a file and the sentences that the whole file must keep, e.g. `sum of hours = trailer.hours`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.language.calendars import Times
from interoffice.language.errors import ExpressionError, RowError
from interoffice.language.functions import average, greatest, smallest, total
from interoffice.language.names import dotted_names
from interoffice.language.nodes import Aggregate, Measure, Node, walk
from interoffice.language.parser import parse_rule
from interoffice.language.row import ValueScope, evaluate
from interoffice.model.contract import Column, Contract
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.resources.cell_readers import PLAIN, cell_text, reader_of
from interoffice.resources.sheets import RawRow

_TOTALS: Final[Mapping[str, Callable[[Sequence[Any]], Value]]] = {
    "sum": lambda cells: total(cells),
    "min": lambda cells: smallest(cells) if cells else None,
    "max": lambda cells: greatest(cells) if cells else None,
    "average": lambda cells: average(cells),
    "count": lambda cells: Decimal(len(cells)),
}


def read_trailer(
    row: RawRow | None, contract: Contract, name: str, *, zone: str, patterns: Mapping[str, str]
) -> dict[str, Value]:
    """The trailer's filled cells under the names that the contract gives them; BusinessError `wrong_totals`."""
    trailer = contract.trailer
    assert trailer is not None
    if row is None:
        raise BusinessError(
            f'{name} has no closing line that starts with "{trailer.starts_with}": the file may be cut off; '
            "export it again",
            code="wrong_totals",
        )
    filled = [cell for cell in row.cells if str(cell).strip()]
    if len(filled) != len(trailer.columns):
        raise BusinessError(
            f"{name}, row {row.number}: the closing line has {len(filled)} filled cells, {contract.source.file} "
            f"names {len(trailer.columns)} ({', '.join(trailer.columns)})",
            code="wrong_totals",
        )
    read: dict[str, Value] = {}
    for (column_name, type), cell in zip(trailer.columns.items(), filled, strict=True):
        column = Column(name=column_name, type=type, path=())
        try:
            read[column_name] = reader_of(column, contract.writing, zone=zone, patterns=patterns)(cell, PLAIN)
        except ValueError as error:
            raise BusinessError(
                f'{name}, row {row.number}, closing line, {column_name}: "{cell_text(cell)}" {error}',
                code="wrong_totals",
            ) from error
    return read


def check_controls(
    table: Table, trailer: Mapping[str, Value], contract: Contract, name: str, *, patterns: Mapping[str, str]
) -> None:
    """Every control of the contract holds for the table; else BusinessError `wrong_totals` with both values."""
    broken = []
    for control in contract.controls:
        try:
            node = parse_rule(control.text)
            scope = ValueScope(
                times=Times(now=datetime(1970, 1, 1, tzinfo=UTC)),
                names={"trailer": dict(trailer)},
                measures=_measures(node, table),
                patterns=patterns,
            )
            if evaluate(node, scope) is not True:
                broken.append(f"{control.text} ({_values(node, scope)})")
        except (ExpressionError, RowError) as error:
            broken.append(f"{control.text} ({error})")
    if broken:
        raise BusinessError(f"{name} does not add up: {'; '.join(broken)}; export it again", code="wrong_totals")


def _measures(node: Node, table: Table) -> dict[str, Value]:
    measures: dict[str, Value] = {}
    for each in walk(node):
        if isinstance(each, Measure) and each.name == "row count":
            measures[each.name] = Decimal(table.row_count)
        elif isinstance(each, Aggregate) and each.column.name in table.columns and each.function in _TOTALS:
            cells = [cell for cell in table.column(each.column.name) if cell is not None]
            measures[f"{each.function} of {each.column.name}"] = _TOTALS[each.function](cells)
    return measures


def _values(node: Node, scope: ValueScope) -> str:
    said = [f"{name} is {format_value(value)}" for name, value in scope.measures.items()]
    trailer = scope.names["trailer"]
    if isinstance(trailer, Mapping):
        used = {name.path[1] for name in _trailer_names(node)}
        said += [f"trailer.{name} is {format_value(trailer[name])}" for name in trailer if name in used]
    return ", ".join(said)


def _trailer_names(node: Node) -> list[Any]:
    return [used for used in dotted_names(node) if used.path[0] == "trailer" and len(used.path) > 1]
