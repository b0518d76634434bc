"""What can only be seen of a whole workflow: unreachable and unused steps, rows nobody releases or sees, what is typed
and was never shown to who approved it. Asked only of workflows without other errors, so that nothing follows from one.
"""

from __future__ import annotations

from collections.abc import Iterator

from interoffice.model.workflow import (
    Approve,
    BotCall,
    Check,
    Reconcile,
    SetValues,
    Step,
    Stop,
    SubWorkflow,
    TableStep,
    children,
    walk,
)
from interoffice.plan.check_rules import route_of
from interoffice.plan.checking import Checking
from interoffice.plan.flow import Origin
from interoffice.plan.writing import everything, is_writing


def check_flow(checking: Checking) -> None:
    """Notes all that the whole shows."""
    workflow = checking.workflow
    for part in (workflow.steps, workflow.on_failure, workflow.always):
        _find_unreachable(checking, part)
    _find_unchecked_writing(checking)
    _find_continued_writing(checking)
    _find_unreleased(checking)
    _find_unseen(checking)
    _find_not_shown(checking)
    _find_unused(checking)


def _find_unreachable(checking: Checking, steps: tuple[Step, ...]) -> None:
    """F01: steps behind one that always stops."""
    for number, step in enumerate(steps):
        if isinstance(step.kind, Stop) and step.if_ is None and number + 1 < len(steps):
            later = steps[number + 1]
            message = f'this step is never reached: "{step.id}" before it always stops'
            checking.report("F01", (*later.path, "id"), message)
            break
    for step in steps:
        for inner in children(step):
            _find_unreachable(checking, inner)


def _find_unchecked_writing(checking: Checking) -> None:
    """F08: something is changed or sent that no check and no approval came before."""
    for step in walk(checking.workflow.steps):
        if _holds_back(checking, step):
            return
        if is_writing(checking.project, step):
            message = "this changes or sends something, and no check and no approval comes before it"
            checking.report("F08", (*step.path, "bot"), message, severity="warning")


def _holds_back(checking: Checking, step: Step) -> bool:
    kinds = Check | Approve | Reconcile
    if isinstance(step.kind, SubWorkflow):
        return any(isinstance(inner.kind, kinds) for inner in everything(checking.project, (step,)))
    return isinstance(step.kind, kinds)


def _find_continued_writing(checking: Checking) -> None:
    """F06: what was to be written and failed is passed over."""
    workflow = checking.workflow
    for part in (workflow.steps, workflow.on_failure, workflow.always):
        for step in walk(part):
            if step.on_failure == "continue" and is_writing(checking.project, step):
                message = "when this fails the run goes on without what it was to write"
                checking.report("F06", (*step.path, "on_failure"), message, severity="warning")


def _checks(checking: Checking) -> Iterator[tuple[Step, Check]]:
    """The checks outside of loops: inside, review puts the item on hold and reject ends it."""
    for step in walk(checking.workflow.steps):
        if isinstance(step.kind, Check) and not checking.is_in_loop(step):
            yield step, step.kind


def _given_back(checking: Checking) -> frozenset[Origin]:
    """What the outputs of the workflow give to whoever calls it."""
    return frozenset().union(*(known.flow.all_rows for known in checking.outputs.values()))


def _find_unreleased(checking: Checking) -> None:
    """F07: rows left for review that no approval takes."""
    released = checking.released | _given_back(checking)
    for step, check in _checks(checking):
        routes = {route_of(check, rule) for rule in check.rules}
        if "review" in routes and Origin("review", checking.full_name(step)) not in released:
            message = f"nobody can release the rows left for review here: no approve takes steps.{step.id}.review"
            checking.report("F07", (*step.path, "check"), message, at_key=True)
    for step, origins in checking.called:
        for origin in sorted(origins - released):
            if origin.route == "review":
                check_id = origin.check.rpartition("/")[2]
                message = f'nobody can release the rows that "{check_id}" of this sub-workflow leaves for review'
                checking.report("F07", (*step.path, "workflow"), message)


def _find_unseen(checking: Checking) -> None:
    """F07 (warning): rows that a check rejects and that nobody is told of."""
    seen = checking.seen | _given_back(checking)
    for step, check in _checks(checking):
        routes = {route_of(check, rule) for rule in check.rules}
        if "reject" in routes and Origin("rejected", checking.full_name(step)) not in seen:
            message = f"nobody sees the rows that this check rejects: nothing takes steps.{step.id}.rejected"
            checking.report("F07", (*step.path, "check"), message, severity="warning", at_key=True)


def _find_not_shown(checking: Checking) -> None:
    """F11: a column is typed into a screen that the approver of its rows never saw."""
    for typed in checking.typed:
        for unseen in sorted(typed.unseen):
            approval = unseen.approval.rpartition("/")[2]
            message = (
                f'column "{unseen.column}" is typed into "{typed.element}" but not shown to who approves in'
                f' "{approval}"; add it to the "show" there'
            )
            checking.report("F11", typed.path, message)


def _find_unused(checking: Checking) -> None:
    """R07: inputs and results that nothing reads."""
    used_inputs = {path[1] for path in checking.used if path[0] == "inputs" and len(path) > 1}
    whole = any(path == ("inputs",) for path in checking.used)
    for name, declared in checking.workflow.inputs.items():
        if name not in used_inputs and not whole:
            checking.report("R07", declared.path, f'nothing uses the input "{name}"', severity="warning", at_key=True)
    used_steps = {path[1] for path in checking.used if path[0] == "steps" and len(path) > 1}
    for step in walk(checking.workflow.steps):
        if step.id not in used_steps and _is_for_reading(checking, step):
            message = f'nothing uses what "{step.id}" gives'
            checking.report("R07", (*step.path, "id"), message, severity="warning")


def _is_for_reading(checking: Checking, step: Step) -> bool:
    if isinstance(step.kind, TableStep | SetValues):
        return True
    if not isinstance(step.kind, BotCall):
        return False
    bot = checking.project.registry.find(step.kind.bot)
    return bot is not None and not bot.writes and bool(bot.outputs)
