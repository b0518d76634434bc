"""A name as it is compared, and the sound of its words.

"Müller-Lüdenscheidt, Hans" and "hans muller ludenscheidt" are folded to the same words; "Владимир" and "Vladimir" too.
The sound of a word keeps its consonants, roughly: Mohammed, Muhammad and Mehmed sound alike, as they do when Arabic,
which writes no short vowels, is put into Latin letters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from anyascii import anyascii

_LEGAL_FORMS: Final = """
ab ag ao as asa bv co company corp corporation cv doo gmbh inc incorporated kft kg kgaa limited llc llp lp ltd mbh nv
oao ohg ojsc ooo oy oyj pao pjsc jsc plc pte pty pvt sa sarl sas se spa srl sro zao zrt
"""
_PARTICLES: Final = """
abd abu ad al an ar as bin bint da das de del della den der di do dos du e el es et ibn la le of ould ter ten the u ul
umm und ur van von y
"""
_TITLES: Final = "col dr gen general haji hajji maulvi miss mr mrs ms mullah prof shaykh sheikh sir"

LEGAL_FORMS: Final = frozenset(_LEGAL_FORMS.split())
"""Words that say what kind of company it is, and hardly ever tell two companies apart."""
PARTICLES: Final = frozenset(_PARTICLES.split())
"""Small words in names, which are written or left out as it comes."""
TITLES: Final = frozenset(_TITLES.split())

_GLUED: Final = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_DOTTED: Final = re.compile(r"\b(?:[a-z]\.){2,}")
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=200_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a name, in its order: Latin letters and digits, small, without accents. "S.A." is one word."""
    latin = name if name.isascii() else _GLUED.sub(" ", anyascii(unicodedata.normalize("NFKC", name)))
    small = latin.replace("'", "").replace("`", "").replace("\u2019", "").casefold()
    return tuple(_NO_WORD.sub(" ", _DOTTED.sub(lambda found: found.group().replace(".", ""), small)).split())


def telling_words(name: str) -> tuple[str, ...]:
    """The words that tell a name: without titles, particles and legal forms; all of them where nothing else is left."""
    every = words(name)
    kept = tuple(word for word in every if word not in LEGAL_FORMS and word not in PARTICLES and word not in TITLES)
    return kept or every


def glued_words(name: str) -> str:
    """The words as they stand, without blanks, titles and legal forms: "Abd al-Rahman" and "Abdulrahman" come near."""
    every = words(name)
    return "".join(word for word in every if word not in LEGAL_FORMS and word not in TITLES) or "".join(every)


def sorted_words(name: str) -> str:
    """The words in the order of the alphabet, without titles and legal forms: what is compared letter by letter."""
    every = words(name)
    kept = [word for word in every if word not in LEGAL_FORMS and word not in TITLES]
    return " ".join(sorted(kept or every))


_SOUNDS: Final = (
    (re.compile(r"sch|sh|ch|tch|zh|dzh|cz|sz"), "s"),
    (re.compile(r"kh|gh|ck|q|c"), "k"),
    (re.compile(r"ph|v|w|pf|ff"), "f"),
    (re.compile(r"th|dh"), "t"),
    (re.compile(r"dj|j|y"), "i"),
    (re.compile(r"z|ts|tz"), "s"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"g"), "k"),
    (re.compile(r"d"), "t"),
    (re.compile(r"b"), "p"),
)
_VOWELS: Final = re.compile(r"(?<!^)[aeiouh]")
_FIRST: Final = re.compile(r"^[aeiou]h?|^h")
_TWICE: Final = re.compile(r"(.)\1+")


@lru_cache(maxsize=400_000)
def sound(word: str) -> str:
    """The consonants of a word, those that sound alike as one; a vowel in front is `a`."""
    said = word
    for spelling, letter in _SOUNDS:
        said = spelling.sub(letter, said)
    said = _FIRST.sub(lambda found: "a" if found.group()[0] != "h" else "h", said)
    return _TWICE.sub(r"\1", _VOWELS.sub("", said))
