"""Walks the steps of a plan without doing any: reads, checks and computes for real, and asks about the rest.

It takes the engine's own functions for values, checks, tables and calls, so that what it says is what a run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from interoffice.engine.endings import Held, RunStopped, StepFailed, Stopped
from interoffice.engine.evaluation import condition, failed, scope_at, text_of, value_of
from interoffice.engine.locks import locks_held
from interoffice.engine.outcome import Done
from interoffice.engine.preview_acts import preview_call
from interoffice.engine.preview_asking import preview_approve, preview_wait
from interoffice.engine.preview_loops import preview_loop
from interoffice.engine.preview_spot import Spot, Tour, facts_of, verb_of
from interoffice.engine.pure_steps import do_check, do_table, kept, table_of
from interoffice.engine.reconciling import do_reconcile
from interoffice.engine.run import Results, result_of
from interoffice.engine.sub_workflows import as_input, default_of
from interoffice.engine.unknown import Bounds, PartlyUnknown, Unknown, UnknownOutputs, bounds_of, in_worlds
from interoffice.language.errors import ExpressionError, RowError
from interoffice.language.names import columns_used
from interoffice.language.parser import parse_expression, parse_rule
from interoffice.language.reasons import reason_of
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.model.work import StepState
from interoffice.model.workflow import (
    Approve,
    BotCall,
    Check,
    Choose,
    ForEach,
    Reconcile,
    SetValues,
    Step,
    Stop,
    SubWorkflow,
    TableStep,
    Wait,
    Workflow,
    walk,
)
from interoffice.plan.input_types import input_type
from interoffice.store.views import Failure


def preview_steps(tour: Tour, spot: Spot, listed: tuple[Step, ...]) -> Spot:
    """Sees steps one after the other; gives the spot behind them, which may have more conditions. Endings go on."""
    for step in listed:
        spot = preview_step(tour, spot, step)
    return spot


def preview_step(tour: Tour, spot: Spot, step: Step) -> Spot:
    """One step; `place.results` holds afterwards what is known of it. Gives the spot behind it."""
    place, here = spot.place, spot
    try:
        if step.if_ is not None:
            holds = _holds(tour, spot, step.if_)
            if holds is False:
                place.results.put(step.id, result_of({}, StepState.SKIPPED))
                tour.see(spot, step, "skipped", _why_not(tour, spot, step.if_))
                return spot
            here = spot.given(f"if {step.if_}") if holds is None else spot
        behind = _preview(tour, here, step)
    except Unknown as unknown:
        place.results.put(step.id, UnknownOutputs(step.id))
        tour.see(here, step, "unknown", f"unknown until the run: needs {unknown.name}")
        behind = here
    except (RowError, ExpressionError) as error:
        behind = _fail(tour, here, step, failed(place.prefix + step.id, error).failure)
    except StepFailed as ending:
        behind = _fail(tour, here, step, ending.failure)
    if here is not spot:
        _forget(here, (step,))
        return replace(behind, condition=spot.condition) if behind is here else behind
    return behind


def _holds(tour: Tour, spot: Spot, text: str) -> bool | None:
    """Whether a condition holds; None where that can't be known."""
    try:
        return condition(text, scope_at(tour.run, spot.place))
    except Unknown:
        return None


def _why_not(tour: Tour, spot: Spot, text: str) -> str:
    run, scope = tour.run, scope_at(tour.run, spot.place)
    try:
        return f"if: {reason_of(text, parse_rule(text), None, False, scope, run.formats, tour.masked)}"
    except Unknown:
        return f"if: {text} is not true"


def _forget(spot: Spot, steps: tuple[Step, ...]) -> None:
    """What steps gave that a run may not come to can't be known behind them."""
    for step in walk(steps):
        spot.place.results.put(step.id, UnknownOutputs(step.id))


def _fail(tour: Tour, spot: Spot, step: Step, failure: Failure) -> Spot:
    """A step that would fail: what `on_failure` says is seen next, or StepFailed goes on. Only perhaps: it is noted."""
    place = spot.place
    if not spot.into or spot.into[-1].path != place.prefix + step.id:
        tour.see(spot, step, "failed", failure.message)
    if spot.condition and failure.kind != "credential":
        place.results.put(step.id, UnknownOutputs(step.id))
        return spot.given(f"unless {tour.title(place, step)} fails")
    place.results.put(step.id, result_of({}, StepState.FAILED, failure.message))
    after = step.on_failure
    if after == "stop" or failure.kind == "credential":
        raise StepFailed(failure)
    if after == "review":
        raise Held(failure) if place.in_loop else StepFailed(failure)
    return preview_steps(tour, spot, after) if isinstance(after, tuple) else spot


