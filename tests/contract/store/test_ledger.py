"""The contract of the ledger: what any store under the engine must hold."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from interoffice.errors import ProjectError, Refused, UsageError
from interoffice.model.work import ItemState, RunState, StepState, moves_allowed
from interoffice.store import Failure, Ledger, audit, intents, items, office, runs, steps
from interoffice.store.database import Transaction
from interoffice.store.intents import NewIntent
from interoffice.store.items import NewItem
from interoffice.store.runs import NewRun
from interoffice.store.steps import AttemptPlace, StepPlace

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
RUN = "20261122-0630-k7f3"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.write(lambda tx: office.begin_engine(tx, "host-1-a", "host", 1, NOW))
    ledger.write(lambda tx: runs.add(tx, a_run(RUN), RunState.QUEUED, NOW))
    ledger.write(lambda tx: runs.take(tx, RUN, "host-1-a", NOW, body_done=False))
    return ledger


def a_run(run_id: str, workflow: str = "orders") -> NewRun:
    return NewRun(
        run_id=run_id, workflow=workflow, workflow_name="Orders", plan="{}", plan_digest="d", inputs_digest="i",
        environment="practice", started_by="anna", planned_at=NOW, rehearse=False, overlap="skip",
    )  # fmt: skip


def add(ledger: Ledger, *new: NewItem, run_id: str = RUN) -> None:
    ledger.write(lambda tx: items.add(tx, run_id, "orders", new, NOW))


def claim(ledger: Ledger, token: str = "t", now: datetime = NOW):  # type: ignore[no-untyped-def]
    return ledger.write(lambda tx: items.claim(tx, RUN, "orders", engine_id="host-1-a", token=token, now=now))


def an_intent(key: str = "screen:practice|erp.sales_order|save|D-1", **more: object) -> NewIntent:
    said: dict[str, object] = {
        "intent_id": f"I-{len(more)}-{key}", "posting_key": key, "run_id": RUN, "path": "orders[D-1].order",
        "attempt": 1, "token": "t", "engine_id": "host-1-a", "meant": {"amount": Decimal("10.50")},
    }  # fmt: skip
    return NewIntent(**{**said, **more})  # type: ignore[arg-type]


def test_a_ledger_is_wal_and_full_with_foreign_keys(ledger: Ledger) -> None:
    def pragma(name: str) -> object:
        return ledger.write(lambda tx: tx.row(f"PRAGMA {name}"))[0]  # type: ignore[index]

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    assert pragma("busy_timeout") == 30_000


def test_values_come_back_as_they_went_in(ledger: Ledger) -> None:
    row = {"amount": Decimal("10.10"), "day": NOW.date(), "when": NOW, "code": "00123", "none": None, "sure": True}
    add(ledger, NewItem(key="D-1", row=row, deadline=NOW + timedelta(days=1), priority=3))
    (item,) = ledger.items(RUN)
    assert item.row == row
    assert (item.deadline, item.priority, item.state) == (NOW + timedelta(days=1), 3, ItemState.NEW)


def test_items_are_taken_by_deadline_then_priority_then_first_come(ledger: Ledger) -> None:
    add(
        ledger,
        NewItem(key="plain", row={}),
        NewItem(key="late", row={}, deadline=NOW + timedelta(days=2)),
        NewItem(key="soon", row={}, deadline=NOW + timedelta(days=1)),
        NewItem(key="urgent", row={}, priority=9),
        NewItem(key="plain too", row={}),
    )
    taken = [claim(ledger).key for _ in range(5)]
    assert taken == ["soon", "late", "urgent", "plain", "plain too"]
    assert claim(ledger) is None


def test_a_deferred_item_is_not_taken_before_its_time(ledger: Ledger) -> None:
    add(ledger, NewItem(key="D-1", row={}, defer_until=NOW + timedelta(hours=1)))
    assert claim(ledger) is None
    assert claim(ledger, now=NOW + timedelta(hours=2)).key == "D-1"


def test_a_key_stands_once_in_a_loop(ledger: Ledger) -> None:
    add(ledger, NewItem(key="D-1", row={}))
    with pytest.raises(sqlite3.IntegrityError):
        add(ledger, NewItem(key="D-1", row={}))


def test_only_the_moves_of_the_table_are_possible(ledger: Ledger) -> None:
    pairs = [(before, after) for before in ItemState for after in ItemState]
    add(ledger, *(NewItem(key=f"{before} {after}", row={}, state=before) for before, after in pairs))
    for item, (before, after) in zip(ledger.items(RUN), pairs, strict=True):
        if after in moves_allowed[before]:
            assert ledger.write(partial(items.move, item=item, to=after, now=NOW)).state == after
        else:
            with pytest.raises(Refused, match="can't become"):
                ledger.write(partial(items.move, item=item, to=after, now=NOW))


def test_an_item_that_moved_meanwhile_is_not_moved_again(ledger: Ledger) -> None:
    add(ledger, NewItem(key="D-1", row={}))
    item = claim(ledger)
    ledger.write(lambda tx: items.move(tx, item, ItemState.SUCCESSFUL, NOW))
    with pytest.raises(Refused, match="no longer"):
        ledger.write(lambda tx: items.move(tx, item, ItemState.FAILED, NOW))


def test_every_state_of_an_item_has_its_moves() -> None:
    assert set(moves_allowed) == set(ItemState)


def test_an_intent_is_fenced_by_the_lease_of_its_item(ledger: Ledger) -> None:
    add(ledger, NewItem(key="D-1", row={}))
    item = claim(ledger, "first")
    with pytest.raises(Refused, match="no longer in the hand"):
        new = an_intent(item_id=item.item_id, token="second")
        ledger.write(lambda tx: intents.open_intent(tx, new, NOW, once=True))
    ledger.write(lambda tx: intents.open_intent(tx, an_intent(item_id=item.item_id, token="first"), NOW, once=True))


def test_a_posting_key_has_one_unsettled_intent_at_a_time(ledger: Ledger) -> None:
    ledger.write(lambda tx: intents.open_intent(tx, an_intent(), NOW, once=True))
    with pytest.raises(Refused, match="open intent"):
        ledger.write(lambda tx: intents.open_intent(tx, an_intent(intent_id="I-2"), NOW, once=True))


def test_what_was_posted_once_is_never_opened_again_unless_it_is_another_occasion(ledger: Ledger) -> None:
    new = an_intent()
    ledger.write(lambda tx: intents.open_intent(tx, new, NOW, once=True))
    ledger.write(lambda tx: intents.end(tx, new.intent_id, "confirmed", NOW, reference="SO-1", outputs={"no": "SO-1"}))
    with pytest.raises(Refused, match="was posted by run"):
        ledger.write(lambda tx: intents.open_intent(tx, an_intent(intent_id="I-2"), NOW, once=True))
    again = an_intent(intent_id="I-3", occasion="another run")
    ledger.write(lambda tx: intents.open_intent(tx, again, NOW, once=False))
    found = ledger.read(lambda tx: intents.confirmed(tx, new.posting_key))
    assert found is not None and found.outputs == {"no": "SO-1"}


def test_a_withdrawn_intent_leaves_the_key_free(ledger: Ledger) -> None:
    new = an_intent()
    ledger.write(lambda tx: intents.open_intent(tx, new, NOW, once=True))
    ledger.write(lambda tx: intents.end(tx, new.intent_id, "withdrawn", NOW))
    ledger.write(lambda tx: intents.open_intent(tx, an_intent(intent_id="I-2"), NOW, once=True))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE intents SET state = 'withdrawn'",
        "DELETE FROM intents",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
    ],
)
def test_the_database_refuses_to_change_what_was_done(ledger: Ledger, statement: str) -> None:
    new = an_intent()
    ledger.write(lambda tx: intents.open_intent(tx, new, NOW, once=True))
    ledger.write(lambda tx: intents.end(tx, new.intent_id, "confirmed", NOW))
    ledger.write(lambda tx: audit.write(tx, now=NOW, actor="anna", act="run.queued"))
    with pytest.raises(sqlite3.IntegrityError):
        ledger.write(lambda tx: tx.run(statement))


def test_the_audit_is_a_chain_and_shows_where_it_was_broken(ledger: Ledger, tmp_path: Path) -> None:
    for number in range(5):
        ledger.write(partial(audit.write, now=NOW, actor="anna", act="step", details={"n": number}))
    assert ledger.audit_broken_at() is None
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET actor = 'mallory' WHERE seq = 3")
    assert Ledger.open(tmp_path / "ledger.db").audit_broken_at() == 3


def test_an_entry_taken_out_of_the_audit_is_noticed(ledger: Ledger, tmp_path: Path) -> None:
    for _ in range(3):
        ledger.write(lambda tx: audit.write(tx, now=NOW, actor="anna", act="step"))
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("DROP TRIGGER audit_is_never_shortened")
        connection.execute("DELETE FROM audit WHERE seq = 2")
    assert Ledger.open(tmp_path / "ledger.db").audit_broken_at() == 2


def test_writes_of_many_threads_are_all_there_and_a_failing_one_undoes_only_itself(ledger: Ledger) -> None:
    failed: list[str] = []

    def work(number: int) -> None:
        def write(tx: Transaction) -> None:
            items.add(tx, RUN, f"loop {number}", [NewItem(key="D", row={})], NOW)
            if number % 5 == 0:
                raise Refused("no")

        try:
            ledger.write(write)
        except Refused as refused:
            failed.append(str(refused))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 8
    assert len(ledger.items(RUN)) == 32


def test_two_ledgers_on_one_file_see_each_other(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger.open(tmp_path / "ledger.db")
    add(ledger, NewItem(key="D-1", row={}))
    assert [item.key for item in other.items(RUN)] == ["D-1"]
    other.write(lambda tx: runs.ask_to_cancel(tx, RUN, "soft"))
    assert ledger.run(RUN).cancel == "soft"


def test_a_step_keeps_its_attempts_when_it_is_done_again(ledger: Ledger) -> None:
    place = StepPlace(run_id=RUN, path="deals", position=1, step_id="deals", kind="bot", bot="crm.export_deals")
    bad = Failure(kind="application", message="down", code="down", step="deals")
    for number, state in ((1, "failed"), (2, "succeeded")):
        attempt = AttemptPlace(run_id=RUN, path="deals", number=number, lane="1")
        ledger.write(lambda tx: steps.begin(tx, place, NOW, {"stage": "Won"}))
        ledger.write(partial(steps.begin_attempt, place=attempt, now=NOW, inputs=None))
        error = bad if state == "failed" else None
        ledger.write(partial(steps.end_attempt, place=attempt, state=state, now=NOW, error=error))
    outputs = {"n": Decimal(1)}
    end = partial(steps.end, place=place, state=StepState.SUCCEEDED, started_at=NOW, ended_at=NOW, outputs=outputs)
    ledger.write(end)
    (step,) = ledger.steps(RUN)
    assert (step.state, step.attempts, step.inputs, step.outputs) == ("succeeded", 2, {"stage": "Won"}, outputs)
    assert [(one.state, one.error) for one in ledger.attempts(RUN)] == [("failed", bad), ("succeeded", None)]


def test_a_lock_of_a_dead_engine_is_taken_over_and_that_of_a_living_one_is_not(ledger: Ledger) -> None:
    def take(run_id: str, dead: bool) -> str | None:
        take_it = partial(office.take_lock, name="till", engine_id="host-1-a", run_id=run_id, now=NOW)
        return ledger.write(partial(take_it, is_dead=lambda _: dead))

    assert take(RUN, False) is None
    assert take("other", False) == RUN
    assert take(RUN, False) is None
    assert take("other", True) is None
    ledger.write(lambda tx: office.free_lock(tx, "till", engine_id="host-1-a", run_id="other"))
    assert take(RUN, False) is None


def test_a_paused_credential_stays_paused_until_it_is_resumed(ledger: Ledger) -> None:
    ledger.write(
        lambda tx: office.pause_credential(tx, "practice", "erp_clerk", "refused", NOW, run_id=RUN, path="orders")
    )
    assert [one.name for one in ledger.paused_credentials()] == ["erp_clerk"]
    assert ledger.read(lambda tx: office.paused_credential(tx, "live", "erp_clerk")) is None
    assert ledger.write(lambda tx: office.resume_credential(tx, "erp_clerk"))
    assert not ledger.paused_credentials()


def test_part_of_a_run_id_will_do_where_it_fits_one_run(ledger: Ledger) -> None:
    ledger.write(lambda tx: runs.add(tx, a_run("20261122-0700-x2y2"), RunState.QUEUED, NOW))
    assert ledger.run("k7f3").run_id == RUN
    with pytest.raises(UsageError, match="fits several"):
        ledger.run("20261122")
    with pytest.raises(UsageError, match="no run"):
        ledger.run("%")
    assert [run.run_id for run in ledger.runs()] == ["20261122-0700-x2y2", RUN]
    assert [run.run_id for run in ledger.runs(state="running")] == [RUN]


def test_an_address_that_is_no_file_is_refused() -> None:
    with pytest.raises(UsageError, match="postgresql is not one"):
        Ledger.open("postgresql://host/ledger")


def test_a_damaged_file_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(ProjectError, match="damaged"):
        Ledger.open(tmp_path / "ledger.db")


def test_a_ledger_of_a_newer_interoffice_is_refused(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.db").close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("INSERT INTO schema_versions VALUES (9999, 'from the future', '')")
        connection.execute("PRAGMA user_version = 9999")
    with pytest.raises(ProjectError, match="newer Interoffice"):
        Ledger.open(tmp_path / "ledger.db")
