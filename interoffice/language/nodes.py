"""The tree of an expression. Every node knows where it stands: `start` and `end` are offsets in the parsed text.

Named tuples and not dataclasses, because a short command pays for every class that is made at import.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from interoffice.model.values import Value

TIME_WORDS: Final = {"today": "date", "now": "date_time", "yesterday": "date", "previous_business_day": "date"}
"""Words for the planned time, and the kinds of their types."""


class Literal(NamedTuple):
    """A value written out. `kind` is a kind of type; `word` is a text without quotes after `is one of`."""

    start: int
    end: int
    value: Value
    kind: str


class Name(NamedTuple):
    """A first name: of the scope (`steps`, `deal`), a time word, or a column."""

    start: int
    end: int
    name: str


class Attribute(NamedTuple):
    """`owner.name`: a key of a record, a column of a table, a part of a file. `name_start` is where the name stands."""

    start: int
    end: int
    owner: Node
    name: str
    name_start: int


class Call(NamedTuple):
    """`function(arguments)`. `name_end` is where the function's name ends."""

    start: int
    end: int
    function: str
    arguments: tuple[Node, ...]
    name_end: int


class Unary(NamedTuple):
    """`-x` or `not x`."""

    start: int
    end: int
    operator: str
    operand: Node


class Binary(NamedTuple):
    """Arithmetic: + - * /."""

    start: int
    end: int
    operator: str
    left: Node
    right: Node


class Logic(NamedTuple):
    """`and`, `or`, `implies`."""

    start: int
    end: int
    operator: str
    left: Node
    right: Node


class Compare(NamedTuple):
    """= != < <= > >=, with `within` a tolerance."""

    start: int
    end: int
    operator: str
    left: Node
    right: Node
    tolerance: Node | None


class Test(NamedTuple):
    """`x is present`, missing, empty, visible, enabled, covered; `negated` with `not`."""

    start: int
    end: int
    operand: Node
    test: str
    negated: bool


class OneOf(NamedTuple):
    """`x is one of A, B`; a bare word among the choices is a text."""

    start: int
    end: int
    operand: Node
    choices: tuple[Node, ...]
    negated: bool


class Between(NamedTuple):
    """`x is between low and high`, both included."""

    start: int
    end: int
    operand: Node
    low: Node
    high: Node
    negated: bool


class Search(NamedTuple):
    """`x contains y`, `starts with`, `ends with`."""

    start: int
    end: int
    operand: Node
    test: str
    sought: Node
    negated: bool


class Matches(NamedTuple):
    """`x matches pattern`, a named pattern."""

    start: int
    end: int
    operand: Node
    pattern: str
    pattern_start: int
    negated: bool


class Exists(NamedTuple):
    """`x exists in steps.y.rows.c`."""

    start: int
    end: int
    operand: Node
    cells: Node
    negated: bool


class Unique(NamedTuple):
    """`a, b is unique`: true of a row whose values of these columns no other row has."""

    start: int
    end: int
    columns: tuple[Name, ...]
    negated: bool


class Aggregate(NamedTuple):
    """`sum of c`, min, max, average, count, first; `difference of c` in a reconciliation."""

    start: int
    end: int
    function: str
    column: Name


class Measure(NamedTuple):
    """`row count`, `match rate`, `ambiguous count`: a number about the whole table."""

    start: int
    end: int
    name: str


class Where(NamedTuple):
    """`rows where condition`: bare words of the condition are columns of the rows."""

    start: int
    end: int
    rows: Node
    condition: Node


Node: TypeAlias = (
    Literal
    | Name
    | Attribute
    | Call
    | Unary
    | Binary
    | Logic
    | Compare
    | Test
    | OneOf
    | Between
    | Search
    | Matches
    | Exists
    | Unique
    | Aggregate
    | Measure
    | Where
)


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order of the text."""
    for part in node[2:]:
        if isinstance(part, NODES):
            yield part
        elif type(part) is tuple:
            yield from part


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, from the left."""
    yield node
    for child in children(node):
        yield from walk(child)


NODES = (
    Literal,
    Name,
    Attribute,
    Call,
    Unary,
    Binary,
    Logic,
    Compare,
    Test,
    OneOf,
    Between,
    Search,
    Matches,
    Exists,
    Unique,
    Aggregate,
    Measure,
    Where,
)
