"""Every bad input ends in one clear sentence and nothing half done, by the real command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from interoffice.practice.accounts import ACCOUNTS
from tests.support.flagship import STRAIGHT, WORKFLOW, Flagship, flagship

FLAGSHIP_FILE = f"workflows/{WORKFLOW}.yaml"
SMALL = """\
version: 1
name: Limits to a workbook
owner: sales-operations@example.com

defaults:
  timeout: 30s

steps:
  - id: limits
    name: Read the credit limits
    bot: spreadsheet.read_rows
    with:
      file: data/credit_limits.csv
      contract: credit_limits

  - id: checks
    check: ${{ steps.limits.rows }}
    row: erp_customer_no
    otherwise: warn
    rules:
      - credit_limit > 0

  - id: book
    name: Keep them in a workbook
    bot: spreadsheet.upsert_rows
    with:
      file: data/limits.xlsx
      sheet: Limits
      key: erp_customer_no
      rows: ${{ steps.checks.passed }}

  - id: tell
    name: Tell finance
    bot: email.send
    with:
      to: finance@example.com
      subject: ${{ count(steps.checks.passed) }} limits
      template: emails/limits.html
"""
"""No browser, so quick: a file is read, checked, kept in a workbook, and a mail is sent."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Flagship]:
    with flagship(tmp_path, people=False) as prepared:
        (prepared.folder / "workflows" / "small.yaml").write_text(SMALL, encoding="utf-8")
        (prepared.folder / "workflows" / "emails" / "limits.html").write_text("<p>Run {{ run.id }}</p>")
        yield prepared


class Told:
    """How a run ended, as `--format json` says it; nothing else may be on either stream."""

    def __init__(self, ended: subprocess.CompletedProcess[str]) -> None:
        said = json.loads(ended.stdout)
        assert ended.stderr == ""
        assert "Traceback" not in ended.stdout
        assert "fault of Interoffice" not in ended.stdout
        self.code = ended.returncode
        self.state: str = said["state"]
        self.sentence: str = said["sentence"]
        self.report = said["report"]
        self.next_steps: list[str] = said["next_steps"]


def failed_cleanly(project: Flagship, ended: subprocess.CompletedProcess[str], *words: str) -> Told:
    """Exit 1, one sentence with these words, no order, nothing unfinished, and the way on is told."""
    told = Told(ended)
    assert (told.code, told.state) == (1, "failed"), told.sentence
    for word in words:
        assert word in told.sentence
    assert any("runner.py resume" in step for step in told.next_steps)
    assert dict(project.posted()) == {}
    assert project.left_overs() == []
    return told


def run_json(project: Flagship, *words: str) -> subprocess.CompletedProcess[str]:
    return project.run(*words, "--format", "json")


def small_json(project: Flagship) -> subprocess.CompletedProcess[str]:
    return project.cli("run", "small", "--format", "json")


# files and exports


def test_a_missing_file_is_named_with_what_to_do(project: Flagship) -> None:
    (project.folder / "data" / "credit_limits.csv").unlink()
    told = failed_cleanly(project, small_json(project), "there is no file data/credit_limits.csv", "put it there")
    assert told.sentence.startswith("stopped at “Read the credit limits”: ")
    assert not (project.folder / "data" / "limits.xlsx").exists()


def test_an_export_without_rows_finishes_quietly_and_says_why(project: Flagship) -> None:
    days = ("--input", "closed_from=2020-01-06", "--input", "closed_to=2020-01-07")
    told = Told(run_json(project, *days))
    assert (told.code, told.state) == (0, "succeeded")
    assert "No deals were won from 06.01.2020 to 07.01.2020" in told.sentence
    assert (dict(project.posted()), project.mails()) == ({}, [])


@pytest.mark.slow
def test_an_export_of_no_bytes_is_an_error(project: Flagship) -> None:
    project.edit(FLAGSHIP_FILE, ("attempts: 3", "attempts: 1"))
    project.fault("empty_export", application="crm", how="file")
    failed_cleanly(project, run_json(project), "Export the won deals from the CRM", "empty file")


@pytest.mark.slow
def test_an_export_with_fewer_rows_than_the_screen_says_is_an_error(project: Flagship) -> None:
    project.fault("empty_export", application="crm", how="rows")
    failed_cleanly(project, run_json(project), "brought 0 rows, but the screen says 14")


