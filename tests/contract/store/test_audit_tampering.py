"""200 tamperings with the audit, each different, each detected, and the entry named."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from interoffice.store import Ledger, audit
from interoffice.store.audit_heads import FILE, HeadFiles, read
from interoffice.store.migrations import triggers

ENTRIES = 60
TAMPERINGS = 200
NOW = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
FIELDS = ("at", "actor", "act", "run_id", "subject", "details", "previous", "hash")
REST = "act, run_id, subject, details, previous, hash"
Row = dict[str, object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with its heads kept outside, at every tenth entry and at the end."""
    folder = tmp_path_factory.mktemp("audit")
    ledger = Ledger.open(folder / "ledger.db")
    for number in range(1, ENTRIES + 1):
        ledger.write(
            partial(
                audit.write, now=NOW, actor=f"person{number % 7}", act="item.edited", run_id=f"R-{number % 5}",
                subject=f"I-{number}", details={"amount": str(number * 17), "was": str(number)},
            )
        )  # fmt: skip
        if number % 10 == 0:
            ledger.keep_audit_head(beside(folder), NOW)
    ledger.close()
    return folder


def beside(folder: Path, *copies: str) -> HeadFiles:
    """The heads files of a project in a folder, its state the folder itself."""
    return HeadFiles(state=folder, project=folder, copies=copies)


def rows_of(folder: Path) -> list[Row]:
    with sqlite3.connect(folder / "ledger.db") as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY seq")]


def chained(rows: list[Row]) -> list[Row]:
    """The rows with every hash made anew, as somebody would who knows how the chain is made."""
    previous = audit.FIRST
    for row in rows:
        row["previous"] = previous
        previous = row["hash"] = audit._hash(row)
    return rows


# each gives the tampered rows, and the entry that must be named


