"""The audit as people verify it: heads files that are gone or damaged are told; refused tries stand in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from interoffice.errors import Refused, UsageError
from interoffice.office.door import Office
from interoffice.store.audit_heads import FILE
from tests.integration.test_engine_approvals import APPROVED
from tests.support.running import an_engine, ran
from tests.support.shop import Shop, make_shop

GUARD = "audit_is_never_shortened"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path / "project")
    shop.workflow("orders", APPROVED)
    shop.some_deals(4)
    return shop


def test_verify_is_not_fooled_by_an_end_cut_off_with_the_heads_file_deleted(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
    assert Office(shop.folder).trail.verify()[0]
    with sqlite3.connect(shop.state / "ledger.db") as connection:
        (guard,) = connection.execute(f"SELECT sql FROM sqlite_master WHERE name = '{GUARD}'").fetchone()
        connection.execute(f"DROP TRIGGER {GUARD}")
        connection.execute("DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)")
        connection.execute(guard)
    (shop.state / FILE).unlink()
    whole, told = Office(shop.folder).trail.verify()
    assert not whole and told[0] == "The audit was changed."
    assert any(f"{FILE} is gone, in which 1 head of the audit was kept" in line for line in told)
    assert any("stood in the audit" in line and line.endswith("and is gone") for line in told)


def test_verify_tells_a_line_that_a_crash_cut_off_and_that_nothing_kept_is_missing(shop: Shop) -> None:
    with an_engine(shop) as engine:
        ran(engine, shop, "orders")
    with (shop.state / FILE).open("ab") as opened:
        opened.write(b'{"seq": 61, "ha')
    whole, told = Office(shop.folder).trail.verify()
    assert whole
    assert told[1] == f"  line 2 of {shop.state / FILE} is damaged, and no head that was kept is missing for it"


def test_refused_releases_and_wrong_passphrases_stand_in_the_audit(shop: Shop) -> None:
    office = Office(shop.folder)
    office.set_passphrase("bilal", "Leuchtturm bei Nacht", old=None)
    with pytest.raises(Refused):
        office.set_passphrase("bilal", "Ein anderer Satz", old="falsch geraten")
    with pytest.raises(Refused):
        office.sign_in("bilal", "falsch geraten")
    shop.faults(D_2={"refused": True})
    with an_engine(shop) as engine:
        run = ran(engine, shop, "orders")
        done = run.items["D-1"].item_id
        for wanted in (
            lambda: engine.retry([done], person="bilal"),
            lambda: engine.requeue([done], person="bilal"),
            lambda: engine.abandon([done], person="bilal", comment="no"),
            lambda: engine.edit_item(done, {"deal": "D-9"}, person="bilal"),
            lambda: engine.settle("no-such-intent", done=True, comment="no", person="bilal"),
        ):
            with pytest.raises((Refused, UsageError)):
                wanted()
        entries = engine.ledger.audit(act="item.refused")
        assert [entry.details["wanted"] for entry in entries] == ["retry", "requeue", "abandon", "edit", "settle"]
        assert {entry.actor for entry in entries} == {"bilal"}
        assert all(entry.details["why"] for entry in entries)
        refused = engine.ledger.audit(act="person.refused")
        assert [entry.subject for entry in refused] == ["bilal", "bilal"]
        assert "falsch" not in str([entry.details for entry in refused])
