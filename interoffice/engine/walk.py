"""Walks the steps of a run, or of an item, in their order: replays what is recorded, does and records the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from interoffice.engine.approvals import do_approve
from interoffice.engine.attempts import Call, inputs_of
from interoffice.engine.endings import (
    Cancelled,
    Doubtful,
    Ending,
    Held,
    RehearsedHere,
    RunStopped,
    StepFailed,
    Stopped,
    Suspended,
)
from interoffice.engine.evaluation import condition, failed, joins_decided_rows, scope_at, text_of, title_of, value_of
from interoffice.engine.held_rows import call_held_to
from interoffice.engine.locks import locks_held
from interoffice.engine.loops import do_loop
from interoffice.engine.outcome import ALREADY, REHEARSED, Done
from interoffice.engine.pure_steps import do_check, do_set, do_table
from interoffice.engine.reads import reads_of
from interoffice.engine.reconciling import do_reconcile
from interoffice.engine.reminding import remind
from interoffice.engine.run import Place, Run, result_of
from interoffice.engine.sub_workflows import do_sub_workflow
from interoffice.engine.waits import do_wait
from interoffice.language.errors import ExpressionError, RowError
from interoffice.language.parser import parse_rule
from interoffice.language.reasons import reason_of
from interoffice.model.values import Value
from interoffice.model.work import StepState
from interoffice.model.workflow import (
    VERBS,
    Approve,
    BotCall,
    Check,
    Choose,
    ForEach,
    Kind,
    Reconcile,
    SetValues,
    Step,
    Stop,
    SubWorkflow,
    TableStep,
    Wait,
)
from interoffice.plan.writing import writes
from interoffice.store import steps
from interoffice.store.steps import StepPlace
from interoffice.store.views import Failure, StepView

VERB_OF = {kind: verb for verb, kind in VERBS.items()}
STOPPED_THE_RUN = "stopped the run"
"""The note of a step whose failure stopped the run, whatever its `on_failure` says: a resume works it again."""


def walk_steps(run: Run, place: Place, listed: tuple[Step, ...]) -> None:
    """Walks steps one after the other; an `Ending` says why it could not go on."""
    for step in listed:
        walk_step(run, place, step)


def walk_step(run: Run, place: Place, step: Step) -> None:
    """One step: replayed, skipped, or done; its result stands in `place.results` afterwards."""
    recorded = place.recorded.get(place.prefix + step.id)
    if recorded is not None and _replayed(run, place, step, recorded):
        _end_here(run, place, step)
        return
    _refuse_to_begin(run, place, step)
    working = Working(run=run, place=place, step=step, at=_place_of(run, place, step, recorded), began=run.clock.now())
    try:
        if step.if_ is not None and not condition(step.if_, scope_at(run, place)):
            working.skip(_why_not(run, place, step.if_))
            return
        run.tell("step_began", working.at.path, title=title_of(run, place, step))
        working.end(_do(run, place, step, working))
    except (RowError, ExpressionError) as error:
        working.fail(failed(working.at.path, error).failure)
    except StepFailed as ending:
        working.fail(ending.failure)
    except Ending as ending:
        working.interrupt(ending)
        raise
    _end_here(run, place, step)


def _do(run: Run, place: Place, step: Step, working: Working) -> Done | None:
    """Does a step by its kind; None where the kind has recorded its end itself."""
    match step.kind:
        case BotCall() as call:
            return _call(run, place, step, call, working.at)
        case Check() as check:
            return do_check(run, place, step, check, working.outputs)
        case TableStep() as table:
            return do_table(run, place, step, table)
        case Reconcile() as both:
            return do_reconcile(run, place, step, both, working.outputs)
        case SetValues() as values:
            return do_set(run, place, step, values)
        case ForEach() as loop:
            return do_loop(run, place, step, loop, working.at, walk_steps)
        case Choose() as choose:
            return _choose(run, place, choose, working)
        case Approve() as approve:
            done = do_approve(run, place, step, approve, working.at)
            if done is None:
                remind(run, working.at.path)
            return done
        case Wait() as wait:
            return do_wait(run, place, step, wait, working.at, walk_steps)
        case SubWorkflow() as sub:
            return do_sub_workflow(run, place, step, sub, walk_steps)
        case Stop() as stop:
            reason = text_of(stop.reason, scope_at(run, place), run)
            working.end(Done(outputs={"reason": reason}))
            raise Stopped(reason, stop.result)
    raise failed(working.at.path, f"this Interoffice can't do {_verb(step.kind)} steps yet", kind="workflow")


def _verb(kind: Kind) -> str:
    return VERB_OF.get(type(kind), type(kind).__name__)


@dataclass(kw_only=True)
class Working:
    """A step in hand: how its end is recorded, and what becomes of its result."""

    run: Run
    place: Place
    step: Step
    at: StepPlace
    began: datetime
    outputs: dict[str, Value] = None  # type: ignore[assignment]
    ended: bool = False

    def __post_init__(self) -> None:
        self.outputs = {}

    def end(self, done: Done | None) -> None:
        """The step succeeded, or was rehearsed."""
        if done is None or self.ended:
            return
        if done.note.startswith(REHEARSED):
            self.skip(done.note)
            if self.place.in_loop:
                raise RehearsedHere(done.note)
            return
        self.ended = True
        self.place.results.put(self.step.id, result_of(done.outputs, StepState.SUCCEEDED))
        note_posted(self.run, self.place, self.step, done.note)
        self._record(StepState.SUCCEEDED, done=done)

    def skip(self, why: str) -> None:
        """The step is not done, and why."""
        self.ended = True
        self.place.results.put(self.step.id, result_of({}, StepState.SKIPPED))
        self._record(StepState.SKIPPED, note=why)

    def fail(self, failure: Failure) -> None:
        """The step failed for good: what `on_failure` says happens, or StepFailed goes on."""
        failure = failure if failure.step else replace(failure, step=self.at.path)
        self.place.results.put(self.step.id, result_of(self.outputs, StepState.FAILED, failure.message))
        self._record(StepState.FAILED, error=failure, outputs=self.outputs)
        self.place.recorder.flush()
        after = self.step.on_failure
        if after == "stop" or failure.kind == "credential" or self.run.control.cancel == "hard":
            raise StepFailed(failure)
        if after == "review":
            raise Held(failure) if self.place.in_loop else StepFailed(failure)
        self.run.control.warned = True
        if isinstance(after, tuple):
            walk_steps(self.run, self.place, after)

    def interrupt(self, ending: Ending) -> None:
        """The walk goes on later, elsewhere, or not at all: the step says so."""
        match ending:
            case Suspended(waiting_for=waiting_for, wake_at=wake_at):
                self._record(StepState.WAITING, note=waiting_for, wake_at=wake_at, is_over=False)
            case Doubtful(failure=failure) | Held(failure=failure):
                self._record(StepState.WAITING, error=failure, note=failure.message, is_over=False)
            case Cancelled():
                self._record(StepState.INTERRUPTED, note="cancelled")
            case RunStopped(failure=failure):
                self._record(StepState.FAILED, error=failure, outputs=self.outputs, note=STOPPED_THE_RUN)
        if isinstance(ending, (Doubtful, Held)) and not self.place.in_loop:
            self.place.recorder.flush()
            raise Suspended(f"a person has to decide: {ending.failure.message}") from ending

    def _record(
        self,
        state: StepState,
        *,
        done: Done | None = None,
        outputs: Mapping[str, Value] | None = None,
        error: Failure | None = None,
        note: str = "",
        wake_at: datetime | None = None,
        is_over: bool = True,
    ) -> None:
        recorder, at, began = self.place.recorder, self.at, self.began
        ended_at = self.run.clock.now() if is_over else None
        inputs = None if done is None else done.inputs
        given = outputs if done is None else done.outputs
        said = note if done is None else done.note
        for each in done.writes if done is not None else ():
            recorder.note(each)
        recorder.note(
            lambda tx: steps.end(
                tx, at, state, started_at=began, ended_at=ended_at, inputs=inputs, outputs=given, error=error,
                note=said, wake_at=wake_at,
            )
        )  # fmt: skip
        if (done is not None and done.acted) or not is_over:
            recorder.flush()
        if is_over:
            text = error.message if error is not None else said
            title = title_of(self.run, self.place, self.step)
            self.run.tell("step_ended", at.path, title=title, state=state, text=text)


def note_posted(run: Run, place: Place, step: Step, note: str) -> None:
    """Remembers of a writing step whether another run had done it before."""
    bot = run.project.registry.find(step.kind.bot) if isinstance(step.kind, BotCall) else None
    if bot is not None and bot.writes:
        place.results.posted[step.id] = note.startswith(ALREADY)


# replay


def _replayed(run: Run, place: Place, step: Step, recorded: StepView) -> bool:
    """Takes a finished step's result from the ledger; False when the step must be worked (on)."""
    match recorded.state:
        case StepState.SUCCEEDED:
            return _replay_success(run, place, step, recorded)
        case StepState.SKIPPED:
            place.results.put(step.id, result_of({}, StepState.SKIPPED))
            return True
        case StepState.FAILED if _was_continued(step, recorded):
            error = recorded.error.message if recorded.error is not None else None
            place.results.put(step.id, result_of(recorded.outputs, StepState.FAILED, error))
            run.control.warned = True
            if isinstance(step.on_failure, tuple):
                walk_steps(run, place, step.on_failure)
            _work_released(run, place, step, recorded)
            return True
    return False


