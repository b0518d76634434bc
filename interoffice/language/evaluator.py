"""The value of an expression for one row, in Python: exact decimals, missing as the third truth value.

An error (division by zero, overflow) is like missing in `and`, `or` and `implies`: it is raised only where the result
depends on it, so that both evaluations, whatever order they take, come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any, Final

from interoffice.frozen import dataclass
from interoffice.language.arithmetic import combine
from interoffice.language.calendars import Times
from interoffice.language.comparing import CellSet, compared, is_among, within
from interoffice.language.errors import RowError
from interoffice.language.functions import FUNCTIONS, call, fitted
from interoffice.language.names import dotted_names
from interoffice.language.nodes import (
    TIME_WORDS,
    Aggregate,
    Attribute,
    Between,
    Binary,
    Call,
    Compare,
    Exists,
    Literal,
    Logic,
    Matches,
    Measure,
    Name,
    Node,
    OneOf,
    Search,
    Test,
    Unary,
    Unique,
    Where,
    walk,
)
from interoffice.language.patterns import fits
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import Duration, FileValue, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueScope:
    """What the names of an expression stand for.

    `names` are first names (`inputs`, `steps`, `run`, the loop's own ...); a step that was skipped is None there, and
    what is behind it missing. `row` holds the columns of bare words. `measures` are `row count`, `sum of amount`, by
    their text. `patterns` are the project's named patterns: name -> like. `state` answers `x is visible` on a screen.
    `unique` answers `a, b is unique` for this row; `choose` does `rows where condition`.
    """

    times: Times
    names: Mapping[str, Value] = field(default_factory=dict)
    row: Mapping[str, Value] | None = None
    measures: Mapping[str, Value] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    state: Callable[[str, str], bool] | None = None
    unique: Callable[[tuple[str, ...]], bool | None] | None = None
    choose: Callable[[Table, Node, ValueScope], Table] | None = None

    def of_row(
        self, row: Mapping[str, Value], unique: Callable[[tuple[str, ...]], bool | None] | None = None
    ) -> ValueScope:
        """The same with another row. Written out, since it is done for every row."""
        return ValueScope(
            times=self.times,
            names=self.names,
            row=row,
            measures=self.measures,
            patterns=self.patterns,
            state=self.state,
            unique=unique or self.unique,
            choose=self.choose,
        )


def evaluate(node: Node, scope: ValueScope) -> Value:
    """The value of an expression. RowError where it has none."""
    return _EVALUATE[type(node)](node, scope)


def holds(node: Node, scope: ValueScope) -> bool:
    """Whether a condition is true; RowError naming what is missing where it can't be said."""
    value = evaluate(node, scope)
    if isinstance(value, bool):
        return value
    if value is not None:
        raise RowError(f"{format_value(value)!r} is neither true nor false")
    missing = missing_names(node, scope)
    raise RowError(f"the condition can't be decided: {', '.join(missing) or 'a value'} is missing")


def missing_names(node: Node, scope: ValueScope) -> list[str]:
    """The names and measures in an expression that are missing here, each once; the column that a look-up searches only
    where nothing else is, since reading it may take long."""
    searched = {name.text for each in walk(node) if isinstance(each, Exists) for name in dotted_names(each.cells)}
    names: list[tuple[str, Node]] = [(name.text, name.node) for name in dotted_names(node)]
    asked = [(text, part) for text, part in names if text not in searched]
    for each in walk(node):
        if isinstance(each, Unique):
            asked += [(column.name, column) for column in each.columns]
        elif isinstance(each, Aggregate):
            asked.append((f"{each.function} of {each.column.name}", each))
    missing = list(dict.fromkeys(text for text, part in asked if _is_missing(part, scope)))
    return missing or list(dict.fromkeys(text for text, part in names if text in searched and _is_missing(part, scope)))


def _is_missing(node: Node, scope: ValueScope) -> bool:
    try:
        return evaluate(node, scope) is None
    except RowError:
        return False


# names


def _literal(node: Literal, scope: ValueScope) -> Value:
    return node.value


def _name(node: Name, scope: ValueScope) -> Value:
    name = node.name
    if name in TIME_WORDS:
        return getattr(scope.times, name)
    if scope.row is not None and name in scope.row:
        return scope.row[name]
    return _first_name(name, scope)


def _first_name(name: str, scope: ValueScope) -> Value:
    if name in scope.names:
        return scope.names[name]
    if scope.row is not None:
        if name == "row":
            return scope.row
        if name in scope.row:
            return scope.row[name]
    raise RowError(f'there is no "{name}" here')


def _attribute(node: Attribute, scope: ValueScope) -> Value:
    owner_node = node.owner
    owner = _first_name(owner_node.name, scope) if type(owner_node) is Name else evaluate(owner_node, scope)
    return part_of(owner, node.name)


def part_of(owner: Value, name: str) -> Value:
    """The value of a name in a record, a table (its column), a list of records or a file."""
    if owner is None:
        return None
    if isinstance(owner, Mapping):
        if name in owner:
            return owner[name]
        raise RowError(f'there is no "{name}" here; there is {", ".join(map(str, owner)) or "nothing"}')
    if isinstance(owner, Table):
        if name in owner.columns:
            return owner.column(name)
        raise RowError(f'the table has no column "{name}"; it has {", ".join(owner.columns)}')
    if isinstance(owner, FileValue) and name in ("name", "sha256", "size_bytes", "path"):
        value = getattr(owner, name)
        return Decimal(value) if name == "size_bytes" else value
    if isinstance(owner, (list, tuple)):
        return [part_of(item, name) for item in owner]
    raise RowError(f'{format_value(owner)!r} has no part "{name}"')


def _call(node: Call, scope: ValueScope) -> Value:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise RowError(f"there is no function {node.function}")
    if node.function == "coalesce":
        return next((value for each in node.arguments if (value := evaluate(each, scope)) is not None), None)
    if node.function == "if_else":
        condition = _truth(node.arguments[0], scope)
        return None if condition is None else evaluate(node.arguments[1 if condition else 2], scope)
    return call(function, scope.times, [evaluate(argument, scope) for argument in node.arguments])


def _aggregate(node: Aggregate, scope: ValueScope) -> Value:
    return _measured(f"{node.function} of {node.column.name}", scope)


def _measure(node: Measure, scope: ValueScope) -> Value:
    return _measured(node.name, scope)


def _measured(name: str, scope: ValueScope) -> Value:
    if name not in scope.measures:
        raise RowError(f'"{name}" is not known here')
    value = scope.measures[name]
    if isinstance(value, RowError):
        raise value
    return value


def _where(node: Where, scope: ValueScope) -> Value:
    rows = evaluate(node.rows, scope)
    if rows is None:
        return None
    if not isinstance(rows, Table):
        raise RowError("where goes with a table")
    if scope.choose is None:
        raise RowError("where can't be asked here")
    return scope.choose(rows, node.condition, scope)


# logic


def _truth(node: Node, scope: ValueScope) -> bool | None:
    value = evaluate(node, scope)
    if value is None or isinstance(value, bool):
        return value
    raise RowError(f"{format_value(value)!r} is neither true nor false")


def _unary(node: Unary, scope: ValueScope) -> Value:
    if node.operator == "not":
        value = _truth(node.operand, scope)
        return None if value is None else not value
    operand = evaluate(node.operand, scope)
    if operand is None:
        return None
    if isinstance(operand, Duration):
        return -operand
    if isinstance(operand, Decimal):
        return fitted(operand.copy_negate() if operand else Decimal(0), operand)
    raise RowError(f"{format_value(operand)!r} has no negative")


def _logic(node: Logic, scope: ValueScope) -> Value:
    """Kleene's tables; the value that decides alone wins over an error on the other side."""
    decides = node.operator != "and"
    left, failed = _tried(node.left, scope)
    if node.operator == "implies" and left is not None:
        left = not left
    if left is decides:
        return decides
    right, failed_right = _tried(node.right, scope)
    if right is decides:
        return decides
    if failed or failed_right:
        raise failed or failed_right  # type: ignore[misc]
    return None if left is None or right is None else not decides


def _tried(node: Node, scope: ValueScope) -> tuple[bool | None, RowError | None]:
    try:
        return _truth(node, scope), None
    except RowError as error:
        return None, error


def _negated(value: bool | None, negated: bool) -> bool | None:
    return (not value) if negated and value is not None else value


# arithmetic


def _binary(node: Binary, scope: ValueScope) -> Value:
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    if left is None or right is None:
        return None
    return combine(node.operator, left, right, scope.times)


# comparisons


def _compare(node: Compare, scope: ValueScope) -> Value:
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    if node.tolerance is not None:
        tolerance = evaluate(node.tolerance, scope)
        if left is None or right is None or tolerance is None:
            return None
        return within(left, right, tolerance, scope.times) is (node.operator == "=")
    if left is None or right is None:
        return None
    return compared(node.operator, left, right)


def _between(node: Between, scope: ValueScope) -> Value:
    value = evaluate(node.operand, scope)
    low = _limit(">=", value, evaluate(node.low, scope))
    high = _limit("<=", value, evaluate(node.high, scope))
    inside = False if low is False or high is False else None if low is None or high is None else True
    return _negated(inside, node.negated)


def _limit(operator: str, value: Value, limit: Value) -> bool | None:
    return None if value is None or limit is None else compared(operator, value, limit)


def _one_of(node: OneOf, scope: ValueScope) -> Value:
    value = evaluate(node.operand, scope)
    if value is None:
        return None
    unknown = False
    for choice in node.choices:
        wanted = evaluate(choice, scope)
        for each in wanted if isinstance(wanted, (list, tuple)) else (wanted,):
            if each is None:
                unknown = True
            elif compared("=", value, each):
                return not node.negated
    return None if unknown else node.negated


def _test(node: Test, scope: ValueScope) -> Value:
    if node.test in ("visible", "enabled", "covered"):
        return _shown(node, scope)
    value = evaluate(node.operand, scope)
    if node.test == "empty":
        answer = is_empty(value)
    else:
        answer = (value is None or value == "") is (node.test == "missing")
    return answer is not node.negated


def is_empty(value: Value) -> bool:
    """True of nothing, an empty text, and a table, list or record without entries."""
    if value is None:
        return True
    if isinstance(value, Table):
        return value.row_count == 0
    if isinstance(value, (str, list, tuple, Mapping)):
        return not value
    return False


def _shown(node: Test, scope: ValueScope) -> Value:
    if scope.state is None or type(node.operand) is not Name:
        raise RowError(f"is {node.test} is asked about an element of a screen")
    return scope.state(node.operand.name, node.test) is not node.negated


def _search(node: Search, scope: ValueScope) -> Value:
    value, sought = evaluate(node.operand, scope), evaluate(node.sought, scope)
    if value is None or sought is None:
        return None
    if isinstance(value, (list, tuple)) and node.test == "contains":
        found = any(compared("=", each, sought) for each in value if each is not None)
    elif not isinstance(value, str) or not isinstance(sought, str):
        raise RowError(f"{format_value(value)!r} {node.test} {format_value(sought)!r}: both must be texts")
    elif node.test == "contains":
        found = sought in value
    else:
        found = value.startswith(sought) if node.test == "starts with" else value.endswith(sought)
    return found is not node.negated


def _matches(node: Matches, scope: ValueScope) -> Value:
    value = evaluate(node.operand, scope)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowError(f"{format_value(value)!r} is no text, so it can't match {node.pattern}")
    return fits(node.pattern, value, scope.patterns) is not node.negated


def _exists(node: Exists, scope: ValueScope) -> Value:
    value = evaluate(node.operand, scope)
    cells = evaluate(node.cells, scope)
    if value is None or cells is None:
        return None
    if not isinstance(cells, (list, tuple, CellSet)):
        raise RowError("exists in needs a column: steps.x.rows.column")
    return is_among(value, cells) is not node.negated


def _unique(node: Unique, scope: ValueScope) -> Value:
    if scope.unique is None:
        raise RowError("is unique is asked about the rows of a table, in a check")
    return _negated(scope.unique(tuple(column.name for column in node.columns)), node.negated)


_EVALUATE: Final[Mapping[type, Callable[[Any, ValueScope], Value]]] = {
    Literal: _literal,
    Name: _name,
    Attribute: _attribute,
    Call: _call,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Compare: _compare,
    Test: _test,
    OneOf: _one_of,
    Between: _between,
    Search: _search,
    Matches: _matches,
    Exists: _exists,
    Unique: _unique,
    Aggregate: _aggregate,
    Measure: _measure,
    Where: _where,
}
