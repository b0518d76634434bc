"""The parts that all generated JSON Schemas (draft 7) are made of.

An editor reads YAML with types of its own (`1.10` is a number there), so whatever is text here may be a number or true
and false there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]

SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
TEXT: Final[Schema] = {"type": ["string", "number"]}
EXPRESSION: Final[Schema] = {"type": ["string", "number", "boolean"]}
ANY: Final[Schema] = {}
YES_NO: Final[Schema] = {"enum": [True, False, "true", "false", "yes", "no"]}
DURATION: Final[Schema] = {
    "type": "string",
    "pattern": r"^\d+(\.\d+)? *(ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|(business )?days?|weeks?|months?|years?)$",
}
DATE: Final[Schema] = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
NUMBER: Final[Schema] = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}]}
NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
TEXTS: Final[Schema] = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}
VERSION: Final[Schema] = {"enum": [1, "1"]}


def whole(at_least: int = 1) -> Schema:
    """A whole number."""
    digits = r"^\d+$" if at_least >= 0 else r"^-?\d+$"
    return {"anyOf": [{"type": "integer", "minimum": at_least}, {"type": "string", "pattern": digits}]}


def words(*every: str) -> Schema:
    """One of a few words."""
    return {"enum": list(every)}


def words_list(every: Iterable[str]) -> Schema:
    """One of a few words, or a list of them."""
    one = {"enum": list(every)}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def list_of(item: Schema) -> Schema:
    """A list that isn't empty."""
    return {"type": "array", "items": item, "minItems": 1}


def map_of(value: Schema, *, names: str | None = None) -> Schema:
    """A map of any names (of a shape, where given) to one kind of value."""
    found: Schema = {"type": "object", "additionalProperties": value, "minProperties": 1}
    return {**found, "propertyNames": {"pattern": names}} if names else found


def one_map(properties: Mapping[str, Schema], *, required: Iterable[str] = (), more: bool = False) -> Schema:
    """A map of known keys."""
    needed = list(required)
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": more}
    return {**found, "required": needed} if needed else found


def said(schema: Schema, help: str) -> Schema:
    """The same with its help."""
    return {**schema, "description": help} if help else schema


def when(key: str, value: str, then: Schema) -> Schema:
    """What holds of the whole map where a key has this value."""
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


def ref(name: str) -> Schema:
    """A definition of the same schema."""
    return {"$ref": f"#/definitions/{name}"}


def document(title: str, body: Schema, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """A whole schema."""
    head: Schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **body}
    return {**head, "definitions": dict(definitions)} if definitions else head
