"""A project whose bots break the contract on purpose, one promise each: the contract must catch every one."""

from __future__ import annotations

from pathlib import Path

SETTINGS = "version: 1\nproject: hostile\ntimezone: UTC\nenvironment: practice\nenvironments:\n  practice: {}\n"

BOTS = '''\
"""Bots that nobody should run."""

import os
from dataclasses import dataclass
from pathlib import Path

from interoffice.bot import CredentialName, NotFound, bot
from interoffice.context import Context

BOOK = Path(__file__).parents[2] / "book.txt"


def write(line):
    with open(BOOK, "a") as book:
        book.write(line + "\\n")
        book.flush()
        os.fsync(book.fileno())


def never_there(ctx, key, inputs):
    return NotFound(searched=inputs["deal"])


@dataclass(frozen=True, kw_only=True)
class Told:
    order_no: str


@bot(effect="reads")
def mumble(ctx: Context, *, deal: str) -> None:
    """does things

    Example:
        bot: hostile.mumble
        with:
          dael: D-1
    """


@bot(effect="changes", identity=("deal",), look_up=never_there)
def act_and_deny(ctx: Context, *, deal: str) -> Told:
    """Acts, and its look-up says that nothing is there.

    Example:
        bot: hostile.act_and_deny
        with:
          deal: D-1
    """
    ctx.commit({"deal": deal})
    write(deal)
    return Told(order_no="1")


@bot(effect="changes", identity=("deal",), look_up=never_there)
def act_unasked(ctx: Context, *, deal: str) -> Told:
    """Acts without having asked.

    Example:
        bot: hostile.act_unasked
        with:
          deal: D-1
    """
    write(deal)
    return Told(order_no="1")


@bot(effect="changes", identity=("deal",), look_up=never_there)
def act_twice(ctx: Context, *, deal: str) -> Told:
    """Acts twice in one call.

    Example:
        bot: hostile.act_twice
        with:
          deal: D-1
    """
    ctx.commit({"deal": deal})
    write(deal)
    write(deal)
    return Told(order_no="1")


@bot(effect="reads")
def tell_the_secret(ctx: Context, *, credential: CredentialName) -> Told:
    """Writes a password into a file of the run.

    Example:
        bot: hostile.tell_the_secret
        with:
          credential: shop
    """
    from interoffice.resources.secrets import CredentialStore

    state = Path(__file__).parents[2] / "state"
    password = CredentialStore(state).get(credential).part("password").reveal()
    (state / "note.txt").write_text(f"I know {password}")
    return Told(order_no="1")


@bot(effect="reads")
def promise(ctx: Context, *, deal: str) -> Told:
    """Declares an output and gives none.

    Example:
        bot: hostile.promise
        with:
          deal: D-1
    """
    return None
'''


def make_hostile(folder: Path) -> Path:
    """The project, its bots and nothing else."""
    for name in ("workflows", "bots/back_office"):
        (folder / name).mkdir(parents=True)
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "bots" / "back_office" / "hostile.py").write_text(BOTS)
    return folder


def acted(project: Path) -> int:
    """How often a bot of the project really acted."""
    book = project / "book.txt"
    return len(book.read_text().splitlines()) if book.exists() else 0
