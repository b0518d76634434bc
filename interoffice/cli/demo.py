"""`runner.py demo`: won deals become ERP orders in the practice office, with what goes wrong on a usual day.

Each demo starts with a fresh state folder and a fresh ERP ledger, in a project of its own below `state/demo`; the
user's own state is not touched. What happened is told from the ERP's ledger, never from the bot's word.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from interoffice.errors import InterofficeError, ProjectError

if TYPE_CHECKING:
    from interoffice.office import Office, RunEnded

Say = Callable[[str], None]
WORKFLOW = "won_deals_to_erp"
COPIED = ("settings.yaml", "selectors", "tables", f"workflows/{WORKFLOW}.yaml", "workflows/emails")
STARTER, APPROVER = "anna", "bilal"
START_WITHIN_S = 20.0


def run_demo(project: Path, say: Say) -> int:
    """Runs the demo and gives its exit code: 0 when all went as it must, else 1."""
    from interoffice.cli.progress import Story
    from interoffice.office import Office
    from interoffice.resources.browser_found import find_browser

    find_browser(install=True, say=say)
    os.environ["INTEROFFICE_KEYRING"] = "off"  # practice passwords have no business in the user's own keyring
    folder = _fresh_project(project)
    say("A practice office starts on this machine: a CRM, a mail server, an ERP with its own ledger, a risk service.")
    with _practice_office(folder) as day:
        desk = Office(folder)
        _prepare(desk, folder)
        _stage_faults(folder, say)
        say("")
        say(f"{_name(desk, STARTER)} starts the workflow {WORKFLOW}, as of {day.isoformat()}:")
        desk.act_as(STARTER)
        with Story() as story:
            ended = desk.run(WORKFLOW, inputs={}, as_of=day.isoformat(), hear=story.hear)
        say(f"  = {ended.sentence}")
        ended = _second_person(desk, ended, say)
        failed = _judge(folder, desk, ended, say)
        report = desk.report(ended.run)
    say("")
    say(f"To look around: python3 runner.py show last --project {folder}")
    say("The report:")
    say(str(report))
    return 1 if failed else 0


def _fresh_project(project: Path) -> Path:
    folder = project / "state" / "demo"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name in COPIED:
        source, target = project / name, folder / name
        if not source.exists():
            raise ProjectError(f"{source} is missing, which the demo needs: restore it from the project.")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    (folder / "data").mkdir()
    return folder


@contextmanager
def _practice_office(folder: Path) -> Iterator[date]:
    """The practice office in a process of its own, with the deals of the last business day; ended at the end."""
    from interoffice.practice.address import read_practice

    home = folder / "state" / "practice"
    home.mkdir(parents=True)
    log = (home / "office.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "interoffice.practice", "--folder", str(home)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ProjectError(f"The practice office did not start; {home / 'office.log'} says why.")
            try:
                info = read_practice(home)
                break
            except ProjectError:
                time.sleep(0.05)
        yield date.fromisoformat(info.today)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def _prepare(desk: Office, folder: Path) -> None:
    """Credentials of the practice accounts, two people who can sign in, and the credit limits of finance."""
    from interoffice.practice.accounts import ACCOUNTS
    from interoffice.practice.seed import credit_limits_csv

    for name in ("crm_reader", "erp_clerk", "erp_reader", "office_mailbox"):
        desk.set_credential(name, ACCOUNTS[name].parts())
    for person in (STARTER, APPROVER):
        desk.set_passphrase(person, secrets.token_urlsafe(18), old=None)
    credit_limits_csv(folder / "data" / "credit_limits.csv")


def _stage_faults(folder: Path, say: Say) -> None:
    """What goes wrong today: an ERP that fails before it stored an order, and one whose answer is lost after it did."""
    from interoffice.practice.control import switch_on
    from interoffice.practice.faults import Fault
    from interoffice.practice.seed import demo_faults

    lost = Fault(kind="lost_reply", application="erp", screen="sales_order", reference="D-1048", how="close", times=1)
    for fault, words in (*demo_faults(), (lost, "the ERP stores the order for D-1048, and its answer gets lost")):
        switch_on(folder / "state" / "practice", fault)
        say(f"  staged: {words}")


def _second_person(desk: Office, ended: RunEnded, say: Say) -> RunEnded:
    """Plays the second person under another account: the starter tries first and is refused."""
    from interoffice.cli.progress import Story

    while ended.exit_code == 4 and desk.approvals_of(ended.run):
        asked = desk.asked(ended.run, None)
        say("")
        say(f"The run waits for a second person: {asked.ask}")
        for row in asked.rows:
            say("    " + ", ".join(f"{head}: {row[key]}" for key, head in asked.columns.items() if row.get(key)))
        try:
            desk.decide(asked, rows=(), decision="approve", comment="", fields={}, person=STARTER)
            raise ProjectError(f"{STARTER} could approve what {STARTER} started; that must not be.")
        except InterofficeError as refusal:
            if isinstance(refusal, ProjectError):
                raise
            say(f"{_name(desk, STARTER)} tries to approve it and is refused: {refusal}")
        say(f"The demo now plays {_name(desk, APPROVER)}, another account, who approves.")
        desk.act_as(APPROVER)
        desk.decide(
            asked, rows=(), decision="approve", comment="Agreed with the customer (demo)", fields={}, person=APPROVER
        )
        with Story() as story:
            ended = desk.resume(ended.run, accept_changes=False, hear=story.hear)
        say(f"  = {ended.sentence}")
    return ended


def _name(desk: Office, person: str) -> str:
    return next((str(each["name"]) for each in desk.people() if each["person"] == person), person)


def _judge(folder: Path, desk: Office, ended: RunEnded, say: Say) -> bool:
    """What the ERP's own ledger says: each order of the run once, nothing else. True when something is wrong."""
    from interoffice.practice.ledger import read_ledger

    posted: dict[str, list[str]] = {}
    for posting in read_ledger(folder / "state" / "practice").postings("sales_order"):
        posted.setdefault(str(posting.fields["customer_reference"]), []).append(posting.number)
    good = {"successful", "already_there"}
    meant = {str(item["key"]) for item in desk.items(ended.run) if item["state"] in good}
    twice = {key: numbers for key, numbers in posted.items() if len(numbers) > 1}
    lost, extra = meant - posted.keys(), posted.keys() - meant
    say("")
    say(
        f"The ERP's own ledger: {len(posted)} orders for {len(meant)} items, {len(twice)} posted twice, "
        f"{len(lost)} missing, {len(extra)} that no item stands for."
    )
    for key, numbers in sorted(posted.items()):
        say(f"    {key}  {', '.join(numbers)}")
    if twice or lost or extra or ended.exit_code not in (0, 3):
        say("That is not as it must be: " + json.dumps({"twice": twice, "lost": sorted(lost), "extra": sorted(extra)}))
        return True
    return False
