"""The commands, as Typer reads them."""

from __future__ import annotations

import os

import typer

from interoffice.cli import (
    alerts,
    breaks,
    files,
    items,
    machine,
    people,
    record,
    reference,
    runs,
    schedule,
    selectors,
    work,
)
from interoffice.cli.ending import STOPPED, ended, project_of
from interoffice.cli.show import warn

app = typer.Typer(
    name="runner.py",
    help="Interoffice: workflows that post once, check in the middle office, and explain themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (runs, items, breaks, alerts, selectors, record, schedule, work, files, people, machine, reference):
    module.register(app)


def run_command(words: list[str]) -> int:
    """Runs one command line; every error of ours ends as a sentence on standard error and its exit code."""
    return ended(lambda: _run(words))


def _run(words: list[str]) -> int:
    project, rest = project_of(words)
    os.environ["INTEROFFICE_PROJECT"] = str(project)
    try:
        result = app(args=rest, prog_name="runner.py", standalone_mode=False)
    except typer.Abort:
        warn("Not confirmed: nothing was done.")
        return STOPPED
    except typer.Exit as left:
        return left.exit_code
    except Exception as error:
        show = getattr(error, "show", None)
        code = getattr(error, "exit_code", None)
        if show is None or not isinstance(code, int):
            raise
        show()  # the parser's own complaints about the command line
        return 2 if code else 0
    if result == STOPPED:  # what the parser makes of Ctrl-C
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0
