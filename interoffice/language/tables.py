"""The `table` step: join, columns, where, group_by, totals, sort, always in this order; no row disappears."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from interoffice.language.errors import ExpressionError, RowError
from interoffice.language.evaluator import ValueScope, missing_names
from interoffice.language.functions import AggregateOf
from interoffice.language.inference import infer, infer_condition
from interoffice.language.nodes import Node
from interoffice.language.parser import parse_expression, parse_rule
from interoffice.language.scopes import TypeScope, rows_scope
from interoffice.language.suggest import closest
from interoffice.language.whole import cells_of, column_type
from interoffice.model.formats import format_value
from interoffice.model.table import Table, union
from interoffice.model.types import ANY, MONEY, NUMBER, PERCENT, Type, common_type, table_of
from interoffice.model.values import Duration, Value
from interoffice.model.workflow import TableStep

TOTALS: Final = ("sum", "min", "max", "average", "count", "first")
DESCENDING: Final = ("desc", "descending")
"""Words behind a column of `sort`; without one it goes upwards. Missing cells come last either way."""


class TableResult(NamedTuple):
    """What a `table` step gives: the rows, and those that `where` and `if_missing: drop` left out."""

    rows: Table
    rest: Table


def run_table_step(table: Table, step: TableStep, scope: ValueScope, *, with_table: Table | None = None) -> TableResult:
    """Does a `table` step; `with_table` is the evaluated `join: with`. RowError names the row that can't be done."""
    scope, table = whole_scope(scope), table.loaded()
    rest: Table | None = None
    if step.join is not None:
        if with_table is None:
            raise ValueError("a join needs its other table")
        table, rest = _joined(table, with_table.loaded(), step)
    table, rest = _computed(table, rest, step, scope)
    if step.where is not None:
        table, left_out = split_table(table, parse_rule(step.where), scope)
        rest = left_out if rest is None else union(rest, left_out)
    rest = table.select(()) if rest is None else rest
    if step.group_by or step.totals:
        table = _grouped(table, step)
    return TableResult(_sorted(table, step.sort), rest)


def whole_scope(scope: ValueScope) -> ValueScope:
    """The scope in which `rows where condition` can be asked."""
    return scope if scope.choose is not None else replace(scope, choose=_choose)


def _choose(rows: Table, condition: Node, scope: ValueScope) -> Table:
    return split_table(rows, condition, scope).rows


def split_table(table: Table, condition: Node, scope: ValueScope) -> TableResult:
    """The rows for which a condition is true, and the rest; a RowError names a row where it can't be decided."""
    table = table.loaded()
    chosen: list[int] = []
    rest: list[int] = []
    for number, cell in enumerate(cells_of(table, condition, scope)):
        if cell is True:
            chosen.append(number)
        elif cell is False:
            rest.append(number)
        else:
            raise _undecided(table, number, condition, cell, scope)
    return TableResult(table.select(chosen), table.select(rest))


def _undecided(table: Table, number: int, condition: Node, cell: Value | RowError, scope: ValueScope) -> RowError:
    row = next(table.select([number]).rows())
    named = row_label(row, number)
    if isinstance(cell, RowError):
        return RowError(f"where can't be decided for {named}: {cell.reason}")
    if cell is not None:
        return RowError(f"where gives {format_value(cell)!r} for {named}: a condition is true or false")
    missing = missing_names(condition, scope.of_row(row))
    message = f"where can't be decided for {named}: {', '.join(missing) or 'a value'} is missing"
    return RowError(f"{message}; say what holds then, with: is missing or ...")


def row_label(row: Mapping[str, Value], number: int, names: Sequence[str] = ()) -> str:
    """A row in words: by the columns that name it, else its number and its first value."""
    shown = names or list(row)[:1]
    parts = [f"{name} {format_value(row[name])}" for name in shown if row.get(name) is not None]
    return ", ".join(parts) if names and parts else f"row {number + 1}" + (f" ({', '.join(parts)})" if parts else "")


# join


def _joined(left: Table, right: Table, step: TableStep) -> tuple[Table, Table]:
    assert step.join is not None
    same, if_missing = step.join.same, step.join.if_missing
    _refuse_wrong_join(left.columns, right.columns, same)
    found = _partners(left, right, same)
    added = {name: type for name, type in right.columns.items() if name not in same}
    unmatched = [number for number, partner in enumerate(found) if partner is None]
    if unmatched and if_missing == "stop":
        row = next(left.select(unmatched[:1]).rows())
        named = row_label(row, unmatched[0], same)
        raise RowError(f"{named}: no row to join with ({len(unmatched)} of {len(left)} rows)")
    cells = {name: _taken(right.column(name), found) for name in added}
    joined = left.adding(added, cells) if added else left
    if if_missing == "keep" or not unmatched:
        return joined, joined.select(())
    without = set(unmatched)
    kept = [number for number in range(len(left)) if number not in without]
    return joined.select(kept), joined.select(unmatched)


