"""Writing what work items do. `move` is the only way from one state to another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from interoffice.errors import Refused, UsageError
from interoffice.frozen import dataclass
from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.model.work import ITEM_ENDED, ItemState, moves_allowed
from interoffice.store.database import Transaction
from interoffice.store.reading import NO_DEADLINE, failure_text, item_view, optional_text, record_text, text_of
from interoffice.store.statements import statements
from interoffice.store.views import Failure, ItemView

_SQL = statements("items")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewItem:
    """A work item that enters the ledger. `posts` names what its steps post, `origin` the approval it came from."""

    key: str
    row: Mapping[str, Value]
    posts: str = ""
    origin: str = ""
    parent_id: str | None = None
    state: ItemState = ItemState.NEW
    error: Failure | None = None
    defer_until: datetime | None = None
    deadline: datetime | None = None
    priority: int = 0


def add(tx: Transaction, run_id: str, loop: str, new: Sequence[NewItem], now: datetime) -> tuple[str, ...]:
    """Items of a loop, in their order; gives their ids."""
    row = tx.row(_SQL["last_position"], {"run_id": run_id})
    first = (int(row["position"]) if row else 0) + 1
    tx.run_many(_SQL["insert"], (_new(item, run_id, loop, first + n, now) for n, item in enumerate(new)))
    return tuple(_item_id(run_id, first + n) for n in range(len(new)))


def _item_id(run_id: str, position: int) -> str:
    return f"{run_id}.{position}"


def _new(item: NewItem, run_id: str, loop: str, position: int, now: datetime) -> dict[str, object]:
    return {
        "item_id": _item_id(run_id, position),
        "run_id": run_id,
        "loop": loop,
        "position": position,
        "key": item.key,
        "parent_id": item.parent_id,
        "row": codec.canonical(dict(item.row)),
        "posts": item.posts,
        "origin": item.origin,
        "state": item.state,
        "defer_until": optional_text(item.defer_until),
        "deadline": optional_text(item.deadline) or NO_DEADLINE,
        "priority": item.priority,
        "now": text_of(now),
        "ended_at": text_of(now) if item.state in ITEM_ENDED else None,
        "error": failure_text(item.error),
    }


def one(tx: Transaction, item_id: str) -> ItemView:
    """The item."""
    row = tx.row(_SQL["one"], {"item_id": item_id})
    if row is None:
        raise UsageError(f'There is no work item "{item_id}"; list those of a run with: runner.py items RUN')
    return item_view(row)


def keys(tx: Transaction, run_id: str, loop: str) -> dict[str, str]:
    """The keys that a loop has already, with their items."""
    return {row["key"]: row["item_id"] for row in tx.rows(_SQL["keys"], {"run_id": run_id, "loop": loop})}


def find(
    tx: Transaction,
    run_id: str,
    *,
    state: str | None = None,
    loop: str | None = None,
    key: str | None = None,
    code: str | None = None,
    words: str | None = None,
) -> tuple[ItemView, ...]:
    """Items of a run by state, loop, key, error code, or a text in their row."""
    values = {
        "run_id": run_id,
        "state": state,
        "loop": loop,
        "key": key,
        "code": None if code is None else f'%"code": "{code}"%',
        "words": None if words is None else f"%{words}%",
    }
    return tuple(item_view(row) for row in tx.rows(_SQL["of_run"], values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which work items are meant; what is None does not narrow. `key` and `words` are parts of the key and the row."""

    run_id: str | None = None
    workflow: str | None = None
    queue: str | None = None
    state: ItemState | None = None
    key: str | None = None
    code: str | None = None
    words: str | None = None


def search(tx: Transaction, wanted: Search, *, limit: int) -> tuple[ItemView, ...]:
    """Work items of all runs, the newest run first."""
    values = {
        "run_id": wanted.run_id,
        "workflow": wanted.workflow,
        "queue": None if wanted.queue is None else f"queue {wanted.queue}",
        "state": wanted.state,
        "key": None if wanted.key is None else f"%{wanted.key}%",
        "code": None if wanted.code is None else f'%"code": "{wanted.code}"%',
        "words": None if wanted.words is None else f"%{wanted.words}%",
        "limit": limit,
    }
    return tuple(item_view(row) for row in tx.rows(_SQL["search"], values))


def page(tx: Transaction, run_id: str, loop: str, *, after: int, limit: int) -> tuple[ItemView, ...]:
    """The next items of a loop by position, so that a long loop is read in pieces."""
    values = {"run_id": run_id, "loop": loop, "after": after, "limit": limit}
    return tuple(item_view(row) for row in tx.rows(_SQL["page"], values))


