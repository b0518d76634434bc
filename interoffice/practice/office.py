"""The practice office itself: starts the servers, says where they are, and stops them."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Collection
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from interoffice.errors import ProjectError
from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.address import FILE_NAME, PracticeInfo, read_practice, write_practice
from interoffice.practice.crm import Crm, crm_app
from interoffice.practice.crm_data import read_crm_data
from interoffice.practice.erp import Erp, erp_app
from interoffice.practice.faults import Faults
from interoffice.practice.ledger import Ledger
from interoffice.practice.master_data import read_master_data
from interoffice.practice.risk import Risk, risk_app
from interoffice.practice.seed import read_credit, seed_demo
from interoffice.practice.web import WebServer

if TYPE_CHECKING:
    from interoffice.practice.mail import Mail

SERVERS = ("crm", "erp", "imap", "smtp", "risk")


class PracticeOffice:
    """A running practice office. Start it with `start`, in a `with`.

    `addresses`: crm, erp, risk (http), imap (imaps), smtp (smtps); `accounts`: user and password by credential name;
    `faults`: what is to go wrong; `ledger`: what the ERP really posted; `mail`: the mail servers.
    """

    def __init__(self, folder: Path, faults: Faults, only: Collection[str], today: date) -> None:
        self.folder = folder
        self.faults = faults
        self.accounts = {name: account.parts() for name, account in ACCOUNTS.items()}
        self.addresses: dict[str, str] = {}
        self._stopping = threading.Event()
        self._token = secrets.token_urlsafe(24)
        self._running = ExitStack()
        self._certificate = ""
        if not (folder / "crm_data.json").exists():
            seed_demo(folder, today)
        self.today = date.fromisoformat(read_crm_data(folder).today)
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._start(frozenset(only))
            undo.pop_all()

    @classmethod
    def start(
        cls, folder: Path, faults: Faults | None = None, *, only: Collection[str] = SERVERS, today: date | None = None
    ) -> PracticeOffice:
        """Starts the servers named in `only` on ports that the system chooses; their data lives in the folder.

        A folder without data gets that of `seed_demo` for `today`; one with data goes on where it stopped, the mails
        in the mailboxes excepted.
        """
        unknown = set(only) - set(SERVERS)
        if unknown:
            raise ValueError(f"The practice office has no {', '.join(sorted(unknown))}, only {', '.join(SERVERS)}.")
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_second_office(folder)
        return cls(folder.resolve(), faults or Faults(), only, today or datetime.now().astimezone().date())

    @property
    def ledger(self) -> Ledger:
        """The ERP's append-only ledger."""
        if self._ledger is None:
            raise ProjectError("This practice office runs no ERP: name erp in only=.")
        return self._ledger

    @property
    def mail(self) -> Mail:
        """The mail servers."""
        if self._mail is None:
            raise ProjectError("This practice office runs no mail servers: name imap or smtp in only=.")
        return self._mail

    def unlock(self, user: str) -> None:
        """Lets an ERP account in again that five wrong passwords locked."""
        if self._erp is not None:
            self._erp.unlock(user)

    def end_sessions(self) -> None:
        """Signs everybody out of the ERP and the CRM, without their knowing."""
        for application in (self._erp, self._crm):
            if application is not None:
                application.sessions.end_all()

    def stop(self) -> None:
        """Stops all servers; what was posted stays in the folder. A second call does nothing."""
        self._stopping.set()
        self._running.close()

    def __enter__(self) -> PracticeOffice:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    _erp: Erp | None = None
    _crm: Crm | None = None
    _mail: Mail | None = None
    _ledger: Ledger | None = None

    def _start(self, only: frozenset[str]) -> None:
        if "erp" in only:
            self._start_erp()
        if "crm" in only:
            crm = Crm(data=read_crm_data(self.folder), faults=self.faults, token=self._token, stopping=self._stopping)
            self._crm = crm
            self._serve("crm", WebServer(crm_app(crm), "crm"))
        if "risk" in only:
            risk = Risk(
                credit=read_credit(self.folder), faults=self.faults, token=self._token, stopping=self._stopping
            )
            self._serve("risk", WebServer(risk_app(risk), "risk"))
        if only & {"imap", "smtp"}:
            self._start_mail(only)
        self._announce()

    def _start_erp(self) -> None:
        ledger = Ledger(self.folder)
        self._ledger = ledger
        self._running.callback(ledger.close)
        self._erp = Erp(
            folder=self.folder, ledger=ledger, master=read_master_data(self.folder), faults=self.faults,
            token=self._token, stopping=self._stopping,
        )
        self._serve("erp", WebServer(erp_app(self._erp), "erp"))

    def _start_mail(self, only: frozenset[str]) -> None:
        from interoffice.practice.certificates import make_certificates
        from interoffice.practice.mail import Mail

        certificates = make_certificates(self.folder)
        self._certificate = str(certificates.authority)
        self._mail = Mail(self.folder, certificates.server, self.faults)
        self._running.callback(self._mail.stop)
        both = {"imap": self._mail.imap_address, "smtp": self._mail.smtp_address}
        self.addresses |= {name: address for name, address in both.items() if name in only}

    def _serve(self, name: str, server: WebServer) -> None:
        self.addresses[name] = server.address
        self._running.callback(server.stop)

    def _announce(self) -> None:
        file = self.folder / FILE_NAME
        info = PracticeInfo(
            pid=os.getpid(), addresses=self.addresses, certificate=self._certificate, token=self._token,
            today=self.today.isoformat(), started_at=datetime.now(UTC).isoformat(),
        )
        write_practice(file, info)
        self._running.callback(file.unlink, missing_ok=True)


def _refuse_second_office(folder: Path) -> None:
    try:
        info = read_practice(folder)
    except ProjectError:
        return
    raise ProjectError(
        f"A practice office already runs in {folder} (process {info.pid}): use it, stop it, or name another folder."
    )
