"""The command about selectors: what drifted, whether each element is still there, and picking one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interoffice.cli.project import office
from interoffice.cli.show import Format, listing, paint, print_json, say, warn
from interoffice.errors import UsageError

if TYPE_CHECKING:
    from interoffice.office.checked_screens import ScreensChecked

ACTIONS = ("drift", "accept", "reject", "check", "pick")
COLUMNS = {
    "drift": "drift", "element": "element", "environment": "environment", "healed_by": "healed by", "alike": "alike",
    "reason": "reason", "seen": "seen", "state": "state",
}  # fmt: skip
TONES = {
    "found": "good", "later": "warn", "healed": "warn", "missing": "bad", "ambiguous": "bad", "empty": "soft",
    "not reached": "soft",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command()(selectors)


def selectors(
    action: Annotated[str, typer.Argument(help=", ".join(ACTIONS))] = "drift",
    name: Annotated[str | None, typer.Argument(help="The drift; for check and pick the application")] = None,
    application: Annotated[str | None, typer.Option(help="drift: only of this application")] = None,
    state: Annotated[str, typer.Option(help="drift: open, accepted, rejected or all")] = "open",
    comment: Annotated[str, typer.Option(help="Why; reject needs it")] = "",
    env: Annotated[str | None, typer.Option(help="check, pick: environment of settings.yaml")] = None,
    screen: Annotated[str | None, typer.Option(help="check: only this screen")] = None,
    credential: Annotated[str | None, typer.Option(help="check: who signs in, else whom workflows use most")] = None,
    saved: Annotated[Path | None, typer.Option(help="check: a folder of saved pages, <screen>.html each")] = None,
    address: Annotated[str | None, typer.Option(help="pick: the page to open, else the application's")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """Elements of screens: healed ones to settle (drift, accept, reject), all of them checked, or one picked.

    `accept` writes the candidate first into selectors/, comments kept; `reject` never takes that element again.
    `check` opens every screen, types nothing, commits nothing. Exit: 0 all found, 3 drift or healed, 1 missing or
    ambiguous. `pick` opens a page and prints the element that is clicked, as YAML.
    """
    if action not in ACTIONS:
        raise UsageError(f"selectors {action}: use {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.")
    if action == "drift":
        rows = office().healed.listed(state=state, application=application)
        listing(rows, columns=COLUMNS, format=format, empty="No element was healed.", shrink="reason")
        return 0
    if action in ("check", "pick"):
        if name is None:
            raise UsageError(f"selectors {action}: name the application, as its file in selectors/ is called.")
        if action == "pick":
            return _pick(name, env, address)
        return _check(name, env, screen, credential, saved, format)
    return _settle(action, name, comment)


def _settle(action: str, name: str | None, comment: str) -> int:
    if name is None:
        raise UsageError(f"selectors {action}: name the drift; `runner.py selectors drift` lists them.")
    if action == "reject" and not comment:
        raise UsageError("selectors reject: say why, with --comment.")
    desk = office().healed
    say(desk.accept(name) if action == "accept" else desk.reject(name, comment))
    return 0


def _check(
    name: str, env: str | None, screen: str | None, credential: str | None, saved: Path | None, format: Format
) -> int:
    from interoffice.office.checked_screens import check_application

    checked = check_application(
        office(), name, environment=env, screen=screen, credential=credential, saved=saved
    )
    if format is Format.JSON:
        print_json(_as_json(checked))
    else:
        _print(checked)
    return checked.exit_code


def _print(checked: ScreensChecked) -> None:
    say(f"{checked.application.key}  {checked.environment} (web)  {checked.at.astimezone():%Y-%m-%d %H:%M}")
    rows = [element for screen in checked.screens for element in screen.elements]
    name_width = max((len(element.name) for element in rows), default=0)
    words_width = min(70, max((len(element.how) for element in rows), default=0))
    for screen in checked.screens:
        if not screen.elements and not screen.name:
            continue
        ready = f"ready in {screen.ready_s:.1f} s" if screen.ready_s else ""
        problem = paint(f"not ready: {screen.problem}", "bad") if screen.problem else ready
        say(f"  {screen.name or 'every screen'}".ljust(name_width + 6) + problem)
        for element in screen.elements:
            word = f"found {_ordinal(element.place)}" if element.outcome == "later" else element.outcome
            is_wrong = element.outcome in ("missing", "ambiguous", "later")
            at = checked.place(element) if is_wrong else f"drift {element.drift}" if element.drift else ""
            outcome, how = paint(word.ljust(11), TONES[element.outcome]), element.how.ljust(words_width if at else 0)
            say(f"    {element.name.ljust(name_width)}  {outcome}  {how}  {at}".rstrip())
    counts = checked.counts
    shown = sum(1 for screen in checked.screens if screen.name)
    say(
        f"  {shown} screen{'s' * (shown != 1)}, {len(rows)} elements: {counts['found']} found, "
        f"{counts['later']} by a later candidate, {counts['healed']} healed, {counts['ambiguous']} ambiguous, "
        f"{counts['missing']} missing, {counts['empty']} empty, {counts['not reached']} not reached"
    )
    if any(screen.picture for screen in checked.screens):
        say(f"  pictures: {checked.pictures}")


def _ordinal(number: int) -> str:
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number, 'th')}"


def _as_json(checked: ScreensChecked) -> dict[str, object]:
    return {
        "application": checked.application.key,
        "environment": checked.environment,
        "at": checked.at,
        "counts": checked.counts,
        "screens": [
            {
                "screen": screen.name or None,
                "ready_s": None if screen.ready_s is None else round(screen.ready_s, 3),
                "problem": screen.problem or None,
                "picture": screen.picture or None,
                "elements": [
                    {
                        "element": element.name, "outcome": element.outcome, "how": element.how,
                        "candidate": element.place or None, "drift": element.drift or None,
                        "at": checked.place(element),
                    }
                    for element in screen.elements
                ],
            }
            for screen in checked.screens
        ],
    }  # fmt: skip


def _pick(name: str, env: str | None, address: str | None) -> int:
    from interoffice.office.recorded_screens import pick, place_of

    desk = office()
    place = place_of(desk, name, environment=env, address=address)
    print(pick(desk, place, start=address, say=warn, source=sys.stdin), end="", flush=True)
    return 0
