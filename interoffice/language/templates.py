"""Text with `${{ }}` parts."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from interoffice.language.errors import ExpressionError
from interoffice.language.nodes import Node
from interoffice.language.parser import parse_part


class Template(NamedTuple):
    """A text cut into literal pieces (str) and trees, whose offsets are those of the whole text."""

    text: str
    parts: tuple[str | Node, ...]

    @property
    def single(self) -> Node | None:
        """The one expression that the whole value is (it keeps its type), None for a text."""
        nodes = self.nodes
        if len(nodes) == 1 and all(not part.strip() for part in self.parts if isinstance(part, str)):
            return nodes[0]
        return None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its expressions, from the left."""
        return tuple(part for part in self.parts if not isinstance(part, str))


@lru_cache(maxsize=20_000)
def parse_template(text: str) -> Template:
    """The template of a value. ExpressionError E01, E03, E07."""
    parts: list[str | Node] = []
    position = 0
    while (opening := text.find("${{", position)) >= 0:
        _add_literal(parts, text, position, opening)
        closing = _closing(text, opening + 3)
        if not text[opening + 3 : closing].strip():
            raise ExpressionError("E01", "there is nothing between ${{ and }}", opening, closing + 2 - opening)
        parts.append(parse_part(text, opening + 3, closing))
        position = closing + 2
    _add_literal(parts, text, position, len(text))
    return Template(text, tuple(parts))


def _add_literal(parts: list[str | Node], text: str, start: int, end: int) -> None:
    if start == end:
        return
    literal = text[start:end]
    braces = literal.find("{{")
    if braces >= 0:
        close = literal.find("}}", braces)
        length = close + 2 - braces if close >= 0 else 2
        meant = f"${literal[braces : braces + length]}"
        raise ExpressionError("E03", "a value stands in ${{ }}: the $ is missing", start + braces, length, meant)
    parts.append(literal)


def _closing(text: str, start: int) -> int:
    """Where the `}}` stands that closes the part; braces inside of quotes don't count."""
    quoted = False
    for position in range(start, len(text)):
        if text[position] == "'":
            quoted = not quoted
        elif not quoted and text.startswith("}}", position):
            return position
        elif not quoted and text.startswith("${{", position):
            break
    message = "this ${{ is not closed; add }}"
    raise ExpressionError("E01", message, start - 3, 3)
