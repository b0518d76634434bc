"""Work items in a loop: each posted once, every row accounted for, whatever the shop and its bots do."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.errors import Refused
from interoffice.model.work import ItemState, RunState
from interoffice.plan.plan import RunOptions
from tests.support.running import an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", ORDERS)
    shop.some_deals(3)
    return shop


def with_loop(text: str, **lines: str) -> str:
    """The workflow with other lines at its loop."""
    for name, value in lines.items():
        old = next(line for line in text.splitlines() if line.startswith(f"    {name}:"))
        text = text.replace(old, f"    {name}: {value}")
    return text


def test_every_deal_is_posted_once_and_collected(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        assert run.rows("orders", "results")[0] == {"deal": "D-1", "order_no": "SO-D-1"}
        assert engine.ledger.audit_broken_at() is None


def test_a_second_run_posts_nothing_and_lists_what_is_there(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
        again = ran(engine, shop, "orders")
        assert set(again.states.values()) == {"already_there"}
        assert sum(shop.posted().values()) == 3
        assert again.rows("orders", "results") == []
        already = again.rows("orders", "already")
        assert [(row["key"], row["order_no"]) for row in already] == [(f"D-{n}", f"SO-D-{n}") for n in (1, 2, 3)]


def test_a_renamed_step_in_a_copied_workflow_does_not_post_again(shop: Shop) -> None:
    text = ORDERS.replace("id: order\n", "id: other_name\n").replace("steps.order.", "steps.other_name.")
    shop.workflow("copy", text)
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
        copy = ran(engine, shop, "copy")
        assert set(copy.states.values()) == {"already_there"}
        assert sum(shop.posted().values()) == 3


def test_again_every_run_posts_again(shop: Shop) -> None:
    shop.workflow("orders", ORDERS.replace("    key: deal.deal\n", "    key: deal.deal\n    again: every run\n"))
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
        ran(engine, shop, "orders")
        assert set(shop.posted().values()) == {2}


def test_a_business_error_is_never_retried_and_listed_in_failed(shop: Shop) -> None:
    shop.faults(D_2={"business": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.DONE_WITH_WARNINGS
        assert run.states == {"D-1": "successful", "D-2": "failed", "D-3": "successful"}
        assert shop.called("place-D-2") == 1
        failed = run.rows("orders", "failed")
        said = [(row["deal"], row["error"], row["error_kind"]) for row in failed]
        assert said == [("D-2", "Blue is blocked", "business")]
        error = run.items["D-2"].error
        assert error is not None and error.code == "customer_blocked"


def test_an_application_error_is_retried_until_it_works(shop: Shop) -> None:
    shop.faults(D_2={"flaky": 2})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert shop.called("place-D-2") == 3
        attempts = engine.ledger.attempts(run.run_id, path="orders[D-2].order")
        assert [attempt.state for attempt in attempts] == ["failed", "failed", "succeeded"]


def test_an_application_error_that_stays_fails_the_item(shop: Shop) -> None:
    shop.faults(D_2={"flaky": 99})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.states["D-2"] == "failed"
        assert run.state == RunState.DONE_WITH_WARNINGS
        assert shop.called("place-D-2") == 3


def test_a_bug_is_recorded_with_its_traceback_and_not_retried(shop: Shop) -> None:
    shop.faults(D_2={"bug": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        error = run.items["D-2"].error
        assert error is not None and error.kind == "bug"
        assert "ZeroDivisionError" in error.traceback
        assert shop.called("place-D-2") == 1


def test_a_lost_reply_is_looked_up_and_never_posted_again(shop: Shop) -> None:
    shop.faults(D_2={"lose_reply": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert shop.posted()["D-2"] == 1
        kinds = [attempt.kind for attempt in engine.ledger.attempts(run.run_id, path="orders[D-2].order")]
        assert kinds == ["call", "look_up"]
        assert run.rows("orders", "results")[1] == {"deal": "D-2", "order_no": "SO-D-2"}
        assert run.rows("orders", "already") == []


def test_a_break_before_the_act_is_looked_up_then_done(shop: Shop) -> None:
    shop.faults(D_2={"break_before_act": 1})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert shop.posted()["D-2"] == 1
        states = [intent.state for intent in engine.ledger.intents(run.run_id, "orders[D-2].order")]
        assert sorted(states) == ["confirmed", "withdrawn"]


def test_found_but_different_is_in_doubt(shop: Shop) -> None:
    shop.faults(D_2={"lose_reply": 1, "posts": "999"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.states["D-2"] == "in_doubt"
        assert run.state == RunState.WAITING
        (doubt,) = engine.ledger.doubts()
        assert "different" in doubt.why and doubt.meant["deal"] == "D-2"
        assert shop.posted()["D-2"] == 1


def test_a_look_up_that_cannot_tell_leaves_it_in_doubt_and_a_person_decides(shop: Shop) -> None:
    shop.faults(D_2={"lose_reply": 1, "look_up": "unclear"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.states["D-2"] == "in_doubt"
        (doubt,) = engine.ledger.doubts()
        with pytest.raises(Refused, match="in doubt"):
            engine.retry([run.items["D-2"].item_id], person="bilal")
        engine.settle(doubt.intent_id, done=True, comment="seen in the shop", person="bilal")
        assert run.drive() == RunState.SUCCEEDED
        assert run.states["D-2"] == "successful"
        assert shop.posted()["D-2"] == 1


def test_not_done_lets_it_be_posted_once_more(shop: Shop) -> None:
    shop.faults(D_2={"break_before_act": 1, "look_up": "unclear"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        (doubt,) = engine.ledger.doubts()
        engine.settle(doubt.intent_id, done=False, comment="not there", person="bilal")
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted()["D-2"] == 1


def test_what_was_refused_by_the_application_is_withdrawn(shop: Shop) -> None:
    shop.faults(D_2={"refused": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.states["D-2"] == "failed"
        assert [intent.state for intent in engine.ledger.intents(run.run_id, "orders[D-2].order")] == ["withdrawn"]
        assert shop.posted()["D-2"] == 0


def test_rows_that_a_check_rejects_do_not_reach_the_loop_and_are_accounted_for(shop: Shop) -> None:
    shop.deals({"deal": "D-1", "customer": "Blue", "amount": "10"}, {"deal": "D-2", "customer": "Red", "amount": "-1"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert shop.posted() == {"D-1": 1}
        assert [row["reasons"] for row in run.rows("checks", "rejected")] == ["amount > 0 is not true: amount is -1"]
        assert run.state == RunState.SUCCEEDED


def test_review_holds_the_item_and_someone_else_releases_it(shop: Shop) -> None:
    shop.workflow("orders", with_loop(ORDERS, on_failure="review"))
    shop.faults(D_2={"business": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.states["D-2"] == "on_hold"
        assert run.state == RunState.WAITING
        assert [row["deal"] for row in run.rows("orders", "failed")] == ["D-2"]
        item = run.items["D-2"].item_id
        with pytest.raises(Refused, match="made this run"):
            engine.retry([item], person="anna")
        shop.faults()
        engine.retry([item], person="bilal", comment="unblocked")
        assert run.drive() == RunState.SUCCEEDED
        released = run.items["D-2"]
        assert (released.state, released.finished_later) == (ItemState.SUCCESSFUL, True)
        assert shop.called("read_deals") == 1
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}


def test_stop_ends_the_loop_at_its_first_failure_and_resume_goes_on(shop: Shop) -> None:
    shop.workflow("orders", with_loop(ORDERS, on_failure="stop"))
    shop.faults(D_2={"flaky": 3})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.FAILED
        assert run.states == {"D-1": "successful", "D-2": "failed", "D-3": "cancelled"}
        assert run.view.error is not None and run.view.error.step == "orders[D-2].order"
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        assert shop.called("read_deals") == 1


def test_max_failures_ends_the_loop_and_cancels_what_was_not_begun(shop: Shop) -> None:
    shop.workflow("orders", ORDERS.replace("    as: deal\n", "    as: deal\n    max_failures: 2\n"))
    shop.some_deals(5)
    shop.faults(**{f"D_{n}": {"flaky": 99} for n in (1, 2, 3, 4, 5)})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert list(run.states.values()) == ["failed", "failed", "cancelled", "cancelled", "cancelled"]
        assert run.state == RunState.DONE_WITH_WARNINGS


def test_five_application_errors_in_a_row_stop_the_run(shop: Shop) -> None:
    shop.some_deals(8)
    shop.faults(**{f"D_{n}": {"flaky": 99} for n in range(1, 9)})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.FAILED
        assert list(run.states.values()).count("failed") == 5
        assert "in a row" in (run.view.error.message if run.view.error else "")


def test_two_rows_of_one_key_are_an_error_that_names_it_and_nothing_is_posted(shop: Shop) -> None:
    shop.deals(*({"deal": "D-1", "customer": "Blue", "amount": "10"} for _ in range(2)))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.FAILED or run.steps["orders"].state == "failed"
        assert '"D-1"' in run.steps["orders"].error.message  # type: ignore[union-attr]
        assert not shop.orders()


def test_an_empty_loop_has_tables_with_the_right_columns(shop: Shop) -> None:
    shop.deals()
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        assert list(run.steps["orders"].outputs["results"].columns) == ["deal", "order_no"]  # type: ignore[attr-defined]


def test_a_second_act_in_one_call_is_refused(shop: Shop) -> None:
    text = ORDERS.replace("shop.place_order", "shop.place_unasked")
    shop.workflow("twice", text.replace("          customer: ${{ deal.customer }}\n", ""))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "twice")
        assert set(run.states.values()) == {"failed"}
        assert not shop.orders()
        assert engine.ledger.doubts() == ()


def test_a_rehearsal_posts_nothing_and_leaves_no_intent(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders", options=RunOptions(rehearse=True))
        assert run.state == RunState.SUCCEEDED
        assert set(run.states.values()) == {"cancelled"}
        assert not shop.orders()
        after = ran(engine, shop, "orders")
        assert set(after.states.values()) == {"successful"}


def test_only_and_limit_leave_the_others_out_and_the_counts_add_up(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders", options=RunOptions(only="D-2"))
        assert run.states == {"D-1": "cancelled", "D-2": "successful", "D-3": "cancelled"}
        run = ran(engine, shop, "orders", options=RunOptions(limit=1))
        assert list(run.states.values()) == ["successful", "cancelled", "cancelled"]
        assert shop.posted() == {"D-1": 1, "D-2": 1}


def test_until_ends_the_run_behind_a_step(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders", options=RunOptions(until="checks"))
        assert run.state == RunState.SUCCEEDED
        assert list(run.steps) == ["deals", "checks"]


def test_a_value_of_an_item_on_hold_is_edited_by_a_person_and_not_its_key(shop: Shop) -> None:
    shop.workflow("orders", with_loop(ORDERS, on_failure="review"))
    shop.faults(D_2={"business": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        item = run.items["D-2"].item_id
        with pytest.raises(Refused, match="part of the key"):
            engine.edit_item(item, {"deal": "D-9"}, person="chiara")
        with pytest.raises(Refused, match="no column"):
            engine.edit_item(item, {"price": "1"}, person="chiara")
        engine.edit_item(item, {"amount": "25.50"}, person="chiara")
        shop.faults()
        engine.retry([item], person="bilal")
        assert run.drive() == RunState.SUCCEEDED
        assert [order["amount"] for order in shop.orders() if order["deal"] == "D-2"] == ["25.5"]
        assert [entry.actor for entry in engine.ledger.audit(act="item.edited")] == ["chiara"]


def test_what_sends_is_parked_at_once_when_its_end_is_unclear(shop: Shop) -> None:
    text = ORDERS.replace(
        """        bot: shop.place_order
        with:
          deal: ${{ deal.deal }}
          customer: ${{ deal.customer }}
          amount: ${{ deal.amount }}
        retry:
          attempts: 3
          wait: 10ms
    collect:
      deal: ${{ deal.deal }}
      order_no: ${{ steps.order.order_no }}
