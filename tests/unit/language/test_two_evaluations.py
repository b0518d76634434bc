"""The row evaluator and DuckDB give the same, on random rows, expressions and rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interoffice.language import RowError, Times, ValueScope, parse_rule, read_rule, run_check
from interoffice.language.calendars import Calendar
from interoffice.language.duck import SqlError, _answer, _connection, sql_cells, suspect_rows
from interoffice.language.each_row import row_cells
from interoffice.language.sql import Compiler
from interoffice.language.tables import whole_scope
from interoffice.model.table import Table
from interoffice.model.types import DATE, DATE_TIME, MONEY, NUMBER, PERCENT, TEXT, YES_NO, choice_of
from interoffice.model.values import Duration, Percent, Value
from interoffice.model.workflow import Rule as WrittenRule

COLUMNS = {
    "a": NUMBER, "b": NUMBER, "m": MONEY, "p": PERCENT, "q": PERCENT, "s": TEXT, "t": TEXT, "c": choice_of("ABC"),
    "d": DATE, "e": DATE, "u": DATE_TIME, "v": DATE_TIME, "y": YES_NO, "z": YES_NO,
}  # fmt: skip
BIG = "9999999999999999999999999999"
NUMBERS = ["0", "1", "-1", "2", "3", "7", "0.5", "-2.5", "0.005", "1.005", "0.0000000001", "100", "123456789.12",
           "999999999999999999", "-1000000000000000000", BIG, f"-{BIG}.9999999999", "33.3333333333"]  # fmt: skip
TEXTS = ["A", "B", "EUR", "x", "Straße", "ÄÖ", "a b", "D-1042", "%", "'", "x'; DROP TABLE t; --", "\u00e9", "e\u0301",
         "1", " ", "anna@example.com", "DE89370400440532013000"]  # fmt: skip
DATES = [date(2026, 11, 20), date(2026, 11, 22), date(2024, 2, 29), date(2026, 1, 31), date(1, 1, 1),
         date(9999, 12, 31), date(2026, 12, 31), date(2026, 10, 25)]  # fmt: skip
MOMENTS = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 11, 20, 23, 30, tzinfo=UTC),
           datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC), datetime(9999, 12, 31, 22, tzinfo=UTC)]  # fmt: skip

SCOPE = whole_scope(
    ValueScope(
        times=Times(
            now=datetime(2026, 11, 22, 23, 30, tzinfo=UTC), zone="Europe/Berlin", calendar=Calendar("DE", "ECB")
        ),
        names={
            "inputs": {"limit": Decimal("2.5"), "tolerance": Percent("0.02"), "text": "EUR", "day": date(2026, 11, 20),
                       "nothing": None, "lead": Duration(business_days=2)},
            "steps": {"x": {"rows": Table.from_rows({"k": TEXT, "n": NUMBER}, [
                {"k": "A", "n": Decimal(1)}, {"k": "EUR", "n": Decimal("0.5")}, {}])}},
        },
        patterns={"deal": "D-####", "odd": "a b.@"},
    )
)  # fmt: skip


Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several: hypothesis, so that a failing case gets small."""

COMPARISONS = (" = ", " != ", " < ", " <= ", " > ", " >= ")
DATE_NUMBERS = ("length(s)", "year(d)", "month(e)", "day(d)", "weekday(e)", "days_between(d, e)")
NAMED_NUMBERS = ("a", "b", "m", "a", "b", "m", "row.a", "inputs.limit", "inputs.nothing")
SPANS = ("1 day", "90 days", "2 business days", "1 month", "inputs.lead")
PERCENTS = ("p", "q", "15%", "inputs.tolerance", "(p + q)", "abs(p)", "round(p, 1)", "(-q)")
TEXT_TERMS = (
    "s", "t", "c", "s", "t", "'EUR'", "''", "inputs.text", "'x''; DROP TABLE t; --'", "upper(s)", "lower(t)", "trim(s)",
    "left(s, 1)", "left(t, 0)", "right(s, 2)", "coalesce(s, t)", "coalesce(s, 'EUR')", "coalesce(s, '')", "max(s, t)",
    "replace(s, 'A', 'B')", "text(d, 'dd.MM.yyyy')", "if_else(y, s, t)",
)  # fmt: skip
TEXT_TESTS = (
    " matches deal", " matches odd", " does not match deal", " matches email", " matches iban", " is one of A, EUR",
    " is not one of 'x', inputs.text", " is empty", " is present", " is missing",
)  # fmt: skip