def changed(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    row, field = chance.choice(rows), chance.choice(FIELDS)
    text = str(row[field])
    at = chance.randrange(len(text)) if text else 0
    row[field] = text[:at] + chance.choice("abcdefxyz0123456789") + text[at + 1 :]
    if row[field] == text:
        row[field] = text + "!"
    return rows, int(str(row["seq"]))


def changed_and_hashed(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    """The entry's own hash fits again: then it is the next one that doesn't follow, or the head kept outside."""
    row = chance.choice(rows)
    row["details"] = '{"amount": "999999"}'
    row["hash"] = audit._hash(row)
    return rows, min(int(str(row["seq"])) + 1, ENTRIES)


def taken_out(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    gone = rows.pop(chance.randrange(len(rows)))
    return rows, int(str(gone["seq"]))


def taken_out_and_chained(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    """Taken out, the rest numbered and hashed anew: only the heads kept outside tell."""
    at = chance.randrange(len(rows))
    rows.pop(at)
    for number, row in enumerate(rows, start=1):
        row["seq"] = number
    return chained(rows), (at // 10 + 1) * 10


def swapped(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    one, other = sorted(chance.sample(range(len(rows)), 2))
    for field in FIELDS:
        rows[one][field], rows[other][field] = rows[other][field], rows[one][field]
    return rows, one + 1


def put_in(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    """An entry that never was, put between, the rest numbered and hashed anew: only the heads kept outside tell."""
    at = chance.randrange(1, len(rows))
    new = dict(rows[at]) | {"actor": "nobody", "act": "approval.approved"}
    rows.insert(at, new)
    for number, row in enumerate(rows, start=1):
        row["seq"] = number
    return chained(rows), (at // 10 + 1) * 10


def cut_off(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    left = chance.randrange(0, len(rows) - 1)
    return rows[:left], (left // 10 + 1) * 10


def rewritten(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    at = chance.randrange(len(rows))
    rows[at]["actor"] = "somebody.else"
    return chained(rows), (at // 10 + 1) * 10


def numbered_before_the_first(rows: list[Row], chance: random.Random) -> tuple[list[Row], int]:
    number = -chance.randrange(0, 9)
    return [dict(rows[0]) | {"seq": number}, *rows], number


WAYS: tuple[Callable[[list[Row], random.Random], tuple[list[Row], int]], ...] = (
    changed, changed_and_hashed, taken_out, taken_out_and_chained, swapped, put_in, cut_off, rewritten,
    numbered_before_the_first,
)  # fmt: skip


def test_two_hundred_tamperings_are_all_detected_and_the_entry_named(made: Path, tmp_path: Path) -> None:
    chance = random.Random(20261126)
    whole = rows_of(made)
    for number in range(TAMPERINGS):
        way = WAYS[number % len(WAYS)]
        rows, named = way([dict(row) for row in whole], chance)
        target = tmp_path / f"{number}.db"
        target.write_bytes((made / "ledger.db").read_bytes())
        write(target, rows)
        ledger = Ledger.open(target)
        found = ledger.audit_faults(beside(made))
        ledger.close()
        assert found, f"{number}: {way.__name__} was not detected"
        assert named in {fault.seq for fault in found}, f"{number}: {way.__name__} of {named}: {found[:3]}"


def write(target: Path, rows: list[Row], *, remember: bool = False) -> None:
    """Puts these rows into the audit, and every guard back, as somebody with the file in hand can; the database
    forgets what was kept of it, too, unless it is told to `remember`."""
    with sqlite3.connect(target) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        kept = [(name, sql) for name, sql in guards]
        for name, _ in kept:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM audit")
        if not remember:
            connection.execute("DELETE FROM kept_heads")
        names = ("seq", *FIELDS)
        words = ", ".join(f":{name}" for name in names)
        connection.executemany(f"INSERT INTO audit ({', '.join(names)}) VALUES ({words})", rows)
        for _, sql in kept:
            connection.execute(sql)


def test_an_untouched_audit_has_no_fault(made: Path) -> None:
    ledger = Ledger.open(made / "ledger.db")
    assert ledger.audit_faults(beside(made)) == ()
    ledger.close()


def a_copy(made: Path, folder: Path) -> Path:
    """The ledger and its heads, in a folder of their own; gives the ledger's file."""
    for name in ("ledger.db", FILE):
        (folder / name).write_bytes((made / name).read_bytes())
    return folder / "ledger.db"


def faults_in(folder: Path) -> list[str]:
    ledger = Ledger.open(folder / "ledger.db")
    try:
        return [str(fault) for fault in ledger.audit_faults(beside(folder))]
    finally:
        ledger.close()


def test_an_end_cut_off_is_found_with_the_heads_file_deleted_too(made: Path, tmp_path: Path) -> None:
    target = a_copy(made, tmp_path)
    write(target, rows_of(made)[:55], remember=True)
    (tmp_path / FILE).unlink()
    assert faults_in(tmp_path) == [
        f"{tmp_path / FILE} is gone, in which 6 heads of the audit were kept",
        "entry 60 stood in the audit on 2026-11-26T18:00:00.000000Z and is gone",
    ]


def test_a_heads_file_that_is_gone_is_missed_though_the_audit_is_whole(made: Path, tmp_path: Path) -> None:
    a_copy(made, tmp_path)
    (tmp_path / FILE).unlink()
    assert faults_in(tmp_path) == [f"{tmp_path / FILE} is gone, in which 6 heads of the audit were kept"]


def test_a_damaged_line_is_told_and_the_head_in_it_missed(made: Path, tmp_path: Path) -> None:
    a_copy(made, tmp_path)
    lines = (tmp_path / FILE).read_bytes().splitlines(keepends=True)
    (tmp_path / FILE).write_bytes(b"".join([*lines[:2], lines[2][:20] + b"\n", b"\xff rubbish\n", *lines[3:]]))
    assert read(tmp_path / FILE).damaged == (3, 4)
    assert faults_in(tmp_path) == [f"{tmp_path / FILE} lacks 1 of the 6 heads that were kept in it"]


def test_a_head_after_a_line_that_a_crash_cut_off_stands_on_a_line_of_its_own(made: Path, tmp_path: Path) -> None:
    a_copy(made, tmp_path)
    with (tmp_path / FILE).open("ab") as opened:
        opened.write(b'{"seq": 61, "ha')
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.write(lambda tx: audit.write(tx, now=NOW, actor="anna", act="item.edited"))
    ledger.keep_audit_head(beside(tmp_path), NOW)
    assert (read(tmp_path / FILE).damaged, read(tmp_path / FILE).heads[-1].seq) == ((7,), 61)
    assert ledger.audit_faults(beside(tmp_path)) == ()
    ledger.close()


def test_a_copy_that_settings_no_longer_name_is_missed_too(made: Path, tmp_path: Path) -> None:
    ledger = Ledger.open(a_copy(made, tmp_path))
    ledger.keep_audit_head(beside(tmp_path, "elsewhere"), NOW)
    ledger.close()
    assert faults_in(tmp_path) == []
    (tmp_path / "elsewhere" / FILE).unlink()
    assert faults_in(tmp_path) == [f"{tmp_path / 'elsewhere' / FILE} is gone, in which 1 head of the audit was kept"]


@pytest.mark.parametrize("guard", sorted(triggers()))
def test_a_guard_that_was_dropped_is_named(made: Path, tmp_path: Path, guard: str) -> None:
    target = tmp_path / "ledger.db"
    target.write_bytes((made / "ledger.db").read_bytes())
    with sqlite3.connect(target) as connection:
        connection.execute(f"DROP TRIGGER {guard}")
    ledger = Ledger.open(target)
    assert [str(fault) for fault in ledger.audit_faults()] == [f"the database no longer has its guard {guard}"]
    ledger.close()


@pytest.mark.parametrize(
    "body", ["WHEN 0 BEGIN SELECT 1; END", "BEGIN SELECT 'the audit is append-only: an entry is never changed'; END"]
)
def test_a_guard_that_was_made_again_and_does_nothing_is_named(made: Path, tmp_path: Path, body: str) -> None:
    target = tmp_path / "ledger.db"
    target.write_bytes((made / "ledger.db").read_bytes())
    with sqlite3.connect(target) as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute(f"CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit {body}")
        connection.execute("UPDATE audit SET actor = actor WHERE seq = 3")
    ledger = Ledger.open(target)
    (fault,) = ledger.audit_faults()
    assert str(fault) == "the guard audit_is_never_changed of the database says something else"
    ledger.close()


def test_a_trigger_that_swallows_new_entries_is_named(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "ledger.db"
    target.write_bytes((made / "ledger.db").read_bytes())
    with sqlite3.connect(target) as connection:
        connection.execute("CREATE TRIGGER helpful BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END")
    ledger = Ledger.open(target)
    (fault,) = ledger.audit_faults()
    assert str(fault) == "the database has a trigger that is not its own: helpful"
    ledger.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'mallory' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        f"INSERT OR REPLACE INTO audit SELECT seq, at, 'mallory', {REST} FROM audit WHERE seq = 3",
        f"INSERT INTO audit SELECT -1, at, actor, {REST} FROM audit WHERE seq = 3",
        f"INSERT INTO audit SELECT 900, at, actor, {REST} FROM audit WHERE seq = 3",
        "UPDATE OR REPLACE audit SET seq = 4 WHERE seq = 3",
    ],
)
def test_the_database_refuses_every_way_but_adding_at_the_end(made: Path, tmp_path: Path, statement: str) -> None:
    target = tmp_path / "ledger.db"
    target.write_bytes((made / "ledger.db").read_bytes())
    with sqlite3.connect(target) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    assert rows_of(tmp_path) == rows_of(made)
