"""Text of an expression -> tokens."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Final, NamedTuple

from interoffice.language.errors import ExpressionError
from interoffice.model.values import BOUND, Percent, Value

LONGEST: Final = 10_000
"""Characters that an expression may have."""

SPELLED: Final = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "<>": "!=",
    "=<": "<=",
    "=>": ">=",
    "===": "=",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "×": "*",
    "–": "-",
    "−": "-",
}
"""Operators of other languages, and how they are written here."""

_TOKEN: Final = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?![\w-]))"
    r"|(?P<time>\d{1,2}:\d{2}(?::\d{2})?(?!\w))"
    r"|(?P<number>\d+(?:\.\d+)?)(?P<percent>%)?(?P<tail>\w*)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<braces>\$?\{\{|\}\})"
    r"|(?P<odd>&&|\|\||===|<>|=<|=>|\*\*|!(?!=)|[≤≥≠×–−])"
    r"|(?P<operator><=|>=|!=|==|[=<>+\-*/().,])"
)
_UNITS: Final = frozenset(("ms", "s", "sec", "m", "min", "h", "d"))


class Token(NamedTuple):
    """A piece of the text. `kind`: number, percent, text, date, time, word, operator, duration (`90s`), end."""

    kind: str
    text: str
    start: int
    end: int
    value: Value = None


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of text[start:end], with their offsets in the whole text, and `end` as the last."""
    stop = len(text) if end is None else end
    if stop - start > LONGEST:
        raise ExpressionError("E01", f"an expression has at most {LONGEST} characters", start, stop - start)
    found: list[Token] = []
    position = start
    while position < stop:
        match = _TOKEN.match(text, position, stop)
        if match is None:
            raise _unreadable(text, position, stop)
        if match.lastgroup != "blank":
            found.append(_token(match))
        position = found[-1].end if found and found[-1].start == position else match.end()
    found.append(Token("end", "", stop, stop))
    return found


def _token(match: re.Match[str]) -> Token:
    start, end, content = match.start(), match.end(), match[0]
    if match["number"] is not None:
        return _number(match)
    if match["word"] is not None:
        return Token("word", content, start, end)
    if match["operator"] is not None:
        return Token("operator", "=" if content == "==" else content, start, end)
    if match["text"] is not None:
        return Token("text", content, start, end, content[1:-1].replace("''", "'"))
    if match["date"] is not None or match["time"] is not None:
        return _moment(match)
    if match["braces"] is not None:
        message = "a condition stands without ${{ }}: with them it would be a text, which is always true"
        raise ExpressionError("E02", message, start, end - start, "")
    raise _odd(content, start)


def _number(match: re.Match[str]) -> Token:
    start, end, content, digits, tail = match.start(), match.end(), match[0], match["number"], match["tail"]
    value = Decimal(digits)
    if value >= BOUND or len(digits.partition(".")[2]) > 10:
        message = "a number has at most 28 digits before the point and 10 behind it"
        raise ExpressionError("E01", message, start, len(digits))
    if match["percent"]:
        if tail:
            raise ExpressionError("E01", f'"{content}" is not a percent', start, end - start)
        return Token("percent", content, start, end, Percent(value / 100))
    if tail in _UNITS:
        return Token("duration", content, start, end, (value, tail))
    if tail or (len(digits) > 1 and digits[0] == "0" and digits[1] != "."):
        message = f"{content} is not a number; a text goes in quotes"
        raise ExpressionError("E07", message, start, end - start, f"'{content}'")
    return Token("number", content, start, end, value)


def _moment(match: re.Match[str]) -> Token:
    start, end, content = match.start(), match.end(), match[0]
    kind = "date" if match["date"] is not None else "time"
    try:
        value = date.fromisoformat(content) if kind == "date" else time.fromisoformat(content.zfill(5))
    except ValueError as error:
        name = "date" if kind == "date" else "time of day"
        raise ExpressionError("E01", f"there is no {name} {content}", start, end - start) from error
    return Token(kind, content, start, end, value)


def _odd(content: str, start: int) -> ExpressionError:
    if content == "**":
        return ExpressionError("E01", "there is no ** here; multiply with *", start, 2)
    meant = SPELLED[content]
    return ExpressionError(
        "E01", f"{content} is written {meant} here", start, len(content), f"{meant} " if content == "!" else meant
    )


def _unreadable(text: str, position: int, stop: int) -> ExpressionError:
    sign = text[position]
    if sign == "'":
        return ExpressionError("E01", "the text that begins here is not closed; add a '", position, stop - position)
    if sign in '"‘’“”`':
        return _wrong_quotes(text, position, stop)
    if sign == "%":
        return ExpressionError("E01", "a % belongs directly to a number: 15%", position, 1)
    if sign in "[]":
        return ExpressionError("E01", "a list stands without brackets: is one of A, B", position, 1)
    return ExpressionError("E01", f'"{sign}" can\'t be read here', position, 1)


def _wrong_quotes(text: str, position: int, stop: int) -> ExpressionError:
    closing = {"“": "”", "‘": "’"}.get(text[position], text[position])
    last = text.find(closing, position + 1, stop)
    message = "a text stands in straight single quotes: 'like this'"
    if last < 0:
        return ExpressionError("E01", message, position, stop - position)
    inside = text[position + 1 : last].replace("'", "''")
    return ExpressionError("E01", message, position, last + 1 - position, f"'{inside}'")
