"""The `columns:` of a file of tables/ (and `given:`, `gives:`), with what fits each type."""

from __future__ import annotations

import re
from typing import Final, Literal

from interoffice.loader.yaml_tree import Fields
from interoffice.model.contract import COLUMN_KINDS, Column, Writing
from interoffice.model.reading import read_date, read_number, read_percent, read_yes_no
from interoffice.model.types import Type, choice_of, named_type
from interoffice.problem import did_you_mean

COLUMN_KEYS: Final = (
    "from", "type", "required", "unique", "choices", "format", "scale", "sensitive", "missing_is", "help",
)  # fmt: skip
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TYPES: Final = (*COLUMN_KINDS, "file")


SCALES: Final[tuple[Literal["points", "fraction"], ...]] = ("points", "fraction")


def load_columns(
    top: Fields, key: str, writing: Writing | None, *, more: tuple[str, ...] = ()
) -> dict[str, Column]:
    """The columns of a map, in its order; headers that two columns claim are reported. `more`: further keys allowed."""
    columns = {}
    claimed: dict[str, str] = {}
    for name, fields in top.map_of(key, *COLUMN_KEYS, *more, required=True).items():
        if not _NAME.fullmatch(name):
            fields.problem("S04", None, f'the column\'s name "{name}" must be small letters, digits and _')
        for further in more:
            fields.has(further)
        column = _load_column(fields, name, writing or Writing())
        for header in column.known_headers:
            other = claimed.setdefault(header.casefold(), name)
            if other != name:
                place = "from" if fields.has("from") else None
                fields.problem("S04", place, f'the header "{header}" belongs to column "{other}" already')
        columns[name] = column
    return columns


def load_typed_columns(top: Fields, key: str) -> dict[str, Type]:
    """Name -> type, for a map of columns that say nothing but their type."""
    types = {}
    for name, fields in top.map_of(key, "type", "choices", required=True).items():
        types[name] = _load_type(fields)
        fields.close()
    return types


def _load_column(fields: Fields, name: str, writing: Writing) -> Column:
    type = _load_type(fields)
    column = Column(
        name=name,
        type=type,
        path=fields.path,
        headers=fields.texts("from"),
        required=fields.yes_no("required"),
        unique=fields.yes_no("unique"),
        format=fields.text("format"),
        scale=_load_scale(fields, type),
        sensitive=fields.yes_no("sensitive"),
        missing_is=fields.text("missing_is"),
        help=fields.text("help"),
    )
    if column.format is not None and not type.is_text:
        fields.problem("S05", "format", f'"format" is for texts; this column is {type}')
    if column.missing_is is not None and (wrong := _unfit(column.missing_is, column, writing)):
        fields.problem("S05", "missing_is", f'"missing_is" does not fit the column: "{column.missing_is}" {wrong}')
    fields.close()
    return column


def _load_type(fields: Fields) -> Type:
    word = fields.text("type", required=True)
    if word not in _TYPES:
        if word:
            meant = did_you_mean(word, _TYPES)
            fields.problem("S05", "type", f'"type" can be {", ".join(COLUMN_KINDS)}, not "{word}"', meant)
        return named_type("text")
    if word != "choice":
        if fields.has("choices"):
            fields.texts("choices")
            fields.problem("S05", "choices", f'"choices" belongs to type choice; this column is {named_type(word)}')
        return named_type(word)
    return choice_of(fields.texts("choices", required=True))


def _load_scale(fields: Fields, type: Type) -> Literal["points", "fraction"] | None:
    if not fields.has("scale"):
        return None
    if type.kind != "percent":
        fields.problem("S05", "scale", f'"scale" is for percents; this column is {type}')
    return fields.choice("scale", SCALES, "points")


def _unfit(text: str, column: Column, writing: Writing) -> str | None:
    """Why a text is no value of the column, None where it is one."""
    kind = column.type.kind
    if kind == "choice":
        return None if text in column.type.choices else f"is none of {', '.join(column.type.choices)}"
    try:
        if kind in ("number", "money"):
            read_number(text, decimal=writing.decimal, thousands=writing.thousands)
        elif kind == "percent":
            read_percent(text, scale=column.scale, decimal=writing.decimal, thousands=writing.thousands)
        elif kind == "date":
            read_date(text, writing.dates)
        elif kind == "yes_no":
            read_yes_no(text)
    except ValueError as error:
        return str(error)
    return None
