"""Tables as files: written aside, synced, reopened and compared; put in their place only when that is asked.

Text is a text cell and never a formula. What a workbook can't hold (a sign that XML 1.0 refuses, a number of more than
15 digits, too long a text) is a BusinessError `cell_not_writable` naming the cell. A workbook that somebody has open is
an ApplicationError `file_open`, transient, naming who.
"""

from __future__ import annotations

import contextlib
import csv
import glob
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from time import time as time_now
from types import TracebackType
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.contract import Column, Contract
from interoffice.model.formats import format_date, format_number, format_value
from interoffice.model.table import Table
from interoffice.model.types import Type
from interoffice.model.values import Duration, FileValue, Formats, Percent, Value
from interoffice.resources.files import digest_of, put_in_place, write_durably
from interoffice.resources.open_elsewhere import refuse_open_elsewhere
from interoffice.resources.sheets import cell_name
from interoffice.resources.table_rows import read_rows

_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_TEXT: Final = 32_767
_MOST_DIGITS: Final = 15
_MOST_ROWS: Final = 1_048_575
_SHEET_NAME: Final = re.compile(r"[^\[\]:*?/\\\x00-\x1f]{1,31}")
_WIDEST: Final = 60
_LEFT_BEHIND_S: Final = 3600
"""A file that stands aside longer was left by a process that was killed."""
_ROWS_MEASURED: Final = 200
_MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001  (xlsxwriter wants it naive; the same rows give the same bytes)


class Keeper(Protocol):
    """What keeps a run's files: `interoffice.resources.files.FileRoots`."""

    def keep(self, path: Path, name: str) -> FileValue: ...

    def held(self, path: Path) -> FileValue: ...


class NewFile:
    """A finished file that stands aside. `put` brings it to its place; leaving the `with` without that drops it.

    `instead_of`: the digest of what it was made from; where another content stands there by then, it isn't put. The
    run keeps its copy before the act, so that nothing but the rename comes after the intent.
    """

    def __init__(self, place: Path, aside: Path, keeper: Keeper, *, instead_of: str | None = None) -> None:
        self.place, self._aside, self._keeper, self._instead_of = place, aside, keeper, instead_of
        self.digest = digest_of(aside)[0]
        keeper.keep(aside, place.name)

    def put(self) -> FileValue:
        """Rename it to its place (what stood there is replaced) and give it as a value."""
        refuse_open_elsewhere(self.place)
        if self._instead_of is not None and self._instead_of != digest_of(self.place)[0]:
            raise ApplicationError(f"{self.place.name} was changed by somebody else meanwhile", code="file_changed")
        try:
            put_in_place(self._aside, self.place)
        except PermissionError as error:
            raise ApplicationError(
                f"{self.place.name} is open elsewhere or write-protected; close it and try again", code="file_open"
            ) from error
        except OSError as error:
            raise ApplicationError(
                f"{self.place.name} could not be written: {error.strerror}", code="file_not_written"
            ) from error
        return self._keeper.held(self.place)

    def is_in_place(self) -> bool:
        """True where exactly this content stands in its place already."""
        return self.place.is_file() and digest_of(self.place)[0] == self.digest

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._aside.unlink(missing_ok=True)


def aside_of(place: Path) -> Path:
    """An empty file beside the place, on the same disk, so that the rename is one step; old ones of it are cleared."""
    prefix = f".{place.stem[:40]}-"
    for old in place.parent.glob(f"{glob.escape(prefix)}????????{place.suffix}"):
        with contextlib.suppress(OSError):
            if time_now() - old.stat().st_mtime > _LEFT_BEHIND_S:
                old.unlink()
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=prefix, suffix=place.suffix)
    os.close(handle)
    return Path(name)


def new_workbook(place: Path, sheets: Mapping[str, Table], formats: Formats, keeper: Keeper) -> NewFile:
    """A workbook with a sheet per table: header, filter, types as cells. The same rows give the same bytes."""
    refuse_suffix(place, (".xlsx",))
    refuse_sheet_names(sheets)
    refuse_open_elsewhere(place)
    with finishing(place) as aside:
        _write_workbook(aside, sheets, formats)
        sync_file(aside)
        compare_workbook(aside, sheets, place.name, formats)
        return NewFile(place, aside, keeper)


