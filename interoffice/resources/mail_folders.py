"""One IMAP mailbox: folders opened for reading only, mails found by their Message-ID, moved without a second copy.

Nothing is marked or moved by reading (EXAMINE, BODY.PEEK). Texts from mails never get into a command unless they are
plain signs without quote or backslash (RFC 9051 4.3); what is not is looked for among the headers instead.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from imap_tools import MailBox, MailBoxStartTls
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.utils import encode_folder

from interoffice.errors import ApplicationError, BusinessError, CredentialRefused
from interoffice.resources.mail_reading import MADE_UP, message_id_in, read_letter
from interoffice.resources.mail_sending import Endpoint

_TIMEOUT_S: Final = 60.0
_SAFE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{3,900}")
_ELSEWHERE: Final = frozenset({"\\sent", "\\drafts", "\\trash", "\\junk", "\\all", "\\noselect", "\\nonexistent"})
_NUMBERS_AT_ONCE: Final = 200
_TEMPORARY: Final = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")
"""Answers to a sign-in that say nothing about the password (RFC 5530)."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A mail in a folder, not fetched yet. `received_at` is the server's own date."""

    uid: str
    size_bytes: int
    received_at: datetime


class MailFolders:
    """A signed-in mailbox. Every failure is one sentence naming the account; close it."""

    def __init__(self, box: Any, account: str, place: Endpoint) -> None:
        self._box, self._account, self._place = box, account, place
        self._known: frozenset[str] | None = None

    def stored(self, folder: str) -> list[Stored]:
        """The mails of a folder, oldest first."""
        self._open(folder)
        return self._stored()

    def message_ids(self, folder: str) -> dict[str, str]:
        """Message-ID -> uid of the mails of a folder, oldest first; one without an id stands under its place."""
        self._open(folder)
        stored = self._stored()
        ids = self._ids_by_uid() if stored else {}
        return {ids.get(each.uid) or f"{folder}/{each.uid}/{each.received_at.isoformat()}": each.uid for each in stored}

    def raw(self, uid: str) -> bytes:
        """A mail of the folder that is open, whole."""
        for answer in self._fetch(uid, "(BODY.PEEK[])"):
            if isinstance(answer, tuple):
                return bytes(answer[1])
        raise ApplicationError(f"a mail vanished from the mailbox {self._account} while it was read", code="mail")

    def holding(self, folder: str, message_ids: Iterable[str]) -> dict[str, list[str]]:
        """Message-ID -> numbers of the mails in the folder that have it."""
        self._open(folder)
        found: dict[str, list[str]] = {}
        scan = []
        for message_id in message_ids:
            if _SAFE.fullmatch(message_id) and not message_id.endswith(MADE_UP):
                numbers = [uid for uid in self._search("Message-ID", message_id) if self._message_id(uid) == message_id]
                if numbers:
                    found[message_id] = numbers
            else:
                scan.append(message_id)
        if scan:
            for stored in self._stored():
                own = read_letter(self.raw(stored.uid)).message_id
                if own in scan:
                    found.setdefault(own, []).append(stored.uid)
        return found

    def answering(self, folder: str, message_id: str) -> list[Stored]:
        """The mails of a folder that may answer a message, by In-Reply-To or References, oldest first."""
        self._open(folder)
        if not _SAFE.fullmatch(message_id):
            raise BusinessError(f"{message_id!r} is no Message-ID of a mail that was sent", code="bad_message_id")
        numbers = {*self._search("In-Reply-To", message_id), *self._search("References", message_id)}
        return [stored for stored in self._stored() if stored.uid in numbers] if numbers else []

    def names(self) -> list[str]:
        """Folders that mails come into: those for sent, deleted and unwanted ones are left out."""
        folders = self._tried(lambda: self._box.folder.list())
        kept = [one.name for one in folders if not {flag.lower() for flag in one.flags} & _ELSEWHERE]
        return sorted(kept, key=lambda name: (name.upper() != "INBOX", name))

    def move(self, source: str, uids: list[str], target: str) -> None:
        """Move mails; without the MOVE extension (RFC 6851): copy, then delete these and no others."""
        self._tried(lambda: self._box.folder.set(source, readonly=False))
        numbers = ",".join(uids)
        if "MOVE" in self._abilities():
            self._command("MOVE", numbers, encode_folder(target))
            return
        self._command("COPY", numbers, encode_folder(target))
        self._delete(numbers)

    def delete(self, source: str, uids: list[str]) -> None:
        """Remove mails of which the target has a copy already (a move that was cut off between its two halves)."""
        self._tried(lambda: self._box.folder.set(source, readonly=False))
        self._delete(",".join(uids))

    def has_folder(self, folder: str) -> bool:
        """True where there is such a folder."""
        return bool(self._tried(lambda: self._box.folder.exists(folder)))

    def make_folder(self, folder: str) -> None:
        """The folder, made where it is missing."""
        if not self.has_folder(folder):
            self._tried(lambda: self._box.folder.create(folder))

    def close(self) -> None:
        """Sign out, as far as somebody listens."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
            self._box.logout()

    def _abilities(self) -> frozenset[str]:
        """What the server can do: it tells more after the sign-in than before."""
        if self._known is None:
            _, said = self._tried(lambda: self._box.client.capability())
            self._known = frozenset(b" ".join(part for part in said if part).decode("ascii", "replace").upper().split())
        return self._known

    def _delete(self, numbers: str) -> None:
        """Deleted mails count as gone; they are wiped out where that hits no mail that somebody else deleted."""
        self._command("STORE", numbers, "+FLAGS.SILENT", "(\\Deleted)")
        if "UIDPLUS" in self._abilities():
            self._command("EXPUNGE", numbers)
        elif set(self._numbers("DELETED")) == set(numbers.split(",")):
            self._tried(lambda: self._box.client.expunge())

    def _open(self, folder: str) -> None:
        try:
            self._tried(lambda: self._box.folder.set(folder, readonly=True))
        except MailboxFolderSelectError:
            names = ", ".join(self.names()[:20])
            raise BusinessError(
                f'the mailbox {self._account} has no folder "{folder}"; it has {names or "none"}', code="folder_missing"
            ) from None

    def _stored(self) -> list[Stored]:
        found = [_read_stored(answer) for answer in self._fetch("1:*", "(UID FLAGS RFC822.SIZE INTERNALDATE)")]
        kept = {stored.uid: stored for stored in found if stored is not None}
        return sorted(kept.values(), key=lambda stored: (stored.received_at, int(stored.uid)))

    def _message_id(self, uid: str) -> str:
        for answer in self._fetch(uid, "(BODY.PEEK[HEADER])"):
            if isinstance(answer, tuple):
                return read_letter(bytes(answer[1])).message_id
        return ""

    def _ids_by_uid(self) -> dict[str, str]:
        """uid -> Message-ID of all mails of the open folder, in one question."""
        found: dict[str, str] = {}
        for answer in self._fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"):
            if isinstance(answer, tuple):
                uid = re.search(rb"UID (\d+)", answer[0])
                said = message_id_in(bytes(answer[1]))
                if uid is not None and said is not None:
                    found[uid[1].decode()] = said
        return found

    def _search(self, header: str, value: str) -> list[str]:
        return self._numbers("UNDELETED", "HEADER", header, f'"{value}"')

    def _numbers(self, *criteria: str) -> list[str]:
        answer = self._command("SEARCH", *criteria)
        return [word.decode() for line in answer if line for word in line.split()]

    def _fetch(self, uids: str, what: str) -> list[Any]:
        return self._command("FETCH", uids, what)

    def _command(self, *words: Any) -> list[Any]:
        kind, answer = self._tried(lambda: self._box.client.uid(*words))
        if kind != "OK":
            said = b" ".join(part for part in answer if isinstance(part, bytes)).decode("utf-8", "replace")
            raise ApplicationError(f"the mailbox {self._account} refused {words[0]}: {said}", code="mail")
        return list(answer or [])

    def _tried(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except MailboxFolderSelectError:
            raise
        except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
            raise ApplicationError(
                f"the connection to the mailbox {self._account} at {self._place} broke ({error}); try again later",
                code="mail",
            ) from error


def _read_stored(answer: Any) -> Stored | None:
    text = (answer[0] if isinstance(answer, tuple) else answer or b"").decode("ascii", "replace")
    uid, size = re.search(r"\bUID (\d+)", text), re.search(r"\bRFC822\.SIZE (\d+)", text)
    date = re.search(r'\bINTERNALDATE "([^"]+)"', text)
    if uid is None or size is None or date is None or "\\Deleted" in text:
        return None
    received_at = datetime.strptime(date[1].strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    return Stored(uid=uid[1], size_bytes=int(size[1]), received_at=received_at)


def chunks(uids: list[str]) -> Iterator[list[str]]:
    """Numbers in groups that fit into one command."""
    for start in range(0, len(uids), _NUMBERS_AT_ONCE):
        yield uids[start : start + _NUMBERS_AT_ONCE]


def sign_in(
    place: Endpoint, *, account: str, user: str, password: str, credential: str, tls: ssl.SSLContext
) -> MailFolders:
    """The mailbox, signed in; a refused password is tried once and pauses the credential."""
    try:
        if place.is_tls:
            box: Any = MailBox(place.host, place.port, timeout=_TIMEOUT_S, ssl_context=tls)
        else:
            box = MailBoxStartTls(place.host, place.port, timeout=_TIMEOUT_S, ssl_context=tls)
    except ssl.SSLCertVerificationError as error:
        raise ApplicationError(
            f"the certificate of the mail server {place} is not trusted: {error.verify_message}",
            code="mail",
            transient=False,
        ) from error
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise ApplicationError(
            f"the mailbox {account} at {place} can't be reached ({error}); try again later", code="mail_unreachable"
        ) from error
    return MailFolders(_signed_in(box, place, account, user, password, credential), account, place)


def _signed_in(box: Any, place: Endpoint, account: str, user: str, password: str, credential: str) -> Any:
    try:
        return box.login(user, password, initial_folder=None)
    except (OSError, imaplib.IMAP4.abort) as error:
        raise ApplicationError(
            f"the mailbox {account} at {place} can't be reached ({error}); try again later", code="mail_unreachable"
        ) from error
    except (MailboxLoginError, imaplib.IMAP4.error) as error:
        if any(word in str(error) for word in _TEMPORARY):
            raise ApplicationError(
                f"the mailbox {account} at {place} can't be opened now ({error})", code="mail_unreachable"
            ) from error
        raise CredentialRefused(
            f'the mail server {place} refused the credential "{credential}" for the mailbox {account}',
            credential=credential,
        ) from error
