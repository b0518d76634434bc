"""`runner.py plan`: what a run of a plan would do at this moment. It reads for real, and changes and sends nothing.

Of the ledger it writes one entry of the audit, `plan.made`. While a sign-in is tried, or an application is used that
one lane at a time may use, it holds the locks of all runs as a run does; and a sign-in that is refused pauses its
credential as in a run, since it may be tried once only.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from interoffice.engine.alive import LifeLocks
from interoffice.engine.attempts import seconds_of
from interoffice.engine.clock import Clock
from interoffice.engine.endings import Held, RunStopped, StepFailed, Stopped
from interoffice.engine.input_tables import ProjectTables, inputs_with_tables
from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.lanes import Lane, LanePool
from interoffice.engine.preview_calls import Looking, Unwritten
from interoffice.engine.preview_mails import MailFolder
from interoffice.engine.preview_not_done import hold_what_is_not_done
from interoffice.engine.preview_spot import Sources, Spot, Tour, facts_of
from interoffice.engine.preview_text import told
from interoffice.engine.preview_walk import preview_endings, preview_steps
from interoffice.engine.previewed import Preview, StepSeen
from interoffice.engine.progress import Progress, silent
from interoffice.engine.run import Control, Place, Results, Run
from interoffice.engine.seats import Seats
from interoffice.errors import InterofficeError, ProjectError
from interoffice.model.values import Value
from interoffice.model.workflow import Workflow
from interoffice.plan.making import in_environment
from interoffice.plan.plan import LoadedPlan, Plan
from interoffice.plan.project import Project, open_project
from interoffice.plan.times import formats_of, times_of
from interoffice.store import Ledger, audit
from interoffice.store.views import Failure

PLANS: Final = "plans"
LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"


class Owner(Protocol):
    """The engine that lends its lanes, its clock and its ledger."""

    project: Project
    state_dir: Path
    clock: Clock
    ledger: Ledger
    locks: LifeLocks
    engine_id: str

    def lane(self, name: str, setting: LaneSetting) -> Lane:
        """A lane for a run of this engine."""

    def _make_known(self) -> None:
        """Puts the engine into the ledger, for the locks that it takes."""


def preview(owner: Owner, plan: Plan, *, masked: frozenset[str] = frozenset(), say: Progress = silent) -> Preview:
    """The preview of a plan. `masked`: columns whose values nobody is shown."""
    loaded = plan.load()
    preview_id = f"plan-{owner.clock.now():%Y%m%d-%H%M}-" + "".join(secrets.choice(LETTERS) for _ in range(4))
    run = _run(owner, loaded, preview_id, say)
    tour = _tour(owner, run, masked | frozenset(loaded.workflow.mask))
    seen: list[StepSeen] = []
    outcome = "interrupted"
    try:
        failure = _see(tour, loaded, seen)
        hold_what_is_not_done(tour, loaded, seen)
        outcome = "made" if failure is None else failure.message
    except KeyboardInterrupt:
        run.lanes.kill()
        raise
    finally:
        run.lanes.close()
        run.seats.close()
        _tidy(run.folder, tour.mails.files)
        _note(owner, run, plan, outcome)
    return _preview(tour, plan, loaded, seen, failure)


def _see(tour: Tour, loaded: LoadedPlan, seen: list[StepSeen]) -> Failure | None:
    """Sees all steps and the endings; why the run would fail."""
    run, workflow = tour.run, loaded.workflow
    run.tell("run_began", title=workflow.name)
    place = Place(
        prefix="",
        workflow=workflow,
        inputs={},
        results=Results(),
        recorded={},
        recorder=Unwritten(run.ledger),
        lane=run.lanes.lane("1"),
        token=run.engine_id,
        names={"run": facts_of(run)},
    )
    spot = Spot(place=place, into=seen)
    failure: Failure | None = None
    try:
        tour.sources.note(loaded.inputs)
        spot = replace(spot, place=replace(place, inputs=inputs_with_tables(run, loaded)))
        preview_steps(tour, spot, workflow.steps)
    except Stopped as stopped:
        if stopped.result != "success":
            failure = Failure(kind="business", message=stopped.reason, code="stopped")
    except (StepFailed, RunStopped, Held) as ending:
        failure = ending.failure
    except InterofficeError as error:
        failure = Failure(kind="workflow", message=str(error), code=getattr(error, "code", "not_ready"))
    preview_endings(tour, spot, workflow, failure)
    return failure


def _tour(owner: Owner, run: Run, masked: frozenset[str]) -> Tour:
    return Tour(
        run=run,
        masked=masked,
        looking=Looking(),
        mails=MailFolder(run),
        sources=Sources(run),
        make_known=owner._make_known,
    )


def _run(owner: Owner, loaded: LoadedPlan, preview_id: str, say: Progress) -> Run:
    """The run that the engine's functions see. It is marked as a rehearsal, so that no lane lets a commit pass."""
    plan = loaded.plan
    project = in_environment(open_project(owner.project.folder), plan.environment or None)
    settings, folder = project.settings, owner.state_dir / PLANS / preview_id
    folder.mkdir(parents=True, exist_ok=True)
    setting = LaneSetting(
        project=project.folder.resolve(),
        state=owner.state_dir,
        run_id=preview_id,
        workflow=plan.workflow,
        environment=plan.environment,
        folder=folder,
        zone=plan.zone,
        mask=loaded.workflow.mask,
    )
    lanes = LanePool(lambda name: owner.lane(name, setting))
    run = Run(
        run_id=preview_id,
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
        times=times_of(settings, plan.planned, plan.zone),
        formats=formats_of(settings, plan.zone),
        patterns=project.patterns,
        environment=plan.environment,
        started_by=plan.started_by,
        options=replace(plan.options, rehearse=True),
        digests=plan.digests,
        folder=folder,
        lanes=lanes,
        seats=Seats(project, plan.environment, preview_id, owner.locks, lanes),
        control=Control(1, deadline=None),
        say=say,
    )
    if loaded.workflow.timeout is not None:
        run.control.deadline = owner.clock.monotonic() + seconds_of(run, loaded.workflow.timeout)
    return run


