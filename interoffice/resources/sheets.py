"""The raw cells of a file from outside: CSV, XLSX, XLS, ODS, told apart by content and never by extension.

Runs in the bounded child of `tables_in`: the files are hostile until read. Every refusal is a BusinessError with a
code and the file's name: file_empty, file_unreadable, file_refused, wrong_format, wrong_encoding, sheet_missing.
"""

from __future__ import annotations

import codecs
import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.model.contract import FileFormat, Writing

Cell = str | float | int | bool | date | datetime | time | timedelta
"""A cell as it stands in the file; a blank one is an empty text."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
_PIECE_BYTES: Final = 1 << 20
_LONGEST_CELL: Final = 1_000_000
_NAMES: Final = {
    "csv": "a CSV file", "xlsx": "an XLSX workbook", "xls": "an XLS workbook", "ods": "an ODS workbook",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRow:
    """A row of a file. `number` is what a person finds it by: the sheet's row, or the line of a CSV file."""

    number: int
    cells: list[Cell]


@dataclass(frozen=True, kw_only=True)
class RawSheet:
    """The rows of a file from its header row on."""

    format: FileFormat
    rows: Iterator[RawRow]
    sheet: str = ""

    @property
    def is_workbook(self) -> bool:
        """True of everything but CSV: cells have types, and names like E5."""
        return self.format != "csv"


def open_sheet(
    path: Path, name: str, writing: Writing, *, contract_file: str, sheet: str | None, unpacked_bytes: int
) -> RawSheet:
    """The file's rows, from the header row on. `name` is what people call the file."""
    found = format_of(path, name, unpacked_bytes)
    if found not in writing.formats:
        wanted = ", ".join(writing.formats)
        raise BusinessError(
            f"{name} is {_NAMES[found]}, but {contract_file} takes {wanted}; export it as {writing.formats[0]} or add "
            f"{found} to `formats:`",
            code="wrong_format",
        )
    if found == "csv":
        return RawSheet(format="csv", rows=_csv_rows(path, name, writing, contract_file))
    return _workbook_sheet(path, name, found, sheet or writing.sheet, writing.header_row, contract_file)


def format_of(path: Path, name: str, unpacked_bytes: int) -> FileFormat:
    """What the file is, by its content; a packed file is unpacked once, within bounds, to know that it is whole."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise BusinessError(f"{name} is an empty file (0 bytes); export it again", code="file_empty")
    if head.startswith(b"PK"):
        return _packed_format(path, name, unpacked_bytes)
    if head.startswith(_OLE):
        return _ole_format(path, name)
    if head.startswith(b"%PDF"):
        raise BusinessError(f"{name} is a PDF, not a table; export it as CSV or XLSX", code="wrong_format")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise BusinessError(
            f"{name} is a web page or XML under the name of a table; export it as CSV or XLSX", code="wrong_format"
        )
    return "csv"


def _packed_format(path: Path, name: str, unpacked_bytes: int) -> FileFormat:
    try:
        with zipfile.ZipFile(path) as packed:
            inside = packed.namelist()
            _unpack_all(packed, name, unpacked_bytes)
            kind = packed.read("mimetype").decode("ascii", "replace") if "mimetype" in inside else ""
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError) as error:
        raise BusinessError(
            f"{name} is damaged or cut off and can't be unpacked ({error}); export it again", code="file_unreadable"
        ) from error
    except Exception as error:  # zlib, lzma and bz2 have errors of their own, with no common parent
        if type(error).__module__ not in ("zlib", "lzma", "_lzma", "bz2"):
            raise
        raise BusinessError(f"{name} is damaged ({error}); export it again", code="file_unreadable") from error
    if kind.startswith(_ODS_TYPE):
        return "ods"
    if "xl/workbook.bin" in inside:
        raise BusinessError(f"{name} is an XLSB workbook; save it as XLSX", code="wrong_format")
    if "xl/workbook.xml" in inside or "[Content_Types].xml" in inside:
        return "xlsx"
    raise BusinessError(f"{name} is a ZIP archive, not a workbook; unpack it first", code="wrong_format")


def _unpack_all(packed: zipfile.ZipFile, name: str, unpacked_bytes: int) -> None:
    """Every part read to its end (its checksum with it), the sum of bytes bounded: what a part says is not believed."""
    total = 0
    for part in packed.infolist():
        with packed.open(part) as content:
            while piece := content.read(_PIECE_BYTES):
                total += len(piece)
                if total > unpacked_bytes:
                    raise BusinessError(
                        f"{name} would unpack to more than {unpacked_bytes // 1_000_000} MB "
                        "(settings.yaml, files.unpacked_at_most); it was not read",
                        code="file_refused",
                    )


def _ole_format(path: Path, name: str) -> FileFormat:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise BusinessError(f"{name} is protected by a password; save it without one", code="file_refused")
    if "WordDocument".encode("utf-16-le") in content:
        raise BusinessError(f"{name} is a Word document, not a table", code="wrong_format")
    return "xls"


def _csv_rows(path: Path, name: str, writing: Writing, contract_file: str) -> Iterator[RawRow]:
    encoding = _text_encoding(path, name, writing.encoding, contract_file)
    csv.field_size_limit(_LONGEST_CELL)
    with open(path, encoding=encoding, newline="") as file:
        lines = csv.reader(file, delimiter=writing.delimiter, strict=True)
        before = 0
        try:
            for fields in lines:
                number, before = before + 1, lines.line_num
                if number < writing.header_row or not any(field.strip() for field in fields):
                    continue
                yield RawRow(number=number, cells=list(fields))
        except csv.Error as error:
            raise BusinessError(
                f"{name}, line {before + 1}: {_csv_reason(error)}; export it again", code="file_unreadable"
            ) from error


def _csv_reason(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote is opened and never closed, or the file is cut off"
    if "expected after" in text:
        return "a quote is closed in the middle of a field"
    if "field larger" in text:
        return f"a field is longer than {_LONGEST_CELL} characters"
    return f"it can't be read ({text})"


def _text_encoding(path: Path, name: str, declared: str, contract_file: str) -> str:
    """The encoding to read with, once the whole file has been decoded by it; BusinessError when it is another one."""
    codec = codecs.lookup(declared).name
    with path.open("rb") as file:
        head = file.read(4)
    marked = _marked_encoding(head)
    if marked and codec.replace("_", "-") not in (marked, marked.removesuffix("-sig")) and not codec.startswith(marked):
        _refuse_encoding(name, marked.removesuffix("-sig"), declared, contract_file)
    is_utf8 = _first_undecodable(path, "utf-8") is None
    if codec not in ("utf-8", "ascii") and not codec.startswith("utf-16") and is_utf8 and not _is_ascii(path):
        _refuse_encoding(name, "utf-8", declared, contract_file)
    if not (marked or codec).startswith("utf-16") and _holds_zero_bytes(path):
        raise BusinessError(
            f"{name} holds zero bytes: it is UTF-16 without a mark, or no text at all; export it as {declared}",
            code="wrong_encoding",
        )
    wrong = _first_undecodable(path, marked or declared)
    if wrong is not None:
        byte, line = wrong
        raise BusinessError(
            f"{name} is not {declared}, as {contract_file} says: byte 0x{byte:02X} in line {line}"
            f"{_seems(path, is_utf8)}; export it as {declared} or change `encoding:`",
            code="wrong_encoding",
        )
    return marked or declared


def _marked_encoding(head: bytes) -> str:
    """The encoding that a byte order mark says, "" without one."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""


