"""The files of a project folder, each read once when it is first asked for. No store and no engine is needed for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Final, Generic, TypeVar, cast

from interoffice.errors import MistakesFound, ProjectError, UsageError
from interoffice.frozen import dataclass
from interoffice.loader.composer import decode
from interoffice.model.contract import TableFile
from interoffice.model.schedule import Schedules
from interoffice.model.selectors import Application
from interoffice.model.settings import Settings
from interoffice.model.workflow import Workflow
from interoffice.plan.template_use import TemplateUses
from interoffice.problem import Problem, Source, did_you_mean
from interoffice.registry import Registry

T = TypeVar("T")
Load = Callable[[str, str], tuple[T | None, list[Problem]]]

WORKFLOWS: Final = "workflows"
SELECTORS: Final = "selectors"
TABLES: Final = "tables"
LAYOUTS: Final = "tables/layouts"
SCHEDULES: Final = "schedules.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedFile(Generic[T]):
    """A file as it was read: what it says (None where it can't be read at all), its mistakes, its text and digest."""

    file: str
    text: str
    digest: str
    content: T | None
    problems: tuple[Problem, ...] = ()

    @property
    def is_sound(self) -> bool:
        """True when it has no error of its own."""
        return self.content is not None and not any(problem.severity == "error" for problem in self.problems)

    @property
    def is_read(self) -> bool:
        """True when nothing in it was misread: what it says can be relied on, whether or not it makes sense."""
        return self.content is not None and not any(problem.rule[0] in "YS" for problem in self.problems)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project folder. `credentials`: the names that are stored; None: nothing is said of credentials (K02)."""

    folder: Path
    environment_name: str | None = None
    credentials: frozenset[str] | None = None
    _read: dict[str, LoadedFile[object]] = field(default_factory=dict, repr=False)
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    _templates: dict[str, str | None] = field(default_factory=dict, repr=False)

    def afresh(self) -> Project:
        """The same project with nothing read yet but its bots."""
        fresh = Project(folder=self.folder, environment_name=self.environment_name, credentials=self.credentials)
        fresh.__dict__["registry"] = self.registry
        return fresh

    # workflows

    def workflows(self) -> tuple[str, ...]:
        """The keys of all workflows, sorted."""
        return self.names_in(WORKFLOWS)

    def workflow(self, key: str) -> Workflow:
        """A workflow without mistakes of its own; MistakesFound else, UsageError where there is none."""
        loaded = self.workflow_file(key)
        if loaded is None:
            meant = did_you_mean(key, self.workflows())
            raise UsageError(
                f'there is no workflow "{key}"' + (f'; did you mean "{meant}"?' if meant else f" in {self.folder}")
            )
        if loaded.content is None or not loaded.is_sound:
            raise MistakesFound(loaded.problems)
        return loaded.content

    def workflow_file(self, key: str) -> LoadedFile[Workflow] | None:
        """A workflow file with its mistakes; None where there is none."""
        from interoffice.loader.workflow import load_workflow_with_problems

        return self._file(f"{WORKFLOWS}/{key}.yaml", load_workflow_with_problems)

    # what workflows name

    def application_file(self, name: str) -> LoadedFile[Application] | None:
        """A file of selectors/ with its mistakes."""
        from interoffice.loader.selectors import load_application_with_problems

        return self._file(f"{SELECTORS}/{name}.yaml", load_application_with_problems)

    def application(self, name: str) -> Application:
        """An application; MistakesFound, or ProjectError where there is none."""
        return _sound(self.application_file(name), f'there is no application "{name}" in {SELECTORS}/')

    def table_file(self, name: str) -> LoadedFile[TableFile] | None:
        """A file of tables/ or tables/layouts/ with its mistakes."""
        from interoffice.loader.contracts import load_contract_with_problems

        folder = TABLES if (self.folder / TABLES / f"{name}.yaml").exists() else LAYOUTS
        return self._file(f"{folder}/{name}.yaml", load_contract_with_problems)

    def contract(self, name: str) -> TableFile:
        """What a file of tables/ says; MistakesFound, or ProjectError where there is none."""
        return _sound(self.table_file(name), f'there is no table "{name}" in {TABLES}/')

    def applications(self) -> tuple[str, ...]:
        """The names of all applications, sorted."""
        return self.names_in(SELECTORS)

    def tables(self) -> tuple[str, ...]:
        """The names of all files of tables/, layouts included, sorted."""
        return tuple(sorted({*self.names_in(TABLES), *self.names_in(LAYOUTS)}))

    def template(self, path: str) -> str | None:
        """The text of a mail template, its path counted from the workflows; None where there is none."""
        if path not in self._templates:
            file = self._inside(WORKFLOWS, path)
            try:
                self._templates[path] = None if file is None else file.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                self._templates[path] = None
        return self._templates[path]

    def templates(self) -> tuple[str, ...]:
        """The paths of all mail templates, as a step names them."""
        folder = self.folder / WORKFLOWS
        return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.html")))

    # settings, patterns, bots

    @cached_property
    def settings_file(self) -> LoadedFile[Settings] | None:
        """settings.yaml with its mistakes."""
        from interoffice.loader.settings import load_settings_with_problems

        return self._file("settings.yaml", load_settings_with_problems)

    @property
    def schedules_file(self) -> LoadedFile[Schedules] | None:
        """schedules.yaml with its mistakes; None where there is none."""
        from interoffice.loader.schedules import load_schedules_with_problems

        return self._file(SCHEDULES, load_schedules_with_problems)

    @property
    def settings(self) -> Settings:
        """The settings; those of a project without settings.yaml are the defaults."""
        if self.settings_file is None:
            return default_settings()
        return _sound(self.settings_file, "settings.yaml is missing")

    @cached_property
    def known_settings(self) -> Settings | None:
        """The settings as far as they can be read, for checking on; None where they can't."""
        if self.settings_file is None:
            return default_settings()
        return self.settings_file.content if self.settings_file.is_read else None

    @property
    def environment(self) -> str | None:
        """The environment that counts: the one asked for, else that of the settings."""
        if self.environment_name is not None:
            return self.environment_name
        return None if self.known_settings is None else self.known_settings.environment

    @cached_property
    def patterns(self) -> Mapping[str, str]:
        """The named patterns of tables/patterns.yaml: name -> like."""
        from interoffice.model.contract import Patterns

        loaded = self.table_file("patterns") if "patterns" in self.tables() else None
        content = None if loaded is None else loaded.content
        if not isinstance(content, Patterns):
            return {}
        return {name: pattern.like for name, pattern in content.patterns.items()}

    @cached_property
    def registry(self) -> Registry:
        """The bots."""
        return Registry.of_project(self.folder)

    @cached_property
    def template_uses(self) -> TemplateUses:
        """What mail templates use."""
        return TemplateUses(self.folder / "state" / "cache" / "templates.json")

    # files

    def names_in(self, folder: str) -> tuple[str, ...]:
        """The names (without .yaml) of the YAML files of one folder, sorted."""
        if folder not in self._names:
            self._names[folder] = tuple(sorted(path.stem for path in (self.folder / folder).glob("*.yaml")))
        return self._names[folder]

    def digest(self, file: str) -> str | None:
        """SHA-256 of a file of the project, None where there is none."""
        try:
            return hashlib.sha256((self.folder / file).read_bytes()).hexdigest()
        except OSError:
            return None

    def files_read(self) -> Iterator[LoadedFile[object]]:
        """Every file that was read so far."""
        yield from self._read.values()

    def _file(self, file: str, load: Load[T]) -> LoadedFile[T] | None:
        if file not in self._read:
            data = self._data(file)
            if data is None:
                return None
            self._read[file] = cast(LoadedFile[object], _load(data, file, load))
        return cast(LoadedFile[T], self._read[file])

    def _data(self, file: str) -> bytes | None:
        folder, _, name = file.rpartition("/")
        path = self._inside(folder, name)
        try:
            return None if path is None else path.read_bytes()
        except (OSError, ValueError):
            return None

    def _inside(self, folder: str, name: str) -> Path | None:
        """The path of a name that doesn't lead out of its folder."""
        base = (self.folder / folder).resolve()
        try:
            path = (base / name).resolve()
        except (OSError, ValueError):
            return None
        return path if path.is_relative_to(base) else None


def _load(data: bytes, file: str, load: Load[T]) -> LoadedFile[T]:
    digest = hashlib.sha256(data).hexdigest()
    try:
        text = decode(data, file)
    except MistakesFound as found:
        return LoadedFile(file=file, text="", digest=digest, content=None, problems=found.problems)
    content, problems = load(text, file)
    return LoadedFile(file=file, text=text, digest=digest, content=content, problems=tuple(problems))


def _sound(loaded: LoadedFile[T] | None, missing: str) -> T:
    if loaded is None:
        raise ProjectError(missing)
    if loaded.content is None or not loaded.is_sound:
        raise MistakesFound(loaded.problems)
    return loaded.content


def default_settings() -> Settings:
    """The settings of a project that has no settings.yaml."""
    return Settings(source=Source(file="settings.yaml", text="", values={}, keys={}))


def open_project(folder: Path) -> Project:
    """The project of a folder; UsageError where the folder is none."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; name the project's folder with --project")
    if not (folder / WORKFLOWS).is_dir() and not (folder / "settings.yaml").exists():
        raise UsageError(f"{folder} is no project: it has neither {WORKFLOWS}/ nor settings.yaml")
    return Project(folder=folder)
