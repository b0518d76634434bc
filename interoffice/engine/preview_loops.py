"""Loops of a preview: what a run would do with each row, several lanes side by side where the loop has them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from interoffice.engine.endings import Held, RunStopped, StepFailed, Stopped
from interoffice.engine.evaluation import failed
from interoffice.engine.held_rows import content_digest
from interoffice.engine.history import posted_elsewhere
from interoffice.engine.keys import child_key
from interoffice.engine.loop_results import FAILURE_COLUMNS, Record, plain_outputs, records_of
from interoffice.engine.loop_results import _kind as kind_of_failure
from interoffice.engine.loop_results import _table as table_with
from interoffice.engine.loops import Loop
from interoffice.engine.loops import _keyed as keyed_records
from interoffice.engine.loops import _names as loop_names
from interoffice.engine.loops import _records as loop_records
from interoffice.engine.posting import certain_postings, loop_posts
from interoffice.engine.preview_spot import Spot, Tour
from interoffice.engine.previewed import Change, End, ItemSeen
from interoffice.engine.queue_taking import QueueTaking
from interoffice.engine.run import Place, Results, result_of
from interoffice.engine.static_types import columns_known
from interoffice.engine.unknown import Bounds, PartlyUnknown, Unknown, UnknownOutputs, bounds_of, in_worlds
from interoffice.language.errors import ExpressionError, RowError
from interoffice.model.types import TEXT, Type
from interoffice.model.values import Value
from interoffice.model.work import ItemState, StepState
from interoffice.model.workflow import ForEach, Step
from interoffice.plan.writing import writes
from interoffice.store import items
from interoffice.store.views import Failure, ItemView

PreviewSteps = Callable[[Tour, Spot, tuple[Step, ...]], Spot]
IF_APPROVED = "if approved"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a loop: its record, and when it comes at all. `unclear`: other rows of its group may join it."""

    key: str
    record: Mapping[str, Value]
    names: Mapping[str, Value]
    condition: str = ""
    unclear: bool = False


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All rows of a loop, those first that are sure, and what is known of their columns."""

    rows: tuple[Row, ...]
    columns: Mapping[str, Type]
    corrected: frozenset[str] = frozenset()


Outcome = Literal["unknown", "results", "failed", "already"]
"""Which output of the loop an item would get into."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of one item; `records` what a run would collect of it in the output that `outcome` names."""

    item: ItemSeen
    outcome: Outcome = "unknown"
    records: tuple[Record, ...] = ()
    failure: Failure | None = None


@dataclass(kw_only=True)
class Round:
    """The items of a loop on their way through its lanes."""

    waiting: deque[tuple[int, Row]]
    seen: dict[int, Seen] = field(default_factory=dict)
    error: BaseException | None = None
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


def preview_loop(tour: Tour, spot: Spot, step: Step, kind: ForEach, walk: PreviewSteps) -> None:
    """A loop, key by key. Its outputs are known where every item's end is."""
    place = spot.place
    acts = writes(tour.run.project, kind.do) is not None
    try:
        rows = _rows_of(tour, spot, step, kind)
    except Unknown as unknown:
        place.results.put(step.id, UnknownOutputs(step.id))
        change = _all_unknown(tour, spot, step, unknown) if acts else None
        tour.see(spot, step, "unknown", f"rows unknown until the run: needs {unknown.name}", change=change)
        return
    seen = _work(tour, spot, step, kind, rows, walk)
    if acts and not place.ending:
        tour.held[place.prefix + step.id] = _held(spot, rows, seen)
    _put_outputs(tour, spot, step, rows, seen)
    shown = tuple(each.item for each in seen)
    tour.see(spot, step, "would act" if acts else "done", f"{len(rows.rows)} rows", items=shown)
    stopped = next((each.failure for each in seen if each.failure is not None and not each.item.condition), None)
    if stopped is not None and step.on_failure == "stop":
        raise StepFailed(replace(stopped, message=f"{_first_failed(seen).key}: {stopped.message}"))


def _first_failed(seen: list[Seen]) -> ItemSeen:
    return next(each.item for each in seen if each.failure is not None and not each.item.condition)


