"""The command about selectors that drifted: selectors."""

from __future__ import annotations

from typing import Annotated

import typer

from interoffice.cli.project import office
from interoffice.cli.show import Format, listing, say
from interoffice.errors import UsageError

COLUMNS = {
    "drift": "drift", "element": "element", "environment": "environment", "healed_by": "healed by", "alike": "alike",
    "reason": "reason", "seen": "seen", "state": "state",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command()(selectors)


def selectors(
    action: Annotated[str, typer.Argument(help="drift, accept or reject")] = "drift",
    name: Annotated[str | None, typer.Argument(help="The drift, as the list names it", metavar="drift")] = None,
    application: Annotated[str | None, typer.Option(help="Only of this application")] = None,
    state: Annotated[str, typer.Option(help="open, accepted, rejected or all")] = "open",
    comment: Annotated[str, typer.Option(help="Why; reject needs it")] = "",
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """Elements of screens that were found by healing: what served, why, and whether it is right from now on.

    `accept` writes the candidate first into selectors/, comments kept; `reject` never takes that element again.
    """
    desk = office().healed
    if action == "drift":
        rows = desk.listed(state=state, application=application)
        listing(rows, columns=COLUMNS, format=format, empty="No element was healed.", shrink="reason")
        return 0
    if action not in ("accept", "reject"):
        raise UsageError(f"selectors {action}: use drift, accept or reject.")
    if name is None:
        raise UsageError(f"selectors {action}: name the drift; `runner.py selectors drift` lists them.")
    if action == "reject" and not comment:
        raise UsageError("selectors reject: say why, with --comment.")
    say(desk.accept(name) if action == "accept" else desk.reject(name, comment))
    return 0
