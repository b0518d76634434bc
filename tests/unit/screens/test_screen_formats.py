"""Values as an application writes them: exact both ways, refused where a screen can't hold them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interoffice.errors import BusinessError
from interoffice.model.selectors import ElementType, ScreenFormats
from interoffice.model.values import Percent, Value
from interoffice.screens.formats import Field, Unreadable, fold_caption, mask, same, same_value, shown, typed

GERMAN = ScreenFormats(date="dd.MM.yyyy", number="1.234,56")
SWISS = ScreenFormats(date="d.M.yyyy", number="1'234.56")
FRENCH = ScreenFormats(date="dd/MM/yyyy", number="1 234,56")


def a(type: ElementType, formats: ScreenFormats = GERMAN, **more: object) -> Field:
    return Field(name="it", type=type, formats=formats, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (a("money"), Decimal("1234.5"), "1234,50"),
        (a("money"), Decimal(-3), "-3,00"),
        (a("number"), Decimal("1234.50"), "1234,5"),
        (a("number", SWISS), Decimal("0.05"), "0.05"),
        (a("date"), date(2026, 3, 1), "01.03.2026"),
        (a("date", SWISS), date(2026, 3, 1), "1.3.2026"),
        (a("text"), "00123", "00123"),
        (a("text"), Decimal("12.50"), "12.5"),
        (a("text"), date(2026, 3, 1), "2026-03-01"),
        (a("text", typed_as='Name: "{value}"'), "Ann", 'Name: "Ann"'),
        (a("money"), "", ""),
    ],
)
def test_a_value_is_typed_as_the_application_writes_it(field: Field, value: Value, text: str) -> None:
    assert typed(value, field)["text"] == text


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        (a("money"), Decimal("1.005"), "more decimals"),
        (a("number"), Percent("0.15"), "not a number"),
        (a("money"), "12", "not a number"),
        (a("date"), "2026-03-01", "not a date"),
        (a("yes_no"), "yes", "neither yes nor no"),
        (a("text", max_length=3), "abcd", "longer than 3"),
        (a("text", pattern="SO-##"), "SO-1x", "not written like SO-##"),
        (a("text"), "a\x07b", "can't be typed"),
        (a("text", typed_as='"{value}"'), 'a"b', "quote"),
        (a("choice", choices=("One", "Two")), "Three", "none of its choices"),
    ],
)
def test_what_a_screen_cant_hold_is_a_business_error(field: Field, value: Value, why: str) -> None:
    with pytest.raises(BusinessError, match=why) as refused:
        typed(value, field)
    assert refused.value.code == "value_not_possible"


def test_a_sensitive_value_is_in_no_message() -> None:
    with pytest.raises(BusinessError) as refused:
        typed("DE02120300000000202051", a("text", max_length=3, sensitive=True))
    assert "DE02" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (a("money"), "1.234,50", Decimal("1234.5")),
        (a("money"), "1.234,50 €", Decimal("1234.5")),
        (a("money"), "EUR 1.234,50", Decimal("1234.5")),
        (a("money"), "1.234,50-", Decimal("-1234.5")),
        (a("money", FRENCH), "1\u202f234,50", Decimal("1234.5")),
        (a("number"), "1.234", Decimal(1234)),
        (a("date"), "01.03.2026", date(2026, 3, 1)),
        (a("text"), "00123", "00123"),
        (a("money"), "", None),
        (a("text"), " ", None),
    ],
)
def test_what_is_shown_is_read_as_its_type(field: Field, text: str, value: Value) -> None:
    assert shown({"text": text}, field) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (a("money"), "1,234.50"),
        (a("money"), "1,234"),
        (a("money"), "12.50"),
        (a("number"), "1.23"),
        (a("number"), "15 %"),
        (a("date"), "3/1/2026"),
        (a("date"), "31.02.2026"),
        (a("date"), "01.03.26"),
    ],
)
def test_a_reading_that_could_mean_something_else_is_none(field: Field, text: str) -> None:
    with pytest.raises(Unreadable):
        shown({"text": text}, field)
    assert not same(Decimal("1234.5"), {"text": text}, field)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2), st.sampled_from([GERMAN, SWISS, FRENCH]))
def test_an_amount_comes_back_as_it_was_meant(amount: Decimal, formats: ScreenFormats) -> None:
    field = a("money", formats)
    text = typed(amount, field)["text"]
    assert shown({"text": text}, field) == amount
    assert same(amount, {"text": text}, field)
    assert not same(amount + Decimal("0.01"), {"text": text}, field)


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from([GERMAN, SWISS, FRENCH]))
def test_a_date_comes_back_as_it_was_meant(day: date, formats: ScreenFormats) -> None:
    field = a("date", formats)
    assert shown({"text": typed(day, field)["text"]}, field) == day


@pytest.mark.parametrize(
    ("compare", "meant", "found", "equal"),
    [
        ("exact", "Köln", "Ko\u0308ln", True),
        ("exact", "Ann", "ann", False),
        ("exact", "Ann", "Ann ", False),
        ("digits only", "36574261809", "36 574 261 809", True),
        ("contains", "Germany", "🇩🇪 Germany", True),
        ("contains", "Ger", "Germany", False),
    ],
)
def test_texts_are_compared_as_the_element_says(compare: str, meant: str, found: str, equal: bool) -> None:
    assert same(meant, {"text": found}, a("text", compare=compare)) is equal


def test_a_cell_of_a_list_is_compared_with_blanks_folded() -> None:
    assert same_value("Ann  Lee", "Ann Lee", a("text"))
    assert same_value(None, None, a("text"))
    assert not same_value("Ann", None, a("text"))


def test_a_caption_is_compared_whole_without_its_colon_and_star() -> None:
    assert fold_caption(" Net\u00a0 amount *: ") == "Net amount"
    assert fold_caption("Name:") != fold_caption("Party Name:")


def test_a_mask_is_no_regular_expression() -> None:
    assert mask("SO-####.*").fullmatch("SO-0001.*")
    assert not mask("SO-####.*").fullmatch("SO-0001abc")
    assert mask("@@?").fullmatch("ab1")
