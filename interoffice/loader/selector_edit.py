"""A candidate put first into a file of selectors/, every other byte as it was: comments, order and quotes stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from interoffice.errors import UsageError
from interoffice.loader.selectors import load_application
from interoffice.problem import Path, Source

ORDER: Final = ("role", "name", "label", "test_id", "placeholder", "text", "css", "xpath")


def with_candidate(
    text: str, file: str, *, screen: str, element: str, environment: str, candidate: Mapping[str, Any]
) -> str:
    """The file's text with one more candidate, tried before those that are there. UsageError: there is no such element.

    Where candidates are written by environment, it goes to those of this one. MistakesFound where the new text is none.
    """
    source = load_application(text, file).source
    owner: Path = ("screens", screen, "elements") if screen else ("elements",)
    names = element.split(".")
    path: Path = (*owner, names[0], *(part for name in names[1:] for part in ("elements", name)))
    if path not in source.keys:
        raise UsageError(f'{file} has no element "{element}"' + (f" on the screen {screen}." if screen else "."))
    written = [f"{key}: {quoted(str(candidate[key]))}" for key in _keys(candidate)]
    new = _inserted(text, source, path, environment, written)
    load_application(new, file)
    return new


def _keys(candidate: Mapping[str, Any]) -> list[str]:
    return [key for key in ORDER if candidate.get(key) is not None]


def candidate_map(found: Mapping[str, Any]) -> dict[str, str]:
    """A candidate of a page as the file writes it: {css: "input[name=x]"}."""
    said = {str(found["kind"]): str(found["value"])}
    return said | ({"name": str(found["name"])} if found.get("name") else {})


def quoted(value: str) -> str:
    """A text as YAML holds it in one line, in double quotes where it needs them."""
    import json

    plain = value.replace("_", "").replace("-", "").replace(" ", "")
    return value if plain.isalnum() and not value[0].isdigit() else json.dumps(value, ensure_ascii=False)


def _inserted(text: str, source: Source, path: Path, environment: str, written: list[str]) -> str:
    find = (*path, "find")
    by_environment = (*find, environment)
    listed = by_environment if by_environment in source.keys or (*by_environment, 0) in source.values else find
    first = (*listed, 0)
    if first in source.values:
        start = text.rfind("\n", 0, source.values[first][0]) + 1
        indent = text[start : start + len(text[start:]) - len(text[start:].lstrip(" "))]
        return text[:start] + _lines(indent, written) + text[start:]
    key_start = text.rfind("\n", 0, source.keys[path][0]) + 1
    inner = " " * (source.keys[path][0] - key_start + 2)
    end = text.find("\n", source.keys[path][1]) + 1 or len(text)
    return text[:end] + f"{inner}find:\n" + _lines(f"{inner}  ", written) + text[end:]


def _lines(indent: str, written: list[str]) -> str:
    first, *more = written
    return f"{indent}- {first}\n" + "".join(f"{indent}  {each}\n" for each in more)
