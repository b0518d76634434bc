"""Difficult pages: what they lose, hide, move, ask and repeat, and that no value ends in a wrong place for it."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.bot import Found, NotFound, Unclear
from interoffice.errors import ApplicationError, BusinessError, OutcomeUnclear
from interoffice.model.table import Table
from interoffice.model.types import TEXT
from interoffice.resources.browser import Browser
from interoffice.screens.tracing import forms_of
from tests.support.screens import Answer, Asked, ScreenDesk, page_desk, served

HEAD = """
version: 1
application: shop
name: Shop
office: back
environments:
  practice:
    kind: web
    address: practice:shop
patience: 3s
formats:
  date: dd.MM.yyyy
  number: 1.234,56
"""
FORM = """
screens:
  order:
    open: /order
    ready_when: name is enabled and number is missing
    elements:
      name:
        caption: Name
        type: text
      amount:
        caption: Net amount
        type: money
      save:
        caption: Save
        type: button
        commits: true
        done_when: number is present
        fails_when: problem is visible
        reason: problem
        within: 2s
      number:
        type: read_only
        find:
          - test_id: number
      problem:
        type: read_only
        find:
          - role: alert
"""
FIELDS = """
<label>Name: <input name=name></label> <label>Net amount * <input name=amount></label>
"""
SENT = "<p data-testid=number>N-7</p>"


def page(body: str, script: str = "") -> str:
    return f"<!doctype html><meta charset=utf-8><title>Shop</title><body>{body}<script>{script}</script></body>"


def form(extra: str = "", script: str = "") -> str:
    return page(f"<form method=post action=/order>{FIELDS}<button>Save</button></form>{extra}", script)


def posting(asked: Asked) -> Answer:
    return page(SENT) if asked.method == "POST" else form()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


# the commit


@pytest.mark.parametrize("way", ["form", "fetch"])
def test_a_reply_lost_on_a_kept_connection_posts_once(tmp_path: Path, browser: Browser, way: str) -> None:
    script = """document.forms[0].onsubmit = (event) => { event.preventDefault();
        fetch('/order', {method: 'POST', body: new URLSearchParams(new FormData(document.forms[0]))}); }"""

    def answer(asked: Asked) -> Answer:
        return None if asked.method == "POST" else form(script=script if way == "fetch" else "")

    with served(answer, keep_alive=True) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(OutcomeUnclear):
            desk.fill("shop.order", "save", name="Ann", amount=Decimal(1))
        assert [post.values for post in pages.posts()] == [{"name": "Ann", "amount": "1,00"}]


def test_a_redirect_behind_the_commit_is_followed(tmp_path: Path, browser: Browser) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/done":
            return page(SENT)
        return (303, "", {"Location": "/done"}) if asked.method == "POST" else form()

    with served(answer, keep_alive=True) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        assert desk.fill("shop.order", "save", ("number",), name="Ann") == {"number": "N-7"}
        assert len(pages.posts()) == 1


def test_a_page_that_tempts_to_click_twice_gets_one_click(tmp_path: Path, browser: Browser) -> None:
    script = """let sent = 0; document.forms[0].onsubmit = (event) => { event.preventDefault(); sent += 1;
        fetch('/order?n=' + sent, {method: 'POST'}).then(() => setTimeout(() => {
            document.body.insertAdjacentHTML('beforeend', '<p data-testid=number>N-7</p>'); }, 400)); }"""
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        for _ in range(3):
            assert desk.fill("shop.order", "save", ("number",), name="Ann") == {"number": "N-7"}
        assert len(pages.posts()) == 3


def test_no_sign_within_the_time_is_unclear(tmp_path: Path, browser: Browser) -> None:
    script = "document.forms[0].onsubmit = (event) => event.preventDefault();"
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(OutcomeUnclear, match="no sign of an end came within 2 s"):
            desk.fill("shop.order", "save", name="Ann")


def test_two_ends_at_once_are_unclear(tmp_path: Path, browser: Browser) -> None:
    def answer(asked: Asked) -> Answer:
        return page(SENT + "<p role=alert>Period is closed</p>") if asked.method == "POST" else form()

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(OutcomeUnclear, match="two ways at once"):
            desk.fill("shop.order", "save", name="Ann")


def test_an_old_refusal_on_the_page_is_no_new_one(tmp_path: Path, browser: Browser) -> None:
    script = """document.forms[0].onsubmit = (event) => { event.preventDefault();
        setTimeout(() => { document.querySelector('[data-testid=number]').textContent = 'N-7'; }, 200); }"""
    extra = "<p role=alert>Welcome back</p><p data-testid=number></p>"
    with served(lambda asked: form(extra, script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        assert desk.fill("shop.order", "save", ("number",), name="Ann") == {"number": "N-7"}


def test_a_question_of_the_browser_is_not_accepted_and_the_end_is_unclear(tmp_path: Path, browser: Browser) -> None:
    script = "document.forms[0].onsubmit = () => confirm('Post it without a tax code?');"
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(OutcomeUnclear, match="without a tax code"):
            desk.fill("shop.order", "save", name="Ann")
        assert pages.posts() == []


CONFIRM = FORM.replace("within: 2s", "within: 2s\n        confirm: sure").replace(
    "      number:", "      sure:\n        caption: Yes, post\n        type: button\n      number:", 1
)


def test_the_declared_question_of_a_commit_is_answered_once(tmp_path: Path, browser: Browser) -> None:
    script = """document.forms[0].onsubmit = (event) => { event.preventDefault(); document.body.insertAdjacentHTML(
        'beforeend', '<div role=dialog><button>Yes, post</button></div>');
        document.querySelector('[role=dialog] button').onclick = () => document.forms[0].submit(); }"""

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else form(script=script)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + CONFIRM) as desk:
        assert desk.fill("shop.order", "save", ("number",), name="Ann") == {"number": "N-7"}
        assert len(pages.posts()) == 1


def test_what_was_stored_otherwise_is_no_success(tmp_path: Path, browser: Browser) -> None:
    def answer(asked: Asked) -> Answer:
        stored = form(SENT).replace("<input name=name>", "<input name=name value=ANN>")
        return stored if asked.method == "POST" else form()

    selectors = HEAD + FORM.replace("within: 2s", "within: 2s\n        verify_after: true")
    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        with pytest.raises(OutcomeUnclear, match='shows "ANN", meant was "Ann"') as unclear:
            desk.fill("shop.order", "save", name="Ann")
        assert unclear.value.code == "posted_differently"


def test_a_button_that_two_ways_find_differently_waits_for_a_person(tmp_path: Path, browser: Browser) -> None:
    selectors = HEAD + FORM.replace("within: 2s", "within: 2s\n        find:\n          - css: button.primary")
    extra = "<button class=primary>Delete</button>"
    with served(lambda asked: form(extra)) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        with pytest.raises(ApplicationError, match="different buttons") as waits:
            desk.fill("shop.order", "save", name="Ann")
        assert not waits.value.transient
        assert desk.gate.passed == [] and pages.posts() == []


# filling


def test_the_previous_record_is_not_taken_for_an_empty_form(tmp_path: Path, browser: Browser) -> None:
    script = "setTimeout(() => document.querySelector('[data-testid=number]').textContent = '', 500);"

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else form("<p data-testid=number>N-6</p>", script)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        began = time.monotonic()
        desk.fill("shop.order", "save", name="Ann")
        assert time.monotonic() - began > 0.4


WIPING = """
for (const input of document.querySelectorAll('input')) input.addEventListener('change', () => {
    const kept = Object.fromEntries([...document.querySelectorAll('input')].map((one) => [one.name, '']));
    kept[input.name] = input.value; Object.assign(window.kept = window.kept || {}, {[input.name]: input.value});
    fetch('/defaults').then(() => { for (const one of document.querySelectorAll('input'))
        one.value = one.name === input.name ? input.value : (window.settled || {})[one.name] || '';
        (window.settled = window.settled || {})[input.name] = input.value; }); });
