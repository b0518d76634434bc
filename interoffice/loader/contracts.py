"""tables/<name>.yaml -> the frozen description of a table, with every mistake of its shape at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from interoffice.errors import MistakesFound
from interoffice.loader.contract_columns import COLUMN_KEYS, load_columns, load_typed_columns
from interoffice.loader.contract_writing import SOURCE_KEYS, load_writing
from interoffice.loader.yaml_tree import Fields, Reading, compose, said
from interoffice.model.contract import (
    PUBLISHERS,
    Column,
    Contract,
    Control,
    DecisionTable,
    Factor,
    Layout,
    Pattern,
    Patterns,
    Place,
    Queue,
    RiskTable,
    ScreeningList,
    TableFile,
    Trailer,
)
from interoffice.model.reading import date_pattern
from interoffice.model.risk_points import mistakes_of
from interoffice.model.types import TEXT
from interoffice.model.values import Duration, number_from_text
from interoffice.problem import Path, Problem, did_you_mean

__all__ = ["load_contract", "load_contract_with_problems"]

KINDS: Final = ("decision", "queue", "risk", "list", "layout", "patterns")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("version", "name", "source", "columns", "unknown_columns", "trailer", "controls", "file", "delimiter"),
    "decision": ("version", "name", "decision", "hit", "file", "delimiter", "decimal", "given", "gives"),
    "queue": ("version", "name", "queue", "key", "priority", "keep", "columns"),
    "risk": ("version", "name", "risk", "gives", "factors", "bands"),
    "list": ("version", "name", "list", "files", "oldest"),
    "layout": ("version", "name", "layout", "dates", "decimal", "columns", "controls"),
    "patterns": ("version", "name", "patterns"),
}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_RANGE: Final = re.compile(r"(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?")
_KEEP: Final = Duration(days=90)
_OLDEST: Final = Duration(days=2)


def load_contract(text: str, file: str) -> TableFile:
    """The description in a file's text; MistakesFound with all mistakes of its shape."""
    found, reading = _read(text, file)
    reading.raise_mistakes()
    return found


def load_contract_with_problems(text: str, file: str) -> tuple[TableFile | None, list[Problem]]:
    """The description as far as it can be read (None when it is no YAML), and every mistake of its shape."""
    try:
        found, reading = _read(text, file)
    except MistakesFound as mistakes:
        return None, list(mistakes.problems)
    return found, reading.sorted_problems()


def _read(text: str, file: str) -> tuple[TableFile, Reading]:
    reading = Reading(compose(text, file))
    kind = _kind(reading)
    top = reading.top(*KEYS[kind])
    version = top.text("version", required=True)
    if version not in ("", "1"):
        top.problem("S07", "version", f'version {said(version)} is not known here; write "version: 1"', "1")
    key = re.split(r"[/\\]", file)[-1].removesuffix(".yaml")
    if not _NAME.fullmatch(key):
        top.problem("S04", "version", f'the file\'s name "{key}" must be small letters, digits and _')
    top.has(kind)
    found = _LOADERS[kind](top, key, top.text("name", default=key))
    top.close()
    return found, reading


def _kind(reading: Reading) -> str:
    root = reading.tree.root
    kinds = [kind for kind in KINDS if kind in root]
    if len(kinds) > 1:
        reading.problem("S03", (kinds[1],), f'a file is one thing: "{kinds[0]}" or "{kinds[1]}"', at_key=True)
    for kind in kinds:
        if kind in ("decision", "queue", "risk") and root[kind] != "true":
            reading.problem("S05", (kind,), f'"{kind}" can be true, or is left out', suggestion="true")
    return kinds[0] if kinds else ""


def _load_table(top: Fields, key: str, name: str) -> Contract:
    writing = load_writing(top.sub("source", *SOURCE_KEYS), top)
    columns = load_columns(top, "columns", writing)
    trailer = _load_trailer(top, columns)
    return Contract(
        key=key,
        name=name,
        source=top.reading.source,
        columns=columns,
        writing=writing,
        unknown_columns=top.choice("unknown_columns", ("ignore", "error", "keep"), "ignore"),
        trailer=trailer,
        controls=_load_controls(top, columns, trailer),
        file=top.text("file"),
    )


