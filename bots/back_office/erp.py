"""The ERP's own exports: ledger, open orders, receipts, balances, terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from interoffice.bot import ContractName, CredentialName, Values, bot
from interoffice.context import Context
from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.table import Table
from interoffice.model.values import Value

SCREEN = "erp.exports"
FROM, TO, STATUS = "day_from", "day_to", "status"
DAY_FIELDS = (FROM, TO)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of an export."""

    rows: Table


@bot(effect="reads", outputs={"rows": "columns of contract"})
def export_table(
    ctx: Context,
    *,
    table: str,
    contract: ContractName,
    filter: Values | None = None,
    credential: CredentialName,
) -> Rows:
    """One of the ERP's own exports, filtered by its search fields, read against a contract.

    Sets the fields of the screen `erp.exports`, presses Export, and reads the file. A name of the filter is a search
    field (account, company, status, year); a day, or a map with `from`, `to` or both, under any other name sets From
    and To; yes or no under any other name sets the status to that name or to `open`. What comes is compared with the
    filter where the contract has its column: an ERP that ignored a field is an error, never too many rows.

    Error codes: wrong_filter (a name that is no search field), filter_ignored (a row that does not fit the filter), and
    those of reading a file: file_empty, wrong_encoding, wrong_header, wrong_cells, file_refused.

    Inputs:
        table: the export's name in the ERP
        contract: the file in tables/ that says what columns the export has
        filter: search field to value
        credential: who signs in to the ERP

    Example:
        - id: ledger
          bot: erp.export_table
          with:
            table: cash_ledger
            contract: cash_ledger
            filter:
              account: "00123456"
              posting_date: 2026-11-25
            credential: erp_reader
    """
    wanted = dict(filter or {})
    fields = {"table": table, **_search_fields(ctx, wanted)}
    file = ctx.screens.export(SCREEN, filter=fields, press="export", credential=credential)
    rows = ctx.tables.read(file, contract)
    _refuse_ignored(table, rows, wanted)
    ctx.log.info("export_read", table=table, contract=contract, rows=rows.row_count)
    return Rows(rows=rows)


def _search_fields(ctx: Context, wanted: Mapping[str, Value]) -> dict[str, Value]:
    """What is set on the screen for each name of the filter."""
    known = set(ctx.screens.elements(SCREEN)) - {"table", "export"}
    found: dict[str, Value] = {}
    for name, value in wanted.items():
        if value is None:
            raise BusinessError(f'the filter of the export has no value for "{name}"', code="wrong_filter")
        if name in known:
            new: dict[str, Value] = {name: value}
        elif isinstance(value, bool):
            new = {STATUS: name if value else "open"}
        else:
            new = _period(name, value, known)
        if taken := new.keys() & found.keys():
            raise BusinessError(
                f'the filter sets the field {", ".join(sorted(taken))} twice, by "{name}" too; name it once',
                code="wrong_filter",
            )
        found |= new
    return found


def _period(name: str, value: Value, known: set[str]) -> dict[str, Value]:
    if isinstance(value, date):
        return {FROM: value, TO: value}
    if isinstance(value, Mapping) and value and set(value) <= {"from", "to"}:
        return {field: value[end] for field, end in ((FROM, "from"), (TO, "to")) if end in value}
    fields = ", ".join(sorted(known - set(DAY_FIELDS)))
    raise BusinessError(
        f'the export has no search field "{name}"; it has {fields}, and a day or from and to under any other name',
        code="wrong_filter",
    )


def _refuse_ignored(table: str, rows: Table, wanted: Mapping[str, Value]) -> None:
    for name, value in wanted.items():
        if name not in rows.columns:
            continue
        for number, cell in enumerate(rows.column(name), start=1):
            if not _fits(cell, value):
                raise ApplicationError(
                    f"the ERP's export {table} has {cell} as {name} in row {number}, which the filter leaves out; "
                    "its search field was ignored",
                    code="filter_ignored",
                    transient=False,
                )


def _fits(cell: Value, value: Value) -> bool:
    if isinstance(value, Mapping):
        first, last = value.get("from"), value.get("to")
        if not isinstance(cell, date):
            return True
        return (not isinstance(first, date) or cell >= first) and (not isinstance(last, date) or cell <= last)
    return cell == value or isinstance(value, bool)
