"""Mails start runs, once each; a mailbox that goes away comes back, and one that refuses is asked once."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.address import practice_address, practice_certificate
from interoffice.practice.office import PracticeOffice
from interoffice.resources.secrets import CredentialStore
from interoffice.store import firings
from interoffice.store.office import paused_credentials
from tests.integration.test_schedules import NOTHING, START, SetClock, a_desk, schedules
from tests.support.shop import MAIL, Shop, make_shop

pytestmark = pytest.mark.slow

@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "keys"))
    shop = make_shop(tmp_path / "project")
    settings = shop.folder / "settings.yaml"
    settings.write_text(settings.read_text().replace("  practice: {}", "  practice:\n    mail: practice") + MAIL)
    shop.workflow("nothing", NOTHING)
    schedules(shop, "- id: mails\n  workflow: nothing\n  mail: office\n  with:\n    which: ${{ trigger.message }}")
    CredentialStore(shop.state).set("office_mailbox", ACCOUNTS["office_mailbox"].parts())
    yield shop


def send(home: Path, number: int) -> None:
    place = urlsplit(practice_address(home, "smtp"))
    parts = ACCOUNTS["ap_mailbox"].parts()
    mail = EmailMessage()
    mail["From"], mail["To"] = "invoices@example.com", "interoffice@example.com"
    mail["Message-ID"] = f"<m{number}@example.com>"
    mail.set_content("Go.")
    context = ssl.create_default_context(cafile=str(practice_certificate(home)))
    with smtplib.SMTP_SSL("127.0.0.1", place.port or 0, context=context) as server:
        server.login(parts["user"], parts["password"])
        server.send_message(mail)


def test_each_mail_starts_one_run_and_a_server_that_was_away_comes_back(shop: Shop) -> None:
    home, clock = shop.state / "practice", SetClock(START)
    with a_desk(shop, clock) as desk:

        def later() -> str:
            clock.on(seconds=15)
            desk.round()
            known = desk.engine.ledger.read(lambda tx: firings.schedule(tx, "mails"))
            return "" if known is None else known.problem

        with PracticeOffice.start(home, only=("imap", "smtp")):
            send(home, 1)
            send(home, 2)
            assert [later(), later()] == ["", ""]
            assert len(desk.fired("mails", "started")) == 2
        assert "practice office" in later()
        with PracticeOffice.start(home, only=("imap", "smtp")):
            send(home, 3)
            assert [later(), later()] == ["", ""]
            plans = [desk.engine.ledger.plan(run.run_id) for run in desk.engine.ledger.runs()]
            assert sum("<m3@example.com>" in plan for plan in plans) == 1
            assert len(plans) == 3


def test_a_refused_password_is_tried_once(shop: Shop) -> None:
    CredentialStore(shop.state).set("office_mailbox", {"user": "interoffice@example.com", "password": "wrong"})
    home, clock = shop.state / "practice", SetClock(START)
    with PracticeOffice.start(home, only=("imap", "smtp")), a_desk(shop, clock) as desk:
        problems = []
        for _ in range(3):
            clock.on(seconds=15)
            desk.round()
            known = desk.engine.ledger.read(lambda tx: firings.schedule(tx, "mails"))
            problems.append("" if known is None else known.problem)
        assert "password" in problems[0] or "refused" in problems[0]
        assert problems[1:] == [
            'The credential "office_mailbox" is paused since a sign-in with it was refused; '
            "set it anew and free it: runner.py credentials resume office_mailbox"
        ] * 2
        assert [each.name for each in desk.engine.ledger.read(paused_credentials)] == ["office_mailbox"]
