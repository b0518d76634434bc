"""`reconcile:` steps: two sides, a column map, passes (C07), and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from interoffice.language.scopes import columns_of
from interoffice.model.types import ANY, DATE, DURATION, NUMBER, PERCENT, TEXT, Type, choice_of, record_of, table_of
from interoffice.model.workflow import Reconcile, ReconcilePass, Step
from interoffice.plan.check_rules import rule_place
from interoffice.plan.check_tables import is_open, rows_of
from interoffice.plan.checking import Checking
from interoffice.plan.flow import together
from interoffice.plan.scope import Known, Scope
from interoffice.problem import Path, did_you_mean

EXCEPTION: Final[Mapping[str, Type]] = {
    "side": choice_of(["left", "right"]),
    "reason": TEXT,
    "first_seen": DATE,
    "age": DURATION,
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
        checking.value(raw, (*each.path, "close", name), here)


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
    sided = {f"left_{name}": type for name, type in lefts.items()}
    sided |= {f"right_{name}": type for name, type in rights.items()}
    both = table_of({**rights, **lefts, **common, **sided}, open=is_open(left.type) or is_open(right.type))
    flow = together((left.flow, right.flow))
    exceptions = table_of({**rights, **lefts, **common, **EXCEPTION}, open=True)
    return {
        "matched": Known(type=both, flow=flow),
        "different": Known(type=both, flow=flow),
        "only_left": left,
        "only_right": right,
        "ambiguous": Known(type=both, flow=flow),
        "exceptions": Known(type=exceptions, flow=flow),
        "difference": Known(type=record_of(common, open=True)),
    }
