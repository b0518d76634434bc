"""Steps that wait, in a preview: which rows an approval would show and to whom, and what a wait waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from interoffice.engine.approvals import decided_columns
from interoffice.engine.evaluation import condition, failed, scope_at, text_of, value_of
from interoffice.engine.keys import key_text
from interoffice.engine.preview_spot import UNKNOWN, Spot, Tour
from interoffice.engine.pure_steps import table_of
from interoffice.engine.run import result_of
from interoffice.engine.unknown import Bounds, Unknown, UnknownOutputs, bounds_of
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.model.work import StepState
from interoffice.model.workflow import Approve, Step, Wait
from interoffice.store import approvals

PreviewSteps = Callable[[Tour, Spot, tuple[Step, ...]], Spot]


def preview_approve(tour: Tour, spot: Spot, step: Step, approve: Approve) -> None:
    """The rows that would be shown, and to whom. Which of them are approved can't be known; of no rows, it can."""
    run, place = tour.run, spot.place
    given = _rows(tour, spot, approve)
    rows = given.most
    columns = decided_columns(approve, rows.columns)
    none = Table.from_rows(columns, [])
    if not len(rows):
        nothing: dict[str, Value] = {"approved": none, "rejected": none, "already": rows, "by": None, "at": None}
        place.results.put(step.id, result_of(nothing, StepState.SUCCEEDED))
        tour.see(spot, step, "done", "nothing to decide")
        return
    elsewhere = run.ledger.read(lambda tx: approvals.open_elsewhere(tx, run.run_id, place.workflow.key, step.id))
    keys = [key_text([row.get(name) for name in approve.row]) if approve.row else str(number)
            for number, row in enumerate(rows.rows(), start=1)]  # fmt: skip
    _refuse_doubles(place.prefix + step.id, keys)
    open_rows = rows.select([number for number, key in enumerate(keys) if key not in elsewhere])
    most = Table.from_rows(columns, ({name: row.get(name) for name in columns} for row in open_rows.rows()))
    new = frozenset(name for name in columns if name not in rows.columns)
    between = Bounds(
        sure=none,
        most=most,
        filled=given.filled | new,
        corrected=given.corrected | frozenset(approve.fields) | new,
    )
    place.results.put(step.id, UnknownOutputs(step.id, bounds={"approved": between, "rejected": between}))
    already = len(rows) - len(open_rows)
    shown = tuple(_shown_rows(tour, spot, approve, open_rows))
    tour.see(spot, step, "asks", _words(tour, spot, approve, len(open_rows), already), rows=shown)


def _rows(tour: Tour, spot: Spot, approve: Approve) -> Bounds:
    """The rows to decide on; where an approval comes before, all that it may let through."""
    try:
        rows = table_of(tour.run, spot.place, approve.rows)
        return Bounds(sure=rows, most=rows)
    except Unknown:
        between = bounds_of(tour.run, spot.place, approve.rows)
        if between is None:
            raise
        return between


def _refuse_doubles(path: str, keys: list[str]) -> None:
    if len(set(keys)) < len(keys):
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise failed(path, f'two rows are called "{doubled}"; "row" must name each row', code="duplicate_key")


def _shown_rows(tour: Tour, spot: Spot, approve: Approve, rows: Table) -> Iterable[dict[str, str]]:
    names = tuple(name for name in (approve.show or tuple(rows.columns)) if name in rows.columns)
    for row in rows.rows():
        shown = tour.shown_row(row, names)
        if approve.by_row is not None:
            shown["to"] = _person(tour, spot, approve.by_row, row)
        yield shown


def _person(tour: Tour, spot: Spot, said: str, row: dict[str, Value]) -> str:
    try:
        return text_of(said, scope_at(tour.run, spot.place, row=row), tour.run)
    except Unknown:
        return UNKNOWN


def _words(tour: Tour, spot: Spot, approve: Approve, count: int, already: int) -> str:
    to = ", ".join(approve.by) or "a person per row"
    but = [each.replace("_", " ") for each in approve.not_by]
    parts = [f"{count} row{'' if count == 1 else 's'} to {to}" + (f", not the {', '.join(but)}" if but else "")]
    if approve.within is not None:
        parts.append(f"within {approve.within}, if late: {approve.if_late}")
    if already:
        parts.append(f"{already} wait in another run")
    return "; ".join(parts)


def preview_wait(tour: Tour, spot: Spot, step: Step, wait: Wait, walk: PreviewSteps) -> Spot:
    """A wait that is over is known; another one is not, nor what is done if it is late."""
    run, place = tour.run, spot.place
    if wait.date is not None:
        moment = value_of(wait.date, scope_at(run, place))
        place.results.put(step.id, result_of({"late": False}, StepState.SUCCEEDED))
        tour.see(spot, step, "waits", f"until {tour.shown('', moment)}")
        return spot
    bot = run.project.registry.find(wait.bot or "")
    if bot is None or bot.writes:
        raise failed(place.prefix + step.id, f'a wait asks a bot that reads, and "{wait.bot}" is none', kind="workflow")
    known, unknown = tour.inputs(place, bot, wait.inputs)
    if unknown:
        raise Unknown(", ".join(sorted(set(unknown.values()))))
    tour.sources.note_inputs(bot, known)
    outputs = dict(tour.call(spot, step, bot, known).read().outputs)
    if wait.until is None or condition(wait.until, scope_at(run, place, row=outputs)):
        tour.sources.note(outputs)
        place.results.put(step.id, result_of({**outputs, "late": False}, StepState.SUCCEEDED))
        tour.see(spot, step, "done", tour.outputs_text(outputs))
        return spot
    place.results.put(step.id, UnknownOutputs(step.id))
    return _not_yet(tour, spot, step, wait, walk)


def _not_yet(tour: Tour, spot: Spot, step: Step, wait: Wait, walk: PreviewSteps) -> Spot:
    words = f"not yet; waits until {wait.until}" + (f", within {wait.within}" if wait.within is not None else "")
    inner = replace(spot, into=[])
    if isinstance(wait.if_late, tuple):
        walk(tour, inner.given("if it is late"), wait.if_late)
    tour.see(spot, step, "waits", words, steps=tuple(inner.into))
    return spot.given(f"unless {tour.title(spot.place, step)} is late") if wait.if_late == "stop" else spot
