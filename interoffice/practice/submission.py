"""The practice SMTP server: takes mail for example.com from signed-in users, keeps it, and delivers it by IMAP."""

from __future__ import annotations

import asyncio
import email.policy
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from interoffice.practice.accounts import MAIL_DOMAIN
from interoffice.practice.faults import Asked, Fault, Faults
from interoffice.practice.mailboxes import mailbox_address, password_fits

TRUSTED_SERVER = "mail.example.com"
"""Who signs the Authentication-Results of delivered mail; settings.yaml names it under trusted_senders."""

Put = Callable[[str, str, bytes], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """One mail that the SMTP server accepted: `raw` is what the client sent, byte for byte."""

    number: int
    at: datetime
    user: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


def read_delivered(folder: Path) -> list[Delivered]:
    """What the office in this folder accepted for delivery, oldest first; also when it no longer runs."""
    found = []
    for file in sorted((folder / "mail").glob("*.json")):
        envelope = json.loads(file.read_text(encoding="utf-8"))
        found.append(
            Delivered(
                number=int(file.stem), at=datetime.fromisoformat(envelope["at"]), user=envelope["user"],
                sender=envelope["sender"], recipients=tuple(envelope["recipients"]),
                raw=file.with_suffix(".eml").read_bytes(),
            )
        )
    return found


class Submission:
    """aiosmtpd's handler; runs on the mail servers' event loop."""

    def __init__(self, folder: Path, put: Put, faults: Faults) -> None:
        self._folder = folder / "mail"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._put = put
        self._faults = faults
        self._count = len(list(self._folder.glob("*.json")))
        self._held = asyncio.Event()
        self.attempts: list[tuple[str, bool]] = []

    def protocol(self) -> SMTP:
        """One connection. It is over TLS already, so that signing in needs no STARTTLS."""
        return SMTP(
            self, hostname=TRUSTED_SERVER, ident="Practice office", auth_require_tls=False, enable_SMTPUTF8=True,
            authenticator=self._authenticate, loop=asyncio.get_running_loop(),
        )

    def stop(self) -> None:
        """Lets go of the connections that a fault holds."""
        self._held.set()

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Mail is taken from signed-in users only."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Nothing ever leaves the machine: other domains are refused."""
        if not address.lower().endswith(f"@{MAIL_DOMAIN}"):
            return f"550 5.7.1 The practice office delivers to @{MAIL_DOMAIN} only"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keeps the mail, durably, and delivers it to each recipient's INBOX."""
        user = str(session.auth_data)
        raw = bytes(envelope.original_content or b"")
        asked = self._asked(user, envelope.rcpt_tos, raw)
        if (slow := self._faults.take("slow", asked)) is not None:
            await _wait(self._held, slow.seconds)
        if (silent := self._faults.take("no_answer", asked)) is not None:
            await self._lose(server, silent)
        if self._faults.take("error", asked) or self._faults.take("error_before_commit", asked):
            return "451 4.3.0 Temporary failure, try again later"
        await self._accept(user, envelope, raw)
        if (killing := self._faults.take("kill_client_after_commit", asked)) is not None:
            os.kill(killing.pid, signal.SIGKILL)
        if self._faults.take("error_after_commit", asked):
            return "451 4.3.0 Temporary failure, try again later"
        if (lost := self._faults.take("lost_reply", asked)) is not None:
            await self._lose(server, lost)
        return f"250 2.0.0 Queued as {self._count}"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        address = mailbox_address(data.login.decode("utf-8", "replace"))
        fits = password_fits(address, data.password.decode("utf-8", "replace"))
        self.attempts.append((address, fits))
        return AuthResult(success=fits, handled=False, auth_data=address)

    def _asked(self, user: str, recipients: list[str], raw: bytes) -> Asked:
        subject = str(message_from_bytes(raw, policy=email.policy.default).get("Subject", ""))
        values = frozenset({*recipients, subject})
        return Asked(application="smtp", method="DATA", user=user, values=values)

    async def _accept(self, user: str, envelope: Envelope, raw: bytes) -> None:
        self._count += 1
        at = datetime.now(UTC)
        recipients = [str(address) for address in envelope.rcpt_tos]
        head = {"at": at.isoformat(), "user": user, "sender": str(envelope.mail_from), "recipients": recipients}
        _write(self._folder / f"{self._count:06}.eml", raw)
        _write(self._folder / f"{self._count:06}.json", json.dumps(head).encode())
        arrived = stamped(raw, authenticated=user, at=at)
        for address in dict.fromkeys(mailbox_address(address) for address in recipients):
            await self._put(address, "INBOX", arrived)

    async def _lose(self, server: SMTP, fault: Fault) -> None:
        if fault.kind == "no_answer" or fault.how == "stall":
            await _wait(self._held, fault.seconds)
        transport = server.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        raise ConnectionResetError("cut by a practice fault")


def stamped(raw: bytes, *, authenticated: str, at: datetime) -> bytes:
    """The mail as it arrives: who really sent it is written on top, and any such claim of the sender's own is gone.

    `authenticated` is the address that signed in; the From address passes when it is the same (RFC 8601).
    """
    message = message_from_bytes(raw, policy=email.policy.compat32)
    _, sender = parseaddr(str(message.get("From", "")))
    outcome = "pass" if sender.lower() == authenticated else "fail"
    head = (
        f"Authentication-Results: {TRUSTED_SERVER}; auth=pass smtp.auth={authenticated};\r\n"
        f" dmarc={outcome} header.from={sender.rpartition('@')[2] or 'unknown'}\r\n"
        f"Received: by {TRUSTED_SERVER} with ESMTPSA; {format_datetime(at)}\r\n"
    )
    return head.encode("ascii", "replace") + _without_own_results(raw)


def _without_own_results(raw: bytes) -> bytes:
    head, blank, body = raw.partition(b"\r\n\r\n")
    kept: list[bytes] = []
    skipping = False
    for line in head.split(b"\r\n"):
        if not line.startswith((b" ", b"\t")):
            skipping = line.lower().startswith(b"authentication-results:")
        if not skipping:
            kept.append(line)
    return b"\r\n".join(kept) + blank + body


def _write(file: Path, content: bytes) -> None:
    unfinished = file.with_suffix(".new")
    with open(unfinished, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds or None)
    except TimeoutError:
        return
