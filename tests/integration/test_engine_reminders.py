"""Reminders and escalation of approvals: sent once, to those who may decide, whatever dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from interoffice.engine import reminding
from interoffice.engine.engine import Engine
from interoffice.model.work import RunState
from interoffice.plan.plan import RunOptions
from interoffice.plan.project import open_project
from interoffice.practice.office import PracticeOffice
from interoffice.resources.secrets import CredentialStore
from tests.integration.test_engine_approvals import APPROVED, LaterClock, decide
from tests.support.running import Ran, an_engine, ran
from tests.support.shop import MAIL, Shop, make_shop

ASKING = APPROVED.replace(
    "    within: 1 day\n",
    "    within: 3 days\n    remind_every: 4h\n    escalate:\n      after: 10h\n      to: [heads]\n",
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOffice]:
    folder = tmp_path_factory.mktemp("office") / "state" / "practice"
    with PracticeOffice.start(folder, only=("imap", "smtp")) as started:
        yield started


@pytest.fixture
def shop(tmp_path: Path, office: PracticeOffice, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "keys"))
    monkeypatch.setenv("INTEROFFICE_KEYRING", "off")
    made = make_shop(tmp_path / "project")
    settings = made.folder / "settings.yaml"
    text = settings.read_text(encoding="utf-8").replace("  practice: {}\n", "  practice:\n    mail: practice\n")
    settings.write_text(text.replace("groups:\n", "groups:\n  heads: [chiara]\n") + MAIL, encoding="utf-8")
    (made.state).mkdir(parents=True, exist_ok=True)
    (made.state / "practice").symlink_to(office.folder)
    CredentialStore(made.state).set("office_mailbox", office.accounts["office_mailbox"])
    made.workflow("orders", ASKING)
    made.some_deals(3)
    office.faults.clear()
    return made


def after(shop: Shop, hours: float) -> Engine:
    return Engine(open_project(shop.folder), shop.state, in_process=True, clock=LaterClock(timedelta(hours=hours)))


def mails(office: PracticeOffice, since: int) -> list[tuple[str, str]]:
    return [(str(mail.message["Subject"]), str(mail.message["To"])) for mail in office.mail.delivered()[since:]]


def drive(shop: Shop, run_id: str, hours: float) -> datetime | None:
    """The run is woken so many hours later; when it wakes next."""
    with after(shop, hours) as engine:
        assert engine.drive(run_id) == RunState.WAITING
        return engine.ledger.run(run_id).wake_at


def test_who_may_decide_is_reminded_and_others_are_asked_later_each_once(shop: Shop, office: PracticeOffice) -> None:
    since = len(office.mail.delivered())
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders")
        opened = engine.ledger.approvals()[0].opened_at
        assert first.view.wake_at == opened + timedelta(hours=4)
    assert mails(office, since) == []
    assert drive(shop, first.run_id, 4.1) == opened + timedelta(hours=8)
    reminder = ("Reminder: Enter these orders?", "bilal.demir@example.com, dora.novak@example.com")
    assert mails(office, since) == [reminder]
    drive(shop, first.run_id, 5)
    assert len(mails(office, since)) == 1

    # of two that were missed, one mail; the escalation asks others as well
    assert drive(shop, first.run_id, 12.5) == opened + timedelta(hours=16)
    everybody = "bilal.demir@example.com, chiara.conti@example.com, dora.novak@example.com"
    assert mails(office, since) == [reminder, ("Escalated: Enter these orders?", everybody)]
    with after(shop, 13) as engine:
        told = [(entry.act, entry.details["to"]) for entry in engine.ledger.audit(run_id=first.run_id)
                if entry.act in (reminding.REMINDED, reminding.ESCALATED)]  # fmt: skip
        assert told == [
            ("approval.reminded", ["bilal", "dora"]),
            ("approval.reminded", ["bilal", "chiara", "dora"]), ("approval.escalated", ["bilal", "chiara", "dora"]),
        ]  # fmt: skip
        decide(Ran(engine, first.run_id, []), person="chiara")
        assert engine.drive(first.run_id) == RunState.SUCCEEDED
    assert len(mails(office, since)) == 2


def test_the_mail_names_the_rows_and_none_of_their_values(shop: Shop, office: PracticeOffice) -> None:
    since = len(office.mail.delivered())
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders")
    drive(shop, first.run_id, 4.1)
    text = office.mail.delivered()[since].message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "D-3" in text and f"runner.py approve {first.run_id} release" in text
    assert "1 row in" in text and "waits for a decision until" in text
    assert "customer" not in text.lower() and "amount" not in text.lower()


def test_a_stand_in_is_reminded_in_place_of_who_is_away(shop: Shop, office: PracticeOffice) -> None:
    since = len(office.mail.delivered())
    settings = shop.folder / "settings.yaml"
    away = "    away:\n      from: 2020-01-01\n      to: 2099-12-31\n      instead: chiara\n"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("    email: bilal.demir@example.com\n",
                                     "    email: bilal.demir@example.com\n" + away), encoding="utf-8")  # fmt: skip
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders")
    drive(shop, first.run_id, 4.1)
    assert mails(office, since)[0][1] == "chiara.conti@example.com, dora.novak@example.com"


def test_a_mail_that_cant_be_handed_over_is_tried_again_and_stops_nothing(shop: Shop, office: PracticeOffice) -> None:
    since = len(office.mail.delivered())
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders")
    moved = shop.state / "practice"
    target = os.readlink(moved)
    moved.unlink()
    with after(shop, 4.1) as engine:
        before = engine.clock.now()
        assert engine.drive(first.run_id) == RunState.WAITING
        wake = engine.ledger.run(first.run_id).wake_at
        assert wake is not None and before < wake <= before + timedelta(minutes=11)
        assert engine.ledger.audit(act="approval.reminded") == ()
    moved.symlink_to(target)
    drive(shop, first.run_id, 4.4)
    assert len(mails(office, since)) == 1


def test_killed_between_the_mark_and_the_mail_nobody_is_reminded_twice(
    shop: Shop, office: PracticeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = len(office.mail.delivered())
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders")

    class Killed(BaseException):
        """The process is gone here."""

    written = reminding._write

    def write_and_die(*parts: object) -> None:
        written(*parts)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(reminding, "_write", write_and_die)
    with pytest.raises(Killed), after(shop, 4.1) as engine:
        engine.drive(first.run_id)
    monkeypatch.setattr(reminding, "_write", written)
    drive(shop, first.run_id, 4.2)
    assert mails(office, since) == []
    drive(shop, first.run_id, 8.1)
    assert len(mails(office, since)) == 1


def test_a_rehearsal_reminds_nobody(shop: Shop, office: PracticeOffice) -> None:
    since = len(office.mail.delivered())
    with an_engine(shop) as engine:
        first = ran(engine, shop, "orders", options=RunOptions(rehearse=True))
        assert first.view.wake_at is None or first.view.wake_at > engine.clock.now() + timedelta(days=2)
    with after(shop, 4.1) as engine:
        engine.drive(first.run_id)
    assert mails(office, since) == []


def test_the_audits_head_goes_out_by_mail_once_a_day(shop: Shop, office: PracticeOffice) -> None:
    settings = shop.folder / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + "audit:\n  heads_by_mail: [auditor@example.com]\n", encoding="utf-8")
    since = len(office.mail.delivered())
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
        head = engine.ledger.audit(limit=1)[0]
    with an_engine(shop) as engine:
        (mailed,) = engine.ledger.audit(act="audit.head_mailed")
    (mail,) = office.mail.delivered()[since:]
    assert str(mail.message["To"]) == "auditor@example.com"
    assert str(mail.message["Subject"]).startswith(f"Audit head {head.seq} of shop, ")
    body = mail.message.get_body(("plain",))
    assert body is not None and head.hash in body.get_content()
    assert (mailed.details["seq"], mailed.details["hash"]) == (head.seq, head.hash)
    with after(shop, 25):
        pass
    assert len(office.mail.delivered()) == since + 2


def test_a_mail_server_that_is_away_keeps_no_engine_from_ending_and_is_tried_again(
    shop: Shop, office: PracticeOffice
) -> None:
    settings = shop.folder / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + "audit:\n  heads_by_mail: [auditor@example.com]\n", encoding="utf-8")
    since = len(office.mail.delivered())
    link = shop.state / "practice"
    target = os.readlink(link)
    link.unlink()
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
    link.symlink_to(target)
    with an_engine(shop) as engine:
        assert engine.ledger.audit(act="audit.head_mailed") == ()
    assert len(office.mail.delivered()) == since
    with after(shop, 1.1):
        pass
    assert len(office.mail.delivered()) == since + 1
