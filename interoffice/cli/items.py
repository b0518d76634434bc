"""Commands about work items and queues: items, queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from interoffice.cli.people import signed_in
from interoffice.cli.progress import Story
from interoffice.cli.project import office, pairs
from interoffice.cli.show import Format, listing, say
from interoffice.errors import UsageError

if TYPE_CHECKING:
    from interoffice.office import Search

Form = Annotated[Format, typer.Option(help="text or json")]
Person = Annotated[str | None, typer.Option(help="Who decides, if not who signed in here; asks for the passphrase")]
ACTIONS: Final = ("edit", "attempts", "retry", "requeue", "abandon")
COLUMNS: Final = {
    "item": "item", "loop": "loop", "key": "key", "state": "state", "attempts": "tries", "outputs": "outputs",
    "error": "error",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(items)
    app.command()(queues)


def items(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="A run; or edit|attempts ITEM, retry|requeue|abandon [ITEM ...]; none: all runs"),
    ] = None,
    set: Annotated[list[str] | None, typer.Option("--set", help="column=value, with edit")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state")] = None,
    key: Annotated[str | None, typer.Option(help="Only keys that contain this")] = None,
    code: Annotated[str | None, typer.Option(help="Only with this error code")] = None,
    value: Annotated[str | None, typer.Option(help="Only rows in which this stands")] = None,
    run: Annotated[str | None, typer.Option(help="Only of this run")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow")] = None,
    queue: Annotated[str | None, typer.Option(help="Only what came from this queue")] = None,
    comment: Annotated[str, typer.Option(help="Why; abandon needs it")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before many are changed")] = False,
    person: Person = None,
    format: Form = Format.TEXT,
) -> int:
    """Work items: of a run, or searched over all; corrected, tried again, put back on their queue, or abandoned."""
    said = list(words or [])
    action = said.pop(0) if said and said[0] in ACTIONS else ""
    if action == "edit":
        return _edit(said, set or [], person)
    if action == "attempts":
        return _attempts(said, format)
    if not action and len(said) == 1:
        return _of_run(said[0], state, key, code, value, format)
    if not action and said:
        raise UsageError(f"items {' '.join(said)}: name one run, or `last`.")
    wanted = office().worklist.wanted(
        run=run, workflow=workflow, queue=queue, state=state, key=key, code=code, words=value
    )
    if not action:
        found = office().worklist.find(wanted)
        listing(found, columns={"run": "run", **COLUMNS}, format=format, empty="No work item fits.", shrink="error")
        return 0
    return _decide(action, said, wanted, comment, person, yes=yes)


def _of_run(
    run: str, state: str | None, key: str | None, code: str | None, value: str | None, format: Format
) -> int:
    listing(
        office().items(run, state=state, key=key, code=code, words=value),
        columns=COLUMNS,
        format=format,
        empty="This run has no such work items.",
        shrink="error",
    )
    return 0


def _edit(said: list[str], changes: list[str], person: str | None) -> int:
    if len(said) != 1 or not changes:
        raise UsageError("items edit: write items edit ITEM --set column=value.")
    say(office().edit_item(said[0], pairs(changes, "--set"), person=signed_in(person)))
    return 0


def _attempts(said: list[str], format: Format) -> int:
    if len(said) != 1:
        raise UsageError("items attempts: name one item, by its number from `items RUN`.")
    listing(
        office().worklist.attempts(said[0]),
        columns={
            "step": "step", "number": "no.", "what": "what", "state": "state", "began": "began", "took": "took",
            "lane": "lane", "error": "error",
        },
        format=format,
        empty="Nothing was tried with this item yet.",
        shrink="error",
    )  # fmt: skip
    return 0


def _decide(action: str, names: list[str], wanted: Search, comment: str, person: str | None, *, yes: bool) -> int:
    """Tries again, puts back or abandons the items named, or all that fit; asks first where they were not named."""
    desk = office()
    if action == "abandon" and not comment:
        raise UsageError("items abandon: say why nobody will work them, with --comment.")
    chosen = desk.worklist.chosen(names, wanted)
    if not names and not yes:
        keys = ", ".join(item.key for item in chosen[:5]) + (" ..." if len(chosen) > 5 else "")
        typer.confirm(f"{action} {len(chosen)} work items ({keys})?", abort=True)
    if action == "retry":
        with Story() as story:
            told = desk.worklist.retry(chosen, comment=comment, hear=story.hear)
        for line in told:
            say(line)
        return 0
    who = signed_in(person)
    decide = desk.worklist.requeue if action == "requeue" else desk.worklist.abandon
    say(decide(chosen, person=who, comment=comment))
    return 0


def queues(
    name: Annotated[str | None, typer.Argument(help="A queue; none: all queues")] = None,
    state: Annotated[str | None, typer.Option(help="Only entries in this state")] = None,
    value: Annotated[str | None, typer.Option(help="Only rows in which this stands")] = None,
    format: Form = Format.TEXT,
) -> int:
    """The queues and what waits on them, in the order in which it is worked: due, priority, first come."""
    worklist = office().worklist
    if name is None:
        listing(
            worklist.queues(),
            columns={"queue": "queue", "waiting": "waiting", "entries": "entries"},
            format=format,
            empty="This project has no queue; a queue is a file in tables/ with queue: true.",
        )
        return 0
    listing(
        worklist.entries(name, state=state, words=value),
        columns={
            "key": "key", "state": "state", "due": "due", "priority": "priority", "added": "added", "run": "run",
            "error": "error",
        },
        format=format,
        empty=f"Nothing stands on the queue {name}.",
        shrink="error",
    )  # fmt: skip
    return 0
