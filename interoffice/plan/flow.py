"""Where rows come from: which check left them for review, which approval decided on them, who saw which column.

A `Flow` goes along with the type of every value, through `table`, `+`, `where`, `collect`, bots that add columns, and
sub-workflows. It answers the questions of F07 (can anybody release these rows?) and F11 (did the approver see what is
typed later?).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import Final, NamedTuple

from interoffice.frozen import dataclass
from interoffice.language.nodes import Attribute, Binary, Literal, Name, Node, Where, children


class Unseen(NamedTuple):
    """A cell of a row that somebody approved without seeing it: the approval, and its column's name there."""

    approval: str
    column: str


class Origin(NamedTuple):
    """A check whose rows these may be: the rows it left for review, or those it rejected."""

    route: str
    check: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """`rows`: the checks these rows may come from. `unseen`: the cells in this value that were approved unseen;
    `was_shown`: an approver saw it. `fields`: the flow of each column of a table or field of a record.
    `one_currency`: rows that were grouped by their currency. `made_from`: the columns that a column was computed of.
    """

    rows: frozenset[Origin] = frozenset()
    unseen: frozenset[Unseen] = frozenset()
    was_shown: bool = False
    fields: Mapping[str, Flow] = field(default_factory=dict)
    one_currency: bool = False
    made_from: frozenset[str] = frozenset()

    @property
    def all_unseen(self) -> frozenset[Unseen]:
        """What was approved unseen in the value and in all that it holds."""
        return self.unseen.union(*(inner.all_unseen for inner in self.fields.values()))

    @property
    def all_rows(self) -> frozenset[Origin]:
        """The checks that the rows of the value, and of all that is in it, may come from."""
        return self.rows.union(*(inner.all_rows for inner in self.fields.values()))

    def of(self, name: str) -> Flow:
        """The flow of a column or field."""
        return self.fields.get(name, NOTHING)

    def with_rows(self, rows: Iterable[Origin]) -> Flow:
        """The same, and rows of these checks among them."""
        return replace(self, rows=self.rows | frozenset(rows))

    def with_fields(self, fields: Mapping[str, Flow]) -> Flow:
        """The same with these columns more, or instead."""
        return replace(self, fields={**self.fields, **fields}) if fields else self

    def only(self, names: Iterable[str]) -> Flow:
        """The same with these columns alone."""
        return replace(self, fields={name: self.fields[name] for name in names if name in self.fields})


NOTHING: Final = Flow()


def together(flows: Iterable[Flow]) -> Flow:
    """The flow of a value that may be, or is made of, any of these."""
    several = [flow for flow in flows if flow is not NOTHING]
    if len(several) < 2:
        return several[0] if several else NOTHING
    names = dict.fromkeys(name for flow in several for name in flow.fields)
    return Flow(
        rows=frozenset().union(*(flow.rows for flow in several)),
        unseen=frozenset().union(*(flow.unseen for flow in several)),
        was_shown=all(flow.was_shown for flow in several),
        fields={name: together(flow.of(name) for flow in several) for name in names},
        one_currency=all(flow.one_currency for flow in several),
        made_from=frozenset().union(*(flow.made_from for flow in several)),
    )


Lookup = Callable[[tuple[str, ...]], Flow]


def flow_of(node: Node, named: Lookup, columns: Flow = NOTHING) -> Flow:
    """The flow of an expression. `named` gives that of a chain of names; `columns` holds that of bare words."""
    match node:
        case Name(name=name):
            return columns.fields[name] if name in columns.fields else named((name,))
        case Attribute():
            return _of_attribute(node, named, columns)
        case Where(rows=rows):
            return flow_of(rows, named, columns)
        case Binary(operator="+", left=left, right=right):
            return together((flow_of(left, named, columns), flow_of(right, named, columns)))
    parts = [flow_of(part, named, columns) for part in children(node) if not isinstance(part, Literal)]
    unseen: frozenset[Unseen] = frozenset().union(*(part.all_unseen for part in parts))
    return Flow(unseen=unseen, was_shown=bool(parts) and all(part.was_shown for part in parts))


def _of_attribute(node: Attribute, named: Lookup, columns: Flow) -> Flow:
    chain = chain_of(node)
    if chain is None:
        return flow_of(node.owner, named, columns).of(node.name)
    if chain[0] in columns.fields:
        flow = columns
        for name in chain:
            flow = flow.of(name)
        return flow
    return named(chain)


def chain_of(node: Node) -> tuple[str, ...] | None:
    """`steps.deals.rows` as its names; None for anything else than names and points."""
    names: list[str] = []
    while isinstance(node, Attribute):
        names.append(node.name)
        node = node.owner
    return (node.name, *reversed(names)) if isinstance(node, Name) else None
