"""Spreadsheets: read against a contract, written new, or brought up to date by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from interoffice.bot import Answer, ColumnNames, ContractName, Found, NotFound, SheetTables, bot
from interoffice.context import Context
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of a file."""

    rows: Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A file that was written."""

    file: FileValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Upserted:
    """A workbook brought up to date; how many rows were new in it, and how many had another value."""

    file: FileValue
    added: Decimal | None
    changed: Decimal | None


@bot(effect="reads", outputs={"rows": "columns of contract"})
def read_rows(ctx: Context, *, file: FileValue, contract: ContractName, sheet: str | None = None) -> Rows:
    """The rows of a workbook or CSV file against its contract: XLSX, XLS, ODS or CSV, told apart by content.

    The sheet is the one named here, else the contract's, else the only visible one that holds anything. Ids keep their
    zeros, numbers are exact; a cell that shows an error (#N/A), a date or number where a text got lost, an ambiguous
    date are errors naming the cell; up to 20 are listed at once.

    Error codes: file_missing, file_empty, file_refused, file_unreadable, wrong_format, wrong_encoding, sheet_missing,
    wrong_header, wrong_cells, wrong_totals.

    Inputs:
        file: the file, below one of the folders that settings.yaml lets bots read
        contract: the file in tables/ that says what columns it has
        sheet: the sheet to read

    Example:
        - id: plan
          bot: spreadsheet.read_rows
          with:
            file: data/plan.xlsx
            sheet: 2026
            contract: plan
    """
    rows = ctx.tables.read(file, contract, sheet=sheet)
    ctx.log.info("rows_read", contract=contract, rows=rows.row_count)
    return Rows(rows=rows)


def _look_for_workbook(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    path, sheets = str(inputs["file"]), inputs["sheets"]
    assert isinstance(sheets, Mapping)
    with ctx.tables.new_workbook(path, sheets) as made:
        return _in_place(ctx, made)


@bot(effect="changes", identity=("file", "sheets"), look_up=_look_for_workbook)
def write_workbook(ctx: Context, *, file: str, sheets: SheetTables) -> Written:
    """A new workbook with one sheet per table: header, filter, cells typed. What stood at its place is replaced.

    Text from outside is a text cell and never a formula. The workbook is written beside its place, reopened by another
    reader and compared cell by cell, and only then renamed: nobody sees half of it. The same rows give the same bytes.

    Error codes: sheet_name, cell_not_writable (names the cell), wrong_format, file_refused; application errors:
    file_open (somebody has it open; the message says who), file_not_written.

    Inputs:
        file: where it goes, below one of the folders that settings.yaml lets bots write; ends in .xlsx
        sheets: name of a sheet -> its rows

    Example:
        - id: report
          bot: spreadsheet.write_workbook
          with:
            file: reports/checks_${{ run.date }}.xlsx
            sheets:
              Passed: ${{ steps.checks.passed }}
              Rejected: ${{ steps.checks.rejected }}
    """
    with ctx.tables.new_workbook(file, sheets) as made:
        rows = sum(table.row_count for table in sheets.values())
        return Written(file=_put(ctx, made, {"file": file, "sheets": tuple(sheets), "rows": Decimal(rows)}))


def _look_for_rows(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    path, sheet, rows = str(inputs["file"]), str(inputs["sheet"]), inputs["rows"]
    names = inputs["key"]
    assert isinstance(rows, Table)
    columns = (names,) if isinstance(names, str) else tuple(str(name) for name in names)  # type: ignore[attr-defined]
    if ctx.tables.rows_stand_in(path, sheet, columns, rows):
        outputs: dict[str, Value] = {"file": ctx.files.held(ctx.files.writable(path)), "added": None, "changed": None}
        return Found(fields=outputs, reference=path)
    return NotFound(searched=f"the keys of {rows.row_count} rows in sheet {sheet} of {path}")


@bot(effect="changes", identity=("file", "sheet", "key", "rows"), look_up=_look_for_rows)
def upsert_rows(ctx: Context, *, file: str, sheet: str, key: ColumnNames, rows: Table) -> Upserted:
    """Adds rows to a sheet or replaces them by key; formats, formulas and the other sheets stay.

    Columns are found by their header, in any spelling (Order no is order_no); columns of the sheet that the rows don't
    have stay as they are. A new row takes formats and formulas from the row above it. A workbook or a sheet that isn't
    there is made. Rows that stand there already change nothing. The result is reopened and compared before it replaces
    the workbook. A workbook with charts or pivot tables is refused, since they would be lost.

    `added` and `changed` are missing where a look-up found the rows written by an attempt that was cut off.

    Error codes: wrong_key, key_twice, wrong_header, formula_there, no_room, cell_not_writable, workbook_not_changeable,
    file_unreadable; application errors: file_open (the message says who has it open), file_changed, file_not_written.

    Inputs:
        file: the workbook, below one of the folders that settings.yaml lets bots write
        sheet: the sheet that holds the rows
        key: the column or columns by which a row is known
        rows: what to put in

    Example:
        - id: ledger
          bot: spreadsheet.upsert_rows
          with:
            file: data/sales_ledger.xlsx
            sheet: Orders
            key: deal_id
            rows: ${{ steps.orders.results }}
    """
    change = ctx.tables.changed_workbook(file, sheet, key, rows)
    if change.file is None:
        ctx.log.info("rows_already_there", file=file, sheet=sheet, rows=rows.row_count)
        held = ctx.files.held(ctx.files.writable(file))
        return Upserted(file=held, added=Decimal(0), changed=Decimal(0))
    with change.file as made:
        meant = {"file": file, "sheet": sheet, "added": Decimal(change.added), "changed": Decimal(change.changed)}
        written = _put(ctx, made, meant)
    ctx.log.info("rows_written", file=file, sheet=sheet, added=change.added, changed=change.changed)
    return Upserted(file=written, added=Decimal(change.added), changed=Decimal(change.changed))


def _look_for_csv(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    rows = inputs["rows"]
    assert isinstance(rows, Table)
    with ctx.tables.new_csv(str(inputs["file"]), str(inputs["contract"]), rows) as made:
        return _in_place(ctx, made)


@bot(effect="changes", identity=("file", "contract", "rows"), look_up=_look_for_csv)
def write_csv(ctx: Context, *, file: str, contract: ContractName, rows: Table) -> Written:
    """A CSV file for a machine, in the headers, encoding, delimiter, decimals and dates of the contract.

    Columns that the contract doesn't name are left out. The file is read back against the contract and compared before
    it gets to its place. It is for a machine: text that begins with = stays as it is; for people write a workbook.

    Error codes: wrong_header (a column is missing), cell_not_writable (names the line), file_refused; application
    errors: file_open, file_not_written.

    Inputs:
        file: where it goes, below one of the folders that settings.yaml lets bots write
        contract: the file in tables/ that says how it is written
        rows: its rows

    Example:
        - id: import_file
          bot: spreadsheet.write_csv
          with:
            file: out/hours_${{ run.date }}.csv
            contract: hours_import
            rows: ${{ steps.checks.passed }}
    """
    with ctx.tables.new_csv(file, contract, rows) as made:
        return Written(file=_put(ctx, made, {"file": file, "contract": contract, "rows": Decimal(rows.row_count)}))


def _put(ctx: Context, made: object, meant: Mapping[str, Value]) -> FileValue:
    """The finished file in its place, once the intent is durable; one that stands there already is left."""
    if made.is_in_place():  # type: ignore[attr-defined]
        ctx.log.info("file_already_there", file=meant["file"])
        return ctx.files.held(made.place)  # type: ignore[attr-defined]
    ctx.commit(meant)
    put: FileValue = made.put()  # type: ignore[attr-defined]
    return put


def _in_place(ctx: Context, made: object) -> Answer:
    """Found where exactly this content stands there: files are renamed whole, so anything else means not done."""
    place = made.place  # type: ignore[attr-defined]
    if made.is_in_place():  # type: ignore[attr-defined]
        return Found(fields={"file": ctx.files.held(place)}, reference=place.name)
    return NotFound(searched=f"{place.name} with this content")
