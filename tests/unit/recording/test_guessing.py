"""What a control is: guessed from what the page says and what was typed, never against the evidence."""

import pytest

from interoffice.recording.guessing import date_format, name_of, number_format, type_of


@pytest.mark.parametrize(
    ("typed", "format"),
    [
        ("30.11.2026", "dd.MM.yyyy"), ("2026-11-30", "yyyy-MM-dd"), ("11/30/2026", "MM/dd/yyyy"),
        ("30/11/2026", "dd/MM/yyyy"), ("03/04/2026", None), ("4711", None), ("99/99/2026", None),
    ],
)  # fmt: skip
def test_a_date_that_could_be_two_is_none(typed: str, format: str | None) -> None:
    assert date_format(typed) == format


@pytest.mark.parametrize(
    ("typed", "format"),
    [
        ("1.234,56", "1.234,56"), ("1,234.56", "1,234.56"), ("1234,5", "1234,56"), ("12.50", "1234.56"),
        ("1.234", None), ("1,234", None), ("7", "1234.56"), ("C-100", None), ("", None),
    ],
)  # fmt: skip
def test_a_number_that_could_be_two_does_not_tell_the_format(typed: str, format: str | None) -> None:
    assert number_format(typed) == format


@pytest.mark.parametrize(
    ("said", "value", "type"),
    [
        ({"tag": "input", "captions": ["Customer no."]}, "100017", "text"),
        ({"tag": "input", "captions": ["Net amount"]}, "1.250,75", "money"),
        ({"tag": "input", "captions": ["Total text"]}, "none so far", "text"),
        ({"tag": "input", "captions": ["Due"]}, "30.11.2026", "date"),
        ({"tag": "input", "input": "number", "captions": ["Pieces"]}, "3", "number"),
        ({"tag": "input", "input": "checkbox"}, True, "yes_no"),
        ({"tag": "select"}, ["EUR"], "choice"),
        ({"tag": "select", "multiple": True}, ["EUR"], "multi_choice"),
        ({"tag": "fieldset"}, "Express", "choice"),
        ({"tag": "input", "input": "file"}, ["a.pdf"], "file"),
        ({"tag": "div", "role": "button"}, None, "button"),
        ({"tag": "div", "editable": True}, "text", "rich_text"),
        ({"tag": "input", "role": "combobox", "completes": True}, "Acm", "relation"),
        ({"tag": "table", "columns": ["No."]}, None, "grid"),
        ({"tag": "span"}, None, "read_only"),
    ],
)
def test_the_type_of_a_control(said: dict[str, object], value: object, type: str) -> None:
    assert type_of(said, value) == type


def test_names_are_words_of_the_language_no_more() -> None:
    assert name_of("Customer no.") == "customer_no"
    assert name_of("Größe (m²)") == "groe_m2"
    assert name_of("", "net") == "net"
    assert name_of("2nd line") == "the_2nd_line"
    assert name_of("is") == "the_is"
    assert name_of("Net", taken=["net"]) == "net_2"
    assert name_of("価格") == "element"
