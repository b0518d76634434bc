"""The practice mail servers, asked as real clients ask them: TLS that is verified, IMAP with IDLE and move, SMTP."""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from imap_tools import AND, MailBox, MailboxLoginError, MailMessageFlags

from interoffice.practice import practice_address, practice_certificate
from interoffice.practice.accounts import ACCOUNTS, ANY_MAILBOX_PASSWORD
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.practice.submission import read_delivered


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path, only=("imap", "smtp")) as started:
        yield started


def _verifying(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(practice_certificate(folder)))


def _port(folder: Path, name: str) -> int:
    port = urlsplit(practice_address(folder, name)).port
    assert port is not None
    return port


def _mailbox(office: PracticeOffice, credential: str, password: str = "") -> MailBox:
    account = ACCOUNTS[credential]
    box = MailBox("127.0.0.1", _port(office.folder, "imap"), timeout=10, ssl_context=_verifying(office.folder))
    box.login(account.user, password or account.password)
    return box


def _smtp(office: PracticeOffice, credential: str = "office_mailbox", timeout: float = 10) -> smtplib.SMTP_SSL:
    account = ACCOUNTS[credential]
    port = _port(office.folder, "smtp")
    client = smtplib.SMTP_SSL("127.0.0.1", port, context=_verifying(office.folder), timeout=timeout)
    client.login(account.user, account.password)
    return client


