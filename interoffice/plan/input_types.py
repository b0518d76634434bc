"""The inputs of a workflow as types."""

from __future__ import annotations

from interoffice.model.types import ANY, Type, choice_of, list_of, named_type, table_of
from interoffice.model.workflow import Input
from interoffice.plan.project import Project


def input_type(project: Project, declared: Input) -> Type:
    """The type of one value of an input (of each, where it takes many)."""
    if declared.type == "any":
        return ANY
    if declared.type == "choice":
        return choice_of(declared.choices)
    if declared.type == "table":
        return table_type(project, declared.columns)
    return named_type(declared.type)


def whole_type(project: Project, declared: Input) -> Type:
    """The type of an input as expressions see it: a list where it takes many."""
    one = input_type(project, declared)
    return list_of(one) if declared.many else one


def table_type(project: Project, contract: str | None) -> Type:
    """A table of the columns of a contract; any columns where it isn't known.

    Columns that a contract lets through unknown (`unknown_columns: keep`) have no name that one could write.
    """
    loaded = None if contract is None else project.table_file(contract)
    if loaded is None or loaded.content is None or not loaded.is_read:
        return table_of({}, open=True)
    return table_of(loaded.content.column_types)
