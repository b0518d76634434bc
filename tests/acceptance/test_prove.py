"""`runner.py prove`: a stranger's workflow is killed at its writes, and the score is printed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.context import ROOT

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def cli(*words: str, within_s: float = 170) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", str(ROOT / "interoffice" / "cli" / "__main__.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=within_s, cwd=ROOT)


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    assert cli("new", str(folder)).returncode == 0
    return folder


@pytest.mark.slow
def test_a_workflow_of_the_starter_project_is_proved(starter: Path) -> None:
    ended = cli("prove", "first", "--points", "3", "--format", "json", "--project", str(starter))
    assert ended.returncode == 0, ended.stderr
    proof = json.loads(ended.stdout)
    assert (proof["doubled"], proof["lost"], proof["good"]) == (0, 0, True)
    assert proof["trials"] == 6
    assert {trial["once"] for trial in proof["each"]} == {1}
    assert not (starter / "state").exists() or not list((starter / "state").glob("runs"))


@pytest.mark.slow
@pytest.mark.parametrize(("of", "first"), [("engine", "20"), ("lane", "2")])
def test_engine_or_lane_alone_is_killed(starter: Path, of: str, first: str) -> None:
    words = ("prove", "first", "--of", of, "--every", "25", "--first", first, "--format", "json")
    ended = cli(*words, "--project", str(starter))
    assert ended.returncode == 0, ended.stderr
    proof = json.loads(ended.stdout)
    assert (proof["doubled"], proof["lost"], proof["good"]) == (0, 0, True)
    assert proof["trials"] >= 1
    assert all(trial["hindrance"].startswith(f"{of} killed at ") for trial in proof["each"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_flagship_killed_at_two_points_enters_each_order_once() -> None:
    words = ("--as-of", "2026-11-16", "--every", "300", "--first", "130", "--limit", "2", "--format", "json")
    ended = cli("prove", "won_deals_to_erp", *words, within_s=290)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    proof = json.loads(ended.stdout)
    assert (proof["doubled"], proof["lost"], proof["acts"]) == (0, 0, 2)
    assert proof["trials"] >= 2


def test_a_workflow_that_is_not_there_is_said_at_once(starter: Path) -> None:
    ended = cli("prove", "frist", "--project", str(starter))
    assert (ended.returncode, ended.stderr.strip()) == (2, 'Error: There is no workflow "frist"; did you mean "first"?')
