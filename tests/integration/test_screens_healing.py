"""Healing in a real browser: what was used before is found again after an upgrade, or a person is asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.bot import NotFound, Unclear
from interoffice.errors import ApplicationError, UsageError
from interoffice.loader.selector_edit import with_candidate
from interoffice.loader.selectors import load_application
from interoffice.office.door import Office
from interoffice.resources.browser import Browser
from tests.support.screens import Answer, Asked, ScreenDesk, page_desk, served
from tests.support.shop import make_shop

SELECTORS = """\
version: 1
application: shop
name: Shop
office: back
environments:
  practice:
    kind: web
    address: practice:shop
patience: 3s
screens:
  order:
    open: /order
    ready_when: name is enabled and number is missing
    elements:
      # the customer's own name
      name:
        type: text
        find:
          - css: input[name=name]          # as it was in 2025
      street:
        type: text
        find:
          - css: input[name=street]
      amount:
        caption: Net amount
        type: money
        find:
          - css: input[name=amount]
      calculate:
        type: button
        find:
          - css: button.calc
      save:
        caption: Save
        type: button
        commits: true
        done_when: number is present
        within: 2s
      number:
        type: read_only
        find:
          - test_id: number
"""
BEFORE = """
<form><p><label for=n1>Customer</label><input id=n1 name=name class=wide></p>
<p><label for=s1>Street</label><input id=s1 name=street class=wide></p>
<p><label for=a1>Net amount</label><input id=a1 name=amount></p>
<p><button type=button class=calc>Calculate</button><button>Save</button></p></form>
"""
UPGRADED = """
<main><form><div class=row><label for=x1>Customer</label><div><input id=x1 name=cust_nm class=w2></div></div>
<div class=row><label for=x2>Street</label><div><input id=x2 name=cust_str class=w2></div></div>
<div class=row><label for=x3>Net amount</label><div><input id=x3 name=amt></div></div>
<div><button type=button class=b2>Calculate</button><button>Save</button></div></form></main>
"""
PRACTICE = load_application(SELECTORS, "selectors/shop.yaml").environments["practice"]
LIST = """\
  order_list:
    open: /list
    ready_when: name is enabled
    search: find
    elements:
      name:
        type: text
        find:
          - css: input[name=name]
      find:
        caption: Find
        type: button
      found:
        type: read_only
        holds: number
        find:
          - test_id: found
      rows:
        type: grid
        key: name
        empty_when: found = 0
        columns:
          name:
            caption: Customer
          street:
            caption: Street
        find:
          - css: table
"""
SAVED = "<p data-testid=number>N-7</p>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


class Shop:
    """A shop whose page can be changed, and what was sent to it."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder, self.browser, self.body = folder, browser, BEFORE
        self.sent: list[dict[str, str]] = []

    def answer(self, asked: Asked) -> Answer:
        if asked.values:
            self.sent.append(dict(asked.values))
            return f"<!doctype html><meta charset=utf-8><body>{SAVED}</body>"
        return f"<!doctype html><meta charset=utf-8><title>Shop</title><body>{self.body}</body>"

    @contextmanager
    def desk(self, selectors: str = SELECTORS) -> Iterator[ScreenDesk]:
        with served(self.answer) as pages, page_desk(self.folder, self.browser, pages, selectors) as desk:
            desk.screens.remembered = self.folder / "state" / "selectors"
            yield desk

    def drifts(self) -> list[dict[str, object]]:
        file = self.folder / "state" / "selectors" / "drift.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


@pytest.fixture
def shop(tmp_path: Path, browser: Browser) -> Shop:
    made = Shop(tmp_path, browser)
    with made.desk() as desk:
        enter(desk)
    assert made.drifts() == []
    return made


def enter(desk: ScreenDesk) -> dict[str, object]:
    return dict(desk.fill("shop.order", "save", ("number",), name="Blue", street="Kai 1", amount=Decimal("7.5")))


def values(shop: Shop) -> list[str]:
    return list(shop.sent[-1].values())


def test_after_an_upgrade_every_field_is_found_again_and_told(shop: Shop) -> None:
    shop.body = UPGRADED
    with shop.desk() as desk:
        assert enter(desk) == {"number": "N-7"}
        told = {event["element"]: event["reason"] for event in desk.events("drift")}
        pictures = [event["evidence"] for event in desk.events("drift") if event.get("evidence")]
    assert shop.sent[-1] == {"cust_nm": "Blue", "cust_str": "Kai 1", "amt": "7.50"}
    assert told.keys() == {"name", "street"}
    assert "same caption" in told["name"] and "alike, the next" in told["name"]
    assert len(pictures) == 2
    assert [(drift["element"], drift["candidate"]) for drift in shop.drifts()] == [
        ("name", {"kind": "label", "value": "Customer", "name": None}),
        ("street", {"kind": "label", "value": "Street", "name": None}),
    ]