"""


def test_values_that_a_redraw_wipes_are_typed_one_by_one(tmp_path: Path, browser: Browser) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/defaults":
            time.sleep(0.05)
            return "{}"
        return page(SENT) if asked.method == "POST" else form(script=WIPING)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        for number in range(3):
            desk.fill("shop.order", "save", name=f"Ann {number}", amount=Decimal(number))
        sent = [post.values for post in pages.posts()]
        assert sent == [{"name": f"Ann {n}", "amount": f"{n},00"} for n in range(3)]
        assert len(desk.events("values_did_not_stay")) == 1


def test_a_field_that_never_keeps_its_value_is_named(tmp_path: Path, browser: Browser) -> None:
    script = """document.querySelector('[name=amount]').addEventListener('input', (event) => {
        setTimeout(() => { event.target.value = '0,00'; }); });"""
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(ApplicationError, match=r'"amount" of shop.order shows "0,00", meant was "12.5"') as wrong:
            desk.fill("shop.order", "save", name="Ann", amount=Decimal("12.5"))
        assert wrong.value.code == "not_kept"
        assert desk.gate.passed == []


def test_a_value_that_changes_between_typing_and_the_commit_is_found(tmp_path: Path, browser: Browser) -> None:
    script = """let times = 0; document.querySelector('[name=name]').addEventListener('input', (event) => {
        if (times++ < 1) fetch('/late').then(() => { event.target.value = 'somebody else'; }); });"""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/late":
            time.sleep(0.3)
        return page(SENT) if asked.method == "POST" else form(script=script)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        desk.fill("shop.order", "save", name="Ann")
        assert pages.posts()[0].values["name"] == "Ann"


def test_typing_makes_events_that_the_page_trusts(tmp_path: Path, browser: Browser) -> None:
    script = """window.distrusted = 0; window.inputs = 0;
    for (const kind of ['input', 'change', 'focus', 'blur', 'click', 'mousedown']) addEventListener(kind, (event) => {
        if (!event.isTrusted) window.distrusted += 1; if (kind === 'input') window.inputs += 1; }, true);
    document.forms[0].onsubmit = (event) => { event.preventDefault();
        document.body.insertAdjacentHTML('beforeend',
            `<p data-testid=number>${window.distrusted} of ${window.inputs}</p>`); }"""
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        values = desk.fill("shop.order", "save", ("number",), name="Ann", amount=Decimal(5))
        assert values == {"number": "0 of 2"}


def test_a_stolen_focus_types_nothing_elsewhere(tmp_path: Path, browser: Browser) -> None:
    script = """const other = document.createElement('input'); other.name = 'other'; document.forms[0].append(other);
        setInterval(() => other.focus(), 5);"""

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else form(script=script)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        for number in range(5):
            desk.fill("shop.order", "save", name=f"Ann {number}", amount=Decimal(number))
        assert [p.values for p in pages.posts()] == [
            {"name": f"Ann {n}", "amount": f"{n},00", "other": ""} for n in range(5)
        ]


def test_a_dialog_that_nobody_declared_waits_for_a_person(tmp_path: Path, browser: Browser) -> None:
    extra = """<div role=dialog style="position:fixed;inset:0;background:#eee"><p>Licence expires</p>
        <button>OK</button></div>"""
    with served(lambda asked: form(extra)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(ApplicationError, match="covered by a dialog") as waits:
            desk.fill("shop.order", "save", name="Ann")
        assert waits.value.code == "unexpected_dialog" and not waits.value.transient
        assert desk.events("screen_failed")[0]["evidence"]["failure"]


def test_a_session_that_ends_every_seven_requests_loses_and_doubles_nothing(tmp_path: Path, browser: Browser) -> None:
    posted: list[str] = []
    signed = {"left": 7, "times": 0}
    sign_in = page(
        "<form method=post action=/sign-in><label>User <input name=user></label>"
        "<label>Password <input name=password type=password></label><button>Sign in</button></form>"
    )

    def answer(asked: Asked) -> Answer:
        if asked.path == "/sign-in" and asked.method == "POST":
            signed["times"] += 1
            signed["left"] = 7 - signed["times"] % 2
            return page("<b data-testid=who>clerk</b>")
        signed["left"] -= 1
        if asked.path == "/sign-in" or signed["left"] < 0:
            return sign_in
        if asked.path == "/list":
            return records(posted, asked.values.get("name", ""))
        if asked.method == "POST":
            posted.append(asked.values["name"])
        number = f"<p data-testid=number>N-{len(posted)}</p>" if asked.method == "POST" else ""
        return form(number + "<b data-testid=who>clerk</b>")

    with (
        served(answer) as pages,
        page_desk(
            tmp_path,
            browser,
            pages,
            HEAD + SIGN_IN + FORM_WITH_LIST,
            credentials={"clerk": {"user": "u", "password": "p"}},
        ) as desk,
    ):
        for number in range(12):
            while not enter_or_find(desk, f"Item {number}"):
                continue
        assert posted == [f"Item {number}" for number in range(12)]
        assert desk.events("session_ended") and signed["times"] > 4


def enter_or_find(desk: ScreenDesk, name: str) -> bool:
    """One attempt as the engine makes it: after an unclear end the look-up decides."""
    try:
        desk.fill("shop.order", "save", ("number",), name=name, amount=Decimal(1))
    except OutcomeUnclear:
        found = desk.screens.look_up(
            "shop.order", fields={"name": name}, submit="save", read=("name",), credential="clerk"
        )
        assert isinstance(found, Found | NotFound), found
        return isinstance(found, Found)
    return True


SIGN_IN = """
elements:
  who:
    type: read_only
    find:
      - test_id: who
