"""The static types of the language: what `check` knows of a value before the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal[
    "text",
    "number",
    "money",
    "percent",
    "date",
    "date_time",
    "time",
    "duration",
    "yes_no",
    "choice",
    "file",
    "table",
    "record",
    "list",
    "credential",
    "missing",
    "any",
]
KINDS: Final[frozenset[str]] = frozenset(get_args(Kind))

WORDS: Final[Mapping[str, str]] = {
    "text": "a text",
    "number": "a number",
    "money": "an amount of money",
    "percent": "a percent",
    "date": "a date",
    "date_time": "a date-time",
    "time": "a time of day",
    "duration": "a duration",
    "yes_no": "yes or no",
    "choice": "a choice",
    "file": "a file",
    "table": "a table",
    "record": "a record",
    "list": "a list",
    "credential": "a credential",
    "missing": "missing",
    "any": "anything",
}


@dataclass(frozen=True, slots=True)
class Type:
    """A type. `columns` belongs to a table, `fields` to a record, `item` to a list, `choices` to a choice.

    `open` on a table or record: further names than the listed ones may exist.
    """

    kind: Kind
    choices: tuple[str, ...] = ()
    columns: Mapping[str, Type] | None = None
    item: Type | None = None
    fields: Mapping[str, Type] | None = None
    open: bool = False

    def __hash__(self) -> int:
        return hash((self.kind, self.choices, self.open))

    def __str__(self) -> str:
        if self.kind == "list" and self.item is not None:
            return f"a list of {self.item.kind}"
        return WORDS[self.kind]

    @property
    def is_number(self) -> bool:
        """True of number and money: both are exact decimals and mix freely."""
        return self.kind in ("number", "money")

    @property
    def is_text(self) -> bool:
        """True of text and choice: both hold a text."""
        return self.kind in ("text", "choice")

    def as_json(self) -> object:
        """A word for a simple type, else an object; the inverse is `type_from_json`."""
        if self.kind not in ("choice", "table", "record", "list"):
            return self.kind
        parts: dict[str, object] = {"kind": self.kind}
        if self.choices:
            parts["choices"] = list(self.choices)
        if self.columns is not None:
            parts["columns"] = {name: type.as_json() for name, type in self.columns.items()}
        if self.item is not None:
            parts["item"] = self.item.as_json()
        if self.fields is not None:
            parts["fields"] = {name: type.as_json() for name, type in self.fields.items()}
        if self.open:
            parts["open"] = True
        return parts if len(parts) > 1 else self.kind


TEXT: Final = Type("text")
NUMBER: Final = Type("number")
MONEY: Final = Type("money")
PERCENT: Final = Type("percent")
DATE: Final = Type("date")
DATE_TIME: Final = Type("date_time")
TIME: Final = Type("time")
DURATION: Final = Type("duration")
YES_NO: Final = Type("yes_no")
CREDENTIAL: Final = Type("credential")
ANY: Final = Type("any")
MISSING: Final = Type("missing")
FILE: Final = Type("file", fields={"name": TEXT, "sha256": TEXT, "size_bytes": NUMBER, "path": TEXT})


def table_of(columns: Mapping[str, Type], *, open: bool = False) -> Type:
    """A table with these columns."""
    return Type("table", columns=dict(columns), open=open)


def record_of(fields: Mapping[str, Type], *, open: bool = False) -> Type:
    """A record with these fields."""
    return Type("record", fields=dict(fields), open=open)


def list_of(item: Type) -> Type:
    """A list whose entries have this type."""
    return Type("list", item=item)


def choice_of(names: Iterable[str]) -> Type:
    """A choice of these names."""
    return Type("choice", choices=tuple(names))


def type_from_json(said: object) -> Type:
    """The type that `Type.as_json` wrote."""
    if isinstance(said, str):
        return named_type(said)
    if not isinstance(said, Mapping):
        raise ValueError(f"no type: {said!r}")
    columns, fields, item = said.get("columns"), said.get("fields"), said.get("item")
    return Type(
        named_type(said["kind"]).kind,
        choices=tuple(said.get("choices", ())),
        columns=None if columns is None else {name: type_from_json(one) for name, one in columns.items()},
        item=None if item is None else type_from_json(item),
        fields=None if fields is None else {name: type_from_json(one) for name, one in fields.items()},
        open=bool(said.get("open", False)),
    )


_SIMPLE: Final[Mapping[str, Type]] = {
    type.kind: type
    for type in (
        TEXT,
        NUMBER,
        MONEY,
        PERCENT,
        DATE,
        DATE_TIME,
        TIME,
        DURATION,
        YES_NO,
        CREDENTIAL,
        ANY,
        MISSING,
        FILE,
        Type("choice"),
        Type("table"),
        Type("record"),
        Type("list"),
    )
}


def named_type(word: str) -> Type:
    """The type of a word of YAML (`money`, `yes_no` ...); an unknown word is a ValueError."""
    if word not in _SIMPLE:
        raise ValueError(f'there is no type "{word}"; there are {", ".join(sorted(_SIMPLE))}')
    return _SIMPLE[word]


def common_type(left: Type, right: Type) -> Type | None:
    """The type that holds values of both (number and money: money; two choices: their union), None if there is none."""
    if left == right or right.kind == "missing":
        return left
    if left.kind == "missing":
        return right
    if "any" in (left.kind, right.kind):
        return ANY
    if left.is_number and right.is_number:
        return MONEY
    if left.is_text and right.is_text:
        return _common_text(left, right)
    if left.kind != right.kind:
        return None
    return _common_container(left, right)


def _common_text(left: Type, right: Type) -> Type:
    if left.kind == right.kind == "choice" and left.choices and right.choices:
        return choice_of(dict.fromkeys(left.choices + right.choices))
    return TEXT


def _common_container(left: Type, right: Type) -> Type | None:
    if left.kind == "list":
        item = common_type(left.item or ANY, right.item or ANY)
        return None if item is None else list_of(item)
    if left.kind == "table":
        columns, differing = union_columns(left.columns or {}, right.columns or {})
        is_open = left.open or right.open or left.columns is None or right.columns is None
        return None if differing else table_of(columns, open=is_open)
    if left.kind == "record":
        fields, differing = union_columns(left.fields or {}, right.fields or {})
        is_open = left.open or right.open or left.fields is None or right.fields is None
        return None if differing else record_of(fields, open=is_open)
    return left


def union_columns(
    left: Mapping[str, Type], right: Mapping[str, Type]
) -> tuple[dict[str, Type], dict[str, tuple[Type, Type]]]:
    """Columns of a union by name, in the order of their first appearance; and those whose types don't go together."""
    columns: dict[str, Type] = dict(left)
    differing: dict[str, tuple[Type, Type]] = {}
    for name, type in right.items():
        if name not in columns:
            columns[name] = type
            continue
        both = common_type(columns[name], type)
        if both is None:
            differing[name] = (columns[name], type)
        else:
            columns[name] = both
    return columns, differing
