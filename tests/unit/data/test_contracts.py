"""Files of tables/: all samples load; every mistake is found at its place, all at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interoffice.errors import MistakesFound
from interoffice.loader.contracts import load_contract, load_contract_with_problems
from interoffice.model.contract import (
    Contract,
    DecisionTable,
    Layout,
    Patterns,
    Queue,
    RiskTable,
    contract_as_json,
    contract_from_json,
)
from interoffice.model.types import MONEY, TEXT

ROOT = Path(__file__).resolve().parents[3]
TABLES = sorted((ROOT / "tables").rglob("*.yaml"))


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.stem)
def test_every_sample_loads_without_a_problem(file: Path) -> None:
    found, problems = load_contract_with_problems(file.read_text(encoding="utf-8"), f"tables/{file.name}")
    assert problems == []
    assert found is not None
    assert found.key == file.stem


def _loaded(name: str) -> object:
    return load_contract((ROOT / "tables" / name).read_text(encoding="utf-8"), f"tables/{name}")


def test_each_kind_of_file_is_told_apart() -> None:
    kinds = {
        "won_deals.yaml": Contract, "callbacks.yaml": Queue, "service_matrix.yaml": DecisionTable,
        "kyc_risk.yaml": RiskTable, "layouts/supplier_invoice.yaml": Layout, "patterns.yaml": Patterns,
    }  # fmt: skip
    assert {name: type(_loaded(name)) for name in kinds} == kinds


def test_a_contract_says_how_its_file_is_written() -> None:
    deals = _loaded("won_deals.yaml")
    assert isinstance(deals, Contract)
    assert deals.columns["amount"].known_headers == ("Amount", "Net amount", "amount")
    assert deals.columns["discount_percent"].scale == "points"
    assert deals.writing.thousands == ","
    assert deals.column_types["amount"] == MONEY
    sheet = _loaded("timesheet.yaml")
    assert isinstance(sheet, Contract)
    assert sheet.trailer is not None
    assert sheet.trailer.columns["label"] == TEXT
    assert [control.text for control in sheet.controls] == ["sum of hours = trailer.hours"]
    hires = _loaded("hires.yaml")
    assert isinstance(hires, Contract)
    assert hires.sensitive_columns == ("salary", "iban", "tax_id")


@pytest.mark.parametrize("file", [file for file in TABLES if file.parent.name == "tables"], ids=lambda file: file.stem)
def test_a_contract_goes_through_json_unchanged(file: Path) -> None:
    contract = load_contract(file.read_text(encoding="utf-8"), f"tables/{file.name}")
    if not isinstance(contract, Contract):
        return
    back = contract_from_json(json.loads(json.dumps(contract_as_json(contract))))
    assert contract_as_json(back) == contract_as_json(contract)
    assert back.column_types == contract.column_types
    assert back.writing == contract.writing


GOOD = """\
version: 1
name: Orders
source:
  formats: [csv]
  delimiter: ";"
  decimal: ","
columns:
  order_no:
    type: text
    required: true
  amount:
    from: [Net amount]
    type: money
  status:
    type: choice
    choices: [open, done]
trailer:
  starts_with: Sum
  columns: [label, amount]
controls:
  - sum of amount = trailer.amount
