"""How a form is shown when the application "was upgraded": other names and ids, other places, other captions."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from interoffice.practice.documents import Field
from interoffice.practice.web import PageFaults

NAMES_SEED = "_names"
"""The hidden input that tells the server with which seed the names of a form were made."""

_ATTRIBUTES = {
    "renamed_ids": re.compile(r'(?<=[\s])(id|for|aria-labelledby|aria-describedby)="([^"]+)"'),
    "renamed_names": re.compile(r'(?<=[\s])(name)="([^"_][^"]*)"'),
    "renamed_test_ids": re.compile(r'(?<=[\s])(data-testid)="([^"]+)"'),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownField:
    """A field as one page shows it; `shows` is the value in the input."""

    field: Field
    caption: str
    shows: str


def dress(fields: Iterable[Field], values: Mapping[str, str], faults: PageFaults) -> list[ShownField]:
    """The fields in the order and with the captions that this page has."""
    shown = [ShownField(field=f, caption=f.caption, shows=values.get(f.name, "")) for f in fields]
    if (changed := faults.get("changed_caption")) is not None and changed.fields:
        shown = [replace(s, caption=changed.text) if s.field.name == changed.fields[0] else s for s in shown]
    if (swapped := faults.get("swapped_captions")) is not None and len(shown) > 1:
        shown = _swap(shown, swapped.fields, swapped.seed)
    if (moved := faults.get("moved_fields")) is not None and len(shown) > 1:
        shown = _shuffle(shown, moved.seed)
    return shown


def _swap(shown: list[ShownField], names: tuple[str, ...], seed: int) -> list[ShownField]:
    chosen = names or tuple(random.Random(seed).sample([s.field.name for s in shown], 2))
    captions = {s.field.name: s.caption for s in shown if s.field.name in chosen}
    if len(captions) != 2:
        return shown
    one, other = captions
    other_caption = {one: captions[other], other: captions[one]}
    return [replace(s, caption=other_caption.get(s.field.name, s.caption)) for s in shown]


def _shuffle(shown: list[ShownField], seed: int) -> list[ShownField]:
    draws = random.Random(seed)
    moved = shown
    while moved == shown:
        moved = draws.sample(shown, len(shown))
    return moved


def rename_attributes(html: str, faults: PageFaults) -> str:
    """The page with the names of elements that its faults give it; the same seed gives the same names."""
    for kind, pattern in _ATTRIBUTES.items():
        fault = faults.get(kind)
        if fault is not None:
            html = pattern.sub(_Renaming(fault.seed), html)
    return html


def names_seed(faults: PageFaults) -> str:
    """What the hidden input holds; nothing where names are as they should be."""
    fault = faults.get("renamed_names")
    return str(fault.seed) if fault is not None else ""


def plain_names(typed: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """What was typed, by the names the server knows, however the form's inputs were called."""
    seed = typed.get(NAMES_SEED, "")
    if not seed.isdigit():
        return dict(typed)
    original = {_new_name(name, int(seed)): name for name in known}
    plain: dict[str, str] = {}
    for name, value in typed.items():
        front, dot, last = name.rpartition(".")
        plain[front + dot + original.get(last, last)] = value
    return plain


class _Renaming:
    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, match: re.Match[str]) -> str:
        front, dot, last = match[2].rpartition(".")
        return f'{match[1]}="{front}{dot}{_new_name(last, self._seed)}"'


def _new_name(name: str, seed: int) -> str:
    return "c" + hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()[:9]
