"""The ERP's Reports > Export: which tables there are, how they are filtered, and the file that comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import Response

from interoffice.practice.amounts import parse_erp_date, parse_erp_number
from interoffice.practice.csv_export import csv_answer
from interoffice.practice.documents import Field
from interoffice.practice.master_data import MasterData, Row
from interoffice.practice.web import FaultyWeb


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportTable:
    """One table: its columns as in the file, and which of them the search fields look at."""

    columns: tuple[str, ...]
    day: str = ""
    company: str = ""
    account: str = ""
    status: str = ""


EXPORT_TABLES: Mapping[str, ExportTable] = {
    "cash_ledger": ExportTable(
        columns=("document_ref", "posting_date", "currency", "amount", "text"), day="posting_date", account="account"
    ),
    "ledger": ExportTable(
        columns=(
            "line_id", "company", "account", "posting_date", "document_ref", "partner_company",
            "partner_document_ref", "currency", "amount",
        ),
        day="posting_date", company="company", account="account",
    ),
    "balances": ExportTable(columns=("cost_centre", "product_line", "month", "actual_amount"), day="month"),
    "open_purchase_orders": ExportTable(
        columns=("supplier_no", "po_no", "po_unit_price", "received_quantity", "po_approved", "supplier_iban")
    ),
    "purchase_order_lines": ExportTable(
        columns=(
            "po_no", "item_no", "supplier_email", "quantity", "net_price", "currency", "wanted_date",
            "confirmed_date", "status",
        ),
        day="wanted_date", status="status",
    ),
    "goods_receipts": ExportTable(
        columns=(
            "receipt_no", "company", "supplier_no", "category", "quantity", "price", "currency", "receipt_date",
            "invoiced",
        ),
        day="receipt_date", company="company", status="status",
    ),
    "supplier_terms": ExportTable(
        columns=("supplier_no", "item_no", "supplier_email", "supplier_class", "currency", "list_price", "blocked")
    ),
}
"""A column that only a search field looks at (the account of cash_ledger, the status of goods_receipts: open or
invoiced) isn't in the file."""

EXPORT_FIELDS = (
    Field(name="table", caption="Table", kind="choice", choices=tuple(EXPORT_TABLES)),
    Field(name="company", caption="Company", max_length=10),
    Field(name="account", caption="Account", max_length=20),
    Field(name="year", caption="Year", kind="number"),
    Field(name="status", caption="Status", max_length=20),
    Field(name="day_from", caption="From", kind="date"),
    Field(name="day_to", caption="To", kind="date"),
)


def export_answer(typed: Mapping[str, str], master: MasterData, web: FaultyWeb) -> Response | str:
    """The file, or the reason why there is none."""
    name = typed.get("table", "")
    table = EXPORT_TABLES.get(name)
    if table is None:
        return f"Table: {name or 'nothing'} is not one of {', '.join(EXPORT_TABLES)}."
    try:
        period = _period(typed)
    except _Unreadable as problem:
        return str(problem)
    rows = [row for row in master.tables.get(name, ()) if _fits(row, table, typed, period)]
    return csv_answer(web, f"{name}.csv", {column: column for column in table.columns}, rows)


class _Unreadable(Exception):
    pass


def _period(typed: Mapping[str, str]) -> tuple[str, str, str]:
    return _day(typed, "day_from", "From"), _day(typed, "day_to", "To"), _year(typed)


def _day(typed: Mapping[str, str], name: str, caption: str) -> str:
    text = typed.get(name, "").strip()
    try:
        return parse_erp_date(text).isoformat() if text else ""
    except ValueError:
        raise _Unreadable(f"{caption}: {text} is not a date like 31.12.2026.") from None


def _year(typed: Mapping[str, str]) -> str:
    text = typed.get("year", "").strip()
    try:
        return f"{date(int(parse_erp_number(text, decimals=0)), 1, 1):%Y}" if text else ""
    except ValueError:
        raise _Unreadable(f"Year: {text} is not a year like 2026.") from None


def _fits(row: Row, table: ExportTable, typed: Mapping[str, str], period: tuple[str, str, str]) -> bool:
    day = row.get(table.day, "")
    first, last, year = period
    wanted = {
        column: typed.get(name, "").strip()
        for name, column in (("company", table.company), ("account", table.account), ("status", table.status))
        if column
    }
    return (
        (not first or not table.day or day >= first)
        and (not last or not table.day or day <= last)
        and (not year or not table.day or day[:4] == year)
        and all(not text or row.get(column, "") == text for column, text in wanted.items())
    )
