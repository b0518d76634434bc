"""Writing what runs do. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from interoffice.errors import UsageError
from interoffice.frozen import dataclass
from interoffice.model.values import Value
from interoffice.model.work import RUN_ENDED, ItemState, RunState
from interoffice.store.database import Transaction
from interoffice.store.reading import failure_text, optional_text, record_text, run_view, text_of
from interoffice.store.statements import statements
from interoffice.store.views import Failure, RunView

_SQL = statements("runs")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """What is stored of a run when it starts. `plan` is the whole plan as JSON text."""

    run_id: str
    workflow: str
    workflow_name: str
    plan: str
    plan_digest: str
    inputs_digest: str
    environment: str
    started_by: str
    planned_at: datetime
    rehearse: bool
    overlap: str


def add(tx: Transaction, run: NewRun, state: RunState, now: datetime, *, why: str = "") -> None:
    """A run in its first state: queued, or skipped with the reason."""
    ended = text_of(now) if state in RUN_ENDED else None
    values = {name: getattr(run, name) for name in NewRun.__slots__}
    values.update(planned_at=text_of(run.planned_at), rehearse=int(run.rehearse))
    tx.run(_SQL["insert"], {**values, "state": state, "now": text_of(now), "ended_at": ended, "waiting_for": why})


def one(tx: Transaction, run_id: str) -> RunView:
    """The run; a beginning or an end of its id will do where only one run has it."""
    row = tx.row(_SQL["one"], {"run_id": run_id})
    if row is None and run_id.strip() and not set(run_id) & set("%_"):
        for pattern in (f"{run_id}%", f"%{run_id}"):
            found = tx.rows(_SQL["like"], {"pattern": pattern})
            if len(found) > 1:
                named = ", ".join(one_of["run_id"] for one_of in found)
                raise UsageError(f'"{run_id}" fits several runs ({named} ...); give more of the id.')
            if found:
                row = tx.row(_SQL["one"], {"run_id": found[0]["run_id"]})
                break
    if row is None:
        raise UsageError(f'There is no run "{run_id}"; list them with: runner.py runs')
    return run_view(row, counts(tx, row["run_id"]))


def counts(tx: Transaction, run_id: str) -> Mapping[ItemState, int]:
    """How many work items of the run stand in each state."""
    rows = tx.rows(_SQL["item_counts"], {"run_id": run_id})
    return {ItemState(row["state"]): row["number"] for row in rows}


def newest(tx: Transaction, *, limit: int, workflow: str | None, state: str | None) -> tuple[RunView, ...]:
    """The newest runs first."""
    rows = tx.rows(_SQL["newest"], {"limit": limit, "workflow": workflow, "state": state})
    return tuple(run_view(row, counts(tx, row["run_id"])) for row in rows)


def others_of_workflow(tx: Transaction, run_id: str, workflow: str) -> tuple[RunView, ...]:
    """Runs of the workflow that are queued or running: what `overlap` looks at. A waiting run does not count."""
    rows = tx.rows(_SQL["of_workflow"], {"run_id": run_id, "workflow": workflow})
    return tuple(run_view(row, {}) for row in rows)


def unfinished(tx: Transaction) -> tuple[RunView, ...]:
    """Every run that is queued, running or waiting, in planned order."""
    return tuple(run_view(row, {}) for row in tx.rows(_SQL["unfinished"]))


def plan_text(tx: Transaction, run_id: str) -> str:
    """The plan as it was stored with the run."""
    row = tx.row(_SQL["plan"], {"run_id": run_id})
    if row is None:
        raise UsageError(f'There is no run "{run_id}"; list them with: runner.py runs')
    return str(row["plan"])


def take(tx: Transaction, run_id: str, engine_id: str, now: datetime, *, body_done: bool) -> None:
    """The run is walked by this engine from now on; `body_done`: only items that were released afterwards."""
    values = {"run_id": run_id, "engine_id": engine_id, "now": text_of(now), "body_done": int(body_done)}
    tx.run(_SQL["take"], values)


def reopen(tx: Transaction, run_id: str) -> None:
    """A failed or cancelled run is queued once more."""
    tx.run(_SQL["reopen"], {"run_id": run_id})


def hold(tx: Transaction, run_id: str, engine_id: str) -> None:
    """A queued run belongs to this engine, which begins it when its turn comes."""
    tx.run(_SQL["hold"], {"run_id": run_id, "engine_id": engine_id})


def wait(tx: Transaction, run_id: str, *, wake_at: datetime | None, waiting_for: str) -> None:
    """The run is suspended: nobody walks it until `wake_at`, or until what it waits for has come."""
    tx.run(_SQL["wait"], {"run_id": run_id, "wake_at": optional_text(wake_at), "waiting_for": waiting_for})


def end(
    tx: Transaction,
    run_id: str,
    state: RunState,
    now: datetime,
    *,
    warned: bool,
    error: Failure | None = None,
    outputs: Mapping[str, Value] | None = None,
    waiting_for: str = "",
) -> None:
    """The steps are through. State `waiting`: items still wait for a person, and `settle` ends the run later."""
    values = {
        "run_id": run_id,
        "state": state,
        "wake_at": None,
        "waiting_for": waiting_for,
        "ended_at": text_of(now) if state in RUN_ENDED else None,
        "body_done": 1,
        "warned": int(warned),
        "error": failure_text(error),
        "outputs": record_text(outputs),
    }
    tx.run(_SQL["end"], values)


def settle(tx: Transaction, run_id: str, state: RunState, now: datetime, *, waiting_for: str = "") -> None:
    """A run whose steps are through changes its state, since the last of its waiting items was settled."""
    ended = text_of(now) if state in RUN_ENDED else None
    tx.run(_SQL["settle"], {"run_id": run_id, "state": state, "ended_at": ended, "waiting_for": waiting_for})


def ask_to_cancel(tx: Transaction, run_id: str, how: str | None) -> None:
    """The wish to cancel (`soft`: the item in hand finishes; `hard`), or None to take it back."""
    tx.run(_SQL["cancel"], {"run_id": run_id, "how": how})


def asked_to_cancel(tx: Transaction, engine_id: str) -> Mapping[str, str]:
    """Runs of the engine that somebody wants cancelled, and how."""
    return {row["run_id"]: row["cancel"] for row in tx.rows(_SQL["asked_to_cancel"], {"engine_id": engine_id})}
