"""Which outputs of earlier steps a step reads, itself and in all that stands inside it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from interoffice.engine.evaluation import steps_read
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

Read = tuple[str, ...]
"""("steps", id, output)"""


def reads_of(step: Step, *, but_over: bool = False) -> frozenset[Read]:
    """What the step reads; `but_over`: without what its own `for_each` goes over."""
    return frozenset(read for each in walk((step,)) for read in _own(each, but_over=but_over and each is step))


def reads_everywhere(workflow: Workflow) -> frozenset[str]:
    """The ids of all steps that anything in the workflow reads."""
    return _everywhere(_Identity(workflow))


class _Identity:
    """A workflow as a key of a cache: by what it is, not by its content."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow

    def __hash__(self) -> int:
        return id(self.workflow)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.workflow is other.workflow


@lru_cache(maxsize=64)
def _everywhere(of: _Identity) -> frozenset[str]:
    workflow = of.workflow
    steps = (*workflow.steps, *workflow.on_failure, *workflow.always)
    found = {read[1] for step in steps for read in reads_of(step) if len(read) > 1}
    found |= {read[1] for read in steps_read(workflow.outputs) if len(read) > 1}
    return frozenset(found)


def _own(step: Step, *, but_over: bool) -> Iterator[Read]:
    yield from steps_read(step.if_, bare=True)
    yield from steps_read(step.name)
    match step.kind:
        case BotCall(inputs=inputs) | SubWorkflow(inputs=inputs):
            yield from steps_read(inputs)
        case Check() as check:
            yield from steps_read(check.rows)
            for rule in check.rules:
                yield from steps_read((rule.text, rule.when), bare=True)
                yield from steps_read(rule.message)
        case TableStep() as table:
            yield from steps_read((table.rows, table.join.table if table.join is not None else None))
            yield from steps_read((*table.columns.values(), table.where), bare=True)
        case Reconcile() as both:
            yield from steps_read((both.left, both.right, *(each.close for each in both.passes)))
            for rule in both.rules:
                yield from steps_read((rule.text, rule.when), bare=True)
                yield from steps_read(rule.message)
        case ForEach() as loop:
            yield from steps_read(None if but_over else loop.over)
            yield from steps_read(loop.key, bare=True)
            yield from steps_read(loop.collect)
        case Choose() as choose:
            yield from steps_read(tuple(branch.when for branch in choose.branches), bare=True)
        case Approve() as approve:
            yield from steps_read((approve.rows, approve.ask, approve.by_row, approve.attach))
        case Wait() as wait:
            yield from steps_read((wait.date, wait.inputs))
            yield from steps_read(wait.until, bare=True)
        case SetValues(values=values):
            yield from steps_read(values)
        case Stop(reason=reason):
            yield from steps_read(reason)
