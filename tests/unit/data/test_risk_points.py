"""Risk points: values, ranges, any other; no sum is guessed, and a table that contradicts itself is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from interoffice.loader.contracts import load_contract, load_contract_with_problems
from interoffice.model.contract import RiskTable
from interoffice.model.risk_points import Scoring, misfit_of
from interoffice.model.types import PERCENT, choice_of, table_of
from interoffice.model.values import Percent, Value

TABLE_TEXT = """\
version: 1
risk: true
gives: points
factors:
  - column: country
    points:
      DE: 0
      UK: 5
      "*": 30
  - column: industry
    points:
      crypto: 50
      "*": 5
  - column: layers
    points:
      ..2: 0
      2..4: 15
      4..: 35
  - column: owners
    points:
      ..25%: 12.5
      25%..: 0
bands:
  low: ..30
  medium: 30..60
  high: 60..
"""


def scoring(text: str = TABLE_TEXT) -> Scoring:
    table = load_contract(text, "tables/kyc.yaml")
    assert isinstance(table, RiskTable)
    return Scoring(table)


def row(**changed: Value) -> dict[str, Value]:
    return {"country": "DE", "industry": "retail", "layers": Decimal(1), "owners": Percent("0.5"), **changed}


@pytest.mark.parametrize(
    ("changed", "points", "band", "reasons"),
    [
        ({}, "5", "low", "industry retail +5"),
        ({"country": " uk ", "industry": "CRYPTO"}, "55", "medium", "industry CRYPTO +50; country  uk  +5"),
        ({"country": None}, "35", "medium", "country missing +30; industry retail +5"),
        ({"layers": Decimal("2")}, "20", "low", "layers 2 +15; industry retail +5"),
        ({"layers": Decimal("3.99")}, "20", "low", "layers 3.99 +15; industry retail +5"),
        ({"layers": Decimal("4.00"), "owners": Percent("0.2499")}, "52.5", "medium",
         "layers 4 +35; owners 24.99% +12.5; industry retail +5"),
        ({"country": "XX", "layers": Decimal(9)}, "70", "high", "layers 9 +35; country XX +30; industry retail +5"),
    ],
)  # fmt: skip
def test_points_bands_and_reasons(changed: dict[str, Value], points: str, band: str, reasons: str) -> None:
    found = scoring().score(row(**changed))
    assert (found.points, found.band, found.reasons) == (Decimal(points), band, reasons)


def test_a_value_without_points_leaves_the_row_without_a_sum() -> None:
    found = scoring().score(row(layers=None, country="XX"))
    assert (found.points, found.band) == (None, None)
    assert found.reasons == "layers missing has no points"


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("2..4: 15", "1..4: 15", "C09", 'the ranges "..2" and "1..4" overlap: which points would count?'),
        ("UK: 5", "de: 5", "S05", '"de" and "DE" are the same value; keep one of them'),
        ("crypto: 50", "crypto: fifty", "S05", 'points must be a number like 15, not "fifty"'),
        ("2..4: 15", "4..2: 15", "S05", '"4..2" holds nothing: a range ends above its beginning'),
        ("medium: 30..60", "medium: 40..60", "C09", "the bands leave a gap or overlap"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(old: str, new: str, code: str, message: str) -> None:
    _, problems = load_contract_with_problems(TABLE_TEXT.replace(old, new), "tables/kyc.yaml")
    assert [problem.rule for problem in problems] == [code]
    assert message in problems[0].message
    assert new.partition(":")[0] in TABLE_TEXT.replace(old, new).splitlines()[problems[0].at.line - 1]


def test_keys_that_a_column_never_is_are_found_before_a_run() -> None:
    table = load_contract(TABLE_TEXT, "tables/kyc.yaml")
    assert isinstance(table, RiskTable)
    country, _, layers, owners = table.factors
    assert misfit_of(country, choice_of(["DE", "UK"])) is None
    assert "which country never is; it is one of DE, FR" in str(misfit_of(country, choice_of(["DE", "FR"])))
    assert misfit_of(owners, PERCENT) is None
    assert "is a percent" in str(misfit_of(layers, PERCENT))
    assert "can't score layers, a table" in str(misfit_of(layers, table_of({})))
