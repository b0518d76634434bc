"""The check of a whole workflow: its inputs, its steps, its outputs, what it does when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from interoffice.model.types import ANY, DATE, FILE, TEXT, Type, list_of, record_of, table_of
from interoffice.model.workflow import Input, Raw, Workflow
from interoffice.plan.check_flow import check_flow
from interoffice.plan.check_secrets import check_secrets
from interoffice.plan.check_steps import walk_steps
from interoffice.plan.checking import Checking, record_known
from interoffice.plan.fitting import misfit
from interoffice.plan.input_types import whole_type
from interoffice.plan.project import LoadedFile, Project
from interoffice.plan.scope import Known, Scope
from interoffice.problem import Path, Problem, did_you_mean

RUN: Final[Mapping[str, Type]] = {"id": TEXT, "date": DATE, "started_by": TEXT, "failed_step": TEXT}
ENDED: Final[Mapping[str, Type]] = {**RUN, "error": TEXT, "report": TEXT}
WORKFLOW: Final = record_of({"name": TEXT, "owner": TEXT})
TRIGGER: Final = record_of(
    {"file": FILE, "files": list_of(FILE), "message": record_of({}, open=True), "items": table_of({}, open=True)}
)
TIME_DEFAULTS: Final = frozenset(("today", "now", "yesterday", "previous_business_day"))


def check_workflow(project: Project, workflow: Workflow) -> list[Problem]:
    """Every mistake in what a workflow means; mistakes of its shape are the loader's."""
    checking = Checking(project=project, workflow=workflow, read_workflow=read_workflow, chain=(workflow.key,))
    read_workflow(checking, {})
    check_secrets(checking)
    if not any(problem.severity == "error" for problem in checking.problems):
        check_flow(checking)
    return sorted(checking.problems, key=_place)


def work_out(project: Project, workflow: Workflow) -> Checking:
    """What is known of a workflow's steps, without a word about its mistakes."""
    checking = Checking(
        project=project, workflow=workflow, read_workflow=read_workflow, chain=(workflow.key,), is_quiet=True
    )
    read_workflow(checking, {})
    return checking


def check_workflow_file(project: Project, loaded: LoadedFile[Workflow]) -> list[Problem]:
    """Every mistake of a workflow file, of shape and of meaning; on a line with a mistake of shape only that."""
    if loaded.content is None:
        return list(loaded.problems)
    lines = {problem.at.line for problem in loaded.problems if problem.severity == "error"}
    meant = check_workflow(project, loaded.content)
    if lines:
        meant = [one for one in meant if one.severity == "error" and one.at.line not in lines]
    return sorted([*loaded.problems, *meant], key=_place)


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.at.file, problem.at.line, problem.at.column, problem.rule


def read_workflow(checking: Checking, given: Mapping[str, Known]) -> Mapping[str, Known]:
    """Checks inputs, steps and outputs of a workflow that is called with these inputs; gives its outputs."""
    workflow = checking.workflow
    start = Scope(
        at=("inputs",),
        names=_names(checking.project, RUN),
        steps=checking.facts,
        places=checking.places,
        patterns=checking.project.patterns,
    )
    for declared in workflow.inputs.values():
        _check_default(checking, declared, start)
    inputs = {
        name: given.get(name) or Known(type=whole_type(checking.project, declared))
        for name, declared in workflow.inputs.items()
    }
    running = start.naming({"inputs": record_known(inputs)})
    walk_steps(checking, workflow.steps, running)
    outputs = {
        name: checking.value(raw, ("outputs", name), running.here(("outputs", name)))
        for name, raw in workflow.outputs.items()
    }
    ending = running.naming(_names(checking.project, ENDED))
    walk_steps(checking, workflow.on_failure, ending)
    walk_steps(checking, workflow.always, ending)
    checking.outputs = outputs
    return outputs


def _names(project: Project, run: Mapping[str, Type]) -> dict[str, Known]:
    return {
        "run": Known(type=record_of(run)),
        "workflow": Known(type=WORKFLOW),
        "trigger": Known(type=TRIGGER),
        "tables": Known(type=Type("record", fields=_Tables(project))),
    }


class _Tables(Mapping[str, Type]):
    """The tables of a project, each read when it is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def __getitem__(self, name: str) -> Type:
        if name not in self._project.tables():
            raise KeyError(name)
        loaded = self._project.table_file(name)
        if loaded is None or loaded.content is None:
            return ANY
        given = getattr(loaded.content, "given", {})
        columns = {column: each.type for column, each in given.items()}
        return table_of({**columns, **loaded.content.column_types})

    def __iter__(self) -> Iterator[str]:
        return iter(self._project.tables())

    def __len__(self) -> int:
        return len(self._project.tables())


def _check_default(checking: Checking, declared: Input, scope: Scope) -> None:
    """Defaults made by an expression, and bare words that are no time word; what is written out is the loader's."""
    if declared.columns is not None:
        _check_contract(checking, declared)
    if declared.has_default and declared.type != "any":
        path = (*declared.path, "default")
        for raw, place in _parts(declared.default, path):
            _check_one_default(checking, declared, raw, place, scope)


def _parts(raw: Raw, path: Path) -> Iterator[tuple[Raw, Path]]:
    if isinstance(raw, tuple):
        for number, part in enumerate(raw):
            yield part, (*path, number)
    else:
        yield raw, path


def _check_one_default(checking: Checking, declared: Input, raw: Raw, path: Path, scope: Scope) -> None:
    if not isinstance(raw, str):
        return
    if "{{" in raw:
        known = checking.value(raw, path, scope)
        wrong = misfit(whole_type(checking.project, declared), known.type, raw)
        if wrong is not None:
            checking.report("B04", path, f'the default of "{declared.name}" {wrong.message}')
    elif declared.type in ("date", "date_time") and raw.isidentifier() and raw not in TIME_DEFAULTS:
        meant = did_you_mean(raw, TIME_DEFAULTS)
        message = f'"{raw}" is no {declared.type.replace("_", "-")} and no word for one'
        checking.report("S05", path, message, suggestion=meant)


def _check_contract(checking: Checking, declared: Input) -> None:
    project = checking.project
    if declared.columns not in project.tables():
        meant = did_you_mean(str(declared.columns), project.tables())
        message = f'there is no table contract "{declared.columns}" in tables/'
        checking.report("R09", (*declared.path, "columns"), message, suggestion=meant)
