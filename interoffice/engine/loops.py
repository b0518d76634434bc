"""`for_each`: rows become work items in the ledger, and n lanes take them one at a time."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from interoffice.engine.endings import (
    Cancelled,
    Doubtful,
    Held,
    RehearsedHere,
    RunStopped,
    StepFailed,
    Stopped,
    Suspended,
)
from interoffice.engine.evaluation import expression, failed, joins_decided_rows, scope_at, value_of
from interoffice.engine.held_rows import as_planned, held_to
from interoffice.engine.history import posted_elsewhere
from interoffice.engine.keys import child_key, key_text
from interoffice.engine.lanes import Lane
from interoffice.engine.locks import locks_held
from interoffice.engine.loop_results import loop_outputs, plain_outputs, records_of
from interoffice.engine.outcome import Done
from interoffice.engine.posting import certain_postings, limited_seats, loop_posts
from interoffice.engine.pure_steps import table_of_records
from interoffice.engine.queue_taking import QueueTaking
from interoffice.engine.recorder import Recorder
from interoffice.engine.run import Place, Results, Run
from interoffice.errors import InterofficeError
from interoffice.language.errors import ExpressionError, RowError
from interoffice.model.table import Table
from interoffice.model.types import Type, table_of
from interoffice.model.values import Value
from interoffice.model.work import ITEM_ENDED, ITEM_WAITS_FOR_PERSON, ItemState
from interoffice.model.workflow import ForEach, Step, walk
from interoffice.store import items, queues, steps
from interoffice.store.database import Transaction
from interoffice.store.items import NewItem
from interoffice.store.reading import moment_of
from interoffice.store.steps import StepPlace
from interoffice.store.views import Failure, ItemView, StepView

WalkSteps = Callable[[Run, Place, tuple[Step, ...]], None]
Record = Mapping[str, Value]
CUT_SHORT = "not begun: the loop was ended before"


@dataclass(kw_only=True)
class Loop:
    """A loop being worked: what its lanes share."""

    run: Run
    place: Place
    step: Step
    kind: ForEach
    path: str
    walk: WalkSteps
    late: bool
    single: bool = False
    queue: QueueTaking | None = None
    columns: Mapping[str, Type] = field(default_factory=dict)
    in_a_row: int = 0
    ended: bool = False
    cut_short: bool = False
    error: BaseException | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, error: BaseException | None = None, *, cut_short: bool = False) -> None:
        """No further item is begun."""
        with self.lock:
            self.ended = True
            self.cut_short = self.cut_short or cut_short
            self.error = self.error or error


def do_loop(
    run: Run, place: Place, step: Step, kind: ForEach, at: StepPlace, walk: WalkSteps, *, late: bool = False
) -> Done | None:
    """Works a loop to its end. `late`: only items that a person released after the loop was over."""
    loop = Loop(run=run, place=place, step=step, kind=kind, path=at.path, walk=walk, late=late)
    if kind.queue is not None:
        return _do_queue(loop, at, kind.queue)
    joining = bool(place.results.pending) and joins_decided_rows(kind.over, place)
    records = _records(loop)
    if late:
        _work(loop)
        return None
    count = _write_items(loop, at, records)
    del records
    run.tell("loop_began", at.path, title=step.title, total=count)
    _reopen(loop)
    _work(loop)
    _suspend(loop, joining)
    _assert_all_there(loop, count)
    return _outcome(loop)


def _do_queue(loop: Loop, at: StepPlace, name: str) -> Done | None:
    """Works what waits on a queue: lanes take entries one at a time, so that several runs share what there is."""
    run = loop.run
    loop.queue = QueueTaking.of(run, loop.place, loop.kind, loop.path, name)
    loop.columns = loop.queue.columns
    if loop.late:
        _work(loop)
        return None
    loop.place.recorder.write(lambda tx: steps.begin(tx, at, run.clock.now(), None))
    run.tell("loop_began", at.path, title=loop.step.title, total=None)
    _reopen(loop)
    _work(loop)
    _suspend(loop, joining=False)
    counts = run.ledger.read(lambda tx: items.counts(tx, run.run_id, loop.path))
    _assert_all_there(loop, sum(counts.values()))
    run.ledger.write(lambda tx: queues.give_back(tx, run.run_id, run.clock.now()))
    return _outcome(loop)


# rows to items


def _records(loop: Loop) -> list[dict[str, Value]]:
    """The rows that the loop goes over; the loop knows their columns afterwards."""
    run, place, kind = loop.run, loop.place, loop.kind
    value = value_of(kind.over, scope_at(run, place))
    if isinstance(value, Table):
        loop.columns, records = value.columns, list(value.rows())
    elif isinstance(value, tuple | list):
        records = _listed(loop, value)
    else:
        raise failed(loop.path, f"a loop goes over rows or a list, and this is {value!r}", kind="workflow")
    return _grouped(loop, records) if kind.group_by else records


def _listed(loop: Loop, values: tuple[Value, ...] | list[Value]) -> list[dict[str, Value]]:
    loop.single = not values or not all(isinstance(value, Mapping) for value in values)
    records = [{loop.kind.as_name: value} if loop.single else dict(value) for value in values]  # type: ignore[call-overload]
    loop.columns = table_of_records(records).columns
    return records


def _grouped(loop: Loop, records: list[dict[str, Value]]) -> list[dict[str, Value]]:
    """One record per group: the columns it is grouped by, and its members as `rows`."""
    groups: dict[tuple[Value, ...], list[dict[str, Value]]] = {}
    for record in records:
        groups.setdefault(tuple(record[name] for name in loop.kind.group_by), []).append(record)
    named = {name: loop.columns[name] for name in loop.kind.group_by}
    loop.columns = {**named, "rows": table_of(loop.columns)}
    return [
        {**dict(zip(loop.kind.group_by, key, strict=True)), "rows": tuple(members)} for key, members in groups.items()
    ]


def _write_items(loop: Loop, at: StepPlace, records: list[dict[str, Value]]) -> int:
    """Puts the rows into the ledger that are not there yet, in the transaction that begins the step; how many stand."""
    run, place, now = loop.run, loop.place, loop.run.clock.now()
    keyed = held_to(loop.path, _keyed(loop, records), run.options)
    _refuse_unknown_only(loop, keyed)
    posts = "\n".join(loop_posts(run, loop.kind.do))

    def write(tx: Transaction) -> int:
        steps.begin(tx, at, now, None)
        known = items.keys(tx, run.run_id, loop.path)
        new = [_new_item(tx, loop, key, record, posts) for key, record in keyed.items() if key not in known]
        left = [_left_out(loop, item, len(known) + n) for n, item in enumerate(new)]
        items.add(tx, run.run_id, loop.path, [as_planned(loop.path, item, run.options) for item in left], now)
        return len(known) + len(new)

    return place.recorder.write(write)


def _refuse_unknown_only(loop: Loop, keyed: Mapping[str, Record]) -> None:
    """`--only KEY` of a key that no row has is a slip, unless rows still join or another loop has it."""
    only = loop.run.options.only
    if only is None or not loop.kind.key or loop.place.in_loop or only in keyed or loop.place.results.pending:
        return
    loops = [step for step in walk(loop.run.workflow.steps) if isinstance(step.kind, ForEach) and step.kind.key]
    if len(loops) > 1:
        return
    known = ", ".join(list(keyed)[:20]) + (" ..." if len(keyed) > 20 else "")
    message = f'no row has the key "{only}" that --only names; there is {known or "none"}'
    raise RunStopped(failed(loop.path, message, code="only").failure)


def _new_item(tx: Transaction, loop: Loop, key: str, record: Record, posts: str) -> NewItem:
    elsewhere = items.in_live_run(tx, loop.run.run_id, key, posts) if posts else None
    item = NewItem(key=key, row=record, posts=posts, parent_id=loop.place.item_id)
    if elsewhere is None or loop.kind.again != "never":
        return item
    why = Failure(kind="workflow", message=f"being worked by run {elsewhere}", code="in_other_run", step=loop.path)
    return replace(item, state=ItemState.ALREADY_THERE, error=why)


def _left_out(loop: Loop, item: NewItem, before: int) -> NewItem:
    """`--only KEY` and `--limit N`: the other items of a loop with a key are cancelled, so that the counts add up."""
    options = loop.run.options
    if not loop.kind.key or item.state != ItemState.NEW:
        return item
    left = (options.only is not None and item.key != options.only and not loop.place.in_loop) or (
        options.limit is not None and before >= options.limit
    )
    why = Failure(kind="workflow", message="left out by --only or --limit", code="left_out", step=loop.path)
    return replace(item, state=ItemState.CANCELLED, error=why) if left else item


def _keyed(loop: Loop, records: list[dict[str, Value]]) -> dict[str, dict[str, Value]]:
    """The rows by key. Two rows of one key, or a missing part, are an error that names the row."""
    found: dict[str, dict[str, Value]] = {}
    for number, record in enumerate(records, start=1):
        key = _key(loop, record, number)
        if key in found:
            raise failed(loop.path, f'two rows have the key "{key}"; a key names one item', code="duplicate_key")
        found[key] = record
    return found


def _key(loop: Loop, record: Record, number: int) -> str:
    if not loop.kind.key:
        return key_text([record[name] for name in loop.kind.group_by]) if loop.kind.group_by else str(number)
    scope = scope_at(loop.run, replace(loop.place, names={**loop.place.names, **_names(loop, record)}))
    parts = [expression(text, scope) for text in loop.kind.key]
    for text, part in zip(loop.kind.key, parts, strict=True):
        if part is None:
            raise failed(loop.path, f"row {number} has no key: {text} is missing", code="missing_key")
    return key_text(parts)


def _names(loop: Loop, record: Record) -> Mapping[str, Value]:
    """The loop's own name: the row, or the value of a short list; a group's rows are a table."""
    if loop.single:
        return {loop.kind.as_name: record[loop.kind.as_name]}
    row = dict(record)
    if loop.kind.group_by and isinstance(row.get("rows"), tuple | list):
        members: Any = row["rows"]
        row["rows"] = Table.from_rows(loop.columns["rows"].columns or {}, [dict(member) for member in members])
    return {loop.kind.as_name: row}


# working them


def _reopen(loop: Loop) -> None:
    """What a dead engine had in hand is new again (its steps say what is done); so is what a failed loop cut off."""
    run = loop.run

    def write(tx: Transaction) -> None:
        now = run.clock.now()
        for item in items.in_progress(tx, run.run_id):
            if item.loop == loop.path:
                items.move(tx, item, ItemState.NEW, now)

    run.ledger.write(write)


def _work(loop: Loop) -> None:
    """Lanes take items until none is ready. What one lane can't go on from ends them all."""
    run, place = loop.run, loop.place
    with locks_held(run, place):
        count = 1 if place.workflow.locks or not _has_seats(loop, place.lane) else max(1, loop.kind.workers)
        others = [
            threading.Thread(target=_lane_thread, args=(loop, number), name=f"{loop.path}-{number}")
            for number in range(2, count + 1)
        ]
        for thread in others:
            thread.start()
        _lane_thread(loop, 1)
        for thread in others:
            thread.join()
    if loop.error is not None:
        raise loop.error


