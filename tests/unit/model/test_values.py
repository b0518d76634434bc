"""Values are exact, and a text of one is read back as the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interoffice.model.codec import canonical, decode, dumps, encode, format_value, loads
from interoffice.model.formats import format_date, format_number, is_date_pattern, number_marks
from interoffice.model.table import Table
from interoffice.model.types import NUMBER, TEXT
from interoffice.model.values import (
    Duration,
    FileValue,
    Formats,
    NumberTooBig,
    Percent,
    exact,
    kind_of,
    number_from_text,
    number_text,
    plain,
)

GERMAN = Formats(date="dd.MM.yyyy", number="1.234,56", zone="Europe/Berlin")
FILE = FileValue(path="files/a.pdf", name="a.pdf", sha256="0" * 64, size_bytes=7)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", Duration(seconds=90)),
        ("100ms", Duration(seconds=Decimal("0.1"))),
        ("5m", Duration(seconds=300)),
        ("1.5h", Duration(seconds=5400)),
        ("2 days", Duration(days=2)),
        ("1 day", Duration(days=1)),
        ("2 business days", Duration(business_days=2)),
        ("1 business  day", Duration(business_days=1)),
        ("1 week", Duration(days=7)),
        ("3 months", Duration(months=3)),
        ("2 years", Duration(months=24)),
        ("15 minutes", Duration(seconds=900)),
    ],
)
def test_a_duration_is_read_from_its_text(text: str, duration: Duration) -> None:
    assert Duration.parse(text) == duration


@pytest.mark.parametrize("text", ["", "5", "days", "1.5 days", "-5m", "5 fortnights", "5m 3s", "m5", "1e3s", "٥m"])
def test_a_bad_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.parse(text)


durations = st.builds(
    Duration,
    days=st.integers(-999, 999),
    business_days=st.integers(-99, 99),
    months=st.integers(-99, 99),
    seconds=st.decimals(-99999, 99999, places=3).map(lambda seconds: Decimal(seconds)),
)


@given(durations)
def test_a_stored_duration_is_read_back(duration: Duration) -> None:
    assert Duration.from_canonical(duration.canonical) == duration
    assert duration + -duration == Duration()


def test_a_duration_is_written_as_it_is_read() -> None:
    for text in ("90s", "2h", "5m", "2 days", "1 business day", "3 months"):
        assert str(Duration.parse(text)) == text
    assert Duration(days=1, seconds=60).timedelta == timedelta(days=1, minutes=1)
    with pytest.raises(ValueError, match="no fixed length"):
        _ = Duration(months=1).total_seconds


def test_numbers_are_rounded_half_away_from_zero_at_ten_decimals() -> None:
    assert exact(Decimal("0.00000000005")) == Decimal("0.0000000001")
    assert exact(Decimal("-0.00000000005")) == Decimal("-0.0000000001")
    assert exact(Decimal("0.000000000049")) == 0
    with pytest.raises(NumberTooBig):
        exact(Decimal(10) ** 28)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**27), max_value=10**27, places=10))
def test_a_number_is_the_same_after_its_text(number: Decimal) -> None:
    text = number_text(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert plain(number) == number


@pytest.mark.parametrize(
    "text", ["1,234.56", "1.234,56", "1e5", "", " ", "NaN", "Infinity", "0x1", "1_000", "１", "--1"]
)
def test_an_ambiguous_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number_from_text(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("00123", "00123"),
        (True, "yes"),
        (Decimal("1234567.500"), "1.234.567,5"),
        (Decimal("-1000"), "-1.000"),
        (Decimal("0E+3"), "0"),
        (Percent("0.155"), "15,5 %"),
        (date(2026, 11, 20), "20.11.2026"),
        (datetime(2026, 11, 20, 23, 30, tzinfo=UTC), "21.11.2026 00:30"),
        (time(9, 5), "09:05"),
        (Duration(business_days=2), "2 business days"),
        (FILE, "a.pdf"),
        (("a", Decimal("1.5")), "a, 1,5"),
        ({"a": Decimal(1)}, "a: 1"),
        (Table.from_rows({"a": TEXT}, [{"a": "x"}]), "1 row"),
    ],
)
def test_a_value_is_written_for_people_as_the_project_says(value: object, text: str) -> None:
    assert format_value(value, GERMAN) == text


def test_iso_is_the_spelling_for_machines() -> None:
    assert format_value(date(2026, 11, 20)) == "2026-11-20"
    assert format_value(datetime(2026, 11, 20, 9, tzinfo=UTC)) == "2026-11-20T09:00+00:00"
    assert format_value(Decimal("1234.50")) == "1234.5"


def test_date_patterns_are_unicode_letters() -> None:
    day = datetime(2026, 3, 5, 7, 8, 9, tzinfo=UTC)
    assert format_date(day, "EEEE d MMMM yyyy, HH:mm:ss 'o’clock'") == "Thursday 5 March 2026, 07:08:09 o’clock"
    assert format_date(day, "yy-M-d") == "26-3-5"
    assert is_date_pattern("dd.MM.yyyy 'um' HH:mm")
    assert not is_date_pattern("DD.mm.YYYY")


@pytest.mark.parametrize("pattern", ["1,234,56", "1234", "1.234.56x", "12.34", "", "1 234  56"])
def test_a_number_pattern_must_show_1234_56(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"1234\.56"):
        number_marks(pattern)


def test_numbers_are_grouped_as_the_pattern_says() -> None:
    assert format_number(Decimal("1234567.8"), "1,234.56") == "1,234,567.8"
    assert format_number(Decimal("1234.8"), "1'234.56") == "1'234.8"
    assert format_number(Decimal("123"), "1.234,56") == "123"


cells = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.decimals(-999, 999, places=3), st.dates(), durations,
    st.decimals(0, 9, places=4).map(Percent), st.times().map(lambda moment: moment.replace(fold=0)),
    st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)), st.just(FILE),  # noqa: DTZ001
)  # fmt: skip
values = st.recursive(
    cells,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@given(values)
def test_what_is_encoded_is_decoded_the_same(value: object) -> None:
    again = loads(dumps(value))
    assert again == value
    assert canonical(again) == canonical(value)
    assert kind_of(again) == kind_of(value)


def test_keys_that_look_like_tags_are_kept_apart() -> None:
    value = {"$number": "12", "$table": {"$date": "x"}}
    assert decode(encode(value)) == value


def test_equal_values_have_one_canonical_text() -> None:
    assert canonical(Decimal("12.50")) == canonical(Decimal("12.5")) == '{"$number":"12.5"}'
    assert canonical({"b": 1 == 1, "a": None}) == '{"a":null,"b":true}'
    one = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert canonical(one) == canonical(one.astimezone(timezone(timedelta(hours=2))))
    assert canonical(Percent("0.1")) != canonical(Decimal("0.1"))


def test_what_is_no_value_is_refused() -> None:
    for wrong in (1.5, 1, object(), b"x", {1: "a"}):
        with pytest.raises(TypeError):
            encode(wrong)
    with pytest.raises(ValueError, match="save it first"):
        encode(Table.from_rows({"a": NUMBER}, []))