def test_a_removed_field_is_handed_to_a_person_and_nothing_is_sent(shop: Shop) -> None:
    shop.body = UPGRADED.replace("<input id=x2 name=cust_str class=w2>", "")
    before = len(shop.sent)
    with shop.desk() as desk, pytest.raises(ApplicationError) as raised:
        enter(desk)
    assert '"street" of shop.order' in str(raised.value)
    assert len(shop.sent) == before


def test_a_list_of_choices_never_serves_for_a_field_that_was_typed_into(shop: Shop) -> None:
    choices = "<select id=x2 name=cust_str class=w2><option>Kai 1</option><option>Kai 2</option></select>"
    shop.body = UPGRADED.replace("<input id=x2 name=cust_str class=w2>", choices)
    before = len(shop.sent)
    with shop.desk() as desk, pytest.raises(ApplicationError, match=r'"street" of shop\.order'):
        enter(desk)
    assert len(shop.sent) == before


@pytest.mark.parametrize(
    "changed",
    [
        lambda body: body.replace("<label for=x2>Street</label>", "<label for=x2>Delivery note</label>"),
        lambda body: body.replace("<label for=x2>Street</label>", "<label for=x2>Straße</label>"),
        lambda body: body.replace(
            "<div class=row><label for=x2>Street</label><div><input id=x2 name=cust_str class=w2></div></div>",
            "<div class=row><label for=x2>Street</label><div><input id=x2 name=q class=w2></div></div>"
            "<div class=row><label for=x4>Street</label><div><input id=x4 name=r class=w2></div></div>",
        ),
    ],
)
def test_another_caption_a_translation_and_two_that_are_alike_go_to_a_person(
    shop: Shop, changed: Callable[[str], str]
) -> None:
    shop.body = changed(UPGRADED)
    before = len(shop.sent)
    with shop.desk() as desk, pytest.raises(ApplicationError):
        enter(desk)
    assert len(shop.sent) == before
    assert "street" not in {drift["element"] for drift in shop.drifts()}


def test_healing_can_be_left_to_a_person_or_switched_off(shop: Shop) -> None:
    shop.body = UPGRADED
    before = len(shop.sent)
    for word, count in (("off", 0), ("ask", 1)):
        text = SELECTORS.replace("patience: 3s\n", f"patience: 3s\nhealing: {word}\n")
        with shop.desk(text) as desk, pytest.raises(ApplicationError):
            enter(desk)
        assert len(shop.drifts()) == count
    assert len(shop.sent) == before


def test_a_commit_a_sensitive_field_and_heal_never_are_never_healed(shop: Shop) -> None:
    before = len(shop.sent)
    shop.body = BEFORE.replace("<button>Save</button>", "<button>Store</button>")
    with shop.desk() as desk, pytest.raises(ApplicationError):
        enter(desk)
    shop.body = UPGRADED
    for more in ("        sensitive: true\n", "        heal: never\n"):
        text = SELECTORS.replace("      name:\n        type: text\n", f"      name:\n        type: text\n{more}")
        with shop.desk(text) as desk, pytest.raises(ApplicationError):
            enter(desk)
    assert len(shop.sent) == before


def test_a_rejected_element_is_never_taken_again(shop: Shop) -> None:
    from interoffice.screens.healing import Memory

    shop.body = UPGRADED
    with shop.desk() as desk:
        enter(desk)
    memory = Memory(folder=shop.folder / "state" / "selectors", application="shop", environment="practice")
    memory.reject("order/name", str(shop.drifts()[0]["trait"]))
    with shop.desk() as desk, pytest.raises(ApplicationError) as raised:
        enter(desk)
    assert "a person has rejected it" in str(raised.value)


def test_an_accepted_candidate_stands_first_and_every_other_byte_stays() -> None:
    candidate = {"css": 'input[name="cust_nm"]'}
    new = with_candidate(
        SELECTORS, "selectors/shop.yaml", screen="order", element="name", environment="practice", candidate=candidate
    )
    line = '          - css: "input[name=\\"cust_nm\\"]"\n'
    assert new == SELECTORS.replace("          - css: input[name=name] ", f"{line}          - css: input[name=name] ")
    (first, second) = load_application(new, "shop.yaml").screens["order"].elements["name"].candidates(PRACTICE)
    assert (first.value, second.value) == ('input[name="cust_nm"]', "input[name=name]")


