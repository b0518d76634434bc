"""The elements of a selectors file: captions, candidates, scope chains, grids, one-to-many, commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from interoffice.loader.yaml_tree import Fields, Reading, said
from interoffice.model.selectors import (
    EVERYWHERE,
    Candidate,
    Column,
    Commit,
    Compare,
    Element,
    ElementType,
    Grid,
    Held,
    OneToMany,
    Scope,
    ScopeStep,
)
from interoffice.problem import Path, did_you_mean

MOST_ELEMENTS: Final = 300
MOST_CANDIDATES: Final = 8
ELEMENT_TYPES: Final[tuple[ElementType, ...]] = get_args(ElementType)
COLUMN_TYPES: Final[tuple[ElementType, ...]] = (
    "text", "number", "money", "date", "choice", "yes_no", "relation", "read_only",
)  # fmt: skip
COMPARES: Final[tuple[Compare, ...]] = get_args(Compare)
HELD: Final[tuple[Held, ...]] = get_args(Held)
COMMIT_KEYS: Final = (
    "done_when", "fails_when", "breaks_when", "reason", "confirm", "verify_after", "reached_when",
)  # fmt: skip
GRID_KEYS: Final = (
    "columns", "key", "cells_by", "next_page", "max_pages", "count", "empty_when", "open_row",
)  # fmt: skip
MANY_KEYS: Final = ("entry", "elements", "ok", "ok_and_new", "preset")
ELEMENT_KEYS: Final = (
    "caption", "type", "find", "scope", "required", "max_length", "pattern", "typed_as", "format", "typed_into",
    "typed_format", "choices", "options", "compare", "accepts", "holds", "downloads", "within", "sensitive", "behind",
    "leave_by", "heal", "commits", "add", *COMMIT_KEYS, *GRID_KEYS, *MANY_KEYS,
)  # fmt: skip
COLUMN_KEYS: Final = (
    "caption", "type", "required", "format", "max_length", "choices", "compare", "sensitive",
)  # fmt: skip
CANDIDATE_KEYS: Final = (
    "role", "name", "label", "test_id", "placeholder", "text", "css", "xpath", "access", "keys", "ocr", "beside",
    "offset", "image", "at", "copy",
)  # fmt: skip
KIND_OF_SCOPE: Final = ("frame", "active_tab", "group", "row", "dialog", "page", "css")
FITTING: Final[Mapping[str, frozenset[str]]] = {
    "format": frozenset({"number", "money", "date", "read_only"}),
    "pattern": frozenset({"text", "read_only"}),
    "max_length": frozenset({"text", "rich_text", "relation"}),
    "choices": frozenset({"choice", "multi_choice"}),
    "compare": frozenset({"text", "rich_text", "relation", "choice", "read_only"}),
    "options": frozenset({"relation", "choice", "multi_choice"}),
    "typed_as": frozenset({"text"}),
    "typed_into": frozenset({"text", "number", "money", "date"}),
    "typed_format": frozenset({"number", "money", "date"}),
    "accepts": frozenset({"file"}),
    "holds": frozenset({"read_only"}),
    "downloads": frozenset({"button"}),
    "commits": frozenset({"button"}),
    "add": frozenset({"grid", "one_to_many"}),
    **dict.fromkeys(GRID_KEYS, frozenset({"grid"})),
    **dict.fromkeys(MANY_KEYS, frozenset({"one_to_many"})),
}
"""Which types a key goes with (U06)."""


SIDES: Final[tuple[Literal["right", "below"], ...]] = ("right", "below")


def seconds(fields: Fields, key: str) -> Decimal | None:
    """A duration of fixed length, in seconds."""
    duration = fields.duration(key)
    if duration is None:
        return None
    if not duration.is_fixed:
        fields.problem("S05", key, f'"{key}" must be a length like 500ms, 30s or 5m, not "{duration}"')
        return None
    return duration.total_seconds


def load_elements(
    fields: Fields, key: str, scopes: Mapping[str, Scope], environments: Collection[str]
) -> dict[str, Element]:
    """The elements below a key, by name."""
    read = fields.map_of(key, *ELEMENT_KEYS)
    if len(read) > MOST_ELEMENTS:
        fields.problem("S05", key, f"more than {MOST_ELEMENTS} elements in one place; split the screen")
    return {name: _load_element(name, each, scopes, environments) for name, each in read.items()}


def _load_element(
    name: str, fields: Fields, scopes: Mapping[str, Scope], environments: Collection[str]
) -> Element:
    _check_name(name, fields)
    type = fields.choice("type", ELEMENT_TYPES, "text", required=True)
    _check_fitting(fields, type)
    element = Element(
        name=name,
        path=fields.path,
        type=type,
        caption=fields.texts("caption"),
        find=_load_find(fields, environments),
        scope=load_scope(fields, "scope", scopes),
        required=fields.yes_no("required"),
        max_length=fields.whole("max_length"),
        pattern=fields.text("pattern"),
        typed_as=_typed_as(fields),
        format=fields.text("format"),
        typed_into=_load_candidates(fields, "typed_into"),
        typed_format=fields.text("typed_format"),
        choices=fields.texts("choices"),
        options=fields.text("options"),
        compare=fields.choice("compare", COMPARES, "exact"),
        accepts=tuple(ending.lower().lstrip(".") for ending in fields.texts("accepts")),
        holds=fields.choice("holds", HELD, "text"),
        downloads=fields.text("downloads"),
        within_s=seconds(fields, "within"),
        sensitive=fields.yes_no("sensitive"),
        behind=fields.text("behind"),
        leave_by=fields.text("leave_by"),
        heals=fields.choice("heal", ("always", "never"), "always") != "never",
        commit=_load_commit(fields),
        grid=_load_grid(fields) if type == "grid" else None,
        many=_load_many(fields, scopes, environments) if type == "one_to_many" else None,
    )
    fields.close()
    return element


def _check_name(name: str, fields: Fields) -> None:
    if not name.isidentifier() or name != name.lower():
        wrong = f'an element\'s name is small letters, digits and _, not "{name}"'
        fields.reading.problem("S04", fields.path, wrong, at_key=True)


def _check_fitting(fields: Fields, type: ElementType) -> None:
    """U06: keys that mean nothing for this type."""
    for key, types in FITTING.items():
        if key in fields.values and type not in types:
            has = ", ".join(sorted(types))
            fields.has(key)
            fields.problem("U06", key, f'a {type} has no "{key}"; it goes with {has}', at_key=True)


def _typed_as(fields: Fields) -> str | None:
    text = fields.text("typed_as")
    if text is not None and text.count("{value}") != 1:
        fields.problem("S05", "typed_as", f'"typed_as" must hold {{value}} once, not "{text}"')
        return None
    return text


# commits


def _load_commit(fields: Fields) -> Commit | None:
    said = {key: fields.text(key) for key in COMMIT_KEYS if key != "verify_after"}
    verify_after = fields.yes_no("verify_after")
    if not fields.yes_no("commits"):
        _refuse_commit_keys(fields)
        return None
    if said["done_when"] is None:
        fields.problem("U07", None, f'"{fields.path[-1]}" commits, so it needs "done_when": what shows that it worked')
    return Commit(
        path=fields.path,
        done_when=said["done_when"] or "",
        within_s=seconds(fields, "within"),
        fails_when=said["fails_when"],
        reason=said["reason"],
        breaks_when=said["breaks_when"],
        confirm=said["confirm"],
        verify_after=verify_after,
        reached_when=said["reached_when"],
    )


def _refuse_commit_keys(fields: Fields) -> None:
    for key in COMMIT_KEYS:
        if key in fields.values:
            fields.problem("U06", key, f'"{key}" goes with a button that says `commits: true`', at_key=True)


# grids, one-to-many


def _load_grid(fields: Fields) -> Grid:
    columns = {}
    for name, each in fields.map_of("columns", *COLUMN_KEYS).items():
        columns[name] = Column(
            name=name,
            path=each.path,
            type=each.choice("type", COLUMN_TYPES, "text"),
            caption=each.texts("caption") or (name,),
            required=each.yes_no("required"),
            format=each.text("format"),
            max_length=each.whole("max_length"),
            choices=each.texts("choices"),
            compare=each.choice("compare", COMPARES, "exact"),
            sensitive=each.yes_no("sensitive"),
        )
        each.close()
    if "columns" not in fields.values:
        fields.problem("S02", None, f'the grid "{fields.path[-1]}" needs "columns"')
    return Grid(
        columns=columns,
        key=fields.texts("key"),
        cells_by=fields.text("cells_by"),
        add=fields.text("add"),
        next_page=fields.text("next_page"),
        max_pages=fields.whole("max_pages"),
        count=fields.text("count"),
        empty_when=fields.text("empty_when"),
        open_row=fields.text("open_row"),
    )


def _load_many(fields: Fields, scopes: Mapping[str, Scope], environments: Collection[str]) -> OneToMany:
    return OneToMany(
        entry=fields.choice("entry", ("inline row", "modal", "first record"), "inline row", required=True),
        elements=load_elements(fields, "elements", scopes, environments),
        add=fields.text("add"),
        ok=fields.text("ok"),
        ok_and_new=fields.text("ok_and_new"),
        preset=fields.text_map("preset"),
    )


# candidates


def _load_find(fields: Fields, environments: Collection[str]) -> dict[str, tuple[Candidate, ...]]:
    found = fields.raw("find")
    if not isinstance(found, dict):
        candidates = _load_candidates(fields, "find")
        return {EVERYWHERE: candidates} if candidates else {}
    by_environment = Fields(fields.reading, fields.place("find"))
    for name in found:
        if name not in environments:
            wrong = f'"{name}" is no environment of this file; there is {", ".join(environments)}'
            fields.reading.problem("U01", (*by_environment.path, name), wrong, at_key=True)
    return {name: _load_candidates(by_environment, name) for name in found}


def _load_candidates(fields: Fields, key: str) -> tuple[Candidate, ...]:
    entries = fields.entries(key, *CANDIDATE_KEYS) if fields.has(key) else []
    if len(entries) > MOST_CANDIDATES:
        fields.problem("S05", key, f"more than {MOST_CANDIDATES} ways to find one element; keep the sturdiest")
    return tuple(candidate for entry in entries if (candidate := _load_candidate(entry)) is not None)


_VALUE_KINDS: Final = ("label", "test_id", "placeholder", "text", "css", "xpath", "ocr", "image")


def _load_candidate(fields: Fields) -> Candidate | None:
    kind = _kind_of(fields)
    if kind is None:
        fields.problem("S03", None, f"an entry of find names one way: {', '.join(CANDIDATE_KEYS)}")
        return None
    value = fields.text(kind, required=True) if kind in (*_VALUE_KINDS, "role", "access") else ""
    candidate = Candidate(
        kind=kind,
        path=fields.path,
        value=value,
        name=fields.text("name"),
        role=fields.text("role") if kind == "access" else None,
        keys=fields.texts("keys"),
        copy=fields.texts("copy"),
        beside=fields.choice("beside", SIDES, "right") if fields.has("beside") else None,
        offset=_place(fields, "offset"),
        at=_place(fields, "at"),
    )
    fields.close()
    return candidate


def _kind_of(fields: Fields) -> str | None:
    """The one way that an entry names; `keys` and `copy` may stand beside others, `role` beside `access`."""
    named = [kind for kind in ("access", "role", *_VALUE_KINDS, "at") if fields.has(kind)]
    if "access" in named and "role" in named:
        named.remove("role")
    if not named:
        named = [kind for kind in ("keys", "copy") if fields.has(kind)][:1]
    return named[0] if len(named) == 1 else None


def _place(fields: Fields, key: str) -> tuple[int, int] | None:
    texts = fields.texts(key)
    if not texts:
        return None
    if len(texts) != 2 or not all(text.lstrip("-").isdigit() for text in texts):
        fields.problem("S05", key, f'"{key}" must be two whole numbers, [x, y]')
        return None
    return int(texts[0]), int(texts[1])


# scope chains


def load_scope(fields: Fields, key: str, scopes: Mapping[str, Scope]) -> tuple[ScopeStep, ...]:
    """A scope chain, outermost first; a step is a word (`dialog`) or one key with its value (`dialog: Notice`)."""
    if not fields.has(key):
        return ()
    found = []
    for number, entry in enumerate(fields.list_of(key)):
        step = _scope_step(fields.reading, (*fields.place(key), number), entry, scopes)
        if step is not None:
            found.append(step)
    return tuple(found)


def _scope_step(reading: Reading, path: Path, entry: Any, scopes: Mapping[str, Scope]) -> ScopeStep | None:
    if isinstance(entry, str):
        name, value = entry, None
    elif isinstance(entry, dict) and len(entry) == 1 and isinstance(next(iter(entry.values())), str):
        ((name, value),) = entry.items()
    else:
        reading.problem("S05", path, f"a step of a scope is a word or one key with a text, not {said(entry)}")
        return None
    if name in scopes:
        return ScopeStep(kind="own", path=path, name=name, value=value)
    for kind in KIND_OF_SCOPE:
        if kind == name:
            return _known_step(reading, path, kind, value)
    known = [*KIND_OF_SCOPE, *scopes]
    wrong = f'there is no scope "{name}"; there is {", ".join(known)}'
    reading.problem("U02", path, wrong, suggestion=did_you_mean(name, known))
    return None


def _known_step(reading: Reading, path: Path, kind: Any, value: str | None) -> ScopeStep | None:
    if value is None and kind in ("frame", "group", "row", "css"):
        reading.problem("S02", path, f'the scope "{kind}" needs a value: `{kind}: ...`')
        return None
    return ScopeStep(kind=kind, path=path, value=value)
