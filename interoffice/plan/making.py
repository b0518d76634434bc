"""Workflow, inputs and a moment -> plan; refuses everything that can be found wrong before the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.errors import MistakesFound, UsageError
from interoffice.model.contract import DecisionTable
from interoffice.model.workflow import BotCall, Step, SubWorkflow, Wait, Workflow, walk
from interoffice.plan.check_project import problems_of
from interoffice.plan.input_values import input_values
from interoffice.plan.outline import outline
from interoffice.plan.plan import Plan, RunOptions
from interoffice.plan.project import Project
from interoffice.plan.times import times_of
from interoffice.problem import Path, Problem, did_you_mean

AS_IT_IS: Final = RunOptions()


def make_plan(
    project: Project,
    key: str,
    inputs: Mapping[str, str],
    *,
    planned: datetime,
    environment: str | None = None,
    started_by: str,
    options: RunOptions = AS_IT_IS,
) -> Plan:
    """The plan of a run. MistakesFound for mistakes in files, UsageError for what was asked for wrongly."""
    if planned.tzinfo is None:
        raise UsageError(f"the planned time {planned.isoformat()} has no time zone")
    there = in_environment(project, environment).afresh()
    workflow = there.workflow(key)
    problems = [problem for problem in problems_of(there, key) if problem.severity == "error"]
    if problems:
        raise MistakesFound(problems)
    _refuse_options(workflow, options)
    settings = there.settings
    moment = planned.astimezone(ZoneInfo(settings.timezone))
    workflows = dict(_with_called(there, workflow))
    _refuse_unknown_credentials(there, workflows)
    values = input_values(there, workflow, inputs, times_of(settings, moment))
    return Plan(
        workflow=key,
        texts={each.source.file: each.source.text for each in workflows.values()},
        inputs=_encoded(values),
        planned=moment,
        zone=settings.timezone,
        environment=there.environment or "",
        started_by=started_by,
        options=options,
        digests=dict(sorted(_digests(there, workflows))),
        outline=outline(there, workflow),
    )


def in_environment(project: Project, environment: str | None) -> Project:
    """The project as it is in an environment; UsageError where the settings have none of that name."""
    known = project.settings.environments
    if environment is None:
        return project
    if environment not in known:
        meant = did_you_mean(environment, known)
        hint = f'did you mean "{meant}"?' if meant else f"there is {', '.join(known) or 'none'}"
        raise UsageError(f'settings.yaml has no environment "{environment}"; {hint}')
    there = replace(project, environment_name=environment)
    there.__dict__["registry"] = project.registry
    return there


def _refuse_options(workflow: Workflow, options: RunOptions) -> None:
    ids = [step.id for step in walk(workflow.steps)]
    if options.until is not None and options.until not in ids:
        meant = did_you_mean(options.until, ids)
        hint = f'did you mean "{meant}"?' if meant else f"there is {', '.join(ids)}"
        raise UsageError(f'{workflow.key} has no step "{options.until}"; {hint}')
    if options.only is not None and not options.only.strip():
        raise UsageError("--only needs the key of a work item behind it")
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit must be at least 1, not {options.limit}")


def _refuse_unknown_credentials(project: Project, workflows: Mapping[str, Workflow]) -> None:
    """K02 for every credential that is named and not stored, where it is known which are."""
    if project.credentials is None:
        return
    problems = []
    for workflow in workflows.values():
        for step in _steps(workflow):
            for name, path in _credentials(project, step):
                if name not in project.credentials:
                    message = f'there is no credential "{name}"; store it with: runner.py credentials set {name}'
                    meant = did_you_mean(name, project.credentials)
                    at = workflow.source.at(path)
                    problems.append(Problem(rule="K02", message=message, at=at, suggestion=meant))
    if problems:
        raise MistakesFound(problems)


def _credentials(project: Project, step: Step) -> Iterator[tuple[str, Path]]:
    """The credentials that a step names, each with its place."""
    if not isinstance(step.kind, BotCall | Wait):
        return
    bot = project.registry.find(step.kind.bot or "")
    for name, raw in step.kind.inputs.items():
        declared = None if bot is None else bot.inputs.get(name)
        is_name = isinstance(raw, str) and "${{" not in raw
        if declared is not None and declared.kind == "credential" and is_name:
            yield str(raw), (*step.path, "with", name)


def _encoded(values: Mapping[str, object]) -> dict[str, object]:
    from interoffice.model import codec

    return {name: codec.encode(value) for name, value in values.items()}


def _with_called(project: Project, workflow: Workflow) -> Iterator[tuple[str, Workflow]]:
    """The workflow and those that it calls, each once."""
    found = {workflow.key: workflow}
    waiting = [workflow]
    while waiting:
        for step in _steps(waiting.pop()):
            if isinstance(step.kind, SubWorkflow) and step.kind.workflow not in found:
                called = project.workflow(step.kind.workflow)
                found[called.key] = called
                waiting.append(called)
    yield from found.items()


def _steps(workflow: Workflow) -> Iterator[Step]:
    for part in (workflow.steps, workflow.on_failure, workflow.always):
        yield from walk(part)


def _digests(project: Project, workflows: Mapping[str, Workflow]) -> Iterator[tuple[str, str]]:
    """File -> digest of the workflows, of every file that checking them read, of templates and bots."""
    for workflow in workflows.values():
        loaded = project.workflow_file(workflow.key)
        if loaded is not None:
            yield loaded.file, loaded.digest
        for step in _steps(workflow):
            yield from _digests_of_step(project, step)


def _digests_of_step(project: Project, step: Step) -> Iterator[tuple[str, str]]:
    if not isinstance(step.kind, BotCall | Wait):
        return
    inputs = step.kind.inputs
    bot = project.registry.find(step.kind.bot or "")
    if bot is None:
        return
    if bot.file in project.registry.digests:
        yield bot.file, project.registry.digests[bot.file]
    for input_name, raw in inputs.items():
        declared = bot.inputs.get(input_name)
        if declared is None:
            continue
        for name in raw if isinstance(raw, tuple) else (raw,):
            for file in files_named(project, declared.kind, name, bot.module) if isinstance(name, str) else ():
                digest = project.digest(file)
                if digest is not None:
                    yield file, digest


def files_named(project: Project, kind: str, name: str, module: str) -> Iterator[str]:
    """The files of the project that an input names: selectors, tables, templates."""
    if kind in ("screen", "application"):
        application = name.partition(".")[0] if kind == "application" or "." in name else module
        yield f"selectors/{application}.yaml"
    elif kind == "template":
        yield f"workflows/{name}"
    elif kind in ("contract", "layout", "decision table", "risk table", "screening lists", "queue"):
        loaded = project.table_file(name)
        if loaded is not None:
            yield loaded.file
            if isinstance(loaded.content, DecisionTable):
                yield loaded.content.file
