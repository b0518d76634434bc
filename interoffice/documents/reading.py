"""A document by its layout: the value of each field, how it was found, and what is doubtful.

Of the places of a field the first counts at which something stands that reads as its type. Several different values
there are never guessed between: where the layout's controls (`net + vat = total within 0.02`) hold for exactly one of
them, it is that one; else the field is missing, and the doubt names them all.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from interoffice.documents.confidence import Choice, Evidence, How, Sum, confidence
from interoffice.documents.finding import Candidate, Cell, Finder, Line
from interoffice.documents.pages import Word
from interoffice.frozen import dataclass
from interoffice.language.calendars import Times
from interoffice.language.errors import RowError
from interoffice.language.names import columns_used
from interoffice.language.parser import parse_rule
from interoffice.language.patterns import fits
from interoffice.language.row import ValueScope, holds
from interoffice.model.contract import Column, Layout
from interoffice.model.formats import format_value
from interoffice.model.reading import read_date, read_number, read_yes_no
from interoffice.model.values import ISO, Formats, Percent, Value, number_text

NUMBER: Final = re.compile(r"[-+\u2212]?[\d.,'\u00a0\u202f]*\d[\d.,]*[-\u2212]?%?")
GLUED: Final = re.compile(r"(?<=[€$£¥])(?=[-\d])|(?<=\d)(?=[€$£¥])|(?<=\b[A-Z]{3})(?=[-\d])|(?<=\d)(?=[A-Z]{3}\b)")
"""Between a number and a currency that stands close to it: €119.00, 119,00EUR."""
CURRENCY: Final = re.compile(r"[A-Z]{3}|[€$£¥]|EUR|\W")
SURE: Final = Percent("0.9")
MOST_COMBINATIONS: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadField:
    """A field as it was read. `doubt` is "" where it is sure; `cell`: where its value stands; `cells`: what else it
    could have been."""

    value: Value
    confidence: Percent
    doubt: str
    evidence: Evidence | None = None
    cell: Cell | None = None
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadDocument:
    """The rows of a document, of `layout: fields` one; the confidence is that of the least sure field."""

    rows: tuple[Mapping[str, ReadField], ...]

    @property
    def confidence(self) -> Percent:
        """The lowest of its fields."""
        return min((field.confidence for row in self.rows for field in row.values()), default=Percent(0))

    @property
    def doubts(self) -> str:
        """Every field that is not sure, and why."""
        found = []
        for number, row in enumerate(self.rows, start=1):
            where = f"line {number}, " if len(self.rows) > 1 else ""
            found += [f"{where}{name}: {field.doubt}" for name, field in row.items() if field.doubt]
        return "; ".join(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Option:
    value: Value
    how: How
    found: Candidate


def read_document(
    layout: Layout, words: Sequence[Word], patterns: Mapping[str, str], formats: Formats = ISO
) -> ReadDocument:
    """The document by its layout; `formats` are those of the doubts, which people read."""
    reading = _Reading(layout, words, patterns, formats)
    return ReadDocument(rows=tuple(reading.lines() if layout.rows == "table" else [reading.fields()]))


class _Reading:
    def __init__(
        self, layout: Layout, words: Sequence[Word], patterns: Mapping[str, str], formats: Formats
    ) -> None:
        self.layout, self.patterns, self.formats = layout, patterns, formats
        self.finder = Finder(layout, words)
        self.decimals = _conventions(words, layout.decimals)

    # one row per document

    def fields(self, but: frozenset[str] = frozenset()) -> dict[str, ReadField]:
        """Every field of the document that stands beside its caption."""
        options = {name: self._options(column) for name, column in self.layout.columns.items() if name not in but}
        chosen, by_sum = self._chosen(options)
        row = {name: option.value if option else None for name, option in chosen.items()}
        columns = self.layout.columns
        return {
            name: replace(
                self._field(columns[name], found, chosen[name], by_sum, row),
                cells=tuple(option.found.cell for option in found),
            )
            for name, found in options.items()
        }

    def _options(self, column: Column) -> list[_Option]:
        """What reads as the field's type at the first of its places where anything does."""
        unread: list[_Option] = []
        for place in self.layout.places[column.name]:
            found = []
            for candidate in self.finder.candidates(place):
                read = self.read(column, candidate.cell.text)
                if read is None:
                    unread.append(_Option(value=None, how="unfit", found=candidate))
                else:
                    found.append(_Option(value=read[0], how=read[1], found=candidate))
            if found:
                return found
        return unread[:1]

    def _chosen(self, options: Mapping[str, Sequence[_Option]]) -> tuple[dict[str, _Option | None], frozenset[str]]:
        """One option per field: the only one, or the only one that the controls allow; and which those are."""
        chosen = {name: _only(found) for name, found in options.items()}
        open_ones = [name for name, found in options.items() if found and chosen[name] is None]
        asked = {name for control in self.layout.controls for name in _columns(control.text)}
        doubtful = [name for name in open_ones if name in asked]
        if not doubtful:
            return chosen, frozenset()
        several = [_distinct(options[name]) for name in doubtful]
        combinations = list(itertools.islice(itertools.product(*several), MOST_COMBINATIONS + 1))
        if len(combinations) > MOST_COMBINATIONS:
            return chosen, frozenset()
        fitting = []
        for combination in combinations:
            row = {name: option.value if option else None for name, option in chosen.items()}
            row |= {name: option.value for name, option in zip(doubtful, combination, strict=True)}
            if all(self._agrees(control.text, row) is True for control in self.layout.controls):
                fitting.append(combination)
        if len(fitting) != 1:
            return chosen, frozenset()
        return {**chosen, **dict(zip(doubtful, fitting[0], strict=True))}, frozenset(doubtful)

    def _field(
        self, column: Column, options: Sequence[_Option], chosen: _Option | None, by_sum: frozenset[str],
        row: Mapping[str, Value],
    ) -> ReadField:  # fmt: skip
        if not options:
            return _missing(column, "not found")
        if chosen is None:
            values = " or ".join(self._shown(option.value) for option in _distinct(options))
            return _missing(column, f"it says {values}", always=True, cell=options[0].found.cell)
        if chosen.value is None:
            return _missing(column, f'"{chosen.found.cell.text}" is no {column.type.kind}', cell=chosen.found.cell)
        choice: Choice = "arithmetic" if column.name in by_sum else "same" if len(options) > 1 else "one"
        if chosen.found.more and self.layout.rows == "fields":
            choice = "more"
        evidence = Evidence(
            side=chosen.found.side, match=chosen.found.match, how=chosen.how, choice=choice,
            sum=self._sum(column.name, row),
        )  # fmt: skip
        return self._judged(chosen.value, evidence, chosen.found.cell)

    def _sum(self, name: str, row: Mapping[str, Value]) -> Sum:
        said = [self._agrees(control.text, row) for control in self.layout.controls if name in _columns(control.text)]
        if False in said:
            return "contradicts"
        return "agrees" if True in said else "none"

    def _agrees(self, control: str, row: Mapping[str, Value]) -> bool | None:
        """Whether a control holds; None where a value is missing."""
        if any(row.get(name) is None for name in _columns(control)):
            return None
        try:
            return holds(parse_rule(control), _SCOPE.of_row(row))
        except RowError:
            return None

    # one row per line

    def lines(self) -> list[dict[str, ReadField]]:
        """A row per line of the document's table; what stands beside its caption is the same in every row."""
        header, grid = self._header()
        common = self.fields(but=frozenset(grid))
        if header is None:
            return [common | {name: _missing(self.layout.columns[name], "not found") for name in grid}]
        rows = [common | line for line in self._grid_lines(header, grid)]
        return rows or [common | {name: _missing(self.layout.columns[name], "not found") for name in grid}]

    def _header(self) -> tuple[int | None, dict[str, tuple[float, float]]]:
        """The line in which most captions stand side by side, and from where to where each of its columns reaches."""
        at: dict[int, dict[str, tuple[float, float]]] = {}
        for name, places in self.layout.places.items():
            for place in places:
                for caption in self.finder.captions(place.text):
                    span = (caption.words[0].left, caption.words[-1].right)
                    at.setdefault(caption.line, {}).setdefault(name, span)
        best = max(at, key=lambda line: len(at[line]), default=None)
        if best is None or len(at[best]) < 2:
            return None, {}
        return best, at[best]

    def _grid_lines(self, header: int, grid: Mapping[str, tuple[float, float]]) -> Iterator[dict[str, ReadField]]:
        page = self.finder.lines[header].cells[0].page
        for line in self.finder.lines[header + 1 :]:
            if line.cells[0].page != page:
                return
            cells = _by_column(line, grid)
            if len(cells) * 2 <= len(grid):
                if not cells or any(cell.box[0] < min(span[0] for span in grid.values()) for cell in line.cells):
                    return
                continue
            yield {name: self._cell(self.layout.columns[name], cells.get(name)) for name in grid}

    def _cell(self, column: Column, cell: Cell | None) -> ReadField:
        if cell is None:
            return _missing(column, "not found")
        read = self.read(column, cell.text)
        if read is None:
            return _missing(column, f'"{cell.text}" is no {column.type.kind}', cell=cell)
        return self._judged(read[0], Evidence(side="below", match="exact", how=read[1], choice="one", sum="none"), cell)

    # values

    def _judged(self, value: Value, evidence: Evidence, cell: Cell) -> ReadField:
        sure = confidence(evidence)
        doubt = "" if sure >= SURE else f"{self._shown(value)}, {_why(evidence, sure)}"
        return ReadField(value=value, confidence=sure, doubt=doubt, evidence=evidence, cell=cell)

    def _shown(self, value: Value) -> str:
        return "nothing" if value is None else format_value(value, self.formats)

    def read(self, column: Column, text: str) -> tuple[Value, How] | None:
        """A text as the field's type, and how it was read; None where it can't be."""
        said = text.strip(" :\t")
        kind = column.type.kind
        if not said:
            return None
        if kind in ("number", "money", "percent"):
            return self._number(said, percent=kind == "percent")
        if kind == "date":
            return self._date(said)
        if kind == "yes_no":
            return _tried(read_yes_no, said, "clean")
        if kind == "choice":
            meant = {choice.casefold(): choice for choice in column.type.choices}.get(said.casefold())
            return None if meant is None else (meant, "clean")
        if column.format is not None:
            return self._checked(column.format, said)
        return said, "plain"

    def _number(self, said: str, *, percent: bool) -> tuple[Value, How] | None:
        apart = GLUED.sub(" ", said)
        joined = re.sub(r"(?<=\d) (?=\d{3}(?:\D|$))", "", apart)
        parts = joined.split()
        numbers = [part for part in parts if NUMBER.fullmatch(part)]
        others = [part for part in parts if part not in numbers]
        if len(numbers) != 1:
            return None
        digits = numbers[0].removesuffix("%")
        read = {value: mark for mark in self.layout.decimals if (value := _as_number(digits, mark)) is not None}
        if not read:
            return None
        how: How = "clean" if all(CURRENCY.fullmatch(part) for part in others) else "mixed"
        if len(read) > 1:
            usual = [value for value, mark in read.items() if mark == self.decimals]
            if len(usual) != 1:
                return None
            read, how = {usual[0]: self.decimals or "."}, "convention" if how == "clean" else "mixed"
        value = next(iter(read))
        return (Percent(value / 100) if percent else value), how

    def _date(self, said: str) -> tuple[Value, How] | None:
        whole = _as_date(said, self.layout.dates)
        if whole is not None:
            return whole, "clean"
        parts = said.split()
        starts = ((start, size) for size in (3, 2, 1) for start in range(len(parts) - size + 1))
        windows = (" ".join(parts[start : start + size]).strip(",;") for start, size in starts)
        found = {day for window in windows if (day := _as_date(window, self.layout.dates)) is not None}
        return (found.pop(), "mixed") if len(found) == 1 else None

    def _checked(self, pattern: str, said: str) -> tuple[Value, How]:
        bare = said.replace(" ", "")
        if fits(pattern, bare, self.patterns):
            return bare, "checked"
        return (said, "checked") if fits(pattern, said, self.patterns) else (said, "unfit")