sign_in:
  screen: sign_in
  steps:
    - fill:
        user: user
        password: password
      press: enter_shop
  done_when: who is present
"""
LIST = """
  list:
    open: /list
    ready_when: find is enabled
    search: find
    elements:
      name:
        caption: Name
        type: text
      find:
        caption: Find
        type: button
      none:
        type: read_only
        find:
          - text: No records
      records:
        caption: Records
        type: grid
        empty_when: none is visible
        columns:
          name: {caption: Name, type: text}
          amount: {caption: Net amount, type: money}
"""
SIGN_IN_SCREEN = """
  sign_in:
    open: /sign-in
    ready_when: password is enabled
    elements:
      user:
        caption: User
        type: text
      password:
        caption: Password
        type: text
        sensitive: true
      enter_shop:
        caption: Sign in
        type: button
"""
FOUND = """    find_record:
      screen: list
      by: name
      read: [name]
"""
FORM_ONLY_LIST = FORM.replace("    elements:\n", FOUND + "    elements:\n", 1) + LIST
FORM_WITH_LIST = FORM_ONLY_LIST + SIGN_IN_SCREEN


def records(names: list[str], wanted: str, *, say_none: bool = True, head: str = "Name") -> str:
    rows = "".join(f"<tr><td>{name}</td><td>1,00</td></tr>" for name in names if wanted in name)
    none = "" if rows or not say_none else "<p>No records</p>"
    return page(
        f"<form action=/list><label>Name <input name=name></label><button>Find</button></form>{none}"
        f"<table aria-label=Records><thead><tr><th>{head}<th>Net amount</thead><tbody>{rows}</tbody></table>"
    )


def looked_up(tmp_path: Path, browser: Browser, answer: object, name: str = "Ann") -> object:
    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM_ONLY_LIST) as desk:  # type: ignore[arg-type]
        return desk.screens.look_up(
            "shop.order", fields={"name": name}, submit="save", read=("name",), credential="clerk"
        )


def test_a_look_up_takes_only_the_whole_value(tmp_path: Path, browser: Browser) -> None:
    names = ["Ann Lee", "Joann"]
    found = looked_up(tmp_path, browser, lambda asked: records(names, asked.values.get("name", "")))
    assert isinstance(found, NotFound)


def test_two_records_are_unclear(tmp_path: Path, browser: Browser) -> None:
    found = looked_up(tmp_path, browser, lambda asked: records(["Ann", "Ann"], asked.values.get("name", "")))
    assert isinstance(found, Unclear) and "2 records" in found.why


def test_no_rows_without_a_proof_are_unclear(tmp_path: Path, browser: Browser) -> None:
    found = looked_up(tmp_path, browser, lambda asked: records([], "", say_none=False))
    assert isinstance(found, Unclear) and "nothing proves it empty" in found.why


def test_a_list_without_its_column_is_unclear(tmp_path: Path, browser: Browser) -> None:
    found = looked_up(tmp_path, browser, lambda asked: records(["Ann"], "", head="Customer"))
    assert isinstance(found, Unclear) and "no column name; it shows Customer, Net amount" in found.why


def test_a_search_without_an_answer_is_unclear(tmp_path: Path, browser: Browser) -> None:
    dead = records([], "").replace("<form", "<form onsubmit='return false'")
    found = looked_up(tmp_path, browser, lambda asked: dead)
    assert isinstance(found, Unclear) and "did not answer" in found.why


def test_an_error_page_is_unclear(tmp_path: Path, browser: Browser) -> None:
    def answer(asked: Asked) -> Answer:
        return (500, page("<p>No records</p>")) if "name" in asked.values else records([], "")

    assert isinstance(looked_up(tmp_path, browser, answer), Unclear)


# finding


def one_field(name: str, more: str, body: str, type: str = "text") -> tuple[str, str]:
    """A screen with one field, and its page."""
    text = FORM.replace("        caption: Name\n        type: text\n", f"        type: {type}\n{more}")
    return HEAD + text, page(f"<form method=post action=/order>{body}<button>Save</button></form>")


FINDS = {
    "caption_by_label_for": ("        caption: Name\n", "<label for=x>Name: *</label><input id=x name=v>"),
    "caption_by_aria": ("        caption: Name\n", "<input aria-label=Name name=v><input aria-label='Party Name'>"),
    "caption_by_ids": ("        caption: Name\n", "<b id=t>Name</b><input aria-labelledby=t name=v>"),
    "synonym": ("        caption: [Name, Nom]\n", "<label>Nom <input name=v></label>"),
    "role_and_name": (
        "        find:\n          - role: textbox\n            name: Name\n",
        "<label>Name <input name=v></label><label>Party Name <input></label>",
    ),
    "placeholder": ("        find:\n          - placeholder: Your name\n", "<input placeholder='Your name' name=v>"),
    "xpath": ("        find:\n          - xpath: //div[2]/input\n", "<div><input></div><div><input name=v></div>"),
    "second_when_first_is_ambiguous": (
        "        find:\n          - css: input\n          - test_id: right\n",
        "<input><input data-testid=right name=v>",
    ),
    "hidden_twin": (
        "        caption: Name\n",
        "<label style='display:none'>Name <input></label><label>Name <input name=v></label>",
    ),
    "group": (
        "        caption: Name\n        scope:\n          - group: Buyer\n",
        "<fieldset><legend>Seller</legend><label>Name <input></label></fieldset>"
        "<fieldset><legend>Buyer:</legend><label>Name <input name=v></label></fieldset>",
    ),
    "dialog": (
        "        caption: Name\n        scope: [dialog]\n",
        "<label>Name <input></label><dialog open aria-label=New style='position:static'>"
        "<label>Name <input name=v></label></dialog>",
    ),
    "row_by_key": (
        "        scope:\n          - row: B-2\n        find:\n          - css: input\n",
        "<table><tbody><tr><td>B-1<td><input></tr><tr><td>B-2<td><input name=v></tr></tbody></table>",
    ),
    "css_scope": (
        "        caption: Name\n        scope:\n          - css: .right\n",
        "<div><label>Name <input></label></div><div class=right><label>Name <input name=v></label></div>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", list(FINDS))
def test_a_field_is_found_by(tmp_path: Path, browser: Browser, way: str) -> None:
    more, body = FINDS[way]
    selectors, shown = one_field("name", more, body)

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else shown

    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        desk.fill("shop.order", "save", name="Ann")
        assert pages.posts()[0].values["v"] == "Ann"


def test_an_element_that_shows_anothers_caption_is_refused(tmp_path: Path, browser: Browser) -> None:
    more = "        caption: Name\n        find:\n          - css: input[name=v]\n"
    selectors, shown = one_field("name", more, "<label>Net amount <input name=v></label>")
    with served(lambda asked: shown) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        with pytest.raises(ApplicationError, match='shows "Net amount", the caption of "amount"'):
            desk.fill("shop.order", "save", name="Ann")
        assert pages.posts() == []


def test_fields_in_open_shadow_roots_and_in_frames_are_filled(tmp_path: Path, browser: Browser) -> None:
    inner = page("<label>Net amount <input id=a oninput='parent.amount.value = value'></label>")
    body = """<form method=post action=/order><x-name></x-name><input type=hidden name=v>
        <input type=hidden id=amount name=amount><iframe name=money src=/inner></iframe><button>Save</button></form>"""
    script = """customElements.define('x-name', class extends HTMLElement { connectedCallback() {
        this.attachShadow({mode: 'open'}).innerHTML = '<label>Name <input></label>';
        this.shadowRoot.querySelector('input').oninput = (event) => { document.querySelector('[name=v]').value =
            event.target.value; }; } }); window.amount = document.getElementById('amount');"""
    selectors = HEAD + FORM.replace(
        "        caption: Net amount\n", "        caption: Net amount\n        scope:\n          - frame: money\n"
    )

    def answer(asked: Asked) -> Answer:
        if asked.path == "/inner":
            return inner
        return page(SENT) if asked.method == "POST" else page(body, script)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        desk.fill("shop.order", "save", name="Ann", amount=Decimal("7.5"))
        assert pages.posts()[0].values == {"v": "Ann", "amount": "7,50"}


# kinds of fields


KINDS = {
    "date_text": ("date", "<input name=v>", "2026-11-05", "05.11.2026"),
    "date_native": ("date", "<input name=v type=date>", "2026-11-05", "2026-11-05"),
    "number_native": ("number", "<input name=v type=number step=any>", "1234.5", "1234.5"),
    "choice": ("choice", "<select name=v><option value=1>One<option value=2>Two</select>", "Two", "2"),
    "radios": (
        "choice",
        "<div role=radiogroup aria-label=Name><label><input type=radio name=v value=1>One</label>"
        "<label><input type=radio name=v value=2>Two</label></div>",
        "Two",
        "2",
    ),
    "yes_no": ("yes_no", "<input type=checkbox name=v>", True, "on"),
    "textarea": ("text", "<textarea name=v></textarea>", "a\nb", "a\r\nb"),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_value_is_set_and_read_back(tmp_path: Path, browser: Browser, kind: str) -> None:
    type, control, value, sent = KINDS[kind]
    body = control if "radiogroup" in control else f"<label>Name {control}</label>"
    selectors, shown = one_field("name", "        caption: Name\n", body, type)
    if type == "date":
        from datetime import date

        value = date.fromisoformat(str(value))
    elif type == "number":
        value = Decimal(str(value))

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else shown

    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        desk.fill("shop.order", "save", name=value)
        assert pages.posts()[0].values["v"] == sent


def test_a_choice_that_is_not_offered_is_a_business_error(tmp_path: Path, browser: Browser) -> None:
    selectors, shown = one_field(
        "name", "        caption: Name\n", "<label>Name <select name=v><option>One</select></label>", "choice"
    )
    with served(lambda asked: shown) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        with pytest.raises(BusinessError, match='does not offer "Three"; it offers One'):
            desk.fill("shop.order", "save", name="Three")


RELATION = """<label>Name <input name=v autocomplete=off></label><ul></ul>"""
COMPLETE = """const input = document.querySelector('[name=v]'), list = document.querySelector('ul');
input.onkeyup = () => fetch('/complete').then(() => { list.innerHTML = ENTRIES.map((one) => `<li>${one}</li>`).join('');
    for (const entry of list.children) entry.onmousedown = () => { input.value = entry.textContent; list.innerHTML = '';
        input.dataset.chosen = 'yes'; }; });
