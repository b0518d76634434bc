"""The `reconcile` step in a run: its outputs, its rules, its tolerances from inputs, and what `plan` shows of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from interoffice.engine.preview import preview
from interoffice.errors import Refused, UsageError
from interoffice.model.values import Duration
from interoffice.model.work import RunState
from interoffice.office import Office
from interoffice.store import breaks
from tests.support.running import Ran, an_engine, ran
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


# breaks: what stays open ages


def opened(shop: Shop) -> list[tuple[str, date, str | None]]:
    """Every break: its reason, since when, closed by whom."""
    with an_engine(shop) as engine:
        found = engine.ledger.read(lambda tx: breaks.listed(tx, workflow=None, state="all", limit=99))
        return [(each.reason, each.first_seen, each.closed_by) for each in found]


def reconciled_on(shop: Shop, day: date) -> list[dict[str, Any]]:
    """The exceptions of a run that stands for a day."""
    planned = datetime.combine(day, time(8), UTC)
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("recon", planned=planned), signed_in="anna")
        assert engine.drive(run_id) == RunState.SUCCEEDED
        return [dict(row) for row in Ran(engine, run_id, []).rows("recon", "exceptions")]


def test_an_exception_ages_from_run_to_run_and_is_closed_by_the_run_that_sees_it_no_more(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "warn").replace("default: 0", "default: 1.00"))
    monday, friday = date(2026, 11, 23), date(2026, 11, 27)
    (first,) = reconciled_on(shop, monday)
    assert (first["first_seen"], first["age"]) == (monday, Duration())
    (again,) = reconciled_on(shop, friday)
    assert (again["first_seen"], again["age"]) == (monday, Duration(days=4))
    assert opened(shop) == [("only in Deals", monday, None)]
    shop.deals({"deal": "D-1", "customer": "Blue", "amount": "10"})
    assert reconciled_on(shop, date(2026, 11, 30)) == []
    ((_, since, closed_by),) = opened(shop)
    assert since == monday and str(closed_by).startswith("run ")
    with an_engine(shop) as engine:
        assert [entry.act for entry in engine.ledger.audit() if entry.act.startswith("break.")] == ["break.closed"]


def test_a_run_with_other_inputs_says_nothing_about_a_break(shop: Shop) -> None:
    text = RECON.replace("ROUTE", "warn").replace("default: 0", "default: 1.00")
    shop.workflow("recon", text)
    reconciled_on(shop, date(2026, 11, 23))
    shop.deals({"deal": "D-1", "customer": "Blue", "amount": "10"})
    shop.workflow("recon", text.replace("default: 1.00", "default: 2.00"))
    assert reconciled_on(shop, date(2026, 11, 24)) == []
    assert [closed for *_, closed in opened(shop)] == [None]


def test_people_assign_comment_and_close_a_break_and_it_is_in_the_audit(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "warn").replace("default: 0", "default: 1.00"))
    reconciled_on(shop, date(2026, 11, 23))
    desk = Office(shop.folder)
    (row,) = desk.breaks.listed(workflow="recon", state="open")
    name = str(row["break"])
    assert (row["line"], row["reason"]) == ("reference=D-3, money=30", "only in Deals")
    with pytest.raises(UsageError, match='knows no person "bilall"; did you mean "bilal"'):
        desk.breaks.assign(name, "bilall", person="anna")
    assert desk.breaks.assign(name, "bilal", person="anna") == f"{name} is Bilal Demir's to clear."
    desk.breaks.comment(name, "asked the customer", person="bilal")
    desk.breaks.close(name, "paid on Tuesday", person="bilal")
    with pytest.raises(Refused, match="is closed already, by bilal"):
        desk.breaks.close(name, "again", person="anna")
    assert desk.breaks.listed(workflow=None, state="open") == []
    (closed,) = desk.breaks.listed(workflow=None, state="closed")
    assert (closed["assigned_to"], closed["comment"], closed["closed_by"]) == ("bilal", "paid on Tuesday", "bilal")
    acts = [(entry.actor, entry.act) for entry in desk.ledger.audit() if entry.act.startswith("break.")]
    assert acts == [("anna", "break.assigned"), ("bilal", "break.commented"), ("bilal", "break.closed")]


def test_a_plan_remembers_no_break(shop: Shop) -> None:
    shop.workflow("recon", RECON.replace("ROUTE", "warn"))
    with an_engine(shop) as engine:
        preview(engine, shop.plan("recon"))
    assert opened(shop) == []