"""


@pytest.mark.parametrize(
    ("old", "new", "rule", "line", "suggestion"),
    [
        ("version: 1", "version: 2", "S07", 1, "1"),
        ("version: 1\n", "", "S02", 1, None),
        ("columns:\n  order_no:", "colums:\n  order_no:", "S01", 7, "columns"),
        ("    type: money", "    typ: money", "S01", 13, "type"),
        ("type: money", "type: monney", "S05", 13, "money"),
        ("required: true", "required: maybe", "S05", 10, None),
        ("formats: [csv]", "formats: [cvs]", "S05", 4, "csv"),
        ("decimal: \",\"", "decimal: \";\"", "S05", 6, None),
        ("delimiter: \";\"", "delimiter: ab", "S05", 5, None),
        ("  decimal: \",\"\n", "  decimal: \",\"\n  thousands: \",\"\n", "S05", 7, None),
        ("  decimal: \",\"\n", "  decimal: \",\"\n  encoding: utf-9\n", "S05", 7, "utf-8"),
        ("  decimal: \",\"\n", "  decimal: \",\"\n  dates: dd.MM.yy\n", "S05", 7, None),
        ("  decimal: \",\"\n", "  decimal: \",\"\n  header_row: 0\n", "S05", 7, None),
        ("from: [Net amount]", "from: [order_no]", "S04", 12, None),
        ("from: [Net amount]", "from: []", "S06", 12, None),
        ("  amount:\n    from", "  Amount:\n    from", "S04", 11, None),
        ("    choices: [open, done]\n", "", "S02", 14, None),
        ("    type: money\n", "    type: money\n    choices: [a]\n", "S05", 14, None),
        ("    type: money\n", "    type: money\n    scale: points\n", "S05", 14, None),
        ("    type: money\n", "    type: money\n    format: iban\n", "S05", 14, None),
        ("    type: money\n", "    type: money\n    missing_is: x\n", "S05", 14, None),
        ("choices: [open, done]\n", "choices: [open, done]\n    missing_is: gone\n", "S05", 17, None),
        ("trailer.amount\n", "trailer.amout\n", "R05", 21, "trailer.amount"),
        ("sum of amount", "sum of amout", "C03", 21, "amount"),
        ("= trailer.amount\n", "=\n", "E01", 21, None),
        ("name: Orders", "name: Orders\nname: Again", "Y02", 3, None),
        ("name: Orders", "name: Orders\nqueue: true\npatterns:", "S03", 4, None),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_place(old: str, new: str, rule: str, line: int, suggestion: str | None) -> None:
    assert load_contract_with_problems(GOOD, "tables/orders.yaml")[1] == []
    assert old in GOOD
    _, problems = load_contract_with_problems(GOOD.replace(old, new, 1), "tables/orders.yaml")
    found = [(problem.rule, problem.at.line, problem.suggestion) for problem in problems]
    assert (rule, line, suggestion) in found, found


def test_one_mistake_gives_one_message() -> None:
    for old, new in (("type: monney", ""), ("formats: [csv]", "formats: [cvs]"), ("sum of amount", "sum of amout")):
        text = GOOD.replace(old, new) if new else GOOD.replace("type: money", old)
        assert len(load_contract_with_problems(text, "tables/orders.yaml")[1]) == 1


def test_all_mistakes_come_at_once() -> None:
    text = GOOD.replace("monney", "x").replace("type: money", "type: monney").replace("required: true", "requird: true")
    with pytest.raises(MistakesFound) as raised:
        load_contract(text, "tables/orders.yaml")
    assert [problem.rule for problem in raised.value.problems] == ["S01", "S05"]


RISK = "version: 1\nrisk: true\nfactors:\n  - column: a\n    points:\n      x: 1\nbands:\n"
DECISION = "version: 1\ndecision: true\nfile: a.csv\ngiven:\n  a:\n    type: text\ngives:\n  a:\n    type: text\n"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("version: 1\nqueue: true\nkey: x\ncolumns:\n  a:\n    type: text\n", "C03"),
        ("version: 1\nqueue: sometimes\nkey: a\ncolumns:\n  a:\n    type: text\n", "S05"),
        (RISK.replace("x: 1", "x: many") + "  low: ..\n", "S05"),
        (RISK + "  low: ..5\n  high: 6..\n", "C09"),
        (RISK + "  low: ..5\n", "C09"),
        ("version: 1\npatterns:\n  p:\n    like: D-##\n    example: D-1\n", "S05"),
        ("version: 1\npatterns:\n  email:\n    like: D-##\n", "S04"),
        ("version: 1\nlayout: page\ncolumns:\n  a:\n    type: text\n    find:\n      - right_of: A\n", "S05"),
        ("version: 1\nlayout: fields\ncolumns:\n  a:\n    type: text\n    find:\n      - left_of: A\n", "S01"),
        (DECISION, "S04"),
    ],
)
def test_mistakes_of_the_other_kinds_are_found(text: str, rule: str) -> None:
    _, problems = load_contract_with_problems(text, "tables/x.yaml")
    assert [problem.rule for problem in problems] == [rule], problems
