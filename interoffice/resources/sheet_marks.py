"""What a workbook says of its cells that the reader leaves out: errors, and number formats. Here for XLSX.

The reader (python-calamine 0.9.1, measured) gives an error cell as blank and a number without its format. So #N/A would
pass as missing, 15 % as 0.15 points, and the id 004711, typed as a number and shown by the format 000000, as 4711.
The sheet's XML is walked only when it holds an error, or a telling format (ECMA-376 18.8.30) in a column asked for.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

PERCENT_IDS: Final = {9: "0%", 10: "0.00%"}
"""Number formats that every workbook knows by number (ECMA-376 18.8.30)."""
FIRST_CUSTOM_ID: Final = 164
_PLAIN: Final = re.compile(r"general|@|[#,]*0(\.[0#]+)?(;.*)?", re.IGNORECASE)
_PADDED: Final = re.compile(r"0{2,}")
_CELL: Final = re.compile(r"([A-Z]+)(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """By (row from 1, column from 0): the error that a cell shows, and its number format where that is telling."""

    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    formats: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def error(self, row: int, column: int) -> str | None:
        """`#N/A` and its like, where the cell shows one."""
        return self.errors.get((row, column))

    def is_percent(self, row: int, column: int) -> bool:
        """True where the cell shows its number with a % sign."""
        return "%" in self.formats.get((row, column), "")

    def zeros(self, row: int, column: int) -> int:
        """To how many digits the cell's format fills up with zeros; 0 where it doesn't."""
        code = self.formats.get((row, column), "")
        return len(code) if _PADDED.fullmatch(code) else 0

    def shown_otherwise(self, row: int, column: int) -> str | None:
        """The number format of a cell that shows other characters than its number's digits."""
        return self.formats.get((row, column))


def find_xlsx_marks(path: Path, sheet: str, formats_of: frozenset[int]) -> Marks:
    """The marks of one sheet; number formats only of the columns in `formats_of`. DamagedWorkbook where it is one."""
    try:
        return _find_marks(path, sheet, formats_of)
    except (expat.ExpatError, ValueError, KeyError, OverflowError, zipfile.BadZipFile) as error:
        raise DamagedWorkbook(str(error)) from error


class DamagedWorkbook(Exception):
    """A workbook's XML is not what the standard says."""


def _find_marks(path: Path, sheet: str, formats_of: frozenset[int]) -> Marks:
    with zipfile.ZipFile(path) as packed:
        content = packed.read(_sheet_part(packed, sheet))
        telling = _telling_styles(packed) if formats_of else {}
    used = {index for index in telling if re.search(rb'\bs=["\']%d["\']' % index, content)}
    if not used and not re.search(rb'\bt=["\']e["\']', content):
        return Marks()
    walk = _Walk({index: telling[index] for index in used}, formats_of)
    parse_xml(content, start=walk.start, end=walk.end, text=walk.text)
    return Marks(errors=walk.errors, formats=walk.formats)


class _Walk:
    """One pass over the cells of a sheet; a cell without a reference stands right of the one before."""

    def __init__(self, telling: Mapping[int, str], formats_of: frozenset[int]) -> None:
        self.telling, self.formats_of = telling, formats_of
        self.errors: dict[tuple[int, int], str] = {}
        self.formats: dict[tuple[int, int], str] = {}
        self.row, self.column = 0, -1
        self.is_error = self.in_value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = -1
        elif name == "c":
            self._cell(attributes)
        elif name == "v":
            self.in_value = self.is_error

    def _cell(self, attributes: dict[str, str]) -> None:
        found = _CELL.fullmatch(attributes.get("r", ""))
        self.column = column_number(found[1]) if found else self.column + 1
        place = (self.row, self.column)
        self.is_error = attributes.get("t") == "e"
        if self.is_error:
            self.errors[place] = ""
        code = self.telling.get(int(attributes.get("s", -1)))
        if code is not None and self.column in self.formats_of:
            self.formats[place] = code

    def end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "v":
            self.in_value = False

    def text(self, text: str) -> None:
        if self.in_value:
            self.errors[self.row, self.column] += text


def is_telling(code: str) -> bool:
    """True of a number format that shows more than the number's digits, or more digits."""
    return _PADDED.fullmatch(code) is not None or _PLAIN.fullmatch(code) is None


def column_number(letters: str) -> int:
    """The column of its letters: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _sheet_part(packed: zipfile.ZipFile, sheet: str) -> str:
    """The part of the package that holds the sheet."""
    relation = ""
    for tag, attributes in _elements(packed, "xl/workbook.xml"):
        if tag == "sheet" and attributes.get("name") == sheet:
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
    for tag, attributes in _elements(packed, "xl/_rels/workbook.xml.rels"):
        if tag == "Relationship" and attributes.get("Id") == relation:
            return posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/")
    raise ValueError(f'the sheet "{sheet}" is named but not there')


def _telling_styles(packed: zipfile.ZipFile) -> dict[int, str]:
    """Style index -> number format, for the formats that show more than the number's digits."""
    codes, styles, in_cells = dict(PERCENT_IDS), {}, False
    index = 0
    for tag, attributes in _elements(packed, "xl/styles.xml"):
        if tag == "numFmt" and int(attributes.get("numFmtId", 0)) >= FIRST_CUSTOM_ID:
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            in_cells = True
        elif tag == "cellStyles":
            in_cells = False
        elif tag == "xf" and in_cells:
            code = codes.get(int(attributes.get("numFmtId", 0)), "General")
            if is_telling(code):
                styles[index] = code
            index += 1
    return styles


def _elements(packed: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    if part in packed.namelist():
        parse_xml(packed.read(part), start=lambda tag, attributes: found.append((tag.rpartition(":")[2], attributes)))
    return found


def parse_xml(content: bytes, *, start: Any, end: Any = None, text: Any = None) -> None:
    """Walk a part's XML; a document type (and with it every entity) is refused."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(content, True)


def _refuse_doctype(*_: object) -> None:
    raise ValueError("its XML declares a document type, which no workbook needs")
