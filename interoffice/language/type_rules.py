"""Which type comes out of which: what inference knows of operators, parts and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interoffice.language.nodes import Binary, Literal, Node
from interoffice.language.scopes import columns_of
from interoffice.model.types import (
    ANY,
    DATE,
    DATE_TIME,
    DURATION,
    KINDS,
    MONEY,
    NUMBER,
    PERCENT,
    Type,
    common_type,
    list_of,
    record_of,
    table_of,
)
from interoffice.model.values import Duration


def part_type(owner: Type, name: str) -> Type | None:
    """The type of a name in a record, table, list or file; None where it has no such name."""
    if owner.kind == "any":
        return ANY
    if owner.kind in ("record", "file"):
        fields = columns_of(owner)
        if name in fields:
            return fields[name]
        return ANY if owner.open or (owner.kind == "record" and owner.fields is None) else None
    if owner.kind == "table":
        if owner.columns is not None and name in owner.columns:
            return list_of(owner.columns[name])
        return list_of(ANY) if owner.open or owner.columns is None else None
    if owner.kind == "list" and owner.item is not None:
        part = part_type(owner.item, name)
        return None if part is None else list_of(part)
    return None


def item_of(rows: Type) -> Type:
    """The type of one row of a table or value of a list."""
    if rows.kind == "table":
        return record_of(rows.columns or {}, open=rows.open or rows.columns is None)
    return rows.item or ANY


def untyped_result(operator: str, left: Type, right: Type) -> Type:
    """The type of arithmetic with something whose type is not known."""
    known = left if left.kind not in ("any", "missing") else right
    return table_of({}, open=True) if operator == "+" and known.kind == "table" else ANY


def group_of(type: Type) -> str:
    """The group in which a type is compared: money is a number, a choice a text."""
    if type.is_number:
        return "number"
    return "text" if type.is_text else type.kind


def arithmetic_type(node: Binary, left: Type, right: Type) -> Type | None:
    """The type of `left operator right`; None where that has no meaning."""
    kinds = (group_of(left), group_of(right))
    operator = node.operator
    if kinds in (("number", "number"), ("number", "percent"), ("percent", "number"), ("percent", "percent")):
        return _numbers(operator, left, right)
    if operator in "+-" and kinds[1] == "duration" and kinds[0] in ("date", "date_time", "duration"):
        return left if kinds[0] != "date" else _moved_date(node.right)
    if operator == "+" and kinds[0] == "duration" and kinds[1] in ("date", "date_time"):
        return right if kinds[1] == "date_time" else _moved_date(node.left)
    if operator == "-" and kinds in (("date", "date"), ("date_time", "date_time")):
        return DURATION
    if operator == "*" and set(kinds) == {"duration", "number"}:
        return DURATION
    if operator == "+" and kinds in (("table", "table"), ("list", "list")):
        return common_type(left, right)
    return None


def _numbers(operator: str, left: Type, right: Type) -> Type:
    if operator in "+-" and left.kind == right.kind == "percent":
        return PERCENT
    if operator == "/" and left.kind == right.kind == "money":
        return NUMBER
    if operator == "/":
        return MONEY if left.kind == "money" else NUMBER
    return MONEY if "money" in (left.kind, right.kind) else NUMBER


def _moved_date(duration: Node) -> Type:
    if isinstance(duration, Literal) and isinstance(duration.value, Duration) and duration.value.seconds:
        return DATE_TIME
    return DATE


TOLERANCES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("number", "percent"),
    "percent": ("percent",),
    "date": ("duration",),
    "date_time": ("duration",),
}
TOLERANCE_WORDS: Final = {"number": "a number", "percent": "a percent", "duration": "a duration"}
TOLERANCE_OF: Final = {"number": "numbers", "percent": "percents", "date": "dates", "date_time": "date-times"}
_NUMERIC: Final = frozenset(("number", "money", "any", "missing"))
PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "number": _NUMERIC,
    "numeric": _NUMERIC | {"percent"},
    "text": frozenset(("text", "choice", "any", "missing")),
    "moment": frozenset(("date", "date_time", "any", "missing")),
    "rows": frozenset(("table", "list", "any", "missing")),
    "list": frozenset(("list", "any", "missing")),
    "numbers": frozenset(("list", "any", "missing")),
    "condition": frozenset(("yes_no", "any", "missing")),
    "value": KINDS - {"credential"},
}
PARAMETER_WORDS: Final = {
    "number": "a number",
    "numeric": "a number",
    "text": "a text",
    "moment": "a date",
    "rows": "a table or a column",
    "list": "a list",
    "numbers": "a column (rows.column)",
    "condition": "a condition",
    "value": "a value",
}
