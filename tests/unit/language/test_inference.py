"""What can be said of an expression without data."""

from __future__ import annotations

import pytest

from interoffice.language import (
    ExpressionError,
    NameProblem,
    Names,
    columns_used,
    infer,
    infer_condition,
    is_about_table,
    is_constant_condition,
    names_used,
    parse_expression,
    parse_rule,
)
from interoffice.model.types import (
    ANY,
    DATE,
    DATE_TIME,
    DURATION,
    FILE,
    MONEY,
    NUMBER,
    PERCENT,
    TEXT,
    YES_NO,
    Type,
    choice_of,
    list_of,
    record_of,
    table_of,
)

DEALS = table_of(
    {
        "deal_id": TEXT,
        "amount": MONEY,
        "quantity": NUMBER,
        "discount": PERCENT,
        "closed": DATE,
        "received_at": DATE_TIME,
        "due_in": DURATION,
        "blocked": YES_NO,
        "region": choice_of(["EMEA", "APAC"]),
        "file": FILE,
        "note": TEXT,
    }
)
OTHER = table_of({"deal_id": TEXT, "amount": TEXT})
SCOPE = Names(
    names={
        "inputs": record_of({"limit": MONEY, "tolerance": PERCENT, "regions": list_of(TEXT)}),
        "steps": record_of({"deals": record_of({"rows": DEALS}), "other": record_of({"rows": OTHER})}),
        "deal": record_of(DEALS.columns or {}),
    },
    columns=DEALS,
    patterns=["order_no"],
)


def problems(text: str, scope: Names = SCOPE) -> list[tuple[str, str, str | None]]:
    """(code, place in the text, suggestion) of each mistake of a rule."""
    found = infer_condition(parse_rule(text), scope, bare="columns")
    return [(error.code, text[error.offset : error.offset + error.length], error.suggestion) for error in found]


