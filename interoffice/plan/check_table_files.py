"""What files of tables/ mean for each other: named patterns exist, lines of decision tables leave no gap or overlap."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from interoffice.model.contract import ALWAYS_PATTERNS, Column, Contract, DecisionTable, Layout, Queue, TableFile
from interoffice.model.decision_lines import Condition, DecisionLine, LineMistake, read_decision_lines
from interoffice.model.formats import format_value
from interoffice.model.values import Value
from interoffice.plan.project import Project
from interoffice.problem import Position, Problem, did_you_mean

_MOST_COMBINATIONS: Final = 20_000
_OTHER: Final = "(any other)"


def check_table_file(project: Project, found: TableFile) -> Iterator[Problem]:
    """The mistakes of a file of tables/ that its own text doesn't show."""
    if isinstance(found, Contract | Queue | Layout):
        yield from _check_formats(found, {*ALWAYS_PATTERNS, *project.patterns})
    file = found.file if isinstance(found, Contract | DecisionTable) else None
    if file is not None and not (project.folder / file).is_file():
        yield Problem(rule="R09", message=f"there is no file {file}; write its path from the project's folder",
                      at=found.source.at(("file",)))  # fmt: skip
    elif isinstance(found, DecisionTable):
        yield from check_decision_table(found, project.folder / found.file)


def check_decision_table(table: DecisionTable, file: Path) -> Iterator[Problem]:
    """Lines that can't be read, overlap or are never reached (C09), and, as a warning, what no line is for."""
    try:
        lines = read_decision_lines(table, file.read_text(encoding="utf-8-sig"))
    except LineMistake as mistake:
        yield _problem(table, mistake.line, str(mistake))
        return
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(rule="R09", message=f"{table.file} can't be read: {error}", at=table.source.at(("file",)))
        return
    domains = [_domain(column, [line.given[name] for line in lines]) for name, column in table.given.items()]
    count = 1
    for domain in domains:
        count *= len(domain)
    if table.hit == "first" and 0 < count <= _MOST_COMBINATIONS:
        combinations = [dict(zip(table.given, values, strict=True)) for values in itertools.product(*domains)]
        yield from _check_combinations(table, lines, combinations)


def _check_formats(found: Contract | Queue | Layout, known: set[str]) -> Iterator[Problem]:
    for column in found.columns.values():
        if column.format is not None and column.format not in known:
            yield Problem(
                rule="R05",
                message=f'there is no pattern "{column.format}"; add it to tables/patterns.yaml',
                at=found.source.at((*column.path, "format")),
                suggestion=did_you_mean(column.format, known),
            )


def _check_combinations(
    table: DecisionTable, lines: Sequence[DecisionLine], combinations: Sequence[Mapping[str, Value]]
) -> Iterator[Problem]:
    fitting = [{place for place, one in enumerate(combinations) if line.fits(one)} for line in lines]
    seen: set[int] = set()
    for number, line in enumerate(lines):
        own = fitting[number]
        first = next((place for place in range(number) if fitting[place] & own and not fitting[place] < own), None)
        if own and own <= seen:
            yield _problem(table, line.number, "this line is never used: the lines above it fit first")
        elif first is not None:
            both = combinations[min(fitting[first] & own)]
            yield _problem(table, line.number, f"this line and line {lines[first].number} both fit {_told(both)}")
        seen |= own
    left = next((place for place in range(len(combinations)) if place not in seen), None)
    if left is not None:
        message = f"no line fits {_told(combinations[left])}: the answers are missing there"
        yield Problem(rule="C09", message=message, at=table.source.at(("file",)), severity="warning")


def _domain(column: Column, conditions: Sequence[Condition]) -> list[Value]:
    """Values that stand for all there are: each choice, each end of a range and what lies between, each text named."""
    if column.type.kind == "choice":
        return list(column.type.choices)
    if column.type.kind == "yes_no":
        return [True, False]
    named = [condition.value for condition in conditions if not condition.is_any and not condition.is_range]
    ranges = [condition for condition in conditions if condition.is_range]
    if ranges:
        return _points([end for one in ranges for end in (one.start, one.end)] + named, ranges)
    values: list[Value] = list(dict.fromkeys(named))
    if any(condition.is_any for condition in conditions):
        values.append(_OTHER if column.type.is_text else None)
    return values or [_OTHER]


def _points(ends: Sequence[Any], ranges: Sequence[Condition]) -> list[Value]:
    """Each end of a range, and something below the lowest where a range is open there or a line is missing."""
    points = sorted({end for end in ends if end is not None})
    if any(one.start is None for one in ranges) and points:
        return [_below(points[0]), *points]
    return list(points)


def _below(value: Any) -> Any:
    from datetime import date, timedelta

    return value - timedelta(days=1) if isinstance(value, date) else value - 1


def _told(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {format_value(value)}" for name, value in values.items())


def _problem(table: DecisionTable, line: int, message: str) -> Problem:
    return Problem(rule="C09", message=message, at=Position(file=table.file, line=line, column=1))
