"""How long a command takes from nothing to its end, beside a bare Python, Robot Framework and (asked for) Prefect.

    .venv/bin/python benchmarks/startup.py [--rounds 21] [--prefect] [--json FILE]

Rounds alternate between the commands, so that a busy moment of the machine hits all of them; medians count. Exit code 1
when a goal is missed: --version at most half of `robot --version`, check of one workflow no slower than it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from peers import PROJECT, peer

WORKFLOW = "won_deals_to_erp"
INSIDE = [sys.executable, "-P", str(PROJECT / "interoffice" / "cli" / "__main__.py")]


def main() -> int:
    """Measure, print the table and the JSON, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--prefect", action="store_true", help="also `prefect version`, which takes seconds")
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    taken = measure(commands(options.prefect), options.rounds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print_table(taken, medians)
    goals = judge(medians)
    result = {
        "rounds": options.rounds,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "median_ms": {name: round(value * 1000, 1) for name, value in medians.items()},
        "goals": goals,
    }
    print(json.dumps(result, indent=1))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return 0 if all(goals.values()) else 1


def commands(with_prefect: bool) -> dict[str, list[str]]:
    """What is measured, by the name it has in the table."""
    chosen = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "robot --version": [peer("robot"), "--version"],
        "interoffice --version": [*INSIDE, "--version"],
        "interoffice check (one workflow)": [*INSIDE, "check", WORKFLOW, "--project", str(PROJECT)],
        "interoffice runs": [*INSIDE, "runs", "--project", str(PROJECT)],
        "runner.py --version": [sys.executable, str(PROJECT / "runner.py"), "--version"],
        "runner.py check (one workflow)": [sys.executable, str(PROJECT / "runner.py"), "check", WORKFLOW],
    }
    return chosen | ({"prefect version": [peer("prefect"), "version"]} if with_prefect else {})


def measure(chosen: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round by name; one unmeasured round first fills the caches."""
    taken: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(rounds + 1):
        for name, command in chosen.items():
            began = time.perf_counter()
            ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            seconds = time.perf_counter() - began
            # robot ends --version with 251; a check that finds warnings ends with 3
            if ended.returncode not in (0, 3, 251):
                sys.exit(f"{name} failed with {ended.returncode}: {ended.stderr.decode(errors='replace').strip()}")
            if number:
                taken[name].append(seconds)
    return taken


def print_table(taken: Mapping[str, Sequence[float]], medians: Mapping[str, float]) -> None:
    """One line per command, in milliseconds, with its ratio to robot."""
    print(f"{'command':<36}{'median ms':>10}{'least':>8}{'most':>8}{'x robot':>9}")
    for name, times in taken.items():
        ratio = medians[name] / medians["robot --version"]
        print(
            f"{name:<36}{medians[name] * 1000:>10.1f}{min(times) * 1000:>8.1f}{max(times) * 1000:>8.1f}{ratio:>9.2f}",
        )


def judge(medians: Mapping[str, float]) -> dict[str, bool]:
    """The goals, and whether they are met."""
    robot = medians["robot --version"]
    return {
        "--version at most half of robot --version": medians["interoffice --version"] <= robot / 2,
        "check of one workflow no slower than robot --version": medians["interoffice check (one workflow)"] <= robot,
    }


if __name__ == "__main__":
    sys.exit(main())
