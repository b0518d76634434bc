"""From events to YAML, without a browser: the files are sound, hold no value, and amend what is there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from interoffice.loader.selectors import load_application
from interoffice.recording.amending import selectors_text, workflow_text
from interoffice.recording.events import Event
from interoffice.recording.questions import ask_all
from interoffice.recording.recorded import make_recording
from interoffice.recording.writing import Setting, Written, written

BASE = "http://erp.example"


def said(tag: str, caption: str = "", *, role: str = "", **more: Any) -> dict[str, Any]:
    """What a page says of an element with a caption."""
    by_role = {"kind": "role", "value": role or "textbox", "name": caption}
    found = [by_role, {"kind": "label", "value": caption, "name": None}]
    plain = {"tag": tag, "role": role, "captions": [caption] if caption else [], "candidates": found, "scope": []}
    return {**plain, "input": "", "secret": False, "blank": True, "name": "", "text": "", **more}


def typed(path: str, element: dict[str, Any], value: Any, document: str = "d") -> Event:
    heading = path.strip("/")
    return Event(what="typed", url=BASE + path, document=document, heading=heading, element=element, value=value)


def pressed(path: str, element: dict[str, Any], document: str = "d") -> Event:
    return Event(what="pressed", url=BASE + path, document=document, heading=path.strip("/"), element=element)


def seen(path: str, shows: list[tuple[dict[str, Any], str]] = [], grids: Any = (), document: str = "d") -> Event:  # noqa: B006
    told = [{"element": element, "text": text} for element, text in shows]
    return Event(what="seen", url=BASE + path, document=document, heading=path.strip("/"), shows=told, grids=grids)


REFERENCE = said("input", "Reference", required=True)
AMOUNT = said("input", "Amount")
SAVE = said("button", "Save", role="button", submits=True, text="Save")
NUMBER = said("output", "Order no.", role="status")
FOUND = said("output", "Found", role="status")
GRID = {**said("table", "Orders", role="table"), "columns": ["Order no.", "Reference", "Amount"], "rows": 2}
SEARCH = said("button", "Search", role="button", submits=True, text="Search")
PASSWORD = said("input", "Password", secret=True, input="password")

SIGN_IN = [
    typed("/sign-in", said("input", "User"), "clerk", "s"), typed("/sign-in", PASSWORD, None, "s"),
    pressed("/sign-in", said("button", "Log in", role="button", text="Log in"), "s"),
]  # fmt: skip
LIST = [
    seen("/orders", [(FOUND, "2")], [GRID], "l"), typed("/orders", REFERENCE, "R-1", "l"),
    pressed("/orders", SEARCH, "l"), seen("/orders?reference=R-1", [(FOUND, "0")], [{**GRID, "rows": 0}], "l2"),
]  # fmt: skip
FORM = [
    typed("/new", REFERENCE, "R-1"), typed("/new", AMOUNT, "1.250,75"), seen("/new", [(NUMBER, "")]),
    pressed("/new", SAVE), seen("/new", [(NUMBER, "SO-1")]),
]  # fmt: skip


def made(events: list[Event], answers: list[str] = [], known: str | None = None) -> tuple[Written, str, str]:  # noqa: B006
    told: list[str] = []
    recording = make_recording(events)
    left = iter(answers)
    given = ask_all(recording, lambda question: next(left, ""), told.append)
    application = load_application(known, "selectors/shop.yaml") if known is not None else None
    setting = Setting(
        application="shop", environment="live", address=BASE, base=BASE, credential="shop_user", day=date(2026, 11, 27),
        owner="a@example.com", known=application,
    )  # fmt: skip
    new = written(recording, given, setting)
    return new, selectors_text(new, "selectors/shop.yaml", known), workflow_text(new)


def test_a_whole_recording_becomes_a_sound_application_and_a_workflow() -> None:
    new, text, workflow = made([*SIGN_IN, seen("/home", [], document="h"), *LIST, *FORM])
    application = load_application(text, "selectors/shop.yaml")
    form = application.screens["new"]
    assert form.ready_when == "reference is enabled and reference is missing and order_no is missing"
    assert [element.type for element in form.elements.values()] == ["text", "money", "read_only", "button"]
    [save] = form.commits
    assert save.commit is not None
    assert (save.commit.done_when, save.commit.reason) == ("order_no is present", "error_banner")
    assert form.find_record is not None
    assert (form.find_record.screen, form.find_record.by) == ("orders", ("reference",))
    assert form.find_record.read == ("order_no", "amount")
    orders = application.screens["orders"]
    assert (orders.search, orders.open[""].address) == ("search", "/orders")
    [grid] = orders.grids
    assert grid.grid is not None and (grid.grid.empty_when, grid.grid.count) == ("found = 0", "found")
    assert application.formats.number == "1.234,56"
    assert new.workflow is not None
    assert new.workflow["steps"][0]["with"]["credential"] == "shop_user"
    assert new.workflow["inputs"]["amount"]["type"] == "money"
    assert "R-1" not in text + workflow and "1.250,75" not in text + workflow


def test_none_to_every_question_writes_screens_and_no_workflow() -> None:
    new, text, workflow = made(FORM, ["none"])
    assert workflow == ""
    assert load_application(text, "selectors/shop.yaml").screens["new"].commits == ()
    assert "no button commits" in new.notes[0]


def test_a_list_that_never_showed_how_empty_looks_gives_no_look_up_and_says_so() -> None:
    uncounted = [seen("/orders", [], [GRID], "l"), *LIST[1:3]]
    new, text, _ = made([*uncounted, *FORM])
    assert load_application(text, "selectors/shop.yaml").screens["new"].find_record is None
    assert "nothing is found was not seen" in new.notes[0]


def test_a_known_file_keeps_every_line_and_gets_what_it_lacks() -> None:
    known = """\
