"""A `check`: rules, routes and reasons over rows. Every row goes on as passed, review or rejected; none disappears."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from interoffice.language.evaluator import ValueScope
from interoffice.language.failures import Check
from interoffice.language.routes import CheckResult, routed
from interoffice.language.rule import ROUTE_TYPE, STRENGTH, Route, Rule, checked_columns, read_rule
from interoffice.language.tables import whole_scope
from interoffice.language.whole import FEW_ROWS, value_type
from interoffice.model.table import Table
from interoffice.model.types import TEXT
from interoffice.model.values import ISO, Formats, Value

__all__ = [
    "ROUTE_TYPE",
    "STRENGTH",
    "CheckResult",
    "Route",
    "Rule",
    "checked_columns",
    "read_rule",
    "run_check",
]


def run_check(
    rows: Table | Mapping[str, Value],
    rules: Sequence[Rule],
    *,
    otherwise: Route,
    row_name: Sequence[str] = (),
    scope: ValueScope,
    limits: Mapping[str, str] | None = None,
    formats: Formats = ISO,
    masked: Collection[str] = (),
    few_rows: int = FEW_ROWS,
) -> CheckResult:
    """Checks every row of a table, or one record, against the rules.

    `limits` maps `rejected` or `review` to `10%` or `25`: more than that stops the run. Values of `masked` columns
    don't appear in reasons that are made from a rule. Up to `few_rows` rows DuckDB is not asked.
    """
    table = rows.loaded() if isinstance(rows, Table) else _table_of_record(rows)
    check = Check(
        table=table,
        rules=tuple(rules),
        otherwise=otherwise,
        scope=whole_scope(scope),
        formats=formats,
        masked=masked,
        few_rows=few_rows,
    )
    return routed(table, check.findings(), row_name, limits or {})


def _table_of_record(record: Mapping[str, Value]) -> Table:
    columns = {name: TEXT if value is None else value_type(value) for name, value in record.items()}
    return Table.from_rows(columns, [record])
