"""A file's rows as a typed table: every cell by its column's type, and all mistakes of the file in one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from interoffice.errors import BusinessError
from interoffice.model.contract import Column, Contract
from interoffice.model.table import ROWS_AT_ONCE, Table, arrow_schema, cells_to_arrow
from interoffice.model.values import Value
from interoffice.resources.cell_readers import PLAIN, CellReader, Shown, cell_text, reader_of
from interoffice.resources.file_controls import check_controls, read_trailer
from interoffice.resources.sheet_marks import DamagedWorkbook, Marks, find_xlsx_marks
from interoffice.resources.sheet_marks_ods import find_ods_marks
from interoffice.resources.sheet_marks_xls import find_xls_marks
from interoffice.resources.sheets import Cell, RawRow, RawSheet, cell_name, open_sheet
from interoffice.resources.table_header import Header, match_header

MISTAKES_SHOWN: Final = 20
MISTAKES_COUNTED: Final = 1_000
"""Behind so many the rest of a file isn't looked at: it is the wrong file."""
MARKS_OF: Final = {"xlsx": find_xlsx_marks, "xls": find_xls_marks, "ods": find_ods_marks}
_SHOWN_MATTERS: Final = ("text", "choice", "percent")
"""Types of columns where a cell's number format tells more than its number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How much of a file is read at most."""

    unpacked_bytes: int = 500_000_000
    rows: int = 2_000_000


@dataclass(kw_only=True)
class _Mistakes:
    """What is wrong in the cells of a file, with the row and column of each."""

    name: str
    contract: Contract
    is_workbook: bool
    found: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.found)

    def add(self, row: int, column: int, text: str) -> None:
        if len(self.found) < MISTAKES_COUNTED:
            self.found.append((row, column, text))

    def place(self, row: int, column: Column, index: int) -> str:
        where = f"{cell_name(index, row)} (row {row}" if self.is_workbook else f"line {row}"
        return f'{where}, column "{column.header}"{")" if self.is_workbook else ""}'

    def refuse(self) -> None:
        """Raise one error with all of them."""
        if not self.count:
            return
        shown = [text for _, _, text in sorted(self.found)[:MISTAKES_SHOWN]]
        more = f"\n  and {self.count - MISTAKES_SHOWN} more" if self.count > MISTAKES_SHOWN else ""
        if self.count >= MISTAKES_COUNTED:
            more += "; the rest of the file was not looked at"
        cells = "1 mistake" if self.count == 1 else f"{self.count} mistakes"
        listed = "\n  ".join(shown)
        raise BusinessError(
            f"{self.name} has {cells} against {self.contract.source.file}:\n  {listed}{more}", code="wrong_cells"
        )


def read_rows(
    path: Path,
    contract: Contract,
    *,
    name: str | None = None,
    sheet: str | None = None,
    zone: str = "UTC",
    patterns: Mapping[str, str] | None = None,
    bounds: Bounds | None = None,
) -> Table:
    """The table in a file, by the contract. Hostile files are read through `tables_in`, which runs this in a child."""
    bounds = bounds or Bounds()
    called = name or path.name
    raw = open_sheet(
        path, called, contract.writing,
        contract_file=contract.source.file, sheet=sheet, unpacked_bytes=bounds.unpacked_bytes,
    )  # fmt: skip
    reading = _Reading(path, contract, called, raw, zone, patterns or {}, bounds)
    return reading.table()


