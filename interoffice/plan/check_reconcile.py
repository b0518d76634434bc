"""`reconcile:` steps: two sides, a column map, passes (C07), and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from interoffice.language.reconcile import AMBIGUOUS, EXCEPTION, MATCHED_BY, joined_columns
from interoffice.language.scopes import columns_of
from interoffice.model.types import ANY, DURATION, NUMBER, PERCENT, Type, record_of, table_of
from interoffice.model.values import Duration, number_from_text
from interoffice.model.workflow import Raw, Reconcile, ReconcilePass, Step
from interoffice.plan.check_rules import rule_place
from interoffice.plan.check_tables import is_open, rows_of
from interoffice.plan.checking import Checking
from interoffice.plan.flow import together
from interoffice.plan.scope import Known, Scope
from interoffice.problem import Path, did_you_mean

TOLERANCES: Final[Mapping[str, frozenset[str]]] = {
    "number": frozenset({"number", "money", "percent"}),
    "date": frozenset({"duration"}),
}
WANTED: Final[Mapping[str, str]] = {
    "number": "a number like 1.00 or a percent like 2%",
    "date": "a duration like 2 days",
}


def check_reconcile(checking: Checking, step: Step, reconcile: Reconcile, here: Scope) -> Mapping[str, Known]:
    """Checks a reconciliation; gives matched, different, only_left, only_right, ambiguous, exceptions, difference."""
    place = (*step.path, "reconcile")
    left = rows_of(checking, reconcile.left, (*place, "left"), here)
    right = rows_of(checking, reconcile.right, (*place, "right"), here)
    common = _common(checking, reconcile, left.type, right.type, (*place, "columns"))
    for each in reconcile.passes:
        _check_pass(checking, each, common, left.type, right.type, here)
    _find_hidden(checking, reconcile)
    measures = _Measures({"match rate": PERCENT, "ambiguous count": NUMBER})
    measures |= {f"difference of {name}": type for name, type in common.items()}
    measures.is_open = is_open(left.type) or is_open(right.type)
    for rule in reconcile.rules:
        checking.condition(rule.text, rule_place(rule), here.measuring(measures), syntax="C01")
    return _results(left, right, common)


class _Measures(dict[str, Type]):
    """Measures by their text; where a side may have any columns, any difference may be asked for."""

    is_open = False

    def get(self, name: str, default: Any = None) -> Any:
        """The type of a measure."""
        if self.is_open and name.startswith("difference of "):
            return super().get(name, ANY)
        return super().get(name, default)


def _common(checking: Checking, reconcile: Reconcile, left: Type, right: Type, path: Path) -> dict[str, Type]:
    """The columns that both sides have, under the name that the passes use."""
    lefts, rights = columns_of(left), columns_of(right)
    common = {name: type for name, type in lefts.items() if name in rights}
    for name, pair in reconcile.columns.items():
        for number, (column, side) in enumerate(zip(pair, (left, right), strict=True)):
            known = columns_of(side)
            if column not in known and not is_open(side):
                side_name = ("left", "right")[number]
                message = f'the {side_name} side has no column "{column}"'
                checking.report("C07", (*path, name, number), message, suggestion=did_you_mean(column, known))
        common[name] = lefts.get(pair[0], ANY)
    return common


def _check_pass(
    checking: Checking, each: ReconcilePass, common: Mapping[str, Type], left: Type, right: Type, here: Scope
) -> None:
    named = [("same", name) for name in each.same] + [("opposite", name) for name in each.opposite]
    named += [("close", name) for name in each.close]
    if each.total is not None:
        named.append(("total", each.total))
    for key, name in named:
        if name not in common and not (is_open(left) or is_open(right)):
            path = (*each.path, key, name) if key == "close" else (*each.path, key)
            if key in ("same", "opposite"):
                number = (each.same if key == "same" else each.opposite).index(name)
                listed = (*path, number)
                path = listed if listed in checking.workflow.source.values else path
            message = f'"{name}" is not a column of both sides; pair it under columns: {name}: [left, right]'
            checking.report("C07", path, message, suggestion=did_you_mean(name, common), at_key=key == "close")
    for name, raw in each.close.items():
        _check_tolerance(checking, each, name, raw, common.get(name, ANY), here)


def _check_tolerance(
    checking: Checking, each: ReconcilePass, name: str, raw: Raw, column: Type, here: Scope
) -> None:
    """C06: the tolerance of an amount is a number or a percent, that of a date a duration of fixed length."""
    path = (*each.path, "close", name)
    given = checking.value(raw, path, here).type
    kind = "number" if column.is_number else "date" if column.kind in ("date", "date_time") else ""
    if column.kind != "any" and not kind:
        checking.report("C06", path, f'"{name}" is {column}, and only numbers and dates can be close', at_key=True)
        return
    written = _written(raw) if isinstance(raw, str) and "${{" not in raw else given
    if not kind or written is None or written.kind == "any":
        fits = written is not None or not kind
    else:
        fits = written.kind in TOLERANCES[kind]
    if not fits:
        checking.report("C06", path, f'the tolerance of "{name}" must be {WANTED[kind]}, not {raw}')


def _written(text: str) -> Type | None:
    """The type of a tolerance that is written out; None where it is none."""
    try:
        return DURATION if Duration.parse(text).is_fixed else None
    except ValueError:
        pass
    try:
        number_from_text(text.strip().removesuffix("%"))
    except ValueError:
        return None
    return PERCENT if text.strip().endswith("%") else NUMBER


def _find_hidden(checking: Checking, reconcile: Reconcile) -> None:
    """C07: a pass that takes all that a later one could take."""
    for number, later in enumerate(reconcile.passes):
        for earlier in reconcile.passes[:number]:
            wider = set(earlier.same) <= set(later.same) and not (set(earlier.opposite) - set(later.opposite))
            plain = not earlier.close and not earlier.total and earlier.many is None
            plain = plain and not set(later.close) & {*earlier.opposite, *earlier.same}
            if wider and plain and not later.many and not later.total:
                message = f'the pass "{earlier.name}" before it is wider and leaves nothing for this one'
                checking.report("C07", (*later.path, "name"), message)
                break


def _results(left: Known, right: Known, common: Mapping[str, Type]) -> Mapping[str, Known]:
    lefts, rights = columns_of(left.type), columns_of(right.type)
    both, any_more = joined_columns(lefts, rights, common), is_open(left.type) or is_open(right.type)
    flow = together((left.flow, right.flow))

    def gives(more: Mapping[str, Type]) -> Known:
        return Known(type=table_of({**both, **more}, open=any_more), flow=flow)

    return {
        "matched": gives(MATCHED_BY),
        "different": gives(MATCHED_BY),
        "only_left": left,
        "only_right": right,
        "ambiguous": gives(AMBIGUOUS),
        "exceptions": gives(EXCEPTION),
        "difference": Known(type=record_of(common, open=True)),
    }
