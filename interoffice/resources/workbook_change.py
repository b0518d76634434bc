"""Rows added to a sheet of an existing workbook, or replaced in it, by key: formats, formulas and other sheets stay.

Columns are found by their header in any spelling (`Order no` is order_no). A new row takes formats and formulas from
the row above it; a filter or a table (ListObject) that ended there is made longer. What openpyxl would lose on the way
(charts, slicers, embedded objects) is found before, and the workbook is refused: nothing is lost silently.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.types import Type
from interoffice.model.values import Formats, Value
from interoffice.resources.files import digest_of
from interoffice.resources.open_elsewhere import refuse_open_elsewhere
from interoffice.resources.sheets import cell_name, format_of
from interoffice.resources.tables_out import (
    Keeper,
    NewFile,
    finishing,
    new_workbook,
    raise_not_as_meant,
    refuse_sheet_names,
    refuse_suffix,
    same_cell,
    sync_file,
    workbook_cell,
)

_UNPACKED_BYTES: Final = 200_000_000
_LOST: Final[Mapping[str, str]] = {
    "xl/charts/": "charts", "xl/drawings/": "drawings", "xl/slicers/": "slicers", "xl/embeddings/": "embedded objects",
    "xl/ctrlProps/": "form controls", "xl/pivotTables/": "pivot tables", "xl/threadedComments/": "threaded comments",
    "xl/externalLinks/": "links to other workbooks", "xl/activeX/": "controls",
}  # fmt: skip
_HEADER_ROWS: Final = 20
_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NUMBER_FORMATS: Final = {
    "date": "yyyy-mm-dd", "date_time": "yyyy-mm-dd hh:mm", "money": "#,##0.00##", "percent": "0.00##%",
}  # fmt: skip

Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A changed workbook that stands aside (None where nothing is to be changed), and what it changes."""

    file: NewFile | None
    added: int
    changed: int


def changed_workbook(
    place: Path,
    sheet: str,
    key: Sequence[str],
    rows: Table,
    *,
    formats: Formats,
    keeper: Keeper,
) -> Change:
    """The workbook with these rows in its sheet. A workbook or sheet that isn't there is made."""
    refuse_suffix(place, (".xlsx", ".xlsm"))
    wanted = _by_key(rows, key)
    refuse_open_elsewhere(place)
    if not place.exists():
        refuse_sheet_names({sheet: rows})
        made = new_workbook(place, {sheet: rows}, formats, keeper)
        return Change(file=made, added=rows.row_count, changed=0)
    before = digest_of(place)[0]
    book = _load(place)
    page = book[sheet] if sheet in book.sheetnames else _new_page(book, sheet, rows)
    target = _Target(page, sheet, place.name, key, rows, formats)
    added, changed = target.put_in(wanted)
    if not added and not changed:
        return Change(file=None, added=0, changed=0)
    return Change(file=_saved(book, place, before, target, wanted, keeper), added=added, changed=changed)


def rows_stand_in(place: Path, sheet: str, key: Sequence[str], rows: Table, *, formats: Formats) -> bool:
    """True where the sheet holds all these rows already, every cell equal."""
    if not place.exists():
        return False
    book = _load(place)
    if sheet not in book.sheetnames:
        return False
    target = _Target(book[sheet], sheet, place.name, key, rows, formats)
    return target.put_in(_by_key(rows, key)) == (0, 0)


def _by_key(rows: Table, key: Sequence[str]) -> dict[Key, dict[str, Value]]:
    for name in key:
        if name not in rows.columns:
            raise BusinessError(f'the rows have no column "{name}" to be the key; they have {", ".join(rows.columns)}',
                                code="wrong_key")  # fmt: skip
    found: dict[Key, dict[str, Value]] = {}
    for number, row in enumerate(rows.rows(), start=1):
        if any(row[name] is None for name in key):
            raise BusinessError(f"row {number} has no value in its key ({', '.join(key)})", code="wrong_key")
        own = tuple(_key_text(row[name]) for name in key)
        if own in found:
            raise BusinessError(f"two rows have the key {', '.join(own)}; a key stands for one row", code="wrong_key")
        found[own] = row
    return found


