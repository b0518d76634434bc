"""Delivery through DBOS: runs come to a worker, and come back after it was killed; its database is not believed."""

from __future__ import annotations

import base64
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interoffice.model.work import RunState
from tests.integration.test_engine_lanes import until
from tests.support.running import an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", ORDERS.replace("version: 1\n", "version: 1\noverlap: allow\n", 1))
    shop.some_deals(3)
    return shop


@contextmanager
def a_worker(shop: Shop) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process, ended at the end."""
    command = [sys.executable, "-m", "interoffice.engine.worker", str(shop.folder)]
    worker = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(30)


def test_a_worker_takes_what_is_queued_and_each_run_is_walked_once(shop: Shop) -> None:
    with an_engine(shop) as engine:
        runs = [engine.start(shop.plan("orders")) for _ in range(2)]
        with a_worker(shop), a_worker(shop):
            until(lambda: all(engine.ledger.run(run).state == RunState.SUCCEEDED for run in runs), 60)
        assert set(shop.posted().values()) == {1} and len(shop.posted()) == 3


def test_a_killed_workers_run_comes_back_to_a_living_one(shop: Shop) -> None:
    shop.faults(D_2={"stall_before_act": 1})
    with an_engine(shop) as engine:
        run = engine.start(shop.plan("orders"))
        with a_worker(shop) as first:
            until(lambda: bool(engine.ledger.intents(run, "orders[D-2].order")), 60)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        with a_worker(shop):
            until(lambda: engine.ledger.run(run).state == RunState.SUCCEEDED, 60)
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        assert shop.called("place-D-1") == 1


def test_a_pickled_row_in_its_database_is_refused_and_never_run(shop: Shop, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> object:
            return (Path.touch, (tmp_path / "ran",))

    with a_worker(shop):
        until((shop.state / "dbos.db").exists, 60)
        until(lambda: _has_workflow_table(shop), 60)
    said = base64.b64encode(pickle.dumps(Evil())).decode()
    with sqlite3.connect(shop.state / "dbos.db") as connection:
        connection.execute(
            "INSERT INTO workflow_status (workflow_uuid, status, name, inputs, serialization, executor_id, created_at, "
            "updated_at, application_version) VALUES (?, ?, ?, ?, ?, ?, 1, 1, ?)",
            ("evil", "PENDING", "walk_run", said, "py_pickle", "nobody-1-abc", "1"),
        )
    with an_engine(shop) as engine:
        run = engine.start(shop.plan("orders"))
        with a_worker(shop):
            until(lambda: engine.ledger.run(run).state == RunState.SUCCEEDED, 60)
        assert not (tmp_path / "ran").exists()


def _has_workflow_table(shop: Shop) -> bool:
    with sqlite3.connect(shop.state / "dbos.db") as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'workflow_status'").fetchone())


def test_an_item_that_a_person_released_is_worked_by_a_worker(shop: Shop) -> None:
    shop.faults(D_2={"flaky": 3})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.DONE_WITH_WARNINGS
        engine.retry([run.items["D-2"].item_id], person="anna")
        with a_worker(shop):
            until(lambda: run.state == RunState.SUCCEEDED, 60)
        assert set(shop.posted().values()) == {1} and len(shop.posted()) == 3
