"""The mail accounts of settings.yaml: what bots see as `ctx.mail`. IMAP and SMTP, always encrypted, always verified.

Mail whose sender nobody vouches for is left in its folder, unread: with `trusted_senders` (servers whose
Authentication-Results count) or `allowed_senders` an account lets only those in; without either it gives messages but
never attachments.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from interoffice.errors import BusinessError, ProjectError
from interoffice.model.settings import Mail as MailSettings
from interoffice.model.settings import MailAccount, MailServer
from interoffice.model.table import Table
from interoffice.model.types import DATE_TIME, FILE, TEXT
from interoffice.model.values import FileValue, Formats, Value
from interoffice.problem import did_you_mean
from interoffice.resources.files import FileRoots, safe_name
from interoffice.resources.mail_folders import MailFolders, Stored, chunks, sign_in
from interoffice.resources.mail_reading import BROKEN_MAIL, Letter, read_letter, why_not_trusted
from interoffice.resources.mail_sending import begin, compose, endpoint, refuse_recipients
from interoffice.resources.mail_template import render

MESSAGE_COLUMNS: Final = {
    "message_id": TEXT, "sender": TEXT, "subject": TEXT, "text": TEXT, "received_at": DATE_TIME,
}  # fmt: skip
ATTACHMENT_COLUMNS: Final = {"message_id": TEXT, "sender": TEXT, "file": FILE, "name": TEXT, "sha256": TEXT}
_PRACTICE: Final = "practice:"
_IMAP_PORTS: Final = (993, 143)
_SMTP_PORTS: Final = (465, 587)

Say = Callable[..., None]
Commit = Callable[..., str]
"""The gate before the act, as `interoffice.context.Commit` describes it."""


class Mailboxes:
    """The mail of one run. Mailboxes are opened on first use; close it.

    `server`: that of the run's environment. `address` resolves `practice:imap`, `certificate` is the practice office's
    own authority. `template` gives a template's text by its name; `names` what it sees beside its data (`run`,
    `workflow`). `warn(event, **fields)` is the run's log.
    """

    def __init__(
        self,
        *,
        settings: MailSettings,
        server: MailServer | None,
        credentials: Callable[[str], Mapping[str, str]],
        address: Callable[[str], str],
        commit: Commit,
        files: FileRoots,
        template: Callable[[str], str],
        names: Callable[[], Mapping[str, Value]],
        formats: Formats,
        warn: Say,
        certificate: Callable[[], Path] | None = None,
        rows_in_a_mail: int = 200,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._server, self._commit, self._files = settings, server, commit, files
        self._credentials, self._address, self._certificate = credentials, address, certificate
        self._template, self._names, self._formats = template, names, formats
        self._warn, self._rows_in_a_mail, self._now = warn, rows_in_a_mail, now
        self._open: dict[str, MailFolders] = {}
        self._seen_in: dict[tuple[str, str], str] = {}

    def fetch(self, account: str, *, folder: str, file_types: tuple[str, ...] = ()) -> tuple[Table, Table]:
        """The mails of a folder and their attachments, oldest first; nothing is marked or moved."""
        known = self._account(account)
        is_guarded = bool(known.trusted_senders or known.allowed_senders)
        if file_types and not is_guarded:
            raise ProjectError(
                f"attachments of the mailbox {account} can't be trusted: name its `trusted_senders` or "
                "`allowed_senders` in settings.yaml"
            )
        box = self._mailbox(known)
        messages: list[dict[str, Value]] = []
        attachments: list[dict[str, Value]] = []
        for stored in box.stored(folder):
            letter = self._letter(box, stored, known)
            if letter is None or (is_guarded and not self._is_trusted(letter, known)):
                continue
            self._seen_in[account, letter.message_id] = folder
            messages.append(_message_row(letter, stored))
            if is_guarded:
                attachments += self._attachment_rows(letter, file_types)
        return Table.from_rows(MESSAGE_COLUMNS, messages), Table.from_rows(ATTACHMENT_COLUMNS, attachments)

    def message_ids(self, account: str, *, folder: str) -> tuple[str, ...]:
        """The Message-IDs of the mails of a folder, oldest first; nothing is fetched or marked."""
        return tuple(self._mailbox(self._account(account)).message_ids(folder))

    def find_replies(self, account: str, *, to_message: str) -> Table:
        """Answers to a mail in any folder that mails come into; automatic ones (out of office) don't count."""
        known = self._account(account)
        box = self._mailbox(known)
        rows: dict[str, dict[str, Value]] = {}
        for folder in box.names():
            for stored in box.answering(folder, to_message):
                letter = self._letter(box, stored, known)
                if letter is None or letter.is_automatic or not letter.answers(to_message):
                    continue
                if (known.trusted_senders or known.allowed_senders) and not self._is_trusted(letter, known):
                    continue
                self._seen_in[account, letter.message_id] = folder
                rows.setdefault(letter.message_id, _message_row(letter, stored))
        return Table.from_rows(MESSAGE_COLUMNS, rows.values())

    def move(self, account: str, *, message_ids: Iterable[str], folder: str) -> None:
        """Move mails to a folder, which is made where it is missing; those that are there already stay."""
        wanted = list(dict.fromkeys(message_ids))
        box = self._mailbox(self._account(account))
        box.make_folder(folder)
        there = box.holding(folder, wanted)
        for source in self._sources(box, account, wanted, folder):
            found = box.holding(source, wanted)
            for uids in chunks([uid for message_id in there.keys() & found.keys() for uid in found[message_id]]):
                box.delete(source, uids)
            moving = [message_id for message_id in found if message_id not in there]
            for uids in chunks([found[message_id][0] for message_id in moving]):
                box.move(source, uids, folder)
            there.update({message_id: found[message_id] for message_id in moving})
            if there.keys() >= set(wanted):
                return
        left = [message_id for message_id in wanted if message_id not in there]
        raise BusinessError(
            f"{len(left)} of {len(wanted)} mails are no longer in the mailbox {account}: {', '.join(left[:3])}",
            code="mail_missing",
        )

    def holds(self, account: str, *, message_ids: Iterable[str], folder: str) -> tuple[str, ...]:
        """Which of these mails the folder holds; none where there is no such folder."""
        box = self._mailbox(self._account(account))
        wanted = list(dict.fromkeys(message_ids))
        if not box.has_folder(folder):
            return ()
        found = box.holding(folder, wanted)
        return tuple(message_id for message_id in wanted if message_id in found)

    def send(
        self,
        *,
        to: tuple[str, ...],
        subject: str,
        template: str,
        data: Mapping[str, Value],
        attach: tuple[FileValue, ...] = (),
    ) -> str:
        """Send one mail and give its Message-ID, which is made of the posting key.

        Everything that can be refused is refused before the intent: names of the template, recipients, subject,
        files, sign-in, envelope. OutcomeUnclear when the answer to the content is lost.
        """
        server = self._server_or_refuse()
        sender = self._account(self._settings.send_from or "", role="send_from")
        recipients = refuse_recipients(to, server.only_to)
        html = render(
            self._template(template), template, {**data, **self._names()},
            formats=self._formats, most_rows=self._rows_in_a_mail,
        )  # fmt: skip
        files = [(safe_name(file.name), self._files.readable(file)) for file in attach]
        message = compose(
            sender=sender.address, to=recipients, subject=subject, html=html, attach=files, written_at=self._now()
        )
        rendered = self._files.keep_bytes(message.as_bytes(), "mail.eml")
        parts = self._credentials(sender.credential)
        smtp = endpoint(self._resolved(server.smtp, "smtp"), secure="smtps", plain="smtp", ports=_SMTP_PORTS)
        handover = begin(
            smtp, user=parts.get("user", sender.address), password=parts.get("password", ""),
            credential=sender.credential, sender=sender.address, to=recipients, tls=self._tls(server.smtp),
        )  # fmt: skip
        try:
            key = self._commit(
                {"to": recipients, "subject": subject, "template": template, "attach": [name for name, _ in files]},
                evidence={"mail": rendered.path},
            )
            message["Message-ID"] = message_id_of(key, sender.address)
            handover.give(message.as_bytes())
        finally:
            handover.close()
        return str(message["Message-ID"])

    def close(self) -> None:
        """Sign out of every mailbox."""
        for box in self._open.values():
            box.close()
        self._open.clear()

    def _account(self, name: str, role: str = "mailbox") -> MailAccount:
        found = self._settings.accounts.get(name)
        if found is None:
            meant = did_you_mean(name, self._settings.accounts)
            hint = f'did you mean "{meant}"?' if meant else f"there is {', '.join(self._settings.accounts) or 'none'}"
            raise ProjectError(f'settings.yaml has no mail account "{name}" ({role}); {hint}')
        return found

    def _server_or_refuse(self) -> MailServer:
        if self._server is None:
            raise ProjectError("this environment names no mail server; add `mail:` to it in settings.yaml")
        return self._server

    def _mailbox(self, account: MailAccount) -> MailFolders:
        if account.name not in self._open:
            server = self._server_or_refuse()
            parts = self._credentials(account.credential)
            self._open[account.name] = sign_in(
                endpoint(self._resolved(server.imap, "imap"), secure="imaps", plain="imap", ports=_IMAP_PORTS),
                account=account.name,
                user=parts.get("user", account.address),
                password=parts.get("password", ""),
                credential=account.credential,
                tls=self._tls(server.imap),
            )
        return self._open[account.name]

    def _resolved(self, said: str | None, kind: str) -> str:
        if said is None:
            name = self._server_or_refuse().name
            raise ProjectError(f'the mail server "{name}" has no {kind} address; add it in settings.yaml')
        return self._address(said) if said.startswith(_PRACTICE) else said

    def _tls(self, said: str | None) -> ssl.SSLContext:
        """Verifies against this machine's authorities; the practice office's own counts for its servers alone."""
        if said is not None and said.startswith(_PRACTICE) and self._certificate is not None:
            return ssl.create_default_context(cafile=str(self._certificate()))
        return ssl.create_default_context()

    def _letter(self, box: MailFolders, stored: Stored, account: MailAccount) -> Letter | None:
        """The mail; None for one that can't be taken: it stays where it is, and the log says why."""
        if self._is_too_big(stored, account.name):
            return None
        raw = box.raw(stored.uid)
        try:
            letter = read_letter(raw)
            letter.text()
            letter.attachments()
        except BROKEN_MAIL as error:
            self._warn("mail_unreadable", account=account.name, received_at=stored.received_at, reason=str(error))
            return None
        return letter

    def _is_too_big(self, stored: Stored, account: str) -> bool:
        most = self._files.largest_bytes * 3 // 2  # base64 makes four bytes of three
        if stored.size_bytes <= most:
            return False
        self._warn("mail_too_big", account=account, size_bytes=stored.size_bytes, received_at=stored.received_at)
        return True

    def _is_trusted(self, letter: Letter, account: MailAccount) -> bool:
        reason = why_not_trusted(letter, account.trusted_senders, account.allowed_senders)
        if reason is None:
            return True
        self._warn(
            "mail_not_trusted",
            account=account.name, message_id=letter.message_id, sender=letter.sender or "", reason=reason,
        )  # fmt: skip
        return False

    def _attachment_rows(self, letter: Letter, file_types: tuple[str, ...]) -> list[dict[str, Value]]:
        rows: list[dict[str, Value]] = []
        for attachment in letter.attachments(file_types):
            file = self._files.keep_bytes(attachment.content, attachment.name)
            rows.append(
                {
                    "message_id": letter.message_id, "sender": letter.sender, "file": file,
                    "name": attachment.name, "sha256": file.sha256,
                }
            )  # fmt: skip
        return rows

    def _sources(self, box: MailFolders, account: str, wanted: list[str], target: str) -> list[str]:
        """Where to look for mails to move: first the folders they were fetched from, then all others."""
        remembered = [self._seen_in[account, one] for one in wanted if (account, one) in self._seen_in]
        return [name for name in dict.fromkeys([*remembered, *box.names()]) if name != target]


def message_id_of(posting_key: str, sender: str) -> str:
    """The Message-ID of a posting: the same key, the same id, so that a mail sent twice can be seen to be one."""
    domain = sender.rpartition("@")[2]
    return f"<{hashlib.sha256(posting_key.encode()).hexdigest()[:40]}@{domain}>"


def _message_row(letter: Letter, stored: Stored) -> dict[str, Value]:
    return {
        "message_id": letter.message_id, "sender": letter.sender, "subject": letter.subject,
        "text": letter.text(), "received_at": stored.received_at,
    }  # fmt: skip
