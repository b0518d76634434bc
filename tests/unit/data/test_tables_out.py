"""Tables as files: exact, never a formula, whole or not at all."""

from __future__ import annotations

import csv
import datetime
import os
import time
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from interoffice.errors import ApplicationError, BusinessError
from interoffice.loader.contracts import load_contract
from interoffice.model.contract import Contract
from interoffice.model.table import Table
from interoffice.model.types import DATE, DATE_TIME, DURATION, FILE, MONEY, NUMBER, PERCENT, TEXT, TIME, YES_NO
from interoffice.model.values import Duration, FileValue, Formats, Percent
from interoffice.resources.files import digest_of
from interoffice.resources.table_rows import read_rows
from interoffice.resources.tables_out import NewFile, new_csv, new_workbook

FORMATS = Formats(date="dd.MM.yyyy", zone="Europe/Berlin")
ROOT = Path(__file__).resolve().parents[3]
ATTACKS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "{=1}", "http://example.com",
           "\t=1", "#N/A", "TRUE", "007", "1E5", "MAR1", "_x0041_", "<b>&amp;", "a\nb", "  x ", "'quoted"]  # fmt: skip


class Keeping:
    """Keeps nothing, for tests that look at the file itself."""

    def keep(self, path: Path, name: str) -> FileValue:
        return self.held(path)

    def held(self, path: Path) -> FileValue:
        digest, size = digest_of(path)
        return FileValue(path=str(path), name=path.name, sha256=digest, size_bytes=size)


def texts(*cells: str) -> Table:
    return Table.from_rows({"a": TEXT}, [{"a": cell} for cell in cells])


def written(place: Path, **sheets: Table) -> NewFile:
    return new_workbook(place, sheets, FORMATS, Keeping())


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_type_is_a_cell_of_its_own_type(tmp_path: Path) -> None:
    columns = {
        "id": TEXT, "n": NUMBER, "m": MONEY, "p": PERCENT, "d": DATE, "t": DATE_TIME, "c": TIME, "l": DURATION,
        "y": YES_NO, "f": FILE,
    }  # fmt: skip
    row = {
        "id": "00123", "n": Decimal(5), "m": Decimal("1234.56"), "p": Percent("0.15"), "d": datetime.date(2026, 11, 20),
        "t": datetime.datetime(2026, 7, 1, 10, 30, tzinfo=datetime.UTC), "c": datetime.time(9, 5),
        "l": Duration(business_days=2), "y": True,
        "f": FileValue(path="x", name="invoice.pdf", sha256="0" * 64, size_bytes=1),
    }  # fmt: skip
    with written(tmp_path / "a.xlsx", One=Table.from_rows(columns, [row, {}])) as made:
        made.put()
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["One"]
    assert [cell.value for cell in page[1]] == list(columns)
    cells = dict(zip(columns, page[2], strict=True))
    assert [cells[name].value for name in ("id", "n", "m", "p", "c", "l", "y", "f")] == [
        "00123", 5, 1234.56, 0.15, "09:05", "P2B", True, "invoice.pdf",
    ]  # fmt: skip
    assert cells["d"].value.date() == datetime.date(2026, 11, 20)  # type: ignore[union-attr]
    assert cells["t"].value.hour == 12  # type: ignore[union-attr]
    assert cells["d"].number_format == "dd.mm.yyyy"
    assert [cell.value for cell in page[3]] == [None] * 10
    assert page.freeze_panes == "A2"


def test_text_from_outside_is_a_text_and_never_a_formula_or_a_link(tmp_path: Path) -> None:
    with written(tmp_path / "a.xlsx", One=texts(*ATTACKS)) as made:
        made.put()
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["One"]
    cells = [page.cell(row, 1) for row in range(2, len(ATTACKS) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.hyperlink for cell in cells] == [None] * len(ATTACKS)
    of = load_contract("version: 1\ncolumns:\n  a:\n    type: text\n", "tables/a.yaml")
    assert isinstance(of, Contract)
    assert read_rows(tmp_path / "a.xlsx", of).column("a") == ATTACKS


@pytest.mark.parametrize(
    ("cell", "said"),
    [("bad\ufffe", "U+FFFE"), ("\x01", "U+0001"), ("x" * 32_768, "32768 signs")],
)
def test_a_text_that_no_workbook_can_hold_is_an_error_naming_the_cell(tmp_path: Path, cell: str, said: str) -> None:
    table = Table.from_rows({"a": TEXT}, [{"a": "good"}, {"a": cell}])
    with pytest.raises(BusinessError) as raised:
        written(tmp_path / "a.xlsx", One=table)
    assert raised.value.code == "cell_not_writable"
    assert said in str(raised.value)
    assert 'sheet "One", A3 (a)' in str(raised.value)
    assert left(tmp_path) == []


def test_a_number_that_a_workbook_would_round_is_an_error(tmp_path: Path) -> None:
    table = Table.from_rows({"m": MONEY}, [{"m": Decimal("12345678901234.567")}])
    with pytest.raises(BusinessError, match="has 17 digits, a workbook holds 15 exactly"):
        written(tmp_path / "a.xlsx", One=table)


@pytest.mark.parametrize("name", ["a/b", "x" * 32, "what?", "[x]", "", "'x"])
def test_a_name_that_no_sheet_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BusinessError) as raised:
        written(tmp_path / "a.xlsx", **{name: texts("x")})
    assert raised.value.code == "sheet_name"


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    with written(tmp_path / "a.xlsx", One=texts("x", "y")) as made:
        made.put()
    again = written(tmp_path / "a.xlsx", One=texts("x", "y"))
    with again:
        assert again.is_in_place()
    other = written(tmp_path / "a.xlsx", One=texts("x", "z"))
    with other:
        assert not other.is_in_place()
    assert left(tmp_path) == ["a.xlsx"]


