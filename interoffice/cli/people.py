"""Who is at the keyboard: people, their passphrases, signing in."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Annotated

import typer

from interoffice.cli.project import office
from interoffice.cli.show import Format, cell, listing, say
from interoffice.errors import Refused, UsageError


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(people)


def people(
    action: Annotated[str, typer.Argument(help="list, add, passwd, sign-in or sign-out")] = "list",
    person: Annotated[str | None, typer.Argument(help="The person's id in settings.yaml")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """The people of settings.yaml and their passphrases; a typed name is no identity."""
    desk = office()
    if action == "list":
        listing(
            desk.people(),
            columns={
                "person": "person",
                "name": "name",
                "email": "e-mail",
                "groups": "groups",
                "can_sign_in": "can sign in",
            },
            format=format,
            empty="settings.yaml names no people.",
        )
        return 0
    if action == "sign-out":
        desk.sign_out()
        say("Nobody is signed in here.")
        return 0
    if action not in ("add", "passwd", "sign-in"):
        raise UsageError(f"people {action}: use list, add, passwd, sign-in or sign-out.")
    if person is None:
        raise UsageError(f"people {action}: name the person.")
    if action == "sign-in":
        say(f"{person} is signed in here until {cell(desk.sign_in(person, _ask(f'Passphrase of {person}')))}.")
        return 0
    old = _ask(f"Present passphrase of {person}") if action == "passwd" else None
    phrase = _ask(f"New passphrase of {person}")
    if sys.stdin.isatty() and _ask("Once more") != phrase:
        raise UsageError("The two passphrases differ; nothing was changed.")
    desk.set_passphrase(person, phrase, old=old)
    say(f"{person} can sign in.")
    return 0


def signed_in(person: str | None) -> str:
    """The person at the keyboard, proved by the passphrase (prompt, or the first line of standard input).

    Who signed in here need not be named again, but proves it again: a decision is never taken for somebody who left.
    """
    who = person or os.environ.get("INTEROFFICE_PERSON") or office().signed_in()
    if not who:
        raise UsageError("Who decides? Name yourself with --person, then give your passphrase.")
    if not office().verify_person(who, _ask(f"Passphrase of {who}")):
        raise Refused(f"The passphrase of {who} is not right, or {who} is not known: nothing was decided.")
    return who


def _ask(what: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    return sys.stdin.readline().rstrip("\r\n")
