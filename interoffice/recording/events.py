"""What a page tells while somebody works on it (screens/page/record.js)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

What = Literal["opened", "typed", "pressed", "seen", "picked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened. `element` is what the page says of the control; `value` what it holds then: a text,
    a list of labels or file names, true or false; None for a button and for every secret. `document` changes with
    every page that is loaded, `number` tells its elements apart. `is_shown`: what was picked only shows something."""

    what: What
    url: str
    document: str = ""
    title: str = ""
    heading: str = ""
    number: int = 0
    element: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    frame: str = ""
    is_shown: bool = False
    shows: Sequence[Mapping[str, Any]] = ()
    grids: Sequence[Mapping[str, Any]] = ()
    controls: Sequence[Mapping[str, Any]] = ()


def event_of(said: Mapping[str, Any], *, frame: str = "") -> Event:
    """The event that a page has told."""
    known = {name: said[name] for name in Event.__dataclass_fields__ if name in said and name not in ("frame", "shows")}
    shows = said.get("shows")
    known.pop("is_shown", None)
    return Event(**known, frame=frame, shows=shows if isinstance(shows, list) else (), is_shown=shows is True)
