"""Reading what a display shows: a picture, and the words in it by OCR (tesseract).

A picture that was read before is not read again; of one that changed, only the band of rows that did.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
from dataclasses import dataclass, replace
from typing import Any

from interoffice.errors import ApplicationError

Box = tuple[int, int, int, int]
"""left, top, right, bottom on the display, pixels."""
MARGIN = 6
SURE = 30.0
GAP = 1.6
"""Words further apart than so many heights of a line belong to different texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word, or a run of words that stand together on one line."""

    text: str
    box: Box

    @property
    def middle(self) -> int:
        """Its height on the display."""
        return (self.box[1] + self.box[3]) // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What the display showed at one moment; `pixels` an array of grey values, rows by columns."""

    image: Any
    pixels: Any


def take_picture(display: str) -> Picture:
    """The whole display. ApplicationError where there is none any more."""
    import numpy
    from PIL import ImageGrab

    try:
        image = ImageGrab.grab(xdisplay=display)
    except (OSError, ValueError) as error:
        raise ApplicationError(f"the display {display} shows no picture: {error}", code="display_gone") from error
    return Picture(image=image, pixels=numpy.asarray(image.convert("L")))


def changed_box(one: Picture, other: Picture) -> Box | None:
    """Where two pictures differ. A caret (3 pixels wide) is no difference."""
    import numpy

    differs = one.pixels != other.pixels
    rows, columns = numpy.flatnonzero(differs.any(axis=1)), numpy.flatnonzero(differs.any(axis=0))
    if not len(rows) or columns[-1] - columns[0] < 3:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


class ScreenReader:
    """The words of the last pictures."""

    def __init__(self) -> None:
        self._known: list[tuple[Picture, list[Word]]] = []

    def words(self, picture: Picture) -> list[Word]:
        """All texts in a picture, words that stand together as one."""
        for known, words in self._known:
            if changed_box(known, picture) is None:
                return words
        words = self._read_change(picture) if self._known else read_words(picture, 0, picture.image.height)
        self._known = [(picture, words), *self._known[:5]]
        return words

    def _read_change(self, picture: Picture) -> list[Word]:
        known, words = min(self._known, key=lambda each: _rows_changed(each[0], picture))
        box = changed_box(known, picture)
        assert box is not None
        top, bottom = _widened(box, words, picture.image.height)
        kept = [word for word in words if word.box[3] <= top or word.box[1] >= bottom]
        return [*kept, *read_words(picture, top, bottom)]


def _rows_changed(one: Picture, other: Picture) -> int:
    box = changed_box(one, other)
    return 0 if box is None else box[3] - box[1]


def _widened(box: Box, words: list[Word], height: int) -> tuple[int, int]:
    """The band of rows to be read anew: it cuts through no word."""
    top, bottom = max(0, box[1] - MARGIN), min(height, box[3] + MARGIN)
    while True:
        cut = [word for word in words if word.box[1] < bottom and word.box[3] > top]
        wider = (
            max(0, min([top, *(word.box[1] - MARGIN for word in cut)])),
            min(height, max([bottom, *(word.box[3] + MARGIN for word in cut)])),
        )
        if wider == (top, bottom):
            return wider
        top, bottom = wider


def read_words(picture: Picture, top: int, bottom: int) -> list[Word]:
    """The texts in a band of rows, by tesseract."""
    band = picture.image.convert("L").crop((0, top, picture.image.width, bottom))
    data = io.BytesIO()
    band.save(data, "PNG", compress_level=1)
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(
            ["tesseract", "-", "-", "--psm", "11", "tsv"], input=data.getvalue(), capture_output=True, env=environment,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise ApplicationError(f"tesseract can't read the screen: {error}", code="ocr", transient=False) from error
    return joined(_parsed(done.stdout.decode("utf-8", "replace"), top))


def _parsed(table: str, top: int) -> list[Word]:
    found = []
    for line in table.splitlines()[1:]:
        cells = line.split("\t")
        if len(cells) == 12 and cells[11].strip() and float(cells[10]) >= SURE:
            left, upper, width, height = (int(cell) for cell in cells[6:10])
            box = (left, upper + top, left + width, upper + top + height)
            found.append(Word(text=cells[11].strip(), box=box))
    return found


def joined(words: list[Word]) -> list[Word]:
    """Words that stand on one line, close together, as one text."""
    texts: list[Word] = []
    for word in sorted(words, key=lambda each: each.box[0]):
        for at, text in enumerate(texts):
            height = max(8, min(text.box[3] - text.box[1], word.box[3] - word.box[1]))
            same_line = abs(text.middle - word.middle) < max(6, height // 2)
            if same_line and -4 <= word.box[0] - text.box[2] < GAP * max(10, height):
                box = (
                    text.box[0], min(text.box[1], word.box[1]), word.box[2], max(text.box[3], word.box[3]),
                )  # fmt: skip
                texts[at] = replace(text, text=f"{text.text} {word.text}", box=box)
                break
        else:
            texts.append(word)
    return texts


_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", ",": ".", "’": "'"})


def same_text(seen: str, meant: str) -> bool:
    """Whether OCR read this text: letters that it takes for each other, and signs at the ends, count as equal."""
    return _plain(seen) == _plain(meant)


def _plain(text: str) -> str:
    return re.sub(r"[^\w@#%&+-]+", " ", text.casefold().translate(_ALIKE)).strip()