def new_csv(place: Path, contract: Contract, rows: Table, zone: str, keeper: Keeper) -> NewFile:
    """A CSV file in the headers, encoding, delimiter, decimals and dates of a contract, read back against it."""
    missing = [name for name in contract.columns if name not in rows.columns]
    if missing:
        raise BusinessError(
            f"the rows lack {', '.join(missing)}, which {contract.source.file} wants; add the columns before",
            code="wrong_header",
        )
    text = _csv_text(contract, rows, place.name, zone)
    with finishing(place) as aside:
        write_durably(aside, _encoded(text, contract, place.name))
        meant = {name: column.type for name, column in contract.columns.items()}
        wanted = Table.from_rows(meant, ({name: row[name] for name in meant} for row in rows.rows()))
        if read_rows(aside, contract, name=place.name, zone=zone).digest != wanted.digest:
            raise BusinessError(
                f"{place.name} does not come back as it was meant: {contract.source.file} can't say all of it; "
                "check decimals, dates and `missing_is`",
                code="cell_not_writable",
            )
        return NewFile(place, aside, keeper)


@contextlib.contextmanager
def finishing(place: Path) -> Iterator[Path]:
    """A file aside to be finished; gone again where that fails. A disk that can't take it: `file_not_written`."""
    try:
        aside = aside_of(place)
        try:
            yield aside
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ApplicationError(
            f"{place.name} could not be written ({error.strerror or error}); nothing was put in place",
            code="file_not_written",
        ) from error


def refuse_suffix(place: Path, suffixes: tuple[str, ...]) -> None:
    """BusinessError `wrong_format` for a file name of another kind."""
    if place.suffix.lower() not in suffixes:
        raise BusinessError(f"{place.name} must end in {' or '.join(suffixes)}; rename it", code="wrong_format")


def refuse_sheet_names(names: Mapping[str, object]) -> None:
    """BusinessError `sheet_name` for names that a workbook can't have (ECMA-376 18.2.19)."""
    if not names:
        raise BusinessError("a workbook needs a sheet; name one under `sheets`", code="sheet_name")
    seen: set[str] = set()
    for name in names:
        if not _SHEET_NAME.fullmatch(name) or name.startswith("'") or name.endswith("'"):
            raise BusinessError(
                f'"{name}" can\'t be the name of a sheet: at most 31 signs, none of [ ] : * ? / \\', code="sheet_name"
            )
        if name.casefold() in seen:
            raise BusinessError(f'two sheets are called "{name}"; rename one', code="sheet_name")
        seen.add(name.casefold())


