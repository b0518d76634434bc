"""A PDF as words with their places, and a page of it as a picture. For the child process that reads what comes from
outside: nothing here is called anywhere else.

Places are in points (1/72 inch) from the upper left corner of the page.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.frozen import dataclass

PAGES: Final = 50
"""More pages than this has no document that a layout describes."""
CHARACTERS: Final = 400_000
SCALE: Final = 1.6
"""Picture points for each point of the page: 115 dots per inch."""
COLOURS: Final = {"sure": (30, 130, 76), "unsure": (200, 110, 0), "wrong": (192, 40, 40)}
HIDDEN: Final = "hidden"
"""The mark of what no picture shows: it is painted over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """Signs without a blank between them, and where they stand. `page` counts from 0."""

    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Of its letters."""
        return self.bottom - self.top

    def as_json(self) -> list[object]:
        """The inverse of `word_from_json`."""
        return [self.text, self.page, *(round(place, 2) for place in (self.left, self.top, self.right, self.bottom))]


def word_from_json(said: Sequence[Any]) -> Word:
    """What `Word.as_json` wrote."""
    text, page, left, top, right, bottom = said
    return Word(text=text, page=page, left=left, top=top, right=right, bottom=bottom)


def read_words(path: Path, name: str) -> list[Word]:
    """The words of a PDF, page by page. BusinessError: file_unreadable, file_refused, no_text."""
    document = _opened(path, name)
    try:
        if len(document) > PAGES:
            raise BusinessError(
                f"{name} has {len(document)} pages, more than the {PAGES} that a document may have; it was not read",
                code="file_refused",
            )
        words: list[Word] = []
        for number in range(len(document)):
            words += _words_of(document[number], number, name)
    finally:
        document.close()
    if not words:
        raise BusinessError(
            f"{name} holds no text, only a picture: it is a scan; have its text recognised first, or type it in",
            code="no_text",
        )
    return words


def _opened(path: Path, name: str) -> Any:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
        len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise BusinessError(
                f"{name} is protected by a password; ask its sender for it without one", code="file_unreadable"
            ) from error
        raise BusinessError(
            f"{name} is no PDF that can be opened, or is damaged; ask its sender for it again", code="file_unreadable"
        ) from error
    return document


def _words_of(page: Any, number: int, name: str) -> Iterator[Word]:
    """Signs that touch are a word; a blank, another line or a gap of a third of the height ends it."""
    import pypdfium2

    text = page.get_textpage()
    count = text.count_chars()
    if count > CHARACTERS:
        raise BusinessError(f"{name} has {count} signs on page {number + 1}; it was not read", code="file_refused")
    height = page.get_height()
    signs = text.get_text_range(0, count) if count else ""
    if len(signs) != count:
        signs = "".join(text.get_text_range(place, 1) or " " for place in range(count))
    letters: list[str] = []
    box = (0.0, 0.0, 0.0, 0.0)

    def word() -> Word:
        return Word(text="".join(letters), page=number, left=box[0], top=box[1], right=box[2], bottom=box[3])

    for place, sign in enumerate(signs):
        if sign.isspace() or not sign.isprintable():
            if letters:
                yield word()
                letters = []
            continue
        try:
            left, bottom, right, top = text.get_charbox(place, loose=True)
        except pypdfium2.PdfiumError:
            continue
        here = (left, height - top, right, height - bottom)
        gap = max(here[3] - here[1], 1.0) / 3
        if letters and _is_apart(here, box, gap):
            yield word()
            letters = []
        box = here if not letters else _around(box, here)
        letters.append(sign)
    if letters:
        yield word()


Box = tuple[float, float, float, float]


def _is_apart(here: Box, box: Box, gap: float) -> bool:
    """Whether a sign no more belongs to the word before it: a gap, a step back, another line."""
    return here[0] - box[2] > gap or here[0] < box[0] - gap or not here[1] - gap < box[3] < here[3] + 2 * gap


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def draw_page(path: Path, name: str, number: int, marks: Sequence[tuple[str, Sequence[float]]], out: Path) -> None:
    """A page as a PNG with frames around what was read; `marks` are a colour's name (or hidden) and a place."""
    document = _opened(path, name)
    try:
        page = document[number]
        picture = page.render(scale=SCALE, rev_byteorder=True).to_numpy()[:, :, :3].copy()
    finally:
        document.close()
    for colour, place in marks:
        left, top, right, bottom = (int(each * SCALE) for each in place)
        top, left = max(top - 3, 0), max(left - 3, 0)
        bottom, right = min(bottom + 3, picture.shape[0] - 1), min(right + 3, picture.shape[1] - 1)
        if colour == HIDDEN:
            picture[top:bottom, left:right] = 60
            continue
        for thick in range(2):
            picture[min(top + thick, bottom), left:right] = COLOURS[colour]
            picture[max(bottom - thick, top), left:right] = COLOURS[colour]
            picture[top:bottom, min(left + thick, right)] = COLOURS[colour]
            picture[top:bottom, max(right - thick, left)] = COLOURS[colour]
    out.write_bytes(_png(picture))


def _png(picture: Any) -> bytes:
    """Rows of red, green, blue as a PNG (RFC 2083)."""
    height, width, _ = picture.shape
    rows = b"".join(b"\0" + picture[row].tobytes() for row in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
