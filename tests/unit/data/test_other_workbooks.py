"""XLS and ODS: read like XLSX, with the errors and number formats that the reader leaves out."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.errors import BusinessError
from interoffice.loader.contracts import load_contract
from interoffice.model.contract import Contract
from interoffice.resources.table_rows import read_rows
from interoffice.resources.tables_in import TableReader
from tests.support.old_sheets import xls
from tests.support.sheets import MANIFEST


def made(columns: str) -> Contract:
    found = load_contract(f"version: 1\ncolumns:\n{columns}", "tables/made.yaml")
    assert isinstance(found, Contract)
    return found


ALL = made(
    "  id:\n    type: text\n  amount:\n    type: money\n  share:\n    type: percent\n    scale: points\n"
    "  name:\n    type: text\n"
)
HEADER = ["id", "amount", "share", "name"]


def refused(path: Path) -> str:
    with pytest.raises(BusinessError) as raised:
        read_rows(path, ALL)
    assert raised.value.code == "wrong_cells"
    return str(raised.value)


def test_an_xls_workbook_is_read_with_its_formats(tmp_path: Path) -> None:
    rows = [HEADER, [4711.0, 1234.5, 0.15, "Müller €"], ["007", 5.0, 15.0, None]]
    path = xls(tmp_path / "a.xls", rows, formats={(1, 0): "000000", (1, 2): "0.0%"})
    assert list(read_rows(path, ALL).rows()) == [
        {"id": "004711", "amount": Decimal("1234.5"), "share": Decimal("0.15"), "name": "Müller €"},
        {"id": "007", "amount": Decimal(5), "share": Decimal("0.15"), "name": None},
    ]


def test_an_error_in_an_xls_workbook_is_not_a_blank(tmp_path: Path) -> None:
    path = xls(tmp_path / "a.xls", [HEADER, ["1", "#N/A", 15.0, "x"], ["2", 5.0, "#DIV/0!", "y"]])
    message = refused(path)
    assert 'B2 (row 2, column "amount"): shows the error #N/A' in message
    assert 'C3 (row 3, column "share"): shows the error #DIV/0!' in message


def test_a_damaged_xls_workbook_is_one_sentence_even_where_its_reader_panics(tmp_path: Path) -> None:
    """Cut off in its directory, the file makes python-calamine 0.9.1 panic: a BaseException."""
    content = xls(tmp_path / "a.xls", [HEADER, ["1", 2.0, 3.0, "x"]]).read_bytes()
    with TableReader(out=tmp_path / "tables") as reader:
        for length in (520, 1000, 1116, 1500, 2000):
            (tmp_path / "b.xls").write_bytes(content[:length])
            with pytest.raises(BusinessError, match=r"b\.xls") as raised:
                reader.read(tmp_path / "b.xls", ALL)
            assert raised.value.code in ("file_unreadable", "wrong_header", "sheet_missing")
        assert reader.read(tmp_path / "a.xls", ALL).row_count == 1


NAMES = "".join(
    f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"), ("number", "datastyle"),
    )
)  # fmt: skip


def _ods(place: Path, cells: str) -> Path:
    header = "".join(TEXT.replace("x<", f"{name}<") for name in HEADER)
    styles = (
        '<number:number-style style:name="N1"><number:number number:min-integer-digits="6"/></number:number-style>'
        '<style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
    )
    content = (
        f'<?xml version="1.0"?><office:document-content{NAMES} xmlns:calcext="urn:x">'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="Sheet1"><table:table-row table:number-rows-repeated="2">'
        f'<table:table-cell table:number-columns-repeated="4"/></table:table-row>'
        f"<table:table-row>{header}</table:table-row><table:table-row>{cells}</table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        packed.writestr("META-INF/manifest.xml", MANIFEST)
    return place


def _number(kind: str, value: str, style: str = "") -> str:
    named = f' table:style-name="{style}"' if style else ""
    start = f'<table:table-cell{named} office:value-type="{kind}" office:value="{value}">'
    return f"{start}<text:p>?</text:p></table:table-cell>"


TEXT = '<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell>'
ERROR = (
    '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
)
THIRD = made("  id:\n    type: text\n")


def _third(of: Contract) -> Contract:
    text = f"version: 1\nsource:\n  header_row: 3\n{of.source.text.removeprefix('version: 1')}"
    found = load_contract(text, "tables/made.yaml")
    assert isinstance(found, Contract)
    return found


def test_an_ods_workbook_is_read_with_its_formats(tmp_path: Path) -> None:
    cells = _number("float", "4711", "ce1") + _number("float", "5.5") + _number("percentage", "0.15") + TEXT
    assert list(read_rows(_ods(tmp_path / "a.ods", cells), _third(ALL)).rows()) == [
        {"id": "004711", "amount": Decimal("5.5"), "share": Decimal("0.15"), "name": "x"}
    ]
    cells = _number("float", "4711") + _number("float", "5.5") + _number("float", "15") + TEXT
    row = next(read_rows(_ods(tmp_path / "b.ods", cells), _third(ALL)).rows())
    assert (row["id"], row["share"]) == ("4711", Decimal("0.15"))


def test_an_error_in_an_ods_workbook_is_not_a_blank(tmp_path: Path) -> None:
    cells = TEXT + ERROR + _number("percentage", "0.15") + TEXT
    with pytest.raises(BusinessError, match=r'B4 \(row 4, column "amount"\): shows the error'):
        read_rows(_ods(tmp_path / "a.ods", cells), _third(ALL))
