"""`record` and `selectors pick`: what somebody does in a browser becomes selectors/<app>.yaml and a workflow."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

from interoffice.errors import ProjectError, UsageError
from interoffice.model.selectors import Application
from interoffice.office.desk import Desk
from interoffice.office.open_browser import address_of, credential_for, web_environment
from interoffice.recording.amending import selectors_text, workflow_text
from interoffice.recording.questions import ask_all
from interoffice.recording.recorded import make_recording
from interoffice.recording.writing import Setting, element_text, written
from interoffice.resources.files import write_durably


class Workshop(Desk, Protocol):
    """The office that it works in, with its state folder."""

    @property
    def state(self) -> Path: ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which application is opened where."""

    name: str
    known: Application | None
    environment: str
    address: str
    base: str


@dataclass(frozen=True, kw_only=True)
class RecordingKept:
    """What was written: files relative to the project ('' for none), and what the person should know."""

    selectors: str
    workflow: str
    credential: str
    notes: tuple[str, ...]


def place_of(desk: Workshop, name: str, *, environment: str | None, address: str | None) -> Place:
    """The application and its address; one that the project doesn't know needs `address`."""
    if not name.isidentifier() or not name.islower():
        raise UsageError(f'"{name}" can\'t be an application: its file is called so, in small letters, digits and _.')
    known = desk.project.application(name) if name in desk.project.applications() else None
    if known is None:
        if address is None:
            raise UsageError(f"selectors/ has no application {name} yet: say where it is, with --address URL.")
        where = environment or desk.project.environment or "practice"
        return Place(name=name, known=None, environment=where, address=address, base=address_of(desk.state, address))
    where = web_environment(desk, known, environment)
    said = known.environments[where].address or ""
    base = address_of(desk.state, said)
    return Place(name=name, known=known, environment=where, address=said, base=base)


def record(
    desk: Workshop,
    place: Place,
    *,
    start: str | None,
    credential: str | None,
    workflow: str | None,
    source: TextIO,
    say: Callable[[str], None],
    prompt: Callable[[str], None],
) -> RecordingKept:
    """Opens a window, hears what is done until it is closed or a line is entered, asks, and writes both files.

    `start`: the page to begin with, where it isn't the application's first. UsageError where nothing was done.
    """
    from interoffice.recording.listening import Lines, Listener, headed_browser, let_in, listen, open_page

    if workflow is not None and not re.fullmatch(r"[a-z][a-z0-9_]*", workflow):
        raise UsageError(f'--workflow "{workflow}": its file is called so; write small letters, digits and _.')
    if workflow is not None and (desk.project.folder / "workflows" / f"{workflow}.yaml").exists():
        raise UsageError(f"workflows/{workflow}.yaml is there already: give the recording another name.")
    lines = Lines(source)
    with headed_browser() as context:
        listener = Listener(context)
        open_page(context, _start(desk, place, start))
        say("Do once what is to be automated: sign in, search for the record, fill the form, save it.")
        say("Then close the window, or press Enter here.")
        listen(context, is_done=lambda: lines.is_there)
        if lines.is_there:
            lines.take()
            let_in(context)
    recording = make_recording(listener.events)
    if not recording.forms and recording.sign_in is None:
        raise UsageError("Nothing was typed on any page, so there is nothing to write.")

    def ask(question: str) -> str:
        prompt(question)
        return lines.take()

    answers = ask_all(recording, ask, say)
    setting = Setting(
        application=place.name, environment=place.environment, address=place.address, base=place.base,
        credential=credential or _credential(desk, place), day=datetime.now(UTC).date(), owner=_owner(desk),
        known=place.known,
    )  # fmt: skip
    return _keep(desk, written(recording, answers, setting), setting, workflow)


def pick(
    desk: Workshop, place: Place, *, start: str | None, say: Callable[[str], None], source: TextIO
) -> str:
    """Opens a page; the YAML of the element that is clicked. UsageError when the window was closed before."""
    from playwright.sync_api import Error

    from interoffice.recording.listening import Lines, Listener, headed_browser, listen, open_page

    lines = Lines(source)
    with headed_browser() as context:
        listener = Listener(context)
        open_page(context, _start(desk, place, start))
        say("Press Enter here once the page is the one you want; then click the element in the window.")
        listen(context, is_done=lambda: lines.is_there)
        if context.pages:
            for each in context.pages[-1].frames:
                with suppress(Error):
                    each.evaluate("() => window.__interoffice_pick && window.__interoffice_pick()")
            say("Click it.")
            picked: Callable[[], bool] = lambda: any(event.what == "picked" for event in listener.events)  # noqa: E731
            listen(context, is_done=picked)
    found = next((event for event in listener.events if event.what == "picked"), None)
    if found is None:
        raise UsageError("The window was closed before an element was clicked.")
    return element_text(found)


def _start(desk: Workshop, place: Place, start: str | None) -> str:
    if start is None or start == place.address:
        return place.base
    real = address_of(desk.state, start)
    return real if "://" in real else place.base.rstrip("/") + "/" + real.lstrip("/")


def _credential(desk: Workshop, place: Place) -> str:
    if place.known is not None and place.known.sign_in is not None:
        with suppress(UsageError):
            return credential_for(desk, place.known, None)
    return f"{place.name}_user"


def _owner(desk: Workshop) -> str:
    accounts: Any = desk.project.settings.mail.accounts
    return next((str(account.address) for account in accounts.values()), "office@example.com")


def _keep(desk: Workshop, new: Any, setting: Setting, workflow: str | None) -> RecordingKept:
    """Both texts are made and read back before one is written."""
    folder = desk.project.folder
    file = f"selectors/{setting.application}.yaml"
    path = folder / file
    before = path.read_bytes().decode("utf-8") if path.exists() else None
    text = selectors_text(new, file, before)
    said = ""
    if new.workflow is not None:
        said = f"workflows/{workflow or _free(folder, new.workflow_name)}.yaml"
        if (folder / said).exists():
            raise ProjectError(f"{said} has come into being meanwhile; record again under another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, text.encode("utf-8"))
    if said:
        (folder / "workflows").mkdir(exist_ok=True)
        write_durably(folder / said, workflow_text(new).encode("utf-8"))
    uses = new.workflow is not None and "credential" in new.workflow["steps"][0]["with"]
    credential = setting.credential if uses else ""
    return RecordingKept(selectors=file, workflow=said, credential=credential, notes=tuple(new.notes))


def _free(folder: Path, name: str) -> str:
    number, free = 2, name
    while (folder / "workflows" / f"{free}.yaml").exists():
        free, number = f"{name}_{number}", number + 1
    return free
