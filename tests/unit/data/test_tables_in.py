"""Files from outside against a contract: typed exactly, or refused with the place, the value and what to do."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from interoffice.errors import BusinessError
from interoffice.loader.contracts import load_contract
from interoffice.model.contract import Contract
from interoffice.model.table import Table
from interoffice.resources.table_rows import Bounds, read_rows
from tests.support.sheets import changed_part, ods, workbook

ROOT = Path(__file__).resolve().parents[3]
PATTERNS = {"deal_id": "D-####", "employee_no": "######"}
HEADER = ["Deal", "Customer", "ERP customer no.", "Region", "Amount", "Currency", "Discount %", "Closed"]
ROW = ["D-1042", "Müller, Söhne", "00012", "EMEA", "1,234.50", "EUR", "15", "2026-11-20"]
HEAD = ",".join(HEADER).encode() + b"\n"
DAY = datetime.date(2026, 11, 20)


def contract(name: str = "won_deals", **changed: str) -> Contract:
    """A contract of tables/ in which some texts are replaced."""
    text = (ROOT / "tables" / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in changed.items():
        text = text.replace(old, new)
    found = load_contract(text, f"tables/{name}.yaml")
    assert isinstance(found, Contract)
    return found


def made(text: str) -> Contract:
    """A contract of its own."""
    found = load_contract(f"version: 1\n{text}", "tables/made.yaml")
    assert isinstance(found, Contract)
    return found


def read(path: Path, of: Contract | None = None, **how: Any) -> Table:
    return read_rows(path, of or contract(), patterns=PATTERNS, **{"zone": "Europe/Berlin", **how})


def csv_file(folder: Path, *rows: list[str], header: list[str] | None = None, encoding: str = "utf-8") -> Path:
    lines = [",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in [header or HEADER, *rows]]
    place = folder / "deals.csv"
    place.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return place


def refused(path: Path, code: str, of: Contract | None = None, **how: Any) -> str:
    """The message of a refusal."""
    with pytest.raises(BusinessError) as raised:
        read(path, of, **how)
    assert raised.value.code == code, raised.value
    return str(raised.value)


def with_cell(**cells: str) -> list[str]:
    """ROW with other cells, by header in small letters."""
    names = {"deal": 0, "customer": 1, "erp": 2, "region": 3, "amount": 4, "currency": 5, "discount": 6, "closed": 7}
    row = list(ROW)
    for name, cell in cells.items():
        row[names[name]] = cell
    return row


# what is read


def test_a_csv_export_is_typed_by_its_contract(tmp_path: Path) -> None:
    row = next(read(csv_file(tmp_path, ROW)).rows())
    assert row == {
        "deal_id": "D-1042", "customer_name": "Müller, Söhne", "erp_customer_no": "00012", "region": "EMEA",
        "amount": Decimal("1234.5"), "currency": "EUR", "discount_percent": Decimal("0.15"), "closed": DAY,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods"])
def test_the_kind_of_a_file_is_its_content_and_not_its_name(tmp_path: Path, kind: str) -> None:
    of = made("columns:\n  id:\n    type: text\n  n:\n    type: number\n")
    rows = [["id", "n"], ["007", "5"]]
    source = tmp_path / "a"
    if kind == "csv":
        source.write_text("id,n\n007,5\n", encoding="utf-8")
    elif kind == "xlsx":
        workbook(tmp_path / "b.xlsx", rows).rename(source)
    else:
        ods(source, rows)
    for name in ("report.pdf", "report.csv", "report.xls", "report"):
        place = source.rename(tmp_path / name)
        assert list(read(place, of).rows()) == [{"id": "007", "n": Decimal(5)}]
        source = place


def test_all_kinds_of_one_table_have_one_digest(tmp_path: Path) -> None:
    of = made("columns:\n  id:\n    type: text\n  n:\n    type: number\n")
    text = tmp_path / "a.csv"
    text.write_text("id,n\n007,5\n008,\n", encoding="utf-8")
    book = workbook(tmp_path / "a.xlsx", [["id", "n"], ["007", 5], ["008", None]])
    assert read(text, of).digest == read(book, of).digest


def test_an_export_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    table = read(csv_file(tmp_path))
    assert table.row_count == 0
    assert list(table.columns) == list(contract().columns)
    assert read(workbook(tmp_path / "a.xlsx", [HEADER])).row_count == 0


def test_headers_are_found_by_every_alias_whatever_their_order_case_and_blanks(tmp_path: Path) -> None:
    header = ["closed  on ", "DEAL ID", "Account", "ERP no.", "Region", "Net amount", "Currency", "Discount %", "Rep"]
    row = ["2026-11-20", "D-1042", "B", "7", "EMEA", "5", "EUR", "1", "Mia"]
    found = next(read(csv_file(tmp_path, row, header=header)).rows())
    assert found["deal_id"] == "D-1042"
    assert found["closed"] == DAY
    assert "rep" not in found


def test_blank_rows_and_blank_cells_are_no_data(tmp_path: Path) -> None:
    table = read(csv_file(tmp_path, ROW, [""] * 8, with_cell(deal="D-1043", discount=" ", erp=""), [" "] * 8))
    assert table.column("deal_id") == ["D-1042", "D-1043"]
    assert table.column("erp_customer_no") == ["00012", None]
    assert table.column("discount_percent") == [Decimal("0.15"), None]


def test_unknown_columns_are_ignored_kept_or_refused_as_the_contract_says(tmp_path: Path) -> None:
    place = csv_file(tmp_path, [*ROW, "Mia B."], header=[*HEADER, "Sales Rep"])
    assert "sales_rep" not in read(place).columns
    kept = read(place, contract(unknown_columns__ignore="") if False else contract(ignore="keep"))
    assert kept.column("sales_rep") == ["Mia B."]
    message = refused(place, "wrong_header", contract(ignore="error"))
    assert 'column "Sales Rep" is not in the contract' in message


def test_a_missing_value_gets_what_the_contract_says(tmp_path: Path) -> None:
    of = made("columns:\n  a:\n    type: text\n  c:\n    type: choice\n    choices: [A, C]\n    missing_is: C\n")
    place = tmp_path / "a.csv"
    place.write_text("a,c\nx,\ny,A\n", encoding="utf-8")
    assert read(place, of).column("c") == ["C", "A"]


def test_the_encoding_of_the_contract_is_used(tmp_path: Path) -> None:
    of = contract(**{"encoding: utf-8": "encoding: windows-1252"})
    assert read(csv_file(tmp_path, ROW, encoding="windows-1252"), of).column("customer_name") == ["Müller, Söhne"]
    of = contract(**{"encoding: utf-8": "encoding: utf-16"})
    assert read(csv_file(tmp_path, ROW, encoding="utf-16"), of).column("customer_name") == ["Müller, Söhne"]
    assert read(csv_file(tmp_path, ROW, encoding="utf-8-sig")).column("deal_id") == ["D-1042"]


# ids, numbers and dates of workbooks


def naive(*parts: int) -> datetime.datetime:
    """A moment as a workbook holds it: without a zone."""
    return datetime.datetime(*parts)  # noqa: DTZ001


def _book(folder: Path, cell: Any, type: str, *, number_format: str | None = None, more: str = "") -> Table | str:
    """One cell of an XLSX read as a type: the table, or the reason of the refusal."""
    of = made(f"columns:\n  a:\n    type: {type}\n{more}")
    formats = {"A2": number_format} if number_format else None
    path = workbook(folder / "a.xlsx", [["a"], [cell]], formats=formats)
    try:
        return read(path, of).column("a")[0]  # type: ignore[return-value]
    except BusinessError as error:
        assert error.code == "wrong_cells"
        return str(error)


@pytest.mark.parametrize(
    ("cell", "number_format", "text"),
    [
        ("00123", None, "00123"),
        (4711, None, "4711"),
        (4711, "000000", "004711"),
        (0, "000000", "000000"),
        (123456789012345, None, "123456789012345"),
        ("12345678901234567890", None, "12345678901234567890"),
        ("1E5", None, "1E5"),
        ("MAR1", None, "MAR1"),
    ],
)
def test_text_of_a_workbook_stays_text(tmp_path: Path, cell: Any, number_format: str | None, text: str) -> None:
    assert _book(tmp_path, cell, "text", number_format=number_format) == text


def test_a_text_that_looks_like_a_formula_is_a_text(tmp_path: Path) -> None:
    book = workbook(tmp_path / "f.xlsx", [["a"], ["x"]])

    def formula(part: bytes) -> bytes:
        return part.replace(b"x<", b"=1+1<")

    path = changed_part(book, tmp_path / "g.xlsx", "xl/worksheets/sheet1.xml", formula)
    assert read(path, made("columns:\n  a:\n    type: text\n")).column("a") == ["=1+1"]


@pytest.mark.parametrize(
    ("cell", "number_format", "reason"),
    [
        (1234567890123456789, None, "more than 15 digits"),
        (1.1, None, "number with decimals"),
        (DAY, None, "turned into a date"),
        (datetime.time(9, 5), None, "turned into a date or time"),
        (True, None, "turned into yes or no"),
        (42, '"D-"0000', 'shown by the format "D-"0000'),
    ],
)
def test_a_text_that_a_workbook_has_lost_is_refused(
    tmp_path: Path, cell: Any, number_format: str | None, reason: str
) -> None:
    message = _book(tmp_path, cell, "text", number_format=number_format)
    assert isinstance(message, str)
    assert reason in message
    assert "A2 (row 2" in message


@pytest.mark.parametrize(
    ("cell", "type", "number_format", "more", "value"),
    [
        (0.1 + 0.2, "money", None, "", Decimal("0.3")),
        (1234.56, "money", "#,##0.00 €", "", Decimal("1234.56")),
        ("1234.56", "number", None, "", Decimal("1234.56")),
        (0.15, "percent", "0%", "    scale: points\n", Decimal("0.15")),
        (15, "percent", None, "    scale: points\n", Decimal("0.15")),
        (0.15, "percent", "0.00 %", "", Decimal("0.15")),
        (0.15, "percent", None, "    scale: fraction\n", Decimal("0.15")),
        (DAY, "date", None, "", DAY),
        ("2026-11-20", "date", None, "", DAY),
        (True, "yes_no", None, "", True),
        (1, "yes_no", None, "", True),
        (datetime.time(9, 5), "time", None, "", datetime.time(9, 5)),
        (naive(2026, 7, 1, 12), "date_time", None, "", datetime.datetime(2026, 7, 1, 10, tzinfo=datetime.UTC)),
        (7, "choice", None, "    choices: ['7', '8']\n", "7"),
    ],
)  # fmt: skip
def test_a_cell_of_a_workbook_is_typed_exactly(
    tmp_path: Path, cell: Any, type: str, number_format: str | None, more: str, value: object
) -> None:
    assert _book(tmp_path, cell, type, number_format=number_format, more=more) == value


@pytest.mark.parametrize(
    ("cell", "type", "reason"),
    [
        (46346, "date", "is no date in the workbook"),
        (naive(2026, 11, 20, 9), "date", "has a time of day"),
        (DAY, "number", "is no number"),
        (True, "money", "is no number"),
        (10**15, "money", "more than 15 digits"),
        (0.15, "percent", "scale: points"),
        ("1,234.56", "number", "is not a number written like 1234.56"),
        (naive(2026, 10, 25, 2, 30), "date_time", "exists twice"),
        (2, "yes_no", "neither yes nor no"),
    ],
)
def test_an_ambiguous_cell_is_an_error_and_never_a_guess(tmp_path: Path, cell: Any, type: str, reason: str) -> None:
    message = _book(tmp_path, cell, type)
    assert isinstance(message, str)
    assert reason in message


def test_a_cell_that_shows_an_error_is_not_a_blank(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", [["a", "b"], [5, "x"]])

    def broken(part: bytes) -> bytes:
        return part.replace(b'<c r="A2" t="n"><v>5</v></c>', b'<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>')

    path = changed_part(book, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", broken)
    message = refused(path, "wrong_cells", made("columns:\n  a:\n    type: money\n  b:\n    type: text\n"))
    assert 'A2 (row 2, column "a"): shows the error #DIV/0!' in message


def test_cells_are_named_as_the_workbook_names_them(tmp_path: Path) -> None:
    rows = [["title"], [], ["", "", "a"], ["", "", "x"], ["", "", "y"]]
    of = made("source:\n  header_row: 3\ncolumns:\n  a:\n    type: number\n")
    message = refused(workbook(tmp_path / "a.xlsx", rows), "wrong_cells", of)
    assert 'C4 (row 4, column "a"): "x" is not a number' in message
    assert "C5 (row 5" in message


# what is refused


def test_a_missing_renamed_or_doubled_column_is_named_with_what_was_found(tmp_path: Path) -> None:
    header = ["Deal", "Customer", "ERP customer no.", "Deal ID", "Amounts", "Currency", "Discount %", "Closed"]
    message = refused(csv_file(tmp_path, ROW, header=header), "wrong_header")
    assert 'column deal_id is there 2 times: column 1 ("Deal") and 4 ("Deal ID")' in message
    assert 'column "Region" is missing' in message
    assert 'the file has "Amounts"' in message
    assert "tables/won_deals.yaml" in message


def test_a_wrong_header_is_found_before_a_row_is_read(tmp_path: Path) -> None:
    header = ["Nr", *HEADER[1:]]
    message = refused(csv_file(tmp_path, with_cell(amount="nonsense"), header=header), "wrong_header")
    assert "nonsense" not in message


def test_another_delimiter_is_named(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_text(";".join(HEADER) + "\n", encoding="utf-8")
    assert 'parted by ";"' in refused(place, "wrong_header")
    place.write_text("\t".join(HEADER) + "\n", encoding="utf-8")
    assert "parted by a tab" in refused(place, "wrong_header")


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("windows-1252", "it reads as windows-1252"),
        ("utf-16", "is utf-16"),
        ("utf-16-le", "zero bytes"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, encoding: str, said: str) -> None:
    message = refused(csv_file(tmp_path, ROW, encoding=encoding), "wrong_encoding")
    assert said in message
    assert "utf-8" in message


def test_utf_8_where_another_encoding_is_declared_is_named_and_not_garbled(tmp_path: Path) -> None:
    of = contract(**{"encoding: utf-8": "encoding: windows-1252"})
    assert "is utf-8" in refused(csv_file(tmp_path, ROW), "wrong_encoding", of)


def test_an_empty_file_is_an_error_and_not_an_empty_table(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_bytes(b"")
    assert "0 bytes" in refused(place, "file_empty")
    place.write_bytes(b"\xef\xbb\xbf\r\n\r\n")
    refused(place, "wrong_header")
    refused(workbook(tmp_path / "b.xlsx", []), "wrong_header")


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"%PDF-1.7 ...", "wrong_format", "is a PDF"),
        (b"<html><table><tr><td>Deal</td></tr></table></html>", "wrong_format", "web page"),
        (b"PK\x03\x04 not really", "file_unreadable", "damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "wrong_format", "XLS"),
        (HEAD + b'"D-1042,open', "file_unreadable", "never closed"),
        (HEAD + b'"D"x,y\n', "file_unreadable", "quote is closed in the middle"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes, code: str, said: str) -> None:
    place = tmp_path / "won.xlsx"
    place.write_bytes(content)
    message = refused(place, code)
    assert said in message
    assert "won.xlsx" in message


def test_a_cut_off_workbook_is_damaged(tmp_path: Path) -> None:
    place = workbook(tmp_path / "a.xlsx", [HEADER, *[ROW] * 50])
    content = place.read_bytes()
    for length in (4, 100, len(content) // 2, len(content) - 1):
        place.write_bytes(content[:length])
        refused(place, "file_unreadable")


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    place = tmp_path / "a.xlsx"
    place.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    assert "password" in refused(place, "file_refused")


def test_ragged_lines_are_named(tmp_path: Path) -> None:
    message = refused(csv_file(tmp_path, ROW, ROW[:6], [*ROW, "more"]), "wrong_cells")
    assert "line 3 has 6 fields, the header has 8" in message
    assert "line 4 has 9 fields" in message


def test_all_mistakes_of_a_file_come_at_once_in_its_order_and_the_rest_is_counted(tmp_path: Path) -> None:
    rows = [with_cell(deal=f"D-{number:04d}", amount="x", region="MARS") for number in range(15)]
    message = refused(csv_file(tmp_path, *rows), "wrong_cells")
    listed = message.splitlines()
    assert "30 mistakes" in listed[0]
    assert listed[1].strip().startswith('line 2, column "Region": "MARS" is none of EMEA, AMER, APAC')
    assert listed[2].strip().startswith('line 2, column "Amount": "x"')
    assert len(listed) == 22
    assert listed[-1].strip() == "and 10 more"


def test_required_unique_and_formats_are_kept(tmp_path: Path) -> None:
    rows = [ROW, with_cell(customer=""), with_cell(deal="1042")]
    message = refused(csv_file(tmp_path, *rows), "wrong_cells")
    assert 'line 3, column "Customer": is blank, but the column is required' in message
    assert '"1042" does not have the format "deal_id" (D-####)' in message
    of = made("columns:\n  a:\n    type: text\n    unique: true\n")
    place = tmp_path / "u.csv"
    place.write_text("a\nx\ny\nx\n", encoding="utf-8")
    assert 'line 4, column "a": "x" stands in row 2 already' in refused(place, "wrong_cells", of)


@pytest.mark.parametrize(
    ("format", "good", "bad"),
    [
        ("iban", "DE89370400440532013000", "DE89370400440532013001"),
        ("bic", "COBADEFFXXX", "COBA"),
        ("email", "a.b@example.com", "a b@example.com"),
        ("eu_vat_number", "DE136695976", "DE136695977"),
    ],
)
def test_formats_with_check_digits_are_checked(tmp_path: Path, format: str, good: str, bad: str) -> None:
    of = made(f"columns:\n  a:\n    type: text\n    format: {format}\n")
    place = tmp_path / "a.csv"
    place.write_text(f"a\n{good}\n", encoding="utf-8")
    assert read(place, of).column("a") == [good]
    place.write_text(f"a\n{bad}\n", encoding="utf-8")
    assert format in refused(place, "wrong_cells", of)


def test_a_sensitive_value_is_not_in_the_message(tmp_path: Path) -> None:
    of = made("columns:\n  salary:\n    type: money\n    sensitive: true\n")
    place = tmp_path / "a.csv"
    place.write_text("salary\n5400 gold\n", encoding="utf-8")
    message = refused(place, "wrong_cells", of)
    assert "5400" not in message
    assert "line 2" in message


def test_the_sheet_is_named_or_the_only_one(tmp_path: Path) -> None:
    of = made("columns:\n  a:\n    type: text\n")
    path = workbook(tmp_path / "a.xlsx", [["a"], ["1st"]], Other=[["a"], ["2nd"]])
    assert read(path, of, sheet="Other").column("a") == ["2nd"]
    assert "2 sheets (Sheet, Other)" in refused(path, "sheet_missing", of)
    assert 'no sheet "Hours"; it has Sheet, Other' in refused(path, "sheet_missing", of, sheet="Hours")
    alone = workbook(tmp_path / "b.xlsx", [["a"], ["1st"]], Empty=[])
    assert read(alone, of).column("a") == ["1st"]


TIMES = [["Timesheet"], [], ["Employee no.", "Day", "Project", "Hours"]]
LINES = [["004711", "20.11.2026", "P1", "7,5"], ["004712", "21.11.2026", "P1", "8"]]


def _times(folder: Path, *rows: list[str]) -> Path:
    return workbook(folder / "hours.xlsx", [*TIMES, *rows], Hours=[*TIMES, *rows])


def test_the_trailer_and_the_controls_are_kept(tmp_path: Path) -> None:
    of = contract("timesheet")
    table = read(_times(tmp_path, *LINES, ["Sum", "", "", "15,5"]), of)
    assert table.column("hours") == [Decimal("7.5"), Decimal(8)]
    wrong = refused(_times(tmp_path, *LINES, ["Sum", "", "", "15,6"]), "wrong_totals", of)
    assert "sum of hours is 15.5, trailer.hours is 15.6" in wrong
    assert "may be cut off" in refused(_times(tmp_path, *LINES), "wrong_totals", of)
    behind = refused(_times(tmp_path, LINES[0], ["Sum", "", "", "7,5"], LINES[1]), "wrong_cells", of)
    assert "row 6 stands behind the closing line in row 5" in behind


def test_a_packed_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", [["a"], ["x"]])
    bomb = changed_part(book, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", lambda part: part + b" " * 30_000_000)
    assert bomb.stat().st_size < 60_000
    of = made("columns:\n  a:\n    type: text\n")
    message = refused(bomb, "file_refused", of, bounds=Bounds(unpacked_bytes=20_000_000))
    assert "would unpack to more than 20 MB" in message


def test_more_rows_than_allowed_are_refused(tmp_path: Path) -> None:
    of = made("columns:\n  a:\n    type: text\n")
    place = tmp_path / "a.csv"
    place.write_text("a\n" + "x\n" * 11, encoding="utf-8")
    assert "more than 10 rows" in refused(place, "file_refused", of, bounds=Bounds(rows=10))


def test_a_damaged_style_or_sheet_is_one_sentence(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", [["a"], [5]], formats={"A2": "000000"})
    of = made("columns:\n  a:\n    type: text\n")
    for part in ("xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        broken = changed_part(book, tmp_path / "b.xlsx", part, lambda content: content[: len(content) // 2])
        refused(broken, "file_unreadable", of)


def test_the_marks_follow_the_sheet_and_not_the_number_of_its_file(tmp_path: Path) -> None:
    of = made("columns:\n  a:\n    type: text\n")
    path = workbook(tmp_path / "a.xlsx", [["a"], [7]], formats={"A2": "0000"}, Other=[["a"], [7]])
    found: Mapping[str, list[object]] = {name: read(path, of, sheet=name).column("a") for name in ("Sheet", "Other")}
    assert found == {"Sheet": ["0007"], "Other": ["7"]}
