"""Replies that never come, and a server that kills who asked: long series of real runs against the ERP's own ledger.

What the ERP has committed is never entered again. With a look-up it is found; without one a person is asked.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.flagship import STRAIGHT, Flagship, flagship, wait_until

COMES_WITHIN_S = 90.0
KILLED, LOST_OF_A_KIND = 10, 10
WAYS = ("reset", "close", "after_headers", "mid_body")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Flagship]:
    with flagship(tmp_path) as prepared:
        prepared.edit("workflows/won_deals_to_erp.yaml", ("    max_failures: 3\n", ""))
        prepared.edit("settings.yaml", ("failures_in_a_row: 5", "failures_in_a_row: 100"))
        yield prepared


def confirmed_by(project: Flagship) -> list[str]:
    """Who confirmed each posting, in the order of the audit."""
    trail = project.listed("audit", "show", "--limit", "10000")
    return [entry["who"] for entry in trail if entry["what"] == "intent.confirmed"]


@pytest.mark.parametrize("part", [1, 2])
def test_killed_by_the_server_after_ten_commits_in_a_row_nothing_is_entered_again(project: Flagship, part: int) -> None:
    """Every process that enters an order dies right after the ERP has committed it; the next one goes on."""
    words: tuple[str, ...] = project.run_words()
    for number in range(1, KILLED + 1):
        process = project.start(*words)
        project.fault("kill_client_after_commit", application="erp", screen="sales_order", pid=process.pid, times=1)
        process.communicate(timeout=COMES_WITHIN_S)
        assert process.returncode == -signal.SIGKILL, f"the {number}. process was not killed"
        project.clear_faults()
        words = ("resume", "last")
    wait_until(lambda: project.cli("resume", "last").returncode == 4, "the last lane ends and the run goes on")
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    assert project.listed("doubts") == []
    assert confirmed_by(project).count("look-up") >= KILLED


@pytest.mark.parametrize("how", WAYS)
def test_of_ten_lost_replies_each_order_is_found_and_none_is_entered_again(project: Flagship, how: str) -> None:
    project.fault("lost_reply", application="erp", screen="sales_order", how=how, times=LOST_OF_A_KIND)
    ended = project.run()
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert [state.fired for state in project.fault_states()] == [LOST_OF_A_KIND]
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    assert project.listed("doubts") == []
    assert confirmed_by(project).count("look-up") == LOST_OF_A_KIND


@pytest.mark.parametrize("how", ["reset", "mid_body"])
def test_without_a_look_up_an_order_whose_reply_was_lost_is_never_entered_again_by_itself(
    project: Flagship, how: str
) -> None:
    look_up = "    find_record:\n      screen: order_list\n      by: customer_reference\n"
    project.edit("selectors/erp.yaml", (look_up + "      read: [order_no, customer_no, amount, currency]\n", ""))
    project.fault("lost_reply", application="erp", screen="sales_order", how=how, times=LOST_OF_A_KIND)
    ended = project.run()
    assert ended.returncode == 4, ended.stdout + ended.stderr
    for _ in range(2):
        assert project.cli("resume", "last").returncode == 4
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    project.run()
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    doubts = project.listed("doubts")
    assert len(doubts) == LOST_OF_A_KIND
