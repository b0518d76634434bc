"""kill -9 of a real run while orders are entered: nothing is lost, nothing is doubled, and the run goes on.

The referee is the ERP's own ledger.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.flagship import REVIEWED, STRAIGHT, Flagship, flagship, kill_group, wait_until

COMES_WITHIN_S = 90.0


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Flagship]:
    with flagship(tmp_path) as prepared:
        yield prepared


def killed_after(project: Flagship, postings: int, *words: str) -> None:
    """The whole process group is killed once so many orders stand in the ERP's ledger."""
    process = project.start(*project.run_words(*words))
    wait_until(
        lambda: project.posted().total() >= postings or process.poll() is not None,
        f"{postings} orders are posted",
        COMES_WITHIN_S,
    )
    kill_group(process)
    assert process.returncode == -signal.SIGKILL


def went_on(project: Flagship, *words: str) -> None:
    """Resumed, everything that needs nobody is entered once; approved, the rest, and the run ends well."""
    resumed = project.cli("resume", "last" if not words else words[0])
    assert (resumed.returncode, resumed.stderr) == (4, "")
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    assert project.listed("doubts") == []
    approved = project.cli(
        "approve", words[0] if words else "last", "--person", "bilal", "--yes", stdin="Leuchtturm bei Nacht\n"
    )
    assert (approved.returncode, approved.stderr) == (0, "")
    assert dict(project.posted()) == dict.fromkeys([*STRAIGHT, REVIEWED], 1)
    assert set(project.states(*words).values()) == {"successful"}
    assert len(project.states(*words)) == 13
    (mail,) = project.mails()
    assert mail.message["Subject"] == "13 of 14 won deals are in the ERP"
    assert project.left_overs() == []
    assert project.cli("audit", "verify").returncode == 0


