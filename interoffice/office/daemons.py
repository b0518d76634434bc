"""Processes that run unattended: the scheduler, and workers that walk what it queues."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from interoffice.errors import InterofficeError
from interoffice.office.listings import Listed

if TYPE_CHECKING:
    from interoffice.engine.engine import Engine
    from interoffice.office.results import RunEnded
    from interoffice.plan.project import Project
    from interoffice.resources.secrets import CredentialStore

LET_END_S: Final = 600.0
LOOK_S: Final = 0.2
Say = Callable[[str], None]


class Desk(Protocol):
    """The office that they work in."""

    folder: Path

    @property
    def credential_store(self) -> CredentialStore: ...

    def signed_in(self) -> str | None: ...

    def reread(self) -> None: ...

    def ended(self, run_id: str) -> RunEnded: ...

    def engine(self, environment: str | None = None) -> AbstractContextManager[Engine]: ...


class Daemons:
    """The processes of a project that run until they are told to stop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def serve(
        self, stop: threading.Event, at_once: threading.Event, *, say: Say, environment: str | None, work: bool
    ) -> None:
        """Fires schedules, and with `work` walks the runs too, until `stop`; runs in hand may end, until `at_once`."""
        from interoffice.schedule.scheduler import Scheduler

        with self._desk.engine(environment) as engine:
            scheduler = Scheduler(
                engine, reopen=self._reopen(engine), credentials=self._desk.credential_store.names, say=say,
                signed_in=self._desk.signed_in,
            )  # fmt: skip
            scheduler.load()
            faults: list[BaseException] = []

            def fire() -> None:
                try:
                    scheduler.serve(stop)
                except BaseException as fault:
                    faults.append(fault)
                    stop.set()  # a daemon that only looks alive is worse than none: its service starts it again

            thread = threading.Thread(target=fire, name="scheduler", daemon=True)
            thread.start()
            if work:
                self._work(engine, stop, at_once, say)
            else:
                stop.wait()
            thread.join(timeout=5)
            if faults:
                raise faults[0]

    def work(self, stop: threading.Event, at_once: threading.Event, *, say: Say, environment: str | None) -> None:
        """Walks queued runs, those that woke up, and what the dead left, until `stop`."""
        with self._desk.engine(environment) as engine:
            say(f"worker {engine.engine_id} takes runs")
            self._work(engine, stop, at_once, say)

    def _work(self, engine: Engine, stop: threading.Event, at_once: threading.Event, say: Say) -> None:
        from interoffice.engine.durable import Delivery

        def after(run_id: str) -> None:
            self._desk.reread()
            try:
                ended = self._desk.ended(run_id)  # which writes its report
            except (InterofficeError, OSError) as error:
                say(f"{run_id}: its report could not be written ({error}); later: runner.py report {run_id}")
            else:
                say(f"{run_id}: {ended.sentence}")

        with Delivery(engine, runs_at_once=engine.project.settings.limits.runs_at_once, after=after) as delivery:
            delivery.serve(stop)
            left = self._in_hand(engine)
            if left:
                say(f"no new runs; {left} in hand may end (stop again to leave them to the next start)")
            waited = 0.0
            while self._in_hand(engine) and waited < LET_END_S and not at_once.wait(LOOK_S):
                waited += LOOK_S

    def _in_hand(self, engine: Engine) -> int:
        from interoffice.store import office

        mine = [each for each in engine.ledger.read(office.engines) if each["engine_id"] == engine.engine_id]
        return sum(int(str(each["runs"])) for each in mine)

    def _reopen(self, engine: Engine) -> Callable[[], Project]:
        from interoffice.plan.making import in_environment
        from interoffice.plan.project import open_project

        name = engine.project.environment_name
        return lambda: in_environment(open_project(self._desk.folder), name)

    def workers(self) -> list[Listed]:
        """Processes that take runs, and those that died and were not missed yet."""
        from interoffice.store import office

        with self._desk.engine() as engine:
            return [
                {
                    "worker": each["engine_id"],
                    "host": each["host"],
                    "pid": each["pid"],
                    "since": str(each["started_at"])[:19].replace("T", " "),
                    "runs": each["runs"],
                    "state": "dead" if engine.locks.is_dead(str(each["engine_id"])) else "alive",
                }
                for each in engine.ledger.read(office.engines)
                if each["engine_id"] != engine.engine_id
            ]

    def is_served(self) -> bool:
        """Whether a process that takes runs lives."""
        return any(each["state"] == "alive" for each in self.workers())
