"""The practice ERP and CRM driven through selectors/ with a real browser; the ERP's own ledger is the referee."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.bot import Found, NotFound
from interoffice.errors import (
    ApplicationError,
    BusinessError,
    CredentialRefused,
    OutcomeUnclear,
    Rehearsed,
)
from interoffice.model.table import Table
from interoffice.model.types import MONEY, NUMBER, TEXT
from interoffice.model.values import FileValue, Value
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from interoffice.resources.kept_sessions import KeptSessions
from tests.support.screens import TODAY, ScreenDesk, practice_desk

ORDER = "erp.sales_order"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path / "practice", only=("erp", "crm"), today=TODAY) as started:
        yield started


@pytest.fixture
def desk(tmp_path: Path, browser: Browser, office: PracticeOffice) -> Iterator[ScreenDesk]:
    with practice_desk(tmp_path, browser, office) as opened:
        yield opened


def order(number: int, **other: Value) -> dict[str, Value]:
    amount = Decimal("1234.56") + number
    return {
        "customer_no": "C-100017", "customer_reference": f"D-{number}", "amount": amount, "currency": "EUR", **other,
    }  # fmt: skip


def enter(desk: ScreenDesk, number: int, **other: Value) -> dict[str, Value]:
    return desk.fill(ORDER, "save", ("order_no",), **order(number, **other))


def look_up(desk: ScreenDesk, number: int, **other: Value) -> object:
    fields = order(number, **other)
    return desk.screens.look_up(ORDER, fields=fields, submit="save", read=("order_no",), credential="clerk")


def posted(office: PracticeOffice) -> list[dict[str, str]]:
    return [dict(each.fields) for each in office.ledger.postings()]


def test_twenty_orders_are_each_posted_once_with_every_value_right(desk: ScreenDesk, office: PracticeOffice) -> None:
    currencies = ("EUR", "USD", "GBP")
    began = time.monotonic()
    numbers = [enter(desk, n, currency=currencies[n % 3])["order_no"] for n in range(20)]
    print(f"{(time.monotonic() - began) / 20 * 1000:.0f} ms an order")
    meant = [
        {
            "customer_no": "C-100017",
            "customer_reference": f"D-{n}",
            "amount": str(Decimal("1234.56") + n),
            "currency": currencies[n % 3],
        }
        for n in range(20)
    ]
    assert posted(office) == meant
    assert numbers == [each.number for each in office.ledger.postings()]
    assert len(desk.gate.passed) == 20
    assert not desk.events("drift")
    assert [each.outcome for each in office.ledger.sign_ins()] == ["signed_in"]


def test_a_refusal_of_the_application_is_a_business_error_in_its_own_words(
    desk: ScreenDesk, office: PracticeOffice
) -> None:
    with pytest.raises(BusinessError, match="Customer C-999999 is unknown"):
        enter(desk, 1, customer_no="C-999999")
    assert posted(office) == []
    assert enter(desk, 2)["order_no"] == "SO-00001001"


def test_a_lost_reply_is_unclear_and_the_look_up_finds_the_order(desk: ScreenDesk, office: PracticeOffice) -> None:
    for how in ("reset", "close", "after_headers", "mid_body"):
        number = len(posted(office)) + 1
        office.faults.switch_on(Fault(kind="lost_reply", application="erp", how=how, times=1))
        with pytest.raises(OutcomeUnclear):
            enter(desk, number)
        found = look_up(desk, number)
        assert isinstance(found, Found) and not found.different, how
        assert found.fields["order_no"] == office.ledger.postings()[-1].number
        assert len(posted(office)) == number, how


def test_an_error_after_the_commit_is_unclear_at_once(desk: ScreenDesk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="error_after_commit", application="erp", times=1))
    began = time.monotonic()
    with pytest.raises(OutcomeUnclear, match="500"):
        enter(desk, 1)
    assert time.monotonic() - began < 10
    assert isinstance(look_up(desk, 1), Found)
    assert len(posted(office)) == 1


def test_an_error_before_the_commit_is_unclear_and_the_look_up_is_sure(
    desk: ScreenDesk, office: PracticeOffice
) -> None:
    office.faults.switch_on(Fault(kind="error_before_commit", application="erp", times=1))
    with pytest.raises(OutcomeUnclear):
        enter(desk, 1)
    assert isinstance(look_up(desk, 1), NotFound)
    assert posted(office) == []


def test_a_record_with_another_amount_is_found_but_different(desk: ScreenDesk, office: PracticeOffice) -> None:
    enter(desk, 1)
    found = look_up(desk, 1, amount=Decimal("99.00"))
    assert isinstance(found, Found)
    assert found.different == {"amount": (Decimal("1235.56"), Decimal("99.00"))}


def test_a_list_that_lags_is_not_believed_before_settle_has_passed(
    tmp_path: Path, browser: Browser, office: PracticeOffice
) -> None:
    office.faults.switch_on(Fault(kind="list_lag", application="erp", seconds=1.0))
    with practice_desk(tmp_path, browser, office, lists_may_lag=True) as desk:
        enter(desk, 1)
        assert isinstance(look_up(desk, 1), Found)


def test_a_wrong_password_is_tried_once(tmp_path: Path, browser: Browser, office: PracticeOffice) -> None:
    wrong = {"clerk": {"user": "erp.clerk", "password": "Falsch-0000"}}
    with practice_desk(tmp_path, browser, office, credentials=wrong) as desk:
        for _ in range(3):
            with pytest.raises(CredentialRefused) as refused:
                enter(desk, 1)
        assert refused.value.credential == "clerk"
        assert "Falsch" not in str(refused.value)
    assert [each.outcome for each in office.ledger.sign_ins()] == ["wrong_password"]


def test_a_second_factor_is_asked_only_of_accounts_that_have_one(desk: ScreenDesk, office: PracticeOffice) -> None:
    values = desk.screens.fill_form(
        ORDER, fields=order(1), lines={}, attach={}, submit="save", read=("order_no",), credential="erp_two_factor"
    )
    assert values == {"order_no": "SO-00001001"}


def test_an_ended_session_is_signed_in_again_and_the_item_goes_on(desk: ScreenDesk, office: PracticeOffice) -> None:
    enter(desk, 1)
    office.end_sessions()
    enter(desk, 2)
    assert len(posted(office)) == 2
    assert len(desk.events("session_ended")) == 1
    assert [each.outcome for each in office.ledger.sign_ins()] == ["signed_in", "signed_in"]


@pytest.mark.slow
def test_what_is_signed_in_is_kept_encrypted_from_run_to_run(
    tmp_path: Path, browser: Browser, office: PracticeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "keys"))
    kept = KeptSessions(folder=tmp_path / "sessions")

    def run(number: int) -> list[str]:
        with practice_desk(tmp_path, browser, office, kept=kept) as desk:
            enter(desk, number)
            cookies = desk.screens._sessions["erp", "clerk"].web.page.context.cookies()
            return [cookie["value"] for cookie in cookies]

    cookies = run(1)
    assert run(2) == cookies
    assert [each.outcome for each in office.ledger.sign_ins()] == ["signed_in"]
    (file,) = (tmp_path / "sessions").rglob("*.session")
    assert cookies and not any(value.encode() in file.read_bytes() for value in cookies)
    with practice_desk(tmp_path, browser, office, kept=kept) as first:  # two lanes never share one
        enter(first, 3)
        assert run(4) != cookies
    office.end_sessions()
    run(5)
    assert len(office.ledger.sign_ins()) == 3
    for each in (tmp_path / "sessions").rglob("*.session"):
        each.write_bytes(b"damaged")
    run(6)
    assert len(office.ledger.sign_ins()) == 4
    assert [each.fields["customer_reference"] for each in office.ledger.postings()] == [f"D-{n}" for n in range(1, 7)]


def test_a_session_that_ends_at_the_commit_is_unclear_and_nothing_is_repeated(
    desk: ScreenDesk, office: PracticeOffice
) -> None:
    enter(desk, 1)
    desk.gate.then = office.end_sessions
    with pytest.raises(OutcomeUnclear, match="sign-in page"):
        enter(desk, 2)
    desk.gate.then = None
    assert isinstance(look_up(desk, 2), NotFound)
    assert len(posted(office)) == 1


def test_a_rehearsal_fills_the_form_and_posts_nothing(tmp_path: Path, browser: Browser, office: PracticeOffice) -> None:
    with practice_desk(tmp_path, browser, office, rehearse=True, pictures="full") as desk:
        with pytest.raises(Rehearsed) as rehearsed:
            enter(desk, 1)
        assert rehearsed.value.meant == order(1)
        assert list((tmp_path / "evidence").glob("*before.jpg"))
    assert posted(office) == []


@pytest.mark.parametrize("kind", ["renamed_ids", "renamed_names", "renamed_test_ids", "moved_fields"])
def test_a_form_that_was_upgraded_gets_every_value_where_it_belongs(
    desk: ScreenDesk, office: PracticeOffice, kind: str
) -> None:
    office.faults.switch_on(Fault(kind=kind, application="erp", screen="sales_order", seed=7))
    assert desk.fill(ORDER, "save", (), **order(1)) == {}
    assert posted(office)[0]["amount"] == "1235.56"
    assert posted(office)[0]["customer_reference"] == "D-1"


def test_swapped_captions_never_put_a_value_into_the_wrong_field(desk: ScreenDesk, office: PracticeOffice) -> None:
    fields = ("customer_no", "customer_reference")
    office.faults.switch_on(Fault(kind="swapped_captions", application="erp", screen="sales_order", fields=fields))
    with pytest.raises(BusinessError, match="Customer D-1 is unknown"):
        enter(desk, 1)
    assert posted(office) == []


def test_a_new_caption_is_reported_as_drift(desk: ScreenDesk, office: PracticeOffice) -> None:
    changed = Fault(kind="changed_caption", application="erp", screen="sales_order", fields=("amount",), text="Amount")
    office.faults.switch_on(changed)
    enter(desk, 1)
    assert posted(office)[0]["amount"] == "1235.56"
    (drift,) = desk.events("drift")
    assert drift["element"] == "amount"
    assert 'its caption is now "Amount", not "Net amount"' in drift["reason"]


def test_a_wiped_field_is_typed_again_and_the_screen_is_remembered(desk: ScreenDesk, office: PracticeOffice) -> None:
    fault = Fault(kind="wiped_field", application="erp", screen="sales_order", fields=("amount",), seconds=0.0)
    office.faults.switch_on(fault)
    for number in (1, 2):
        enter(desk, number)
    assert [each["amount"] for each in posted(office)] == ["1235.56", "1236.56"]
    assert desk.events("values_did_not_stay") == [{"screen": ORDER, "elements": ["amount"]}]


def test_please_wait_is_waited_for(desk: ScreenDesk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="loading", application="erp", seconds=0.4))
    enter(desk, 1)
    assert isinstance(look_up(desk, 1), Found)
    assert len(posted(office)) == 1


def test_a_notice_is_closed_and_the_form_is_right(desk: ScreenDesk, office: PracticeOffice) -> None:
    for seconds in (0.0, 0.05, 0.2):
        office.faults.clear()
        office.faults.switch_on(Fault(kind="notice", application="erp", seconds=seconds))
        enter(desk, int(seconds * 1000))
    assert len(posted(office)) == 3
    assert desk.events("popup_closed")


def test_a_second_click_would_post_twice_and_none_happens(desk: ScreenDesk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="double_submit", application="erp", seconds=0.3))
    for number in range(3):
        enter(desk, number)
    assert len(posted(office)) == 3


def test_maintenance_is_a_passing_application_error(desk: ScreenDesk, office: PracticeOffice) -> None:
    enter(desk, 1)
    office.faults.switch_on(Fault(kind="maintenance", application="erp", times=1))
    with pytest.raises(ApplicationError) as stopped:
        enter(desk, 2)
    assert stopped.value.code == "maintenance" and stopped.value.transient
    assert len(desk.gate.passed) == 1


def test_an_erp_that_is_down_is_said_at_once(desk: ScreenDesk, office: PracticeOffice) -> None:
    enter(desk, 1)
    office.stop()
    began = time.monotonic()
    with pytest.raises(ApplicationError, match="does not answer") as down:
        enter(desk, 2)
    assert down.value.transient
    assert time.monotonic() - began < 5


def test_a_value_that_the_screen_cant_hold_is_refused_before_typing(desk: ScreenDesk, office: PracticeOffice) -> None:
    with pytest.raises(BusinessError, match="more decimals"):
        enter(desk, 1, amount=Decimal("1.234"))
    with pytest.raises(BusinessError, match="longer than 10"):
        enter(desk, 1, customer_no="C-100017-0001")
    with pytest.raises(BusinessError, match="none of its choices"):
        enter(desk, 1, currency="CHF")
    assert desk.gate.passed == []


def test_an_invoice_is_posted_with_its_file(desk: ScreenDesk, office: PracticeOffice, tmp_path: Path) -> None:
    path = tmp_path / "9f86d0"
    path.write_bytes(b"%PDF-1.7 invoice")
    file = FileValue(path=str(path), name="R-77.pdf", sha256="9f86d0", size_bytes=16)
    fields: dict[str, Value] = {
        "supplier_no": "S-70001", "invoice_no": "R-77", "invoice_date": date(2026, 11, 20), "total": Decimal("119"),
    }  # fmt: skip
    values = desk.screens.fill_form(
        "erp.supplier_invoice", fields=fields, lines={}, attach={"attachment": file}, submit="post",
        read=("document_no",), credential="erp_ap_poster",
    )  # fmt: skip
    assert str(values["document_no"]).startswith("RE-")
    (invoice,) = posted(office)
    assert invoice["invoice_date"] == "2026-11-20" and invoice["total"] == "119.00"
    assert "R-77.pdf" in str(invoice)


def test_lines_are_typed_row_by_row_and_the_total_is_read(desk: ScreenDesk, office: PracticeOffice) -> None:
    columns = {"item_no": TEXT, "quantity": NUMBER, "price": MONEY, "other": TEXT}
    rows = Table.from_rows(columns, [
        {"item_no": "10001", "quantity": Decimal("2.5"), "price": Decimal("1000.10"), "other": "x"},
        {"item_no": "10002", "quantity": Decimal(1), "price": Decimal("9.99"), "other": "x"},
        {"item_no": "10003", "quantity": Decimal(3), "price": Decimal("0.5"), "other": "x"},
    ])  # fmt: skip
    values = desk.screens.fill_form(
        "erp.purchase_order", fields={"supplier_no": "S-70002", "our_reference": "W-1"}, lines={"order_lines": rows},
        attach={}, submit="save", read=("po_no", "total"), credential="erp_purchaser",
    )  # fmt: skip
    assert values["total"] == Decimal("2511.74")
    (purchase,) = posted(office)
    assert [line["quantity"] for line in purchase["lines"]] == ["2.5", "1", "3"]  # type: ignore[index]
    assert [line["price"] for line in purchase["lines"]] == ["1000.10", "9.99", "0.50"]  # type: ignore[index]


def test_a_list_is_read_over_all_its_pages(desk: ScreenDesk, office: PracticeOffice) -> None:
    rows = desk.screens.read_list(
        "crm.deals", filter={"stage": "All"}, columns=(), max_pages=None, credential="crm_reader"
    )
    pages = {str(row["deal_id"]) for row in rows.rows()}
    assert rows.row_count == len(pages) > 50


def test_a_list_that_was_searched_before_is_read_whole_again(desk: ScreenDesk, office: PracticeOffice) -> None:
    for number in range(3):
        enter(desk, number)
    look_up(desk, 1)
    rows = desk.screens.read_list("erp.order_list", filter={}, columns=(), max_pages=None, credential="clerk")
    assert rows.row_count == 3


def test_an_empty_list_is_empty_because_the_screen_says_so(desk: ScreenDesk, office: PracticeOffice) -> None:
    rows = desk.screens.read_list(
        "erp.invoice_list", filter={}, columns=("document_no",), max_pages=None, credential="erp_reader"
    )
    assert rows.row_count == 0


def test_more_pages_than_allowed_are_an_error_and_no_short_list(desk: ScreenDesk) -> None:
    with pytest.raises(ApplicationError, match="more than 1 pages"):
        desk.screens.read_list("crm.deals", filter={"stage": "All"}, columns=(), max_pages=1, credential="crm_reader")


def test_an_export_is_filtered_counted_and_kept_under_its_digest(desk: ScreenDesk, tmp_path: Path) -> None:
    file = desk.screens.export("crm.deals", filter={"stage": "Won"}, press="export", credential="crm_reader")
    assert Path(file.path).name == f"{file.sha256}.csv"
    lines = Path(file.path).read_text(encoding="utf-8-sig").splitlines()
    rows = desk.screens.read_list(
        "crm.deals", filter={"stage": "Won"}, columns=("deal_id",), max_pages=None, credential="crm_reader"
    )
    assert len(lines) - 1 == rows.row_count > 0


def test_signing_out_leaves_no_session_behind(desk: ScreenDesk, office: PracticeOffice) -> None:
    enter(desk, 1)
    desk.screens.sign_out("erp")
    assert [each.outcome for each in office.ledger.sign_ins()] == ["signed_in", "signed_out"]
    enter(desk, 2)
    assert len(posted(office)) == 2


def test_evidence_shows_what_was_typed_and_read_and_no_password(
    tmp_path: Path, browser: Browser, office: PracticeOffice
) -> None:
    with practice_desk(tmp_path, browser, office, pictures="full") as desk:
        enter(desk, 1)
        files = desk.events("committed")[0]["evidence"]
        assert set(files) == {"typed", "before", "after"}
        typed = (tmp_path / "evidence" / files["typed"]).read_text(encoding="utf-8")
        assert '"read": "1235,56"' in typed
    secret = office.accounts["erp_clerk"]["password"].encode()
    for path in (tmp_path / "evidence").iterdir():
        assert secret not in path.read_bytes()


def test_a_failed_screen_leaves_a_picture_and_its_page_without_values(desk: ScreenDesk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="error_after_commit", application="erp", times=1))
    with pytest.raises(OutcomeUnclear):
        enter(desk, 1)
    (failed,) = desk.events("screen_failed")
    assert failed["kind"] == "unclear"
    assert set(failed["evidence"]) == {"failure", "page"}
