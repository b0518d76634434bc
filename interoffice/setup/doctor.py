"""What this machine has, what it lacks, what that is for, and the one line that fixes it.

Works with the standard library alone, so that it can also speak before anything is installed. It changes nothing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TextIO

from interoffice.errors import ProjectError
from interoffice.resources.system_packages import by_hand, has_apt
from interoffice.setup.pip_output import NEEDS
from interoffice.setup.stamp import UNFINISHED, environment_folder, interpreter, is_prepared, read_stamp

State = Literal["found", "missing"]
PREPARE = "python3 runner.py demo"
ROOM_BYTES = 300_000_000
"""What a prepared project still writes: runs, evidence and reports of a demo, with room to spare."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing looked for. `needed` by the demo; without it only what `purpose` says is left out."""

    name: str
    state: State
    detail: str
    purpose: str
    needed: bool = False
    fix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A program that some part uses where it is there."""

    name: str
    commands: tuple[str, ...]
    packages: tuple[str, ...]
    purpose: str


OPTIONAL = (
    Program(name="git", commands=("git",), packages=("git",), purpose="finding who last edited a workflow (four eyes)"),
    Program(name="strace", commands=("strace",), packages=("strace",), purpose="tests that kill a run at every write"),
    Program(
        name="Xvfb", commands=("Xvfb",), packages=("xvfb", "openbox", "x11-utils"), purpose="unattended desktop screens"
    ),
    Program(
        name="xdotool",
        commands=("xdotool", "wmctrl"),
        packages=("xdotool", "wmctrl", "xclip"),
        purpose="typing on desktop screens",
    ),
    Program(
        name="tesseract",
        commands=("tesseract",),
        packages=("tesseract-ocr",),
        purpose="reading scans and pictures of screens",
    ),
    Program(
        name="LibreOffice",
        commands=("soffice", "libreoffice"),
        packages=("libreoffice-calc",),
        purpose="tests that open written workbooks in a real application",
    ),
    Program(
        name="Postgres",
        commands=("postgres",),
        packages=("postgresql",),
        purpose="one ledger for workers on many machines",
    ),
)


def main(project: str, arguments: Sequence[str]) -> int:
    """The command `doctor` where the environment is not prepared yet; the exit code."""
    words = list(arguments)
    if words not in ([], ["--format", "text"], ["--format", "json"], ["--format=json"], ["--format=text"]):
        print("Usage: python3 runner.py doctor [--format text|json]", file=sys.stderr)
        return 2
    findings = diagnose(Path(project))
    print_findings(findings, as_json=bool(words) and words[-1].endswith("json"))
    return exit_code(findings)


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when all is there that the demo needs, else 1."""
    return 1 if any(finding.needed and finding.state == "missing" for finding in findings) else 0


def diagnose(project: Path) -> list[Finding]:
    """All that is looked for, the needed things first."""
    return [
        find_python(),
        find_environment(project),
        find_room(project),
        find_a_browser(project),
        find_fonts(),
        *(find_program(program) for program in OPTIONAL),
    ]


def print_findings(findings: Sequence[Finding], *, as_json: bool = False, stream: TextIO | None = None) -> None:
    """The findings for a person, or as a JSON list."""
    stream = stream or sys.stdout
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2), file=stream)
        return
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{finding.name:<{width}}  {word(finding):<8}  {finding.detail}", file=stream)
        if finding.state == "missing":
            print(f"{'':<{width}}  {'':<8}  for {finding.purpose}", file=stream)
            print(f"{'':<{width}}  {'':<8}  fix: {finding.fix}", file=stream)
    print(summary(findings), file=stream)


def word(finding: Finding) -> str:
    """The state as a person reads it."""
    if finding.state == "missing":
        return "MISSING" if finding.needed else "absent"
    return finding.state


def summary(findings: Sequence[Finding]) -> str:
    """The last line: whether the demo can run."""
    lacking = [finding.name for finding in findings if finding.needed and finding.state == "missing"]
    if lacking:
        return f"Not ready: {', '.join(lacking)} missing. `{PREPARE}` sets up by itself what it can."
    return "Ready: all that the demo needs is here."


def find_python() -> Finding:
    """The Python that runs this; older ones are refused before."""
    detail = f"{platform.python_version()} at {sys.executable}, on {system_name()}"
    return Finding(name="Python", state="found", detail=detail, purpose="everything", needed=True)


