"""Name -> bot. Finds `bots/<office>/*.py`, reads what they declare without importing them, imports one when it is run.

The project's own bots come first, then the standard ones that Interoffice brings; a project's bot of the same name
replaces the standard one, but two of one name within one folder are a mistake that names both files.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from interoffice.declaration import BotDescription, DeclarationError, Office, read_declarations
from interoffice.errors import ProjectError, UsageError
from interoffice.frozen import dataclass
from interoffice.problem import Position, Problem

OFFICES: Final[Mapping[str, Office]] = {
    "front_office": "front",
    "middle_office": "middle",
    "back_office": "back",
    "every_office": "every",
}
CACHE_FORMAT: Final = 3


def standard_bots() -> Path | None:
    """The folder of the bots that Interoffice brings: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    candidates = (package / "bots", package.parent / "bots")
    return next((one for one in candidates if any((one / office).is_dir() for office in OFFICES)), None)


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The bots of a project. `folders` in the order they are searched; `cache` a file that may be thrown away."""

    folders: Sequence[Path]
    project: Path
    cache: Path | None = None

    @classmethod
    def of_project(cls, project: Path) -> Registry:
        """The bots of a project folder and the standard ones behind them."""
        folders = [project / "bots"]
        standard = standard_bots()
        if standard is not None and standard.resolve() != folders[0].resolve():
            folders.append(standard)
        return cls(folders=folders, project=project, cache=project / "state" / "cache" / "bots.json")

    def find(self, name: str) -> BotDescription | None:
        """The bot of this name, None where there is none."""
        return self.content.bots.get(name)

    @property
    def bots(self) -> Mapping[str, BotDescription]:
        """Every bot by name."""
        return self.content.bots

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Files that can't be read as bots, and two bots of one name."""
        return self.content.problems

    @property
    def broken(self) -> frozenset[str]:
        """Modules whose file can't be read: what their bots are called is not known."""
        return self.content.broken

    @property
    def digests(self) -> Mapping[str, str]:
        """Bot file -> SHA-256 of its text, for the plan."""
        return self.content.digests

    def load(self, name: str) -> Callable[..., Any]:
        """The bot itself; imports its module and no other."""
        description = self.find(name)
        if description is None:
            raise UsageError(f'there is no bot "{name}"; see them with: runner.py bots')
        module = _import_bot(self._path(description), description)
        return _renaming(getattr(module, description.function), description)

    def _path(self, description: BotDescription) -> Path:
        path = Path(description.file)
        return path if path.is_absolute() else self.project / path

    @cached_property
    def content(self) -> RegistryContent:
        """All that was found, read on first use."""
        kept = _Cache.open(self.cache)
        finding = _Finding()
        for folder in self.folders:
            finding.folder(folder, self.project, kept)
        kept.save()
        return finding.result()


@dataclass(frozen=True, kw_only=True)
class RegistryContent:
    """What the files of bots say."""

    bots: Mapping[str, BotDescription]
    problems: tuple[Problem, ...]
    broken: frozenset[str]
    digests: Mapping[str, str]


class _Finding:
    """What was found so far."""

    def __init__(self) -> None:
        self.bots: dict[str, BotDescription] = {}
        self.problems: list[Problem] = []
        self.broken: set[str] = set()
        self.digests: dict[str, str] = {}

    def folder(self, folder: Path, project: Path, cache: _Cache) -> None:
        here: dict[str, BotDescription] = {}
        for path, office in bot_files(folder):
            shown = _shown(path, project)
            try:
                data = path.read_bytes()
                self.digests[shown] = digest = hashlib.sha256(data).hexdigest()
                bots = cache.get(shown, digest)
                if bots is None:
                    bots = read_declarations(data.decode(), file=shown, module=path.stem, office=office)
                    cache.put(shown, digest, bots)
            except (DeclarationError, UnicodeDecodeError, OSError) as error:
                self.broken.add(path.stem)
                self.problems.append(_broken(shown, error))
                continue
            for bot in bots:
                self._add(bot, here)
        for name, bot in here.items():
            self.bots.setdefault(name, bot)

    def _add(self, bot: BotDescription, here: dict[str, BotDescription]) -> None:
        other = here.setdefault(bot.name, bot)
        if other is not bot:
            message = f'there are two bots "{bot.name}": in {other.file} and in {bot.file}; rename one'
            at = Position(file=bot.file, line=bot.line, column=1)
            self.problems.append(Problem(rule="B01", message=message, at=at))

    def result(self) -> RegistryContent:
        return RegistryContent(
            bots=self.bots,
            problems=tuple(self.problems),
            broken=frozenset(self.broken),
            digests=self.digests,
        )