def _mail(subject: str = "14 of 14 won deals", to: str = "sales-operations@example.com") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "interoffice@example.com", to, subject
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content("Grüße, 東京, €\n")
    mail.add_attachment(b"\x00\xff%PDF", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    return mail


def test_a_sent_mail_arrives_with_its_attachment(office: PracticeOffice) -> None:
    with _smtp(office) as smtp:
        smtp.send_message(_mail(to="invoices@example.com"))
    with _mailbox(office, "ap_mailbox") as box:
        (mail,) = list(box.fetch(AND(seen=False), mark_seen=False))
    assert (mail.subject, mail.text.strip(), mail.from_) == (
        "14 of 14 won deals",
        "Grüße, 東京, €",
        "interoffice@example.com",
    )
    assert [(a.filename, a.payload) for a in mail.attachments] == [("Übersicht.pdf", b"\x00\xff%PDF")]
    (sent,) = office.mail.delivered()
    assert (sent.user, sent.recipients) == ("interoffice@example.com", ("invoices@example.com",))
    assert sent.message["Message-ID"] == "<1@example.com>"


def test_what_was_sent_is_known_after_the_office_stopped(tmp_path: Path) -> None:
    with PracticeOffice.start(tmp_path, only=("smtp",)) as office, _smtp(office) as smtp:
        smtp.send_message(_mail())
        smtp.send_message(_mail("second"))
    assert [mail.message["Subject"] for mail in read_delivered(tmp_path)] == ["14 of 14 won deals", "second"]


def test_the_certificate_is_trusted_through_the_offices_own_authority_only(office: PracticeOffice) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        MailBox("127.0.0.1", _port(office.folder, "imap"), ssl_context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("127.0.0.1", _port(office.folder, "smtp"), context=ssl.create_default_context())
    assert list(office.folder.glob("*.pem")) == [office.folder / "authority.pem"]


def test_a_mail_is_moved_between_folders_and_stays_unseen(office: PracticeOffice) -> None:
    office.mail.deliver(_mail("Invoice 77"), folder="Invoices/In", account="invoices")
    with _mailbox(office, "ap_mailbox") as box:
        box.folder.set("Invoices/In")
        (mail,) = list(box.fetch(mark_seen=False))
        assert mail.uid is not None
        box.move([mail.uid], "Invoices/Done")
        assert list(box.fetch()) == []
        box.folder.set("Invoices/Done")
        (moved,) = list(box.fetch(mark_seen=False))
    assert moved.subject == "Invoice 77"
    assert MailMessageFlags.SEEN not in moved.flags
    assert [len(office.mail.stored("invoices", f)) for f in ("Invoices/In", "Invoices/Done")] == [0, 1]


def test_folders_are_made_listed_and_appended_to(office: PracticeOffice) -> None:
    with _mailbox(office, "purchasing_mailbox") as box:
        box.folder.create("Confirmations/Left")
        names = {folder.name for folder in box.folder.list()}
        assert {"INBOX", "Confirmations/In", "Confirmations/Done", "Confirmations/Left"} <= names
        box.append(_mail("Kept").as_bytes(), "Confirmations/Left")
        box.folder.set("Confirmations/Left")
        assert [mail.subject for mail in box.fetch()] == ["Kept"]
        assert [mail.subject for mail in box.fetch(AND(seen=True))] == ["Kept"]


def test_a_waiting_client_is_told_of_a_new_mail(office: PracticeOffice) -> None:
    with _mailbox(office, "service_mailbox") as box:
        box.folder.set("Feedback/In")
        threading.Timer(
            0.2, office.mail.deliver, [_mail("News")], {"folder": "Feedback/In", "account": "feedback"}
        ).start()
        began = time.monotonic()
        responses = box.idle.wait(timeout=5)
        assert time.monotonic() - began < 4
        assert any(b"EXISTS" in response for response in responses)
        assert [mail.subject for mail in box.fetch()] == ["News"]


def test_a_wrong_password_is_refused_and_counted(office: PracticeOffice) -> None:
    with pytest.raises(MailboxLoginError):
        _mailbox(office, "office_mailbox", password="wrong")
    client = smtplib.SMTP_SSL("127.0.0.1", _port(office.folder, "smtp"), context=_verifying(office.folder))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(ACCOUNTS["office_mailbox"].user, "wrong")
    client.close()
    by_imap, *by_smtp = office.mail.sign_ins("interoffice")
    assert by_imap is False
    assert by_smtp == [False, False]  # smtplib's login tries every mechanism that the server offers: PLAIN, then LOGIN


def test_any_address_of_the_domain_has_a_mailbox(office: PracticeOffice) -> None:
    with _smtp(office) as smtp:
        smtp.send_message(_mail(to="Somebody.New@example.com"))
    box = MailBox("127.0.0.1", _port(office.folder, "imap"), ssl_context=_verifying(office.folder))
    with box.login("somebody.new@example.com", ANY_MAILBOX_PASSWORD) as mails:
        assert [mail.subject for mail in mails.fetch()] == ["14 of 14 won deals"]


def test_mail_to_the_world_and_from_strangers_is_refused(office: PracticeOffice) -> None:
    with _smtp(office) as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(_mail(to="someone@example.org"))
    stranger = smtplib.SMTP_SSL("127.0.0.1", _port(office.folder, "smtp"), context=_verifying(office.folder))
    with stranger, pytest.raises(smtplib.SMTPSenderRefused):
        stranger.send_message(_mail())
    assert office.mail.delivered() == []


def test_the_server_vouches_for_who_sent_and_drops_what_senders_claim(office: PracticeOffice) -> None:
    honest, forged = _mail(to="invoices@example.com"), _mail(to="invoices@example.com")
    forged.replace_header("From", "boss@example.com")
    forged["Authentication-Results"] = "mail.example.com; dmarc=pass header.from=example.com; " + "x" * 90
    with _smtp(office) as smtp:
        smtp.send_message(honest)
        smtp.send_message(forged, from_addr="boss@example.com")
    with _mailbox(office, "ap_mailbox") as box:
        results = [mail.obj.get_all("Authentication-Results", []) for mail in box.fetch()]
    assert [len(each) for each in results] == [1, 1]
    assert "dmarc=pass" in results[0][0]
    assert "dmarc=fail" in results[1][0]


def test_smtp_faults_tell_lost_from_refused(office: PracticeOffice) -> None:
    faults = office.faults
    faults.switch_on(Fault(kind="error_before_commit", application="smtp", reference="refused", times=1))
    faults.switch_on(Fault(kind="error_after_commit", application="smtp", reference="kept", times=1))
    faults.switch_on(Fault(kind="lost_reply", application="smtp", reference="lost", times=1))
    faults.switch_on(Fault(kind="no_answer", application="smtp", reference="silent", times=1))
    for subject in ("refused", "kept"):
        with _smtp(office) as smtp, pytest.raises(smtplib.SMTPDataError):
            smtp.send_message(_mail(subject))
    for subject in ("lost", "silent"):
        smtp = _smtp(office, timeout=0.5)
        with pytest.raises((OSError, smtplib.SMTPServerDisconnected)):
            smtp.send_message(_mail(subject))
        smtp.close()
    assert [mail.message["Subject"] for mail in office.mail.delivered()] == ["kept", "lost"]


def test_an_imap_server_that_never_answers_can_still_be_stopped(office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="no_answer", application="imap"))
    with pytest.raises(TimeoutError):
        MailBox("127.0.0.1", _port(office.folder, "imap"), timeout=0.3, ssl_context=_verifying(office.folder))
    began = time.monotonic()
    office.stop()
    assert time.monotonic() - began < 3
