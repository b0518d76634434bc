"""The course of one run in this process: its steps, its endings, and the state in which it leaves it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from interoffice.engine.alive import LifeLocks
from interoffice.engine.attempts import seconds_of
from interoffice.engine.bot_call import with_saved_tables
from interoffice.engine.clock import Clock
from interoffice.engine.endings import (
    Cancelled,
    Doubtful,
    Held,
    RehearsedHere,
    RunStopped,
    StepFailed,
    Stopped,
    Suspended,
)
from interoffice.engine.evaluation import scope_at, value_of
from interoffice.engine.input_tables import ProjectTables, inputs_with_tables
from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.lanes import Lane, LanePool
from interoffice.engine.progress import Progress
from interoffice.engine.recorder import Recorder
from interoffice.engine.reminding import next_notice
from interoffice.engine.run import Control, Place, Results, Run, step_ids
from interoffice.engine.seats import Seats
from interoffice.engine.walk import walk_steps
from interoffice.errors import InterofficeError, MistakesFound, ProjectError
from interoffice.language.errors import ExpressionError, RowError
from interoffice.model.values import Value
from interoffice.model.work import ITEM_WAITS_FOR_PERSON, ItemState, RunState
from interoffice.model.workflow import Workflow
from interoffice.plan.making import in_environment
from interoffice.plan.plan import LoadedPlan, Plan
from interoffice.plan.project import Project, open_project
from interoffice.plan.times import formats_of, times_of
from interoffice.store import Ledger, approvals, audit, items, office, queues, runs, steps
from interoffice.store.database import Transaction
from interoffice.store.views import Failure

WAITS_FOR_PERSON = "a person has to decide on work items"


class Owner(Protocol):
    """The engine whose run it is."""

    project: Project
    state_dir: Path
    clock: Clock
    ledger: Ledger
    locks: LifeLocks
    engine_id: str

    def lane(self, name: str, setting: LaneSetting) -> Lane:
        """A lane for a run of this engine."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One run, ready to be walked."""

    run: Run
    place: Place
    planned: Mapping[str, str]

    @classmethod
    def of(cls, owner: Owner, run_id: str, say: Progress) -> Course:
        """The run as the ledger has it. Selectors, settings and bots are read afresh: a resume follows a repair."""
        plan = Plan.from_json(json.loads(owner.ledger.plan(run_id)))
        loaded = plan.load()
        project = in_environment(open_project(owner.project.folder), plan.environment or None)
        run = _run(owner, project, run_id, loaded, say)
        recorded = owner.ledger.read(lambda tx: steps.outside_items(tx, run_id))
        asked = owner.ledger.run(run_id).cancel
        if asked is not None:
            run.control.ask_to_end(asked)
        place = Place(
            prefix="",
            workflow=loaded.workflow,
            inputs=inputs_with_tables(run, loaded),
            results=Results(known=step_ids(loaded.workflow)),
            recorded=recorded,
            recorder=Recorder(owner.ledger),
            lane=run.lanes.lane("1"),
            token=owner.engine_id,
        )
        return cls(run=run, place=place, planned=plan.digests)

    def walk(self, *, late: bool) -> RunState:
        """Walks until the run ends or waits; gives the state it is left in. `late`: only items released afterwards."""
        run = self.run
        run.tell("run_began", title=self.place.workflow.name)
        self.place.lane.start()
        try:
            return self._late() if late else self._whole()
        except KeyboardInterrupt:
            run.lanes.kill()
            self.place.recorder.flush()
            run.ledger.write(self._interrupted)
            raise
        finally:
            run.lanes.close()
            run.seats.close()
            run.ledger.write(lambda tx: office.free_locks(tx, run.run_id))

    def _interrupted(self, tx: Transaction) -> None:
        run = self.run
        steps.interrupt(tx, run.run_id, run.clock.now())
        runs.wait(tx, run.run_id, wake_at=None, waiting_for="interrupted by the operator; resume it")

    def note_changes(self) -> None:
        """Files that are not those of the plan any more are told and stand in the audit: a resume follows a repair."""
        run = self.run
        changed = _changed(self.planned, run.digests)
        if not changed:
            return
        now = run.clock.now()
        run.ledger.write(
            lambda tx: audit.write(
                tx, now=now, actor="engine", act="run.changed", run_id=run.run_id, details={"files": changed}
            )
        )
        run.tell("message", text=f"goes on with files that have changed since its plan: {', '.join(changed)}")

    def _whole(self) -> RunState:
        try:
            failure, outputs = self._body()
        except Suspended as suspended:
            if self._suspend(suspended):
                return RunState.WAITING
            return self._cancelled()
        except Cancelled:
            return self._cancelled()
        self._endings(failure)
        return self._end(failure, outputs)

    def _cancelled(self) -> RunState:
        self._endings(None)
        return finish(self.run.ledger, self.run.run_id, RunState.CANCELLED, self.run.clock.now(), run=self.run)

    def _body(self) -> tuple[Failure | None, Mapping[str, Value]]:
        """The steps; why they failed, or the outputs. Suspended and Cancelled go on."""
        run, place = self.run, self.place
        try:
            walk_steps(run, place, place.workflow.steps)
            return None, self._outputs()
        except Stopped as stopped:
            if stopped.result == "success":
                return None, self._outputs_there()
            return Failure(kind="business", message=stopped.reason, code="stopped"), {}
        except (StepFailed, RunStopped) as ending:
            return ending.failure, {}
        except (Held, Doubtful) as ending:
            raise Suspended(ending.failure.message) from ending
        except RehearsedHere:
            return None, {}
        except (RowError, ExpressionError) as error:
            return Failure(kind="business", message=str(error), code="expression", step="outputs"), {}
        except (Suspended, Cancelled):
            raise
        except Exception as error:
            return _unforeseen(error), {}

    def _outputs(self) -> Mapping[str, Value]:
        """The workflow's outputs; while an approval is open the run can't end."""
        if self.place.results.pending:
            raise Suspended(f"approval: {', '.join(sorted(self.place.results.pending))}")
        given = value_of(self.place.workflow.outputs, scope_at(self.run, self.place))
        saved = with_saved_tables(given, self.run.tables_folder)
        assert isinstance(saved, Mapping)
        return saved

    def _outputs_there(self) -> Mapping[str, Value]:
        """The outputs of a run that stopped early: as far as its steps give them."""
        try:
            return self._outputs()
        except (RowError, ExpressionError):
            return {}

    def _endings(self, failure: Failure | None) -> None:
        """`on_failure:` and `always:`; what goes wrong there is told, and does not hide why the run failed."""
        run = self.run
        place = replace(self.place, ending=True, failure=failure)
        run.control.deadline = None
        cancelled, run.control.cancel = run.control.cancel, None
        run.control.stop.clear()
        run.control.at_once.clear()
        parts = (("on_failure", place.workflow.on_failure if failure else ()), ("always", place.workflow.always))
        for word, listed in parts:
            try:
                walk_steps(run, place, listed)
            except Exception as error:
                run.control.warned = True
                run.tell("message", text=f"{word}: {error}", level="warning")
        run.control.cancel = cancelled
        place.recorder.flush()

    def _suspend(self, suspended: Suspended) -> bool:
        """Leaves the run waiting on disk; False when somebody wanted it cancelled meanwhile."""
        run = self.run
        self.place.recorder.flush()
        due = _earliest(self, suspended)

        def write(tx: Transaction) -> bool:
            if runs.one(tx, run.run_id).cancel is not None:
                return False
            runs.wait(tx, run.run_id, wake_at=due, waiting_for=suspended.waiting_for)
            return True

        waits = run.ledger.write(write)
        if waits:
            run.tell("run_waits", state=RunState.WAITING, text=suspended.waiting_for)
        return waits

    def _late(self) -> RunState:
        """Only the items that a person released after the steps were through."""
        run, place = self.run, replace(self.place, late=True)
        try:
            walk_steps(run, place, place.workflow.steps)
        except (Stopped, Suspended, Cancelled):
            pass
        except (StepFailed, RunStopped) as ending:
            run.tell("message", text=ending.failure.message, level="warning")
        place.recorder.flush()
        return settle_state(run.ledger, run.run_id, run.clock.now(), run=run)

    def _end(self, failure: Failure | None, outputs: Mapping[str, Value]) -> RunState:
        run, now = self.run, self.run.clock.now()
        warned = run.control.warned

        def write(tx: Transaction) -> RunState:
            counts = runs.counts(tx, run.run_id)
            waits = any(counts.get(state) for state in (*ITEM_WAITS_FOR_PERSON, ItemState.NEW))
            state = RunState.FAILED if failure else RunState.WAITING if waits else well_ended(counts, warned)
            words = WAITS_FOR_PERSON if state == RunState.WAITING else ""
            if failure is not None:
                approvals.cancel_open(tx, run.run_id, now)
                items.cancel_new(tx, run.run_id, now, why="not begun: the run failed before")
                queues.give_back(tx, run.run_id, now)
            runs.end(tx, run.run_id, state, now, warned=warned, error=failure, outputs=outputs, waiting_for=words)
            details = {"failure": failure.message, "step": failure.step} if failure is not None else {}
            audit.write(tx, now=now, actor="engine", act=f"run.{state}", run_id=run.run_id, details=details)
            return state

        state = self.place.recorder.write(write)
        run.tell("run_ended", state=state, text=failure.message if failure is not None else "")
        return state


