"""`selectors check` in a real browser: every element found, found otherwise, healed, missing, ambiguous or empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interoffice.resources.browser import Browser
from interoffice.screens.checking import ScreenSeen
from tests.support.screens import Asked, page_desk, served

SELECTORS = """\
version: 1
application: shop
name: Shop
office: back
environments:
  practice: {kind: web, address: "practice:shop"}
patience: 2s
elements:
  banner:
    type: read_only
    find: [{role: alert}]
screens:
  order:
    open: /order
    ready_when: name is enabled and number is missing
    elements:
      name: {caption: Customer, type: text}
      amount:
        type: money
        find: [{css: "input[name=amount]"}, {label: Net amount}]
      street: {type: text, find: [{css: "input[name=street]"}]}
      place: {caption: Place, type: text}
      gone: {caption: Fax, type: text}
      save:
        caption: Save
        type: button
        commits: true
        done_when: number is present
        fails_when: banner is visible
      number: {type: read_only, find: [{test_id: number}]}
      lines:
        type: one_to_many
        caption: Lines
        entry: inline row
        add: more
        elements:
          item: {caption: Item, type: text}
      more: {caption: More, type: button}
      goods:
        caption: Goods
        type: grid
        columns:
          item: {caption: Item, type: text}
          price: {caption: Price, type: money}
  lost:
    open: /lost
    ready_when: name is enabled
    elements:
      name: {caption: Customer, type: text}
"""
FORM = """<form><label>Customer <input name=name></label>
<p><label for=s1>Street</label><input id=s1 name={street}></p><label>Net amount <input name=amt></label>
<label>Place <input name=p1></label><label>Place <input name=p2></label>
<fieldset><legend>Lines</legend><button type=button>More</button></fieldset><button>Save</button></form>
<table aria-label=Goods><thead><tr><th>Item</th></tr></thead><tbody></tbody></table>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


def checked(folder: Path, browser: Browser, *, saved: Path | None = None) -> tuple[list[ScreenSeen], list[Asked]]:
    street = ["street"]

    def answer(asked: Asked) -> str | tuple[int, str]:
        if asked.path == "/lost":
            return 500, "broken"
        return f"<!doctype html><meta charset=utf-8><body>{FORM.format(street=street[0])}</body>"

    with served(answer) as pages:
        for street[0] in ("street", "strasse"):  # the second time after an upgrade
            with page_desk(folder, browser, pages, SELECTORS) as desk:
                desk.screens.remembered = folder / "known"
                seen = desk.screens.check(
                    "shop", screens=("order", "lost"), credential="", pictures=folder / "pictures", saved=saved
                )
        return seen, pages.asked


def test_every_element_is_told_as_it_is(tmp_path: Path, browser: Browser) -> None:
    (order, lost, shared), asked = checked(tmp_path, browser)
    seen = {element.name: (element.outcome, element.how) for element in order.elements}
    assert seen["name"] == ("found", 'field "Customer"')
    assert seen["amount"][0] == "later"
    assert seen["street"][0] == "healed"
    assert seen["place"] == ("ambiguous", '2 times field "Place": give a scope')
    assert seen["gone"][0] == "missing"
    assert seen["number"] == ("empty", "shown after save")
    assert seen["lines.item"][0] == "not reached"
    assert seen["goods"][0] == "found"
    assert seen["goods.price"] == ("missing", 'no column "Price"; it shows Item')
    assert next(each.drift for each in order.elements if each.name == "street").startswith("D-")
    assert [each.outcome for each in shared.elements] == ["empty"]
    assert Path(order.picture).read_bytes().startswith(b"\x89PNG")
    assert "500" in lost.problem
    assert [each for each in asked if each.method == "POST" or each.values] == []


def test_saved_pages_are_looked_at_without_the_application(tmp_path: Path, browser: Browser) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "order.html").write_text(f"<!doctype html><meta charset=utf-8>{FORM.format(street='street')}")
    (order, lost, _), asked = checked(tmp_path, browser, saved=saved)
    assert {each.name: each.outcome for each in order.elements}["name"] == "found"
    assert lost.problem == "there is no saved page lost.html"
    assert asked == []
