"""Decisions: tables that analysts keep, applied to rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from interoffice.bot import DecisionTableName, Record, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.contract import DecisionTable
from interoffice.model.decision_lines import DecisionLine, decide, read_decision_lines
from interoffice.model.table import Table
from interoffice.model.types import Type, named_type
from interoffice.model.values import Value, kind_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """The rows with the answers beside them."""

    rows: Table


@bot(effect="reads", outputs={"rows": "input rows plus gives of table"})
def look_up(ctx: Context, *, rows: Table | Record, table: DecisionTableName) -> Decided:
    """A decision table applied to every row: its answers are new columns.

    Lines are asked from the top. With `hit: first` a row gets the answers of the first line that fits, with `add_up`
    the sums over all lines that fit, with `all` one row per line that fits. Where no line fits, the answers are
    missing. The digest of the lines that were used is in the log.

    Error codes: no_column (the rows lack a column that the table asks for), column_there (they have an answer's column
    already), bad_table (the table's file can't be read; names line and column), file_missing.

    Inputs:
        rows: the rows to decide, or one record
        table: a decision table of tables/

    Example:
        - id: service
          bot: decisions.look_up
          with:
            rows: ${{ steps.sorted.passed }}
            table: service_matrix
    """
    found = ctx.tables.contract(table)
    if not isinstance(found, DecisionTable):
        raise BusinessError(f"{found.source.file} is a {found.kind}, not a decision table", code="bad_table")
    asked = rows if isinstance(rows, Table) else _one_row(rows)
    lacking = [name for name in found.given if name not in asked.columns]
    if lacking:
        has = ", ".join(asked.columns)
        wrong = f"the rows lack {', '.join(lacking)}, which {table} asks for; they have {has}"
        raise BusinessError(wrong, code="no_column")
    there = [name for name in found.gives if name in asked.columns]
    if there:
        raise BusinessError(f"the rows have {', '.join(there)} already, which {table} gives", code="column_there")
    file = ctx.files.find(found.file)
    lines = _lines(ctx, found)
    ctx.log.info("decision_table_used", table=table, sha256=file.sha256, lines=len(lines))
    columns = {**asked.columns, **found.column_types}
    return Decided(rows=Table.from_rows(columns, _decided(asked, found, lines)))


def _lines(ctx: Context, table: DecisionTable) -> tuple[DecisionLine, ...]:
    text = ctx.files.readable(table.file).read_text(encoding="utf-8-sig")
    try:
        return read_decision_lines(table, text)
    except ValueError as error:
        raise BusinessError(str(error), code="bad_table") from error


def _decided(rows: Table, table: DecisionTable, lines: tuple[DecisionLine, ...]) -> Iterator[Mapping[str, Value]]:
    for row in rows.rows():
        for answer in decide(table, lines, row):
            yield {**row, **answer}


def _one_row(record: Mapping[str, Value]) -> Table:
    """One record as a table, its columns by what they hold."""
    types: dict[str, Type] = {}
    for name, value in record.items():
        kind = kind_of(value)
        types[name] = named_type("any" if kind in ("missing", "record", "list", "table") else kind)
    return Table.from_rows(types, [record])
