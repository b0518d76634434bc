"""Heads of the audit, kept outside the database against whoever shortens it or rewrites the whole chain.

One line of JSON a head, in state/audit_heads.jsonl and wherever settings.yaml sends copies (`audit: heads_to:`):

    {"seq": 412, "hash": "9f2c...", "at": "2026-11-26T18:00:00.000000Z"}

The database remembers which heads went into which file, so that a file that is gone or cut off is missed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from interoffice.errors import ProjectError
from interoffice.frozen import dataclass

FILE: Final = "audit_heads.jsonl"
TAIL_BYTES: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The audit's last entry at a moment. `at`: UTC, as the ledger writes times."""

    seq: int
    hash: str
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadFiles:
    """Where heads are kept: in state/, and in the folders of `copies`, counted from the project."""

    state: Path
    project: Path
    copies: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """What the database calls the files: the one in state/ by its name alone, so that a project may move."""
        return (FILE, *(f"{folder.rstrip('/')}/{FILE}" for folder in self.copies))

    def path(self, name: str) -> Path:
        """Where a file is that the database has a name of, one that the settings no longer name too."""
        return self.state / FILE if name == FILE else self.project / name


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What a file holds: its heads, oldest first, and the numbers of lines that no head can be read in."""

    heads: tuple[Head, ...] = ()
    damaged: tuple[int, ...] = ()


def keep(head: Head, file: Path) -> bool:
    """Adds the head to the file, synced to the disk; False where it is the last one there already."""
    last = _last(file)
    if last is not None and (last.seq, last.hash) == (head.seq, head.hash):
        return False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+b") as opened:
            cut_off = opened.tell() > 0 and not _ends_a_line(file)
            opened.write((b"\n" if cut_off else b"") + json.dumps(asdict(head)).encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise ProjectError(f"The audit's head can't be written to {file}: {error.strerror}.") from error
    return True


def _ends_a_line(file: Path) -> bool:
    with file.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read() == b"\n"


def read(file: Path) -> Kept:
    """What the file holds; nothing where it is not there."""
    if not file.is_file():
        return Kept()
    heads: list[Head] = []
    damaged: list[int] = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            head = _head(line.decode("utf-8", "replace"))
            if head is None:
                damaged.append(number)
            else:
                heads.append(head)
    return Kept(heads=tuple(heads), damaged=tuple(damaged))


def why_not_whole(file: Path, remembered: Sequence[Head]) -> str | None:
    """What is wrong with a file in which the heads `remembered` were kept; None: nothing."""
    if not remembered:
        return None
    if not file.is_file():
        return f"{file} is gone, in which {_heads(len(remembered))} of the audit {_were(len(remembered))} kept"
    there = {(head.seq, head.hash) for head in read(file).heads}
    lost = sum((head.seq, head.hash) not in there for head in remembered)
    return f"{file} lacks {lost} of the {_heads(len(remembered))} that were kept in it" if lost else None


def _heads(count: int) -> str:
    return f"{count} head" if count == 1 else f"{count} heads"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _last(file: Path) -> Head | None:
    """The last whole line; None where there is none."""
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - TAIL_BYTES))
        tail = opened.read().decode("utf-8", "replace").splitlines()
    return next((head for line in reversed(tail) if (head := _head(line)) is not None), None)


def _head(line: str) -> Head | None:
    try:
        said = json.loads(line)
        return Head(seq=int(said["seq"]), hash=str(said["hash"]), at=str(said["at"]))
    except (ValueError, KeyError, TypeError):
        return None