def well_ended(counts: Mapping[ItemState, int], warned: bool) -> RunState:
    """Succeeded, or done with warnings where a failure was continued."""
    bad = counts.get(ItemState.FAILED, 0) + counts.get(ItemState.ABANDONED, 0)
    return RunState.DONE_WITH_WARNINGS if warned or bad else RunState.SUCCEEDED


def finish(ledger: Ledger, run_id: str, state: RunState, now: datetime, *, run: Run | None = None) -> RunState:
    """Ends a run before its steps were through: what was not begun is cancelled, open approvals are closed."""

    def write(tx: Transaction) -> None:
        approvals.cancel_open(tx, run_id, now)
        items.cancel_new(tx, run_id, now, why="not begun: the run was cancelled")
        queues.give_back(tx, run_id, now)
        runs.end(tx, run_id, state, now, warned=False)
        audit.write(tx, now=now, actor="engine", act=f"run.{state}", run_id=run_id)

    ledger.write(write)
    if run is not None:
        run.tell("run_ended", state=state)
    return state


def settle_state(ledger: Ledger, run_id: str, now: datetime, *, run: Run | None = None) -> RunState:
    """The state of a run whose steps are through, after one of its waiting items was settled."""

    def write(tx: Transaction) -> RunState:
        view = runs.one(tx, run_id)
        waits = any(view.items.get(state) for state in (*ITEM_WAITS_FOR_PERSON, ItemState.NEW))
        state = RunState.FAILED if view.error else RunState.WAITING if waits else well_ended(view.items, view.warned)
        words = WAITS_FOR_PERSON if state == RunState.WAITING else ""
        runs.settle(tx, run_id, state, now, waiting_for=words)
        return state

    state = ledger.write(write)
    if run is not None:
        run.tell("run_ended" if state != RunState.WAITING else "run_waits", state=state)
    return state