input.onblur = () => { if (!input.dataset.chosen) input.value = ''; };"""


@pytest.mark.parametrize(
    ("entries", "compare", "chosen"),
    [
        (["Ann", "Ann Lee"], "exact", "Ann"),
        (["[A-1] Ann", "Ann Lee"], "contains", "[A-1] Ann"),
        (["Ann Lee", "Joann"], "contains", "Ann Lee"),
        (["Ann Lee", "Ann Poe"], "contains", None),
        (["Joann"], "contains", None),
    ],
)
def test_a_relation_takes_the_entry_that_is_meant_or_none(
    tmp_path: Path, browser: Browser, entries: list[str], compare: str, chosen: str | None
) -> None:
    more = f"        caption: Name\n        options: ul li\n        compare: {compare}\n"
    selectors, shown = one_field("name", more, RELATION, "relation")
    shown = shown.replace("<script>", f"<script>const ENTRIES = {entries!r};{COMPLETE}")

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else shown

    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        if chosen is None:
            with pytest.raises(BusinessError, match=r"several entries|no entry"):
                desk.fill("shop.order", "save", name="Ann")
            assert pages.posts() == []
        else:
            desk.fill("shop.order", "save", name="Ann")
            assert pages.posts()[0].values["v"] == chosen


def test_a_page_that_never_rests_is_said(tmp_path: Path, browser: Browser) -> None:
    script = "setInterval(() => fetch('/poll'), 20);"
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(ApplicationError, match="does not come to rest"):
            desk.fill("shop.order", "save", name="Ann")


def test_an_address_that_polls_can_be_left_out_of_the_count(tmp_path: Path, browser: Browser) -> None:
    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else form(script="setInterval(() => fetch('/poll'), 20);")

    selectors = HEAD + "quiet:\n  ignore: [/poll]\n" + FORM
    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        assert desk.fill("shop.order", "save", ("number",), name="Ann") == {"number": "N-7"}


def test_a_browser_that_was_killed_is_replaced(tmp_path: Path, browser: Browser) -> None:
    with served(posting) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        desk.fill("shop.order", "save", name="Ann")
        assert browser._browser is not None
        browser._browser.close()
        with pytest.raises(ApplicationError) as gone:
            desk.fill("shop.order", "save", name="Bob")
        assert gone.value.code == "browser_gone" and gone.value.transient
        desk.fill("shop.order", "save", name="Bob")
        assert [post.values["name"] for post in pages.posts()] == ["Ann", "Bob"]


def test_a_selector_that_is_no_css_is_said_in_words(tmp_path: Path, browser: Browser) -> None:
    selectors, shown = one_field("name", "        find:\n          - css: input[name=\n", "<input>")
    with served(lambda asked: shown) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        with pytest.raises(ApplicationError, match="not a valid selector") as wrong:
            desk.fill("shop.order", "save", name="Ann")
        assert not wrong.value.transient


def test_sensitive_values_are_in_no_picture_and_no_copy_of_the_page(tmp_path: Path, browser: Browser) -> None:
    selectors = HEAD + FORM.replace("        type: money\n", "        type: money\n        sensitive: true\n")

    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            return 500, form().replace("name=amount", f"name=amount value={asked.values['amount']}")
        return form()

    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors, pictures="full") as desk:
        with pytest.raises(OutcomeUnclear):
            desk.fill("shop.order", "save", name="Ann", amount=Decimal("777123.45"))
        files = sorted(path.name for path in (tmp_path / "evidence").iterdir())
        assert [name.split("-", 2)[2] for name in files] == [
            "order-typed.json",
            "order-before.jpg",
            "order-failure.jpg",
            "order-failure.html",
        ]
        for path in (tmp_path / "evidence").glob("*[nl]"):
            text = path.read_text(encoding="utf-8")
            assert "777123" not in text
            assert "Ann" in text or path.suffix == ".html"


# one-to-many

MANY = """
      contacts:
        caption: Contacts
        type: one_to_many
        entry: ENTRY
        add: new_contact
        ok: take
        preset:
          kind: Mail
        scope:
          - group: Contacts
        elements:
          kind:
            type: choice
            scope: [SCOPE]
            find:
              - css: select
          value:
            type: text
            scope: [SCOPE]
            find:
              - css: input
      new_contact:
        caption: New
        type: button
        scope:
          - group: Contacts
      take:
        caption: OK
        type: button
