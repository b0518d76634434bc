"""`check --fix`: the safe corrections, made in the files; everything else stays byte for byte."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interoffice.errors import MistakesFound
from interoffice.loader.composer import compose, decode
from interoffice.problem import Edit, Problem

BOM: Final = b"\xef\xbb\xbf"
ROUNDS: Final = 20

Mistakes = Callable[[str, str], list[Problem]]
"""(text, file) -> the mistakes of that text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """What was corrected in a file."""

    file: str
    problems: tuple[Problem, ...]


def fix_files(folder: Path, problems: Iterable[Problem], mistakes: Mistakes | None = None) -> list[Fixed]:
    """Corrects the files of a project; gives those that were written.

    `mistakes` finds the mistakes of a corrected text again, so that what stood behind a YAML mistake is corrected too;
    left out, it is found by the file's folder.
    """
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.fix:
            by_file.setdefault(problem.at.file, []).append(problem)
    fixed = (fix_file(folder, file, found, mistakes or mistakes_of) for file, found in sorted(by_file.items()))
    return [one for one in fixed if one.problems]


def fix_file(folder: Path, file: str, problems: Sequence[Problem], mistakes: Mistakes) -> Fixed:
    """Corrects one file; nothing is written unless it can be read then and has no more mistakes than before."""
    path = (folder / file).resolve()
    nothing = Fixed(file=file, problems=())
    try:
        data = path.read_bytes()
        text = decode(data, file)
    except (OSError, MistakesFound):
        return nothing
    before = _errors(mistakes(text, file)) if _is_readable(text, file) else None
    done: list[Problem] = []
    now, todo = text, list(problems)
    for _ in range(ROUNDS):
        following, made = corrected(now, todo)
        if not made:
            break
        now, done = following, [*done, *made]
        todo = [problem for problem in mistakes(now, file) if problem.fix]
    if not done or not _is_readable(now, file) or (before is not None and _errors(mistakes(now, file)) > before):
        return nothing
    _write(path, (BOM if data.startswith(BOM) else b"") + now.encode("utf-8"))
    return Fixed(file=file, problems=tuple(done))


def corrected(text: str, problems: Iterable[Problem]) -> tuple[str, list[Problem]]:
    """The text with the edits of all problems that don't touch each other, and those problems."""
    taken: list[Edit] = []
    made = []
    for problem in problems:
        sound = all(0 <= edit.start <= edit.end <= len(text) for edit in problem.fix)
        if problem.fix and sound and not any(_touch(edit, other) for edit in problem.fix for other in taken):
            taken += problem.fix
            made.append(problem)
    for edit in sorted(taken, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text, made


def _touch(one: Edit, other: Edit) -> bool:
    return one.start <= other.end and other.start <= one.end


def mistakes_of(text: str, file: str) -> list[Problem]:
    """The mistakes of YAML and shape in a file of the project, by its folder and name."""
    top, _, rest = file.replace("\\", "/").partition("/")
    if top == "workflows":
        from interoffice.loader.workflow import load_workflow_with_problems

        return load_workflow_with_problems(text, file)[1]
    if top == "selectors":
        from interoffice.loader.selectors import load_application_with_problems

        return load_application_with_problems(text, file)[1]
    if top == "tables":
        from interoffice.loader.contracts import load_contract_with_problems

        return load_contract_with_problems(text, file)[1]
    if not rest and top == "settings.yaml":
        from interoffice.loader.settings import load_settings_with_problems

        return load_settings_with_problems(text, file)[1]
    if not rest and top == "schedules.yaml":
        from interoffice.loader.schedules import load_schedules_with_problems

        return load_schedules_with_problems(text, file)[1]
    return _mistakes_of_yaml(text, file)


def _mistakes_of_yaml(text: str, file: str) -> list[Problem]:
    try:
        return list(compose(text, file).problems)
    except MistakesFound as found:
        return list(found.problems)


def _is_readable(text: str, file: str) -> bool:
    try:
        compose(text, file)
    except MistakesFound:
        return False
    return True


def _errors(problems: Iterable[Problem]) -> int:
    return sum(problem.severity == "error" for problem in problems)


def _write(path: Path, data: bytes) -> None:
    """Replaces a file whole: never half written, its rights kept."""
    mode = path.stat().st_mode
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o7777)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
