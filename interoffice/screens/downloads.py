"""Files that a screen brings: pressed, waited for, kept under their digest, checked."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Download, Error

from interoffice.errors import ApplicationError
from interoffice.model.selectors import Screen
from interoffice.model.values import FileValue
from interoffice.screens.session import Session


def download(session: Session, screen: Screen, name: str, folder: Path) -> FileValue:
    """The file that a `downloads:` button brings, in `folder` under its digest."""
    place = session.finder.place(screen, name)
    ending = place.element.downloads
    if ending is None:
        raise ApplicationError(f'"{name}" of {session.here} brings no file: it has no `downloads`', transient=False)
    count = _count(session, screen)
    within_s = float(place.element.within_s) if place.element.within_s is not None else session.patience_s
    session.web.downloads.clear()
    session.press(screen, name)
    arrived = _wait_for(session, name, within_s)
    file = _keep(arrived, folder, session, name)
    _check(file, ending, count, f'"{name}" of {session.here}')
    return file


def _wait_for(session: Session, name: str, within_s: float) -> Download:
    deadline = time.monotonic() + within_s
    sight = session.look()
    while not session.web.downloads:
        session.refuse_broken(sight)
        if time.monotonic() > deadline:
            message = f'"{name}" of {session.here} was pressed, and no file came within {within_s:g} s'
            raise ApplicationError(message, code="no_file")
        sight = session.look(since=sight.movement.moves)
    session.web.call("stay")
    return session.web.downloads.pop(0)


def _keep(arrived: Download, folder: Path, session: Session, name: str) -> FileValue:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{name}.part"
    try:
        arrived.save_as(temporary)
    except Error as error:
        why = arrived.failure() or str(error).splitlines()[0]
        message = f'the file that "{name}" of {session.here} brings broke off: {why}'
        raise ApplicationError(message, code="no_file") from error
    data = temporary.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    claimed = Path(arrived.suggested_filename.replace("\\", "/")).name or name
    kept = folder / f"{digest}{Path(claimed).suffix.lower()}"
    temporary.replace(kept)
    return FileValue(path=str(kept), name=claimed, sha256=digest, size_bytes=len(data))


def _count(session: Session, screen: Screen) -> int | None:
    """How many rows the screen says that there are, where it says so."""
    grid = screen.grids[0].grid if len(screen.grids) == 1 else None
    if grid is None or grid.count is None:
        return None
    place = session.finder.place(screen, grid.count)
    value = session.settle([place]).state(place).value
    return int(value) if isinstance(value, Decimal) else None


def _check(file: FileValue, ending: str, count: int | None, said: str) -> None:
    if file.size_bytes == 0:
        raise ApplicationError(f"{said} brought an empty file", code="empty_file")
    if ending != "csv" or count is None:
        return
    rows = count_csv_rows(Path(file.path).read_bytes())
    if rows is not None and rows != count:
        message = f"{said} brought {rows} rows, but the screen says {count}"
        raise ApplicationError(message, code="incomplete")


def count_csv_rows(data: bytes) -> int | None:
    """The records behind the header; None for a file that isn't UTF-8, whose reader finds out what is wrong."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    header = text.partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    rows = sum(1 for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row))
    return max(0, rows - 1)