"""
ROW = "<td><select><option>Phone<option>Mail</select><td><input>"
CONTACTS = """<fieldset><legend>Contacts</legend><table><tbody id=rows></tbody></table>
    <button type=button id=add>New</button></fieldset><input type=hidden name=contacts>"""
INLINE = f"""const rows = document.getElementById('rows');
document.getElementById('add').onclick = () => setTimeout(() => {{
    rows.insertAdjacentHTML('beforeend', `<tr>{ROW}</tr>`); }}, 60);
document.forms[0].addEventListener('submit', () => {{ document.forms[0].contacts.value = [...rows.rows].map((row) =>
    row.querySelector('select').value + ' ' + row.querySelector('input').value).join(', '); }});"""
MODAL = f"""const taken = [];
document.getElementById('add').onclick = () => {{ document.body.insertAdjacentHTML('beforeend', `<div role=dialog>
    <table><tr>{ROW}</tr></table><button>OK</button></div>`);
    const dialog = document.querySelector('[role=dialog]');
    dialog.querySelector('button').onclick = () => {{ taken.push(dialog.querySelector('select').value + ' ' +
        dialog.querySelector('input').value); setTimeout(() => dialog.remove(), 60); }}; }};
document.forms[0].addEventListener('submit', () => {{ document.forms[0].contacts.value = taken.join(', '); }});"""


@pytest.mark.parametrize(
    ("entry", "scope", "script"), [("inline row", "row: last", INLINE), ("modal", "dialog", MODAL)]
)
def test_rows_of_a_one_to_many_are_added_typed_and_kept(
    tmp_path: Path, browser: Browser, entry: str, scope: str, script: str
) -> None:
    many = MANY.replace("ENTRY", entry).replace("scope: [SCOPE]", f"scope:\n              - {scope}")
    selectors = HEAD + FORM.replace("      save:\n", many.lstrip("\n") + "      save:\n", 1)
    shown = page(f"<form method=post action=/order>{FIELDS}{CONTACTS}<button>Save</button></form>", script)

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else shown

    with served(answer) as pages, page_desk(tmp_path, browser, pages, selectors) as desk:
        desk.fill("shop.order", "save", **{"name": "Ann", "contacts.value": "ann@example.com"})
        rows = Table.from_rows({"value": TEXT}, [{"value": "a"}, {"value": None}, {"value": "b"}, {"value": "b"}])
        desk.screens.fill_form(
            "shop.order", fields={"name": "Bob", "contacts.value": None}, lines={"contacts": rows}, attach={},
            submit="save", read=(), credential="clerk",
        )  # fmt: skip
        assert [post.values["contacts"] for post in pages.posts()] == ["Mail ann@example.com", "Mail a, Mail b, Mail b"]


def test_a_value_that_is_emptied_just_before_the_press_is_no_refusal_of_the_data(
    tmp_path: Path, browser: Browser
) -> None:
    """The page empties the amount in the very press; the application then refuses a form that nobody meant."""
    script = """
      const save = document.querySelector("button");
      save.addEventListener("pointerdown", () => { document.querySelector("[name=amount]").value = ""; });
      save.addEventListener("click", () => {
        const empty = !document.querySelector("[name=amount]").value;
        document.querySelector("#out").innerHTML = empty ? "<p role=alert>Net amount is missing.</p>"
          : "<p data-testid=number>N-7</p>";
      });
    """
    body = page(FIELDS + "<button type=button>Save</button><div id=out></div>", script)
    with served(lambda asked: body) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(ApplicationError) as raised:
            desk.fill("shop.order", "save", ("number",), name="Blue", amount=Decimal("7.5"))
    assert raised.value.code == "wiped_before_press"
    assert "emptied amount just before the press" in raised.value.message
    assert "Net amount is missing" in raised.value.message


# the last moment before the press, and a form that stands ready again


def test_what_a_page_changes_under_the_pointer_is_typed_again_before_the_press(
    tmp_path: Path, browser: Browser
) -> None:
    script = """document.querySelector('button').addEventListener('mouseenter', () => {
        document.querySelector('[name=amount]').value = '99,00'; }, {once: true});"""

    def answer(asked: Asked) -> Answer:
        return page(SENT) if asked.method == "POST" else form(script=script)

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        desk.fill("shop.order", "save", name="Ann", amount=Decimal("12.5"))
        assert [post.values for post in pages.posts()] == [{"name": "Ann", "amount": "12,50"}]
        assert len(desk.gate.passed) == 1
        assert desk.events("changed_before_press") == [{"screen": "shop.order"}]


def test_what_is_changed_each_time_is_never_posted(tmp_path: Path, browser: Browser) -> None:
    script = """document.querySelector('button').addEventListener('pointermove', () => {
        document.querySelector('[name=amount]').value = '99,00'; });"""
    with served(lambda asked: form(script=script)) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(ApplicationError, match="nothing was pressed"):
            desk.fill("shop.order", "save", name="Ann", amount=Decimal("12.5"))
        assert pages.posts() == []


STANDS = FORM.replace("    open: /order\n", "    open: /order\n    again: stands\n").replace(
    "ready_when: name is enabled and number is missing", "ready_when: name is enabled and name is missing"
).replace("done_when: number is present", "done_when: name is missing and amount is missing")  # fmt: skip
STAYING = """document.forms[0].onsubmit = (event) => { event.preventDefault();
    fetch('/order', {method: 'POST', body: new URLSearchParams(new FormData(event.target))}).then(() => {
        event.target.reset(); KEPT }); }"""


@pytest.mark.parametrize(("kept", "opened"), [("", 1), ("document.querySelector('textarea').value = 'of Ann';", 2)])
def test_a_form_that_stands_again_as_it_was_opened_is_not_opened_anew(
    tmp_path: Path, browser: Browser, kept: str, opened: int
) -> None:
    note = "<label>Note <textarea name=note></textarea></label>"
    body = form(script=STAYING.replace("KEPT", kept)).replace("<button>", f"{note}<button>")
    field = "      note:\n        caption: Note\n        type: text\n"
    selectors = STANDS.replace("      amount:\n", f"{field}      amount:\n")
    with served(lambda asked: body) as pages, page_desk(tmp_path, browser, pages, HEAD + selectors) as desk:
        for name in ("Ann", "Bob"):
            desk.fill("shop.order", "save", name=name, amount=Decimal(1))
        assert [(post.values["name"], post.values["note"]) for post in pages.posts()] == [("Ann", ""), ("Bob", "")]
        assert len([asked for asked in pages.asked if asked.method == "GET"]) == opened


# the trace of what failed again

SECRET = 'k\u00f6nig "42" & <sohn>'
CODE = "      code:\n        caption: Code\n        type: text\n        sensitive: true\n"
SECRETIVE = FORM.replace("      amount:\n", f"{CODE}      amount:\n")
NEVER_DONE = """document.forms[0].onsubmit = (event) => { event.preventDefault(); console.log(event.target.code.value);
    fetch('/order?' + new URLSearchParams(new FormData(event.target)), {method: 'POST',
        body: JSON.stringify(Object.fromEntries(new FormData(event.target)))}); }"""


def failed_twice(tmp_path: Path, browser: Browser, code: str) -> list[dict[str, str]]:
    field = "<label>Code <input name=code></label>"
    body = form(script=NEVER_DONE).replace("<button>", f"{field}<button>")
    with served(lambda asked: body) as pages, page_desk(tmp_path, browser, pages, HEAD + SECRETIVE) as desk:
        for _ in range(2):
            with pytest.raises(OutcomeUnclear):
                desk.fill("shop.order", "save", name="Ann of Trace", amount=Decimal(1), code=code)
        return [event["evidence"] for event in desk.events("screen_failed")]


def test_what_fails_again_leaves_a_trace_without_what_nobody_may_see(tmp_path: Path, browser: Browser) -> None:
    first, second = failed_twice(tmp_path, browser, SECRET)
    assert "trace" not in first
    with zipfile.ZipFile(tmp_path / "evidence" / second["trace"]) as trace:
        texts = [trace.read(name).decode("utf-8") for name in trace.namelist()]
    assert any("Ann of Trace" in text for text in texts) and any("(hidden)" in text for text in texts)
    assert not [form for form in forms_of(SECRET) for text in texts if form in text]
    assert not [text for text in texts if "sohn" in text]


def test_a_trace_that_cannot_be_cleaned_is_dropped(tmp_path: Path, browser: Browser) -> None:
    _, second = failed_twice(tmp_path, browser, "042")
    assert "failure" in second and "trace" not in second
    assert not list((tmp_path / "evidence").glob("*.zip")) and not list((tmp_path / "evidence").glob(".*"))


def test_what_goes_well_when_it_is_tried_again_leaves_no_trace(tmp_path: Path, browser: Browser) -> None:
    tries: list[Asked] = []

    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            tries.append(asked)
            return page(SENT) if len(tries) > 1 else None
        return form()

    with served(answer) as pages, page_desk(tmp_path, browser, pages, HEAD + FORM) as desk:
        with pytest.raises(OutcomeUnclear):
            desk.fill("shop.order", "save", name="Ann", amount=Decimal(1))
        desk.fill("shop.order", "save", name="Ann", amount=Decimal(1))
        assert not list((tmp_path / "evidence").glob("*.zip"))
