"""Every expression of the project's own files parses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from interoffice.language import ExpressionError, parse_expression, parse_rule, parse_template

ROOT = Path(__file__).parents[3]
RULE_KEYS = {
    "if", "when", "where", "until", "rule", "required_when", "ready_when", "done_when", "fails_when", "breaks_when",
    "reached_when", "refused_when", "maintenance_when", "busy_while", "empty_when",
}  # fmt: skip


def texts(value: object, key: str = "", inside: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(key, keys above, text) of every text in a YAML file."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, str(name), (*inside, key))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, key, inside)
    elif isinstance(value, str):
        yield key, inside, value


def conditions_of(file: Path) -> Iterator[tuple[str, str]]:
    """(kind, text) of every expression in a file."""
    content = yaml.load(file.read_text(), Loader=yaml.BaseLoader)
    for key, inside, text in texts(content):
        in_step = "steps" in inside and "with" not in inside
        if key in RULE_KEYS or key == "rules":
            yield "rule", text
        elif in_step and (key == "key" or (inside[-1] == "columns" and key != "type")):
            yield "expression", text
        elif "${{" in text:
            yield "template", text


FILES = sorted([*(ROOT / "workflows").glob("*.yaml"), *(ROOT / "selectors").glob("*.yaml"), ROOT / "schedules.yaml"])


@pytest.mark.parametrize("file", [file for file in FILES if file.exists()], ids=lambda file: file.name)
def test_every_expression_of_the_file_parses(file: Path) -> None:
    parsers = {"rule": parse_rule, "expression": parse_expression, "template": parse_template}
    for kind, text in conditions_of(file):
        try:
            parsers[kind](text)
        except ExpressionError as error:
            pytest.fail(f"{text}: {error!r}")


def test_the_files_hold_expressions_of_all_kinds() -> None:
    found = {kind for file in FILES if file.exists() for kind, _ in conditions_of(file)}
    assert found == {"rule", "expression", "template"}