def _lane_thread(loop: Loop, number: int) -> None:
    """One lane's work. The first lane of a loop is that of the steps around it, its browser already open."""
    run, place = loop.run, loop.place
    lane = place.lane if number == 1 else run.lanes.lane(f"{place.lane.name}.{number}")
    recorder = place.recorder if number == 1 else Recorder(run.ledger)
    if number > 1 and not _has_seats(loop, lane):
        return  # the applications have no more sessions: the other lanes do the work
    try:
        while not loop.ended and not run.control.cancel:
            item = _claim(loop, recorder)
            if item is None:
                break
            inner = replace(place, lane=lane, recorder=recorder)
            _work_item(loop, inner, item)
        recorder.flush()
    except BaseException as error:
        loop.end(error)
        with contextlib.suppress(InterofficeError):
            recorder.flush()


def _has_seats(loop: Loop, lane: Lane) -> bool:
    """The lane has a session of every application that the loop opens and that has only so many.

    The first lane takes its own before the others begin; where it has to wait for one, it does so at its first call.
    """
    return all(loop.run.seats.take(lane, name) for name in limited_seats(loop.run, loop.kind.do))


def _claim(loop: Loop, recorder: Recorder) -> ItemView | None:
    run, token = loop.run, secrets.token_hex(8)

    def claim(tx: Transaction) -> ItemView | None:
        now = run.clock.now()
        while True:
            item = items.claim(tx, run.run_id, loop.path, engine_id=run.engine_id, token=token, now=now)
            if item is not None or loop.queue is None or loop.late or not loop.queue.take(tx, now):
                return item

    return recorder.write(claim)


