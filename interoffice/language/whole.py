"""An expression over a whole table: DuckDB for many rows, the row evaluator for few, the same values from both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interoffice.language.each_row import row_cells
from interoffice.language.errors import RowError
from interoffice.language.evaluator import ValueScope
from interoffice.language.inference import infer
from interoffice.language.nodes import Node
from interoffice.language.scopes import Names
from interoffice.model.table import Table
from interoffice.model.types import ANY, MISSING, Type, common_type, list_of, named_type, record_of, table_of
from interoffice.model.values import Value, kind_of

FEW_ROWS: Final = 500
"""Up to so many rows the row evaluator is quicker than loading and asking DuckDB."""


def cells_of(table: Table, node: Node, scope: ValueScope) -> list[Value | RowError]:
    """The value of an expression for every row of a table, or why a row has none."""
    if table.row_count > FEW_ROWS:
        from interoffice.language.duck import SqlError, sql_cells

        try:
            return sql_cells(table, node, scope)
        except SqlError:
            return row_cells(table, node, scope)
    return row_cells(table, node, scope)


def value_type(value: Value) -> Type:
    """The type of a value that is there; `missing` for None."""
    if isinstance(value, Table):
        return table_of(value.columns)
    kind = kind_of(value)
    if kind == "record" and isinstance(value, Mapping):
        return record_of({name: value_type(item) for name, item in value.items()})
    if kind == "list" and isinstance(value, (list, tuple)):
        return list_of(_common(value))
    return named_type(kind)


def _common(values: list[Value] | tuple[Value, ...]) -> Type:
    found = MISSING
    for value in values:
        both = common_type(found, value_type(value))
        if both is None:
            return ANY
        found = both
    return ANY if found.kind == "missing" else found


def names_of(scope: ValueScope, columns: Mapping[str, Type]) -> Names:
    """The static scope that fits a value scope and the columns of a table."""
    return Names(names=_TypesOfValues(scope.names), columns=table_of(columns), patterns=scope.patterns)


class _TypesOfValues(dict[str, Type]):
    """Types of values, made when they are asked for: a run's `steps` are many and mostly not used."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__()
        self.values_of = values

    def get(self, name: str, default: object = None) -> Type:
        """The type of a name's value; None where there is no such name."""
        if name not in self.values_of:
            return default  # type: ignore[return-value]
        if name not in self:
            self[name] = _open(self.values_of[name])
        return self[name]


def _open(value: Value) -> Type:
    if value is None:
        return ANY
    if isinstance(value, Mapping):
        return record_of({str(name): _open(item) for name, item in value.items()})
    return value_type(value)


def column_type(node: Node, cells: list[Value], scope: ValueScope, columns: Mapping[str, Type]) -> Type:
    """The type of a computed column: what inference says, else what the values are; text where all are missing."""
    found = infer(node, names_of(scope, columns), bare="columns").type
    if found.kind in ("any", "missing"):
        found = _common(cells)
        if found.kind in ("any", "missing") and all(cell is None for cell in cells):
            return named_type("text")
    return found
