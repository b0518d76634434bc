"""`plan`: what a run would do, key by key, without doing any of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from interoffice.engine.preview import preview
from interoffice.engine.previewed import Preview, StepSeen
from interoffice.errors import UsageError
from interoffice.model.work import RunState
from tests.support.running import an_engine, ran
from tests.support.shop import ORDERS, Shop, make_shop

REVIEWED = """\
version: 1
name: Reviewed orders
owner: anna.berg@example.com
defaults:
  timeout: 30s
mask: [customer]
steps:
  - id: deals
    bot: shop.read_deals
  - id: checks
    check: ${{ steps.deals.rows }}
    row: deal
    otherwise: reject
    rules:
      - amount > 0
      - rule: amount < 30
        otherwise: review
  - id: release
    approve: ${{ steps.checks.review }}
    row: deal
    ask: Enter these orders?
    by: [managers]
    not_by: [starter]
    show: [deal, customer, amount]
    within: 1 day
    if_late: reject
  - id: none_approved
    if: steps.release.approved is empty
    bot: shop.nothing
  - id: big
    table: ${{ steps.checks.passed + steps.release.approved }}
    columns:
      double: amount * 2
    where: amount > 10
  - id: orders
    name: Enter the order of ${{ steps.deals.status }}
    for_each: ${{ steps.checks.passed + steps.release.approved }}
    as: deal
    key: deal.deal
    workers: 2
    on_failure: continue
    do:
      - id: order
        bot: shop.place_order
        with:
          deal: ${{ deal.deal }}
          customer: ${{ deal.customer }}
          amount: ${{ deal.amount }}
      - id: note
        bot: shop.send_note
        with:
          to: ${{ deal.deal }}
          text: Your order is ${{ steps.order.order_no }}
  - id: after
    choose:
      - when: count(steps.orders.failed) > 0
        do:
          - id: tell
            bot: shop.send_note
            with:
              to: anna
              text: Something failed
      - when: steps.deals.rows is empty
        do:
          - id: never
            bot: shop.nothing
    otherwise:
      - id: file
        bot: shop.place_order
        with:
          deal: Z-1
          customer: ${{ run.id }}
          amount: 1
  - id: counted
    set:
      read: ${{ count(steps.deals.rows) }}
      posted: ${{ count(steps.orders.results) }}
