"""The ERP's append-only ledger: what was really posted, and every attempt to sign in. The referee of all tests.

One SQLite file in the office's folder. Each line is durable (synchronous=FULL) before the ERP answers, triggers refuse
every change and deletion, and it can be read from another process, also after the server was killed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE_NAME = "erp_ledger.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS postings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, user TEXT NOT NULL, kind TEXT NOT NULL,
    number TEXT NOT NULL UNIQUE, fields TEXT NOT NULL, session TEXT NOT NULL, request TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sign_ins (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, user TEXT NOT NULL, outcome TEXT NOT NULL,
    session TEXT NOT NULL, request TEXT NOT NULL
) STRICT;
"""
_GUARD = (
    "CREATE TRIGGER IF NOT EXISTS {table}_no_{act} BEFORE {act} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """One posted document. `fields` as the ERP understood them: texts, ISO dates, amounts like "48500.00", `lines`."""

    seq: int
    at: datetime
    user: str
    kind: str
    number: str
    fields: Mapping[str, Any]
    session: str
    request: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """One attempt: signed_in, wrong_password, unknown_user, wrong_code, locked; also signed_out and unlocked."""

    seq: int
    at: datetime
    user: str
    outcome: str
    session: str
    request: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """Who did it: the ERP's user, the browser session and the request."""

    user: str
    session: str
    request: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberRange:
    """How documents of a kind are numbered: `SO-` and eight digits, beginning with `first`."""

    prefix: str
    digits: int
    first: int

    def number(self, already: int) -> str:
        """The number of the next document when so many have one already."""
        return f"{self.prefix}{self.first + already:0{self.digits}}"


class Ledger:
    """The ERP's own door to the ledger: it appends. Only one ERP writes at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / FILE_NAME, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA busy_timeout=5000")
        guards = [_GUARD.format(table=t, act=a) for t in ("postings", "sign_ins") for a in ("UPDATE", "DELETE")]
        self._db.executescript(_SCHEMA + "".join(guards))
        self._postings = list(_read_postings(self._db))
        self._sign_ins = list(_read_sign_ins(self._db))

    def post(self, *, kind: str, numbers: NumberRange, fields: Mapping[str, Any], by: Signature) -> Posting:
        """Appends a document under the next number of its kind, e.g. SO-00001001, and returns it once it is durable."""
        text = json.dumps(fields, ensure_ascii=False, sort_keys=True)
        with self._lock:
            with self._transaction():
                number = numbers.number(self._count(kind))
                at = datetime.now(UTC)
                seq = self._append(
                    "INSERT INTO postings (at, user, kind, number, fields, session, request) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (at.isoformat(), by.user, kind, number, text, by.session, by.request),
                )
            posting = Posting(
                seq=seq, at=at, user=by.user, kind=kind, number=number, fields=json.loads(text),
                session=by.session, request=by.request,
            )
            self._postings.append(posting)
        return posting

    def note_sign_in(self, outcome: str, by: Signature) -> SignIn:
        """Appends an attempt to sign in."""
        with self._lock:
            with self._transaction():
                at = datetime.now(UTC)
                seq = self._append(
                    "INSERT INTO sign_ins (at, user, outcome, session, request) VALUES (?, ?, ?, ?, ?)",
                    (at.isoformat(), by.user, outcome, by.session, by.request),
                )
            entry = SignIn(seq=seq, at=at, user=by.user, outcome=outcome, session=by.session, request=by.request)
            self._sign_ins.append(entry)
        return entry

    def postings(self, kind: str | None = None) -> list[Posting]:
        """All documents, or those of one kind, oldest first."""
        return [posting for posting in tuple(self._postings) if kind in (None, posting.kind)]

    def sign_ins(self, user: str | None = None) -> list[SignIn]:
        """All attempts to sign in, or those under one user name, oldest first."""
        return [entry for entry in tuple(self._sign_ins) if user in (None, entry.user)]

    def wrong_passwords(self, user: str) -> int:
        """How many passwords in a row were wrong since the last good one, or since the account was unlocked."""
        count = 0
        for entry in reversed(self.sign_ins(user)):
            if entry.outcome in ("signed_in", "unlocked"):
                break
            count += entry.outcome in ("wrong_password", "wrong_code")
        return count

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._db.close()

    def _count(self, kind: str) -> int:
        row = self._db.execute("SELECT count(*) FROM postings WHERE kind = ?", (kind,)).fetchone()
        return int(row[0])

    def _append(self, statement: str, values: tuple[str, ...]) -> int:
        return int(self._db.execute(statement, values).lastrowid or 0)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerCopy:
    """What stood in the ledger when it was read."""

    all_postings: tuple[Posting, ...]
    all_sign_ins: tuple[SignIn, ...]

    def postings(self, kind: str | None = None) -> list[Posting]:
        """All documents, or those of one kind, oldest first."""
        return [posting for posting in self.all_postings if kind in (None, posting.kind)]

    def sign_ins(self, user: str | None = None) -> list[SignIn]:
        """All attempts to sign in, or those under one user name, oldest first."""
        return [entry for entry in self.all_sign_ins if user in (None, entry.user)]


def read_ledger(folder: Path) -> LedgerCopy:
    """The ledger of the office in this folder, read by anybody at any time; empty where nothing was ever posted."""
    file = folder / FILE_NAME
    if not file.exists():
        return LedgerCopy(all_postings=(), all_sign_ins=())
    with closing(sqlite3.connect(file, timeout=5)) as db:
        db.execute("PRAGMA query_only=ON")
        return LedgerCopy(all_postings=tuple(_read_postings(db)), all_sign_ins=tuple(_read_sign_ins(db)))


def _read_postings(db: sqlite3.Connection) -> Iterator[Posting]:
    for row in db.execute("SELECT seq, at, user, kind, number, fields, session, request FROM postings ORDER BY seq"):
        yield Posting(
            seq=row[0], at=datetime.fromisoformat(row[1]), user=row[2], kind=row[3], number=row[4],
            fields=json.loads(row[5]), session=row[6], request=row[7],
        )


def _read_sign_ins(db: sqlite3.Connection) -> Iterator[SignIn]:
    for row in db.execute("SELECT seq, at, user, outcome, session, request FROM sign_ins ORDER BY seq"):
        yield SignIn(
            seq=row[0], at=datetime.fromisoformat(row[1]), user=row[2], outcome=row[3], session=row[4], request=row[5]
        )
