"""A mail being written and handed over: all that can be refused is refused before the intent, only DATA comes after."""

from __future__ import annotations

import contextlib
import mimetypes
import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from interoffice.errors import ApplicationError, BusinessError, CredentialRefused, OutcomeUnclear, ProjectError
from interoffice.language.patterns import fits
from interoffice.resources.mail_text import plain_text

_BREAK: Final = re.compile(r"[\r\n\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_LONGEST_SUBJECT: Final = 900
_MECHANISMS: Final = ("PLAIN", "LOGIN", "CRAM-MD5")
"""The connection is encrypted, so the plain ones come first."""
TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A mail server's address. `is_tls`: encrypted from the first byte; otherwise STARTTLS is a must."""

    host: str
    port: int
    is_tls: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def endpoint(address: str, *, secure: str, plain: str, ports: tuple[int, int]) -> Endpoint:
    """The endpoint of `imaps://host:port` and its like."""
    parts = urlsplit(address)
    if parts.scheme not in (secure, plain) or not parts.hostname:
        raise ProjectError(f'"{address}" is no address of a mail server; write {secure}://host in settings.yaml')
    is_tls = parts.scheme == secure
    return Endpoint(host=parts.hostname, port=parts.port or ports[0 if is_tls else 1], is_tls=is_tls)


def refuse_recipients(to: Sequence[str], only_to: Sequence[str]) -> tuple[str, ...]:
    """The recipients, each once; BusinessError `bad_recipient` or `recipient_not_allowed`, and nothing is sent."""
    wanted = tuple(dict.fromkeys(address.strip() for address in to if address and address.strip()))
    if not wanted:
        raise BusinessError("the mail has no recipient; fill in `to`", code="bad_recipient")
    for address in wanted:
        if not fits("email", address, {}):
            raise BusinessError(f"{address!r} is no mail address; nothing was sent", code="bad_recipient")
        if only_to and not any(fnmatchcase(address.lower(), pattern.lower()) for pattern in only_to):
            raise BusinessError(
                f"{address} may not get mail from this environment, only {', '.join(only_to)} may "
                "(settings.yaml, only_to); nothing was sent",
                code="recipient_not_allowed",
            )
    return wanted


def compose(
    *,
    sender: str,
    to: Sequence[str],
    subject: str,
    html: str,
    attach: Sequence[tuple[str, Path]],
    written_at: datetime,
) -> EmailMessage:
    """The mail, as plain text and HTML, with its files; it has no Message-ID yet."""
    if _BREAK.search(subject) or not subject.strip():
        what = "is empty" if not subject.strip() else "holds a line break or a control sign"
        raise BusinessError(f"the subject {subject!r} {what}; nothing was sent", code="bad_header")
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = subject[:_LONGEST_SUBJECT]
    message["Date"] = format_datetime(written_at)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(plain_text(html) + "\n", cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for name, path in attach:
        main, _, sub = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
        if main in ("text", "message", "multipart"):
            main, sub = "application", "octet-stream" if main != "text" else sub
        message.add_attachment(path.read_bytes(), maintype=main, subtype=sub, filename=name)
    return message


class Handover:
    """One connection to a mail server, signed in, its envelope accepted: only the content is missing."""

    def __init__(self, server: smtplib.SMTP, place: Endpoint) -> None:
        self._server, self._place = server, place

    def give(self, content: bytes) -> None:
        """Hand the content over.

        OutcomeUnclear once the content is on its way and no clear answer comes: a temporary failure is none, since
        servers are known to deliver and then fail.
        """
        try:
            code, said = self._server.docmd("DATA")
        except (OSError, smtplib.SMTPException) as error:
            raise ApplicationError(f"{self._place} broke off ({error}); nothing was sent", code="mail") from error
        if code != 354:
            raise ApplicationError(
                f"{self._place} takes no mail now: {code} {_words(said)}; nothing was sent",
                code="mail_refused",
                transient=code < 500,
            )
        end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        code, said = self._answer_to(_DOT.sub(b"..", content) + end)
        if code == 250:
            return
        if code >= 500:
            raise ApplicationError(
                f"{self._place} did not take the mail: {code} {_words(said)}", code="mail_refused", transient=False
            )
        raise OutcomeUnclear(f"{self._place} answered the mail with {code} {_words(said)}; it may have been sent")

    def _answer_to(self, content: bytes) -> tuple[int, bytes]:
        try:
            self._server.send(content)
            return self._server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise OutcomeUnclear(
                f"the mail was handed to {self._place}, and its answer was lost ({error}); it may have been sent"
            ) from error

    def close(self) -> None:
        """Say goodbye, as far as somebody listens."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._server.quit()
        self._server.close()


def begin(
    place: Endpoint,
    *,
    user: str,
    password: str,
    credential: str,
    sender: str,
    to: Sequence[str],
    tls: ssl.SSLContext,
) -> Handover:
    """Connect, sign in, and have sender and recipients accepted; nothing is sent yet."""
    server = _connect(place, tls)
    try:
        _sign_in(server, place, user, password, credential)
        _envelope(server, place, sender, to)
    except (OSError, smtplib.SMTPException) as error:
        server.close()
        raise ApplicationError(f"the mail server {place} broke off ({error}); nothing was sent", code="mail") from error
    except BaseException:
        server.close()
        raise
    return Handover(server, place)


def _connect(place: Endpoint, tls: ssl.SSLContext) -> smtplib.SMTP:
    try:
        if place.is_tls:
            return smtplib.SMTP_SSL(place.host, place.port, timeout=TIMEOUT_S, context=tls)
        server = smtplib.SMTP(place.host, place.port, timeout=TIMEOUT_S)
        server.starttls(context=tls)
        return server
    except ssl.SSLCertVerificationError as error:
        raise ApplicationError(
            f"the certificate of the mail server {place} is not trusted: {error.verify_message}; nothing was sent",
            code="mail",
            transient=False,
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ApplicationError(
            f"the mail server {place} can't be reached ({error}); nothing was sent", code="mail_unreachable"
        ) from error


def _sign_in(server: smtplib.SMTP, place: Endpoint, user: str, password: str, credential: str) -> None:
    try:
        _prove(server, user, password)
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code < 500:  # RFC 4954 6: 454 is a temporary failure
            raise ApplicationError(
                f"the mail server {place} can't check passwords now; nothing was sent", code="mail_unreachable"
            ) from error
        raise CredentialRefused(
            f'the mail server {place} refused the credential "{credential}"; nothing was sent', credential=credential
        ) from error


def _prove(server: smtplib.SMTP, user: str, password: str) -> None:
    """Tries the password once (G6): `smtplib.login` tries a refused one again with every mechanism of the server."""
    server.ehlo_or_helo_if_needed()
    offered = server.esmtp_features.get("auth", "").upper().split()
    chosen = [name for name in _MECHANISMS if name in offered]
    if not chosen:
        raise smtplib.SMTPException("it offers no way to sign in that is known here")
    server.user, server.password = user, password
    for name in chosen:
        try:
            server.auth(name, getattr(server, f"auth_{name.lower().replace('-', '_')}"))
            return
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code != 504 or name == chosen[-1]:  # RFC 4954 4: offered, but not there; nothing was judged
                raise


def _envelope(server: smtplib.SMTP, place: Endpoint, sender: str, to: Sequence[str]) -> None:
    """Every recipient is asked for before anything is sent to one of them."""
    code, said = server.mail(sender)
    if code != 250:
        wrong = f"{place} does not take mail from {sender}: {code} {_words(said)}"
        raise ApplicationError(wrong, code="mail_refused", transient=code < 500)
    for address in to:
        code, said = server.rcpt(address)
        if code not in (250, 251):
            server.rset()
            if code >= 500:
                raise BusinessError(
                    f"{place} refuses the recipient {address}: {code} {_words(said)}; nothing was sent to anybody",
                    code="recipient_refused",
                )
            raise ApplicationError(
                f"{place} can't take mail for {address} now: {code} {_words(said)}; nothing was sent", code="mail"
            )


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
