"""The scheduler: wakes at planned times, looks at triggers, starts runs, raises alarms, and reads schedules.yaml anew.

APScheduler keeps the planned times of all schedules in memory and rings; what has fired is asked of the ledger alone.
So two schedulers on one state fire each time once, one that was away finds what it missed, and a clock that is set back
repeats nothing. Planned times that have come are seen each half second even if nobody rings.

What may hang (a mailbox, a folder on a share, a mail server) is asked on threads of its own, one look of a trigger at a
time: firing by the clock waits for none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from interoffice.engine.engine import Engine
from interoffice.engine.notice_desk import notice_desk, notice_setting
from interoffice.engine.refused_credentials import pause, paused_sentence
from interoffice.errors import CredentialRefused, InterofficeError, MistakesFound, ProjectError, Refused, UsageError
from interoffice.plan.project import SCHEDULES, Project
from interoffice.plan.timetable import Timetable
from interoffice.resources.secrets import CredentialStore
from interoffice.schedule import alarms
from interoffice.schedule.armed import Armed, Timetables, arm, digest_of
from interoffice.schedule.arrivals import CallsCome, FilesArrive, MailArrives, QueueFills, RunEnds, Trigger, record
from interoffice.schedule.calls import Calls
from interoffice.schedule.catching_up import catch_up
from interoffice.schedule.starting import sentence_of, start
from interoffice.store import firings, office
from interoffice.store.database import Transaction
from interoffice.store.firings import Firing

BEAT_S: Final = 10.0
RELOAD_S: Final = 1.0
LEFT_OUT_S: Final = 30.0
"""So often an entry that is left out is tried again: its workflow may have been mended."""
ALARMS_S: Final = 10.0
MAIL_AGAIN_S: Final = 60.0
LONGEST_WAIT_S: Final = 0.5
AGAIN_S: Final = 2.0
START_AGAIN_S: Final = 10.0
PATIENCE: Final = timedelta(minutes=10)
"""So long a run is tried to be started while the machine says no (a full disk); mistakes in files are final at once."""
FINAL: Final = (MistakesFound, UsageError, Refused)
MOST_LOOKS_AT_ONCE: Final = 32
NEVER: Final = datetime.max.replace(tzinfo=UTC)
Credentials = Callable[[], frozenset[str]]


class Planned(BaseTrigger):  # type: ignore[misc]
    """A timetable as APScheduler asks it."""

    def __init__(self, table: Timetable) -> None:
        self.table = table

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next planned time after the last one, or after now."""
        return self.table.next(now if previous_fire_time is None else max(previous_fire_time, now))


