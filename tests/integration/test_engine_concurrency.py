"""Lanes and processes side by side: seats hold, rows add up, one wrong password is tried once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from interoffice.engine.alive import LifeLocks
from interoffice.model.work import RunState
from interoffice.store.views import AttemptView
from tests.support.running import an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop

SELECTORS = """\
version: 1
application: shop
name: The shop
office: back
checked: 2026-11-22
environments:
  practice:
    kind: web
    address: http://127.0.0.1:9
max_sessions: {seats}
formats:
  date: dd.MM.yyyy
  number: 1.234,56
screens:
  order:
    open: /order
    ready_when: deal is enabled
    elements:
      deal:
        caption: Deal
        type: text
"""
DRIVE = """
import sys
from pathlib import Path
from interoffice.engine.engine import Engine
from interoffice.plan.project import open_project
folder, run_id = Path(sys.argv[1]), sys.argv[2]
with Engine(open_project(folder), folder / "state") as engine:
    print(engine.drive(run_id))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", with_workers(3))
    return shop


def with_workers(count: int) -> str:
    text = ORDERS.replace("    as: deal\n", f"    as: deal\n    workers: {count}\n")
    text = text.replace("        with:\n", "        with:\n          credential: shop_clerk\n")
    return text.replace("owner:", "overlap: allow\nowner:")


def seats(shop: Shop, number: int) -> None:
    (shop.folder / "selectors" / "shop.yaml").write_text(SELECTORS.format(seats=number))


def driven(shop: Shop, run_id: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVE, str(shop.folder), run_id]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def most_at_once(attempts: list[AttemptView]) -> int:
    """How many orders were being placed at one moment, by the ledger's times."""
    moments = [(each.started_at, 1) for each in attempts] + [(each.ended_at, -1) for each in attempts if each.ended_at]
    count = most = 0
    for _, step in sorted(moments):
        count += step
        most = max(most, count)
    return most


def test_a_loop_has_no_more_lanes_than_its_application_has_seats(shop: Shop) -> None:
    seats(shop, 2)
    shop.some_deals(8)
    shop.faults(**{f"D_{n}": {"slow_s": 0.1} for n in range(1, 9)})
    with an_engine(shop, in_process=False) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        orders = [each for each in engine.ledger.attempts(run.run_id) if each.path.startswith("orders[")]
        assert len({each.lane for each in orders}) == 2
        assert most_at_once(orders) == 2
        assert dict(shop.posted()) == {f"D-{n}": 1 for n in range(1, 9)}


@pytest.mark.slow
def test_seats_hold_over_processes_and_whoever_waits_says_for_whom(shop: Shop) -> None:
    seats(shop, 1)
    shop.some_deals(6)
    shop.faults(**{f"D_{n}": {"slow_s": 0.2} for n in range(1, 7)})
    shop.workflow("orders", with_workers(2))
    with an_engine(shop, in_process=False) as engine:
        ids = [engine.start(shop.plan("orders")) for _ in range(2)]
        processes = [driven(shop, run_id) for run_id in ids]
        said = {process.communicate(timeout=90)[0].strip() for process in processes}
        assert said <= {"succeeded", "done_with_warnings"}
        attempts = [each for run_id in ids for each in engine.ledger.attempts(run_id) if "orders[" in each.path]
        assert most_at_once(attempts) == 1
        assert dict(shop.posted()) == {f"D-{n}": 1 for n in range(1, 7)}


def test_a_seat_is_free_again_when_it_is_given_up(tmp_path: Path) -> None:
    locks = LifeLocks(tmp_path)
    seat = locks.seat("practice-shop-1", "run-a")
    assert seat is not None
    assert locks.seat("practice-shop-1", "run-b") is None
    assert locks.seat_holder("practice-shop-1") == "run-a"
    locks.sweep()
    assert locks.seat("practice-shop-1", "run-b") is None
    seat.give_up()
    assert locks.seat("practice-shop-1", "run-b") is not None


@pytest.mark.slow
def test_a_wrong_password_is_tried_once_by_two_processes_with_three_lanes_each(shop: Shop) -> None:
    shop.some_deals(12)
    shop.faults(**{f"D_{n}": {"wrong_password": True} for n in range(1, 13)})
    shop.workflow("others", with_workers(3).replace("key: deal.deal", "key: [deal.deal, deal.customer]"))
    with an_engine(shop, in_process=False) as engine:
        processes = [driven(shop, engine.start(shop.plan(key))) for key in ("orders", "others")]
        assert {process.communicate(timeout=90)[0].strip() for process in processes} == {"failed"}
        assert shop.called("sign-in") == 1
        assert shop.posted() == {}


@pytest.mark.slow
def test_a_thousand_mixed_rows_are_all_accounted_for(shop: Shop) -> None:
    """10 % bad by their data, 5 % flaky, 4 lanes: every row is in one state, and the counts add up."""
    shop.workflow("orders", with_workers(4))
    shop.some_deals(1000)
    bad = {f"D_{n}": {"business": True} for n in range(5, 1001, 10)}
    flaky = {f"D_{n}": {"flaky": 1} for n in range(1, 1001, 20)}
    shop.faults(**bad, **flaky)
    with an_engine(shop, in_process=False) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.DONE_WITH_WARNINGS
        assert Counter(run.states.values()) == {"successful": 900, "failed": 100}
        assert (shop.posted().total(), len(shop.posted())) == (900, 900)
        tries = Counter(each.item_id for each in engine.ledger.attempts(run.run_id) if each.path.startswith("orders["))
        assert Counter(tries.values()) == {1: 950, 2: 50}
        assert len(run.rows("orders", "results")) + len(run.rows("orders", "failed")) == 1000
        assert engine.ledger.audit_broken_at() is None