"""
"""Checked deals, some of them for a person; what comes after the loop depends on what it does."""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", ORDERS)
    shop.some_deals(4)
    return shop


def previewed(shop: Shop, key: str = "orders", *, masked: frozenset[str] = frozenset()) -> Preview:
    """The preview of a workflow of the shop."""
    with an_engine(shop) as engine:
        return preview(engine, shop.plan(key), masked=masked)


def found(seen: Preview) -> dict[str, str]:
    """What would be done, by key."""
    return {change.key: change.what for step in seen.steps for change in step.changes()}


def step_of(seen: Preview, path: str) -> StepSeen:
    """The step at a path."""
    return next(each for step in seen.steps for each in step.every() if each.path == path)


def placed(shop: Shop, *orders: Mapping[str, str]) -> None:
    """Orders that somebody else has put into the shop."""
    lines = [json.dumps({"customer": "Blue", **order}) for order in orders]
    (shop.folder / "shop" / "orders.jsonl").write_text("\n".join(lines) + "\n")


def in_ledger(shop: Shop) -> dict[str, int]:
    """How many rows each table of the ledger has."""
    import sqlite3

    connection = sqlite3.connect(shop.state / "ledger.db")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    counts = {name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}
    connection.close()
    return counts


# key by key


def test_a_key_is_new_changed_already_there_or_maybe(shop: Shop) -> None:
    there = {"D-2": "19", "D-3": "30"}
    placed(shop, *({"deal": deal, "amount": amount, "order_no": f"SO-{deal}"} for deal, amount in there.items()))
    shop.faults(D_4={"look_up": "unclear"})
    seen = previewed(shop)
    assert found(seen) == {"D-1": "new", "D-2": "changed", "D-3": "already there", "D-4": "maybe"}
    changed = next(change for change in step_of(seen, "orders").changes() if change.key == "D-2")
    assert changed.different == {"amount": ("19", "20")}
    assert seen.counts == {"new": 1, "changed": 1, "already there": 1, "maybe": 1}
    assert "amount 19 -> 20" in seen.text
    assert "the list does not answer" in seen.text
    assert "1 new, 1 changed, 1 already there, 1 maybe" in seen.text


def test_nothing_is_posted_and_the_ledger_gets_one_entry_of_the_audit(shop: Shop) -> None:
    with an_engine(shop) as engine:
        before = in_ledger(shop)
        preview(engine, shop.plan("orders"))
        after = in_ledger(shop)
        assert after == {**before, "audit": before["audit"] + 1}
        entry = engine.ledger.audit()[-1]
        assert (entry.act, entry.actor, entry.subject) == ("plan.made", "anna", "orders")
        assert engine.ledger.audit_broken_at() is None
    assert shop.orders() == []
    assert shop.called("place-D-1") == 0
    assert shop.called("read_deals") == 1
    assert not list((shop.state / "plans").iterdir())


def test_what_a_run_has_posted_is_already_there_without_a_look_up(shop: Shop) -> None:
    with an_engine(shop) as engine:
        assert ran(engine, shop, "orders").state == RunState.SUCCEEDED
        shop.faults(**{f"D_{n}": {"look_up": "unclear"} for n in range(1, 5)})
        seen = preview(engine, shop.plan("orders"))
    assert set(found(seen).values()) == {"already there"}
    assert "as SO-D-1" in seen.text
    assert "Nothing to do: 4 already there" in seen.text
    assert not seen.changes


def test_a_key_in_doubt_is_maybe_and_names_the_run(shop: Shop) -> None:
    shop.faults(D_1={"lose_reply": 1, "look_up": "unclear"})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        assert run.states["D-1"] == "in_doubt"
        seen = preview(engine, shop.plan("orders"))
    item = next(item for item in step_of(seen, "orders").items or () if item.key == "D-1")
    assert (item.end, item.why) == ("in another run", f"being worked by run {run.run_id}")


def test_again_every_run_is_new_again_although_the_last_one_is_there(shop: Shop) -> None:
    shop.workflow("orders", ORDERS.replace("    key: deal.deal\n", "    key: deal.deal\n    again: every run\n"))
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
        assert set(found(preview(engine, shop.plan("orders"))).values()) == {"new"}


def test_after_five_look_ups_that_could_not_tell_no_further_one_is_asked(shop: Shop) -> None:
    shop.some_deals(8)
    shop.faults(**{f"D_{n}": {"look_up": "unclear"} for n in range(1, 9)})
    seen = previewed(shop)
    assert set(found(seen).values()) == {"maybe"}
    whys = [change.why for change in step_of(seen, "orders").changes()]
    assert [why.startswith("not asked") for why in whys] == [False] * 5 + [True] * 3


def test_a_row_that_a_rule_rejects_is_listed_with_its_reason(shop: Shop) -> None:
    shop.deals({"deal": "D-1", "customer": "Blue", "amount": "-5"}, {"deal": "D-2", "customer": "Blue", "amount": "5"})
    seen = previewed(shop)
    assert found(seen) == {"D-2": "new"}
    assert step_of(seen, "checks").rows[0]["deal"] == "D-1"
    assert "amount is -5" in seen.text


# faulty bots


FAULTY = '''\
"""Bots that act where they must not."""

from dataclasses import dataclass
from pathlib import Path

from interoffice.bot import NotFound, bot
from interoffice.context import Context

ACTED = Path(__file__).parents[2] / "acted"


def look_and_act(ctx, key, inputs):
    ctx.commit({"deal": inputs["deal"]})
    ACTED.write_text("look-up")
    return NotFound()


@bot(effect="changes", identity=("deal",), look_up=look_and_act)
def change(ctx: Context, *, deal: str) -> None:
    """Its look-up acts.

    Example:
        bot: faulty.change
        with:
          deal: D-1
    """
    ctx.commit({"deal": deal})
    ACTED.write_text("change")


@bot(effect="reads")
def read(ctx: Context) -> None:
    """Reads, it says, and commits.

    Example:
        bot: faulty.read
    """
    ctx.commit({"deal": "D-1"})
    ACTED.write_text("read")


@bot(effect="changes", identity=("deal",))
def blind(ctx: Context, *, deal: str) -> None:
    """Can't look up.

    Example:
        bot: faulty.blind
        with:
          deal: D-1
    """
    ctx.commit({"deal": deal})
    ACTED.write_text("blind")
'''

ONE_STEP = """\
version: 1
name: One step
owner: anna.berg@example.com
defaults:
  timeout: 30s
steps:
  - id: one
    bot: {bot}
