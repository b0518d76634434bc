"""docs/reference/grammar.md says what the parser does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interoffice.language import parse_rule
from interoffice.language.functions import FUNCTIONS, reference_row
from interoffice.language.nodes import NODES, walk
from interoffice.language.parser import KEYWORDS, TESTS

PAGE = (Path(__file__).parents[3] / "docs/reference/grammar.md").read_text()
EXAMPLES = [line for line in PAGE.partition("```expressions\n")[2].partition("```")[0].splitlines() if line]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_the_page_parses(text: str) -> None:
    parse_rule(text)


def test_the_examples_show_every_kind_of_node() -> None:
    shown = {type(node) for text in EXAMPLES for node in walk(parse_rule(text))}
    assert shown == set(NODES)


def test_the_page_names_every_keyword_and_test() -> None:
    grammar = PAGE.partition("```ebnf")[2].partition("```")[0]
    assert set(re.findall(r"[a-z]+", grammar)) >= KEYWORDS
    assert {f'"{test}"' for test in TESTS} <= set(re.findall(r'"[a-z]+"', grammar))


def test_the_page_lists_every_function_as_it_is() -> None:
    rows = PAGE.partition("|---|---|---|\n")[2].splitlines()
    assert rows == [reference_row(function) for function in FUNCTIONS.values()]
