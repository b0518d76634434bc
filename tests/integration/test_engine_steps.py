"""Steps outside loops: order, conditions, branches, endings, waits, sub-workflows, locks and overlap."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interoffice.engine.clock import SystemClock
from interoffice.engine.engine import Engine
from interoffice.errors import Refused
from interoffice.model.work import RunState
from interoffice.plan.project import open_project
from tests.support.running import Ran, an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop

HEAD = "version: 1\nname: A test\nowner: anna.berg@example.com\ndefaults:\n  timeout: 30s\nsteps:\n"
DEALS = "  - id: deals\n    bot: shop.read_deals\n"
PLACE = """\
  - id: order
    bot: shop.place_order
    with:
      deal: D-7
      customer: Blue
      amount: 10
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.some_deals(3)
    return shop


class MovedClock(SystemClock):
    """The machine's clock, moved on."""

    def __init__(self, later: timedelta) -> None:
        self._later = later

    def now(self) -> datetime:
        return datetime.now(UTC) + self._later


def later(shop: Shop, **by: int) -> Engine:
    """An engine whose clock is so much later."""
    return Engine(open_project(shop.folder), shop.state, in_process=True, clock=MovedClock(timedelta(**by)))


def test_a_step_whose_condition_is_false_is_skipped_with_the_values(shop: Shop) -> None:
    shop.workflow("w", HEAD + DEALS + "  - id: big\n    if: count(steps.deals.rows) > 5\n    set:\n      a: 1\n")
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.SUCCEEDED
        assert run.steps["big"].state == "skipped"
        assert "count(steps.deals.rows) > 5" in run.steps["big"].note


def test_stop_ends_the_run_well_or_failed_with_its_reason(shop: Shop) -> None:
    stop = "    if: steps.deals.rows is not empty\n    stop: Nothing to do on ${{ run.date }}\n    result: success\n"
    text = HEAD + DEALS + "  - id: enough\n" + stop + PLACE
    shop.workflow("w", text)
    shop.workflow("v", text.replace("result: success", "result: failed"))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.SUCCEEDED
        assert run.steps["enough"].outputs["reason"] == "Nothing to do on 2026-11-23"
        failed = ran(engine, shop, "v")
        assert failed.state == RunState.FAILED
        assert failed.view.error is not None and failed.view.error.message.startswith("Nothing to do")
        assert not shop.orders()


def test_choose_takes_the_first_branch_that_holds(shop: Shop) -> None:
    shop.workflow(
        "w",
        HEAD
        + """\
  - id: size
    choose:
      - when: inputs.amount > 100
        do:
          - id: big
            set:
              word: big
      - when: inputs.amount > 10
        do:
          - id: middle
            set:
              word: middle
    otherwise:
      - id: small
        set:
          word: small
outputs:
  word: ${{ coalesce(steps.big.word, steps.middle.word, steps.small.word) }}
""".replace("outputs:", "outputs:", 1),
    )
    text = (shop.folder / "workflows" / "w.yaml").read_text()
    shop.workflow("w", text.replace("defaults:", "inputs:\n  amount:\n    type: number\ndefaults:", 1))
    with an_engine(shop) as engine:
        for amount, word in (("500", "big"), ("50", "middle"), ("5", "small")):
            assert ran(engine, shop, "w", amount=amount).view.outputs == {"word": word}


def test_a_failed_step_runs_on_failure_and_always_and_keeps_why(shop: Shop) -> None:
    shop.workflow(
        "w",
        HEAD
        + """\
  - id: broken
    bot: shop.fail
    with:
      why: the shop is down
      kind: permanent
  - id: after
    bot: shop.nothing
on_failure:
  - id: told
    bot: shop.send_note
    with:
      to: anna
      text: ${{ run.failed_step }} failed because ${{ run.error }}
always:
  - id: away
    bot: shop.look_for
    with:
      file: nothing
""",
    )
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.FAILED
        assert list(run.steps) == ["broken", "told", "away"]
        assert run.steps["told"].inputs["text"] == "broken failed because the shop is down"
        assert shop.called("look_for") == 1


