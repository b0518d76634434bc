"""The commands that only answer from files and ledger: check, explain, runs, show.

They are the same whether Typer has read the words (`files`, `runs`) or `quick` has, and need no library that is slow
to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from interoffice.cli.project import folder, office
from interoffice.cli.show import Format, coloured, listing, paint, print_json, say, took

if TYPE_CHECKING:
    from interoffice.problem import Problem

RUNS_SHOWN = 20


class CheckFormat(StrEnum):
    """The formats of `check`."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def print_problems(problems: Sequence[Problem], format: CheckFormat = CheckFormat.TEXT, notes: bool = False) -> int:
    """Prints mistakes and gives the exit code: 0 clean, 1 errors, 3 warnings only."""
    import interoffice.loader.messages as messages

    text = messages.render(problems, folder(), format=format.value, colours=coloured(), notes=notes)
    if text:
        say(text.rstrip("\n"))
    return messages.exit_code(problems)


def check_files(files: Sequence[str], format: CheckFormat, *, fix: bool, notes: bool) -> int:
    """Prints every mistake of the files, or of the whole project."""
    found = office().check(files, fix=fix, say=say if format is CheckFormat.TEXT else lambda _: None)
    code = print_problems(found.problems, format, notes)
    if format is CheckFormat.TEXT and code == 0:
        say(paint(f"{found.files} file{'' if found.files == 1 else 's'} checked, no mistakes.", "good"))
    return code


def explain_rule(code: str) -> int:
    """Prints what a rule of `check` means."""
    from interoffice.loader.explain import explain

    say(explain(code).rstrip("\n"))
    return 0


def list_runs(workflow: str | None, state: str | None, limit: int, format: Format) -> int:
    """Prints the newest runs first."""
    listing(
        office().runs(workflow=workflow, state=state, limit=limit),
        columns={
            "run": "run", "workflow": "workflow", "state": "state", "started": "started", "took": "took",
            "started_by": "by", "sentence": "what came of it",
        },
        format=format,
        empty="No runs yet. Start one: runner.py run WORKFLOW",
        shrink="sentence",
    )  # fmt: skip
    return 0


def show_run(run: str, format: Format) -> int:
    """Prints one run: its steps, how they ended, and what waits for whom."""
    told = office().show(run)
    if format is Format.JSON:
        print_json(told)
        return 0
    say(f"{paint(str(told['run']), 'bold')}  {told['workflow']}  {paint(str(told['state']), 'bold')}")
    say(f"{told['sentence']}")
    say(
        f"started {told['started']} by {told['started_by']}, stands for {told['planned']}, environment "
        f"{told['environment']}, took {took(_number(told['took_s']))}"
    )
    say()
    steps = told["steps"]
    assert isinstance(steps, list)
    listing(
        steps,
        columns={"step": "step", "state": "state", "took": "took", "attempts": "tries", "result": "result"},
        format=Format.TEXT,
        empty="Nothing has run yet.",
        shrink="result",
    )
    for line in _lines(told["next_steps"]):
        say(line)
    return 0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _lines(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []
