"""A first contract from a file: it loads, the file can be read with it, and what is unsure is said."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from interoffice.errors import BusinessError, UsageError
from interoffice.learn import learn_contract
from interoffice.loader.contracts import load_contract
from interoffice.model.contract import Contract
from interoffice.resources.table_rows import read_rows
from tests.support.sheets import workbook


def learnt(path: Path) -> tuple[str, Contract]:
    text = learn_contract(path)
    contract = load_contract(text, "tables/learnt.yaml")
    assert isinstance(contract, Contract)
    read_rows(path, contract)
    return text, contract


def _csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    place = folder / "export 2026.csv"
    place.write_bytes(text.encode(encoding))
    return place


GERMAN = "Nr.;Kunde;Betrag;Rabatt %;Datum;Status;E-Mail;2. Wahl\n" + "".join(
    f"00{n};Müller {n};1.23{n},5{n};1{n};0{n}.11.2026;{'offen' if n % 2 else 'fertig'};a{n}@example.com;yes\n"
    for n in range(1, 10)
)


def test_a_german_export_is_understood(tmp_path: Path) -> None:
    text, contract = learnt(_csv(tmp_path, GERMAN, "windows-1252"))
    writing = contract.writing
    assert (writing.encoding, writing.delimiter, writing.decimal, writing.thousands) == ("windows-1252", ";", ",", ".")
    assert writing.dates == ("dd.MM.yyyy",)
    assert {name: column.type.kind for name, column in contract.columns.items()} == {
        "nr": "text", "kunde": "text", "betrag": "money", "rabatt": "percent", "datum": "date", "status": "text",
        "e_mail": "text", "column_2_wahl": "yes_no",
    }  # fmt: skip
    assert contract.columns["e_mail"].format == "email"
    assert "perhaps type: choice, choices: [fertig, offen]" in text
    assert "it is not utf-8" in text


def test_a_workbook_is_understood_by_its_cells(tmp_path: Path) -> None:
    rows = [["Deal ID", "Amount", "Discount", "Closed", "Won"]]
    rows += [[f"D-{n}", 5.5 + n, 0.15, datetime.date(2026, 11, n), True] for n in range(1, 7)]  # type: ignore[list-item]
    formats = {f"C{row}": "0 %" for row in range(2, 8)}
    _, contract = learnt(workbook(tmp_path / "a.xlsx", [["Export of today"], [], *rows], formats={
        f"C{int(cell[1:]) + 2}": code for cell, code in formats.items()
    }))  # fmt: skip
    assert contract.writing.header_row == 3
    assert {name: column.type.kind for name, column in contract.columns.items()} == {
        "deal_id": "text", "amount": "money", "discount": "percent", "closed": "date", "won": "yes_no",
    }  # fmt: skip
    assert contract.columns["deal_id"].unique


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("03/04/2026\n05/06/2026\n", "day and month can't be told apart"),
        ("\n\n", "no cell of it is filled"),
    ],
)
def test_what_is_unsure_stands_as_a_comment(tmp_path: Path, rows: str, sentence: str) -> None:
    lines = "".join(f"x,{row}\n" for row in rows.split("\n")[:-1])
    text, _ = learnt(_csv(tmp_path, f"a,when\n{lines}"))
    assert f"  # ? {sentence}" in text


def test_ids_are_text_even_where_they_look_like_numbers(tmp_path: Path) -> None:
    text, contract = learnt(_csv(tmp_path, "Order no.,Qty\n4711,5\n4712,6\n"))
    assert contract.columns["order_no"].type.kind == "text"
    assert contract.columns["qty"].type.kind == "number"
    assert "its name is that of an id" in text


def test_a_header_can_hold_anything(tmp_path: Path) -> None:
    _, contract = learnt(_csv(tmp_path, 'yes,"a: b #c",${{ x }},Ärger,a b,a-b\n1,2,3,4,5,6\n'))
    assert [column.header for column in contract.columns.values()] == [
        "yes", "a: b #c", "${{ x }}", "Ärger", "a b", "a-b",
    ]  # fmt: skip


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        learn_contract(tmp_path / "none.csv")
    with pytest.raises(BusinessError, match="empty file"):
        learn_contract(_csv(tmp_path, ""))
