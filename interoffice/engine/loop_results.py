"""What a loop gives: `.results` as `collect` says, `.failed` with the reasons, `.already` with the stored outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from interoffice.engine.evaluation import failed, scope_at, value_of
from interoffice.engine.pure_steps import table_of_records
from interoffice.engine.run import Place, Run
from interoffice.engine.static_types import columns_known
from interoffice.model.table import Table
from interoffice.model.types import ANY, TEXT, Type, choice_of, common_type
from interoffice.model.values import Value
from interoffice.model.work import ItemState
from interoffice.model.workflow import ForEach, Step
from interoffice.store import items
from interoffice.store.views import Failure, ItemView

Record = Mapping[str, Value]
FAILURE_COLUMNS: Final[Mapping[str, Type]] = {"error": TEXT, "error_kind": choice_of(["business", "application"])}
IN_FAILED: Final = frozenset(
    {ItemState.FAILED, ItemState.REJECTED, ItemState.ON_HOLD, ItemState.IN_DOUBT, ItemState.ABANDONED}
)
PAGE: Final = 500


def records_of(run: Run, place: Place, kind: ForEach) -> tuple[Record, ...]:
    """What is collected of an item that ended well: one record, or one per row of `each`."""
    if kind.collect is None:
        return ({"key": place.item.key if place.item is not None else "", **plain_outputs(place, kind)},)
    scope = scope_at(run, place)
    values = {name: value_of(raw, scope) for name, raw in kind.collect.items() if name != "each"}
    if "each" not in kind.collect:
        return (values,)
    each = value_of(kind.collect["each"], scope)
    if each is None:
        return ()
    if not isinstance(each, Table):
        raise failed(place.prefix.rstrip("."), "each is a table whose rows become rows of the results")
    return tuple({**row, **values} for row in each.rows())


def plain_outputs(place: Place, kind: ForEach) -> dict[str, Value]:
    """The outputs of an item's steps by name, those inside of `values` too; tables are left out."""
    found: dict[str, Value] = {}
    for step in kind.do:
        given = place.results.get(step.id)
        if isinstance(given, Mapping):
            outputs = {name: value for name, value in given.items() if name not in ("status", "error")}
            found.update(flat(outputs))
    return found


def flat(outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Outputs with the entries of records (`values`) beside the others; tables are left out."""
    found: dict[str, Value] = {}
    for name, value in outputs.items():
        if isinstance(value, Mapping):
            found.update({inner: part for inner, part in value.items() if not isinstance(part, Table)})
        elif not isinstance(value, Table):
            found[name] = value
    return found


def loop_outputs(run: Run, place: Place, step: Step, path: str, columns: Mapping[str, Type]) -> dict[str, Value]:
    """The three tables of a loop, saved in the run's folder."""
    rows: dict[str, list[dict[str, Value]]] = {"results": [], "failed": [], "already": []}
    for item in items_over(run, path):
        if item.state == ItemState.SUCCESSFUL:
            rows["results"] += [dict(record) for record in item.result]
        elif item.state in IN_FAILED:
            rows["failed"].append(_failed(item))
        elif item.state == ItemState.ALREADY_THERE:
            rows["already"].append(_already(item))
    known = {
        "results": columns_known(run.project, place.workflow, step.id, "results"),
        "failed": {**columns, **FAILURE_COLUMNS},
        "already": {**columns, "key": TEXT},
    }
    folder = run.tables_folder
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _table(rows[name], known[name]).save(folder) for name in rows}


def _table(records: Iterable[Record], columns: Mapping[str, Type]) -> Table:
    """A table of these columns; what records have more, or otherwise than the check could know, is added by value."""
    rows = [dict(record) for record in records]
    seen = table_of_records(rows).columns if rows else {}
    types: dict[str, Type] = {}
    for name in dict.fromkeys((*columns, *seen)):
        types[name] = _both(columns.get(name), seen.get(name), any(row.get(name) is not None for row in rows))
    return Table.from_rows(types, rows)


def _both(known: Type | None, seen: Type | None, is_there: bool) -> Type:
    if known is None or known.kind in ("any", "missing"):
        return seen or TEXT
    if seen is None or not is_there or known.kind == seen.kind:
        return known
    return known if common_type(known, seen) is not None else ANY


def _failed(item: ItemView) -> dict[str, Value]:
    return {**item.row, "error": item.error.message if item.error else None, "error_kind": _kind(item.error)}


def _kind(failure: Failure | None) -> str:
    return "business" if failure is not None and failure.kind in ("business", "rejected", "workflow") else "application"


def _already(item: ItemView) -> dict[str, Value]:
    stored = item.result[0] if item.result else {}
    return {**stored, **item.row, "key": item.key}


def items_over(run: Run, path: str) -> Iterator[ItemView]:
    """The items of a loop in their order, read in pieces."""
    after = 0
    while page := run.ledger.read(_page(run, path, after)):
        yield from page
        after = page[-1].position


def _page(run: Run, path: str, after: int) -> Callable[..., tuple[ItemView, ...]]:
    return lambda tx: items.page(tx, run.run_id, path, after=after, limit=PAGE)