def kind(text: str) -> str:
    found = infer(parse_expression(text), SCOPE, bare="columns")
    assert not found.problems, found.problems
    return found.type.kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount + quantity", "money"),
        ("quantity * 2", "number"),
        ("amount * quantity", "money"),
        ("amount / amount", "number"),
        ("amount / quantity", "money"),
        ("amount * 15%", "money"),
        ("discount + 5%", "percent"),
        ("1 - discount", "number"),
        ("-discount", "percent"),
        ("closed + 9h", "date_time"),
        ("closed + 2 business days", "date"),
        ("now - 20m", "date_time"),
        ("today - closed", "duration"),
        ("due_in * 2", "duration"),
        ("steps.deals.rows where amount > 0", "table"),
        ("steps.deals.rows + steps.deals.rows", "table"),
        ("steps.deals.rows.amount", "list"),
        ("sum(steps.deals.rows.amount)", "money"),
        ("first(steps.deals.rows).region", "choice"),
        ("count(steps.deals.rows)", "number"),
        ("file.size_bytes", "number"),
        ("coalesce(note, 'none')", "text"),
        ("if_else(blocked, 0%, discount)", "percent"),
        ("max(amount, quantity)", "money"),
        ("round(discount, 1)", "percent"),
        ("start_of_month(received_at)", "date"),
        ("sum of amount", "money"),
        ("row.amount", "money"),
        ("deal.region", "choice"),
        ("percent(0.5)", "percent"),
    ],
)
def test_an_expression_has_its_type(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "deal_id, closed is unique",
        "amount = inputs.limit within inputs.tolerance",
        "closed = today within 2 days",
        "region is one of inputs.regions",
        "deal_id exists in steps.other.rows.deal_id",
        "note matches order_no and note matches iban",
        "amount <= 2 * average of amount",
        "row count >= 1",
        "blocked = false",
        "not blocked",
        "date(received_at) = yesterday",
        "received_at < now + due_in",
        "file is present",
        "due_in > 2 days",
        "count(steps.deals.rows where region = 'EMEA') > 0",
        "(steps.deals.rows + steps.deals.rows) is not empty",
    ],
)
def test_a_right_rule_has_no_mistakes(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amont > 0", ("C03", "amont", "amount")),
        ("deal.amont > 0", ("R05", "amont", "amount")),
        ("row.amont > 0", ("C03", "amont", "amount")),
        ("inputs.limt > 0", ("R04", "limt", "limit")),
        ("steps.deels.rows is empty", ("R05", "deels", "deals")),
        ("count(steps.deals.rows where amont > 0) > 1", ("C03", "amont", "amount")),
        ("sum(steps.deals.rows.amont) > 1", ("C03", "amont", "amount")),
        ("secrets.erp = 'x'", ("K01", "secrets", None)),
        ("region = EMEA", ("E07", "EMEA", "'EMEA'")),
        ("EMEA = region", ("E07", "EMEA", "'EMEA'")),
        ("deal_id = Zxyvut", ("E07", "Zxyvut", "'Zxyvut'")),
        ("deal_id = dealid", ("C03", "dealid", "deal_id")),
        ("blocked = no", ("E07", "no", "false")),
        ("region is one of EMEA, note", ("E07", "note", "'note'")),
        ("region = 'EMAE'", ("E04", "'EMAE'", "'EMEA'")),
        ("region is one of EMEA, APEC", ("E04", "APEC", "APAC")),
        ("amount > '5'", ("E04", "'5'", None)),
        ("note = 5", ("E04", "5", None)),
        ("amount > note", ("E04", "amount", None)),
        ("discount <= 15", ("E04", "15", "15%")),
        ("discount <= 0.15", ("E04", "0.15", "15%")),
        ("closed < now", ("E04", "now", "date(now)")),
        ("blocked > true", ("E04", "blocked", None)),
        ("steps.deals.rows = 5", ("E04", "5", None)),
        ("amount is one of 5, 'x'", ("E04", "'x'", None)),
        ("amount is between 1 and 'x'", ("E04", "'x'", None)),
        ("amount contains 'x'", ("E04", "amount", None)),
        ("amount matches iban", ("E04", "amount", None)),
        ("note matches ibn", ("R05", "ibn", "iban")),
        ("amount exists in steps.other.rows.amount", ("E04", "amount", None)),
        ("note exists in steps.other.rows", ("E04", "steps.other.rows", None)),
        ("amount is empty", ("E04", "amount is empty", None)),
        ("note is visible", ("E04", "note is visible", None)),
        ("note + note = 'x'", ("E04", "note + note", None)),
        ("closed + 1 > today", ("E04", "closed + 1", None)),
        ("count(steps.deals.rows + steps.other.rows) > 1", ("E04", "steps.deals.rows + steps.other.rows", None)),
        ("roud(amount) > 1", ("E06", "roud", "round")),
        ("round() > 1", ("E04", "round()", None)),
        ("round(note) = 1", ("E04", "note", None)),
        ("coalesce(amount, 'x') = 1", ("E04", "'x'", None)),
        ("min(amount) = 1", ("E04", "min(amount)", None)),
        ("sum of note = 1", ("E04", "note", None)),
        ("sum of amont = 1", ("C03", "amont", "amount")),
        ("match rate > 5%", ("R05", "match rate", None)),
        ("amount = 5 within 2 days", ("C06", "2 days", None)),
        ("closed = today within 2%", ("C06", "2%", None)),
        ("note = 'x' within 2", ("C06", "2", None)),
        ("amount <= 5 within 2", ("C06", "2", None)),
        ("not amount", ("E04", "amount", None)),
        ("amount and blocked", ("E04", "amount", None)),
        ("amount", ("E04", "amount", None)),
        ("amount where amount > 0", ("E04", "amount", None)),
        ("1 = 1", ("E05", "1 = 1", None)),
        ("blocked or true", ("E05", "blocked or true", None)),
    ],
)
def test_a_mistake_is_found_once_at_its_place(text: str, expected: tuple[str, str, str | None]) -> None:
    assert problems(text) == [expected]


