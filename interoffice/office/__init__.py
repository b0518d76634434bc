"""The project's one door: command line and dashboard know only what is exported here."""

from typing import TYPE_CHECKING

from interoffice.office.door import Office
from interoffice.office.results import Asked, BotDone, CheckFound, RunEnded

if TYPE_CHECKING:
    from interoffice.engine.progress import Event, Progress
    from interoffice.store.items import Search

__all__ = ["Asked", "BotDone", "CheckFound", "Event", "Office", "Progress", "RunEnded", "Search"]


def __getattr__(name: str) -> object:
    """What only a run tells is loaded when it is asked for: the engine's part costs a check time."""
    if name in ("Event", "Progress"):
        from interoffice.engine import progress

        return getattr(progress, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
