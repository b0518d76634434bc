"""How long a command takes from nothing to its end, beside a bare Python, Robot Framework and (asked for) Prefect.

    .venv/bin/python benchmarks/startup.py [--rounds 21] [--prefect] [--json FILE]

Rounds alternate between the commands, so that a busy moment of the machine hits all of them; medians count, of the
time that passed and of the processor's time (user and system), which a busy machine disturbs less. Every command may
keep its compiled modules, as on a user's machine. Exit code 1 when a goal is missed: --version at most half of
`robot --version`, check of one workflow no slower than it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from peers import PROJECT, peer

WORKFLOW = "won_deals_to_erp"
INSIDE = [sys.executable, "-P", str(PROJECT / "interoffice" / "cli" / "__main__.py")]


class Taken(NamedTuple):
    """What one start took."""

    passed_s: float
    processor_s: float


def main() -> int:
    """Measure, print the table and the JSON, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--prefect", action="store_true", help="also `prefect version`, which takes seconds")
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    taken = measure(commands(options.prefect), options.rounds)
    medians = {name: statistics.median(each.passed_s for each in starts) for name, starts in taken.items()}
    processor = {name: statistics.median(each.processor_s for each in starts) for name, starts in taken.items()}
    print_table(taken, medians, processor)
    goals = judge(medians)
    result = {
        "rounds": options.rounds,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "median_ms": {name: round(value * 1000, 1) for name, value in medians.items()},
        "median_processor_ms": {name: round(value * 1000, 1) for name, value in processor.items()},
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


def measure(chosen: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Taken]]:
    """What each round took by name; one unmeasured round first fills the caches."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken: dict[str, list[Taken]] = {name: [] for name in chosen}
    for number in range(rounds + 1):
        for name, command in chosen.items():
            began, used = time.perf_counter(), processor_s()
            ended = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            start = Taken(time.perf_counter() - began, processor_s() - used)
            # robot ends --version with 251; a check that finds warnings ends with 3
            if ended.returncode not in (0, 3, 251):
                sys.exit(f"{name} failed with {ended.returncode}: {ended.stderr.decode(errors='replace').strip()}")
            if number:
                taken[name].append(start)
    return taken


def processor_s() -> float:
    """The processor's time of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_table(
    taken: Mapping[str, Sequence[Taken]], medians: Mapping[str, float], processor: Mapping[str, float]
) -> None:
    """One line per command, in milliseconds, with its ratios to robot."""
    print(f"{'command':<36}{'median ms':>10}{'least':>8}{'most':>8}{'x robot':>9}{'processor ms':>14}{'x robot':>9}")
    for name, starts in taken.items():
        passed = [each.passed_s * 1000 for each in starts]
        print(
            f"{name:<36}{medians[name] * 1000:>10.1f}{min(passed):>8.1f}{max(passed):>8.1f}"
            f"{medians[name] / medians['robot --version']:>9.2f}"
            f"{processor[name] * 1000:>14.1f}{processor[name] / processor['robot --version']:>9.2f}"
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
