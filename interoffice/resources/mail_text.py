"""HTML as the plain text of a mail: paragraphs, lists, and tables with a bar between cells."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset({"p", "div", "h1", "h2", "h3", "h4", "table", "ul", "ol", "tr", "br", "li", "section", "hr"})
_AIRY: Final = frozenset({"p", "h1", "h2", "h3", "h4", "table", "ul", "ol", "section"})
_SILENT: Final = frozenset({"script", "style", "head", "title"})


def plain_text(html: str) -> str:
    """The words of a page, blank lines between its blocks."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = "".join(reader.pieces)
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", re.sub(r"[ \t\u00a0]+", " ", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.silent = 0
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag in ("td", "th"):
            self.pieces.append(" | " if self.cells else "")
            self.cells += 1
        elif tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in _AIRY else "\n")
            self.cells = 0
            if tag == "li":
                self.pieces.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _AIRY:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(re.sub(r"\s+", " ", data))
