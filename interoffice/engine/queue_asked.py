"""The engine's answers to what a bot asks about queues, over its lane's link:

    {t: queue, do: add, queue, entries: [{key, row, deadline, priority}], keep_s}   -> {t: queued, added, already}
    {t: queue, do: look_up, queue, keys}                               -> {t: looked_up, missing, added, already}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from interoffice.engine.messages import Message
from interoffice.engine.run import Run
from interoffice.model import codec
from interoffice.store import audit, queues
from interoffice.store.database import Transaction
from interoffice.store.queues import NewEntry


def answer_about_queue(run: Run, path: str, message: Message, *, may_add: bool) -> Message:
    """The engine's answer. Entries are added in one transaction, with their place in the audit."""
    queue, who, now = message["queue"], f"{run.run_id}:{path}", run.clock.now()
    if message["do"] == "look_up":
        keys = message["keys"]
        missing = run.ledger.read(lambda tx: queues.missing(tx, queue, keys))
        added = run.ledger.read(lambda tx: queues.added_by(tx, queue, who))
        return {"t": "looked_up", "missing": list(missing), "added": added, "already": len(keys) - added}
    if not may_add:
        return {"t": "refused", "message": "Rows go on a queue only after the bot's commit; nothing was added."}
    new = [_entry(said) for said in message["entries"]]
    keep = timedelta(seconds=message["keep_s"]) if message["keep_s"] else timedelta(days=36500)

    def add(tx: Transaction) -> tuple[int, int]:
        counts = queues.add(tx, queue, new, now, added_by=who, keep=keep)
        details = {"added": counts[0], "already": counts[1], "path": path}
        audit.write(
            tx, now=now, actor="bot queue.add", act="queue.added", run_id=run.run_id, subject=queue, details=details
        )  # fmt: skip
        return counts

    added, already = run.ledger.write(add)
    return {"t": "queued", "added": added, "already": already}


def _entry(said: Mapping[str, Any]) -> NewEntry:
    row, deadline = codec.decode(said["row"]), codec.decode(said["deadline"])
    assert isinstance(row, Mapping) and (deadline is None or isinstance(deadline, datetime))
    return NewEntry(key=said["key"], row=row, deadline=deadline, priority=said["priority"])
