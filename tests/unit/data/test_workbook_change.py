"""Rows put into an existing workbook by key: all else stays as it was, or the workbook is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table as ListObject

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, TEXT
from interoffice.model.values import FileValue, Formats
from interoffice.resources.files import digest_of
from interoffice.resources.workbook_change import Change, changed_workbook, rows_stand_in

FORMATS = Formats(zone="Europe/Berlin")
COLUMNS = {"deal_id": TEXT, "amount": MONEY, "closed": DATE}


class Keeping:
    """Keeps nothing, for tests that look at the file itself."""

    def keep(self, path: Path, name: str) -> FileValue:
        return self.held(path)

    def held(self, path: Path) -> FileValue:
        digest, size = digest_of(path)
        return FileValue(path=str(path), name=path.name, sha256=digest, size_bytes=size)


def rows(*cells: tuple[str | None, str | None, int]) -> Table:
    return Table.from_rows(
        COLUMNS,
        [
            {"deal_id": deal, "amount": None if amount is None else Decimal(amount),
             "closed": datetime.date(2026, 11, day)}
            for deal, amount, day in cells
        ],
    )  # fmt: skip


def upsert(place: Path, table: Table, key: tuple[str, ...] = ("deal_id",), sheet: str = "Orders") -> Change:
    change = changed_workbook(place, sheet, key, table, formats=FORMATS, keeper=Keeping())
    if change.file is not None:
        with change.file as made:
            made.put()
    return change


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger that people keep: titles, formats, a formula column, a filter, a second sheet."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Orders"
    page.append(["Deal ID", "Amount", "Closed", "With VAT", "Remark"])
    page.append(["D-1", 100, datetime.date(2026, 11, 1), "=B2*1.19", "paid"])
    page.append(["D-2", 200.5, datetime.date(2026, 11, 2), "=B3*1.19", None])
    for row in (2, 3):
        page.cell(row, 1).font = Font(bold=True, color="FF0000")
        page.cell(row, 2).number_format = "#,##0.00 €"
        page.cell(row, 3).number_format = "dd.mm.yyyy"
    page.auto_filter.ref = "A1:E3"
    page.column_dimensions["A"].width = 33
    page.conditional_formatting.add("B2:B99", CellIsRule(operator="lessThan", formula=["0"], fill=PatternFill("solid")))
    other = book.create_sheet("Notes")
    other["A1"] = "=SUM(Orders!B2:B3)"
    other["B2"] = "keep me"
    book.save(tmp_path / "ledger.xlsx")
    return tmp_path / "ledger.xlsx"


def page_of(place: Path, sheet: str = "Orders") -> Any:
    return openpyxl.load_workbook(place)[sheet]


def test_new_rows_go_below_and_known_ones_are_replaced(ledger: Path) -> None:
    change = upsert(ledger, rows(("D-2", "250", 2), ("D-3", "300", 3)))
    assert (change.added, change.changed) == (1, 1)
    page = page_of(ledger)
    standing = [[cell.value for cell in row[:2]] for row in page.iter_rows(min_row=2)]
    assert standing == [["D-1", 100], ["D-2", 250], ["D-3", 300]]
    assert page["E2"].value == "paid"


def test_formats_formulas_filters_and_other_sheets_stay(ledger: Path) -> None:
    upsert(ledger, rows(("D-3", "300", 3)))
    page = page_of(ledger)
    assert page["A4"].font.bold
    assert page["B4"].number_format == "#,##0.00 €"
    assert page["C4"].number_format == "dd.mm.yyyy"
    assert page["D4"].value == "=B4*1.19"
    assert page["E4"].value is None
    assert page.auto_filter.ref == "A1:E4"
    assert page.column_dimensions["A"].width == 33
    assert len(page.conditional_formatting) == 1
    assert page_of(ledger, "Notes")["A1"].value == "=SUM(Orders!B2:B3)"
    assert page_of(ledger, "Notes")["B2"].value == "keep me"


def test_rows_that_stand_there_change_nothing(ledger: Path) -> None:
    before = ledger.read_bytes()
    change = upsert(ledger, rows(("D-1", "100", 1), ("D-2", "200.50", 2)))
    assert change == Change(file=None, added=0, changed=0)
    assert ledger.read_bytes() == before
    assert rows_stand_in(ledger, "Orders", ("deal_id",), rows(("D-1", "100", 1)), formats=FORMATS)
    assert not rows_stand_in(ledger, "Orders", ("deal_id",), rows(("D-1", "101", 1)), formats=FORMATS)
    assert not rows_stand_in(ledger, "Orders", ("deal_id",), rows(("D-9", "100", 1)), formats=FORMATS)


def test_twice_the_same_rows_are_there_once(ledger: Path) -> None:
    for _ in range(2):
        upsert(ledger, rows(("D-3", "300", 3), ("D-4", None, 4)))
    assert [cell.value for cell in page_of(ledger)["A"]] == ["Deal ID", "D-1", "D-2", "D-3", "D-4"]


def test_a_missing_value_empties_the_cell(ledger: Path) -> None:
    upsert(ledger, rows(("D-1", None, 1)))
    assert page_of(ledger)["B2"].value is None


def test_a_workbook_or_sheet_that_is_missing_is_made(tmp_path: Path, ledger: Path) -> None:
    change = upsert(tmp_path / "new.xlsx", rows(("D-1", "5", 1)))
    assert change.added == 1
    assert page_of(tmp_path / "new.xlsx")["A2"].value == "D-1"
    upsert(ledger, rows(("D-1", "5", 1)), sheet="More")
    assert page_of(ledger, "More")["A2"].value == "D-1"
    assert page_of(ledger)["A2"].value == "D-1"


def test_no_rows_make_a_workbook_with_its_header_alone(tmp_path: Path) -> None:
    change = upsert(tmp_path / "new.xlsx", rows())
    assert change.added == 0
    assert [cell.value for cell in page_of(tmp_path / "new.xlsx")[1]] == list(COLUMNS)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "@x", "#N/A", "http://example.com", "_x0041_", "_x000D_", "  x ", "a\nb", "漢字", "1E5", "007"],
)
def test_text_is_a_text_cell_whatever_it_holds_and_is_known_again(ledger: Path, text: str) -> None:
    assert upsert(ledger, rows((text, "1", 1))).added == 1
    cell = page_of(ledger)["A4"]
    assert cell.data_type == "s"
    assert cell.value.replace("_x005F_", "_") == text
    assert upsert(ledger, rows((text, "1", 1))) == Change(file=None, added=0, changed=0)


def test_a_key_is_known_whether_its_cell_is_text_or_number(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Orders"
    book.active.append(["Deal ID", "Amount", "Closed"])
    book.active.append([4711, 1, datetime.date(2026, 11, 1)])
    book.save(tmp_path / "a.xlsx")
    change = upsert(tmp_path / "a.xlsx", rows(("4711", "1", 1)))
    assert change.added == 0


def test_several_columns_can_be_the_key(ledger: Path) -> None:
    table = rows(("D-1", "7", 1), ("D-1", "8", 9))
    change = upsert(ledger, table, key=("deal_id", "closed"))
    assert (change.added, change.changed) == (1, 1)


def test_a_table_of_excel_grows_with_its_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Orders"
    page.append(["deal_id", "amount", "closed"])
    page.append(["D-1", 1, datetime.date(2026, 11, 1)])
    page.add_table(ListObject(displayName="Orders", ref="A1:C2"))
    book.save(tmp_path / "a.xlsx")
    upsert(tmp_path / "a.xlsx", rows(("D-2", "2", 2)))
    assert page_of(tmp_path / "a.xlsx").tables["Orders"].ref == "A1:C3"


@pytest.mark.parametrize(
    ("table", "key", "code", "said"),
    [
        (rows(("D-9", "1", 1), ("D-9", "2", 1)), ("deal_id",), "wrong_key", "two rows have the key D-9"),
        (rows((None, "1", 1)), ("deal_id",), "wrong_key", "row 1 has no value in its key"),
        (rows(("D-9", "1", 1)), ("deal",), "wrong_key", 'no column "deal" to be the key'),
        (Table.from_rows({"deal_id": TEXT, "vat": MONEY}, [{"deal_id": "D-1"}]), ("deal_id",), "wrong_header",
         'has no column "vat"'),
        (Table.from_rows({"deal_id": TEXT, "with_vat": MONEY}, [{"deal_id": "D-1", "with_vat": Decimal(1)}]),
         ("deal_id",), "formula_there", "D2: a formula stands where a value belongs"),
        (Table.from_rows({"number": TEXT}, [{"number": "x"}]), ("number",), "wrong_header", "no header with number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    ledger: Path, table: Table, key: tuple[str, ...], code: str, said: str
) -> None:
    before = ledger.read_bytes()
    with pytest.raises(BusinessError) as raised:
        upsert(ledger, table, key=key)
    assert raised.value.code == code
    assert said in str(raised.value)
    assert ledger.read_bytes() == before
    assert [path.name for path in ledger.parent.iterdir()] == ["ledger.xlsx"]


def test_a_key_that_stands_twice_in_the_sheet_is_refused(ledger: Path) -> None:
    book = openpyxl.load_workbook(ledger)
    book["Orders"]["A3"] = "D-1"
    book.save(ledger)
    with pytest.raises(BusinessError, match="has the key D-1 in rows 2 and 3"):
        upsert(ledger, rows(("D-9", "1", 1)))


def test_what_stands_below_the_entries_is_never_overwritten(ledger: Path) -> None:
    book = openpyxl.load_workbook(ledger)
    book["Orders"]["B4"] = "=SUM(B2:B3)"
    book.save(ledger)
    with pytest.raises(BusinessError, match="B4 below the last entry is not empty"):
        upsert(ledger, rows(("D-9", "1", 1)))


def test_a_workbook_whose_charts_would_be_lost_is_refused(ledger: Path) -> None:
    book = openpyxl.load_workbook(ledger)
    chart = BarChart()
    chart.add_data(Reference(book["Orders"], min_col=2, min_row=1, max_row=3))
    book["Notes"].add_chart(chart, "D2")
    book.save(ledger)
    before = ledger.read_bytes()
    with pytest.raises(BusinessError, match="charts and drawings, which would be lost") as raised:
        upsert(ledger, rows(("D-9", "1", 1)))
    assert raised.value.code == "workbook_not_changeable"
    assert ledger.read_bytes() == before


def test_a_workbook_changed_by_somebody_meanwhile_is_not_overwritten(ledger: Path) -> None:
    change = changed_workbook(ledger, "Orders", ("deal_id",), rows(("D-9", "1", 1)), formats=FORMATS, keeper=Keeping())
    assert change.file is not None
    other = ledger.read_bytes() + b" "
    with change.file as made:
        ledger.write_bytes(other)
        with pytest.raises(ApplicationError, match="changed by somebody else") as raised:
            made.put()
    assert raised.value.transient
    assert ledger.read_bytes() == other


def test_a_damaged_workbook_is_one_sentence(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[:2000])
    with pytest.raises(BusinessError) as raised:
        upsert(ledger, rows(("D-9", "1", 1)))
    assert raised.value.code == "file_unreadable"