def number(pick: Pick, depth: int) -> str:
    if depth == 0:
        return str(pick([pick(NAMED_NUMBERS), pick(NAMED_NUMBERS), pick(NUMBERS), pick(DATE_NUMBERS)]))
    one, other = number(pick, depth - 1), number(pick, pick([0, depth - 1]))
    return str(
        pick(
            [
                f"({one} + {other})", f"({one} - {other})", f"({one} * {other})", f"({one} / {other})",
                f"({one} * {pick(PERCENTS)})", f"(-{one})", f"abs({one})", f"round({one})",
                f"round({one}, {pick([0, 1, 2, 8, -2])})", f"round_up({one}, {pick(['5', '0.25', '0'])})",
                f"max({one}, {other})", f"min({one}, {other})", f"coalesce({one}, {other})",
                f"if_else({condition(pick, 0)}, {one}, {other})", f"business_days_between(d, {pick(['e', 'today'])})",
            ]
        )
    )  # fmt: skip


def day(pick: Pick, depth: int) -> str:
    if depth == 0:
        return str(pick(["d", "e", "d", "e", "today", "inputs.day", "2026-11-20", "date(u)", "previous_business_day"]))
    one = day(pick, depth - 1)
    moved = f"({one} {pick('+-')} {pick(SPANS)})"
    months = [f"start_of_month({one})", f"end_of_month({one})", f"add_months({one}, {pick([1, -13])})"]
    return str(pick([moved, moved, *months, f"coalesce({one}, {day(pick, 0)})"]))


def moment(pick: Pick) -> str:
    return str(pick(["u", "v", "now", f"(u {pick('+-')} {pick(['90s', '4h', '1 day'])})"]))


def simple_condition(pick: Pick, depth: int) -> str:
    return pick([about_numbers, about_numbers, about_texts, about_days, about_the_rest])(pick, depth)


def about_numbers(pick: Pick, depth: int) -> str:
    one, other = number(pick, depth), number(pick, pick([0, depth]))
    return str(
        pick(
            [
                f"({one}{pick(COMPARISONS)}{other})", f"({one}{pick(COMPARISONS)}{other})",
                f"({one} = {other} within {pick(['0.02', '2%', 'inputs.tolerance', '1'])})",
                f"({one} is between {other} and {number(pick, 0)})", f"({one} is not between 0 and {other})",
                f"({one} is {pick(['present', 'missing', 'not one of 1, 2.5, -1', 'one of 0, inputs.limit'])})",
            ]
        )
    )  # fmt: skip


def about_texts(pick: Pick, depth: int) -> str:
    one, other = pick(TEXT_TERMS), pick(TEXT_TERMS)
    search = pick([" contains ", " starts with ", " ends with ", " does not contain "])
    looked_up = f"({pick('stc')} {pick(['exists', 'does not exist'])} in steps.x.rows.k)"
    compared = f"({one}{pick(COMPARISONS)}{other})"
    return str(pick([compared, compared, f"({one}{search}{other})", f"({one}{pick(TEXT_TESTS)})", looked_up]))


def about_days(pick: Pick, depth: int) -> str:
    one, other = day(pick, depth), day(pick, 0)
    near = f"({one} = {other} within {pick(['2 days', '3 business days', '0 days'])})"
    return str(pick([f"({one}{pick(COMPARISONS)}{other})", f"({one} is between {other} and today)", near]))


def about_the_rest(pick: Pick, depth: int) -> str:
    percents = f"({pick(PERCENTS)}{pick(COMPARISONS)}{pick(PERCENTS)})"
    near = f"({pick(PERCENTS)} = {pick(PERCENTS)} within 2%)"
    moments = f"({moment(pick)}{pick(COMPARISONS)}{moment(pick)})"
    yes_or_no = pick(["y", "z", "(y = z)", "(y = true)"])
    of_tables = pick(["(a exists in steps.x.rows.n)", "(count(steps.x.rows where n > 0) > 1)"])
    return str(pick([percents, near, moments, yes_or_no, of_tables]))


