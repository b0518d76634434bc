"""Values as JSON, tables excepted: tags for what JSON lacks. `codec` adds the tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from interoffice.model.values import Duration, FileValue, Percent, Value, number_text, utc

Encoder = Callable[[Value], object]
Decoder = Callable[[Mapping[str, object]], Value]


def encode_cell(value: Value, other: Encoder | None = None) -> object:
    """The value as JSON can hold it; `other` is asked about a value that is none of these (a table)."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        return _encode_record(value, other)
    if isinstance(value, (tuple, list)):
        return [encode_cell(item, other) for item in value]
    tagged = _encode_scalar(value)
    if tagged is not None:
        return tagged
    if other is not None:
        return other(value)
    raise TypeError(f"{value!r} ({type(value).__name__}) can't be written as JSON")


def _encode_scalar(value: Value) -> object | None:
    if isinstance(value, Percent):
        return {"$percent": number_text(value)}
    if isinstance(value, Decimal):
        return {"$number": number_text(value)}
    if isinstance(value, datetime):
        return {"$date_time": utc(value).isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, time):
        return {"$time": value.isoformat()}
    if isinstance(value, Duration):
        return {"$duration": value.canonical}
    if isinstance(value, FileValue):
        return {"$file": file_fields(value)}
    return None


def _encode_record(record: Mapping[str, Value], other: Encoder | None) -> object:
    if any(not isinstance(key, str) for key in record):
        raise TypeError(f"the keys of a record are texts, not {list(record)!r}")
    if any(key.startswith("$") for key in record):
        return {"$record": [[key, encode_cell(item, other)] for key, item in record.items()]}
    return {key: encode_cell(item, other) for key, item in record.items()}


def file_fields(file: FileValue) -> dict[str, object]:
    """A file as a JSON object."""
    return {"path": file.path, "name": file.name, "sha256": file.sha256, "size_bytes": file.size_bytes}


def decode_cell(said: object, other: Decoder | None = None) -> Value:
    """The value that `encode_cell` wrote; `other` is asked about an unknown tag."""
    if said is None or isinstance(said, (bool, str)):
        return said
    if isinstance(said, list):
        return tuple(decode_cell(item, other) for item in said)
    if not isinstance(said, Mapping):
        raise ValueError(f"{said!r} was not written by this codec: numbers are tagged")
    if len(said) == 1:
        tag, content = next(iter(said.items()))
        if tag.startswith("$"):
            return _decode_tagged(tag, content, said, other)
    return {key: decode_cell(item, other) for key, item in said.items()}


def _decode_tagged(tag: str, content: object, said: Mapping[str, object], other: Decoder | None) -> Value:
    if tag in _SCALARS and isinstance(content, str):
        return _SCALARS[tag](content)
    if tag == "$file" and isinstance(content, Mapping):
        return FileValue(**content)
    if tag == "$record" and isinstance(content, list):
        return {key: decode_cell(item, other) for key, item in content}
    if other is not None:
        return other(said)
    raise ValueError(f"unknown tag {tag}")


_SCALARS: Mapping[str, Callable[[str], Value]] = {
    "$number": Decimal,
    "$percent": Percent,
    "$date": date.fromisoformat,
    "$date_time": lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "$time": time.fromisoformat,
    "$duration": Duration.from_canonical,
}


def json_text(said: object) -> str:
    """JSON with sorted keys, no blanks, and every letter as itself: the same text for the same content."""
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
