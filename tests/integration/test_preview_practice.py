"""`plan` of the main workflow against the practice office: CRM read, ERP looked up, nothing posted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from interoffice.engine.previewed import Preview
from interoffice.engine.progress import silent
from interoffice.office import Office
from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.crm_data import read_crm_data
from interoffice.practice.documents import SALES_ORDER
from interoffice.practice.ledger import Signature
from interoffice.practice.office import PracticeOffice
from interoffice.practice.seed import credit_limits_csv
from tests.support.screens import TODAY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORKFLOW = "won_deals_to_erp"
PARTS = ("settings.yaml", "selectors", "tables", f"workflows/{WORKFLOW}.yaml", "workflows/emails")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("practice") / "office"
    for name in PARTS:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    (folder / "data").mkdir()
    credit_limits_csv(folder / "data" / "credit_limits.csv")
    office = Office(folder)
    for name in ("crm_reader", "erp_clerk", "office_mailbox"):
        office.set_credential(name, ACCOUNTS[name].parts())
    office.act_as("anna")
    return office


@pytest.fixture(scope="module")
def practice(desk: Office) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(desk.state / "practice", only=("erp", "crm"), today=TODAY) as started:
        yield started


@pytest.fixture(scope="module")
def seen(desk: Office, practice: PracticeOffice) -> Preview:
    """The preview after somebody has entered two of the deals by hand, one of them with another amount."""
    deals = {deal["deal_id"]: deal for deal in read_crm_data(practice.folder).deals}
    for reference, amount in (("D-1042", deals["D-1042"]["amount"]), ("D-1043", "1.00")):
        fields = {
            "customer_no": deals[reference]["erp_customer_no"],
            "customer_reference": reference,
            "amount": amount,
            "currency": deals[reference]["currency"],
        }
        by_hand = Signature(user="anna", session="by hand", request="1")
        practice.ledger.post(kind="sales_order", numbers=SALES_ORDER.numbers, fields=fields, by=by_hand)
    return desk.plan(WORKFLOW, inputs={}, as_of=TODAY.isoformat(), hear=silent)


def test_each_deal_is_looked_up_in_the_erp(seen: Preview) -> None:
    what = {change.key: change.what for step in seen.steps for change in step.changes() if change.key}
    assert what.pop("D-1042") == "already there"
    assert what.pop("D-1043") == "changed"
    assert "D-1047" not in what
    assert set(what.values()) == {"new"} and len(what) == 11
    changed = next(line for line in seen.text.splitlines() if line.strip().startswith("D-1043"))
    assert "amount 1 -> 7.320,5" in changed


def test_the_deal_for_a_person_comes_only_if_approved(seen: Preview) -> None:
    conditions = {change.key: change.condition for step in seen.steps for change in step.changes() if change.key}
    assert [key for key, condition in conditions.items() if condition] == ["D-1049"]
    release = next(step for step in seen.steps if step.path == "release")
    assert [row["deal_id"] for row in release.rows] == ["D-1049"]
    assert release.text.startswith("1 row to sales-managers, not the starter")


def test_what_comes_after_the_orders_is_not_known(seen: Preview) -> None:
    states = {step.path: step.state for step in seen.steps}
    assert (states["ledger"], states["confirm"]) == ("unknown", "unknown")
    assert states["sign_out"] == "done"
    assert seen.exit_code(detailed=True) == 2
    assert seen.sources.keys() == {"data/credit_limits.csv"}


def test_the_erp_has_posted_nothing(seen: Preview, practice: PracticeOffice) -> None:
    assert [posting.user for posting in practice.ledger.postings("sales_order")] == ["anna", "anna"]


def test_nothing_is_left_in_the_state_folder(desk: Office, seen: Preview) -> None:
    assert not list((desk.state / "plans").iterdir())
    assert desk.runs(workflow=None, state=None, limit=5) == []
    acts = [entry.act for entry in desk.ledger.audit()]
    assert [act for act in acts if act != "credential.set"] == ["plan.made"]
