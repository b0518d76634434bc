"""The expression and rule language: one for values, conditions, rules and the readiness of screens.

Text becomes a tree (`parse_expression`, `parse_rule`, `parse_template`), a tree is checked without data (`infer`,
`infer_condition`), and evaluated for one row (`evaluate`, `holds`, `render`) or a whole table (`run_check`,
`run_table_step`). Nothing that a cell holds is ever parsed. docs/reference/grammar.md is the grammar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interoffice.language.errors import ExpressionError, RowError
from interoffice.language.names import (
    UsedName,
    columns_used,
    is_about_table,
    is_constant_condition,
    names_used,
    path_of,
)
from interoffice.language.nodes import Node, walk
from interoffice.language.parser import parse_expression, parse_rule
from interoffice.language.templates import Template, parse_template

if TYPE_CHECKING:
    from interoffice.language.calendars import Calendar, Times, add_duration
    from interoffice.language.functions import FUNCTIONS
    from interoffice.language.inference import Inferred, infer, infer_condition
    from interoffice.language.row import ValueScope, evaluate, holds, render
    from interoffice.language.rules import CheckResult, Rule, checked_columns, read_rule, run_check
    from interoffice.language.scopes import NameProblem, Names, TypeScope
    from interoffice.language.tables import TableResult, TableTypes, run_table_step, split_table, table_step_type

_HOMES = {
    "Calendar": "calendars",
    "CheckResult": "rules",
    "FUNCTIONS": "functions",
    "Inferred": "inference",
    "NameProblem": "scopes",
    "Names": "scopes",
    "Rule": "rules",
    "TableResult": "tables",
    "TableTypes": "tables",
    "Times": "calendars",
    "TypeScope": "scopes",
    "ValueScope": "row",
    "add_duration": "calendars",
    "checked_columns": "rules",
    "evaluate": "row",
    "holds": "row",
    "infer": "inference",
    "infer_condition": "inference",
    "read_rule": "rules",
    "render": "row",
    "run_check": "rules",
    "run_table_step": "tables",
    "split_table": "tables",
    "table_step_type": "tables",
}
"""Names that are loaded when they are first used, and their module."""


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


__all__ = [
    "FUNCTIONS",
    "Calendar",
    "CheckResult",
    "ExpressionError",
    "Inferred",
    "NameProblem",
    "Names",
    "Node",
    "RowError",
    "Rule",
    "TableResult",
    "TableTypes",
    "Template",
    "Times",
    "TypeScope",
    "UsedName",
    "ValueScope",
    "add_duration",
    "checked_columns",
    "columns_used",
    "evaluate",
    "holds",
    "infer",
    "infer_condition",
    "is_about_table",
    "is_constant_condition",
    "names_used",
    "parse_expression",
    "parse_rule",
    "parse_template",
    "path_of",
    "read_rule",
    "render",
    "run_check",
    "run_table_step",
    "split_table",
    "table_step_type",
    "walk",
]
