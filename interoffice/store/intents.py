"""Intents: what is about to be done, durable before it is done. A posting key has one unsettled intent at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from interoffice.errors import Refused
from interoffice.frozen import dataclass
from interoffice.model.values import Value
from interoffice.store import items
from interoffice.store.database import Transaction
from interoffice.store.reading import intent_view, record_text, text_of
from interoffice.store.statements import statements
from interoffice.store.views import IntentView

_SQL = statements("intents")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewIntent:
    """An act that is about to happen. `token` fences it: the lease of the item, or of the step outside a loop."""

    intent_id: str
    posting_key: str
    run_id: str
    path: str
    attempt: int
    token: str
    engine_id: str
    meant: Mapping[str, Value]
    item_id: str | None = None
    occasion: str = ""
    evidence: Mapping[str, Value] | None = None


def open_intent(tx: Transaction, intent: NewIntent, now: datetime, *, once: bool) -> None:
    """The intent is in the ledger, or Refused: the item is another's now, or its key is open or posted already.

    `once`: posted on whatever occasion counts, else only what was posted on this one.
    """
    if intent.item_id is not None and not items.holds_lease(tx, intent.item_id, intent.token):
        raise Refused(f"Item {intent.item_id} is no longer in the hand of this lane; nothing was done.")
    posted = tx.row(_SQL["confirmed"], {"posting_key": intent.posting_key})
    if posted is not None and (once or posted["occasion"] == intent.occasion):
        raise Refused(f"{intent.posting_key} was posted by run {posted['run_id']} meanwhile; nothing was done.")
    values = {name: getattr(intent, name) for name in NewIntent.__slots__}
    values.update(meant=record_text(intent.meant), evidence=record_text(intent.evidence), now=text_of(now))
    try:
        tx.run(_SQL["insert"], values)
    except sqlite3.IntegrityError as error:
        raise Refused(f"{intent.posting_key} has an open intent of another run; nothing was done.") from error


def end(
    tx: Transaction,
    intent_id: str,
    state: str,
    now: datetime,
    *,
    reference: str = "",
    outputs: Mapping[str, Value] | None = None,
    evidence: Mapping[str, Value] | None = None,
    why: str = "",
    settled_by: str | None = None,
    comment: str | None = None,
) -> None:
    """The intent is confirmed, withdrawn (it did not happen), or in doubt."""
    values = {
        "intent_id": intent_id,
        "state": state,
        "reference": reference,
        "outputs": record_text(outputs),
        "evidence": record_text(evidence),
        "why": why,
        "now": text_of(now),
        "settled_by": settled_by,
        "comment": comment,
    }
    if not tx.run(_SQL["end"], values):
        raise Refused(f"Intent {intent_id} is settled already.")


def one(tx: Transaction, intent_id: str) -> IntentView | None:
    """The intent."""
    return _view(tx.row(_SQL["one"], {"intent_id": intent_id}))


def unsettled(tx: Transaction, posting_key: str) -> IntentView | None:
    """The open or doubtful intent of a key."""
    return _view(tx.row(_SQL["unsettled"], {"posting_key": posting_key}))


def confirmed(tx: Transaction, posting_key: str) -> IntentView | None:
    """The newest confirmed intent of a key, of whatever run."""
    return _view(tx.row(_SQL["confirmed"], {"posting_key": posting_key}))


def references(tx: Transaction, posting_key: str) -> frozenset[str]:
    """The references under which the key was posted on earlier occasions."""
    return frozenset(row["reference"] for row in tx.rows(_SQL["references"], {"posting_key": posting_key}))


def at_path(tx: Transaction, run_id: str, path: str) -> tuple[IntentView, ...]:
    """Intents of a step, the newest first."""
    return tuple(intent_view(row) for row in tx.rows(_SQL["at_path"], {"run_id": run_id, "path": path}))


def of_item(tx: Transaction, item_id: str) -> tuple[IntentView, ...]:
    """Intents of an item."""
    return tuple(intent_view(row) for row in tx.rows(_SQL["of_item"], {"item_id": item_id}))


def in_state(tx: Transaction, state: str, run_id: str | None = None) -> tuple[IntentView, ...]:
    """Intents in a state, oldest first."""
    return tuple(intent_view(row) for row in tx.rows(_SQL["in_state"], {"state": state, "run_id": run_id}))


def _view(row: sqlite3.Row | None) -> IntentView | None:
    return None if row is None else intent_view(row)
