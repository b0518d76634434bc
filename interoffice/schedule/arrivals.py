"""What starts a run and is not a time: files and mails that arrive, queues that fill, other runs that end.

Each trigger is looked at every so often; `look` gives the firings that it finds, and raises InterofficeError while
it can't look. What has arrived once starts nothing again: the ledger keeps the digest of each file and the id of each
mail.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from interoffice.errors import ProjectError
from interoffice.model.schedule import watched_folder
from interoffice.model.work import ItemState
from interoffice.schedule.armed import Armed
from interoffice.store import Ledger, firings, queues
from interoffice.store.database import Transaction
from interoffice.store.firings import Firing

SETTLE_S: Final = 5.0
QUEUE_AGAIN: Final = timedelta(minutes=5)
"""A run that took nothing off its queue is followed by another only so much later, unless something new came."""
_PDF_END: Final = 2048
_CHUNK: Final = 1 << 20


class Trigger(Protocol):
    """Something that is looked at."""

    every_s: float

    def look(self, now: datetime, monotonic: float) -> list[Firing]:
        """What it finds. InterofficeError: it can't look just now."""

    def close(self) -> None:
        """Lets go of what it holds open."""


@dataclass
class FilesArrive:
    """Files of a pattern, taken when they have not changed for `settle` and are whole; the same content once."""

    armed: Armed
    ledger: Ledger
    folder: Path
    every_s: float = 1.0
    _seen: dict[str, tuple[tuple[int, int], float]] = field(default_factory=dict)
    _done: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, now: datetime, monotonic: float) -> list[Firing]:
        pattern = self.armed.schedule.when
        place = self.folder / watched_folder(pattern)
        if not place.is_dir():
            raise ProjectError(f"the folder {watched_folder(pattern) or '.'} that is watched is not there")
        ready: list[tuple[str, str]] = []
        there: set[str] = set()
        for path in sorted(self.folder.glob(pattern)):
            name = path.relative_to(self.folder).as_posix()
            stamp = None if path.name.startswith((".", "~$")) else _stamp(path)
            if stamp is None or not path.resolve().is_relative_to(place.resolve()):
                continue
            there.add(name)
            if self._done.get(name) == stamp or not self._is_settled(name, stamp, monotonic) or not is_whole(path):
                continue
            digest = digest_of(path)
            if digest is None or _stamp(path) != stamp:
                continue
            if self._has_arrived(digest):
                self._done[name] = stamp  # known to the ledger: not read again until it changes
            else:
                ready.append((name, digest))
        self._seen = {name: seen for name, seen in self._seen.items() if name in there}
        return self._firings(ready, now)

    def _has_arrived(self, digest: str) -> bool:
        return self.ledger.read(lambda tx: firings.has_arrived(tx, self.armed.id, digest))

    def _is_settled(self, name: str, stamp: tuple[int, int], monotonic: float) -> bool:
        settle = self.armed.schedule.settle
        known = self._seen.get(name)
        if known is None or known[0] != stamp:
            self._seen[name] = (stamp, monotonic)
            return False
        return monotonic - known[1] >= (SETTLE_S if settle is None else float(settle.total_seconds))

    def _firings(self, ready: list[tuple[str, str]], now: datetime) -> list[Firing]:
        unique = {digest: name for name, digest in reversed(ready)}
        names = sorted((name, digest) for digest, name in unique.items())
        batches = [names] if self.armed.schedule.one_run_per == "batch" else [[each] for each in names]
        return [_arrived(self.armed, batch, now, "files", "file") for batch in batches if batch]

    def close(self) -> None:
        self._seen.clear()


@dataclass
class MailArrives:
    """Mails of a folder, each once by its Message-ID. The mailbox is opened anew for each look, so that a server which
    was away is simply there again."""

    armed: Armed
    ledger: Ledger
    ids: Callable[[str, str], tuple[str, ...]]
    every_s: float = 10.0

    def look(self, now: datetime, monotonic: float) -> list[Firing]:
        schedule = self.armed.schedule
        found = self.ids(schedule.when, schedule.folder or "INBOX")
        known = self.ledger.read(lambda tx: {each for each in found if firings.has_arrived(tx, self.armed.id, each)})
        new = [(each, each) for each in found if each not in known]
        batches = [[each] for each in new] if schedule.one_run_per == "file" else [new]
        return [_arrived(self.armed, batch, now, "messages", "message") for batch in batches if batch]

    def close(self) -> None:
        pass


