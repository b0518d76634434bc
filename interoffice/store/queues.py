"""Queues: rows that one workflow puts there and another works, each key once; what is taken is a work item."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from interoffice.frozen import dataclass
from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.model.work import ITEM_ENDED, ItemState
from interoffice.store import items
from interoffice.store.database import Row, Transaction
from interoffice.store.items import NewItem
from interoffice.store.reading import NO_DEADLINE, item_view, moment_of, optional_text, text_of
from interoffice.store.statements import statements
from interoffice.store.views import Failure, ItemView, failure_from

_SQL = statements("queues")
GIVEN_BACK = "given back to its queue"
FORGOTTEN_WHEN = ITEM_ENDED - {ItemState.FAILED, ItemState.ABANDONED}
"""States after which an entry is forgotten once the queue's `keep` has passed: its key may come again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntry:
    """A row that a dispatcher puts on a queue. `deadline`: when its work is due."""

    key: str
    row: Mapping[str, Value]
    deadline: datetime | None = None
    priority: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryView:
    """One entry as people see it. `state` is that of the work item that it became, `new` while it waits."""

    queue: str
    key: str
    row: Mapping[str, Value]
    state: ItemState
    deadline: datetime | None
    priority: int
    added_at: datetime
    added_by: str
    item_id: str | None
    run_id: str | None
    attempts: int
    error: Failure | None


def add(
    tx: Transaction, queue: str, new: Iterable[NewEntry], now: datetime, *, added_by: str, keep: timedelta
) -> tuple[int, int]:
    """Puts rows on the queue; how many are new there, and how many keys were there already."""
    added = already = 0
    for entry in new:
        values = {
            "queue": queue,
            "key": entry.key,
            "row": codec.canonical(dict(entry.row)),
            "deadline": optional_text(entry.deadline) or NO_DEADLINE,
            "priority": entry.priority,
            "now": text_of(now),
            "added_by": added_by,
        }
        there = tx.row(_SQL["one"], {"queue": queue, "key": entry.key})
        if there is None:
            tx.run(_SQL["insert"], values)
            added += 1
        elif _is_forgotten(there, now - keep):
            tx.run(_SQL["again"], {**values, "entry_id": there["entry_id"]})
            added += 1
        else:
            already += 1
    return added, already


def _is_forgotten(there: Row, before: datetime) -> bool:
    over = there["state"] in FORGOTTEN_WHEN and there["ended_at"] is not None
    return over and moment_of(there["ended_at"]) < before


def added_by(tx: Transaction, queue: str, who: str) -> int:
    """How many entries this step of this run has put there."""
    row = tx.row(_SQL["added_by"], {"queue": queue, "added_by": who})
    return int(row["number"]) if row else 0


def missing(tx: Transaction, queue: str, keys: Iterable[str]) -> tuple[str, ...]:
    """Keys that are not on the queue."""
    return tuple(key for key in keys if tx.row(_SQL["one"], {"queue": queue, "key": key}) is None)


def waiting(
    tx: Transaction, queue: str, run_id: str, loop: str, *, limit: int, key: str | None = None
) -> tuple[tuple[str, Mapping[str, Value]], ...]:
    """The entries that the loop would take next, with their rows: deadline, priority, first come."""
    values = {"queue": queue, "run_id": run_id, "loop": loop, "key": key, "limit": limit}
    return tuple((row["key"], _record(row)) for row in tx.rows(_SQL["first"], values))


def take(
    tx: Transaction, queue: str, run_id: str, loop: str, now: datetime, *, posts: str, parent_id: str | None,
    key: str | None = None,
) -> bool:  # fmt: skip
    """The next entry becomes an item of the loop; False when none waits."""
    values = {"queue": queue, "run_id": run_id, "loop": loop, "key": key, "limit": 1}
    row = tx.row(_SQL["first"], values)
    if row is None:
        return False
    deadline = None if row["deadline"] == NO_DEADLINE else moment_of(row["deadline"])
    new = NewItem(
        key=row["key"], row=_record(row), posts=posts, origin=f"queue {queue}", parent_id=parent_id, deadline=deadline,
        priority=row["priority"],
    )  # fmt: skip
    (item_id,) = items.add(tx, run_id, loop, [new], now)
    tx.run(_SQL["take"], {"item_id": item_id, "entry_id": row["entry_id"]})
    return True


def give_back(tx: Transaction, run_id: str, now: datetime) -> int:
    """Entries whose item this run did not begin, or put aside again, wait for another run; how many."""
    count = 0
    for row in tx.rows(_SQL["not_begun"], {"run_id": run_id}):
        requeue(tx, item_view(row), now, comment=GIVEN_BACK)
        count += 1
    return count


def requeue(tx: Transaction, item: ItemView, now: datetime, *, comment: str, reviewer: str | None = None) -> None:
    """The item is over here, and its entry waits for another run; the item's attempts stay in the record."""
    items.move(tx, item, ItemState.RETRIED, now, comment=comment, reviewer=reviewer)
    tx.run(_SQL["free"], {"item_id": item.item_id})


def queue_of(tx: Transaction, item_id: str) -> str | None:
    """The queue that an item came from."""
    row = tx.row(_SQL["of_item"], {"item_id": item_id})
    return None if row is None else str(row["queue"])


def entries(
    tx: Transaction, queue: str, *, state: str | None = None, words: str | None = None
) -> tuple[EntryView, ...]:
    """The entries of a queue in the order of work, by state, or by a text in their key or row."""
    values = {"queue": queue, "state": state, "words": None if words is None else f"%{words}%"}
    return tuple(_view(row) for row in tx.rows(_SQL["entries"], values))


def counts(tx: Transaction) -> dict[str, dict[ItemState, int]]:
    """How many entries of each queue stand in each state."""
    found: dict[str, dict[ItemState, int]] = {}
    for row in tx.rows(_SQL["counts"], {}):
        found.setdefault(row["queue"], {})[ItemState(row["state"])] = int(row["number"])
    return found


def _record(row: Row) -> Mapping[str, Value]:
    record: Mapping[str, Value] = codec.loads(row["row"])  # type: ignore[assignment]
    return record


def _view(row: Row) -> EntryView:
    return EntryView(
        queue=row["queue"],
        key=row["key"],
        row=_record(row),
        state=ItemState(row["state"] or ItemState.NEW),
        deadline=None if row["deadline"] == NO_DEADLINE else moment_of(row["deadline"]),
        priority=row["priority"],
        added_at=moment_of(row["added_at"]),
        added_by=row["added_by"],
        item_id=row["item_id"],
        run_id=row["run_id"],
        attempts=row["attempts"] or 0,
        error=failure_from(json.loads(row["error"])) if row["error"] else None,
    )
