"""The part of JSON Schema draft 7 that the generated schemas use; a word it doesn't know fails the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TYPES = {
    "object": dict,
    "array": (list, tuple),
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
}
IGNORED = {"$schema", "title", "description", "definitions", "then", "propertyNames"}


def mistakes(value: Any, schema: Any, root: Any, at: str = "$") -> Iterator[str]:
    """What a value has that its schema refuses."""
    for word, rule in schema.items():
        if word not in IGNORED:
            yield from CHECKS[word](value, rule, schema, root, at)
    if isinstance(value, dict) and "propertyNames" in schema:
        for name in value:
            yield from mistakes(name, schema["propertyNames"], root, f"{at}.{name}")


def fits(value: Any, schema: Any, root: Any) -> bool:
    return next(mistakes(value, schema, root), None) is None


def _type(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    for name in [rule] if isinstance(rule, str) else rule:
        if isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool)):
            return
    yield f"{at}: {value!r} is no {rule}"


def _properties(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in rule.keys() & value.keys():
            yield from mistakes(value[name], rule[name], root, f"{at}.{name}")


def _additional(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    for name in value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ():
        if rule is False:
            yield f"{at}: unknown key {name}"
        elif rule is not True:
            yield from mistakes(value[name], rule, root, f"{at}.{name}")


def _items(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    for number, item in enumerate(value if isinstance(value, list | tuple) else ()):
        yield from mistakes(item, rule, root, f"{at}[{number}]")


def _one_of(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    if sum(fits(value, one, root) for one in rule) != 1:
        yield f"{at}: not exactly one of {len(rule)}"


def _any_of(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    if not any(fits(value, one, root) for one in rule):
        yield f"{at}: {str(value)[:60]!r} fits none of {len(rule)}"


def _all_of(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    for one in rule:
        yield from mistakes(value, one, root, at)


def _if(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    if fits(value, rule, root):
        yield from mistakes(value, schema.get("then", {}), root, at)


def _not(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    if fits(value, rule, root):
        yield f"{at}: not allowed here"


def _ref(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    yield from mistakes(value, root["definitions"][rule.removeprefix("#/definitions/")], root, at)


def _require(holds: Any) -> Any:
    def check(value: Any, rule: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
        if not holds(value, rule):
            yield f"{at}: {str(value)[:60]!r} against {rule}"

    return check


CHECKS: dict[str, Any] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "allOf": _all_of,
    "if": _if,
    "not": _not,
    "$ref": _ref,
    "enum": _require(lambda value, rule: any(value == one and type(value) is type(one) for one in rule)),
    "const": _require(lambda value, rule: value == rule),
    "pattern": _require(lambda value, rule: not isinstance(value, str) or re.search(rule, value)),
    "required": _require(lambda value, rule: not isinstance(value, dict) or set(rule) <= value.keys()),
    "minItems": _require(lambda value, rule: not isinstance(value, list | tuple) or len(value) >= rule),
    "maxItems": _require(lambda value, rule: not isinstance(value, list | tuple) or len(value) <= rule),
    "minProperties": _require(lambda value, rule: not isinstance(value, dict) or len(value) >= rule),
    "minimum": _require(lambda value, rule: not isinstance(value, int | float) or value >= rule),
}
