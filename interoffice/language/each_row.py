"""An expression over the rows of a table, one row after the other in Python."""

from __future__ import annotations

from collections.abc import Mapping

from interoffice.language.errors import RowError
from interoffice.language.evaluator import ValueScope, evaluate
from interoffice.language.fold import folded
from interoffice.language.nodes import Node
from interoffice.model.table import Table
from interoffice.model.values import Value


def row_cells(table: Table, node: Node, scope: ValueScope) -> list[Value | RowError]:
    """The value of an expression for every row, or why a row has none."""
    node = folded(node, scope, table.columns)
    return [cell_of(row, node, scope) for row in table.rows()]


def cell_of(row: Mapping[str, Value], node: Node, scope: ValueScope) -> Value | RowError:
    """The value for one row, or why it has none."""
    return tried(node, scope.of_row(row))


def tried(node: Node, scope: ValueScope) -> Value | RowError:
    """The value of an expression, or why it has none."""
    try:
        return evaluate(node, scope)
    except RowError as error:
        return error