def test_a_column_that_is_called_otherwise_is_named(project: Flagship) -> None:
    project.fault("renamed_header", application="crm", fields=("amount",), text="Betrag")
    told = failed_cleanly(
        project, run_json(project), "deals.csv", "tables/won_deals.yaml", '"Amount" or "Net amount" is missing',
        '"Betrag"',
    )  # fmt: skip
    assert [mail.message["Subject"] for mail in project.mails()] == ["Won deals run failed at deals"]
    assert Path(told.report).exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "says"), [("cp1252", "byte 0xFC in line 2"), ("utf-16", "deals.csv is utf-16")]
)
def test_an_export_of_another_encoding_says_which(project: Flagship, encoding: str, says: str) -> None:
    project.fault("export_encoding", application="crm", text=encoding)
    failed_cleanly(project, run_json(project), says, "utf-8", "tables/won_deals.yaml")


def test_a_file_of_another_encoding_says_where(project: Flagship) -> None:
    file = project.folder / "data" / "credit_limits.csv"
    file.write_bytes(file.read_text(encoding="utf-8").replace("clear", "klär", 1).encode("cp1252"))
    failed_cleanly(project, small_json(project), "credit_limits.csv", "byte 0xE4 in line 2", "utf-8")


# systems that don't answer


def test_an_erp_that_is_down_leaves_the_order_with_a_person_and_nothing_posted(project: Flagship) -> None:
    project.edit(FLAGSHIP_FILE, ("attempts: 3", "attempts: 2"))
    project.fault("error", application="erp")
    told = Told(run_json(project, "--limit", "1"))
    assert (told.code, told.state) == (4, "waiting")
    assert "0 of 14 orders entered, 1 on hold for a person" in told.sentence
    (held,) = [item for item in project.listed("items", "last") if item["state"] == "on_hold"]
    assert held["key"] == "D-1042"
    assert held["error"] == "Practice ERP answered with an error of its server (500)"
    assert any("runner.py retry" in step for step in told.next_steps)
    assert dict(project.posted()) == {}


@pytest.mark.slow
def test_an_erp_that_is_down_is_not_asked_for_every_order(project: Flagship) -> None:
    project.fault("error", application="erp")
    told = Told(run_json(project))
    assert told.code == 4
    states = project.states()
    assert set(states) == set(STRAIGHT)
    assert 3 <= list(states.values()).count("on_hold") <= 4  # max_failures: 3, and each of two lanes had one in hand
    assert list(states.values()).count("cancelled") >= 8
    assert dict(project.posted()) == {}


def test_a_practice_office_that_is_not_running_is_said_plainly(project: Flagship) -> None:
    project.close_office()
    project.edit(FLAGSHIP_FILE, ("attempts: 3", "attempts: 1"))
    failed_cleanly(project, run_json(project), "The practice office is not running", "runner.py practice")


@pytest.mark.slow
def test_a_page_that_never_answers_is_given_up_in_time(project: Flagship) -> None:
    project.edit(FLAGSHIP_FILE, ("timeout: 5m", "timeout: 3s"), ("attempts: 3", "attempts: 2"))
    project.fault("no_answer", application="crm")
    began = time.monotonic()
    failed_cleanly(project, run_json(project), "Export the won deals from the CRM", "longer than 3s")
    assert time.monotonic() - began < 60
    (step,) = [step for step in project.listed("show", "last")["steps"] if step["path"] == "deals"]
    assert step["attempts"] == 2


def test_a_mail_server_that_can_t_be_reached_is_named_and_the_run_goes_on_later(project: Flagship) -> None:
    project.edit("settings.yaml", ("smtp: practice:smtp", "smtp: smtps://127.0.0.1:9"))
    failed_cleanly(project, small_json(project), "the mail server 127.0.0.1:9 can't be reached", "nothing was sent")
    assert (project.folder / "data" / "limits.xlsx").exists()
    project.edit("settings.yaml", ("smtp: smtps://127.0.0.1:9", "smtp: practice:smtp"))
    assert project.cli("resume", "last").returncode == 0
    assert [mail.message["Subject"] for mail in project.mails()] == ["21 limits"]