def _refuse_encoding(name: str, found: str, declared: str, contract_file: str) -> None:
    raise BusinessError(
        f"{name} is {found}, but {contract_file} says {declared}; export it as {declared} or write `encoding: {found}`",
        code="wrong_encoding",
    )


def _first_undecodable(path: Path, encoding: str) -> tuple[int, int] | None:
    """The first byte that this encoding has no character for, and its line; None when all decodes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE_BYTES)
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                return error.object[error.start], line + before.count(b"\n")
            if not piece:
                return None
            line += piece.count(b"\n")


def _seems(path: Path, is_utf8: bool) -> str:
    if is_utf8:
        return " (it reads as utf-8)"
    return " (it reads as windows-1252)" if _first_undecodable(path, "cp1252") is None else ""


def _is_ascii(path: Path) -> bool:
    return _first_undecodable(path, "ascii") is None


def _holds_zero_bytes(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b"\0" in piece for piece in iter(lambda: file.read(_PIECE_BYTES), b""))


def _workbook_sheet(
    path: Path, name: str, found: FileFormat, sheet: str | None, header_row: int, contract_file: str
) -> RawSheet:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(path.open("rb"))  # by path it would go by the extension
        chosen = _choose_sheet(book, name, sheet, contract_file)
        page = book.get_sheet_by_name(chosen)
    except CalamineError as error:
        raise BusinessError(f"{name} can't be read ({error}); export it again", code="file_unreadable") from error
    return RawSheet(format=found, rows=_sheet_rows(page, header_row), sheet=chosen)


def _choose_sheet(book: Any, name: str, sheet: str | None, contract_file: str) -> str:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    names = [str(one) for one in book.sheet_names]
    if sheet is not None:
        if sheet in names:
            return sheet
        raise BusinessError(
            f'{name} has no sheet "{sheet}"; it has {", ".join(names) or "none"}', code="sheet_missing"
        )
    shown = [
        one.name
        for one in book.sheets_metadata
        if one.visible == SheetVisibleEnum.Visible and one.typ == SheetTypeEnum.WorkSheet
    ]
    if len(shown) == 1:
        return str(shown[0])
    if not shown:
        raise BusinessError(f"{name} has no visible sheet; show one or export it again", code="sheet_missing")
    filled = [one for one in shown if book.get_sheet_by_name(one).start is not None]
    if len(filled) == 1:
        return str(filled[0])
    raise BusinessError(
        f"{name} has {len(shown)} sheets ({', '.join(shown)}); name one: `sheet:` under `source:` in {contract_file}",
        code="sheet_missing",
    )


def _sheet_rows(page: Any, header_row: int) -> Iterator[RawRow]:
    if page.start is None:
        return
    first_row, first_column = page.start
    indent: list[Cell] = [""] * first_column
    for number, cells in enumerate(page.iter_rows(), start=1):
        if number < header_row or number <= first_row:
            continue
        if not any(cell != "" for cell in cells):
            continue
        yield RawRow(number=number, cells=indent + cells)


def cell_name(column: int, row: int) -> str:
    """The name of a cell in a workbook: column 0, row 5 is A5."""
    letters = ""
    left = column + 1
    while left:
        left, rest = divmod(left - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
