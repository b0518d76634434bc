"""Work items side by side, and many of them: 1, 2 and 4 lanes on a screen that takes 300 ms; memory over 10,000 items.

    .venv/bin/python benchmarks/items.py [--rounds 3] [--lane-items 40] [--items 10000] [--json FILE]

The screen is a server of its own that answers after 300 ms, asked by the bot over HTTP. Memory is what the engine's
process holds (VmRSS), and its lanes together (PSS, their shared pages counted once), at each thousandth item. Exit code
1 when a goal is missed: lanes at least 0.9 of linear; from the 2,000th item to the last at most 10 % more memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from engine import BOTS, HEAD, LOOP
from peers import PROJECT

sys.path.insert(0, str(PROJECT))

from interoffice.engine.engine import Engine
from interoffice.engine.progress import Event, Progress
from interoffice.plan.making import make_plan
from interoffice.plan.project import open_project

ANSWERS_AFTER_S = 0.3
LANES = (1, 2, 4)
SETTLED_AT = 2_000
SCREEN = '''


@bot(effect="reads")
def screen(ctx: Context, *, address: str) -> None:
    """Asks a screen that takes its time.

    Example:
        bot: idle.screen
        with:
          address: http://127.0.0.1:8000
    """
    from urllib.request import urlopen

    urlopen(address).read()
'''


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lane-items", type=int, default=40)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    rates = lane_rates(options.rounds, options.lane_items)
    linear = {lanes: rates[lanes] / (rates[1] * lanes) for lanes in LANES}
    for lanes in LANES:
        print(f"{lanes} lanes: {rates[lanes]:.2f} items a second, {linear[lanes]:.3f} of linear")
    held = memory(options.items)
    for done, (engine_mib, lanes_mib) in held.items():
        print(f"{done:>7} items: engine {engine_mib:.1f} MiB, lanes {lanes_mib:.1f} MiB")
    settled = held[min(SETTLED_AT, *held)]
    last = held[max(held)]
    goals = {
        "lanes at least 0.9 of linear": min(linear.values()) >= 0.9,
        "memory flat": sum(last) <= 1.1 * sum(settled),
    }
    result = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "items_per_second": rates,
        "of_linear": linear,
        "mib": held,
        "goals": goals,
    }
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0 if all(goals.values()) else 1


def lane_rates(rounds: int, count: int) -> dict[int, float]:
    """Items a second by number of lanes, medians of alternated rounds; from the first item begun to the last ended."""
    taken: dict[int, list[float]] = {lanes: [] for lanes in LANES}
    with slow_screen() as address:
        for _ in range(rounds):
            for lanes in LANES:
                asks = f"        bot: idle.screen\n        with:\n          address: {address}\n"
                loop = LOOP.replace("        bot: idle.nothing\n", asks).replace("workers: 4", f"workers: {lanes}")
                seen: list[float] = []

                def hear(event: Event, seen: list[float] = seen) -> None:
                    if event.name in ("item_began", "item_ended"):
                        seen.append(time.perf_counter())

                walked(HEAD + loop.format(count=count), hear)
                taken[lanes].append(count / (seen[-1] - seen[0]))
    return {lanes: statistics.median(rates) for lanes, rates in taken.items()}


def memory(count: int) -> dict[int, tuple[float, float]]:
    """MiB of the engine and of its lanes at each thousandth item of one loop."""
    held: dict[int, tuple[float, float]] = {}
    ended, turn = [0], threading.Lock()
    every = max(1, min(1_000, count // 5))

    def hear(event: Event) -> None:
        if event.name != "item_ended":
            return
        with turn:
            ended[0] += 1
            if ended[0] % every == 0:
                held[ended[0]] = (resident_mib("self"), sum(proportional_mib(pid) for pid in children(os.getpid())))

    walked(HEAD + LOOP.format(count=count), hear)
    return held


def walked(text: str, hear: Progress) -> None:
    """A run of this workflow in a project of its own."""
    with tempfile.TemporaryDirectory(dir=PROJECT / "benchmarks") as name:
        folder = Path(name)
        for part in ("workflows", "bots/back_office"):
            (folder / part).mkdir(parents=True)
        (folder / "settings.yaml").write_text("version: 1\ntimezone: UTC\n", encoding="utf-8")
        (folder / "workflows" / "idle.yaml").write_text(text, encoding="utf-8")
        (folder / "bots" / "back_office" / "idle.py").write_text(BOTS + SCREEN, encoding="utf-8")
        project = open_project(folder)
        with Engine(project, folder / "state") as engine:
            plan = make_plan(project, "idle", {}, planned=datetime.now(UTC), started_by="benchmark")
            run_id = engine.start(plan)
            state = engine.drive(run_id, hear)
            if state != "succeeded":
                sys.exit(f"the run {state}: {engine.ledger.run(run_id).error}")


@contextmanager
def slow_screen() -> Iterator[str]:
    """A server that answers each request after 300 ms; its address."""

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(ANSWERS_AFTER_S)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def children(pid: int) -> list[int]:
    """All processes below one."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            below.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        more = below.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def resident_mib(pid: str) -> float:
    """VmRSS in MiB."""
    (line,) = (each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def proportional_mib(pid: int) -> float:
    """PSS in MiB; 0 of a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


if __name__ == "__main__":
    sys.exit(main())
