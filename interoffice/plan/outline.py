"""The steps of a workflow as numbered lines: what each does, and what it touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interoffice.declaration import BotDescription
from interoffice.model.workflow import (
    Approve,
    BotCall,
    Check,
    Choose,
    ForEach,
    Raw,
    Reconcile,
    SetValues,
    Step,
    Stop,
    SubWorkflow,
    TableStep,
    Wait,
    Workflow,
)
from interoffice.plan.project import Project

EFFECTS: Mapping[str, str] = {"reads": "reads", "changes": "CHANGES", "sends": "SENDS"}


def outline(project: Project, workflow: Workflow) -> tuple[str, ...]:
    """One line per step, inner steps under their outer one."""
    lines = list(_lines(project, workflow.steps, ""))
    for title, steps in (("When it fails:", workflow.on_failure), ("Always at the end:", workflow.always)):
        if steps:
            lines += ["", title, *_lines(project, steps, "")]
    return tuple(lines)


def _lines(project: Project, steps: tuple[Step, ...], number: str) -> Iterator[str]:
    for count, step in enumerate(steps, 1):
        here = f"{number}{count}"
        indent = "  " * number.count(".")
        condition = f"  if {step.if_}" if step.if_ else ""
        yield f"{indent}{here:<4} {step.title}: {_what(project, step)}{condition}"
        yield from _inside(project, step, f"{here}.", indent)


def _inside(project: Project, step: Step, number: str, indent: str) -> Iterator[str]:
    match step.kind:
        case ForEach(do=do):
            yield from _lines(project, do, number)
        case Choose(branches=branches, otherwise=otherwise):
            for branch in branches:
                yield f"{indent}     when {branch.when}"
                yield from _lines(project, branch.do, number)
            yield f"{indent}     otherwise" + ("" if otherwise else " nothing")
            yield from _lines(project, otherwise or (), number)
        case Wait(if_late=tuple() as late):
            yield f"{indent}     if late"
            yield from _lines(project, late, number)


def _what(project: Project, step: Step) -> str:
    match step.kind:
        case BotCall(bot=name, inputs=inputs):
            bot = project.registry.find(name)
            return name if bot is None else f"{name} {EFFECTS[bot.effect]}{touched(bot, inputs)}"
        case Check(rules=rules):
            return f"check, {len(rules)} rules"
        case TableStep():
            return "table"
        case Reconcile(left_name=left, right_name=right):
            return f"reconcile {left} with {right}"
        case ForEach():
            return _loop(step.kind)
        case Choose(branches=branches):
            return f"choose one of {len(branches)}"
        case Approve(by=by, by_row=by_row):
            return f"approve by {', '.join(by) if by else by_row}"
        case Wait(date=date, bot=wait_for):
            return f"wait for {date or wait_for}"
        case SubWorkflow(workflow=key):
            return f"workflow {key}"
        case SetValues(values=values):
            return f"set {', '.join(values)}"
        case Stop(result=result):
            return f"stop, {result}"
    return "unreadable"


def _loop(loop: ForEach) -> str:
    key = f", key {', '.join(loop.key)}" if loop.key else ""
    lanes = f", {loop.workers} at a time" if loop.workers > 1 else ""
    over = f"queue {loop.queue}" if loop.queue else loop.as_name
    return f"for each {over}{key}{lanes}"


def touched(bot: BotDescription, inputs: Mapping[str, Raw]) -> str:
    """The screen, mailbox, file or table that a call names, and with whose credential."""
    named = []
    for name, raw in inputs.items():
        declared = bot.inputs.get(name)
        if declared is None or not isinstance(raw, str):
            continue
        if declared.kind in ("screen", "application", "mail account", "queue", "template", "contract", "layout"):
            named.append(raw)
        elif declared.kind == "credential":
            named.append(f"as {raw}")
        elif name == "file" and "${{" not in raw:
            named.append(raw)
    return f" {', '.join(named)}" if named else ""
