"""What people do with work items: release them, change a value of one, say whether an act in doubt was done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from interoffice.engine.approvals import EDITED, digest_of, is_row_of, row_digest
from interoffice.engine.clock import Clock
from interoffice.engine.corrections import step_of
from interoffice.engine.evaluation import converted
from interoffice.engine.makers import makers_of, same_person
from interoffice.errors import Refused, UsageError
from interoffice.language.names import names_used
from interoffice.language.parser import parse_expression
from interoffice.language.whole import value_type
from interoffice.model.values import Value
from interoffice.model.work import ItemState, RunState
from interoffice.model.workflow import ForEach, Step, walk
from interoffice.plan.plan import LoadedPlan, Plan
from interoffice.plan.project import Project
from interoffice.store import Ledger, approvals, audit, intents, items, queues, runs, steps
from interoffice.store.database import Transaction
from interoffice.store.views import ApprovalRowView, ApprovalView, ItemView, RunView

RETRIED = frozenset({ItemState.FAILED, ItemState.ON_HOLD, ItemState.CANCELLED})
REQUEUED = frozenset(
    {ItemState.FAILED, ItemState.ON_HOLD, ItemState.CANCELLED, ItemState.REJECTED, ItemState.ABANDONED}
)
ABANDONED = frozenset({ItemState.FAILED, ItemState.ON_HOLD, ItemState.CANCELLED, ItemState.REJECTED, ItemState.NEW})
NOT_BEGUN = "not begun"
"""How the comment begins of an item that its loop's end, or its run's, cut off."""


class Owner(Protocol):
    """The engine that is asked."""

    project: Project
    state_dir: Path
    clock: Clock
    ledger: Ledger


def reopen(tx: Transaction, view: RunView, person: str, now: datetime) -> None:
    """A failed or cancelled run can go on: its cancellation is taken back, what was cut off is new again.

    What waited for a decision waits again: a row is neither approved nor rejected because its run failed (G2).
    """
    runs.reopen(tx, view.run_id)
    _begin_after_all(tx, view.run_id, now)
    for item in items.find(tx, view.run_id, state=ItemState.FAILED):
        if item.error is not None and item.error.kind not in ("business", "rejected"):
            items.move(tx, item, ItemState.NEW, now, error=None)
    audit.write(tx, now=now, actor=person, act="run.reopened", run_id=view.run_id)


def _begin_after_all(tx: Transaction, run_id: str, now: datetime) -> None:
    """What was cut off when the run or loop ended goes on: open approvals, and items that were not begun."""
    for approval_id in approvals.reopen_cancelled(tx, run_id, now):
        audit.write(tx, now=now, actor="engine", act="approval.reopened", run_id=run_id, subject=approval_id)
    begin_not_begun(tx, run_id, now)


def begin_not_begun(tx: Transaction, run_id: str, now: datetime) -> int:
    """Items that were not begun, since their loop was ended before, are new again; how many."""
    chosen = [
        item
        for item in items.find(tx, run_id, state=ItemState.CANCELLED)
        if (item.comment or "").startswith(NOT_BEGUN)
    ]
    for item in chosen:
        items.move(tx, item, ItemState.NEW, now, comment=None, error=None)
    return len(chosen)


@contextmanager
def refusals_audited(owner: Owner, wanted: str, about: Sequence[str], *, person: str) -> Iterator[None]:
    """A try that is refused stands in the audit as `item.refused`, with what was wanted and why it was refused."""
    try:
        yield
    except (Refused, UsageError) as refused:
        now, details = owner.clock.now(), {"wanted": wanted, "about": list(about), "why": str(refused)}
        owner.ledger.write(
            lambda tx: audit.write(
                tx, now=now, actor=person, act="item.refused", subject=about[0] if len(about) == 1 else "",
                details=details,
            )
        )  # fmt: skip
        raise


def retry(owner: Owner, item_ids: tuple[str, ...], *, person: str, comment: str) -> tuple[str, ...]:
    """Releases items; gives the runs that must be driven for it."""
    now, ledger = owner.clock.now(), owner.ledger
    chosen = [ledger.item(item_id) for item_id in item_ids]
    for item in chosen:
        _refuse_retry(owner, item, person)

    def write(tx: Transaction) -> None:
        for item in chosen:
            for each in _with_relatives(tx, item):
                items.move(
                    tx, each, ItemState.NEW, now, error=None, held_at="", reviewer=person, comment=comment or None
                )
            audit.write(
                tx, now=now, actor=person, act="item.retried", run_id=item.run_id, subject=item.item_id,
                details={"key": item.key, "was": item.state, "comment": comment},
            )  # fmt: skip
        for run_id in {item.run_id for item in chosen}:
            _wake(tx, runs.one(tx, run_id), now)

    ledger.write(write)
    return tuple(dict.fromkeys(item.run_id for item in chosen))


def _wake(tx: Transaction, run: RunView, now: datetime) -> None:
    """The run can go on: one that failed from its steps, one that is through only with the items released now."""
    if run.state == RunState.FAILED:
        runs.reopen(tx, run.run_id)
        _begin_after_all(tx, run.run_id, now)
    elif run.state != RunState.RUNNING:
        runs.ask_to_cancel(tx, run.run_id, None)
        runs.wait(tx, run.run_id, wake_at=now, waiting_for="items that were released")


def _refuse_retry(owner: Owner, item: ItemView, person: str) -> None:
    if item.state == ItemState.IN_DOUBT:
        raise Refused(f"Item {item.key} is in doubt: say first whether it was done (runner.py settle {item.item_id}).")
    if item.state not in RETRIED:
        raise Refused(f"Item {item.key} is {str(item.state).replace('_', ' ')}; there is nothing to retry.")
    _refuse_release(owner, item, person)


def _refuse_release(owner: Owner, item: ItemView, person: str) -> None:
    """An item on hold is let go by a person who is no maker of its run, whichever way it goes on."""
    if item.state != ItemState.ON_HOLD:
        return
    _refuse_unapproved(owner, item)
    settings, plan = owner.project.settings, _plan(owner, item.run_id)
    if person not in settings.people:
        raise Refused(f'Item {item.key} is on hold, and "{person}" is nobody in settings.yaml; sign in to release it.')
    makers = makers_of(owner.ledger, settings, owner.project.folder, plan)
    if any(same_person(settings, person, maker) for maker in makers):
        raise Refused(f"{settings.people[person].name} made this run and may not release an item that is on hold.")


def _refuse_unapproved(owner: Owner, item: ItemView) -> None:
    for approval in owner.ledger.approvals("open", item.run_id):
        if any(row.state == "open" and is_row_of(approval, row, item) for row in approval.rows):
            raise Refused(f"Item {item.key} was edited and waits to be approved again; decide on that first.")


def follow_decision(
    tx: Transaction, approval: ApprovalView, row: ApprovalRowView, new_row: Mapping[str, Value] | None, now: datetime
) -> None:
    """An item that was edited and is decided on again: it gets the row as decided, or is rejected with it."""
    for item in items.find(tx, approval.run_id):
        if item.state not in (ItemState.ON_HOLD, ItemState.CANCELLED) or not is_row_of(approval, row, item):
            continue
        if row.state == "rejected" and item.state == ItemState.ON_HOLD:
            items.move(tx, item, ItemState.REJECTED, now, reviewer=row.decided_by, comment=row.comment)
        elif row.state == "approved":
            decided = new_row if new_row is not None else row.row
            items.change_row(tx, item, {name: decided.get(name, value) for name, value in item.row.items()})
            if item.comment == EDITED:
                items.move(tx, item, ItemState.NEW, now, comment=None)


def _with_relatives(tx: Transaction, item: ItemView) -> list[ItemView]:
    """The item, those around it that wait or failed with it, and those inside it that are on hold."""
    found = [item]
    parent_id = item.parent_id
    while parent_id is not None:
        parent = items.one(tx, parent_id)
        if parent.state in RETRIED:
            found.append(parent)
        parent_id = parent.parent_id
    inner = [one for one in items.find(tx, item.run_id) if one.parent_id == item.item_id]
    return [*found, *(one for one in inner if one.state in (ItemState.ON_HOLD, ItemState.FAILED))]


def _plan(owner: Owner, run_id: str) -> Plan:
    return Plan.from_json(json.loads(owner.ledger.plan(run_id)))


def requeue(owner: Owner, item_ids: tuple[str, ...], *, person: str, comment: str) -> int:
    """Puts items back on the queue they came from. All of them, or none where one can't."""
    now, ledger = owner.clock.now(), owner.ledger
    chosen = [ledger.item(item_id) for item_id in item_ids]
    for item in chosen:
        _refuse_release(owner, item, person)

    def write(tx: Transaction) -> None:
        for item in chosen:
            name = queues.queue_of(tx, item.item_id)
            if name is None:
                again = f"runner.py retry {item.item_id}"
                raise Refused(f"Item {item.key} came from no queue; try it again in its run: {again}")
            _refuse_unsettled(tx, item)
            if item.state not in REQUEUED:
                raise Refused(f"Item {item.key} is {_words(item)}; only what did not end well goes back to a queue.")
            queues.requeue(tx, item, now, comment=comment or f"put back on {name}", reviewer=person)
            audit.write(
                tx, now=now, actor=person, act="item.requeued", run_id=item.run_id, subject=item.item_id,
                details={"key": item.key, "queue": name, "was": item.state, "comment": comment},
            )  # fmt: skip
        for run_id in {item.run_id for item in chosen}:
            _wake_if_waiting(tx, run_id, now)

    ledger.write(write)
    return len(chosen)


