"""What a risk table says of a row: points for each factor, their sum, its band, and the reasons in words.

The key of a factor's points is one value, a range `a..b` (from a up to, but not, b; an end may be left out; of a
percent the ends have their sign: `..25%`), or `*` (any other value, a missing one too). Texts are compared without
regard to case and outer blanks: "Crypto" never counts as "any other" beside `crypto`. A value that no key is for has
no points, and then the row has none: no sum is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from interoffice.frozen import dataclass
from interoffice.model.contract import Factor, RiskTable
from interoffice.model.types import Type
from interoffice.model.values import Percent, Value, exact, number_from_text, number_text, plain

_END = r"(-?\d+(?:\.\d+)?%?)?"
RANGE: Final = re.compile(rf"{_END}\.\.{_END}")
ANY: Final = "*"
SCORED: Final = ("text", "number", "money", "percent", "choice", "yes_no")
"""Types of columns that a factor may have."""
BAND, REASONS = "risk_band", "risk_reasons"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Numbers from `start` up to, but not, `end`; None: no end on that side."""

    start: Decimal | None
    end: Decimal | None

    def holds(self, number: Decimal) -> bool:
        """Whether a number is in it."""
        return (self.start is None or number >= self.start) and (self.end is None or number < self.end)

    def meets(self, other: Span) -> bool:
        """Whether a number is in both."""
        return (self.end is None or other.start is None or other.start < self.end) and (
            other.end is None or self.start is None or self.start < other.end
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FactorPoints:
    """A factor's points, ready to be asked: by value, by range, and for any other."""

    column: str
    values: Mapping[str, Decimal]
    spans: tuple[tuple[Span, Decimal], ...]
    other: Decimal | None

    def of(self, value: Value) -> Decimal | None:
        """The points of a row's value; None where no key is for it."""
        said = _said(value)
        if said is None:
            return self.other
        if said in self.values:
            return self.values[said]
        number = value if isinstance(value, Decimal) else _number(said)
        if number is not None:
            for span, points in self.spans:
                if span.holds(number):
                    return points
        return self.other


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A row's sum, its band and the factors that made it; points and band are None where a value has no points."""

    points: Decimal | None
    band: str | None
    reasons: str


def span(text: str) -> Span | None:
    """The range that a text like `10..20` means; None for any other text. ValueError where it holds nothing."""
    found = RANGE.fullmatch(text.strip())
    if found is None:
        return None
    start, end = (None if part is None else _number(part) for part in found.groups())
    if start is not None and end is not None and not start < end:
        raise ValueError(f'"{text}" holds nothing: a range ends above its beginning')
    return Span(start=start, end=end)


def mistakes_of(factor: Factor) -> Iterator[tuple[str, str, str]]:
    """Each key of a factor's points that is wrong, the rule it breaks (S05, C09), and why."""
    seen: dict[str, str] = {}
    spans: dict[str, Span] = {}
    for key in factor.points:
        try:
            here = span(key)
        except ValueError as error:
            yield key, "S05", str(error)
            continue
        said = _said(key) or ""
        if said in seen:
            yield key, "S05", f'"{key}" and "{seen[said]}" are the same value; keep one of them'
        seen[said] = key
        if here is None:
            continue
        crossed = next((other for other, there in spans.items() if here.meets(there)), None)
        if crossed is not None:
            yield key, "C09", f'the ranges "{crossed}" and "{key}" overlap: which points would count?'
        spans[key] = here


def misfit_of(factor: Factor, type: Type) -> str | None:
    """Why a factor's keys can't be those of a column of this type, as the end of a sentence; None where they can."""
    if type.kind not in SCORED and type.kind != "any":
        return f"can't score {factor.column}, a {type.kind}; a factor is one of {', '.join(SCORED)}"
    for key in factor.points:
        if type.kind == "choice" and key != ANY and key.casefold() not in {each.casefold() for each in type.choices}:
            return f'has points for "{key}", which {factor.column} never is; it is one of {", ".join(type.choices)}'
        if type.kind == "percent" and key != ANY and not re.search(r"%(\.\.|$)", key):
            return f'has points for "{key}", and {factor.column} is a percent: write "{key}" with %, like 25%..'
    return None


def factor_points(factor: Factor) -> FactorPoints:
    """A factor whose points have no mistakes, ready to be asked."""
    values: dict[str, Decimal] = {}
    spans: list[tuple[Span, Decimal]] = []
    for key, points in factor.points.items():
        here = span(key)
        if here is not None:
            spans.append((here, number_from_text(points)))
        elif key != ANY:
            values[_said(key) or ""] = number_from_text(points)
    other = factor.points.get(ANY)
    return FactorPoints(
        column=factor.column, values=values, spans=tuple(spans),
        other=None if other is None else number_from_text(other),
    )  # fmt: skip


class Scoring:
    """A risk table, ready for rows."""

    def __init__(self, table: RiskTable) -> None:
        self._factors = tuple(factor_points(factor) for factor in table.factors)
        self._bands = {name: span(text) or Span(start=None, end=None) for name, text in table.bands.items()}

    def score(self, row: Mapping[str, Value]) -> Score:
        """The points of a row, the heaviest reason first; a factor that gives none is no reason."""
        given: list[tuple[Decimal, str]] = []
        unknown = []
        for factor in self._factors:
            value = row.get(factor.column)
            points = factor.of(value)
            if points is None:
                unknown.append(f"{factor.column} {_words(value)} has no points")
            elif points:
                given.append((points, f"{factor.column} {_words(value)} {points:+f}"))
        if unknown:
            return Score(points=None, band=None, reasons="; ".join(unknown))
        total = plain(exact(sum((points for points, _ in given), Decimal(0))))
        given.sort(key=lambda reason: -abs(reason[0]))
        return Score(points=total, band=self._band(total), reasons="; ".join(words for _, words in given))

    def _band(self, total: Decimal) -> str | None:
        return next((name for name, here in self._bands.items() if here.holds(total)), None)


def _said(value: Value) -> str | None:
    """A value as keys write it: texts folded, numbers plain, yes and no as words; None for a missing or blank one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value).strip().casefold()
    if text in ("true", "false"):
        return "yes" if text == "true" else "no"
    number = value if isinstance(value, Decimal) else _number(text)
    return (number_text(number) if number is not None else text) or None


def _number(text: str) -> Decimal | None:
    """The number in a text; `25%` is 0.25."""
    try:
        found = number_from_text(text.removesuffix("%"))
    except ValueError:
        return None
    return exact(found / 100) if text.endswith("%") else found


def _words(value: Value) -> str:
    if value is None or value == "":
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Percent):
        return f"{number_text(value * 100)}%"
    return number_text(value) if isinstance(value, Decimal) else str(value)