def _key_text(value: object) -> str:
    """One spelling for a key, whether it comes from a value or from a cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        value = Decimal(format(value, ".15g"))
    if isinstance(value, int):
        value = Decimal(value)
    if isinstance(value, datetime) and value.time() == datetime.min.time() and value.tzinfo is None:
        value = value.date()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return format_value(value).strip()


def _load(place: Path) -> Any:
    """The workbook for changing; damaged, packed too tightly, or with parts that would be lost: BusinessError."""
    from openpyxl import load_workbook

    if format_of(place, place.name, _UNPACKED_BYTES) != "xlsx":
        raise BusinessError(f"{place.name} is no XLSX workbook; save it as XLSX", code="wrong_format")
    _refuse_losses(place)
    try:
        return load_workbook(place, keep_vba=place.suffix.lower() == ".xlsm", keep_links=True)
    except Exception as error:  # openpyxl raises TypeError, ValueError, KeyError, IndexError on damaged files
        raise BusinessError(
            f"{place.name} is damaged and can't be changed ({error}); open and save it once", code="file_unreadable"
        ) from error


def _refuse_losses(place: Path) -> None:
    with zipfile.ZipFile(place) as packed:
        parts = packed.namelist()
    lost = sorted({what for folder, what in _LOST.items() if any(part.startswith(folder) for part in parts)})
    lost = [what for what in lost if what != "drawings" or "charts" in lost or _has_pictures_only(parts)]
    if lost:
        raise BusinessError(
            f"{place.name} has {' and '.join(lost)}, which would be lost; keep them in another workbook that reads "
            "this one",
            code="workbook_not_changeable",
        )


def _has_pictures_only(parts: Sequence[str]) -> bool:
    """Drawings that belong to comments alone are written again by openpyxl."""
    return any(part.startswith("xl/drawings/drawing") for part in parts)


def _new_page(book: Any, sheet: str, rows: Table) -> Any:
    refuse_sheet_names({sheet: rows, **{name: rows for name in book.sheetnames if name.casefold() == sheet.casefold()}})
    page = book.create_sheet(sheet)
    for column, name in enumerate(rows.columns, start=1):
        _set_text(page.cell(1, column), name)
    return page


class _Target:
    """A sheet with a header, and where its keys stand."""

    def __init__(
        self, page: Any, sheet: str, name: str, key: Sequence[str], rows: Table, formats: Formats
    ) -> None:
        self.page, self.sheet, self.name, self.key, self.rows, self.formats = page, sheet, name, key, rows, formats
        self.header_row, self.places = self._find_header()
        self.standing = self._find_keys()
        self.last_row = max(self.standing.values(), default=self.header_row)

    def put_in(self, wanted: Mapping[Key, Mapping[str, Value]]) -> tuple[int, int]:
        """Rows added and changed."""
        added = changed = 0
        for own, row in wanted.items():
            at = self.standing.get(own)
            if at is None:
                self._append(row)
                self.standing[own] = self.last_row
                added += 1
            elif self._replace(at, row):
                changed += 1
        if added:
            self._lengthen()
        return added, changed

    def cells(self, row: int, values: Mapping[str, Value]) -> list[tuple[Any, Any, Type]]:
        """(cell, what it shall hold, type) of each column of the rows."""
        return [
            (
                self.page.cell(row, column),
                workbook_cell(values[name], self.rows.columns[name], self._where(row, column, name), self.formats.zone),
                self.rows.columns[name],
            )
            for name, column in self.places.items()
        ]

    def _where(self, row: int, column: int, name: str) -> str:
        return f'{self.name}, sheet "{self.sheet}", {cell_name(column - 1, row)} ({name})'

    def _find_header(self) -> tuple[int, dict[str, int]]:
        """The first row that has all key columns; every column of the rows must be in it."""
        for number in range(1, min(self.page.max_row, _HEADER_ROWS) + 1):
            titles: dict[str, list[int]] = {}
            for cell in self.page[number]:
                if isinstance(cell.value, str):
                    titles.setdefault(_spelled(cell.value), []).append(cell.column)
            if all(_spelled(name) in titles for name in self.key):
                return number, self._columns(titles)
        raise BusinessError(
            f'sheet "{self.sheet}" of {self.name} has no header with {", ".join(self.key)} in its first '
            f"{_HEADER_ROWS} rows; add the column",
            code="wrong_header",
        )

    def _columns(self, titles: Mapping[str, list[int]]) -> dict[str, int]:
        missing = [name for name in self.rows.columns if _spelled(name) not in titles]
        doubled = [name for name in self.rows.columns if len(titles.get(_spelled(name), ())) > 1]
        if missing or doubled:
            wrong = [f'has no column "{name}"' for name in missing] + [f'has "{name}" twice' for name in doubled]
            raise BusinessError(f'sheet "{self.sheet}" of {self.name} {"; ".join(wrong)}', code="wrong_header")
        return {name: titles[_spelled(name)][0] for name in self.rows.columns}

    def _find_keys(self) -> dict[Key, int]:
        standing: dict[Key, int] = {}
        for number in range(self.header_row + 1, self.page.max_row + 1):
            cells = [self.page.cell(number, self.places[name]) for name in self.key]
            if any(cell.value is None or cell.value == "" for cell in cells):
                continue
            own = tuple(_key_text(_value(cell)) for cell in cells)
            if own in standing:
                raise BusinessError(
                    f'sheet "{self.sheet}" of {self.name} has the key {", ".join(own)} in rows {standing[own]} and '
                    f"{number}; delete one",
                    code="key_twice",
                )
            standing[own] = number
        return standing

    def _replace(self, row: int, values: Mapping[str, Value]) -> bool:
        different = [(cell, meant) for cell, meant, _ in self.cells(row, values) if not _holds(cell, meant)]
        for cell, meant in different:
            if cell.data_type == "f":
                raise BusinessError(
                    f"{self.name}, {cell.coordinate}: a formula stands where a value belongs; leave the column out",
                    code="formula_there",
                )
            _set(cell, meant)
        return bool(different)

    def _append(self, values: Mapping[str, Value]) -> None:
        row = self.last_row + 1
        filled = [cell.coordinate for cell in self.page[row] if cell.value not in (None, "")]
        if filled:
            raise BusinessError(
                f'sheet "{self.sheet}" of {self.name}: {filled[0]} below the last entry is not empty; '
                "leave the rows below the entries free",
                code="no_room",
            )
        if self.last_row > self.header_row:
            self._copy_row(self.last_row, row)
        for cell, meant, type in self.cells(row, values):
            _set(cell, meant)
            if cell.number_format == "General" and type.kind in _NUMBER_FORMATS:
                cell.number_format = _NUMBER_FORMATS[type.kind]
        self.last_row = row

    def _copy_row(self, above: int, row: int) -> None:
        """Formats of the row above, and its formulas, moved along."""
        from openpyxl.formula.translate import Translator

        own = set(self.places.values())
        for old in self.page[above]:
            new = self.page.cell(row, old.column)
            if old.has_style:
                new._style = copy(old._style)
            if old.data_type == "f" and old.column not in own and isinstance(old.value, str):
                new.value = Translator(old.value, origin=old.coordinate).translate_formula(new.coordinate)
        height = self.page.row_dimensions[above].height
        if height is not None:
            self.page.row_dimensions[row].height = height

    def _lengthen(self) -> None:
        """A filter and a table that begin at the header reach down to the last row."""
        if self.page.auto_filter.ref:
            self.page.auto_filter.ref = self._longer(self.page.auto_filter.ref)
        for table in self.page.tables.values():
            table.ref = self._longer(table.ref)
            if table.autoFilter is not None and table.autoFilter.ref:
                table.autoFilter.ref = self._longer(table.autoFilter.ref)

    def _longer(self, ref: str) -> str:
        found = re.fullmatch(r"(\$?[A-Z]+\$?)(\d+):(\$?[A-Z]+\$?)(\d+)", ref)
        if found is None or int(found[2]) != self.header_row:
            return ref
        return f"{found[1]}{found[2]}:{found[3]}{max(int(found[4]), self.last_row)}"


def _spelled(title: str) -> str:
    return re.sub(r"\W+", "_", title.strip().casefold()).strip("_")


def _set(cell: Any, meant: Any) -> None:
    if isinstance(meant, str):
        _set_text(cell, meant)
    else:
        cell.value = meant


def _set_text(cell: Any, text: str) -> None:
    """A text cell, whatever the text begins with: openpyxl alone would make a formula of `=1+1`."""
    cell.value = _ESCAPED.sub("_x005F_", text)
    cell.data_type = "s"


def _value(cell: Any) -> Any:
    """What a cell holds: openpyxl leaves the escapes of ECMA-376 22.9.2.19 in the text."""
    return cell.value.replace("_x005F_", "_") if isinstance(cell.value, str) else cell.value


def _holds(cell: Any, meant: Any) -> bool:
    value = "" if cell.value is None else _value(cell)
    if isinstance(meant, str) and cell.data_type == "f":
        return False
    if isinstance(meant, date) and not isinstance(meant, datetime) and isinstance(value, datetime):
        return value == datetime.combine(meant, datetime.min.time())
    if isinstance(meant, (int, float)) and not isinstance(meant, bool) and isinstance(value, (int, float)):
        return not isinstance(value, bool) and float(value) == float(meant)
    return same_cell(meant, value)


def _saved(
    book: Any,
    place: Path,
    before: str,
    target: _Target,
    wanted: Mapping[Key, Mapping[str, Value]],
    keeper: Keeper,
) -> NewFile:
    """The changed workbook, saved aside, reopened, its rows compared; refused when the original changed meanwhile."""
    with finishing(place) as aside:
        book.save(aside)
        sync_file(aside)
        _compare(aside, place.name, target, wanted)
        return NewFile(place, aside, keeper, instead_of=before)


def _compare(aside: Path, name: str, target: _Target, wanted: Mapping[Key, Mapping[str, Value]]) -> None:
    from python_calamine import CalamineWorkbook

    rows = list(CalamineWorkbook.from_path(str(aside)).get_sheet_by_name(target.sheet).iter_rows())
    for own, values in wanted.items():
        row = target.standing[own]
        for cell, meant, _ in target.cells(row, values):
            there = rows[row - 1][cell.column - 1] if row <= len(rows) and cell.column <= len(rows[row - 1]) else ""
            if not same_cell(meant, there):
                raise_not_as_meant(name, f'{cell.coordinate} of sheet "{target.sheet}"')
