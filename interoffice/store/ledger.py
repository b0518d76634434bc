"""The ledger's door: opening it, one write or read as a transaction, and the questions that listings ask.

Writing functions stand in the modules beside this one (`runs`, `steps`, `items`, `intents`, `approvals`, `office`,
`audit`); each takes the transaction, so that the engine says what belongs together:

    ledger.write(lambda tx: (intents.end(tx, ...), steps.end(tx, ...)))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from interoffice.errors import UsageError
from interoffice.store import approvals, audit, audit_heads, intents, items, office, runs, steps
from interoffice.store.audit import AuditFault
from interoffice.store.audit_heads import HeadFiles
from interoffice.store.database import Database, Transaction
from interoffice.store.views import (
    ApprovalView,
    AttemptView,
    AuditView,
    IntentView,
    ItemView,
    PausedCredential,
    RunView,
    StepView,
)

T = TypeVar("T")


class Ledger:
    """An open ledger. Threads may share it; every process opens its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, url: str | Path) -> Ledger:
        """The ledger at a path or `sqlite:///path`, made if it isn't there; its schema is brought up to date."""
        text = str(url)
        if "://" in text and not text.startswith("sqlite:///"):
            raise UsageError(f"A ledger is a file (sqlite:///state/ledger.db); {text.split(':', 1)[0]} is not one.")
        return cls(Database.open(Path(text.removeprefix("sqlite:///"))))

    def write(self, work: Callable[[Transaction], T]) -> T:
        """What `work` gives, once all it wrote is on the disk; an exception in it undoes what it wrote."""
        return self.database.write(work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """What `work` gives on one unchanging picture of the ledger."""
        return self.database.read(work)

    def close(self) -> None:
        """Closed; what is open in other threads ends with an error."""
        self.database.close()

    def runs(self, limit: int = 20, workflow: str | None = None, state: str | None = None) -> tuple[RunView, ...]:
        """The newest runs first."""
        return self.read(lambda tx: runs.newest(tx, limit=limit, workflow=workflow, state=state))

    def run(self, run_id: str) -> RunView:
        """The run; a beginning or end of its id will do where it fits only one."""
        return self.read(lambda tx: runs.one(tx, run_id))

    def plan(self, run_id: str) -> str:
        """The plan that was stored with the run, as JSON text."""
        return self.read(lambda tx: runs.plan_text(tx, run_id))

    def steps(self, run_id: str) -> tuple[StepView, ...]:
        """The steps of a run in the order in which they were begun."""
        return self.read(lambda tx: steps.of_run(tx, run_id))

    def items(
        self,
        run_id: str,
        *,
        state: str | None = None,
        loop: str | None = None,
        key: str | None = None,
        code: str | None = None,
        words: str | None = None,
    ) -> tuple[ItemView, ...]:
        """Work items of a run by state, loop, key, error code or a text in their row."""
        return self.read(lambda tx: items.find(tx, run_id, state=state, loop=loop, key=key, code=code, words=words))

    def item(self, item_id: str) -> ItemView:
        """The work item."""
        return self.read(lambda tx: items.one(tx, item_id))

    def attempts(self, run_id: str, *, path: str | None = None, item_id: str | None = None) -> tuple[AttemptView, ...]:
        """Attempts of a run, a step or an item in the order in which they were begun."""
        return self.read(lambda tx: steps.attempts(tx, run_id, path=path, item_id=item_id))

    def approvals(self, state: str | None = "open", run_id: str | None = None) -> tuple[ApprovalView, ...]:
        """Approvals in a state (None: in any), oldest first."""
        return self.read(lambda tx: approvals.in_state(tx, state, run_id))

    def approval(self, approval_id: str) -> ApprovalView:
        """The approval."""
        return self.read(lambda tx: approvals.one(tx, approval_id))

    def intents(self, run_id: str, path: str) -> tuple[IntentView, ...]:
        """Intents of a step, the newest first."""
        return self.read(lambda tx: intents.at_path(tx, run_id, path))

    def doubts(self, run_id: str | None = None) -> tuple[IntentView, ...]:
        """Intents in doubt: a person has to say whether it was done."""
        return self.read(lambda tx: intents.in_state(tx, "in_doubt", run_id))

    def paused_credentials(self) -> tuple[PausedCredential, ...]:
        """Credentials that nobody may try until a person resumes them."""
        return self.read(office.paused_credentials)

    def audit(self, run_id: str | None = None, act: str | None = None, limit: int = 1000) -> tuple[AuditView, ...]:
        """The newest entries of the audit, oldest first."""
        return self.read(lambda tx: audit.entries(tx, run_id=run_id, act=act, limit=limit))

    def audit_broken_at(self) -> int | None:
        """The first entry that does not fit the hash chain, None when the audit is whole."""
        return audit.broken_at(self.database)

    def audit_faults(self, files: HeadFiles | None = None) -> tuple[AuditFault, ...]:
        """What was done to the audit: to its chain, to its guards, and with `files` to the heads kept outside."""
        return audit.faults(self.database, files)

    def audit_raw(self) -> Iterator[Mapping[str, object]]:
        """Every entry of the audit as it is stored."""
        return audit.raw(self.database)

    def keep_audit_head(self, files: HeadFiles, now: datetime) -> None:
        """Keeps the audit's last entry outside, where it is not kept yet, and remembers in which files."""
        head = self.read(lambda tx: audit.head(tx, now))
        if head is None:
            return
        added = [name for name in files.names() if audit_heads.keep(head, files.path(name))]
        if added:
            self.write(lambda tx: audit.remember_head(tx, head, added))
