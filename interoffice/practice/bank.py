"""The practice bank: a statement of the practice ERP's cash account in camt.053, MT940 and CSV, with what goes wrong.

Of a day's eight ledger lines the bank has six as they are; one of them without its reference. One has another amount,
one has not arrived, and the bank has taken a fee that nobody has booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from interoffice.practice.seed_tables import CASH_ACCOUNT, export_tables

OPENING = Decimal("250000.00")
IBAN = "DE75512108001245126199"
"""An account number that is made up and well formed, as the SEPA examples of banks have it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the bank."""

    reference: str
    end_to_end: str
    amount: Decimal
    text: str


def entries(day: date, today: date) -> list[Entry]:
    """What the bank has of a day."""
    found = []
    lines = [
        row for row in export_tables(today)["cash_ledger"]
        if row["account"] == CASH_ACCOUNT and row["posting_date"] == day.isoformat()
    ]  # fmt: skip
    for number, row in enumerate(lines, start=1):
        amount, reference = Decimal(row["amount"]), row["document_ref"]
        if number == 4:
            continue
        if number == 2:
            reference = "NOTPROVIDED"
        if number == 5:
            amount += Decimal("-12.50")
        own = f"B{day:%y%m%d}{number:03}"
        found.append(Entry(reference=own, end_to_end=reference, amount=amount, text=row["text"]))
    fee = Entry(reference=f"B{day:%y%m%d}900", end_to_end="NOTPROVIDED", amount=Decimal("-19.90"), text="Fee & charges")
    return [*found, fee] if found else []


def put_statements(folder: Path, today: date, days: int = 5) -> list[Path]:
    """The bank's files of the last days before today, as the sample bank_reconciliation waits for them; those that were
    not there yet."""
    put = []
    for back in range(1, days + 1):
        day = today - timedelta(days=back)
        file = folder / f"{CASH_ACCOUNT}_{day.isoformat()}.camt053.xml"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(camt053(day, today), encoding="utf-8")
            put.append(file)
    return put


def camt053(day: date, today: date) -> str:
    """The day's statement as camt.053.001.02 of ISO 20022."""
    booked = entries(day, today)
    closing = OPENING + sum((entry.amount for entry in booked), Decimal(0))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>\n'
        f"<Stmt><Id>{day:%Y%m%d}</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>\n"
        + _balance("OPBD", OPENING, day)
        + _balance("CLBD", closing, day)
        + "".join(_entry(entry, day) for entry in booked)
        + "</Stmt></BkToCstmrStmt></Document>\n"
    )


def _money(amount: Decimal) -> str:
    direction = "CRDT" if amount >= 0 else "DBIT"
    return f'<Amt Ccy="EUR">{abs(amount)}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'


def _balance(code: str, amount: Decimal, day: date) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{_money(amount)}<Dt><Dt>{day.isoformat()}</Dt></Dt></Bal>\n"


def _entry(entry: Entry, day: date) -> str:
    when = f"<Dt>{day.isoformat()}</Dt>"
    party = "Dbtr" if entry.amount >= 0 else "Cdtr"
    details = (
        f"<Refs><EndToEndId>{escape(entry.end_to_end)}</EndToEndId></Refs>"
        f"<RltdPties><{party}><Nm>Practice partner</Nm></{party}></RltdPties>"
        f"<RmtInf><Ustrd>{escape(entry.text)}</Ustrd></RmtInf>"
    )
    return (
        f"<Ntry><NtryRef>{entry.reference}</NtryRef>{_money(entry.amount)}<Sts>BOOK</Sts>"
        f"<BookgDt>{when}</BookgDt><ValDt>{when}</ValDt><NtryDtls><TxDtls>{details}</TxDtls></NtryDtls></Ntry>\n"
    )


def mt940(day: date, today: date) -> str:
    """The same as MT940 of SWIFT, with the details of German banks."""
    booked = entries(day, today)
    closing = OPENING + sum((entry.amount for entry in booked), Decimal(0))
    lines = [":20:PRACTICE", f":25:51210800/{CASH_ACCOUNT}", ":28C:00001/001", f":60F:{_swift(OPENING, day)}"]
    for entry in booked:
        sign = "C" if entry.amount >= 0 else "D"
        amount = f"{abs(entry.amount):.2f}".replace(".", ",")
        lines.append(f":61:{day:%y%m%d}{day:%m%d}{sign}{amount}NTRFNONREF//{entry.reference}")
        lines.append(f":86:166?00TRANSFER?20EREF+{entry.end_to_end}?21SVWZ+{entry.text}?32Practice partner")
    return "\r\n".join([*lines, f":62F:{_swift(closing, day)}", "-", ""])


def _swift(amount: Decimal, day: date) -> str:
    return f"{'C' if amount >= 0 else 'D'}{day:%y%m%d}EUR{abs(amount):.2f}".replace(".", ",")


def statement_csv(day: date, today: date) -> str:
    """The same as CSV, the newest entry first, as many banks write it."""
    rows, balance = [], OPENING
    for entry in entries(day, today):
        balance += entry.amount
        words: Sequence[str] = (
            entry.reference, day.isoformat(), day.isoformat(), entry.end_to_end, "Practice partner", entry.text, "EUR",
            str(entry.amount), str(balance),
        )  # fmt: skip
        rows.append(",".join(words))
    header = "entry_ref,booking_date,value_date,end_to_end_ref,counterparty,text,currency,amount,balance"
    return "\r\n".join([header, *rows[::-1], ""])
