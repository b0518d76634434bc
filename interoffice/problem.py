"""A mistake in a file of the project, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from interoffice.frozen import dataclass

LIKE: Final = 0.65
"""From this similarity on a word is suggested; from CERTAIN on, where no other is near, `--fix` writes it."""
CERTAIN: Final = 0.85

Severity = Literal["error", "warning", "note"]
Path = tuple[str | int, ...]
"""The place of a value in a YAML file: ("steps", 3, "with", "fields", "amount")."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """A place in a file. Lines and columns count from 1; `file` is relative to the project."""

    file: str
    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """A safe change that `--fix` may make: the text from `start` to `end` (offsets in the file) becomes `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake: what, which value, where, and what was meant."""

    rule: str
    message: str
    at: Position
    severity: Severity = "error"
    suggestion: str | None = None
    see: Position | None = None
    fix: tuple[Edit, ...] = ()

    def as_json(self) -> Mapping[str, object]:
        """The object of `check --format json`."""
        return {
            "file": self.at.file,
            "line": self.at.line,
            "column": self.at.column,
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "suggestion": self.suggestion,
        }


@dataclass(frozen=True, kw_only=True)
class Source:
    """A loaded YAML file: its text, and the position of every key and value in it."""

    file: str
    text: str
    values: Mapping[Path, tuple[int, int]]
    """Path -> (offset of the first character of the value's own text, after a quote; offset behind its end)."""
    keys: Mapping[Path, tuple[int, int]]

    def position(self, start: int, end: int | None = None) -> Position:
        """The position of an offset in the text."""
        line = self.text.count("\n", 0, start) + 1
        column = start - (self.text.rfind("\n", 0, start) + 1) + 1
        return Position(file=self.file, line=line, column=column, length=max(1, (end or start + 1) - start))

    def at(self, path: Path, offset: int = 0, length: int | None = None) -> Position:
        """Where a value stands (`offset` characters into a one-line text); one that isn't there: its nearest parent."""
        while path not in self.values and path:
            path, offset, length = path[:-1], 0, None
        start, end = self.values.get(path, (0, 1))
        return self.position(start + offset, end if length is None else start + offset + length)

    def at_key(self, path: Path) -> Position:
        """Where a key stands; a path without a key (a list's entry): its value."""
        if path in self.keys:
            return self.position(*self.keys[path])
        return self.at(path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """What a misspelt word was probably meant to be; `is_certain`: near enough, and alone, for `--fix` to write it."""

    word: str
    similarity: float
    is_certain: bool


def guess(word: str, words: Iterable[str]) -> Guess | None:
    """The known word that is most like a misspelt one, of equals the first; None where nothing is like it."""
    from rapidfuzz.distance import OSA, Indel

    folded = word.casefold()
    alike = Indel.normalized_similarity
    ranked = sorted(
        ((alike(folded, other) + OSA.normalized_similarity(folded, other), known) for known, other in _folded(words)),
        key=lambda likeness: -likeness[0],
    )
    if not ranked:
        return None
    best, known = ranked[0]
    similarity = alike(folded, known.casefold())
    if similarity < LIKE:
        return None
    alone = len(ranked) == 1 or ranked[1][0] <= best - 0.1
    return Guess(word=known, similarity=similarity, is_certain=similarity >= CERTAIN and alone)


def _folded(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((word, word.casefold()) for word in words)


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """The known word that is most like a misspelt one, for a problem's `suggestion`; None where nothing is like it."""
    found = guess(word, words)
    return found.word if found else None
