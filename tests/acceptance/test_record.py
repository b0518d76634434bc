"""`record` by the real command line: a person enters an order in a real window, and what was written does it again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page

from interoffice.office.open_browser import address_of
from interoffice.practice.accounts import ACCOUNTS
from interoffice.resources.browser import Browser
from interoffice.testing.ground import wait_until
from tests.support.display import Person, display
from tests.support.flagship import Flagship, flagship

pytestmark = pytest.mark.slow
CLERK = ACCOUNTS["erp_clerk"].parts()


@dataclass
class Recorded:
    """What `record` said, twice: a new application, and one whose file is there."""

    project: Flagship
    new: str
    known: str
    before: str


class Tabs:
    """How often Tab is pressed until a field of a page has the focus, as a second browser tells."""

    def __init__(self, base: str, browser: Browser) -> None:
        self.base = base
        self.page: Page = browser.open_page()
        self.page.goto(base)
        for field in ("user", "password"):
            self.page.keyboard.type(CLERK[field])
            self.page.keyboard.press("Tab" if field == "user" else "Enter")
        self.page.wait_for_url("**/")
        self.page.wait_for_selector("[data-testid=signed_in_as]")

    def to(self, path: str, css: str) -> list[str]:
        """The keys."""
        self.page.goto(self.base + path)
        for count in range(1, 60):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("css => document.activeElement.matches(css)", css):
                return ["Tab"] * count
        raise AssertionError(f"Tab never reaches {css}")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    browser = Browser()
    with flagship(tmp_path_factory.mktemp("record")) as project, display() as person:
        try:
            base = address_of(project.state, "practice:erp").rstrip("/")
            tabs = Tabs(base, browser)
            before = (project.folder / "selectors" / "erp.yaml").read_text()
            words = ("sales", "--address", "practice:erp", "--credential", "erp_clerk")
            new = watched(project, person, tabs, "R-1", *words)
            known = watched(project, person, tabs, "R-2", "erp", "--workflow", "again")
            yield Recorded(project, new, known, before)
        finally:
            browser.close()


def watched(project: Flagship, person: Person, tabs: Tabs, reference: str, *words: str) -> str:
    """Signs in, searches, enters an order and saves it, all by the keyboard; then answers what is asked."""
    command = subprocess.Popen(
        project._command(("record", *words)), cwd=project.folder, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=project._environment({"DISPLAY": person.display}),
    )  # fmt: skip
    try:
        person.await_title("Sign in")
        person.go(tabs.base, "Sign in")  # a new window has the focus in its address line
        person.type(CLERK["user"])
        person.press("Tab")
        person.type(CLERK["password"])
        person.press("Return")
        person.await_title("Overview")
        search = tabs.to("/sales/orders", "#customer_reference")
        person.go(f"{tabs.base}/sales/orders", "Sales orders")
        person.press(*search)
        person.type(reference)
        person.press("Return")
        time.sleep(1.5)  # the list looks the same before and after
        first = tabs.to("/sales/orders/new", "#customer_no")
        person.go(f"{tabs.base}/sales/orders/new", "Sales order -")
        person.press(*first)
        person.type("C-100017")
        person.press("Tab")
        person.type(reference)
        person.press("Tab")
        person.type("1.250,75")
        person.press("Tab")
        person.type("U")
        person.press("shift+Tab", "Return")  # Enter in a field presses Save
        wait_until(lambda: reference in project.posted(), "the order is in the ledger")
        said, _ = command.communicate("\n" + "1\n" * 4, timeout=60)
    finally:
        command.kill()
    assert command.returncode == 0, said
    return said


def test_a_recorded_workflow_runs_with_other_values(recorded: Recorded) -> None:
    project = recorded.project
    assert "Written: selectors/sales.yaml and workflows/enter_sales_order.yaml" in recorded.new
    checked = project.cli("check", "workflows/enter_sales_order.yaml", "selectors/sales.yaml")
    assert "0 mistakes" in checked.stdout or checked.returncode in (0, 3), checked.stdout
    values = {"customer_no": "C-100017", "customer_reference": "R-77", "net_amount": "880.10", "currency": "GBP"}
    given = [word for name, value in values.items() for word in ("-i", f"{name}={value}")]
    ended = project.cli("run", "enter_sales_order", *given)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    [posting] = project.orders()["R-77"]
    assert (posting.fields["customer_no"], posting.fields["currency"]) == ("C-100017", "GBP")
    assert Decimal(str(posting.fields["amount"])) == Decimal("880.10")


def test_a_recorded_look_up_finds_what_is_there(recorded: Recorded) -> None:
    values = {"customer_no": "C-100017", "customer_reference": "R-1", "net_amount": "1250.75", "currency": "USD"}
    given = [word for name, value in values.items() for word in ("-i", f"{name}={value}")]
    said = recorded.project.cli("selectors", "check", "sales")
    assert said.returncode == 0, said.stdout
    planned = recorded.project.cli("plan", "enter_sales_order", *given)
    assert planned.returncode in (0, 3), planned.stdout + planned.stderr


def test_neither_the_password_nor_a_value_is_in_any_file(recorded: Recorded) -> None:
    folder = recorded.project.folder
    files = [*(folder / "selectors").rglob("*"), *(folder / "workflows").rglob("*")]
    for path in [path for path in files if path.is_file()]:
        data = path.read_bytes()
        assert CLERK["password"].encode() not in data, path
        assert b"R-1" not in data and b"1.250,75" not in data, path
    home = recorded.project.home
    every = [path for path in Path(folder).rglob("*") if path.is_file() and home not in path.parents]
    assert [path for path in every if CLERK["password"].encode() in path.read_bytes()] == []
    assert CLERK["password"] not in recorded.new + recorded.known


def test_a_file_that_is_there_keeps_every_line(recorded: Recorded) -> None:
    assert "Written: selectors/erp.yaml and workflows/again.yaml" in recorded.known
    now = (recorded.project.folder / "selectors" / "erp.yaml").read_text()
    assert now == recorded.before  # it knew every element
    values = {"customer_no": "C-100017", "customer_reference": "R-78", "amount": "12.00", "currency": "EUR"}
    given = [word for name, value in values.items() for word in ("-i", f"{name}={value}")]
    ended = recorded.project.cli("run", "again", *given)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert recorded.project.posted()["R-78"] == 1


def test_without_a_display_it_says_so(recorded: Recorded) -> None:
    ended = recorded.project.cli("record", "erp", DISPLAY="")
    assert ended.returncode == 1
    assert "there is no display to show a window on" in ended.stderr


def test_an_unknown_application_needs_an_address(recorded: Recorded) -> None:
    ended = recorded.project.cli("record", "stranger")
    assert (ended.returncode, "with --address URL" in ended.stderr) == (2, True)
