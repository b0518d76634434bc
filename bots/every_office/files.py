"""Files: what stands in a folder, and moving it on."""

from __future__ import annotations

import fnmatch
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from interoffice.bot import Answer, Found, NotFound, bot
from interoffice.context import Context
from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.table import Table
from interoffice.model.types import DATE_TIME, FILE, NUMBER, TEXT
from interoffice.model.values import FileValue, Value

COLUMNS = {"file": FILE, "name": TEXT, "size_bytes": NUMBER, "sha256": TEXT, "modified": DATE_TIME}
SETTLED_AFTER_S = 5.0
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".partial", ".download")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """Files of a folder."""

    files: Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The file where it stands now."""

    file: FileValue


@bot(
    effect="reads",
    outputs={"files": "table of file: file, name: text, size_bytes: number, sha256: text, modified: date_time"},
)
def list(ctx: Context, *, folder: str, pattern: str) -> Listed:
    """The files of a folder that have settled, by name: not changed for 5 seconds, and the same after being read.

    Hidden files, lock files and those that another program is still fetching (.part, .crdownload ...) are left out; so
    are links that lead out of the folder. Folders below are not looked into.

    Error codes: folder_missing, file_refused (outside of what bots may read).

    Inputs:
        folder: the folder, below one of those that settings.yaml lets bots read
        pattern: which names, * stands for anything and ? for one sign, e.g. invoice_*.pdf

    Example:
        - id: arrival
          wait: files.list
          with:
            folder: inbox/bank
            pattern: 00123456_*.xml
          every: 5m
          until: files is not empty
          within: 2h
          if_late: stop
    """
    rows = []
    for path in ctx.files.listed(folder):
        if _is_unfinished(path.name) or not fnmatch.fnmatchcase(path.name, pattern):
            continue
        row = _settled(ctx, path)
        if row is None:
            ctx.log.info("file_not_settled", name=path.name)
        else:
            rows.append(row)
    return Listed(files=Table.from_rows(COLUMNS, rows))


def _is_unfinished(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower().endswith(UNFINISHED)


def _settled(ctx: Context, path: Path) -> dict[str, Value] | None:
    """The file's row; None while it may still be written."""
    try:
        before = path.stat()
        if abs(time.time() - before.st_mtime) < SETTLED_AFTER_S:
            return None
        file = ctx.files.held(path)
        after = path.stat()
    except FileNotFoundError:
        return None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return None
    return {
        "file": file,
        "name": path.name,
        "size_bytes": Decimal(file.size_bytes),
        "sha256": file.sha256,
        "modified": datetime.fromtimestamp(int(after.st_mtime), UTC),
    }


def _look_in_target(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    file, to = inputs["file"], str(inputs["to"])
    assert isinstance(file, FileValue)
    target = ctx.files.writable(f"{to}/{file.name}")
    if target.is_file() and ctx.files.held(target).sha256 == file.sha256:
        return Found(fields={"file": ctx.files.held(target)}, reference=f"{to}/{file.name}")
    return NotFound(searched=f"{file.name} in {to}")


@bot(effect="changes", identity=("file", "to"), look_up=_look_in_target)
def move(ctx: Context, *, file: FileValue, to: str) -> Moved:
    """Moves a file to another folder, never over another one.

    The folder is made where it is missing. A file of the same name and content that is there already is the same file;
    one of the same name with another content is a business error. The original must still be what the run took.

    Error codes: file_missing, file_changed, file_there (another file has that name), file_refused.

    Inputs:
        file: the file to move
        to: the folder it goes to, below one of those that settings.yaml lets bots write

    Example:
        - id: archive
          bot: files.move
          with:
            file: ${{ document.file }}
            to: archive/scans/${{ run.date }}
    """
    source = ctx.files.original(file)
    target = ctx.files.writable(f"{to}/{file.name}")
    if target.exists() and ctx.files.held(target).sha256 != file.sha256:
        raise BusinessError(f"{to} has another file called {file.name}; rename one of them", code="file_there")
    ctx.commit({"file": file, "to": to})
    try:
        _move(source, target)
    except OSError as error:
        wrong = f"{file.name} could not be moved to {to}: {error.strerror}"
        raise ApplicationError(wrong, code="file_not_written") from error
    return Moved(file=ctx.files.held(target))


def _move(source: Path, target: Path) -> None:
    """A second name, then the first one dropped: a link is never made over another file. Where it is, it stays."""
    if source == target:
        return
    if not target.exists():
        os.link(source, target)
    source.unlink()
