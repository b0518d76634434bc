"""The command that watches somebody work in a browser: record."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from interoffice.cli.project import office
from interoffice.cli.show import say


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command()(record)


def record(
    application: Annotated[str, typer.Argument(help="The application: its file in selectors/, new or known")],
    address: Annotated[str | None, typer.Option(help="Where it is; a known one: the page to begin with")] = None,
    env: Annotated[str | None, typer.Option(help="Environment of settings.yaml")] = None,
    credential: Annotated[str | None, typer.Option(help="The name that the workflow signs in with")] = None,
    workflow: Annotated[str | None, typer.Option(help="The new workflow's name")] = None,
) -> int:
    """Watch somebody work in a browser's window, and write selectors and a workflow from it.

    What was typed becomes inputs, a password the name of a credential; no value is written anywhere. A selectors file
    that is there already keeps every line and gets what it lacks. At the end four things are asked on the terminal.
    """
    from interoffice.office.recorded_screens import place_of, record

    desk = office()
    place = place_of(desk, application, environment=env, address=address)
    kept = record(
        desk, place, start=address, credential=credential, workflow=workflow, source=sys.stdin, say=say, prompt=_prompt
    )
    say(f"Written: {kept.selectors}" + (f" and {kept.workflow}" if kept.workflow else ""))
    for note in kept.notes:
        say(f"  note: {note}")
    if kept.workflow:
        name = kept.workflow.removeprefix("workflows/").removesuffix(".yaml")
        if kept.credential:
            say(f"It signs in as {kept.credential}: runner.py credentials set {kept.credential}")
        say(f"Next: runner.py check {kept.workflow}, then runner.py run {name} --rehearse -i name=value")
    return 0


def _prompt(text: str) -> None:
    print(text, end="", flush=True)
