"""Walks the steps in their order: each is checked with what can be read at its place, and what it gives is noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interoffice.language.errors import ExpressionError
from interoffice.model.types import YES_NO
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
    Unread,
    Wait,
)
from interoffice.plan.check_approvals import check_approve
from interoffice.plan.check_bots import call_known, check_call, check_retry, check_timeout
from interoffice.plan.check_loops import check_loop
from interoffice.plan.check_reconcile import check_reconcile
from interoffice.plan.check_rules import check_rows
from interoffice.plan.check_sub import check_sub_workflow
from interoffice.plan.check_tables import check_table
from interoffice.plan.checking import Checking, seen_present
from interoffice.plan.scope import Known, Scope, StepFacts

DATES: Final = ("date", "date_time", "any")


def walk_steps(checking: Checking, steps: tuple[Step, ...], scope: Scope) -> None:
    """Checks steps one after the other."""
    for step in steps:
        check_step(checking, step, scope)


def check_step(checking: Checking, step: Step, scope: Scope) -> None:
    """Checks a step and all in it, and notes what it gives."""
    here = scope.here(checking.places[step.id])
    if step.name is not None:
        checking.value(step.name, (*step.path, "name"), here)
    if step.if_ is not None:
        node = checking.condition(step.if_, (*step.path, "if"), here)
        here = here.assured(step.if_, seen_present(node))
    if step.look_up is not None:
        checking.value(step.look_up, (*step.path, "look_up"), here)
    outputs = _outputs(checking, step, here)
    stops = step.on_failure == "stop" or isinstance(step.kind, ForEach | Check)
    checking.facts[step.id] = StepFacts(
        step=step,
        outputs=outputs or {},
        is_open=outputs is None,
        may_lack=step.if_ is not None or (step.on_failure != "review" and not stops),
    )
    if isinstance(step.on_failure, tuple):
        walk_steps(checking, step.on_failure, here)


def _outputs(checking: Checking, step: Step, here: Scope) -> Mapping[str, Known] | None:
    """What the step gives; None when that can't be known."""
    match step.kind:
        case BotCall() as call:
            check_timeout(checking, step)
            check_retry(checking, step, call)
            return check_call(checking, step, call.bot, call.inputs, here)
        case Check() as check:
            return check_rows(checking, step, check, here)
        case TableStep() as table:
            return check_table(checking, step, table, here)
        case Reconcile() as reconcile:
            return check_reconcile(checking, step, reconcile, here)
        case ForEach() as loop:
            return check_loop(checking, step, loop, here, walk_steps)
        case Choose() as choose:
            return _choose(checking, step, choose, here)
        case Approve() as approve:
            return check_approve(checking, step, approve, here)
        case Wait() as wait:
            return _wait(checking, step, wait, here)
        case SubWorkflow() as sub:
            return check_sub_workflow(checking, step, sub, here)
        case SetValues(values=values):
            return {name: checking.value(raw, (*step.path, "set", name), here) for name, raw in values.items()}
        case Stop(reason=reason):
            checking.value(reason, (*step.path, "stop"), here)
            return {}
        case Unread():
            return None


def _choose(checking: Checking, step: Step, choose: Choose, here: Scope) -> Mapping[str, Known]:
    for branch in choose.branches:
        node = checking.condition(branch.when, (*branch.path, "when"), here)
        walk_steps(checking, branch.do, here.assured(branch.when, seen_present(node)))
    if choose.otherwise is None:
        message = 'this choose does not say what happens when no "when" is true; add otherwise: nothing, or steps'
        checking.report("F02", (*step.path, "choose"), message, at_key=True)
    else:
        walk_steps(checking, choose.otherwise, here)
    return {}


def _wait(checking: Checking, step: Step, wait: Wait, here: Scope) -> Mapping[str, Known] | None:
    if wait.date is not None:
        _wait_for_date(checking, step, wait.date, here)
        return {"late": Known(type=YES_NO)}
    outputs = check_call(checking, step, wait.bot or "", wait.inputs, here)
    bot = checking.project.registry.find(wait.bot or "")
    if bot is not None and bot.writes:
        message = f'a wait asks again and again, and "{wait.bot}" {bot.effect}; name a bot that only reads'
        checking.report("B04", (*step.path, "wait"), message)
    if wait.within is None and not checking.says(*step.path, "within"):
        message = 'this wait has no end; say how long with "within"'
        checking.report("F05", (*step.path, "wait"), message, at_key=True)
    if wait.until is not None:
        known = call_known(outputs)
        answers = here.over(known, word="output", code="R03")
        checking.condition(wait.until, (*step.path, "until"), answers, bare="names")
    if isinstance(wait.if_late, tuple):
        walk_steps(checking, wait.if_late, here)
    late = {"late": Known(type=YES_NO)}
    return None if outputs is None else {**outputs, **late}


def _wait_for_date(checking: Checking, step: Step, date: str, here: Scope) -> None:
    path = (*step.path, "wait")
    found = checking.value(date, path, here).type
    if "${{" in date and found.kind not in DATES:
        message = f"a wait is for a date or a date-time, and this is {found}"
        checking.wrong_expression(path, ExpressionError("E04", message, 0, len(date)))
