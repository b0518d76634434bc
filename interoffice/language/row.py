"""The value of an expression, a condition or a template for one row, with everything that the language has."""

from __future__ import annotations

from interoffice.language import evaluator
from interoffice.language.comparing import compared
from interoffice.language.evaluator import ValueScope, is_empty, missing_names, part_of
from interoffice.language.nodes import Node
from interoffice.language.reasons import render
from interoffice.language.tables import whole_scope
from interoffice.model.values import Value

__all__ = ["ValueScope", "compared", "evaluate", "holds", "is_empty", "missing_names", "part_of", "render"]


def evaluate(node: Node, scope: ValueScope) -> Value:
    """The value of an expression. RowError where it has none."""
    return evaluator.evaluate(node, whole_scope(scope))


def holds(node: Node, scope: ValueScope) -> bool:
    """Whether a condition is true; RowError naming what is missing where it can't be said."""
    return evaluator.holds(node, whole_scope(scope))
