"""Numbered migrations: SQL files that bring a database to the newest schema, each once and whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources

from interoffice.errors import ProjectError

_VERSIONS = "CREATE TABLE IF NOT EXISTS schema_versions (number INTEGER PRIMARY KEY, name TEXT, applied_at TEXT)"


def migrate(connection: sqlite3.Connection) -> None:
    """Applies what is missing, all in one transaction; a ledger of a newer Interoffice is refused."""
    available = dict(_migrations())
    version = len(available) * 10_000 + max(available)
    if connection.execute("PRAGMA user_version").fetchone()[0] == version:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_VERSIONS)
        done = {row[0] for row in connection.execute("SELECT number FROM schema_versions")}
        if done - available.keys():
            raise ProjectError("The ledger was written by a newer Interoffice; bring this one up to date.")
        for number in sorted(available.keys() - done):
            name, text = available[number]
            for statement in _statements(text):
                connection.execute(statement)
            row = (number, name, datetime.now(UTC).isoformat())
            connection.execute("INSERT INTO schema_versions VALUES (?, ?, ?)", row)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def triggers() -> dict[str, str]:
    """The triggers that a database of the newest schema has, with the text that SQLite keeps of each."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    finally:
        connection.close()


def _migrations() -> Iterator[tuple[int, tuple[str, str]]]:
    for entry in resources.files(__name__).iterdir():
        if entry.name.endswith(".sql"):
            yield int(entry.name[:4]), (entry.name, entry.read_text(encoding="utf-8"))


def _statements(text: str) -> Iterator[str]:
    """The statements of a file; a trigger's body holds semicolons of its own."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
