"""The pages of the practice office in a real browser: what selectors/ names is there, and faults show on the page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Error, Page, StorageState, expect, sync_playwright

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser_found import find_browser, launch_options

ROOT = Path(__file__).parents[2]
NEW = "/sales/orders/new"
ORDER = {"customer_no": "C-100017", "customer_reference": "D-1046", "amount": "18.450,00"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    options = launch_options(find_browser(install=False, say=print))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOffice]:
    folder: Path = tmp_path_factory.mktemp("office")
    with PracticeOffice.start(folder, only=("erp", "crm"), today=date(2026, 11, 23)) as started:
        yield started


@pytest.fixture
def office(running: PracticeOffice) -> Iterator[PracticeOffice]:
    yield running
    running.faults.clear()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(5000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def clerk_state(browser: Browser, running: PracticeOffice) -> StorageState:
    context = browser.new_context()
    _sign_in(context.new_page(), running, "erp_clerk")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def erp(browser: Browser, office: PracticeOffice, clerk_state: StorageState) -> Iterator[Page]:
    """A page of somebody who is signed in, on an empty order form."""
    context = browser.new_context(storage_state=clerk_state)
    context.set_default_timeout(5000)
    page = context.new_page()
    page.goto(office.addresses["erp"] + NEW)
    yield page
    context.close()


def _sign_in(page: Page, office: PracticeOffice, credential: str) -> None:
    account = ACCOUNTS[credential]
    page.goto(office.addresses["erp"] + NEW)
    page.get_by_label("User name", exact=True).fill(account.user)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_test_id("signed_in_as")).to_have_text(account.user)


def _fill(page: Page, **values: str) -> None:
    for name, value in {**ORDER, **values}.items():
        page.locator(f"input[name={name}]").fill(value)


def _posted(office: PracticeOffice, reference: str) -> int:
    return sum(p.fields["customer_reference"] == reference for p in office.ledger.postings("sales_order"))


def test_deals_are_signed_in_for_filtered_and_exported(page: Page, office: PracticeOffice, tmp_path: Path) -> None:
    account = ACCOUNTS["crm_reader"]
    page.goto(office.addresses["crm"] + "/deals")
    page.get_by_role("dialog", name="Cookies").get_by_role("button", name="Only what is needed").click()
    page.get_by_label("E-mail", exact=True).fill(account.user)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_label("Stage", exact=True).select_option(label="Won")
    page.get_by_label("Closed from", exact=True).fill("2026-11-20")
    page.get_by_label("Closed to", exact=True).fill("2026-11-22")
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_test_id("found")).to_have_text("14")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
    download.value.save_as(tmp_path / "deals.csv")
    with open(tmp_path / "deals.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Customer"] for row in rows][:4] == [
        "Müller & Söhne GmbH",
        "Łódzkie Tekstylia Sp. z o.o.",
        "Bäckerei Groß & Klein OHG",
        "東京精密株式会社",
    ]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()


def test_an_order_typed_in_the_browser_is_in_the_ledger(erp: Page, office: PracticeOffice) -> None:
    _fill(erp, customer_reference="D-typed")
    erp.get_by_label("Currency", exact=True).select_option(label="GBP")
    erp.get_by_role("button", name="Save", exact=True).click()
    expect(erp.get_by_test_id("order_no")).to_have_text(re.compile(r"^SO-\d{8}$"))
    expect(erp.get_by_label("Net amount", exact=True)).to_have_value("18.450,00")
    (posting,) = [p for p in office.ledger.postings() if p.fields["customer_reference"] == "D-typed"]
    assert erp.get_by_test_id("order_no").inner_text() == posting.number
    assert posting.fields["currency"] == "GBP"
    erp.get_by_role("button", name="New", exact=True).click()
    expect(erp.get_by_label("Customer no.", exact=True)).to_have_value("")
    expect(erp.get_by_test_id("order_no")).to_have_text("")


def test_lines_are_added_and_a_file_is_attached(page: Page, office: PracticeOffice, tmp_path: Path) -> None:
    _sign_in(page, office, "erp_purchaser")
    page.goto(office.addresses["erp"] + "/purchasing/orders/new")
    page.get_by_label("Supplier no.", exact=True).fill("S-70001")
    page.get_by_label("Our reference", exact=True).fill("W-1")
    for line, (item, quantity, price) in enumerate([("10001", "2", "10,00"), ("10002", "1,5", "4,00")]):
        page.get_by_role("button", name="Add line").click()
        row = page.get_by_test_id("order_lines").locator("tbody tr").nth(line + 1)
        for caption, value in (("Item no.", item), ("Quantity", quantity), ("Price", price)):
            row.get_by_label(caption, exact=True).fill(value)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_test_id("total")).to_have_text("26,00")
    page.context.clear_cookies()
    _sign_in(page, office, "erp_ap_poster")
    page.goto(office.addresses["erp"] + "/purchasing/invoices/new")
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF-1.7")
    values = {"Supplier no.": "S-70001", "Invoice no.": "R-1", "Invoice date": "1.11.2026", "Gross total": "119,00"}
    for caption, value in values.items():
        page.get_by_label(caption, exact=True).fill(value)
    page.get_by_label("Attachment", exact=True).set_input_files(tmp_path / "invoice.pdf")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_test_id("document_no")).to_have_text("RE-00005001")
    expect(page.get_by_text("invoice.pdf", exact=True)).to_be_visible()


@pytest.mark.parametrize("application", ["erp", "crm"])
def test_every_element_that_the_selectors_name_is_on_its_screen(
    page: Page, office: PracticeOffice, application: str
) -> None:
    told = yaml.safe_load((ROOT / "selectors" / f"{application}.yaml").read_text(encoding="utf-8"))
    if application == "erp":
        _sign_in(page, office, "erp_clerk")
    else:
        _sign_in_crm(page, office)
    missing = []
    for name, screen in told["screens"].items():
        if name == "sign_in":
            continue
        address = screen["open"] if isinstance(screen["open"], str) else screen["open"]["practice"]
        page.goto(office.addresses[application] + address)
        for element, described in screen["elements"].items():
            missing += [f"{name}.{element}: {how}" for how in _not_found(page, element, described)]
    assert missing == []


def _sign_in_crm(page: Page, office: PracticeOffice) -> None:
    account = ACCOUNTS["crm_reader"]
    page.goto(office.addresses["crm"] + "/sign-in")
    page.get_by_role("button", name="Only what is needed").click()
    page.get_by_label("E-mail", exact=True).fill(account.user)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _not_found(page: Page, name: str, element: Mapping[str, Any]) -> list[str]:
    lacking = []
    is_last_page = name == "next_page" and page.locator("a[rel=next]").count() == 0
    if is_last_page:
        return []
    for candidate in element.get("find", []):
        if "css" in candidate and page.locator(candidate["css"]).count() != 1:
            lacking.append(candidate["css"])
        if "test_id" in candidate and page.get_by_test_id(candidate["test_id"]).count() != 1:
            lacking.append(candidate["test_id"])
    caption = element["caption"]
    if element["type"] == "button":
        link = page.get_by_role("link", name=caption, exact=True)
        found = page.get_by_role("button", name=caption, exact=True).or_(link)
    elif element["type"] == "grid":
        found = page.get_by_role("table", name=caption, exact=True)
        shown = page.get_by_test_id(element["find"][0]["test_id"]).locator("thead th").all_inner_texts()
        lacking += [c["caption"] for c in element["columns"].values() if c["caption"] not in shown]
    else:
        found = page.get_by_label(caption, exact=True)
    return lacking if found.count() == 1 else [*lacking, f"caption {caption}"]


def test_a_notice_covers_the_page_until_it_is_closed(erp: Page, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="notice", screen="sales_order", seconds=0.2, times=2))
    erp.goto(office.addresses["erp"] + NEW)
    notice = erp.get_by_role("dialog", name="Notice")
    expect(notice).to_be_visible()
    with pytest.raises(Error, match="intercepts pointer events"):
        erp.get_by_test_id("save").click(timeout=300)
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_be_hidden()
    erp.reload()
    expect(notice).to_be_visible()
    erp.keyboard.press("Escape")
    expect(notice).to_be_hidden()
    erp.reload()
    expect(notice).to_have_count(0)


def test_while_a_list_loads_it_looks_empty(erp: Page, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="loading", screen="customer_list", seconds=0.5, times=1))
    erp.goto(office.addresses["erp"] + "/master/customers")
    expect(erp.locator("div.please-wait")).to_be_visible()
    assert erp.get_by_test_id("found").inner_text() == "0"
    assert erp.get_by_test_id("customers").locator("tbody tr").count() == 0
    expect(erp.locator("div.please-wait")).to_be_hidden()
    expect(erp.get_by_test_id("found")).to_have_text("21")
    expect(erp.get_by_test_id("customers").locator("tbody tr")).to_have_count(21)


def test_the_crm_loads_with_a_progress_bar(page: Page, office: PracticeOffice) -> None:
    _sign_in_crm(page, office)
    office.faults.switch_on(Fault(kind="loading", screen="deals", seconds=0.5, times=1))
    page.goto(office.addresses["crm"] + "/deals")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_test_id("found")).to_have_text("56")


def test_a_wiped_field_loses_what_was_typed_once(erp: Page, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="wiped_field", fields=("customer_reference",), seconds=0.1, times=1))
    erp.goto(office.addresses["erp"] + NEW)
    _fill(erp)
    expect(erp.locator("input[name=customer_reference]")).to_have_value("")
    expect(erp.locator("input[name=customer_no]")).to_have_value("C-100017")
    erp.locator("input[name=customer_reference]").fill("D-again")
    erp.wait_for_timeout(200)
    expect(erp.locator("input[name=customer_reference]")).to_have_value("D-again")


def test_stolen_focus_sends_a_keyboard_into_another_field(erp: Page, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="stolen_focus", screen="sales_order", seconds=0.01))
    erp.goto(office.addresses["erp"] + NEW)
    erp.locator("input[name=customer_no]").click()
    erp.keyboard.type("C-100017 typed by a hand on the keyboard", delay=5)
    assert erp.locator("input[name=customer_no]").input_value() != "C-100017 typed by a hand on the keyboard"
    assert any(erp.locator(f"input[name={name}]").input_value() for name in ("customer_reference", "amount"))


def test_a_second_click_posts_again_only_where_the_page_lets_it(erp: Page, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="slow", screen="sales_order", method="POST", seconds=0.5))
    for reference, times in (("D-guarded", 1), ("D-bait", 2)):
        erp.goto(office.addresses["erp"] + NEW)
        _fill(erp, customer_reference=reference)
        place = erp.get_by_test_id("save").bounding_box()
        assert place is not None
        with erp.expect_request("**" + NEW):
            erp.mouse.click(place["x"] + 5, place["y"] + 5)
        erp.mouse.click(place["x"] + 5, place["y"] + 5)
        expect(erp.get_by_test_id("order_no")).to_have_text(re.compile("SO-"))
        assert _posted(office, reference) == times
        office.faults.switch_on(Fault(kind="double_submit"))
    assert erp.get_by_test_id("save").is_enabled()


@pytest.mark.parametrize("how", ["after_headers", "mid_body", "reset", "close"])
def test_the_ledger_tells_how_often_the_browser_sent_what_it_got_no_reply_to(
    erp: Page, office: PracticeOffice, how: str
) -> None:
    """Chromium repeats a form by itself, unseen by its user, when not even the headers of an answer arrived."""
    office.faults.switch_on(Fault(kind="lost_reply", how=how))
    for number in range(3):
        tab = erp.context.new_page()
        tab.goto(office.addresses["erp"] + NEW)
        _fill(tab, customer_reference=f"D-{how}-{number}")
        with tab.expect_event("requestfailed"):
            tab.get_by_test_id("save").click(no_wait_after=True)
        tab.close()
    sent = {_posted(office, f"D-{how}-{number}") for number in range(3)}
    assert sent <= ({1} if how in ("after_headers", "mid_body") else {1, 2})


def test_nothing_is_fetched_from_elsewhere_and_no_script_fails(page: Page, office: PracticeOffice) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    _sign_in(page, office, "erp_clerk")
    for path in ("/", "/exports", "/purchasing/orders/new", "/sales/orders"):
        page.goto(office.addresses["erp"] + path)
    assert complaints == []
    assert all(url.startswith(office.addresses["erp"]) for url in asked)
