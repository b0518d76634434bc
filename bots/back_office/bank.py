"""Bank statements: camt.053, MT940 and CSV, their entries and balances; a statement that doesn't add up is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from interoffice.bot import Choice, ContractName, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, TEXT
from interoffice.model.values import FileValue, Value

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

COLUMNS = {
    "entry_ref": TEXT, "booking_date": DATE, "value_date": DATE, "end_to_end_ref": TEXT, "counterparty": TEXT,
    "text": TEXT, "currency": TEXT, "amount": MONEY,
}  # fmt: skip
CSV_CONTRACT = "bank_statement"
BALANCE = "balance"
CAMT = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d{2}\}")
NOT_PROVIDED = ("NOTPROVIDED", "NONREF")
"""What stands where a payer gave no reference: ISO 20022 and SWIFT have a word for it."""
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
"""Codes of ISO 20022 for the booked balances: opening, or that of the day before, and closing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementRead:
    """The entries of a statement, credits above zero and debits below, and its balances."""

    rows: Table
    opening_balance: Decimal
    closing_balance: Decimal


@dataclass(kw_only=True)
class Statement:
    """One statement of a file as it was read, before anything is believed."""

    opening: Decimal
    closing: Decimal
    currency: str
    entries: list[dict[str, Value]]


@bot(
    effect="reads",
    choices={"format": ("camt.053", "mt940", "csv")},
    outputs={
        "rows": (
            "table of entry_ref: text, booking_date: date, value_date: date, end_to_end_ref: text, counterparty: text, "
            "text: text, currency: text, amount: money"
        ),
        "opening_balance": "money",
        "closing_balance": "money",
    },
)
def read_statement(
    ctx: Context, *, file: FileValue, format: Choice, contract: ContractName | None = None
) -> StatementRead:
    """The entries and balances of a bank statement, which must add up: opening balance and entries are the closing one.

    camt.053 of ISO 20022 (001.02 and later): booked entries only; one that bundles several transactions whose amounts
    add up to it gives a row for each. MT940 of SWIFT, with the fields 20 to 34 of German banks in its details. CSV
    against a contract with the columns above and `balance`, the balance after each entry. Credits are above zero,
    debits below. A reference that says NOTPROVIDED or NONREF is missing. Several statements in one file must follow
    each other. Text stays text, amounts are exact.

    Error codes: file_missing, file_refused (too large, or XML that defines entities), wrong_format, balances_differ,
    several_accounts (more than one account or currency in the file); of CSV those of reading a table: wrong_header,
    wrong_cells.

    Inputs:
        file: the statement, below one of the folders that settings.yaml lets bots read
        format: camt.053, mt940 or csv
        contract: of CSV: the file in tables/ that says what columns it has; left out, bank_statement

    Example:
        - id: bank
          bot: bank.read_statement
          with:
            file: inbox/bank/00123456.xml
            format: camt.053
    """
    if format == "csv":
        statements = [_from_csv(ctx, file, contract or CSV_CONTRACT)]
    else:
        path = ctx.files.readable(file)
        statements = _camt(path, file.name) if format == "camt.053" else _mt940(path, file.name)
    _refuse_wrong_sums(file.name, statements)
    entries = [entry for statement in statements for entry in statement.entries]
    ctx.log.info("statement_read", format=format, entries=len(entries), statements=len(statements))
    return StatementRead(
        rows=Table.from_rows(COLUMNS, entries),
        opening_balance=statements[0].opening,
        closing_balance=statements[-1].closing,
    )


def _refuse_wrong_sums(name: str, statements: Sequence[Statement]) -> None:
    for number, statement in enumerate(statements, start=1):
        which = f"statement {number} of {name}" if len(statements) > 1 else name
        booked = sum((_money(entry["amount"]) for entry in statement.entries), Decimal(0))
        if statement.opening + booked != statement.closing:
            raise BusinessError(
                f"{which} does not add up: opening balance {statement.opening} and entries of {booked} are "
                f"{statement.opening + booked} {statement.currency}, but its closing balance is {statement.closing}; "
                "ask the bank for the whole file",
                code="balances_differ",
            )
    for number, (one, following) in enumerate(pairwise(statements), start=2):
        if one.closing != following.opening:
            raise BusinessError(
                f"statement {number} of {name} opens with {following.opening}, and the one before it closes with "
                f"{one.closing}; a statement between them is missing",
                code="balances_differ",
            )