# ours since 2019
version: 1
application: shop
name: Shop
office: back
environments:
  live: {kind: web, address: "http://erp.example"}
screens:
  order:
    open: /new
    ready_when: ref is enabled     # after the upgrade
    elements:
      ref:
        caption: Reference         # once "Ref."
        type: text
      save:
        caption: Save
        type: button

  # and nothing else
  other:
    open: /other
    ready_when: x is enabled
    elements:
      x: {caption: X, type: text}
"""
    new, text, _ = made([*LIST, *FORM], known=known)
    lines = text.splitlines()
    assert [line for line in known.splitlines() if line not in lines] == []
    application = load_application(text, "selectors/shop.yaml")
    order = application.screens["order"]
    assert list(order.elements) == ["ref", "save", "amount", "order_no"]
    assert order.commits[0].name == "save"
    assert order.find_record is not None and order.find_record.by == ("ref",)
    assert list(application.screens) == ["order", "other", "orders"]
    assert new.workflow is not None
    assert list(new.workflow["inputs"]) == ["ref", "amount"]


def test_an_answer_that_is_none_of_them_is_asked_again() -> None:
    told: list[str] = []
    answers = iter(["9", "x", "1"])
    recording = make_recording(FORM)
    given = ask_all(recording, lambda question: next(answers, "none"), told.append)
    assert given.commit is not None
    assert '"9" is not one of them: write a number from 1 to 1, or none.' in told


@pytest.mark.parametrize("path", ["/orders/1", "/orders/17"])
def test_records_of_a_kind_are_one_screen(path: str) -> None:
    [screen] = make_recording([typed("/orders/1", REFERENCE, "a"), typed(path, AMOUNT, "1")]).screens
    assert len(screen.fields) == 2


def test_an_entry_of_a_completion_list_belongs_to_its_field_and_a_cell_is_no_element() -> None:
    party = said("input", "Party", role="combobox", completes=True)
    option = said("li", "Acme", role="option")
    cell = said("input", "Quantity", row=True)
    [screen] = make_recording([typed("/new", party, "Ac"), pressed("/new", option), typed("/new", cell, "3")]).screens
    assert [(one.name, one.type) for one in screen.fields] == [("party", "relation")]
    assert screen.presses == []


def test_a_sign_in_on_two_pages_is_one_screen_with_two_steps() -> None:
    two = [
        typed("/who", said("input", "User"), "clerk", "w"),
        pressed("/who", said("button", "Next", role="button", text="Next"), "w"),
        typed("/key", PASSWORD, None, "k"),
        pressed("/key", said("button", "Log in", role="button", text="Log in"), "k"),
        Event(what="seen", url=BASE + "/home", document="h", controls=[said("button", "x", text="Log out")]),
    ]
    _, text, _ = made([*two, *FORM])
    sign = load_application(text, "selectors/shop.yaml").sign_in
    assert sign is not None
    assert [(dict(step.fill), step.press) for step in sign.steps] == [
        ({"user": "user"}, "next"), ({"password": "password"}, "log_in")
    ]  # fmt: skip
    assert (sign.done_when, sign.sign_out) == ("sign_out is visible", "sign_out")


def test_cells_that_were_typed_are_told_and_not_written() -> None:
    new, text, _ = made([typed("/new", said("input", "Quantity", row=True), "3"), *FORM])
    assert "quantity" not in text
    assert "write the grid and `lines:` yourself" in new.notes[0]
