"""Kept plans: `plan --out FILE` wrote them, and `run --plan FILE` takes them while nothing they depend on changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

from interoffice.engine.previewed import FORMAT, digest_of
from interoffice.errors import MistakesFound, Refused, UsageError
from interoffice.model.workflow import BotCall, Wait, walk
from interoffice.plan.plan import LoadedPlan, Plan, RunOptions
from interoffice.plan.project import Project

LARGEST_BYTES: Final = 256 * 1024 * 1024
KINDS: Final[Mapping[str, str]] = {
    "selectors/": "The selectors", "tables/": "The table", "bots/": "The bot", "workflows/emails/": "The template",
    "workflows/": "The workflow",
}  # fmt: skip


def plan_from_file(
    project: Project,
    key: str,
    path: Path,
    inputs: Mapping[str, str],
    *,
    started_by: str,
    options: RunOptions | None = None,
) -> Plan:
    """The plan of a run that writes exactly the rows of a kept plan.

    Refused, with one sentence naming it, where the workflow, a selector, table, template, bot or source is not what it
    was. `project` is that of the environment to run in. `options` may cut the run short; their rows are the plan's.
    """
    said = _read(path)
    plan = _plan(said, path)
    _refuse_other_run(project, plan, key, path, inputs)
    _refuse_changed_files(project, plan.load(), path)
    _refuse_changed_sources(project, said["sources"], path, key)
    cut = options or RunOptions()
    return replace(plan, started_by=started_by, options=replace(cut, rows=plan.options.rows))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UsageError(f"--plan {path}: the file is far too big for a plan.")
        said = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"--plan {path}: it can't be read ({error.strerror}); make one with: runner.py plan WORKFLOW --out {path}"
        ) from error
    except (ValueError, RecursionError):
        _no_plan(path)
    if not isinstance(said, Mapping) or said.get("interoffice_plan") != FORMAT:
        _no_plan(path)
    if said.get("digest") != digest_of(said):
        raise Refused(f"The plan {path} was changed after it was made, so nothing is done; make a new one.")
    return said


def _plan(said: Mapping[str, Any], path: Path) -> Plan:
    try:
        return Plan.from_json(said["plan"])
    except (KeyError, TypeError, ValueError):
        _no_plan(path)


def _no_plan(path: Path) -> NoReturn:
    raise UsageError(f"--plan {path}: no plan of this version; make one: runner.py plan WORKFLOW --out FILE")


def _refuse_other_run(project: Project, plan: Plan, key: str, path: Path, inputs: Mapping[str, str]) -> None:
    """A plan is for one workflow, environment and set of inputs."""
    if plan.workflow != key:
        raise UsageError(f"The plan {path} is one of {plan.workflow}, not of {key}.")
    if plan.environment != (project.environment or ""):
        raise UsageError(
            f"The plan {path} is for the environment {plan.environment}, not {project.environment}; "
            f"name it with --env {plan.environment}, or make a new plan."
        )
    if not inputs:
        return
    from interoffice.model import codec
    from interoffice.plan.input_values import input_values
    from interoffice.plan.times import times_of

    workflow = plan.load().workflow
    values = input_values(project, workflow, inputs, times_of(project.settings, plan.planned, plan.zone))
    for name in inputs:
        if codec.encode(values[name]) != plan.inputs.get(name):
            raise UsageError(f"The plan {path} was made with another {name}; leave it out, or make a new plan.")


def _refuse_changed_files(project: Project, loaded: LoadedPlan, path: Path) -> None:
    plan = loaded.plan
    for file, text in plan.texts.items():
        if project.digest(file) != hashlib.sha256(text.encode()).hexdigest():
            _changed(project, file, path, plan.workflow)
    for file, digest in plan.digests.items():
        if project.digest(file) != digest:
            _changed(project, file, path, plan.workflow)
    for workflow in loaded.workflows.values():
        for step in walk((*workflow.steps, *workflow.on_failure, *workflow.always)):
            name = step.kind.bot if isinstance(step.kind, BotCall | Wait) else None
            bot = project.registry.find(name) if name else None
            if bot is not None and bot.file not in plan.digests:
                _changed(project, bot.file, path, plan.workflow)
    problems = _errors(project, plan.workflow)
    if problems:
        raise MistakesFound(problems)


def _errors(project: Project, key: str) -> list[Any]:
    from interoffice.plan.check_project import problems_of

    return [problem for problem in problems_of(project, key) if problem.severity == "error"]


def _refuse_changed_sources(project: Project, sources: Mapping[str, str], path: Path, key: str) -> None:
    for file, digest in sources.items():
        if project.digest(file) != digest:
            _changed(project, file, path, key, kind="The source")


def _changed(project: Project, file: str, path: Path, key: str, *, kind: str = "") -> NoReturn:
    words = kind or next((word for folder, word in KINDS.items() if file.startswith(folder)), "The file")
    words = "The bot" if file.endswith(".py") else words
    what = "is gone" if project.digest(file) is None else "has changed"
    raise Refused(
        f"{words} {file} {what} since the plan {path} was made, so nothing is done; "
        f"make a new one: runner.py plan {key} --out FILE"
    )
