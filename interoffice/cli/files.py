"""Commands about the files of a project: check, explain, schema, learn, bots, new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interoffice.cli.answers import CheckFormat, check_files, explain_rule
from interoffice.cli.project import folder, office
from interoffice.cli.show import Format, listing, print_json, say


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(check)
    app.command()(explain)
    app.command()(schema)
    app.command()(learn)
    app.command()(bots)
    app.command()(new)


def check(
    files: Annotated[list[str] | None, typer.Argument(help="Workflows by name or file; none: everything")] = None,
    format: Annotated[CheckFormat, typer.Option(help="text, json, or github annotations")] = CheckFormat.TEXT,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe corrections in the files")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show notes too")] = False,
) -> int:
    """Find every mistake in the files before anything is touched."""
    return check_files(files or [], format, fix=fix, notes=notes)


def explain(code: Annotated[str, typer.Argument(help="A rule, such as U02")]) -> int:
    """What a rule means, with a wrong and a right example."""
    return explain_rule(code)


def schema(
    to: Annotated[Path | None, typer.Option(help="Folder to write to; left out: the project's schemas/")] = None,
) -> int:
    """Write the JSON Schemas that let an editor complete and check workflows, selectors and tables."""
    for path in office().write_schemas(to or folder() / "schemas"):
        say(f"wrote {path}")
    return 0


def learn(
    what: Annotated[str, typer.Argument(help="table")],
    file: Annotated[Path, typer.Argument(help="A file to learn from, CSV or workbook")],
    to: Annotated[Path | None, typer.Option(help="Where to write it; left out: printed")] = None,
) -> int:
    """Write a first table contract from a file, saying what it was unsure of."""
    from interoffice.errors import UsageError
    from interoffice.learn import learn_contract

    if what != "table":
        raise UsageError(f"learn {what}: only `learn table FILE` is known.")
    text = learn_contract(file)
    if to is None:
        say(text.rstrip("\n"))
    elif to.exists():
        raise UsageError(f"{to} is there already; name another file, nothing is overwritten.")
    else:
        to.write_text(text, encoding="utf-8")
        say(f"wrote {to}")
    return 0


def bots(
    name: Annotated[str | None, typer.Argument(help="A bot, to see its inputs, outputs and example")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """The bots of this project, or one bot's inputs, outputs and example."""
    found = office().bots(name)
    if name is None:
        listing(
            found,
            columns={"bot": "bot", "office": "office", "effect": "effect", "look_up": "look-up", "gives": "gives"},
            format=format,
            empty="No bots were found in bots/.",
            shrink="gives",
        )
    elif format is Format.JSON:
        print_json(found[0])
    else:
        say(str(found[0]["text"]).rstrip("\n"))
    return 0


def new(to: Annotated[Path, typer.Argument(help="The folder to make")]) -> int:
    """Make a new project of the same layout, with a small workflow to start from."""
    from interoffice.starter import make_project

    for path in make_project(to):
        say(f"wrote {path}")
    say(f"Next: python3 runner.py check --project {to}, then: python3 runner.py run first --project {to}")
    return 0