def _work_item(loop: Loop, outer: Place, item: ItemView) -> None:
    """One item from claim to end: whatever happens to it, the ledger says so."""
    run = loop.run
    prefix = f"{loop.path}[{item.key}]."
    recorded: Mapping[str, StepView] = {}
    if item.attempts > 1:
        recorded = run.ledger.read(lambda tx: steps.of_item(tx, item.item_id))
    place = replace(
        outer,
        prefix=prefix,
        results=Results(outer.results),
        recorded=recorded,
        names={**outer.names, **_names(loop, item.row)},
        item=item,
        token=item.lease_token or "",
        key=child_key(outer.key, item.key),
        again=loop.kind.again,
        late=loop.late,
    )
    run.tell("item_began", f"{loop.path}[{item.key}]", title=item.key)
    end = _walk_item(loop, place, item)
    if end is not None:
        _end_item(loop, place, item, *end)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemEnd:
    """How an item ends."""

    state: ItemState
    failure: Failure | None = None
    comment: str | None = None


def _walk_item(loop: Loop, place: Place, item: ItemView) -> tuple[ItemEnd, tuple[Record, ...]] | None:
    """The item's end and what is collected of it; None where it is put back and worked another time."""
    try:
        stored = _posted_before(loop, place)
        if stored is not None:
            return ItemEnd(state=ItemState.ALREADY_THERE), (stored,)
        loop.walk(loop.run, place, loop.kind.do)
        return _well(loop, place)
    except Stopped as stopped:
        if stopped.result == "success":
            return ItemEnd(state=ItemState.SUCCESSFUL, comment=stopped.reason), ()
        failure = Failure(kind="rejected", message=stopped.reason, code="stopped", step=place.prefix.rstrip("."))
        return ItemEnd(state=ItemState.REJECTED, failure=failure), ()
    except RehearsedHere as rehearsed:
        return ItemEnd(state=ItemState.CANCELLED, comment=str(rehearsed)), ()
    except Held as held:
        return ItemEnd(state=ItemState.ON_HOLD, failure=held.failure), ()
    except Doubtful as doubt:
        return ItemEnd(state=ItemState.IN_DOUBT, failure=doubt.failure), ()
    except Suspended as suspended:
        _put_back(loop, place, item, suspended)
        return None
    except StepFailed as ending:
        if ending.failure.kind == "credential":
            _put_back(loop, place, item, None)
            loop.end(ending)
            return None
        return _failed(loop, ending.failure), ()
    except Cancelled as cancelled:
        _put_back(loop, place, item, None)
        loop.end(cancelled)
        return None
    except RunStopped as stop:
        loop.end(stop, cut_short=True)
        return ItemEnd(state=ItemState.FAILED, failure=stop.failure), ()
    except (RowError, ExpressionError) as error:
        return _failed(loop, failed(f"{loop.path}[{item.key}]", error).failure), ()