def _unforeseen(error: Exception) -> Failure:
    """What should not have happened: a bug of ours, or a project that is not ready."""
    if isinstance(error, MistakesFound):
        first = error.problems[0]
        where = f"{first.at.file}:{first.at.line}"
        return Failure(kind="workflow", message=f"{where} {first.message}", code=first.rule)
    if isinstance(error, InterofficeError):
        return Failure(kind="workflow", message=str(error), code="not_ready")
    text = "".join(traceback.format_exception(error))
    return Failure(kind="bug", message=f"{type(error).__name__}: {error}", code="bug", traceback=text)


def _earliest(course: Course, suspended: Suspended) -> datetime | None:
    """When the run can go on by itself: what it waits for, or the end or the next mail of an open approval."""
    run = course.run
    opened = run.ledger.read(lambda tx: approvals.in_state(tx, "open", run.run_id))
    moments = [suspended.wake_at, *(one.expires_at for one in opened if one.terms["if_late"] != "wait")]
    if not run.options.rehearse:
        now = run.clock.now()
        moments += [next_notice(run.ledger, one, run.times, now) for one in opened]
    return min((moment for moment in moments if moment is not None), default=None)


def _run(owner: Owner, project: Project, run_id: str, loaded: LoadedPlan, say: Progress) -> Run:
    plan, settings = loaded.plan, project.settings
    folder = owner.state_dir / "runs" / run_id
    setting = LaneSetting(
        project=project.folder.resolve(),
        state=owner.state_dir,
        run_id=run_id,
        workflow=plan.workflow,
        environment=plan.environment,
        folder=folder,
        zone=plan.zone,
        mask=loaded.workflow.mask,
    )
    times = times_of(settings, plan.planned, plan.zone)
    position = owner.ledger.read(lambda tx: steps.last_position(tx, run_id))
    lanes = LanePool(lambda name: owner.lane(name, setting))
    run = Run(
        run_id=run_id,
        ledger=owner.ledger,
        clock=owner.clock,
        engine_id=owner.engine_id,
        locks=owner.locks,
        project=project,
        workflow=loaded.workflow,
        workflow_of=_finder(loaded.workflows),
        inputs=loaded.inputs,
        trigger={},
        tables=ProjectTables(project, folder),
        times=times,
        formats=formats_of(settings, plan.zone),
        patterns=project.patterns,
        environment=plan.environment,
        started_by=plan.started_by,
        options=plan.options,
        digests=_digests_now(project, plan),
        folder=folder,
        lanes=lanes,
        seats=Seats(project, plan.environment, run_id, owner.locks, lanes),
        control=Control(position + 1, deadline=None),
        say=say,
    )
    if loaded.workflow.timeout is not None:
        run.control.deadline = owner.clock.monotonic() + seconds_of(run, loaded.workflow.timeout)
    return run


def changed_files(project: Project, plan: Plan) -> list[str]:
    """Selectors, tables, templates and bots that are not those of the plan any more."""
    return _changed(plan.digests, _digests_now(project, plan))


def _changed(planned: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(file for file, digest in planned.items() if now.get(file) != digest)


def _finder(workflows: Mapping[str, Workflow]) -> Callable[[str], Workflow]:
    def find(key: str) -> Workflow:
        if key not in workflows:
            raise ProjectError(f'the plan of this run holds no workflow "{key}"; start a new run')
        return workflows[key]

    return find


def _digests_now(project: Project, plan: Plan) -> dict[str, str]:
    """The digests of what the plan depends on, as the files are now; the workflow's own text is the run's."""
    own = set(plan.texts)
    return {file: plan.digests[file] if file in own else project.digest(file) or "" for file in plan.digests}