def _load_trailer(top: Fields, columns: Mapping[str, Column]) -> Trailer | None:
    fields = top.sub("trailer", "starts_with", "columns")
    if fields is None:
        return None
    if isinstance(fields.raw("columns"), dict):
        types = load_typed_columns(fields, "columns")
    else:
        names = fields.texts("columns", required=True)
        types = {name: columns[name].type if name in columns else TEXT for name in names}
    trailer = Trailer(starts_with=fields.text("starts_with", required=True), columns=types)
    fields.close()
    return trailer


def _load_controls(top: Fields, columns: Mapping[str, Column], trailer: Trailer | None) -> tuple[Control, ...]:
    from interoffice.language.errors import ExpressionError
    from interoffice.language.parser import parse_rule

    controls = []
    for number, text in enumerate(top.texts("controls")):
        path: Path = (*top.place("controls"), number)
        if path not in top.reading.source.values:
            path = top.place("controls")
        try:
            node = parse_rule(text)
        except ExpressionError as error:
            at = top.reading.source.at(path, error.offset, error.length)
            top.reading.problems.append(
                Problem(rule=error.code, message=error.message, at=at, suggestion=error.suggestion)
            )
            continue
        _check_control_names(top, path, node, columns, trailer)
        controls.append(Control(text=text, path=path))
    return tuple(controls)


def _check_control_names(
    top: Fields, path: Path, node: object, columns: Mapping[str, Column], trailer: Trailer | None
) -> None:
    from interoffice.language.names import columns_used, dotted_names

    def report(rule: str, message: str, start: int, end: int, suggestion: str | None) -> None:
        at = top.reading.source.at(path, start, end - start)
        top.reading.problems.append(Problem(rule=rule, message=message, at=at, suggestion=suggestion))

    for used in dotted_names(node):  # type: ignore[arg-type]
        if used.path[0] != "trailer" or len(used.path) == 1:
            continue
        known = trailer.columns if trailer is not None else {}
        if used.path[1] not in known:
            has = f"has {', '.join(known)}" if known else 'is not described: write "trailer:"'
            meant = did_you_mean(used.path[1], list(known))
            report("R05", f'there is no "{used.text}"; the trailer {has}', used.start, used.end,
                   f"trailer.{meant}" if meant else None)  # fmt: skip
    for used in columns_used(node):  # type: ignore[arg-type]
        if used.path[0] not in columns and used.path[0] != "trailer":
            report("C03", f'there is no column "{used.text}"', used.start, used.end,
                   did_you_mean(used.text, list(columns)))  # fmt: skip


def _load_queue(top: Fields, key: str, name: str) -> Queue:
    columns = load_columns(top, "columns", None)
    key_columns = top.texts("key", required=True)
    for column in key_columns:
        if column not in columns:
            top.problem("C03", "key", f'there is no column "{column}"', did_you_mean(column, list(columns)))
    return Queue(
        key=key,
        name=name,
        source=top.reading.source,
        columns=columns,
        key_columns=key_columns,
        priority=top.choice("priority", ("low", "normal", "high"), "normal"),
        keep=top.duration("keep", default=_KEEP) or _KEEP,
    )


def _load_decision(top: Fields, key: str, name: str) -> DecisionTable:
    writing = load_writing(None, top)
    given = load_columns(top, "given", writing)
    gives = load_columns(top, "gives", writing)
    for column in given.keys() & gives.keys():
        path = (*top.place("gives"), column)
        top.reading.problem("S04", path, f'"{column}" is given already; name the answer otherwise', at_key=True)
    return DecisionTable(
        key=key,
        name=name,
        source=top.reading.source,
        hit=top.choice("hit", ("first", "all", "add_up"), "first"),
        file=top.text("file", required=True),
        writing=writing,
        given=given,
        gives=gives,
    )


def _load_risk(top: Fields, key: str, name: str) -> RiskTable:
    factors = []
    for entry in top.entries("factors", "column", "points", required=True):
        points = entry.text_map("points", required=True)
        factor = Factor(column=entry.text("column", required=True), points=points, path=entry.path)
        for value, number in points.items():
            _check_number(entry, (*entry.place("points"), value), number)
        for value, rule, wrong in mistakes_of(factor):
            entry.reading.problem(rule, (*entry.place("points"), value), wrong, at_key=True)
        factors.append(factor)
        entry.close()
    return RiskTable(
        key=key,
        name=name,
        source=top.reading.source,
        gives=top.text("gives", default="risk_points"),
        factors=tuple(factors),
        bands=_load_bands(top),
    )


