"""`table:` steps: join, columns, where, group_by, totals, sort, always in this order."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from interoffice.language.errors import ExpressionError
from interoffice.language.names import columns_used
from interoffice.language.parser import parse_expression
from interoffice.language.scopes import columns_of
from interoffice.language.tables import sort_entry
from interoffice.model.types import ANY, NUMBER, Type, common_type, table_of
from interoffice.model.workflow import Join, Step, TableStep
from interoffice.plan.check_rules import check_columns
from interoffice.plan.checking import Checking
from interoffice.plan.flow import Flow
from interoffice.plan.scope import UNKNOWN, Known, Scope
from interoffice.problem import Path, did_you_mean


def check_table(checking: Checking, step: Step, table: TableStep, here: Scope) -> Mapping[str, Known]:
    """Checks a table step; gives rows and rest."""
    rows = rows_of(checking, table.rows, (*step.path, "table"), here)
    if table.join is not None:
        rows = _joined(checking, step, table.join, rows, here)
    rows = _with_columns(checking, step, table, rows, here)
    if table.where is not None:
        checking.condition(table.where, (*step.path, "where"), here.over(rows), bare="columns")
    result = _grouped(checking, step, table, rows) if table.group_by or table.totals else rows
    sorted_by = tuple(sort_entry(entry)[0] for entry in table.sort)
    check_columns(checking, result.type, sorted_by, (*step.path, "sort"))
    return {"rows": result, "rest": rows}


def rows_of(checking: Checking, raw: object, path: Path, here: Scope) -> Known:
    """A value that must be a table; another one is reported."""
    rows = checking.value(raw, path, here)  # type: ignore[arg-type]
    if rows.type.kind in ("table", "any"):
        return rows
    message = f"rows are needed here, and this is {rows.type}"
    checking.wrong_expression(path, ExpressionError("E04", message, 0, len(str(raw))))
    return UNKNOWN


def is_open(type: Type) -> bool:
    """True of rows that may have further columns."""
    return type.kind == "any" or type.open or (type.kind == "table" and type.columns is None)


def _joined(checking: Checking, step: Step, join: Join, rows: Known, here: Scope) -> Known:
    path = (*step.path, "join")
    other = rows_of(checking, join.table, (*path, "with"), here)
    is_right = check_columns(checking, rows.type, join.same, (*path, "same"))
    left, right = columns_of(rows.type), columns_of(other.type)
    both_have = tuple(name for name in join.same if name in left)
    is_right = check_columns(checking, other.type, both_have, (*path, "same")) and is_right
    for name in join.same:
        if name in left and name in right and common_type(left[name], right[name]) is None:
            message = f'"{name}" is {left[name]} on one side of the join and {right[name]} on the other'
            checking.report("E04", (*path, "same"), message)
    both = [name for name in right if name in left and name not in join.same]
    if both and is_right:
        message = f'both tables have a column "{both[0]}"; name it in "same" or leave one out before the join'
        checking.report("C03", (*path, "with"), message)
    columns = {**right, **left}
    return Known(
        type=table_of({**left, **columns}, open=is_open(rows.type) or is_open(other.type)),
        flow=rows.flow.with_fields({name: other.flow.of(name) for name in right if name not in left}),
    )


def _with_columns(checking: Checking, step: Step, table: TableStep, rows: Known, here: Scope) -> Known:
    existing = columns_of(rows.type)
    columns: dict[str, Type] = {}
    flows: dict[str, Flow] = {}
    for name, text in table.columns.items():
        path = (*step.path, "columns", name)
        if name in existing:
            message = f'there is a column "{name}" already, and new columns never overwrite; choose another name'
            checking.report("S04", path, message, at_key=True)
        known = checking.expression(text, path, here.over(rows), bare="columns")
        made_from = _made_from(text, rows.flow)
        columns[name], flows[name] = known.type, replace(known.flow, made_from=made_from)
    if not columns:
        return rows
    return Known(type=table_of({**existing, **columns}, open=is_open(rows.type)), flow=rows.flow.with_fields(flows))


def _made_from(text: str, flow: Flow) -> frozenset[str]:
    """The columns that an expression is computed of, and those that they were computed of."""
    with suppress(ExpressionError):
        names = frozenset(used.path[0] for used in columns_used(parse_expression(text)))
        return names.union(*(flow.of(name).made_from for name in names))
    return frozenset()


def _grouped(checking: Checking, step: Step, table: TableStep, rows: Known) -> Known:
    existing = columns_of(rows.type)
    is_right = check_columns(checking, rows.type, table.group_by, (*step.path, "group_by"))
    columns = {name: existing.get(name, ANY) for name in table.group_by}
    for name, function in table.totals.items():
        path = (*step.path, "totals", name)
        columns[name] = NUMBER if function == "count" else existing.get(name, ANY)
        if name not in existing and not is_open(rows.type):
            is_right = False
            meant = did_you_mean(name, existing)
            checking.report("C03", path, f'there is no column "{name}"', suggestion=meant, at_key=True)
        elif function in ("sum", "average"):
            _summed(checking, table, name, rows, path)
    return Known(type=table_of(columns, open=not is_right), flow=rows.flow.only(columns))


def _summed(checking: Checking, table: TableStep, name: str, rows: Known, path: Path) -> None:
    existing = columns_of(rows.type)
    type = existing.get(name, ANY)
    if type.kind not in ("number", "money", "percent", "any"):
        checking.report("E04", path, f'"{name}" is {type} and has no {table.totals[name]}')
    mixed = "currency" in existing and "currency" not in table.group_by and not rows.flow.one_currency
    if type.kind == "money" and mixed:
        checking.report("C08", path, f'the {table.totals[name]} of "{name}" mixes currencies; group_by currency too')
