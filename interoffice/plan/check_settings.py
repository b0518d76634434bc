"""What settings.yaml says of workflows: the limits of approvers name a workflow, an approval and its columns."""

from __future__ import annotations

from collections.abc import Iterator

from interoffice.language.scopes import columns_of
from interoffice.model.settings import ReleaseLimit, Settings
from interoffice.model.workflow import Approve, walk
from interoffice.plan.check_tables import is_open
from interoffice.plan.check_workflow import work_out
from interoffice.plan.project import Project
from interoffice.problem import Path, Problem, did_you_mean


def check_settings(project: Project) -> list[Problem]:
    """Every mistake in what the settings say of workflows; those of their shape are the loader's."""
    settings = project.known_settings
    if settings is None or project.settings_file is None:
        return []
    found: list[Problem] = []
    for number, limit in enumerate(settings.release_limits):
        found += _check_limit(project, settings, limit, ("release_limits", number))
    return found


def _check_limit(project: Project, settings: Settings, limit: ReleaseLimit, path: Path) -> Iterator[Problem]:
    loaded = project.workflow_file(limit.workflow)
    if loaded is None:
        meant = did_you_mean(limit.workflow, project.workflows())
        message = f'there is no workflow "{limit.workflow}"'
        yield _problem(settings, "R08", (*path, "workflow"), message, meant)
        return
    if loaded.content is None:
        return
    approvals = [step.id for step in walk(loaded.content.steps) if isinstance(step.kind, Approve)]
    if limit.step not in approvals:
        meant = did_you_mean(limit.step, approvals)
        message = f'workflow "{limit.workflow}" has no approval "{limit.step}"'
        yield _problem(settings, "R01", (*path, "step"), message, meant)
        return
    rows = work_out(project, loaded.content).facts[limit.step].outputs["approved"].type
    for key, column in (("amount", limit.amount), ("currency", limit.currency)):
        if column is not None and column not in columns_of(rows) and not is_open(rows):
            meant = did_you_mean(column, columns_of(rows))
            message = f'the rows that "{limit.step}" decides on have no column "{column}"'
            yield _problem(settings, "C03", (*path, key), message, meant)


def _problem(settings: Settings, rule: str, path: Path, message: str, meant: str | None) -> Problem:
    return Problem(rule=rule, message=message, at=settings.source.at(path), suggestion=meant)
