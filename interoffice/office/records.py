"""What listings and reports need of a run beside the ledger: its workflow, its formats, what must be masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from interoffice.model.values import Formats
from interoffice.plan.plan import LoadedPlan, Plan
from interoffice.plan.project import Project
from interoffice.store import Ledger, intents

if TYPE_CHECKING:
    from interoffice.report.record import Record


def formats_of_project(project: Project) -> Formats:
    """How dates and numbers are written for people in this project."""
    from interoffice.plan.times import formats_of

    return formats_of(project.settings)


def loaded_plan(ledger: Ledger, run_id: str) -> LoadedPlan:
    """The stored plan of a run, its workflows read."""
    return Plan.from_json(json.loads(ledger.plan(run_id))).load()


def masked_columns(project: Project, plan: LoadedPlan) -> frozenset[str]:
    """Columns that are never shown: `mask:` of the workflows, and `sensitive: true` of the tables they may read."""
    from interoffice.model.contract import Contract

    masked = {name for workflow in plan.workflows.values() for name in workflow.mask}
    for name in project.tables():
        loaded = project.table_file(name)
        if loaded is not None and isinstance(loaded.content, Contract):
            masked |= {column.name for column in loaded.content.columns.values() if column.sensitive}
    return frozenset(masked)


def read_record(project: Project, ledger: Ledger, run_id: str, folder: Path) -> Record:
    """Everything the ledger knows of a run."""
    from interoffice.report.record import Record

    plan = loaded_plan(ledger, run_id)
    return Record(
        run=ledger.run(run_id),
        steps=ledger.steps(run_id),
        items=ledger.items(run_id),
        attempts=ledger.attempts(run_id),
        intents=ledger.read(lambda tx: intents.in_state(tx, "confirmed", run_id)),
        approvals=ledger.approvals(None, run_id),
        workflow=plan.workflow,
        folder=folder,
        formats=formats_of_project(project),
        people={name: person.name for name, person in project.settings.people.items()},
        masked=masked_columns(project, plan),
    )
