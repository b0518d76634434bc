"""Plain command lines of check, explain, runs and show, read without Typer, whose import takes longer than they do.

Only what is plainly right is read here. Help, mistakes and rare spellings are left to Typer, so that every message
has one source; a test holds that both ways give the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from interoffice.cli.answers import RUNS_SHOWN, CheckFormat, check_files, explain_rule, list_runs, show_run
from interoffice.cli.ending import project_of
from interoffice.cli.show import Format
from interoffice.errors import UsageError

Command = Callable[[], int]
F = TypeVar("F", bound=StrEnum)


class Given(NamedTuple):
    """The words of a command, told apart."""

    names: list[str]
    options: dict[str, str]
    flags: set[str]


def plain_command(words: list[str]) -> Command | None:
    """The command that these words plainly mean; None where Typer must read them."""
    try:
        project, rest = project_of(words)
    except UsageError:
        return None
    read = COMMANDS.get(rest[0]) if rest else None
    command = read(rest[1:]) if read is not None else None
    if command is not None:
        os.environ["INTEROFFICE_PROJECT"] = str(project)
    return command


def _check(words: list[str]) -> Command | None:
    given = _given(words, options=("--format",), flags=("--fix", "--notes"))
    format = _format(given, CheckFormat)
    if given is None or format is None:
        return None
    return lambda: check_files(given.names, format, fix="--fix" in given.flags, notes="--notes" in given.flags)


def _explain(words: list[str]) -> Command | None:
    given = _given(words)
    if given is None or len(given.names) != 1:
        return None
    return lambda: explain_rule(given.names[0])


def _runs(words: list[str]) -> Command | None:
    given = _given(words, options=("--workflow", "--state", "--limit", "--format"))
    format = _format(given, Format)
    if given is None or format is None or given.names:
        return None
    limit = given.options.get("--limit", str(RUNS_SHOWN))
    if not (limit.isascii() and limit.isdigit() and int(limit) >= 1):
        return None
    return lambda: list_runs(given.options.get("--workflow"), given.options.get("--state"), int(limit), format)


def _show(words: list[str]) -> Command | None:
    given = _given(words, options=("--format",))
    format = _format(given, Format)
    if given is None or format is None or len(given.names) != 1:
        return None
    return lambda: show_run(given.names[0], format)


COMMANDS: Mapping[str, Callable[[list[str]], Command | None]] = {
    "check": _check,
    "explain": _explain,
    "runs": _runs,
    "show": _show,
}


def _given(words: list[str], *, options: Collection[str] = (), flags: Collection[str] = ()) -> Given | None:
    """The words told apart: `--option value`, `--option=value`, flags and names; None for anything else."""
    given = Given([], {}, set())
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if word in flags:
            given.flags.add(word)
        elif option in options and option not in given.options:
            given.options[option] = value = value if equals else next(rest, "")
            if not value or value.startswith("-"):
                return None
        elif word and not word.startswith("-"):
            given.names.append(word)
        else:
            return None
    return given


def _format(given: Given | None, formats: type[F]) -> F | None:
    """The format that was asked for, text where none was; None for one that isn't known."""
    if given is None:
        return None
    asked = given.options.get("--format", "text")
    return formats(asked) if asked in set(formats) else None