_SCOPE: Final = ValueScope(times=Times(now=datetime(1970, 1, 1, tzinfo=UTC)))


def _only(found: Sequence[_Option]) -> _Option | None:
    return found[0] if len(_distinct(found)) == 1 else None


def _distinct(found: Sequence[_Option]) -> list[_Option]:
    return list({str(option.value): option for option in reversed(found)}.values())[::-1]


def _columns(control: str) -> frozenset[str]:
    return frozenset(used.text for used in columns_used(parse_rule(control)))


def _missing(column: Column, why: str, *, always: bool = False, cell: Cell | None = None) -> ReadField:
    """A field without a value: no confidence where it is required, or where something stands there."""
    counts = column.required or always or cell is not None
    return ReadField(value=None, confidence=Percent(0 if counts else 1), doubt=why if counts else "", cell=cell)


def _why(evidence: Evidence, sure: Percent) -> str:
    """Why a field is not sure, in words."""
    said = {
        "contradicts": "the amounts do not add up" if evidence.sum == "contradicts" else "",
        "unfit": "its check digits are wrong" if evidence.how == "unfit" else "",
        "inside": "its caption is part of a longer one" if evidence.match == "inside" else "",
        "near": "its caption is written differently" if evidence.match == "near" else "",
        "mixed": "other words stand beside it" if evidence.how == "mixed" else "",
        "convention": "read as the document writes other numbers" if evidence.how == "convention" else "",
        "more": "more values stand below it" if evidence.choice == "more" else "",
    }
    reasons = ", ".join(reason for reason in said.values() if reason) or "such fields are often read wrongly"
    return f"{reasons} ({number_text(sure * 100)}% sure)"


