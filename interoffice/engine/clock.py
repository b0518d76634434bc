"""The clock, passed in: the planned time and the ledger's times come from it, and the waits between attempts too."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting for some of it to pass."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds for measuring durations; never goes back."""

    def wait(self, seconds: float, until: threading.Event) -> bool:
        """Waits this long, or until the event is set; True when it was set."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float, until: threading.Event) -> bool:
        return until.wait(seconds)
