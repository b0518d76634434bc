"""Text -> tree, and the mistakes that a text can hold."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest

from interoffice.language import ExpressionError, parse_expression, parse_rule, parse_template, walk
from interoffice.language.nodes import Attribute, Binary, Compare, Literal, Logic, Name, OneOf, Unary, Unique, Where
from interoffice.model.values import Duration, Percent


def mistake(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse_rule(text)
    return caught.value


def fixed(text: str) -> str:
    """The text with the suggestion of its mistake put in."""
    error = mistake(text)
    assert error.suggestion is not None
    return text[: error.offset] + error.suggestion + text[error.offset + error.length :]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", Decimal("1.10")),
        ("15%", Percent("0.15")),
        ("-5%", Percent("-0.05")),
        ("'It''s'", "It's"),
        ("2026-11-20", date(2026, 11, 20)),
        ("8:30", time(8, 30)),
        ("90s", Duration(seconds=90)),
        ("100ms", Duration(seconds=Decimal("0.1"))),
        ("2 business days", Duration(business_days=2)),
        ("1 week", Duration(days=7)),
        ("1 year", Duration(months=12)),
        ("true", True),
    ],
)
def test_a_literal_has_its_value(text: str, value: object) -> None:
    node = parse_expression(text)
    assert isinstance(node, Literal)
    assert node.value == value
    assert type(node.value) is type(value)


def test_a_percent_in_arithmetic_is_a_percent_literal_not_an_operator() -> None:
    node = parse_expression("a * 15%")
    assert isinstance(node, Binary)
    assert isinstance(node.right, Literal)
    assert node.right.value == Decimal("0.15")


def test_where_binds_weakest_then_implies_or_and_not() -> None:
    node = parse_expression("x + y where a and not b or c implies d = 1")
    assert isinstance(node, Where)
    assert isinstance(node.rows, Binary)
    assert isinstance(node.condition, Logic)
    assert node.condition.operator == "implies"
    left = node.condition.left
    assert isinstance(left, Logic)
    assert left.operator == "or"
    assert isinstance(left.left, Logic)
    assert left.left.operator == "and"
    assert isinstance(left.left.right, Unary)


def test_products_bind_tighter_than_sums_and_both_to_the_left() -> None:
    node = parse_expression("a - b - c * d")
    assert isinstance(node, Binary)
    assert node.operator == "-"
    assert isinstance(node.left, Binary)
    assert isinstance(node.right, Binary)
    assert node.right.operator == "*"


def test_not_covers_the_whole_comparison() -> None:
    node = parse_rule("not a = b")
    assert isinstance(node, Unary)
    assert isinstance(node.operand, Compare)


def test_implies_binds_to_the_right() -> None:
    node = parse_rule("a implies b implies c")
    assert isinstance(node, Logic)
    assert isinstance(node.right, Logic)


def test_bare_words_after_is_one_of_are_texts_and_the_list_ends_at_and() -> None:
    node = parse_rule("currency is one of EUR, 'US dollar', x.y and amount > 0")
    assert isinstance(node, Logic)
    assert isinstance(node.left, OneOf)
    first, second, third = node.left.choices
    assert isinstance(first, Literal)
    assert (first.value, first.kind) == ("EUR", "word")
    assert isinstance(second, Literal)
    assert second.value == "US dollar"
    assert isinstance(third, Attribute)


def test_several_columns_are_unique_together() -> None:
    node = parse_rule("supplier_no, invoice_no is unique")
    assert isinstance(node, Unique)
    assert [column.name for column in node.columns] == ["supplier_no", "invoice_no"]


def test_words_of_functions_and_measures_can_be_columns() -> None:
    for text in ("text", "count", "sum", "first", "row", "match", "day", "class", "file", "one", "present"):
        assert isinstance(parse_expression(text), Name), text
    assert isinstance(parse_expression("row.contains"), Attribute)


def test_every_node_knows_its_place() -> None:
    text = "  open_balance + round(amount, 2) <= row.credit_limit"
    for node in walk(parse_rule(text)):
        assert text[node.start : node.end].strip() == text[node.start : node.end] != ""


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "E01", ""),
        ("amount >", "E01", ">"),
        ("amount > > 1", "E01", ">"),
        ("(amount", "E01", "amount"),
        ("amount)", "E01", ")"),
        ("amount is", "E01", "is"),
        ("a < b < c", "E01", "<"),
        ("a is present is missing", "E01", "is"),
        ("amount within 2%", "E01", "within"),
        ("a ** 2", "E01", "**"),
        ("a % 2", "E01", "%"),
        ("a[0]", "E01", "["),
        ("round(a, )", "E01", ")"),
        ("a. > 1", "E01", ">"),
        ("'open", "E01", "'open"),
        ("2026-13-01 > a", "E01", "2026-13-01"),
        ("25:00 > a", "E01", "25:00"),
        ("1.5 days", "E01", "1.5 days"),
        ("a = ${{ b }}", "E02", "${{"),
        ("{{ a }}", "E02", "{{"),
        ("and a", "E01", "and"),
        ("a, b", "E01", "b"),
        ("a, b is missing", "E01", "missing"),
        ("a.b is unique", "E01", "a.b"),
        ("a is between 1", "E01", "1"),
        ("a is one of", "E01", "of"),
        ("a does not fit b", "E01", "fit"),
        ("lambda x: x", "E01", ":"),
    ],
)
def test_a_mistake_names_its_place(text: str, code: str, place: str) -> None:
    error = mistake(text)
    assert error.code == code
    assert text[error.offset : error.offset + error.length] == place or not text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("${{ a > 1 }}", "a > 1"),
        ("a && b", "a and b"),
        ("a || b", "a or b"),
        ("!a", "not a"),
        ("a <> 1", "a != 1"),
        ("a ≤ 1", "a <= 1"),
        ('a = "x"', "a = 'x'"),
        ("a = “it's”", "a = 'it''s'"),
        ("a is presnt", "a is present"),
        ("a is uniqe", "a is unique"),
        ("a = 00123", "a = '00123'"),
        ("a = 3D", "a = '3D'"),
        ("stage = Closed won", "stage = 'Closed won'"),
        ("stage is one of Open, Closed won, Lost", "stage is one of Open, 'Closed won', Lost"),
    ],
)
def test_a_mistake_says_what_was_meant(text: str, meant: str) -> None:
    assert fixed(text) == meant


def test_equality_written_with_is_gets_a_hint() -> None:
    assert "equality is written =" in mistake("a is 5").message


@pytest.mark.parametrize(
    "text", ["(" * 100 + "a" + ")" * 100, "not " * 100 + "a", "a + " * 4000 + "a", "a + " * 250 + "a", "-" * 200 + "1"]
)
def test_an_expression_is_bounded(text: str) -> None:
    assert mistake(text).code == "E01"


def test_a_long_chain_of_sums_is_not_deep() -> None:
    assert parse_expression("a" + " + a" * 200)


def test_the_same_text_is_parsed_once() -> None:
    assert parse_rule("a > 1") is parse_rule("a > 1")


# templates


def test_a_value_that_is_one_expression_is_single() -> None:
    assert parse_template("${{ a }}").single is not None
    assert parse_template("Hello ${{ a }}").single is None
    assert parse_template("plain").single is None
    assert parse_template("${{ a }}${{ b }}").single is None


def test_offsets_of_a_template_are_those_of_the_whole_text() -> None:
    text = "Over by ${{ row.amount - 1 }} ${{ row.currency }}"
    shown = [text[node.start : node.end] for node in parse_template(text).nodes]
    assert shown == ["row.amount - 1", "row.currency"]


def test_braces_inside_of_quotes_do_not_close_a_template() -> None:
    node = parse_template("${{ 'a }} b' }}").single
    assert isinstance(node, Literal)
    assert node.value == "a }} b"


@pytest.mark.parametrize(
    ("text", "code", "place", "suggestion"),
    [
        ("Dear {{ name }},", "E03", "{{ name }}", "${{ name }}"),
        ("${{ a", "E01", "${{", None),
        ("${{ a ${{ b }}", "E01", "${{", None),
        ("x ${{ }} y", "E01", "${{ }}", None),
        ("x ${{ a + }} y", "E01", "+", None),
    ],
)
def test_a_mistake_in_a_template_names_its_place(text: str, code: str, place: str, suggestion: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(text)
    error = caught.value
    assert (error.code, error.suggestion) == (code, suggestion)
    assert text[error.offset : error.offset + error.length] == place
