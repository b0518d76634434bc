"""The practice CRM over HTTP: filters, pages and exports agree."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import httpx
import pytest

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.office import PracticeOffice

WON = {"stage": "Won", "closed_from": "2026-11-20", "closed_to": "2026-11-22"}


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("office")
    with PracticeOffice.start(folder, only=("crm",), today=date(2026, 11, 23)) as office:
        account = ACCOUNTS["crm_reader"]
        client = httpx.Client(base_url=office.addresses["crm"], follow_redirects=True)
        client.post("/sign-in", data={"email": account.user, "password": account.password})
        yield client


def _found(page: str) -> int:
    found = re.search(r'data-testid="found">(\d+)<', page)
    assert found is not None
    return int(found[1])


def _first_cells(page: str) -> list[str]:
    return re.findall(r'<tr>\s*<td class="text">([^<]+)</td>', page)


def test_the_deals_of_the_last_business_day_are_found_and_exported(crm: httpx.Client) -> None:
    page = crm.get("/deals", params=WON).text
    assert _found(page) == 14
    rows = list(csv.DictReader(io.StringIO(crm.post("/deals/export", params=WON).content.decode("utf-8"))))
    assert [row["Deal"] for row in rows] == _first_cells(page)
    assert rows[8] == {
        "Deal": "D-1050",
        "Customer id": "A-2009",
        "Customer": "1-€-Markt Handels GmbH",
        "ERP customer no.": "00004711",
        "Stage": "Won",
        "Amount": "980.00",
        "Currency": "EUR",
        "Discount %": "0",
        "Region": "EMEA",
        "Closed": "2026-11-20",
    }


@pytest.mark.parametrize(("path", "pages"), [("/deals", 3), ("/accounts", 3), ("/tasks", 3)])
def test_pages_hold_every_row_once_and_the_export_the_same(crm: httpx.Client, path: str, pages: int) -> None:
    page = crm.get(path).text
    seen = _first_cells(page)
    count = 1
    while (following := re.search(r'<a rel="next" href="([^"]+)">Next page</a>', page)) is not None:
        page = crm.get(path + unescape(following[1])).text
        seen += _first_cells(page)
        count += 1
    exported = list(csv.reader(io.StringIO(crm.get(f"{path}/export").text)))[1:]
    assert count == pages
    assert seen == [row[0] for row in exported]
    assert len(set(seen)) == _found(page)


def test_accounts_and_tasks_are_filtered(crm: httpx.Client) -> None:
    assert _first_cells(crm.get("/accounts", params={"stage": "Onboarding requested"}).text)[0] == "A-3001"
    assert _first_cells(crm.get("/accounts", params={"account_id": "A-3003"}).text) == ["A-3003"]
    calls = crm.get("/tasks", params={"status": "Open", "kind": "Call", "due_to": "2026-11-23"}).text
    assert 0 < _found(calls) < 15


def test_prospects_are_exported_with_what_onboarding_needs(crm: httpx.Client) -> None:
    text = crm.post("/accounts/export", params={"stage": "Onboarding requested"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 5
    assert {"account_id", "requested_on", "legal_name", "vat_number", "register_no", "credit_wished"} <= set(rows[0])


def test_a_day_that_is_none_is_refused_in_words(crm: httpx.Client) -> None:
    page = crm.get("/deals", params={"closed_from": "20.11.2026"}).text
    assert "Closed from: 20.11.2026 is not a date like 2026-12-31." in page
    assert _found(page) == 0


def test_a_wrong_password_is_refused_with_http_200(crm: httpx.Client) -> None:
    data = {"email": "crm.reader@example.com", "password": "wrong"}
    answer = httpx.post(f"{crm.base_url}/sign-in", data=data)
    assert answer.status_code == 200
    assert "E-mail or password is wrong." in answer.text
    assert 'type="password"' in httpx.get(f"{crm.base_url}/deals").text
