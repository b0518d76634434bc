"""What mail templates use, and remembering it, so that a check rarely needs Jinja itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from interoffice.frozen import dataclass

CACHE_FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateUse:
    """What a template uses: variable -> its first line; parts of loop variables as (variable looped over, part, line).

    `error`: why it can't be read as a template.
    """

    variables: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[tuple[str, str, int], ...] = ()
    error: str | None = None
    error_line: int = 1


class TemplateUses:
    """What templates use, by the digest of their text; kept in a file that may be thrown away."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._known: dict[str, TemplateUse] | None = None
        self._is_changed = False

    def of(self, text: str) -> TemplateUse:
        """What a template of this text uses."""
        if self._known is None:
            self._known = self._kept()
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest not in self._known:
            self._known[digest] = template_use(text)
            self._is_changed = True
        return self._known[digest]

    def save(self) -> None:
        """Keeps what was found out; where nothing can be written, nothing is kept."""
        if self._cache is None or not self._is_changed:
            return
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            written = self._cache.with_suffix(f".{os.getpid()}")
            uses = {digest: _as_json(use) for digest, use in (self._known or {}).items()}
            written.write_text(json.dumps({"format": CACHE_FORMAT, "templates": uses}))
            written.replace(self._cache)
            self._is_changed = False
        except OSError:
            return  # a read-only project is checked without a cache

    def _kept(self) -> dict[str, TemplateUse]:
        try:
            said = json.loads(self._cache.read_text()) if self._cache is not None else {}
            kept = said["templates"] if said.get("format") == CACHE_FORMAT else {}
            return {digest: _from_json(use) for digest, use in kept.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def _as_json(use: TemplateUse) -> Mapping[str, object]:
    return {
        "variables": dict(use.variables),
        "parts": [list(part) for part in use.parts],
        "error": use.error,
        "error_line": use.error_line,
    }


def _from_json(said: Mapping[str, Any]) -> TemplateUse:
    return TemplateUse(
        variables={str(name): int(line) for name, line in said["variables"].items()},
        parts=tuple((str(one), str(part), int(line)) for one, part, line in said["parts"]),
        error=said["error"],
        error_line=int(said["error_line"]),
    )


def template_use(text: str) -> TemplateUse:
    """What a template uses, by reading it."""
    from jinja2 import Environment, TemplateSyntaxError, meta, nodes

    try:
        tree = Environment(autoescape=True).parse(text)
    except TemplateSyntaxError as error:
        return TemplateUse(error=error.message or "wrong syntax", error_line=error.lineno)
    undeclared = meta.find_undeclared_variables(tree)
    lines: dict[str, int] = {}
    for found in tree.find_all(nodes.Name):
        if found.name in undeclared:
            lines.setdefault(found.name, found.lineno)
    return TemplateUse(variables=lines, parts=tuple(dict.fromkeys(_parts(tree, nodes))))


def _parts(tree: Any, nodes: Any) -> Iterator[tuple[str, str, int]]:
    """`{% for row in rows %}{{ row.amount }}` as (rows, amount, line)."""
    for loop in tree.find_all(nodes.For):
        if not isinstance(loop.iter, nodes.Name) or not isinstance(loop.target, nodes.Name):
            continue
        for inner in loop.body:
            for part in inner.find_all(nodes.Getattr):
                if isinstance(part.node, nodes.Name) and part.node.name == loop.target.name:
                    yield loop.iter.name, part.attr, part.lineno
