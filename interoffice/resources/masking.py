"""Masking: what was revealed reaches no log, trace or report, in none of its usual disguises."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
WORD_BELOW = 6
"""Values shorter than this are masked only where they stand alone: a PIN of 12 is not every 12 of a log."""
CORE_AT_LEAST = 6
"""Base64 of a value inside a longer text is recognised from this many characters on."""


class Masker:
    """Replaces every value it was told of, whatever it is wrapped in.

    Mask first, truncate afterwards: half a secret is one too.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Mask this value from now on."""
        if value and value not in self._values:
            self._values.add(value)
            self._pattern = None

    def mask(self, text: str, *, at_most: int | None = None) -> str:
        """The text without any value; cut to `at_most` characters after that."""
        if self._values:
            text = self._compiled().sub(MASK, text)
        return text if at_most is None or len(text) <= at_most else text[: max(at_most - 1, 0)] + "…"

    def mask_deep(self, value: object) -> object:
        """The same for the texts inside lists and maps, keys included; other values stay."""
        match value:
            case str():
                return self.mask(value)
            case bytes():
                return self.mask_bytes(value)
            case dict():
                return {self.mask_deep(key): self.mask_deep(each) for key, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return type(value)(self.mask_deep(each) for each in value)
            case BaseException():
                return self.mask(repr(value))
        return value

    def mask_bytes(self, data: bytes) -> bytes:
        """The same for the bytes of a text file; what is no UTF-8 stays as it is."""
        return self.mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def holds_any(self, data: bytes) -> bool:
        """Whether a value is in there: what can't be cleaned is dropped."""
        return bool(self._values) and self._compiled().search(data.decode("utf-8", "surrogateescape")) is not None

    def sink(self, write: Callable[[str], object]) -> Callable[[str], None]:
        """A loguru sink that masks the whole finished line, its traceback too, and then writes it."""

        def masked(line: str) -> None:
            write(self.mask(str(line)))

        return masked

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            forms = {form for value in self._values for form in disguises(value)}
            self._pattern = re.compile("|".join(in_order(forms)))
        return self._pattern


def in_order(forms: Iterable[str]) -> list[str]:
    """The forms as patterns, the longest first, so that none leaves the rest of another behind."""
    return [pattern(form) for form in sorted(forms, key=lambda form: (-len(form), form))]


def pattern(form: str) -> str:
    """A short form counts only where no letter or digit touches it. Percent escapes match in either case."""
    escaped = re.sub(r"%([0-9A-F]{2})", lambda found: f"%(?i:{found[1]})", re.escape(form))
    return escaped if len(form) >= WORD_BELOW else rf"(?<![^\W_]){escaped}(?![^\W_])"


def disguises(value: str) -> set[str]:
    """The value raw, URL-encoded, JSON-escaped, as Python shows it, HTML-escaped and in base64, alone or within a
    longer text."""
    data = value.encode("utf-8", "surrogatepass")
    forms = {
        value,
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(value)[1:-1].replace("/", "\\/"),
        json.dumps(json.dumps(value)[1:-1])[1:-1],
        repr(value)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value).replace("&#x27;", "&#39;"),
    }
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        whole = alphabet(data).decode()
        forms |= {whole, whole.rstrip("="), quote(whole, safe="")}
        forms |= {core for core in cores(data, alphabet) if len(core) >= CORE_AT_LEAST}
    return {form for form in forms if form}


def cores(data: bytes, alphabet: Callable[[bytes], bytes]) -> set[str]:
    """What base64 of any text that holds the data has in it, at each of the three ways it can fall: the characters that
    depend on the data alone."""
    found = set()
    for before in range(3):
        text = alphabet(b"\0" * before + data).decode()
        found.add(text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
    return found