def abandon(owner: Owner, item_ids: tuple[str, ...], *, person: str, comment: str) -> tuple[str, ...]:
    """Items that nobody will work any more; all of them, or none where one can't."""
    now, ledger = owner.clock.now(), owner.ledger
    chosen = [ledger.item(item_id) for item_id in item_ids]

    def write(tx: Transaction) -> None:
        for item in chosen:
            _refuse_unsettled(tx, item)
            if item.state not in ABANDONED:
                raise Refused(f"Item {item.key} is {_words(item)}; only what waits or did not end well is abandoned.")
            items.move(tx, item, ItemState.ABANDONED, now, reviewer=person, comment=comment)
            audit.write(
                tx, now=now, actor=person, act="item.abandoned", run_id=item.run_id, subject=item.item_id,
                details={"key": item.key, "was": item.state, "comment": comment},
            )  # fmt: skip
        for run_id in {item.run_id for item in chosen}:
            _wake_if_waiting(tx, run_id, now)

    ledger.write(write)
    return tuple(dict.fromkeys(item.run_id for item in chosen))


def _refuse_unsettled(tx: Transaction, item: ItemView) -> None:
    if any(intent.state in ("open", "in_doubt") for intent in intents.of_item(tx, item.item_id)):
        raise Refused(f"Item {item.key} may have been posted: settle that first (runner.py doubts, runner.py settle).")


