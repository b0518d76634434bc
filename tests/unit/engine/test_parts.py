"""Small parts of the engine that need no run: keys, messages, life locks, process trees, what a step reads."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.engine.alive import LifeLocks, new_engine_id
from interoffice.engine.bot_call import Gate, error_reply
from interoffice.engine.keys import child_key, key_text
from interoffice.engine.messages import Link, LinkClosed
from interoffice.engine.process_tree import kill_with_children
from interoffice.engine.reads import reads_everywhere, reads_of
from interoffice.errors import ApplicationError, BusinessError, CredentialRefused, OutcomeUnclear, Refused, Rehearsed
from interoffice.loader.workflow import load_workflow


@pytest.mark.parametrize(
    ("one", "other"),
    [(["a|b", "c"], ["a", "b|c"]), (["a\\", "b"], ["a", "\\b"]), (["a|b"], ["a", "b"]), (["1"], ["1", ""])],
)
def test_different_keys_have_different_texts(one: list[str], other: list[str]) -> None:
    assert key_text(one) != key_text(other)


def test_a_key_is_written_in_iso_and_without_needless_zeros() -> None:
    assert key_text(["00123", Decimal("12.50"), date(2026, 11, 22)]) == "00123|12.5|2026-11-22"


def test_an_inner_key_stands_behind_the_outer_one() -> None:
    assert child_key(None, "D-1") == "D-1"
    assert child_key("E-1", "a/b") == "E-1/a\\/b"


def a_pair() -> tuple[Link, Link]:
    ours, theirs = socket.socketpair()
    return Link(ours), Link(theirs)


def test_messages_arrive_whole_and_in_order_however_long() -> None:
    one, other = a_pair()
    sent = [{"t": "a", "text": "ü" * 500_000}, {"t": "b"}, {"t": "c", "n": [1, None, True]}]
    thread = threading.Thread(target=lambda: [one.send(message) for message in sent])
    thread.start()
    assert [other.receive(5) for _ in sent] == sent
    thread.join()


def test_no_message_in_time_is_none_and_a_closed_link_says_so() -> None:
    one, other = a_pair()
    assert other.receive(0.01) is None
    one.close()
    with pytest.raises(LinkClosed):
        other.receive(1)


def test_an_engine_is_dead_only_when_its_lanes_are_too(tmp_path: Path) -> None:
    locks = LifeLocks(tmp_path)
    engine_id = new_engine_id(locks.host)
    script = "import sys; from pathlib import Path; from interoffice.engine.alive import LifeLock; lock = LifeLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"  # noqa: E501
    held = locks.engine(engine_id)
    lane = subprocess.Popen(
        [sys.executable, "-c", script, str(locks.lane(engine_id, "1"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert lane.stdout is not None and lane.stdout.readline() == "held\n"
    assert not locks.is_dead(engine_id)
    held.release()
    assert not locks.is_dead(engine_id)
    os.kill(lane.pid, signal.SIGKILL)
    lane.wait()
    assert locks.is_dead(engine_id)
    locks.sweep()
    assert list(tmp_path.iterdir()) == []


def test_an_engine_of_another_host_is_never_proven_dead(tmp_path: Path) -> None:
    assert not LifeLocks(tmp_path).is_dead("elsewhere-1-abcdef")


def test_a_process_is_killed_with_all_that_it_started() -> None:
    script = "import subprocess, sys; inner = subprocess.Popen(['sleep', '600'], start_new_session=True); print(inner.pid, flush=True); inner.wait()"  # noqa: E501
    outer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert outer.stdout is not None
    inner = int(outer.stdout.readline())
    kill_with_children(outer.pid)
    outer.wait(5)
    assert not Path(f"/proc/{inner}").exists() or "Z" in Path(f"/proc/{inner}/stat").read_text().split()[2]


WORKFLOW = """\
version: 1
name: A test
owner: anna@example.com
steps:
  - id: deals
    bot: shop.read_deals
  - id: loop
    for_each: ${{ steps.deals.rows where amount > steps.limit.amount }}
    as: deal
    key: deal.deal
    do:
      - id: order
        if: steps.checks.passed is not empty
        bot: shop.place_order
        with:
          deal: ${{ deal.deal }}
    collect:
      no: ${{ steps.order.order_no }}
outputs:
  found: ${{ steps.loop.results }}
"""


def test_what_a_step_reads_is_found_in_it_and_in_all_inside_it() -> None:
    workflow = load_workflow(WORKFLOW, "workflows/w.yaml")
    loop = workflow.steps[1]
    assert {read[1] for read in reads_of(loop)} == {"deals", "limit", "checks", "order"}
    assert {read[1] for read in reads_of(loop, but_over=True)} == {"checks", "order"}
    assert reads_everywhere(workflow) == {"deals", "limit", "checks", "order", "loop"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BusinessError("no", code="blocked"), "business"),
        (ApplicationError("down"), "application"),
        (OutcomeUnclear("lost"), "unclear"),
        (CredentialRefused("refused", credential="erp"), "credential"),
        (Refused("not yours"), "refused"),
        (ZeroDivisionError("x"), "bug"),
    ],
)
def test_what_a_bot_raises_says_what_the_engine_makes_of_it(error: Exception, kind: str) -> None:
    reply = error_reply(error)
    assert reply["kind"] == kind
    assert bool(reply["traceback"]) == (kind == "bug")


def a_gate(tmp_path: Path, **more: object) -> Gate:
    said: dict[str, object] = {"effect": "changes", "rehearse": False, "ask": lambda _: {"t": "go", "posting_key": "k"}}
    return Gate(**{**said, **more}, folder=tmp_path)  # type: ignore[arg-type]


def test_the_gate_gives_the_key_once_and_refuses_a_second_act(tmp_path: Path) -> None:
    gate = a_gate(tmp_path)
    assert gate({"a": "b"}) == "k"
    with pytest.raises(Refused, match="second act"):
        gate({"a": "b"})


def test_the_gate_stops_a_rehearsal_and_a_bot_that_only_reads(tmp_path: Path) -> None:
    with pytest.raises(Rehearsed):
        a_gate(tmp_path, rehearse=True)({"a": "b"})
    with pytest.raises(RuntimeError, match="reads"):
        a_gate(tmp_path, effect="reads")({})


def test_the_gate_refuses_what_the_engine_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="gone"):
        a_gate(tmp_path, ask=lambda _: {"t": "refused", "message": "gone"})({})
