"""Risk: points by a table that the risk people keep, with the reasons for every one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from interoffice.bot import RiskTableName, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.contract import RiskTable
from interoffice.model.risk_points import BAND, REASONS, Scoring
from interoffice.model.table import Table
from interoffice.model.values import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """The rows with points, band and reasons beside them."""

    rows: Table


@bot(effect="reads", outputs={"rows": "input rows plus gives of table"})
def score(ctx: Context, *, rows: Table, table: RiskTableName) -> Scored:
    """Risk points of every row, their band, and the factors that made them, the heaviest first.

    The points of each factor are added up. A factor's value is compared without regard to case; `*` counts for any
    other value, a missing one too. A value that the table has no points for leaves the row without points and band,
    with the reason in `risk_reasons`: a rule about the points then fails as missing, and no sum is guessed. The digest
    of the table that was used is in the run's log.

    Error codes: no_column (the rows lack a column that the table scores), column_there (they have points, band or
    reasons already), bad_table (the name is that of another kind of table).

    Inputs:
        rows: the rows to score
        table: a risk table of tables/

    Example:
        - id: risk
          bot: risk.score
          with:
            rows: ${{ steps.screening.cleared }}
            table: kyc_risk
    """
    found = ctx.tables.contract(table)
    if not isinstance(found, RiskTable):
        raise BusinessError(f"{found.source.file} is a {found.kind}, not a risk table", code="bad_table")
    lacking = [factor.column for factor in found.factors if factor.column not in rows.columns]
    if lacking:
        wrong = f"the rows lack {', '.join(lacking)}, which {table} scores; they have {', '.join(rows.columns)}"
        raise BusinessError(wrong, code="no_column")
    there = [name for name in found.column_types if name in rows.columns]
    if there:
        raise BusinessError(f"the rows have {', '.join(there)} already; score them once", code="column_there")
    ctx.log.info("risk_table_used", table=table, sha256=sha256(found.source.text.encode()).hexdigest())
    return Scored(rows=Table.from_rows({**rows.columns, **found.column_types}, _scored(rows, found)))


def _scored(rows: Table, table: RiskTable) -> Iterator[Mapping[str, Value]]:
    scoring = Scoring(table)
    for row in rows.rows():
        found = scoring.score(row)
        yield {**row, table.gives: found.points, BAND: found.band, REASONS: found.reasons or None}
