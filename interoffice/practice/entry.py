"""What was typed into a form of the practice ERP, turned into the fields that are posted, or the reasons against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from interoffice.practice.amounts import erp_money, erp_number, parse_erp_date, parse_erp_number
from interoffice.practice.documents import DocumentKind, Field
from interoffice.practice.master_data import MasterData


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A form as it was typed: `fields` to post where `problems` is empty."""

    fields: Mapping[str, Any]
    problems: tuple[str, ...]


def read_entry(kind: DocumentKind, typed: Mapping[str, str], master: MasterData) -> Entry:
    """The fields of a document; amounts as "48500.00", days ISO, lines as a list under `lines`."""
    problems: list[str] = []
    fields: dict[str, Any] = {}
    for field in kind.fields:
        if field.kind != "file":
            fields[field.name] = _read(field, typed.get(field.name, ""), problems)
    if kind.lines is not None:
        fields["lines"] = _read_lines(kind, typed, problems)
    if kind.shows_total and not problems:
        fields["total"] = str(sum((_line_total(line) for line in fields["lines"]), Decimal(0)))
    if not problems:
        problems.extend(_business_problems(kind, fields, master))
    return Entry(fields=fields, problems=tuple(problems))


def shown(field: Field, value: str) -> str:
    """A posted value as the ERP shows it: 48500.00 as 48.500,00 and 2026-12-31 as 31.12.2026."""
    if not value:
        return ""
    if field.kind == "money":
        return erp_money(Decimal(value))
    if field.kind == "number":
        return erp_number(Decimal(value))
    if field.kind == "date":
        year, month, day = value.split("-")
        return f"{day}.{month}.{year}"
    return value


def typed_lines(kind: DocumentKind, typed: Mapping[str, str]) -> list[dict[str, str]]:
    """The lines as typed, by number; lines without anything typed are left out."""
    if kind.lines is None:
        return []
    prefix = f"{kind.lines.name}."
    numbers = sorted({int(name.split(".")[1]) for name in typed if name.startswith(prefix)})
    lines = [
        {field.name: typed.get(f"{prefix}{number}.{field.name}", "").strip() for field in kind.lines.fields}
        for number in numbers
    ]
    return [line for line in lines if any(line.values())]


def _read(field: Field, typed: str, problems: list[str]) -> str:
    text = typed.strip()
    if not text:
        if field.required:
            problems.append(f"{field.caption} is missing.")
        return ""
    if field.max_length and len(text) > field.max_length:
        problems.append(f"{field.caption} is longer than {field.max_length} characters.")
    if field.choices and text not in field.choices:
        problems.append(f"{field.caption}: {text} is not one of {', '.join(field.choices)}.")
    try:
        return _plain(field, text)
    except ValueError:
        problems.append(f"{field.caption}: {text} is not {_WRITTEN_LIKE[field.kind]}.")
        return text


_WRITTEN_LIKE = {
    "money": "an amount like 1.234,56",
    "number": "a number like 1.234,5",
    "date": "a date like 31.12.2026",
}


def _plain(field: Field, text: str) -> str:
    if field.kind == "money":
        return f"{parse_erp_number(text):.2f}"
    if field.kind == "number":
        return str(parse_erp_number(text, decimals=6))
    if field.kind == "date":
        return parse_erp_date(text).isoformat()
    return text


def _read_lines(kind: DocumentKind, typed: Mapping[str, str], problems: list[str]) -> list[dict[str, str]]:
    grid = kind.lines
    if grid is None:
        return []
    lines = typed_lines(kind, typed)
    if not lines:
        problems.append(f"{grid.caption}: at least one line is needed.")
    found: list[dict[str, str]] = []
    for position, line in enumerate(lines, start=1):
        of_line: list[str] = []
        found.append({field.name: _read(field, line[field.name], of_line) for field in grid.fields})
        problems.extend(f"Line {position}: {problem}" for problem in of_line)
    return found


def _line_total(line: Mapping[str, str]) -> Decimal:
    return (Decimal(line["quantity"]) * Decimal(line["price"])).quantize(Decimal("0.01"))


def _business_problems(kind: DocumentKind, fields: Mapping[str, Any], master: MasterData) -> list[str]:
    problems: list[str] = []
    if "customer_no" in fields:
        problems.extend(_customer_problems(fields["customer_no"], master))
    if "supplier_no" in fields and fields["supplier_no"] not in master.suppliers:
        problems.append(f"Supplier {fields['supplier_no']} is unknown.")
    if "company" in fields and fields["company"] not in master.companies:
        problems.append(f"Company {fields['company']} is unknown.")
    for field in kind.fields:
        if field.kind == "money" and Decimal(fields[field.name]) <= 0:
            problems.append(f"{field.caption} must be more than 0.")
    if kind.screen == "journal":
        problems.extend(_balance_problems(fields["lines"]))
    return problems


def _customer_problems(customer_no: str, master: MasterData) -> list[str]:
    customer = master.customers.get(customer_no)
    if customer is None:
        return [f"Customer {customer_no} is unknown."]
    if customer.get("blocked") == "yes":
        return [f"Customer {customer_no} is blocked for new orders."]
    return []


def _balance_problems(lines: Sequence[Mapping[str, str]]) -> list[str]:
    debit = sum((Decimal(line["debit"] or 0) for line in lines), Decimal(0))
    credit = sum((Decimal(line["credit"] or 0) for line in lines), Decimal(0))
    if debit != credit:
        return [f"Debit {erp_money(debit)} and credit {erp_money(credit)} differ."]
    return []

