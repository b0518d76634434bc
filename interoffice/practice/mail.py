"""The practice mail server as a whole: IMAP and SMTP over TLS, one thread with one event loop."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import TypeVar

from interoffice.practice.faults import Faults
from interoffice.practice.mailboxes import Mailboxes, mailbox_address
from interoffice.practice.submission import Delivered, Submission, read_delivered, stamped

STOP_S = 5.0

T = TypeVar("T")


class Mail:
    """Running mail servers, and what a test may do with them. Mailboxes live in memory, accepted mail in files."""

    def __init__(self, folder: Path, tls: ssl.SSLContext, faults: Faults) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="practice-mail", daemon=True)
        self._thread.start()
        self._mailboxes, self._submission, self._servers, ports = self._run(self._start(tls, faults))
        self.imap_address, self.smtp_address = (
            f"{scheme}://127.0.0.1:{port}" for scheme, port in zip(("imaps", "smtps"), ports, strict=True)
        )

    def deliver(
        self, message: EmailMessage | bytes, *, folder: str = "INBOX", account: str, authenticated: str = ""
    ) -> None:
        """Puts a mail into a folder of a mailbox, unseen, as if it had come in.

        `authenticated`: the address that a trusted server vouches for; left out, nobody does.
        """
        raw = message if isinstance(message, bytes) else message.as_bytes(policy=SMTP_POLICY)
        if authenticated:
            raw = stamped(raw, authenticated=authenticated, at=datetime.now(UTC))
        self._run(self._mailboxes.put(mailbox_address(account), folder, raw))

    def stored(self, account: str, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder, oldest first, whether seen or not."""
        return self._run(self._mailboxes.read(mailbox_address(account), folder))

    def delivered(self) -> list[Delivered]:
        """What clients sent and the server accepted, oldest first."""
        return read_delivered(self._folder)

    def sign_ins(self, account: str) -> list[bool]:
        """Each attempt to sign in to this mailbox by IMAP or SMTP: whether the password was right."""
        attempts = self._mailboxes.attempts + self._submission.attempts
        return [fits for address, fits in attempts if address == mailbox_address(account)]

    def stop(self) -> None:
        """Ends the servers and their connections."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=STOP_S)
        self._loop.close()

    async def _start(
        self, tls: ssl.SSLContext, faults: Faults
    ) -> tuple[Mailboxes, Submission, list[asyncio.Server], tuple[int, int]]:
        mailboxes = Mailboxes(tls, faults)
        imap, imap_port = await mailboxes.serve()
        submission = Submission(self._folder, mailboxes.put, faults)
        smtp = await self._loop.create_server(submission.protocol, host="127.0.0.1", port=0, ssl=tls)
        return mailboxes, submission, [imap, smtp], (imap_port, smtp.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        self._mailboxes.stop()
        self._submission.stop()
        for server in self._servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=1) if others else None

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)
