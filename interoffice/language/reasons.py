"""Why a row failed a rule, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from interoffice.language.errors import RowError
from interoffice.language.evaluator import ValueScope, evaluate, missing_names
from interoffice.language.names import names_used, path_of
from interoffice.language.nodes import Aggregate, Exists, Measure, Node, Test, Unique, walk
from interoffice.language.tables import whole_scope
from interoffice.language.templates import Template
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import ISO, Formats, Value

MOST_VALUES: Final = 6
_LONGEST: Final = 200


def render(template: Template, scope: ValueScope, formats: Formats = ISO) -> Value:
    """The value of a template: one expression alone keeps its type, in a text it is formatted."""
    scope = whole_scope(scope)
    single = template.single
    if single is not None:
        return evaluate(single, scope)
    return "".join(
        part if isinstance(part, str) else format_value(evaluate(part, scope), formats) for part in template.parts
    )


def reason_of(
    text: str,
    node: Node,
    message: Template | None,
    value: Value | RowError,
    scope: ValueScope,
    formats: Formats,
    masked: Collection[str] = (),
) -> str:
    """The reason of one row: what is missing, else the rule's own message, else the rule and the values in it."""
    if isinstance(value, RowError):
        return f"{text} can't be decided: {value.reason}"
    if value is None:
        missing = missing_names(node, scope)
        return f"{_listed(missing)} missing" if missing else f"{text} can't be decided: a value is missing"
    if message is not None:
        return _message(message, scope, formats)
    return _short(node, scope, formats, masked) or _long(text, node, scope, formats, masked)


def _message(message: Template, scope: ValueScope, formats: Formats) -> str:
    """The message with what can be said; a part that can't be computed shows as a question mark."""
    parts = []
    for part in message.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        try:
            parts.append(format_value(evaluate(part, scope), formats) or "(missing)")
        except RowError:
            parts.append("?")
    return "".join(parts)


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


def _short(node: Node, scope: ValueScope, formats: Formats, masked: Collection[str]) -> str | None:
    """Rules whose failure has a shorter sentence."""
    if isinstance(node, Test) and path_of(node.operand) is not None and node.test in ("present", "missing"):
        name = ".".join(path_of(node.operand) or ())
        if (node.test == "present") is not node.negated:
            return f"{name} is missing"
        return f"{name} is there: {_shown(name, evaluate(node.operand, scope), formats, masked)}"
    if isinstance(node, Unique) and not node.negated:
        names = [column.name for column in node.columns]
        row = scope.row or {}
        values = [_shown(name, row.get(name), formats, masked) for name in names]
        return f"{', '.join(names)} {', '.join(values)} is not unique"
    return None


def _long(text: str, node: Node, scope: ValueScope, formats: Formats, masked: Collection[str]) -> str:
    values = [f"{name} is {_shown(name, value, formats, masked)}" for name, value in _values(node, scope).items()]
    shown = ", ".join(values[:MOST_VALUES])
    return f"{text} is not true: {shown}" if shown else f"{text} is not true"


class _Identity:
    """A tree as a key, by identity: comparing whole trees would take longer than what is remembered."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __hash__(self) -> int:
        return id(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.node is other.node


@lru_cache(maxsize=2_000)
def _said_parts(tree: _Identity) -> tuple[tuple[str, Node], ...]:
    """The measures and names of a rule, from the left, each once; not the column that a look-up searches."""
    found: dict[str, Node] = {}
    searched: set[str] = set()
    for each in walk(tree.node):
        if isinstance(each, Exists):
            searched |= {used.text for used in names_used(each.cells)}
        if isinstance(each, Aggregate):
            found.setdefault(f"{each.function} of {each.column.name}", each)
        elif isinstance(each, Measure):
            found.setdefault(each.name, each)
    for used in names_used(tree.node):
        if used.rows_of is None and used.text not in searched:
            found.setdefault(used.text, used.node)
    return tuple(found.items())


def _values(node: Node, scope: ValueScope) -> Mapping[str, Value]:
    """The names and measures of a rule with their values; tables and columns left out."""
    found: dict[str, Value] = {}
    for name, part in _said_parts(_Identity(node)):
        try:
            value = evaluate(part, scope)
        except RowError:
            continue
        if not isinstance(value, (list, tuple, Table)):
            found[name] = value
    return found


def _shown(name: str, value: Value, formats: Formats, masked: Collection[str]) -> str:
    if name.rpartition(".")[2] in masked:
        return "not shown"
    text = format_value(value, formats) if value is not None else "missing"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