"""


def with_faulty_bots(shop: Shop) -> None:
    (shop.folder / "bots" / "back_office" / "faulty.py").write_text(FAULTY)


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "in a lane"])
def test_a_look_up_that_acts_is_stopped_at_its_commit(shop: Shop, in_process: bool) -> None:
    with_faulty_bots(shop)
    shop.workflow("one", ONE_STEP.format(bot="faulty.change") + "    with:\n      deal: D-1\n")
    with an_engine(shop, in_process=in_process) as engine:
        seen = preview(engine, shop.plan("one"))
    change = step_of(seen, "one").change
    assert change is not None and change.what == "maybe"
    assert "asked to commit" in change.why
    assert not (shop.folder / "acted").exists()


def test_a_reading_bot_that_commits_fails_and_has_not_acted(shop: Shop) -> None:
    with_faulty_bots(shop)
    shop.workflow("one", ONE_STEP.format(bot="faulty.read"))
    seen = previewed(shop, "one")
    assert seen.failure is not None and "asked to commit" in seen.failure.message
    assert seen.exit_code(detailed=True) == seen.exit_code(detailed=False) == 1
    assert not (shop.folder / "acted").exists()


def test_a_changing_bot_without_look_up_is_maybe(shop: Shop) -> None:
    with_faulty_bots(shop)
    shop.workflow("one", ONE_STEP.format(bot="faulty.blind") + "    with:\n      deal: D-1\n")
    seen = previewed(shop, "one")
    change = step_of(seen, "one").change
    assert change is not None and (change.what, seen.exit_code(detailed=True)) == ("maybe", 2)
    assert not (shop.folder / "acted").exists()


# what can't be known


def test_rows_for_a_person_are_shown_and_their_orders_come_if_approved(shop: Shop) -> None:
    shop.workflow("reviewed", REVIEWED)
    seen = previewed(shop, "reviewed")
    asks = step_of(seen, "release")
    assert asks.text == "2 rows to managers, not the starter; within 1 day, if late: reject"
    assert [row["deal"] for row in asks.rows] == ["D-3", "D-4"]
    items = {item.key: item.condition for item in step_of(seen, "orders").items or ()}
    assert items == {"D-1": "", "D-2": "", "D-3": "if approved", "D-4": "if approved"}
    changes = {change.key: (change.what, change.condition) for change in step_of(seen, "orders").changes()
               if change.path.endswith(".order")}  # fmt: skip
    assert changes == {
        "D-1": ("new", ""), "D-2": ("new", ""), "D-3": ("new", "if approved"), "D-4": ("new", "if approved"),
    }  # fmt: skip
    assert step_of(seen, "big").text == "1 rows, 2 more if approved"
    assert "2 new if approved" in seen.text


def test_a_step_that_needs_what_was_not_done_is_listed_and_not_evaluated(shop: Shop) -> None:
    shop.workflow("reviewed", REVIEWED)
    seen = previewed(shop, "reviewed")
    note = step_of(seen, "orders[D-1].note")
    assert note.change is not None and note.change.what == "?"
    assert note.change.why == "needs steps.order.order_no"
    assert note.inputs == {"to": "D-1", "text": "?"}
    assert step_of(seen, "counted").inputs == {"read": "4", "posted": "?"}
    assert seen.changes


def test_an_if_and_a_choose_on_what_is_not_known_list_both_branches(shop: Shop) -> None:
    shop.workflow("reviewed", REVIEWED)
    seen = previewed(shop, "reviewed")
    assert step_of(seen, "none_approved").condition == "if steps.release.approved is empty"
    assert shop.called("nothing") == 0
    after = step_of(seen, "after")
    assert {each.path: each.condition for each in after.steps} == {
        "tell": "when count(steps.orders.failed) > 0",
        "file": "otherwise",
    }
    assert after.steps[0].change is not None and after.steps[0].change.what == "to be sent"
    assert after.steps[1].change is not None and after.steps[1].change.why == "needs run.id"


@pytest.mark.parametrize("count", [3, 600], ids=["row by row", "as a table"])
def test_a_check_that_needs_what_was_not_done_rejects_nothing(shop: Shop, count: int) -> None:
    later = (
        "  - id: again\n    check: ${{ steps.deals.rows }}\n    row: deal\n    otherwise: reject\n    rules:\n"
        "      - amount > count(steps.orders.results)\n"
        "  - id: more\n    table: ${{ steps.again.passed }}\n    where: amount > 0\n"
    )
    shop.workflow("orders", ORDERS.replace("\n  - id: rejected\n", f"\n{later}  - id: rejected\n"))
    shop.some_deals(count)
    shop.faults(**{f"D_{n}": {"look_up": "unclear"} for n in range(1, count + 1)})
    seen = previewed(shop)
    assert step_of(seen, "again").state == step_of(seen, "more").state == "unknown"
    assert step_of(seen, "again").text == "unknown until the run: needs steps.orders.results"


def test_masked_columns_are_not_shown(shop: Shop) -> None:
    shop.workflow("reviewed", REVIEWED)
    seen = previewed(shop, "reviewed", masked=frozenset({"amount"}))
    said = seen.text + json.dumps(seen.as_json())
    assert step_of(seen, "release").rows[0] == {"deal": "D-3", "customer": "not shown", "amount": "not shown"}
    assert "Blue" not in said


def test_without_rows_the_steps_after_a_loop_are_known(shop: Shop) -> None:
    shop.workflow("reviewed", REVIEWED)
    shop.deals()
    seen = previewed(shop, "reviewed")
    assert step_of(seen, "counted").inputs == {"read": "0", "posted": "0"}
    assert [each.path for each in step_of(seen, "after").steps] == ["never"]
    assert seen.exit_code(detailed=True) == 0


def test_a_stop_ends_the_preview_with_nothing_to_do(shop: Shop) -> None:
    stop = "  - id: quiet\n    if: steps.deals.rows is empty\n    stop: No deals\n    result: success\n\n"
    shop.workflow("orders", ORDERS.replace("  - id: checks\n", f"{stop}  - id: checks\n"))
    shop.deals()
    seen = previewed(shop)
    assert [step.path for step in seen.steps] == ["deals", "quiet"]
    assert seen.exit_code(detailed=True) == 0


# groups, inner loops, sub-workflows


def test_groups_and_inner_loops_have_keys_of_their_own(shop: Shop) -> None:
    inner = """\
      - id: each_one
        for_each: ${{ group.rows }}
        as: one
        key: one.deal
        on_failure: continue
        do:
          - id: order
            bot: shop.place_order
            with:
              deal: ${{ one.deal }}
              customer: ${{ group.customer }}
              amount: ${{ one.amount }}
