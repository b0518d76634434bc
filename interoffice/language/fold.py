"""What is the same for every row is worked out once, before the rows are gone through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast

from interoffice.language.comparing import CellSet
from interoffice.language.errors import RowError
from interoffice.language.evaluator import ValueScope, evaluate
from interoffice.language.nodes import (
    TIME_WORDS,
    Aggregate,
    Attribute,
    Exists,
    Literal,
    Measure,
    Name,
    Node,
    Unique,
    Where,
    children,
)
from interoffice.model.values import Duration, Value

CONSTANT = "constant"
"""The kind of a literal that folding made."""


def folded(node: Node, scope: ValueScope, columns: Collection[str]) -> Node:
    """The tree with every part that no column of the row is in replaced by its value.

    A part that has no value (division by zero) stays, so that each row fails for its own sake.
    """
    return _fold(node, replace(scope, row=None, unique=None), columns)


def _fold(node: Node, scope: ValueScope, columns: Collection[str]) -> Node:
    if isinstance(node, Literal | Unique):
        return node
    if is_same_for_all(node, scope, columns):
        try:
            return Literal(node.start, node.end, evaluate(node, scope), CONSTANT)
        except RowError:
            return node
    if isinstance(node, Name | Attribute | Aggregate | Measure | Where):
        return node
    parts = [_fold_part(part, scope, columns) for part in node]
    new = cast("Node", type(node)(*parts))
    return _with_cell_set(new) if isinstance(new, Exists) else new


def _fold_part(part: Any, scope: ValueScope, columns: Collection[str]) -> Any:
    if isinstance(part, tuple):
        if hasattr(part, "_fields"):
            return _fold(cast("Node", part), scope, columns)
        return tuple(_fold_part(each, scope, columns) for each in part)
    return part


def _with_cell_set(node: Exists) -> Exists:
    if isinstance(node.cells, Literal) and isinstance(node.cells.value, (list, tuple)):
        cells = cell_set(node.cells.value)
        if cells is not None:
            return node._replace(cells=node.cells._replace(value=cells))
    return node


def cell_set(cells: list[Value] | tuple[Value, ...]) -> CellSet | None:
    """The cells to look up at once; None where equal cells needn't be the same (durations) or can't be looked up."""
    there = [cell for cell in cells if cell is not None]
    if len({type(cell) for cell in there}) > 1 or any(isinstance(cell, Duration) for cell in there[:1]):
        return None
    try:
        return CellSet(there)
    except TypeError:
        return None


def is_same_for_all(node: Node, scope: ValueScope, columns: Collection[str]) -> bool:
    """True when no column of the row is in it."""
    if isinstance(node, Name):
        if node.name in TIME_WORDS:
            return True
        return node.name not in columns and node.name in scope.names
    if isinstance(node, Attribute):
        owner = node.owner
        return owner.name in scope.names if isinstance(owner, Name) else is_same_for_all(owner, scope, columns)
    if isinstance(node, Unique):
        return False
    if isinstance(node, Aggregate):
        return f"{node.function} of {node.column.name}" in scope.measures
    if isinstance(node, Measure):
        return node.name in scope.measures
    if isinstance(node, Where):
        return is_same_for_all(node.rows, scope, columns)
    return all(is_same_for_all(child, scope, columns) for child in children(node))
