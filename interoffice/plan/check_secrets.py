"""K03: something written in a workflow that looks like a password, a key or an IBAN. The message never repeats it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from interoffice.plan.checking import Checking
from interoffice.problem import Problem

_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_KEYS: Final = re.compile(
    r"\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{8,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
)
_WORDS: Final = r"pass(?:word|wd|phrase)|passwort|kennwort|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|token"
_HINT: Final = re.compile(_WORDS, re.IGNORECASE)
_NAMED: Final = re.compile(
    rf"(?im)^[ ]*(?:-[ ]+)*['\"]?\w*(?:{_WORDS})['\"]?[ ]*:[ ]+['\"]?(?P<value>[^\s'\"|>][^\n]*)$"
)
_TOLD: Final = re.compile(rf"(?i)\b(?:{_WORDS})[ ]*(?:=|:|\bis\b)[ ]*['\"]?(?P<value>[^\s'\",;]{{4,}})")
_ADDRESS: Final = re.compile(r"://[^\s/:@]+:(?P<value>[^\s/:@]+)@")
_LONG: Final = re.compile(r"(?<![\w/.+-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w/.])")
_HIDDEN: Final = re.compile(r"\$\{\{.*?\}\}|(?m:(?:^|(?<=\s))#[^\n]*)", re.DOTALL)
_BITS: Final = 3.8
"""Shannon entropy per character from which a long word of mixed letters and digits is no word of a language."""


class _Found(NamedTuple):
    start: int
    end: int
    what: str


def check_secrets(checking: Checking) -> None:
    """Notes what looks like a secret in the text of the workflow; comments and expressions left out."""
    source = checking.workflow.source
    text = _HIDDEN.sub(lambda found: " " * len(found[0]), source.text)
    lines: set[int] = set()
    for found in sorted(_find(text)):
        at = source.position(found.start, found.end)
        if at.line not in lines:
            lines.add(at.line)
            message = (
                f"this looks like {found.what}; keep it out of the file:"
                " store it with runner.py credentials set NAME, and name the credential in the step"
            )
            if found.what == "an IBAN":
                message = "this looks like an IBAN; bank details come from data, not from the workflow's text"
            checking.add(Problem(rule="K03", message=message, at=at))


def _find(text: str) -> Iterator[_Found]:
    for found in _IBAN.finditer(text):
        if is_iban(found[0]):
            yield _Found(found.start(), found.end(), "an IBAN")
    for found in _KEYS.finditer(text):
        yield _Found(found.start(), found.end(), "a key")
    hints = (_NAMED, _TOLD) if _HINT.search(text) else ()
    for pattern in (*hints, _ADDRESS) if "://" in text else hints:
        for found in pattern.finditer(text):
            if found["value"].strip():
                yield _Found(found.start("value"), found.end("value"), "a password or key")
    for found in _LONG.finditer(text):
        if looks_random(found[0]):
            yield _Found(found.start(), found.end(), "a key")


def is_iban(text: str) -> bool:
    """True of an IBAN with the right check digits (ISO 13616, ISO 7064 MOD 97-10)."""
    bare = text.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    digits = "".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])
    return int(digits) % 97 == 1


def looks_random(word: str) -> bool:
    """True of a long word that mixes capitals, small letters and digits as keys do, or is a long hexadecimal number."""
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", word):
        return True
    kinds = (any(map(str.isupper, word)), any(map(str.islower, word)), any(map(str.isdigit, word)))
    if not all(kinds):
        return False
    counts = Counter(word)
    bits = -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())
    return bits >= _BITS
