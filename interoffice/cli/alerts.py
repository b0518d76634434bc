"""The command about alerts of screening: alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from interoffice.cli.people import signed_in
from interoffice.cli.project import office
from interoffice.cli.show import Format, listing, say
from interoffice.errors import UsageError

COLUMNS = {
    "alert": "alert", "name": "name", "country": "country", "listed_as": "listed as", "list": "list", "score": "score",
    "state": "state", "first_seen": "first seen", "age": "age", "decided_by": "decided by", "comment": "comment",
}  # fmt: skip
DECISIONS = {"clear": "false_positive", "confirm": "true_match"}


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command()(alerts)


def alerts(
    action: Annotated[str, typer.Argument(help="list, clear, confirm or comment")] = "list",
    name: Annotated[str | None, typer.Argument(help="The alert, as the list names it", metavar="alert")] = None,
    comment: Annotated[str, typer.Option(help="Why; every decision needs it")] = "",
    party: Annotated[str | None, typer.Option(help="Only of this party")] = None,
    state: Annotated[str, typer.Option(help="open, false_positive, true_match or all")] = "open",
    person: Annotated[str | None, typer.Option(help="Who does it, if not who signed in here")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """Alerts of screening: whose name is near a listed one, and who decided that it is a false positive or a match."""
    desk = office().alerts
    if action == "list":
        rows = desk.listed(state=state, party=party)
        listing(rows, columns=COLUMNS, format=format, empty="No alert of screening is open.", shrink="listed_as")
        return 0
    if name is None:
        raise UsageError(f"alerts {action}: name the alert; `runner.py alerts` lists them.")
    if action not in (*DECISIONS, "comment"):
        raise UsageError(f"alerts {action}: use list, clear (false positive), confirm (true match) or comment.")
    if not comment:
        raise UsageError(f"alerts {action}: say why, with --comment.")
    who = signed_in(person)
    if action == "comment":
        say(desk.comment(name, comment, person=who))
    else:
        say(desk.decide(name, DECISIONS[action], comment, person=who))
    return 0