def _taken(cells: list[Value], numbers: list[int | None]) -> list[Value]:
    return [None if number is None else cells[number] for number in numbers]


def _partners(left: Table, right: Table, same: Sequence[str]) -> list[int | None]:
    """For each left row the number of its one right row; a missing key finds none; two are an error."""
    places: dict[tuple[Value, ...], int] = {}
    doubled: set[tuple[Value, ...]] = set()
    for number, key in enumerate(_keys(right, same)):
        if None not in key and places.setdefault(key, number) != number:
            doubled.add(key)
    keys = _keys(left, same)
    found = [places.get(key) if None not in key else None for key in keys]
    if doubled:
        for key in keys:
            if key in doubled:
                named = ", ".join(f"{name} {format_value(part)}" for name, part in zip(same, key, strict=True))
                raise RowError(f"join: {named} stands in several rows of the other table; a row finds at most one")
    return found


def _keys(table: Table, names: Sequence[str]) -> list[tuple[Value, ...]]:
    return list(zip(*(table.column(name) for name in names), strict=True))


def _refuse_wrong_join(left: Mapping[str, Type], right: Mapping[str, Type], same: Sequence[str]) -> None:
    for problem in join_problems(left, right, same):
        raise RowError(problem.message)


class JoinProblem(NamedTuple):
    """Why two tables can't be joined."""

    code: str
    message: str


def join_problems(left: Mapping[str, Type], right: Mapping[str, Type], same: Sequence[str]) -> list[JoinProblem]:
    """Why two tables can't be joined: a column of `same` that one lacks, types that differ, a name on both sides."""
    problems = []
    for name in same:
        lacking = [side for side, columns in (("left", left), ("right", right)) if name not in columns]
        if lacking:
            tables = f"the {lacking[0]} table has" if len(lacking) == 1 else "neither table has"
            article = "no" if len(lacking) == 1 else "a"
            problems.append(JoinProblem("C03", f'join: {tables} {article} column "{name}"'))
        if name in left and name in right and common_type(left[name], right[name]) is None:
            message = f'join: column "{name}" is {left[name]} on the left and {right[name]} on the right'
            problems.append(JoinProblem("E04", message))
    both = [] if problems else [name for name in right if name in left and name not in same]
    message = 'join: column "{}" is in both tables; a name can come from one side only'
    return problems + [JoinProblem("C03", message.format(name)) for name in both]


# columns


def _computed(table: Table, rest: Table | None, step: TableStep, scope: ValueScope) -> tuple[Table, Table | None]:
    """The table with its new columns; rows that the join dropped get them as missing."""
    if not step.columns:
        return table, rest
    types: dict[str, Type] = {}
    cells: dict[str, list[Value]] = {}
    for name, text in step.columns.items():
        if name in table.columns:
            raise RowError(f'column "{name}" is there already; a new column never overwrites one')
        node = parse_expression(text)
        cells[name] = _sound_cells(table, name, cells_of(table, node, scope))
        types[name] = column_type(node, cells[name], scope, table.columns)
    new = table.adding(types, cells)
    return new, None if rest is None else rest.adding(types, {name: [None] * len(rest) for name in types})


def _sound_cells(table: Table, name: str, cells: list[Value | RowError]) -> list[Value]:
    for number, cell in enumerate(cells):
        if isinstance(cell, RowError):
            failed = sum(1 for each in cells if isinstance(each, RowError))
            row = next(table.select([number]).rows())
            more = f" (and {failed - 1} rows more)" if failed > 1 else ""
            raise RowError(f'column "{name}" of {row_label(row, number)}: {cell.reason}{more}')
    return list(cells)


# group_by, totals


def _grouped(table: Table, step: TableStep) -> Table:
    groups: dict[tuple[Value, ...], list[int]] = {}
    keys = _keys(table, step.group_by) if step.group_by else [()] * len(table)
    if not step.group_by:
        groups[()] = []
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    columns = totals_columns(table.columns, step)
    cells = {name: table.column(name) for name in step.totals}
    rows = []
    for key, numbers in groups.items():
        row = dict(zip(step.group_by, key, strict=True))
        for name, function in step.totals.items():
            row[name] = AggregateOf[function]([cells[name][number] for number in numbers])
        rows.append(row)
    return Table.from_rows(columns, rows)


def totals_columns(columns: Mapping[str, Type], step: TableStep) -> dict[str, Type]:
    """The columns that remain after group_by and totals."""
    kept = {name: columns.get(name, ANY) for name in step.group_by}
    for name, function in step.totals.items():
        kept[name] = NUMBER if function == "count" else columns.get(name, ANY)
    return kept


# sort


def _sorted(table: Table, sort: Sequence[str]) -> Table:
    numbers = list(range(len(table)))
    for entry in reversed(sort):
        name, downwards = sort_entry(entry)
        cells = table.column(name)
        there = [number for number in numbers if cells[number] is not None]
        there.sort(key=_order(cells), reverse=downwards)
        numbers = there + [number for number in numbers if cells[number] is None]
    return table.select(numbers) if sort else table


