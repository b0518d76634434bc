"""The engine: starts runs, walks them until they end or wait, and takes what people decide about them."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from interoffice.engine import decisions, makers, releasing
from interoffice.engine.alive import LifeLocks, new_engine_id
from interoffice.engine.clock import Clock, SystemClock
from interoffice.engine.course import Course, changed_files, finish
from interoffice.engine.head_mail import mail_head
from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.lanes import Lane, LaneInProcess, LaneProcess
from interoffice.engine.overlap import first_state, in_the_way
from interoffice.engine.progress import Event, Progress, silent
from interoffice.errors import InterofficeError, Refused
from interoffice.model.work import RUN_ENDED, ItemState, RunState
from interoffice.plan.plan import Plan
from interoffice.plan.project import Project
from interoffice.store import Ledger, audit, office, runs, steps
from interoffice.store.audit_heads import HeadFiles
from interoffice.store.database import Transaction
from interoffice.store.runs import NewRun
from interoffice.store.views import ItemView, RunView

POLL_S = 0.25
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


class Engine:
    """An engine process's door. Use it with `with`: its life lock tells others that it lives."""

    def __init__(
        self, project: Project, state_dir: Path, *, clock: Clock | None = None, in_process: bool = False
    ) -> None:
        self.project = project
        self.state_dir = state_dir.resolve()
        self.clock: Clock = clock or SystemClock()
        self.in_process = in_process
        self.ledger = Ledger.open(self.state_dir / "ledger.db")
        self.locks = LifeLocks(self.state_dir / "locks")
        self.engine_id = new_engine_id(self.locks.host)
        self._life = self.locks.engine(self.engine_id)
        self._known = False
        self.stopping = threading.Event()
        """Set when this process ends: a run that waits for its turn is left to the next start."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends: the ledger is closed, and the life lock with it."""
        if self._known:
            with suppress(InterofficeError):
                self.ledger.write(lambda tx: office.end_engine(tx, self.engine_id, self.clock.now()))
        with suppress(InterofficeError):
            mail_head(self.project, self.state_dir, self.ledger, self.clock.now())
        with suppress(InterofficeError):
            self.keep_audit_head()
        self.ledger.close()
        self._life.release()
        self.locks.sweep()

    def keep_audit_head(self) -> None:
        """Writes the audit's head outside the database: into state/, and where the settings send copies."""
        copies = self.project.settings.audit_heads_to
        files = HeadFiles(state=self.state_dir, project=self.project.folder, copies=copies)
        self.ledger.keep_audit_head(files, self.clock.now())

    # starting

    def start(
        self, plan: Plan, *, signed_in: str | None = None, beside: Callable[[Transaction, str], None] | None = None
    ) -> str:
        """Puts the run into the ledger and gives its id; `overlap` may make it queued or skipped.

        `signed_in`: the person at the keyboard, who is a maker of files that nobody brought before. `beside` is written
        in the same transaction, with the run's id; what it raises undoes the start.
        """
        workflow = plan.load().workflow
        now = self.clock.now()
        new = NewRun(
            run_id=self._new_id(plan),
            workflow=plan.workflow,
            workflow_name=workflow.name,
            plan=json.dumps(plan.as_json(), ensure_ascii=False),
            plan_digest=plan.digest,
            inputs_digest=_digest(plan.inputs),
            environment=plan.environment,
            started_by=plan.started_by,
            planned_at=plan.planned,
            rehearse=plan.options.rehearse,
            overlap=workflow.overlap,
        )

        def write(tx: Transaction) -> None:
            state, why, replaced = first_state(tx, new, self.locks.is_dead)
            for run_id in replaced:
                runs.ask_to_cancel(tx, run_id, "soft")
            runs.add(tx, new, state, now, why=why)
            if beside is not None:
                beside(tx, new.run_id)
            if signed_in is not None:
                makers.remember(tx, plan, signed_in, now)
            audit.write(
                tx, now=now, actor=plan.started_by, act=f"run.{state}", run_id=new.run_id, subject=plan.workflow,
                details={"plan": new.plan_digest, "why": why} if why else {"plan": new.plan_digest},
            )  # fmt: skip

        self.ledger.write(write)
        return new.run_id

    def _new_id(self, plan: Plan) -> str:
        return f"{plan.planned:%Y%m%d-%H%M}-" + "".join(secrets.choice(LETTERS) for _ in range(4))

    # walking

    def drive(self, run_id: str, say: Progress = silent, *, wait_up_to_s: float = 0) -> RunState:
        """Walks the run until it ends or waits, and gives its state; a short wait may be waited for here.

        Refused when a living engine has it.
        """
        run_id, not_begun = self.ledger.run(run_id).run_id, -1
        while True:
            state = self._drive_once(run_id, say)
            run = self.ledger.run(run_id)
            over, new = run.body_done and state == RunState.WAITING, run.items.get(ItemState.NEW, 0)
            if over and new not in (0, not_begun):  # what a resume put back into loops that were over
                not_begun = new
                continue
            if state != RunState.WAITING or run.wake_at is None or run.body_done:
                return state
            left = (run.wake_at - self.clock.now()).total_seconds()
            if left > wait_up_to_s:
                return state
            self.clock.wait(max(0.0, left), threading.Event())

    def _drive_once(self, run_id: str, say: Progress) -> RunState:
        self._make_known()
        view = self._wait_for_turn(run_id, say)
        if view.state in RUN_ENDED and not self._has_new_items(view):
            return view.state
        late = view.body_done and view.state not in (RunState.FAILED, RunState.CANCELLED)
        dead = self.ledger.write(lambda tx: self._take(tx, run_id, late))
        course = Course.of(self, run_id, say)
        if dead:
            say(Event(name="message", run_id=run_id, text="goes on where it was interrupted", level="notice"))
        if view.begun_at is not None:
            course.note_changes()
        with self._watching(course):
            return course.walk(late=late)

    def _wait_for_turn(self, run_id: str, say: Progress) -> RunView:
        """A queued run waits until those before it are through; the run as it is then."""
        told = False
        while True:
            view = self.ledger.run(run_id)
            before = self._before(view) if view.state == RunState.QUEUED else None
            if before is None or view.cancel is not None:
                return view
            if self.locks.is_dead(before.engine_id or ""):
                raise Refused(
                    f"Run {run_id} waits for {before.run_id}, whose process has died; "
                    f"go on with that first: runner.py resume {before.run_id}"
                )
            if not told:
                words = f"waits until run {before.run_id} is through"
                say(Event(name="message", run_id=run_id, text=words, level="notice"))
                told = True
            if self.clock.wait(POLL_S, self.stopping):
                raise Refused(f"Run {run_id} is left queued: the process that would walk it ends.")

    def _before(self, view: RunView) -> RunView | None:
        return self.ledger.read(lambda tx: in_the_way(tx, view))

    def _take(self, tx: Transaction, run_id: str, late: bool) -> bool:
        """The run is ours to walk; True when a dead engine left it. Refused when a living one has it."""
        view, now = runs.one(tx, run_id), self.clock.now()
        holder = view.engine_id
        dead = False
        if view.state == RunState.RUNNING and holder is not None:
            if holder == self.engine_id or not self.locks.is_dead(holder):
                raise Refused(f"Run {run_id} is being walked by {holder}; wait for it, or cancel it.")
            dead = True
            count = steps.interrupt(tx, run_id, now)
            office.free_locks(tx, run_id)
            audit.write(
                tx, now=now, actor="engine", act="run.resumed", run_id=run_id,
                details={"left_by": holder, "steps_interrupted": count},
            )  # fmt: skip
        runs.take(tx, run_id, self.engine_id, now, body_done=late)
        return dead

    def _has_new_items(self, view: RunView) -> bool:
        return view.items.get(ItemState.NEW, 0) > 0

    def _make_known(self) -> None:
        if not self._known:
            now = self.clock.now()
            self.ledger.write(lambda tx: office.begin_engine(tx, self.engine_id, self.locks.host, os.getpid(), now))
            self._known = True

    @contextmanager
    def _watching(self, course: Course) -> Iterator[None]:
        """Looks beside the walk whether somebody wants the run cancelled, and kills its lanes when at once."""
        over = threading.Event()

        def watch() -> None:
            seen = course.run.control.cancel
            while not over.wait(POLL_S):
                how = self.ledger.read(lambda tx: runs.asked_to_cancel(tx, self.engine_id)).get(course.run.run_id)
                if how is not None and how != seen:
                    seen = how
                    course.run.control.ask_to_end(how)
                    if how == "hard":
                        course.run.lanes.kill()

        thread = threading.Thread(target=watch, name=f"watch-{course.run.run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def lane(self, name: str, setting: LaneSetting) -> Lane:
        """A lane of this engine: a process, or this one for a debugger."""
        if self.in_process:
            return LaneInProcess(name, setting)
        return LaneProcess(name, setting, engine_id=self.engine_id, locks=self.locks, clock=self.clock)

    # resuming

    def orphans(self) -> tuple[RunView, ...]:
        """Runs whose engine is proven dead: `resume` takes them."""
        found = self.ledger.read(runs.unfinished)
        walked = [run for run in found if run.state == RunState.RUNNING]
        return tuple(run for run in walked if run.engine_id and self.locks.is_dead(run.engine_id))

    def changed_files(self, run_id: str) -> list[str]:
        """Selectors, tables, templates and bots of the run that were changed since it was planned."""
        return changed_files(self.project, Plan.from_json(json.loads(self.ledger.plan(run_id))))

    def due(self) -> tuple[RunView, ...]:
        """Runs that can go on: queued ones whose turn it is, those that woke up or were decided, and orphans."""
        now = self.clock.now()
        found = self.ledger.read(runs.unfinished)
        waiting = [run for run in found if run.state == RunState.WAITING and run.wake_at and run.wake_at <= now]
        queued = [run for run in found if run.state == RunState.QUEUED and self._is_its_turn(run)]
        return (*self.orphans(), *waiting, *queued)

    def _is_its_turn(self, run: RunView) -> bool:
        return run.cancel is not None or self._before(run) is None

    def resume(
        self, run_id: str, say: Progress = silent, *, person: str = "operator", begin_all: bool = False
    ) -> RunState:
        """Goes on at the last finished step: after a crash, a repair, a cancellation, or a wait that is over.

        `begin_all`: a person says so, of a run that waits: what a loop's end cut off after too many errors begins too.
        """
        view = self.ledger.run(run_id)
        if begin_all and view.state is RunState.WAITING:
            self.ledger.write(lambda tx: releasing.begin_not_begun(tx, view.run_id, self.clock.now()))
        if view.state in (RunState.FAILED, RunState.CANCELLED):
            self.ledger.write(lambda tx: releasing.reopen(tx, view, person, self.clock.now()))
        elif view.state in RUN_ENDED:
            raise Refused(f"Run {view.run_id} has {str(view.state).replace('_', ' ')}; there is nothing to go on with.")
        return self.drive(view.run_id, say)

    # what people do

    def retry(self, item_ids: Iterable[str], *, person: str, comment: str = "") -> tuple[str, ...]:
        """Releases failed items and items on hold; gives the runs to drive. An item on hold: by no maker of its run."""
        chosen = tuple(item_ids)
        with releasing.refusals_audited(self, "retry", chosen, person=person):
            return releasing.retry(self, chosen, person=person, comment=comment)

    def requeue(self, item_ids: Iterable[str], *, person: str, comment: str = "") -> int:
        """Items that came from a queue and did not end well go back to it, for another run; how many."""
        chosen = tuple(item_ids)
        with releasing.refusals_audited(self, "requeue", chosen, person=person):
            return releasing.requeue(self, chosen, person=person, comment=comment)

    def abandon(self, item_ids: Iterable[str], *, person: str, comment: str) -> tuple[str, ...]:
        """Items that nobody will work any more, with the reason; gives the runs that wait for nothing else now."""
        chosen = tuple(item_ids)
        with releasing.refusals_audited(self, "abandon", chosen, person=person):
            return releasing.abandon(self, chosen, person=person, comment=comment)

    def edit_item(self, item_id: str, values: Mapping[str, str], *, person: str) -> ItemView:
        """Other values in an item's row: audited; refused for key columns and while an intent is open."""
        with releasing.refusals_audited(self, "edit", (item_id,), person=person):
            return releasing.edit(self, item_id, values, person=person)

    def settle(self, intent_id: str, *, done: bool, comment: str, person: str) -> RunView:
        """A person says whether an act in doubt was done. The run is driven by the caller afterwards."""
        with releasing.refusals_audited(self, "settle", (intent_id,), person=person):
            return releasing.settle_doubt(self, intent_id, done=done, comment=comment, person=person)

    def decide(
        self,
        approval_id: str,
        decision: str,
        *,
        person: str,
        digest: str,
        rows: Iterable[str] | None = None,
        fields: Mapping[str, str] | None = None,
        comment: str = "",
    ) -> RunView:
        """A signed-in person's decision on exactly the rows that were shown (`digest`). Every try is in the audit."""
        asked = decisions.Decision(
            approval_id=approval_id,
            decision=decision,
            person=person,
            digest=digest,
            rows=None if rows is None else tuple(rows),
            fields=dict(fields or {}),
            comment=comment,
        )
        decided = decisions.decide(self, asked)
        self.keep_audit_head()
        return decided

    def cancel(self, run_id: str, *, hard: bool = False, person: str = "operator", say: Progress = silent) -> RunState:
        """Ends a run: its item in hand finishes, or (`hard`) at once. One that nobody walks is ended here."""
        view, now = self.ledger.run(run_id), self.clock.now()
        if view.state in RUN_ENDED:
            raise Refused(f"Run {view.run_id} has ended already ({str(view.state).replace('_', ' ')}).")
        how = "hard" if hard else "soft"

        def write(tx: Transaction) -> None:
            runs.ask_to_cancel(tx, view.run_id, how)
            audit.write(tx, now=now, actor=person, act="run.cancel", run_id=view.run_id, details={"how": how})

        self.ledger.write(write)
        living = view.state == RunState.RUNNING and view.engine_id and not self.locks.is_dead(view.engine_id)
        if living:
            return view.state
        if view.state == RunState.QUEUED or view.body_done:
            return finish(self.ledger, view.run_id, RunState.CANCELLED, now)
        return self.drive(view.run_id, say)

    def stop_all(self, *, person: str = "operator") -> tuple[str, ...]:
        """Ends every run that has not ended, at once; gives their ids."""
        found = self.ledger.read(runs.unfinished)
        for run in found:
            with suppress(InterofficeError):
                self.cancel(run.run_id, hard=True, person=person)
        return tuple(run.run_id for run in found)

    def resume_credential(self, name: str, *, person: str, environment: str | None = None) -> bool:
        """A paused credential may be used again; False when it was not paused."""
        now = self.clock.now()

        def write(tx: Transaction) -> bool:
            freed = office.resume_credential(tx, name, environment)
            if freed:
                audit.write(tx, now=now, actor=person, act="credential.resumed", subject=name)
            return freed

        return self.ledger.write(write)


def _digest(inputs: Mapping[str, object]) -> str:
    import hashlib

    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
