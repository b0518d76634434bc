"""Expressions over a whole table, asked of DuckDB over Arrow: no file, no network, no Python object can be reached."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interoffice.language.each_row import cell_of, row_cells
from interoffice.language.errors import RowError
from interoffice.language.evaluator import ValueScope
from interoffice.language.names import columns_used
from interoffice.language.nodes import Node
from interoffice.language.sql import Compiler, NotInSql
from interoffice.model.table import Table, cells_to_arrow, column_values
from interoffice.model.types import Type, named_type
from interoffice.model.values import Value

if TYPE_CHECKING:
    import pyarrow as pa

LOCKED: Final = (
    "SET enable_external_access=false",
    "SET python_enable_replacements=false",
    "SET disabled_optimizers='common_subexpressions'",
    "SET autoinstall_known_extensions=false",
    "SET autoload_known_extensions=false",
    "SET lock_configuration=true",
)
"""What closes the database before the first row is shown to it.

Common subexpressions stay where they are: that optimizer moves them out of TRY, where they fail the whole query.
"""


class SqlError(Exception):
    """DuckDB gave up on a query (a constant that overflows in its optimizer): the row evaluator does the work."""


class Suspect(NamedTuple):
    """A row that SQL didn't see pass: its number, and per condition whether it surely passes."""

    number: int
    passes: tuple[bool, ...]


@contextmanager
def _connection() -> Iterator[Any]:
    """A connection of its own, whose tables no other one sees."""
    connection = _locked_database(os.getpid()).cursor()
    try:
        yield connection
    finally:
        connection.close()


@lru_cache(maxsize=1)
def _locked_database(process_id: int) -> Any:
    """An empty database with its configuration locked, made once per process: making one takes 50 ms, a cursor 1 ms."""
    import duckdb

    database = duckdb.connect(":memory:")
    for setting in LOCKED:
        database.execute(setting)
    return database


def sql_cells(table: Table, node: Node, scope: ValueScope) -> list[Value | RowError]:
    """The value of an expression for every row; what SQL can't tell is worked out in Python, row by row."""
    compiler = Compiler(table.columns, scope)
    try:
        found = compiler.whole(node)
    except NotInSql:
        return row_cells(_only_used(table, [node]), node, scope)
    if found.kind == "missing":
        return [None] * len(table)
    answer = _ask(table, compiler, f"SELECT {found.text} AS v FROM {{rows}} ORDER BY t.n")
    cells: list[Value | RowError] = list(column_values(answer.column("v"), named_type(found.kind)))
    if not found.certain:
        _fill_unknown(cells, table, node, scope)
    return cells


def _fill_unknown(cells: list[Value | RowError], table: Table, node: Node, scope: ValueScope) -> None:
    unknown = [number for number, cell in enumerate(cells) if cell is None]
    if not unknown:
        return
    rows = _only_used(table, [node]).select(unknown)
    for number, cell in zip(unknown, row_cells(rows, node, scope), strict=True):
        cells[number] = cell


def suspect_rows(
    table: Table,
    conditions: Sequence[tuple[Node, Node | None]],
    scope: ValueScope,
    repeated: Mapping[tuple[str, ...], set[tuple[Value, ...]]],
) -> list[Suspect]:
    """The rows that don't surely pass all conditions (each with its `when`), all asked in one query."""
    compiler = Compiler(table.columns, scope, repeated)
    passes = [_surely_passes(compiler, condition, when) for condition, when in conditions]
    named = ", ".join(f"{text} AS r{number}" for number, text in enumerate(passes))
    all_pass = " AND ".join(f"r{number}" for number in range(len(passes)))
    sql = f"SELECT * FROM (SELECT t.n, {named} FROM {{rows}}) WHERE NOT ({all_pass}) ORDER BY n"
    answer = _ask(table, compiler, sql)
    columns = [column.to_pylist() for column in answer.columns]
    return [Suspect(row[0], row[1:]) for row in zip(*columns, strict=True)]


def all_suspect(rows: int, conditions: int) -> list[Suspect]:
    """All rows, none of which surely passes any condition."""
    return [Suspect(number, (False,) * conditions) for number in range(rows)]