def workbook_cell(value: Value, type: Type, place: str, zone: str) -> str | int | float | bool | date | datetime | None:
    """A value as a workbook's cell holds it (line breaks of one kind); `place` names it in the error."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return _workbook_number(value, place)
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if isinstance(value, date):
        if value.year < 1900:
            raise BusinessError(f"{place}: {value.isoformat()} is before 1900, which a workbook does not know",
                                code="cell_not_writable")  # fmt: skip
        return value
    text = (value if isinstance(value, str) else _as_text(value)).replace("\r\n", "\n").replace("\r", "\n")
    bad = _UNWRITABLE.search(text)
    if bad is not None:
        raise BusinessError(
            f"{place}: the text holds the sign U+{ord(bad[0]):04X}, which no workbook can hold; take it out",
            code="cell_not_writable",
        )
    if len(text) > _LONGEST_TEXT:
        raise BusinessError(
            f"{place}: the text has {len(text)} signs, a cell holds {_LONGEST_TEXT}; shorten it",
            code="cell_not_writable",
        )
    return text


def _workbook_number(value: Decimal, place: str) -> int | float:
    digits = len(value.normalize().as_tuple().digits)
    if digits > _MOST_DIGITS:
        raise BusinessError(
            f"{place}: {value:f} has {digits} digits, a workbook holds {_MOST_DIGITS} exactly; write it as text",
            code="cell_not_writable",
        )
    return int(value) if value == value.to_integral_value() else float(value)


def _as_text(value: Value) -> str:
    if isinstance(value, time):
        return value.isoformat("seconds" if value.second else "minutes")
    return value.canonical if isinstance(value, Duration) else format_value(value)


def _write_workbook(aside: Path, sheets: Mapping[str, Table], formats: Formats) -> None:
    with made_book(aside, formats) as (book, styles):
        for name, table in sheets.items():
            write_sheet(book.add_worksheet(name), name, table, styles, formats)


@contextlib.contextmanager
def made_book(aside: Path, formats: Formats) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """A workbook that is being written, and its styles by name; closed at the end."""
    import xlsxwriter  # type: ignore[import-untyped]

    try:
        book = xlsxwriter.Workbook(str(aside), {"constant_memory": True})
        book.set_properties({"created": _MADE, "author": "Interoffice"})
        yield book, _styles(book, formats)
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(str(error)) from error


def _styles(book: Any, formats: Formats) -> dict[str, Any]:
    day = "yyyy-mm-dd" if formats.date == "ISO" else formats.date.replace("M", "m")
    return {
        "header": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "money": book.add_format({"num_format": "#,##0.00##"}),
        "percent": book.add_format({"num_format": "0.00##%"}),
        "date": book.add_format({"num_format": day}),
        "date_time": book.add_format({"num_format": f"{day} hh:mm"}),
        "text": book.add_format({"num_format": "@"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "total": book.add_format({"bold": True, "top": 1, "num_format": "#,##0.00##"}),
    }


def write_sheet(page: Any, name: str, table: Table, styles: Mapping[str, Any], formats: Formats) -> None:
    """The rows of a table below their header, frozen and with a filter."""
    if table.row_count > _MOST_ROWS:
        raise BusinessError(
            f'sheet "{name}" would have {table.row_count} rows, a sheet holds {_MOST_ROWS}', code="cell_not_writable"
        )
    names = list(table.columns)
    for column, width in enumerate(_widths(table)):
        page.set_column(column, column, width)
    for column, title in enumerate(names):
        page.write_string(0, column, title, styles["header"])
    page.freeze_panes(1, 0)
    if names:
        page.autofilter(0, 0, max(1, table.row_count), len(names) - 1)
    for number, row in enumerate(table.rows(), start=1):
        for column, (title, type) in enumerate(table.columns.items()):
            place = f'sheet "{name}", {cell_name(column, number + 1)} ({title})'
            cell = workbook_cell(row[title], type, place, formats.zone)
            _write_cell(page, number, column, cell, styles.get(type.kind))


def _write_cell(page: Any, row: int, column: int, cell: Any, style: Any) -> None:
    """By the typed writers alone: the general one would make formulas and links of texts."""
    if cell is None:
        return
    if isinstance(cell, bool):
        page.write_boolean(row, column, cell)
    elif isinstance(cell, (int, float)):
        page.write_number(row, column, cell, style)
    elif isinstance(cell, (datetime, date)):
        page.write_datetime(row, column, cell, style)
    else:
        page.write_string(row, column, cell, style)


def _widths(table: Table) -> list[int]:
    widths = [len(name) + 4 for name in table.columns]
    for number, row in enumerate(table.rows()):
        if number >= _ROWS_MEASURED:
            break
        texts = [format_value(row[name]) for name in table.columns]
        widths = [max(width, len(text) + 2) for text, width in zip(texts, widths, strict=True)]
    return [min(width, _WIDEST) for width in widths]


def compare_workbook(
    aside: Path, sheets: Mapping[str, Table], name: str, formats: Formats, more: tuple[str, ...] = ()
) -> None:
    """Reopened by another reader than the writer: every cell is there, as it was meant. `more`: sheets before them."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(aside))
        if list(book.sheet_names) != [*more, *sheets]:
            raise_not_as_meant(name, "its sheets")
        for sheet, table in sheets.items():
            _compare_sheet(book.get_sheet_by_name(sheet), sheet, table, name, formats)
    except CalamineError as error:
        raise BusinessError(
            f"{name} could be written but not opened again ({error}); nothing was put in place",
            code="cell_not_writable",
        ) from error