def session_of(process: subprocess.Popen[str]) -> list[str]:
    """The processes of the session that a command began: its lanes, their browsers."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=,args=", "-s", str(process.pid)], capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if " Z" not in line[:12]]


def test_killed_after_two_orders_and_resumed_each_order_is_there_once(project: Flagship) -> None:
    killed_after(project, 2, "--limit", "5")
    shown = project.listed("show", "last")
    assert shown["state"] == "running"
    assert any("its process has died" in step for step in shown["next_steps"])
    assert project.cli("resume", "last").returncode == 4
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT[:5], 1)
    assert project.listed("doubts") == []
    assert project.left_overs() == []


@pytest.mark.slow
def test_killed_by_the_server_right_after_a_commit_the_order_is_found_and_not_entered_again(project: Flagship) -> None:
    process = project.start(*project.run_words("--limit", "2"))
    project.fault("kill_client_after_commit", application="erp", screen="sales_order", pid=process.pid, times=1)
    process.communicate(timeout=COMES_WITHIN_S)
    assert process.returncode == -signal.SIGKILL
    assert project.posted().total() in (1, 2)
    wait_until(lambda: session_of(process) == [], "lanes and browsers end with their run")
    resumed = json.loads(project.cli("resume", "last", "--format", "json").stdout)
    assert resumed["exit_code"] == 4
    assert dict(project.posted()) == {"D-1042": 1, "D-1043": 1}
    confirmed = [entry for entry in project.listed("audit") if entry["what"] == "intent.confirmed"]
    assert [entry["who"] for entry in confirmed].count("look-up") >= 1


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("postings", [1, 4, 7, 11])
def test_killed_at_any_order_and_resumed_each_order_is_there_once(project: Flagship, postings: int) -> None:
    killed_after(project, postings)
    went_on(project)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_three_times_in_one_run_each_order_is_there_once(project: Flagship) -> None:
    killed_after(project, 2)
    for postings in (5, 9):
        process = project.start("resume", "last")
        wait_until(
            lambda process=process, postings=postings: (  # type: ignore[misc]
                project.posted().total() >= postings or process.poll() is not None
            ),
            f"{postings} orders",
            COMES_WITHIN_S,
        )
        kill_group(process)
    went_on(project)


@pytest.mark.slow
def test_killed_before_anything_was_entered_the_run_goes_on(project: Flagship) -> None:
    process = project.start(*project.run_words())
    wait_until(lambda: len(project.listed("runs")) == 1, "the run is in the ledger", COMES_WITHIN_S)
    kill_group(process)
    went_on(project)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_next_run_goes_on_with_a_killed_one_first(project: Flagship) -> None:
    killed_after(project, 3)
    killed = project.listed("runs")[0]["run"]
    after = project.run()
    assert f"run {killed}: its process has died; it goes on first" in after.stdout + after.stderr
    assert project.listed("show", killed)["state"] == "waiting"
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    assert project.states("last") == dict.fromkeys(STRAIGHT, "already_there")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_run_whose_files_changed_since_is_left_to_a_person(project: Flagship) -> None:
    killed_after(project, 3)
    killed = project.listed("runs")[0]["run"]
    project.edit("selectors/erp.yaml", ("checked: 2026-11-22", "checked: 2026-11-23"))
    other = json.loads(project.run("--format", "json").stdout)
    assert other["state"] == "skipped"
    assert f"run {killed} of this workflow was interrupted; resume or cancel it first" in other["sentence"]
    refused = project.cli("resume", killed)
    assert refused.returncode != 0
    assert f"selectors/erp.yaml changed since run {killed} was planned" in refused.stderr
    assert project.posted().total() <= 5
    assert project.cli("resume", killed, "--accept-changes").returncode == 4
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_two_runs_at_once_one_works_and_the_other_is_left_out(project: Flagship) -> None:
    first, second = (project.start(*project.run_words("--format", "json")) for _ in range(2))
    ended = [json.loads(process.communicate(timeout=COMES_WITHIN_S)[0]) for process in (first, second)]
    assert sorted(each["state"] for each in ended) == ["skipped", "waiting"]
    (left_out,) = [each for each in ended if each["state"] == "skipped"]
    assert "of this workflow is " in left_out["sentence"]
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_that_was_stopped_and_wakes_up_late_posts_nothing_twice(project: Flagship) -> None:
    process = project.start(*project.run_words())
    wait_until(lambda: project.posted().total() >= 3, "3 orders", COMES_WITHIN_S)
    os.killpg(process.pid, signal.SIGSTOP)
    refused = project.cli("resume", "last")
    assert refused.returncode == 1
    assert "is being walked by" in refused.stderr
    os.killpg(process.pid, signal.SIGCONT)
    process.communicate(timeout=COMES_WITHIN_S)
    assert process.returncode == 4
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)


@pytest.mark.slow
def test_ctrl_c_says_where_it_stands_and_the_run_goes_on(project: Flagship) -> None:
    process = project.start(*project.run_words())
    wait_until(lambda: project.posted().total() >= 2, "2 orders", COMES_WITHIN_S)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=COMES_WITHIN_S)
    assert process.returncode == 130
    assert said[1].strip() == "Stopped. What was finished is kept; `runner.py runs` shows where it stands."
    (listed,) = project.listed("runs")
    assert (listed["state"], listed["sentence"]) == ("waiting", "waits: interrupted by the operator; resume it")
    went_on(project)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("cancel", "last"), ("stop-all", "--hard")])
def test_a_run_that_is_cancelled_while_it_works_goes_on_when_resumed(project: Flagship, words: tuple[str, ...]) -> None:
    process = project.start(*project.run_words())
    wait_until(lambda: project.posted().total() >= 2, "2 orders", COMES_WITHIN_S)
    assert project.cli(*words).returncode == 0
    process.communicate(timeout=COMES_WITHIN_S)
    assert process.returncode == 1
    assert project.listed("runs")[0]["state"] == "cancelled"
    assert 2 <= project.posted().total() < len(STRAIGHT)
    went_on(project)