def counts(tx: Transaction, run_id: str, loop: str) -> dict[ItemState, int]:
    """How many items of a loop stand in each state."""
    rows = tx.rows(_SQL["counts"], {"run_id": run_id, "loop": loop})
    return {ItemState(row["state"]): int(row["number"]) for row in rows}


def in_live_run(tx: Transaction, run_id: str, key: str, posts: str) -> str | None:
    """Another run that lives and has an open item with this key which posts the same; None if there is none."""
    wanted = set(posts.split("\n"))
    for row in tx.rows(_SQL["in_live_run"], {"run_id": run_id, "key": key}):
        if wanted & set(row["posts"].split("\n")):
            return str(row["run_id"])
    return None


def in_progress(tx: Transaction, run_id: str) -> tuple[ItemView, ...]:
    """Items that somebody has, or had, in hand."""
    return tuple(item_view(row) for row in tx.rows(_SQL["leased_by"], {"run_id": run_id}))


def claim(tx: Transaction, run_id: str, loop: str, *, engine_id: str, token: str, now: datetime) -> ItemView | None:
    """The next item to work: deadline, priority, first come. None when none is ready."""
    row = tx.row(_SQL["first"], {"run_id": run_id, "loop": loop, "now": text_of(now)})
    if row is None:
        return None
    item = item_view(row)
    changes = {"lease_token": token, "engine_id": engine_id, "claimed_at": now, "attempts": item.attempts + 1}
    return move(tx, item, ItemState.IN_PROGRESS, now, **changes)


def next_deferred(tx: Transaction, run_id: str, loop: str) -> str | None:
    """When the first deferred item of a loop is due, as it is stored; None when none is new."""
    row = tx.row(_SQL["next_deferred"], {"run_id": run_id, "loop": loop})
    return row["at"] if row else None


def move(tx: Transaction, item: ItemView, to: ItemState, now: datetime, **changes: Any) -> ItemView:
    """The item in its new state. Refused: a move that the table does not allow, or an item that moved meanwhile."""
    if to not in moves_allowed[item.state]:
        raise Refused(f"Item {item.key} ({item.item_id}) is {item.state}; it can't become {to}.")
    ended = now if to in ITEM_ENDED else None
    if to != ItemState.IN_PROGRESS:
        changes = {"lease_token": None, "engine_id": None, **changes}
    moved = dataclasses.replace(item, state=to, ended_at=ended, **changes)
    if not tx.run(_SQL["move"], {**_columns(moved), "before": item.state}):
        raise Refused(f"Item {item.key} ({item.item_id}) is no longer {item.state}; look at it again.")
    return moved


def _columns(item: ItemView) -> dict[str, object]:
    return {
        "item_id": item.item_id,
        "state": item.state,
        "lease_token": item.lease_token,
        "engine_id": item.engine_id,
        "claimed_at": optional_text(item.claimed_at),
        "attempts": item.attempts,
        "ended_at": optional_text(item.ended_at),
        "error": failure_text(item.error),
        "result": codec.dumps(list(item.result)) if item.result else None,
        "held_at": item.held_at,
        "defer_until": optional_text(item.defer_until),
        "finished_later": int(item.finished_later),
        "reviewer": item.reviewer,
        "comment": item.comment,
    }


def holds_lease(tx: Transaction, item_id: str, token: str) -> bool:
    """True while the item is in hand under this very token."""
    row = tx.row(_SQL["one"], {"item_id": item_id})
    return row is not None and row["state"] == ItemState.IN_PROGRESS and row["lease_token"] == token


def change_row(tx: Transaction, item: ItemView, row: Mapping[str, Value]) -> None:
    """Another row for the item; who may, and when, is the engine's to know."""
    tx.run(_SQL["row"], {"item_id": item.item_id, "row": record_text(dict(row))})


def cancel_new(tx: Transaction, run_id: str, now: datetime, *, loop: str | None = None, why: str) -> int:
    """Items of a run, or of one loop, that were not begun are cancelled; how many."""
    rows: Iterable[ItemView] = (item_view(row) for row in tx.rows(_SQL["cancel_new"], {"run_id": run_id}))
    chosen = [item for item in rows if loop is None or item.loop == loop]
    for item in chosen:
        move(tx, item, ItemState.CANCELLED, now, comment=why)
    return len(chosen)