def test_a_continued_failure_ends_with_warnings_and_its_outputs_are_missing(shop: Shop) -> None:
    shop.workflow(
        "w",
        HEAD
        + """\
  - id: flag
    bot: shop.look_for
    with:
      file: x
  - id: broken
    bot: shop.fail
    with:
      why: down
    on_failure: continue
  - id: said
    set:
      status: ${{ steps.broken.status }}
      error: ${{ steps.broken.error }}
""",
    )
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.DONE_WITH_WARNINGS
        assert run.steps["said"].outputs == {"status": "failed", "error": "down"}


def test_steps_under_on_failure_of_a_step_are_done_instead(shop: Shop) -> None:
    broken = "  - id: broken\n    bot: shop.fail\n    with:\n      why: down\n    on_failure:\n"
    shop.workflow("w", HEAD + broken + "      - id: other\n        bot: shop.nothing\n")
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.DONE_WITH_WARNINGS
        assert run.steps["other"].state == "succeeded"


def test_resume_begins_at_the_step_that_failed(shop: Shop) -> None:
    shop.workflow("w", HEAD + "  - id: deals\n    bot: shop.read_deals\n" + PLACE)
    shop.faults(D_7={"flaky": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.FAILED
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        assert shop.called("read_deals") == 1
        assert shop.posted() == {"D-7": 1}
        with pytest.raises(Refused, match="nothing to go on with"):
            engine.resume(run.run_id)


def test_a_lost_reply_outside_a_loop_is_looked_up(shop: Shop) -> None:
    shop.workflow("w", HEAD + PLACE)
    shop.faults(D_7={"lose_reply": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.SUCCEEDED
        assert run.steps["order"].outputs == {"order_no": "SO-D-7"}
        assert shop.posted() == {"D-7": 1}


def test_a_doubt_outside_a_loop_makes_the_run_wait_until_a_person_says(shop: Shop) -> None:
    shop.workflow("w", HEAD + PLACE + "  - id: after\n    bot: shop.nothing\n")
    shop.faults(D_7={"lose_reply": 1, "look_up": "unclear"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.WAITING
        assert "after" not in run.steps
        (doubt,) = engine.ledger.doubts()
        engine.settle(doubt.intent_id, done=True, comment="it is there", person="bilal")
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted() == {"D-7": 1}


def test_a_wait_for_a_date_is_suspended_on_disk_and_goes_on_when_it_has_come(shop: Shop) -> None:
    shop.workflow("w", HEAD + "  - id: later\n    wait: ${{ now + 3 days }}\n" + PLACE)
    with an_engine(shop) as engine:
        run = Ran(engine, engine.start(shop.plan("w", planned=datetime.now(UTC))), [])
        assert run.drive() == RunState.WAITING
        assert run.view.wake_at is not None
        assert engine.due() == ()
        assert run.drive() == RunState.WAITING
    with later(shop, days=4) as engine:
        assert [due.run_id for due in engine.due()] == [run.run_id]
        assert engine.drive(run.run_id) == RunState.SUCCEEDED
        assert shop.posted() == {"D-7": 1}


WAIT = """\
  - id: arrival
    wait: shop.look_for
    with:
      file: flag
    every: 50ms
    until: there
    within: 1h
    if_late: stop
"""


def test_a_wait_asks_again_until_it_sees_it(shop: Shop) -> None:
    shop.workflow("w", HEAD + WAIT + PLACE)

    def come() -> None:
        while shop.called("look_for") < 2:
            time.sleep(0.01)
        (shop.folder / "shop" / "flag").touch()

    with an_engine(shop) as engine:
        thread = threading.Thread(target=come)
        thread.start()
        run_id = engine.start(shop.plan("w"))
        assert engine.drive(run_id, wait_up_to_s=5) == RunState.SUCCEEDED
        thread.join()
        assert shop.called("look_for") >= 2
        assert Ran(engine, run_id, []).steps["arrival"].outputs == {"there": True, "late": False}


def test_a_wait_that_is_late_stops_or_goes_on_as_it_says(shop: Shop) -> None:
    shop.workflow("w", HEAD + WAIT)
    shop.workflow("v", HEAD + WAIT.replace("if_late: stop", "if_late: continue") + PLACE)
    steps = "if_late:\n      - id: none_came\n        bot: shop.nothing"
    shop.workflow("u", HEAD + WAIT.replace("if_late: stop", steps) + PLACE)
    with an_engine(shop) as engine:
        runs = [ran(engine, shop, key) for key in "wvu"]
        assert [run.state for run in runs] == [RunState.WAITING] * 3
    with later(shop, hours=2) as engine:
        assert [engine.drive(run.run_id) for run in runs] == [RunState.FAILED, RunState.SUCCEEDED, RunState.SUCCEEDED]
        assert Ran(engine, runs[2].run_id, []).steps["none_came"].state == "succeeded"


def test_a_wait_inside_a_loop_is_per_item(shop: Shop) -> None:
    text = ORDERS.replace("    do:\n", "    do:\n      - id: due\n        wait: ${{ now + 1 day }}\n")
    shop.workflow("w", text)
    with an_engine(shop) as engine:
        run = Ran(engine, engine.start(shop.plan("w", planned=datetime.now(UTC))), [])
        assert run.drive() == RunState.WAITING
        assert set(run.states.values()) == {"new"}
    with later(shop, days=2) as engine:
        assert engine.drive(run.run_id) == RunState.SUCCEEDED
        assert set(shop.posted().values()) == {1}


def test_a_sub_workflow_runs_under_its_path_and_gives_its_outputs(shop: Shop) -> None:
    declared = "inputs:\n  deal:\n    type: text\n  amount:\n    type: money\n    default: 5\n"
    inner = HEAD.replace("defaults:", declared + "defaults:")
    shop.workflow(
        "inner",
        inner
        + """\
  - id: order
    bot: shop.place_order
    with:
      deal: ${{ inputs.deal }}
      customer: Blue
      amount: ${{ inputs.amount }}
outputs:
  order_no: ${{ steps.order.order_no }}
always:
  - id: away
    bot: shop.nothing
""",
    )
    called = "  - id: sub\n    workflow: inner\n    with:\n      deal: D-8\n"
    shop.workflow("w", HEAD + called + "outputs:\n  no: ${{ steps.sub.order_no }}\n")
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.SUCCEEDED
        assert run.view.outputs == {"no": "SO-D-8"}
        assert list(run.steps) == ["sub", "sub.order", "sub.away"]
        assert shop.orders()[0]["amount"] == "5"


def test_nested_loops_put_the_outer_key_before_the_inner_one(shop: Shop) -> None:
    shop.workflow(
        "w",
        HEAD
        + """\
  - id: deals
    bot: shop.read_deals
  - id: outer
    for_each: ${{ steps.deals.rows }}
    as: deal
    key: deal.deal
    on_failure: review
    do:
      - id: inner
        for_each: [a, b]
        as: part
        key: part
        do:
          - id: order
            bot: shop.place_order
            with:
              deal: ${{ deal.deal }}-${{ part }}
              customer: Blue
              amount: 1
        collect:
          part: ${{ part }}
    collect:
      deal: ${{ deal.deal }}
      parts: ${{ count(steps.inner.results) }}
""",
    )
    shop.faults(D_2_b={"business": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.WAITING
        outer = list(engine.ledger.items(run.run_id, loop="outer"))
        assert [str(item.state) for item in outer] == ["successful", "on_hold", "successful"]
        assert "outer[D-1].inner[b].order" in run.steps
        shop.faults()
        engine.retry([outer[1].item_id], person="bilal")
        assert run.drive() == RunState.SUCCEEDED, engine.ledger.items(run.run_id)
        assert len(shop.posted()) == 6 and set(shop.posted().values()) == {1}


def test_grouped_rows_are_one_item_with_its_rows(shop: Shop) -> None:
    shop.deals(
        {"deal": "D-1", "customer": "Blue", "amount": "10"},
        {"deal": "D-2", "customer": "Red", "amount": "5"},
        {"deal": "D-3", "customer": "Blue", "amount": "7"},
    )
    shop.workflow(
        "w",
        HEAD
        + """\
  - id: deals
    bot: shop.read_deals
  - id: orders
    for_each: ${{ steps.deals.rows }}
    group_by: [customer]
    as: order
    do:
      - id: balanced
        check: ${{ order.rows }}
        otherwise: reject
        rules:
          - sum of amount > 6
      - id: order
        bot: shop.place_order
        with:
          deal: ${{ order.customer }}
          customer: ${{ order.customer }}
          amount: ${{ sum(order.rows.amount) }}
    collect:
      customer: ${{ order.customer }}
      total: ${{ sum(order.rows.amount) }}
""",
    )
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.states == {"Blue": "successful", "Red": "rejected"}
        assert [(row["customer"], str(row["total"])) for row in run.rows("orders", "results")] == [("Blue", "17")]
        assert run.state == RunState.SUCCEEDED


def test_a_check_with_route_stop_inside_a_loop_ends_the_run(shop: Shop) -> None:
    check = "      - id: sure\n        check: ${{ deal }}\n        otherwise: stop\n        rules: [amount < 15]\n"
    shop.workflow("w", ORDERS.replace("    do:\n", "    do:\n" + check))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.FAILED
        assert run.states == {"D-1": "successful", "D-2": "failed", "D-3": "cancelled"}
        assert shop.posted() == {"D-1": 1}


def test_overlap_skip_says_which_run_is_in_the_way_and_queue_lets_it_through_first(shop: Shop) -> None:
    shop.workflow("w", HEAD + PLACE)
    shop.workflow("q", "overlap: queue\n" + HEAD + PLACE)
    with an_engine(shop) as engine:
        first, second = engine.start(shop.plan("w")), engine.start(shop.plan("w"))
        assert engine.ledger.run(second).state == RunState.SKIPPED
        assert first in engine.ledger.run(second).waiting_for
        one, two, three = (engine.start(shop.plan("q")) for _ in range(3))
        assert [engine.ledger.run(run).state for run in (one, two, three)] == ["queued", "skipped", "skipped"]
        assert engine.drive(one) == RunState.SUCCEEDED


def test_a_lock_is_waited_for_and_given_back(shop: Shop) -> None:
    shop.workflow("w", "locks: [till]\noverlap: allow\n" + HEAD + PLACE)
    shop.workflow("v", "locks: [till]\noverlap: allow\n" + HEAD + PLACE.replace("D-7", "D-8"))
    shop.faults(D_7={"slow_s": 1})
    with an_engine(shop, in_process=False) as one, an_engine(shop, in_process=False) as other:
        first, second = one.start(shop.plan("w")), other.start(shop.plan("v"))
        thread = threading.Thread(target=one.drive, args=(first,))
        thread.start()
        while not one.ledger.intents(first, "order"):
            thread.join(0.02)
        said: list[str] = []
        assert other.drive(second, lambda event: said.append(event.text)) == RunState.SUCCEEDED
        thread.join()
        assert any(text.startswith("waits for till") for text in said)
        assert [order["deal"] for order in shop.orders()] == ["D-7", "D-8"]


def test_the_planned_time_is_the_same_after_a_resume(shop: Shop) -> None:
    day = "  - id: day\n    set:\n      day: ${{ today }}\n"
    shop.workflow("w", HEAD + day + PLACE + "outputs:\n  day: ${{ today }}\n")
    shop.faults(D_7={"flaky": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.FAILED
    with later(shop, days=30) as engine:
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        assert str(engine.ledger.run(run.run_id).outputs["day"]) == "2026-11-23"


def test_a_workflow_that_was_changed_or_lost_meanwhile_does_not_change_its_run(shop: Shop) -> None:
    shop.workflow("w", HEAD + "  - id: deals\n    bot: shop.read_deals\n" + PLACE)
    shop.faults(D_7={"flaky": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        (shop.folder / "workflows" / "w.yaml").unlink()
        assert engine.resume(run.run_id) == RunState.SUCCEEDED


def test_a_run_takes_no_longer_than_its_timeout(shop: Shop) -> None:
    shop.workflow("w", "timeout: 1s\n" + HEAD + PLACE)
    shop.faults(D_7={"stall": 9})
    with an_engine(shop, in_process=False) as engine:
        run = ran(engine, shop, "w")
        assert run.state == RunState.FAILED
        assert not shop.orders()


def test_always_is_done_after_a_cancellation_too(shop: Shop) -> None:
    shop.workflow("w", HEAD + WAIT + "always:\n  - id: away\n    bot: shop.nothing\n")
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        assert engine.cancel(run.run_id, hard=True) == RunState.CANCELLED
        assert run.steps["away"].state == "succeeded"


def test_files_that_changed_before_a_resume_stand_in_the_audit(shop: Shop) -> None:
    shop.workflow("w", HEAD + PLACE)
    shop.faults(D_7={"flaky": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "w")
        bots = shop.folder / "bots" / "back_office" / "shop.py"
        bots.write_text(bots.read_text() + "\n# repaired\n")
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        (entry,) = engine.ledger.audit(act="run.changed")
        assert entry.details["files"] == ["bots/back_office/shop.py"]
