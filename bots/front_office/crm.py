"""The CRM: its exports, fetched from its page or given as a file that someone saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from interoffice.bot import Choice, ContractName, CredentialName, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of an export."""

    rows: Table


@bot(
    effect="reads",
    choices={"stage": ("All", "Open", "Won", "Lost")},
    outputs={"rows": "columns of contract"},
)
def export_deals(
    ctx: Context,
    *,
    stage: Choice,
    closed_from: date,
    closed_to: date,
    contract: ContractName,
    credential: CredentialName,
) -> Rows:
    """The deals of a stage that were closed in a period, by the export of the CRM's page.

    Signs in, sets the filters of the screen `crm.deals`, reads them back, applies them, presses Export, and reads the
    file against the contract. Both days are included. A period without deals gives a table without rows.

    Error codes: bad_period (closed_from is after closed_to), and those of reading a file: file_empty, wrong_encoding,
    wrong_header, wrong_cells, file_refused.

    Inputs:
        stage: the stage of the deals, as the CRM calls it
        closed_from: the first closing day
        closed_to: the last closing day
        contract: the file in tables/ that says what columns the export has
        credential: who signs in to the CRM

    Example:
        - id: deals
          bot: crm.export_deals
          with:
            stage: Won
            closed_from: ${{ previous_business_day }}
            closed_to: ${{ yesterday }}
            contract: won_deals
            credential: crm_reader
    """
    if closed_from > closed_to:
        raise BusinessError(
            f"the period begins on {closed_from.isoformat()}, after its end on {closed_to.isoformat()}; "
            "turn the two days round",
            code="bad_period",
        )
    asked: Mapping[str, Value] = {"stage": stage, "closed_from": closed_from, "closed_to": closed_to}
    return Rows(rows=_exported(ctx, "crm.deals", asked, contract, credential))


@bot(
    effect="reads",
    choices={"stage": ("All", "Prospect", "Onboarding requested", "In review", "Customer", "Not accepted")},
    outputs={"rows": "columns of contract"},
)
def export_accounts(ctx: Context, *, stage: Choice, contract: ContractName, credential: CredentialName) -> Rows:
    """The accounts of a stage, by the export of the CRM's page.

    Sets the filter of the screen `crm.accounts`, presses Export, and reads the file against the contract.

    Error codes: those of reading a file: file_empty, wrong_encoding, wrong_header, wrong_cells, file_refused.

    Inputs:
        stage: the stage of the accounts, as the CRM calls it
        contract: the file in tables/ that says what columns the export has
        credential: who signs in to the CRM

    Example:
        - id: prospects
          bot: crm.export_accounts
          with:
            stage: Onboarding requested
            contract: prospects
            credential: crm_reader
    """
    return Rows(rows=_exported(ctx, "crm.accounts", {"stage": stage}, contract, credential))


@bot(effect="reads", outputs={"rows": "columns of contract"})
def read_export(ctx: Context, *, file: FileValue, contract: ContractName) -> Rows:
    """The rows of an export file that someone saved: CSV, XLSX, XLS or ODS, told apart by its content.

    Nothing is guessed: a column that is missing, renamed or doubled, an ambiguous number or date, another encoding, all
    are errors that name the place. What is text stays text (00123), money is exact. An export with a header and no
    rows gives a table without rows.

    Error codes: file_missing, file_empty, file_refused, file_unreadable, wrong_format, wrong_encoding, sheet_missing,
    wrong_header, wrong_cells, wrong_totals.

    Inputs:
        file: the export, below one of the folders that settings.yaml lets bots read
        contract: the file in tables/ that says what columns it has

    Example:
        - id: deals
          bot: crm.read_export
          with:
            file: inbox/won_deals.csv
            contract: won_deals
    """
    rows = ctx.tables.read(file, contract)
    ctx.log.info("export_read", contract=contract, rows=rows.row_count)
    return Rows(rows=rows)


def _exported(
    ctx: Context, screen: str, asked: Mapping[str, Value], contract: str, credential: str
) -> Table:
    file = ctx.screens.export(screen, filter=asked, press="export", credential=credential)
    rows = ctx.tables.read(file, contract)
    ctx.log.info("export_read", screen=screen, contract=contract, rows=rows.row_count)
    return rows