def _conventions(words: Sequence[Word], decimals: Sequence[str]) -> str | None:
    """The decimal mark of the document's numbers that can be read in one way only; None where they disagree."""
    seen = Counter(
        next(iter(read))
        for word in words
        if NUMBER.fullmatch(word.text)
        and len(read := [mark for mark in decimals if _as_number(word.text.removesuffix("%"), mark) is not None]) == 1
        and re.search(r"[.,]", word.text)
    )
    return next(iter(seen)) if len(seen) == 1 else None


def _as_number(text: str, decimal: str) -> Decimal | None:
    """The number by this decimal mark; None where it is none, or a whole number of no mark is asked twice."""
    for thousands in ("", "." if decimal == "," else ",", "'", " "):
        try:
            return read_number(text, decimal=decimal, thousands=thousands)
        except ValueError:
            continue
    return None


def _as_date(text: str, patterns: tuple[str, ...]) -> date | None:
    found = set()
    for pattern in patterns:
        try:
            found.add(read_date(text, (pattern,)))
        except ValueError:
            continue
    return found.pop() if len(found) == 1 else None


def _tried(read: Callable[[str], Value], text: str, how: How) -> tuple[Value, How] | None:
    try:
        return read(text), how
    except ValueError:
        return None


def _by_column(line: Line, grid: Mapping[str, tuple[float, float]]) -> dict[str, Cell]:
    """The cells of a line by the column under whose caption they stand."""
    found: dict[str, Cell] = {}
    for cell in line.cells:
        left, _, right, _ = cell.box
        under = [name for name, span in grid.items() if left < span[1] and right > span[0]]
        if len(under) != 1:
            centre = (left + right) / 2
            near = sorted(grid, key=lambda name: abs((grid[name][0] + grid[name][1]) / 2 - centre))
            under = near[:1] if not under else []
        if under and under[0] not in found:
            found[under[0]] = cell
    return found