def condition(pick: Pick, depth: int) -> str:
    if depth == 0 or pick([True, False, False]):
        return simple_condition(pick, depth)
    one, other = condition(pick, depth - 1), condition(pick, depth - 1)
    return str(pick([f"({one} and {other})", f"({one} or {other})", f"({one} implies {other})", f"(not {one})"]))


def anything(pick: Pick) -> str:
    depth = pick([0, 1, 2])
    make = pick([number, condition, condition, day, None])
    if make is not None:
        return str(make(pick, depth))
    return str(pick([pick(TEXT_TERMS), pick(PERCENTS), moment(pick)]))


def rule_text(pick: Pick) -> str:
    return str(pick([condition(pick, pick([0, 1, 2])), condition(pick, 1), pick(WHOLE_RULES)]))


WHOLE_RULES = ("s is unique", "a, b is unique", "s, d is unique", "a <= 2 * average of a", "max of a >= a")
CELLS: dict[str, tuple[Value, ...]] = {
    "number": tuple(Decimal(text) for text in NUMBERS),
    "money": tuple(Decimal(text) for text in NUMBERS),
    "percent": tuple(Percent(text) for text in ("0", "0.15", "0.02", "-0.5", "1", "0.1234567891", "3")),
    "text": tuple(TEXTS), "choice": tuple("ABC"), "date": tuple(DATES), "date_time": tuple(MOMENTS),
    "yes_no": (True, False),
}  # fmt: skip


