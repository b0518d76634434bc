"""`source:` of a contract: how its file is written."""

from __future__ import annotations

import codecs
from typing import Final

from interoffice.loader.yaml_tree import Fields
from interoffice.model.contract import FILE_FORMATS, FileFormat, Writing
from interoffice.model.reading import date_pattern
from interoffice.problem import did_you_mean

SOURCE_KEYS: Final = (
    "formats", "encoding", "delimiter", "decimal", "thousands", "dates", "sheet", "header_row",
)  # fmt: skip
_DELIMITERS: Final = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_ENCODINGS: Final = ("utf-8", "utf-16", "windows-1252", "windows-1250", "iso-8859-1", "iso-8859-15", "ascii", "cp500")


def load_writing(source: Fields | None, top: Fields) -> Writing:
    """How the file is written; `delimiter` and `decimal` may stand at the top where there is no `source:`."""
    fields = source or top
    decimal = fields.text("decimal", default=".")
    if decimal not in (".", ","):
        fields.problem("S05", "decimal", f'"decimal" can be "." or ",", not "{decimal}"')
        decimal = "."
    writing = Writing(
        formats=_formats(source) if source else ("csv",) if top.has("delimiter") else FILE_FORMATS,
        encoding=_encoding(source) if source else "utf-8",
        delimiter=_delimiter(fields),
        decimal=decimal,
        thousands=_thousands(source, decimal) if source else "",
        dates=_dates(source) if source else ("yyyy-MM-dd",),
        sheet=source.text("sheet") if source else None,
        header_row=source.whole("header_row", default=1, at_most=1000) if source else 1,
    )
    if source is not None:
        source.close()
    return writing


def _formats(source: Fields) -> tuple[FileFormat, ...]:
    formats = source.texts("formats")
    for word in formats:
        if word not in FILE_FORMATS:
            meant = did_you_mean(word, FILE_FORMATS)
            source.problem("S05", "formats", f'"formats" can be {", ".join(FILE_FORMATS)}, not "{word}"', meant)
    known = tuple(each for each in FILE_FORMATS if each in formats)
    return known or FILE_FORMATS


def _encoding(source: Fields) -> str:
    name = source.text("encoding", default="utf-8")
    try:
        "A".encode(name)
        codecs.lookup(name)
    except (LookupError, UnicodeError):
        meant = did_you_mean(name, _ENCODINGS)
        source.problem("S05", "encoding", f'there is no encoding "{name}"; usual are {", ".join(_ENCODINGS)}', meant)
        return "utf-8"
    return name


def _delimiter(fields: Fields) -> str:
    mark = fields.text("delimiter", default=",")
    mark = _DELIMITERS.get(mark, mark)
    if len(mark) != 1 or mark.isalnum() or mark in '"\r\n .':
        fields.problem("S05", "delimiter", f'"delimiter" is one sign like ";" or the word tab, not "{mark}"')
        return ","
    return mark


def _thousands(source: Fields, decimal: str) -> str:
    mark = source.text("thousands", default="")
    mark = " " if mark == "blank" else mark
    if mark and (len(mark) != 1 or mark not in ".,' \u00a0\u2019" or mark == decimal):
        wrong = "can't be the same sign as `decimal`" if mark == decimal else "can be . or , or ' or the word blank"
        source.problem("S05", "thousands", f'"thousands" {wrong}, not "{mark}"')
        return ""
    return mark


def _dates(source: Fields) -> tuple[str, ...]:
    patterns = source.texts("dates") or ("yyyy-MM-dd",)
    for pattern in patterns:
        try:
            date_pattern(pattern)
        except ValueError as error:
            source.problem("S05", "dates", f'"dates": {error}')
            return ("yyyy-MM-dd",)
    return patterns
