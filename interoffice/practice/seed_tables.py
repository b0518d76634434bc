"""The rows of the ERP's export tables, the same for the same day, in the columns of tables/*.yaml."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

Row = Mapping[str, str]

COMPANIES = ("DE01", "FR01", "UK01")
CASH_ACCOUNT = "00123456"

_ITEMS = ("10001", "10002", "10003", "10004", "10005", "10006")


def _supplier(line: str) -> Row:
    number, name, email, supplier_class, currency, iban, blocked = line.split("|")
    return {
        "supplier_no": number, "name": name, "email": email, "supplier_class": supplier_class, "currency": currency,
        "iban": iban, "blocked": blocked,
    }


SUPPLIERS: tuple[Row, ...] = tuple(
    _supplier(line)
    for line in """
S-70001|Stahlhandel Krüger GmbH|orders.70001@example.com|A|EUR|DE89370400440532013000|no
S-70002|Papeterie Lambert SAS|orders.70002@example.com|B|EUR|FR1420041010050500013M02606|no
S-70003|Midland Fasteners Ltd|orders.70003@example.com|A|GBP|GB29NWBK60161331926819|no
S-70004|Verpackung Österreich AG|orders.70004@example.com|C|EUR|AT611904300234573201|no
S-70005|Van Dijk Chemie B.V.|orders.70005@example.com|B|EUR|NL91ABNA0417164300|no
S-70006|Altlager Restposten GmbH|orders.70006@example.com|C|EUR|DE02120300000000202051|yes
""".strip().splitlines()
)


def export_tables(today: date) -> dict[str, Sequence[Row]]:
    """All tables by the name that Reports > Export knows."""
    return {
        "cash_ledger": _cash_ledger(today),
        "ledger": _ledger(today),
        "balances": _balances(today),
        "open_purchase_orders": _open_purchase_orders(),
        "purchase_order_lines": _purchase_order_lines(today),
        "goods_receipts": _goods_receipts(today),
        "supplier_terms": _supplier_terms(),
    }


def _money(draws: random.Random, low: int, high: int) -> Decimal:
    return Decimal(draws.randrange(low * 100, high * 100)) / 100


def _cash_ledger(today: date) -> list[Row]:
    draws = random.Random(11)
    rows: list[Row] = []
    for back in range(1, 15):
        day = today - timedelta(days=back)
        for line in range(1, 9):
            sign = -1 if line % 3 == 0 else 1
            rows.append({
                "account": CASH_ACCOUNT, "document_ref": f"CL{day:%y%m%d}{line:03}", "posting_date": day.isoformat(),
                "currency": "EUR", "amount": f"{sign * _money(draws, 50, 9000):.2f}",
                "text": ("Customer payment", "Incoming transfer", "Supplier payment")[line % 3],
            })
    return rows


def _ledger(today: date) -> list[Row]:
    """Balanced documents of each company in the last month, some between two companies of the group."""
    draws = random.Random(12)
    end = today.replace(day=1) - timedelta(days=1)
    rows: list[Row] = []
    for company in COMPANIES:
        currency = "GBP" if company == "UK01" else "EUR"
        for document in range(1, 13):
            day = end.replace(day=draws.randrange(1, end.day + 1))
            amount = _money(draws, 100, 20000)
            partner = draws.choice([c for c in COMPANIES if c != company]) if document % 4 == 0 else ""
            for line, (account, value) in enumerate((("140000", amount), ("400000", -amount)), start=1):
                rows.append({
                    "line_id": f"{company}-{document:04}-{line}", "company": company, "account": account,
                    "posting_date": day.isoformat(), "document_ref": f"{company}/{end:%Y%m}/{document:04}",
                    "partner_company": partner,
                    "partner_document_ref": f"{partner}/{end:%Y%m}/{document:04}" if partner else "",
                    "currency": currency, "amount": f"{value:.2f}",
                })
    return rows


def _balances(today: date) -> list[Row]:
    draws = random.Random(13)
    return [
        {
            "cost_centre": centre, "product_line": line, "month": date(year, month, 1).isoformat(),
            "actual_amount": f"{_money(draws, 8000, 90000):.2f}",
        }
        for year in (today.year - 1, today.year)
        for month in range(1, 13)
        if date(year, month, 1) < today.replace(day=1)
        for centre in ("4100", "4200")
        for line in ("Instruments", "Service")
    ]


def _open_purchase_orders() -> list[Row]:
    draws = random.Random(14)
    return [
        {
            "supplier_no": supplier["supplier_no"], "po_no": f"PO-{2000 + 10 * position + order:08}",
            "po_unit_price": f"{_money(draws, 2, 400):.2f}", "received_quantity": str(draws.randrange(5, 120)),
            "po_approved": "no" if order == 3 else "yes", "supplier_iban": supplier["iban"],
        }
        for position, supplier in enumerate(SUPPLIERS[:5])
        for order in range(1, 4)
    ]


def _purchase_order_lines(today: date) -> list[Row]:
    draws = random.Random(15)
    rows: list[Row] = []
    for position, supplier in enumerate(SUPPLIERS[:5]):
        for item in _ITEMS[:3]:
            wanted = today + timedelta(days=draws.randrange(-5, 25))
            is_closed = item == _ITEMS[2] and position % 2 == 0
            rows.append({
                "po_no": f"PO-{2001 + 10 * position:08}", "item_no": item, "supplier_email": supplier["email"],
                "quantity": str(draws.randrange(5, 120)), "net_price": f"{_money(draws, 2, 400):.2f}",
                "currency": supplier["currency"], "wanted_date": wanted.isoformat(),
                "confirmed_date": wanted.isoformat() if is_closed else "", "status": "closed" if is_closed else "open",
            })
    return rows


def _goods_receipts(today: date) -> list[Row]:
    draws = random.Random(16)
    end = today.replace(day=1) - timedelta(days=1)
    rows: list[Row] = []
    for number in range(1, 31):
        is_invoiced = number % 3 == 0
        rows.append({
            "receipt_no": f"GR-{9000 + number:06}", "company": COMPANIES[number % 3],
            "supplier_no": SUPPLIERS[number % 5]["supplier_no"],
            "category": ("material", "freight", "service", "energy")[number % 4],
            "quantity": str(draws.randrange(1, 60)), "price": f"{_money(draws, 5, 900):.2f}",
            "currency": "GBP" if COMPANIES[number % 3] == "UK01" else "EUR",
            "receipt_date": (end - timedelta(days=draws.randrange(0, 25))).isoformat(),
            "invoiced": "yes" if is_invoiced else "no", "status": "invoiced" if is_invoiced else "open",
        })
    return rows


def _supplier_terms() -> list[Row]:
    draws = random.Random(17)
    return [
        {
            "supplier_no": SUPPLIERS[position]["supplier_no"], "item_no": item,
            "supplier_email": SUPPLIERS[position]["email"], "supplier_class": SUPPLIERS[position]["supplier_class"],
            "currency": SUPPLIERS[position]["currency"], "list_price": f"{_money(draws, 2, 400):.2f}",
            "blocked": SUPPLIERS[position]["blocked"],
        }
        for position, item in enumerate(_ITEMS)
    ]