def _was_continued(step: Step, recorded: StepView) -> bool:
    """True of a failed step after which the run went on; some failures stop the run whatever the step says."""
    stopped = recorded.note == STOPPED_THE_RUN or (recorded.error is not None and recorded.error.kind == "credential")
    return not stopped and (step.on_failure == "continue" or isinstance(step.on_failure, tuple))


def _replay_success(run: Run, place: Place, step: Step, recorded: StepView) -> bool:
    if isinstance(step.kind, Choose):
        walk_steps(run, place, _branch(step.kind, recorded.outputs.get("branch")))
    elif isinstance(step.kind, ForEach):
        _work_released(run, place, step, recorded)
    elif isinstance(step.kind, SubWorkflow) and place.late:
        do_sub_workflow(run, place, step, step.kind, walk_steps)
    elif isinstance(step.kind, Wait) and isinstance(step.kind.if_late, tuple) and recorded.outputs.get("late"):
        walk_steps(run, place, step.kind.if_late)
    place.results.put(step.id, result_of(recorded.outputs, StepState.SUCCEEDED))
    note_posted(run, place, step, recorded.note)
    if isinstance(step.kind, Stop):
        raise Stopped(str(recorded.outputs.get("reason") or ""), step.kind.result)
    return True


def _work_released(run: Run, place: Place, step: Step, recorded: StepView) -> None:
    """In a late walk: the items of a loop that was over, which a person released or a resume put back."""
    if isinstance(step.kind, ForEach) and place.late:
        do_loop(run, place, step, step.kind, _place_of(run, place, step, recorded), walk_steps, late=True)


