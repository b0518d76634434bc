"""Commands about decisions: approvals, approve, reject, doubts, settle, audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from interoffice.cli.people import signed_in
from interoffice.cli.progress import Story
from interoffice.cli.project import office, pairs
from interoffice.cli.runs import ended_run
from interoffice.cli.show import Format, listing, paint, print_json, say
from interoffice.errors import UsageError

Form = Annotated[Format, typer.Option(help="text or json")]
Person = Annotated[str | None, typer.Option(help="Who decides, if not who signed in here; asks for the passphrase")]
Comment = Annotated[str, typer.Option(help="Why")]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(approvals)
    app.command()(approve)
    app.command()(reject)
    app.command()(doubts)
    app.command()(settle)
    app.command()(audit)


def approvals(format: Form = Format.TEXT) -> int:
    """What waits for a person's decision."""
    listing(
        office().approvals(),
        columns={"run": "run", "step": "step", "ask": "question", "rows": "rows", "by": "asked of", "until": "until"},
        format=format,
        empty="Nothing waits for a decision.",
    )
    return 0


def approve(
    run: Annotated[str, typer.Argument(help="A run, or `last`")],
    step: Annotated[str | None, typer.Argument(help="The approve step, where several wait")] = None,
    rows: Annotated[list[str] | None, typer.Argument(help="Only these rows, by their name; none: all")] = None,
    comment: Comment = "",
    field: Annotated[list[str] | None, typer.Option("--field", help="name=value of the step's fields")] = None,
    person: Person = None,
    stay: Annotated[bool, typer.Option("--stay", help="Only decide; don't go on with the run here")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; without it, JSON only shows the rows")] = False,
    digest: Annotated[str, typer.Option(help="Decide only if the rows are those that were shown with it")] = "",
    format: Form = Format.TEXT,
) -> int:
    """Show the rows and their reasons, and release them."""
    return _decide("approve", run, step, rows, comment, field, person, stay=stay, yes=yes, digest=digest, format=format)


def reject(
    run: Annotated[str, typer.Argument(help="A run, or `last`")],
    step: Annotated[str | None, typer.Argument(help="The approve step, where several wait")] = None,
    rows: Annotated[list[str] | None, typer.Argument(help="Only these rows, by their name; none: all")] = None,
    comment: Comment = "",
    field: Annotated[list[str] | None, typer.Option("--field", help="name=value of the step's fields")] = None,
    person: Person = None,
    stay: Annotated[bool, typer.Option("--stay", help="Only decide; don't go on with the run here")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; without it, JSON only shows the rows")] = False,
    digest: Annotated[str, typer.Option(help="Decide only if the rows are those that were shown with it")] = "",
    format: Form = Format.TEXT,
) -> int:
    """Show the rows and their reasons, and refuse them."""
    return _decide("reject", run, step, rows, comment, field, person, stay=stay, yes=yes, digest=digest, format=format)


def _decide(
    decision: str,
    run: str,
    step: str | None,
    rows: list[str] | None,
    comment: str,
    field: list[str] | None,
    person: str | None,
    *,
    stay: bool,
    yes: bool,
    digest: str,
    format: Format,
) -> int:
    desk = office()
    asked = desk.asked(run, step)
    if format is Format.TEXT:
        say(paint(asked.ask, "bold"))
        listing(asked.rows, columns=asked.columns, format=Format.TEXT, empty="No rows are left to decide.")
        for file in asked.attached:
            say(f"attached: {file}")
    elif not yes:
        print_json(asked.as_json())
        return 0
    who = signed_in(person)
    if not yes:
        typer.confirm(f"{decision} {'these rows' if rows else 'all of them'} as {who}?", abort=True)
    told = desk.decide(
        replace(asked, digest=digest or asked.digest),
        rows=tuple(rows or ()),
        decision=decision,
        comment=comment,
        fields=pairs(field or [], "--field"),
        person=who,
    )
    if format is Format.TEXT:
        say(told)
    if stay or not desk.can_go_on(asked.run):
        if format is Format.JSON:
            print_json({"run": asked.run, "decided": told})
        return 0
    with Story(quiet=format is Format.JSON) as story:
        ended = desk.resume(asked.run, accept_changes=True, hear=story.hear)
    return ended_run(ended, format)


def doubts(format: Form = Format.TEXT) -> int:
    """Items of which nobody knows whether they were posted, with the evidence."""
    found = office().doubts()
    if format is Format.JSON:
        print_json(found)
        return 0
    if not found:
        say("Nothing is in doubt.")
    for each in found:
        say(f"{paint(str(each['item']), 'bold')}  {each['run']}  {each['step']}  {each['key']}")
        say(f"  meant: {each['meant']}")
        say(f"  why: {each['why']}")
        say(f"  look-up: {each['look_up']}")
        for picture in each["evidence"]:
            say(f"  picture: {picture}")
    return 0


def settle(
    item: Annotated[str, typer.Argument(help="The item's number, from `doubts`")],
    done: Annotated[bool, typer.Option("--done", help="It was posted")] = False,
    not_done: Annotated[bool, typer.Option("--not-done", help="It was not posted: it may be tried again")] = False,
    comment: Comment = "",
    person: Person = None,
) -> int:
    """Say of an item in doubt whether it was posted; kept in the audit."""
    if done == not_done:
        raise UsageError("settle: say either --done or --not-done.")
    if not comment:
        raise UsageError("settle: say how you know, with --comment.")
    say(office().settle(item, done=done, comment=comment, person=signed_in(person)))
    return 0


def audit(
    action: Annotated[str, typer.Argument(help="show, verify or export")] = "show",
    file: Annotated[Path | None, typer.Argument(help="An export, to verify it alone")] = None,
    to: Annotated[Path | None, typer.Option(help="File for export")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries, the newest last")] = 50,
    format: Form = Format.TEXT,
) -> int:
    """The trail of every act of people and bots; `verify` finds any change to it."""
    trail = office().trail
    if action == "show":
        columns = {"number": "no.", "at": "at", "who": "who", "what": "what", "about": "about", "details": "details"}
        listing(trail.newest(limit), columns=columns, format=format, empty="The audit is empty.", shrink="details")
        return 0
    if action == "verify":
        good, told = trail.verify() if file is None else trail.verify_file(file)
        if format is Format.JSON:
            print_json({"whole": good, "said": told})
        else:
            for line in told:
                say(line)
        return 0 if good else 1
    if action == "export":
        if to is None:
            raise UsageError("audit export: name a file with --to.")
        say(trail.export(to))
        return 0
    raise UsageError(f"audit {action}: use show, verify or export.")
