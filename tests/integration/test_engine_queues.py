"""Queues: a dispatcher puts rows there, performers work them, each key once, whoever dies in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from interoffice.engine.engine import Engine
from interoffice.errors import Refused
from interoffice.model.work import ItemState, RunState
from interoffice.plan.plan import RunOptions
from interoffice.plan.project import open_project
from interoffice.store import queues
from tests.support.running import an_engine, ran
from tests.support.shop import Shop, make_shop

QUEUE = """\
version: 1
name: Deals to be ordered
queue: true
key: deal
priority: normal
keep: 30 days
columns:
  deal:
    type: text
    required: true
  customer:
    type: text
  amount:
    type: money
    required: true
"""
DISPATCH = """\
version: 1
name: Deals onto the queue
owner: anna.berg@example.com
defaults:
  timeout: 30s
inputs:
  due:
    type: date_time
    default: ${{ now + 4h }}
  priority:
    type: choice
    choices: [low, normal, high]
    default: normal
steps:
  - id: deals
    bot: shop.read_deals
  - id: dispatch
    bot: queue.add
    with:
      queue: orders
      rows: ${{ steps.deals.rows }}
      due: ${{ inputs.due }}
      priority: ${{ inputs.priority }}
"""
PERFORM = """\
version: 1
name: Deals off the queue
owner: anna.berg@example.com
overlap: allow
defaults:
  timeout: 30s
steps:
  - id: orders
    for_each: queue orders
    as: deal
    at_most: 50
    on_failure: continue
    do:
      - id: order
        bot: shop.place_order
        with:
          deal: ${{ deal.deal }}
          customer: ${{ deal.customer }}
          amount: ${{ deal.amount }}
    collect:
      deal: ${{ deal.deal }}
      order_no: ${{ steps.order.order_no }}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    (shop.folder / "tables" / "orders.yaml").write_text(QUEUE)
    shop.workflow("dispatch", DISPATCH)
    shop.workflow("perform", PERFORM)
    shop.some_deals(3)
    return shop


def entries(engine: Engine) -> dict[str, str]:
    return {entry.key: str(entry.state) for entry in engine.ledger.read(lambda tx: queues.entries(tx, "orders"))}


def at_most(shop: Shop, number: int) -> None:
    shop.workflow("perform", PERFORM.replace("at_most: 50", f"at_most: {number}"))


def test_what_was_dispatched_is_performed_once(shop: Shop) -> None:
    with an_engine(shop) as engine:
        dispatched = ran(engine, shop, "dispatch")
        assert dispatched.state == RunState.SUCCEEDED
        assert dispatched.steps["dispatch"].outputs == {"added": 3, "already": 0}
        assert entries(engine) == {"D-1": "new", "D-2": "new", "D-3": "new"}
        performed = ran(engine, shop, "perform")
        assert performed.state == RunState.SUCCEEDED
        assert [row["deal"] for row in performed.rows("orders", "results")] == ["D-1", "D-2", "D-3"]
        assert set(entries(engine).values()) == {"successful"}
        assert ran(engine, shop, "perform").items == {}
        assert dict(shop.posted()) == {"D-1": 1, "D-2": 1, "D-3": 1}