def _place_of(run: Run, place: Place, step: Step, recorded: StepView | None) -> StepPlace:
    bot = step.kind.bot if isinstance(step.kind, BotCall | Wait) else None
    described = run.project.registry.find(bot) if bot else None
    return StepPlace(
        run_id=run.run_id,
        path=place.prefix + step.id,
        position=recorded.position if recorded is not None else next(run.control.positions),
        step_id=step.id,
        item_id=place.item_id,
        kind=_verb(step.kind),
        bot=bot or "",
        office=described.office if described is not None else "",
    )


# before a step


def _refuse_to_begin(run: Run, place: Place, step: Step) -> None:
    """Cancelled, past the run's time, or an approval before it is not decided yet: the step is not begun."""
    control = run.control
    if control.cancel == "hard" or (control.cancel and not place.in_loop and not place.ending):
        raise Cancelled("cancelled")
    if control.deadline is not None and run.clock.monotonic() > control.deadline and not place.ending:
        message = f"the run took longer than {place.workflow.timeout}"
        raise RunStopped(Failure(kind="workflow", message=message, code="timeout", step=place.prefix + step.id))
    if place.late and not place.in_loop:
        raise Stopped("the steps of this run are through", "success")
    pending = place.results.pending
    if pending and not place.ending:
        _wait_for_approvals(run, place, step, pending)


def _wait_for_approvals(run: Run, place: Place, step: Step, pending: Mapping[str, str]) -> None:
    """An open approval holds what reads it, and what changes or sends without asking it; see docs/decisions/0011."""
    is_joining = isinstance(step.kind, ForEach) and joins_decided_rows(step.kind.over, place)
    read = {each[1] for each in reads_of(step, but_over=is_joining) if len(each) > 1} & pending.keys()
    joined = {each[1] for each in reads_of(step) if len(each) > 1} & pending.keys() if is_joining else set()
    held = read or (pending.keys() - joined if not joined else set())
    if not held:
        return
    if not read:
        together = {step_id for step_id in held if pending[step_id] == "together"}
        if writes(run.project, (step,)) is None or (isinstance(step.kind, ForEach) and not together):
            return
    raise Suspended(f"approval: {', '.join(sorted(held))}")


def _end_here(run: Run, place: Place, step: Step) -> None:
    """`--until STEP`: nothing after it is done."""
    if run.options.until == step.id and not place.in_loop and not place.ending:
        raise Stopped(f"stopped after {step.id}, as --until says", "success")


def _why_not(run: Run, place: Place, text: str) -> str:
    scope = scope_at(run, place)
    return f"if: {reason_of(text, parse_rule(text), None, False, scope, run.formats, place.workflow.mask)}"


# bots, choose


def _call(run: Run, place: Place, step: Step, call: BotCall, at: StepPlace) -> Done:
    bot = run.project.registry.find(call.bot)
    if bot is None:
        raise failed(at.path, f'there is no bot "{call.bot}"; see them with: runner.py bots', kind="workflow")
    scope = scope_at(run, place)
    try:
        inputs = inputs_of(
            run,
            bot,
            lambda raw: value_of(raw, scope),  # type: ignore[arg-type]
            call.inputs,
            for_people=lambda raw: value_of(raw, scope, run.formats),  # type: ignore[arg-type]
            before=place.recorded.get(at.path),
        )
    except ValueError as error:
        raise failed(at.path, error) from error
    with locks_held(run, place):
        return Call(run, place, step, at, bot, call_held_to(at.path, inputs, run.options)).work()


def _choose(run: Run, place: Place, choose: Choose, working: Working) -> Done:
    scope = scope_at(run, place)
    chosen: int | str = "otherwise"
    for number, branch in enumerate(choose.branches):
        if condition(branch.when, scope):
            chosen = number
            break
    walk_steps(run, place, _branch(choose, chosen))
    return Done(outputs={"branch": str(chosen)})


def _branch(choose: Choose, chosen: object) -> tuple[Step, ...]:
    text = str(chosen)
    return choose.branches[int(text)].do if text.isdigit() else choose.otherwise or ()