def bot_files(folder: Path) -> Iterator[tuple[Path, Office]]:
    """The bot modules of a bots/ folder, in a fixed order; names that begin with _ are no bots."""
    for name, office in OFFICES.items():
        for path in sorted((folder / name).glob("*.py")):
            if not path.name.startswith("_"):
                yield path, office


def _shown(path: Path, project: Path) -> str:
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)


def _broken(file: str, error: Exception) -> Problem:
    line = error.line if isinstance(error, DeclarationError) else 1
    reason = error.message if isinstance(error, DeclarationError) else str(error)
    message = f"the bots of this file can't be read: {reason}"
    return Problem(rule="B01", message=message, at=Position(file=file, line=line, column=1))


class _Cache:
    """Declarations by file digest; what is damaged or can't be written is simply read again."""

    def __init__(self, path: Path | None, kept: dict[str, Any]) -> None:
        self._path = path
        self._kept = kept
        self._used: dict[str, Any] = {}

    @classmethod
    def open(cls, path: Path | None) -> _Cache:
        try:
            said = json.loads(path.read_text()) if path is not None else {}
        except (OSError, ValueError):
            said = {}
        fits = isinstance(said, dict) and said.get("format") == CACHE_FORMAT
        return cls(path, said.get("files", {}) if fits else {})

    def get(self, file: str, digest: str) -> tuple[BotDescription, ...] | None:
        entry = self._kept.get(f"{file} {digest}")
        if entry is None:
            return None
        try:
            bots = tuple(BotDescription.from_json(one) for one in entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        self._used[f"{file} {digest}"] = entry
        return bots

    def put(self, file: str, digest: str, bots: tuple[BotDescription, ...]) -> None:
        self._used[f"{file} {digest}"] = [bot.as_json() for bot in bots]

    def save(self) -> None:
        if self._path is None or self._used.keys() == self._kept.keys():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            written = self._path.with_suffix(f".{os.getpid()}")
            written.write_text(json.dumps({"format": CACHE_FORMAT, "files": self._used}))
            written.replace(self._path)
        except OSError:
            return  # a read-only project is checked without a cache


def _import_bot(path: Path, description: BotDescription) -> Any:
    office = path.parent.name
    plain = f"bots.{office}.{path.stem}"
    if _is_at(plain, path):
        return importlib.import_module(plain)
    name = f"bots_{hashlib.sha256(str(path.parent.parent.resolve()).encode()).hexdigest()[:8]}.{office}.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ProjectError(f"{description.file} can't be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _renaming(function: Callable[..., Any], description: BotDescription) -> Callable[..., Any]:
    """The bot as workflows call it: an input `from` is `from_` in Python, which keeps that word for itself."""
    renamed = {one.name: one.argument for one in description.inputs.values() if one.argument != one.name}
    if not renamed:
        return function

    @functools.wraps(function)
    def called(context: Any, **inputs: Any) -> Any:
        return function(context, **{renamed.get(name, name): value for name, value in inputs.items()})

    return called


def _is_at(name: str, path: Path) -> bool:
    """True when the module of this name, as Python would import it, is that file."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == path.resolve()
