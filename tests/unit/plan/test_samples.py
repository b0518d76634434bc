"""The samples are clean, but for bots that are not written yet; and a check is quick and light."""

from __future__ import annotations

import subprocess
import sys

import pytest
from office import ROOT, SAMPLES, declared_bots, shown

from interoffice.plan.check_project import check_project
from interoffice.plan.check_workflow import check_workflow_file
from interoffice.plan.project import Project, open_project

HEAVY = ("pandas", "pyarrow", "duckdb", "sqlalchemy", "dbos", "playwright", "openpyxl", "pyautogui", "flask", "lxml")


@pytest.mark.parametrize("sample", SAMPLES)
def test_sample_is_clean_when_all_its_bots_are_there(samples: Project, sample: str) -> None:
    loaded = samples.workflow_file(sample)
    assert loaded is not None
    assert shown(check_workflow_file(samples, loaded)) == ""


def test_samples_are_clean_but_for_bots_that_are_not_written_yet() -> None:
    project = open_project(ROOT)
    there = set(project.registry.bots)
    for problem in check_project(project, list(SAMPLES)):
        named = [name for name in declared_bots() if f'"{name}"' in problem.message]
        assert problem.rule == "B01" and named and not there & set(named), shown([problem])


def test_checking_imports_nothing_heavy() -> None:
    program = (
        "import sys; from pathlib import Path; from interoffice.plan.project import open_project;"
        "from interoffice.plan.check_project import check_project;"
        "check_project(open_project(Path(sys.argv[1]))); print(sorted(set(sys.argv[2:]) & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), *HEAVY], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"
