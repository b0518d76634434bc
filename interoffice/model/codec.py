"""Values as JSON, with tags for what JSON lacks, and as the one text that keys and digests are made from.

{"$number": "12.5"}  {"$percent": "0.15"}  {"$date": "2026-11-20"}  {"$date_time": "2026-11-20T09:00:00+00:00"}
{"$time": "09:00:00"}  {"$duration": "P2B"}  {"$file": {...}}
{"$record": [[key, value], ...]}: keys begin with $
{"$table": {"path": ..., "rows": ..., "digest": ..., "columns": [[name, type], ...]}}: a saved one
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from interoffice.model.cells import decode_cell, encode_cell, json_text
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.types import type_from_json
from interoffice.model.values import Formats, Value

__all__ = ["Formats", "canonical", "decode", "dumps", "encode", "format_value", "loads"]


def encode(value: Value) -> object:
    """The value as json.dumps can write it. A table that was not saved is a ValueError."""
    return encode_cell(value, _encode_table)


def decode(said: object) -> Value:
    """The value that `encode` wrote."""
    return decode_cell(said, _decode_table)


def canonical(value: Value) -> str:
    """One text per value, equal for equal values: for keys and digests. A table counts by its content alone."""
    return json_text(encode_cell(value, _table_content))


def dumps(value: Value) -> str:
    """The value as a JSON text; the inverse is `loads`."""
    return json_text(encode(value))


def loads(text: str) -> Value:
    """The value that `dumps` wrote."""
    return decode(json.loads(text))


def _encode_table(value: Value) -> object:
    if not isinstance(value, Table):
        raise TypeError(f"{value!r} ({type(value).__name__}) can't be written as JSON")
    if value.path is None:
        raise ValueError("a table is written as a handle on its file: save it first")
    columns = [[name, type.as_json()] for name, type in value.columns.items()]
    handle = {"path": str(value.path), "rows": value.row_count, "digest": value.digest, "columns": columns}
    return {"$table": handle}


def _table_content(value: Value) -> object:
    if not isinstance(value, Table):
        raise TypeError(f"{value!r} ({type(value).__name__}) can't be written as JSON")
    return {"$table": {"digest": value.digest}}


def _decode_table(said: Mapping[str, Any]) -> Value:
    handle = said.get("$table")
    if not isinstance(handle, Mapping):
        raise ValueError(f"unknown tag in {said!r}")
    columns = {name: type_from_json(type) for name, type in handle["columns"]}
    table = Table.load(handle["path"], columns, digest=handle["digest"])
    table._row_count = handle["rows"]
    return table
