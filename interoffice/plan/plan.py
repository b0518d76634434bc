"""The plan of a run: everything that can be wrong has been found. It can be printed, has a digest, and is stored with
the run, so that a resume walks the same steps whatever has become of the files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, field
from datetime import datetime
from typing import Any

from interoffice.frozen import dataclass
from interoffice.model.values import Value
from interoffice.model.workflow import Workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How far a run goes: `only` the item of one key, at most `limit` items of each loop, `until` a step (that one
    included), `rehearse`: up to every act but not it. `rows`: what a plan file holds it to, by step."""

    rehearse: bool = False
    only: str | None = None
    limit: int | None = None
    until: str | None = None
    rows: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LoadedPlan:
    """A plan ready to be walked: the workflow, those it calls by key, and the inputs as values."""

    plan: Plan
    workflow: Workflow
    workflows: Mapping[str, Workflow]
    inputs: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is fixed of a run before it starts.

    `texts`: file -> text of the workflow and of those it calls. `inputs`: by the codec. `planned`: the moment that the
    run stands for, in the project's `zone`. `digests`: file -> SHA-256 of all it depends on. `outline`: what `describe`
    prints.
    """

    workflow: str
    texts: Mapping[str, str]
    inputs: Mapping[str, object]
    planned: datetime
    zone: str
    environment: str
    started_by: str
    options: RunOptions = RunOptions()
    digests: Mapping[str, str] = field(default_factory=dict)
    outline: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        said = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON; `from_json` reads it."""
        return {
            "workflow": self.workflow,
            "texts": dict(self.texts),
            "inputs": dict(self.inputs),
            "planned": self.planned.isoformat(),
            "zone": self.zone,
            "environment": self.environment,
            "started_by": self.started_by,
            "options": {**asdict(self.options), "rows": dict(self.options.rows)},
            "digests": dict(self.digests),
            "outline": list(self.outline),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Plan:
        """The inverse of `as_json`."""
        return cls(
            **{
                **said,
                "planned": datetime.fromisoformat(said["planned"]),
                "options": RunOptions(**said["options"]),
                "outline": tuple(said["outline"]),
            }
        )

    def load(self) -> LoadedPlan:
        """The workflows and values that the plan holds."""
        from interoffice.loader.workflow import load_workflow
        from interoffice.model import codec

        loaded = [load_workflow(text, file) for file, text in self.texts.items()]
        workflows = {workflow.key: workflow for workflow in loaded}
        return LoadedPlan(
            plan=self,
            workflow=workflows[self.workflow],
            workflows=workflows,
            inputs={name: codec.decode(value) for name, value in self.inputs.items()},
        )


def describe(plan: Plan) -> str:
    """The plan for a person: what it stands for, its inputs, and its numbered steps with what each touches."""
    from interoffice.model import codec
    from interoffice.model.formats import format_value

    lines = [
        f"{plan.workflow}, planned for {plan.planned:%Y-%m-%d %H:%M} ({plan.zone}), environment {plan.environment}"
    ]
    if plan.options.rehearse:
        lines.append("A rehearsal: every screen is filled and read back, nothing is committed or sent.")
    for name, value in plan.inputs.items():
        decoded = codec.decode(value)
        shown = ", ".join(map(format_value, decoded)) if isinstance(decoded, list | tuple) else format_value(decoded)
        lines.append(f"  {name}: {shown}")
    return "\n".join([*lines, "", *plan.outline])
