"""The `reconcile` step in a run: its outputs, its rules, its tolerances from inputs, and what `plan` shows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.engine.preview import preview
from interoffice.model.work import RunState
from tests.support.running import an_engine, ran
from tests.support.shop import Shop, make_shop

RECON = """\
version: 1
name: Deals against deals
owner: treasury@example.com
inputs:
  cents:
    type: money
    default: 0
defaults:
  timeout: 1m
steps:
  - id: deals
    bot: shop.read_deals
  - id: bank
    table: ${{ steps.deals.rows }}
    columns:
      paid: amount + 1
    where: deal != 'D-3'
  - id: paid
    table: ${{ steps.bank.rows }}
    columns:
      reference: deal
      sum_paid: paid
    group_by: [reference]
    totals:
      sum_paid: sum
  - id: recon
    reconcile:
      left: ${{ steps.deals.rows }}
      left_name: Deals
      right: ${{ steps.paid.rows }}
      right_name: Payments
      columns:
        reference: [deal, reference]
        money: [amount, sum_paid]
    passes:
      - name: Same reference, nearly the same amount
        same: [reference]
        close:
          money: ${{ inputs.cents }}
      - name: Same reference, other amount
        same: [reference]
        result: different
    rules:
      - rule: match rate >= 50%
        otherwise: ROUTE
      - rule: ambiguous count = 0
        otherwise: stop
outputs:
  exceptions: ${{ steps.recon.exceptions }}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.some_deals(4)
    return shop


def test_within_the_tolerance_of_an_input_lines_match_and_the_rest_is_an_exception(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "stop").replace("default: 0", "default: 1.00"))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "recon")
        assert run.state == RunState.SUCCEEDED, run.view.error
        assert [row["left_deal"] for row in run.rows("recon", "matched")] == ["D-1", "D-2", "D-4"]
        (left_over,) = run.rows("recon", "exceptions")
        assert (left_over["deal"], left_over["side"], left_over["reason"]) == ("D-3", "left", "only in Deals")
        assert run.steps["recon"].note == "3 matched, 0 different, 1 only left, 0 only right, 0 ambiguous"
        difference = run.steps["recon"].outputs["difference"]
        assert str(difference["money"]) == "27"  # type: ignore[index]


def test_a_rule_that_warns_is_told_and_the_run_goes_on(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "warn"))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "recon")
        assert run.state == RunState.SUCCEEDED
        assert len(run.rows("recon", "different")) == 3
        assert "match rate >= 50%" in run.steps["recon"].note


def test_a_rule_that_stops_fails_the_run_and_the_outputs_are_kept(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "stop"))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "recon")
        assert run.state == RunState.FAILED
        assert run.view.error is not None and "match rate >= 50%" in run.view.error.message
        assert len(run.rows("recon", "different")) == 3


def test_the_plan_shows_what_matches(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "warn"))
    with an_engine(shop) as engine:
        seen = preview(engine, shop.plan("recon"))
    (step,) = [step for step in seen.steps if step.path == "recon"]
    assert step.text.startswith("0 matched, 3 different, 1 only left")
