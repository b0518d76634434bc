"""Rules of one check that contradict or repeat each other, as far as literals tell (C05)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from interoffice.language.comparing import compared
from interoffice.language.errors import RowError
from interoffice.language.names import path_of
from interoffice.language.nodes import Between, Compare, Literal, Logic, Name, Node, OneOf, Test, Unary
from interoffice.language.rule import Rule
from interoffice.model.values import Value


class Contradiction(NamedTuple):
    """Two rules (by their numbers from 0) that can't both hold, or say the same."""

    first: int
    second: int
    message: str


class _Limit(NamedTuple):
    """What a rule demands of a name: `operator` a value, or one of several."""

    name: str
    operator: str
    values: tuple[Value, ...]


def contradictions(rules: Sequence[Rule]) -> list[Contradiction]:
    """Pairs of rules that repeat or contradict each other; each rule is named in one of them at most."""
    found: list[Contradiction] = []
    named: set[int] = set()
    for second in range(len(rules)):
        for first in range(second):
            message = None if second in named else _between(rules[first], rules[second])
            if message is not None:
                found.append(Contradiction(first, second, message))
                named.add(second)
    return found


def _between(first: Rule, second: Rule) -> str | None:
    if _bare(first.node) == _bare(second.node) and first.per == second.per:
        if _bare(first.when) == _bare(second.when):
            return f"this rule is there twice: {first.text}"
        return None
    if first.when is not None or second.when is not None or first.per != second.per:
        return None
    for one in _limits(first.node):
        for other in _limits(second.node):
            if one.name == other.name and _exclude(one, other):
                return f'no row can pass both "{first.text}" and "{second.text}"'
    return None


def _bare(node: object) -> object:
    """A tree without its places, so that equal rules are equal however they are spaced."""
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return (type(node).__name__, *(_bare(part) for part in node[2:]))
    if isinstance(node, tuple):
        return tuple(_bare(part) for part in node)
    return None if isinstance(node, int) and not isinstance(node, bool) else node


def _limits(node: Node) -> Iterator[_Limit]:
    if isinstance(node, Logic) and node.operator == "and":
        yield from _limits(node.left)
        yield from _limits(node.right)
    elif isinstance(node, Compare) and node.tolerance is None:
        yield from _compared_limit(node)
    elif isinstance(node, Between) and not node.negated:
        yield from _literal_limit(node.operand, ">=", node.low)
        yield from _literal_limit(node.operand, "<=", node.high)
    elif isinstance(node, OneOf) and all(isinstance(choice, Literal) for choice in node.choices):
        name = path_of(node.operand)
        values = tuple(choice.value for choice in node.choices if isinstance(choice, Literal))
        if name is not None:
            yield _Limit(".".join(name), "not one of" if node.negated else "one of", values)
    elif isinstance(node, Test | Name | Unary):
        yield from _truth_limit(node)


def _truth_limit(node: Test | Name | Unary) -> Iterator[_Limit]:
    if isinstance(node, Test) and node.test in ("present", "missing"):
        name = path_of(node.operand)
        present = (node.test == "present") is not node.negated
        if name is not None:
            yield _Limit(".".join(name), "present" if present else "missing", ())


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _compared_limit(node: Compare) -> Iterator[_Limit]:
    yield from _literal_limit(node.left, node.operator, node.right)
    yield from _literal_limit(node.right, _MIRRORED.get(node.operator, node.operator), node.left)


def _literal_limit(operand: Node, operator: str, limit: Node) -> Iterator[_Limit]:
    name = path_of(operand)
    if name is not None and isinstance(limit, Literal):
        yield _Limit(".".join(name), operator, (limit.value,))


def _exclude(one: _Limit, other: _Limit) -> bool:
    """Whether no value meets both limits."""
    if "missing" in (one.operator, other.operator):
        return one.operator != other.operator
    try:
        return _no_value(one, other)
    except RowError:
        return False


def _no_value(one: _Limit, other: _Limit) -> bool:
    if one.operator in ("=", "one of"):
        return not any(_meets(value, other) for value in one.values)
    if other.operator in ("=", "one of"):
        return not any(_meets(value, one) for value in other.values)
    if one.operator in ("<", "<=") and other.operator in (">", ">="):
        strict = one.operator == "<" or other.operator == ">"
        return compared("<=" if strict else "<", one.values[0], other.values[0])
    if one.operator in (">", ">=") and other.operator in ("<", "<="):
        return _no_value(other, one)
    return False


def _meets(value: Value, limit: _Limit) -> bool:
    if limit.operator == "present":
        return True
    if limit.operator in ("one of", "not one of"):
        among = any(compared("=", value, each) for each in limit.values)
        return among is (limit.operator == "one of")
    return compared(limit.operator, value, limit.values[0])
