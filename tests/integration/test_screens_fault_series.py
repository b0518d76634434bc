"""Orders into the ERP while its pages misbehave: the ledger has each once, every value right, nothing in a wrong field.

Six orders a fault in the ordinary suite; a hundred with `slow`. The ledger is the referee.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from interoffice.bot import Found, NotFound
from interoffice.errors import ApplicationError
from interoffice.model.values import Value
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from tests.support.screens import TODAY, ScreenDesk, practice_desk

FAULTS = {
    "slow": [Fault(kind="slow", application="erp", seconds=0.15, every=3)],
    "wiped field": [Fault(kind="wiped_field", screen="sales_order", fields=("amount",), seconds=0.04, chance=0.5)],
    "double submit": [
        Fault(kind="double_submit", screen="sales_order"),
        Fault(kind="slow", application="erp", method="POST", seconds=0.3),
    ],
    "session expires every 7 requests": [Fault(kind="session_expired", application="erp", every=7)],
    "modal at random": [Fault(kind="notice", application="erp", seconds=0.05, chance=0.4)],
    "renamed ids": [Fault(kind="renamed_ids", application="erp"), Fault(kind="renamed_names", application="erp")],
    "stolen focus": [Fault(kind="stolen_focus", screen="sales_order", seconds=0.01)],
}
CURRENCIES = ("EUR", "USD", "GBP")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


def meant(number: int) -> dict[str, Value]:
    return {
        "customer_no": f"C-1000{17 + number % 3}", "customer_reference": f"D-{number} Müller & <Söhne>",
        "amount": Decimal("1000.05") + number, "currency": CURRENCIES[number % 3],
    }  # fmt: skip


def enter(desk: ScreenDesk, number: int) -> bool:
    """One order, as the engine does it: look up before any second try; False where it stays unclear for a person."""
    fields = meant(number)
    for _ in range(6):
        try:
            desk.fill("erp.sales_order", "save", ("order_no",), **fields)
            return True
        except ApplicationError:
            answer = desk.screens.look_up(
                "erp.sales_order", fields=fields, submit="save", read=("order_no",), credential="clerk"
            )
            if isinstance(answer, Found):
                return not answer.different
            if not isinstance(answer, NotFound):
                return False
    return False


def series(desk: ScreenDesk, office: PracticeOffice, faults: list[Fault], count: int) -> dict[str, Any]:
    for fault in faults:
        office.faults.switch_on(fault)
    done = [enter(desk, number) for number in range(count)]
    office.faults.clear()
    posted = [dict(each.fields) for each in office.ledger.postings()]
    wanted = {str(fields["customer_reference"]): fields for fields in map(meant, range(count))}
    times = Counter(each["customer_reference"] for each in posted)
    wrong = [
        each for each in posted
        if (fields := wanted.get(each["customer_reference"])) is None
        or (each["customer_no"], Decimal(each["amount"]), each["currency"])
        != (fields["customer_no"], fields["amount"], fields["currency"])
    ]  # fmt: skip
    return {
        "done": sum(done), "once": sum(count == 1 for count in times.values()),
        "doubled": sum(count > 1 for count in times.values()), "lost": len(wanted.keys() - times.keys()),
        "wrong": wrong,
    }  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_six_orders_through_a_page_that_misbehaves(tmp_path: Path, browser: Browser, name: str) -> None:
    _series_holds(tmp_path, browser, name, 6)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FAULTS)
def test_a_hundred_orders_through_a_page_that_misbehaves(tmp_path: Path, browser: Browser, name: str) -> None:
    _series_holds(tmp_path, browser, name, 100)


def _series_holds(folder: Path, browser: Browser, name: str, count: int) -> None:
    with PracticeOffice.start(folder / "practice", only=("erp",), today=TODAY) as office, \
         practice_desk(folder, browser, office) as desk:  # fmt: skip
        found = series(desk, office, FAULTS[name], count)
    print(name, found)
    assert (found["doubled"], found["wrong"]) == (0, [])
    assert (found["done"], found["once"], found["lost"]) == (count, count, 0)
