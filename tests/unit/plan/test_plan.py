"""A plan fixes everything of a run before it starts, and refuses what can be found wrong."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from office import copy_of_samples, sample_project

from interoffice.errors import MistakesFound, UsageError
from interoffice.model.values import FileValue
from interoffice.plan.making import make_plan
from interoffice.plan.plan import Plan, RunOptions, describe
from interoffice.plan.project import Project

MONDAY = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the samples, to be changed by the test."""
    return sample_project(copy_of_samples(tmp_path))


def plan_of(project: Project, key: str = "won_deals_to_erp", options: RunOptions | None = None, **inputs: str) -> Plan:
    return make_plan(project, key, inputs, planned=MONDAY, started_by="anna", options=options or RunOptions())


def test_defaults_are_worked_out_at_the_planned_time(project: Project) -> None:
    inputs = plan_of(project).load().inputs
    assert inputs == {
        "closed_from": date(2026, 11, 20),
        "closed_to": date(2026, 11, 22),
        "review_above": Decimal(50000),
    }


def test_default_expression_is_evaluated(project: Project) -> None:
    (project.folder / "data").mkdir()
    (project.folder / "data" / "plan.xlsx").write_bytes(b"")
    inputs = plan_of(project, "plan_vs_actuals").load().inputs
    assert inputs["year"] == 2026
    assert plan_of(project, "feedback_to_helpdesk").load().inputs["since"] == MONDAY - timedelta(minutes=20)


def test_given_inputs_are_converted_by_their_types(project: Project) -> None:
    inputs = plan_of(project, closed_from="2026-11-02", closed_to="today", review_above="1000.50").load().inputs
    assert inputs == {
        "closed_from": date(2026, 11, 2),
        "closed_to": date(2026, 11, 23),
        "review_above": Decimal("1000.50"),
    }


def test_default_list_is_read_entry_by_entry(project: Project) -> None:
    text = (project.folder / "workflows" / "sla_watch.yaml").read_text()
    several = "inputs:\n  levels:\n    type: number\n    many: true\n    default: [1, 2]\n"
    used = text.replace("inputs:\n", several).replace(
        "to_level: ${{ ticket.escalation_level + 1 }}", "to_level: ${{ first(inputs.levels) }}"
    )
    (project.folder / "workflows" / "sla_watch.yaml").write_text(used)
    assert plan_of(project, "sla_watch").load().inputs["levels"] == (1, 2)


