"""How the practice applications write numbers and dates: the ERP 1.234,56 and dd.MM.yyyy, the CRM 1,234.56 and ISO."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

_ERP_NUMBER = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?", re.ASCII)
_ERP_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


def parse_erp_number(text: str, *, decimals: int = 2) -> Decimal:
    """The number typed in the ERP; ValueError for anything that is not written like 1.234,56."""
    typed = text.strip()
    if not _ERP_NUMBER.fullmatch(typed):
        raise ValueError(typed)
    number = Decimal(typed.replace(".", "").replace(",", "."))
    if -int(number.as_tuple().exponent) > decimals:
        raise ValueError(typed)
    return number


def erp_money(amount: Decimal) -> str:
    """1234.5 as 1.234,50."""
    return _swap(f"{amount:,.2f}")


def erp_number(number: Decimal) -> str:
    """1234.50 as 1.234,5 and 3.00 as 3."""
    plain = f"{number:,f}"
    return _swap(plain.rstrip("0").rstrip(".") if "." in plain else plain)


def parse_erp_date(text: str) -> date:
    """The day typed in the ERP; ValueError for anything that is not written like 31.12.2026."""
    written = _ERP_DATE.fullmatch(text.strip())
    if not written:
        raise ValueError(text)
    day, month, year = (int(part) for part in written.groups())
    return date(year, month, day)


def erp_date(day: date) -> str:
    """2026-12-31 as 31.12.2026."""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def crm_money(amount: Decimal) -> str:
    """1234.5 as 1,234.50."""
    return f"{amount:,.2f}"


def _swap(number: str) -> str:
    return number.translate(str.maketrans(",.", ".,"))
