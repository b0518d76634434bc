"""What a preview saw not to be done (skipped, another branch, behind a stop): a run of the kept plan must not do it.

Steps that follow from a failure or from being late are left out: a plan does not foresee those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interoffice.engine.held_rows import NO_CALL, NO_ROWS
from interoffice.engine.preview_spot import Tour
from interoffice.engine.previewed import StepSeen
from interoffice.model.workflow import BotCall, Choose, ForEach, Step, SubWorkflow
from interoffice.plan.plan import LoadedPlan
from interoffice.plan.writing import is_writing, writes


def hold_what_is_not_done(tour: Tour, loaded: LoadedPlan, seen: Sequence[StepSeen]) -> None:
    """Holds every loop and call that acts, and that the preview did not come to, to nothing."""
    met = {each.path for step in seen for each in step.every() if each.state != "skipped"}
    for path, step in _acting(tour, loaded, loaded.workflow.steps, ""):
        if path not in met:
            tour.held[path] = NO_ROWS if isinstance(step.kind, ForEach) else NO_CALL


def _acting(tour: Tour, loaded: LoadedPlan, steps: Sequence[Step], prefix: str) -> Iterator[tuple[str, Step]]:
    """The loops and calls outside of loops that change or send something, with their paths."""
    project = tour.run.project
    for step in steps:
        match step.kind:
            case BotCall() if is_writing(project, step):
                yield prefix + step.id, step
            case ForEach(do=do) if writes(project, do) is not None:
                yield prefix + step.id, step
            case Choose(branches=branches, otherwise=otherwise):
                for listed in (*(branch.do for branch in branches), otherwise or ()):
                    yield from _acting(tour, loaded, listed, prefix)
            case SubWorkflow(workflow=key):
                yield from _acting(tour, loaded, loaded.workflows[key].steps, f"{prefix}{step.id}.")