@pytest.mark.parametrize(
    ("key", "inputs", "said"),
    [
        ("won_deals_to_erp", {"closed_frm": "2026-11-02"}, 'did you mean "closed_from"?'),
        ("won_deals_to_erp", {"closed_from": "2.11.2026"}, "must be a date like 2026-12-24"),
        ("won_deals_to_erp", {"review_above": "1.000,00"}, "must be an amount like 1234.56"),
        ("won_deals_to_erp", {"review_above": "x", "closed_to": "y"}, "closed_to must be"),
        ("feedback_to_helpdesk", {"unhappy_below": "11"}, "must be at most 10, not 11"),
        ("stock_reorder", {"warehouse": "PAR"}, "can be HAM, MUC, BER"),
        ("document_filing", {}, "scans is missing"),
        ("document_filing", {"scans": "../secret.pdf"}, "outside of the folders that may be read"),
        ("document_filing", {"scans": "inbox/none.pdf"}, "which is not there"),
        ("chat_handover", {"sure_above": "80"}, "must be a percent like 15%"),
    ],
)
def test_wrong_input_is_one_clear_sentence(project: Project, key: str, inputs: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        plan_of(project, key, **inputs)
    assert said in str(refused.value)


def test_file_input_is_found_and_digested(project: Project) -> None:
    (project.folder / "inbox").mkdir()
    (project.folder / "inbox" / "a.pdf").write_bytes(b"one")
    (project.folder / "inbox" / "b.pdf").write_bytes(b"two")
    scans = plan_of(project, "document_filing", scans="inbox/a.pdf, inbox/b.pdf").load().inputs["scans"]
    assert isinstance(scans, list | tuple)
    assert [one.path for one in scans if isinstance(one, FileValue)] == ["inbox/a.pdf", "inbox/b.pdf"]


def test_unknown_workflow_step_and_environment_are_refused_with_a_suggestion(project: Project) -> None:
    with pytest.raises(UsageError, match='did you mean "won_deals_to_erp"'):
        plan_of(project, "won_deal_to_erp")
    with pytest.raises(UsageError, match='no step "ordrs"; did you mean "orders"'):
        plan_of(project, options=RunOptions(until="ordrs"))
    with pytest.raises(UsageError, match='no environment "practise"; did you mean "practice"'):
        make_plan(project, "won_deals_to_erp", {}, planned=MONDAY, environment="practise", started_by="anna")


def test_environment_that_an_application_lacks_is_found(project: Project) -> None:
    with pytest.raises(MistakesFound) as refused:
        make_plan(project, "won_deals_to_erp", {}, planned=MONDAY, environment="live", started_by="anna")
    assert {problem.rule for problem in refused.value.problems} == {"U01"}


def test_mistake_in_a_file_that_the_workflow_needs_is_found(project: Project) -> None:
    erp = project.folder / "selectors" / "erp.yaml"
    erp.write_text(erp.read_text().replace("ready_when: customer_no", "raedy_when: customer_no"))
    with pytest.raises(MistakesFound) as refused:
        plan_of(project)
    assert [problem.at.file for problem in refused.value.problems] == ["selectors/erp.yaml"]


def test_credential_that_is_not_stored_is_refused_before_anything_is_touched(project: Project) -> None:
    stored = replace(project, credentials=frozenset({"crm_reader", "erp_clrek"}))
    stored.__dict__["registry"] = project.registry
    with pytest.raises(MistakesFound) as refused:
        plan_of(stored)
    (problem,) = refused.value.problems
    assert (problem.rule, problem.suggestion) == ("K02", "erp_clrek")


def test_mistakes_of_other_workflows_stop_no_plan(project: Project) -> None:
    other = project.folder / "workflows" / "stock_reorder.yaml"
    other.write_text(other.read_text().replace("steps:", "stpes:"))
    project.workflow_file("stock_reorder")
    assert plan_of(project).workflow == "won_deals_to_erp"


def test_plan_survives_json_with_the_same_digest(project: Project) -> None:
    plan = plan_of(project, options=RunOptions(rehearse=True, limit=1))
    again = Plan.from_json(json.loads(json.dumps(plan.as_json())))
    assert again == plan
    assert again.digest == plan.digest
    assert again.planned.isoformat() == "2026-11-23T06:30:00+01:00"


def test_plan_holds_the_texts_of_the_workflow_and_of_those_it_calls(project: Project) -> None:
    plan = plan_of(project, "kyc_onboarding")
    assert set(plan.texts) == {"workflows/kyc_onboarding.yaml", "workflows/screen_party.yaml"}
    shutil.rmtree(project.folder / "workflows")
    assert set(plan.load().workflows) == {"kyc_onboarding", "screen_party"}


def test_digests_cover_all_that_a_run_depends_on(project: Project) -> None:
    assert set(plan_of(project).digests) >= {
        "workflows/won_deals_to_erp.yaml",
        "workflows/emails/won_deals.html",
        "selectors/erp.yaml",
        "tables/won_deals.yaml",
    }
    assert "tables/purchase_discounts.csv" in plan_of(project, "stock_reorder").digests


def test_description_numbers_the_steps_and_says_what_each_touches(project: Project) -> None:
    said = describe(plan_of(project, options=RunOptions(rehearse=True)))
    assert "A rehearsal" in said
    assert "closed_from: 2026-11-20" in said
    assert "6    Enter one sales order per deal: for each deal, key deal.deal_id, 2 at a time" in said
    order = "6.1  Enter the order for ${{ deal.customer_name }}: "
    assert f"{order}screens.fill_form CHANGES erp.sales_order, as erp_clerk" in said