def picker(draw: st.DrawFn) -> Pick:
    return lambda options: draw(st.sampled_from(list(options)))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A few rows; each cell one of a few values that matter, or missing; now and then any number at all."""
    numbers = {"number": st.decimals(-(10**18), 10**18, places=10), "money": st.decimals(-1000, 1000, places=4)}
    cells = {
        kind: st.sampled_from([None, *values, *values]) | numbers.get(kind, st.nothing())
        for kind, values in CELLS.items()
    }
    row = st.fixed_dictionaries({name: cells[type.kind] for name, type in COLUMNS.items()})
    return Table.from_rows(COLUMNS, draw(st.lists(row, min_size=1, max_size=4)))


@st.composite
def expressions(draw: st.DrawFn) -> list[str]:
    pick = picker(draw)
    return [anything(pick) for _ in range(pick([1, 2, 3]))]


@st.composite
def rule_sets(draw: st.DrawFn) -> list[tuple[str, str | None]]:
    pick = picker(draw)
    rules = range(pick([1, 2, 3, 5]))
    return [(rule_text(pick), condition(pick, 0) if pick([True, False, False]) else None) for _ in rules]


def outcome(cell: Value | RowError) -> object:
    return "no value" if isinstance(cell, RowError) else (type(cell).__name__ == "Percent", cell)


def assert_same_cells(table: Table, texts: list[str]) -> None:
    for text in texts:
        node = parse_rule(text)
        by_row = [outcome(cell) for cell in row_cells(table, node, SCOPE)]
        by_sql = [outcome(cell) for cell in sql_cells(table, node, SCOPE)]
        assert by_sql == by_row, text


def assert_same_check(table: Table, texts: list[str], whens: list[str | None]) -> None:
    routes = ("warn", "review", "reject", "stop")
    rules = [
        read_rule(WrittenRule(text=text, path=(), when=when, otherwise=routes[number % 4]))
        for number, (text, when) in enumerate(zip(texts, whens, strict=True))
    ]
    conditions = [(rule.node, rule.when) for rule in rules if "unique" not in rule.text and "average" not in rule.text]
    if conditions:
        suspect_rows(table, conditions, SCOPE, {})
    few = run_check(table, rules, otherwise="reject", scope=SCOPE)
    many = run_check(table, rules, otherwise="reject", scope=SCOPE, few_rows=0)
    for part in ("passed", "review", "rejected", "warned"):
        assert list(getattr(few, part).rows()) == list(getattr(many, part).rows()), (part, texts, whens)
    assert few.stopped == many.stopped
    assert few.counts == many.counts


ordinary = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
thorough = settings(ordinary, max_examples=10_000)


@given(tables(), expressions())
@ordinary
def test_both_evaluations_give_the_same_cells(table: Table, texts: list[str]) -> None:
    assert_same_cells(table, texts)


@given(tables(), rule_sets())
@ordinary
def test_both_evaluations_route_the_same_rows_for_the_same_reasons(
    table: Table, rules: list[tuple[str, str | None]]
) -> None:
    assert_same_check(table, [text for text, _ in rules], [when for _, when in rules])


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.timeout(3000)
@given(tables(), expressions())
@thorough
def test_both_evaluations_give_the_same_cells_thoroughly(table: Table, texts: list[str]) -> None:
    assert_same_cells(table, texts)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.timeout(3000)
@given(tables(), rule_sets())
@thorough
def test_both_evaluations_route_the_same_rows_thoroughly(table: Table, rules: list[tuple[str, str | None]]) -> None:
    assert_same_check(table, [text for text, _ in rules], [when for _, when in rules])


def test_what_the_samples_use_is_said_in_sql() -> None:
    for text in (
        "a + b * 2 <= m",
        "a / 3 > 1",
        "d is between today - 90 days and today",
        "a = b within 2%",
        "s is one of A, B",
        "s matches deal",
        "d > today + 2 business days",
        "a > inputs.limit implies y = true",
        "s exists in steps.x.rows.k",
        "s, t is unique",
    ):
        compiler = Compiler(COLUMNS, SCOPE, {("s", "t"): set()})
        assert compiler.whole(parse_rule(text)).kind == "yes_no"
        assert not compiler.in_python, text


def test_what_is_beyond_sql_is_worked_out_in_python() -> None:
    rows = Table.from_rows(COLUMNS, [{"d": date(2026, 11, 20)}, {"d": date(2026, 11, 21)}, {}])
    assert sql_cells(rows, parse_rule("d + 2 business days = 2026-11-24"), SCOPE) == [True, True, None]


@pytest.mark.parametrize("text", ["a is not between 2 and 1 / (a - 1)", "a is between 2 and 1 / (a - 1)"])
def test_a_limit_that_failed_is_not_hidden_by_the_other_one(text: str) -> None:
    rows = Table.from_rows(COLUMNS, [{"a": Decimal(1)}, {"a": Decimal(3)}, {}])
    assert_same_cells(rows, [text])
    assert outcome(sql_cells(rows, parse_rule(text), SCOPE)[0]) == "no value"


def test_names_of_columns_never_become_sql() -> None:
    name = 'a" FROM t; DROP TABLE t; --'
    rows = Table.from_rows({name: NUMBER, "n": NUMBER, "c0": NUMBER}, [{"n": Decimal(1), "c0": Decimal(2)}])
    assert sql_cells(rows, parse_rule("n < c0"), SCOPE) == [True]


def test_a_query_that_fails_leaves_the_work_to_the_row_evaluator() -> None:
    rows = Table.from_rows(COLUMNS, [{"a": Decimal(BIG)}, {"a": Decimal(2)}])
    assert outcome(sql_cells(rows, parse_rule("a * a"), SCOPE)[0]) == "no value"
    assert sql_cells(rows, parse_rule("a * a"), SCOPE)[1] == 4


def test_a_database_that_is_asked_reaches_no_file_and_no_python_object() -> None:
    with _connection() as connection:
        secret = Table.from_rows({"a": NUMBER}, []).arrow()
        for attack in (
            "SELECT * FROM read_csv('/etc/hostname')",
            "SELECT * FROM secret",
            "ATTACH '/tmp/other.db'",
            "COPY (SELECT 1) TO '/tmp/stolen.csv'",
            "SET enable_external_access=true",
            "INSTALL httpfs",
        ):
            with pytest.raises(SqlError):
                _answer(connection, attack, {})
        assert secret.num_rows == 0
