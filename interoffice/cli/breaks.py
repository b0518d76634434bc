"""The command about open exceptions of reconciliations: breaks."""

from __future__ import annotations

from typing import Annotated

import typer

from interoffice.cli.people import signed_in
from interoffice.cli.project import office
from interoffice.cli.show import Format, listing, say
from interoffice.errors import UsageError

COLUMNS = {
    "break": "break", "workflow": "workflow", "side": "side", "line": "line", "reason": "reason",
    "first_seen": "first seen", "age": "age", "assigned_to": "assigned to", "comment": "comment",
    "closed_by": "closed by",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command()(breaks)


def breaks(
    action: Annotated[str, typer.Argument(help="list, assign, comment or close")] = "list",
    name: Annotated[str | None, typer.Argument(help="The break, as the list names it", metavar="break")] = None,
    to: Annotated[str | None, typer.Option(help="With assign: whose it is, a person's id in settings.yaml")] = None,
    comment: Annotated[str, typer.Option(help="What is known about it; close needs it")] = "",
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow")] = None,
    state: Annotated[str, typer.Option(help="open, closed or all")] = "open",
    person: Annotated[str | None, typer.Option(help="Who does it, if not who signed in here")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """Open exceptions of reconciliations: since when, how old, whose they are, and why they were closed."""
    desk = office().breaks
    if action == "list":
        rows = desk.listed(workflow=workflow, state=state)
        listing(rows, columns=COLUMNS, format=format, empty="No exception of a reconciliation is open.", shrink="line")
        return 0
    if name is None:
        raise UsageError(f"breaks {action}: name the break; `runner.py breaks` lists them.")
    if action == "assign":
        if to is None:
            raise UsageError("breaks assign: say whose it is, with --to.")
        say(desk.assign(name, to, person=signed_in(person)))
        return 0
    if action in ("comment", "close"):
        if not comment:
            raise UsageError(f"breaks {action}: say what is known, with --comment.")
        who = signed_in(person)
        say((desk.comment if action == "comment" else desk.close)(name, comment, person=who))
        return 0
    raise UsageError(f"breaks {action}: use list, assign, comment or close.")
