"""`workflow:` steps: the sub-workflow is there, takes these inputs, and never calls itself (R08)."""

from __future__ import annotations

from collections.abc import Mapping

from interoffice.model.types import Type
from interoffice.model.workflow import Approve, Input, Raw, Step, SubWorkflow, Workflow
from interoffice.plan.checking import Checking
from interoffice.plan.fitting import misfit
from interoffice.plan.input_types import input_type
from interoffice.plan.scope import Known, Scope
from interoffice.plan.writing import everything
from interoffice.problem import Path, did_you_mean


def check_sub_workflow(checking: Checking, step: Step, sub: SubWorkflow, here: Scope) -> Mapping[str, Known] | None:
    """Checks a call of a sub-workflow; gives its outputs, None where they can't be known."""
    path = (*step.path, "workflow")
    given = {name: checking.value(raw, (*step.path, "with", name), here) for name, raw in sub.inputs.items()}
    loaded = checking.project.workflow_file(sub.workflow)
    if loaded is None:
        meant = did_you_mean(sub.workflow, checking.project.workflows())
        checking.report("R08", path, f'there is no workflow "{sub.workflow}"', suggestion=meant)
        return None
    if sub.workflow in checking.chain:
        message = f'"{sub.workflow}" calls itself: {" > ".join((*checking.chain, sub.workflow))}'
        checking.report("R08", path, message)
        return None
    if loaded.content is None or not loaded.is_read:
        return None
    known = _check_inputs(checking, step, sub, loaded.content, given)
    for value in given.values():
        checking.seen |= value.flow.all_rows
    _refuse_approval_in_loop(checking, step, sub)
    outputs = checking.read_workflow(checking.inside(loaded.content), known)
    checking.called.append((step, frozenset().union(*(each.flow.all_rows for each in outputs.values()))))
    return outputs


def _refuse_approval_in_loop(checking: Checking, step: Step, sub: SubWorkflow) -> None:
    called = everything(checking.project, (step,))
    if checking.is_in_loop(step) and any(isinstance(one.kind, Approve) for one in called):
        message = f'"{sub.workflow}" holds an approval, which inside a loop would ask once per item; call it before'
        checking.report("F12", (*step.path, "workflow"), message)


def _check_inputs(
    checking: Checking, step: Step, sub: SubWorkflow, workflow: Workflow, given: Mapping[str, Known]
) -> dict[str, Known]:
    """The inputs by their right names; notes those that are unknown, missing, or of the wrong type."""
    missing = [name for name, each in workflow.inputs.items() if not each.has_default and name not in given]
    known: dict[str, Known] = {}
    for name, value in given.items():
        path = (*step.path, "with", name)
        if name in workflow.inputs:
            _check_type(checking, workflow.inputs[name], sub.inputs[name], value.type, path)
            known[name] = value
            continue
        free = [each for each in workflow.inputs if each not in given]
        meant = did_you_mean(name, free) or (missing[0] if len(missing) == 1 else None)
        message = f'"{sub.workflow}" has no input "{name}"'
        checking.report("R08", path, message, suggestion=meant, at_key=True)
        if meant is not None:
            missing = [each for each in missing if each != meant]
            known[meant] = value
    if missing:
        names = " and ".join(f'"{name}"' for name in missing)
        checking.report("R08", (*step.path, "workflow"), f'"{sub.workflow}" needs {names} under "with"')
    return known


def _check_type(checking: Checking, declared: Input, raw: Raw, given: Type, path: Path) -> None:
    wrong = misfit(input_type(checking.project, declared), given, raw, many=declared.many)
    if wrong is not None:
        checking.report("R08", path, f'input "{declared.name}" {wrong.message}', suggestion=wrong.suggestion)