@dataclass
class QueueFills:
    """A queue on which enough waits, while fewer runs than allowed work it."""

    armed: Armed
    ledger: Ledger
    every_s: float = 1.0

    def look(self, now: datetime, monotonic: float) -> list[Firing]:
        schedule = self.armed.schedule
        waiting = self.ledger.read(queues.counts).get(schedule.when, {}).get(ItemState.NEW, 0)
        if waiting < schedule.min_items:
            return []
        active = self.ledger.read(lambda tx: firings.active(tx, self.armed.id))
        if active >= schedule.max_runs:
            return []
        last = self.ledger.read(lambda tx: firings.of_schedule(tx, self.armed.id, 1))
        newest = self.ledger.read(lambda tx: firings.last_of_queue(tx, schedule.when))
        if last and now - last[0].planned_at < QUEUE_AGAIN:
            is_new = newest is not None and newest > last[0].planned_at
            if not is_new and waiting >= last[0].brought.get("waiting", 0):
                return []  # the last run took nothing
        # Two schedulers that look at once name it alike: by the run that was the last, and the place beside it.
        before = last[0].occasion if last else "none"
        occasion = f"queue {hashlib.sha256(f'{before} {active}'.encode()).hexdigest()[:16]}"
        brought = {"queue": schedule.when, "waiting": waiting}
        return [Firing(schedule_id=self.armed.id, occasion=occasion, planned_at=now, not_before=now, brought=brought)]

    def close(self) -> None:
        pass


@dataclass
class RunEnds:
    """Another workflow's run ended well; its planned time is the new run's too."""

    armed: Armed
    ledger: Ledger
    environment: str
    every_s: float = 1.0

    def look(self, now: datetime, monotonic: float) -> list[Firing]:
        known = self.ledger.read(lambda tx: firings.schedule(tx, self.armed.id))
        if known is None:
            return []
        workflow = self.armed.schedule.when
        ended = self.ledger.read(
            lambda tx: firings.runs_after(tx, self.armed.id, workflow, self.environment, known.armed_at)
        )
        return [
            Firing(
                schedule_id=self.armed.id, occasion=f"run {run_id}", planned_at=planned, not_before=now,
                brought={"run": run_id, "workflow": workflow},
            )
            for run_id, planned in ended
        ]  # fmt: skip

    def close(self) -> None:
        pass


@dataclass
class CallsCome:
    """Signed calls, which come by themselves: a look only tells whether somebody listens."""

    problem: Callable[[], str]
    every_s: float = 1.0

    def look(self, now: datetime, monotonic: float) -> list[Firing]:
        if self.problem():
            raise ProjectError(self.problem())
        return []

    def close(self) -> None:
        pass


def record(ledger: Ledger, found: list[Firing], now: datetime) -> int:
    """Puts what triggers found into the ledger, with what arrived; how many were new."""

    def write(tx: Transaction) -> int:
        count = 0
        for firing in found:
            arrived = firing.brought.get("arrived", {})
            new = [
                firings.arrive(tx, firing.schedule_id, content, name, firing.occasion, now)
                for content, name in arrived.items()
            ]
            if arrived and not any(new):
                continue
            count += firings.add(tx, firing, now)
        return count

    return ledger.write(write) if found else 0


def _arrived(armed: Armed, batch: list[tuple[str, str]], now: datetime, many: str, one: str) -> Firing:
    names, contents = [name for name, _ in batch], [content for _, content in batch]
    occasion = f"{one} {contents[0]}" if len(batch) == 1 else f"{many} {_digest_of_all(contents)}"
    brought = {many: names, one: names[0], "arrived": dict(zip(contents, names, strict=True))}
    return Firing(schedule_id=armed.id, occasion=occasion, planned_at=now, not_before=now, brought=brought)


def _digest_of_all(contents: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(contents)).encode()).hexdigest()


def is_whole(path: Path) -> bool:
    """Whether a file has its end: a workbook's directory, a PDF's last line. Other kinds show no end: True."""
    try:
        with open(path, "rb") as file:
            begin = file.read(5)
            if begin.startswith(b"PK"):
                return zipfile.is_zipfile(path)
            if begin == b"%PDF-":
                file.seek(max(0, path.stat().st_size - _PDF_END))
                return b"%%EOF" in file.read()
        return True
    except OSError:
        return False


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file's content; None while it can't be read (somebody still holds it)."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if path.is_file() else None
