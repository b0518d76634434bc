"""The flagship line in a project of its own: won_deals_to_erp against a practice office in another process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interoffice.cli.demo import COPIED, WORKFLOW
from interoffice.practice import control
from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.address import FILE_NAME
from interoffice.practice.faults import Fault, FaultState
from interoffice.practice.ledger import LedgerCopy, Posting, read_ledger
from interoffice.practice.seed import credit_limits_csv
from interoffice.practice.submission import Delivered, read_delivered
from interoffice.resources.people import PeopleStore
from interoffice.resources.secrets import CredentialStore
from interoffice.testing.ground import kill_group, wait_until

ROOT = Path(__file__).parents[2]
DAY = "2026-11-16"
"""A Monday: twelve of the deals were closed on the Friday before, two on the Sunday."""
CONFIG = "INTEROFFICE_CONFIG"
PASSPHRASES = {"anna": "Kirschbaum im Regen", "bilal": "Leuchtturm bei Nacht"}
CREDENTIALS = ("crm_reader", "erp_clerk", "erp_reader", "office_mailbox", "ap_mailbox", "erp_ap_poster")
STRAIGHT = tuple(f"D-{n}" for n in range(1042, 1056) if n not in (1047, 1049))
"""The twelve deals that no rule stops."""
REVIEWED, REJECTED = "D-1049", "D-1047"
START_WITHIN_S = 20.0
ENDS_WITHIN_S = 120.0


class Flagship:
    """A prepared project, its practice office, and the command line on it. `close` ends what was started."""

    def __init__(self, folder: Path, *, day: str = DAY, people: bool = True, office: tuple[str, ...] = ()) -> None:
        """`people`: they can sign in, and anna is; else the commands are the operating system account's.

        `office`: more words for the practice office, such as --invoices.
        """
        self._office_words = office
        self.folder = folder
        self.state = folder / "state"
        self.home = self.state / "practice"
        self.day = day
        self._office: subprocess.Popen[bytes] | None = None
        self._started: list[subprocess.Popen[str]] = []
        for name in COPIED:
            copy(ROOT / name, folder / name)
        (folder / "data").mkdir()
        self.edit(f"workflows/{WORKFLOW}.yaml", ("wait: 10s", "wait: 1s"), ("max_wait: 2m", "max_wait: 2s"))
        credit_limits_csv(folder / "data" / "credit_limits.csv")
        with self._own_keys():
            credentials = CredentialStore(self.state)
            for name in CREDENTIALS:
                credentials.set(name, ACCOUNTS[name].parts())
        if people:
            store = PeopleStore(self.state)
            for person, phrase in PASSPHRASES.items():
                store.add(person, phrase)
            self.sign_in("anna")
        self.open_office()

    # --- the practice office ---

    def open_office(self) -> None:
        """Starts the practice office; what was posted before is still there."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "office.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "interoffice.practice", "--folder", str(self.home)]
            command += ["--today", self.day, *self._office_words]
            self._office = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT
            )
        office = self._office
        wait_until(lambda: (self.home / FILE_NAME).exists() or office.poll() is not None, "the practice office opens")
        assert office.poll() is None, (self.home / "office.log").read_text()

    def close_office(self) -> None:
        """Stops the practice office: nothing answers any more."""
        if self._office is not None:
            self._office.terminate()
            self._office.wait(10)
            self._office = None

    def fault(self, kind: str, **more: Any) -> int:
        """From now on this goes wrong."""
        return control.switch_on(self.home, Fault(kind=kind, **more))

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        control.clear_faults(self.home)

    def fault_states(self) -> list[FaultState]:
        """How often each fault has hit."""
        return control.fault_states(self.home)

    # --- the referees ---

    @property
    def erp(self) -> LedgerCopy:
        """The ERP's own ledger."""
        return read_ledger(self.home)

    def orders(self) -> dict[str, list[Posting]]:
        """Sales orders in the ERP's ledger by customer reference."""
        found: dict[str, list[Posting]] = {}
        for posting in self.erp.postings("sales_order"):
            found.setdefault(str(posting.fields["customer_reference"]), []).append(posting)
        return found

    def posted(self) -> Counter[str]:
        """How often each deal stands in the ERP's ledger."""
        return Counter({reference: len(postings) for reference, postings in self.orders().items()})

    def mails(self) -> list[Delivered]:
        """What the mail server accepted."""
        return read_delivered(self.home)

    def left_overs(self) -> list[str]:
        """Unfinished files that something left behind."""
        return [
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and path.suffix in (".part", ".tmp", ".new") and self.home not in path.parents
        ]

    # --- the command line ---

    def sign_in(self, person: str, phrase: str | None = None) -> None:
        """From now on the commands are this person's."""
        with self._own_keys():
            PeopleStore(self.state).sign_in(person, phrase or PASSPHRASES[person])

    def cli(
        self, *words: str, stdin: str = "", within_s: float = ENDS_WITHIN_S, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """One command, as an operator types it."""
        return subprocess.run(
            self._command(words),
            cwd=self.folder,
            env=self._environment(environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=within_s,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command in a process group of its own, which goes on by itself."""
        process = subprocess.Popen(
            self._command(words),
            cwd=self.folder,
            env=self._environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """`run won_deals_to_erp` for the project's day."""
        return self.cli(*self.run_words(*words), **more)

    def run_words(self, *words: str) -> tuple[str, ...]:
        """The words of `run` for the project's day."""
        return ("run", WORKFLOW, "--as-of", self.day, *words)

    def approve(
        self, *words: str, person: str = "bilal", phrase: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`approve last`, the passphrase on standard input."""
        typed = PASSPHRASES[person] if phrase is None else phrase
        return self.cli("approve", "last", "--person", person, "--yes", *words, stdin=typed + "\n")

    def listed(self, *words: str) -> Any:
        """What a listing says as JSON."""
        ended = self.cli(*words, "--format", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def states(self, run: str = "last") -> dict[str, str]:
        """The state of each work item of a run by key."""
        return {item["key"]: item["state"] for item in self.listed("items", run)}

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "interoffice.cli", *words, "--project", str(self.folder)]

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("INTEROFFICE_PROJECT", "INTEROFFICE_PERSON")
        }
        own = {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), CONFIG: str(self.folder.parent / "keys")}
        return {**inherited, **own, **more}

    @contextmanager
    def _own_keys(self) -> Iterator[None]:
        """The keys of this project's operator lie beside it, not in the real user's folder."""
        before = os.environ.get(CONFIG)
        os.environ[CONFIG] = str(self.folder.parent / "keys")
        try:
            yield
        finally:
            if before is None:
                del os.environ[CONFIG]
            else:
                os.environ[CONFIG] = before

    # --- the project's files ---

    def edit(self, file: str, *changes: tuple[str, str]) -> None:
        """Replaces texts that must be there in a file of the project."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{file} has no {old!r}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Ends what was started here."""
        for process in self._started:
            kill_group(process)
        self.close_office()


def copy(source: Path, target: Path) -> None:
    """A file or folder of the project."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


@contextmanager
def flagship(folder: Path, *, people: bool = True, office: tuple[str, ...] = ()) -> Iterator[Flagship]:
    """A flagship project, closed at the end."""
    project = Flagship(folder / "project", people=people, office=office)
    try:
        yield project
    finally:
        project.close()