def _wake_if_waiting(tx: Transaction, run_id: str, now: datetime) -> None:
    """A run that waited for a person's word on these items looks again."""
    run = runs.one(tx, run_id)
    if run.state == RunState.WAITING:
        runs.wait(tx, run_id, wake_at=now, waiting_for="items that a person decided on")


def _words(item: ItemView) -> str:
    return str(item.state).replace("_", " ")


# editing


def edit(owner: Owner, item_id: str, values: Mapping[str, str], *, person: str) -> ItemView:
    """Other values for columns of an item's row; what an approval had released is asked again."""
    item, now = owner.ledger.item(item_id), owner.clock.now()
    loaded = _plan(owner, item.run_id).load()
    loop = _loop_of(loaded, item)
    new_row = _edited(owner, item, loop, values)

    def write(tx: Transaction) -> None:
        if items.one(tx, item_id).state != item.state:
            raise Refused(f"Item {item.key} has moved meanwhile; look at it again.")
        if any(intent.state in ("open", "in_doubt", "confirmed") for intent in intents.of_item(tx, item_id)):
            raise Refused(f"Item {item.key} has an intent that is open or done; what was posted can't be edited.")
        items.change_row(tx, item, new_row)
        steps.forget_item(tx, item_id)
        changed = {name: [str(item.row[name]), text] for name, text in values.items()}
        audit.write(
            tx, now=now, actor=person, act="item.edited", run_id=item.run_id, subject=item_id,
            details={"key": item.key, "changed": changed},
        )  # fmt: skip
        _approve_again(tx, loaded, item, new_row, now)

    owner.ledger.write(write)
    return owner.ledger.item(item_id)


