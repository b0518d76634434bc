"""won_deals_to_erp, unchanged but for `--env desktop`: the orders go through the Tk client; killed, it goes on."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desktop import needs_desktop
from tests.support.flagship import STRAIGHT, Flagship, flagship, kill_group, wait_until

pytestmark = [needs_desktop, pytest.mark.exhaustive, pytest.mark.slow, pytest.mark.timeout(900)]
COMES_WITHIN_S = 240.0


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Flagship]:
    with flagship(tmp_path) as prepared:
        yield prepared


def left_of(process: subprocess.Popen[str]) -> str:
    """The processes of the session of a command: lanes, displays, clients."""
    listed = subprocess.run(["ps", "-o", "stat=,args=", "-s", str(process.pid)], capture_output=True, text=True)
    return "\n".join(line for line in listed.stdout.splitlines() if not line.startswith("Z"))


def test_the_same_workflow_enters_each_order_once_on_two_desktops(project: Flagship) -> None:
    project.fault("notice", application="erp", screen="sales_order", chance=0.3, seed=4)
    ended = project.run("--env", "desktop", within_s=400)
    assert (ended.returncode, ended.stderr) == (4, "")
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    assert project.listed("doubts") == []


@pytest.mark.parametrize("postings", [1])
def test_killed_in_an_item_and_resumed_each_order_is_there_once(project: Flagship, postings: int) -> None:
    process = project.start(*project.run_words("--env", "desktop", "--limit", "4"))
    wait_until(
        lambda: project.posted().total() >= postings or process.poll() is not None, "orders", COMES_WITHIN_S
    )
    kill_group(process)
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: left_of(process) == "", "displays and clients end with their run")
    resumed = project.cli("resume", "last", within_s=400)
    assert (resumed.returncode, resumed.stderr) == (4, "")
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT[:4], 1)
    assert project.listed("doubts") == []
