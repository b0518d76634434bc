"""`ctx.queues` in a lane: it makes entries of rows, and asks the engine to keep them (see `queue_asked`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from interoffice.bot import Answer, Found, NotFound
from interoffice.engine.keys import key_text
from interoffice.engine.messages import Message
from interoffice.errors import BusinessError, ProjectError, Refused
from interoffice.model import codec
from interoffice.model.contract import Queue
from interoffice.model.table import Table
from interoffice.model.values import Value

PRIORITIES: Final[Mapping[str, int]] = {"low": -1, "normal": 0, "high": 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedQueues:
    """`ctx.queues` in a lane."""

    ask: Callable[[Message], Message]
    contract: Callable[[str], Any]

    def add(self, queue: str, rows: Table, *, due: datetime | None, priority: str | None) -> tuple[int, int]:
        """Put rows on a queue, all or none; how many are new, and how many keys were there."""
        declared = self._declared(queue)
        entries = [
            {
                "key": key,
                "row": codec.encode(row),
                "deadline": codec.encode(due),
                "priority": PRIORITIES[priority or declared.priority],
            }
            for key, row in entries_of(declared, rows).items()
        ]
        keep_s = float(declared.keep.total_seconds) if declared.keep.is_fixed else 0.0
        answer = self.ask({"t": "queue", "do": "add", "queue": queue, "entries": entries, "keep_s": keep_s})
        if answer["t"] == "refused":
            raise Refused(answer["message"])
        return int(answer["added"]), int(answer["already"])

    def look_up(self, queue: str, rows: Table) -> Answer:
        """Whether all these rows are on the queue."""
        keys = list(entries_of(self._declared(queue), rows))
        answer = self.ask({"t": "queue", "do": "look_up", "queue": queue, "keys": keys})
        if answer["missing"]:
            return NotFound(searched=f"{len(answer['missing'])} of {len(keys)} keys are not on the queue {queue}")
        numbers = {name: Decimal(answer[name]) for name in ("added", "already")}
        return Found(fields=numbers, reference=queue)

    def _declared(self, name: str) -> Queue:
        declared = self.contract(name)
        if not isinstance(declared, Queue):
            raise ProjectError(f'"{name}" is a {declared.kind}, not a queue; name a file in tables/ with queue: true')
        return declared


def entries_of(queue: Queue, rows: Table) -> dict[str, dict[str, Value]]:
    """The rows by key, with the columns of the queue alone. A missing cell, or one key twice, is named with its row."""
    absent = [name for name, column in queue.columns.items() if column.required and name not in rows.columns]
    if absent:
        wrong = f"the rows have no column {', '.join(absent)}, which the queue {queue.key} needs"
        raise BusinessError(wrong, code="column_missing")
    found: dict[str, dict[str, Value]] = {}
    for number, row in enumerate(rows.rows(), start=1):
        record = {name: row.get(name) for name in queue.columns}
        empty = [name for name, column in queue.columns.items() if column.required and record[name] is None]
        empty += [name for name in queue.key_columns if record.get(name) is None and name not in empty]
        if empty:
            wrong = f"row {number} has no {', '.join(empty)}, which the queue {queue.key} needs"
            raise BusinessError(wrong, code="cell_missing")
        key = key_text([record[name] for name in queue.key_columns])
        if found.setdefault(key, record) != record:
            raise BusinessError(f'two different rows have the key "{key}" of the queue {queue.key}', code="key_twice")
    return found
