"""The project's one door: command line and dashboard know only what is exported here."""

from interoffice.engine.progress import Event, Progress
from interoffice.office.door import Office
from interoffice.office.results import Asked, BotDone, CheckFound, RunEnded

__all__ = ["Asked", "BotDone", "CheckFound", "Event", "Office", "Progress", "RunEnded"]
