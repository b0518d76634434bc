"""Won deals become ERP orders, by the real command line: run, wait, decide, go on, run again, look at it."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import openpyxl
import pytest

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.submission import Delivered
from interoffice.resources.browser_found import find_browser, launch_options
from tests.support.flagship import (
    CREDENTIALS,
    PASSPHRASES,
    REJECTED,
    REVIEWED,
    STRAIGHT,
    WORKFLOW,
    Flagship,
    flagship,
)

Ended = subprocess.CompletedProcess[str]
AMOUNTS = {
    "D-1042": "18450.00", "D-1043": "7320.50", "D-1044": "1249.99", "D-1045": "32000.00", "D-1046": "24875.00",
    "D-1048": "15600.00", "D-1049": "42000.00", "D-1050": "980.00", "D-1051": "12345.67", "D-1052": "5400.00",
    "D-1053": "3999.90", "D-1054": "27800.00", "D-1055": "2150.00",
}  # fmt: skip
"""What the CRM says of the deals that may be entered."""
ONCE = dict.fromkeys(AMOUNTS, 1)


@dataclass
class Day:
    """A whole working day: what each command said, and what stood in the systems at that moment."""

    project: Flagship
    first: Ended
    waiting: dict[str, Any] = field(default_factory=dict)
    own: Ended = field(default=None)  # type: ignore[assignment]
    wrong: Ended = field(default=None)  # type: ignore[assignment]
    shown: dict[str, Any] = field(default_factory=dict)
    replayed: Ended = field(default=None)  # type: ignore[assignment]
    refused_posted: dict[str, int] = field(default_factory=dict)
    approved: Ended = field(default=None)  # type: ignore[assignment]
    run: str = ""
    mails: list[Delivered] = field(default_factory=list)
    again: Ended = field(default=None)  # type: ignore[assignment]
    again_approved: Ended = field(default=None)  # type: ignore[assignment]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """anna runs it while two orders go wrong, tries to approve, bilal approves; then the same day is run again."""
    with flagship(tmp_path_factory.mktemp("flagship")) as project:
        project.fault("error_before_commit", application="erp", screen="sales_order", reference="D-1046", times=1)
        project.fault("lost_reply", application="erp", screen="sales_order", reference="D-1048", how="close", times=1)
        day = Day(project=project, first=project.run())
        day.waiting = {word: project.listed(*word.split()) for word in ("approvals", "show last", "items last")}
        day.run = day.waiting["show last"]["run"]
        day.own, day.wrong = project.approve(person="anna"), project.approve(phrase="Leuchtturm bei Tag")
        day.shown = project.listed("approve", "last")
        day.replayed = project.approve("--digest", "0" * 64)
        day.refused_posted = dict(project.posted())
        day.approved = project.approve("--comment", "Agreed with the customer")
        day.mails = project.mails()
        day.again = project.run("--format", "json")
        day.again_approved = project.approve("--format", "json")
        yield day


def test_the_run_enters_what_needs_nobody_and_waits_for_a_person(day: Day) -> None:
    assert (day.first.returncode, day.first.stderr) == (4, "")
    assert "12 of 14 orders entered, 1 waits for a person’s decision, 1 rejected by a rule" in day.first.stdout
    assert f"runner.py approve {day.run} release" in day.first.stdout
    assert "Traceback" not in day.first.stdout


def test_an_application_error_is_told_and_tried_again(day: Day) -> None:
    assert "! Enter the order for Ångström Instruments AB: " in day.first.stdout
    items = {item["key"]: item for item in day.waiting["items last"]}
    assert (items["D-1046"]["state"], items["D-1046"]["attempts"]) == ("successful", 2)
    assert items["D-1042"]["attempts"] == 1


def test_the_question_names_its_rows_and_who_is_asked(day: Day) -> None:
    (asked,) = day.waiting["approvals"]
    assert (asked["run"], asked["step"], asked["rows"], asked["by"]) == (day.run, "release", 1, "sales-managers")
    assert {item["key"]: item["state"] for item in day.waiting["items last"]} == dict.fromkeys(STRAIGHT, "successful")
    assert day.waiting["show last"]["state"] == "waiting"


def test_the_starter_may_not_approve_and_the_try_is_in_the_audit(day: Day) -> None:
    assert day.own.returncode == 1
    assert "Anna Berg made this run" in day.own.stderr
    tries = [entry for entry in day.project.listed("audit") if entry["what"] == "approval.refused"]
    assert [(entry["who"], entry["about"].split()[0]) for entry in tries] == [("anna", day.run), ("bilal", day.run)]
    assert "made this run" in str(tries[0]["details"]) and "What was shown" in str(tries[1]["details"])


def test_a_wrong_passphrase_decides_nothing(day: Day) -> None:
    assert day.wrong.returncode == 1
    assert "The passphrase of bilal is not right" in day.wrong.stderr
    assert REVIEWED not in day.refused_posted
    tries = [entry for entry in day.project.listed("audit") if entry["what"] == "person.refused"]
    assert [entry["about"] for entry in tries] == ["bilal"]


def test_the_rows_are_shown_as_json_and_nothing_is_decided(day: Day) -> None:
    (row,) = day.shown["rows"]
    assert (row["row"], row["deal_id"], day.shown["decided"]) == (REVIEWED, REVIEWED, False)
    assert day.replayed.returncode == 1
    assert "What was shown is not what waits now" in day.replayed.stderr
    assert REVIEWED not in day.refused_posted


def test_another_person_approves_and_the_run_ends_well(day: Day) -> None:
    assert (day.approved.returncode, day.approved.stderr) == (0, "")
    assert "1 row approved by bilal." in day.approved.stdout
    assert "succeeded  13 of 14 orders entered, 1 rejected by a rule" in day.approved.stdout


def test_the_erp_holds_each_order_once_with_the_values_of_the_crm(day: Day) -> None:
    orders = day.project.orders()
    assert dict(day.project.posted()) == ONCE
    assert {key: str(orders[key][0].fields["amount"]) for key in orders} == AMOUNTS
    assert orders["D-1050"][0].fields["customer_no"] == "00004711"
    assert orders["D-1045"][0].fields["currency"] == "USD"
    assert {posting.user for postings in orders.values() for posting in postings} == {"erp.clerk"}


def test_the_mail_goes_out_once_a_run_with_the_right_numbers_and_the_workbook(day: Day) -> None:
    (sent,) = day.mails
    assert sent.recipients == ("sales-operations@example.com",)
    assert sent.message["Subject"] == "13 of 14 won deals are in the ERP"
    text = body(sent.message)
    for key, postings in day.project.orders().items():
        assert f"{key} | " in text and postings[0].number in text
    assert f"{REJECTED} | Crédit Rural S.A." in text
    assert "currency is CHF" in text
    (book,) = [part for part in sent.message.walk() if part.get_filename() == "sales_ledger.xlsx"]
    attached = day.project.folder / "attached.xlsx"
    attached.write_bytes(book.get_payload(decode=True))  # type: ignore[arg-type]
    assert sorted(row["deal_id"] for row in sheet_rows(attached)) == sorted(AMOUNTS)


def test_the_workbook_holds_each_order_once_with_its_number(day: Day) -> None:
    rows = sheet_rows(day.project.folder / "data" / "sales_ledger.xlsx")
    numbers = {key: postings[0].number for key, postings in day.project.orders().items()}
    assert {row["deal_id"]: row["order_no"] for row in rows} == numbers
    assert len(rows) == len(numbers)
    assert {row["deal_id"]: Decimal(str(row["amount"])) for row in rows} == {k: Decimal(v) for k, v in AMOUNTS.items()}
    formula_like = next(row for row in rows if row["deal_id"] == "D-1053")
    assert formula_like["customer"] == "+plus Apotheken GmbH"


def test_the_report_tells_a_business_person_what_happened(day: Day, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    report = day.project.state / "runs" / day.run / "report.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(find_browser(install=False, say=lambda _: None)))
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(report.as_uri())
        assert page.locator("h1").inner_text().startswith("13 of 14 orders entered, 1 rejected by a rule; ")
        assert [lane.inner_text() for lane in page.locator(".lane.head").all()] == [
            "Front office", "Middle office", "Back office",
        ]  # fmt: skip
        assert "14 in = 12 passed + 1 for review + 1 rejected" in page.locator(".sums").inner_text()
        assert page.locator("table.items tbody[data-state]").count() == 13
        assert "Bilal Demir" in page.locator("section.approval").inner_text()
        assert "Agreed with the customer" in page.locator("section.approval").inner_text()
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        images = page.locator("table.items img")
        assert images.count() >= 24
        images.first.scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('table.items img').naturalWidth > 200")
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


def test_the_report_holds_no_password(day: Day) -> None:
    page = (day.project.state / "runs" / day.run / "report.html").read_text(encoding="utf-8")
    assert [name for name, account in ACCOUNTS.items() if account.password in page] == []


def forms_of(secret: str) -> tuple[bytes, ...]:
    """A secret as files may hold it: plain, in wide letters, in a URL, in JSON, in base64."""
    plain = secret.encode()
    wide, in_json = secret.encode("utf-16-le"), json.dumps(secret)[1:-1].encode()
    return plain, wide, in_json, quote(secret).encode(), quote_plus(secret).encode(), b64encode(plain).rstrip(b"=")


def test_no_secret_stands_in_any_file_of_the_state(day: Day) -> None:
    """G10: whatever the file (ledger, its log, pictures as bytes, mails, reports), in the encodings that files have."""
    secrets = {name: ACCOUNTS[name].password for name in CREDENTIALS} | PASSPHRASES
    files = [path for path in day.project.state.rglob("*") if path.is_file() and day.project.home not in path.parents]
    assert {".db", ".jpg"} <= {path.suffix for path in files}
    found = [
        (name, str(path.relative_to(day.project.state)))
        for path in files
        for content in [path.read_bytes()]
        for name, secret in secrets.items()
        if any(form in content for form in forms_of(secret))
    ]
    assert found == []


def test_the_same_day_run_again_posts_nothing_again(day: Day) -> None:
    waiting, ended = json.loads(day.again.stdout), json.loads(day.again_approved.stdout)
    assert (day.again.returncode, waiting["state"]) == (4, "waiting")
    assert "0 of 14 orders entered, 12 already there" in waiting["sentence"]
    assert (day.again_approved.returncode, ended["state"]) == (0, "succeeded")
    assert day.project.states(ended["run"]) == dict.fromkeys(AMOUNTS, "already_there")
    assert dict(day.project.posted()) == ONCE


def test_nothing_unfinished_is_left_and_the_audit_is_whole(day: Day) -> None:
    assert day.project.left_overs() == []
    verified = day.project.cli("audit", "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "The audit is whole" in verified.stdout and "heads kept outside the database" in verified.stdout


def test_an_export_of_the_audit_is_verified_alone_and_any_change_in_it_is_found(day: Day, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    assert day.project.cli("audit", "export", "--to", str(file)).returncode == 0
    whole = day.project.cli("audit", "verify", str(file))
    assert (whole.returncode, "audit.jsonl is whole" in whole.stdout) == (0, True)
    lines = file.read_text(encoding="utf-8").splitlines()
    for changed in (
        [*lines[:3], lines[3].replace("anna", "emma"), *lines[4:]],
        [*lines[:3], *lines[4:]],
        lines[:-1],
        [*lines[:-2], lines[-1]],
    ):
        if changed == lines:
            continue
        file.write_text("\n".join(changed) + "\n", encoding="utf-8")
        assert day.project.cli("audit", "verify", str(file)).returncode == 1
    assert {entry.outcome for entry in day.project.erp.sign_ins("erp.clerk")} <= {"signed_in", "signed_out"}


@pytest.mark.parametrize(
    "words",
    [
        *("runs", "show last", "items last", "approvals", "audit", "credentials list"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("doubts", "people", "bots", "check", "doctor")),
    ],
)
def test_every_listing_speaks_json(day: Day, words: str) -> None:
    ended = day.project.cli(*words.split(), "--format", "json")
    assert ended.stderr == ""
    assert isinstance(json.loads(ended.stdout), list | dict)
    assert ended.returncode in (0, 1, 3)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Flagship]:
    with flagship(tmp_path) as prepared:
        yield prepared


@pytest.mark.slow
def test_a_rehearsal_of_one_order_posts_nothing(project: Flagship) -> None:
    rehearsed = project.run("--rehearse", "--only", "D-1042", "--format", "json")
    told = json.loads(rehearsed.stdout)
    assert (rehearsed.returncode, told["state"]) == (4, "waiting")
    assert "1 of 14 orders rehearsed, none entered" in told["sentence"]
    assert (dict(project.posted()), project.mails()) == ({}, [])
    assert not (project.folder / "data" / "sales_ledger.xlsx").exists()


@pytest.mark.slow
def test_the_careful_first_day_one_step_then_one_order_then_two(project: Flagship) -> None:
    until = project.run("--until", "checks")
    assert until.returncode == 0
    assert "Credit and compliance checks  12 passed, 1 for review, 1 rejected" in until.stdout
    assert dict(project.posted()) == {}
    assert project.run("--only", "D-1044").returncode == 4
    assert dict(project.posted()) == {"D-1044": 1}
    limited = project.run("--limit", "2")
    assert dict(project.posted()) == {"D-1044": 1, "D-1042": 1, "D-1043": 1}
    assert limited.returncode == 0
    whole = project.run()
    assert whole.returncode == 0
    assert dict(project.posted()) == dict.fromkeys(STRAIGHT, 1)
    assert project.left_overs() == []


@pytest.mark.slow
def test_a_key_that_no_row_has_enters_and_mails_nothing(project: Flagship) -> None:
    project.edit(f"workflows/{WORKFLOW}.yaml", ("default: 50000", "default: 500000"))
    project.edit("data/credit_limits.csv", ("C-100024;50000,00", "C-100024;90000,00"))
    ended = project.run("--only", "D-4711", "--format", "json")
    assert ended.returncode == 1
    assert 'no row has the key "D-4711" that --only names; there is D-1042, ' in json.loads(ended.stdout)["sentence"]
    assert dict(project.posted()) == {}
    assert [mail.message["Subject"] for mail in project.mails()] == ["Won deals run failed at orders"]


@pytest.mark.slow
def test_a_cancelled_run_can_go_on_and_nothing_of_it_is_lost(project: Flagship) -> None:
    assert project.run("--limit", "1").returncode == 4
    assert project.cli("cancel", "last").returncode == 0
    assert project.listed("show", "last")["state"] == "cancelled"
    assert project.listed("approvals") == []
    assert project.cli("resume", "last").returncode == 4
    assert project.approve().returncode == 0
    assert dict(project.posted()) == {"D-1042": 1}
    twice = project.cli("cancel", "last")
    assert (twice.returncode, twice.stdout) == (1, "")
    assert "has ended already" in twice.stderr


@pytest.mark.slow
def test_held_items_are_released_by_another_person_and_entered_once(project: Flagship) -> None:
    number = project.fault("error", application="erp")
    assert project.run().returncode == 4
    states = project.states()
    assert set(states.values()) == {"on_hold", "cancelled"}
    from interoffice.practice import control

    control.switch_off(project.home, number)
    own = project.cli("retry", "last")
    assert own.returncode == 1
    assert "Anna Berg made this run and may not release" in own.stderr
    project.sign_in("bilal")
    assert project.cli("retry", "last").returncode == 4
    assert project.approve().returncode in (0, 3)
    assert dict(project.posted()) == ONCE


def body(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(("plain",)) if hasattr(message, "get_body") else None
    if part is not None:
        return str(part.get_content())
    plain = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    return plain.get_payload(decode=True).decode("utf-8")  # type: ignore[union-attr]


def sheet_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of the sheet Orders by heading."""
    rows = list(openpyxl.load_workbook(path)["Orders"].iter_rows(values_only=True))
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:] if any(row)]
