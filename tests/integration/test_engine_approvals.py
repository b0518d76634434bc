"""Approvals: bound to the rows that were shown, decided by another person, on disk meanwhile."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interoffice.engine.engine import Engine
from interoffice.errors import Refused, UsageError
from interoffice.model.work import RunState
from interoffice.plan.project import open_project
from tests.support.running import Ran, an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop

APPROVED = (
    ORDERS.replace(
        "      - amount > 0\n", "      - amount > 0\n      - rule: amount <= 20\n        otherwise: review\n"
    )
    .replace(
        "  - id: orders\n",
        """  - id: release
    name: A manager decides
    approve: ${{ steps.checks.review }}
    row: deal
    ask: Enter these orders?
    by: [managers]
    not_by: [starter]
    show: [deal, customer, amount, reasons]
    fields:
      amount:
        type: money
        min: 1
        max: 1000
      comment:
        type: text
        required_when: decision = 'reject'
    within: 1 day
    if_late: reject

  - id: orders
""",
        1,
    )
    .replace("${{ steps.checks.passed }}", "${{ steps.checks.passed + steps.release.approved }}")
    .replace("${{ steps.checks.rejected }}", "${{ steps.checks.rejected + steps.release.rejected }}")
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", APPROVED)
    shop.some_deals(4)
    return shop


class LaterClock:
    """The machine's clock, moved on."""

    def __init__(self, later: timedelta) -> None:
        from interoffice.engine.clock import SystemClock

        self._clock = SystemClock()
        self._later = later

    def now(self) -> datetime:
        return datetime.now(UTC) + self._later

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def wait(self, seconds: float, until: object) -> bool:
        return self._clock.wait(seconds, until)  # type: ignore[arg-type]


def decide(run: Ran, decision: str = "approve", *, person: str = "bilal", digest: str = "", **more: object) -> None:
    """A decision on the run's one open approval."""
    (approval,) = run.engine.ledger.approvals("open", run.run_id)
    run.engine.decide(approval.approval_id, decision, person=person, digest=digest or approval.digest, **more)  # type: ignore[arg-type]


def test_rows_that_need_nobody_are_worked_while_the_others_wait(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.WAITING
        assert shop.posted() == {"D-1": 1, "D-2": 1}
        assert [row.key for row in engine.ledger.approvals()[0].rows] == ["D-3", "D-4"]


def test_decided_rows_join_the_loop_and_the_run_ends(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run, rows=["D-3"])
        assert run.drive() == RunState.WAITING
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        decide(run, "reject", rows=["D-4"], fields={"comment": "too much"}, comment="no")
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1}
        assert [row["deal"] for row in run.rows("orders", "results")] == ["D-1", "D-2", "D-3"]
        assert [(row["deal"], row["comment"]) for row in run.rows("rejected", "rows")] == [("D-4", "too much")]


def test_an_approval_is_decided_in_another_process_and_the_run_goes_on_in_a_third(shop: Shop) -> None:
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders")
    with an_engine(shop) as engine:
        decide(Ran(engine, first.run_id, []))
    with an_engine(shop) as engine:
        assert [run.run_id for run in engine.due()] == [first.run_id]
        assert engine.drive(first.run_id) == RunState.SUCCEEDED
        assert len(shop.posted()) == 4 and set(shop.posted().values()) == {1}
        assert shop.called("read_deals") == 1


def test_the_starter_may_never_decide_and_the_try_is_in_the_audit(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="may not decide"):
            decide(run, person="anna")
        refused = engine.ledger.audit(act="approval.refused")
        assert [(entry.actor, entry.run_id) for entry in refused] == [("anna", run.run_id)]
        assert run.drive() == RunState.WAITING


def test_who_is_in_none_of_the_groups_may_not_decide(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="none of the groups"):
            decide(run, person="chiara")
        with pytest.raises(Refused, match="nobody in settings"):
            decide(run, person="mallory")


def test_the_git_author_of_the_workflow_may_not_decide(shop: Shop) -> None:
    git = ["git", "-C", str(shop.folder), "-c", "user.name=Bilal", "-c", "user.email=Bilal.Demir@example.com"]
    for arguments in (["init", "-q"], ["add", "workflows"], ["commit", "-q", "-m", "orders"]):
        subprocess.run([*git, *arguments], check=True)
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="may not decide"):
            decide(run, person="bilal")