def _all_unknown(tour: Tour, spot: Spot, step: Step, unknown: Unknown) -> Change:
    return Change(
        path=spot.place.prefix + step.id,
        title=tour.title(spot.place, step),
        key="?",
        what="?",
        why=f"needs {unknown.name}",
        condition=spot.condition,
    )


# rows


def _rows_of(tour: Tour, spot: Spot, step: Step, kind: ForEach) -> Rows:
    place = spot.place
    try:
        loop, keyed = _keyed(tour, place, step, kind)
    except Unknown:
        between = bounds_of(tour.run, place, kind.over)
        if between is None or set(kind.group_by) & between.filled:
            raise
        return _bounded_rows(tour, place, step, kind, between)
    rows = tuple(Row(key=key, record=record, names=loop_names(loop, record)) for key, record in keyed.items())
    return Rows(rows=rows, columns=loop.columns)


def _keyed(tour: Tour, place: Place, step: Step, kind: ForEach) -> tuple[Loop, dict[str, dict[str, Value]]]:
    path = place.prefix + step.id
    loop = Loop(run=tour.run, place=place, step=step, kind=kind, path=path, walk=_never, late=False)
    if kind.queue is not None:
        taking = QueueTaking.of(tour.run, place, kind, path, kind.queue)
        loop.columns = taking.columns
        return loop, {key: dict(row) for key, row in taking.waiting().items()}
    return loop, keyed_records(loop, loop_records(loop))


def _never(*arguments: object) -> None:
    raise AssertionError("a preview works no items")


def _bounded_rows(tour: Tour, place: Place, step: Step, kind: ForEach, between: Bounds) -> Rows:
    """The rows that are sure, then those that come if they are approved."""
    (_, sure), (loop, most) = (_keyed(tour, world, step, kind) for world in in_worlds(place))
    rows = []
    for key in (*sure, *(key for key in most if key not in sure)):
        is_sure = key in sure
        record = sure[key] if is_sure else most[key]
        names = loop_names(loop, record)
        if not is_sure and between.filled:
            names = {name: _without(value, between.filled) for name, value in names.items()}
        unclear = is_sure and not _same(sure[key], most[key])
        rows.append(Row(key=key, record=record, names=names, condition="" if is_sure else IF_APPROVED, unclear=unclear))
    return Rows(rows=tuple(rows), columns=loop.columns, corrected=between.corrected)


def _same(sure: Mapping[str, Value], most: Mapping[str, Value]) -> bool:
    """Columns that only the other rows have are missing in this one; that is no difference."""
    return all(sure.get(name) == most.get(name) for name in {*sure, *most} if name != "rows") and (
        len(_members(sure)) == len(_members(most))
    )


def _members(record: Mapping[str, Value]) -> tuple[Value, ...]:
    members = record.get("rows")
    return tuple(members) if isinstance(members, tuple | list) else ()


def _without(value: Value, filled: frozenset[str]) -> Value:
    if not isinstance(value, Mapping):
        return value
    return PartlyUnknown(value, {name: f"{name}, which an approver fills in" for name in filled})


def _held(spot: Spot, rows: Rows, seen: list[Seen]) -> Mapping[str, object]:
    """What a run of the kept plan is held to in this loop."""
    keys = {}
    for row, each in zip(rows.rows, seen, strict=True):
        is_sure = not row.condition and not row.unclear
        digest = content_digest(row.record, () if is_sure else rows.corrected)
        keys[row.key] = {"row": digest, "what": _what(each.item), "sure": is_sure and not spot.condition}
    return {"keys": keys, "corrected": sorted(rows.corrected)}


def _what(item: ItemSeen) -> str:
    """What would be done with an item: one word where all of its calls have the same."""
    if item.end:
        return item.end
    words = {change.what for step in item.steps for change in step.changes()}
    return words.pop() if len(words) == 1 else "maybe" if words else "nothing"


# items


