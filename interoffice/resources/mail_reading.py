"""A mail from outside as plain facts: who sent it (and whether that is vouched for), its text, its attachments.

The sender is the address, never the display name. A forwarded mail is looked into, once; a part without a name is an
attachment too (imap-tools' own list leaves those out and lists forwarded mails twice).
"""

from __future__ import annotations

import email.policy
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from interoffice.resources.mail_text import plain_text

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ID: Final = re.compile(r"<[^<>\s]{1,990}>")
BROKEN_MAIL: Final = (ValueError, LookupError, TypeError, AttributeError)
"""What the standard library raises on mails that are no mails, beside reading them without complaint."""
MADE_UP: Final = "@without-message-id>"
"""How an id ends that was made of a mail's content: no server can search for it."""
_DEEPEST: Final = 8
_LONGEST_TEXT: Final = 200_000
_MAGIC: Final = (
    (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"), (b"<?xml", "xml"), (b"\xef\xbb\xbf<?xml", "xml"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file of a mail. `name` is what the mail claims; `kinds` are the file types that it may count as."""

    name: str
    kinds: frozenset[str]
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail, parsed. `message_id` is its own, or one made of its content where it has none."""

    message: Message
    message_id: str
    sender: str | None
    subject: str

    @property
    def is_automatic(self) -> bool:
        """True of out-of-office answers and delivery reports (RFC 3834), which answer nothing."""
        said = str(self.message.get("Auto-Submitted", "no")).strip().lower()
        return not said.startswith("no") or self.message.get_content_type() == "multipart/report"

    def answers(self, message_id: str) -> bool:
        """True where In-Reply-To or References name this message."""
        named = " ".join(str(value) for key in ("In-Reply-To", "References") for value in self.message.get_all(key, []))
        return message_id in _ID.findall(named)

    def text(self) -> str:
        """What it says: its plain text, else its HTML as text."""
        for wanted in ("text/plain", "text/html"):
            for part in _parts(self.message):
                if part.get_content_type() == wanted and not _is_attached(part):
                    text = _decoded(part)[:_LONGEST_TEXT]
                    return text if wanted == "text/plain" else plain_text(text)
        return ""

    def attachments(self, file_types: Sequence[str] = ()) -> list[Attachment]:
        """Its files, those of forwarded mails in it too; only of these types, by name, declared type or content."""
        wanted = {word.lower().lstrip(".") for word in file_types}
        found = []
        for number, part in enumerate(_parts(self.message), start=1):
            if not _is_attached(part):
                continue
            attachment = _attachment(part, number)
            if not wanted or wanted & attachment.kinds:
                found.append(attachment)
        return found


def read_letter(raw: bytes) -> Letter:
    """The mail of these bytes."""
    message = message_from_bytes(raw, policy=email.policy.compat32)
    message_id = _message_id(message) or f"<{hashlib.sha256(raw).hexdigest()[:40]}{MADE_UP}"
    return Letter(
        message=message, message_id=message_id, sender=_sender(message), subject=_decoded_header(message.get("Subject"))
    )


def message_id_in(header: bytes) -> str | None:
    """The one Message-ID of a header; None where it has none, or several."""
    return _message_id(message_from_bytes(header, policy=email.policy.compat32))


def _message_id(message: Message) -> str | None:
    ids = _ID.findall(_unfolded(message.get("Message-ID")))
    return ids[0] if len(ids) == 1 else None


def _sender(message: Message) -> str | None:
    """The one address of From in small letters; None where there is none or more than one."""
    headers = message.get_all("From", [])
    addresses = getaddresses([_unfolded(header) for header in headers])
    if len(headers) != 1 or len(addresses) != 1:
        return None
    address = addresses[0][1].lower()
    return address if re.fullmatch(r"[^@\s]+@[^@\s]+", address) else None


def why_not_trusted(letter: Letter, trusted_servers: Sequence[str], allowed_senders: Sequence[str]) -> str | None:
    """Why this mail's sender is not believed; None where a trusted server vouches for it, or a list lets it in."""
    if letter.sender is None:
        return "it has no sender, or several"
    if any(fnmatchcase(letter.sender, pattern.lower()) for pattern in allowed_senders):
        return None
    results = _trusted_results(letter.message, trusted_servers)
    if results is None:
        return f"no Authentication-Results of {' or '.join(trusted_servers) or 'a trusted server'}"
    domain = letter.sender.rpartition("@")[2]
    if _passes(results, domain):
        return None
    return f"{trusted_servers[0]} does not vouch for {domain}"


def _trusted_results(message: Message, trusted_servers: Sequence[str]) -> str | None:
    """The topmost results that a trusted server wrote (RFC 8601 5: those below may be the sender's own)."""
    trusted = {server.lower() for server in trusted_servers}
    for header in message.get_all("Authentication-Results", []):
        bare = _without_comments(_unfolded(header))
        words = bare.split(";", 1)[0].split()
        if words and words[0].lower() in trusted:
            return bare.partition(";")[2]
    return None


def _passes(results: str, domain: str) -> bool:
    """DMARC passed for the sender's domain; or DKIM or SPF passed for that domain or the one above it."""
    for result in results.split(";"):
        words = result.lower().split()
        if not words:
            continue
        method, _, outcome = words[0].partition("=")
        said = dict(word.partition("=")[::2] for word in words[1:])
        if outcome != "pass":
            continue
        if method == "dmarc" and said.get("header.from", "").strip('"') in ("", domain):
            return True
        if method == "dkim" and _aligned(said.get("header.d", ""), domain):
            return True
        if method == "spf" and _aligned(said.get("smtp.mailfrom", "").rpartition("@")[2], domain):
            return True
    return False


def _aligned(proved: str, domain: str) -> bool:
    bare = proved.strip('"')
    return bool(bare) and "." in bare and (bare == domain or domain.endswith(f".{bare}"))


def _without_comments(text: str) -> str:
    previous = ""
    while previous != text:
        previous, text = text, re.sub(r"\([^()]*\)", " ", text)
    return text


def _unfolded(header: object) -> str:
    """A header on one line: bytes that no charset explains and control signs are replaced."""
    return " ".join(_CONTROL.sub(" ", _readable(str(header or ""))).split())


def _readable(text: str) -> str:
    """The text without lone surrogates, which are the parser's way to keep bytes that it can't decode."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if _is_odd(text) else text


def _is_odd(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _decoded_header(header: object) -> str:
    from email.header import decode_header, make_header

    try:
        return _unfolded(make_header(decode_header(str(header or ""))))
    except (LookupError, ValueError):
        return _unfolded(header)


def _parts(message: Message, depth: int = 0) -> Iterator[Message]:
    """The leaves of a mail; a forwarded mail's leaves are its own."""
    payload = message.get_payload() if message.is_multipart() else None
    if not isinstance(payload, list) or depth >= _DEEPEST:
        yield message
        return
    for part in payload:
        if isinstance(part, Message):
            yield from _parts(part, depth + 1)


def _is_attached(part: Message) -> bool:
    if part.get_content_disposition() == "attachment" or _claimed_name(part):
        return True
    return part.get_content_maintype() not in ("text", "multipart", "message")


def _claimed_name(part: Message) -> str:
    try:
        return _decoded_header(part.get_filename())
    except BROKEN_MAIL:  # RFC 2231 lets a name say its own charset
        return ""


def _attachment(part: Message, number: int) -> Attachment:
    content = part.get_payload(decode=True)
    body = content if isinstance(content, bytes) else b""
    declared = (mimetypes.guess_extension(part.get_content_type()) or "").lstrip(".")
    name = _claimed_name(part) or f"unnamed-{number}.{declared or 'bin'}"
    kinds = {PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip("."), declared}
    kinds |= {kind for magic, kind in _MAGIC if body.startswith(magic)}
    return Attachment(name=name, kinds=frozenset(kinds - {""}), content=body)


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    body = content if isinstance(content, bytes) else b""
    for charset in (part.get_content_charset() or "utf-8", "utf-8", "windows-1252"):
        try:
            return _readable(body.decode(charset)).replace("\r\n", "\n").replace("\0", "")
        except (LookupError, ValueError):
            continue
    return body.decode("latin-1").replace("\0", "")