def test_where_nobody_knows_who_edited_the_workflow_nobody_may_approve(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        run = Ran(engine, run_id, [])
        run.drive()
        with pytest.raises(Refused, match="who edited"):
            decide(run)


def test_a_decision_on_other_rows_than_those_shown_is_refused(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="shown"):
            decide(run, digest="0" * 64)


def test_a_decision_is_not_made_twice(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        (approval,) = engine.ledger.approvals()
        decide(run)
        with pytest.raises(Refused, match="already"):
            engine.decide(approval.approval_id, "reject", person="bilal", digest=approval.digest)


def test_a_release_limit_holds_for_the_amount_of_each_row(shop: Shop) -> None:
    settings = shop.folder / "settings.yaml"
    limits = "release_limits:\n  - workflow: orders\n    step: release\n    amount: amount\n    up_to:\n"
    settings.write_text(settings.read_text() + limits + "      managers: 35\n")
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="up to 35"):
            decide(run)
        decide(run, rows=["D-3"])
        decide(run, "reject", rows=["D-4"], fields={"comment": "no"})


def test_a_corrected_column_is_used_and_its_old_value_kept(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run, rows=["D-3"], fields={"amount": "25"})
        decide(run, "reject", rows=["D-4"], fields={"comment": "no"})
        assert run.drive() == RunState.SUCCEEDED
        (approved,) = run.rows("release", "approved")
        assert (str(approved["amount"]), str(approved["amount_before"])) == ("25", "30")
        assert [order["amount"] for order in shop.orders() if order["deal"] == "D-3"] == ["25"]


def test_a_correction_that_fails_a_reject_rule_is_refused(shop: Shop) -> None:
    shop.workflow("orders", APPROVED.replace("        min: 1\n", ""))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="amount > 0"):
            decide(run, rows=["D-3"], fields={"amount": "-5"})
        with pytest.raises(Refused, match="at most 1000"):
            decide(run, rows=["D-3"], fields={"amount": "5000"})
        with pytest.raises(Refused, match='no field "price"'):
            decide(run, rows=["D-3"], fields={"price": "5"})


def test_a_field_that_is_required_must_be_filled_in(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="must be filled in"):
            decide(run, "reject")


def test_past_its_time_open_rows_are_rejected(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.view.wake_at is not None
    with Engine(open_project(shop.folder), shop.state, in_process=True, clock=LaterClock(timedelta(days=2))) as later:
        run = Ran(later, run.run_id, [])
        with pytest.raises(Refused, match="late"):
            (approval,) = later.ledger.approvals("open")
            later.decide(approval.approval_id, "approve", person="bilal", digest=approval.digest)
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1}
        assert [row["deal"] for row in run.rows("rejected", "rows")] == ["D-3", "D-4"]


def test_if_late_stop_ends_the_run_as_failed(shop: Shop) -> None:
    shop.workflow("orders", APPROVED.replace("if_late: reject", "if_late: stop"))
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
    with Engine(open_project(shop.folder), shop.state, in_process=True, clock=LaterClock(timedelta(days=2))) as later:
        assert later.drive(run.run_id) == RunState.FAILED


def test_an_empty_table_is_decided_at_once(shop: Shop) -> None:
    shop.some_deals(2)
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.SUCCEEDED
        approved = run.steps["release"].outputs["approved"]
        assert list(approved.columns)[-2:] == ["amount_before", "comment"]  # type: ignore[attr-defined]


def test_a_bot_that_changed_since_the_approval_makes_it_ask_again(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run)
        bots = shop.folder / "bots" / "back_office" / "shop.py"
        bots.write_text(bots.read_text() + "\n# changed\n")
        assert run.drive() == RunState.WAITING
        assert shop.posted() == {"D-1": 1, "D-2": 1}
        assert len(engine.ledger.approvals("open")) == 1
        decide(run)
        assert run.drive() == RunState.SUCCEEDED
        assert len(shop.posted()) == 4


