"""No row disappears (G2) where an approval is open while something else of the run goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.model.work import RunState
from interoffice.plan.plan import RunOptions
from tests.support.running import an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop

WITH_APPROVAL = (
    ORDERS.replace(
        "      - amount > 0\n", "      - amount > 0\n      - rule: amount <= 30\n        otherwise: review\n"
    )
    .replace(
        "  - id: orders\n",
        """  - id: release
    approve: ${{ steps.checks.review }}
    row: deal
    ask: Enter these orders?
    by: [managers]
    not_by: [starter]
    show: [deal, customer, amount]
    within: 1 day
    if_late: reject

  - id: orders
""",
        1,
    )
    .replace("${{ steps.checks.passed }}", "${{ steps.checks.passed + steps.release.approved }}")
)
FAILS_WHOLE = (
    WITH_APPROVAL.replace("          deal: ${{", "          credential: shop_clerk\n          deal: ${{", 1)
    + """
on_failure:
  - id: alert
    bot: shop.send_note
    with:
      to: owner
      text: it broke
"""
)
"""A refused credential fails the run in the middle of its loop, while D-4 waits for a decision."""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.some_deals(4)
    return shop


def test_a_loop_that_ends_early_waits_for_the_rows_that_people_still_decide(shop: Shop) -> None:
    shop.workflow("orders", WITH_APPROVAL.replace("    key: deal.deal\n", "    key: deal.deal\n    max_failures: 1\n"))
    shop.faults(D_1={"flaky": 3})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.WAITING
        assert run.states == {"D-1": "failed", "D-2": "cancelled", "D-3": "cancelled"}
        (approval,) = engine.ledger.approvals("open", run.run_id)
        engine.decide(approval.approval_id, "approve", person="bilal", digest=approval.digest)
    with an_engine(shop) as engine:
        assert engine.drive(run.run_id) == RunState.DONE_WITH_WARNINGS
        assert {item.key: str(item.state) for item in engine.ledger.items(run.run_id)} == {
            "D-1": "failed", "D-2": "cancelled", "D-3": "cancelled", "D-4": "successful",
        }  # fmt: skip
    assert shop.posted() == {"D-4": 1}


def test_what_waited_for_a_decision_waits_again_when_a_failed_run_is_resumed(shop: Shop) -> None:
    shop.workflow("orders", FAILS_WHOLE)
    shop.faults(D_2={"wrong_password": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.FAILED
        assert engine.ledger.approvals("open", run.run_id) == ()
        until = engine.ledger.approvals("cancelled", run.run_id)[0].expires_at
        shop.faults()
        engine.resume_credential("shop_clerk", person="anna")
    with an_engine(shop) as engine:
        assert engine.resume(run.run_id) == RunState.WAITING
        (approval,) = engine.ledger.approvals("open", run.run_id)
        assert [(row.key, row.state) for row in approval.rows] == [("D-4", "open")]
        assert approval.expires_at is not None and until is not None and approval.expires_at >= until
        engine.decide(approval.approval_id, "approve", person="bilal", digest=approval.digest)
        assert engine.drive(run.run_id) == RunState.SUCCEEDED
    assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1, "D-4": 1, "note-owner": 1}


def test_a_rehearsal_that_waits_takes_no_row_from_a_real_run(shop: Shop) -> None:
    shop.workflow("orders", WITH_APPROVAL)
    with an_engine(shop) as engine:
        assert ran(engine, shop, "orders", options=RunOptions(rehearse=True)).state == RunState.WAITING
        assert shop.posted() == {}
        run = ran(engine, shop, "orders")
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        (approval,) = engine.ledger.approvals("open", run.run_id)
        assert [row.key for row in approval.rows] == ["D-4"]


def test_a_key_that_no_row_has_stops_a_run_that_was_to_work_only_it(shop: Shop) -> None:
    shop.workflow("orders", ORDERS)
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders", options=RunOptions(only="D-99"))
        assert run.state == RunState.FAILED
        assert run.view.error is not None
        assert run.view.error.message == 'no row has the key "D-99" that --only names; there is D-1, D-2, D-3, D-4'
    assert shop.posted() == {}


def test_the_owner_is_told_of_a_failure_while_an_approval_is_open(shop: Shop) -> None:
    shop.workflow("orders", FAILS_WHOLE)
    shop.faults(D_2={"wrong_password": True})
    with an_engine(shop) as engine:
        assert ran(engine, shop, "orders").state == RunState.FAILED
    assert shop.posted()["note-owner"] == 1


def test_what_a_loop_left_not_begun_begins_when_a_person_resumes_the_waiting_run(shop: Shop) -> None:
    shop.workflow("orders", WITH_APPROVAL.replace("    key: deal.deal\n", "    key: deal.deal\n    max_failures: 1\n"))
    shop.faults(D_1={"flaky": 3})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert (run.state, run.items["D-2"].state) == (RunState.WAITING, "cancelled")
        shop.faults()
        assert engine.resume(run.run_id) == RunState.WAITING
        assert run.items["D-2"].state == "cancelled"
        assert engine.resume(run.run_id, begin_all=True) == RunState.WAITING
        assert run.items["D-2"].state == "successful"
