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
from interoffice.engine.held_rows import as_planned, call_held_to, content_digest, held_to
from interoffice.engine.preview import preview
from interoffice.engine.previewed import Preview
from interoffice.engine.progress import silent
from interoffice.errors import InterofficeError, Refused, UsageError
from interoffice.model.work import ItemState
from interoffice.office import Office
from interoffice.office.kept_plans import plan_from_file
from interoffice.plan.plan import RunOptions
from interoffice.plan.project import open_project
from interoffice.starter import make_project
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
    project, path = tmp_path / "office", tmp_path / "p.json"
    list(make_project(project))
    Office(project).plan("first", inputs={}, hear=silent).write(path)
    source = project / "inbox" / "invoices.csv"
    source.write_text(source.read_text() + "00999,Acme,EUR,5.00\n")
    with pytest.raises(Refused, match=r"The source inbox/invoices.csv has changed since the plan .* nothing is done"):
        Office(project).run("first", inputs={}, plan_file=path, hear=silent)
    source.unlink()
    with pytest.raises(Refused, match=r"The source inbox/invoices.csv is gone"):
        Office(project).run("first", inputs={}, plan_file=path, hear=silent)
    with pytest.raises(UsageError, match="--as-of can't stand beside --plan"):
        Office(project).run("first", inputs={}, plan_file=path, as_of="2026-11-23", hear=silent)
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


def ran_from(shop: Shop, path: Path) -> tuple[str, dict[str, str], str]:
    """The state of a run of a kept plan, its items, and why it failed."""
    plan = plan_from_file(open_project(shop.folder), "orders", path, {}, started_by="anna")
    with an_engine(shop) as engine:
        run_id = engine.start(plan, signed_in="anna")
        state = engine.drive(run_id)
        view = engine.ledger.run(run_id)
        states = {item.key: str(item.state) for item in engine.ledger.items(run_id)}
    return str(state), states, view.error.message if view.error is not None else ""


def test_a_run_of_a_kept_plan_writes_exactly_its_rows(shop: Shop) -> None:
    path = kept(shop)
    shop.some_deals(5)
    state, _, why = ran_from(shop, path)
    assert (state, shop.orders()) == ("failed", [])
    assert "D-5 is not in the plan" in why
    shop.some_deals(4)
    assert ran_from(shop, path)[0] == "succeeded"
    assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1, "D-4": 1}


def test_what_the_plan_found_in_the_target_is_not_written_again(shop: Shop) -> None:
    order = {"deal": "D-2", "customer": "Blue", "amount": "20", "order_no": "by hand"}
    (shop.folder / "shop" / "orders.jsonl").write_text(json.dumps(order) + "\n")
    path = kept(shop)
    state, items, _ = ran_from(shop, path)
    assert (state, items["D-2"]) == ("succeeded", "already_there")
    assert shop.posted() == {"D-1": 1, "D-2": 1, "D-3": 1, "D-4": 1}


def test_a_call_that_the_plan_skipped_is_not_made(shop: Shop) -> None:
    """A step behind an `if` that was false when the plan was made, and is true in the run."""
    note = (
        "\n  - id: note\n    if: steps.look.there\n    bot: shop.send_note\n    with:\n      to: anna\n"
        "      text: It is there\n"
    )
    look = "  - id: look\n    bot: shop.look_for\n    with:\n      file: flag\n"
    shop.workflow("orders", ORDERS.replace("  - id: checks\n", f"{look}{note}\n  - id: checks\n", 1))
    path = kept(shop)
    (shop.folder / "shop" / "flag").write_text("")
    state, _, why = ran_from(shop, path)
    assert (state, shop.orders()) == ("failed", [])
    assert "note: the plan does not come here" in why


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
    held_to("orders", {"D-1": row(1), "D-2": row(2)}, HELD)
    held_to("orders", {"D-1": row(1), "D-2": row(2), "D-3": row(5, amount_before=Decimal(3))}, HELD)
    held_to("elsewhere", {"D-9": row(1)}, HELD)
    call_held_to("ledger", {"file": "a.xlsx"}, HELD)
    call_held_to("mail", {"to": "a"}, HELD)


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
        held_to("orders", rows, HELD)
    with pytest.raises(RunStopped, match="other than planned"):
        call_held_to("ledger", {"file": "b.xlsx"}, HELD)


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
    list(make_project(project))
    words = ("plan", "first", "--project", str(project), "--as-of", "2026-11-23", "--detailed-exitcode")
    first = cli(*words, "--out", str(project / "p.json"))
    assert first.returncode == 2, first.stdout + first.stderr
    ended = Office(project).run("first", inputs={}, plan_file=project / "p.json", hear=silent)
    assert ended.exit_code == 0
    second = cli(*words, "--format", "json")
    assert second.returncode == 0, second.stdout
    assert json.loads(second.stdout)["counts"] == {"already there": 1}
    (project / "inbox" / "invoices.csv").unlink()
    third = cli(*words)
    assert third.returncode == 1
    assert "The run would fail at invoices" in third.stdout
