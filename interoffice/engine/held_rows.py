"""Holding a run to a kept plan: it writes exactly the rows that the plan showed, or stops before it writes.

`RunOptions.rows` is, by the path of a step, what the preview saw:

    a loop           {"keys": {key: {"row": digest, "what": new | ..., "sure": true | false}}, "corrected": [columns]}
    a call that acts, outside of loops   {"inputs": digest}

A row that is not `sure` may be missing (it wasn't approved). Columns that an approver may correct or fill in don't
count in its digest: an approval is bound to the rows shown by digests of its own. A step that is not there was not
known when the plan was made, and follows from what was. The endings of a workflow are never held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from interoffice.engine.endings import RunStopped
from interoffice.model import codec
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value
from interoffice.model.work import ItemState
from interoffice.plan.plan import RunOptions
from interoffice.store.items import NewItem
from interoffice.store.views import Failure

CODE: Final = "not_as_planned"
NO_ROWS: Final[Mapping[str, object]] = {"keys": {}}
NO_CALL: Final[Mapping[str, object]] = {"inputs": ""}
"""What a loop, and a call, is held to that the preview saw not to be done."""
_MOST_NAMED: Final = 3
Rows = TypeVar("Rows", bound=Mapping[str, Mapping[str, Value]])
Inputs = TypeVar("Inputs", bound=Mapping[str, Value])


def content_digest(value: Value, leaving: Collection[str] = ()) -> str:
    """The digest of a row, or of a call's inputs, whatever folder their files are kept in; without some columns."""
    if isinstance(value, Mapping):
        value = {name: part for name, part in value.items() if name not in leaving}
    return hashlib.sha256(codec.canonical(_without_places(value)).encode()).hexdigest()


def _without_places(value: Value) -> Value:
    if isinstance(value, FileValue):
        return replace(value, path="")
    if isinstance(value, Table):
        return [_without_places(row) for row in value.rows()]
    if isinstance(value, Mapping):
        return {name: _without_places(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_without_places(part) for part in value]
    return value


def held_keys(path: str, options: RunOptions) -> tuple[str, ...] | None:
    """The keys of a loop that a kept plan holds it to; None where no plan does."""
    held = _held(path, options)
    return None if held is None or "keys" not in held else tuple(cast(Mapping[str, Any], held["keys"]))


def held_to(path: str, rows: Rows, options: RunOptions) -> Rows:
    """A loop's rows by key, if they are those that the plan showed; else the run stops, naming what differs."""
    held = _held(path, options)
    if held is None or "keys" not in held:
        return rows
    planned, corrected = cast(Mapping[str, Mapping[str, Any]], held["keys"]), tuple(held.get("corrected", ()))
    new = [key for key in rows if key not in planned]
    gone = [key for key, said in planned.items() if said["sure"] and key not in rows]
    other = [
        key
        for key, row in rows.items()
        if key in planned and planned[key]["row"] != content_digest(row, () if planned[key]["sure"] else corrected)
    ]
    found = ((new, "not in the plan"), (gone, "in the plan and not there any more"), (other, "other than planned"))
    for keys, words in found:
        if keys:
            raise _differs(path, f"{_named(keys)} {'is' if len(keys) == 1 else 'are'} {words}")
    return rows


def call_held_to(path: str, inputs: Inputs, options: RunOptions) -> Inputs:
    """The same for the inputs of a call that acts outside of a loop."""
    held = _held(path, options)
    if held is not None and "inputs" in held and held["inputs"] != content_digest(inputs):
        words = "what it would write is other than planned" if held["inputs"] else "the plan does not come here"
        raise _differs(path, words)
    return inputs


def as_planned(path: str, item: NewItem, options: RunOptions) -> NewItem:
    """The new item, already there where the plan had found it in the target: it was not among the rows to write."""
    held = _held(path, options)
    said = {} if held is None else cast(Mapping[str, Mapping[str, Any]], held.get("keys", {})).get(item.key, {})
    if said.get("what") != "already there" or item.state != ItemState.NEW:
        return item
    why = Failure(kind="workflow", message="already there when the plan was made", code="already_planned", step=path)
    return replace(item, state=ItemState.ALREADY_THERE, error=why)


def _held(path: str, options: RunOptions) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any] | None", options.rows.get(path))


def _named(keys: list[str]) -> str:
    more = len(keys) - _MOST_NAMED
    return ", ".join(keys[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _differs(path: str, what: str) -> RunStopped:
    message = f"{path}: {what}; nothing of this step was done, make a new plan"
    return RunStopped(Failure(kind="workflow", message=message, code=CODE, step=path))