def _surely_passes(compiler: Compiler, condition: Node, when: Node | None) -> str:
    passes = _surely(compiler, condition, True)
    return passes if when is None else f"({_surely(compiler, when, False)} OR {passes})"


def _surely(compiler: Compiler, condition: Node, answer: bool) -> str:
    try:
        found = compiler.whole(condition)
    except NotInSql:
        return "FALSE"
    if found.kind != "yes_no":
        return "FALSE"
    said = found.text if answer else f"(NOT {found.text})"
    return f"coalesce({said}, FALSE)"


def repeated_keys(table: Table, names: tuple[str, ...], scope: ValueScope) -> set[tuple[Value, ...]]:
    """The values of these columns that stand in several rows; none of their parts is missing."""
    compiler = Compiler(table.columns, scope)
    places = [compiler.places[name] for name in names]
    present = " AND ".join(f"{place} IS NOT NULL" for place in places)
    listed = ", ".join(places)
    sql = f"SELECT {listed} FROM {{rows}} WHERE {present} GROUP BY {listed} HAVING count(*) > 1"
    answer = _ask(table, compiler, sql)
    columns = zip(places, names, strict=True)
    return set(zip(*(column_values(answer.column(place), table.columns[name]) for place, name in columns), strict=True))


def _ask(table: Table, compiler: Compiler, sql: str) -> pa.Table:
    """The answer of a query; `{rows}` in it is the table as `t`, with its row numbers `n` and its look-ups."""
    with _connection() as connection:
        connection.register("t", _rows_for_sql(table, compiler))
        for look_up in compiler.look_ups:
            connection.register(look_up.name, _keys_for_sql(look_up.keys, look_up.types))
        rows = " ".join(["t", *compiler.joins])
        used = {name: text for name, text in compiler.parameters.items() if re.search(rf"\${name}\b", sql)}
        return _answer(connection, sql.replace("{rows}", rows), used)


def _answer(connection: Any, sql: str, parameters: Mapping[str, str]) -> pa.Table:
    import duckdb

    try:
        answer: pa.Table = connection.sql(sql, params=parameters).to_arrow_table()
    except duckdb.Error as error:
        raise SqlError(str(error)) from error
    return answer


def _rows_for_sql(table: Table, compiler: Compiler) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    arrow = table.arrow()
    columns = {compiler.places[name]: _naive(arrow.column(name)) for name in table.columns}
    columns["n"] = pa.array(np.arange(arrow.num_rows, dtype=np.int64))
    for number, cells in enumerate(_python_columns(table, compiler)):
        columns[f"x{number}"] = pa.array(cells, type=pa.bool_())
    return pa.table(columns)


def _naive(column: Any) -> Any:
    """A date-time column without its zone: it is UTC, and DuckDB needs no time zones of its own."""
    import pyarrow as pa

    return column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column


def _keys_for_sql(keys: Iterable[tuple[Value, ...]], types: Sequence[Type]) -> pa.Table:
    import pyarrow as pa

    rows = list(keys)
    cells = [cells_to_arrow([row[number] for row in rows], type) for number, type in enumerate(types)]
    return pa.table({f"v{number}": _naive(column) for number, column in enumerate(cells)})


def _python_columns(table: Table, compiler: Compiler) -> list[list[bool | None]]:
    """The conditions that SQL can't say, worked out for every row; what has no value is left unknown."""
    if not compiler.in_python:
        return []
    columns: list[list[bool | None]] = [[] for _ in compiler.in_python]
    for row in _only_used(table, compiler.in_python).rows():
        for cells, node in zip(columns, compiler.in_python, strict=True):
            cell = cell_of(row, node, compiler.scope)
            cells.append(cell if isinstance(cell, bool) else None)
    return columns


def _only_used(table: Table, nodes: Iterable[Node]) -> Table:
    """The table with the columns that the expressions use, so that no other cell is read."""
    used = {name.path[0] for node in nodes for name in columns_used(node)}
    names = [name for name in table.columns if name in used]
    return table.keeping(names or list(table.columns)[:1])
