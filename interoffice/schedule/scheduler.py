"""The scheduler: wakes at planned times, looks at triggers, starts runs, raises alarms, and reads schedules.yaml anew.

APScheduler keeps the planned times of all schedules in memory and wakes it; what has fired is asked of the ledger
alone. So two schedulers on one state fire each time once, one that was away finds what it missed, and a clock that is
set back repeats nothing. Everything is also gone through every half minute, whatever the timers say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from loguru import logger

from interoffice.engine.engine import Engine
from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.notice_desk import notice_desk
from interoffice.errors import CredentialRefused, InterofficeError, ProjectError
from interoffice.plan.project import SCHEDULES, Project
from interoffice.plan.timetable import Timetable
from interoffice.resources.secrets import CredentialStore
from interoffice.schedule import alarms
from interoffice.schedule.armed import Armed, Timetables, arm
from interoffice.schedule.arrivals import CallsCome, FilesArrive, MailArrives, QueueFills, RunEnds, Trigger, record
from interoffice.schedule.calls import Calls
from interoffice.schedule.catching_up import catch_up
from interoffice.schedule.starting import sentence_of, start
from interoffice.store import audit, firings, office
from interoffice.store.database import Transaction
from interoffice.store.firings import Firing

SWEEP_S: Final = 30.0
BEAT_S: Final = 10.0
RELOAD_S: Final = 1.0
ALARMS_S: Final = 10.0
LONGEST_WAIT_S: Final = 0.5
AGAIN_S: Final = 2.0
Credentials = Callable[[], frozenset[str]]


class Planned(BaseTrigger):  # type: ignore[misc]
    """A timetable as APScheduler asks it."""

    def __init__(self, table: Timetable) -> None:
        self.table = table

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next planned time after the last one, or after now."""
        return self.table.next(now if previous_fire_time is None else max(previous_fire_time, now))