def test_a_key_is_once_on_the_queue_worked_or_not(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        at_most(shop, 1)
        ran(engine, shop, "perform")
        shop.some_deals(4)
        again = ran(engine, shop, "dispatch")
        assert again.steps["dispatch"].outputs == {"added": 1, "already": 3}
        assert list(entries(engine)) == ["D-1", "D-2", "D-3", "D-4"]


def test_due_comes_before_priority_and_priority_before_the_order_of_arrival(shop: Shop) -> None:
    def deal(name: str) -> None:
        shop.deals({"deal": name, "customer": "Blue", "amount": "1"})

    with an_engine(shop) as engine:
        for name, priority, due in (
            ("first", "normal", "2026-12-02T10:00"), ("low", "low", "2026-12-02T10:00"),
            ("high", "high", "2026-12-02T10:00"), ("soon", "low", "2026-12-01T10:00"),
            ("second", "normal", "2026-12-02T10:00"),
        ):  # fmt: skip
            deal(name)
            assert ran(engine, shop, "dispatch", priority=priority, due=due).state == RunState.SUCCEEDED
        performed = ran(engine, shop, "perform")
        assert list(performed.items) == ["soon", "high", "first", "second", "low"]


def test_two_performers_share_what_there_is(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        at_most(shop, 2)
        one, other = ran(engine, shop, "perform"), ran(engine, shop, "perform")
        assert (list(one.items), list(other.items)) == (["D-1", "D-2"], ["D-3"])
        assert set(shop.posted().values()) == {1}


def test_four_lanes_take_each_entry_once(shop: Shop) -> None:
    shop.some_deals(40)
    shop.workflow("perform", PERFORM.replace("    at_most: 50\n", "    workers: 4\n"))
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        performed = ran(engine, shop, "perform")
        assert Counter(performed.states.values()) == {"successful": 40}
        assert dict(shop.posted()) == {f"D-{n}": 1 for n in range(1, 41)}


def test_a_cancelled_performer_gives_back_what_it_had_not_begun(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        shop.workflow("perform", PERFORM.replace("    on_failure: continue\n", "    max_failures: 1\n"))
        shop.faults(D_1={"flaky": 1})
        failed = ran(engine, shop, "perform")
        assert failed.states == {"D-1": "failed"}
        assert entries(engine) == {"D-1": "failed", "D-2": "new", "D-3": "new"}
        assert ran(engine, shop, "perform").states == {"D-2": "successful", "D-3": "successful"}
        assert engine.retry([failed.items["D-1"].item_id], person="bilal")
        assert failed.drive() in (RunState.SUCCEEDED, RunState.FAILED)
        assert entries(engine)["D-1"] == "successful"
        assert set(shop.posted().values()) == {1}


def test_a_requeued_item_goes_to_the_next_performer_with_its_history(shop: Shop) -> None:
    shop.faults(D_2={"flaky": 1})
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        first = ran(engine, shop, "perform")
        assert first.states["D-2"] == "failed"
        engine.requeue([first.items["D-2"].item_id], person="bilal", comment="the shop was slow")
        assert first.items["D-2"].state == ItemState.RETRIED
        assert first.items["D-2"].reviewer == "bilal"
        assert ran(engine, shop, "perform").states == {"D-2": "successful"}


def test_an_item_on_hold_is_put_back_by_no_maker_of_its_run(shop: Shop) -> None:
    shop.workflow("perform", PERFORM.replace("on_failure: continue", "on_failure: review"))
    shop.faults(D_2={"flaky": 1})
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        held = ran(engine, shop, "perform")
        assert held.states["D-2"] == "on_hold"
        item_id = held.items["D-2"].item_id
        for person in ("anna", "account:root"):
            with pytest.raises(Refused):
                engine.requeue([item_id], person=person)
        assert held.states["D-2"] == "on_hold"
        assert engine.requeue([item_id], person="bilal") == 1
        assert ran(engine, shop, "perform").states == {"D-2": "successful"}


def test_a_rehearsal_and_a_plan_take_nothing_from_the_queue(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        rehearsed = ran(engine, shop, "perform", options=RunOptions(rehearse=True))
        assert rehearsed.state in (RunState.SUCCEEDED, RunState.DONE_WITH_WARNINGS)
        assert entries(engine) == {"D-1": "new", "D-2": "new", "D-3": "new"}
        assert shop.orders() == []


def test_only_one_key_is_taken_when_a_run_is_for_that_key(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "dispatch")
        assert ran(engine, shop, "perform", options=RunOptions(only="D-2")).states == {"D-2": "successful"}


def test_a_row_without_a_needed_cell_puts_nothing_on_the_queue(shop: Shop) -> None:
    shop.deals(
        {"deal": "D-1", "customer": "Blue", "amount": "1"}, {"deal": "D-1", "customer": "Red", "amount": "2"}
    )  # fmt: skip
    with an_engine(shop) as engine:
        failed = ran(engine, shop, "dispatch")
        assert failed.state == RunState.FAILED
        assert failed.view.error is not None
        assert failed.view.error.message == 'two different rows have the key "D-1" of the queue orders'
        assert entries(engine) == {}


DRIVE = """
import sys
from pathlib import Path
from interoffice.engine.engine import Engine
from interoffice.plan.project import open_project
folder, run_id = Path(sys.argv[1]), sys.argv[2]
with Engine(open_project(folder), folder / "state") as engine:
    engine.drive(run_id)
"""


@pytest.mark.slow
def test_performers_in_two_processes_one_of_them_killed_post_each_entry_once(shop: Shop) -> None:
    shop.some_deals(20)
    shop.faults(**{f"D_{n}": {"slow_s": 0.05} for n in range(1, 21)})
    with an_engine(shop, in_process=False) as engine:
        ran(engine, shop, "dispatch")
        ids = [engine.start(shop.plan("perform")) for _ in range(2)]
        started = [
            subprocess.Popen([sys.executable, "-c", DRIVE, str(shop.folder), run_id], cwd=Path(__file__).parents[2])
            for run_id in ids
        ]
        end = time.monotonic() + 60
        while shop.posted().total() < 5 and time.monotonic() < end:
            time.sleep(0.01)
        started[0].send_signal(signal.SIGKILL)
        assert started[1].wait(60) == 0
        started[0].wait(10)
        while not engine.orphans() and time.monotonic() < end:
            time.sleep(0.05)
        assert engine.resume(ids[0]) in (RunState.SUCCEEDED, RunState.DONE_WITH_WARNINGS)
        assert dict(shop.posted()) == {f"D-{n}": 1 for n in range(1, 21)}
        assert Counter(entries(engine).values()) == {"successful": 20}


def test_the_project_opens_with_its_queue(shop: Shop) -> None:
    assert open_project(shop.folder).contract("orders").kind == "queue"