def _finder(workflows: Mapping[str, Workflow]) -> Callable[[str], Workflow]:
    def find(key: str) -> Workflow:
        if key not in workflows:
            raise ProjectError(f'the plan holds no workflow "{key}"; make it again')
        return workflows[key]

    return find


def _tidy(folder: Path, mails: list[Path]) -> None:
    """Only the mails stay; tables, files, pictures and logs of a preview are of no use afterwards."""
    kept = [mail for mail in mails if mail.is_file()]
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path != kept[0].parent:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _note(owner: Owner, run: Run, plan: Plan, outcome: str) -> None:
    details: Mapping[str, object] = {"plan": plan.digest, "as": run.run_id, "outcome": outcome}
    now = owner.clock.now()
    owner.ledger.write(
        lambda tx: audit.write(
            tx, now=now, actor=plan.started_by, act="plan.made", subject=plan.workflow, details=details
        )
    )


def _preview(tour: Tour, plan: Plan, loaded: LoadedPlan, seen: list[StepSeen], failure: Failure | None) -> Preview:
    run = tour.run
    mails = tuple(mail for mail in tour.mails.files if mail.is_file())
    made = Preview(
        preview_id=run.run_id,
        name=loaded.workflow.name,
        plan=replace(plan, options=replace(plan.options, rows=dict(tour.held))),
        made_at=run.clock.now(),
        made_by=plan.started_by,
        steps=tuple(seen),
        inputs=_shown(tour, loaded.inputs),
        failure=failure,
        sources=dict(sorted(tour.sources.digests.items())),
        mails=mails,
        folder=mails[0].parent if mails else None,
    )
    return replace(made, text=told(made))


def _shown(tour: Tour, inputs: Mapping[str, Value]) -> dict[str, str]:
    return {name: tour.shown(name, value) for name, value in inputs.items() if value is not None}
