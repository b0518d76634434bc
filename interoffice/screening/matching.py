"""Names against the names of lists: all pairs letter by letter, and then the near ones word by word.

Two names are candidates where their letters are near (with their words in the order of the alphabet, or as they stand
without the blanks between them), or where two of their words sound alike. A candidate's score is how much of both names
is matched word by word, rare words counting more than frequent ones, so that a shared "Mohammed" is little and a shared
rare family name much; a word that the shorter name has and the longer lacks counts in full, the other way round by a
part, so that a name without its middle name is found. Where nearly all letters agree, the letters' own score holds if
it is higher: two words written as one, a blank in the wrong place.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from interoffice.frozen import dataclass
from interoffice.screening.lists import Entry
from interoffice.screening.names import glued_words, sorted_words, sound, telling_words

PIECE: Final = 500
"""Names that are compared at a time: two times 120 MB of scores at 60,000 listed names."""
LETTERS_BELOW: Final = 10
"""So far below the threshold the letters of two names may be for their words to be compared."""
LETTERS_ALONE: Final = 90
"""From this score of their letters on, names need no agreement word by word."""
LEFT_OUT: Final = 0.3
"""What a word of the longer name weighs that the shorter one lacks, as a part of its full weight."""
ALIKE: Final = 0.82
"""From this similarity on, two words are taken as the same word."""
SAME_SOUND: Final = 0.9
"""What two words are worth whose consonants sound alike and half of whose letters are the same, more of short ones."""
FREQUENT: Final = 400
"""A sound that more listed names than this have finds no candidate by itself, only together with a rarer one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A listed party whose name is near enough. `name`: that of its names that is nearest. `score`: 0 to 100, to one
    decimal."""

    list: str
    entry: Entry
    name: str
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    list: str
    entry: Entry
    name: str
    words: tuple[str, ...]


class Matcher:
    """The names of lists, ready to be compared."""

    def __init__(self, lists: Sequence[tuple[str, Sequence[Entry]]]) -> None:
        self._listed = [
            _Listed(list=name, entry=entry, name=said, words=telling_words(said))
            for name, entries in lists
            for entry in entries
            for said in entry.names
        ]
        self._sorted = [sorted_words(listed.name) for listed in self._listed]
        self._glued = [glued_words(listed.name) for listed in self._listed]
        counts = Counter(word for listed in self._listed for word in set(listed.words))
        total = len(self._listed) + 1
        self._weights = {word: math.log(1 + total / count) for word, count in counts.items()}
        self._rarest = math.log(1 + total)
        by_sound: dict[str, list[int]] = defaultdict(list)
        for place, listed in enumerate(self._listed):
            for heard in {sound(word) for word in listed.words}:
                by_sound[heard].append(place)
        self._by_sound = {heard: np.array(places, dtype=np.int32) for heard, places in by_sound.items()}

    def hits(self, names: Sequence[str], threshold: float) -> Iterator[list[Hit]]:
        """Per name the listed parties from this score (0 to 100) on, the nearest first; the names in their order."""
        for start in range(0, len(names), PIECE):
            piece = names[start : start + PIECE]
            in_order = _scores([sorted_words(name) for name in piece], self._sorted, threshold - LETTERS_BELOW)
            glued = _scores([glued_words(name) for name in piece], self._glued, max(threshold, LETTERS_ALONE))
            for name, *letters in zip(piece, in_order, glued, strict=True):
                yield self._of(name, letters, threshold)

    def _of(self, name: str, letters: Sequence[Any], threshold: float) -> list[Hit]:
        said = telling_words(name)
        if not said:
            return []
        near = np.maximum(*letters)
        places = {*np.flatnonzero(near).tolist(), *self._candidates(said)}
        best: dict[tuple[str, str], Hit] = {}
        for place in places:
            listed = self._listed[place]
            score = self._by_words(said, listed.words)
            if near[place] >= LETTERS_ALONE:
                score = max(score, float(near[place]))
            score = round(score, 1)
            key = (listed.list, listed.entry.id)
            if score >= threshold and (key not in best or score > best[key].score):
                best[key] = Hit(list=listed.list, entry=listed.entry, name=listed.name, score=score)
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.list, hit.entry.id))

    def _candidates(self, said: tuple[str, ...]) -> Iterator[int]:
        """Listed names that share two words by their sound, one of them not too frequent."""
        heard = {sound(word) for word in said}
        found = [places for each in heard if (places := self._by_sound.get(each)) is not None]
        rare = [places for places in found if len(places) <= FREQUENT]
        if len(found) < 2 or not rare:
            return
        counted = np.bincount(np.concatenate(found), minlength=1)
        wanted = np.unique(np.concatenate(rare))
        yield from (int(place) for place in wanted[counted[wanted] >= 2])

    def _by_words(self, said: tuple[str, ...], listed: tuple[str, ...]) -> float:
        """How much of both names is matched, word by word, 0 to 100."""
        shorter, longer = sorted((said, listed), key=len)
        free = list(longer)
        matched, lacking = 0.0, 0.0
        for word in shorter:
            likeness, other = max(((_likeness(word, each), each) for each in free), default=(0.0, ""))
            weight = self._weight(word)
            if likeness >= ALIKE:
                free.remove(other)
                matched += likeness * weight
                lacking += (1 - likeness) * weight
            else:
                lacking += weight
        whole = matched + lacking + LEFT_OUT * sum(self._weight(word) for word in free)
        return 100 * matched / whole if whole else 0.0

    def _weight(self, word: str) -> float:
        return self._weights.get(word, self._rarest) * (1.0 if len(word) > 1 else 0.4)


def _scores(names: Sequence[str], listed: Sequence[str], cutoff: float) -> Any:
    """The likeness of all pairs by their letters, 0 to 100, a row per name; 0 below the cutoff."""
    from rapidfuzz import fuzz, process

    return process.cdist(
        names, listed, scorer=fuzz.ratio, score_cutoff=max(cutoff, 1), dtype=np.float32, workers=-1
    )


def _likeness(one: str, other: str) -> float:
    """0 to 1. An initial is like the word that it begins."""
    from rapidfuzz.distance import Indel

    if one == other:
        return 1.0
    if len(one) == 1 or len(other) == 1:
        return SAME_SOUND if one[0] == other[0] else 0.0
    letters: float = Indel.normalized_similarity(one, other)
    heard = sound(one)
    is_heard = heard == sound(other) and letters >= (0.5 if len(heard) > 2 else 0.6)
    return max(letters, SAME_SOUND) if is_heard else letters
