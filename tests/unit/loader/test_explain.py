"""`explain`: every rule in an analyst's words, with examples that are what they say."""

from __future__ import annotations

import re

import pytest

from interoffice.errors import UsageError
from interoffice.loader.explain import explain, rule_texts
from interoffice.loader.workflow import load_workflow_with_problems

from .samples import PROJECT

CODE = re.compile(r"\b([YSREBFCUDK]\d\d)\b")
BY_THE_LOADER = [code for code in rule_texts() if code[0] in "YS" or code == "C02"]


def rules_in(example: str) -> list[str]:
    """What the loader says of an example, completed to a whole workflow."""
    if example.startswith("- "):
        example = "steps:\n" + "".join(f"  {line}\n" for line in example.splitlines())
    for key, line in (("version", "version: 1\n"), ("name", "name: An example\n")):
        if not re.search(rf"^{key}:", example, re.MULTILINE):
            example = line + example
    if "steps:" not in example:
        example += "\nsteps:\n  - id: only\n    stop: Done\n"
    return [problem.rule for problem in load_workflow_with_problems(example, "workflows/x.yaml")[1]]


@pytest.mark.parametrize("code", BY_THE_LOADER)
def test_the_wrong_example_gives_exactly_its_rule_and_the_right_one_nothing(code: str) -> None:
    rule = rule_texts()[code]
    assert rules_in(rule.wrong) == [code]
    assert rules_in(rule.right) == []


def test_every_rule_that_any_part_reports_is_explained() -> None:
    used = set()
    for path in [*(PROJECT / "interoffice").rglob("*.py"), *(PROJECT / "bots").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"""["']([YSREBFCUDK]\d\d)["']""", text))
    assert used - set(rule_texts()) == set()


def test_every_rule_of_the_language_is_explained_with_two_different_examples() -> None:
    counts = {"Y": 6, "S": 7, "R": 9, "E": 7, "B": 5, "F": 12, "C": 9, "U": 8, "D": 5, "K": 3}
    assert set(rule_texts()) == {f"{letter}{n:02d}" for letter, last in counts.items() for n in range(1, last + 1)}
    for rule in rule_texts().values():
        assert rule.wrong != rule.right
        assert rule.title and rule.means


def test_a_code_is_found_whatever_its_capitals_and_an_unknown_one_is_wrong_usage() -> None:
    text = explain("u02")
    assert text.startswith("U02  An unknown element")
    assert "Wrong:\n    fields:" in text and "Right:\n    fields:" in text
    with pytest.raises(UsageError, match="U99"):
        explain("U99")
