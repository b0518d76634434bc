"""Files of selectors/: the samples load without a mistake, and each mistake is found at its place, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.errors import MistakesFound
from interoffice.loader.selectors import load_application, load_application_with_problems
from interoffice.model.selectors import Application
from interoffice.problem import Problem

ROOT = Path(__file__).parents[3]
GOOD = """\
version: 1
application: shop
name: Shop
office: back
environments:
  practice:
    kind: web
    address: practice:shop
  test:
    like: practice
    address: https://test.shop.example
settle: 2s
scopes:
  tab:
    css: .pane.active
    take: last
elements:
  who:
    caption: Signed in as
    type: read_only
  close:
    caption: Close
    type: button
sign_in:
  screen: sign_in
  steps:
    - fill:
        user: user
      press: enter_shop
  done_when: who is present
popups:
  news:
    when: close is visible
    press: close
screens:
  sign_in:
    open: /sign-in
    ready_when: user is enabled
    elements:
      user:
        caption: User
        type: text
      enter_shop:
        caption: Sign in
        type: button
  order:
    open: /order
    ready_when: name is enabled and name is missing
    scope: [tab]
    find_record:
      screen: list
      by: name
      read: [number]
    elements:
      name:
        caption: [Name, Nom]
        type: text
        max_length: 10
      amount:
        caption: Net amount
        type: money
        format: 1,234.56
      save:
        caption: Save
        type: button
        commits: true
        done_when: number is present
        fails_when: problem is visible
        reason: problem
        within: 30s
      number:
        caption: Number
        type: read_only
        pattern: N-##
      problem:
        type: read_only
        find:
          - role: alert
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
      records:
        caption: Records
        type: grid
        key: number
        empty_when: records is empty
        columns:
          number: {caption: Number, type: text}
          name: {caption: Name, type: text}
"""


def problems(text: str) -> list[Problem]:
    return load_application_with_problems(text, "selectors/shop.yaml")[1]


def good() -> Application:
    return load_application(GOOD, "selectors/shop.yaml")


@pytest.mark.parametrize("name", ["crm", "erp", "payroll", "tryton", "warehouse"])
def test_the_project_has_no_mistake_in(name: str) -> None:
    file = ROOT / "selectors" / f"{name}.yaml"
    application, found = load_application_with_problems(file.read_text(encoding="utf-8"), f"selectors/{name}.yaml")
    assert found == []
    assert application is not None and application.key == name


def test_a_file_is_read_as_it_says() -> None:
    shop = good()
    order = shop.screens["order"]
    assert order.elements["name"].caption == ("Name", "Nom")
    assert order.commits == (order.elements["save"],)
    assert order.elements["save"].commit is not None
    assert order.elements["save"].commit.within_s == 30
    assert order.scope[0].kind == "own" and order.scope[0].name == "tab"
    assert shop.environments["test"].kind == "web"
    assert shop.environments["test"].address == "https://test.shop.example"
    assert shop.element(order, "who") is shop.elements["who"]
    assert shop.list_of(order) is shop.screens["list"]
    assert problems(GOOD) == []


def test_words_of_another_kind_of_application_are_passed_over() -> None:
    file = ROOT / "selectors" / "erp.yaml"
    erp = load_application(file.read_text(encoding="utf-8"), "selectors/erp.yaml")
    element = erp.screens["sales_order"].elements["customer_no"]
    assert [one.kind for one in element.candidates(erp.environments["practice"])] == ["css", "keys"]
    assert [one.kind for one in element.candidates(erp.environments["desktop"])] == ["keys"]


MISTAKES = {
    "unknown key": ("settle: 2s", "setle: 2s", "S01", "settle"),
    "unknown element key": ("        max_length: 10", "        max_lenght: 10", "S01", "max_length"),
    "wrong type": ("        type: money", "        type: mony", "S05", "money"),
    "another name than the file": ("application: shop", "application: shoop", "S05", "shop"),
    "version": ("version: 1", "version: 2", "S07", "1"),
    "unknown scope": ("    scope: [tab]", "    scope: [tap]", "U02", "tab"),
    "unknown sign-in screen": ("  screen: sign_in", "  screen: signin", "U01", "sign_in"),
    "unknown list": ("      screen: list", "      screen: lists", "U01", "list"),
    "unknown element in ready_when": ("name is enabled and", "nane is enabled and", "U02", "name"),
    "unknown element in done_when": ("done_when: number is present", "done_when: numbr is present", "U02", "number"),
    "unknown reason": ("        reason: problem", "        reason: problm", "U02", "problem"),
    "unknown search": ("    search: find", "    search: fynd", "U02", "find"),
    "unknown by": ("      by: name", "      by: nam", "U02", "name"),
    "unknown key column": ("        key: number", "        key: nummer", "U02", "number"),
    "pop-up that presses what is not on every screen": ("    press: close", "    press: save", "U02", None),
    "format on a text": ("        max_length: 10", "        format: 1234.56", "U06", None),
    "no such number format": ("        format: 1,234.56", "        format: 1,234.5", "U06", None),
    "no done_when": ("        done_when: number is present\n", "", "U07", None),
    "done as refused": ("done_when: number is present", "done_when: problem is visible", "U07", None),
    "ready when filled": ("name is enabled and name is missing", "name is enabled", "U07", None),
    "no empty_when": ("        empty_when: records is empty\n", "", "U08", None),
    "read is no column": ("      read: [number]", "      read: [amount]", "U08", None),
    "by is no column": ("          name: {caption: Name, type: text}\n", "", "U08", None),
    "fragile": (
        "        caption: Net amount\n",
        "        find:\n          - xpath: //input[3]\n",
        "U04",
        None,
    ),
    "no way to find it": ("        find:\n          - role: alert\n", "", "U04", None),
    "no scheme of looking up": (
        "    find_record:\n      screen: list\n      by: name\n      read: [number]\n", "", "U08", None
    ),
    "two ways in one entry": ("          - role: alert", "          - role: alert\n            css: p", "S03", None),
}  # fmt: skip


@pytest.mark.parametrize("what", list(MISTAKES))
def test_a_mistake_is_found_once(what: str) -> None:
    old, new, rule, meant = MISTAKES[what]
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    found = problems(text)
    assert [problem.rule for problem in found] == [rule], found
    assert found[0].suggestion == meant
    if new:
        pairs = zip(GOOD.splitlines(), text.splitlines(), strict=False)
        changed = next(number for number, (before, after) in enumerate(pairs, 1) if before != after)
        assert abs(found[0].at.line - changed) <= 2 or rule in ("U04", "U08")


def test_a_search_that_would_press_a_commit_is_refused() -> None:
    post = "      post:\n        caption: Post\n        type: button\n        commits: true\n"
    find = "      find:\n        caption: Find\n"
    text = GOOD.replace("    search: find\n", "    search: post\n")
    text = text.replace(find, post + "        done_when: records is visible\n" + find)
    assert "U03" in [problem.rule for problem in problems(text)]


def test_all_mistakes_are_raised_at_once() -> None:
    text = GOOD.replace("type: money", "type: mony").replace("settle: 2s", "settle: soon")
    with pytest.raises(MistakesFound) as found:
        load_application(text, "selectors/shop.yaml")
    assert [problem.at.line for problem in found.value.problems] == sorted(p.at.line for p in found.value.problems)
    assert len(found.value.problems) == 2
