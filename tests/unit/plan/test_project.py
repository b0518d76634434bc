"""The check of a whole project: every file, or those that are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import copy_of_samples, sample_project

from interoffice.errors import UsageError
from interoffice.plan.check_project import check_project
from interoffice.plan.project import Project, open_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the samples, to be changed by the test."""
    return sample_project(copy_of_samples(tmp_path))


def change(project: Project, file: str, old: str, new: str) -> None:
    path = project.folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_mistakes_of_every_kind_of_file_are_found(project: Project) -> None:
    change(project, "workflows/sla_watch.yaml", "steps.late.rest", "steps.late.rset")
    change(project, "selectors/erp.yaml", "application: erp", "aplication: erp")
    change(project, "tables/won_deals.yaml", "type: money", "type: mony")
    change(project, "tables/layouts/filing.yaml", "type: date", "type: dat")
    change(project, "settings.yaml", "timezone: Europe/Berlin", "timezone: Europe/Berlim")
    found = {problem.at.file for problem in check_project(project) if problem.severity != "note"}
    assert found == {
        "workflows/sla_watch.yaml",
        "selectors/erp.yaml",
        "tables/won_deals.yaml",
        "tables/layouts/filing.yaml",
        "settings.yaml",
    }


def test_named_files_alone_are_checked(project: Project) -> None:
    change(project, "workflows/sla_watch.yaml", "steps.late.rest", "steps.late.rset")
    change(project, "tables/layouts/filing.yaml", "type: date", "type: dat")
    assert check_project(project, ["won_deals_to_erp"]) == []
    assert [one.rule for one in check_project(project, ["workflows/sla_watch.yaml"])] == ["R03"]
    assert [one.rule for one in check_project(project, ["tables/layouts/filing.yaml"])] == ["S05"]
    assert len(check_project(project, ["workflows", "tables"])) == 2


def test_file_that_is_not_there_is_refused_with_a_suggestion(project: Project) -> None:
    with pytest.raises(UsageError, match='did you mean "sla_watch"'):
        check_project(project, ["sla_wacth"])


def test_limits_of_approvers_name_what_is_there(project: Project) -> None:
    change(project, "settings.yaml", "workflow: won_deals_to_erp", "workflow: won_deals")
    change(project, "settings.yaml", "step: decision", "step: decison")
    change(project, "settings.yaml", "amount: order_value", "amount: order_vaule")
    found = [(one.rule, one.suggestion) for one in check_project(project, ["settings.yaml"])]
    assert found == [("R08", "won_deals_to_erp"), ("R01", "decision"), ("C03", "order_value")]


def test_broken_bot_file_is_one_message_and_its_bots_are_not_missed(tmp_path: Path) -> None:
    folder = copy_of_samples(tmp_path)
    (folder / "bots" / "front_office").mkdir(parents=True)
    (folder / "bots" / "front_office" / "helpdesk.py").write_text("def (")
    found = check_project(open_project(folder), ["sla_watch"])
    assert [one.at.file for one in found] == ["bots/front_office/helpdesk.py"]


def test_project_without_settings_is_checked_with_the_defaults(project: Project) -> None:
    (project.folder / "settings.yaml").unlink()
    assert [one for one in check_project(project, ["sla_watch"]) if one.severity == "error"] == []


def test_screen_and_element_that_nothing_uses_are_notes(project: Project) -> None:
    change(project, "selectors/payroll.yaml", "      name:\n", "      nick_name:\n")
    change(project, "workflows/payroll_input.yaml", "screen: payroll.batch_lines", "screen: payroll.employee_list")
    notes = [one for one in check_project(project) if one.severity == "note"]
    said = {one.message for one in notes if one.at.file == "selectors/payroll.yaml"}
    assert said >= {
        'nothing uses screen "batch_lines"',
        'nothing uses element "nick_name" of screen "employee_master"',
    }


def test_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no project"):
        open_project(tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        open_project(tmp_path / "none")


def test_template_outside_of_the_workflows_is_never_read(project: Project) -> None:
    assert project.template("../settings.yaml") is None
    assert project.template("emails/won_deals.html") is not None
