"""`for_each:` steps: what an item is, what the loop gives, and that a loop that writes has a key (F03, F12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from interoffice.language.errors import ExpressionError
from interoffice.language.scopes import columns_of
from interoffice.model.contract import Queue
from interoffice.model.types import ANY, TEXT, Type, choice_of, record_of, table_of
from interoffice.model.workflow import ForEach, Raw, Step
from interoffice.plan.check_rules import check_columns
from interoffice.plan.check_tables import is_open
from interoffice.plan.checking import Checking, record_known
from interoffice.plan.flow import NOTHING, Flow
from interoffice.plan.scope import UNKNOWN, Known, Scope
from interoffice.plan.writing import writes
from interoffice.problem import Path, did_you_mean

Walk = Callable[[Checking, tuple[Step, ...], Scope], None]
LAST: Final = 1_000_000
"""A place behind every step of a list: where `collect` reads."""
FAILURE: Final[Mapping[str, Type]] = {"error": TEXT, "error_kind": choice_of(["business", "application"])}


def check_loop(checking: Checking, step: Step, loop: ForEach, here: Scope, walk: Walk) -> Mapping[str, Known]:
    """Checks a loop; gives results, failed and already."""
    rows = _rows(checking, step, loop, here)
    checking.seen |= rows.flow.all_rows
    item = _item(checking, step, loop, rows)
    inside = here.naming({loop.as_name: item})
    path = (*step.path, "key")
    for number, text in enumerate(loop.key):
        place = (*path, number) if (*path, number) in checking.workflow.source.values else path
        _check_key(checking, text, place, inside)
    _need_key(checking, step, loop)
    walk(checking, loop.do, inside)
    results = _results(checking, step, loop, inside)
    return {"results": results, **_left_out(loop, rows, item, results)}


def _rows(checking: Checking, step: Step, loop: ForEach, here: Scope) -> Known:
    path = (*step.path, "for_each")
    if loop.queue is not None:
        return _queue(checking, loop.queue, path)
    rows = checking.value(loop.over, path, here)
    if rows.type.kind in ("table", "list", "any"):
        return rows
    message = f"a loop goes over rows or a list, and this is {rows.type}"
    checking.wrong_expression(path, ExpressionError("E04", message, 0, len(str(loop.over))))
    return UNKNOWN


def _queue(checking: Checking, name: str, path: Path) -> Known:
    loaded = checking.project.table_file(name)
    if loaded is None:
        meant = did_you_mean(name, checking.project.tables())
        checking.report("R09", path, f'there is no queue "{name}" in tables/', suggestion=meant)
        return UNKNOWN
    if loaded.content is not None and not isinstance(loaded.content, Queue):
        checking.report("R09", path, f'"{name}" is a {loaded.content.kind}, not a queue')
        return UNKNOWN
    if loaded.content is None or not loaded.is_read:
        return UNKNOWN
    return Known(type=table_of(loaded.content.column_types))


def _item(checking: Checking, step: Step, loop: ForEach, rows: Known) -> Known:
    if not loop.group_by:
        return item_of(rows)
    is_right = check_columns(checking, rows.type, loop.group_by, (*step.path, "group_by"))
    columns = columns_of(rows.type)
    one = any("currency" in name for name in loop.group_by) or rows.flow.one_currency
    inner = replace(rows.flow, one_currency=one)
    fields = {name: Known(type=columns.get(name, ANY), flow=rows.flow.of(name)) for name in loop.group_by}
    item = record_known({**fields, "rows": Known(type=rows.type, flow=inner)})
    return item if is_right else replace(item, type=replace(item.type, open=True))


def item_of(rows: Known) -> Known:
    """What one item of these rows is."""
    if rows.type.kind == "table":
        return Known(type=record_of(columns_of(rows.type), open=is_open(rows.type)), flow=rows.flow)
    if rows.type.kind == "list":
        return Known(type=rows.type.item or ANY, flow=rows.flow)
    return UNKNOWN


def _check_key(checking: Checking, text: str, path: Path, inside: Scope) -> None:
    found = checking.expression(text, path, inside).type
    if found.kind in ("table", "record", "list", "file"):
        message = f"a part of a key is one value, and this is {found}"
        checking.wrong_expression(path, ExpressionError("E04", message, 0, len(text)))


def _need_key(checking: Checking, step: Step, loop: ForEach) -> None:
    """F03: without a key nothing tells whether an item has been posted before."""
    if loop.key or loop.group_by or loop.queue is not None:
        return
    writing = writes(checking.project, loop.do)
    if writing is not None:
        message = f'this loop changes or sends something ("{writing.id}"): name what makes an item unique, its "key"'
        suggestion = f"key: {loop.as_name}.<the column that names it>"
        checking.report("F03", (*step.path, "for_each"), message, suggestion=suggestion, at_key=True)


def _results(checking: Checking, step: Step, loop: ForEach, inside: Scope) -> Known:
    if loop.collect is None:
        return _plain_results(checking, loop)
    path = (*step.path, "collect")
    after = inside.here((*checking.places[step.id], "do", LAST))
    columns: dict[str, Type] = {}
    flows: dict[str, Flow] = {}
    rows: frozenset[object] = frozenset()
    open_rows = False
    for name, raw in loop.collect.items():
        known = checking.value(raw, (*path, name), after)
        if name == "each":
            known = _each(checking, raw, (*path, name), known)
            open_rows = is_open(known.type)
            columns |= columns_of(known.type)
            flows |= known.flow.fields
            rows |= known.flow.rows
        else:
            columns[name], flows[name] = known.type, known.flow
    flow = Flow(fields=flows).with_rows(rows) if rows else Flow(fields=flows)  # type: ignore[arg-type]
    return Known(type=table_of(columns, open=open_rows), flow=flow)


def _plain_results(checking: Checking, loop: ForEach) -> Known:
    """Without `collect`: the key, and the outputs of the steps by name, those inside of records too, without tables."""
    columns: dict[str, Type] = {"key": TEXT}
    facts = [checking.facts[step.id] for step in loop.do]
    for one in facts:
        for name, known in one.outputs.items():
            inner = columns_of(known.type) if known.type.kind == "record" else {name: known.type}
            columns |= {each: type for each, type in inner.items() if type.kind not in ("table", "record")}
    return Known(type=table_of(columns, open=any(one.is_open for one in facts)))


def _each(checking: Checking, raw: Raw, path: Path, known: Known) -> Known:
    if known.type.kind in ("table", "any"):
        return known
    message = f"each is a table whose rows become rows of the results, and this is {known.type}"
    checking.wrong_expression(path, ExpressionError("E04", message, 0, len(str(raw))))
    return UNKNOWN


def _left_out(loop: ForEach, rows: Known, item: Known, results: Known) -> Mapping[str, Known]:
    """`failed`: the item's own columns, and why. `already`: these, the key, and what was stored of it."""
    columns, flow, open_rows = _item_columns(loop, rows, item)
    failed = table_of({**columns, **FAILURE}, open=open_rows)
    stored = columns_of(results.type)
    already = table_of({**stored, **columns, "key": TEXT}, open=open_rows or is_open(results.type))
    return {"failed": Known(type=failed, flow=flow), "already": Known(type=already, flow=flow)}


def _item_columns(loop: ForEach, rows: Known, item: Known) -> tuple[Mapping[str, Type], Flow, bool]:
    if item.type.kind == "record":
        return columns_of(item.type), item.flow, item.type.open
    if item.type.kind == "file":
        return {**columns_of(item.type), loop.as_name: item.type}, NOTHING, False
    return {loop.as_name: item.type}, NOTHING, item.type.kind == "any"
