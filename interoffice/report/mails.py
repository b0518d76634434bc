"""The mails that a run sent, as their readers got them: from the copies that were kept as evidence."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from pathlib import PurePosixPath

from interoffice.report.record import Record
from interoffice.report.story import MailTold

MAILS_SHOWN = 50
LONGEST = 20_000


def mails_told(record: Record) -> Iterator[MailTold]:
    """Mails whose sending is confirmed, the first of them; a copy that retention has removed has no text any more."""
    sent = [intent for intent in record.intents if "mail" in intent.evidence]
    for intent in sent[:MAILS_SHOWN]:
        yield MailTold(
            to=", ".join(_texts(intent.meant.get("to"))),
            subject=str(intent.meant.get("subject", "")),
            text=_text(record, str(intent.evidence["mail"])),
            attached=tuple(_texts(intent.meant.get("attach"))),
        )


def _texts(value: object) -> Iterator[str]:
    yield from (str(each) for each in value) if isinstance(value, (list, tuple)) else ()


def _text(record: Record, path: str) -> str:
    try:
        data = (record.folder / "files" / PurePosixPath(path).name).read_bytes()
    except OSError:
        return "The copy of this mail is gone (retention)."
    body = email.message_from_bytes(data, policy=email.policy.default).get_body(("plain",))
    return str(body.get_content())[:LONGEST].strip() if body is not None else ""
