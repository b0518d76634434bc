"""The bots of the back office that write workbooks and files, and those that move files, against a real disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from interoffice.bot import Found, NotFound
from interoffice.errors import ApplicationError, BusinessError, Rehearsed
from interoffice.model.table import Table
from interoffice.model.types import MONEY, NUMBER, TEXT
from interoffice.model.values import FileValue
from tests.support.bots import bot, look_up
from tests.support.context import ROOT, Desk
from tests.support.sheets import workbook

ORDERS = {"deal_id": TEXT, "amount": MONEY}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as made:
        yield made


def orders(*pairs: tuple[str, int]) -> Table:
    return Table.from_rows(ORDERS, [{"deal_id": deal, "amount": Decimal(amount)} for deal, amount in pairs])


def putting(rows: Table) -> dict[str, object]:
    """The inputs that put rows into the ledger."""
    return {"file": "data/ledger.xlsx", "sheet": "Orders", "key": ("deal_id",), "rows": rows}


def upsert(desk: Desk, rows: Table) -> object:
    return bot("spreadsheet.upsert_rows")(desk.context, **putting(rows))


def report(desk: Desk, rows: Table) -> object:
    return bot("spreadsheet.write_workbook")(desk.context, file="reports/a.xlsx", sheets={"Orders": rows})


def written(desk: Desk, file: str) -> list[list[object]]:
    page = openpyxl.load_workbook(desk.folder / file)["Orders"]
    return [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]


# workbooks


def test_a_workbook_is_read_against_its_contract(desk: Desk) -> None:
    header = ["Cost centre", "Product line", "Month", "Plan", "Owner"]
    rows = [header, ["001", "A", "01.11.2026", 5000, "a@example.com"]]
    workbook(desk.folder / "data" / "plan.xlsx", [["other"]], Plan=rows)
    found = bot("spreadsheet.read_rows")(desk.context, file="data/plan.xlsx", contract="plan", sheet="Plan")
    assert found.rows.column("cost_centre") == ["001"]
    assert found.rows.column("plan_amount") == [Decimal(5000)]


def test_a_report_is_written_once_and_the_look_up_knows_it(desk: Desk) -> None:
    inputs = {"file": "reports/a.xlsx", "sheets": {"Orders": orders(("D-1", 5))}}
    assert isinstance(look_up("spreadsheet.write_workbook", desk.context, **inputs), NotFound)
    first = report(desk, orders(("D-1", 5)))
    found = look_up("spreadsheet.write_workbook", desk.context, **inputs)
    assert isinstance(found, Found)
    assert found.fields["file"] == first.file  # type: ignore[attr-defined]
    assert report(desk, orders(("D-1", 5))).file == first.file  # type: ignore[attr-defined]
    assert len(desk.commit.meant) == 1
    changed = {"file": "reports/a.xlsx", "sheets": {"Orders": orders(("D-1", 6))}}
    assert isinstance(look_up("spreadsheet.write_workbook", desk.context, **changed), NotFound)


def test_rows_are_put_in_once_and_the_look_up_knows_them(desk: Desk) -> None:
    inputs = putting(orders(("D-1", 5), ("D-2", 6)))
    assert isinstance(look_up("spreadsheet.upsert_rows", desk.context, **inputs), NotFound)
    done = upsert(desk, orders(("D-1", 5), ("D-2", 6)))
    assert (done.added, done.changed) == (2, 0)  # type: ignore[attr-defined]
    found = look_up("spreadsheet.upsert_rows", desk.context, **inputs)
    assert isinstance(found, Found)
    assert found.fields["file"] == done.file  # type: ignore[attr-defined]
    again = upsert(desk, orders(("D-2", 7), ("D-3", 8)))
    assert (again.added, again.changed) == (1, 1)  # type: ignore[attr-defined]
    assert written(desk, "data/ledger.xlsx") == [["D-1", 5], ["D-2", 7], ["D-3", 8]]
    assert isinstance(look_up("spreadsheet.upsert_rows", desk.context, **inputs), NotFound)


def test_what_stands_there_already_is_no_act(desk: Desk) -> None:
    upsert(desk, orders(("D-1", 5)))
    again = upsert(desk, orders(("D-1", 5)))
    assert (again.added, again.changed) == (0, 0)  # type: ignore[attr-defined]
    assert len(desk.commit.meant) == 1
    assert desk.log.named("rows_already_there")


def test_a_run_without_rows_still_has_its_ledger_to_attach(desk: Desk) -> None:
    done = upsert(desk, orders())
    assert desk.files.readable(done.file).is_file()  # type: ignore[attr-defined]
    again = upsert(desk, orders())
    assert again.file == done.file  # type: ignore[attr-defined]


def test_the_file_that_was_written_can_be_attached_even_when_it_was_changed_since(desk: Desk) -> None:
    first = upsert(desk, orders(("D-1", 5))).file  # type: ignore[attr-defined]
    upsert(desk, orders(("D-2", 6)))
    kept = desk.files.readable(first)
    assert [[cell.value for cell in row] for row in openpyxl.load_workbook(kept)["Orders"].iter_rows(min_row=2)] == [
        ["D-1", 5]
    ]


def test_a_rehearsal_writes_nothing(desk: Desk) -> None:
    desk.commit.rehearse = True
    for act in (lambda: report(desk, orders(("D-1", 5))), lambda: upsert(desk, orders(("D-1", 5)))):
        with pytest.raises(Rehearsed):
            act()
    assert list((desk.folder / "reports").iterdir()) == []
    assert list((desk.folder / "data").iterdir()) == []


@pytest.mark.parametrize("act", [report, upsert])
def test_a_workbook_open_elsewhere_is_one_sentence_and_stays_as_it_was(desk: Desk, act: object) -> None:
    for folder, name in (("reports", "a.xlsx"), ("data", "ledger.xlsx")):
        workbook(desk.folder / folder / name, [["deal_id", "amount"]]).rename(desk.folder / folder / name)
        (desk.folder / folder / f"~${name}").write_bytes(b"\x09Anna Berg" + b" " * 40)
    before = (desk.folder / "data" / "ledger.xlsx").read_bytes()
    with pytest.raises(ApplicationError, match=r"is open elsewhere by Anna Berg: close it there") as raised:
        act(desk, orders(("D-1", 5)))  # type: ignore[operator]
    assert raised.value.transient
    assert desk.commit.meant == []
    assert (desk.folder / "data" / "ledger.xlsx").read_bytes() == before


def test_a_file_outside_of_the_roots_is_not_written(desk: Desk) -> None:
    for file in ("../a.xlsx", "tables/a.xlsx", "/tmp/a.xlsx", "a.xlsx"):
        with pytest.raises(BusinessError, match="outside of what bots may write") as raised:
            bot("spreadsheet.write_workbook")(desk.context, file=file, sheets={"Orders": orders()})
        assert raised.value.code == "file_refused"


def test_an_import_file_is_written_as_its_contract_says(desk: Desk) -> None:
    columns = {"employee_no": TEXT, "cost_centre": TEXT, "hours": NUMBER, "extra": TEXT}
    rows = Table.from_rows(columns, [{"employee_no": "004711", "cost_centre": "Köln", "hours": Decimal("7.5")}])
    inputs = {"file": "out/hours.csv", "contract": "hours_import", "rows": rows}
    made = bot("spreadsheet.write_csv")(desk.context, **inputs)
    content = desk.files.readable(made.file).read_bytes()
    assert content == "PERSNO;CC;HOURS\r\n004711;Köln;7,5\r\n".encode("windows-1252")
    assert isinstance(look_up("spreadsheet.write_csv", desk.context, **inputs), Found)


KILLED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.support.bots import bot
from tests.support.context import Desk
from tests.integration.test_bots_back import orders, upsert
desk = Desk(Path({folder!r}))
desk.commit.before_act = lambda: print("now", flush=True) or sys.stdin.read()
upsert(desk, orders(("D-1", 5), ("D-2", 6)))
"""