def test_rows_that_wait_in_another_run_are_left_out(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
        again = ran(engine, shop, "orders")
        assert [row["deal"] for row in again.rows("release", "already")] == ["D-3", "D-4"]
        assert again.state == RunState.SUCCEEDED


def test_what_is_decided_together_is_not_decided_in_part_and_holds_every_later_act(shop: Shop) -> None:
    text = APPROVED.replace("    ask: Enter", "    decide: together\n    ask: Enter").replace(
        "${{ steps.checks.passed + steps.release.approved }}", "${{ steps.checks.passed }}"
    )
    shop.workflow("orders", text)
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.WAITING
        assert not shop.orders()
        with pytest.raises(Refused, match="together"):
            decide(run, rows=["D-3"])
        decide(run)
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted() == {"D-1": 1, "D-2": 1}


def test_an_item_edited_after_its_approval_is_approved_again_and_not_by_the_editor(shop: Shop) -> None:
    shop.workflow("orders", APPROVED.replace("on_failure: continue", "on_failure: review"))
    shop.faults(D_3={"business": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run, rows=["D-3"])
        assert run.drive() == RunState.WAITING
        engine.edit_item(run.items["D-3"].item_id, {"amount": "33"}, person="bilal")
        (approval,) = engine.ledger.approvals("open", run.run_id)
        waiting = {row.key: row for row in approval.rows if row.state == "open"}
        assert str(waiting["D-3"].row["amount"]) == "33"
        with pytest.raises(Refused, match="may not decide"):
            decide(run, rows=["D-3"])
        with pytest.raises(Refused, match="approved again"):
            engine.retry([run.items["D-3"].item_id], person="dora")
        decide(run, person="dora", fields={"amount": "34"}, rows=["D-3"])
        decide(run, "reject", person="dora", rows=["D-4"], fields={"comment": "no"})
        shop.faults()
        engine.retry([run.items["D-3"].item_id], person="dora")
        assert run.drive() == RunState.SUCCEEDED
        assert [order["amount"] for order in shop.orders() if order["deal"] == "D-3"] == ["34"]


def test_cancelling_a_waiting_run_closes_its_approval(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert engine.cancel(run.run_id, person="bilal") == RunState.CANCELLED
        assert engine.ledger.approvals("open") == ()


# who may never decide, on whatever path


def prepared_by(shop: Shop, maker: str) -> None:
    """A project in which `maker` made something of the run that anna starts; bilal would be asked."""
    settings = shop.folder / "settings.yaml"
    text = settings.read_text()
    if maker == "alias":
        text = text.replace("people:\n", "people:\n  anna2: {name: Anna B., email: Anna.Berg+second@Example.com}\n", 1)
        text = text.replace("managers: [", "managers: [anna2, ")
    settings.write_text(text)
    if maker == "workflow editor":
        git = ["git", "-C", str(shop.folder), "-c", "user.name=B", "-c", "user.email=BILAL.demir+git@example.com"]
        for arguments in (["init", "-q"], ["add", "workflows"], ["commit", "-q", "-m", "orders"]):
            subprocess.run([*git, *arguments], check=True)


@pytest.mark.parametrize(
    ("maker", "person", "digest", "said"),
    [
        ("starter", "anna", "", "made this run"),
        ("other case", "ANNA", "", "nobody in settings"),
        ("spaces", " anna ", "", "nobody in settings"),
        ("wide letters", "ａｎｎａ", "", "nobody in settings"),
        ("name instead of id", "Anna Berg", "", "nobody in settings"),
        ("e-mail instead of id", "anna.berg@example.com", "", "nobody in settings"),
        ("alias", "anna2", "", "made this run"),
        ("workflow editor", "bilal", "", "made this run"),
        ("bot", "bot shop.place_order", "", "nobody in settings"),
        ("engine", "engine", "", "nobody in settings"),
        ("account", "account:root", "", "nobody in settings"),
        ("changed payload", "bilal", "0" * 64, "shown"),
    ],
)
def test_self_approval_is_refused_on_every_path_and_each_try_is_in_the_audit(
    shop: Shop, maker: str, person: str, digest: str, said: str
) -> None:
    prepared_by(shop, maker)
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match=said):
            decide(run, person=person, digest=digest)
        refused = engine.ledger.audit(act="approval.refused")
        assert [(entry.actor, entry.run_id) for entry in refused] == [(person, run.run_id)]
        assert said in str(refused[0].details["why"])
        assert run.drive() == RunState.WAITING
        assert shop.posted() == {"D-1": 1, "D-2": 1}


def test_who_edited_a_value_may_not_approve_any_row(shop: Shop) -> None:
    shop.workflow("orders", APPROVED.replace("on_failure: continue", "on_failure: review"))
    shop.faults(D_1={"business": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        engine.edit_item(run.items["D-1"].item_id, {"amount": "11"}, person="bilal")
        with pytest.raises(Refused, match="made this run"):
            decide(run)
        assert [entry.actor for entry in engine.ledger.audit(act="approval.refused")] == ["bilal"]


def test_a_decision_that_was_made_is_not_replayed(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        (approval,) = engine.ledger.approvals()
        decide(run, rows=["D-3"])
        with pytest.raises(Refused, match="does not wait for a decision"):
            decide(run, rows=["D-3"], digest=approval.digest)
        again = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="What was shown is not what waits now"):
            engine.decide(f"{again.run_id}.release", "approve", person="bilal", digest=approval.digest)
        assert len(engine.ledger.audit(act="approval.refused")) == 2


def test_tries_on_what_is_not_there_are_in_the_audit_too(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match="There is no approval"):
            engine.decide("nothing.here", "approve", person="bilal", digest="")
        with pytest.raises(UsageError, match="approve or reject"):
            decide(run, "aprove")
        whys = [str(entry.details["why"]) for entry in engine.ledger.audit(act="approval.refused")]
        assert ["no approval" in whys[0], "aprove" in whys[1]] == [True, True]


# limits, and what an approval binds


def test_a_limit_holds_for_the_amount_as_it_was_corrected(shop: Shop) -> None:
    settings = shop.folder / "settings.yaml"
    limits = "release_limits:\n  - workflow: orders\n    step: release\n    amount: amount\n    up_to:\n"
    settings.write_text(settings.read_text() + limits + "      managers: 35\n")
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        with pytest.raises(Refused, match=r"up to 35.*D-3 is 900"):
            decide(run, rows=["D-3"], fields={"amount": "900"})
        assert shop.posted() == {"D-1": 1, "D-2": 1}
        decide(run, rows=["D-3"], fields={"amount": "34"})


def change_the_bot(shop: Shop) -> None:
    bots = shop.folder / "bots" / "back_office" / "shop.py"
    bots.write_text(bots.read_text() + "\n# changed\n")


def test_a_bot_that_changed_while_a_row_was_open_makes_the_approved_one_be_asked_again(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run, rows=["D-3"])
        change_the_bot(shop)
        assert run.drive() == RunState.WAITING
        assert shop.posted() == {"D-1": 1, "D-2": 1}
        (approval,) = engine.ledger.approvals("open")
        assert {row.key: row.state for row in approval.rows} == {"D-3": "open", "D-4": "open"}
        decide(run)
        assert run.drive() == RunState.SUCCEEDED
        assert len(shop.posted()) == 4


def test_a_row_that_is_done_is_not_asked_again(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run, rows=["D-3"])
        assert run.drive() == RunState.WAITING
        change_the_bot(shop)
        run.drive()
        (approval,) = engine.ledger.approvals("open")
        assert {row.key: row.state for row in approval.rows} == {"D-3": "approved", "D-4": "open"}


def test_a_decision_on_rows_that_were_seen_before_a_bot_changed_is_refused(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        (seen,) = engine.ledger.approvals("open")
        change_the_bot(shop)
        run.drive()
        with pytest.raises(Refused, match="What was shown is not what waits now"):
            decide(run, digest=seen.digest)


def test_a_row_that_is_asked_again_has_as_long_as_in_the_beginning(shop: Shop) -> None:
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        (first,) = engine.ledger.approvals("open")
        decide(run)
        change_the_bot(shop)
        run.drive()
        (again,) = engine.ledger.approvals("open")
        assert first.expires_at is not None and again.expires_at is not None
        assert again.expires_at >= first.expires_at


LARGE = "  - id: large\n    table: ${{ steps.checks.review }}\n    columns:\n      double: amount * 2\n\n"
BEHIND_A_TABLE = (
    APPROVED.replace("        min: 1\n", "")
    .replace("approve: ${{ steps.checks.review }}", "approve: ${{ steps.large.rows }}")
    .replace("  - id: release\n", LARGE + "  - id: release\n")
)


def test_a_correction_behind_a_table_step_is_checked_again(shop: Shop) -> None:
    shop.workflow("orders", BEHIND_A_TABLE)
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.state == RunState.WAITING, run.view.error
        with pytest.raises(Refused, match="amount > 0"):
            decide(run, rows=["D-3"], fields={"amount": "-5"})


SECOND = """  - id: second
    name: Another manager decides
    approve: ${{ steps.release.approved }}
    row: deal
    decide: together
    ask: Really?
    by: [managers]
    not_by: [starter, previous_approver]
    show: [deal, amount]
    within: 1 day
    if_late: stop

  - id: orders
"""


def test_who_decided_earlier_is_a_previous_approver_also_where_the_row_was_asked_again(shop: Shop) -> None:
    settings = shop.folder / "settings.yaml"
    text = settings.read_text(encoding="utf-8").replace("bilal, dora]", "bilal, dora, emil]")
    emil = "people:\n  emil:\n    name: Emil Falk\n    email: emil.falk@example.com\n"
    settings.write_text(text.replace("people:\n", emil), encoding="utf-8")
    shop.workflow("orders", APPROVED.replace("  - id: orders\n", SECOND, 1))
    shop.deals({"deal": "D-3", "customer": "Blue", "amount": "30"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        decide(run, person="bilal")
        change_the_bot(shop)
        assert run.drive() == RunState.WAITING
        decide(run, person="dora")
        assert run.drive() == RunState.WAITING
        (approval,) = engine.ledger.approvals("open", run.run_id)
        assert approval.step_id == "second"
        for earlier in ("bilal", "dora"):
            with pytest.raises(Refused, match="decided on an earlier step"):
                decide(run, person=earlier)
        decide(run, person="emil")
        assert run.drive() == RunState.SUCCEEDED
        assert shop.posted() == {"D-3": 1}
