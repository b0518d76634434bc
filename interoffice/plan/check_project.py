"""The check of a project: its workflows, and every file that they name."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from interoffice.errors import UsageError
from interoffice.model.contract import TableFile
from interoffice.plan.check_schedules import check_schedules
from interoffice.plan.check_settings import check_settings
from interoffice.plan.check_table_files import check_table_file
from interoffice.plan.check_workflow import check_workflow_file
from interoffice.plan.project import LAYOUTS, SCHEDULES, SELECTORS, TABLES, WORKFLOWS, Project
from interoffice.plan.unused_screens import find_unused
from interoffice.problem import Problem, did_you_mean


def check_project(project: Project, only: Collection[str] | None = None) -> list[Problem]:
    """Every mistake of the project, or of some of its files: `only` names workflows by key or any file by its path."""
    problems: list[Problem] = []
    keys, files = _chosen(project, only)
    for key in keys:
        loaded = project.workflow_file(key)
        if loaded is not None:
            problems += check_workflow_file(project, loaded)
    problems += _problems_of_files(project, files, everything=only is None)
    if only is None:
        problems += find_unused(project)
    if only is None or keys:
        problems += project.registry.problems
    project.template_uses.save()
    return sorted(dict.fromkeys(problems), key=_place)


def problems_of(project: Project, key: str) -> list[Problem]:
    """The mistakes of a workflow, and of every file that it needs, those of workflows that it calls included.

    The project must have read no other files yet (`Project.afresh`): those that are read now are what is needed.
    """
    problems: list[Problem] = []
    loaded = project.workflow_file(key)
    if loaded is not None:
        problems += check_workflow_file(project, loaded)
    for file in list(project.files_read()):
        called = file.file.removeprefix(f"{WORKFLOWS}/").removesuffix(".yaml")
        if file.file.startswith(f"{WORKFLOWS}/") and called != key:
            other = project.workflow_file(called)
            problems += [] if other is None else check_workflow_file(project, other)
        elif not file.file.startswith(f"{WORKFLOWS}/"):
            problems += file.problems
    problems += project.registry.problems
    project.template_uses.save()
    return sorted(dict.fromkeys(problems), key=_place)


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.at.file, problem.at.line, problem.at.column, problem.rule


def _chosen(project: Project, only: Collection[str] | None) -> tuple[tuple[str, ...], frozenset[str]]:
    """The keys of the workflows and the other files that were asked for."""
    if only is None:
        return project.workflows(), frozenset()
    keys: dict[str, None] = {}
    files: set[str] = set()
    for name in only:
        for file in _files_meant(project, name.removeprefix("./").rstrip("/")):
            folder, _, last = file.rpartition("/")
            if folder == WORKFLOWS:
                keys[last.removesuffix(".yaml")] = None
            else:
                files.add(file)
    return tuple(keys), frozenset(files)


def _files_meant(project: Project, name: str) -> Iterator[str]:
    """The YAML files that a name means: a workflow's key, a file, or all of a folder. UsageError: there is none."""
    path = project.folder / name
    if path.is_dir():
        yield from (each.relative_to(project.folder).as_posix() for each in sorted(path.rglob("*.yaml")))
    elif path.is_file():
        yield name
    elif name in project.workflows():
        yield f"{WORKFLOWS}/{name}.yaml"
    else:
        meant = did_you_mean(name, project.workflows())
        hint = f'; did you mean "{meant}"?' if meant else ""
        raise UsageError(f'there is no workflow and no file "{name}" in {project.folder}{hint}')


def _problems_of_files(project: Project, files: Collection[str], *, everything: bool) -> Iterator[Problem]:
    """The mistakes of selectors, tables and settings; of a whole check all of them, else those of the named ones."""
    for folder, load in ((SELECTORS, project.application_file), (TABLES, project.table_file)):
        for name in project.names_in(folder) if folder == SELECTORS else project.tables():
            names = {f"{folder}/{name}.yaml", f"{LAYOUTS}/{name}.yaml" if folder == TABLES else ""}
            loaded = load(name) if everything or names & set(files) else None
            if loaded is not None:
                yield from loaded.problems
            if loaded is not None and loaded.is_read and isinstance(loaded.content, TableFile):
                yield from check_table_file(project, loaded.content)
    settings = project.settings_file if everything or "settings.yaml" in files else None
    if settings is not None:
        yield from settings.problems
        yield from check_settings(project)
    schedules = project.schedules_file if everything or SCHEDULES in files else None
    if schedules is not None:
        yield from schedules.problems
        if schedules.content is not None and schedules.is_read:
            yield from check_schedules(project, schedules.content)
