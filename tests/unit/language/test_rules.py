"""A check: every row goes on somewhere, by its strongest route, with all its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from interoffice.language import CheckResult, Times, ValueScope, read_rule, run_check
from interoffice.language.contradictions import contradictions
from interoffice.language.rules import Rule
from interoffice.model.table import Table
from interoffice.model.types import MONEY, NUMBER, PERCENT, TEXT, choice_of
from interoffice.model.values import Formats, Percent, Value
from interoffice.model.workflow import Rule as WrittenRule

COLUMNS = {
    "deal_id": TEXT, "customer": TEXT, "currency": TEXT, "amount": MONEY, "limit": MONEY, "discount": PERCENT,
    "region": choice_of(["EMEA", "APAC"]),
}  # fmt: skip
SCOPE = ValueScope(
    times=Times(now=datetime(2026, 11, 22, 8, tzinfo=UTC), zone="Europe/Berlin"),
    names={"inputs": {"review_above": Decimal(50000)}},
)


def deal(number: int, **changed: Value) -> dict[str, Value]:
    row: dict[str, Value] = {
        "deal_id": f"D-{number}", "customer": "Acme", "currency": "EUR", "amount": Decimal(100),
        "limit": Decimal(1000), "discount": Percent("0.1"), "region": "EMEA",
    }  # fmt: skip
    return {**row, **changed}


def rule(text: str, **said: Any) -> Rule:
    return read_rule(WrittenRule(text=text, path=(), **said))


def check(rows: list[dict[str, Value]], *rules: Rule, **said: Any) -> CheckResult:
    said = {"otherwise": "reject", "row_name": ["deal_id"], "scope": SCOPE, **said}
    return run_check(Table.from_rows(COLUMNS, rows), rules, **said)


def reasons(table: Table) -> dict[str, Value]:
    return {str(row["deal_id"]): row["reasons"] for row in table.rows()}


@pytest.fixture(params=[0, 500], ids=["asked of DuckDB", "row by row"])
def few_rows(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_rows_in_are_passed_plus_review_plus_rejected(few_rows: int) -> None:
    rows = [deal(1), deal(2, amount=Decimal(-5)), deal(3, amount=Decimal(60000)), deal(4, currency="CHF")]
    result = check(
        rows,
        rule("amount > 0"),
        rule("currency is one of EUR, USD, GBP"),
        rule("amount <= inputs.review_above", otherwise="review"),
        few_rows=few_rows,
    )
    assert reasons(result.passed) == {"D-1": None}
    assert reasons(result.rejected) == {
        "D-2": "amount > 0 is not true: amount is -5",
        "D-4": "currency is one of EUR, USD, GBP is not true: currency is CHF",
    }
    text = "amount <= inputs.review_above is not true: amount is 60000, inputs.review_above is 50000"
    assert reasons(result.review) == {"D-3": text}
    assert result.counts == (1, 1, 1)
    assert result.stopped == ()


def test_the_strongest_route_wins_and_all_reasons_are_kept(few_rows: int) -> None:
    row = deal(1, amount=Decimal(-5), currency="CHF", discount=Percent("0.2"))
    result = check(
        [row],
        rule("discount <= 15%", otherwise="warn"),
        rule("amount > 0", otherwise="review"),
        rule("currency = 'EUR'"),
        few_rows=few_rows,
    )
    assert reasons(result.rejected) == {
        "D-1": "discount <= 15% is not true: discount is 20 %; amount > 0 is not true: amount is -5; "
        "currency = 'EUR' is not true: currency is CHF"
    }
    assert next(result.rejected.rows())["route"] == "reject"


def test_a_warned_row_goes_on_with_its_note(few_rows: int) -> None:
    result = check([deal(1, discount=Percent("0.2"))], rule("discount <= 15%", otherwise="warn"), few_rows=few_rows)
    assert reasons(result.passed) == reasons(result.warned) == {"D-1": "discount <= 15% is not true: discount is 20 %"}
    again = run_check(result.passed, [rule("amount > 0")], otherwise="reject", scope=SCOPE)
    assert [row["route"] for row in again.passed.rows()] == ["warn"]
    assert reasons(again.passed) == reasons(result.passed)


def test_a_rule_that_ends_in_missing_fails_and_says_what_is_missing(few_rows: int) -> None:
    result = check(
        [deal(1, amount=None), deal(2, amount=None, limit=None)],
        rule("amount <= limit", message="Over the limit by ${{ row.amount - row.limit }}"),
        few_rows=few_rows,
    )
    assert reasons(result.rejected) == {"D-1": "amount is missing", "D-2": "amount and limit are missing"}


def test_a_row_without_a_value_fails_with_the_reason_and_the_others_go_on(few_rows: int) -> None:
    rows = [deal(1, limit=Decimal(0)), deal(2), deal(3, amount=Decimal(10) ** 27, limit=Decimal("0.01"))]
    result = check(rows, rule("amount / limit < 5"), few_rows=few_rows)
    assert reasons(result.passed) == {"D-2": None}
    assert reasons(result.rejected) == {
        "D-1": "amount / limit < 5 can't be decided: division by zero",
        "D-3": "amount / limit < 5 can't be decided: the result has more than 28 digits before the point (overflow)",
    }


def test_when_chooses_the_rows_and_applies_where_it_is_missing(few_rows: int) -> None:
    rows = [deal(1, discount=Percent("0.2"), region=region) for region in ("EMEA", "APAC", None)]
    for number, row in enumerate(rows):
        row["deal_id"] = f"D-{number}"
    result = check(rows, rule("discount <= 15%", when="region != 'APAC'"), few_rows=few_rows)
    assert list(reasons(result.passed)) == ["D-1"]
    assert list(reasons(result.rejected)) == ["D-0", "D-2"]


def test_unique_hits_every_row_of_the_duplicate_the_first_too(few_rows: int) -> None:
    rows = [deal(1), deal(2, currency="USD"), deal(1), deal(2), {**deal(3), "deal_id": None}]
    result = check(rows, rule("deal_id, currency is unique"), few_rows=few_rows)
    assert [row["reasons"] for row in result.rejected.rows()] == [
        "deal_id, currency D-1, EUR is not unique",
        "deal_id, currency D-1, EUR is not unique",
        "deal_id is missing",
    ]
    assert list(reasons(result.passed)) == ["D-2"]


def test_a_message_is_formatted_as_the_project_says(few_rows: int) -> None:
    result = check(
        [deal(1, amount=Decimal("1234.50"))],
        rule("amount <= limit", message="Over by ${{ row.amount - row.limit }} ${{ row.currency }}"),
        formats=Formats(number="1.234,56"),
        few_rows=few_rows,
    )
    assert reasons(result.rejected) == {"D-1": "Over by 234,5 EUR"}


def test_a_rule_about_the_whole_table_hits_all_rows(few_rows: int) -> None:
    result = check([deal(1), deal(2)], rule("sum of amount = 0", otherwise="review"), few_rows=few_rows)
    assert set(reasons(result.review).values()) == {"sum of amount = 0 is not true: sum of amount is 200"}
    assert result.counts == (2,)


def test_with_per_a_rule_hits_the_rows_of_the_failing_group(few_rows: int) -> None:
    rows = [deal(1), deal(2, amount=Decimal(-100)), deal(3, currency="USD"), deal(4, currency=None)]
    result = check(rows, rule("sum of amount = 0", per=("currency",)), few_rows=few_rows)
    assert reasons(result.rejected) == {
        "D-3": "currency USD: sum of amount = 0 is not true: sum of amount is 100",
        "D-4": "currency : sum of amount = 0 is not true: sum of amount is 100",
    }
    assert list(reasons(result.passed)) == ["D-1", "D-2"]


def test_with_per_a_row_that_fails_takes_its_group_along(few_rows: int) -> None:
    rows = [deal(1), deal(2, amount=Decimal(-1)), deal(3, currency="USD")]
    result = check(rows, rule("amount > 0", per=("currency",)), few_rows=few_rows)
    assert reasons(result.rejected) == {
        "D-1": "currency EUR: another row fails: amount > 0 is not true: amount is -1",
        "D-2": "amount > 0 is not true: amount is -1",
    }


def test_a_row_can_be_compared_with_its_table_or_group(few_rows: int) -> None:
    rows = [deal(1), deal(2, amount=Decimal(1000)), deal(3, amount=Decimal(1), currency="USD")]
    result = check(rows, rule("amount <= 2 * average of amount"), few_rows=few_rows)
    assert list(reasons(result.rejected)) == ["D-2"]
    result = check(rows, rule("amount <= 1.5 * average of amount", per=("currency",)), few_rows=few_rows)
    assert list(reasons(result.rejected)) == ["D-1", "D-2"]


def test_stop_says_which_rows_and_the_rows_are_not_lost(few_rows: int) -> None:
    result = check([deal(1), deal(2, amount=None)], rule("amount is present", otherwise="stop"), few_rows=few_rows)
    assert result.stopped == ("deal_id D-2: amount is missing",)
    assert [row["route"] for row in result.rejected.rows()] == ["stop"]
    assert len(result.passed) == 1


def test_a_stop_about_the_table_is_said_once() -> None:
    result = check([deal(1), deal(2)], rule("sum of amount = 0", otherwise="stop"))
    assert result.stopped == ("sum of amount = 0 is not true: sum of amount is 200",)


def test_a_table_without_rows_can_stop_the_run() -> None:
    result = check([], rule("row count >= 1", otherwise="stop"), rule("amount > 0"))
    assert result.stopped == ("row count >= 1 is not true: row count is 0",)
    assert result.notes == result.stopped


@pytest.mark.parametrize(
    ("limits", "stopped"),
    [
        ({"rejected": "50%"}, ()),
        ({"rejected": "49%"}, ("2 of 4 rows are rejected, more than the limit of 49%",)),
        ({"review": "0"}, ("1 of 4 rows need a review, more than the limit of 0",)),
        ({"review": "1", "rejected": "2"}, ()),
    ],
)
def test_more_than_a_limit_stops_the_run(limits: Mapping[str, str], stopped: tuple[str, ...]) -> None:
    rows = [deal(1, currency="X"), deal(2, currency="X"), deal(3, amount=Decimal(60000)), deal(4)]
    result = check(
        rows, rule("currency = 'EUR'"), rule("amount < inputs.review_above", otherwise="review"), limits=limits
    )
    assert result.stopped == stopped


def test_a_rule_that_asks_no_column_is_asked_of_every_row(few_rows: int) -> None:
    result = check([deal(1), deal(2)], rule("inputs.review_above < 100"), few_rows=few_rows)
    text = "inputs.review_above < 100 is not true: inputs.review_above is 50000"
    assert reasons(result.rejected) == {"D-1": text, "D-2": text}


def test_a_message_sees_columns_that_the_rule_does_not_use(few_rows: int) -> None:
    rules = [rule("amount > 500", message="${{ row.customer }} in ${{ row.region }}: ${{ row.amount }}")]
    assert reasons(check([deal(1)], *rules, few_rows=few_rows).rejected) == {"D-1": "Acme in EMEA: 100"}


def test_masked_columns_do_not_appear_in_reasons() -> None:
    result = check([deal(1)], rule("customer = 'Other'"), rule("amount > 500"), masked=["customer"])
    text = "customer = 'Other' is not true: customer is not shown; amount > 500 is not true: amount is 100"
    assert reasons(result.rejected) == {"D-1": text}


def test_a_check_takes_one_record() -> None:
    result = run_check({"total": Decimal("10.02")}, [rule("total = 10 within 0.05")], otherwise="reject", scope=SCOPE)
    assert len(result.passed) == 1
    result = run_check({"total": None}, [rule("total = 10 within 0.05")], otherwise="reject", scope=SCOPE)
    assert [row["reasons"] for row in result.rejected.rows()] == ["total is missing"]


def test_measures_come_from_the_scope_where_it_has_them() -> None:
    scope = ValueScope(times=SCOPE.times, measures={"match rate": Percent("0.97")})
    result = run_check(
        Table.from_rows({"a": NUMBER}, [{"a": Decimal(1)}]),
        [rule("match rate >= 98%", otherwise="warn")],
        otherwise="stop",
        scope=scope,
    )
    assert [row["reasons"] for row in result.warned.rows()] == ["match rate >= 98% is not true: match rate is 97 %"]


def test_many_rows_are_checked_in_one_go() -> None:
    rows = [deal(1000 + number, amount=Decimal(number % 997)) for number in range(3000)]
    scope = ValueScope(times=SCOPE.times, patterns={"known": "D-####"})
    result = check(rows, rule("amount > 0"), rule("deal_id is unique"), rule("deal_id matches known"), scope=scope)
    assert result.counts == (4, 0, 0)
    assert len(result.passed) == 2996


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("amount > 0", "amount > 0", "twice"),
        ("amount > 0", "amount  >  0", "twice"),
        ("amount > 10", "amount < 5", "no row"),
        ("amount > 10", "amount <= 10", "no row"),
        ("10 < amount", "amount = 3", "no row"),
        ("currency = 'EUR'", "currency is one of USD, GBP", "no row"),
        ("currency = 'EUR'", "currency != 'EUR'", "no row"),
        ("amount is present", "amount is missing", "no row"),
        ("amount is missing", "amount > 5", "no row"),
        ("amount is between 1 and 5", "amount is between 6 and 9", "no row"),
        ("amount > 0 and amount < 5", "amount > 7", "no row"),
        ("discount <= 15%", "discount > 20%", "no row"),
    ],
)
def test_rules_that_contradict_or_repeat_each_other_are_found(first: str, second: str, said: str) -> None:
    found = contradictions([rule(first), rule("customer is present"), rule(second)])
    assert [(one.first, one.second) for one in found] == [(0, 2)]
    assert said in found[0].message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("amount > 10", "amount >= 10"),
        ("amount >= 10", "amount <= 10"),
        ("amount > 10", "limit < 5"),
        ("currency = 'EUR'", "currency is one of EUR, GBP"),
        ("amount > limit", "amount < limit"),
        ("amount > 10 or amount < 5", "amount = 7"),
        ("not (amount > 10)", "amount > 10"),
    ],
)
def test_rules_that_may_both_hold_are_left_alone(first: str, second: str) -> None:
    assert contradictions([rule(first), rule(second)]) == []


def test_a_rule_with_a_when_contradicts_nothing_and_repeats_only_itself() -> None:
    assert contradictions([rule("amount > 10"), rule("amount < 5", when="region = 'APAC'")]) == []
    assert contradictions([rule("amount > 10"), rule("amount > 10", when="region = 'APAC'")]) == []
    twice = [rule("amount > 10", when="region = 'APAC'"), rule("amount > 10", when="region = 'APAC'")]
    assert len(contradictions(twice)) == 1
