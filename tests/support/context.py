"""A real Context for calling bots directly: real files, tables, mail, HTTP; a commit that keeps what it was asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

from interoffice.context import Context, RunFacts
from interoffice.errors import ProjectError, Rehearsed
from interoffice.loader.contracts import load_contract
from interoffice.loader.settings import load_settings
from interoffice.model.contract import Patterns, TableFile
from interoffice.model.values import Formats, Value
from interoffice.resources.files import FileRoots
from interoffice.resources.http import HttpClient
from interoffice.resources.mailbox import Mailboxes
from interoffice.resources.tables_in import TableFiles, TableReader

ROOT = Path(__file__).resolve().parents[2]
ZONE = "Europe/Berlin"


@dataclass(kw_only=True)
class Commits:
    """The gate: gives a posting key, keeps what was meant; `rehearse` stops before the act."""

    key: str = "practice:bot:item"
    rehearse: bool = False
    meant: list[Mapping[str, Value]] = field(default_factory=list)
    evidence: list[Mapping[str, str]] = field(default_factory=list)
    before_act: Callable[[], None] | None = None

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        if self.rehearse:
            raise Rehearsed(dict(meant))
        self.meant.append(dict(meant))
        self.evidence.append(dict(evidence or {}))
        if self.before_act is not None:
            self.before_act()
        return self.key


@dataclass(kw_only=True)
class Lines:
    """The run's log, kept."""

    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def info(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def progress(self, done: int, total: int | None, what: str) -> None:
        self.events.append(("progress", {"done": done, "total": total, "what": what}))

    def named(self, event: str) -> list[Mapping[str, object]]:
        return [fields for name, fields in self.events if name == event]


class Desk:
    """A small project in a folder, and the context of a bot in it. Close it, or use `with`.

    `practice`: a running practice office whose servers and accounts are used.
    """

    def __init__(self, folder: Path, practice: Any = None, *, largest_bytes: int = 50_000_000) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "tables", folder / "tables", dirs_exist_ok=True)
        shutil.copytree(ROOT / "workflows", folder / "workflows", dirs_exist_ok=True)
        for name in ("data", "inbox", "reports", "out"):
            (folder / name).mkdir(exist_ok=True)
        self.settings = load_settings((ROOT / "settings.yaml").read_text(encoding="utf-8"), "settings.yaml")
        self.practice = practice
        self.commit = Commits()
        self.log = Lines()
        self.credentials: dict[str, Mapping[str, str]] = dict(practice.accounts) if practice else {}
        self.names: Mapping[str, Value] = {
            "run": {"id": "r-1", "date": "2026-11-20", "failed_step": "order"},
            "workflow": {"name": "Won deals to ERP orders", "owner": "sales-operations@example.com"},
        }
        run_folder = folder / "state" / "runs" / "r-1"
        roots = self.settings.files
        self.files = FileRoots(
            project=folder, read=roots.read, write=roots.write, run_folder=run_folder, largest_bytes=largest_bytes
        )
        self.formats = Formats(date="dd.MM.yyyy", number="1.234,56", zone=ZONE)
        patterns = self.contract("patterns")
        assert isinstance(patterns, Patterns)
        self.reader = TableReader(
            out=run_folder / "tables",
            zone=ZONE,
            patterns={name: pattern.like for name, pattern in patterns.patterns.items()},
        )
        self._closing = ExitStack()
        self.context = self._context()

    def contract(self, name: str) -> TableFile:
        """A file of the project's tables/."""
        file = self.folder / "tables" / f"{name}.yaml"
        if not file.is_file():
            file = self.folder / "tables" / "layouts" / f"{name}.yaml"
        if not file.is_file():
            raise ProjectError(f"there is no tables/{name}.yaml")
        return load_contract(file.read_text(encoding="utf-8"), f"tables/{name}.yaml")

    def write(self, path: str, content: str | bytes) -> str:
        """A file of the project; gives its path back."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def credential(self, name: str) -> Mapping[str, str]:
        """The parts of a credential."""
        if name not in self.credentials:
            raise ProjectError(f'the credential "{name}" is not known; set it: runner.py credentials set {name}')
        return self.credentials[name]

    def address(self, said: str) -> str:
        """Where a server of the practice office is."""
        address: str = self.practice.addresses[said.removeprefix("practice:")]
        return address

    def mailboxes(self, **changed: Any) -> Mailboxes:
        """The mail resource; keywords replace what it is made of."""
        made: dict[str, Any] = {
            "settings": self.settings.mail,
            "server": self.settings.mail.servers["practice"],
            "credentials": self.credential,
            "address": self.address,
            "commit": self.commit,
            "files": self.files,
            "template": lambda name: (self.folder / "workflows" / name).read_text(encoding="utf-8"),
            "names": lambda: self.names,
            "formats": self.formats,
            "warn": self.log.warning,
            "certificate": (lambda: self.practice.certificate) if self.practice else None,
        }
        mail = Mailboxes(**{**made, **changed})
        self._closing.callback(mail.close)
        return mail

    def close(self) -> None:
        """Close what was opened."""
        self._closing.close()
        self.reader.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _context(self) -> Context:
        tables = TableFiles(contracts=self.contract, files=self.files, reader=self.reader, formats=self.formats)
        http = HttpClient(address=self.address, credentials=self.credential, timeout_s=5, connect_s=2)
        self._closing.callback(http.close)
        return Context(
            run=RunFacts(
                run_id="r-1",
                workflow="won_deals_to_erp",
                environment="practice",
                step="step",
                planned=datetime(2026, 11, 20, 9, 0, tzinfo=ZoneInfo(ZONE)),
            ),
            commit=self.commit,
            screens=_NoScreens(),
            mail=self.mailboxes(),
            files=self.files,
            tables=tables,
            http=http,
            queues=_NoQueues(),
            alerts=_NoQueues(),
            log=self.log,
        )  # type: ignore[arg-type]


class _NoQueues:
    """Bots that are tried here use nothing of the ledger."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"this bot asked the ledger: {name}")


class _NoScreens:
    """Bots that are tried here use no screen."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"this bot used a screen: {name}")
