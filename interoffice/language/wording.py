"""A tree as text again, for messages."""

from __future__ import annotations

from decimal import Decimal

from interoffice.language.names import path_of
from interoffice.language.nodes import Call, Literal, Node
from interoffice.model.formats import format_number
from interoffice.model.values import Percent


def show(node: Node) -> str:
    """A short text for a node in a message: a name or a literal as written, else what it is."""
    path = path_of(node)
    if path is not None:
        return f'"{".".join(path)}"'
    if isinstance(node, Literal):
        return show_literal(node)
    if isinstance(node, Call):
        return f"{node.function}(...)"
    return "this"


def show_literal(node: Literal) -> str:
    """A literal as it is written."""
    value = node.value
    if isinstance(value, Percent):
        return f"{format_number(value * 100)}%"
    if isinstance(value, Decimal):
        return format_number(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}'" if isinstance(value, str) else str(value)
