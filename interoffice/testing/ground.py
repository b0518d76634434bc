"""A proving ground: a copy of a project with a practice office of its own, where a run may be killed at any moment.

The referees are not the bots: the practice ERP's append-only ledger, the mail server's own box, the files that stand.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from interoffice.errors import ProjectError
from interoffice.practice import control
from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.address import FILE_NAME
from interoffice.practice.faults import Fault
from interoffice.practice.ledger import read_ledger
from interoffice.practice.seed import credit_limits_csv
from interoffice.practice.submission import Delivered, read_delivered
from interoffice.testing.kill_points import Tracing

COPIED: Final = ("settings.yaml", "workflows", "selectors", "tables", "bots")
HALF: Final = (".part", ".tmp", ".new")
START_WITHIN_S: Final = 20.0
ENDS_WITHIN_S: Final = 180.0
SOURCE: Final = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the world holds after a run: documents by kind and content, mails by recipient and subject, files."""

    documents: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    files: frozenset[str] = frozenset()
    half_files: tuple[str, ...] = ()

    @property
    def acts(self) -> Counter[str]:
        """All that can't be taken back."""
        return self.documents + self.mails


class ProvingGround:
    """A project's copy below `folder`, its practice office, and the command line on it. `close` ends what runs."""

    def __init__(self, source: Path, folder: Path, *, day: date) -> None:
        self.folder = folder / "project"
        self.state = self.folder / "state"
        self.home = self.state / "practice"
        self.day = day
        self._keys = folder / "keys"
        self._office: subprocess.Popen[bytes] | None = None
        self._started: list[subprocess.Popen[str]] = []
        self._copy(source)
        self._set_credentials()
        self._before = self._files()
        self._open_office()

    def __enter__(self) -> ProvingGround:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # the project

    def _copy(self, source: Path) -> None:
        own_bots = (source / "bots").resolve() != (SOURCE / "bots").resolve()
        for name in (*COPIED, *self._read_roots(source)):
            here, there = source / name, self.folder / name
            if not here.exists() or there.exists() or (name == "bots" and not own_bots):
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(here, there) if here.is_dir() else shutil.copy2(here, there)
        limits = self.folder / "data" / "credit_limits.csv"
        if not limits.exists():
            credit_limits_csv(limits)

    def _read_roots(self, source: Path) -> tuple[str, ...]:
        from interoffice.plan.project import open_project

        roots = open_project(source).settings.files.read
        return tuple(name for name in roots if not Path(name).is_absolute() and ".." not in Path(name).parts)

    def _set_credentials(self) -> None:
        """The practice accounts, kept beside the copy and not among the user's own credentials."""
        script = (
            "import json, sys; from pathlib import Path; from interoffice.resources.secrets import CredentialStore\n"
            "store = CredentialStore(Path(sys.argv[1]))\n"
            "for name, parts in json.load(sys.stdin).items(): store.set(name, parts)"
        )
        said = json.dumps({name: dict(account.parts()) for name, account in ACCOUNTS.items()})
        command = [sys.executable, "-P", "-c", script, str(self.state)]
        subprocess.run(command, env=self._environment(), input=said, text=True, check=True, capture_output=True)

    # the practice office

    def _open_office(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "office.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "interoffice.practice", "--folder", str(self.home)]
            self._office = subprocess.Popen(
                [*command, "--today", self.day.isoformat()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self._environment(),
            )  # fmt: skip
        office = self._office
        wait_until(lambda: (self.home / FILE_NAME).exists() or office.poll() is not None, "the practice office opens")
        if office.poll() is not None:
            raise ProjectError(f"The practice office did not start; {self.home / 'office.log'} says why.")

    def fault(self, kind: str, **more: Any) -> int:
        """From now on this goes wrong in the practice office."""
        return control.switch_on(self.home, Fault(kind=kind, **more))

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        control.clear_faults(self.home)

    # the referees

    def outcome(self) -> Outcome:
        """What the world holds now."""
        documents = Counter(_document(each.kind, each.fields) for each in read_ledger(self.home).postings())
        mails = Counter(_mail(each) for each in read_delivered(self.home))
        files = self._files() - self._before
        half = tuple(sorted(name for name in files if name.endswith(HALF)))
        return Outcome(documents=documents, mails=mails, files=frozenset(files - set(half)), half_files=half)

    def _files(self) -> set[str]:
        """The project's files: not the engine's own, nor what Python compiles beside a bot."""
        files = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return {str(path) for path in files if path.parts[0] != "state" and "__pycache__" not in path.parts}

    # the command line

    def cli(self, *words: str, within_s: float = ENDS_WITHIN_S) -> subprocess.CompletedProcess[str]:
        """One command, as an operator types it."""
        return subprocess.run(
            self.command(*words), cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=within_s,
        )  # fmt: skip

    def start(self, *words: str, tracing: Tracing | None = None) -> subprocess.Popen[str]:
        """A command that goes on by itself, in a session of its own; `tracing`: how strace holds it."""
        environment = (tracing or Tracing()).environment(self._environment())
        process = subprocess.Popen(
            self.command(*words), cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self._started.append(process)
        return process

    def listed(self, *words: str) -> Any:
        """What a listing says, as JSON."""
        ended = self.cli(*words, "--format", "json")
        if ended.returncode != 0:
            raise ProjectError(f"runner.py {' '.join(words)} failed: {ended.stderr.strip()}")
        return json.loads(ended.stdout)

    def command(self, *words: str) -> list[str]:
        """The words of a command on the copy."""
        return [sys.executable, "-P", "-m", "interoffice.cli", *words, "--project", str(self.folder)]

    def _environment(self) -> Mapping[str, str]:
        left_out = ("INTEROFFICE_PROJECT", "INTEROFFICE_PERSON", "PYTHONDONTWRITEBYTECODE")
        inherited = {name: value for name, value in os.environ.items() if name not in left_out}
        own = {"NO_COLOR": "1", "PYTHONPATH": str(SOURCE), "INTEROFFICE_CONFIG": str(self._keys)}
        return {**inherited, **own, "INTEROFFICE_KEYRING": "off"}

    def close(self) -> None:
        """Ends what was started here."""
        for process in self._started:
            kill_group(process)
        if self._office is not None:
            self._office.terminate()
            self._office.wait(10)
            self._office = None


def _document(kind: str, fields: Mapping[str, Any]) -> str:
    """A document by its kind and a reference that stands in it, and the digest of all it says."""
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    reference = next((str(fields[name]) for name in sorted(fields) if "reference" in name and fields[name]), "")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{kind} {reference} {digest}".replace("  ", " ")


def _mail(delivered: Delivered) -> str:
    return f"mail to {', '.join(sorted(delivered.recipients))}: {delivered.message['Subject']}"


def kill_group(process: subprocess.Popen[str]) -> None:
    """kill -9 of the process and all of its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(holds: Callable[[], bool], what: str, within_s: float = START_WITHIN_S) -> None:
    """Waits for a condition; a ProjectError names the one that did not come."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            raise ProjectError(f"{what}: not within {within_s:g} s")
        time.sleep(0.01)