"""
    head = ORDERS[: ORDERS.index("  - id: orders\n")]
    loop = "  - id: orders\n    for_each: ${{ steps.checks.passed }}\n    as: group\n    group_by: [customer]\n"
    shop.workflow("grouped", head + loop + "    on_failure: continue\n    do:\n" + inner)
    shop.deals(
        {"deal": "D-1", "customer": "Blue", "amount": "1"},
        {"deal": "D-2", "customer": "Red", "amount": "2"},
        {"deal": "D-3", "customer": "Blue", "amount": "3"},
    )
    seen = previewed(shop, "grouped")
    assert found(seen) == {"Blue/D-1": "new", "Blue/D-3": "new", "Red/D-2": "new"}
    assert step_of(seen, "orders[Blue].each_one").path in seen.plan.options.rows


def test_a_sub_workflow_is_seen_with_its_inputs_and_outputs(shop: Shop) -> None:
    sub = ORDERS.replace("steps:\n", "inputs:\n  least:\n    type: money\nsteps:\n", 1).replace(
        "- amount > 0", "- amount > inputs.least"
    )
    shop.workflow("orders", sub + "  checked: ${{ steps.checks.passed }}\n")
    shop.workflow(
        "outer",
        "version: 1\nname: Outer\nowner: anna.berg@example.com\nsteps:\n  - id: inner\n    workflow: orders\n"
        "    with:\n      least: 15\n  - id: counted\n    set:\n      checked: ${{ count(steps.inner.checked) }}\n"
        "      orders: ${{ count(steps.inner.orders) }}\n",
    )
    seen = previewed(shop, "outer")
    assert found(seen) == {"D-2": "new", "D-3": "new", "D-4": "new"}
    assert step_of(seen, "counted").inputs == {"checked": "3", "orders": "?"}


def test_a_loop_that_only_reads_is_done_and_its_results_are_known(shop: Shop) -> None:
    head = ORDERS[: ORDERS.index("  - id: orders\n")]
    loop = (
        "  - id: looked\n    for_each: ${{ steps.checks.passed }}\n    as: deal\n    key: deal.deal\n    workers: 3\n"
        "    on_failure: continue\n    do:\n      - id: look\n        bot: shop.look_for\n        with:\n"
        "          file: ${{ deal.deal }}\n    collect:\n      deal: ${{ deal.deal }}\n"
        "      there: ${{ steps.look.there }}\n"
        "  - id: counted\n    set:\n      there: ${{ count(steps.looked.results where there) }}\n"
    )
    shop.workflow("looking", head + loop)
    (shop.folder / "shop" / "D-2").write_text("")
    seen = previewed(shop, "looking")
    assert step_of(seen, "counted").inputs == {"there": "1"}
    assert shop.called("look_for") == 4
    assert not seen.changes


# failures and credentials


def test_a_read_that_fails_ends_the_preview_and_its_endings_are_seen(shop: Shop) -> None:
    (shop.folder / "shop" / "deals.json").write_text("no json")
    ending = (
        "on_failure:\n  - id: tell\n    bot: shop.send_note\n    with:\n      to: anna\n"
        "      text: It failed at ${{ run.failed_step }}\nalways:\n  - id: leave\n    bot: shop.nothing\n"
    )
    shop.workflow("orders", ORDERS + ending)
    seen = previewed(shop)
    assert [step.path for step in seen.steps] == ["deals", "tell", "leave"]
    assert step_of(seen, "tell").inputs["text"] == "It failed at deals"
    assert "The run would fail at deals" in seen.text
    assert shop.orders() == []
    with pytest.raises(UsageError, match="would fail is not kept"):
        seen.write(shop.folder / "p.json")


def with_credential(shop: Shop) -> None:
    text = ORDERS.replace("          amount: ${{ deal.amount }}\n", "          amount: ${{ deal.amount }}\n"
                          "          credential: shop_clerk\n")  # fmt: skip
    shop.workflow("orders", text)
    bots = shop.folder / "bots" / "back_office" / "shop.py"
    refusing = '    if fault.get("sign_in_refused"):\n        counted("sign-in")\n'
    refusing += '        raise CredentialRefused("the shop refused the password", credential=inputs["credential"])\n'
    asks = '    if fault.get("look_up") == "unclear":\n'
    bots.write_text(bots.read_text().replace(asks, refusing + asks))


def test_a_wrong_password_is_tried_once_and_pauses_the_credential(shop: Shop) -> None:
    with_credential(shop)
    shop.faults(**{f"D_{n}": {"sign_in_refused": True} for n in range(1, 5)})
    with an_engine(shop) as engine:
        first = preview(engine, shop.plan("orders"))
        assert first.failure is not None and first.failure.kind == "credential"
        assert [paused.name for paused in engine.ledger.paused_credentials()] == ["shop_clerk"]
        again = preview(engine, shop.plan("orders"))
        assert again.failure is not None and "is paused" in again.failure.message
    assert shop.called("sign-in") == 1
    assert "locks" not in {name for name, count in in_ledger(shop).items() if count}


# mails


def test_a_mail_is_rendered_to_a_file_and_no_server_is_asked(shop: Shop) -> None:
    with_mail(shop)
    seen = previewed(shop, "mail")
    (mail,) = seen.mails
    assert str(mail.parent) in seen.text
    text = mail.read_text()
    assert "Subject: 4 deals" in text
    assert "D-4" in text
    assert step_of(seen, "tell").change is not None
    assert [path.name for path in mail.parent.parent.iterdir()] == ["mails"]


def test_a_mail_that_could_not_be_sent_fails_the_preview(shop: Shop) -> None:
    with_mail(shop, to="somebody@elsewhere.org")
    seen = previewed(shop, "mail")
    assert seen.failure is not None and "somebody@elsewhere.org" in seen.failure.message
    assert seen.mails == ()


def with_mail(shop: Shop, to: str = "anna.berg@example.com") -> None:
    settings = shop.folder / "settings.yaml"
    mail = (
        "mail:\n  servers:\n    office:\n      imap: imaps://127.0.0.1:1\n      smtp: smtps://127.0.0.1:1\n"
        '      only_to: ["*@example.com"]\n  send_from: office\n  accounts:\n    office:\n'
        "      address: office@example.com\n      credential: office_mailbox\n"
    )
    settings.write_text(settings.read_text().replace("  practice: {}\n", "  practice:\n    mail: office\n") + mail)
    (shop.folder / "workflows" / "emails").mkdir()
    template = "<ul>{% for row in deals %}<li>{{ row.deal }}</li>{% endfor %}</ul><p>{{ workflow.name }}</p>"
    (shop.folder / "workflows" / "emails" / "deals.html").write_text(template)
    head = ORDERS[: ORDERS.index("  - id: checks\n")]
    shop.workflow(
        "mail",
        head + f"  - id: tell\n    bot: email.send\n    with:\n      to: {to}\n"
        "      subject: ${{ count(steps.deals.rows) }} deals\n      template: emails/deals.html\n"
        "      data:\n        deals: ${{ steps.deals.rows }}\n",
    )