def _edited(owner: Owner, item: ItemView, loop: tuple[Step, ForEach], values: Mapping[str, str]) -> dict[str, Value]:
    if item.state not in RETRIED | {ItemState.NEW}:
        raise Refused(f"Item {item.key} is {str(item.state).replace('_', ' ')}; only what waits can be edited.")
    step, kind = loop
    keys = {used.path[-1] for text in kind.key for used in names_used(parse_expression(text))} | set(kind.group_by)
    found = dict(item.row)
    for name, text in values.items():
        if name not in item.row:
            raise Refused(f'Item {item.key} has no column "{name}"; it has {", ".join(item.row)}.')
        if name in keys:
            raise Refused(f'"{name}" is part of the key of {step.id}; an item with another key is another item.')
        found[name] = _as_before(text, item.row[name], name, owner.project.settings.timezone)
    return found


def _as_before(text: str, before: Value, name: str, zone: str) -> Value:
    """The text in the type that the column has."""
    if text == "":
        return None
    try:
        return text if before is None else converted(text, value_type(before), zone)
    except ValueError as error:
        raise Refused(f'"{text}" does not fit the column {name}: {error}.') from error


def _loop_of(loaded: LoadedPlan, item: ItemView) -> tuple[Step, ForEach]:
    step_id = item.loop.rpartition(".")[2]
    for workflow in loaded.workflows.values():
        for step in walk(workflow.steps):
            if step.id == step_id and isinstance(step.kind, ForEach):
                return step, step.kind
    raise Refused(f"The plan of this run has no loop {item.loop}.")


def _approve_again(
    tx: Transaction, loaded: LoadedPlan, item: ItemView, row: Mapping[str, Value], now: datetime
) -> None:
    """A row that an approval had released is shown again as it is now; the editor can't approve it."""
    for approval in approvals.in_state(tx, None, item.run_id):
        step_of(loaded, approval)
        for shown in approval.rows:
            released = shown.decided_row if shown.decided_row is not None else shown.row
            if shown.state != "approved" or any(item.row.get(name) != value for name, value in released.items()):
                continue
            new_row = {name: row.get(name, value) for name, value in shown.row.items()}
            digests = {one.key: one.digest for one in approval.rows} | {shown.key: row_digest(new_row)}
            digest = digest_of(approval.approval_id, approval.terms, digests.values(), approval.binds)
            again = replace(approval, digest=digest)
            approvals.reopen_row(tx, again, shown.key, new_row, digests[shown.key], now)
            if item.state == ItemState.NEW:
                items.move(tx, item, ItemState.CANCELLED, now, comment=EDITED)
            audit.write(
                tx, now=now, actor="engine", act="approval.asked_again", run_id=item.run_id,
                subject=approval.approval_id, details={"row": shown.key},
            )  # fmt: skip


# doubts


def settle_doubt(owner: Owner, intent_id: str, *, done: bool, comment: str, person: str) -> RunView:
    """Done: confirmed as the person says; not done: it may be done again by `retry`. Signed in, and in the audit."""
    ledger, now = owner.ledger, owner.clock.now()
    if person not in owner.project.settings.people:
        raise Refused(f'"{person}" is nobody in settings.yaml; sign in to settle what is in doubt.')

    def write(tx: Transaction) -> RunView:
        intent = intents.one(tx, intent_id)
        if intent is None or intent.state != "in_doubt":
            raise Refused(f"There is nothing in doubt under {intent_id}; list it with: runner.py doubts")
        state = "confirmed" if done else "withdrawn"
        intents.end(tx, intent_id, state, now, why=intent.why, settled_by=person, comment=comment)
        audit.write(
            tx, now=now, actor=person, act=f"doubt.{'done' if done else 'not_done'}", run_id=intent.run_id,
            subject=intent_id, details={"posting_key": intent.posting_key, "comment": comment},
        )  # fmt: skip
        if intent.item_id is not None:
            item = items.one(tx, intent.item_id)
            if item.state == ItemState.IN_DOUBT:
                items.move(tx, item, ItemState.NEW, now, reviewer=person, comment=comment)
        run = runs.one(tx, intent.run_id)
        if run.state == RunState.WAITING:
            runs.wait(tx, run.run_id, wake_at=now, waiting_for=run.waiting_for)
        return runs.one(tx, intent.run_id)

    return ledger.write(write)
