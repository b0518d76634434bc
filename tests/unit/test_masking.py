"""What was revealed is masked in every disguise."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interoffice.resources.masking import MASK, Masker

CANARIES = [
    "Kontor-Ahorn-4471",
    'q"u\\o/t€ & <ü>',
    "tab\tand\nline",
    "p@ss w%rd+1",
    "日本語のパスワード",
    "5f4dcc3b5aa765d6",
]


def disguised(value: str) -> list[str]:
    data = value.encode()
    return [
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        urlencode({"password": value}),
        json.dumps({"password": value}),
        json.dumps({"password": value}, ensure_ascii=False),
        json.dumps(json.dumps({"password": value})),
        repr([value]),
        html.escape(f"<input value='{value}'>"),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        base64.b64encode(b"\0erp.clerk\0" + data).decode(),
        base64.b64encode(b"erp.clerk:" + data + b"!").decode(),
        base64.b64encode(b"a:" + data + b"\r\n").decode(),
    ]


@pytest.mark.parametrize("value", CANARIES)
def test_a_value_is_masked_in_every_disguise(value: str) -> None:
    masker = Masker()
    masker.add(value)
    for text in disguised(value):
        masked = masker.mask(f"before {text} after")
        assert MASK in masked, text
        assert value not in masked
        assert masked.startswith("before ") and masked.endswith(" after")
        assert masker.holds_any(text.encode())
        assert not masker.holds_any(masked.encode())


def test_percent_escapes_are_masked_in_small_letters_too() -> None:
    masker = Masker()
    masker.add("geheim/ü?")
    assert masker.mask("x=geheim%2f%c3%bc%3f&y") == f"x={MASK}&y"


@given(st.text(min_size=6, max_size=30), st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_any_text_around_a_value_does_not_give_the_value_back(
    value: str, before: bytes, after: bytes
) -> None:
    masker = Masker()
    masker.add(value)
    masked = masker.mask(base64.b64encode(before + value.encode() + after).decode())
    assert MASK in masked


def test_masking_comes_before_truncation() -> None:
    masker = Masker()
    masker.add("Kontor-Ahorn-4471")
    assert masker.mask("password Kontor-Ahorn-4471", at_most=17) == f"password {MASK}"
    assert masker.mask("a long line without anything", at_most=7) == "a long…"


def test_a_value_within_a_longer_one_leaves_no_rest_of_it() -> None:
    masker = Masker()
    masker.add("Kontor")
    masker.add("Kontor-Ahorn")
    assert masker.mask("Kontor-Ahorn Kontor") == f"{MASK} {MASK}"


def test_a_short_value_is_masked_only_where_it_stands_alone() -> None:
    masker = Masker()
    masker.add("12")
    assert masker.mask("pin=12, 12 of 2012 or 120") == f"pin={MASK}, {MASK} of 2012 or 120"


def test_texts_inside_lists_and_maps_are_masked_keys_too() -> None:
    masker = Masker()
    masker.add("Kontor-Ahorn")
    masked = masker.mask_deep({"Kontor-Ahorn": [1, ("x Kontor-Ahorn",), b"Kontor-Ahorn", ValueError("Kontor-Ahorn")]})
    assert "Kontor" not in repr(masked)
    assert masked == {MASK: [1, (f"x {MASK}",), MASK.encode(), f"ValueError('{MASK}')"]}


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    masker = Masker()
    masker.add("Kontor-Ahorn")
    assert masker.mask_bytes(b"\xff\xfe Kontor-Ahorn \x00") == b"\xff\xfe " + MASK.encode() + b" \x00"


def test_nothing_is_masked_before_anything_was_revealed() -> None:
    assert Masker().mask("as it is") == "as it is"
    masker = Masker()
    masker.add("")
    assert masker.mask("as it is") == "as it is"