def _preview(tour: Tour, spot: Spot, step: Step) -> Spot:
    """Sees a step by its kind; gives the spot behind it."""
    match step.kind:
        case BotCall() as call:
            preview_call(tour, spot, step, call)
        case Check() as check:
            _check(tour, spot, step, check)
        case TableStep() as table:
            _table(tour, spot, step, table)
        case Reconcile() as both:
            _end(tour, spot, step, do_reconcile(tour.run, spot.place, step, both, {}, keeps_breaks=False))
        case SetValues() as values:
            _set(tour, spot, step, values)
        case ForEach() as loop:
            with locks_held(tour.run, spot.place):
                preview_loop(tour, spot, step, loop, preview_steps)
        case Choose() as choose:
            return _choose(tour, spot, step, choose)
        case Approve() as approve:
            preview_approve(tour, spot, step, approve)
        case Wait() as wait:
            return preview_wait(tour, spot, step, wait, preview_steps)
        case SubWorkflow() as sub:
            _sub_workflow(tour, spot, step, sub)
        case Stop() as stop:
            return _stop(tour, spot, step, stop)
        case _:
            message = f"this Interoffice can't do {verb_of(step)} steps yet"
            raise failed(spot.place.prefix + step.id, message, kind="workflow")
    return spot


def _end(tour: Tour, spot: Spot, step: Step, done: Done) -> None:
    """A step that was really done."""
    spot.place.results.put(step.id, result_of(done.outputs, StepState.SUCCEEDED))
    tour.see(spot, step, "done", done.note or tour.outputs_text(done.outputs))


# what the engine does itself


def _check(tour: Tour, spot: Spot, step: Step, check: Check) -> None:
    outputs: dict[str, Value] = {}
    try:
        done = do_check(tour.run, spot.place, step, check, outputs)
    finally:
        shown = _left_out(tour, outputs, check.row)
    spot.place.results.put(step.id, result_of(done.outputs, StepState.SUCCEEDED))
    tour.see(spot, step, "done", done.note, rows=shown)


