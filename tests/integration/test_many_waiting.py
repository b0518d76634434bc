"""Runs that wait for a person wait on the disk: two hundred of them hold no thread, no process and no lock."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from interoffice.model.work import RunState
from tests.integration.test_engine_approvals import APPROVED
from tests.support.running import an_engine
from tests.support.shop import make_shop

WAITING = 200


def children() -> set[str]:
    listed = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if stat.rpartition(")")[2].split()[1] == str(os.getpid()):
                listed.add(entry.name)
    return listed


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads and processes in /proc")
def test_two_hundred_waiting_runs_hold_no_thread_and_one_decision_wakes_one(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", APPROVED.replace("name:", "overlap: allow\nname:", 1))
    with an_engine(shop) as engine:
        for number in range(WAITING):
            shop.deals({"deal": f"D-{number}", "customer": "Blue", "amount": "30"})
            run = engine.start(shop.plan("orders"), signed_in="anna")
            assert engine.drive(run) == RunState.WAITING
        assert len(engine.ledger.approvals("open")) == WAITING
    threads, processes = threading.active_count(), children()
    with an_engine(shop) as engine:
        assert threading.active_count() <= threads + 1
        assert children() == processes
        (approval, *others) = engine.ledger.approvals("open")
        engine.decide(approval.approval_id, "approve", person="bilal", digest=approval.digest)
        assert [run.run_id for run in engine.due()] == [approval.run_id]
        assert engine.drive(approval.run_id) == RunState.SUCCEEDED
        assert shop.posted() == {approval.rows[0].key: 1}
        assert [each.approval_id for each in engine.ledger.approvals("open")] == [each.approval_id for each in others]