""",
        """        bot: shop.send_note
        with:
          to: ${{ deal.deal }}
          text: Hello
""",
    )
    shop.workflow("notes", text)
    shop.faults(D_2={"lose_reply": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "notes")
        assert run.states == {"D-1": "successful", "D-2": "in_doubt", "D-3": "successful"}
        assert shop.posted()["note-D-2"] == 1
        assert run.state == RunState.WAITING


def test_two_steps_that_would_post_the_same_are_an_error_and_never_a_silent_skip(shop: Shop) -> None:
    order = ORDERS[ORDERS.index("      - id: order\n") : ORDERS.index("    collect:\n")]
    shop.workflow("twice", ORDERS.replace(order, order + order.replace("id: order", "id: second")))
    named = order.replace("id: order", "id: second") + "        posts: second order\n"
    shop.workflow("named", ORDERS.replace(order, order + named))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "twice")
        assert set(run.states.values()) == {"failed"}
        error = run.items["D-1"].error
        assert error is not None and "posts:" in error.message
        assert set(shop.posted().values()) == {1}
        again = ran(engine, shop, "named")
        assert set(again.states.values()) == {"successful"}
        assert set(shop.posted().values()) == {2}


def test_a_key_that_an_earlier_loop_of_the_run_has_posted_is_already_there(shop: Shop) -> None:
    loop = ORDERS[ORDERS.index("  - id: orders\n") : ORDERS.index("  - id: rejected\n")]
    second = (
        loop.replace("id: orders", "id: more")
        .replace("id: order\n", "id: other\n")
        .replace("order.order", "other.order")
    )
    shop.workflow("loops", ORDERS.replace(loop, loop + second))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "loops")
        states = [str(item.state) for item in engine.ledger.items(run.run_id, loop="more")]
        assert states == ["already_there"] * 3
        assert set(shop.posted().values()) == {1}


def test_a_retry_of_a_failed_item_of_a_run_that_is_done_finishes_it_later(shop: Shop) -> None:
    shop.faults(D_2={"flaky": 3})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.DONE_WITH_WARNINGS
        engine.retry([run.items["D-2"].item_id], person="anna")
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        assert shop.called("read_deals") == 1


def test_a_loop_that_too_many_errors_stopped_goes_on_when_the_run_is_resumed(shop: Shop) -> None:
    shop.some_deals(6)
    shop.faults(**{f"D_{number}": {"flaky": 3} for number in range(1, 6)})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.FAILED
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        assert set(run.states.values()) == {"successful"} and len(run.states) == 6
        assert set(shop.posted().values()) == {1}


def test_what_failed_in_a_loop_that_was_over_is_tried_again_when_the_run_is_resumed(shop: Shop) -> None:
    last = "  - {id: last, bot: shop.place_order, with: {deal: D-9, customer: Blue, amount: 1}}\n\n"
    shop.workflow("longer", ORDERS.replace("outputs:", last + "outputs:"))
    shop.faults(D_2={"flaky": 3}, D_9={"refused": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "longer")
        assert run.state == RunState.FAILED
        assert run.states["D-2"] == "failed"
        shop.faults()
        assert engine.resume(run.run_id) == RunState.SUCCEEDED
        assert run.states == {"D-1": "successful", "D-2": "successful", "D-3": "successful"}
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1, "D-9": 1}
