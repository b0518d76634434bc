"""Seats: an application has `max_sessions` of them, over all runs and processes; a lane has one while it is signed in.

A seat is a locked file, so it dies with its engine. A lane that has to wait leaves the other applications first, so
that two runs never wait for each other's seats.
"""

from __future__ import annotations

import threading
from typing import Final

from interoffice.declaration import BotDescription
from interoffice.engine.alive import LifeLocks, Seat
from interoffice.engine.clock import Clock
from interoffice.engine.lanes import Lane, LanePool
from interoffice.errors import InterofficeError
from interoffice.plan.project import Project

POLL_S: Final = 0.2


class Seats:
    """The seats of one run's lanes."""

    def __init__(self, project: Project, environment: str, run_id: str, locks: LifeLocks, lanes: LanePool) -> None:
        self._project = project
        self._environment = environment
        self._run_id = run_id
        self._locks = locks
        self._lanes = lanes
        self._held: dict[tuple[str, str], Seat] = {}
        self._lock = threading.Lock()

    def limited(self, bot: BotDescription, screen: str | None) -> str | None:
        """The application with limited seats that a call of this bot opens; None: it opens none."""
        uses_own = any(declared.kind == "credential" for declared in bot.inputs.values())
        name = screen.partition(".")[0] if screen is not None else bot.module if uses_own else ""
        return name if name and self.count(name) is not None else None

    def count(self, application: str) -> int | None:
        """How many sessions the application has; None: no limit, or no such application."""
        if application not in self._project.applications():
            return None
        try:
            return self._project.application(application).max_sessions
        except InterofficeError:
            return None

    def take(self, lane: Lane, application: str) -> bool:
        """The lane has a seat now; False when all are taken."""
        with self._lock:
            if (lane.name, application) in self._held:
                return True
            for name in self._names(application):
                seat = self._locks.seat(name, self._run_id)
                if seat is not None:
                    self._held[lane.name, application] = seat
                    return True
        return False

    def wait(self, lane: Lane, application: str, clock: Clock, stop: threading.Event) -> bool:
        """Waits for a seat, the lane's other ones given up; False when the run is to end meanwhile."""
        for held_by, other in list(self._held):
            if held_by == lane.name and other != application:
                lane.sign_out(other)
                self._give_up(lane.name, other)
        while not self.take(lane, application):
            if clock.wait(POLL_S, stop):
                return False
        return True

    def taken_words(self, application: str) -> str:
        """Who has the seats, for the operator."""
        holders = dict.fromkeys(filter(None, map(self._locks.seat_holder, self._names(application))))
        runs = ", ".join(holders) or "another run"
        count = self.count(application)
        return f"waits for a session of {application}: all {count} are in use (by {runs})"

    def leave(self, application: str) -> None:
        """Nobody of this run is signed in there any more."""
        for lane, held in list(self._held):
            if held == application:
                self._give_up(lane, held)

    def close(self) -> None:
        """All seats are free for others."""
        for lane, application in list(self._held):
            self._give_up(lane, application)

    def _names(self, application: str) -> list[str]:
        count = self.count(application) or 0
        return [f"{self._environment}-{application}-{number}" for number in range(1, count + 1)]

    def _give_up(self, lane: str, application: str) -> None:
        with self._lock:
            seat = self._held.pop((lane, application), None)
        if seat is not None:
            seat.give_up()
