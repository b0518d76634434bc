"""One bot run by an operator: a workflow of one step, planned and stored like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from interoffice.errors import MistakesFound, UsageError
from interoffice.plan.plan import Plan
from interoffice.plan.project import LoadedFile, Project

KEY = "by_hand"
STEP = "call"
FILE = f"workflows/{KEY}.yaml"


def plan_by_hand(project: Project, bot: str, inputs: Mapping[str, str], *, planned: datetime, started_by: str) -> Plan:
    """The plan of a run that calls one bot. Dots reach into maps: `fields.amount=12.50`."""
    from interoffice.loader.workflow import load_workflow_with_problems
    from interoffice.plan.check_workflow import check_workflow_file
    from interoffice.plan.outline import outline

    text = _text(bot, inputs)
    workflow, problems = load_workflow_with_problems(text, FILE)
    loaded = LoadedFile(
        file=FILE,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        content=workflow,
        problems=tuple(problems),
    )
    errors = [each for each in check_workflow_file(project, loaded) if each.severity == "error"]
    if errors or workflow is None:
        raise _told(errors)
    settings = project.settings
    return Plan(
        workflow=KEY,
        texts={FILE: text},
        inputs={},
        planned=planned.astimezone(ZoneInfo(settings.timezone)),
        zone=settings.timezone,
        environment=project.environment or "",
        started_by=started_by,
        outline=outline(project, workflow),
    )


def _told(errors: list[Any]) -> Exception:
    """A file that nobody wrote has no lines to show: the first mistake as a sentence."""
    if not errors:
        return MistakesFound([])
    first = errors[0]
    hint = f'; did you mean "{first.suggestion}"?' if first.suggestion else ""
    return UsageError(f"{first.message}{hint}")


def _text(bot: str, inputs: Mapping[str, str]) -> str:
    import yaml

    given: dict[str, Any] = {}
    for name, value in inputs.items():
        place = given
        *outer, last = name.split(".")
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"--with {name}: {part} is a value already, not a map.")
        place[last] = [each.strip() for each in value[1:-1].split(",")] if _is_list(value) else value
    step: dict[str, Any] = {"id": STEP, "bot": bot} | ({"with": given} if given else {}) | {"timeout": "10m"}
    said = {"version": "1", "name": f"{bot} by hand", "steps": [step]}
    return yaml.safe_dump(said, allow_unicode=True, sort_keys=False, default_style=None)


def _is_list(value: str) -> bool:
    return value.startswith("[") and value.endswith("]")


def in_environment(project: Project, environment: str | None) -> Project:
    """The project as it is in an environment."""
    from interoffice.plan.making import in_environment as chosen

    return chosen(project, environment)
