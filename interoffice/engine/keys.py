"""What an item is called: the parts of a key as one text."""

from __future__ import annotations

from collections.abc import Sequence

from interoffice.model.formats import format_value
from interoffice.model.values import ISO, Value


def key_text(parts: Sequence[Value]) -> str:
    """The parts of a key as one text, different for different parts: ISO dates, plain numbers, `|` between."""
    return "|".join(format_value(part, ISO).replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def child_key(outer: str | None, inner: str) -> str:
    """The key under which an inner item posts: `outer/inner`."""
    return inner if outer is None else f"{outer}/{inner.replace('/', chr(92) + '/')}"
