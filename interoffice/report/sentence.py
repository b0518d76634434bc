"""The sentence at the top: what came of a run, for someone who reads nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.model.work import ItemState, RunState
from interoffice.model.workflow import BotCall, ForEach, Step, walk
from interoffice.report.cells import length, many
from interoffice.report.record import Record
from interoffice.store.views import ItemView

DONE_WORDS = {"screens.fill_form": "entered", "email.send": "mailed", "queue.add": "queued"}


def sentence(record: Record) -> str:
    """E.g. "12 of 14 orders entered, 1 rejected; 6 min 12 s; started by anna"."""
    told = ", ".join(outcome for outcome in _outcomes(record) if outcome)
    parts = [told or record.run.state.replace("_", " ")]
    run = record.run
    if run.begun_at and run.ended_at:
        parts.append(length((run.ended_at - run.begun_at).total_seconds()))
    parts.append(f"started by {record.person(run.started_by)}")
    return "; ".join(parts)


def _outcomes(record: Record) -> Iterator[str]:
    loop = main_loop(record)
    if record.run.state is RunState.SKIPPED:
        yield f"skipped: {record.run.waiting_for}"
        return
    if record.run.state is RunState.FAILED:
        yield _failure(record)
    if loop is not None:
        yield from _items(record, loop)
    elif record.run.state is not RunState.FAILED:
        yield _plain_end(record)
    yield from _rows(record)


def _failure(record: Record) -> str:
    error = record.run.error
    if error is None:
        return "failed"
    title = title_at(record, error.step)
    where = f" at {title}" if title else ""
    return f"stopped{where}: {error.message.splitlines()[0].rstrip('.:')}"


def title_at(record: Record, path: str) -> str:
    """What a person calls the step of a path: “Send the mail”; inside an item the loop's title and the item's key."""
    titles = {step.id: step.title for step in walk(record.workflow.steps)}
    outer, bracket, rest = path.partition("[")
    if not bracket:
        title = titles.get(path.split(".")[-1])
        return f"“{title}”" if title else ""
    key = rest.rpartition("]")[0]
    return f"“{titles.get(outer.split('.')[-1], outer)}”, {key}"


def main_loop(record: Record) -> Step | None:
    """The loop whose items the run was for: the first one that changes or sends, else the first one."""
    ran = {item.loop for item in record.items if item.parent_id is None}
    loops = [step for step in record.workflow.steps if isinstance(step.kind, ForEach) and step.id in ran]
    return next(
        (step for step in loops if isinstance(step.kind, ForEach) and step.kind.key), loops[0] if loops else None
    )


def done_word(step: Step) -> str:
    """What it is called when an item of this loop went well."""
    if isinstance(step.kind, ForEach):
        for inner in walk(step.kind.do):
            if isinstance(inner.kind, BotCall) and inner.kind.bot in DONE_WORDS:
                return DONE_WORDS[inner.kind.bot]
    return "done"


def _items(record: Record, loop: Step) -> Iterator[str]:
    items = [item for item in record.items if item.loop == loop.id and item.parent_id is None]
    states = Counter(item.state for item in items)
    noun = loop.id.replace("_", " ")
    total = max(len(items), _rows_that_came(record))
    if record.run.rehearse:
        rehearsed = sum(1 for item in items if item.state is ItemState.CANCELLED and item.attempts)
        states[ItemState.CANCELLED] -= rehearsed
        yield f"{rehearsed} of {total} {noun} rehearsed, none {done_word(loop)}"
    else:
        yield f"{states[ItemState.SUCCESSFUL]} of {total} {noun} {done_word(loop)}"
    if states[ItemState.ALREADY_THERE]:
        yield f"{states[ItemState.ALREADY_THERE]} already there"
    for state, words in (
        (ItemState.IN_DOUBT, "in doubt"),
        (ItemState.ON_HOLD, "on hold for a person"),
        (ItemState.FAILED, "failed"),
        (ItemState.CANCELLED, "not begun"),
    ):
        if states[state]:
            yield f"{states[state]} {words}"
    if states[ItemState.REJECTED]:
        yield f"{states[ItemState.REJECTED]} refused by the application"
    yield from _held_elsewhere(record, loop)


def _held_elsewhere(record: Record, loop: Step) -> Iterator[str]:
    """What waits for a person in the other loops of the workflow, with their titles."""
    others = Counter(
        (item.loop, item.state)
        for item in record.items
        if item.loop != loop.id and item.state in (ItemState.IN_DOUBT, ItemState.ON_HOLD)
    )
    titles = {step.id: step.title for step in walk(record.workflow.steps)}
    for (name, state), count in others.items():
        words = "in doubt" if state is ItemState.IN_DOUBT else "on hold for a person"
        yield f"{count} {words} at “{titles.get(name, name)}”"


def _rows_that_came(record: Record) -> int:
    """How many rows the checks before the loop took in."""
    return max((sum(counts.values()) for counts in check_counts(record).values()), default=0)


def check_counts(record: Record) -> dict[str, dict[str, int]]:
    """Path of a check -> passed, review, rejected."""
    found: dict[str, dict[str, int]] = {}
    for step in record.top_steps():
        if step.kind == "check" and step.outputs:
            tables = {name: step.outputs.get(name) for name in ("passed", "review", "rejected")}
            found[step.path] = {name: getattr(table, "row_count", 0) for name, table in tables.items()}
    return found


def _rows(record: Record) -> Iterator[str]:
    open_rows = [row for each in record.approvals if each.state == "open" for row in each.rows if row.state == "open"]
    if open_rows:
        yield f"{len(open_rows)} wait{'s' if len(open_rows) == 1 else ''} for a person’s decision"
    rejected = sum(counts["rejected"] for counts in check_counts(record).values())
    if rejected:
        yield (
            f"{rejected} of {_rows_that_came(record)} rows rejected by a rule"
            if main_loop(record) is None
            else (f"{rejected} rejected by a rule")
        )
    refused = sum(1 for each in record.approvals for row in each.rows if row.state in ("rejected", "late"))
    if refused:
        yield f"{refused} refused by a person"


def _plain_end(record: Record) -> str:
    stop = next((step for step in record.top_steps() if step.kind == "stop" and step.state == "succeeded"), None)
    reason = stop.outputs.get("reason") if stop is not None else None
    if reason:
        return str(reason).rstrip(".")
    if record.run.state is RunState.WAITING:
        return ""
    reconciled = [step for step in record.top_steps() if step.kind == "reconcile" and step.state == "succeeded"]
    if reconciled:
        return _reconciled(reconciled[-1].outputs)
    done = sum(1 for step in record.top_steps() if step.state == "succeeded")
    return (
        f"{many(done, 'step')} done"
        if record.run.state is RunState.SUCCEEDED
        else str(record.run.state.replace("_", " "))
    )


def _reconciled(outputs: Mapping[str, Value]) -> str:
    """What a reconciliation came to: "6 matched, 3 exceptions". No row is read for it."""
    matched, exceptions = (
        len(rows) if isinstance(rows := outputs.get(name), Table) else 0 for name in ("matched", "exceptions")
    )
    return f"{matched} matched, {many(exceptions, 'exception') if exceptions else 'no exceptions'}"


def outcome(item: ItemView) -> str:
    """In words, how an item ended."""
    if item.error is not None:
        return item.error.message
    if item.state is ItemState.ALREADY_THERE:
        return "posted before, not posted again"
    return "finished later" if item.finished_later else ""
