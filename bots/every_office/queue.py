"""Queues: what one workflow leaves for another to work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from interoffice.bot import Answer, QueueName, bot
from interoffice.context import Context
from interoffice.model.table import Table
from interoffice.model.values import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """How many rows are new on the queue, and how many keys were there already."""

    added: Decimal
    already: Decimal


def _look_on_queue(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    rows = inputs["rows"]
    assert isinstance(rows, Table)
    return ctx.queues.look_up(str(inputs["queue"]), rows)


@bot(effect="changes", identity=("queue",), look_up=_look_on_queue)
def add(
    ctx: Context,
    *,
    queue: QueueName,
    rows: Table,
    due: datetime | None = None,
    priority: Literal["low", "normal", "high"] | None = None,
) -> Queued:
    """Puts rows on a queue, each key once; another workflow works them with `for_each: queue NAME`.

    Columns that the queue does not have are left out. All rows are added or none; a key that is on the queue already
    stays as it is, worked or not, until the queue's `keep` has passed since it was done. Work goes by due time, then
    priority, then first come.

    Error codes: column_missing, cell_missing, key_twice (two different rows with one key).

    Inputs:
        queue: a file in tables/ with `queue: true`
        rows: rows with the queue's columns
        due: by when they should be worked; leave it out where there is no hurry
        priority: low, normal or high, else what the queue says

    Example:
        - id: dispatch
          bot: queue.add
          with:
            queue: callbacks
            rows: ${{ steps.callbacks.rows }}
            due: ${{ now + 4h }}
    """
    ctx.commit({"queue": queue, "rows": Decimal(rows.row_count)})
    added, already = ctx.queues.add(queue, rows, due=due, priority=priority)
    return Queued(added=Decimal(added), already=Decimal(already))