def _work(tour: Tour, spot: Spot, step: Step, kind: ForEach, rows: Rows, walk: PreviewSteps) -> list[Seen]:
    """Every item, by as many lanes as the loop has workers. What one lane can't go on from ends them all."""
    place, work = spot.place, Round(waiting=deque(enumerate(rows.rows)))
    count = 1 if place.workflow.locks else max(1, min(kind.workers, len(rows.rows)))

    def lane(number: int) -> None:
        inner = place if number == 1 else replace(place, lane=tour.run.lanes.lane(f"{place.lane.name}.{number}"))
        _lane(tour, replace(spot, place=inner), step, kind, work, walk, total=len(rows.rows))

    others = [threading.Thread(target=lane, args=(number,)) for number in range(2, count + 1)]
    for thread in others:
        thread.start()
    lane(1)
    for thread in others:
        thread.join()
    if work.error is not None:
        raise work.error
    for number, row in work.waiting:
        item = ItemSeen(key=row.key, row=tour.shown_row(row.record), end="not begun", condition=row.condition)
        work.seen[number] = Seen(item=item)
    return [work.seen[number] for number in range(len(rows.rows))]


def _lane(
    tour: Tour, spot: Spot, step: Step, kind: ForEach, work: Round, walk: PreviewSteps, *, total: int
) -> None:
    try:
        while not work.ended:
            with work.lock:
                if not work.waiting:
                    return
                number, row = work.waiting.popleft()
            seen = _item(tour, spot, step, kind, row, walk)
            with work.lock:
                work.seen[number] = seen
                done = len(work.seen)
                if seen.failure is not None and not seen.item.condition and step.on_failure == "stop":
                    work.ended = True
            path = spot.place.prefix + step.id
            tour.run.tell("progress", path, title=tour.title(spot.place, step), done=done, total=total)
    except BaseException as error:
        with work.lock:
            work.error, work.ended = work.error or error, True


def _item(tour: Tour, spot: Spot, step: Step, kind: ForEach, row: Row, walk: PreviewSteps) -> Seen:
    inner = _inside(tour, spot, step, kind, row)
    shown = tour.shown_row(row.record)
    if row.unclear:
        change = Change(
            path=inner.place.prefix.rstrip("."), title=row.key, key=row.key, what="?", condition=inner.condition,
            why="rows that are not approved yet may join it",
        )  # fmt: skip
        tour.see(inner, replace(step, name=None), "unknown", change=change)
        return Seen(item=ItemSeen(key=row.key, row=shown, steps=tuple(inner.into), condition=inner.condition))
    ended = _done_elsewhere(tour, inner, kind, row) or _walked(tour, inner, kind, walk)
    item = ItemSeen(
        key=row.key, row=shown, steps=tuple(inner.into), end=ended.end, why=ended.why, condition=inner.condition
    )
    outcome = "unknown" if inner.condition else ended.outcome
    return Seen(item=item, outcome=outcome, records=ended.records, failure=ended.failure)


def _inside(tour: Tour, spot: Spot, step: Step, kind: ForEach, row: Row) -> Spot:
    outer, path = spot.place, spot.place.prefix + step.id
    place = replace(
        outer,
        prefix=f"{path}[{row.key}].",
        results=Results(outer.results),
        names={**outer.names, **row.names},
        item=_view(tour, path, row),
        key=child_key(outer.key, row.key),
        again=kind.again,
    )
    inner = replace(spot, place=place, into=[])
    return inner.given(row.condition) if row.condition else inner


