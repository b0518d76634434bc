"""Which names an expression uses, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from interoffice.language.nodes import (
    TIME_WORDS,
    Aggregate,
    Attribute,
    Call,
    Logic,
    Measure,
    Name,
    Node,
    Test,
    Unique,
    Where,
    children,
    walk,
)


class UsedName(NamedTuple):
    """A dotted name: `steps.x.rows`. `guarded` where it may be missing: in coalesce(...) or before is present.

    `rows_of` is the table whose columns bare words are, inside of a `where`.
    """

    path: tuple[str, ...]
    start: int
    end: int
    node: Node
    guarded: bool = False
    rows_of: Node | None = None

    @property
    def text(self) -> str:
        """The name as it is written."""
        return ".".join(self.path)


def names_used(node: Node) -> list[UsedName]:
    """All dotted names from the left, time words too; columns of aggregates and `is unique` are in `columns_used`."""
    return list(_names(node, False, None))


def dotted_names(node: Node) -> list[UsedName]:
    """The dotted names that are not inside of a `where`."""
    return [name for name in names_used(node) if name.rows_of is None]


def _names(node: Node, guarded: bool, rows_of: Node | None) -> Iterator[UsedName]:
    path = path_of(node)
    if path is not None:
        yield UsedName(path, node.start, node.end, node, guarded, rows_of)
        return
    if isinstance(node, Where):
        yield from _names(node.rows, guarded, rows_of)
        yield from _names(node.condition, guarded, node.rows)
        return
    if isinstance(node, Unique | Aggregate):
        return
    inside = guarded or (isinstance(node, Call) and node.function == "coalesce")
    inside = inside or (isinstance(node, Test) and node.test in ("present", "missing"))
    for child in children(node):
        yield from _names(child, inside, rows_of)


def path_of(node: Node) -> tuple[str, ...] | None:
    """The parts of a dotted name, None for anything else."""
    parts: list[str] = []
    while isinstance(node, Attribute):
        parts.append(node.name)
        node = node.owner
    if not isinstance(node, Name):
        return None
    return (node.name, *reversed(parts))


def columns_used(node: Node) -> list[UsedName]:
    """The bare words and `row.x` that stand for columns of the row, those of aggregates and `is unique` too.

    A bare word that is a name of the scope (a loop's name) is among them: only the scope can tell. Time words aren't,
    nor what stands inside of a `where`.
    """
    found: list[UsedName] = []
    _collect_columns(node, found)
    return found


def _collect_columns(node: Node, found: list[UsedName]) -> None:
    if isinstance(node, Unique):
        found.extend(UsedName((column.name,), column.start, column.end, column) for column in node.columns)
    elif isinstance(node, Aggregate):
        found.append(UsedName((node.column.name,), node.column.start, node.column.end, node.column))
    elif isinstance(node, Where):
        _collect_columns(node.rows, found)
    elif isinstance(node, Name):
        if node.name not in TIME_WORDS:
            found.append(UsedName((node.name,), node.start, node.end, node))
    elif isinstance(node, Attribute):
        path = path_of(node)
        if path is not None and path[0] == "row":
            found.append(UsedName((path[1],), node.start, node.end, node))
        elif path is None:
            _collect_columns(node.owner, found)
    else:
        for child in children(node):
            _collect_columns(child, found)


def is_constant_condition(node: Node) -> bool:
    """True of a condition of literals only, and of one with such a part beside `and`, `or`, `implies`."""
    if isinstance(node, Logic):
        return is_constant_condition(node.left) or is_constant_condition(node.right)
    return not any(isinstance(each, Name | Aggregate | Measure | Unique) for each in walk(node))


def is_about_table(node: Node) -> bool:
    """True of a rule about the whole table (`sum of a = 0`, `row count > 1`): measures, and no column of a row."""
    measures = any(isinstance(each, Aggregate | Measure) for each in walk(node))
    if not measures:
        return False
    in_measures = {each.column for each in walk(node) if isinstance(each, Aggregate)}
    own = [name for name in columns_used(node) if name.node not in in_measures]
    return not own and not any(isinstance(each, Unique) for each in walk(node))
