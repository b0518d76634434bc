"""The bots of the front office: exports of the CRM, from its page with a real browser and from files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.errors import ApplicationError, BusinessError, ProjectError
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from tests.support.bots import bot
from tests.support.context import Desk
from tests.support.screens import TODAY, practice_desk
from tests.support.sheets import workbook

HEADER = "Deal,Customer,ERP customer no.,Region,Amount,Currency,Discount %,Closed\n"
LINE = 'D-1042,"Müller, Söhne",00012,EMEA,"1,234.50",EUR,15,2026-11-20\n'


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as made:
        yield made


def read(desk: Desk, file: str) -> object:
    return bot("crm.read_export")(desk.context, file=file, contract="won_deals").rows


def test_an_export_that_someone_saved_is_read_whatever_its_kind(desk: Desk) -> None:
    desk.write("inbox/won.csv", HEADER + LINE)
    cells = ["D-1042", "Müller, Söhne", "00012", "EMEA", 1234.5, "EUR", 15, date(2026, 11, 20)]
    workbook(desk.folder / "inbox" / "won.xlsx", [HEADER.strip().split(","), cells])
    one, other = read(desk, "inbox/won.csv"), read(desk, "inbox/won.xlsx")
    assert one.row_count == 1  # type: ignore[attr-defined]
    assert one.digest == other.digest  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, "file_missing", "there is no file inbox/won.csv"),
        ("", "file_empty", "0 bytes"),
        (HEADER.replace("Amount", "Sum") + LINE, "wrong_header", '"Amount" or "Net amount" is missing'),
        ((HEADER + LINE).encode("windows-1252"), "wrong_encoding", "it reads as windows-1252"),
        ((HEADER + LINE).encode("utf-16"), "wrong_encoding", "is utf-16"),
        (HEADER + LINE.replace("2026-11-20", "20.11.2026"), "wrong_cells", 'column "Closed": "20.11.2026"'),
        (HEADER + LINE[:20], "file_unreadable", "never closed"),
    ],
)
def test_a_bad_export_is_one_sentence_and_nothing_is_read(
    desk: Desk, content: str | bytes | None, code: str, said: str
) -> None:
    if content is not None:
        desk.write("inbox/won.csv", content)
    with pytest.raises(BusinessError) as raised:
        read(desk, "inbox/won.csv")
    assert raised.value.code == code
    assert said in str(raised.value)
    assert "won.csv" in str(raised.value)
    assert list((desk.folder / "state").rglob("*.parquet")) == []


def test_an_export_without_rows_gives_none(desk: Desk) -> None:
    desk.write("inbox/won.csv", HEADER)
    assert read(desk, "inbox/won.csv").row_count == 0  # type: ignore[attr-defined]


def test_another_kind_of_file_in_tables_is_no_contract(desk: Desk) -> None:
    desk.write("inbox/won.csv", HEADER)
    with pytest.raises(ProjectError, match="is a decision table, not a table contract"):
        bot("crm.read_export")(desk.context, file="inbox/won.csv", contract="service_matrix")


# from the page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path / "practice", only=("crm",), today=TODAY) as started:
        yield started


@pytest.fixture
def crm(tmp_path: Path, browser: Browser, office: PracticeOffice) -> Iterator[Desk]:
    """A desk at which a bot can use the screens of the CRM."""
    with Desk(tmp_path / "project", office) as desk:
        run_folder = desk.files.run_folder
        with practice_desk(run_folder, browser, office) as screens:
            object.__setattr__(desk.context, "screens", screens.screens)
            yield desk


def export(desk: Desk, *, first: date = date(2026, 11, 1), last: date = TODAY) -> object:
    return bot("crm.export_deals")(
        desk.context, stage="Won", closed_from=first, closed_to=last, contract="won_deals", credential="crm_reader"
    ).rows


def test_won_deals_are_exported_from_the_page(crm: Desk) -> None:
    rows = export(crm)
    assert rows.row_count > 10  # type: ignore[attr-defined]
    assert set(rows.columns) == set(crm.contract("won_deals").column_types)  # type: ignore[attr-defined]
    assert all(isinstance(amount, Decimal) for amount in rows.column("amount") if amount is not None)  # type: ignore[attr-defined]
    assert all(date(2026, 11, 1) <= day <= TODAY for day in rows.column("closed"))  # type: ignore[attr-defined]


def test_a_period_without_deals_gives_no_rows(crm: Desk) -> None:
    assert export(crm, first=date(1999, 1, 1), last=date(1999, 1, 2)).row_count == 0  # type: ignore[attr-defined]


def test_a_period_turned_round_is_refused_before_the_page_is_opened(desk: Desk) -> None:
    with pytest.raises(BusinessError, match="turn the two days round") as raised:
        export(desk, first=date(2026, 11, 20), last=date(2026, 11, 1))
    assert raised.value.code == "bad_period"


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (Fault(kind="renamed_header", application="crm", fields=("amount",), text="Sum"), "wrong_header", '"Sum"'),
        (Fault(kind="export_encoding", application="crm", text="utf-16"), "wrong_encoding", "utf-16"),
    ],
)
def test_an_export_that_is_not_as_agreed_is_refused_by_name(
    crm: Desk, office: PracticeOffice, fault: Fault, code: str, said: str
) -> None:
    office.faults.switch_on(fault)
    with pytest.raises(BusinessError) as raised:
        export(crm)
    assert raised.value.code == code
    assert said in str(raised.value)


def test_an_export_without_a_byte_is_an_error_and_not_an_empty_day(crm: Desk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="empty_export", application="crm", how="file"))
    with pytest.raises((BusinessError, ApplicationError)):
        export(crm)
