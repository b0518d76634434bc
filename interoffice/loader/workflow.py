"""A workflow file: its text -> Workflow, with every mistake of YAML and shape at once.

What the words mean (do bots and columns exist, do types fit) is found by `interoffice.plan`.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final, Literal

from interoffice.errors import MistakesFound
from interoffice.loader.step_parts import read_inputs, retry
from interoffice.loader.steps import Steps
from interoffice.loader.yaml_tree import Fields, Reading, compose
from interoffice.model.workflow import Workflow
from interoffice.problem import Problem

TOP_KEYS: Final = (
    "version",
    "name",
    "description",
    "owner",
    "inputs",
    "overlap",
    "locks",
    "mask",
    "timeout",
    "defaults",
    "steps",
    "outputs",
    "on_failure",
    "always",
)
OVERLAP: Final[tuple[Literal["skip", "queue", "replace", "allow"], ...]] = ("skip", "queue", "replace", "allow")
DEFAULT_KEYS: Final = ("timeout", "retry")


def load_workflow(text: str, file: str) -> Workflow:
    """The workflow of a file's text; MistakesFound with all its mistakes. `file` is relative to the project."""
    workflow, problems = load_workflow_with_problems(text, file)
    if workflow is None or any(problem.severity == "error" for problem in problems):
        raise MistakesFound(problems)
    return workflow


def load_workflow_with_problems(text: str, file: str) -> tuple[Workflow | None, list[Problem]]:
    """The workflow as far as it can be read, and its mistakes; None where YAML itself can't be read.

    With mistakes the workflow is for checking on only, never for a run: a step that can't be read is `Unread`, an input
    whose type is unknown has the type "any", a misspelt key is read as what was meant.
    """
    try:
        reading = Reading(compose(text, file))
    except MistakesFound as found:
        return None, list(found.problems)
    top = reading.top(*TOP_KEYS)
    read_version(top)
    workflow = _workflow(top, PurePosixPath(file).stem)
    top.close()
    return workflow, reading.sorted_problems()


def read_version(top: Fields) -> None:
    """Reports a `version:` other than 1 (S07)."""
    version = top.text("version", required=True)
    if version and version != "1":
        top.problem("S07", "version", f'version "{version}" is not known here; this Interoffice reads version 1', "1")


def _workflow(top: Fields, key: str) -> Workflow:
    steps = Steps(reading=top.reading)
    defaults = top.sub("defaults", *DEFAULT_KEYS)
    workflow = Workflow(
        key=key,
        name=top.text("name", required=True),
        source=top.reading.source,
        description=top.text("description"),
        owner=top.text("owner"),
        inputs=read_inputs(top),
        steps=steps.steps(top, "steps", required=True),
        outputs=top.map("outputs"),
        on_failure=steps.steps(top, "on_failure"),
        always=steps.steps(top, "always"),
        overlap=top.choice("overlap", OVERLAP, "skip"),
        locks=top.texts("locks"),
        mask=top.texts("mask"),
        timeout=top.duration("timeout"),
        default_timeout=defaults.duration("timeout") if defaults else None,
        default_retry=retry(defaults) if defaults else None,
    )
    if defaults:
        defaults.close()
    return workflow
