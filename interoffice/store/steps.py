"""Writing what steps and attempts do. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from interoffice.frozen import dataclass
from interoffice.model.values import Value
from interoffice.model.work import StepState
from interoffice.store.database import Transaction
from interoffice.store.reading import attempt_view, failure_text, optional_text, record_text, step_view, text_of
from interoffice.store.statements import statements
from interoffice.store.views import AttemptView, Failure, StepView

_SQL = statements("steps")


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPlace:
    """Which step, where: what does not change while it is worked."""

    run_id: str
    path: str
    position: int
    step_id: str
    kind: str
    item_id: str | None = None
    bot: str = ""
    office: str = ""


def begin(tx: Transaction, place: StepPlace, now: datetime, inputs: Mapping[str, Value] | None) -> None:
    """The step runs; a failed or interrupted one begins anew at the same path."""
    tx.run(_SQL["begin"], {**_place(place), "now": text_of(now), "inputs": record_text(inputs)})


def end(
    tx: Transaction,
    place: StepPlace,
    state: StepState,
    *,
    started_at: datetime,
    ended_at: datetime | None,
    inputs: Mapping[str, Value] | None = None,
    outputs: Mapping[str, Value] | None = None,
    error: Failure | None = None,
    note: str = "",
    wake_at: datetime | None = None,
) -> None:
    """The step's end, or that it waits."""
    values = {
        "state": state,
        "inputs": record_text(inputs),
        "outputs": record_text(outputs),
        "error": failure_text(error),
        "note": note,
        "started_at": text_of(started_at),
        "ended_at": optional_text(ended_at),
        "wake_at": optional_text(wake_at),
    }
    tx.run(_SQL["end"], {**_place(place), **values})


def _place(place: StepPlace) -> dict[str, object]:
    return {name: getattr(place, name) for name in StepPlace.__slots__}


def outside_items(tx: Transaction, run_id: str) -> dict[str, StepView]:
    """The steps that stand in no loop, by path."""
    return {row["path"]: step_view(row) for row in tx.rows(_SQL["outside_items"], {"run_id": run_id})}


def of_item(tx: Transaction, item_id: str) -> dict[str, StepView]:
    """The steps of a work item, by path."""
    return {row["path"]: step_view(row) for row in tx.rows(_SQL["of_item"], {"item_id": item_id})}


def of_run(tx: Transaction, run_id: str) -> tuple[StepView, ...]:
    """All steps of a run in the order in which they were begun."""
    return tuple(step_view(row) for row in tx.rows(_SQL["of_run"], {"run_id": run_id}))


def last_position(tx: Transaction, run_id: str) -> int:
    """How many steps were begun so far."""
    row = tx.row(_SQL["last_position"], {"run_id": run_id})
    return int(row["position"]) if row else 0


def interrupt(tx: Transaction, run_id: str, now: datetime) -> int:
    """What a dead engine left running is interrupted; how many steps that were."""
    tx.run(_SQL["interrupt_attempts"], {"run_id": run_id, "now": text_of(now)})
    return tx.run(_SQL["interrupt"], {"run_id": run_id, "now": text_of(now)})


def forget_item(tx: Transaction, item_id: str) -> None:
    """The recorded steps of an item whose row was changed count no more; its attempts stay."""
    tx.run(_SQL["forget_item"], {"item_id": item_id})


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptPlace:
    """Which attempt of which step. `kind`: call or look_up; `lane` names the process that does it."""

    run_id: str
    path: str
    number: int
    lane: str
    kind: str = "call"
    item_id: str | None = None


def begin_attempt(tx: Transaction, place: AttemptPlace, now: datetime, inputs: Mapping[str, Value] | None) -> None:
    """An attempt begins."""
    values = {name: getattr(place, name) for name in AttemptPlace.__slots__}
    tx.run(_SQL["begin_attempt"], {**values, "now": text_of(now), "inputs": record_text(inputs)})
    if place.kind == "call":
        tx.run(_SQL["step_attempts"], {"run_id": place.run_id, "path": place.path, "number": place.number})


def end_attempt(
    tx: Transaction,
    place: AttemptPlace,
    state: str,
    now: datetime,
    *,
    outputs: Mapping[str, Value] | None = None,
    error: Failure | None = None,
    evidence: Mapping[str, Value] | None = None,
) -> None:
    """An attempt ends: succeeded, failed, interrupted, rehearsed; a look-up: found, different, not_found, unclear."""
    values = {
        "run_id": place.run_id,
        "path": place.path,
        "number": place.number,
        "state": state,
        "now": text_of(now),
        "outputs": record_text(outputs),
        "error": failure_text(error),
        "evidence": record_text(evidence),
    }
    tx.run(_SQL["end_attempt"], values)


def attempts_made(tx: Transaction, run_id: str, path: str) -> int:
    """How many attempts, look-ups included, the step has had."""
    row = tx.row(_SQL["count_attempts"], {"run_id": run_id, "path": path})
    return int(row["number"]) if row else 0


def attempts(
    tx: Transaction, run_id: str, *, path: str | None = None, item_id: str | None = None
) -> tuple[AttemptView, ...]:
    """Attempts in the order in which they were begun."""
    values = {"run_id": run_id, "path": path, "item_id": item_id}
    return tuple(attempt_view(row) for row in tx.rows(_SQL["attempts"], values))