def system_name() -> str:
    """The operating system, by its own name where it has one."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.platform())
    except OSError:
        return platform.platform()


def find_environment(project: Path) -> Finding:
    """Whether .venv is finished and what the lock files ask for."""
    folder = environment_folder(str(project))
    state: State = "missing"
    if not os.path.exists(interpreter(str(project))):
        detail = f"{folder} is not there yet"
    elif os.path.exists(os.path.join(folder, UNFINISHED)):
        detail = f"{folder} is unfinished; what happened is in {os.path.join(folder, 'setup.log')}"
    elif not has_lock(project):
        state, detail = "found", f"{sys.prefix}, without lock files beside it"
    elif is_prepared(str(project)):
        count = sum(len(line.split()) - 1 for line in read_stamp(str(project)) if line.startswith("packages "))
        state, detail = "found", f"{folder}, as locked ({count} packages in the lock)"
    else:
        detail = f"{folder} is not what requirements/all.txt asks for"
    if state == "missing" and importlib.util.find_spec("ensurepip") is None and has_apt():
        detail += "; this Python lacks ensurepip, which apt-get brings"
    return Finding(
        name="packages", state=state, detail=detail, purpose="every command but this one", needed=True, fix=PREPARE
    )


def has_lock(project: Path) -> bool:
    """Whether the project carries lock files; one made from an installed Interoffice has none."""
    return (project / "requirements" / "all.txt").is_file()


def find_room(project: Path) -> Finding:
    """Whether the disk has room for what is still to come."""
    free = shutil.disk_usage(project).free
    prepared = os.path.exists(interpreter(str(project)))
    enough = free >= (ROOM_BYTES if prepared else ROOM_BYTES + 1_200_000_000)
    needs = "300 MB" if prepared else f"{NEEDS} for .venv, a browser and 300 MB"
    return Finding(
        name="disk",
        state="found" if enough else "missing",
        detail=f"{free / 1e9:.1f} GB free in {project}",
        purpose=f"packages, runs and their evidence ({needs})",
        needed=True,
        fix=f"free some space in {project}",
    )


def find_a_browser(project: Path) -> Finding:
    """The browser by the ladder, nothing installed. The environment's own Python looks, since Playwright is there."""
    if importlib.util.find_spec("playwright") is not None:
        from interoffice.resources.browser_found import find_browser

        tried: list[str] = []
        try:
            found = find_browser(install=False, say=tried.append)
        except ProjectError as error:
            command = re.search(r"`([^`]+)`", str(error))
            return browser_missing("; ".join(tried), command[1] if command else str(error))
        detail = found.how if not tried else tried[-1].removeprefix("browser: ")
        return Finding(name="browser", state="found", detail=detail, purpose="web screens", needed=True)
    return browser_missing("not looked for, since the packages are missing", PREPARE)


def browser_missing(detail: str, fix: str) -> Finding:
    """No browser, and what brings one."""
    return Finding(
        name="browser",
        state="missing",
        detail=detail,
        purpose="web screens, and with them the demo",
        needed=True,
        fix=fix,
    )


def find_fonts() -> Finding:
    """Fonts, without which a browser shows no letters."""
    from interoffice.resources.browser_found import FONT_PACKAGES, has_fonts

    there = has_fonts()
    return Finding(
        name="fonts",
        state="found" if there else "missing",
        detail="there" if there else "none installed",
        purpose="letters on pages and pictures",
        needed=True,
        fix=by_hand(FONT_PACKAGES) if has_apt() else "install any TrueType fonts",
    )


def find_program(program: Program) -> Finding:
    """A program that nothing in the demo needs."""
    paths = [path for command in program.commands if (path := locate(command))]
    return Finding(
        name=program.name,
        state="found" if paths else "missing",
        detail=f"{paths[0]}, for {program.purpose}" if paths else "not on the PATH",
        purpose=program.purpose,
        fix=by_hand(program.packages) if has_apt() else f"install {program.name}",
    )


def locate(command: str) -> str | None:
    """The program on the PATH; Debian keeps the database server elsewhere."""
    found = shutil.which(command)
    if found is None and command == "postgres":
        servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        return str(servers[-1]) if servers else None
    return found
