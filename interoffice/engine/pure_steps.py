"""Steps that the engine does itself, since they touch nothing outside: check, table, set."""

from __future__ import annotations

from collections.abc import Mapping

from interoffice.engine.bot_call import with_saved_tables
from interoffice.engine.endings import Held, RunStopped, StepFailed
from interoffice.engine.evaluation import failed, scope_at, value_of
from interoffice.engine.outcome import Done
from interoffice.engine.reads import reads_everywhere
from interoffice.engine.run import Place, Run
from interoffice.language.errors import RowError
from interoffice.language.rules import CheckResult, read_rule, run_check
from interoffice.language.tables import run_table_step
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.model.workflow import Check, Raw, SetValues, Step, TableStep
from interoffice.store.views import Failure


def do_set(run: Run, place: Place, step: Step, kind: SetValues) -> Done:
    """The values under their names."""
    values = value_of(kind.values, scope_at(run, place))
    assert isinstance(values, Mapping)
    return Done(outputs=kept(run, place, step, dict(values)))


def do_table(run: Run, place: Place, step: Step, kind: TableStep) -> Done:
    """`.rows` and `.rest`; none disappears."""
    scope = scope_at(run, place)
    rows = table_of(run, place, kind.rows)
    other = None if kind.join is None else table_of(run, place, kind.join.table)
    result = run_table_step(rows, kind, scope, with_table=other)
    return Done(outputs=kept(run, place, step, {"rows": result.rows, "rest": result.rest}))


def table_of(run: Run, place: Place, raw: Raw) -> Table:
    """The table that a value is; a list of records is one too."""
    value = value_of(raw, scope_at(run, place))
    if isinstance(value, Table):
        return value
    if value is None:
        raise RowError("the rows are missing: the step that gives them was skipped")
    if isinstance(value, tuple | list) and all(isinstance(row, Mapping) for row in value):
        return table_of_records([dict(row) for row in value])
    raise RowError(f"rows are a table, and this is {value!r}")


def table_of_records(records: list[dict[str, Value]]) -> Table:
    """A table of records; each column has the type that its values have."""
    from interoffice.language.whole import value_type
    from interoffice.model.types import ANY, TEXT, common_type

    columns: dict[str, object] = {}
    for record in records:
        for name, value in record.items():
            if value is None:
                columns.setdefault(name, None)
                continue
            known, found = columns.get(name), value_type(value)
            columns[name] = found if known is None else common_type(known, found) or ANY  # type: ignore[arg-type]
    types = {name: TEXT if type is None else type for name, type in columns.items()}
    return Table.from_rows(types, records)  # type: ignore[arg-type]


def do_check(run: Run, place: Place, step: Step, kind: Check, outputs: dict[str, Value]) -> Done:
    """`.passed`, `.review`, `.rejected`. They are put into `outputs` before a route `stop` ends the run."""
    rows = _checked_rows(run, place, kind.rows)
    result = run_check(
        rows,
        [read_rule(rule) for rule in kind.rules],
        otherwise=kind.otherwise or "reject",
        row_name=kind.row,
        scope=scope_at(run, place),
        limits=kind.limits,
        formats=run.formats,
        masked=place.workflow.mask,
    )
    _assert_no_row_lost(rows, result)
    tables = {"passed": result.passed, "review": result.review, "rejected": result.rejected}
    outputs.update(kept(run, place, step, tables))
    path = place.prefix + step.id
    if result.stopped:
        failure = Failure(kind="workflow", message="; ".join(result.stopped), code="stopped_by_check", step=path)
        raise RunStopped(failure) if place.in_loop else StepFailed(failure)
    if place.in_loop:
        _end_item(result, path)
    return Done(outputs=outputs, note=_counted(result))


def _checked_rows(run: Run, place: Place, raw: Raw) -> Table | Mapping[str, Value]:
    value = value_of(raw, scope_at(run, place))
    return dict(value) if isinstance(value, Mapping) else table_of(run, place, raw)


def _assert_no_row_lost(rows: Table | Mapping[str, Value], result: CheckResult) -> None:
    """G2, asserted in every run: rows in = passed + review + rejected."""
    given = len(rows) if isinstance(rows, Table) else 1
    given_on = len(result.passed) + len(result.review) + len(result.rejected)
    if given != given_on:
        raise AssertionError(f"a check lost rows: {given} in, {given_on} out")


def _counted(result: CheckResult) -> str:
    counts = (("passed", result.passed), ("for review", result.review), ("rejected", result.rejected))
    return ", ".join(f"{len(table)} {word}" for word, table in counts)


def _end_item(result: CheckResult, path: str) -> None:
    """Inside `do:` a rejection ends the item as a business error with all reasons; review puts it on hold."""
    if len(result.rejected):
        raise failed(path, _reasons(result.rejected), kind="rejected", code="rejected")
    if len(result.review):
        raise Held(Failure(kind="rejected", message=_reasons(result.review), code="review", step=path))


def _reasons(rows: Table) -> str:
    found = dict.fromkeys(str(reasons) for reasons in rows.column("reasons") if reasons is not None)
    return "; ".join(found)


def kept(run: Run, place: Place, step: Step, outputs: Mapping[str, Value]) -> dict[str, Value]:
    """The outputs as the ledger keeps them: tables as files of the run. In a loop only those that something reads."""
    if place.in_loop and step.id not in reads_everywhere(place.workflow):
        return {name: value for name, value in outputs.items() if not isinstance(value, Table)}
    saved = with_saved_tables(dict(outputs), run.tables_folder)
    assert isinstance(saved, Mapping)
    return dict(saved)