def sort_entry(entry: str) -> tuple[str, bool]:
    """The column of an entry of `sort`, and whether it goes downwards: `amount desc`."""
    name, _, word = entry.strip().partition(" ")
    return (name, True) if word.strip() in DESCENDING else (entry.strip(), False)


def _order(cells: list[Value]) -> Callable[[int], Any]:
    def key(number: int) -> Any:
        cell = cells[number]
        return cell.total_seconds if isinstance(cell, Duration) and cell.is_fixed else cell

    return key


# before the run


class TableTypes(NamedTuple):
    """What is known of a `table` step before the run: the types of `.rows` and `.rest`, and its mistakes.

    A problem's place is the part of the step it is in: ("columns", "price"), ("where",), ("join", "same"), ("sort",).
    """

    rows: Type
    rest: Type
    problems: tuple[tuple[tuple[str, ...], ExpressionError], ...]


def table_step_type(rows: Type, step: TableStep, scope: TypeScope, *, with_rows: Type | None = None) -> TableTypes:
    """The types that a `table` step gives; `rows` and `with_rows` are the types of its tables."""
    problems: list[tuple[tuple[str, ...], ExpressionError]] = []
    current = rows if rows.kind == "table" and rows.columns is not None else table_of({}, open=True)
    if step.join is not None:
        current = _joined_type(current, with_rows, step, problems)
    current = _computed_type(current, step, scope, problems)
    if step.where is not None:
        _check_where(current, step.where, scope, problems)
    rest = current
    if step.group_by or step.totals:
        current = _grouped_type(current, step, problems)
    for entry in step.sort:
        _check_column(current, sort_entry(entry)[0], ("sort",), problems)
    return TableTypes(current, rest, tuple(problems))


_Problems = list[tuple[tuple[str, ...], ExpressionError]]


def _joined_type(left: Type, right: Type | None, step: TableStep, problems: _Problems) -> Type:
    assert step.join is not None
    if right is None or right.kind != "table" or right.columns is None or left.columns is None:
        return table_of(left.columns or {}, open=True)
    if not left.open and not right.open:
        for code, message in join_problems(left.columns, right.columns, step.join.same):
            problems.append((("join", "same"), ExpressionError(code, message, 0, 1)))
    return table_of({**right.columns, **left.columns} | _ordered(left, right), open=left.open or right.open)


def _ordered(left: Type, right: Type) -> dict[str, Type]:
    return {**(left.columns or {}), **{n: t for n, t in (right.columns or {}).items() if n not in (left.columns or {})}}


def _computed_type(current: Type, step: TableStep, scope: TypeScope, problems: _Problems) -> Type:
    new: dict[str, Type] = {}
    inside = rows_scope(scope, current)
    for name, text in step.columns.items():
        place = ("columns", name)
        if name in (current.columns or {}):
            message = f'column "{name}" is there already; a new column never overwrites one'
            problems.append((place, ExpressionError("E04", message, 0, len(text))))
        try:
            found = infer(parse_expression(text), inside, bare="columns")
        except ExpressionError as error:
            problems.append((place, error))
            new[name] = ANY
            continue
        problems += [(place, error) for error in found.problems]
        new[name] = found.type
    return table_of({**(current.columns or {}), **new}, open=current.open)


def _check_where(current: Type, text: str, scope: TypeScope, problems: _Problems) -> None:
    try:
        found = infer_condition(parse_rule(text), rows_scope(scope, current), bare="columns")
    except ExpressionError as error:
        found = (error,)
    problems += [(("where",), error) for error in found]


def _grouped_type(current: Type, step: TableStep, problems: _Problems) -> Type:
    for name in step.group_by:
        _check_column(current, name, ("group_by",), problems)
    for name, function in step.totals.items():
        place = ("totals", name)
        _check_column(current, name, place, problems)
        if function not in TOTALS:
            message = f"{function} is no total; there are {', '.join(TOTALS)}"
            problems.append((place, ExpressionError("E06", message, 0, len(function), closest(function, TOTALS))))
        elif function in ("sum", "average"):
            _check_numeric(current, name, function, place, problems)
    return table_of(totals_columns(current.columns or {}, step))


def _check_numeric(current: Type, name: str, function: str, place: tuple[str, ...], problems: _Problems) -> None:
    column = (current.columns or {}).get(name, ANY)
    if column.kind not in (NUMBER.kind, MONEY.kind, PERCENT.kind, "any"):
        message = f'"{name}" is {column} and has no {function}'
        problems.append((place, ExpressionError("E04", message, 0, len(function))))


def _check_column(current: Type, name: str, place: tuple[str, ...], problems: _Problems) -> None:
    if name not in (current.columns or {}) and not current.open:
        meant = closest(name, current.columns or {})
        problems.append((place, ExpressionError("C03", f'there is no column "{name}"', 0, len(name), meant)))
