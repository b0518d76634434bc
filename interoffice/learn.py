"""A first contract of tables/ from a file: what was seen, and as comments what it was unsure of."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from interoffice.errors import UsageError
from interoffice.language.patterns import fits
from interoffice.model.reading import read_date, read_date_time, read_number, read_yes_no
from interoffice.resources.first_look import FirstLook
from interoffice.resources.tables_in import TableReader

_DATES: Final = (
    "yyyy-MM-dd", "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "d.M.yyyy", "dd-MM-yyyy", "yyyy/MM/dd", "dd-MMM-yyyy",
    "dd MMM yyyy",
)  # fmt: skip
_MARKS: Final = ((".", ","), (",", "."), (".", ""), (",", ""), (".", "'"), (",", " "))
_ID_WORDS: Final = re.compile(r"\b(id|no|nr|number|code|key|ref|reference|account|zip|phone|iban|sku)\b", re.IGNORECASE)
_MONEY_WORDS: Final = re.compile(
    r"amount|price|total|balance|limit|value|cost|net|gross|salary|betrag|preis|summe|saldo", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"[A-Za-z][\w ./()-]*(?<! )")
_WORDS_OF_YAML: Final = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n"})
_LIKE_A_NUMBER: Final = re.compile(r"[-+]?[\d.,' ]*\d-?")
_MOST_CHOICES: Final = 8


@dataclass(kw_only=True)
class _Learnt:
    """What was found out about a column. `unsure`: sentences for the comment."""

    name: str
    header: str
    type: str = "text"
    lines: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def learn_contract(path: Path, *, sheet: str | None = None) -> str:
    """The YAML of a first contract for this file; it loads, and the file can be read with it."""
    if not path.is_file():
        raise UsageError(f"there is no file {path}; name a CSV file or a workbook")
    with tempfile.TemporaryDirectory() as folder, TableReader(out=Path(folder)) as reader:
        look = reader.look(path, sheet=sheet)
    return _Contract(look, path).text()


class _Contract:
    """The contract of one file being written."""

    def __init__(self, look: FirstLook, path: Path) -> None:
        self.look, self.path = look, path
        self.is_csv = look.format == "csv"
        texts = [text for place in range(len(look.header)) for kind, text in look.column(place) if kind == "text"]
        self.decimal, self.thousands = _marks(texts)
        self.dates: list[str] = []
        self.columns = self._columns()

    def text(self) -> str:
        """The whole file."""
        title = self.path.stem.replace("_", " ").strip().capitalize() or "Table"
        lines = [
            "# yaml-language-server: $schema=../schemas/table.schema.json",
            f"# Learnt from {_comment(self.path.name)} ({len(self.look.rows)} rows); look at the lines with a ?.",
            "version: 1",
            f"name: {_quoted(title)}",
            *self._source(),
            "columns:",
        ]
        for column in self.columns:
            lines += [f"  # ? {_comment(sentence)}" for sentence in column.unsure]
            lines.append(f"  {column.name}:")
            if column.header != column.name:
                lines.append(f"    from: [{_quoted(column.header)}]")
            lines.append(f"    type: {column.type}")
            lines += [f"    {line}" for line in column.lines]
        return "\n".join(lines) + "\n"

    def _source(self) -> list[str]:
        lines = ["source:", f"  formats: [{self.look.format}]"]
        if self.is_csv:
            if not self.look.is_encoding_sure:
                lines.append("  # ? it is not utf-8; whether it is this encoding shows in letters like ä and é")
            mark = "tab" if self.look.delimiter == "\t" else json.dumps(self.look.delimiter)
            lines += [f"  encoding: {self.look.encoding}", f"  delimiter: {mark}"]
        else:
            lines.append(f"  sheet: {_quoted(self.look.sheet)}")
        if self.look.header_row != 1:
            lines.append(f"  header_row: {self.look.header_row}")
        lines.append(f"  decimal: {json.dumps(self.decimal)}")
        if self.thousands:
            lines.append(f"  thousands: {json.dumps(self.thousands) if self.thousands != ' ' else 'blank'}")
        if self.dates:
            one = self.dates[0] if len(self.dates) == 1 else f"[{', '.join(self.dates)}]"
            lines.append(f"  dates: {one}")
        return lines

    def _columns(self) -> list[_Learnt]:
        columns: list[_Learnt] = []
        names: set[str] = set()
        for place, header in enumerate(self.look.header):
            if not header:
                continue
            name = _name(header, place, names)
            names.add(name)
            columns.append(self._column(_Learnt(name=name, header=header), place))
        return columns

    def _column(self, column: _Learnt, place: int) -> _Learnt:
        cells = self.look.column(place)
        kinds, texts = {kind for kind, _ in cells}, [text for _, text in cells]
        if not cells:
            column.unsure.append("no cell of it is filled, so its type is not known")
            return column
        if kinds == {"text"}:
            self._learn_texts(column, texts)
        elif len(kinds) == 1:
            self._learn_cells(column, kinds.pop(), texts)
        else:
            column.unsure.append(f"it has cells of several kinds: {', '.join(sorted(kinds))}")
        if len(cells) == len(self.look.rows):
            column.lines.append("required: true")
            self._learn_unique(column, texts)
        return column

    def _learn_cells(self, column: _Learnt, kind: str, texts: Sequence[str]) -> None:
        column.type = kind
        if kind == "number" and _ID_WORDS.search(column.header):
            column.type = "text"
            column.unsure.append("its cells are numbers, but its name is that of an id; ids are text")
        elif kind == "number" and "%" in column.header:
            column.type = "percent"
            self._learn_scale(column, texts)
        elif kind == "number":
            column.type = _number_type(column.header, texts)

    def _learn_scale(self, column: _Learnt, texts: Sequence[str]) -> None:
        """Percents without a sign: which of the two ways is a guess, and said to be one."""
        is_fraction = all(abs(read_number(text, decimal=self.decimal, thousands=self.thousands)) <= 1 for text in texts)
        column.lines.append("scale: fraction  # 0.15 means 15%" if is_fraction else "scale: points  # 15 means 15%")
        column.unsure.append("whether 15 means 15% (points) or 0.15 does (fraction)")

    def _learn_texts(self, column: _Learnt, texts: Sequence[str]) -> None:
        for format in ("email", "iban"):
            if all(fits(format, text, {}) for text in texts):
                column.lines.append(f"format: {format}")
                return
        if self._learn_date(column, texts) or self._learn_number(column, texts):
            return
        if _all(texts, read_yes_no) and not _all(texts, read_number):
            column.type = "yes_no"
            return
        different = sorted(set(texts))
        if 2 <= len(different) <= _MOST_CHOICES and len(texts) >= 3 * len(different) and max(map(len, different)) <= 30:
            choices = ", ".join(_quoted(text) for text in different)
            column.unsure.append(f"only {len(different)} texts occur; perhaps type: choice, choices: [{choices}]")

    def _learn_date(self, column: _Learnt, texts: Sequence[str]) -> bool:
        found = [pattern for pattern in _DATES if _all(texts, partial(read_date, patterns=(pattern,)))]
        if not found:
            if all(re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", text) for text in texts) and _all(texts, read_date_time):
                column.type = "date_time"
                return True
            return False
        column.type = "date"
        different = [pattern for pattern in found if pattern in ("dd/MM/yyyy", "MM/dd/yyyy")]
        if len(different) == 2:
            column.unsure.append("day and month can't be told apart in it: dd/MM/yyyy or MM/dd/yyyy?")
        chosen = next((pattern for pattern in found if pattern in self.dates), found[0])
        if chosen not in self.dates:
            self.dates.append(chosen)
        return True

    def _learn_number(self, column: _Learnt, texts: Sequence[str]) -> bool:
        bare = [text.strip().removesuffix("%").strip() for text in texts]
        if not _all(bare, self._number):
            return False
        if all(text.strip().endswith("%") for text in texts):
            column.type = "percent"
        elif "%" in column.header:
            column.type = "percent"
            self._learn_scale(column, bare)
        elif any(re.match(r"0\d", text.strip()) for text in texts) or _ID_WORDS.search(column.header):
            if not any(re.match(r"0\d", text.strip()) for text in texts):
                column.unsure.append("its cells are numbers, but its name is that of an id; ids are text")
        else:
            column.type = _number_type(column.header, texts)
            if self.thousands and not any(self.decimal in text for text in texts) and any(
                self.thousands in text for text in texts
            ):
                column.unsure.append(f'whether "{self.thousands}" in it parts thousands or decimals')
        return True

    def _number(self, text: str) -> object:
        return read_number(text, decimal=self.decimal, thousands=self.thousands)

    def _learn_unique(self, column: _Learnt, texts: Sequence[str]) -> None:
        is_first_id = column.type == "text" and bool(_ID_WORDS.search(column.header))
        if is_first_id and len(set(texts)) == len(texts) and len(texts) >= 5:
            column.lines.append("unique: true")
            column.unsure.append("no value occurs twice in it; is that always so?")


def _marks(texts: Sequence[str]) -> tuple[str, str]:
    """The marks for decimals and thousands under which most texts that look like numbers are numbers."""
    bare = [text.strip().removesuffix("%").strip() for text in texts]
    numbers = [text for text in bare if _LIKE_A_NUMBER.fullmatch(text)]
    best, most = (".", ""), -1
    for decimal, thousands in _MARKS:
        read = partial(read_number, decimal=decimal, thousands=thousands)
        reads = [text for text in numbers if _reads(text, read)]
        used = sum(thousands in text for text in reads) if thousands else 0
        count = 2 * len(reads) + (0 if not thousands or used else -1)
        if count > most:
            best, most = (decimal, thousands), count
    return best


def _number_type(header: str, texts: Sequence[str]) -> str:
    two_decimals = all(re.search(r"[.,]\d\d\D*$", text) for text in texts)
    return "money" if _MONEY_WORDS.search(header) or two_decimals else "number"


def _name(header: str, place: int, taken: set[str]) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")
    if not name or not name[0].isalpha():
        name = f"column_{place + 1}" if not name else f"column_{name}"
    if name not in taken:
        return name
    return next(f"{name}_{number}" for number in range(2, 1_000) if f"{name}_{number}" not in taken)


def _all(texts: Sequence[str], read: Callable[[str], object]) -> bool:
    return all(_reads(text, read) for text in texts)


def _reads(text: str, read: Callable[[str], object]) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    """The text as a YAML value that is read as this text."""
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS_OF_YAML
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return " ".join(text.split())
