"""JSON Schemas that know this project's bots, screens and tables."""

from __future__ import annotations

from pathlib import Path

from interoffice.loader.schema import write_schemas
from interoffice.loader.schema_workflow import Names
from interoffice.model.contract import Contract, DecisionTable, Layout, Queue, RiskTable, ScreeningList
from interoffice.plan.project import Project


def write_schemas_of(project: Project, to: Path) -> list[Path]:
    """Writes all schemas of the project into a folder; files that hold mistakes add no names."""
    return write_schemas(to, project.registry.bots.values(), _names(project))


def _names(project: Project) -> Names:
    files = {name: loaded.content for name in project.tables() if (loaded := project.table_file(name)) is not None}

    def named(kind: type) -> list[str]:
        return [name for name, content in files.items() if isinstance(content, kind)]

    settings = project.known_settings
    applications = (project.application_file(name) for name in project.applications())
    return Names(
        applications=[each.content for each in applications if each is not None and each.content is not None],
        contracts=named(Contract),
        layouts=named(Layout),
        decision_tables=named(DecisionTable),
        risk_tables=named(RiskTable),
        screening_lists=named(ScreeningList),
        queues=named(Queue),
        mail_accounts=settings.mail.accounts if settings is not None else (),
        templates=project.templates(),
        workflows=project.workflows(),
    )
