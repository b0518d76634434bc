"""Lanes are processes: killed past their deadline, dead with their engine, refused what is no longer theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from interoffice.model.work import RunState
from tests.support.running import an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop

DRIVE = """
import sys
from pathlib import Path
from interoffice.engine.engine import Engine
from interoffice.plan.project import open_project
folder, run_id = Path(sys.argv[1]), sys.argv[2]
with Engine(open_project(folder), folder / "state") as engine:
    state = engine.resume(run_id) if len(sys.argv) > 3 else engine.drive(run_id)
    print(state)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", ORDERS)
    shop.some_deals(3)
    return shop


@pytest.fixture
def hasty(shop: Shop) -> Shop:
    """The same with a short time-out for the order."""
    shop.workflow("orders", ORDERS.replace("        retry:\n", "        timeout: 5s\n        retry:\n"))
    return shop


def until(condition: Callable[[], bool], within_s: float = 60) -> None:
    """Waits until it holds."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def driving(shop: Shop, run_id: str, *how: str) -> subprocess.Popen[str]:
    """Another process that drives the run."""
    command = [sys.executable, "-c", DRIVE, str(shop.folder), run_id, *how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_past_its_deadline_the_lane_is_killed_and_the_attempt_made_anew(hasty: Shop) -> None:
    hasty.faults(D_2={"stall": 1})
    with an_engine(hasty, in_process=False) as engine:
        run = ran(engine, hasty, "orders")
        assert run.state == RunState.SUCCEEDED
        attempts = engine.ledger.attempts(run.run_id, path="orders[D-2].order")
        ends = [(attempt.kind, attempt.state) for attempt in attempts]
        assert ends == [("call", "interrupted"), ("call", "succeeded")]
        assert hasty.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}


def test_a_lane_that_stalled_with_an_open_intent_is_looked_up_before_anything_is_repeated(hasty: Shop) -> None:
    hasty.faults(D_2={"stall_before_act": 1})
    with an_engine(hasty, in_process=False) as engine:
        run = ran(engine, hasty, "orders")
        assert run.state == RunState.SUCCEEDED
        attempts = engine.ledger.attempts(run.run_id, path="orders[D-2].order")
        assert [attempt.kind for attempt in attempts] == ["call", "look_up", "call"]
        assert hasty.posted()["D-2"] == 1


def test_a_bot_killed_right_after_its_own_act_never_posts_twice(shop: Shop) -> None:
    shop.faults(D_1={"die_after_act": 9}, D_2={"die_before_act": 1}, D_3={"die_after_act": 9})
    with an_engine(shop, in_process=False) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}


def test_a_killed_engine_takes_its_lanes_with_it_and_the_run_goes_on_where_it_was(shop: Shop) -> None:
    shop.faults(D_2={"stall_before_act": 1})
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        driver = driving(shop, run_id)
        until(lambda: shop.called("place-D-2") > 0)
        until(lambda: any(intent for intent in engine.ledger.intents(run_id, "orders[D-2].order")))
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        until(lambda: [run.run_id for run in engine.orphans()] == [run_id])
        assert engine.resume(run_id) == RunState.SUCCEEDED, engine.ledger.run(run_id).waiting_for
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        assert shop.called("read_deals") == 1
        assert shop.called("place-D-1") == 1


def test_a_run_that_a_living_engine_walks_is_refused_to_another(shop: Shop) -> None:
    shop.faults(D_2={"stall": 1})
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        driver = driving(shop, run_id)
        until(lambda: shop.called("place-D-2") > 0)
        second = driving(shop, run_id)
        assert second.wait() != 0
        assert engine.orphans() == ()
        engine.cancel(run_id, hard=True)
        assert driver.communicate()[0].strip() == "cancelled"
        assert driver.returncode == 0


def test_a_frozen_engine_still_lives_and_nobody_repeats_its_act(shop: Shop) -> None:
    """SIGSTOP while the intent is open: another run can't post the key, and afterwards it is there once."""
    shop.workflow("orders", ORDERS.replace("version: 1\n", "version: 1\noverlap: allow\n", 1))
    shop.faults(D_2={"slow_s": 2})
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        driver = driving(shop, run_id)
        until(lambda: any(intent for intent in engine.ledger.intents(run_id, "orders[D-2].order")))
        os.kill(driver.pid, signal.SIGSTOP)
        try:
            other = ran(engine, shop, "orders")
            assert other.states["D-1"] == "already_there"
            assert other.states["D-2"] == "already_there"
            assert other.items["D-2"].error is not None and other.items["D-2"].error.code == "in_other_run"
        finally:
            os.kill(driver.pid, signal.SIGCONT)
        assert driver.communicate()[0].strip() == "succeeded"
        assert set(shop.posted().values()) == {1}


def test_workers_work_side_by_side_and_post_each_item_once(shop: Shop) -> None:
    shop.workflow("orders", ORDERS.replace("    as: deal\n", "    as: deal\n    workers: 3\n"))
    shop.some_deals(12)
    shop.faults(**{f"D_{n}": {"slow_s": 0.3} for n in range(1, 13)})
    with an_engine(shop, in_process=False) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert len(shop.posted()) == 12 and set(shop.posted().values()) == {1}
        lanes = {attempt.lane for attempt in engine.ledger.attempts(run.run_id) if attempt.path.startswith("orders[")}
        assert lanes == {"1", "1.2", "1.3"}
        assert [row["deal"] for row in run.rows("orders", "results")] == [f"D-{n}" for n in range(1, 13)]


def test_a_wrong_password_is_tried_once_by_all_workers_and_the_credential_is_paused(shop: Shop) -> None:
    text = ORDERS.replace("    as: deal\n", "    as: deal\n    workers: 3\n")
    shop.workflow("orders", text.replace("        with:\n", "        with:\n          credential: shop_clerk\n"))
    shop.some_deals(6)
    shop.faults(**{f"D_{n}": {"wrong_password": True} for n in range(1, 7)})
    with an_engine(shop, in_process=False) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.FAILED
        assert shop.called("sign-in") == 1
        assert [paused.name for paused in engine.ledger.paused_credentials()] == ["shop_clerk"]
        again = ran(engine, shop, "orders")
        assert again.state == RunState.FAILED
        assert shop.called("sign-in") == 1
        shop.faults()
        engine.resume_credential("shop_clerk", person="bilal")
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        assert set(shop.posted().values()) == {1}


def test_soft_cancel_lets_the_item_in_hand_finish(shop: Shop) -> None:
    shop.workflow("orders", ORDERS)
    shop.faults(D_1={"slow_s": 1.5})
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        driver = driving(shop, run_id)
        until(lambda: any(intent for intent in engine.ledger.intents(run_id, "orders[D-1].order")))
        engine.cancel(run_id)
        assert driver.communicate()[0].strip() == "cancelled"
        assert shop.posted() == {"D-1": 1}
        states = [str(item.state) for item in engine.ledger.items(run_id)]
        assert states == ["successful", "cancelled", "cancelled"]
        assert engine.resume(run_id) == RunState.SUCCEEDED, engine.ledger.run(run_id).waiting_for
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
