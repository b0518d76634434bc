"""What a loop takes from a queue: at most so many entries, one key of it, or exactly those of a kept plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from interoffice.engine.evaluation import failed
from interoffice.engine.held_rows import held_keys, held_to
from interoffice.engine.posting import loop_posts
from interoffice.engine.run import Place, Run
from interoffice.model.contract import Queue
from interoffice.model.types import Type
from interoffice.model.values import Value
from interoffice.model.workflow import ForEach
from interoffice.store import items, queues
from interoffice.store.database import Transaction

MOST = 1_000_000


class QueueTaking:
    """One loop's hand in a queue. Its lanes take with the ledger's writer, so that no entry is taken twice."""

    def __init__(
        self, run: Run, place: Place, path: str, queue: Queue, *, at_most: int, keys: tuple[str, ...] | None
    ) -> None:
        """`keys`: nothing else is taken; None: whatever waits."""
        self._run = run
        self._place = place
        self._path = path
        self._queue = queue
        self._left = at_most
        self._keys = None if keys is None else list(keys)
        self._posts = ""

    @classmethod
    def of(cls, run: Run, place: Place, kind: ForEach, path: str, name: str) -> QueueTaking:
        """The hand of a loop over this queue; what its run took before it was interrupted counts."""
        queue = run.project.contract(name)
        if not isinstance(queue, Queue):
            raise failed(path, f'"{name}" is a {queue.kind}, not a queue', kind="workflow")
        counts = run.ledger.read(lambda tx: items.counts(tx, run.run_id, path))
        most = min(kind.at_most or MOST, run.options.limit or MOST)
        taking = cls(run, place, path, queue, at_most=max(0, most - sum(counts.values())), keys=None)
        taking._posts = "\n".join(loop_posts(run, kind.do))
        taking._keys = taking._chosen()
        return taking

    @property
    def columns(self) -> Mapping[str, Type]:
        """The columns of its rows."""
        return self._queue.column_types

    def waiting(self) -> dict[str, Mapping[str, Value]]:
        """What it would take now, in that order."""
        run, keys = self._run, self._keys
        found = run.ledger.read(
            lambda tx: queues.waiting(
                tx, self._queue.key, run.run_id, self._path, limit=self._left if keys is None else MOST
            )
        )
        return {key: row for key, row in found if keys is None or key in keys}

    def _chosen(self) -> list[str] | None:
        """The keys of a kept plan, or of `--only`; None where neither says."""
        options = self._run.options
        planned = held_keys(self._path, options)
        if planned is not None:
            waiting = {key: row for key, row in self.waiting().items() if key in planned}
            return list(held_to(self._path, waiting, options))
        return [options.only] if options.only is not None and not self._place.in_loop else None

    def take(self, tx: Transaction, now: datetime) -> bool:
        """The next entry becomes a new item of the loop; False when there is none for it."""
        if self._left <= 0:
            return False
        keys = [None] if self._keys is None else self._keys
        taken = any(self._take(tx, now, key) for key in keys)
        self._left -= taken
        return taken

    def _take(self, tx: Transaction, now: datetime, key: str | None) -> bool:
        return queues.take(
            tx, self._queue.key, self._run.run_id, self._path, now, posts=self._posts,
            parent_id=self._place.item_id, key=key,
        )  # fmt: skip
