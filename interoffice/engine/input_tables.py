"""Tables that come in as files: inputs of type table, read against their contract once; and `tables.<name>`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from interoffice.engine.run import Run
from interoffice.errors import ProjectError
from interoffice.model.contract import Contract
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value
from interoffice.plan.plan import LoadedPlan
from interoffice.plan.project import Project


def inputs_with_tables(run: Run, loaded: LoadedPlan) -> Mapping[str, Value]:
    """The inputs; a file given for a table is read against its contract, from then on it is that content."""
    found = dict(loaded.inputs)
    for name, declared in loaded.workflow.inputs.items():
        value = found.get(name)
        if declared.type == "table" and isinstance(value, FileValue) and declared.columns is not None:
            found[name] = read_contract_file(run.project, run.folder, value.path, declared.columns, run.times.zone)
    return found


def read_contract_file(project: Project, folder: Path, path: str, contract_name: str, zone: str) -> Table:
    """The table in a file by a contract of tables/, read in a child process with bounds."""
    from interoffice.resources.tables_in import TableReader

    contract, settings = project.contract(contract_name), project.settings
    if not isinstance(contract, Contract):
        raise ProjectError(f'"{contract_name}" in tables/ is no table contract; name another one under "columns"')
    with TableReader(
        out=folder / "tables",
        zone=zone,
        patterns=project.patterns,
        largest_bytes=settings.files.largest_bytes,
        unpacked_bytes=settings.files.unpacked_at_most_bytes,
        rows=settings.tables.rows_at_most,
        within_s=float(settings.tables.read_within.total_seconds),
    ) as reader:
        return reader.read(project.folder / path, contract, name=path)


class ProjectTables(Mapping[str, Value]):
    """`tables.<name>`: the rows of a decision table, read when an expression asks for them."""

    def __init__(self, project: Project, folder: Path) -> None:
        self._project = project
        self._folder = folder
        self._read: dict[str, Table] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = _decision_rows(self._project.contract(name), self._project)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._project.tables()

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _decision_rows(content: Any, project: Project) -> Table:
    """The rows of the CSV that a decision table names, its cells as texts: ranges and `*` are no values."""
    import csv

    from interoffice.model.types import TEXT

    file = getattr(content, "file", None)
    if file is None:
        raise ProjectError(f"{content.source.file} has no rows of its own; an expression can't read them")
    with open(project.folder / file, newline="", encoding="utf-8-sig") as opened:
        reader = csv.DictReader(opened)
        rows = [{name: cell or None for name, cell in row.items()} for row in reader]
        return Table.from_rows(dict.fromkeys(reader.fieldnames or (), TEXT), rows)