def test_an_element_without_candidates_gets_its_first(shop: Shop) -> None:
    new = with_candidate(
        SELECTORS, "selectors/shop.yaml", screen="order", element="save", environment="practice",
        candidate={"role": "button", "name": "Save"},
    )  # fmt: skip
    (only,) = load_application(new, "shop.yaml").screens["order"].elements["save"].candidates(PRACTICE)
    assert (only.kind, only.value, only.name) == ("role", "button", "Save")


def test_after_accepting_nothing_is_healed_any_more(shop: Shop) -> None:
    shop.body = UPGRADED
    with shop.desk() as desk:
        enter(desk)
    text = SELECTORS
    for drift in shop.drifts():
        text = with_candidate(
            text, "selectors/shop.yaml", screen="order", element=str(drift["element"]), environment="practice",
            candidate={"label": drift["candidate"]["value"]},  # type: ignore[index]
        )  # fmt: skip
    with shop.desk(text) as desk:
        enter(desk)
        assert [event for event in desk.events("drift") if event["element"] != "amount"] == []


def test_a_list_that_answers_look_ups_is_never_healed(shop: Shop) -> None:
    """A wrong search field would find nothing, and what is not found is posted again."""
    find = "    find_record:\n      screen: order_list\n      by: name\n      read: [street]\n"
    text = SELECTORS.replace("    elements:\n      # the", f"{find}    elements:\n      # the") + LIST
    listing = """<form><label for=q1>Customer</label><input id=q1 name={0}><button type=button>Find</button></form>
      <table><thead><tr><th>Customer<th>Street<tbody><tr><td>Old<td>Kai 9</table><p data-testid=found>1</p>
      <script>document.querySelector("button").addEventListener("click", () => {{
        document.querySelector("tbody").innerHTML = "";
        document.querySelector("p").textContent = "0";
      }});</script>"""
    fields = {"name": "Blue", "street": "Kai 1", "amount": Decimal("7.5")}
    shop.body = listing.format("name")
    asked = {"fields": fields, "submit": "save", "read": ("number",), "credential": "clerk"}
    with shop.desk(text) as desk:
        assert isinstance(desk.screens.look_up("shop.order", **asked), NotFound)
    shop.body = listing.format("cust_nm")
    with shop.desk(text) as desk:
        assert isinstance(desk.screens.look_up("shop.order", **asked), Unclear)
    assert shop.drifts() == []


def test_where_no_captions_are_shown_a_lost_field_is_not_taken_for_another_lost_one(shop: Shop) -> None:
    bare = BEFORE.replace("<label for=n1>Customer</label>", "").replace("<label for=s1>Street</label>", "")
    shop.body = bare
    with shop.desk() as desk:
        enter(desk)
    before = len(shop.sent)
    shop.body = bare.replace("<p><input id=n1 name=name class=wide></p>", "").replace("name=street", "name=st")
    with shop.desk() as desk, pytest.raises(ApplicationError):
        enter(desk)
    assert len(shop.sent) == before
    assert "name" not in {drift["element"] for drift in shop.drifts()}


def test_people_list_accept_and_reject_what_was_healed(shop: Shop, tmp_path: Path) -> None:
    shop.body = UPGRADED
    with shop.desk() as desk:
        enter(desk)
    project = make_shop(tmp_path / "project")
    (project.folder / "selectors").mkdir(exist_ok=True)
    file = project.folder / "selectors" / "shop.yaml"
    file.write_text(SELECTORS, encoding="utf-8")
    shutil.copytree(shop.folder / "state" / "selectors", project.state / "selectors")
    healed = Office(project.folder).healed
    rows = healed.listed(state="open", application=None)
    assert [(row["element"], row["healed_by"]) for row in rows] == [
        ("shop.order.name", "label Customer"), ("shop.order.street", "label Street"),
    ]  # fmt: skip
    first, second = (str(row["drift"]) for row in rows)
    assert "is found first by label Customer" in healed.accept(first)
    text = file.read_text(encoding="utf-8")
    assert text == SELECTORS.replace("          - css: input[name=name] ",
                                     "          - label: Customer\n          - css: input[name=name] ")  # fmt: skip
    healed.reject(second, "That is the delivery street")
    assert [row["state"] for row in healed.listed(state="all", application="shop")] == ["accepted", "rejected"]
    with pytest.raises(UsageError, match="is accepted already"):
        healed.accept(first)
    with pytest.raises(UsageError, match="There is no drift"):
        healed.reject("D-0", "no")
    acts = [(entry.act, entry.details["element"]) for entry in Office(project.folder).ledger.audit(limit=10)]
    assert acts[-2:] == [("selectors.accepted", "name"), ("selectors.rejected", "street")]