def test_what_follows_from_a_mistake_stays_silent() -> None:
    assert len(problems("round(amont, 2) + note.x * 5 > limt.foo")) == 3
    assert len(problems("amont + 1 > 2 and amont is one of 1, 2")) == 2


def test_two_mistakes_are_both_found() -> None:
    assert [code for code, _, _ in problems("amont > 0 and region = EMEA")] == ["C03", "E07"]


def test_open_tables_have_any_column() -> None:
    scope = Names(columns=Type("table", columns={"a": NUMBER}, open=True))
    assert problems("b = 'x' and a > 1", scope) == []
    assert infer(parse_rule("b"), scope, bare="columns").type == ANY


def test_the_scope_gives_unknown_names_their_own_code() -> None:
    def unknown(path: tuple[str, ...], owner: Type | None) -> NameProblem | None:
        return NameProblem("R02", "a later step", None) if path[0] == "steps" else None

    scope = Names(names=SCOPE.names, columns=DEALS, unknown_name=unknown)
    assert problems("steps.later.rows is empty", scope) == [("R02", "later", None)]
    assert problems("amont > 0", scope)[0][0] == "C03"


def test_measures_of_a_reconciliation_are_known_where_the_scope_says_so() -> None:
    scope = Names(measures={"match rate": PERCENT, "ambiguous count": NUMBER, "difference of amount": MONEY})
    for text in ("match rate >= 98%", "ambiguous count = 0", "difference of amount = 0 within 100.00"):
        assert problems(text, scope) == []
    assert problems("match rate >= 98", scope)[0][0] == "E04"


def test_elements_can_be_visible_where_the_scope_is_a_screen() -> None:
    scope = Names(columns=record_of({"save": TEXT}), is_screen=True, column_word="element", column_code="U02")
    assert problems("save is enabled and save is missing", scope) == []
    assert problems("sav is visible", scope) == [("U02", "sav", "save")]


def test_bare_words_mean_nothing_where_no_row_is() -> None:
    errors = infer_condition(parse_rule("amount > 0"), Names(names={"inputs": record_of({})}))
    assert [error.code for error in errors] == ["R05"]
    assert isinstance(errors[0], ExpressionError)


def test_names_used_say_where_a_value_may_be_missing() -> None:
    text = "coalesce(steps.a.x, steps.b.y) = 'z' or steps.c.x is present and steps.d.z > today"
    used = {name.text: name.guarded for name in names_used(parse_rule(text))}
    assert used == {"steps.a.x": True, "steps.b.y": True, "steps.c.x": True, "steps.d.z": False, "today": False}


def test_columns_used_are_bare_words_and_row_names() -> None:
    rule = parse_rule("amount > inputs.x and row.note = 'x' and sum of debit = 0 and count(s.rows where z > 0) > 1")
    assert [name.path for name in columns_used(rule)] == [("amount",), ("note",), ("debit",)]
    assert [name.path for name in columns_used(parse_rule("a, b is unique"))] == [("a",), ("b",)]


def test_rules_about_the_table_have_measures_only() -> None:
    assert is_about_table(parse_rule("sum of amount = steps.bank.closing - inputs.x"))
    assert is_about_table(parse_rule("row count > 0"))
    assert not is_about_table(parse_rule("amount <= 2 * average of amount"))
    assert not is_about_table(parse_rule("amount > 0"))


def test_a_condition_is_constant_with_literals_only() -> None:
    assert is_constant_condition(parse_rule("1 < 2"))
    assert is_constant_condition(parse_rule("x or 'a' = 'a'"))
    assert not is_constant_condition(parse_rule("today > 2026-01-01"))
    assert not is_constant_condition(parse_rule("row count > 0"))
