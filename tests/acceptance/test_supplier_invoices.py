"""Supplier invoices from the mailbox to the ERP: six PDFs with what goes wrong, matched, approved, posted once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from interoffice.resources.people import PeopleStore
from tests.support.flagship import ROOT, Flagship, copy, flagship

WORKFLOW = "supplier_invoices"
DAVID = "Regen am Fenster"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flagship]:
    with flagship(tmp_path_factory.mktemp("invoices"), office=("--invoices",)) as project:
        copy(ROOT / "workflows" / f"{WORKFLOW}.yaml", project.folder / "workflows" / f"{WORKFLOW}.yaml")
        PeopleStore(project.state).add("david", DAVID)
        yield project


def decide(desk: Flagship, action: str, row: str, *words: str, person: str, phrase: str) -> Any:
    words = ("last", "decision", row, *words, "--person", person, "--yes", "--stay")
    return desk.cli(action, *words, stdin=phrase + "\n")


def posted(desk: Flagship) -> list[dict[str, Any]]:
    return [dict(posting.fields) for posting in desk.erp.postings("supplier_invoice")]


@pytest.mark.slow
def test_from_the_mailbox_to_the_ledger(desk: Flagship) -> None:
    assert desk.cli("check", WORKFLOW).returncode == 0
    ended = desk.cli("run", WORKFLOW, "--as-of", desk.day)
    assert "Read each invoice  1 on hold, 5 successful" in ended.stdout
    assert "RE-9006.pdf is no PDF that can be opened, or is damaged; ask its sender for it again" in ended.stdout
    assert "1 passed, 3 for review, 1 rejected" in ended.stdout
    assert posted(desk) == []

    shown = json.loads(desk.cli("approve", "last", "decision", "--person", "bilal", "--format", "json").stdout)
    reasons = {row["invoice_no"]: row["reasons"] for row in shown["rows"]}
    assert reasons["RE-9001"] == ""
    assert "The unit price is 178,1, ordered for 169,62" in reasons["RE-9002"]
    assert "Not sure what the PDF says (total: it says 762,56 or 782,56)" in reasons["RE-9003"]
    assert reasons["RE-9004"] == "Bank account differs from the supplier master data, possible fraud"
    assert all(row["picture"].endswith(".png") for row in shown["rows"])

    # who started it never decides; what could not be read goes on with the value that a person reads
    refused = decide(desk, "approve", "S-70001|RE-9001", person="anna", phrase="Kirschbaum im Regen")
    assert refused.returncode != 0 and posted(desk) == []
    row = "S-70003|RE-9003"
    wrong = decide(desk, "approve", row, "--field", "total=much", person="david", phrase=DAVID)
    assert wrong.returncode != 0 and '"much" does not fit the field total' in wrong.stderr
    right = decide(desk, "approve", row, "--field", "total=732.56", person="david", phrase=DAVID)
    assert right.returncode == 0, right.stderr + right.stdout
    assert decide(desk, "approve", "S-70001|RE-9001", person="david", phrase=DAVID).returncode == 0
    for row in ("S-70002|RE-9002", "S-70004|RE-9004"):
        rejected = decide(
            desk, "reject", row, "--field", "comment=Please call us", person="david", phrase=DAVID
        )  # fmt: skip
        assert rejected.returncode == 0, rejected.stderr + rejected.stdout

    ended = desk.cli("resume", "last")
    assert ended.returncode == 4, ended.stdout + ended.stderr  # one PDF waits for a person
    assert "1 on hold for a person" in ended.stdout
    entered = {fields["invoice_no"]: fields for fields in posted(desk)}
    assert {name: (fields["supplier_no"], fields["total"]) for name, fields in entered.items()} == {
        "RE-9001": ("S-70001", "171.38"), "RE-9003": ("S-70003", "732.56"),
    }  # fmt: skip
    told = {mail.message["Subject"]: mail.message["To"] for mail in desk.mails()}
    assert told["Please correct invoice RE-9004"] == "orders.70004@example.com"
    assert told["Please correct invoice RE-9005"] == "orders.70005@example.com"
    assert told["2 supplier invoices posted"] == "accounts-payable@example.com"

    # the same mails are not there again, and nothing is posted twice
    again = desk.cli("run", WORKFLOW, "--as-of", desk.day)
    assert "No new invoices" in again.stdout
    assert len(posted(desk)) == 2
