"""What an approver fills in or corrects: typed as declared, required where the step says so, and checked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interoffice.engine.evaluation import converted, steps_read
from interoffice.errors import Refused
from interoffice.language.errors import RowError
from interoffice.language.parser import parse_rule
from interoffice.language.row import ValueScope, compared, evaluate
from interoffice.language.rules import read_rule, run_check
from interoffice.model.reading import read_yes_no
from interoffice.model.table import Table
from interoffice.model.types import Type
from interoffice.model.values import Value, number_from_text
from interoffice.model.workflow import ApprovalField, Approve, BotCall, Check, Raw, Step, TableStep, Workflow, walk
from interoffice.plan.check_approvals import field_type
from interoffice.plan.plan import LoadedPlan
from interoffice.plan.project import Project
from interoffice.plan.times import formats_of, times_of
from interoffice.store import Ledger, steps
from interoffice.store.views import ApprovalRowView, ApprovalView

AGAIN = frozenset({"reject", "stop"})


def step_of(loaded: LoadedPlan, approval: ApprovalView) -> tuple[Workflow, Step, Approve]:
    """The step that asks."""
    workflow = loaded.workflows[approval.workflow]
    for part in (workflow.steps, workflow.on_failure, workflow.always):
        for step in walk(part):
            if step.id == approval.step_id and isinstance(step.kind, Approve):
                return workflow, step, step.kind
    raise Refused(f"The plan of this run has no approval {approval.step_id}.")


def typed_fields(
    project: Project, loaded: LoadedPlan, approval: ApprovalView, given: Mapping[str, str]
) -> dict[str, Value]:
    """The approver's texts as values of the declared types; Refused for an unknown field or a wrong value."""
    _, _, approve = step_of(loaded, approval)
    found: dict[str, Value] = {}
    for name, text in given.items():
        declared = approve.fields.get(name)
        if declared is None:
            raise Refused(f'This approval has no field "{name}"; it has {", ".join(approve.fields) or "none"}.')
        try:
            found[name] = _typed(declared, text, project.settings.timezone)
        except (ValueError, RowError) as error:
            raise Refused(f'"{text}" does not fit the field {name}: {error}.') from error
    return found


def _typed(declared: ApprovalField, text: str, zone: str) -> Value:
    wanted = field_type(declared)
    if wanted.kind == "yes_no" and text != "":
        return read_yes_no(text)
    value = converted(text, wanted, zone) if text != "" else None
    if value is not None and wanted.kind == "choice" and value not in declared.choices:
        raise ValueError(f"it can be {', '.join(declared.choices)}")
    if value is not None and wanted.is_number:
        for limit, operator, words in ((declared.min, ">=", "at least"), (declared.max, "<=", "at most")):
            if limit is not None and not compared(operator, value, number_from_text(limit)):
                raise ValueError(f"it must be {words} {limit}")
    return value


def corrected_row(
    project: Project,
    ledger: Ledger,
    loaded: LoadedPlan,
    approval: ApprovalView,
    row: ApprovalRowView,
    given: Mapping[str, Value],
    decision: str,
) -> Mapping[str, Value] | None:
    """The row as decided; None when nothing was filled in and nothing had to be."""
    workflow, step, approve = step_of(loaded, approval)
    changed = {**row.row, **given}
    _refuse_missing(project, loaded, approve, changed, decision)
    if not given:
        return None
    corrected = [name for name in given if name in row.row]
    for name in corrected:
        changed[f"{name}_before"] = row.row[name]
    if corrected and decision == "approve":
        _check_again(project, ledger, loaded, workflow, step, approve, approval, row, {n: given[n] for n in corrected})
    return changed


def _refuse_missing(
    project: Project, loaded: LoadedPlan, approve: Approve, row: Mapping[str, Value], decision: str
) -> None:
    for name, field in approve.fields.items():
        if field.required_when is None or row.get(name) is not None:
            continue
        seen = {**dict.fromkeys(approve.fields), **row, "decision": decision}
        scope = _scope(project, loaded, {}).of_row(seen)
        if evaluate(parse_rule(field.required_when), scope) is True:
            raise Refused(f'The field "{name}" must be filled in ({field.required_when}).')


