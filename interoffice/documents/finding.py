"""Where a field's captions stand on a page, and what stands right of them or below.

A line is what stands at one height; a cell of a line are words with no wide gap between them. A caption is found where
its words stand one after another, whatever their case and punctuation; where a few of its letters differ it is `near`,
and where other words stand beside it in the same cell ("Due date" for "Date") it is `inside` a longer one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from interoffice.documents.pages import Word
from interoffice.frozen import dataclass
from interoffice.model.contract import Layout, Place

WIDE: Final = 1.1
"""A gap of so many heights ends a cell."""
BELOW: Final = 3.2
"""So many heights below a caption its value may begin."""
HEADER: Final = 3
"""Captions in a line from which on it is the head of a table: their values stand below, and none to the right."""
NEAR: Final = 80.0
"""From this likeness on (0 to 100) other letters are taken for a caption that was read or written badly."""
Match = Literal["exact", "near", "inside"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Words of a line that belong together."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """As it is read."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in points."""
        return (
            min(word.left for word in self.words), min(word.top for word in self.words),
            max(word.right for word in self.words), max(word.bottom for word in self.words),
        )  # fmt: skip

    @property
    def page(self) -> int:
        """Counted from 0."""
        return self.words[0].page


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What stands at one height, from left to right."""

    cells: tuple[Cell, ...]

    @property
    def top(self) -> float:
        """In points."""
        return min(cell.box[1] for cell in self.cells)

    @property
    def height(self) -> float:
        """Of its highest cell."""
        return max(cell.box[3] - cell.box[1] for cell in self.cells)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caption:
    """A caption of a field on a page. `rest`: what stands in its own cell behind it."""

    match: Match
    line: int
    cell: int
    words: tuple[Word, ...]
    rest: tuple[Word, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What may be a field's value, and how it was found. `more`: further values stand below it."""

    cell: Cell
    side: Literal["right_of", "below"]
    match: Match
    more: bool = False


def lines_of(words: Sequence[Word]) -> list[Line]:
    """The lines of all pages, from the top, each with its cells."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.page, word.top, word.left)):
        middle = (word.top + word.bottom) / 2
        fitting = next(
            (
                line
                for line in reversed(lines[-6:])
                if line[0].page == word.page and line[0].top <= middle <= line[0].bottom
            ),
            None,
        )
        if fitting is None:
            lines.append([word])
        else:
            fitting.append(word)
    return [Line(cells=tuple(_cells(line))) for line in lines]


def _cells(words: Sequence[Word]) -> Iterator[Cell]:
    cell: list[Word] = []
    for word in sorted(words, key=lambda word: word.left):
        if cell and word.left - cell[-1].right > WIDE * min(word.height, cell[-1].height):
            yield Cell(words=tuple(cell))
            cell = []
        cell.append(word)
    yield Cell(words=tuple(cell))


class Finder:
    """The captions of a layout on the pages of a document."""

    def __init__(self, layout: Layout, words: Sequence[Word]) -> None:
        self.lines = lines_of(words)
        texts = {place.text for places in layout.places.values() for place in places}
        self._captions: Mapping[str, list[Caption]] = {text: list(self._find(text)) for text in texts}
        known = [caption for text in texts for caption in self.captions(text) if caption.match != "inside"]
        self._taken = {id(word) for caption in known for word in caption.words}
        at = Counter((caption.line, caption.cell) for caption in known)
        in_line = Counter(line for line, _ in at)
        self._headers = {line for line, count in in_line.items() if count >= HEADER}

    def captions(self, text: str) -> list[Caption]:
        """Where a caption stands; exact ones alone where there are any."""
        found = self._captions.get(text) or []
        for match in ("exact", "near"):
            if chosen := [caption for caption in found if caption.match == match]:
                return chosen
        return found

    def candidates(self, place: Place) -> Iterator[Candidate]:
        """What stands at a place, of each caption the nearest."""
        for caption in self.captions(place.text):
            found = self._right_of(caption) if place.side == "right_of" else self._below(caption)
            if found is not None:
                yield found

    def _find(self, text: str) -> Iterator[Caption]:
        wanted = caption_words(text)
        if not wanted:
            return
        for number, line in enumerate(self.lines):
            for place, cell in enumerate(line.cells):
                yield from self._in_cell(wanted, number, place, cell)

    def _in_cell(self, wanted: tuple[str, ...], line: int, place: int, cell: Cell) -> Iterator[Caption]:
        from rapidfuzz import fuzz

        size = len(wanted)
        said = [caption_words(word.text) for word in cell.words]
        for start in range(len(cell.words) - size + 1):
            heard = tuple(part for parts in said[start : start + size] for part in parts)
            is_exact = heard == wanted
            if not is_exact and fuzz.ratio(" ".join(heard), " ".join(wanted)) < NEAR:
                continue
            words, rest = cell.words[start : start + size], cell.words[start + size :]
            ends = words[-1].text.endswith(":") or not rest or not _is_word(rest[0].text)
            match: Match = "inside" if start or not ends else "exact" if is_exact else "near"
            yield Caption(match=match, line=line, cell=place, words=words, rest=rest)

    def _right_of(self, caption: Caption) -> Candidate | None:
        if caption.line in self._headers:
            return None
        cells = self.lines[caption.line].cells
        value = tuple(word for word in caption.rest if word.text.strip(":"))
        is_longer = caption.match == "inside" and caption.cell + 1 < len(cells)
        if value and not (is_longer and all(_is_word(word.text) for word in value)):
            return Candidate(cell=Cell(words=value), side="right_of", match=caption.match)
        if caption.cell + 1 >= len(cells) or self._is_caption(cells[caption.cell + 1]):
            return None
        following = cells[caption.cell + 1]
        if following.text.strip() == ":" and caption.cell + 2 < len(cells):
            following = cells[caption.cell + 2]
        return Candidate(cell=following, side="right_of", match=caption.match)

    def _below(self, caption: Caption) -> Candidate | None:
        left, right = caption.words[0].left, caption.words[-1].right
        bottom, height = caption.words[0].bottom, caption.words[0].height
        page = caption.words[0].page
        found: list[Cell] = []
        for line in self.lines[caption.line + 1 :]:
            if line.cells[0].page != page or line.top > bottom + BELOW * height:
                break
            under = [cell for cell in line.cells if cell.box[0] < right and cell.box[2] > left]
            if not under:
                continue
            if self._is_caption(under[0]):
                break
            found.append(under[0])
            bottom = under[0].box[3]
        if not found:
            return None
        return Candidate(cell=found[0], side="below", match=caption.match, more=len(found) > 1)

    def _is_caption(self, cell: Cell) -> bool:
        return id(cell.words[0]) in self._taken


def caption_words(text: str) -> tuple[str, ...]:
    """The words of a caption as they are compared."""
    return tuple(re.sub(r"[^\w%]+", " ", text.casefold()).split())


def _is_word(text: str) -> bool:
    """Letters alone, longer than a currency: more of a caption, and no value."""
    bare = text.strip(".,:;()")
    return bare.isalpha() and not (len(bare) == 3 and bare.isupper())