def _wrong(name: str, why: str) -> NoReturn:
    raise BusinessError(f"{name} is no bank statement that can be read: {why}", code="wrong_format")


def _one_account(name: str, found: set[str], what: str) -> None:
    if len(found) > 1:
        raise BusinessError(
            f"{name} holds statements of several {what} ({', '.join(sorted(found))}); give each a file of its own",
            code="several_accounts",
        )


def _reference(text: str | None) -> str | None:
    said = (text or "").strip()
    return said if said and said.upper() not in NOT_PROVIDED else None


def _amount(name: str, text: str, where: str) -> Decimal:
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        _wrong(name, f'"{text}" is no amount ({where})')
    if not amount.is_finite():
        _wrong(name, f'"{text}" is no amount ({where})')
    return amount


# camt.053


def _camt(path: Path, name: str) -> list[Statement]:
    root = _xml(path, name)
    found = CAMT.match(root.tag)
    if found is None or not root.tag.endswith("}Document"):
        _wrong(name, f"its first element is {root.tag.rpartition('}')[2]}, and not a Document of camt.053.001")
    space = found.group()
    statements = root.findall(f"{space}BkToCstmrStmt/{space}Stmt")
    if not statements:
        _wrong(name, "it holds no statement (BkToCstmrStmt/Stmt)")
    _one_account(name, {_camt_account(each, space) for each in statements}, "accounts")
    read = [_camt_statement(each, space, name) for each in statements]
    _one_account(name, {each.currency for each in read}, "currencies")
    return read