class _Waking(BaseExecutor):  # type: ignore[misc]
    """Only says which schedules are due: a thousand in one second are one transaction."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        super().__init__()
        self._wake = wake

    def submit_job(self, job: Any, run_times: list[datetime]) -> None:
        """The schedule is due; none is ever in the way of itself."""
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._wake(job.id)


class Scheduler:
    """Runs until it is told to stop. `say` hears one line for each thing that happens."""

    def __init__(
        self,
        engine: Engine,
        *,
        credentials: Credentials | None = None,
        say: Callable[[str], None] = lambda line: None,
        reopen: Callable[[], Project] | None = None,
        signed_in: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.engine, self._credentials, self._say, self._reopen = engine, credentials, say, reopen
        self._signed_in = signed_in
        self.tables = Timetables(digest="", armed={}, left_out={})
        self.refused = ""
        self._refused_digest = ""
        self._ledger = engine.ledger
        self._lock = threading.Lock()
        self._woken: set[str] = set()
        self._bell = threading.Event()
        self._triggers: dict[str, Trigger] = {}
        self._looks: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._timers: BackgroundScheduler | None = None
        self._calls: Calls | None = None
        self._no_calls = ""

    # the file

    def load(self) -> bool:
        """Arms what schedules.yaml says; a file that can't be read leaves what is armed as it is. True: it changed."""
        project = self.engine.project.afresh() if self._reopen is None else self._reopen()
        loaded = project.schedules_file
        digest = "" if loaded is None else loaded.digest
        if digest == self.tables.digest or (self.refused and digest == self._refused_digest):
            return False
        try:
            tables = arm(project)
        except InterofficeError as error:
            self._refused_digest, self.refused = digest, sentence_of(error)
            self._say(f"{SCHEDULES} is not taken, what was armed before stays: {self.refused}")
            if not self.tables.digest:
                raise
            return False
        self.refused, self._refused_digest = "", ""
        self._arm(project, tables)
        return True

    def _arm(self, project: Project, tables: Timetables) -> None:
        now = self.engine.clock.now()
        self._ledger.write(lambda tx: firings.arm(tx, tables.armed, now))
        with self._lock:
            self.engine.project = project
            for trigger in self._triggers.values():
                trigger.close()
            self.tables = tables
            made = {id: self._trigger(each) for id, each in tables.armed.items()}
            self._triggers = {id: trigger for id, trigger in made.items() if trigger is not None}
            self._looks = {}
        self._listen()
        self._wind()
        for id, why in tables.left_out.items():
            self._say(f"{id} is left out: {why}")
        self._say(f"{len(tables.armed)} schedules are armed")

    def _listen(self) -> None:
        """Takes signed calls, where a schedule waits for one."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        port = self.tables.calls_at
        self._no_calls = ""
        if port is None or all(each.schedule.trigger != "call" for each in self.tables.armed.values()):
            return
        try:
            self._calls = Calls(
                port, ledger=self._ledger, secret=self._call_secret, now=self.engine.clock.now, rung=self._bell.set
            )
        except ProjectError as error:
            self._no_calls = str(error)

    def _call_secret(self, id: str) -> str:
        armed = self.tables.armed.get(id)
        known = self._ledger.read(lambda tx: firings.schedule(tx, id))
        if armed is None or armed.schedule.trigger != "call" or (known is not None and known.paused_at is not None):
            raise ProjectError(f"{id} takes no calls")
        return CredentialStore(self.engine.state_dir).get(armed.schedule.when).part("secret").reveal()

    def _wind(self) -> None:
        """Gives APScheduler the timed schedules."""
        if self._timers is not None:
            self._timers.shutdown(wait=False)
        timers = BackgroundScheduler(timezone=UTC, executors={"default": _Waking(self._wake)})
        for id, each in self.tables.armed.items():
            if each.table is not None:
                how = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1000}
                timers.add_job(_nothing, Planned(each.table), id=id, **how)
        timers.start()
        self._timers = timers

    def _trigger(self, armed: Armed) -> Trigger | None:
        folder, ledger = Path(self.engine.project.folder), self._ledger
        match armed.schedule.trigger:
            case "watch":
                return FilesArrive(armed, ledger, folder)
            case "mail":
                return MailArrives(armed, ledger, self._message_ids)
            case "queue":
                return QueueFills(armed, ledger)
            case "after":
                return RunEnds(armed, ledger, self.engine.project.environment or "")
            case "call":
                return CallsCome(lambda: self._no_calls)
        return None

    def _message_ids(self, account: str, folder: str) -> tuple[str, ...]:
        """The mails of a folder. A password that was refused is not tried again until a person frees it (G6)."""
        project, state = self.engine.project, self.engine.state_dir
        environment = project.environment or ""
        setting = LaneSetting(
            project=project.folder.resolve(), state=state, run_id="", workflow="", folder=state / "mail",
            environment=environment, zone=project.settings.timezone,
        )  # fmt: skip
        name = project.settings.mail.accounts[account].credential
        paused = self._ledger.read(lambda tx: office.paused_credential(tx, environment, name))
        if paused is not None:
            raise ProjectError(f"the credential {name} is paused; free it with: runner.py credentials resume {name}")
        try:
            with notice_desk(setting, {}) as desk:
                return desk.message_ids(account, folder)
        except CredentialRefused as refused:
            self._pause(environment, refused)
            raise

    def _pause(self, environment: str, refused: CredentialRefused) -> None:
        now, why = self.engine.clock.now(), str(refused)

        def write(tx: Transaction) -> None:
            office.pause_credential(tx, environment, refused.credential, why, now, run_id="", path="")
            audit.write(tx, now=now, actor="scheduler", act="credential.paused", subject=refused.credential)

        self._ledger.write(write)

    def _wake(self, id: str) -> None:
        with self._lock:
            self._woken.add(id)
        self._bell.set()

    # the loop

    def serve(self, until: threading.Event) -> None:
        """Everything it does, until the event is set. A fault of our own ends it: its caller must know."""
        self.load()
        told = ""
        try:
            while not until.is_set():
                try:
                    self.turn()
                    told = ""
                except InterofficeError as error:  # a full disk, a ledger that is held: what is due stays due
                    if str(error) != told:
                        told = str(error)
                        self._say(f"can't go on just now, tries again: {told}")
                    until.wait(AGAIN_S)
                self._bell.wait(LONGEST_WAIT_S)
                self._bell.clear()
        finally:
            self.close()

    def turn(self) -> None:
        """One round: what is due fires, triggers are looked at, runs are started, the file is read again."""
        if self._is_time("reload", RELOAD_S):
            self.load()
        self.fire(everything=self._is_time("sweep", SWEEP_S))
        self.look()
        self.start_due()
        if self._is_time("alarms", ALARMS_S):
            self.raise_alarms()

    def close(self) -> None:
        """The timers stop, and nothing listens any more."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._timers is not None:
            self._timers.shutdown(wait=False)
            self._timers = None
        for trigger in self._triggers.values():
            trigger.close()

    def fire(self, *, everything: bool) -> int:
        """Records the planned times that have come, of the schedules that woke or of all; how many became due."""
        with self._lock:
            woken, self._woken = self._woken, set()
        timed = {id: each for id, each in self.tables.armed.items() if each.table is not None}
        chosen = list(timed.values()) if everything else [timed[id] for id in woken if id in timed]
        if not chosen:
            return 0
        now = self.engine.clock.now()

        def write(tx: Transaction) -> int:
            due = 0
            for each in chosen:
                count, next_at = catch_up(tx, each, now)
                firings.looked(tx, each.id, now, next_at=next_at)
                due += count
            return due

        return self._ledger.write(write)

    def look(self) -> None:
        """Looks at the triggers whose turn it is. One that can't look is told, and the others go on."""
        monotonic, now = self.engine.clock.monotonic(), self.engine.clock.now()
        for id, trigger in self._triggers.items():
            if monotonic < self._looks.get(id, 0.0):
                continue
            self._looks[id] = monotonic + trigger.every_s
            known = self._ledger.read(lambda tx, id=id: firings.schedule(tx, id))  # type: ignore[misc]
            if known is not None and known.paused_at is not None:
                continue
            problem = ""
            try:
                record(self._ledger, trigger.look(now, monotonic), now)
            except InterofficeError as error:
                problem = sentence_of(error)
            except OSError as error:
                problem = str(error)
            self._beat(id, known, now, problem)

    def _beat(self, id: str, known: firings.ScheduleView | None, now: datetime, problem: str) -> None:
        """The trigger's heartbeat, written every so often, and at once when something changed."""
        before = "" if known is None else known.problem
        if problem != before:
            self._say(f"{id}: {problem}" if problem else f"{id} can look again")
        if problem != before or self._is_time(f"beat {id}", BEAT_S):
            self._ledger.write(lambda tx: firings.looked(tx, id, now, next_at=None, problem=problem))

    def start_due(self) -> None:
        """A run for every firing that is due."""
        now = self.engine.clock.now()
        for firing in self._ledger.read(lambda tx: firings.due(tx, now)):
            armed = self.tables.armed.get(firing.schedule_id)
            if armed is not None:
                self._start(armed, firing)

    def _start(self, armed: Armed, firing: Firing) -> None:
        try:
            names = None if self._credentials is None else self._credentials()
            run_id = start(self.engine, armed, firing, credentials=names, signed_in=self._signed_in())
        except InterofficeError as error:
            why = sentence_of(error)
            if self._ledger.write(lambda tx: firings.failed(tx, firing, why)):
                self._say(f"{armed.id}: no run for {firing.planned_at:%Y-%m-%d %H:%M} UTC: {why}")
            return
        if run_id is not None:
            self._say(f"{armed.id}: run {run_id} for {firing.planned_at:%Y-%m-%d %H:%M} UTC")

    def raise_alarms(self) -> None:
        """Alarms that were not raised before."""
        now = self.engine.clock.now()
        found = alarms.wanting(self._ledger, self.tables, now)
        alarms.raise_new(self._ledger, found, now, self._send)

    def _send(self, alarm: alarms.Alarm) -> None:
        self._say(f"ALARM {alarm.kind}: {alarm.said}")
        to = alarms.addresses(self.engine.project.settings, self.tables.alarms_to)
        if not to:
            return
        try:
            alarms.mail_alarm(self.engine.project, self.engine.state_dir, to, alarm)
        except (InterofficeError, OSError) as error:
            logger.warning("the alarm could not be mailed: {}", error)
            self._say(f"the alarm could not be mailed: {error}")

    def _is_time(self, what: str, every_s: float) -> bool:
        now = self.engine.clock.monotonic()
        if what in self._last and now - self._last[what] < every_s:
            return False
        self._last[what] = now
        return True


def _nothing() -> None:
    """What APScheduler would call; the executor only takes the id."""
