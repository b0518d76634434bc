"""Opens a project folder and does what operators, analysts and the scheduler ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interoffice.errors import InterofficeError, ProjectError, Refused, UsageError
from interoffice.model.work import ItemState, RunState
from interoffice.office import listings
from interoffice.office.results import EXIT_CODES, Asked, BotDone, CheckFound, RunEnded
from interoffice.problem import did_you_mean

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from interoffice.engine.engine import Engine
    from interoffice.engine.previewed import Preview
    from interoffice.engine.progress import Progress
    from interoffice.office.daemons import Daemons
    from interoffice.office.healed_selectors import HealedSelectors
    from interoffice.office.open_breaks import OpenBreaks
    from interoffice.office.schedule_desk import ScheduleDesk
    from interoffice.office.screening_alerts import ScreeningAlerts
    from interoffice.office.trail import Trail
    from interoffice.office.worklist import Worklist
    from interoffice.plan.plan import Plan, RunOptions
    from interoffice.plan.project import Project
    from interoffice.resources.people import PeopleStore
    from interoffice.resources.secrets import CredentialStore
    from interoffice.store import Ledger, RunView
    from interoffice.store.audit_heads import HeadFiles
    from interoffice.store.views import ApprovalRowView, ApprovalView

Listed = listings.Listed
Say = Callable[[str], None]
STATE = "state"
NOTHING: frozenset[str] = frozenset()
"""Approvers see masked columns, else they approve blindly (language.md)."""
SHORT_WAIT_S = 60.0
"""A wait of a run in the foreground up to this long is waited for; a longer one is left to `resume`."""


class Office:
    """A project folder. Nothing is read before it is asked for; state lives in its `state/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / STATE
        self._actor: str | None = None

    # --- what is opened ---

    @cached_property
    def project(self) -> Project:
        """The project's files."""
        from interoffice.plan.project import open_project

        return open_project(self.folder)

    def reread(self) -> None:
        """The project's files are read anew when they are next asked for: a daemon outlives what they said."""
        self.__dict__.pop("project", None)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, made on first use."""
        from interoffice.store import Ledger

        self.state.mkdir(parents=True, exist_ok=True)
        return Ledger.open(self.state / "ledger.db")

    @cached_property
    def people_store(self) -> PeopleStore:
        """Passphrases of people."""
        from interoffice.resources.people import PeopleStore

        return PeopleStore(self.state)

    @cached_property
    def credential_store(self) -> CredentialStore:
        """Values of credentials."""
        from interoffice.resources.secrets import CredentialStore

        return CredentialStore(self.state)

    @contextmanager
    def engine(self, environment: str | None = None, *, in_process: bool = False) -> Iterator[Engine]:
        """An engine on the project's ledger, in an environment (None: the one that counts when none is named)."""
        from interoffice.engine.engine import Engine

        with Engine(self._in(environment), self.state, in_process=in_process) as engine:
            yield engine

    def _in(self, environment: str | None) -> Project:
        from interoffice.plan.making import in_environment

        return in_environment(self.project, environment)

    @cached_property
    def worklist(self) -> Worklist:
        """The work items of all runs, and the queues."""
        from interoffice.office.worklist import Worklist

        return Worklist(self)

    @cached_property
    def breaks(self) -> OpenBreaks:
        """Open exceptions of reconciliations."""
        from interoffice.office.open_breaks import OpenBreaks

        return OpenBreaks(self)

    @cached_property
    def alerts(self) -> ScreeningAlerts:
        """Alerts of screening."""
        from interoffice.office.screening_alerts import ScreeningAlerts

        return ScreeningAlerts(self)

    @cached_property
    def healed(self) -> HealedSelectors:
        """Elements of screens that were healed."""
        from interoffice.office.healed_selectors import HealedSelectors

        return HealedSelectors(self)

    @cached_property
    def daemons(self) -> Daemons:
        """The processes that run unattended."""
        from interoffice.office.daemons import Daemons

        return Daemons(self)

    @cached_property
    def schedules(self) -> ScheduleDesk:
        """The schedules."""
        from interoffice.office.schedule_desk import ScheduleDesk

        return ScheduleDesk(self)

    @cached_property
    def trail(self) -> Trail:
        """The audit."""
        from interoffice.office.trail import Trail

        return Trail(self)

    def audit_heads_files(self) -> HeadFiles:
        """Where the audit's head is kept outside the database."""
        from interoffice.store.audit_heads import HeadFiles

        return HeadFiles(state=self.state, project=self.folder, copies=self.project.settings.audit_heads_to)

    @property
    def environment(self) -> str:
        """The environment that counts when none is named."""
        return self.project.environment or ""

    def run_folder(self, run_id: str) -> Path:
        """Where tables, files, evidence and report of a run are."""
        return self.state / "runs" / run_id

    # --- who ---

    def act_as(self, person: str) -> None:
        """Who starts runs from here on: a person who has proved it, or whom the demo plays."""
        self._actor = person

    def actor(self) -> str:
        """Who is at the keyboard: the signed-in person, else the account of the operating system."""
        if self._actor is not None:
            return self._actor
        if (self.state / "people.json").exists():
            signed_in = self.people_store.signed_in()
            if signed_in is not None:
                return signed_in
        return self.account()

    @staticmethod
    def account() -> str:
        """The account of the operating system."""
        import getpass

        return f"account:{getpass.getuser()}"

    def signed_in(self) -> str | None:
        """The person who signed in here, or whom the demo plays; None: nobody."""
        actor = self.actor()
        return None if actor.startswith("account:") else actor

    def people(self) -> list[Listed]:
        """The people of settings.yaml, their groups, and whether they have a passphrase."""
        settings = self.project.settings
        known = {person.person_id for person in self.people_store.list()}
        return [
            {
                "person": each.id,
                "name": each.name,
                "email": each.email,
                "groups": [group for group, members in settings.groups.items() if each.id in members],
                "can_sign_in": "yes" if each.id in known else "no, set a passphrase",
            }
            for each in settings.people.values()
        ]

    def set_passphrase(self, person: str, phrase: str, *, old: str | None) -> None:
        """A first passphrase, or with the old one another."""
        if person not in self.project.settings.people:
            meant = did_you_mean(person, self.project.settings.people)
            hint = f'did you mean "{meant}"?' if meant else "add them under people: first."
            raise UsageError(f'settings.yaml knows no person "{person}"; {hint}')
        try:
            if old is None:
                self.people_store.add(person, phrase)
            else:
                self.people_store.passwd(person, old=old, new=phrase)
        except Refused as refused:
            self._refused_passphrase(person, str(refused))
            raise
        self._note("person.added" if old is None else "person.passphrase", person)

    def verify_person(self, person: str, phrase: str) -> bool:
        """Whether this is the person's passphrase; a wrong one is in the audit."""
        try:
            right = self.people_store.verify(person, phrase)
        except Refused:
            self._refused_passphrase(person, "locked after wrong passphrases")
            raise
        if not right:
            self._refused_passphrase(person, "wrong passphrase, or nobody of that name")
        return right

    def _refused_passphrase(self, person: str, why: str) -> None:
        from interoffice.store import audit

        now, account = datetime.now(UTC), self.account()
        self.ledger.write(
            lambda tx: audit.write(
                tx, now=now, actor=account, act="person.refused", subject=person, details={"why": why}
            )
        )

    def sign_in(self, person: str, phrase: str) -> datetime:
        """Runs started here are this person's from now on; gives until when."""
        try:
            return self.people_store.sign_in(person, phrase)
        except Refused as refused:
            self._refused_passphrase(person, str(refused))
            raise

    def sign_out(self) -> None:
        """Nobody is signed in here any more."""
        self.people_store.sign_out()

    # --- credentials ---

    def credentials(self) -> list[Listed]:
        """Names and parts of credentials, never a value; paused ones say why."""
        paused = {each.name: each for each in self.ledger.paused_credentials()}
        return [
            {
                "name": each.name,
                "parts": list(each.parts),
                "from": each.kept_in,
                "state": f"paused: {paused[each.name].reason}" if each.name in paused else "ready",
            }
            for each in self.credential_store.list()
        ]

    def set_credential(self, name: str, parts: Mapping[str, str]) -> None:
        """Keeps the parts of a credential; what was kept before under that name is replaced."""
        self.credential_store.set(name, parts)
        self._note("credential.set", name, {"parts": sorted(parts)})

    def remove_credential(self, name: str) -> None:
        """Forgets a credential."""
        self.credential_store.remove(name)
        self._note("credential.removed", name)

    def keep_credentials(self, parts: Mapping[str, Mapping[str, str]]) -> str:
        """Stores these credentials, where this project has none of that name yet; which, in words."""
        there = {each.name for each in self.credential_store.list()}
        new = [name for name in parts if name not in there]
        for name in new:
            self.credential_store.set(name, parts[name])
        return f"Stored as credentials: {', '.join(new)}." if new else "Its credentials are all stored already."

    def resume_credential(self, name: str) -> None:
        """A paused credential may be tried again."""
        with self.engine() as engine:
            if not engine.resume_credential(name, person=self.actor()):
                raise UsageError(f"{name} is not paused; `runner.py credentials list` shows which are.")

    def _note(self, act: str, subject: str, details: Mapping[str, object] | None = None) -> None:
        """An act of a person, kept in the audit."""
        from interoffice.store import audit

        now, actor = datetime.now(UTC), self.actor()
        self.ledger.write(
            lambda tx: audit.write(tx, now=now, actor=actor, act=act, subject=subject, details=details or {})
        )

    # --- files ---

    def check(self, only: Sequence[str], *, fix: bool, say: Say) -> CheckFound:
        """Every mistake of the project, or of the files named; with `fix`, the safe corrections are made first."""
        from interoffice.plan.check_project import check_project

        chosen = [self._inside(name) for name in only] or None
        problems = check_project(self.project, chosen)
        while fix and any(problem.fix for problem in problems):
            from interoffice.loader.fix import fix_files

            corrected = [(one.file, each) for one in fix_files(self.folder, problems) for each in one.problems]
            if not corrected:
                break
            for file, problem in corrected:
                say(f"corrected {file}:{problem.at.line}  {problem.rule}  {problem.message}")
            self.reread()
            problems = check_project(self.project, chosen)
        return CheckFound(problems=tuple(problems), files=len(list(self.project.files_read())))

    def _inside(self, name: str) -> str:
        """A file's path from the project's folder; a workflow's key stays as it is."""
        path = Path(name)
        if path.is_absolute() or (path.exists() and (path.suffix or path.is_dir())):
            try:
                return path.resolve().relative_to(self.folder.resolve()).as_posix()
            except ValueError:
                raise UsageError(f"{name} is not in the project {self.folder}; name it with --project.") from None
        return name

    def write_schemas(self, to: Path) -> list[Path]:
        """JSON Schemas of the project's files."""
        from interoffice.office.schemas import write_schemas_of

        return write_schemas_of(self.project, to)

    def bots(self, name: str | None) -> list[Listed]:
        """All bots, or one with its whole description as `text`."""
        from interoffice.office.catalogue import bot_rows

        return bot_rows(self.project, name)

    def effect_of(self, bot: str) -> str:
        """reads, changes or sends."""
        from interoffice.office.catalogue import find_bot

        return find_bot(self.project, bot).effect

    # --- runs ---

    def run(
        self,
        key: str,
        *,
        inputs: Mapping[str, str],
        as_of: str | None = None,
        environment: str | None = None,
        rehearse: bool = False,
        plan_file: Path | None = None,
        only: str | None = None,
        limit: int | None = None,
        until: str | None = None,
        in_process: bool = False,
        hear: Progress,
    ) -> RunEnded:
        """Plans, starts and drives a run until it ends or waits."""
        from interoffice.plan.plan import RunOptions

        options = RunOptions(rehearse=rehearse, only=only, limit=limit, until=until)
        if plan_file is not None:
            from interoffice.office.kept_plans import plan_from_file

            if as_of is not None:
                raise UsageError("--as-of can't stand beside --plan: a plan stands for the time it was made for.")
            project, actor = self._in(environment), self.actor()
            plan = plan_from_file(project, key, plan_file, inputs, started_by=actor, options=options)
        else:
            plan = self._plan(key, inputs, as_of, environment, options)
        return self._start(plan, environment, in_process=in_process, hear=hear)

    def plan(
        self,
        key: str,
        *,
        inputs: Mapping[str, str],
        as_of: str | None = None,
        environment: str | None = None,
        hear: Progress,
    ) -> Preview:
        """What a run would do at this moment, key by key; it reads and checks for real and changes nothing."""
        from interoffice.engine.preview import preview
        from interoffice.office.records import masked_columns
        from interoffice.plan.plan import RunOptions

        plan = self._plan(key, inputs, as_of, environment, RunOptions())
        masked = masked_columns(self.project, plan.load())
        with self.engine(environment) as engine:
            return preview(engine, plan, masked=masked, say=hear)

    def _plan(
        self, key: str, inputs: Mapping[str, str], as_of: str | None, environment: str | None, options: RunOptions
    ) -> Plan:
        from interoffice.plan.making import make_plan

        return make_plan(
            replace(self.project, credentials=self.credential_store.names()),
            key,
            inputs,
            planned=self.moment(as_of),
            environment=environment,
            started_by=self.actor(),
            options=options,
        )

    def _zone(self) -> ZoneInfo:
        """The project's time zone."""
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.project.settings.timezone)

    def moment(self, as_of: str | None) -> datetime:
        """The planned time: now, or a day (its start) or a time in the project's zone."""
        if as_of is None:
            return datetime.now(UTC)
        zone = self._zone()
        try:
            if len(as_of) == len("2026-11-23"):
                return datetime.combine(date.fromisoformat(as_of), time(), zone)
            moment = datetime.fromisoformat(as_of)
        except ValueError:
            raise UsageError(f"--as-of {as_of}: write a day as 2026-11-23 or a time as 2026-11-23T06:30.") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    def _start(self, plan: Plan, environment: str | None, *, in_process: bool, hear: Progress) -> RunEnded:
        self._warn_of_nobody(plan, hear)
        if not plan.options.rehearse:
            self._go_on_with_the_dead(hear)
        with self.engine(environment, in_process=in_process) as engine:
            run_id = engine.start(plan, signed_in=self.signed_in())
            engine.drive(run_id, hear, wait_up_to_s=SHORT_WAIT_S)
        return self.ended(run_id)

    def _go_on_with_the_dead(self, hear: Progress) -> None:
        """Runs whose process has died go on first, at their last finished step; what can't is told and left."""
        from interoffice.engine.progress import Event

        def tell(run_id: str, words: str) -> None:
            hear(Event(name="message", run_id=run_id, text=f"run {run_id}: {words}", level="warning"))

        with self.engine() as engine:
            left = [(run, engine.changed_files(run.run_id)) for run in engine.orphans()]
        for run, changed in left:
            if changed:
                words = f"its process has died, and {', '.join(changed)} changed since; look, then"
                tell(run.run_id, f"{words}: runner.py resume {run.run_id} --accept-changes")
                continue
            tell(run.run_id, "its process has died; it goes on first")
            try:
                with self.engine(run.environment) as engine:
                    engine.resume(run.run_id, hear, person=self.actor())
            except InterofficeError as error:
                tell(run.run_id, str(error))

    def _warn_of_nobody(self, plan: Plan, hear: Progress) -> None:
        """Says before the run that nobody will be allowed to decide in it: who started it can't be known."""
        from interoffice.engine.progress import Event
        from interoffice.model.workflow import Approve, walk

        settings = self.project.settings
        if plan.started_by in settings.people or settings.person_by_email(plan.started_by) is not None:
            return
        steps = (step for workflow in plan.load().workflows.values() for step in walk(workflow.steps))
        if any(isinstance(step.kind, Approve) for step in steps):
            words = (
                "Nobody is signed in, so what waits for a second person in this run can't be decided: "
                "runner.py people sign-in NAME, then run it"
            )
            hear(Event(name="message", run_id="", text=words, level="warning"))

    def run_bot(
        self, name: str, *, inputs: Mapping[str, str], environment: str | None = None, hear: Progress
    ) -> BotDone:
        """One bot, run by hand: a run of one step."""
        from interoffice.office.by_hand import STEP, plan_by_hand
        from interoffice.office.catalogue import outputs_as_json, outputs_as_text

        plan = plan_by_hand(self._in(environment), name, inputs, planned=datetime.now(UTC), started_by=self.actor())
        ended = self._start(plan, environment, in_process=False, hear=hear)
        step = next((each for each in self.ledger.steps(ended.run) if each.step_id == STEP), None)
        outputs = step.outputs if step is not None else {}
        return BotDone(ended=ended, outputs=outputs_as_json(outputs), text=outputs_as_text(outputs))

    def resume(self, run: str, *, accept_changes: bool, hear: Progress, begin_all: bool = False) -> RunEnded:
        """Goes on with a run at the last finished step; `begin_all`: with what its loops left when they were ended."""
        view = self._run(run)
        with self.engine(view.environment) as engine:
            changed = [] if accept_changes else engine.changed_files(view.run_id)
            if changed:
                raise Refused(
                    f"{', '.join(changed)} changed since run {view.run_id} was planned; if that is the repair, go on "
                    f"with: runner.py resume {view.run_id} --accept-changes"
                )
            engine.resume(view.run_id, hear, person=self.actor(), begin_all=begin_all)
        return self.ended(view.run_id)

    def can_go_on(self, run: str) -> bool:
        """Whether a waiting run has something to do now."""
        return self._run(run).state in (RunState.WAITING, RunState.QUEUED, RunState.RUNNING)

    def retry(self, what: str, *, state: str | None, code: str | None, hear: Progress) -> RunEnded:
        """Failed and held items of a run, or one item, are worked again."""
        states = {state} if state else {ItemState.FAILED, ItemState.ON_HOLD, ItemState.CANCELLED}
        item = self._item(what)
        if item is not None:
            run_id, chosen = item.run_id, [item.item_id]
        else:
            run_id = self._run(what).run_id
            chosen = [each.item_id for each in self.ledger.items(run_id, code=code) if each.state in states]
        if not chosen:
            raise UsageError(f"{what} has no items to try again; `runner.py items {what}` shows its items.")
        with self.engine(self.ledger.run(run_id).environment) as engine:
            for released in engine.retry(chosen, person=self.actor()):
                engine.drive(released, hear, wait_up_to_s=SHORT_WAIT_S)
        return self.ended(run_id)

    def cancel(self, run: str, *, hard: bool) -> str:
        """Asks a run to end."""
        view = self._run(run)
        with self.engine(view.environment) as engine:
            state = engine.cancel(view.run_id, hard=hard, person=self.actor())
        if state is RunState.CANCELLED:
            return f"Run {view.run_id} is cancelled."
        return f"Run {view.run_id} is asked to end; {'it is killed' if hard else 'the item in hand finishes first'}."

    def stop_all(self, *, hard: bool) -> list[str]:
        """Asks every run that has not ended to end."""
        waiting = [
            each
            for each in self.ledger.runs(limit=10_000)
            if each.state in (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
        ]
        return [self.cancel(each.run_id, hard=hard) for each in waiting] or ["Nothing is running or queued."]

    # --- what was ---

    def runs(self, *, workflow: str | None, state: str | None, limit: int) -> list[Listed]:
        """The newest runs first."""
        if state is not None and state not in set(RunState):
            raise UsageError(f"--state {state}: runs are {', '.join(RunState)}.")
        found = self.ledger.runs(limit=limit, workflow=workflow, state=state)
        return [listings.run_row(each, self._brief(each)) for each in found]

    def _brief(self, run: RunView) -> str:
        """What came of a run, from its row alone."""
        if run.error is not None:
            return run.error.message
        if run.state is RunState.SKIPPED:
            return run.waiting_for
        if self._is_interrupted(run):
            return f"interrupted, its process has died: runner.py resume {run.run_id}"
        if run.waiting_for:
            return f"waits: {run.waiting_for}"
        return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in run.items.items() if count)

    def _is_interrupted(self, run: RunView) -> bool:
        """True of a run that stands as running while the process that had it is dead."""
        from interoffice.engine.alive import LifeLocks

        if run.state is not RunState.RUNNING or run.engine_id is None:
            return False
        return LifeLocks(self.state / "locks").is_dead(run.engine_id)

    def show(self, run: str) -> Listed:
        """One run with its steps."""
        from interoffice.model.workflow import walk
        from interoffice.office.records import loaded_plan

        view = self._run(run)
        workflow = loaded_plan(self.ledger, view.run_id).workflow
        titles = {step.id: step.title for step in walk(workflow.steps + workflow.on_failure + workflow.always)}
        steps = [each for each in self.ledger.steps(view.run_id) if each.item_id is None]
        told = listings.run_row(view, self._sentence(view.run_id))
        seconds = (view.ended_at - view.begun_at).total_seconds() if view.ended_at and view.begun_at else None
        return told | {
            "planned": listings.at(view.planned_at, self._zone()),
            "started": listings.at(view.begun_at or view.created_at),
            "took_s": seconds,
            "steps": [listings.step_row(each, titles.get(each.step_id, each.step_id)) for each in steps],
            "next_steps": list(self._next_steps(view)),
            "error": view.error.as_json() if view.error else None,
        }

    def items(
        self,
        run: str,
        *,
        state: str | None = None,
        key: str | None = None,
        code: str | None = None,
        words: str | None = None,
    ) -> list[Listed]:
        """Work items of a run, by state, a part of their key, error code, or a text in their row."""
        from interoffice.office.records import formats_of_project, loaded_plan, masked_columns
        from interoffice.report.record import kinds_of

        listings.item_state(state)
        view = self._run(run)
        masked = masked_columns(self.project, loaded_plan(self.ledger, view.run_id))
        formats = formats_of_project(self.project)
        kinds = kinds_of(self.ledger.steps(view.run_id))
        found = self.ledger.items(view.run_id, state=state, code=code, words=words)
        tries = listings.tries(self.ledger.attempts(view.run_id))
        return [
            listings.item_row(each, formats, masked, kinds) | {"attempts": tries.get(each.item_id, each.attempts)}
            for each in found
            if key is None or key in each.key
        ]

    def edit_item(self, item: str, changes: Mapping[str, str], *, person: str) -> str:
        """Corrects values of an item that is not being worked; checked again, in the audit."""
        found = self._item(item)
        if found is None:
            raise UsageError(f"There is no item {item}; `runner.py items RUN` shows their numbers.")
        with self.engine(self.ledger.run(found.run_id).environment) as engine:
            engine.edit_item(found.item_id, changes, person=person)
        return f"Item {found.item_id} ({found.key}) is corrected: {', '.join(changes)}; kept in the audit."

    def report(self, run: str) -> Path:
        """Writes the report of a run and gives its path."""
        from interoffice.office.records import read_record
        from interoffice.report.page import write
        from interoffice.report.telling import tell

        view = self._run(run)
        folder = self.run_folder(view.run_id)
        return write(tell(read_record(self.project, self.ledger, view.run_id, folder)), folder / "report.html")

    # --- decisions ---

    def approvals(self) -> list[Listed]:
        """What waits for a decision."""
        return [listings.approval_row(each) for each in self.ledger.approvals("open")]

    def approvals_of(self, run: str) -> list[Listed]:
        """What waits for a decision in one run."""
        return [listings.approval_row(each) for each in self.ledger.approvals("open", self._run(run).run_id)]

    def asked(self, run: str, step: str | None) -> Asked:
        """The approval of a run that waits, its open rows as they are shown; `step` where several wait."""
        from interoffice.office.records import formats_of_project
        from interoffice.report.record import kinds_of

        view = self._run(run)
        waiting = self.ledger.approvals("open", view.run_id)
        chosen = [each for each in waiting if step is None or step in (each.step_id, each.path, each.approval_id)]
        if len(chosen) != 1:
            raise UsageError(self._which_approval(view, step, waiting))
        approval = chosen[0]
        formats = formats_of_project(self.project)
        kinds = kinds_of(self.ledger.steps(view.run_id))
        open_rows = [row for row in approval.rows if row.state == "open"]
        names = list(approval.terms.get("show") or (open_rows[0].row if open_rows else ()))
        return Asked(
            approval=approval.approval_id,
            run=view.run_id,
            step=approval.step_id,
            ask=str(approval.terms.get("ask", "")),
            columns=({} if _shows_key(open_rows, names) else {"row": "row"})
            | {name: name.replace("_", " ") for name in names},
            rows=[
                {"row": row.key} | listings.record_row(_chosen(row.row, names), formats, NOTHING, kinds)
                for row in open_rows
            ],
            names=tuple(row.key for row in open_rows),
            digest=approval.digest,
            attached=tuple(listings.attached(each) for each in approval.terms.get("attach", ())),
        )

    def _which_approval(self, run: RunView, step: str | None, waiting: Sequence[ApprovalView]) -> str:
        if not waiting:
            return f"Nothing waits for a decision in run {run.run_id} ({run.state.replace('_', ' ')})."
        steps = ", ".join(each.step_id for each in waiting)
        return f"Run {run.run_id} waits at {steps}" + (f", not at {step}." if step else ": name the step.")

    def decide(
        self,
        asked: Asked,
        *,
        rows: tuple[str, ...],
        decision: str,
        comment: str,
        fields: Mapping[str, str],
        person: str,
    ) -> str:
        """Records the decision of a person who has proved who they are; every try is in the audit, refused ones too."""
        view = self.ledger.run(asked.run)
        with self.engine(view.environment) as engine:
            engine.decide(
                asked.approval,
                decision,
                person=person,
                digest=asked.digest,
                rows=rows or asked.names,
                fields=fields,
                comment=comment,
            )
        count = len(rows or asked.names)
        done = "approved" if decision == "approve" else "rejected"
        return f"{count} row{'' if count == 1 else 's'} {done} by {person}."

    def doubts(self) -> list[Any]:
        """What may or may not have been posted."""
        from interoffice.office.records import formats_of_project

        formats = formats_of_project(self.project)
        return [listings.doubt_row(each, formats, NOTHING) for each in self.ledger.doubts()]

    def settle(self, item: str, *, done: bool, comment: str, person: str) -> str:
        """A person says whether an item in doubt was done."""
        found = [each for each in self.ledger.doubts() if item in (each.item_id, each.intent_id)]
        if not found:
            raise UsageError(f"{item} is not in doubt; `runner.py doubts` lists what is.")
        with self.engine(self.ledger.run(found[0].run_id).environment) as engine:
            engine.settle(found[0].intent_id, done=done, comment=comment, person=person)
        said = "was done: it is not done again" if done else "was not done: it may be tried again"
        return f"{found[0].posting_key} {said}. Go on with: runner.py resume {found[0].run_id}"

    # --- audit ---

    # --- how a run stands ---

    def _run(self, run: str) -> RunView:
        if run == "last":
            newest = self.ledger.runs(limit=1)
            if not newest:
                raise UsageError("No runs yet. Start one: runner.py run WORKFLOW")
            return newest[0]
        return self.ledger.run(run)

    def run_id_of(self, run: str) -> str:
        """The id of a run that is named, in part or as `last`."""
        return self._run(run).run_id

    def _item(self, name: str) -> Any:
        try:
            return self.ledger.item(name)
        except (UsageError, ProjectError, Refused):
            return None

    def _sentence(self, run_id: str) -> str:
        from interoffice.office.records import read_record
        from interoffice.report.sentence import sentence

        return sentence(read_record(self.project, self.ledger, run_id, self.run_folder(run_id)))

    def ended(self, run_id: str) -> RunEnded:
        """How a run stands after a walk; its report is written."""
        view = self.ledger.run(run_id)
        try:
            report: Path | None = self.report(run_id)
            told: tuple[str, ...] = ()
        except OSError as error:
            report, told = (
                None,
                (f"The report could not be written ({error.strerror}); later: runner.py report {run_id}",),
            )
        return RunEnded(
            run=run_id,
            state=str(view.state),
            sentence=self._sentence(run_id),
            exit_code=EXIT_CODES[view.state],
            next_steps=(*told, *self._next_steps(view)),
            report=report,
        )

    def _not_begun(self, view: RunView) -> int:
        if not view.items.get(ItemState.CANCELLED):
            return 0
        from interoffice.engine.releasing import NOT_BEGUN

        found = self.ledger.items(view.run_id, state=ItemState.CANCELLED)
        return sum((item.comment or "").startswith(NOT_BEGUN) for item in found)

    def _next_steps(self, view: RunView) -> Iterator[str]:
        """What a person may do now, as commands."""
        opened = self.ledger.approvals("open", view.run_id)
        for approval in opened:
            yield f"to decide: runner.py approve {view.run_id} {approval.step_id}   (or reject)"
        if view.items.get(ItemState.IN_DOUBT) or self.ledger.doubts(view.run_id):
            yield "to settle what is in doubt: runner.py doubts, then runner.py settle"
        if view.items.get(ItemState.ON_HOLD) or view.items.get(ItemState.FAILED):
            yield f"to try held and failed items again: runner.py retry {view.run_id}"
        if self._is_interrupted(view):
            yield f"its process has died; to go on at the last finished step: runner.py resume {view.run_id}"
        if view.state is RunState.WAITING and (left := self._not_begun(view)):
            yield f"to begin the {left} that the loop’s end left not begun: runner.py resume {view.run_id}"
        if view.state is RunState.FAILED:
            yield f"to go on after the repair: runner.py resume {view.run_id}"
        if view.wake_at is not None and view.state is RunState.WAITING:
            is_reminder = opened and all(one.expires_at is None or view.wake_at < one.expires_at for one in opened)
            what = "looks again" if is_reminder else "goes on by itself"
            yield f"{what} at {listings.at(view.wake_at)}, or with: runner.py resume {view.run_id}"


def _chosen(row: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    return {name: row.get(name) for name in names}


def _shows_key(rows: Sequence[ApprovalRowView], names: Sequence[str]) -> bool:
    """Whether a column that is shown names each row already."""
    return any(all(row.row.get(name) == row.key for row in rows) for name in names)