def test_what_stands_there_stays_until_the_new_one_is_put(tmp_path: Path) -> None:
    place = tmp_path / "a.xlsx"
    place.write_bytes(b"old")
    with written(place, One=texts("x")):
        assert place.read_bytes() == b"old"
    assert place.read_bytes() == b"old"
    assert left(tmp_path) == ["a.xlsx"]


@pytest.mark.parametrize(
    ("lock", "content", "who"),
    [
        ("~$a.xlsx", b"\x09Anna Berg" + b" " * 40, "by Anna Berg"),
        (".~lock.a.xlsx#", b",anna,DESK-7,22.11.2026 09:00,file:///x;", "by anna on DESK-7"),
        ("~$a.xlsx", b"", "open elsewhere:"),
    ],
)
def test_a_workbook_that_is_open_elsewhere_is_one_sentence_naming_who(
    tmp_path: Path, lock: str, content: bytes, who: str
) -> None:
    (tmp_path / lock).write_bytes(content)
    with pytest.raises(ApplicationError, match=r"a\.xlsx is open elsewhere") as raised:
        written(tmp_path / "a.xlsx", One=texts("x"))
    assert who in str(raised.value)
    assert raised.value.transient
    assert raised.value.code == "file_open"
    assert left(tmp_path) == [lock]


def test_a_workbook_opened_while_the_new_one_is_made_is_not_replaced(tmp_path: Path) -> None:
    place = tmp_path / "a.xlsx"
    place.write_bytes(b"old")
    with written(place, One=texts("x")) as made:
        (tmp_path / "~$a.xlsx").write_bytes(b"\x04Emma")
        with pytest.raises(ApplicationError, match="by Emma"):
            made.put()
    assert place.read_bytes() == b"old"


HOURS = {"employee_no": TEXT, "cost_centre": TEXT, "hours": NUMBER}


def _hours() -> Contract:
    file = ROOT / "tables" / "hours_import.yaml"
    found = load_contract(file.read_text(encoding="utf-8"), "tables/hours_import.yaml")
    assert isinstance(found, Contract)
    return found


def _csv(place: Path, rows: list[dict[str, object]], of: Contract | None = None) -> bytes:
    with new_csv(place, of or _hours(), Table.from_rows(HOURS, rows), "Europe/Berlin", Keeping()) as made:
        made.put()
    return place.read_bytes()


def test_a_csv_for_a_machine_is_written_as_the_contract_says(tmp_path: Path) -> None:
    content = _csv(tmp_path / "a.csv", [{"employee_no": "004711", "cost_centre": "Köln; Süd", "hours": Decimal("7.5")}])
    assert content == 'PERSNO;CC;HOURS\r\n004711;"Köln; Süd";7,5\r\n'.encode("windows-1252")


def test_a_csv_comes_back_as_it_was_meant(tmp_path: Path) -> None:
    rows = [{"employee_no": text, "cost_centre": f"{text} x", "hours": Decimal(number)} for number, text in enumerate(
        ["=1+1", "-5", "007", 'a"b', "a;b", "1E5"])]  # fmt: skip
    _csv(tmp_path / "a.csv", rows)
    assert list(read_rows(tmp_path / "a.csv", _hours()).rows()) == rows
    with (tmp_path / "a.csv").open(encoding="windows-1252", newline="") as file:
        assert [line[0] for line in csv.reader(file, delimiter=";")][1:] == [row["employee_no"] for row in rows]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"employee_no": "1", "cost_centre": "漢", "hours": Decimal(1)}, 'line 2: "漢" can\'t be written'),
        ({"employee_no": None, "cost_centre": "x", "hours": Decimal(1)}, 'column "PERSNO" is required, but missing'),
    ],
)  # fmt: skip
def test_what_the_contract_can_not_hold_is_an_error_and_no_file(
    tmp_path: Path, row: dict[str, object], said: str
) -> None:
    with pytest.raises(BusinessError) as raised:
        _csv(tmp_path / "a.csv", [row])
    assert said in str(raised.value)
    assert left(tmp_path) == []


def test_columns_that_the_contract_wants_are_named_when_they_are_missing(tmp_path: Path) -> None:
    with pytest.raises(BusinessError, match=r"lack cost_centre, hours"):
        new_csv(tmp_path / "a.csv", _hours(), Table.from_rows({"employee_no": TEXT}, []), "UTC", Keeping())


def test_what_a_killed_process_left_aside_is_cleared_by_the_next_one(tmp_path: Path) -> None:
    for name, age_s in ((".a-12345678.xlsx", 7200), (".a-87654321.xlsx", 10)):
        (tmp_path / name).write_bytes(b"")
        moment = time.time() - age_s
        os.utime(tmp_path / name, (moment, moment))
    with written(tmp_path / "a.xlsx", One=texts("x")) as made:
        made.put()
    assert left(tmp_path) == [".a-87654321.xlsx", "a.xlsx"]
