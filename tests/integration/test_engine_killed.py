"""Killed at its writes, syncs, sends and receives, then resumed: each item is posted once, or a person is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from interoffice.model.work import RunState
from interoffice.testing import FullDisk, KillPoint
from interoffice.testing.kill_points import OF, Of, Tracing, counting, kill_points, sampled
from tests.support.running import an_engine
from tests.support.shop import ORDERS, Shop, make_shop

DRIVE = """
import sys
from pathlib import Path
from interoffice.engine.engine import Engine
from interoffice.plan.project import open_project
folder, run_id = Path(sys.argv[1]), sys.argv[2]
with Engine(open_project(folder), folder / "state") as engine:
    engine.drive(run_id)
"""
ITEMS = 5

NO_STRACE = shutil.which("strace") is None
pytestmark = pytest.mark.skipif(NO_STRACE, reason="strace is not installed (apt-get install strace)")


def a_shop(folder: Path) -> Shop:
    shop = make_shop(folder)
    shop.workflow("orders", ORDERS)
    shop.some_deals(ITEMS)
    return shop


def traced(shop: Shop, run_id: str, tracing: Tracing) -> subprocess.CompletedProcess[bytes]:
    """The run driven by a process of its own, which strace holds, or which strace holds the lanes of."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", DRIVE, str(shop.folder), run_id]
    environment = tracing.environment({**os.environ, "PYTHONPATH": str(root)})
    return subprocess.run(command, capture_output=True, cwd=root, env=environment, check=False, timeout=120)


def counted(folder: Path, of: Of) -> list[KillPoint]:
    """Every kill point of an undisturbed run, of its engine or of its lanes."""
    shop = a_shop(folder)
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
    log = folder / "calls"
    done = traced(shop, run_id, counting(log, of))
    assert done.returncode == 0, done.stderr
    return kill_points(log, of)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[KillPoint]:
    """Every kill point of the engine and of its lanes."""
    return [point for of in OF for point in counted(tmp_path_factory.mktemp(f"counted_{of}"), of)]


def killed_then_resumed(shop: Shop, point: KillPoint) -> int:
    """Kills the run at the point and resumes it; how many of its items ended in doubt.

    A lane that takes a dead one's place dies at the same call, so that items may have failed: an operator has them
    tried again when all is well.
    """
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        traced(shop, run_id, point.tracing)
        wait_until_dead(engine, run_id)
        before = shop.posted()
        if engine.ledger.run(run_id).state not in (RunState.SUCCEEDED, RunState.DONE_WITH_WARNINGS):
            engine.resume(run_id)
        if failed := [item.item_id for item in engine.ledger.items(run_id) if str(item.state) == "failed"]:
            assert point.of == "lane", (point, engine.ledger.run(run_id))
            engine.retry(failed, person="anna")
            engine.drive(run_id)
        states = Counter(str(item.state) for item in engine.ledger.items(run_id))
        doubts = len(engine.ledger.doubts())
        posted = shop.posted()
        assert set(posted.values()) <= {1}, (point, before, posted)
        assert sum(states.values()) == ITEMS, (point, states)
        assert len(posted) + doubts >= ITEMS, (point, posted, doubts)
        assert states["successful"] + states["in_doubt"] == ITEMS, (point, states, engine.ledger.run(run_id))
        assert engine.ledger.audit_broken_at() is None
        return doubts


def wait_until_dead(engine, run_id: str) -> None:  # type: ignore[no-untyped-def]
    """The lanes of a killed engine die by themselves, at once."""
    end = time.monotonic() + 20
    while engine.ledger.run(run_id).state == RunState.RUNNING and not engine.orphans():
        assert time.monotonic() < end, "something of the killed engine still lives"
        time.sleep(0.02)


def killed_at(points: list[KillPoint], folder: Path) -> None:
    doubts = 0
    for number, point in enumerate(points):
        doubts += killed_then_resumed(a_shop(folder / str(number)), point)
    assert doubts <= max(1, len(points) // 20), f"{doubts} of {len(points)} kill points ended in doubt"


def test_killed_at_a_few_points_and_resumed_nothing_is_lost_or_doubled(points: list[KillPoint], tmp_path: Path) -> None:
    sent = [point for point in points if point.call in ("pwrite64", "fsync", "sendto")]
    written_or_sent = [point for point in sent if point.of == "engine"]
    of_lanes = [point for point in sent if point.of == "lane" and point.call == "sendto"]
    killed_at([*sampled(written_or_sent, 2, seed=1), *sampled(of_lanes, 1, seed=1)], tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_twenty_five_points_and_resumed_nothing_is_lost_or_doubled(
    points: list[KillPoint], tmp_path: Path
) -> None:
    for number, of in enumerate(OF):
        killed_at(sampled([point for point in points if point.of == of], (17, 8)[number], seed=7), tmp_path / of)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.skipif("INTEROFFICE_EVERY_KILL_POINT" not in os.environ, reason="takes a quarter of an hour")
def test_killed_at_every_point_and_resumed_nothing_is_lost_or_doubled(points: list[KillPoint], tmp_path: Path) -> None:
    """INTEROFFICE_EVERY_KILL_POINT=1 pytest -k every_point (or begin at another number): the figure in docs/."""
    first, doubts = int(os.environ["INTEROFFICE_EVERY_KILL_POINT"]), 0
    for number, point in enumerate(points[first - 1 :], start=first):
        folder = tmp_path / str(number)
        doubts += killed_then_resumed(a_shop(folder), point)
        shutil.rmtree(folder)
        print(f"{number} of {len(points)}", point, flush=True)
    print(f"{len(points)} kill points, 0 doubled, 0 lost, {doubts} in doubt")
    assert doubts * 20 <= len(points)


def full_then_resumed(shop: Shop, write: int) -> None:
    """The disk is full from a write on; with space again the run goes on: no false success, no half file."""
    with an_engine(shop) as engine:
        run_id = engine.start(shop.plan("orders"))
        done = traced(shop, run_id, FullDisk(number=write).tracing)
        assert done.returncode != 0
        wait_until_dead(engine, run_id)
        assert engine.ledger.run(run_id).state != RunState.SUCCEEDED
        assert engine.resume(run_id) == RunState.SUCCEEDED
        assert shop.posted() == {f"D-{n}": 1 for n in range(1, ITEMS + 1)}
        assert not [path for path in shop.state.rglob("*") if path.suffix in (".tmp", ".part")]


def test_a_full_disk_gives_no_false_success_and_the_run_goes_on_when_there_is_space(tmp_path: Path) -> None:
    full_then_resumed(a_shop(tmp_path / "project"), 25)


@pytest.mark.slow
@pytest.mark.parametrize("write", [1, 15, 60, 120])
def test_the_disk_may_be_full_at_any_write(tmp_path: Path, write: int) -> None:
    full_then_resumed(a_shop(tmp_path / "project"), write)