def test_a_kill_at_the_act_leaves_the_old_workbook_and_the_look_up_says_not_done(desk: Desk) -> None:
    upsert(desk, orders(("D-1", 1)))
    before = (desk.folder / "data" / "ledger.xlsx").read_bytes()
    script = KILLED.format(root=str(ROOT), folder=str(desk.folder))
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.kill()
    assert (desk.folder / "data" / "ledger.xlsx").read_bytes() == before
    inputs = putting(orders(("D-1", 5), ("D-2", 6)))
    assert isinstance(look_up("spreadsheet.upsert_rows", desk.context, **inputs), NotFound)
    upsert(desk, orders(("D-1", 5), ("D-2", 6)))
    assert written(desk, "data/ledger.xlsx") == [["D-1", 5], ["D-2", 6]]


# files


def settled(desk: Desk, path: str, content: str = "x", seconds_ago: float = 60) -> Path:
    place = desk.folder / desk.write(path, content)
    moment = time.time() - seconds_ago
    os.utime(place, (moment, moment))
    return place


def test_files_that_have_settled_are_listed_by_name(desk: Desk) -> None:
    settled(desk, "inbox/bank/b_1.xml", "<b/>")
    settled(desk, "inbox/bank/a_1.xml", "<a/>")
    settled(desk, "inbox/bank/other.txt")
    settled(desk, "inbox/bank/c_1.xml.part")
    settled(desk, "inbox/bank/.hidden_1.xml")
    settled(desk, "inbox/bank/~$d_1.xml")
    settled(desk, "inbox/bank/fresh_1.xml", seconds_ago=0)
    settled(desk, "inbox/bank/below/e_1.xml")
    found = list(bot("files.list")(desk.context, folder="inbox/bank", pattern="*_1.xml").files.rows())
    assert [row["name"] for row in found] == ["a_1.xml", "b_1.xml"]
    assert found[0]["size_bytes"] == 4
    assert desk.files.readable(found[0]["file"]).read_text(encoding="utf-8") == "<a/>"
    assert [line["name"] for line in desk.log.named("file_not_settled")] == ["fresh_1.xml"]


