"""Values and conditions of a workflow's file, evaluated at a place of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from interoffice.engine.endings import StepFailed
from interoffice.engine.run import Place, Run
from interoffice.language.errors import ExpressionError, RowError
from interoffice.language.names import names_used
from interoffice.language.nodes import Attribute, Binary, Name, Node, Where
from interoffice.language.parser import parse_expression, parse_rule
from interoffice.language.reasons import render
from interoffice.language.row import ValueScope, evaluate, holds
from interoffice.language.templates import parse_template
from interoffice.model.reading import read_date_time, read_time
from interoffice.model.types import Type
from interoffice.model.values import ISO, Duration, Formats, Percent, Value, number_from_text
from interoffice.model.workflow import Raw, Step
from interoffice.store.views import Failure


def scope_at(run: Run, place: Place, row: Mapping[str, Value] | None = None) -> ValueScope:
    """What every name means at a place; `row` holds the columns of bare words."""
    names: dict[str, Value] = {
        "inputs": place.inputs,
        "steps": place.results,
        "run": _run_facts(run, place),
        "workflow": {"name": place.workflow.name, "owner": place.workflow.owner},
        "trigger": run.trigger,
        "tables": run.tables,
        **place.names,
    }
    return ValueScope(times=run.times, names=names, row=row, patterns=run.patterns)


def _run_facts(run: Run, place: Place) -> Mapping[str, Value]:
    facts: dict[str, Value] = {"id": run.run_id, "date": run.times.today, "started_by": run.started_by}
    if place.ending:
        failure = place.failure
        facts["failed_step"] = None if failure is None else failure.step
        facts["error"] = None if failure is None else failure.message
        facts["report"] = str(run.folder / "report.html")
    return facts


def names_for_templates(run: Run, place: Place) -> Mapping[str, Value]:
    """What a mail template sees beside its data."""
    names = scope_at(run, place).names
    return {name: names[name] for name in ("run", "workflow")}


def title_of(run: Run, place: Place, step: Step) -> str:
    """What a person calls the step, with the values of its row."""
    if step.name is None or "${{" not in step.name:
        return step.title
    try:
        return text_of(step.name, scope_at(run, place), run)
    except (RowError, ExpressionError):
        return step.title


def value_of(raw: Raw, scope: ValueScope, formats: Formats = ISO) -> Value:
    """The value of a `with:`, `set:`, `collect:` entry. Inside a text it is ISO, as in file names, keys and on screens;
    `formats`: for texts that people read."""
    if raw is None:
        return None
    if isinstance(raw, str):
        return render(parse_template(raw), scope, formats) if "${{" in raw else raw
    if isinstance(raw, Mapping):
        return {name: value_of(part, scope, formats) for name, part in raw.items()}
    return tuple(value_of(part, scope, formats) for part in raw)


def text_of(raw: Raw, scope: ValueScope, run: Run) -> str:
    """The value as a text for people."""
    from interoffice.model.formats import format_value

    return format_value(value_of(raw, scope, run.formats), run.formats)


def expression(text: str, scope: ValueScope) -> Value:
    """The value of a bare expression (a key)."""
    return evaluate(parse_expression(text), scope)


def condition(text: str, scope: ValueScope) -> bool:
    """Whether an `if`, `when`, `until` holds; RowError naming what is missing where it can't be said."""
    return holds(parse_rule(text), scope)


def converted(value: Value, wanted: Type, zone: str) -> Value:
    """A text that was written where another type belongs, as a value of it; everything else stays."""
    if not isinstance(value, str) or wanted.kind not in _FROM_TEXT:
        return value
    if wanted.kind == "date_time":
        return read_date_time(value, zone=zone)
    return _FROM_TEXT[wanted.kind](value)


def _percent(text: str) -> Percent:
    bare = text.strip()
    if not bare.endswith("%"):
        raise ValueError(f'"{text}" is not a percent; write 15%')
    return Percent(number_from_text(bare[:-1]) / Decimal(100))


def _yes_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f'"{text}" is neither true nor false')
    return text == "true"


def _date(text: str) -> object:
    from datetime import date

    return date.fromisoformat(text)


_FROM_TEXT = {
    "number": number_from_text,
    "money": number_from_text,
    "percent": _percent,
    "yes_no": _yes_no,
    "date": _date,
    "date_time": read_date_time,
    "time": read_time,
    "duration": Duration.parse,
}


@lru_cache(maxsize=20_000)
def _steps_in_text(text: str, bare: bool) -> frozenset[tuple[str, ...]]:
    nodes = (parse_rule(text),) if bare else parse_template(text).nodes
    return frozenset(used.path[:3] for node in nodes for used in names_used(node) if used.path[0] == "steps")


def steps_read(raw: Raw, *, bare: bool = False) -> Iterator[tuple[str, ...]]:
    """The ("steps", id, output) that a value reads; `bare`: its texts are expressions themselves."""
    if isinstance(raw, str):
        if bare or "${{" in raw:
            yield from _steps_in_text(raw, bare)
    elif isinstance(raw, Mapping):
        for part in raw.values():
            yield from steps_read(part, bare=bare)
    elif raw is not None:
        for part in raw:
            yield from steps_read(part, bare=bare)


def joins_decided_rows(raw: Raw, place: Place) -> bool:
    """True of `passed + approved`: rows that are there already can be worked while an approval is still open."""
    if not isinstance(raw, str) or (node := parse_template(raw).single) is None:
        return False
    return _only_adds(node, place)


def _only_adds(node: Node, place: Place) -> bool:
    match node:
        case Binary(operator="+", left=left, right=right):
            return _only_adds(left, place) and _only_adds(right, place)
        case Where(rows=rows, condition=asked):
            free = not any(place.results.is_pending(used.path[1]) for used in names_used(asked) if len(used.path) > 1)
            return free and _only_adds(rows, place)
        case Attribute(owner=Attribute(owner=Name(name="steps"), name=step_id), name=output):
            return not place.results.is_pending(step_id) or output == "approved"
    return False


def failed(path: str, error: Exception | str, *, kind: str = "business", code: str = "") -> StepFailed:
    """The failure of a step whose values can't be had."""
    message = error if isinstance(error, str) else str(error)
    code = code or (error.code if isinstance(error, RowError) else "value")
    return StepFailed(Failure(kind=kind, message=message, code=code, step=path))  # type: ignore[arg-type]
