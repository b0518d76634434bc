"""Mail: read from the accounts of settings.yaml, moved between their folders, sent from a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interoffice.bot import Answer, Found, MailAccount, NotFound, TemplateFile, Values, Wording, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """Mails of a folder and what was attached to them."""

    messages: Table
    attachments: Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Replies:
    """Answers to a mail."""

    messages: Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The Message-ID of the mail: what `email.find_replies` asks for."""

    message_id: str


@bot(
    effect="reads",
    outputs={
        "messages": "table of message_id: text, sender: text, subject: text, text: text, received_at: date_time",
        "attachments": "table of message_id: text, sender: text, file: file, name: text, sha256: text",
    },
)
def fetch(ctx: Context, *, mailbox: MailAccount, folder: str, file_types: tuple[str, ...] | None = None) -> Fetched:
    """The mails of a folder and their attachments, oldest first; nothing is marked or moved.

    `sender` is the address, in small letters, never the display name. `name` is what the mail calls the file, which
    says nothing of what it is; the file itself is kept under its digest. Mails whose sender no trusted server vouches
    for are left where they are, and the log says so; attachments come only from accounts with `trusted_senders` or
    `allowed_senders` in settings.yaml. `received_at` is the mail server's own time.

    Error codes: folder_missing; application errors: mail_unreachable, mail.

    Inputs:
        mailbox: a mail account of settings.yaml
        folder: the folder to read, e.g. Invoices/In
        file_types: only attachments of these types, e.g. pdf, xml; left out, all of them

    Example:
        - id: mails
          bot: email.fetch
          with:
            mailbox: invoices
            folder: Invoices/In
            file_types: [pdf, xml]
    """
    messages, attachments = ctx.mail.fetch(mailbox, folder=folder, file_types=file_types or ())
    ctx.log.info("mails_fetched", mailbox=mailbox, messages=messages.row_count, attachments=attachments.row_count)
    return Fetched(messages=messages, attachments=attachments)


@bot(
    effect="reads",
    outputs={"messages": "table of message_id: text, sender: text, subject: text, text: text, received_at: date_time"},
)
def find_replies(ctx: Context, *, mailbox: MailAccount, to_message: str) -> Replies:
    """The answers to a mail, found by In-Reply-To and References; out-of-office and delivery reports don't count.

    Looks in every folder that mails come into. Nothing is marked or moved.

    Error codes: bad_message_id; application errors: mail_unreachable, mail.

    Inputs:
        mailbox: the mail account that the answers come to
        to_message: the message_id that `email.send` gave

    Example:
        - id: reply
          wait: email.find_replies
          with:
            mailbox: purchasing
            to_message: ${{ steps.order.message_id }}
          every: 30m
          until: messages is not empty
          within: 2 business days
          if_late: continue
    """
    return Replies(messages=ctx.mail.find_replies(mailbox, to_message=to_message))


def _look_in_folder(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    """All of the mails are in the folder, or some are not: then moving the rest is safe."""
    mailbox, folder = str(inputs["mailbox"]), str(inputs["folder"])
    wanted = _message_ids(inputs["messages"])
    there = ctx.mail.holds(mailbox, message_ids=wanted, folder=folder)
    if set(there) == set(wanted):
        return Found(reference=f"{mailbox}/{folder}")
    return NotFound(searched=f"{len(wanted) - len(there)} of {len(wanted)} mails are not in {folder} of {mailbox}")


@bot(effect="changes", identity=("mailbox", "messages", "folder"), look_up=_look_in_folder)
def move(ctx: Context, *, mailbox: MailAccount, messages: Table, folder: str) -> None:
    """Moves mails to another folder of their mailbox, which is made where it is missing.

    Mails that are there already stay; a mail is never in both folders afterwards. Without rows nothing happens.

    Error codes: mail_missing (a mail is in no folder any more), no_column; application errors: mail_unreachable, mail.

    Inputs:
        mailbox: a mail account of settings.yaml
        messages: a table with the column message_id, as `email.fetch` gives it
        folder: where the mails go, e.g. Invoices/Done

    Example:
        - id: file_mails
          bot: email.move
          with:
            mailbox: invoices
            messages: ${{ steps.mails.messages }}
            folder: Invoices/Done
    """
    wanted = _message_ids(messages)
    if not wanted:
        ctx.log.info("mails_moved", mailbox=mailbox, folder=folder, messages=0)
        return
    if set(ctx.mail.holds(mailbox, message_ids=wanted, folder=folder)) == set(wanted):
        ctx.log.info("mails_already_moved", mailbox=mailbox, folder=folder, messages=len(wanted))
        return
    ctx.commit({"mailbox": mailbox, "folder": folder, "messages": wanted})
    ctx.mail.move(mailbox, message_ids=wanted, folder=folder)
    ctx.log.info("mails_moved", mailbox=mailbox, folder=folder, messages=len(wanted))


@bot(effect="sends", identity=("to", "template"))
def send(
    ctx: Context,
    *,
    to: tuple[str, ...],
    subject: Wording,
    template: TemplateFile,
    data: Values | None = None,
    attach: tuple[FileValue, ...] | None = None,
) -> Sent:
    """One mail from a template, as plain text and HTML, from the account that settings.yaml names as `send_from`.

    The template sees what stands under `data:`, and `run` and `workflow`; it is strict: a name that isn't there is an
    error, and nothing is sent. Data is escaped, never markup. Numbers, dates and missing values are written as the
    project writes them. Recipients outside of the environment's `only_to` are refused. Either all recipients are
    accepted by the server or nobody gets the mail. Its Message-ID is made of the posting key.

    Error codes: bad_recipient, recipient_not_allowed, recipient_refused, bad_header, template, file_missing,
    file_changed; application errors: mail_unreachable, mail_refused, mail, outcome_unclear (the answer was lost).

    Inputs:
        to: who gets the mail, one address or several
        subject: its subject
        template: a file below workflows/, e.g. emails/won_deals.html
        data: what the template shows: values, rows, tables
        attach: one file or several

    Example:
        - id: confirm
          bot: email.send
          with:
            to: sales-operations@example.com
            subject: ${{ count(steps.orders.results) }} won deals are in the ERP
            template: emails/won_deals.html
            data:
              entered: ${{ steps.orders.results }}
            attach: ${{ steps.ledger.file }}
    """
    message_id = ctx.mail.send(
        to=to, subject=subject, template=template, data=data or {}, attach=attach or ()
    )
    ctx.log.info("mail_sent", message_id=message_id, recipients=len(to))
    return Sent(message_id=message_id)


def _message_ids(messages: object) -> tuple[str, ...]:
    if not isinstance(messages, Table) or "message_id" not in messages.columns:
        raise BusinessError("the messages have no column message_id; give those of email.fetch", code="no_column")
    return tuple(dict.fromkeys(str(one) for one in messages.column("message_id") if one is not None))