class _Reading:
    """One file being read."""

    def __init__(
        self,
        path: Path,
        contract: Contract,
        name: str,
        raw: RawSheet,
        zone: str,
        patterns: Mapping[str, str],
        bounds: Bounds,
    ) -> None:
        self.path, self.contract, self.name, self.raw, self.bounds = path, contract, name, raw, bounds
        self.zone, self.patterns = zone, patterns
        self.mistakes = _Mistakes(name=name, contract=contract, is_workbook=raw.is_workbook)
        self.marks = Marks()
        self.trailer: RawRow | None = None

    def table(self) -> Table:
        """The whole file, or one error with all its mistakes."""
        rows = self.raw.rows
        first = next(rows, None)
        if first is None:
            raise BusinessError(
                f"{self.name} has no header in row {self.contract.writing.header_row}; export it again",
                code="wrong_header",
            )
        delimiter = None if self.raw.is_workbook else self.contract.writing.delimiter
        header = match_header(first, self.contract, self.name, delimiter=delimiter)
        self.marks = self._marks(header)
        table = self._typed(header, self._data_rows(rows, header))
        self.mistakes.refuse()
        self._close(table)
        return table

    def _marks(self, header: Header) -> Marks:
        find = MARKS_OF.get(self.raw.format)
        if find is None:
            return Marks()
        telling = frozenset(
            place for name, place in header.places.items() if header.columns[name].type.kind in _SHOWN_MATTERS
        )
        try:
            return find(self.path, self.raw.sheet, telling)
        except DamagedWorkbook as error:
            raise BusinessError(
                f"{self.name} is damaged ({error}); export it again", code="file_unreadable"
            ) from error

    def _data_rows(self, rows: Iterator[RawRow], header: Header) -> Iterator[RawRow]:
        """The rows of data: ragged ones are mistakes, the trailer is put aside, the number of rows is bounded."""
        starts = self.contract.trailer.starts_with if self.contract.trailer else None
        count = 0
        for row in rows:
            if self.trailer is not None:
                late = f"row {row.number} stands behind the closing line in row {self.trailer.number}"
                self.mistakes.add(row.number, 0, late)
            elif starts is not None and _first_text(row.cells).startswith(starts):
                self.trailer = row
                continue
            if not self.raw.is_workbook and len(row.cells) != header.width:
                ragged = f"line {row.number} has {len(row.cells)} fields, the header has {header.width}"
                self.mistakes.add(row.number, 0, ragged)
                continue
            count += 1
            if count > self.bounds.rows:
                raise BusinessError(
                    f"{self.name} has more than {self.bounds.rows} rows (settings.yaml, tables.rows_at_most); "
                    "it was not read",
                    code="file_refused",
                )
            yield row
            if self.mistakes.count >= MISTAKES_COUNTED:
                return

    def _typed(self, header: Header, rows: Iterator[RawRow]) -> Table:
        import pyarrow as pa

        types = {name: column.type for name, column in header.columns.items()}
        columns = [self._column(column, header.places[name]) for name, column in header.columns.items()]
        batches = []
        while pieces := _next_rows(rows):
            cells = [[column.read(row) for row in pieces] for column in columns]
            arrays = [cells_to_arrow(values, type) for values, type in zip(cells, types.values(), strict=True)]
            batches.append(pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(types)))
        return Table.from_arrow(types, pa.Table.from_batches(batches, schema=arrow_schema(types)))

    def _column(self, column: Column, place: int) -> _ColumnOfFile:
        reader = reader_of(column, self.contract.writing, zone=self.zone, patterns=self.patterns)
        missing = reader(column.missing_is, PLAIN) if column.missing_is is not None else None
        return _ColumnOfFile(column, place, reader, missing, self.mistakes, self.marks)

    def _close(self, table: Table) -> None:
        """The trailer and the controls, once all rows are typed."""
        trailer: Mapping[str, Value] = {}
        if self.contract.trailer is not None:
            trailer = read_trailer(self.trailer, self.contract, self.name, zone=self.zone, patterns=self.patterns)
        check_controls(table, trailer, self.contract, self.name, patterns=self.patterns)


class _ColumnOfFile:
    """One column being read: its cells typed, blanks, errors and doubles found."""

    def __init__(
        self, column: Column, place: int, reader: CellReader, missing: Value, mistakes: _Mistakes, marks: Marks
    ) -> None:
        self.column, self.place, self.reader, self.missing = column, place, reader, missing
        self.mistakes, self.marks = mistakes, marks
        self.has_marks = bool(marks.errors or marks.formats)
        self.first_rows: dict[Value, int] = {}

    def read(self, row: RawRow) -> Value:
        """The value of this column in a row; None where it is blank or wrong (then it is noted)."""
        cell = row.cells[self.place] if self.place < len(row.cells) else ""
        shown = PLAIN
        if self.has_marks:
            error = self.marks.error(row.number, self.place)
            if error is not None:
                return self._wrong(row, f"shows the error {error or 'of a formula'}")
            shown = self._shown(row.number)
        if cell == "" or (isinstance(cell, str) and not cell.strip()):
            if self.column.required and self.missing is None:
                return self._wrong(row, "is blank, but the column is required")
            return self.missing
        try:
            value = self.reader(cell, shown)
        except ValueError as error:
            said = "the value" if self.column.sensitive else f'"{cell_text(cell)}"'
            return self._wrong(row, f"{said} {error}")
        if self.column.unique:
            self._remember(row, value)
        return value

    def _shown(self, row: int) -> Shown:
        code = self.marks.shown_otherwise(row, self.place)
        if code is None:
            return PLAIN
        is_percent, zeros = self.marks.is_percent(row, self.place), self.marks.zeros(row, self.place)
        return Shown(is_percent=is_percent, zeros=zeros, number_format=code)

    def _remember(self, row: RawRow, value: Value) -> None:
        first = self.first_rows.setdefault(value, row.number)
        if first != row.number:
            said = "the same value" if self.column.sensitive else f'"{cell_text(str(value))}"'
            self._wrong(row, f"{said} stands in row {first} already, but the column is unique")

    def _wrong(self, row: RawRow, reason: str) -> Value:
        """Note a mistake; the cell is missing then."""
        where = self.mistakes.place(row.number, self.column, self.place)
        self.mistakes.add(row.number, self.place, f"{where}: {reason}")
        return None


def _next_rows(rows: Iterator[RawRow]) -> list[RawRow]:
    return [row for _, row in zip(range(ROWS_AT_ONCE), rows, strict=False)]


def _first_text(cells: list[Cell]) -> str:
    return next((str(cell).strip() for cell in cells if str(cell).strip()), "")
