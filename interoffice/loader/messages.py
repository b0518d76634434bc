"""Mistakes as text for people, as JSON, or as annotations of a pull request."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from interoffice.problem import Position, Problem, Severity

CLEAN, ERRORS, WARNINGS = 0, 1, 3
WIDEST_SIGNS: Final = 160

_ORDER: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "note": 2}
_GITHUB: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}
_COLOURS: Final[dict[Severity, str]] = {"error": "31", "warning": "33", "note": "36"}


def exit_code(problems: Iterable[Problem]) -> int:
    """0 clean (notes too), 1 with an error, 3 with warnings only."""
    severities = {problem.severity for problem in problems}
    return ERRORS if "error" in severities else WARNINGS if "warning" in severities else CLEAN


def render(
    problems: Iterable[Problem], folder: Path, *, format: str = "text", colours: bool = False, notes: bool = False
) -> str:
    """All problems by file and line, as `text`, `json` or `github`. `folder` is the project, to show the lines of."""
    shown = [problem for problem in in_order(problems) if notes or problem.severity != "note"]
    if format == "json":
        return json.dumps([dict(problem.as_json()) for problem in shown], indent=2, ensure_ascii=False) + "\n"
    if format == "github":
        return "".join(_annotation(problem) for problem in shown)
    if format != "text":
        raise ValueError(f"{format} is no format of messages")
    lines = _Lines(folder)
    blocks = [_block(problem, lines, colours) for problem in shown]
    return "\n".join([*blocks, summary(shown)]) if blocks else ""


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By file, line and column; an error before what is less."""
    return sorted(
        problems,
        key=lambda problem: (
            problem.at.file,
            problem.at.line,
            problem.at.column,
            _ORDER[problem.severity],
            problem.rule,
        ),
    )


def summary(problems: Sequence[Problem]) -> str:
    """`2 mistakes, 1 warning in 2 files`, with a line end."""
    words: list[tuple[Severity, str]] = [("error", "mistake"), ("warning", "warning"), ("note", "note")]
    counts = [(sum(problem.severity == severity for problem in problems), word) for severity, word in words]
    said = ", ".join(_counted(count, word) for count, word in counts if count)
    return f"{said} in {_counted(len({problem.at.file for problem in problems}), 'file')}\n"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _block(problem: Problem, lines: _Lines, colours: bool) -> str:
    """One problem: where, rule and message; the line and what is wrong in it; what was meant, where to read more."""
    at = problem.at
    where = f"{at.file}:{at.line}:{at.column}"
    kind = "" if problem.severity == "error" else f"{problem.severity}: "
    head = (
        f"{_bold(where, colours)}  {_paint(problem.rule, problem.severity, colours)}  {kind}{_plain(problem.message)}"
    )
    marked = _marked(at, lines.line(at), colours, problem.severity)
    return "\n".join([head, *marked, f"   {_hint(problem)}", ""])


def _hint(problem: Problem) -> str:
    parts = []
    see = f"({problem.see.file}:{problem.see.line})" if problem.see else ""
    if problem.suggestion is not None:
        meant = _plain(problem.suggestion)
        parts.append(f'did you mean "{meant}"?' if '"' not in meant else f"did you mean {meant} ?")
    if see:
        parts.append(f" {see}" if parts else f"see {see[1:-1]}")
    said = " ".join(parts)
    return f"{said}      runner.py explain {problem.rule}".lstrip()


def _marked(at: Position, line: str | None, colours: bool, severity: Severity) -> list[str]:
    """The line of the file with a mark under what is wrong; nothing where the file can't be shown."""
    if line is None:
        return []
    begin = max(0, at.column - 1 - WIDEST_SIGNS // 2) if len(line) > WIDEST_SIGNS else 0
    text = _plain(line[begin : begin + WIDEST_SIGNS])
    column = min(at.column - 1 - begin, len(text))
    length = max(1, min(at.length, len(text) - column))
    mark = " " * _width(text[:column]) + "^" + "~" * (max(1, _width(text[column : column + length])) - 1)
    number = f"{at.line:5d}"
    return [f"{number} | {text}", f"{' ' * len(number)} | {_paint(mark, severity, colours)}"]


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _plain(text: str) -> str:
    """The text in one line and without signs that would drive a terminal."""
    if text.isprintable():
        return text
    shown = {"\t": "→", "\r": " ", "\n": " "}
    return "".join(sign if sign.isprintable() else shown.get(sign, "?") for sign in text)


def _paint(text: str, severity: Severity, colours: bool) -> str:
    return f"\x1b[{_COLOURS[severity]}m{text}\x1b[0m" if colours else text


def _bold(text: str, colours: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if colours else text


def _annotation(problem: Problem) -> str:
    at = problem.at
    place = f"file={_property(at.file)},line={at.line},col={at.column},endColumn={at.column + at.length}"
    meant = f' Did you mean "{problem.suggestion}"?' if problem.suggestion else ""
    message = f"{problem.message}.{meant}" if meant else problem.message
    return f"::{_GITHUB[problem.severity]} {place},title={problem.rule}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


class _Lines:
    """Lines of the project's files, each file read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, list[str]] = {}

    def line(self, at: Position) -> str | None:
        """The line of a position without its end; None where the file can't be read."""
        if at.file not in self.files:
            self.files[at.file] = self._read(at.file)
        lines = self.files[at.file]
        return lines[at.line - 1].rstrip("\r") if at.line <= len(lines) else None

    def _read(self, file: str) -> list[str]:
        try:
            text = (self.folder / file).read_bytes().decode("utf-8-sig", "replace")
        except (OSError, ValueError):
            return []
        return text.split("\n")
