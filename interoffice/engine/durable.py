"""The one narrow door to DBOS Transact: it delivers, the ledger knows.

"Walk run R" is a DBOS workflow of one long step: DBOS queues it, delays it, keeps a second one from starting beside it,
and gives it back after a crash. Whether R is done, waits or failed is asked of the ledger alone, and a walk that is
delivered twice finds there what is done. Nothing outside of this module imports DBOS, and only `worker` imports this.

What was measured or read of DBOS 3.4.0 and is held here: the application version is pinned, since the default hashes
source and DBOS version and so would strand every run at an update; rows that say they are pickled are refused, since
DBOS unpickles them whatever serializer is set; SQLite is put into WAL, since it is not by itself (synchronous=FULL is
the default and stays); queues poll at 50 ms, since the default of 1 s is the throughput; nobody recovers a dead
worker's workflows, so a living one gives them back when the dead one's life lock is free.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, _serialization
from dbos import error as dbos_error

from interoffice.engine.engine import Engine
from interoffice.engine.progress import Progress, silent
from interoffice.errors import InterofficeError, ProjectError, Refused

APPLICATION: Final = "interoffice"
VERSION: Final = "1"
"""Of what is delivered: a run's id. It changes only when that does."""
WALKS: Final = "interoffice-walks"
POLL_S: Final = 0.05
LOOK_S: Final = 1.0
CLOSING_S: Final = 2

After = Callable[[str], None]
"""Hears the id of a run after each walk: it has ended, waits, or stopped in the middle."""

_serving: Delivery | None = None


def _nothing(run_id: str) -> None:
    """For those who don't listen."""


class Delivery:
    """This process takes runs that are delivered to it, until it is closed. There is one of it in a process."""

    def __init__(
        self, engine: Engine, *, runs_at_once: int = 4, say: Progress = silent, after: After = _nothing
    ) -> None:
        global _serving
        if _serving is not None:
            raise ProjectError("This process takes deliveries already; one is enough.")
        self.engine = engine
        self.say = say
        self.after = after
        _refuse_pickle()
        url = _prepared(engine.state_dir / "dbos.db")
        logging.getLogger("dbos").setLevel(logging.ERROR)
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=url,
            application_version=VERSION,
            executor_id=engine.engine_id,
            serializer=DBOSPortableJSONSerializer(),
            log_level="ERROR",
            notification_listener_polling_interval_sec=POLL_S,
        )
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(
            WALKS, worker_concurrency=runs_at_once, polling_interval_sec=POLL_S, on_conflict="always_update"
        )
        _serving = self

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Takes nothing any more. A walk that is just ending is written down; one under way is left as it is."""
        global _serving
        _serving = None
        self.engine.stopping.set()
        DBOS.destroy(destroy_registry=False, workflow_completion_timeout_sec=CLOSING_S)

    def deliver(self, run_id: str, *, at: datetime | None = None) -> None:
        """Has the run walked by whoever is free, at once or later; a run that is on its way already stays so."""
        delay_s = 0.0 if at is None else max(0.0, (at - self.engine.clock.now()).total_seconds())
        with contextlib.suppress(dbos_error.DBOSQueueDeduplicatedError):
            with SetEnqueueOptions(deduplication_id=run_id, delay_seconds=delay_s):
                DBOS.enqueue_workflow(WALKS, walk_run, run_id)

    def give_back(self) -> int:
        """Workflows of workers that are proven dead are queued again; how many."""
        count = 0
        for workflow in DBOS.list_workflows(status="PENDING", name=walk_run.__qualname__):
            if workflow.executor_id and self.engine.locks.is_dead(workflow.executor_id):
                DBOS.resume_workflow(workflow.workflow_id)
                count += 1
        return count

    def serve(self, until: threading.Event, *, every_s: float = LOOK_S) -> None:
        """Delivers what the ledger says can go on, and gives back what the dead left, until the event is set."""
        while not until.is_set():
            self.give_back()
            for run in self.engine.due():
                self.deliver(run.run_id)
            until.wait(every_s)


@DBOS.workflow()
def walk_run(run_id: str) -> str:
    """One walk of a run, to its end or until it waits."""
    return walk_step(run_id)


@DBOS.step()
def walk_step(run_id: str) -> str:
    """The one long step. What goes wrong is in the ledger; here it is only told."""
    delivery = _serving
    if delivery is None:
        raise ProjectError("nobody takes deliveries in this process")
    try:
        state = str(delivery.engine.drive(run_id, delivery.say))
    except Refused as refused:
        return f"refused: {refused}"
    except InterofficeError as error:
        state = f"failed: {error}"
    delivery.after(run_id)
    return state


def _refuse_pickle() -> None:
    """A row that says it is pickled is an error, whoever wrote it there: to read it would run what is in it."""

    def refuse(self: object, data: Any) -> Any:
        raise ProjectError("state/dbos.db holds a pickled row, which is never read: somebody has changed the file.")

    _serialization.DefaultSerializer.serialize = refuse  # type: ignore[method-assign]
    _serialization.DefaultSerializer.deserialize = refuse  # type: ignore[method-assign,assignment]


def _prepared(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{path}"
