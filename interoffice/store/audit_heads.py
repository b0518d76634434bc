"""Heads of the audit, kept outside the database against whoever shortens it or rewrites the whole chain.

One line of JSON a head, in state/audit_heads.jsonl and wherever settings.yaml sends copies (`audit: heads_to:`):

    {"seq": 412, "hash": "9f2c...", "at": "2026-11-26T18:00:00.000000Z"}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
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


def files(state: Path, project: Path, copies: Iterable[str]) -> tuple[Path, ...]:
    """Where heads are kept: in state/, and in the folders of `copies`, counted from the project."""
    return (state / FILE, *(project / folder / FILE for folder in copies))


def keep(head: Head | None, files: Iterable[Path]) -> None:
    """Adds the head to each file, synced to the disk, where it is not the last one there already."""
    if head is None:
        return
    for file in files:
        last = _last(file)
        if last is not None and (last.seq, last.hash) == (head.seq, head.hash):
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(asdict(head)) + "\n")
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            raise ProjectError(f"The audit's head can't be written to {file}: {error.strerror}.") from error


def read(file: Path) -> Iterator[Head]:
    """The heads in a file, oldest first; none where it is not there. A line that was cut off is passed over."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if (head := _head(line)) is not None:
                yield head


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
