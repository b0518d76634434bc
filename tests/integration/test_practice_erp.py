"""The practice ERP over HTTP: every screen posts, lists and exports what it says, and refuses in words."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.office import PracticeOffice
from interoffice.practice.one_time_code import code_at

TODAY = date(2026, 11, 23)
ORDER = {"customer_no": "C-100017", "customer_reference": "D-1042", "amount": "18.450,00", "currency": "EUR"}
INVOICE = {"supplier_no": "S-70001", "invoice_no": "R-77", "invoice_date": "20.11.2026", "total": "119,00"}
PURCHASE = {
    "supplier_no": "S-70002",
    "our_reference": "W-1",
    "order_lines.0.item_no": "10001",
    "order_lines.0.quantity": "2,5",
    "order_lines.0.price": "1.000,10",
    "order_lines.3.item_no": "10002",
    "order_lines.3.quantity": "1",
    "order_lines.3.price": "9,99",
    "order_lines.4.item_no": "",
}
JOURNAL = {
    "company": "DE01",
    "posting_date": "31.10.2026",
    "journal_text": "Accruals",
    "journal_lines.0.account": "400000",
    "journal_lines.0.debit": "50,00",
    "journal_lines.1.account": "189100",
    "journal_lines.1.credit": "50,00",
}
CUSTOMER = {
    "name": "Nové & Staré s.r.o.",
    "street": "",
    "city": "Wien",
    "country": "AT",
    "email": "",
    "vat_number": "ATU13585627",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path, only=("erp",), today=TODAY) as started:
        yield started


def _signed_in(office: PracticeOffice, credential: str) -> httpx.Client:
    account = ACCOUNTS[credential]
    client = httpx.Client(base_url=office.addresses["erp"], follow_redirects=True)
    client.post("/sign-in", data={"user_name": account.user, "password": account.password})
    return client


def _shown(page: str, test_id: str) -> str:
    found = re.search(rf'data-testid="{test_id}"[^>]*>([^<]*)<', page)
    return unescape(found[1]) if found else ""


def _rows(page: str) -> list[list[str]]:
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    return [
        [unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)
    ]


@pytest.mark.parametrize(
    ("credential", "path", "typed", "number", "posted"),
    [
        ("erp_clerk", "/sales/orders", ORDER, ("order_no", "SO-00001001"), {"amount": "18450.00", "currency": "EUR"}),
        (
            "erp_ap_poster",
            "/purchasing/invoices",
            INVOICE,
            ("document_no", "RE-00005001"),
            {"invoice_date": "2026-11-20", "total": "119.00", "attachment": None},
        ),
        (
            "erp_purchaser",
            "/purchasing/orders",
            PURCHASE,
            ("po_no", "PO-00003001"),
            {
                "total": "2510.24",
                "lines": [
                    {"item_no": "10001", "quantity": "2.5", "price": "1000.10"},
                    {"item_no": "10002", "quantity": "1", "price": "9.99"},
                ],
            },
        ),
        (
            "erp_gl_poster",
            "/ledger/journals",
            JOURNAL,
            ("document_no", "JE-00007001"),
            {
                "posting_date": "2026-10-31",
                "lines": [
                    {"account": "400000", "debit": "50.00", "credit": ""},
                    {"account": "189100", "debit": "", "credit": "50.00"},
                ],
            },
        ),
        (
            "erp_master_data",
            "/master/customers",
            CUSTOMER,
            ("customer_no", "C-200001"),
            {"name": "Nové & Staré s.r.o.", "country": "AT"},
        ),
    ],
)
def test_each_document_is_posted_shown_listed_and_in_the_ledger(
    office: PracticeOffice,
    credential: str,
    path: str,
    typed: dict[str, str],
    number: tuple[str, str],
    posted: dict[str, object],
) -> None:
    erp = _signed_in(office, credential)
    page = erp.post(f"{path}/new", data=typed).text
    assert _shown(page, number[0]) == number[1]
    (posting,) = office.ledger.postings()
    assert (posting.number, posting.user) == (number[1], ACCOUNTS[credential].user)
    assert dict(posting.fields) | posted == posting.fields
    assert number[1] in [row[0] for row in _rows(erp.get(path).text)]
    assert erp.get(f"{path}/{number[1]}").status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"customer_no": "C-9"}, "Customer C-9 is unknown."),
        ({"customer_no": "C-100090"}, "Customer C-100090 is blocked for new orders."),
        ({"amount": "18,450.00"}, "Net amount: 18,450.00 is not an amount like 1.234,56."),
        ({"amount": "-5"}, "Net amount must be more than 0."),
        ({"currency": "CHF"}, "Currency: CHF is not one of EUR, USD, GBP."),
        ({"customer_reference": ""}, "Customer reference is missing."),
        ({"customer_reference": "x" * 36}, "Customer reference is longer than 35 characters."),
    ],
)
def test_a_refused_order_says_why_and_posts_nothing(
    office: PracticeOffice, change: dict[str, str], reason: str
) -> None:
    page = _signed_in(office, "erp_clerk").post("/sales/orders/new", data=ORDER | change).text
    assert _shown(page, "error_banner") == reason
    assert _shown(page, "order_no") == ""
    assert office.ledger.postings() == []


def test_lines_that_do_not_balance_and_days_that_are_none_are_refused(office: PracticeOffice) -> None:
    books = _signed_in(office, "erp_gl_poster")
    page = books.post("/ledger/journals/new", data=JOURNAL | {"journal_lines.1.credit": "60,00"}).text
    assert _shown(page, "error_banner") == "Debit 50,00 and credit 60,00 differ."
    page = books.post("/ledger/journals/new", data=JOURNAL | {"posting_date": "31.11.2026"}).text
    assert _shown(page, "error_banner") == "Posting date: 31.11.2026 is not a date like 31.12.2026."
    buyer = _signed_in(office, "erp_purchaser")
    page = buyer.post("/purchasing/orders/new", data={"supplier_no": "S-70001", "our_reference": "W"}).text
    assert _shown(page, "error_banner") == "Order lines: at least one line is needed."


def test_a_doubled_order_is_taken_twice(office: PracticeOffice) -> None:
    erp = _signed_in(office, "erp_clerk")
    for _ in range(2):
        erp.post("/sales/orders/new", data=ORDER)
    assert [p.fields["customer_reference"] for p in office.ledger.postings("sales_order")] == ["D-1042", "D-1042"]


def test_several_clerks_at_once_get_a_number_each(office: PracticeOffice) -> None:
    clerks = [_signed_in(office, "erp_clerk") for _ in range(4)]

    def enter(turn: int) -> str:
        page = clerks[turn % 4].post("/sales/orders/new", data=ORDER | {"customer_reference": f"D-{turn}"}).text
        return f"D-{turn} {_shown(page, 'order_no')}"

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(enter, range(40)))
    posted = office.ledger.postings("sales_order")
    assert told == {f"{p.fields['customer_reference']} {p.number}" for p in posted}
    assert [p.seq for p in posted] == list(range(1, 41))
    assert len({p.number for p in posted}) == 40


def test_who_may_not_enter_a_document_is_told_so(office: PracticeOffice) -> None:
    page = _signed_in(office, "erp_reader").post("/sales/orders/new", data=ORDER).text
    assert _shown(page, "error_banner") == "User erp.reader may not enter a sales order."
    assert office.ledger.postings() == []


def test_without_a_session_every_page_is_the_sign_in_page(office: PracticeOffice) -> None:
    stranger = httpx.Client(base_url=office.addresses["erp"])
    for path in ("/", "/sales/orders", "/exports", "/exports/download?table=ledger", "/sales/orders/SO-00001001"):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert 'type="password"' in answer.text
    assert 'type="password"' in stranger.post("/sales/orders/new", data=ORDER).text
    assert office.ledger.postings() == []


def test_signing_out_ends_the_session_on_the_server(office: PracticeOffice) -> None:
    erp = _signed_in(office, "erp_clerk")
    cookies = dict(erp.cookies)
    erp.post("/sign-out")
    assert 'type="password"' in httpx.get(office.addresses["erp"] + "/", cookies=cookies).text
    assert [entry.outcome for entry in office.ledger.sign_ins()] == ["signed_in", "signed_out"]


def test_a_second_factor_is_asked_for_and_checked(office: PracticeOffice) -> None:
    account = ACCOUNTS["erp_two_factor"]
    erp = httpx.Client(base_url=office.addresses["erp"], follow_redirects=True)
    first = {"user_name": account.user, "password": account.password}
    assert 'name="code"' in erp.post("/sign-in", data=first).text
    assert "The one-time code is wrong" in erp.post("/sign-in", data={"code": "000000"}).text
    erp.post("/sign-in", data=first)
    page = erp.post("/sign-in", data={"code": code_at(account.totp, datetime.now(UTC))}).text
    assert _shown(page, "signed_in_as") == account.user
    assert [entry.outcome for entry in office.ledger.sign_ins()] == ["wrong_code", "signed_in"]


@pytest.mark.parametrize("elsewhere", ["//x.example.com/", "/\\x.example.com", "https://x.example.com"])
def test_signing_in_never_leads_to_another_site(office: PracticeOffice, elsewhere: str) -> None:
    account = ACCOUNTS["erp_clerk"]
    answer = httpx.post(
        office.addresses["erp"] + "/sign-in",
        data={"user_name": account.user, "password": account.password, "wanted": elsewhere},
    )
    assert answer.headers["Location"] == "/"


def test_a_list_is_searched_paged_and_counted(office: PracticeOffice) -> None:
    erp = _signed_in(office, "erp_clerk")
    for number in range(1, 28):
        erp.post("/sales/orders/new", data=ORDER | {"customer_reference": f"D-{number:04}"})
    first = erp.get("/sales/orders?customer_reference=d-00").text
    assert _shown(first, "found") == "27"
    assert len(_rows(first)) == 25
    following = re.search(r'<a rel="next" href="([^"]+)">Next</a>', first)
    assert following is not None
    second = erp.get("/sales/orders" + unescape(following[1])).text
    assert [row[2] for row in _rows(second)] == ["D-0026", "D-0027"]
    assert 'rel="next"' not in second
    none = erp.get("/sales/orders?customer_reference=D-9").text
    assert (_shown(none, "found"), _rows(none)) == ("0", [])
    assert _rows(erp.get("/sales/orders?customer_reference=D-0007").text) == [
        ["SO-00001007", "C-100017", "D-0007", "18.450,00", "EUR"]
    ]


def test_an_attachment_is_kept_byte_for_byte(office: PracticeOffice) -> None:
    content = bytes(range(256)) * 10
    _signed_in(office, "erp_ap_poster").post(
        "/purchasing/invoices/new", data=INVOICE, files={"attachment": ("Rechnung ä.pdf", content, "application/pdf")}
    )
    attachment = office.ledger.postings("supplier_invoice")[0].fields["attachment"]
    assert (attachment["name"], attachment["size_bytes"]) == ("Rechnung ä.pdf", 2560)
    assert (office.folder / "attachments" / attachment["sha256"]).read_bytes() == content


@pytest.mark.parametrize(
    ("query", "first_columns", "count"),
    [
        ("table=cash_ledger&account=00123456&day_from=20.11.2026&day_to=20.11.2026", "document_ref,posting_date", 8),
        ("table=cash_ledger&account=4711", "document_ref,posting_date", 0),
        ("table=ledger&company=DE01&day_from=01.10.2026&day_to=31.10.2026", "line_id,company", 24),
        ("table=balances&year=2026", "cost_centre,product_line", 40),
        ("table=open_purchase_orders", "supplier_no,po_no", 15),
        ("table=purchase_order_lines&status=open", "po_no,item_no", 12),
        ("table=goods_receipts&status=open&day_to=31.10.2026", "receipt_no,company", 20),
        ("table=supplier_terms", "supplier_no,item_no", 6),
    ],
)
def test_each_table_is_exported_as_filtered(office: PracticeOffice, query: str, first_columns: str, count: int) -> None:
    answer = _signed_in(office, "erp_reader").get(f"/exports/download?{query}")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    header, *rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8"))))
    assert ",".join(header).startswith(first_columns)
    assert len(rows) == count


def test_the_exported_ledger_balances_per_company(office: PracticeOffice) -> None:
    text = _signed_in(office, "erp_reader").get("/exports/download?table=ledger").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sum(int(row["amount"].replace(".", "")) for row in rows) == 0
    assert len({row["line_id"] for row in rows}) == len(rows) == 72


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("table=wages", "Table: wages is not one of cash_ledger,"),
        ("table=ledger&day_from=2026-10-01", "From: 2026-10-01 is not a date like 31.12.2026."),
        ("table=balances&year=MMXXVI", "Year: MMXXVI is not a year like 2026."),
    ],
)
def test_an_export_that_cannot_be_says_why(office: PracticeOffice, query: str, reason: str) -> None:
    page = _signed_in(office, "erp_reader").get(f"/exports/download?{query}").text
    assert _shown(page, "error_banner").startswith(reason)


def test_what_was_typed_is_never_taken_for_markup(office: PracticeOffice) -> None:
    attack = '"><b name="amount" data-testid="order_no">'
    erp = _signed_in(office, "erp_clerk")
    page = erp.post("/sales/orders/new", data=ORDER | {"customer_reference": attack[:35]}).text
    assert "<b name" not in page + erp.get("/sales/orders").text
    assert office.ledger.postings()[0].fields["customer_reference"] == attack[:35]
