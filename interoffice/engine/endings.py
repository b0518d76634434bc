"""How the walk of a step can end other than well: raised inside the engine, never shown to a user as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from interoffice.store.views import Failure


class Ending(Exception):
    """One of those below."""


class StepFailed(Ending):
    """A step failed for good; `failure.step` says which."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Held(Ending):
    """The item waits for a person: on hold. Outside a loop there is no such thing."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Doubtful(Ending):
    """Whether the act of a step happened can't be known; a person decides."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Suspended(Ending):
    """The walk can't go on before `wake_at`, or before what it waits for has come."""

    def __init__(self, waiting_for: str, wake_at: datetime | None = None) -> None:
        super().__init__(waiting_for)
        self.waiting_for = waiting_for
        self.wake_at = wake_at


class Stopped(Ending):
    """A `stop` step was reached: the run ends, or inside `do:` the item."""

    def __init__(self, reason: str, result: Literal["success", "failed", "rejected"]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.result = result


class RunStopped(Ending):
    """A check's route `stop` inside a loop: the whole run ends as failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class RehearsedHere(Ending):
    """A rehearsal reached the act of an item; what follows would need what was not done."""


class Cancelled(Ending):
    """Somebody wants the run to end: before the next step, or at once."""