def _scope(project: Project, loaded: LoadedPlan, names: Mapping[str, Value]) -> ValueScope:
    plan = loaded.plan
    times = times_of(project.settings, plan.planned, plan.zone)
    said = {"inputs": loaded.inputs, "workflow": {"name": loaded.workflow.name, "owner": loaded.workflow.owner}}
    return ValueScope(times=times, names={**said, **names}, patterns=project.patterns)


def _check_again(
    project: Project,
    ledger: Ledger,
    loaded: LoadedPlan,
    workflow: Workflow,
    step: Step,
    approve: Approve,
    approval: ApprovalView,
    row: ApprovalRowView,
    corrected: Mapping[str, Value],
) -> None:
    """The reject and stop rules of the checks that these rows came from, over the row as it is now."""
    recorded = ledger.read(lambda tx: steps.outside_items(tx, approval.run_id))
    prefix = approval.path.removesuffix(step.id)
    outputs = {path.removeprefix(prefix): view.outputs for path, view in recorded.items() if path.startswith(prefix)}
    scope = _scope(project, loaded, {"steps": outputs})
    for check_step, check in _checks_before(workflow, approve):
        rules = [rule for rule in map(read_rule, check.rules) if (rule.route or check.otherwise or "reject") in AGAIN]
        before = outputs.get(check_step.id, {})
        tables = [part for name in ("passed", "review") if isinstance(part := before.get(name), Table)]
        rows, number = _with_correction(tables, row.row, corrected)
        if number is None:
            rows = _alone(rows, row.row, corrected)
            rules = [rule for rule in rules if not rule.is_about_table and set(rule.columns) <= set(rows.columns)]
        if not rules:
            continue
        result = run_check(
            rows, rules, otherwise=check.otherwise or "reject", row_name=check.row, scope=scope,
            formats=formats_of(project.settings), masked=workflow.mask,
        )  # fmt: skip
        _refuse_rejected(result.rejected, {**row.row, **corrected}, check_step.title)


def _checks_before(workflow: Workflow, approve: Approve) -> Iterator[tuple[Step, Check]]:
    """The checks that the rows came from, through the table steps and bots between."""
    steps = {step.id: step for step in walk(workflow.steps)}
    named, waiting = set[str](), list[Raw]([approve.rows])
    while waiting:
        for read in steps_read(waiting.pop()):
            step = steps.get(read[1]) if len(read) > 1 else None
            if step is None or step.id in named:
                continue
            named.add(step.id)
            if isinstance(step.kind, TableStep):
                waiting.append(step.kind.rows)
            elif isinstance(step.kind, BotCall):
                waiting.append(step.kind.inputs)
    for step in steps.values():
        if step.id in named and isinstance(step.kind, Check):
            yield step, step.kind


def _with_correction(
    tables: list[Table], shown: Mapping[str, Value], corrected: Mapping[str, Value]
) -> tuple[Table, int | None]:
    """All rows of a check, the shown one with its corrections; and its number, None where it isn't among them."""
    columns: dict[str, Type] = {}
    records: list[dict[str, Value]] = []
    found: int | None = None
    for table in tables:
        columns |= table.columns
        for record in table.rows():
            if found is None and all(shown.get(name) == value for name, value in record.items()):
                found = len(records)
                record |= {name: value for name, value in corrected.items() if name in record}
            records.append(record)
    kept = {name: type for name, type in columns.items() if name not in ("route", "reasons")}
    bare = [{name: value for name, value in record.items() if name in kept} for record in records]
    return Table.from_rows(kept, bare), found


def _alone(rows: Table, shown: Mapping[str, Value], corrected: Mapping[str, Value]) -> Table:
    """The shown row by itself, with the columns that the check had too: a step between has changed the others."""
    columns = {name: type for name, type in rows.columns.items() if name in shown}
    return Table.from_rows(columns, [{name: corrected.get(name, shown[name]) for name in columns}])


def _refuse_rejected(rejected: Table, wanted: Mapping[str, Value], title: str) -> None:
    for record in rejected.rows():
        own = {name: value for name, value in record.items() if name not in ("route", "reasons")}
        if all(wanted.get(name) == value for name, value in own.items()):
            raise Refused(f'With this correction the row fails "{title}": {record["reasons"]}.')
