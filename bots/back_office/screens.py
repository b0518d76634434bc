"""Screens of applications, by the names that selectors/ gives them: fill and commit, find, read a list, sign out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from interoffice.bot import (
    Answer,
    ApplicationName,
    ColumnNames,
    CredentialName,
    ElementFiles,
    ElementName,
    ElementNames,
    ElementValues,
    Found,
    GridTables,
    NotFound,
    Record,
    ScreenName,
    bot,
)
from interoffice.context import Context
from interoffice.errors import ApplicationError
from interoffice.model.table import Table
from interoffice.model.values import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What was read from a screen after its commit."""

    values: Record


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRecord:
    """Whether the record is there, and what was read of it; missing values where it isn't."""

    found: bool
    values: Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of a list."""

    rows: Table


def _look_for_record(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    """The `find_record` of the screen for what would have been typed."""
    fields, read = inputs["fields"], inputs.get("read") or ()
    assert isinstance(fields, Mapping) and isinstance(read, (tuple, list))
    answer = ctx.screens.look_up(
        str(inputs["screen"]),
        fields=fields,
        submit=str(inputs["submit"]),
        read=tuple(read),
        credential=str(inputs["credential"]),
    )
    if not isinstance(answer, Found):
        return answer
    values = {name: answer.fields.get(name) for name in read}
    return Found(fields={"values": values}, reference=answer.reference, different=answer.different)


@bot(effect="changes", outputs={"values": "columns of screen.read"}, identity=("screen",), look_up=_look_for_record)
def fill_form(
    ctx: Context,
    *,
    screen: ScreenName,
    fields: ElementValues,
    lines: GridTables | None = None,
    attach: ElementFiles | None = None,
    submit: ElementName,
    read: ElementNames | None = None,
    credential: CredentialName,
) -> Filled:
    """One screen filled, read back, committed once, and read.

    Values are typed as the application writes them, read back, and typed again where one did not stay; the whole form
    is read once more before `submit` is pressed, and that happens once. A missing value leaves its field untouched, ''
    empties it. After an unclear end the screen's `find_record` tells whether the record is there.

    Error codes: value_not_possible, not_offered, missing (the data says no, before anything was typed),
    refused_by_application (in the application's own words, nothing was posted); application errors: not_ready,
    not_kept (a field did not keep its value), unexpected_dialog, no_answer, server_error, maintenance.

    Inputs:
        screen: the screen, as application.screen
        fields: element -> value
        lines: grid -> table with a column for each column of the grid; further columns are ignored
        attach: element -> file
        submit: the button that commits
        read: elements to read after the commit
        credential: who signs in

    Example:
        - id: order
          bot: screens.fill_form
          with:
            screen: erp.sales_order
            credential: erp_clerk
            fields:
              customer_no: ${{ deal.erp_customer_no }}
              customer_reference: ${{ deal.deal_id }}
              amount: ${{ deal.amount }}
              currency: ${{ deal.currency }}
            submit: save
            read: [order_no]
    """
    values = ctx.screens.fill_form(
        screen,
        fields=fields,
        lines=lines or {},
        attach=attach or {},
        submit=submit,
        read=read or (),
        credential=credential,
    )
    return Filled(values=values)


@bot(effect="reads", outputs={"values": "columns of screen.read"})
def find_record(
    ctx: Context, *, screen: ScreenName, by: ElementValues, read: ElementNames, credential: CredentialName
) -> FoundRecord:
    """The one record that fits, found as the look-up of its screen finds it.

    `found` is yes for exactly one record with every value of `by`, no when it is sure that there is none. When it can't
    be told (no answer, two records, a list that does not say that it is empty) the step fails.

    Error codes: record_unclear (an application error, which may be tried again).

    Inputs:
        screen: the screen with a find_record, or a list, as application.screen
        by: search field -> value
        read: columns, or elements of the record, to read
        credential: who signs in

    Example:
        - id: known
          bot: screens.find_record
          with:
            screen: erp.customer
            by:
              vat_number: ${{ prospect.vat_id }}
            read: [customer_no, name]
            credential: erp_reader
    """
    answer = ctx.screens.find_record(screen, by=by, read=tuple(read), credential=credential)
    match answer:
        case Found(fields=fields):
            return FoundRecord(found=True, values={name: fields.get(name) for name in read})
        case NotFound():
            return FoundRecord(found=False, values=dict.fromkeys(read))
    raise ApplicationError(f"whether {screen} holds the record can't be told: {answer.why}", code="record_unclear")


@bot(effect="reads", outputs={"rows": "columns of screen.columns"})
def read_list(
    ctx: Context,
    *,
    screen: ScreenName,
    filter: ElementValues | None = None,
    columns: ColumnNames,
    max_pages: Decimal | None = None,
    credential: CredentialName,
) -> Rows:
    """A list or grid of a screen, all its pages.

    The search fields are filled, read back and applied first. The rows must be as many as the screen says, and an empty
    list must be proven empty by the screen, else the step fails: a list that was read in part is never taken for whole.

    Error codes, all application errors: incomplete, not_proven, too_many_pages, changed, not_readable.

    Inputs:
        screen: the list, as application.screen
        filter: search field -> value
        columns: which columns to read
        max_pages: fail when there are more pages; what selectors/ says where it is left out
        credential: who signs in

    Example:
        - id: posted
          bot: screens.read_list
          with:
            screen: erp.invoice_list
            columns: [supplier_no, invoice_no, document_no]
            max_pages: 200
            credential: erp_reader
    """
    pages = None if max_pages is None else int(max_pages)
    rows = ctx.screens.read_list(
        screen, filter=filter or {}, columns=tuple(columns), max_pages=pages, credential=credential
    )
    ctx.log.info("list_read", screen=screen, rows=rows.row_count)
    return Rows(rows=rows)


@bot(effect="reads")
def sign_out(ctx: Context, *, application: ApplicationName) -> None:
    """Leaves the application signed out, every session of this run.

    A session that can't be signed out (the application does not answer) is dropped; that is no failure.

    Inputs:
        application: its name in selectors/

    Example:
        - id: sign_out
          bot: screens.sign_out
          with:
            application: erp
    """
    ctx.screens.sign_out(application)