def _well(loop: Loop, place: Place) -> tuple[ItemEnd, tuple[Record, ...]]:
    """The item's steps are through: successful, or already there where other runs had done all that it posts."""
    posted = place.results.posted
    if posted and all(posted.values()):
        return ItemEnd(state=ItemState.ALREADY_THERE), (plain_outputs(place, loop.kind),)
    return ItemEnd(state=ItemState.SUCCESSFUL), records_of(loop.run, place, loop.kind)


def _failed(loop: Loop, failure: Failure) -> ItemEnd:
    """What a failure makes of the item: `on_failure: review` of the loop keeps it for a person."""
    if failure.kind == "rejected":
        return ItemEnd(state=ItemState.REJECTED, failure=failure)
    if loop.step.on_failure == "review":
        return ItemEnd(state=ItemState.ON_HOLD, failure=failure)
    return ItemEnd(state=ItemState.FAILED, failure=failure)


def _posted_before(loop: Loop, place: Place) -> Record | None:
    """The stored outputs when everything that the item would post is posted, before anything is opened."""
    postings = certain_postings(loop.run, loop.kind.do) if _has_keys(loop.kind) else None
    if not postings or loop.run.options.rehearse:
        return None
    return posted_elsewhere(loop.run, place, postings)


def _has_keys(kind: ForEach) -> bool:
    return bool(kind.key or kind.group_by or kind.queue)


def _put_back(loop: Loop, place: Place, item: ItemView, suspended: Suspended | None) -> None:
    """The item is new again: at once, or when what it waits for is due."""
    wake_at = suspended.wake_at if suspended is not None else None
    now = loop.run.clock.now()
    place.recorder.write(lambda tx: items.move(tx, item, ItemState.NEW, now, defer_until=wake_at))


def _end_item(loop: Loop, place: Place, item: ItemView, end: ItemEnd, records: tuple[Record, ...]) -> None:
    run, now = loop.run, loop.run.clock.now()
    changes = {
        "error": end.failure,
        "result": records,
        "comment": end.comment,
        "held_at": end.failure.step if end.failure is not None and end.state in ITEM_WAITS_FOR_PERSON else "",
        "finished_later": loop.late and end.state == ItemState.SUCCESSFUL,
        "defer_until": None,
    }
    place.recorder.note(lambda tx: items.move(tx, item, end.state, now, **changes))
    if end.state != ItemState.SUCCESSFUL or place.item is None:
        place.recorder.flush()
    message = end.failure.message if end.failure is not None else end.comment or ""
    run.tell("item_ended", f"{loop.path}[{item.key}]", title=item.key, state=end.state, text=message)
    _count(loop, end)


