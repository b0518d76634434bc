"""The sample workflows, and one mistake put into one of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((PROJECT / "workflows").glob("*.yaml"))


@cache
def text_of(file: str) -> str:
    """The text of a file of the project."""
    return (PROJECT / file).read_text(encoding="utf-8")


def with_mistake(workflow: str, right: str, wrong: str) -> tuple[str, int]:
    """A sample with its first `right` replaced by `wrong`, and the line where it stands."""
    text = text_of(f"workflows/{workflow}.yaml")
    at = text.index(right)
    return text[:at] + wrong + text[at + len(right) :], text.count("\n", 0, at) + 1