def test_a_folder_that_is_missing_or_outside_is_one_sentence(desk: Desk) -> None:
    with pytest.raises(BusinessError, match="there is no folder inbox/none"):
        bot("files.list")(desk.context, folder="inbox/none", pattern="*")
    with pytest.raises(BusinessError, match="outside of what bots may read"):
        bot("files.list")(desk.context, folder="..", pattern="*")


def moved(desk: Desk, file: FileValue) -> object:
    return bot("files.move")(desk.context, file=file, to="archive/2026-11-20")


def test_a_file_is_moved_and_the_look_up_knows_it(desk: Desk) -> None:
    settled(desk, "data/scan.pdf", "scan")
    file = desk.files.find("data/scan.pdf")
    inputs = {"file": file, "to": "archive/2026-11-20"}
    assert isinstance(look_up("files.move", desk.context, **inputs), NotFound)
    done = moved(desk, file)
    assert done.file.path == "archive/2026-11-20/scan.pdf"  # type: ignore[attr-defined]
    assert not (desk.folder / "data" / "scan.pdf").exists()
    assert isinstance(look_up("files.move", desk.context, **inputs), Found)


def test_a_file_is_never_moved_over_another(desk: Desk) -> None:
    settled(desk, "data/scan.pdf", "new")
    settled(desk, "archive/2026-11-20/scan.pdf", "old")
    with pytest.raises(BusinessError, match=r"has another file called scan\.pdf") as raised:
        moved(desk, desk.files.find("data/scan.pdf"))
    assert raised.value.code == "file_there"
    assert desk.commit.meant == []
    assert (desk.folder / "archive/2026-11-20/scan.pdf").read_text(encoding="utf-8") == "old"
    assert (desk.folder / "data/scan.pdf").read_text(encoding="utf-8") == "new"


