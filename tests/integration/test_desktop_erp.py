"""The practice ERP's desktop client driven as the web client is: the same words, the same ledger as referee."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.bot import Found, NotFound
from interoffice.errors import ApplicationError, BusinessError
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from tests.support.desktop import desktop_desk, needs_desktop
from tests.support.screens import ScreenDesk

pytestmark = [needs_desktop, pytest.mark.exhaustive, pytest.mark.slow, pytest.mark.timeout(900)]
SALES = "erp.sales_order"
CUSTOMER = "C-100017"
HARD = (
    "Müller & Söhne <GmbH>", "漢字テスト 42", "100 € netto", "a<b>c&d;e", "Zoë's \"x\" >|@", "ŁÓDŹ Straße",
    "back\\slash {} []", "~^`´¨ tilde", "Ελλάδα", "Привет",
)  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path / "office", only=("erp",)) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, office: PracticeOffice) -> Iterator[ScreenDesk]:
    with desktop_desk(tmp_path, office) as desk:
        yield desk


def enter(desk: ScreenDesk, reference: str, **more: object) -> dict[str, object]:
    fields = {"customer_no": CUSTOMER, "customer_reference": reference, "amount": Decimal("1234.5"), "currency": "EUR"}
    return dict(desk.fill(SALES, "save", ("order_no",), **{**fields, **more}))  # type: ignore[arg-type]


def test_twenty_orders_each_once_every_letter_right_with_windows_in_the_way(
    desk: ScreenDesk, office: PracticeOffice
) -> None:
    office.faults.switch_on(Fault(kind="notice", screen="sales_order", chance=0.3, seed=3))
    office.faults.switch_on(Fault(kind="stolen_focus", screen="sales_order", chance=0.2, seed=5))
    office.faults.switch_on(Fault(kind="moved_window", screen="sales_order", chance=0.2, seed=7))
    office.faults.switch_on(Fault(kind="slow", screen="sales_order", chance=0.2, seed=11, seconds=1))
    references = [f"{text} {number}"[:35] for number in (1, 2) for text in HARD]
    numbers = [enter(desk, reference)["order_no"] for reference in references]
    posted = office.ledger.postings("sales_order")
    assert [posting.fields["customer_reference"] for posting in posted] == references
    assert [posting.number for posting in posted] == numbers
    assert {posting.fields["amount"] for posting in posted} == {"1234.50"}
    assert office.faults.fired("notice") > 0 and desk.events("popup_closed")
    assert office.faults.fired("stolen_focus") > 0 and office.faults.fired("moved_window") > 0
    pictures = sorted((desk.folder / "evidence").glob("*.jpg"))
    assert len(pictures) >= 40
    assert not any("Kontor" in file.read_text() for file in (desk.folder / "evidence").glob("*.json"))


def test_an_order_is_looked_up_refused_and_a_lost_answer_is_unclear(desk: ScreenDesk, office: PracticeOffice) -> None:
    enter(desk, "D-1 Ä")
    asked = {"customer_no": CUSTOMER, "customer_reference": "D-1 Ä", "amount": Decimal("1234.5"), "currency": "EUR"}
    found = desk.screens.look_up(SALES, fields=asked, submit="save", read=("order_no",), credential="clerk")
    assert isinstance(found, Found) and found.fields["order_no"] == "SO-00001001" and not found.different
    other = {**asked, "customer_reference": "D-2"}
    assert isinstance(
        desk.screens.look_up(SALES, fields=other, submit="save", read=("order_no",), credential="clerk"), NotFound
    )
    with pytest.raises(BusinessError, match="is unknown"):
        enter(desk, "D-3", customer_no="C-1")
    office.faults.switch_on(Fault(kind="lost_reply", screen="sales_order", times=1))
    with pytest.raises(ApplicationError) as unclear:
        enter(desk, "D-4")
    assert unclear.value.code == "broke"
    assert [posting.fields["customer_reference"] for posting in office.ledger.postings()] == ["D-1 Ä", "D-4"]


def test_what_would_land_in_another_field_is_refused(desk: ScreenDesk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="moved_fields", screen="sales_order", seed=2))
    with pytest.raises(ApplicationError, match="appeared at"):
        enter(desk, "D-9")
    assert office.ledger.postings() == []


def test_nothing_is_left_when_the_desk_is_closed(tmp_path: Path, office: PracticeOffice) -> None:
    with desktop_desk(tmp_path, office) as desk:
        enter(desk, "D-1")
        desktop = desk.screens.desktop
        assert desktop is not None and desktop._display is not None
        pids = [process.pid for process in desktop._display._running]
    time.sleep(0.2)
    listed = subprocess.run(["ps", "-o", "stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True)
    assert listed.stdout.strip() == ""
    typed = json.loads(next((tmp_path / "evidence").glob("*-typed.json")).read_text())
    assert typed["customer_reference"] == {"typed": "D-1", "read": "D-1"}
