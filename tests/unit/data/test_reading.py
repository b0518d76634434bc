"""Texts from outside as numbers, dates, times: by what was declared, never by a guess."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interoffice.model.formats import format_number
from interoffice.model.reading import (
    date_pattern,
    read_date,
    read_date_time,
    read_number,
    read_percent,
    read_time,
    read_yes_no,
)

GERMAN = {"decimal": ",", "thousands": "."}
ENGLISH = {"decimal": ".", "thousands": ","}


@pytest.mark.parametrize(
    ("text", "marks", "number"),
    [
        ("1234.56", {}, "1234.56"),
        ("1,234.56", ENGLISH, "1234.56"),
        ("1234.56", ENGLISH, "1234.56"),
        ("1.234,56", GERMAN, "1234.56"),
        ("1.234", GERMAN, "1234"),
        ("1.234", {}, "1.234"),
        ("1.234,56-", GERMAN, "-1234.56"),
        ("-5", {}, "-5"),
        ("\u22125", {}, "-5"),
        ("- 5", {}, "-5"),
        ("+5", {}, "5"),
        (".5", {}, "0.5"),
        ("  7 ", {}, "7"),
        ("1 234,50", {"decimal": ",", "thousands": " "}, "1234.5"),
        ("1\u202f234,50", {"decimal": ",", "thousands": " "}, "1234.5"),
        ("1'234.50", {"decimal": ".", "thousands": "'"}, "1234.5"),
        ("0.1234567890", {}, "0.123456789"),
        ("9999999999999999999999999999", {}, "9999999999999999999999999999"),
        ("-0", {}, "0"),
    ],
)
def test_a_number_is_read_by_its_marks(text: str, marks: dict[str, str], number: str) -> None:
    assert read_number(text, **marks) == Decimal(number)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("1,23", ENGLISH),
        ("1,234", {}),
        ("1.23", GERMAN),
        ("1,00,000", ENGLISH),
        ("1E5", {}),
        ("1e5", {}),
        ("0x10", {}),
        ("NaN", {}),
        ("12 34", {}),
        ("5 EUR", {}),
        ("(5)", {}),
        ("--5", {}),
        ("-5-", {}),
        ("1.", {}),
        ("", {}),
        ("٣", {}),
        ("1.2.3", {}),
        ("0.12345678901", {}),
        ("10000000000000000000000000000", {}),
        ("15 %", {}),
    ],
)
def test_what_is_not_a_number_as_declared_is_refused(text: str, marks: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is not a number|has more than"):
        read_number(text, **marks)


PATTERNS = st.sampled_from(["1.234,56", "1,234.56", "1234.56"])


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=4), PATTERNS)
def test_a_number_comes_back_as_it_was_written(number: Decimal, pattern: str) -> None:
    grouping = pattern[1] if not pattern[1].isdigit() else ""
    assert read_number(format_number(number, pattern), decimal=pattern[-3], thousands=grouping) == number


@pytest.mark.parametrize(
    ("text", "scale", "fraction"),
    [("15 %", None, "0.15"), ("15%", "fraction", "0.15"), ("15", "points", "0.15"), ("0.15", "fraction", "0.15")],
)
def test_a_percent_is_read_by_its_sign_or_by_the_scale(text: str, scale: str | None, fraction: str) -> None:
    assert read_percent(text, scale=scale) == Decimal(fraction)


def test_a_percent_without_sign_and_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="scale: points"):
        read_percent("15")


@pytest.mark.parametrize(
    ("text", "patterns", "day"),
    [
        ("2026-11-20", ("yyyy-MM-dd",), date(2026, 11, 20)),
        ("20.11.2026", ("dd.MM.yyyy",), date(2026, 11, 20)),
        ("5.1.2026", ("d.M.yyyy",), date(2026, 1, 5)),
        ("20261120", ("yyyyMMdd",), date(2026, 11, 20)),
        ("20-Nov-2026", ("dd-MMM-yyyy",), date(2026, 11, 20)),
        ("November 5 2026", ("MMMM d yyyy",), date(2026, 11, 5)),
        ("13/04/2026", ("dd/MM/yyyy", "MM/dd/yyyy"), date(2026, 4, 13)),
        ("05/05/2026", ("dd/MM/yyyy", "MM/dd/yyyy"), date(2026, 5, 5)),
        ("29.02.2028", ("dd.MM.yyyy",), date(2028, 2, 29)),
    ],
)
def test_a_date_is_read_by_its_pattern(text: str, patterns: tuple[str, ...], day: date) -> None:
    assert read_date(text, patterns) == day


@pytest.mark.parametrize(
    ("text", "patterns", "reason"),
    [
        ("03/04/2026", ("dd/MM/yyyy", "MM/dd/yyyy"), "ambiguous"),
        ("30.02.2026", ("dd.MM.yyyy",), "no day of the calendar"),
        ("29.02.2026", ("dd.MM.yyyy",), "no day of the calendar"),
        ("5.1.2026", ("dd.MM.yyyy",), "not a date written like"),
        ("20.11.26", ("dd.MM.yyyy",), "not a date written like"),
        ("2026-11-20T00:00:00", ("yyyy-MM-dd",), "not a date written like"),
        ("46346", ("yyyy-MM-dd",), "not a date written like"),
        ("MAR1", ("yyyy-MM-dd",), "not a date written like"),
        ("20-Nix-2026", ("dd-MMM-yyyy",), "no day of the calendar"),
    ],
)
def test_a_date_that_is_not_clear_is_refused(text: str, patterns: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_date(text, patterns)


@pytest.mark.parametrize("pattern", ["dd.MM.yy", "dd.MM", "yyyy-MM-dd-dd", "DD.MM.YYYY"])
def test_a_date_pattern_that_says_too_little_or_too_much_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        date_pattern(pattern)


def test_a_moment_without_offset_is_local_to_the_zone() -> None:
    assert read_date_time("2026-11-22 10:00", zone="Europe/Berlin") == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert read_date_time("22.11.2026 9:05", ("dd.MM.yyyy",), zone="Europe/Berlin") == datetime(
        2026, 11, 22, 8, 5, tzinfo=UTC
    )
    assert read_date_time("2026-11-22T10:00:00+05:30") == datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
    assert read_date_time("2026-11-22T10:00:00Z") == datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"), [("2026-10-25 02:30", "exists twice"), ("2026-03-29 02:30", "does not exist")]
)
def test_the_hour_of_a_clock_change_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_date_time(text, zone="Europe/Berlin")


def test_times_and_yes_no_are_read_in_the_words_of_programs() -> None:
    assert read_time("9:05") == time(9, 5)
    assert read_time("23:59:59") == time(23, 59, 59)
    assert [read_yes_no(word) for word in ("yes", "TRUE", "1", "ja", "no", "false", "0", "Nein")] == [True] * 4 + [
        False
    ] * 4
    for wrong in ("25:00", "9", "9.05"):
        with pytest.raises(ValueError, match="time"):
            read_time(wrong)
    with pytest.raises(ValueError, match="neither yes nor no"):
        read_yes_no("maybe")