def test_a_file_that_is_moved_to_where_it_is_stays(desk: Desk) -> None:
    place = settled(desk, "data/scan.pdf", "scan")
    done = bot("files.move")(desk.context, file=desk.files.find("data/scan.pdf"), to="data")
    assert done.file.path == "data/scan.pdf"
    assert place.read_text(encoding="utf-8") == "scan"


def test_a_move_that_was_cut_off_between_its_two_names_is_finished(desk: Desk) -> None:
    place = settled(desk, "data/scan.pdf", "scan")
    file = desk.files.find("data/scan.pdf")
    os.link(place, desk.files.writable("archive/2026-11-20/scan.pdf"))
    moved(desk, file)
    assert not place.exists()
    assert (desk.folder / "archive/2026-11-20/scan.pdf").read_text(encoding="utf-8") == "scan"


def test_a_file_that_changed_since_is_not_moved(desk: Desk) -> None:
    settled(desk, "data/scan.pdf", "scan")
    file = desk.files.find("data/scan.pdf")
    settled(desk, "data/scan.pdf", "other")
    with pytest.raises(BusinessError, match="changed since the run took it"):
        moved(desk, file)


FULL = """
import resource, sys
sys.path.insert(0, {root!r})
from decimal import Decimal
from pathlib import Path
from interoffice.errors import ApplicationError
from tests.support.context import Desk
from tests.integration.test_bots_back import orders, report, upsert
desk = Desk(Path({folder!r}))
rows = orders(*[(f"D-{{number}}", number) for number in range(2000)])
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
for act in (report, upsert):
    try:
        act(desk, rows)
    except ApplicationError as error:
        print(error.code, "|", error)
print(desk.commit.meant)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are not Windows' own")
def test_a_disk_that_takes_no_more_is_one_sentence_and_nothing_half_done(desk: Desk) -> None:
    upsert(desk, orders(("D-1", 1)))
    before = (desk.folder / "data" / "ledger.xlsx").read_bytes()
    script = FULL.format(root=str(ROOT), folder=str(desk.folder))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert said[0].startswith("file_not_written | a.xlsx could not be written (File too large)")
    assert said[1].startswith("file_not_written | ledger.xlsx could not be written")
    assert said[2] == "[]"
    assert (desk.folder / "data" / "ledger.xlsx").read_bytes() == before
    assert list((desk.folder / "reports").iterdir()) == []
    assert [path.name for path in (desk.folder / "data").iterdir()] == ["ledger.xlsx"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.4\n" + b"1 0 obj << /Length 99 >> stream\n" * 2_000, "file_unreadable"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 500, "file_unreadable"),
        (b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R]/Count 99>>endobj\n"
         b"trailer<</Root 1 0 R>>", "file_unreadable"),
    ],
)  # fmt: skip
def test_a_hostile_pdf_is_one_typed_refusal_and_the_reader_lives_on(desk: Desk, content: bytes, code: str) -> None:
    from interoffice.practice.invoices import invoice_mails

    (desk.folder / "inbox" / "bad.pdf").write_bytes(content)
    with pytest.raises(BusinessError) as raised:
        bot("documents.extract")(desk.context, file=desk.context.files.find("inbox/bad.pdf"), layout="supplier_invoice")
    assert raised.value.code in (code, "no_text", "file_refused")
    assert "bad.pdf" in raised.value.message
    attachment = next(iter(next(iter(invoice_mails(date(2026, 11, 16)))).iter_attachments()))
    (desk.folder / "inbox" / "good.pdf").write_bytes(attachment.get_payload(decode=True))
    good = desk.context.files.find("inbox/good.pdf")
    found = bot("documents.extract")(desk.context, file=good, layout="supplier_invoice")
    row = next(iter(found.rows.rows()))
    assert (row["invoice_no"], row["total"], found.doubts) == ("RE-9001", Decimal("171.38"), "")
    assert found.picture.name == "good page 1.png"
    assert desk.context.files.readable(found.picture).read_bytes().startswith(b"\x89PNG")