def _check_number(fields: Fields, path: Path, text: str) -> None:
    try:
        number_from_text(text)
    except ValueError:
        fields.reading.problem("S05", path, f'points must be a number like 15, not "{text}"')


def _load_bands(top: Fields) -> dict[str, str]:
    """The bands; together they must hold every number once (C09)."""
    bands = top.text_map("bands", required=True)
    ends: list[tuple[str | None, str | None, str]] = []
    for name, text in bands.items():
        found = _RANGE.fullmatch(text)
        if found is None:
            wrong = f'a band is a range like ..30, 30..60 or 60.., not "{text}"'
            top.reading.problem("S05", (*top.place("bands"), name), wrong)
            return bands
        ends.append((found[1], found[2], name))
    ends.sort(key=lambda band: (band[0] is not None, number_from_text(band[0] or "0")))
    before: str | None = None
    for number, (start, end, name) in enumerate(ends):
        if start != before or (number and start is None) or (end is None) != (number == len(ends) - 1):
            wrong = f'the bands leave a gap or overlap at "{name}": each must begin where the one before ends'
            top.reading.problem("C09", (*top.place("bands"), name), wrong)
            break
        before = end
    return bands


def _load_list(top: Fields, key: str, name: str) -> ScreeningList:
    publisher = top.choice("list", PUBLISHERS, required=True)
    files = top.texts("files", required=True)
    most = 2 if publisher == "ofac" else 1
    if len(files) > most:
        has = "sdn.csv and alt.csv" if publisher == "ofac" else "one file"
        top.problem("S05", "files", f"a list of {publisher} is read from {has}, not from {len(files)} files")
    oldest = top.duration("oldest", default=_OLDEST) or _OLDEST
    if not oldest.is_fixed:
        top.problem("S05", "oldest", f'"{oldest}" has no fixed length; write days or hours, like 36h', "36h")
        oldest = _OLDEST
    return ScreeningList(
        key=key, name=name, source=top.reading.source, publisher=publisher, files=files, oldest=oldest
    )  # fmt: skip


def _load_layout(top: Fields, key: str, name: str) -> Layout:
    dates = top.texts("dates") or ("yyyy-MM-dd",)
    for pattern in dates:
        try:
            date_pattern(pattern)
        except ValueError as error:
            top.problem("S05", "dates", str(error))
    places: dict[str, tuple[Place, ...]] = {}
    for column, fields in top.map_of("columns", *COLUMN_KEYS, "find").items():
        places[column] = tuple(_load_place(entry) for entry in fields.entries("find", "right_of", "below"))
    columns = load_columns(top, "columns", None, more=("find",))
    return Layout(
        key=key,
        name=name,
        source=top.reading.source,
        rows=top.choice("layout", ("fields", "table"), "fields"),
        dates=dates,
        decimals=top.texts("decimal") or (".",),
        columns=columns,
        places=places,
        controls=_load_controls(top, columns, None),
    )


def _load_place(entry: Fields) -> Place:
    sides = [side for side in ("right_of", "below") if entry.has(side)]
    if len(sides) != 1 and (sides or not entry.names()):
        entry.problem("S03", None, "a place is one of right_of and below, with the text beside it")
    side = sides[0] if sides else "right_of"
    place = Place(side="below" if side == "below" else "right_of", text=entry.text(side) or "")
    entry.close()
    return place


def _load_patterns(top: Fields, key: str, name: str) -> Patterns:
    from interoffice.language.patterns import ALWAYS, mask

    patterns = {}
    for pattern, fields in top.map_of("patterns", "like", "example", required=True).items():
        like, example = fields.text("like", required=True), fields.text("example")
        if pattern in ALWAYS or not _NAME.fullmatch(pattern):
            why = "is always there" if pattern in ALWAYS else "must be small letters, digits and _"
            fields.problem("S04", None, f'the name "{pattern}" {why}; choose another name')
        if like and example is not None and not mask(like).fullmatch(example):
            fields.problem("S05", "example", f'the example "{example}" does not fit "{like}"')
        fields.close()
        patterns[pattern] = Pattern(name=pattern, like=like, example=example, path=fields.path)
    return Patterns(key=key, name=name, source=top.reading.source, patterns=patterns)


_LOADERS: Final[Mapping[str, Callable[[Fields, str, str], TableFile]]] = {
    "": _load_table,
    "decision": _load_decision,
    "queue": _load_queue,
    "risk": _load_risk,
    "list": _load_list,
    "layout": _load_layout,
    "patterns": _load_patterns,
}
