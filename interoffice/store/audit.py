"""The audit: append-only entries in a hash chain, written in the transaction of what they tell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial

from interoffice.frozen import dataclass
from interoffice.store.audit_heads import Head, HeadFiles, read, why_not_whole
from interoffice.store.database import Database, Row, Transaction
from interoffice.store.migrations import triggers
from interoffice.store.reading import audit_view, text_of
from interoffice.store.statements import statements
from interoffice.store.views import AuditView

FIRST = "0" * 64
BEFORE_ALL = -(1 << 63)
_SQL = statements("office")


def write(
    tx: Transaction,
    *,
    now: datetime,
    actor: str,
    act: str,
    run_id: str = "",
    subject: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    """One entry. `actor`: a person's id, `bot module.function`, or `engine`; `act` a fixed word like `item.edited`."""
    head = tx.row(_SQL["audit_head"])
    previous = FIRST if head is None else head["hash"]
    entry = {
        "seq": 1 if head is None else head["seq"] + 1,
        "at": text_of(now),
        "actor": actor,
        "act": act,
        "run_id": run_id,
        "subject": subject,
        "details": json.dumps(details or {}, ensure_ascii=False, sort_keys=True),
        "previous": previous,
    }
    tx.run(_SQL["audit_insert"], {**entry, "hash": _hash(entry)})


def _hash(entry: Mapping[str, object]) -> str:
    fields = [entry[name] for name in ("seq", "at", "actor", "act", "run_id", "subject", "details", "previous")]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFault:
    """Something that was done to the audit. `seq`: at which entry; None: to the database as a whole."""

    seq: int | None
    why: str

    def __str__(self) -> str:
        return self.why if self.seq is None else f"entry {self.seq} {self.why}"


def faults(database: Database, files: HeadFiles | None = None) -> tuple[AuditFault, ...]:
    """What does not fit: in the chain, against the heads that were kept, in their files, in the database's guards."""
    remembered = database.read(_remembered)
    names = dict.fromkeys([*(files.names() if files is not None else ()), *remembered])
    paths = {name: files.path(name) for name in names} if files is not None else {}
    kept = [head for heads in remembered.values() for head in heads]
    kept += [head for path in paths.values() for head in read(path).heads]
    why = (why_not_whole(path, remembered.get(name, ())) for name, path in paths.items())
    gone = [AuditFault(seq=None, why=each) for each in why if each is not None]
    return (*database.read(_guards_changed), *gone, *_entries_against(database, tuple(dict.fromkeys(kept))))


def _remembered(tx: Transaction) -> dict[str, list[Head]]:
    """The heads that the database knows to be kept in each file."""
    found: dict[str, list[Head]] = {}
    for row in tx.rows(_SQL["kept_heads"]):
        found.setdefault(row["file"], []).append(Head(seq=row["seq"], hash=row["hash"], at=row["at"]))
    return found


def _entries_against(database: Database, kept: tuple[Head, ...]) -> Iterator[AuditFault]:
    """The chain, and in the same pass the entries that `kept` knows."""
    wanted = {head.seq for head in kept}
    found: dict[int, str] = {}

    def noting(rows: Iterable[Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
        for row in rows:
            if row["seq"] in wanted:
                found[int(str(row["seq"]))] = str(row["hash"])
            yield row

    yield from chain_faults(noting(_all(database)))
    yield from (fault for head in kept if (fault := _head_fault(head, found.get(head.seq))) is not None)


def _guards_changed(tx: Transaction) -> list[AuditFault]:
    """The database's triggers against those of the migrations, word by word: a guard may be there and do nothing."""
    there = {row["name"]: row["sql"] for row in tx.rows(_SQL["triggers"])}
    wanted = triggers()
    why = [f"the database no longer has its guard {name}" for name in sorted(wanted.keys() - there.keys())]
    why += [f"the guard {name} of the database says something else" for name in _others(there, wanted)]
    why += [f"the database has a trigger that is not its own: {name}" for name in sorted(there.keys() - wanted.keys())]
    return [AuditFault(seq=None, why=each) for each in why]


def _others(there: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    return [name for name in sorted(wanted.keys() & there.keys()) if there[name] != wanted[name]]


def _head_fault(head: Head, stored: str | None) -> AuditFault | None:
    if stored is None:
        return AuditFault(seq=head.seq, why=f"stood in the audit on {head.at} and is gone")
    if stored != head.hash:
        return AuditFault(seq=head.seq, why=f"is another one than stood in the audit on {head.at}")
    return None


def chain_faults(rows: Iterable[Mapping[str, object]]) -> Iterator[AuditFault]:
    """Entries, oldest first, that do not fit the chain: changed, missing, out of place, or not after the one before."""
    previous, expected = FIRST, 1
    for row in rows:
        seq = int(str(row["seq"]))
        if seq > expected:
            more = f", and all up to {seq - 1}" if seq > expected + 1 else ""
            yield AuditFault(seq=expected, why=f"is missing{more}")
        elif seq < expected:
            yield AuditFault(seq=seq, why="is out of place")
        if row["hash"] != _hash(row):
            yield AuditFault(seq=seq, why="was changed: its own hash does not fit it")
        elif row["previous"] != previous:
            yield AuditFault(seq=seq, why="does not follow the entry before it")
        previous, expected = str(row["hash"]), seq + 1


def broken_at(database: Database) -> int | None:
    """The first entry that does not fit the chain, None when all do."""
    return next((fault.seq for fault in chain_faults(_all(database))), None)


def raw(database: Database) -> Iterator[Mapping[str, object]]:
    """Every entry as it is stored, oldest first: what an export holds, so that it can be verified alone."""
    return _all(database)


def head(tx: Transaction, now: datetime) -> Head | None:
    """The last entry as it is kept outside the database; None of an empty audit."""
    row = tx.row(_SQL["audit_head"])
    return None if row is None else Head(seq=row["seq"], hash=row["hash"], at=text_of(now))


def remember_head(tx: Transaction, head: Head, files: Iterable[str]) -> None:
    """Remembers that the head was kept in these files, by the names that `HeadFiles` has for them."""
    for file in files:
        tx.run(_SQL["keep_head"], {"file": file, "seq": head.seq, "hash": head.hash, "at": head.at})


def _all(database: Database) -> Iterator[Mapping[str, object]]:
    after = BEFORE_ALL
    while rows := database.read(partial(_after, after)):
        for row in rows:
            yield dict(row)
        after = rows[-1]["seq"]


def _after(after: int, tx: Transaction) -> list[Row]:
    return tx.rows(_SQL["audit_all"], {"after": after})


def entries(tx: Transaction, *, run_id: str | None, act: str | None, limit: int) -> tuple[AuditView, ...]:
    """The newest entries, oldest first."""
    values = {"run_id": run_id, "act": act, "limit": limit}
    return tuple(audit_view(row) for row in tx.rows(_SQL["audit"], values))