def test_a_mailbox_that_can_t_be_reached_is_named(project: Flagship) -> None:
    project.edit("settings.yaml", ("imap: practice:imap", "imap: imaps://127.0.0.1:9"))
    ended = project.cli("bot", "email.fetch", "--with", "mailbox=office", "--with", "folder=INBOX", "--format", "json")
    failed_cleanly(project, ended, "127.0.0.1:9")


# credentials


def test_a_wrong_password_is_tried_once_then_the_credential_rests_until_a_person_frees_it(project: Flagship) -> None:
    right = ACCOUNTS["erp_clerk"]
    assert project.cli("credentials", "set", "erp_clerk", stdin="erp.clerk\nnot-the-password-1\n").returncode == 0
    refused = run_json(project, "--limit", "1")
    failed_cleanly(project, refused, "Practice ERP refused the credential erp_clerk", "not tried again")
    assert [entry.outcome for entry in project.erp.sign_ins("erp.clerk")] == ["wrong_password"]
    (listed,) = [each for each in project.listed("credentials", "list") if each["name"] == "erp_clerk"]
    assert listed["state"].startswith("paused: ")
    resting = project.cli("resume", "last", "--format", "json")
    failed_cleanly(project, resting, '"erp_clerk" is paused', "runner.py credentials resume erp_clerk")
    assert [entry.outcome for entry in project.erp.sign_ins("erp.clerk")] == ["wrong_password"]
    project.cli("credentials", "set", "erp_clerk", stdin=f"{right.user}\n{right.password}\n")
    assert project.cli("credentials", "resume", "erp_clerk").returncode == 0
    assert project.cli("resume", "last").returncode == 4
    assert dict(project.posted()) == {"D-1042": 1}
    assert [asked["rows"] for asked in project.listed("approvals")] == [1]


@pytest.mark.slow
def test_a_paused_credential_rests_in_every_later_run(project: Flagship) -> None:
    project.cli("credentials", "set", "erp_clerk", stdin="erp.clerk\nnot-the-password-1\n")
    for _ in range(3):
        failed_cleanly(project, run_json(project), "erp_clerk")
    assert [entry.outcome for entry in project.erp.sign_ins("erp.clerk")] == ["wrong_password"]


def test_a_credential_that_is_not_set_stops_the_run_before_anything_is_touched(project: Flagship) -> None:
    assert project.cli("credentials", "remove", "erp_clerk").returncode == 0
    ended = project.run()
    assert ended.returncode == 1
    assert 'K02  there is no credential "erp_clerk"' in ended.stdout
    assert "runner.py credentials set erp_clerk" in ended.stdout
    assert ended.stdout.count("K02") - ended.stdout.count("explain K02") == 1
    assert project.listed("runs") == []


def test_a_credential_is_never_asked_for_as_an_argument(project: Flagship) -> None:
    ended = project.cli("credentials", "set", "erp_clerk", "--password", "x")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


# workbooks and disks


def test_a_workbook_that_is_open_elsewhere_is_left_alone_and_the_run_goes_on_later(project: Flagship) -> None:
    assert project.cli("run", "small").returncode == 0
    book = project.folder / "data" / "limits.xlsx"
    before = book.read_bytes()
    owner = project.folder / "data" / "~$limits.xlsx"
    owner.write_bytes(b"\x04Emma" + b" " * 160)
    told = failed_cleanly(project, small_json(project), "limits.xlsx is open elsewhere by Emma", "close it there")
    assert "Keep them in a workbook" in told.sentence
    assert book.read_bytes() == before
    owner.unlink()
    assert project.cli("resume", "last").returncode == 0


def full_disk(*words: str, path: Path) -> list[str]:
    """The command with every write to this path failing as on a full disk."""
    inject = ["-e", "trace=write,pwrite64", "-e", "inject=write,pwrite64:error=ENOSPC"]
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-P", str(path), *inject, "-o", "/dev/null", *words]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)")
def test_a_full_disk_at_the_report_leaves_no_half_page_and_the_run_as_it_was(project: Flagship) -> None:
    assert project.cli("run", "small").returncode == 0
    run = project.listed("runs")[0]["run"]
    folder = project.state / "runs" / run
    before = (folder / "report.html").read_bytes()
    command = [sys.executable, "-P", "-m", "interoffice.cli", "report", "last", "--project", str(project.folder)]
    ended = subprocess.run(
        full_disk(*command, path=folder / "report.part"), capture_output=True, text=True, cwd=project.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"}, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        f"Error: No space left on device ({folder / 'report.html'}): make room or correct the rights, "
        "then repeat the command."
    ]
    assert (folder / "report.html").read_bytes() == before
    assert project.left_overs() == []