def _compare_sheet(page: Any, sheet: str, table: Table, name: str, formats: Formats) -> None:
    rows = iter(page.iter_rows())
    if table.columns and next(rows, None) != list(table.columns):
        raise_not_as_meant(name, f'the header of sheet "{sheet}"')
    for number, row in enumerate(table.rows(), start=2):
        found: list[Any] = next(rows, [])
        for column, (title, type) in enumerate(table.columns.items()):
            meant = workbook_cell(row[title], type, "", formats.zone)
            there = found[column] if column < len(found) else ""
            if not same_cell(meant, there):
                raise_not_as_meant(name, f'{cell_name(column, number)} of sheet "{sheet}" ({title})')


def same_cell(meant: object, there: object) -> bool:
    """Whether a cell read back holds what was meant."""
    if meant is None or meant == "":
        return there == ""
    if isinstance(meant, str):
        return isinstance(there, str) and meant == there.replace("\r\n", "\n")
    if isinstance(meant, datetime):
        if isinstance(there, datetime):
            return abs((there - meant).total_seconds()) < 1
        return isinstance(there, date) and meant == datetime.combine(there, time())
    if isinstance(meant, date):
        return (there.date() if isinstance(there, datetime) else there) == meant
    return meant == there and isinstance(meant, bool) == isinstance(there, bool)


def raise_not_as_meant(name: str, where: str) -> None:
    """The end of a comparison that failed."""
    raise ApplicationError(
        f"{name}: {where} was not read back as it was meant; nothing was put in place", code="file_not_written",
        transient=False,
    )  # fmt: skip


def sync_file(path: Path) -> None:
    """Make a finished file's content durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _csv_text(contract: Contract, rows: Table, name: str, zone: str) -> str:
    writing, buffer = contract.writing, io.StringIO()
    lines = csv.writer(buffer, delimiter=writing.delimiter, lineterminator="\r\n")
    if contract.trailer is not None:
        raise BusinessError(
            f"{contract.source.file} describes a closing line, which is not written; use a contract without one",
            code="cell_not_writable",
        )
    for _ in range(writing.header_row - 1):
        buffer.write("\r\n")
    columns = list(contract.columns.values())
    lines.writerow([column.header for column in columns])
    for number, row in enumerate(rows.rows(), start=writing.header_row + 1):
        place = f"{name}, line {number}"
        lines.writerow([_csv_cell(row[column.name], column, contract, place, zone) for column in columns])
    return buffer.getvalue()


def _csv_cell(value: Value, column: Column, contract: Contract, place: str, zone: str) -> str:
    writing = contract.writing
    if value is None:
        if column.required:
            raise BusinessError(f'{place}: column "{column.header}" is required, but missing', code="cell_not_writable")
        return ""
    if isinstance(value, Percent):
        value = value * 100 if column.scale == "points" else Decimal(value)
        return _csv_number(value, contract) + ("" if column.scale else " %")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return _csv_number(value, contract)
    if isinstance(value, datetime):
        return format_date(value.astimezone(ZoneInfo(zone)), f"{writing.dates[0]} HH:mm")
    if isinstance(value, date):
        return format_date(value, writing.dates[0])
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, Duration) else _as_text(value)


def _csv_number(value: Decimal, contract: Contract) -> str:
    """Without thousands: a machine reads it."""
    return format_number(value, f"1234{contract.writing.decimal}56")


def _encoded(text: str, contract: Contract, name: str) -> bytes:
    try:
        return text.encode(contract.writing.encoding)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise BusinessError(
            f'{name}, line {line}: "{text[error.start]}" can\'t be written in {contract.writing.encoding} '
            f"({contract.source.file}); replace it or choose utf-8",
            code="cell_not_writable",
        ) from error
