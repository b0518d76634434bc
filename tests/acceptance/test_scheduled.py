"""Unattended: the daemon as a real process fires by the clock, by files and by mails, dies, and comes back.

The referee is the ERP's own ledger, and the shop's.
"""

from __future__ import annotations

import itertools
import os
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.address import practice_address, practice_certificate
from interoffice.store import Ledger, firings
from interoffice.testing.ground import kill_group, wait_until
from tests.support.flagship import REVIEWED, ROOT, STRAIGHT, Flagship, flagship
from tests.support.shop import ORDERS, Shop, make_shop

SCHEDULES = """\
version: 1
timezone: Europe/Berlin
alarms_to: [anna]
schedules:
  - id: on_file
    workflow: won_deals_to_erp
    watch: inbox/go/*.txt
    settle: 1s
    with:
      closed_from: "2026-11-13"
      closed_to: "2026-11-15"
  - id: on_mail
    workflow: won_deals_to_erp
    mail: office
    with:
      closed_from: "2026-11-13"
      closed_to: "2026-11-15"
  - id: on_cron
    workflow: won_deals_to_erp
    cron: "* * * * *"
    with:
      closed_from: "2026-11-13"
      closed_to: "2026-11-15"
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Flagship]:
    with flagship(tmp_path) as prepared:
        (prepared.folder / "inbox" / "go").mkdir(parents=True)
        (prepared.folder / "schedules.yaml").write_text(SCHEDULES)
        yield prepared


def runs_of(project: Flagship, schedule: str) -> list[dict[str, str]]:
    return [run for run in project.listed("runs") if run["started_by"] == f"schedule {schedule}"]


def ended(project: Flagship, schedule: str, *states: str) -> bool:
    runs = runs_of(project, schedule)
    return bool(runs) and runs[0]["state"] in states


def send_mail(project: Flagship) -> None:
    """Somebody writes to the office."""
    place = urlsplit(practice_address(project.home, "smtp"))
    context = ssl.create_default_context(cafile=str(practice_certificate(project.home)))
    parts = ACCOUNTS["ap_mailbox"].parts()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "invoices@example.com", "interoffice@example.com", "Please go"
    mail["Message-ID"] = "<please-go-1@example.com>"
    mail.set_content("Now.")
    with smtplib.SMTP_SSL("127.0.0.1", place.port or 0, context=context) as server:
        server.login(parts["user"], parts["password"])
        server.send_message(mail)


def approve(project: Flagship) -> None:
    """A person decides; what is in the ERP already is asked again and not entered again."""
    approved = project.approve()
    assert approved.returncode == 0, approved.stderr + approved.stdout


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_flagship_is_triggered_by_a_file_by_a_mail_and_by_cron(project: Flagship) -> None:
    for id in ("on_mail", "on_cron"):
        assert project.cli("schedule", "pause", id).returncode == 0
    daemon = project.start("schedule")
    (project.folder / "inbox" / "go" / "now.txt").write_text("go")
    wait_until(lambda: ended(project, "on_file", "waiting"), "the file's run waits for its approval", 120)
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    approve(project)
    assert dict(project.posted()) == dict.fromkeys([*STRAIGHT, REVIEWED], 1)
    send_mail(project)
    assert project.cli("schedule", "resume", "on_mail").returncode == 0
    wait_until(lambda: ended(project, "on_mail", "waiting"), "the mail's run waits for its approval", 120)
    approve(project)
    assert project.cli("schedule", "resume", "on_cron").returncode == 0
    wait_until(lambda: ended(project, "on_cron", "waiting"), "the clock's run waits for its approval", 180)
    assert project.cli("schedule", "pause", "on_cron").returncode == 0
    approve(project)
    assert dict(project.posted()) == dict.fromkeys([*STRAIGHT, REVIEWED], 1)
    assert len(runs_of(project, "on_file")) == len(runs_of(project, "on_mail")) == 1
    states = {row["schedule"]: row["state"] for row in project.listed("schedule", "status")}
    assert states == {"on_file": "armed", "on_mail": "armed", "on_cron": "paused by anna"}
    daemon.send_signal(signal.SIGTERM)
    said, wrong = daemon.communicate(timeout=60)
    assert (daemon.returncode, wrong) == (0, ""), said + wrong


# --- a shop, without an office around it ---

FAST = """\
version: 1
timezone: Europe/Berlin
schedules:
  - id: fast
    workflow: orders
    every: 2 seconds
    if_missed: run_all
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.workflow("orders", ORDERS.replace("name: Deals to orders\n", "name: Deals to orders\noverlap: queue\n"))
    (shop.folder / "schedules.yaml").write_text(FAST)
    shop.some_deals(6)
    return shop


def start(shop: Shop, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "interoffice.cli", *words, "--project", str(shop.folder)],
        cwd=shop.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def fired(shop: Shop) -> list[firings.Firing]:
    ledger = Ledger.open(shop.state / "ledger.db")
    try:
        return list(ledger.read(lambda tx: firings.of_schedule(tx, "fast", 10_000)))
    finally:
        ledger.close()


@pytest.mark.slow
def test_killed_schedulers_lose_no_planned_time_and_double_none(shop: Shop) -> None:
    for _ in range(3):
        daemon = start(shop, "schedule")
        before = len(fired(shop))
        wait_until(lambda before=before: len(fired(shop)) >= before + 2, "it fires", 60)  # type: ignore[misc]
        kill_group(daemon)
        time.sleep(3)
    daemon = start(shop, "schedule")
    two = start(shop, "schedule")  # a second one beside it
    before = len(fired(shop))
    wait_until(lambda: len(fired(shop)) >= before + 3, "they fire", 60)
    for process in (daemon, two):
        process.send_signal(signal.SIGTERM)
    for process in (daemon, two):
        said, wrong = process.communicate(timeout=120)
        assert (process.returncode, wrong) == (0, ""), said + wrong
    found = sorted(each.planned_at for each in fired(shop))
    assert found == sorted(set(found))
    gaps = {(later - earlier).total_seconds() for earlier, later in itertools.pairwise(found)}
    assert gaps == {2.0}, "a planned time is missing"
    assert {each.state for each in fired(shop)} <= {"started", "due"}
    assert shop.posted() == Counter({f"D-{n}": 1 for n in range(1, 7)})


def test_the_daemon_says_what_is_wrong_and_ends(shop: Shop) -> None:
    (shop.folder / "schedules.yaml").write_text("version: 1\nschedules: [")
    ended = start(shop, "schedule")
    said, wrong = ended.communicate(timeout=60)
    assert ended.returncode == 1
    assert "the [ is not closed" in said + wrong
