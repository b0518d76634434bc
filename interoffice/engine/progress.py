"""What the engine says while it works: events for a progress display. They are said from several threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

EventName = Literal[
    "run_began",
    "run_waits",
    "run_ended",
    "step_began",
    "step_ended",
    "loop_began",
    "item_began",
    "item_ended",
    "attempt_failed",
    "approval_opened",
    "message",
    "progress",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened. `state` is the state of run, step or item; `done` of `total` counts rows or items."""

    name: EventName
    run_id: str
    path: str = ""
    title: str = ""
    state: str = ""
    text: str = ""
    done: int = 0
    total: int | None = None
    level: str = "info"


Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """For those who don't listen."""
