"""`check:` steps: rules over rows, their routes and messages (C01 to C06, C08)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from interoffice.language.contradictions import contradictions
from interoffice.language.errors import ExpressionError
from interoffice.language.names import is_about_table
from interoffice.language.nodes import Aggregate, Node, walk
from interoffice.language.parser import parse_rule
from interoffice.language.rules import ROUTE_TYPE
from interoffice.language.rules import Rule as ParsedRule
from interoffice.language.scopes import columns_of
from interoffice.model.types import TEXT, Type, table_of
from interoffice.model.workflow import Check, Route, Rule, Step
from interoffice.plan.checking import Checking
from interoffice.plan.flow import Flow, Origin
from interoffice.plan.scope import UNKNOWN, Known, Scope
from interoffice.problem import Path, did_you_mean

NOTES: Final[Mapping[str, Type]] = {"route": ROUTE_TYPE, "reasons": TEXT}
"""The columns that a check adds to every row."""


def check_rows(checking: Checking, step: Step, check: Check, here: Scope) -> Mapping[str, Known]:
    """Checks a check; gives passed, review and rejected."""
    rows = checking.value(check.rows, (*step.path, "check"), here)
    if rows.type.kind not in ("table", "record", "any"):
        _no_rows(checking, (*step.path, "check"), rows.type, check)
        rows = UNKNOWN
    check_columns(checking, rows.type, check.row, (*step.path, "row"))
    over = here.over(rows)
    read = [(rule, _rule(checking, step, check, rule, over)) for rule in check.rules]
    find_contradictions(checking, [(rule, node) for rule, node in read if node is not None])
    return _routed(checking, step, check, rows)


def _no_rows(checking: Checking, path: Path, type: Type, check: Check) -> None:
    message = f"a check goes over rows or one record, and this is {type}"
    checking.wrong_expression(path, ExpressionError("E04", message, 0, len(str(check.rows))))


def _routed(checking: Checking, step: Step, check: Check, rows: Known) -> Mapping[str, Known]:
    columns = columns_of(rows.type)
    is_open = rows.type.open or rows.type.kind == "any" or (rows.type.kind == "table" and rows.type.columns is None)
    type = table_of({**columns, **NOTES}, open=is_open)
    rules = tuple(route_of(check, rule) for rule in check.rules)
    inside = checking.is_in_loop(step)
    name = checking.full_name(step)
    review = _from(name, rows.flow, "review", has_rows="review" in rules and not inside)
    rejected = _from(name, rows.flow, "rejected", has_rows="reject" in rules and not inside)
    return {
        "passed": Known(type=type, flow=rows.flow),
        "review": Known(type=type, flow=review),
        "rejected": Known(type=type, flow=rejected),
    }


def _from(name: str, flow: Flow, route: str, *, has_rows: bool) -> Flow:
    return flow.with_rows([Origin(route, name)]) if has_rows else flow


def route_of(check: Check, rule: Rule) -> Route | None:
    """Where a row goes that fails the rule."""
    return rule.otherwise or check.otherwise


def rule_place(rule: Rule) -> Path:
    """Where the text of a rule stands."""
    return rule.path if rule.short else (*rule.path, "rule")


def _rule(checking: Checking, step: Step, check: Check, rule: Rule, over: Scope) -> Node | None:
    rows = over.columns or UNKNOWN
    node = checking.condition(rule.text, rule_place(rule), over, bare="columns", syntax="C01")
    if rule.when is not None:
        checking.condition(rule.when, (*rule.path, "when"), over, bare="columns")
    is_grouped_right = check_columns(checking, rows.type, rule.per, (*rule.path, "per"))
    if rule.message is not None:
        telling = replace(over, row_code="C04")
        checking.value(rule.message, (*rule.path, "message"), telling)
    if node is not None:
        _whole_table(checking, step, check, rule, node)
        if is_grouped_right:
            check_currencies(checking, node, rule_place(rule), rows, rule.per)
    return node


def _whole_table(checking: Checking, step: Step, check: Check, rule: Rule, node: Node) -> None:
    """A rule about the whole table can't reject single rows."""
    if rule.per or not is_about_table(node) or checking.is_in_loop(step) or route_of(check, rule) != "reject":
        return
    path = (*rule.path, "otherwise") if rule.otherwise else rule_place(rule)
    message = 'this rule is about the whole table: it can warn, review or stop; for groups of rows add "per"'
    checking.report("C02", path, message)


def check_currencies(checking: Checking, node: Node, path: Path, rows: Known, per: Iterable[str]) -> None:
    """C08: a sum of money over rows that may be in several currencies."""
    columns = columns_of(rows.type)
    if "currency" not in columns or "currency" in per or rows.flow.one_currency:
        return
    for each in walk(node):
        if isinstance(each, Aggregate) and each.function in ("sum", "average"):
            summed = columns.get(each.column.name)
            if summed is not None and summed.kind == "money":
                message = f"{each.function} of {each.column.name} adds up several currencies; say per: [currency]"
                error = ExpressionError("C08", message, each.start, each.end - each.start)
                checking.wrong_expression(path, error)


def check_columns(checking: Checking, rows: Type, names: tuple[str, ...], path: Path) -> bool:
    """Notes every name that is no column of the rows; True when there was none."""
    known = columns_of(rows)
    if rows.kind not in ("table", "record") or rows.open or (rows.kind == "table" and rows.columns is None):
        return True
    for number, name in enumerate(names):
        if name not in known:
            place = (*path, number)
            place = place if place in checking.workflow.source.values else path
            meant = did_you_mean(name, known)
            checking.report("C03", place, f'there is no column "{name}"', suggestion=meant)
    return all(name in known for name in names)


def find_contradictions(checking: Checking, rules: Sequence[tuple[Rule, Node]]) -> None:
    """C05: the same rule twice, and two rules that no row can pass both."""
    parsed = [_parsed(rule, node) for rule, node in rules]
    for found in contradictions(parsed):
        first, second = rules[found.first][0], rules[found.second][0]
        see = checking.at(rule_place(first))
        checking.report("C05", rule_place(second), found.message, see=see)


def _parsed(rule: Rule, node: Node) -> ParsedRule:
    when: Node | None = None
    if rule.when is not None:
        with suppress(ExpressionError):
            when = parse_rule(rule.when)
    return ParsedRule(text=rule.text, node=node, when=when, per=rule.per)
