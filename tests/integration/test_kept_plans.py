"""Kept plans: `run --plan` writes exactly the rows that were shown, or refuses and says in one sentence why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.engine.endings import RunStopped
from interoffice.engine.held_rows import as_planned, content_digest, hold_call_to_plan, hold_to_plan
from interoffice.engine.preview import preview
from interoffice.engine.previewed import Preview
from interoffice.errors import InterofficeError, Refused, UsageError
from interoffice.model.work import ItemState
from interoffice.office.kept_plans import plan_from_file
from interoffice.plan.plan import RunOptions
from interoffice.plan.project import open_project
from interoffice.store.items import NewItem
from tests.support.running import an_engine
from tests.support.shop import ORDERS, Shop, make_shop

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", ORDERS)
    shop.some_deals(4)
    return shop


def previewed(shop: Shop, key: str = "orders") -> Preview:
    """The preview of a workflow of the shop."""
    with an_engine(shop) as engine:
        return preview(engine, shop.plan(key))


def kept(shop: Shop, key: str = "orders") -> Path:
    """A kept plan of a workflow."""
    path = shop.folder / "p.json"
    previewed(shop, key).write(path)
    return path


def from_file(shop: Shop, path: Path, **inputs: str) -> object:
    return plan_from_file(open_project(shop.folder), "orders", path, inputs, started_by="bilal")


def test_a_kept_plan_holds_the_rows_and_is_taken_while_nothing_changed(shop: Shop) -> None:
    path = kept(shop)
    plan = plan_from_file(
        open_project(shop.folder), "orders", path, {}, started_by="bilal", options=RunOptions(only="D-1")
    )
    held = plan.options.rows["orders"]
    assert isinstance(held, dict) and list(held["keys"]) == ["D-1", "D-2", "D-3", "D-4"]
    assert (plan.started_by, plan.options.only) == ("bilal", "D-1")
    with pytest.raises(UsageError, match="is there already"):
        previewed(shop).write(path)


@pytest.mark.parametrize(
    ("file", "said"),
    [("workflows/orders.yaml", "The workflow workflows/orders.yaml has changed"),
     ("bots/back_office/shop.py", "The bot bots/back_office/shop.py has changed")],
)  # fmt: skip
def test_a_kept_plan_is_refused_when_a_file_changed(shop: Shop, file: str, said: str) -> None:
    path = kept(shop)
    (shop.folder / file).write_text((shop.folder / file).read_text() + "\n# changed\n")
    with pytest.raises(Refused, match=said):
        from_file(shop, path)


def test_a_kept_plan_is_refused_when_a_source_changed_or_is_gone(tmp_path: Path) -> None:
    project = tmp_path / "office"
    assert cli("new", str(project)).returncode == 0
    assert cli("plan", "first", "--project", str(project), "--out", str(project / "p.json")).returncode == 0
    source = project / "inbox" / "invoices.csv"
    source.write_text(source.read_text() + "00999,Acme,EUR,5.00\n")
    run = cli("run", "first", "--project", str(project), "--plan", str(project / "p.json"))
    assert run.returncode == 1
    assert "The source inbox/invoices.csv has changed" in run.stderr
    source.unlink()
    run = cli("run", "first", "--project", str(project), "--plan", str(project / "p.json"))
    assert "The source inbox/invoices.csv is gone" in run.stderr
    assert not list((project / "reports").glob("*.xlsx"))


def test_a_plan_that_was_edited_by_hand_is_refused(shop: Shop) -> None:
    path = kept(shop)
    path.write_text(path.read_text().replace('"D-1"', '"D-9"'))
    with pytest.raises(Refused, match="was changed after it was made"):
        from_file(shop, path)


@pytest.mark.parametrize("content", ["", "[]", '{"interoffice_plan": 99}', "\x00"])
def test_what_is_no_plan_is_refused_in_one_sentence(shop: Shop, content: str) -> None:
    path = shop.folder / "p.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="no plan of this version"):
        from_file(shop, path)
    with pytest.raises(UsageError, match="can't be read"):
        from_file(shop, shop.folder / "nothing.json")


def test_a_plan_of_another_workflow_or_other_inputs_is_refused(shop: Shop) -> None:
    path = kept(shop)
    shop.workflow("copy", ORDERS)
    with pytest.raises(UsageError, match="is one of orders, not of copy"):
        plan_from_file(open_project(shop.folder), "copy", path, {}, started_by="anna")
    with pytest.raises(InterofficeError, match='no input "colour"'):
        from_file(shop, path, colour="red")


# holding a run to its rows


def row(amount: int, **more: object) -> dict[str, object]:
    return {"deal": "D", "amount": Decimal(amount), **more}


HELD = RunOptions(
    rows={
        "orders": {
            "keys": {
                "D-1": {"row": content_digest(row(1)), "what": "new", "sure": True},
                "D-2": {"row": content_digest(row(2)), "what": "already there", "sure": True},
                "D-3": {"row": content_digest({"deal": "D"}), "what": "new", "sure": False},
            },
            "corrected": ["amount", "amount_before"],
        },
        "ledger": {"inputs": content_digest({"file": "a.xlsx"})},
    }
)


def test_the_rows_of_the_plan_pass_and_an_approver_may_correct_what_was_shown() -> None:
    hold_to_plan("orders", {"D-1": row(1), "D-2": row(2)}, HELD)
    hold_to_plan("orders", {"D-1": row(1), "D-2": row(2), "D-3": row(5, amount_before=Decimal(3))}, HELD)
    hold_to_plan("elsewhere", {"D-9": row(1)}, HELD)
    hold_call_to_plan("ledger", {"file": "a.xlsx"}, HELD)
    hold_call_to_plan("mail", {"to": "a"}, HELD)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"D-1": row(1), "D-2": row(2), "D-4": row(4)}, "D-4 is not in the plan"),
        ({"D-1": row(1)}, "D-2 is in the plan and not there any more"),
        ({"D-1": row(7), "D-2": row(2)}, "D-1 is other than planned"),
    ],
)
def test_any_other_row_stops_the_run_and_is_named(rows: Mapping[str, Mapping[str, object]], said: str) -> None:
    with pytest.raises(RunStopped, match=said):
        hold_to_plan("orders", rows, HELD)
    with pytest.raises(RunStopped, match="other than planned"):
        hold_call_to_plan("ledger", {"file": "b.xlsx"}, HELD)


def test_a_row_that_the_plan_found_in_the_target_is_not_begun() -> None:
    assert as_planned("orders", NewItem(key="D-2", row=row(2)), HELD).state == ItemState.ALREADY_THERE
    assert as_planned("orders", NewItem(key="D-1", row=row(1)), HELD).state == ItemState.NEW


# the command line


def cli(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "INTEROFFICE_PROJECT"}
    command = [sys.executable, "-P", "-m", "interoffice.cli", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**environment, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=120
    )


def test_the_detailed_exit_code_is_2_for_changes_0_for_nothing_to_do_and_1_for_an_error(tmp_path: Path) -> None:
    project = tmp_path / "office"
    assert cli("new", str(project)).returncode == 0
    words = ("plan", "first", "--project", str(project), "--as-of", "2026-11-23", "--detailed-exitcode")
    first = cli(*words, "--out", str(project / "p.json"))
    assert first.returncode == 2, first.stdout + first.stderr
    assert cli("run", "first", "--project", str(project), "--plan", str(project / "p.json")).returncode == 0
    second = cli(*words, "--format", "json")
    assert second.returncode == 0, second.stdout
    assert json.loads(second.stdout)["counts"] == {"already there": 1}
    (project / "inbox" / "invoices.csv").unlink()
    third = cli(*words)
    assert third.returncode == 1
    assert "The run would fail at invoices" in third.stdout
