"""`bank.read_statement`: three formats, one content; what doesn't add up, is damaged or hostile is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from interoffice.errors import BusinessError
from interoffice.practice import bank
from tests.support.bots import bot
from tests.support.context import Desk

TODAY, DAY = date(2026, 11, 26), date(2026, 11, 25)
FORMATS = {"camt.053": bank.camt053, "mt940": bank.mt940, "csv": bank.statement_csv}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as made:
        yield made


def read(desk: Desk, content: str | bytes, format: str = "camt.053") -> Any:
    file = desk.folder / "inbox" / "statement"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return bot("bank.read_statement")(desk.context, file=desk.context.files.find("inbox/statement"), format=format)


@pytest.mark.parametrize("format", FORMATS)
def test_entries_and_balances_are_read(desk: Desk, format: str) -> None:
    found = read(desk, FORMATS[format](DAY, TODAY), format)
    rows = list(found.rows.rows())
    wanted = bank.entries(DAY, TODAY)
    assert [row["amount"] for row in rows] == [entry.amount for entry in wanted]
    assert [row["entry_ref"] for row in rows] == [entry.reference for entry in wanted]
    assert {row["booking_date"] for row in rows} == {row["value_date"] for row in rows} == {DAY}
    assert {row["currency"] for row in rows} == {"EUR"}
    assert found.opening_balance == bank.OPENING
    assert found.closing_balance == bank.OPENING + sum(entry.amount for entry in wanted)


@pytest.mark.parametrize("format", ["camt.053", "mt940"])
def test_a_reference_that_was_not_given_is_missing_and_words_are_kept(desk: Desk, format: str) -> None:
    rows = list(read(desk, FORMATS[format](DAY, TODAY), format).rows.rows())
    assert [row["end_to_end_ref"] for row in rows][1::6] == [None, None]
    assert rows[0]["end_to_end_ref"] == "CL261125001"
    assert rows[-1]["text"] == "Fee & charges"
    assert {row["counterparty"] for row in rows} == {"Practice partner"}


# camt.053 of other years and banks


def camt(*entries: str, opening: str = "100.00", closing: str = "150.00", version: str = "08") -> str:
    def balance(code: str, amount: str) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
            "<CdtDbtInd>CRDT</CdtDbtInd></Bal>"
        )

    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'><BkToCstmrStmt><Stmt><Id>S1</Id>"
        f"<Acct><Id><IBAN>DE75512108001245126199</IBAN></Id></Acct>{balance('PRCD', opening)}{balance('CLBD', closing)}"
        + "".join(entries)
        + "</Stmt></BkToCstmrStmt></Document>"
    )


def entry(
    amount: str, *, status: str = "BOOK", direction: str = "CRDT", details: str = "", day: str = "2026-11-25"
) -> str:
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>A-{amount}</AcctSvcrRef><NtryDtls>{details}</NtryDtls></Ntry>"
    )


def test_pending_entries_are_left_out_and_the_new_status_is_understood(desk: Desk) -> None:
    found = read(desk, camt(entry("50.00"), entry("7.00", status="PDNG")))
    (row,) = found.rows.rows()
    assert (row["amount"], row["entry_ref"], row["value_date"]) == (Decimal(50), "A-50.00", None)


def test_a_bundle_whose_parts_add_up_gives_a_row_for_each_part(desk: Desk) -> None:
    part = (
        "<TxDtls><Refs><EndToEndId>{ref}</EndToEndId></Refs><Amt Ccy='EUR'>{amount}</Amt><RltdPties><Dbtr><Pty>"
        "<Nm>Payer {ref}</Nm></Pty></Dbtr></RltdPties></TxDtls>"
    )
    details = part.format(ref="X1", amount="20.00") + part.format(ref="X2", amount="30.00")
    rows = list(read(desk, camt(entry("50.00", details=details))).rows.rows())
    assert [(row["entry_ref"], row["amount"], row["counterparty"]) for row in rows] == [
        ("A-50.00/1", Decimal(20), "Payer X1"), ("A-50.00/2", Decimal(30), "Payer X2"),
    ]  # fmt: skip


def test_two_statements_that_follow_each_other_are_read_as_one(desk: Desk) -> None:
    text = bank.mt940(DAY, TODAY)
    closing = bank.OPENING + sum(each.amount for each in bank.entries(DAY, TODAY))
    second = text.replace("250000,00", f"{closing}".replace(".", ","), 1)
    total = 2 * closing - bank.OPENING
    second = second.replace(f":62F:C261125EUR{closing}".replace(".", ","), f":62F:C261125EUR{total}".replace(".", ","))
    found = read(desk, text + second, "mt940")
    assert (found.rows.row_count, found.closing_balance) == (2 * len(bank.entries(DAY, TODAY)), total)
    with pytest.raises(BusinessError, match="a statement between them is missing"):
        read(desk, text + text, "mt940")


# what is refused

ENTITIES = "".join(f"<!ENTITY b{n} '&b;&b;'>" for n in range(9))
BOMB = f"<!DOCTYPE a [<!ENTITY b 'x'>{ENTITIES}]><Document>&b8;</Document>"
OUTSIDE = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><Document>&b;</Document>"
GOOD, SWIFT, CSV = bank.camt053(DAY, TODAY), bank.mt940(DAY, TODAY), bank.statement_csv(DAY, TODAY)


@pytest.mark.parametrize(
    ("content", "format", "code", "said"),
    [
        (camt(entry("49.99")), "camt.053", "balances_differ", "does not add up: opening balance 100.00"),
        (BOMB, "camt.053", "file_refused", "defines entities"),
        (OUTSIDE, "camt.053", "file_refused", "defines entities"),
        (GOOD[: len(GOOD) // 2], "camt.053", "wrong_format", "breaks off or is damaged at line"),
        ("", "camt.053", "wrong_format", "breaks off or is damaged"),
        (b"\x00\x01PK\x03\x04", "camt.053", "wrong_format", "is no bank statement"),
        (GOOD.replace("camt.053", "pain.001"), "camt.053", "wrong_format", "not a Document of camt.053.001"),
        (GOOD.replace("<Stmt>", "<Other>").replace("</Stmt>", "</Other>"), "camt.053", "wrong_format", "no statement"),
        (GOOD.replace("CLBD", "ITBD"), "camt.053", "wrong_format", "no balance CLBD"),
        (camt(entry("5O.00")), "camt.053", "wrong_format", '"5O.00" is no amount'),
        (camt(entry("NaN")), "camt.053", "wrong_format", '"NaN" is no amount'),
        (camt(entry("50.00", day="25.11.2026")), "camt.053", "wrong_format", "which is no date"),
        (camt(entry("50.00", direction="PLUS")), "camt.053", "wrong_format", "no amount with CRDT or DBIT"),
        (GOOD, "mt940", "wrong_format", "no field :20:"),
        (":20:X\r\n:25:1\r\n:61:nonsense\r\n", "mt940", "wrong_format", "statement 1"),
        (SWIFT.replace(":62F:", ":86:"), "mt940", "wrong_format", "no opening balance"),
        (SWIFT.replace("EUR250000", "EUR250001"), "mt940", "balances_differ", "does not add up"),
        (CSV.replace("-19.90", "-19.91"), "csv", "balances_differ", "does not add up at its entry"),
        ("a,b\r\n1,2\r\n", "csv", "wrong_header", "booking_date"),
    ],
)
def test_bad_statements_are_refused_in_one_sentence(
    desk: Desk, content: str | bytes, format: str, code: str, said: str
) -> None:
    with pytest.raises(BusinessError) as refused:
        read(desk, content, format)
    assert refused.value.code == code
    assert said in str(refused.value)
    assert "\n" not in str(refused.value) or code == "wrong_header"


def test_statements_of_two_accounts_in_one_file_are_refused(desk: Desk) -> None:
    text = bank.mt940(DAY, TODAY)
    with pytest.raises(BusinessError, match="several accounts"):
        read(desk, text + text.replace("00123456", "00999999"), "mt940")