def _left_out(tour: Tour, outputs: Mapping[str, Value], row: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    """The rows that did not pass, with their route and reasons."""
    found: list[Mapping[str, str]] = []
    for name in ("rejected", "review"):
        table = outputs.get(name)
        if not isinstance(table, Table):
            continue
        names = row or tuple(table.columns)[:1]
        for each in table.rows():
            shown = tour.shown_row(each, tuple(part for part in names if part in each))
            found.append({**shown, "route": name, "reasons": tour.shown("reasons", each.get("reasons"))})
    return tuple(found)


def _table(tour: Tour, spot: Spot, step: Step, table: TableStep) -> None:
    try:
        _end(tour, spot, step, do_table(tour.run, spot.place, step, table))
    except Unknown:
        bounds = _bounded_table(tour, spot, step, table)
        if bounds is None:
            raise
        spot.place.results.put(step.id, UnknownOutputs(step.id, bounds=bounds))
        rows = bounds["rows"]
        more = len(rows.most) - len(rows.sure)
        tour.see(spot, step, "done", f"{len(rows.sure)} rows, {more} more if approved")


def _bounded_table(tour: Tour, spot: Spot, step: Step, table: TableStep) -> dict[str, Bounds] | None:
    """Row by row it can be said for both: what is there if nothing is approved, and if all is."""
    given = bounds_of(tour.run, spot.place, table.rows)
    if given is None or table.group_by or table.totals or _reads(table) & given.filled:
        return None
    if table.join is not None:
        table_of(tour.run, spot.place, table.join.table)
    sure, most = (do_table(tour.run, world, step, table).outputs for world in in_worlds(spot.place))
    computed_from = bool(_reads(table) & given.corrected)
    corrected = given.corrected | (frozenset(table.columns) if computed_from else frozenset())
    found = {}
    for name in ("rows", "rest"):
        low, high = sure[name], most[name]
        assert isinstance(low, Table) and isinstance(high, Table)
        found[name] = Bounds(sure=low, most=high, filled=given.filled, corrected=corrected)
    return found


def _reads(table: TableStep) -> frozenset[str]:
    """The columns that a table step computes with."""
    nodes = [parse_expression(text) for text in table.columns.values()]
    nodes += [parse_rule(table.where)] if table.where is not None else []
    return frozenset(used.path[0] for node in nodes for used in columns_used(node))


def _set(tour: Tour, spot: Spot, step: Step, values: SetValues) -> None:
    run, place = tour.run, spot.place
    found, unknown = dict[str, Value](), False
    for name, raw in values.values.items():
        try:
            found[name] = value_of(raw, scope_at(run, place))
        except Unknown:
            unknown = True
    saved = kept(run, place, step, found)
    place.results.put(
        step.id, UnknownOutputs(step.id, saved) if unknown else result_of(saved, StepState.SUCCEEDED)
    )
    tour.see(spot, step, "done", inputs=tour.inputs_text(place, values.values))


# flow


def _choose(tour: Tour, spot: Spot, step: Step, choose: Choose) -> Spot:
    """The branch that a run takes; where that can't be known, each that it may take."""
    seen: list[tuple[str, tuple[Step, ...]]] = []
    for branch in choose.branches:
        holds = _holds(tour, spot, branch.when)
        if holds is not False:
            seen.append((f"when {branch.when}", branch.do))
        if holds:
            break
    else:
        seen.append(("otherwise", choose.otherwise or ()))
    inner = replace(spot, into=[])
    if len(seen) == 1:
        try:
            behind = preview_steps(tour, inner, seen[0][1])
        finally:
            tour.see(spot, step, "done", seen[0][0], steps=tuple(inner.into))
        spot.place.results.put(step.id, result_of({}, StepState.SUCCEEDED))
        return replace(behind, into=spot.into)
    for words, listed in seen:
        preview_steps(tour, inner.given(words), listed)
        _forget(spot, listed)
    spot.place.results.put(step.id, UnknownOutputs(step.id))
    tour.see(spot, step, "lists", "each branch that it may take", steps=tuple(inner.into))
    return spot


def _stop(tour: Tour, spot: Spot, step: Step, stop: Stop) -> Spot:
    place = spot.place
    try:
        reason = text_of(stop.reason, scope_at(tour.run, place), tour.run)
    except Unknown:
        reason = "?"
    place.results.put(step.id, result_of({"reason": reason}, StepState.SUCCEEDED))
    tour.see(spot, step, "stops", f"{reason} ({stop.result})")
    if spot.condition:
        return spot.given(f"unless {tour.title(place, step)} ends it")
    raise Stopped(reason, stop.result)


def _sub_workflow(tour: Tour, spot: Spot, step: Step, sub: SubWorkflow) -> None:
    run, place = tour.run, spot.place
    workflow = run.workflow_of(sub.workflow)
    path = place.prefix + step.id
    inputs = _inputs(tour, spot, sub, workflow, path)
    inner_place = replace(place, prefix=f"{path}.", workflow=workflow, inputs=inputs, results=Results())
    inner = replace(spot, place=inner_place, into=[])
    failure: Failure | None = None
    try:
        preview_steps(tour, inner, workflow.steps)
    except Stopped as stopped:
        if stopped.result != "success":
            failure = Failure(kind="business", message=stopped.reason, code="stopped", step=path)
    except StepFailed as ending:
        failure = ending.failure
    finally:
        preview_endings(tour, inner, workflow, failure)
        outputs = dict[str, Value](), dict[str, Bounds]()
        unknown = failure is None and _outputs(tour, inner, workflow, *outputs)
        state = "done" if failure is None else "failed"
        tour.see(spot, step, state, "" if failure is None else failure.message, steps=tuple(inner.into))  # type: ignore[arg-type]
    if failure is not None:
        raise StepFailed(failure)
    known, bounds = outputs
    place.results.put(
        step.id, UnknownOutputs(step.id, known, bounds) if unknown else result_of(known, StepState.SUCCEEDED)
    )


def _inputs(tour: Tour, spot: Spot, sub: SubWorkflow, workflow: Workflow, path: str) -> Mapping[str, Value]:
    run, place = tour.run, spot.place
    found, unknown = dict[str, Value](), dict[str, str]()
    for name, declared in workflow.inputs.items():
        try:
            outer = scope_at(run, place)
            given = value_of(sub.inputs[name], outer) if name in sub.inputs else default_of(run, place, declared)
            found[name] = as_input(given, declared, input_type(run.project, declared), run.times.zone)
        except Unknown as missing:
            unknown[name] = missing.name
        except ValueError as error:
            raise failed(path, f'input "{name}" of {workflow.key}: {error}') from error
    return PartlyUnknown(found, unknown) if unknown else found


def _outputs(
    tour: Tour, inner: Spot, workflow: Workflow, known: dict[str, Value], bounds: dict[str, Bounds]
) -> bool:
    """Fills in a workflow's outputs; True where one is unknown."""
    for name, raw in workflow.outputs.items():
        try:
            known[name] = value_of(raw, scope_at(tour.run, inner.place))
        except Unknown:
            between = bounds_of(tour.run, inner.place, raw)
            if between is not None:
                bounds[name] = between
    return len(known) < len(workflow.outputs)


def preview_endings(tour: Tour, spot: Spot, workflow: Workflow, failure: Failure | None) -> None:
    """`on_failure:` where it would fail, and `always:`; what goes wrong there is noted."""
    place = spot.place
    names = {**place.names, "run": facts_of(tour.run, failure, ending=True)}
    ending = replace(spot, place=replace(place, ending=True, failure=failure, names=names))
    for listed in (workflow.on_failure if failure is not None else (), workflow.always):
        try:
            preview_steps(tour, ending, listed)
        except (StepFailed, RunStopped, Stopped, Held):
            continue
