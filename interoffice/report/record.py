"""What a report is told from: everything the ledger knows of one run, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from interoffice.model.table import Table
from interoffice.model.values import Formats
from interoffice.model.workflow import Workflow
from interoffice.store.views import ApprovalView, AttemptView, IntentView, ItemView, RunView, StepView


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run. `people` person id -> name; `masked` the columns that are never shown; `folder` holds the evidence."""

    run: RunView
    steps: tuple[StepView, ...]
    items: tuple[ItemView, ...]
    attempts: tuple[AttemptView, ...]
    intents: tuple[IntentView, ...]
    approvals: tuple[ApprovalView, ...]
    workflow: Workflow
    folder: Path
    formats: Formats
    offices: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    masked: frozenset[str] = frozenset()

    def person(self, person_id: str | None) -> str:
        """How a person is called; an account that isn't in settings.yaml by its id."""
        return self.people.get(person_id or "", person_id or "")

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Column -> kind of its type, in the order of the tables that steps gave."""
        return kinds_of(self.steps)

    def top_steps(self) -> tuple[StepView, ...]:
        """The steps outside loops, in the order they began."""
        inside = [step for step in self.steps if step.item_id is None and "[" not in step.path]
        return tuple(sorted(inside, key=lambda step: (step.started_at is None, step.started_at, step.position)))


def kinds_of(steps: Iterable[StepView]) -> Mapping[str, str]:
    """Column -> kind of its type, in the order of the tables that steps gave: how a row was meant to be read."""
    found: dict[str, str] = {}
    for step in steps:
        for value in step.outputs.values():
            if isinstance(value, Table):
                for name, type in value.columns.items():
                    found.setdefault(name, type.kind)
    return found
