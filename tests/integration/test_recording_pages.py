"""Pages that nobody tuned the recorder for: recorded once by real input, then found and filled again after a reload
that made every generated id, name and class anew."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page

from interoffice.recording.amending import selectors_text
from interoffice.recording.listening import Listener
from interoffice.recording.questions import ask_all
from interoffice.recording.recorded import make_recording
from interoffice.recording.writing import Setting, element_text, written
from interoffice.resources.browser import Browser
from tests.support.screens import Asked, page_desk, served

POST = """<script>function post(values) {
  const form = document.createElement("form"); form.method = "post"; form.action = "/order";
  for (const [name, value] of Object.entries(values)) {
    const input = document.createElement("input");
    Object.assign(input, {type: "hidden", name, value});
    form.append(input);
  }
  document.body.append(form); form.submit();
}</script>"""


def aria(new: Callable[[], str]) -> str:
    one, two, three = new(), new(), new()
    return f"""<main><div class={new()}><span id={one}>Customer</span><input aria-labelledby={one} id={new()}></div>
<div class={new()}><input id={two} aria-label="Net amount"></div>
<div class={new()}><input type=checkbox id={three} aria-label="Express"></div>
<div role=button tabindex=0 class={new()} onclick="post({{a: document.querySelector('main input').value,
 b: document.getElementById('{two}').value, c: document.getElementById('{three}').checked}})">Save</div></main>"""


def placeholders(new: Callable[[], str]) -> str:
    one, two = new(), new()
    return f"""<form method=post action=/order>
<input id="{one}" name="{new()}" placeholder="Customer" class="css-{new()}">
<input id="{two}" name="{new()}" placeholder="Net amount" class="css-{new()}">
<label><input type=checkbox name={new()}> Express</label><button class="css-{new()}">Save</button></form>
<script>document.forms[0].onsubmit = (event) => {{
 event.preventDefault();
 post({{a: document.getElementById("{one}").value, b: document.getElementById("{two}").value,
 c: document.querySelector("[type=checkbox]").checked}}); }}</script>"""


def table(new: Callable[[], str]) -> str:
    return f"""<table><tr><td>Customer:</td><td><input id=ctl00_{new()} name=ctl00${new()}></td></tr>
<tr><td>Net amount *</td><td><input id=ctl00_{new()} name=ctl00${new()}></td></tr>
<tr><td>Express</td><td><input type=checkbox id=ctl00_{new()}></td></tr></table>
<input type=button value=Save id=ctl00_{new()} onclick="const all = document.querySelectorAll('table input');
 post({{a: all[0].value, b: all[1].value, c: all[2].checked}})">"""


def shadow(new: Callable[[], str]) -> str:
    one, two, three = new(), new(), new()
    return f"""<order-form></order-form><script>customElements.define("order-form", class extends HTMLElement {{
 connectedCallback() {{ const root = this.attachShadow({{mode: "open"}}); root.innerHTML = `
 <label for={one}>Customer</label><input id={one}><label for={two}>Net amount</label><input id={two}>
 <label><input type=checkbox id={three}>Express</label>
 <button>Save</button>`; root.querySelector("button").onclick = () => post({{a: root.getElementById("{one}").value,
 b: root.getElementById("{two}").value, c: root.getElementById("{three}").checked}}); }} }});</script>"""


