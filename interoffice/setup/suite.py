"""`runner.py test`: the browser, then the tests and, where asked for, the checks of the code itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from interoffice.errors import ProjectError

NOTHING_COLLECTED = 5
SOME_FAILED = 1
FEW = 8
"""So many failed tests are tried once more alone; with more of them something is really wrong."""
WORKERS = ("-n", "2", "--dist", "loadfile")
"""Two at a time, a file's tests together: servers listen on free ports and every test has folders of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of the suite: a heading and a command in the environment's Python."""

    heading: str
    command: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a part ended."""

    part: Part
    code: int
    seconds: float


def run_suite(args: list[str], project: Path) -> int:
    """Run the tests with live output; all else than --slow, --all and --exhaustive goes to pytest.

    The exit code: 0 all passed, else that of the first part that did not. No test collected is a failure.
    """
    if not (project / "tests").is_dir():
        raise ProjectError(f"{project} has no folder tests: there is nothing to test.")
    say(f"Browser: {find(project)}")
    ended = [again_alone(run(part, project), project) for part in parts(args)]
    if len(ended) > 1:
        summarise(ended)
    return next((each.code for each in ended if each.code != 0), 0)


def parts(args: Sequence[str]) -> list[Part]:
    """What to run, in order: the quick things first."""
    given = [arg for arg in args if arg not in ("--slow", "--all", "--exhaustive")]
    if "--exhaustive" in args:
        return [pytest_part("Exhaustive tests", "exhaustive", given)]
    chosen = [pytest_part("Ordinary tests", "not slow", given)]
    if "--slow" in args or "--all" in args:
        chosen.append(pytest_part("Slow tests", "slow and not exhaustive", given))
    if "--all" in args:
        chosen[:0] = [
            Part(heading="ruff", command=("-m", "ruff", "check", "--output-format", "concise", ".")),
            Part(heading="mypy --strict", command=("-m", "mypy")),
        ]
    return chosen


def pytest_part(heading: str, marked: str, given: Sequence[str]) -> Part:
    """The tests of one mark; a `-m` of the caller narrows it, and any word about workers replaces ours."""
    words = list(given)
    if "-m" in words and words.index("-m") + 1 < len(words):
        at = words.index("-m")
        marked = f"({marked}) and ({words[at + 1]})"
        del words[at : at + 2]
    alone = {"-n", "--numprocesses", "--pdb", "--trace", "--dist"}
    workers = () if any(word.split("=")[0] in alone or word.startswith("-n") for word in words) else WORKERS
    return Part(heading=heading, command=("-m", "pytest", "-m", marked, *workers, *words))


def find(project: Path) -> str:
    """Provide a browser as the demo does, and give its name; without one the tests of screens would only fail later."""
    from interoffice.resources.browser_found import find_browser

    return find_browser(install=True, say=say).how


def run(part: Part, project: Path) -> Ended:
    """Run one part to its end, its output going by."""
    say(f"\n== {part.heading} ==")
    began = time.monotonic()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of commands are started: compile their modules once
    code = subprocess.run([sys.executable, *part.command], cwd=project, env=environment).returncode
    seconds = time.monotonic() - began
    if code == NOTHING_COLLECTED and "pytest" in part.command:
        say(f"{part.heading}: no test was collected, which counts as a failure.")
    say(f"== {part.heading}: {outcome(code)} after {seconds:.0f} s ==")
    return Ended(part=part, code=code, seconds=seconds)


def again_alone(ended: Ended, project: Path) -> Ended:
    """The few tests that failed, once more and one by one: real browsers and processes on two busy cores miss a moment.

    What passes alone is named, and counts as passed; what fails again has failed. Many failures are no accident.
    """
    if ended.code != SOME_FAILED or "pytest" not in ended.part.command or not 0 < count_failed(project) <= FEW:
        return ended
    marked = ended.part.command[ended.part.command.index("-m", 2) + 1]
    say("These failed beside others, and run again alone:")
    alone = ("-m", "pytest", "-m", marked, "--last-failed", "--last-failed-no-failures", "none", "-n", "0", "-rA")
    code = run(Part(heading=f"{ended.part.heading}, again alone", command=alone), project).code
    return replace(ended, code=code)


def count_failed(project: Path) -> int:
    """How many tests pytest noted as failed in its last run."""
    noted = project / ".pytest_cache" / "v" / "cache" / "lastfailed"
    try:
        return len(json.loads(noted.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return 0


def summarise(ended: Sequence[Ended]) -> None:
    """One line per part and the sum."""
    say("\n== Summary ==")
    for each in ended:
        say(f"{each.part.heading:<16} {outcome(each.code):<22} {each.seconds:6.0f} s")
    say(f"{'all':<16} {outcome(max(each.code for each in ended)):<22} {sum(each.seconds for each in ended):6.0f} s")


def outcome(code: int) -> str:
    """An exit code as a person reads it."""
    return "passed" if code == 0 else f"FAILED (exit code {code})"


def say(text: str) -> None:
    """A line, in its place between the output of the parts."""
    print(text, flush=True)