def _view(tour: Tour, path: str, row: Row) -> ItemView:
    """The item as the engine's functions want to see it; it is in no ledger."""
    run, now = tour.run, tour.run.clock.now()
    return ItemView(
        item_id=f"{run.run_id}.{path}.{row.key}", run_id=run.run_id, loop=path, position=0, key=row.key, parent_id=None,
        row=row.record, posts="", origin="", state=ItemState.NEW, lease_token=None, engine_id=None, defer_until=None,
        deadline=None, priority=0, attempts=1, created_at=now, claimed_at=None, ended_at=None, error=None, result=(),
        held_at="", finished_later=False, reviewer=None, comment=None,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one item would end. `failure`: that of a step, which counts for the loop's `on_failure`."""

    end: End = ""
    why: str = ""
    outcome: Outcome = "unknown"
    records: tuple[Record, ...] = ()
    failure: Failure | None = None


def _done_elsewhere(tour: Tour, spot: Spot, kind: ForEach, row: Row) -> Ended | None:
    """Another run has posted all of it, or works on it right now: a run would not begin the item."""
    run, posts = tour.run, "\n".join(loop_posts(tour.run, kind.do))
    if not posts or not (kind.key or kind.group_by):
        return None
    live = run.ledger.read(lambda tx: items.in_live_run(tx, run.run_id, row.key, posts))
    if live is not None and kind.again == "never":
        return Ended(end="in another run", why=f"being worked by run {live}")
    postings = certain_postings(run, kind.do)
    stored = posted_elsewhere(run, spot.place, postings) if postings else None
    if not postings or stored is None:
        return None
    step = postings[-1][0]
    title, path = tour.title(spot.place, step), spot.place.prefix + step.id
    why = f"posted by another run: {tour.outputs_text(stored)}".removesuffix(": ")
    change = Change(path=path, title=title, key=spot.place.key or row.key, what="already there", why=why)
    tour.see(spot, step, "done", change=change)
    return Ended(end="already there", outcome="already", records=(stored,))


def _walked(tour: Tour, spot: Spot, kind: ForEach, walk: PreviewSteps) -> Ended:
    try:
        walk(tour, spot, kind.do)
        return _well(tour, spot, kind)
    except Stopped as stopped:
        if stopped.result == "success":
            return Ended(end="stopped", why=stopped.reason, outcome="results" if _is_clean(spot) else "unknown")
        return _badly(spot, Failure(kind="rejected", message=stopped.reason, code="stopped"))
    except Held as held:
        return _badly(spot, held.failure, end="on hold")
    except StepFailed as ending:
        if ending.failure.kind == "credential":
            raise
        return _badly(spot, ending.failure)
    except RunStopped as stop:
        raise StepFailed(stop.failure) from stop
    except (RowError, ExpressionError) as error:
        return _badly(spot, failed(spot.place.prefix.rstrip("."), error).failure)


def _well(tour: Tour, spot: Spot, kind: ForEach) -> Ended:
    place = spot.place
    posted = place.results.posted
    if posted and all(posted.values()):
        return Ended(end="already there", outcome="already", records=(plain_outputs(place, kind),))
    if not _is_clean(spot):
        return Ended()
    try:
        return Ended(end="nothing", outcome="results", records=records_of(tour.run, place, kind))
    except Unknown:
        return Ended(end="nothing")


def _badly(spot: Spot, failure: Failure, end: End = "failed") -> Ended:
    is_rejected = failure.kind == "rejected"
    record = {"error": failure.message, "error_kind": kind_of_failure(failure)}
    return Ended(
        end="rejected" if is_rejected and end == "failed" else end,
        why=failure.message,
        outcome="failed" if _is_clean(spot) else "unknown",
        records=(record,),
        failure=None if is_rejected or end == "on hold" else failure,
    )


def _is_clean(spot: Spot) -> bool:
    """True where nothing that changes or sends stands before: what comes of the item is known."""
    return not any(change for each in spot.into for change in each.changes())


# outputs


def _put_outputs(tour: Tour, spot: Spot, step: Step, rows: Rows, seen: list[Seen]) -> None:
    """Known where each item's end is known: nothing to do, done by other runs, or only read."""
    place = spot.place
    if spot.condition or any(each.outcome == "unknown" for each in seen):
        place.results.put(step.id, UnknownOutputs(step.id))
        return
    both = list(zip(rows.rows, seen, strict=True))
    known = columns_known(tour.run.project, place.workflow, step.id, "results")
    results = [record for _, each in both if each.outcome == "results" for record in each.records]
    wrong = [{**row.record, **each.records[0]} for row, each in both if each.outcome == "failed"]
    already = [{**each.records[0], **row.record, "key": row.key} for row, each in both if each.outcome == "already"]
    tables = {
        "results": table_with(iter(results), known),
        "failed": table_with(iter(wrong), {**rows.columns, **FAILURE_COLUMNS}),
        "already": table_with(iter(already), {**rows.columns, "key": TEXT}),
    }
    place.results.put(step.id, result_of(tables, StepState.SUCCEEDED))
