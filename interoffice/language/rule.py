"""One sentence of a check, parsed; and the routes that a failing row can take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from interoffice.language.names import columns_used, is_about_table
from interoffice.language.nodes import Node, walk
from interoffice.language.parser import parse_rule
from interoffice.language.templates import Template, parse_template
from interoffice.model.types import TEXT, Type, choice_of
from interoffice.model.workflow import Rule as WrittenRule

Route = Literal["warn", "review", "reject", "stop"]
STRENGTH: Final[Mapping[str, int]] = {"passed": 0, "warn": 1, "review": 2, "reject": 3, "stop": 4}
"""Routes, weakest first; a row with several failures takes the strongest."""
ROUTE_TYPE: Final = choice_of(STRENGTH)


class Rule(NamedTuple):
    """A rule. `route` None: the check's `otherwise`; `message` None: the reason is made from the rule."""

    text: str
    node: Node
    route: Route | None = None
    message: Template | None = None
    when: Node | None = None
    per: tuple[str, ...] = ()

    @property
    def is_about_table(self) -> bool:
        """True of a rule about the whole table or a group (`sum of amount = 0`)."""
        return is_about_table(self.node)

    @property
    def nodes(self) -> Iterator[Node]:
        """All nodes of the rule and its `when`."""
        yield from walk(self.node)
        if self.when is not None:
            yield from walk(self.when)

    @property
    def columns(self) -> list[str]:
        """The columns that the rule, its `when` and `per` use, each once; names of the scope may be among them."""
        trees = [self.node] if self.when is None else [self.node, self.when]
        found = [used.path[0] for tree in trees for used in columns_used(tree)]
        return list(dict.fromkeys([*found, *self.per]))

    @property
    def columns_said(self) -> list[str]:
        """The columns that the rule or its message uses; `row` where it takes the row as a whole."""
        said = () if self.message is None else self.message.nodes
        return [*self.columns, *(used.path[0] for tree in said for used in columns_used(tree))]


def read_rule(written: WrittenRule) -> Rule:
    """The rule of a workflow's file, parsed. ExpressionError as `parse_rule`."""
    return Rule(
        text=written.text,
        node=parse_rule(written.text),
        route=written.otherwise,
        message=None if written.message is None else parse_template(written.message),
        when=None if written.when is None else parse_rule(written.when),
        per=tuple(written.per),
    )


def checked_columns(columns: Mapping[str, Type]) -> dict[str, Type]:
    """The columns of what a check gives: those of the rows, and `route` and `reasons`."""
    return {**columns, "route": ROUTE_TYPE, "reasons": TEXT}