class _Ringing(BaseExecutor):  # type: ignore[misc]
    """Only rings: what is due is asked of the timetables, a thousand in one transaction."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._ring = ring

    def submit_job(self, job: Any, run_times: list[datetime]) -> None:
        """Something is due; none is ever in the way of itself."""
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._ring()


class Scheduler:
    """Runs until it is told to stop. `say` hears one line for each thing that happens."""

    def __init__(
        self,
        engine: Engine,
        *,
        reopen: Callable[[], Project],
        credentials: Credentials | None = None,
        say: Callable[[str], None] = lambda line: None,
        signed_in: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`reopen` gives the project as its files are now. `load` comes first."""
        self.engine, self._reopen, self._credentials, self._say = engine, reopen, credentials, say
        self._signed_in = signed_in
        self.tables = Timetables(digest="", armed={}, left_out={})
        self._ledger = engine.ledger
        self._bell = threading.Event()
        self._told: dict[str, str] = {}
        self._next: dict[str, datetime] = {}
        self._again: dict[tuple[str, str], float] = {}
        self._triggers: dict[str, Trigger] = {}
        self._looks: dict[str, float] = {}
        self._looking: dict[str, Future[None]] = {}
        self._last: dict[str, float] = {}
        self._armed_at = engine.clock.now()
        self._timers: BackgroundScheduler | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._calls: Calls | None = None
        self._no_calls = ""

    # the files

    def load(self) -> None:
        """Arms what schedules.yaml says, where it or settings.yaml changed; a file that can't be read leaves what is
        armed as it is. InterofficeError: the first one can't be read."""
        try:
            project = self._reopen()
            is_known = digest_of(project) == self.tables.digest
            if is_known and not (self.tables.left_out and self._is_time("left out", LEFT_OUT_S)):
                self._tell_once("file", "")
                return
            tables = arm(project)
        except InterofficeError as error:
            if not self.tables.digest:
                raise
            self._tell_once("file", f"{SCHEDULES} is not taken, what was armed before stays: {sentence_of(error)}")
            return
        self._tell_once("file", "")
        if not is_known or tables.left_out != self.tables.left_out:
            self._arm(project, tables)

    def _arm(self, project: Project, tables: Timetables) -> None:
        now = self.engine.clock.now()

        def write(tx: Transaction) -> None:
            kept = tables.armed.keys() | tables.left_out.keys()
            firings.arm(tx, tables.armed, now)
            firings.switch_off(tx, [id for id in firings.schedules(tx) if id not in kept], now)

        self._ledger.write(write)
        self.engine.project, self.tables = project, tables
        for trigger in self._triggers.values():
            trigger.close()
        made = {id: self._trigger(each) for id, each in tables.armed.items()}
        self._triggers = {id: trigger for id, trigger in made.items() if trigger is not None}
        self._looks, self._next = {}, {}
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
        timers = BackgroundScheduler(timezone=UTC, executors={"default": _Ringing(self._bell.set)})
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
        project = self.engine.project
        environment, name = project.environment or "", project.settings.mail.accounts[account].credential
        if self._ledger.read(lambda tx: office.paused_credential(tx, environment, name)) is not None:
            raise ProjectError(paused_sentence(name))
        try:
            with notice_desk(notice_setting(project, self.engine.state_dir, "mail"), {}) as desk:
                return desk.message_ids(account, folder)
        except CredentialRefused as refused:
            now, name, why = self.engine.clock.now(), refused.credential, refused.message
            self._ledger.write(lambda tx: pause(tx, environment, name, why, now, actor="scheduler"))
            raise

    # the loop

    def serve(self, until: threading.Event) -> None:
        """Everything it does, until the event is set. A fault of our own ends it: its caller must know."""
        self._pool = ThreadPoolExecutor(MOST_LOOKS_AT_ONCE, thread_name_prefix="look")
        try:
            while not until.is_set():
                try:
                    self.turn()
                    self._tell_once("turn", "")
                except InterofficeError as error:  # a full disk, a ledger that is held: what is due stays due
                    self._tell_once("turn", f"can't go on just now, tries again: {error}")
                    until.wait(AGAIN_S)
                self._bell.wait(LONGEST_WAIT_S)
                self._bell.clear()
        finally:
            self.close()

    def turn(self) -> None:
        """One round: what is due fires, runs are started, triggers are looked at, the files are read again."""
        if self._is_time("reload", RELOAD_S):
            self.load()
        self.fire()
        self.start_due()
        self.look()
        if self._is_time("alarms", ALARMS_S):
            self._aside("alarms", self.raise_alarms)

    def close(self) -> None:
        """The timers stop, nothing listens any more, and no look is waited for."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._timers is not None:
            self._timers.shutdown(wait=False)
            self._timers = None
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        for trigger in self._triggers.values():
            trigger.close()

    def fire(self) -> None:
        """Records the planned times that have come."""
        now = self.engine.clock.now()
        timed = {id: each for id, each in self.tables.armed.items() if each.table is not None}
        come = [each for id, each in timed.items() if id not in self._next or self._next[id] <= now]

        def write(tx: Transaction) -> dict[str, datetime]:
            following = {each.id: catch_up(tx, each, now) for each in come}
            if is_beat:
                firings.looked(tx, timed, now)
            return {id: moment or NEVER for id, moment in following.items()}

        is_beat = self._is_time("beat", BEAT_S)
        if come or is_beat:
            self._next.update(self._ledger.write(write))

    def look(self) -> None:
        """Looks at the triggers whose turn it is, each beside the others; one whose last look is not back waits."""
        monotonic = self.engine.clock.monotonic()
        for id, trigger in self._triggers.items():
            if monotonic >= self._looks.get(id, 0.0) and self._aside(id, lambda id=id, t=trigger: self._look(id, t)):  # type: ignore[misc]
                self._looks[id] = monotonic + trigger.every_s

    def _aside(self, what: str, work: Callable[[], None]) -> bool:
        """Does it on a thread of its own, where the loop runs; False while the one before is not through."""
        if self._pool is None:
            work()
            return True
        before = self._looking.get(what)
        if before is not None:
            if not before.done():
                return False
            del self._looking[what]
            before.result()  # a fault of our own ends the scheduler
        self._looking[what] = self._pool.submit(work)
        return True

    def _look(self, id: str, trigger: Trigger) -> None:
        monotonic, now = self.engine.clock.monotonic(), self.engine.clock.now()
        known = self._ledger.read(lambda tx: firings.schedule(tx, id))
        if known is not None and known.paused_at is not None:
            return
        problem = ""
        try:
            if record(self._ledger, trigger.look(now, monotonic), now):
                self._bell.set()
        except InterofficeError as error:
            problem = sentence_of(error)
        except OSError as error:
            problem = str(error)
        before = self._told.get(id, "")
        if self._tell_once(id, f"{id}: {problem}" if problem else "") or self._is_time(f"beat {id}", BEAT_S):
            self._ledger.write(lambda tx: firings.looked(tx, (id,), self.engine.clock.now(), problem=problem))
        if before and not problem:
            self._say(f"{id} can look again")

    def start_due(self) -> None:
        """A run for every firing that is due."""
        now, monotonic = self.engine.clock.now(), self.engine.clock.monotonic()
        for firing in self._ledger.read(lambda tx: firings.due(tx, now)):
            armed = self.tables.armed.get(firing.schedule_id)
            if armed is not None and monotonic >= self._again.get((firing.schedule_id, firing.occasion), 0.0):
                self._start(armed, firing, now)

    def _start(self, armed: Armed, firing: Firing, now: datetime) -> None:
        which = f"{firing.planned_at:%Y-%m-%d %H:%M} UTC"
        try:
            names = None if self._credentials is None else self._credentials()
            run_id = start(self.engine, armed, firing, credentials=names, signed_in=self._signed_in())
        except InterofficeError as error:
            why, key = sentence_of(error), (firing.schedule_id, firing.occasion)
            if not isinstance(error, FINAL) and now - firing.not_before < PATIENCE:
                self._again[key] = self.engine.clock.monotonic() + START_AGAIN_S
                self._tell_once(f"start {key}", f"{armed.id}: no run for {which} yet, tries again: {why}")
            elif self._ledger.write(lambda tx: firings.failed(tx, firing, why)):
                self._say(f"{armed.id}: no run for {which}: {why}")
            return
        if run_id is not None:
            self._say(f"{armed.id}: run {run_id} for {which}")

    def raise_alarms(self) -> None:
        """Alarms that were not raised before are written down, said and mailed; a mail is tried until it is taken."""
        now = self.engine.clock.now()
        found = alarms.wanting(self._ledger, self.tables, now, armed_at=self._armed_at)
        new = alarms.raise_new(self._ledger, found, now)
        for each in new:
            self._say(f"ALARM {each.kind}: {each.said}")
        if new or self._is_time("mail", MAIL_AGAIN_S):
            self._mail_alarms(now, {each.name for each in new})

    def _mail_alarms(self, now: datetime, new: set[tuple[str, str, str]]) -> None:
        """Mails the new ones, and those that no mail server took before; another scheduler mails its own."""
        first, last = now - alarms.MAILED_WITHIN, now - timedelta(seconds=MAIL_AGAIN_S)
        unmailed = self._ledger.read(firings.unmailed)
        waiting = [each for each in unmailed if each.name in new or first < each.raised_at <= last]
        to = alarms.addresses(self.engine.project.settings, self.tables.alarms_to)
        if not waiting or not to:
            return
        try:
            alarms.mail(self.engine.project, self.engine.state_dir, to, waiting)
        except (InterofficeError, OSError) as error:
            self._tell_once("mail", f"{len(waiting)} alarms could not be mailed, tries again: {error}")
            return
        self._tell_once("mail", "")
        self._ledger.write(lambda tx: firings.mailed(tx, waiting, now))

    def _tell_once(self, about: str, said: str) -> bool:
        """Says it where it is something else than the last time; True then. "" is not said: all is well again."""
        if self._told.get(about, "") == said:
            return False
        self._told[about] = said
        if said:
            self._say(said)
        return True

    def _is_time(self, what: str, every_s: float) -> bool:
        now = self.engine.clock.monotonic()
        if what in self._last and now - self._last[what] < every_s:
            return False
        self._last[what] = now
        return True


def _nothing() -> None:
    """What APScheduler would call; the executor only takes the id."""
