"""Which steps change or send something."""

from __future__ import annotations

from collections.abc import Iterator

from interoffice.model.workflow import BotCall, Step, SubWorkflow, walk
from interoffice.plan.project import Project


def writes(project: Project, steps: tuple[Step, ...]) -> Step | None:
    """The first of these steps, or of those in them and in their sub-workflows, that changes or sends something."""
    return next((step for step in everything(project, steps) if is_writing(project, step)), None)


def is_writing(project: Project, step: Step) -> bool:
    """True of a step that calls a bot that changes or sends."""
    if not isinstance(step.kind, BotCall):
        return False
    bot = project.registry.find(step.kind.bot)
    return bot is not None and bot.writes


def everything(project: Project, steps: tuple[Step, ...]) -> Iterator[Step]:
    """These steps, those in them, and those of the sub-workflows that they call."""
    return (step for step, _ in _everything(project, steps, ()))


def _everything(
    project: Project, steps: tuple[Step, ...], outer: tuple[str, ...]
) -> Iterator[tuple[Step, tuple[str, ...]]]:
    for step in walk(steps):
        yield step, outer
        if isinstance(step.kind, SubWorkflow) and step.kind.workflow not in outer:
            loaded = project.workflow_file(step.kind.workflow)
            if loaded is not None and loaded.content is not None:
                yield from _everything(project, loaded.content.steps, (*outer, step.kind.workflow))
