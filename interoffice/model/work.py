"""Runs, steps and work items: their states, and the moves between them that are allowed.

The ledger refuses every other move; `moves_allowed` is the one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RunState(StrEnum):
    """What a run is doing, or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    DONE_WITH_WARNINGS = "done_with_warnings"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class StepState(StrEnum):
    """What a step is doing, or how it ended."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"


class ItemState(StrEnum):
    """Where a work item is."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    SUCCESSFUL = "successful"
    ALREADY_THERE = "already_there"
    REJECTED = "rejected"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    ON_HOLD = "on_hold"
    RETRIED = "retried"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"


RUN_ENDED = frozenset(
    {RunState.SUCCEEDED, RunState.DONE_WITH_WARNINGS, RunState.FAILED, RunState.CANCELLED, RunState.SKIPPED}
)
ITEM_WAITS_FOR_PERSON = frozenset({ItemState.IN_DOUBT, ItemState.ON_HOLD})
ITEM_ENDED = frozenset(
    {
        ItemState.SUCCESSFUL,
        ItemState.ALREADY_THERE,
        ItemState.REJECTED,
        ItemState.FAILED,
        ItemState.RETRIED,
        ItemState.ABANDONED,
        ItemState.CANCELLED,
    }
)

_I = ItemState
moves_allowed: Mapping[ItemState, frozenset[ItemState]] = {
    _I.NEW: frozenset({_I.IN_PROGRESS, _I.ALREADY_THERE, _I.CANCELLED, _I.ABANDONED}),
    _I.IN_PROGRESS: frozenset(
        {_I.NEW, _I.SUCCESSFUL, _I.ALREADY_THERE, _I.REJECTED, _I.FAILED, _I.IN_DOUBT, _I.ON_HOLD, _I.CANCELLED}
    ),
    _I.IN_DOUBT: frozenset({_I.SUCCESSFUL, _I.NEW, _I.ON_HOLD, _I.ABANDONED}),
    _I.ON_HOLD: frozenset({_I.NEW, _I.RETRIED, _I.ABANDONED, _I.SUCCESSFUL, _I.REJECTED}),
    _I.FAILED: frozenset({_I.RETRIED, _I.NEW, _I.ABANDONED}),
    _I.REJECTED: frozenset({_I.RETRIED, _I.ABANDONED}),
    _I.CANCELLED: frozenset({_I.RETRIED, _I.NEW, _I.ABANDONED}),
    _I.SUCCESSFUL: frozenset(),
    _I.ALREADY_THERE: frozenset(),
    _I.RETRIED: frozenset(),
    _I.ABANDONED: frozenset({_I.RETRIED}),
}
