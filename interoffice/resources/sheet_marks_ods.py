"""Errors, percents and zero-filled numbers of cells in an ODS workbook (OpenDocument 1.3, part 3)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final
from xml.parsers import expat

from interoffice.resources.sheet_marks import DamagedWorkbook, Marks, parse_xml

_MOST_REPEATED: Final = 1_100_000


def find_ods_marks(path: Path, sheet: str, formats_of: frozenset[int]) -> Marks:
    """The marks of one sheet; DamagedWorkbook where the file is not what the standard says."""
    walk = _Walk(sheet, formats_of)
    try:
        with zipfile.ZipFile(path) as packed:
            for part in ("styles.xml", "content.xml"):
                if part in packed.namelist():
                    parse_xml(packed.read(part), start=walk.start, end=walk.end)
    except (expat.ExpatError, ValueError, zipfile.BadZipFile, OverflowError) as error:
        raise DamagedWorkbook(str(error)) from error
    return Marks(errors=walk.errors, formats=walk.formats)


class _Walk:
    """One pass: number styles first, then the cells of the sheet, repeated ones counted."""

    def __init__(self, sheet: str, formats_of: frozenset[int]) -> None:
        self.sheet, self.formats_of = sheet, formats_of
        self.errors: dict[tuple[int, int], str] = {}
        self.formats: dict[tuple[int, int], str] = {}
        self.zeros: dict[str, str] = {}
        self.of_cells: dict[str, str] = {}
        self.number_style = ""
        self.inside = False
        self.row, self.column, self.rows_at_once = 0, 0, 1

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "number-style":
            self.number_style = attributes.get("style:name", "")
        elif name == "number" and self.number_style:
            digits = int(attributes.get("number:min-integer-digits", 0))
            if digits > 1:
                self.zeros[self.number_style] = "0" * min(digits, 30)
        elif name == "style" and "style:data-style-name" in attributes:
            self.of_cells[attributes.get("style:name", "")] = attributes["style:data-style-name"]
        elif name == "table":
            self.inside = attributes.get("table:name") == self.sheet
            self.row = 0
        elif self.inside and name == "table-row":
            self.row += self.rows_at_once if self.row else 1
            self.rows_at_once = min(int(attributes.get("table:number-rows-repeated", 1)), _MOST_REPEATED)
            self.column = 0
        elif self.inside and name in ("table-cell", "covered-table-cell"):
            self._cell(attributes)

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name == "number-style":
            self.number_style = ""
        elif name == "table":
            self.inside, self.row, self.rows_at_once = False, 0, 1

    def _cell(self, attributes: dict[str, str]) -> None:
        times = min(int(attributes.get("table:number-columns-repeated", 1)), _MOST_REPEATED)
        code = self._format(attributes)
        is_error = attributes.get("calcext:value-type") == "error"
        if code or is_error:
            for row in range(self.row, self.row + self.rows_at_once):
                for column in range(self.column, self.column + min(times, 20_000)):
                    if is_error:
                        self.errors[row, column] = ""
                    if code and column in self.formats_of:
                        self.formats[row, column] = code
        self.column += times

    def _format(self, attributes: dict[str, str]) -> str:
        if attributes.get("office:value-type") == "percentage":
            return "0%"
        if attributes.get("office:value-type") != "float":
            return ""
        return self.zeros.get(self.of_cells.get(attributes.get("table:style-name", ""), ""), "")
