"""`overlap:` of a workflow: what happens to a run that starts while another one of its workflow is not through.

A run that waits counts as through: it holds no slot.
"""

from __future__ import annotations

from collections.abc import Callable

from interoffice.model.work import RunState
from interoffice.store import runs
from interoffice.store.database import Transaction
from interoffice.store.runs import NewRun
from interoffice.store.views import RunView


def first_state(tx: Transaction, new: NewRun, is_dead: Callable[[str], bool]) -> tuple[RunState, str, tuple[str, ...]]:
    """Queued or skipped, why, and the runs that are to be cancelled for it."""
    if new.overlap == "allow":  # not asked for the others: there may be a thousand
        return RunState.QUEUED, "", ()
    others = runs.others_of_workflow(tx, new.run_id, new.workflow)
    if not others:
        return RunState.QUEUED, "", ()
    if new.overlap == "replace":
        return RunState.QUEUED, f"replaces run {others[-1].run_id}", tuple(other.run_id for other in others)
    if new.overlap == "skip":
        return RunState.SKIPPED, f"run {others[0].run_id} of this workflow {_is(others[0], is_dead)}", ()
    same = [other for other in others if other.state == RunState.QUEUED and other.inputs_digest == new.inputs_digest]
    if same:
        return RunState.SKIPPED, f"run {same[0].run_id} with these inputs is queued already", ()
    return RunState.QUEUED, f"behind run {others[-1].run_id}", ()


def _is(other: RunView, is_dead: Callable[[str], bool]) -> str:
    if other.engine_id is not None and is_dead(other.engine_id):
        return "was interrupted; resume or cancel it first"
    return f"is {other.state}"


def in_the_way(tx: Transaction, run: RunView) -> RunView | None:
    """The run of the same workflow that a queued one must let through first; None when it is its turn."""
    if run.overlap == "allow":
        return None
    others = runs.others_of_workflow(tx, run.run_id, run.workflow)
    earlier = [other for other in others if other.state == RunState.RUNNING or other.position < run.position]
    return earlier[0] if earlier else None