def _count(loop: Loop, end: ItemEnd) -> None:
    """Too many application errors in a row, or the first failure where the loop says `stop`: no further item."""
    failure = end.failure
    is_application = failure is not None and failure.kind in ("application", "interrupted", "bug", "unclear")
    with loop.lock:
        loop.in_a_row = loop.in_a_row + 1 if is_application else 0
        in_a_row = loop.in_a_row
    over_all = loop.run.control.note_outcome(application_error=is_application)
    most, most_of_run = loop.kind.max_failures, loop.run.project.settings.limits.failures_in_a_row
    if most is not None and in_a_row >= most:
        loop.end(cut_short=True)
    elif most is None and over_all >= most_of_run and failure is not None:
        message = f"{over_all} application errors in a row; the last: {failure.message}"
        loop.end(RunStopped(replace(failure, message=message)), cut_short=True)
    elif end.state == ItemState.FAILED and loop.step.on_failure == "stop":
        loop.end(cut_short=True)


# after the lanes


def _suspend(loop: Loop, joining: bool) -> None:
    """Suspended: the run is cancelled softly, items are deferred, inner items wait, or rows may still join."""
    run, place = loop.run, loop.place
    place.recorder.flush()
    if run.control.cancel:
        raise Cancelled("cancelled")
    waits_for_rows = joining and bool(place.results.pending)
    if loop.cut_short:
        if waits_for_rows and loop.step.on_failure != "stop":
            _cancel_not_begun(loop)
            raise Suspended(f"approval: {', '.join(sorted(place.results.pending))}")
        return
    due = run.ledger.read(lambda tx: items.next_deferred(tx, run.run_id, loop.path))
    if due is not None:
        raise Suspended("items that are due later", moment_of(due))
    if waits_for_rows:
        raise Suspended(f"approval: {', '.join(sorted(place.results.pending))}")


def _assert_all_there(loop: Loop, count: int) -> None:
    """G2, asserted in every run: every row is an item, and every item has ended or waits for a person."""
    run = loop.run
    if loop.cut_short:
        _cancel_not_begun(loop)
    counts = run.ledger.read(lambda tx: items.counts(tx, run.run_id, loop.path))
    over = sum(number for state, number in counts.items() if state in ITEM_ENDED | ITEM_WAITS_FOR_PERSON)
    if over != count:
        raise AssertionError(f"{loop.path} lost rows: {count} in, {over} accounted for ({counts})")


def _cancel_not_begun(loop: Loop) -> None:
    run, now = loop.run, loop.run.clock.now()
    run.ledger.write(lambda tx: items.cancel_new(tx, run.run_id, now, loop=loop.path, why=CUT_SHORT))


def _was_cut_short(loop: Loop) -> bool:
    """True also where the loop was ended before the run was suspended, and its items still stand as not begun."""
    if loop.cut_short:
        return True
    found = loop.run.ledger.read(lambda tx: items.find(tx, loop.run.run_id, loop=loop.path, state=ItemState.CANCELLED))
    return any(item.comment == CUT_SHORT for item in found)


def _outcome(loop: Loop) -> Done:
    """The loop's outputs; StepFailed where its failures stop the run, Held where the outer item must wait with it."""
    run = loop.run
    outputs = loop_outputs(run, loop.place, loop.step, loop.path, loop.columns)
    counts = run.ledger.read(lambda tx: items.counts(tx, run.run_id, loop.path))
    words = ", ".join(f"{number} {str(state).replace('_', ' ')}" for state, number in counts.items())
    bad = counts.get(ItemState.FAILED, 0)
    waiting = sum(counts.get(state, 0) for state in ITEM_WAITS_FOR_PERSON)
    if waiting and loop.place.in_loop:
        raise Held(Failure(kind="workflow", message=f"{loop.path}: {words}", code="inner_item_waits", step=loop.path))
    if bad and (loop.step.on_failure == "stop" or (loop.place.in_loop and loop.step.on_failure != "continue")):
        raise StepFailed(_first_failure(loop, words))
    if _was_cut_short(loop):
        run.control.warned = True
    return Done(outputs=outputs, note=words)


def _first_failure(loop: Loop, words: str) -> Failure:
    run = loop.run
    found = run.ledger.read(lambda tx: items.find(tx, run.run_id, loop=loop.path, state=ItemState.FAILED))
    first = next((item.error for item in found if item.error is not None), None)
    said = f"{found[0].key}: {first.message}" if first is not None else "items failed"
    kind = first.kind if first is not None else "workflow"
    return Failure(kind=kind, message=f"{said} ({words})", code="item_failed", step=first.step if first else loop.path)