def test_a_report_that_can_t_be_written_does_not_change_how_the_run_ended(project: Flagship) -> None:
    project.edit("settings.yaml", ("smtp: practice:smtp", "smtp: smtps://127.0.0.1:9"))
    assert project.cli("run", "small").returncode == 1
    project.edit("settings.yaml", ("smtp: smtps://127.0.0.1:9", "smtp: practice:smtp"))
    run = project.listed("runs")[0]["run"]
    report = project.state / "runs" / run / "report.html"
    report.unlink()
    report.mkdir()
    told = Told(project.cli("resume", "last", "--format", "json"))
    assert (told.code, told.state, told.report) == (0, "succeeded", None)
    assert told.next_steps == [f"The report could not be written (Is a directory); later: runner.py report {run}"]
    report.rmdir()
    assert project.cli("report", "last").returncode == 0
    assert report.stat().st_size > 10_000


# wrong words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "won_deal_to_erp"), 'there is no workflow "won_deal_to_erp"; did you mean "won_deals_to_erp"?'),
        (("run", WORKFLOW, "--input", "closed_form=2026-11-16"), 'no input "closed_form"; did you mean "closed_from"?'),
        (("run", WORKFLOW, "--input", "closed_from=16.13.2026"), 'not "16.13.2026"'),
        (("run", WORKFLOW, "--input", "review_above=a lot"), 'must be an amount like 1234.56, not "a lot"'),
        (("run", WORKFLOW, "--env", "praktice"), 'no environment "praktice"; did you mean "practice"?'),
        (("run", WORKFLOW, "--until", "chekcs"), 'no step "chekcs"; did you mean "checks"?'),
        (("run", WORKFLOW, "--only", ""), "--only needs the key"),
        (("run", WORKFLOW, "--as-of", "2026-13-01"), "--as-of 2026-13-01: write a day"),
        (("run", WORKFLOW, "--plan", "nothing.json"), "nothing.json"),
        (("resume", "nothing-like-it"), "nothing-like-it"),
        (("approve", "last"), "No runs yet"),
    ],
)
def test_a_slip_in_the_command_begins_nothing(
    slips: Flagship, words: tuple[str, ...], says: str
) -> None:
    ended = slips.cli(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert says in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert slips.listed("runs") == []


@pytest.fixture(scope="module")
def slips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flagship]:
    with flagship(tmp_path_factory.mktemp("slips"), people=False) as prepared:
        prepared.close_office()
        yield prepared


def test_an_environment_that_an_application_does_not_have_is_told_before_the_run(slips: Flagship) -> None:
    ended = slips.cli("run", WORKFLOW, "--env", "live")
    assert ended.returncode == 1
    assert 'U01  application "erp" has no environment "live"' in ended.stdout
    assert slips.listed("runs") == []


def test_an_amount_that_is_written_out_is_typed_as_an_amount(project: Flagship) -> None:
    fields = {"customer_no": "C-100017", "customer_reference": "BY-HAND", "amount": "12.50", "currency": "EUR"}
    given = {"screen": "erp.sales_order", "submit": "save", "credential": "erp_clerk", "read": "[order_no]"}
    given |= {f"fields.{name}": value for name, value in fields.items()}
    words = [word for name, value in given.items() for word in ("--with", f"{name}={value}")]
    refused = project.cli("bot", "screens.fill_form", *words, stdin="n\n")
    assert (refused.returncode, refused.stderr.strip()) == (130, "Not confirmed: nothing was done.")
    wrong = project.cli("bot", "screens.fill_form", *(w.replace("12.50", "12,50") for w in words), "--yes")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert '"amount" must be an amount like 1234.56, not "12,50"' in wrong.stderr
    done = project.cli("bot", "screens.fill_form", *words, "--yes", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    ((posting,),) = project.orders().values()
    assert json.loads(done.stdout)["outputs"] == {"values": {"order_no": posting.number}}
    assert dict(posting.fields) == fields
