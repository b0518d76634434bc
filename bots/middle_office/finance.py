"""Finance: what a customer may owe, what is open, and what screening said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from interoffice.bot import ColumnName, CredentialName, bot
from interoffice.context import Context
from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.table import Table
from interoffice.model.types import MONEY, choice_of
from interoffice.model.values import FileValue, Value, number_from_text

CONTRACT = "credit_limits"
SERVICE = "risk"
SCREENING = ("clear", "hit", "open")
ADDED = {"credit_limit": MONEY, "open_balance": MONEY, "screening_result": choice_of(SCREENING)}
MISSING: Mapping[str, Value] = dict.fromkeys(ADDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class WithCredit:
    """The input rows with their credit."""

    rows: Table


@bot(
    effect="reads",
    outputs={"rows": "input rows plus {credit_limit: money, open_balance: money, screening_result: choice}"},
)
def credit_lookup(
    ctx: Context,
    *,
    rows: Table,
    customer: ColumnName,
    file: FileValue | None = None,
    credential: CredentialName | None = None,
) -> WithCredit:
    """Credit limit, open balance and screening result of each row's customer.

    From finance's nightly file where one is given (contract `credit_limits`), else from the risk service, asked once
    per customer. No row is lost and none is added: a row without customer, or of a customer that nobody knows, has the
    three columns missing, and a rule about them then fails with the reason "missing".

    Error codes: column_there (the rows have one of the new columns already), no_column, bad_answer, and those of
    reading a file: file_missing, wrong_header, wrong_cells.

    Inputs:
        rows: the rows to look at
        customer: the column with the customer number
        file: finance's file of limits; left out, the risk service is asked
        credential: the token for the risk service

    Example:
        - id: credit
          bot: finance.credit_lookup
          with:
            rows: ${{ steps.deals.rows }}
            customer: erp_customer_no
            file: data/credit_limits.csv
    """
    if customer not in rows.columns:
        has = ", ".join(rows.columns)
        raise BusinessError(f'the rows have no column "{customer}"; they have {has}', code="no_column")
    there = [name for name in ADDED if name in rows.columns]
    if there:
        raise BusinessError(f"the rows have {', '.join(there)} already; look them up once", code="column_there")
    numbers = [None if number is None else str(number) for number in rows.column(customer)]
    wanted = tuple(dict.fromkeys(number for number in numbers if number is not None))
    known = _from_file(ctx, file) if file is not None else _from_service(ctx, wanted, credential)
    unknown = [number for number in wanted if number not in known]
    if unknown:
        ctx.log.warning("customers_without_credit", count=len(unknown), first=unknown[0])
    return WithCredit(rows=_joined(rows, [known.get(number, MISSING) if number else MISSING for number in numbers]))


def _joined(rows: Table, found: Sequence[Mapping[str, Value]]) -> Table:
    """The rows with the columns beside them, in the same order."""
    beside = Table.from_rows(ADDED, found).arrow()
    arrow = rows.arrow()
    for name in ADDED:
        arrow = arrow.append_column(beside.schema.field(name), beside.column(name))
    return Table.from_arrow({**rows.columns, **ADDED}, arrow)


def _from_file(ctx: Context, file: FileValue) -> dict[str, Mapping[str, Value]]:
    limits = ctx.tables.read(file, CONTRACT)
    return {str(row["erp_customer_no"]): {name: row[name] for name in ADDED} for row in limits.rows()}


def _from_service(ctx: Context, wanted: Sequence[str], credential: str | None) -> dict[str, Mapping[str, Value]]:
    known: dict[str, Mapping[str, Value]] = {}
    for done, number in enumerate(wanted, start=1):
        ctx.log.progress(done, len(wanted), "customers")
        try:
            answer = ctx.http.get_json(SERVICE, f"/customers/{quote(number, safe='')}", credential=credential)
        except BusinessError as error:
            if error.code != "not_found":
                raise
            continue
        known[number] = _read_answer(answer, number)
    return known


def _read_answer(answer: object, number: str) -> Mapping[str, Value]:
    """The service's JSON; what isn't as it should be is an error, and never a credit limit."""
    if not isinstance(answer, Mapping):
        raise _bad_answer(number, "is no record")
    screening = answer.get("screening_result")
    if screening not in SCREENING:
        raise _bad_answer(number, f"has the screening result {screening!r}")
    return {
        "credit_limit": _amount(answer, "credit_limit", number),
        "open_balance": _amount(answer, "open_balance", number),
        "screening_result": screening,
    }


def _amount(answer: Mapping[str, object], name: str, number: str) -> Decimal:
    said = answer.get(name)
    if isinstance(said, Decimal):
        return said
    try:
        return number_from_text(str(said))
    except ValueError:
        raise _bad_answer(number, f"has the {name} {said!r}") from None


def _bad_answer(number: str, why: str) -> ApplicationError:
    return ApplicationError(
        f"the risk service's answer for customer {number} {why}; nothing was taken from it", code="bad_answer",
        transient=False,
    )  # fmt: skip
