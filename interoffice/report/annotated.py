"""The workflow's text, with what each expression was worth in this run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.model.workflow import Step, walk
from interoffice.problem import Path
from interoffice.report.cells import MASKED, shown
from interoffice.report.record import Record
from interoffice.report.story import LineTold
from interoffice.store.views import StepView

PLACES = {"rows": ("check", "table", "approve", "for_each"), "if": ("if",), "until": ("until",), "reason": ("stop",)}
VALUES_A_LINE = 2


def annotated_lines(record: Record) -> tuple[LineTold, ...]:
    """Each line with the values that the ledger kept of it; inside a loop those of its first item, marked so."""
    values = _values_by_line(record)
    lines = record.workflow.source.text.splitlines()
    return tuple(
        LineTold(number=number, text=text, values=tuple(values.get(number, ())[:VALUES_A_LINE]))
        for number, text in enumerate(lines, 1)
    )


def _values_by_line(record: Record) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    first: dict[str, StepView] = {}
    for view in sorted(record.steps, key=lambda step: step.position):
        first.setdefault(_without_keys(view.path).split(".")[-1], view)
    for step in walk(record.workflow.steps + record.workflow.on_failure + record.workflow.always):
        began = first.get(step.id)
        if began is None:
            continue
        for path, text in _told(step, began, record):
            line = record.workflow.source.at(path).line
            found.setdefault(line, []).append(text)
    return found


def _told(step: Step, view: StepView, record: Record) -> Iterator[tuple[Path, str]]:
    marked = "first item: " if view.item_id is not None else ""
    if view.note and view.state == "skipped" and step.if_ is not None:
        yield (*step.path, "if"), view.note
    for path, value in _leaves(view.inputs):
        places = (path, ("with", *path), *((key, *path[1:]) for key in PLACES.get(str(path[0]), ())))
        where = next(
            ((*step.path, *place) for place in places if (*step.path, *place) in record.workflow.source.values), None
        )
        if where is not None and "${{" in _text_at(record, where):
            name = str(path[-1])
            text = MASKED if name in record.masked else _short(value, record, name)
            yield where, f"{marked}{text}"


def _text_at(record: Record, path: Path) -> str:
    start, end = record.workflow.source.values[path]
    return record.workflow.source.text[start:end]


def _short(value: Value, record: Record, name: str) -> str:
    if isinstance(value, Table):
        return f"{value.row_count} rows"
    return shown(name, value, record.formats, record.masked) or "missing"


def _leaves(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(value, (tuple, list)):
        for at, each in enumerate(value):
            yield from _leaves(each, (*path, at))
    if path and not isinstance(value, Mapping):
        yield path, value


def _without_keys(path: str) -> str:
    """orders[D-1042].order -> orders.order"""
    kept, depth = [], 0
    for letter in path:
        depth += letter == "["
        if not depth:
            kept.append(letter)
        depth -= letter == "]" and depth > 0
    return "".join(kept)
