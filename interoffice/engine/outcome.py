"""What a call gives to the walk that made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from interoffice.engine.recorder import Write
from interoffice.model.values import Value

ALREADY = "already there"
"""How the note of a step begins whose act another run had done before."""
REHEARSED = "rehearsed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A step that ended well. `writes` belong into the transaction that records its end; `acted`: at once."""

    outputs: Mapping[str, Value]
    inputs: Mapping[str, Value] | None = None
    note: str = ""
    writes: tuple[Write, ...] = field(default=())
    acted: bool = False