def _xml(path: Path, name: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root = parse(path, forbid_dtd=True).getroot()
    except ParseError as error:
        line, column = error.position
        _wrong(name, f"its XML breaks off or is damaged at line {line}, column {column}")
    except DefusedXmlException as error:
        raise BusinessError(
            f"{name} is refused: its XML defines entities or a document type, which no statement needs and which can "
            "take a machine down or read its files",
            code="file_refused",
        ) from error
    except (LookupError, ValueError) as error:
        _wrong(name, f"its encoding can't be read ({error})")
    if root is None:
        _wrong(name, "it is empty")
    return root


def _camt_account(statement: Element, space: str) -> str:
    account = f"{space}Acct/{space}Id"
    return (
        statement.findtext(f"{account}/{space}IBAN")
        or statement.findtext(f"{account}/{space}Othr/{space}Id")
        or "an account without a number"
    )


def _camt_statement(statement: Element, space: str, name: str) -> Statement:
    opening, currency = _camt_balance(statement, space, name, OPENING)
    closing, _ = _camt_balance(statement, space, name, CLOSING)
    number = (statement.findtext(f"{space}Id") or "").strip()
    entries = [
        row
        for position, entry in enumerate(statement.findall(f"{space}Ntry"), start=1)
        if _status(entry, space) == "BOOK"
        for row in _camt_rows(entry, space, name, f"{number}/{position}")
    ]
    return Statement(opening=opening, closing=closing, currency=currency, entries=entries)


def _camt_balance(statement: Element, space: str, name: str, codes: Sequence[str]) -> tuple[Decimal, str]:
    for code in codes:
        for balance in statement.findall(f"{space}Bal"):
            if balance.findtext(f"{space}Tp/{space}CdOrPrtry/{space}Cd") == code:
                return _signed(balance, space, name, f"balance {code}")
    _wrong(name, f"a statement has no balance {' or '.join(codes)}")


def _signed(element: Element, space: str, name: str, where: str) -> tuple[Decimal, str]:
    """An amount with its sign, and its currency."""
    found = element.find(f"{space}Amt")
    direction = element.findtext(f"{space}CdtDbtInd")
    if found is None or found.text is None or direction not in ("CRDT", "DBIT"):
        _wrong(name, f"{where} has no amount with CRDT or DBIT")
    amount = _amount(name, found.text, where)
    return (amount if direction == "CRDT" else -amount), found.get("Ccy", "")


def _status(entry: Element, space: str) -> str:
    """BOOK, PDNG or INFO: plain text until version 07, a code of its own from 08 on."""
    return (entry.findtext(f"{space}Sts/{space}Cd") or entry.findtext(f"{space}Sts") or "BOOK").strip()


def _camt_rows(entry: Element, space: str, name: str, position: str) -> Iterator[dict[str, Value]]:
    amount, currency = _signed(entry, space, name, f"entry {position}")
    own = _reference(entry.findtext(f"{space}NtryRef")) or _reference(entry.findtext(f"{space}AcctSvcrRef"))
    reference = own or position
    row: dict[str, Value] = {
        "entry_ref": reference,
        "booking_date": _camt_date(entry, space, name, "BookgDt", reference),
        "value_date": _camt_date(entry, space, name, "ValDt", reference),
        "currency": currency,
        "amount": amount,
    }
    details = entry.findall(f"{space}NtryDtls/{space}TxDtls")
    parts = [_part_of_entry(each, space, name, amount) for each in details]
    bundled = len(parts) > 1 and None not in parts and sum(part for part in parts if part is not None) == amount
    for number, each in enumerate(details if bundled else details[:1], start=1):
        own_part = {"entry_ref": f"{reference}/{number}", "amount": parts[number - 1]} if bundled else {}
        yield {**row, **own_part, **_camt_words(each, entry, space, amount)}
    if not details:
        text = (entry.findtext(f"{space}AddtlNtryInf") or "").strip() or None
        yield {**row, "end_to_end_ref": None, "counterparty": None, "text": text}


def _part_of_entry(details: Element, space: str, name: str, amount: Decimal) -> Decimal | None:
    """The amount of one transaction of an entry, with the entry's sign; None where it has none."""
    found = details.find(f"{space}Amt")
    if found is None:
        found = details.find(f"{space}AmtDtls/{space}TxAmt/{space}Amt")
    if found is None or found.text is None:
        return None
    part = _amount(name, found.text, "a transaction")
    return part if amount >= 0 else -part


def _camt_words(details: Element, entry: Element, space: str, amount: Decimal) -> dict[str, Value]:
    party = "Dbtr" if amount >= 0 else "Cdtr"
    parties = f"{space}RltdPties/{space}{party}"
    lines = [(each.text or "").strip() for each in details.findall(f"{space}RmtInf/{space}Ustrd")]
    counterparty = details.findtext(f"{parties}/{space}Nm") or details.findtext(f"{parties}/{space}Pty/{space}Nm")
    return {
        "end_to_end_ref": _reference(details.findtext(f"{space}Refs/{space}EndToEndId")),
        "counterparty": (counterparty or "").strip() or None,
        "text": " ".join(filter(None, lines)) or (entry.findtext(f"{space}AddtlNtryInf") or "").strip() or None,
    }


def _camt_date(entry: Element, space: str, name: str, tag: str, reference: str) -> date | None:
    text = entry.findtext(f"{space}{tag}/{space}Dt") or (entry.findtext(f"{space}{tag}/{space}DtTm") or "")[:10]
    if not text:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        _wrong(name, f'entry {reference} has "{text}" as its {tag}, which is no date')


# MT940


def _mt940(path: Path, name: str) -> list[Statement]:
    parts = re.split(r"(?m)^(?=:20:)", _decoded(path.read_bytes()))
    texts = [part for part in parts if part.startswith(":20:")]
    if not texts:
        _wrong(name, "it has no field :20:, with which a statement of MT940 begins")
    read = [_mt940_statement(text, name, number) for number, text in enumerate(texts, start=1)]
    _one_account(name, {account for account, _ in read}, "accounts")
    _one_account(name, {statement.currency for _, statement in read}, "currencies")
    return [statement for _, statement in read]


def _decoded(content: bytes) -> str:
    """UTF-8, else ISO 8859-1, in which SWIFT files of banks come too."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("iso-8859-1")


def _mt940_statement(text: str, name: str, number: int) -> tuple[str, Statement]:
    import mt940

    try:
        read = mt940.parse(text)
    except (RuntimeError, ValueError, ArithmeticError, AssertionError, KeyError) as error:
        _wrong(name, f"statement {number} is damaged ({' '.join(str(error).split())[:120]})")
    opening = read.data.get("final_opening_balance") or read.data.get("intermediate_opening_balance")
    closing = read.data.get("final_closing_balance") or read.data.get("intermediate_closing_balance")
    if opening is None or closing is None:
        _wrong(name, f"statement {number} has no opening balance (:60F:) or no closing one (:62F:)")
    entries = [_mt940_row(each.data, f"{number}/{at}") for at, each in enumerate(read, start=1)]
    written = len(re.findall(r"(?m)^:61:", text))
    if written != len(entries):
        _wrong(name, f"statement {number} has {written} entries (:61:), and {len(entries)} of them can be read")
    account = str(read.data.get("account_identification", ""))
    statement = Statement(
        opening=Decimal(str(opening.amount.amount)), closing=Decimal(str(closing.amount.amount)),
        currency=str(opening.amount.currency), entries=entries,
    )  # fmt: skip
    return account, statement


def _mt940_row(said: Mapping[str, Any], position: str) -> dict[str, Value]:
    value_date = _plain_date(said["date"])
    amount = said["amount"]
    details = " ".join(
        " ".join(str(part).split())
        for part in (said.get("purpose") or said.get("transaction_details"), said.get("additional_purpose"))
        if part
    )
    names = [str(said[key]).strip() for key in ("applicant_name", "recipient_name") if said.get(key)]
    return {
        "entry_ref": _reference(said.get("bank_reference")) or position,
        "booking_date": _plain_date(said.get("entry_date")) or value_date,
        "value_date": value_date,
        "end_to_end_ref": _reference(said.get("end_to_end_reference")) or _reference(said.get("customer_reference")),
        "counterparty": " ".join(names) or None,
        "text": details or (said.get("extra_details") or "").strip() or None,
        "currency": str(amount.currency),
        "amount": Decimal(str(amount.amount)),
    }


def _plain_date(day: date | None) -> date | None:
    return None if day is None else date(day.year, day.month, day.day)


# CSV


def _from_csv(ctx: Context, file: FileValue, contract: str) -> Statement:
    rows = [dict(row) for row in ctx.tables.read(file, contract).rows()]
    missing = [name for name in ("booking_date", "currency", "amount", BALANCE) if rows and name not in rows[0]]
    if missing:
        raise BusinessError(
            f"the contract {contract} has no column {missing[0]}, which a bank statement needs; add it to the contract",
            code="wrong_header",
        )
    if not rows:
        _wrong(file.name, "it has no entries, and so says no balance")
    _one_account(file.name, {str(row["currency"]) for row in rows}, "currencies")
    return _with_balances(file.name, rows)


def _with_balances(name: str, rows: list[dict[str, Value]]) -> Statement:
    """Each balance is the one before it and the entry; the newest may stand first, as many banks write it."""
    ordered = rows if _adds_up(rows) or not _adds_up(rows[::-1]) else rows[::-1]
    first, last = ordered[0], ordered[-1]
    for number, (one, following) in enumerate(pairwise(ordered), start=2):
        if _money(one[BALANCE]) + _money(following["amount"]) != _money(following[BALANCE]):
            raise BusinessError(
                f"{name} does not add up at its entry {number}: {one[BALANCE]} and {following['amount']} are not "
                f"{following[BALANCE]}; an entry is missing or was changed",
                code="balances_differ",
            )
    entries: list[dict[str, Value]] = [
        {column: row.get(column) for column in COLUMNS} | {"entry_ref": row.get("entry_ref") or str(number)}
        for number, row in enumerate(ordered, start=1)
    ]
    return Statement(
        opening=_money(first[BALANCE]) - _money(first["amount"]), closing=_money(last[BALANCE]),
        currency=str(first["currency"]), entries=entries,
    )  # fmt: skip


def _adds_up(rows: Sequence[Mapping[str, Value]]) -> bool:
    return all(
        _money(one[BALANCE]) + _money(following["amount"]) == _money(following[BALANCE])
        for one, following in pairwise(rows)
    )


def _money(value: Value) -> Decimal:
    assert isinstance(value, Decimal)
    return value
