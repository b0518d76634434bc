"""`approve:` steps: who decides on what, and that nobody can wait for ever (F10, F12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from interoffice.language.scopes import columns_of
from interoffice.model.types import DATE_TIME, TEXT, Type, choice_of, named_type, record_of, table_of
from interoffice.model.workflow import ApprovalField, Approve, Step
from interoffice.plan.check_loops import item_of
from interoffice.plan.check_rules import check_columns
from interoffice.plan.check_tables import is_open, rows_of
from interoffice.plan.checking import Checking
from interoffice.plan.flow import Flow, Unseen
from interoffice.plan.scope import Known, Scope
from interoffice.problem import Path, did_you_mean

DECISION: Final = choice_of(["approve", "reject"])


def check_approve(checking: Checking, step: Step, approve: Approve, here: Scope) -> Mapping[str, Known]:
    """Checks an approval; gives approved, rejected, already, by and at."""
    rows = rows_of(checking, approve.rows, (*step.path, "approve"), here)
    check_columns(checking, rows.type, approve.row, (*step.path, "row"))
    check_columns(checking, _with_fields(approve, rows.type), approve.show, (*step.path, "show"))
    checking.value(approve.ask, (*step.path, "ask"), here)
    checking.value(approve.attach, (*step.path, "attach"), here)
    if approve.by_row is not None:
        checking.value(approve.by_row, (*step.path, "by"), here.naming({"row": item_of(rows)}))
    check_groups(checking, approve.by, (*step.path, "by"))
    if approve.escalate is not None:
        check_groups(checking, approve.escalate.to, (*step.path, "escalate", "to"))
    for field in approve.fields.values():
        _check_field(checking, step, field, rows, here)
        _find_outdated(checking, step, approve, field, rows)
    _need_four_eyes(checking, step, approve)
    checking.released |= rows.flow.all_rows
    checking.seen |= rows.flow.all_rows
    return _decided(checking.full_name(step), approve, rows)


def check_groups(checking: Checking, groups: Iterable[str], path: Path) -> None:
    """R05: a group that settings.yaml doesn't know."""
    settings = checking.project.known_settings
    if settings is None:
        return
    for number, group in enumerate(groups):
        if group not in settings.groups and "${{" not in group:
            place = (*path, number) if (*path, number) in checking.workflow.source.values else path
            meant = did_you_mean(group, settings.groups)
            checking.report("R05", place, f'there is no group "{group}" in settings.yaml', suggestion=meant)


def field_type(field: ApprovalField) -> Type:
    """The type of what an approver fills in."""
    return choice_of(field.choices) if field.type == "choice" else named_type(field.type)


def _with_fields(approve: Approve, rows: Type) -> Type:
    fields = {name: field_type(field) for name, field in approve.fields.items()}
    return table_of({**columns_of(rows), **fields}, open=is_open(rows))


def _check_field(checking: Checking, step: Step, field: ApprovalField, rows: Known, here: Scope) -> None:
    if field.required_when is None:
        return
    columns = {**columns_of(rows.type), "decision": DECISION, field.name: field_type(field)}
    row = Known(type=record_of(columns, open=is_open(rows.type)), flow=rows.flow)
    path = (*step.path, "fields", field.name, "required_when")
    checking.condition(field.required_when, path, here.over(row), bare="columns")


def _find_outdated(checking: Checking, step: Step, approve: Approve, field: ApprovalField, rows: Known) -> None:
    """F11 (warning): what was computed of a column before it is corrected here is not computed again."""
    outdated = [
        name for name, flow in rows.flow.fields.items() if field.name in flow.made_from and name not in approve.fields
    ]
    if field.name in columns_of(rows.type) and outdated:
        listed = " and ".join(f'"{name}"' for name in outdated)
        message = f'{listed} was computed from "{field.name}" and is not computed again when it is corrected here'
        checking.report("F11", (*step.path, "fields", field.name), message, severity="warning", at_key=True)


def _need_four_eyes(checking: Checking, step: Step, approve: Approve) -> None:
    path = (*step.path, "approve")
    if checking.is_in_loop(step):
        message = "an approval inside a loop asks once per item; put it before the loop, over all rows"
        checking.report("F12", path, message, at_key=True)
        return
    wanted = {
        "by": ('"by" (the groups who decide)', approve.by or approve.by_row),
        "not_by": ('"not_by: [starter]" (four eyes)', approve.not_by),
        "within": ('"within" (how long it may wait)', approve.within),
        "if_late": ('"if_late" (what then)', approve.if_late),
    }
    missing = [words for key, (words, value) in wanted.items() if not value and not checking.says(*step.path, key)]
    if missing:
        checking.report("F10", path, f"this approval lacks {' and '.join(missing)}", at_key=True)


def _decided(name: str, approve: Approve, rows: Known) -> Mapping[str, Known]:
    existing = columns_of(rows.type)
    columns = dict(existing)
    for column, field in approve.fields.items():
        columns[column] = existing.get(column, field_type(field))
        if column in existing:
            columns[f"{column}_before"] = existing[column]
    decided = Known(type=table_of(columns, open=is_open(rows.type)), flow=_decided_flow(name, approve, rows, existing))
    return {
        "approved": decided,
        "rejected": decided,
        "already": rows,
        "by": Known(type=TEXT),
        "at": Known(type=DATE_TIME),
    }


def _decided_flow(approval: str, approve: Approve, rows: Known, existing: Mapping[str, Type]) -> Flow:
    """What the approver saw or typed himself is seen; what nobody saw so far is unseen. No row waits any more."""
    fields: dict[str, Flow] = {}
    for name in (*existing, *approve.fields):
        before = rows.flow.of(name)
        if name in approve.show or name in approve.fields:
            fields[name] = Flow(was_shown=True)
        elif before.was_shown:
            fields[name] = before
        else:
            fields[name] = replace(before, unseen=before.unseen | {Unseen(approval, name)})
    return Flow(fields=fields, one_currency=rows.flow.one_currency)
