"""Mail against real IMAP and SMTP servers over verified TLS: read, moved, sent; and every way it goes wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from interoffice.bot import Found, NotFound
from interoffice.errors import (
    ApplicationError,
    BusinessError,
    CredentialRefused,
    OutcomeUnclear,
    ProjectError,
    Rehearsed,
)
from interoffice.model.table import Table
from interoffice.model.types import MONEY, TEXT
from interoffice.practice import practice_certificate
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from tests.support.bots import bot, look_up
from tests.support.context import Desk


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOffice]:
    folder = tmp_path_factory.mktemp("practice")
    with PracticeOffice.start(folder, only=("imap", "smtp")) as started:
        started.certificate = practice_certificate(folder)  # type: ignore[attr-defined]
        yield started


@pytest.fixture
def desk(tmp_path: Path, office: PracticeOffice) -> Iterator[Desk]:
    with Desk(tmp_path, office) as made:
        yield made


def letter(message_id: str, sender: str = "billing@supplier.example", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"Billing <{sender}>"
    message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("please find attached")
    return message


def invoice(message_id: str, sender: str = "billing@supplier.example") -> EmailMessage:
    message = letter(message_id, sender, Subject="Rechnung für März")
    message.add_attachment(b"%PDF-1.7 " + message_id.encode(), maintype="application", subtype="pdf", filename="i.pdf")
    message.add_attachment("not wanted", filename="note.txt")
    return message


def put(office: PracticeOffice, message: EmailMessage, folder: str, *, vouched: bool = True) -> None:
    sender = "billing@supplier.example" if vouched else ""
    office.mail.deliver(message, folder=folder, account="invoices", authenticated=sender)


def fetched(desk: Desk, folder: str, **more: object) -> object:
    return bot("email.fetch")(desk.context, mailbox="invoices", folder=folder, **more)


# reading


def test_mails_and_their_attachments_are_fetched_and_nothing_is_marked(desk: Desk, office: PracticeOffice) -> None:
    put(office, invoice("<f1@supplier.example>"), "Fetch")
    for _ in range(2):
        found = fetched(desk, "Fetch", file_types=("pdf",))
        messages, attachments = list(found.messages.rows()), list(found.attachments.rows())  # type: ignore[attr-defined]
        assert [(row["message_id"], row["sender"], row["subject"]) for row in messages] == [
            ("<f1@supplier.example>", "billing@supplier.example", "Rechnung für März")
        ]
        assert messages[0]["text"].strip() == "please find attached"
        assert [row["name"] for row in attachments] == ["i.pdf"]
        file = attachments[0]["file"]
        assert desk.files.readable(file).read_bytes().startswith(b"%PDF-1.7")
        assert file.sha256 in file.path
    assert len(office.mail.stored("invoices", "Fetch")) == 1


def test_a_mail_that_nobody_vouches_for_is_left_where_it_is(desk: Desk, office: PracticeOffice) -> None:
    put(office, invoice("<t1@supplier.example>"), "Trust")
    put(office, invoice("<t2@supplier.example>"), "Trust", vouched=False)
    put(office, invoice("<t3@bank.example>", "boss@bank.example"), "Trust")
    found = fetched(desk, "Trust", file_types=("pdf",))
    assert found.messages.column("message_id") == ["<t1@supplier.example>"]  # type: ignore[attr-defined]
    assert {str(line["message_id"]) for line in desk.log.named("mail_not_trusted")} == {
        "<t2@supplier.example>", "<t3@bank.example>",
    }  # fmt: skip
    assert len(office.mail.stored("invoices", "Trust")) == 3


def test_a_mailbox_that_says_nothing_of_trust_gives_no_attachments(desk: Desk, office: PracticeOffice) -> None:
    message = invoice("<n1@supplier.example>")
    office.mail.deliver(message, folder="Feedback/In", account="feedback")
    found = bot("email.fetch")(desk.context, mailbox="feedback", folder="Feedback/In")
    assert "<n1@supplier.example>" in found.messages.column("message_id")
    assert found.attachments.row_count == 0
    with pytest.raises(ProjectError, match="trusted_senders"):
        bot("email.fetch")(desk.context, mailbox="feedback", folder="Feedback/In", file_types=("pdf",))


def test_a_hostile_message_id_stays_data(desk: Desk, office: PracticeOffice) -> None:
    evil = '<x"y\\z@supplier.example>'
    for head in (f"Message-ID: {evil}\r\n", ""):
        raw = f"{head}From: billing@supplier.example\r\n\r\nHello".encode()
        office.mail.deliver(raw, folder="Hostile", account="invoices", authenticated="billing@supplier.example")
    put(office, invoice("<h2@supplier.example>"), "Hostile")
    found = fetched(desk, "Hostile")
    assert evil in found.messages.column("message_id")  # type: ignore[attr-defined]
    bot("email.move")(desk.context, mailbox="invoices", messages=found.messages, folder="Hostile/Done")  # type: ignore[attr-defined]
    assert len(office.mail.stored("invoices", "Hostile/Done")) == 3
    assert office.mail.stored("invoices", "Hostile") == []


def test_answers_are_found_and_automatic_ones_are_not(desk: Desk, office: PracticeOffice) -> None:
    sent = "<order-1@example.com>"
    for message in (
        letter("<a1@supplier.example>", In_Reply_To=sent),
        letter("<a2@supplier.example>", References=f"<x@y> {sent}"),
        letter("<a3@supplier.example>", In_Reply_To=sent, Auto_Submitted="auto-replied"),
        letter("<a4@supplier.example>", In_Reply_To="<order-11@example.com>"),
    ):
        office.mail.deliver(message, account="purchasing", authenticated="billing@supplier.example")
    office.mail.deliver(letter("<a5@supplier.example>", In_Reply_To=sent), account="purchasing")
    found = bot("email.find_replies")(desk.context, mailbox="purchasing", to_message=sent)
    assert found.messages.column("message_id") == ["<a1@supplier.example>", "<a2@supplier.example>"]
    none = bot("email.find_replies")(desk.context, mailbox="purchasing", to_message="<nobody@example.com>")
    assert none.messages.row_count == 0


# moving


def test_mails_are_moved_once_and_a_second_time_changes_nothing(desk: Desk, office: PracticeOffice) -> None:
    for number in range(3):
        put(office, invoice(f"<m{number}@supplier.example>"), "Move/In")
    messages = fetched(desk, "Move/In").messages  # type: ignore[attr-defined]
    inputs = {"mailbox": "invoices", "messages": messages, "folder": "Move/Done"}
    assert isinstance(look_up("email.move", desk.context, **inputs), NotFound)
    bot("email.move")(desk.context, **inputs)
    assert isinstance(look_up("email.move", desk.context, **inputs), Found)
    bot("email.move")(desk.context, **inputs)
    assert office.mail.stored("invoices", "Move/In") == []
    assert len(office.mail.stored("invoices", "Move/Done")) == 3
    assert len(desk.commit.meant) == 1


def test_a_move_that_was_cut_off_is_finished(desk: Desk, office: PracticeOffice) -> None:
    """As a kill between copy and delete leaves it: one mail in both folders, one still in the first."""
    for number in range(2):
        put(office, invoice(f"<c{number}@supplier.example>"), "Cut/In")
    put(office, invoice("<c0@supplier.example>"), "Cut/Done")
    messages = fetched(desk, "Cut/In").messages  # type: ignore[attr-defined]
    bot("email.move")(desk.context, mailbox="invoices", messages=messages, folder="Cut/Done")
    assert office.mail.stored("invoices", "Cut/In") == []
    assert len(office.mail.stored("invoices", "Cut/Done")) == 2


def test_mails_are_found_for_moving_by_another_process_than_the_one_that_fetched(
    desk: Desk, office: PracticeOffice
) -> None:
    put(office, invoice("<o1@supplier.example>"), "Other/In")
    rows = Table.from_rows({"message_id": TEXT}, [{"message_id": "<o1@supplier.example>"}])
    bot("email.move")(desk.context, mailbox="invoices", messages=rows, folder="Other/Done")
    assert len(office.mail.stored("invoices", "Other/Done")) == 1


def test_a_mail_that_is_gone_is_one_sentence(desk: Desk) -> None:
    rows = Table.from_rows({"message_id": TEXT}, [{"message_id": "<gone@supplier.example>"}])
    with pytest.raises(BusinessError, match=r"1 of 1 mails are no longer in the mailbox invoices") as raised:
        bot("email.move")(desk.context, mailbox="invoices", messages=rows, folder="Invoices/Done")
    assert raised.value.code == "mail_missing"


def test_moving_nothing_asks_for_nothing(desk: Desk) -> None:
    bot("email.move")(
        desk.context, mailbox="invoices", messages=Table.from_rows({"message_id": TEXT}, []), folder="Invoices/Done"
    )
    assert desk.commit.meant == []


# sending


def send(desk: Desk, **changed: object) -> object:
    made = {"to": ("sales@example.com",), "subject": "Orders", "template": "emails/run_failed.html"}
    return bot("email.send")(desk.context, **{**made, **changed})


def test_a_mail_is_sent_with_its_files_to_everybody_and_names_its_posting(desk: Desk, office: PracticeOffice) -> None:
    desk.write("data/a.csv", "a;b\n")
    file = desk.files.find("data/a.csv")
    orders = Table.from_rows(
        {"deal_id": TEXT, "customer": TEXT, "amount": MONEY, "currency": TEXT, "order_no": TEXT},
        [{"deal_id": "D-1", "customer": "<b>Müller</b>", "currency": "EUR", "order_no": "SO-1"}],
    )
    before = len(office.mail.delivered())
    sent = send(
        desk, to=("a@example.com", "b@example.com"), template="emails/won_deals.html", attach=(file,),
        data={"entered": orders, "already": None, "failed": None, "rejected": None},
    )  # fmt: skip
    delivered = office.mail.delivered()[before:]
    assert [one.recipients for one in delivered] == [("a@example.com", "b@example.com")]
    message = delivered[0].message
    assert message["Message-ID"] == sent.message_id  # type: ignore[attr-defined]
    html, plain = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None and plain is not None
    assert "&lt;b&gt;Müller&lt;/b&gt;" in html.get_content()
    assert "D-1 | <b>Müller</b> | | EUR | SO-1" in plain.get_content()
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.csv"]
    kept = desk.folder / desk.commit.evidence[0]["mail"]
    assert b"Orders" in kept.read_bytes()


def test_the_same_posting_has_the_same_message_id(desk: Desk, office: PracticeOffice) -> None:
    one, other = send(desk), send(desk)
    assert one.message_id == other.message_id  # type: ignore[attr-defined]
    desk.commit.key = "practice:bot:other"
    assert send(desk).message_id != one.message_id  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"to": ("x@outside.example",)}, "recipient_not_allowed"),
        ({"to": ("a@example.com", "x@outside.example")}, "recipient_not_allowed"),
        ({"to": ()}, "bad_recipient"),
        ({"subject": "a\r\nBcc: evil@example.com"}, "bad_header"),
        ({"template": "emails/won_deals.html"}, "template"),
    ],
)
def test_what_can_be_refused_is_refused_before_the_intent(
    desk: Desk, office: PracticeOffice, changed: dict[str, object], code: str
) -> None:
    before = len(office.mail.delivered())
    with pytest.raises(BusinessError) as raised:
        send(desk, **changed)
    assert raised.value.code == code
    assert desk.commit.meant == []
    assert len(office.mail.delivered()) == before


def test_a_recipient_that_the_server_refuses_keeps_the_mail_from_everybody(desk: Desk, office: PracticeOffice) -> None:
    everybody = replace(desk.settings.mail.servers["practice"], only_to=())
    object.__setattr__(desk.context, "mail", desk.mailboxes(server=everybody))
    before = len(office.mail.delivered())
    with pytest.raises(BusinessError, match="nothing was sent to anybody") as raised:
        send(desk, to=("a@example.com", "x@outside.example"))
    assert raised.value.code == "recipient_refused"
    assert desk.commit.meant == []
    assert len(office.mail.delivered()) == before


def test_a_rehearsal_writes_the_mail_and_sends_nothing(desk: Desk, office: PracticeOffice) -> None:
    desk.commit.rehearse = True
    before = len(office.mail.delivered())
    with pytest.raises(Rehearsed) as raised:
        send(desk)
    assert raised.value.meant["subject"] == "Orders"  # type: ignore[index]
    assert len(office.mail.delivered()) == before


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_lost_answer_is_unclear_and_the_mail_is_there_once(desk: Desk, office: PracticeOffice, how: str) -> None:
    before = len(office.mail.delivered())
    office.faults.switch_on(Fault(kind="lost_reply", application="smtp", how=how, times=1))
    with pytest.raises(OutcomeUnclear, match="may have been sent"):
        send(desk)
    assert len(office.mail.delivered()) == before + 1
    assert len(desk.commit.meant) == 1


def test_a_temporary_failure_behind_the_content_is_unclear(desk: Desk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="error_after_commit", application="smtp", times=1))
    with pytest.raises(OutcomeUnclear, match="451"):
        send(desk)


# what goes wrong


def test_an_unknown_account_is_one_sentence_with_what_was_meant(desk: Desk) -> None:
    with pytest.raises(ProjectError, match=r'no mail account "invoicess" .*did you mean "invoices"\?'):
        bot("email.fetch")(desk.context, mailbox="invoicess", folder="INBOX")


def test_an_unknown_folder_names_those_that_are_there(desk: Desk) -> None:
    with pytest.raises(BusinessError, match=r'has no folder "Inbox/Nope"; it has INBOX, ') as raised:
        fetched(desk, "Inbox/Nope")
    assert raised.value.code == "folder_missing"


def test_an_unknown_credential_is_one_sentence(desk: Desk) -> None:
    del desk.credentials["ap_mailbox"]
    with pytest.raises(ProjectError, match='credential "ap_mailbox" is not known'):
        fetched(desk, "INBOX")


def test_a_wrong_password_is_tried_once_and_names_the_credential(desk: Desk, office: PracticeOffice) -> None:
    desk.credentials["ap_mailbox"] = {"user": "invoices@example.com", "password": "wrong"}
    before = len(office.mail.sign_ins("invoices"))
    with pytest.raises(CredentialRefused, match='refused the credential "ap_mailbox"') as raised:
        fetched(desk, "INBOX")
    assert raised.value.credential == "ap_mailbox"
    assert office.mail.sign_ins("invoices")[before:] == [False]
    desk.credentials["office_mailbox"] = {"user": "interoffice@example.com", "password": "wrong"}
    before = len(office.mail.sign_ins("interoffice"))
    with pytest.raises(CredentialRefused, match="nothing was sent"):
        send(desk)
    assert office.mail.sign_ins("interoffice")[before:] == [False]
    assert desk.commit.meant == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_mailbox_that_is_out_of_reach_is_one_sentence_and_may_be_tried_again(desk: Desk) -> None:
    port = _free_port()
    nowhere = replace(
        desk.settings.mail.servers["practice"], imap=f"imaps://127.0.0.1:{port}", smtp=f"smtps://127.0.0.1:{port}"
    )
    object.__setattr__(desk.context, "mail", desk.mailboxes(server=nowhere))
    with pytest.raises(ApplicationError, match=rf"mailbox invoices at 127\.0\.0\.1:{port} can't be reached") as raised:
        fetched(desk, "INBOX")
    assert raised.value.transient
    with pytest.raises(ApplicationError, match=r"can't be reached .*nothing was sent"):
        send(desk)
    assert desk.commit.meant == []


def test_a_server_with_a_certificate_of_nobody_is_refused(desk: Desk, office: PracticeOffice) -> None:
    stranger = replace(
        desk.settings.mail.servers["practice"], imap=office.addresses["imap"], smtp=office.addresses["smtp"]
    )
    object.__setattr__(desk.context, "mail", desk.mailboxes(server=stranger))
    with pytest.raises(ApplicationError, match="is not trusted") as raised:
        fetched(desk, "INBOX")
    assert not raised.value.transient
    with pytest.raises(ApplicationError, match="is not trusted"):
        send(desk)


def test_a_connection_that_breaks_off_at_the_sign_in_is_no_wrong_password(desk: Desk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="error", application="imap", times=1))
    with pytest.raises(ApplicationError, match="can't be reached") as raised:
        fetched(desk, "Invoices/In")
    assert not isinstance(raised.value, CredentialRefused)
    fetched(desk, "Invoices/In")


def test_an_environment_without_mail_says_so(desk: Desk) -> None:
    object.__setattr__(desk.context, "mail", desk.mailboxes(server=None))
    with pytest.raises(ProjectError, match="names no mail server"):
        send(desk)
