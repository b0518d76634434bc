"""Reconciliations: conservation, no line used twice, nothing guessed, nothing that depends on the order of the rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interoffice.language.errors import RowError
from interoffice.language.reconcile import Reconciled, run_reconcile
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, TEXT
from interoffice.model.values import Duration, Percent, Value
from interoffice.model.workflow import Reconcile, ReconcilePass

DAY = date(2026, 11, 25)
LEFT = {"line": TEXT, "ref": TEXT, "currency": TEXT, "amount": MONEY, "posted": DATE}
RIGHT = {"entry": TEXT, "ref": TEXT, "currency": TEXT, "amount": MONEY, "booked": DATE}
OUTPUTS = ("matched", "different", "ambiguous")
BANK = (
    {"same": ("ref", "currency", "amount")},
    {"same": ("currency", "amount"), "close": {"day": Duration(days=2)}},
    {"same": ("ref", "currency"), "total": "amount", "many": "left"},
    {"same": ("ref", "currency"), "result": "different"},
)


Rows = Sequence[Mapping[str, Value]]


def reconciled(left: Rows, right: Rows, passes: Sequence[Mapping[str, Any]] = BANK) -> Reconciled:
    made = [
        ReconcilePass(
            name=f"pass {number}", path=(), same=each.get("same", ()), opposite=each.get("opposite", ()),
            close=dict.fromkeys(each.get("close", {}), ""), total=each.get("total"), many=each.get("many"),
            result=each.get("result", "matched"),
        )
        for number, each in enumerate(passes, start=1)
    ]  # fmt: skip
    kind = Reconcile(
        left="", right="", left_name="ERP", right_name="Bank", columns={"day": ("posted", "booked")},
        passes=tuple(made), rules=(),
    )  # fmt: skip
    tolerances = [each.get("close", {}) for each in passes]
    return run_reconcile(Table.from_rows(LEFT, left), Table.from_rows(RIGHT, right), kind, tolerances, today=DAY)


def ledger(line: str, ref: str | None, amount: str, *, day: int = 0, currency: str | None = "EUR") -> dict[str, Value]:
    return {
        "line": line, "ref": ref, "currency": currency, "amount": Decimal(amount), "posted": DAY + timedelta(days=day)
    }  # fmt: skip


def bank(entry: str, ref: str | None, amount: str, *, day: int = 0, currency: str | None = "EUR") -> dict[str, Value]:
    return {
        "entry": entry, "ref": ref, "currency": currency, "amount": Decimal(amount), "booked": DAY + timedelta(days=day)
    }  # fmt: skip


def pairs(table: Table) -> list[tuple[Value, Value]]:
    return sorted(((row["left_line"], row["right_entry"]) for row in table.rows()), key=str)


def lines(table: Table, name: str) -> list[Value]:
    return sorted(row[name] for row in table.rows())  # type: ignore[type-var]


# what each pass does


def test_the_same_reference_and_amount_match() -> None:
    found = reconciled([ledger("L1", "A", "10")], [bank("B1", "A", "10.00")])
    assert pairs(found.matched) == [("L1", "B1")]
    assert [row["matched_by"] for row in found.matched.rows()] == ["pass 1"]
    assert found.measures["match rate"] == Percent(1)


def test_a_date_up_to_two_days_apart_matches_and_the_nearer_one_is_taken() -> None:
    left = [ledger("L1", None, "10"), ledger("L2", None, "10", day=5)]
    found = reconciled(left, [bank("B1", None, "10", day=2), bank("B2", None, "10", day=1)])
    assert pairs(found.matched) == [("L1", "B2")]
    assert (lines(found.only_left, "line"), lines(found.only_right, "entry")) == (["L2"], ["B1"])


def test_three_days_are_too_many() -> None:
    found = reconciled([ledger("L1", None, "10")], [bank("B1", None, "10", day=3)])
    assert (len(found.matched), len(found.only_left), len(found.only_right)) == (0, 1, 1)


def test_several_ledger_lines_are_one_bank_line_by_their_total() -> None:
    left = [ledger("L1", "A", "10"), ledger("L2", "A", "20"), ledger("L3", "A", "30.01")]
    found = reconciled(left, [bank("B1", "A", "60.01")])
    assert pairs(found.matched) == [("L1", "B1"), ("L2", None), ("L3", None)]
    assert sum(row["right_amount"] or 0 for row in found.matched.rows()) == Decimal("60.01")  # type: ignore[misc]
    assert len(found.exceptions) == 0


def test_the_same_reference_with_another_amount_is_different() -> None:
    found = reconciled([ledger("L1", "A", "10")], [bank("B1", "A", "12")])
    assert pairs(found.different) == [("L1", "B1")]
    (exception,) = found.exceptions.rows()
    assert exception["reason"] == "amount is 10 in ERP and 12 in Bank"
    assert found.difference["amount"] == Decimal("-2")


def test_two_that_fit_equally_well_are_never_guessed() -> None:
    found = reconciled([ledger("L1", "A", "10"), ledger("L2", "A", "10")], [bank("B1", "A", "10")])
    assert len(found.matched) == 0
    assert Counter(row["side"] for row in found.ambiguous.rows()) == {"left": 2, "right": 1}
    assert {row["fits_group"] for row in found.ambiguous.rows()} == {Decimal(1)}
    assert found.measures["ambiguous count"] == 3


def test_a_later_pass_tells_apart_what_an_earlier_one_could_not() -> None:
    left = [ledger("L1", "A", "10", day=0), ledger("L2", "A", "10", day=2)]
    found = reconciled(left, [bank("B1", "A", "10", day=0), bank("B2", "A", "10", day=2)])
    assert pairs(found.matched) == [("L1", "B1"), ("L2", "B2")]


def test_what_lies_in_the_middle_of_two_is_ambiguous() -> None:
    found = reconciled([ledger("L1", None, "10", day=1)], [bank("B1", None, "10"), bank("B2", None, "10", day=2)])
    assert (len(found.matched), len(found.ambiguous)) == (0, 3)


def test_a_missing_value_fits_nothing() -> None:
    left, right = [ledger("L1", None, "10", currency=None)], [bank("B1", None, "10", currency=None)]
    found = reconciled(left, right)
    assert (len(found.only_left), len(found.only_right)) == (1, 1)


def test_amounts_with_the_other_sign_match_where_the_pass_says_opposite() -> None:
    found = reconciled(
        [ledger("L1", "A", "10")], [bank("B1", "A", "-10")], [{"same": ("ref",), "opposite": ("amount",)}]
    )
    assert pairs(found.matched) == [("L1", "B1")]
    assert found.difference["amount"] == 0


def test_a_tolerance_in_amounts_and_in_percent() -> None:
    left = [ledger("L1", "A", "100"), ledger("L2", "B", "100")]
    right = [bank("B1", "A", "101"), bank("B2", "B", "101.01")]
    absolute = reconciled(left, right, [{"same": ("ref",), "close": {"amount": Decimal(1)}}])
    assert pairs(absolute.matched) == [("L1", "B1")]
    percent = reconciled(left, right, [{"same": ("ref",), "close": {"amount": Percent("0.01")}}])
    assert pairs(percent.matched) == [("L1", "B1"), ("L2", "B2")]


def test_the_difference_is_that_of_the_currency_where_it_is_largest() -> None:
    left = [ledger("L1", "A", "100", currency="EUR"), ledger("L2", "B", "5000", currency="USD")]
    right = [bank("B1", "A", "90", currency="EUR"), bank("B2", "B", "5002", currency="USD")]
    assert reconciled(left, right).difference["amount"] == Decimal(10)


def test_a_tolerance_in_business_days_is_refused() -> None:
    with pytest.raises(RowError, match="counted in days, hours or minutes"):
        reconciled([ledger("L1", "A", "1")], [bank("B1", "A", "1")], [{"close": {"day": Duration(business_days=2)}}])


def test_empty_sides_match_wholly() -> None:
    found = reconciled([], [])
    assert (found.measures["match rate"], len(found.exceptions)) == (Percent(1), 0)


# properties

REFS = st.sampled_from(["A", "B", "C", None])
AMOUNTS = st.sampled_from(["10", "10.00", "20", "30", "-10", "0.01", "40"])
DAYS = st.integers(0, 4)
CURRENCIES = st.sampled_from(["EUR", "USD", None])
ROW = st.tuples(REFS, AMOUNTS, DAYS, CURRENCIES)


def sides(left: list[Any], right: list[Any]) -> tuple[list[dict[str, Value]], list[dict[str, Value]]]:
    return (
        [ledger(f"L{n}", ref, amount, day=day, currency=unit) for n, (ref, amount, day, unit) in enumerate(left)],
        [bank(f"B{n}", ref, amount, day=day, currency=unit) for n, (ref, amount, day, unit) in enumerate(right)],
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(ROW, max_size=14), st.lists(ROW, max_size=14))
def test_every_line_is_in_exactly_one_output_and_the_sums_add_up(left: list[Any], right: list[Any]) -> None:
    lefts, rights = sides(left, right)
    found = reconciled(lefts, rights)
    for given_rows, name, prefix, only in (
        (lefts, "line", "left_", found.only_left), (rights, "entry", "right_", found.only_right),
    ):  # fmt: skip
        there = [
            (row[f"{prefix}{name}"], row[f"{prefix}currency"], row[f"{prefix}amount"])
            for output in OUTPUTS
            for row in getattr(found, output).rows()
            if row[f"{prefix}{name}"] is not None
        ]
        there += [(row[name], row["currency"], row["amount"]) for row in only.rows()]
        assert sorted(there, key=str) == sorted(
            ((row[name], row["currency"], row["amount"]) for row in given_rows), key=str
        )
        sums: Counter[Value] = Counter()
        for _, currency, amount in there:
            sums[currency] += amount  # type: ignore[assignment,operator]
        for row in given_rows:
            sums[row["currency"]] -= row["amount"]  # type: ignore[assignment,operator]
        assert set(sums.values()) <= {0}


@settings(max_examples=300, deadline=None)
@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12), st.integers(0, 1_000_000))
def test_the_answer_is_the_same_whatever_the_order_of_the_rows(left: list[Any], right: list[Any], seed: int) -> None:
    lefts, rights = sides(left, right)
    chance = random.Random(seed)
    shuffled = chance.sample(lefts, len(lefts)), chance.sample(rights, len(rights))
    one, other = reconciled(lefts, rights), reconciled(*shuffled)
    for output in (*OUTPUTS, "only_left", "only_right"):
        assert contents(getattr(one, output)) == contents(getattr(other, output)), output
    assert one.measures == other.measures


def contents(table: Table) -> Counter[str]:
    """Which lines of each side stand in it; of several to one the one beside any of them."""
    found: Counter[str] = Counter()
    for row in table.rows():
        for name in ("left_line", "right_entry", "line", "entry"):
            if row.get(name) is not None:
                found[f"{name} {row[name]}"] = 1
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12))
def test_a_match_is_never_a_guess(left: list[Any], right: list[Any]) -> None:
    """Of lines that are alike in every column one is never matched while its twin is left over."""
    lefts, rights = sides(left, right)
    found = reconciled(lefts, rights, BANK[:1])
    matched = {row["left_line"] for row in found.matched.rows()}
    for row in lefts:
        twins = [one for one in lefts if all(one[name] == row[name] for name in ("ref", "currency", "amount"))]
        if row["line"] in matched:
            assert len(twins) == 1
