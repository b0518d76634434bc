"""The value of an expression for one row."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import product

import pytest

from interoffice.language import (
    Calendar,
    RowError,
    Times,
    ValueScope,
    evaluate,
    holds,
    parse_expression,
    parse_rule,
    parse_template,
    render,
)
from interoffice.model.table import Table
from interoffice.model.types import DATE, NUMBER, TEXT
from interoffice.model.values import Duration, FileValue, Formats, Percent, Value

TIMES = Times(
    now=datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
    zone="Europe/Berlin",
    calendar=Calendar("DE", "ECB", [date(2026, 12, 24)]),
)
ROWS = Table.from_rows(
    {"k": TEXT, "n": NUMBER, "d": DATE},
    [{"k": "A", "n": Decimal(1)}, {"k": "B", "n": Decimal("2.5")}, {"n": Decimal(4), "d": date(2026, 1, 1)}],
)
SCOPE = ValueScope(
    times=TIMES,
    names={
        "inputs": {"limit": Decimal(10), "none": None, "regions": ("EMEA", "APAC")},
        "steps": {"x": {"rows": ROWS}, "skipped": None},
        "deal": {"amount": Decimal(5)},
        "doc": FileValue(path="a/b.pdf", name="b.pdf", sha256="ab", size_bytes=12),
    },
    patterns={"deal_id": "D-####", "plate": "@@-##.#"},
)
ROW: dict[str, Value] = {
    "a": Decimal(7), "b": Decimal(-2), "zero": Decimal(0), "p": Percent("0.15"), "text": "EUR", "gone": None,
    "day": date(2026, 11, 20), "at": datetime(2026, 10, 24, 22, 30, tzinfo=UTC), "yes": True, "no": False,
    "big": Decimal("9999999999999999999999999999"),
}  # fmt: skip


def value(text: str, **row: Value) -> Value:
    return evaluate(parse_rule(text), SCOPE.of_row({**ROW, **row}))


def reason(text: str, **row: Value) -> str:
    with pytest.raises(RowError) as caught:
        value(text, **row)
    return caught.value.reason


T, F, M = True, False, None


@pytest.mark.parametrize(
    ("operator", "table"),
    [
        ("and", {(T, T): T, (T, F): F, (T, M): M, (F, T): F, (F, F): F, (F, M): F, (M, T): M, (M, F): F, (M, M): M}),
        ("or", {(T, T): T, (T, F): T, (T, M): T, (F, T): T, (F, F): F, (F, M): M, (M, T): T, (M, F): M, (M, M): M}),
        (
            "implies",
            {(T, T): T, (T, F): F, (T, M): M, (F, T): T, (F, F): T, (F, M): T, (M, T): T, (M, F): M, (M, M): M},
        ),
    ],
)
def test_logic_follows_the_tables_of_kleene(operator: str, table: dict[tuple[Value, Value], Value]) -> None:
    for left, right in product((T, F, M), repeat=2):
        assert value(f"l {operator} r", l=left, r=right) is table[left, right], (left, right)


def test_not_missing_is_missing() -> None:
    assert value("not gone = 1") is None
    assert value("not yes") is False


@pytest.mark.parametrize(
    "text",
    [
        "gone = 1", "gone != 1", "gone < 1", "1 = gone within 2", "gone is one of 1, 2", "gone is between 1 and 2",
        "a is between gone and 8", "gone contains 'x'", "gone matches iban", "gone exists in steps.x.rows.k",
        "gone + 1", "-gone", "round(gone)", "gone is not one of 1", "a is one of 1, inputs.none",
    ],
)  # fmt: skip
def test_a_comparison_with_missing_is_missing(text: str) -> None:
    assert value(text) is None


def test_present_missing_and_empty_always_answer() -> None:
    assert value("gone is missing") is True
    assert value("gone is not present") is True
    assert value("a is present") is True
    assert value("gone is empty") is True
    assert value("steps.x.rows is not empty") is True
    assert value("(steps.x.rows where n > 100) is empty") is True


def test_what_decides_alone_needs_not_the_missing_part() -> None:
    assert value("a is between 8 and gone") is False
    assert value("a is one of 7, inputs.none") is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 0.2 = 0.3", True),
        ("1 / 3", Decimal("0.3333333333")),
        ("2 / 3", Decimal("0.6666666667")),
        ("-2 / 3", Decimal("-0.6666666667")),
        ("1 / 3 * 3 = 1", False),
        ("0.0000000001 * 0.5", Decimal("0.0000000001")),
        ("-0.0000000001 * 0.5", Decimal("-0.0000000001")),
        ("0.0000000001 * 0.4", Decimal(0)),
        ("a - b * 2", Decimal(11)),
        ("100 * 15%", Decimal(15)),
        ("p + 5%", Percent("0.2")),
        ("round(2.5)", Decimal(3)),
        ("round(-2.5)", Decimal(-3)),
        ("round(2.345, 2)", Decimal("2.35")),
        ("round(1234, -2)", Decimal(1200)),
        ("round(15.44%, 1)", Percent("0.154")),
        ("round_up(11, 5)", Decimal(15)),
        ("round_up(10, 5)", Decimal(10)),
        ("round_down(-1, 5)", Decimal(-5)),
        ("abs(b)", Decimal(2)),
        ("max(a, b, 3)", Decimal(7)),
        ("min('b', 'a')", "a"),
    ],
)
def test_numbers_are_exact_and_rounded_half_away_from_zero(text: str, expected: Value) -> None:
    assert value(text) == expected
    assert type(value(text)) is type(expected)


def test_division_by_zero_and_overflow_are_reasons_of_the_row() -> None:
    assert reason("a / zero > 1") == "division by zero"
    assert "overflow" in reason("big * 10")
    assert "overflow" in reason("big + 1")
    assert "overflow" in reason("day + 9000000 days")


def test_an_error_counts_only_where_the_result_depends_on_it() -> None:
    assert value("zero = 0 or a / zero > 1") is True
    assert value("a / zero > 1 or zero = 0") is True
    assert value("a / zero > 1 and zero = 1") is False
    assert reason("a / zero > 1 and zero = 0") == "division by zero"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100 = 102 within 2%", True),
        ("100 = 102.05 within 2%", False),
        ("98 = 100 within 2", True),
        ("100 != 102 within 2%", False),
        ("-100 = -102 within 2%", True),
        ("15% = 16% within 1%", True),
        ("day = 2026-11-22 within 2 days", True),
        ("2026-11-23 = day within 2 days", False),
        ("day = 2026-11-24 within 2 business days", True),
        ("at = at + 90s within 90s", True),
        ("at = at + 91s within 90s", False),
    ],
)
def test_within_is_a_tolerance(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", date(2026, 11, 23)),
        ("yesterday", date(2026, 11, 22)),
        ("previous_business_day", date(2026, 11, 20)),
        ("now", datetime(2026, 11, 22, 23, 30, tzinfo=UTC)),
        ("today - 90 days", date(2026, 8, 25)),
        ("day + 1 business day", date(2026, 11, 23)),
        ("2026-12-23 + 1 business day", date(2026, 12, 28)),
        ("2026-01-31 + 1 month", date(2026, 2, 28)),
        ("2026-05-31 - 3 months", date(2026, 2, 28)),
        ("day + 9h", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
        ("at + 1 day", datetime(2026, 10, 25, 23, 30, tzinfo=UTC)),
        ("at + 24h", datetime(2026, 10, 25, 22, 30, tzinfo=UTC)),
        ("date(at)", date(2026, 10, 25)),
        ("today - day", Duration(days=3)),
        ("start_of_month(day)", date(2026, 11, 1)),
        ("end_of_month(2024-02-10)", date(2024, 2, 29)),
        ("add_months(2026-11-30, 3)", date(2027, 2, 28)),
        ("days_between(day, today)", Decimal(3)),
        ("business_days_between(day, today)", Decimal(1)),
        ("business_days_between(today, day)", Decimal(-1)),
        ("is_business_day(2026-12-24)", False),
        ("weekday(day)", Decimal(5)),
        ("year(day)", Decimal(2026)),
        ("date('20.11.2026', 'dd.MM.yyyy')", date(2026, 11, 20)),
        ("date_time('2026-11-20 09:30')", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2 days > 36h", True),
        ("1 day = 24h", True),
        ("12:30 < 13:00", True),
    ],
)
def test_time_is_the_planned_time_on_the_clock_of_the_zone(text: str, expected: Value) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("upper('straße')", "STRASSE"),
        ("trim('  x ')", "x"),
        ("trim('   ')", None),
        ("left(text, 2)", "EU"),
        ("right(text, 5)", "EUR"),
        ("replace(text, 'U', 'ü')", "EüR"),
        ("length('aüß')", Decimal(3)),
        ("text(day, 'dd.MM.yyyy')", "20.11.2026"),
        ("text(at, 'dd.MM.yyyy HH:mm')", "25.10.2026 00:30"),
        ("text(1234.5, '1.234,56')", "1.234,5"),
        ("text(15%)", "15 %"),
        ("number('12.50')", Decimal("12.5")),
        ("number('1.234,50', '1.234,56')", Decimal("1234.5")),
        ("join(steps.x.rows.k, '/')", "A/B"),
        ("coalesce(gone, inputs.none, 'x')", "x"),
        ("if_else(a > 5, 'big', 'small')", "big"),
        ("if_else(gone > 5, 'big', 'small')", None),
        ("doc.name", "b.pdf"),
        ("doc.size_bytes", Decimal(12)),
    ],
)
def test_functions_of_text(text: str, expected: Value) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    ["number('1,5')", "number('1.23,4', '1.234,56')", "number('1e5')", "date('2026-02-30')", "date('x', 'dd.MM.yyyy')",
     "round(a, 0.5)",
     "round_up(a, zero)", "text(text, 'dd')", "text(day, 'qq')", "left(text, 1.5)", "a > text", "a > p",
     "text + text", "not a", "a and yes", "yes < no", "day < at", "1 month < 40 days", "gonner = 1", "inputs.limt > 1",
     "steps.x.rows.z is empty", "text.x = 1", "nofunction(1)", "first(a)", "text matches nopattern", "a is unique",
     "row count > 1", "a is visible", "sum(a)", "a exists in text", "1.5 * 1 day", "steps.x.rows where n"],
)  # fmt: skip
def test_what_has_no_value_says_why_and_never_guesses(text: str) -> None:
    assert reason(text)


def test_functions_over_columns_leave_missing_cells_out() -> None:
    assert value("count(steps.x.rows)") == 3
    assert value("count(steps.x.rows.k)") == 2
    assert value("sum(steps.x.rows.n)") == Decimal("7.5")
    assert value("average(steps.x.rows.n)") == Decimal("2.5")
    assert value("max(steps.x.rows.n)") == 4
    assert value("max(steps.x.rows.k)") == "B"
    assert value("sum((steps.x.rows where n > 100).n)") == 0
    assert value("average((steps.x.rows where n > 100).n)") is None
    assert value("first(steps.x.rows).k") == "A"
    assert value("last(steps.x.rows).n") == 4
    assert value("first(steps.x.rows where n > 100)") is None
    assert value("first(steps.x.rows where n > 100).k") is None


def test_names_with_a_point_are_names_and_single_words_are_columns() -> None:
    assert value("deal.amount") == 5
    assert value("deal", deal=Decimal(9)) == 9
    assert value("row.a") == 7
    assert value("steps.skipped.anything") is None


def test_exists_in_a_column_equals_exactly() -> None:
    assert value("'A' exists in steps.x.rows.k") is True
    assert value("'a' exists in steps.x.rows.k") is False
    assert value("2.50 exists in steps.x.rows.n") is True
    assert value("'C' does not exist in steps.x.rows.k") is True


def test_one_of_takes_lists() -> None:
    assert value("'EMEA' is one of inputs.regions") is True
    assert value("text is not one of inputs.regions, EUR") is False


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("'D-1042' matches deal_id", True),
        ("'D-104' matches deal_id", False),
        ("'D-10422' matches deal_id", False),
        ("'D-١٢٣٤' matches deal_id", False),
        ("'BE-12.3' matches plate", True),
        ("'BE-1233' matches plate", False),
        ("'anna.berg@example.com' matches email", True),
        ("'anna@localhost' matches email", False),
        ("'a b@example.com' matches email", False),
        ("'DE89370400440532013000' matches iban", True),
        ("'DE89370400440532013001' matches iban", False),
        ("'DEUTDEFF' matches bic", True),
        ("'529900T8BM49AURSDO55' matches lei", True),
        ("'4111111111111111' matches luhn", True),
        ("'DE136695976' matches eu_vat_number", True),
        ("'DE136695975' does not match eu_vat_number", True),
    ],
)
def test_a_named_pattern_fits_or_not(text: str, fits: bool) -> None:
    assert value(text) is fits


def test_text_equals_letter_for_letter() -> None:
    assert value("'a' = 'A'") is False
    assert value("'é' = 'e\u0301'") is False
    assert value("'EUR ' = text") is False


def test_a_condition_on_something_missing_is_an_error_that_names_it() -> None:
    scope = SCOPE.of_row(ROW)
    assert holds(parse_rule("a > 5"), scope) is True
    with pytest.raises(RowError, match=r"gone is missing"):
        holds(parse_rule("gone > 5 and a > 5"), scope)
    with pytest.raises(RowError, match=r"neither true nor false"):
        holds(parse_rule("a + 5"), scope)


def test_where_on_something_missing_is_an_error_that_names_row_and_column() -> None:
    with pytest.raises(RowError, match=r"row 3.*k is missing"):
        value("count(steps.x.rows where k = 'A') > 0")


def test_a_template_alone_keeps_its_type_and_inside_text_is_formatted() -> None:
    scope = SCOPE.of_row(ROW)
    formats = Formats(date="dd.MM.yyyy", number="1.234,56", zone="Europe/Berlin")
    assert render(parse_template("${{ a }}"), scope, formats) == Decimal(7)
    assert (
        render(parse_template("on ${{ day }}: ${{ a / 2 }}, ${{ p }}${{ gone }}"), scope, formats)
        == "on 20.11.2026: 3,5, 15 %"
    )
    assert render(parse_template("on ${{ day }}"), scope) == "on 2026-11-20"


def test_a_cell_that_looks_like_an_expression_stays_text() -> None:
    attack = "${{ secrets.erp }} {{ 7 * 7 }}"
    assert render(parse_template("x ${{ text }}"), SCOPE.of_row({"text": attack})) == f"x {attack}"


@pytest.mark.parametrize(
    "text", ["text.__class__", "inputs.__dict__", "doc.__class__", "steps.x.rows.rows", "today.year"]
)
def test_a_point_is_a_key_and_never_an_attribute_of_an_object(text: str) -> None:
    with pytest.raises(RowError):
        evaluate(parse_expression(text), SCOPE.of_row(ROW))


def test_elements_of_a_screen_are_asked_about_their_state() -> None:
    shown = {("save", "visible"): True, ("save", "enabled"): False}
    scope = ValueScope(times=TIMES, row={"save": None}, state=lambda name, state: shown[name, state])
    assert evaluate(parse_rule("save is visible and save is not enabled"), scope) is True


def test_times_of_day_compare() -> None:
    assert evaluate(parse_rule("opens < 08:30"), SCOPE.of_row({"opens": time(8, 0)})) is True
