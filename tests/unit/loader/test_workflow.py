"""What the loader makes of a workflow."""

from __future__ import annotations

import random
import time
from dataclasses import FrozenInstanceError

import pytest

from interoffice.errors import MistakesFound
from interoffice.loader.workflow import load_workflow, load_workflow_with_problems
from interoffice.model.values import Duration
from interoffice.model.workflow import (
    Approve,
    BotCall,
    Check,
    Choose,
    ForEach,
    Reconcile,
    Retry,
    Stop,
    TableStep,
    Unread,
    Wait,
    walk,
)

from .samples import WORKFLOWS, text_of


def loaded(name: str):  # type: ignore[no-untyped-def]
    return load_workflow(text_of(f"workflows/{name}.yaml"), f"workflows/{name}.yaml")


def test_won_deals_is_read_with_all_it_says() -> None:
    workflow = loaded("won_deals_to_erp")
    assert workflow.key == "won_deals_to_erp"
    assert workflow.default_retry == Retry(
        attempts=3, wait=Duration(seconds=10), backoff="2", max_wait=Duration(seconds=120)
    )
    steps = {step.id: step for step in walk(workflow.steps)}
    check = steps["checks"].kind
    assert isinstance(check, Check)
    assert check.limits == {"rejected": "10%", "review": "25"} and check.row == ("deal_id",)
    assert check.rules[0].short and check.rules[-1].when == "region != 'APAC'" and check.rules[-1].otherwise == "warn"
    orders = steps["orders"].kind
    assert isinstance(orders, ForEach)
    assert (orders.key, orders.workers, orders.max_failures) == (("deal.deal_id",), 2, 3)
    assert steps["orders"].on_failure == "review" and steps["order"].path == ("steps", 5, "do", 0)
    release = steps["release"].kind
    assert isinstance(release, Approve)
    assert (release.by, release.within, release.if_late) == (
        ("sales-managers",),
        Duration(business_days=1),
        "reject",
    )
    assert steps["nothing_to_do"].if_ == "steps.deals.rows is empty"
    assert isinstance(steps["nothing_to_do"].kind, Stop)
    assert [step.id for step in (*workflow.on_failure, *workflow.always)] == ["alert", "sign_out"]


def test_the_other_kinds_are_read_with_all_they_say() -> None:
    recon = {step.id: step.kind for step in walk(loaded("bank_reconciliation").steps)}
    wait, choose, match = recon["arrival"], recon["tell"], recon["recon"]
    assert isinstance(wait, Wait) and wait.bot == "files.list" and wait.if_late == "stop"
    assert isinstance(choose, Choose) and len(choose.branches) == 2 and choose.otherwise
    assert isinstance(match, Reconcile)
    assert match.columns["day"] == ("posting_date", "booking_date")
    assert match.passes[2].many == "left" and match.passes[3].result == "different"
    plan = {step.id: step.kind for step in walk(loaded("plan_vs_actuals").steps)}
    months, explain, scenarios = plan["months"], plan["explain"], plan["scenarios"]
    assert isinstance(months, TableStep) and months.totals == {"amount": "sum"}
    assert isinstance(explain, Approve) and explain.by_row == "${{ row.owner_email }}" and explain.by == ()
    assert isinstance(scenarios, ForEach) and isinstance(scenarios.over, tuple)
    callbacks = {step.id: step.kind for step in walk(loaded("appointment_scheduling").steps)}["taken"]
    assert isinstance(callbacks, ForEach) and (callbacks.queue, callbacks.at_most) == ("callbacks", 50)
    chats = {step.id: step.kind for step in walk(loaded("chat_handover").steps)}["by_topic"]
    assert isinstance(chats, Choose) and chats.otherwise == ()


def test_a_workflow_can_not_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        loaded("screen_party").name = "other"


def test_all_mistakes_of_a_file_are_said_at_once_and_in_order() -> None:
    text = text_of("workflows/won_deals_to_erp.yaml")
    for right, wrong in [
        ("overlap: skip", "overlapp: skip"),
        ("timeout: 90s", "timeout: soon"),
        ("as: deal\n", "as: deal\n    as: order\n"),
        ("rows: ${{ steps.orders", "rows: {{ steps.orders"),
    ]:
        text = text.replace(right, wrong, 1)
    with pytest.raises(MistakesFound) as found:
        load_workflow(text, "w.yaml")
    assert [problem.rule for problem in found.value.problems] == ["S01", "Y02", "S05", "Y03"]


def test_behind_a_mistake_the_workflow_is_read_on_for_the_check() -> None:
    text = text_of("workflows/won_deals_to_erp.yaml")
    text = text.replace("    check: ${{", "    check: ${{ x }}\n    bot: ${{", 1).replace(
        "type: date\n", "type: dote\n", 1
    )
    text = text.replace("    for_each: ${{", "    for_eech: ${{", 1).replace("    key: deal", "    kee: deal", 1)
    workflow, problems = load_workflow_with_problems(text, "w.yaml")
    assert workflow is not None and [problem.rule for problem in problems] == ["S05", "S03", "S01", "S01"]
    steps = {step.id: step.kind for step in walk(workflow.steps)}
    assert isinstance(steps["checks"], Unread)
    orders = steps["orders"]
    assert isinstance(orders, ForEach) and orders.key == ("deal.deal_id",)
    assert isinstance(steps["order"], BotCall)
    assert workflow.inputs["closed_from"].type == "date"


def test_a_stop_ends_a_run_or_an_item_with_its_own_words() -> None:
    text = (
        "version: 1\nname: x\nsteps:\n  - {id: a, stop: Done, result: rejected}\n  - id: b\n    for_each: ${{ c }}\n"
        "    as: d\n    do:\n      - {id: e, stop: No, result: rejected}\n      - {id: f, stop: No, result: failed}\n"
    )
    problems = load_workflow_with_problems(text, "w.yaml")[1]
    assert [(problem.rule, problem.at.line) for problem in problems] == [("S05", 4), ("S05", 10)]


def test_500_workflows_of_the_samples_size_load_in_seconds_of_the_processor() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    began = time.process_time()
    for number in range(500):
        load_workflow(texts[number % len(texts)], "w.yaml")
    assert time.process_time() - began < 30


def test_no_damage_to_a_file_makes_the_loader_fail() -> None:
    """Whatever is deleted, doubled, moved or typed into a sample: a list of mistakes, never another error."""
    dice = random.Random(20261122)
    for number in range(400):
        text = text_of(f"workflows/{WORKFLOWS[number % len(WORKFLOWS)].name}")
        at, length = dice.randrange(len(text)), dice.randrange(1, 40)
        damaged = dice.choice(
            [
                text[:at] + text[at + length :],
                text[:at] + dice.choice("'\"*&!|>%@`#:-{}[],?\t ~$\x00é\n\\") + text[at:],
                text[:at] + text[at : at + length] + text[at:],
                text[:at] + "\n" + " " * dice.randrange(8) + text[at:],
            ]
        )
        workflow, problems = load_workflow_with_problems(damaged, "w.yaml")
        assert workflow is not None or len(problems) == 1
        assert all(problem.message and problem.at.line >= 1 for problem in problems)
