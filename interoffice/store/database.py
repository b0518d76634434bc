"""The database under the ledger: SQLite in WAL with synchronous=FULL, one writer at a time, many readers.

Writes of several threads that meet are put into one durable transaction (each behind its own savepoint), so that four
lanes pay for one fsync and not for four. Nobody is told that its write is done before that transaction is on the disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from interoffice.errors import ProjectError
from interoffice.store.migrations import migrate

T = TypeVar("T")
Row = sqlite3.Row
Values = Mapping[str, object]

BUSY_TIMEOUT_S: Final = 30.0


class Transaction:
    """What a write or a read may do: run statements. It ends with the function it was given to."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, values: Values | Sequence[object] = ()) -> int:
        """How many rows the statement touched."""
        return self._connection.execute(statement, values).rowcount

    def run_many(self, statement: str, values: Iterable[Values]) -> None:
        """The statement once per entry."""
        self._connection.executemany(statement, values)

    def row(self, statement: str, values: Values | Sequence[object] = ()) -> Row | None:
        """The first row, None if there is none."""
        found: Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def rows(self, statement: str, values: Values | Sequence[object] = ()) -> list[Row]:
        """All rows."""
        return self._connection.execute(statement, values).fetchall()


class _Job(Generic[T]):
    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Transaction], T]) -> None:
        self.work = work
        self.result: T | None = None
        self.error: BaseException | None = None
        self.done = False


class Database:
    """An open SQLite file. Threads may share it; processes open their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._jobs: deque[_Job[Any]] = deque()
        self._writing = threading.Lock()
        self._readers: deque[sqlite3.Connection] = deque()
        self._writer = _connect(path)

    @classmethod
    def open(cls, path: Path) -> Database:
        """The database of this file, made and brought to the newest schema if need be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            database = cls(path)
            migrate(database._writer)
        except sqlite3.Error as error:
            raise _plain(error, path) from error
        except OSError as error:
            raise ProjectError(f"The ledger {path} can't be opened: {error.strerror or error}.") from error
        return database

    def write(self, work: Callable[[Transaction], T]) -> T:
        """What `work` gives, after all it wrote is on the disk; an exception in it undoes its own writes only."""
        job = _Job(work)
        self._jobs.append(job)
        with self._writing:
            if not job.done:
                self._work_off()
        if job.error is not None:
            raise job.error
        result: T = job.result  # type: ignore[assignment]
        return result

    def read(self, work: Callable[[Transaction], T]) -> T:
        """What `work` gives on one unchanging picture of the ledger."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            try:
                return work(Transaction(connection))
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _plain(error, self.path) from error
        finally:
            self._readers.append(connection)

    def _reader(self) -> sqlite3.Connection:
        """A connection that nobody reads with just now."""
        try:
            return self._readers.pop()
        except IndexError:
            pass
        try:
            return _connect(self.path)
        except sqlite3.Error as error:
            raise _plain(error, self.path) from error

    def close(self) -> None:
        """All connections closed; the write-ahead log is folded into the file."""
        while self._readers:
            self._readers.pop().close()
        self._writer.close()

    def _work_off(self) -> None:
        jobs: list[_Job[Any]] = []
        while self._jobs:
            jobs.append(self._jobs.popleft())
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._work_one(job, alone=len(jobs) == 1)
            self._writer.execute("COMMIT")
        except BaseException as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for job in jobs:
                job.error = _plain(error, self.path) if isinstance(error, sqlite3.Error) else error
        for job in jobs:
            job.done = True

    def _work_one(self, job: _Job[Any], *, alone: bool) -> None:
        if alone:
            job.result = job.work(Transaction(self._writer))
            return
        self._writer.execute("SAVEPOINT one")
        try:
            job.result = job.work(Transaction(self._writer))
        except BaseException as error:
            if not self._writer.in_transaction:
                raise
            self._writer.execute("ROLLBACK TO one")
            job.error = error
        self._writer.execute("RELEASE one")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _plain(error: sqlite3.Error, path: Path) -> Exception:
    """The same in words of the operator; an integrity error stays what it is, since its caller knows what it means."""
    if isinstance(error, sqlite3.IntegrityError):
        return error
    said = str(error)
    if "full" in said:
        return ProjectError(f"The disk that holds {path} is full: nothing more is recorded; free space, then resume.")
    if "locked" in said or "busy" in said:
        return ProjectError(
            f"Another process has held {path} for over {BUSY_TIMEOUT_S:.0f} s; see what runs, then try again."
        )
    if "malformed" in said or "not a database" in said:
        return ProjectError(f"{path} is damaged ({said}); put back the last copy of the folder it is in.")
    if "unable to open" in said or "readonly" in said:
        return ProjectError(f"{path} can't be opened for writing ({said}); look at the folder and its permissions.")
    return ProjectError(f"The ledger {path} could not be read or written: {said}.")
