"""`workflow:` steps: another workflow inside the same run, under this step's path, with its own endings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from interoffice.engine.bot_call import with_saved_tables
from interoffice.engine.endings import Cancelled, StepFailed, Stopped
from interoffice.engine.evaluation import converted, failed, scope_at, value_of
from interoffice.engine.outcome import Done
from interoffice.engine.run import Place, Results, Run, step_ids
from interoffice.model.types import Type
from interoffice.model.values import Value
from interoffice.model.workflow import Input, Raw, Step, SubWorkflow, Workflow
from interoffice.plan.input_types import input_type
from interoffice.store.views import Failure

WalkSteps = Callable[[Run, Place, tuple[Step, ...]], None]


def do_sub_workflow(run: Run, place: Place, step: Step, sub: SubWorkflow, walk: WalkSteps) -> Done:
    """The sub-workflow's outputs; its failure is this step's."""
    workflow = run.workflow_of(sub.workflow)
    path = place.prefix + step.id
    inner = replace(
        place,
        prefix=f"{path}.",
        workflow=workflow,
        inputs=_inputs(run, place, sub, workflow, path),
        results=Results(known=step_ids(workflow)),
    )
    try:
        walk(run, inner, workflow.steps)
    except Stopped as stopped:
        if stopped.result != "success":
            failure = Failure(kind="business", message=stopped.reason, code="stopped", step=path)
            _end(run, inner, workflow, failure, walk)
            raise StepFailed(failure) from stopped
    except StepFailed as ending:
        _end(run, inner, workflow, ending.failure, walk)
        raise
    except Cancelled:
        _end(run, inner, workflow, None, walk)
        raise
    _end(run, inner, workflow, None, walk)
    outputs = value_of(workflow.outputs, scope_at(run, inner))
    saved = with_saved_tables(outputs, run.tables_folder)
    assert isinstance(saved, Mapping)
    return Done(outputs=dict(saved), inputs=inner.inputs)


def _end(run: Run, inner: Place, workflow: Workflow, failure: Failure | None, walk: WalkSteps) -> None:
    ending = replace(inner, ending=True, failure=failure)
    if failure is not None:
        walk(run, ending, workflow.on_failure)
    walk(run, ending, workflow.always)


def _inputs(run: Run, place: Place, sub: SubWorkflow, workflow: Workflow, path: str) -> dict[str, Value]:
    outer, found = scope_at(run, place), dict[str, Value]()
    for name, declared in workflow.inputs.items():
        raw: Raw = sub.inputs.get(name, declared.default)
        given = value_of(raw, outer) if name in sub.inputs else default_of(run, place, declared)
        try:
            found[name] = as_input(given, declared, input_type(run.project, declared), run.times.zone)
        except ValueError as error:
            raise failed(path, f'input "{name}" of {workflow.key}: {error}') from error
    return found


def default_of(run: Run, place: Place, declared: Input) -> Value:
    """The default of an input: written out, an expression, or a word of time."""
    from interoffice.language.nodes import TIME_WORDS

    if isinstance(declared.default, str) and declared.default in TIME_WORDS and declared.type in ("date", "date_time"):
        moment: Value = getattr(run.times, declared.default)
        return moment
    return value_of(declared.default, scope_at(run, replace(place, inputs={}, results=Results())))


def as_input(value: Value, declared: Input, wanted: Type, zone: str) -> Value:
    """The value in the declared type; a list where many may stand."""
    if not declared.many:
        return converted(value, wanted, zone)
    many = value if isinstance(value, tuple | list) else () if value is None else (value,)
    return tuple(converted(one, wanted, zone) for one in many)