pytestmark = pytest.mark.slow
STYLES = [aria, placeholders, table, shadow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


def page_of(style: Callable[[Callable[[], str]], str]) -> Callable[[Asked], str]:
    """The page of a style, every generated word new at each load; what was posted is confirmed."""

    def answer(asked: Asked) -> str:
        start = f"<!doctype html><meta charset=utf-8><title>Order</title>{POST}<h1>Order</h1>"
        if asked.method == "POST":
            return start + "<p role=status aria-label='Order no.'>SO-7</p>"
        return start + style(lambda: f"x{secrets.token_hex(4)}7")

    return answer


def work(page: Page, customer: str, amount: str) -> None:
    """What a person does, with real mouse and keys."""
    inputs = page.locator("input:not([type=checkbox]):not([type=button])")
    for at, text in enumerate((customer, amount)):
        inputs.nth(at).click()
        page.keyboard.type(text)
    page.locator("input[type=checkbox]").click()
    page.locator("button, [role=button], input[type=button]").click()
    page.wait_for_selector("[role=status]")
    page.wait_for_timeout(400)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_what_was_recorded_is_found_and_filled_again(
    style: Callable[[Callable[[], str]], str], tmp_path: Path, browser: Browser
) -> None:
    with served(page_of(style)) as pages:
        first = browser.open_page()
        listener = Listener(first.context)
        page = first.context.new_page()
        page.goto(f"{pages.address}/order")
        work(page, "Acme", "12.50")
        browser.close_page(first)
        recording = make_recording(listener.events)
        answers = ask_all(recording, lambda question: "", lambda text: None)
        setting = Setting(
            application="shop", environment="practice", address="practice:shop", base=pages.address, credential="",
            day=date(2026, 11, 27), owner="a@example.com",
        )  # fmt: skip
        text = selectors_text(written(recording, answers, setting), "selectors/shop.yaml", None)
        with page_desk(tmp_path, browser, pages, text) as desk:
            order, _ = desk.screens.check("shop", screens=("order",), credential="", pictures=tmp_path)
            assert {one.outcome for one in order.elements} <= {"found", "empty"}, text
            names = [one.name for one in order.elements]
            assert names[:3] == ["customer", "net_amount", "express"]
            desk.fill("shop.order", "save", customer="Beta", net_amount=_money("880.10"), express=True)
        posted = [list(asked.values.values()) for asked in pages.posts()]
        assert posted == [["Acme", "12.50", "true"], ["Beta", "880.10", "true"]]
        assert not [line for line in text.splitlines() if "x" in line and "7" in line and "http" not in line], text


def test_every_typed_element_has_a_caption_or_two_candidates(browser: Browser) -> None:
    for style in STYLES:
        with served(page_of(style)) as pages:
            first = browser.open_page()
            listener = Listener(first.context)
            page = first.context.new_page()
            page.goto(f"{pages.address}/order")
            work(page, "Acme", "12.50")
            browser.close_page(first)
        for one in make_recording(listener.events).forms[0].fields:
            assert len(one.said["candidates"]) + bool(one.caption) >= 2, (style.__name__, one.name)


def test_a_password_shown_in_clear_stays_a_secret_and_scripts_are_not_heard(browser: Browser) -> None:
    body = """<title>Sign in</title><label>User <input id=u></label><label>Key <input type=password id=k></label>
<button type=button onclick="k.type = 'text'">Show</button>
<script>setTimeout(() => { u.value = 'robot'; u.dispatchEvent(new Event('input', {bubbles: true})); }, 0)</script>"""
    with served(lambda asked: body) as pages:
        first = browser.open_page()
        listener = Listener(first.context)
        page = first.context.new_page()
        page.goto(pages.address)
        page.wait_for_function("u.value === 'robot'")
        page.locator("#k").click()
        page.keyboard.type("Rhabarber")
        page.locator("button").click()
        page.locator("#k").click()
        page.keyboard.type("kuchen")
        page.wait_for_timeout(400)
        browser.close_page(first)
    assert "Rhabarber" not in repr(listener.events) and "kuchen" not in repr(listener.events)
    assert {event.element["captions"][0] for event in listener.events if event.what == "typed"} == {"Key"}


def test_picking_prints_the_element_and_presses_nothing(browser: Browser) -> None:
    with served(page_of(aria)) as pages:
        first = browser.open_page()
        listener = Listener(first.context)
        page = first.context.new_page()
        page.goto(f"{pages.address}/order")
        page.evaluate("() => window.__interoffice_pick()")
        page.mouse.move(5, 5)
        page.locator("[role=button]").hover()
        assert page.locator("interoffice-cover").count() == 1
        page.locator("[role=button]").click()
        page.wait_for_timeout(200)
        browser.close_page(first)
        assert pages.posts() == []
    [picked] = [event for event in listener.events if event.what == "picked"]
    first_lines = "save:\n  caption: Save\n  type: button\n  find:\n    - role: button\n      name: Save\n"
    assert element_text(picked).startswith(first_lines)


def _money(text: str) -> object:
    from decimal import Decimal

    return Decimal(text)


def test_a_form_in_a_frame_is_the_page_round_it_and_radio_buttons_are_one_choice(
    tmp_path: Path, browser: Browser
) -> None:
    inner = """<form method=post target=_top action=/order><label>Customer <input name=customer></label>
<fieldset><legend>Delivery</legend><label><input type=radio name=d value=1> Express</label>
<label><input type=radio name=d value=2> Normal</label></fieldset><button>Save</button></form>"""

    def answer(asked: Asked) -> str:
        if asked.method == "POST":
            return "<title>Order</title><p role=status aria-label='Order no.'>SO-7</p>"
        return inner if asked.path == "/inner" else "<title>Order</title><iframe name=work src=/inner></iframe>"

    with served(answer) as pages:
        first = browser.open_page()
        listener = Listener(first.context)
        page = first.context.new_page()
        page.goto(f"{pages.address}/order")
        frame = page.frame_locator("iframe")
        frame.locator("input[name=customer]").click()
        page.keyboard.type("Acme")
        frame.locator("input[value='2']").click()
        frame.locator("button").click()
        page.wait_for_selector("[role=status]")
        page.wait_for_timeout(400)
        browser.close_page(first)
        recording = make_recording(listener.events)
        setting = Setting(
            application="shop", environment="practice", address="practice:shop", base=pages.address, credential="",
            day=date(2026, 11, 27), owner="a@example.com",
        )  # fmt: skip
        answers = ask_all(recording, lambda question: "", lambda text: None)
        text = selectors_text(written(recording, answers, setting), "selectors/shop.yaml", None)
        assert "choices:\n          - Express\n          - Normal" in text
        assert "- frame: work" in text
        with page_desk(tmp_path, browser, pages, text) as desk:
            desk.fill("shop.order", "save", customer="Beta", delivery="Express")
        posted = [asked.values for asked in pages.posts()]
        assert posted == [{"customer": "Acme", "d": "2"}, {"customer": "Beta", "d": "1"}]
