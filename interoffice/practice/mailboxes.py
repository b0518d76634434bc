"""The practice IMAP server: pymap with mailboxes in memory, one for every address of example.com."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from argparse import Namespace
from asyncio import StreamReader, StreamWriter
from datetime import UTC, datetime
from typing import cast

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPServer
from pymap.interfaces.login import IdentityInterface
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement
from pymap.user import UserMetadata
from pysasl.creds.plain import PlainCredentials
from pysasl.creds.server import ServerCredentials

from interoffice.practice.accounts import ANY_MAILBOX_PASSWORD, MAIL_DOMAIN, users_of
from interoffice.practice.faults import Asked, Faults

FOLDERS = {
    "invoices@example.com": ("Invoices/In", "Invoices/Done"),
    "purchasing@example.com": ("Confirmations/In", "Confirmations/Done"),
    "feedback@example.com": ("Feedback/In", "Feedback/Done"),
    "timesheets@example.com": ("Timesheets/In", "Timesheets/Done"),
}
"""The folders that these mailboxes begin with, beside INBOX; any other is made by whoever uses it."""


def mailbox_address(account: str) -> str:
    """The whole address: "invoices" is invoices@example.com."""
    address = account.strip().lower()
    return address if "@" in address else f"{address}@{MAIL_DOMAIN}"


def password_fits(address: str, password: str) -> bool:
    """Whether this password opens this mailbox: its own, or the common one where the address has no account."""
    account = users_of("mail").get(address)
    wanted = account.password if account is not None else ANY_MAILBOX_PASSWORD
    return address.endswith(f"@{MAIL_DOMAIN}") and secrets.compare_digest(password.encode(), wanted.encode())


class _WholeResponses:
    """Sends each response as one piece. pymap writes it in crumbs, and a client that waits in IDLE on a non-blocking
    socket, as imap-tools does, loses the beginning of a line that arrives in two.
    """

    def __init__(self, writer: StreamWriter) -> None:
        self._writer = writer
        self._pending = bytearray()

    def write(self, data: bytes) -> None:
        """Keeps it until the response is whole."""
        self._pending += data

    async def drain(self) -> None:
        """Sends what was kept."""
        self._writer.write(bytes(self._pending))
        self._pending.clear()
        await self._writer.drain()

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()


class _Config(Config):
    @property
    def greeting(self) -> bytes:
        """Without asking the machine's resolver for its name, which can take seconds."""
        return b"Practice office ready"


class _Login(Login):
    """Passwords of the practice accounts; every attempt is kept."""

    def __init__(self, config: Config, faults: Faults, attempts: list[tuple[str, bool]]) -> None:
        super().__init__(config)
        self._faults = faults
        self._attempts = attempts

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        address = mailbox_address(credentials.authcid)
        asked = Asked(application="imap", method="LOGIN", user=address, values=frozenset({address}))
        if (slow := self._faults.take("slow", asked)) is not None:
            await asyncio.sleep(slow.seconds)
        if self._faults.take("error", asked) is not None:
            raise ConnectionResetError("cut by a practice fault")
        fits = isinstance(credentials, PlainCredentials) and credentials.verify(_Known(address, credentials.authcid))
        self._attempts.append((address, fits))
        if not fits:
            raise InvalidAuth()
        self.users_dict.setdefault(address, UserMetadata(self.config, address))
        return Identity(address, self, None, frozenset())

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> Identity:
        return Identity(authenticated.name, self, None, frozenset())


class _Known:
    """What pysasl compares a plain password with."""

    def __init__(self, address: str, typed: str) -> None:
        self._address = address
        self._typed = typed

    @property
    def authcid(self) -> str:
        return self._address

    def compare_authcid(self, authcid: str) -> bool:
        return authcid == self._typed

    def compare_secret(self, value: str) -> bool:
        return password_fits(self._address, value)

    def get_clear_secret(self) -> str | None:
        return None


class Mailboxes:
    """All mailboxes, for use on the mail servers' own event loop. Not signed in: nothing of it is for clients."""

    def __init__(self, tls: ssl.SSLContext, faults: Faults) -> None:
        self.attempts: list[tuple[str, bool]] = []
        self._faults = faults
        self._tls = tls
        self._config = _Config(
            Namespace(passlib_cfg=None, proxy_protocol=None), host=None, port=0, demo_data=False, demo_user="",
            demo_password="", ssl_context=tls, tls_enabled=False, cpu_subsystem=Subsystem.for_asyncio(),
            invalid_user_sleep=0.0, reject_dnsbl=False,
        )
        self._imap = IMAPServer(_Login(self._config, faults, self.attempts), self._config)
        self._held = asyncio.Event()

    async def serve(self) -> tuple[asyncio.Server, int]:
        """The server, listening on 127.0.0.1 with TLS from the first byte, and its port."""
        for address, folders in FOLDERS.items():
            for folder in folders:
                await self._folder(address, folder)
        server = await asyncio.start_server(self._connected, host="127.0.0.1", port=0, ssl=self._tls)
        return server, server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Lets go of the connections that a fault holds."""
        self._held.set()

    async def put(self, address: str, folder: str, raw: bytes) -> None:
        """A new, unseen mail; the folder is made where it is missing."""
        mailbox = await self._folder(address, folder)
        await mailbox.append(AppendMessage(raw, datetime.now(UTC)), recent=True)

    async def read(self, address: str, folder: str) -> list[bytes]:
        """The mails of a folder as they are stored, oldest first; none where there is no such folder."""
        mailboxes = self._mailboxes(address)
        try:
            mailbox = await mailboxes.get_mailbox(folder)
        except KeyError:
            return []
        content = [await message.load_content(FetchRequirement.CONTENT) async for message in mailbox.messages()]
        return [bytes(loaded.content) for loaded in content if loaded.content is not None]

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        if (silent := self._faults.take("no_answer", Asked(application="imap"))) is not None:
            await _wait(self._held, silent.seconds)
            writer.close()
            return
        try:
            await self._imap(reader, cast(StreamWriter, _WholeResponses(writer)), SocketInfoLocal(writer))
        except ConnectionError:
            writer.close()

    async def _folder(self, address: str, folder: str) -> MailboxData:
        mailboxes = self._mailboxes(address)
        try:
            return await mailboxes.get_mailbox(folder)
        except KeyError:
            await mailboxes.add_mailbox(folder)
            return await mailboxes.get_mailbox(folder)

    def _mailboxes(self, address: str) -> MailboxSet:
        if address not in self._config.set_cache:
            self._config.set_cache[address] = (MailboxSet(), FilterSet())
        return self._config.set_cache[address][0]


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds or None)
    except TimeoutError:
        return
