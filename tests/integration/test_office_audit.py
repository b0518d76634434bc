"""The audit as people verify it: heads files that are gone or damaged are told; refused tries stand in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

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
