"""The nightly bank reconciliation as an operator runs it: the bank's file, the ERP's export, exceptions, workbook."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from interoffice.practice import bank
from tests.support.flagship import ROOT, Flagship, copy, flagship

TODAY, DAY = date(2026, 11, 16), date(2026, 11, 13)
"""A Monday, and the Friday before: the business day that is reconciled."""
FILE = f"inbox/bank/00123456_{DAY.isoformat()}.camt053.xml"
BOOK = f"reports/recon_00123456_{DAY.isoformat()}.xlsx"


@dataclass
class Night:
    """One run over a day's statement."""

    project: Flagship
    ended: Any
    told: dict[str, Any]


def put_statement(project: Flagship, content: str) -> None:
    """The bank's file, settled: its last change is a minute ago."""
    file = project.folder / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    before = time.time() - 60
    os.utime(file, (before, before))


def prepared(project: Flagship) -> None:
    copy(ROOT / "workflows" / "bank_reconciliation.yaml", project.folder / "workflows" / "bank_reconciliation.yaml")
    put_statement(project, bank.camt053(DAY, TODAY))


def reconcile(project: Flagship, *words: str) -> Any:
    return project.cli("run", "bank_reconciliation", "--as-of", TODAY.isoformat(), *words)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with flagship(tmp_path_factory.mktemp("night")) as project:
        prepared(project)
        ended = reconcile(project)
        yield Night(project=project, ended=ended, told=project.listed("show", "last"))


def rows_of(project: Flagship, sheet: str) -> list[dict[str, Any]]:
    page = openpyxl.load_workbook(project.folder / BOOK)[sheet]
    header, *rows = [[cell.value for cell in row] for row in page.iter_rows()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_run_succeeds_and_says_what_it_found(night: Night) -> None:
    assert (night.ended.returncode, night.ended.stderr) == (0, ""), night.ended.stdout
    assert "6 matched, 1 different, 1 only left, 1 only right, 0 ambiguous" in night.ended.stdout
    assert "match rate" in night.ended.stdout
    assert "succeeded  6 matched, 3 exceptions;" in night.ended.stdout


def test_the_workbook_holds_every_line_of_both_sides_once(night: Night) -> None:
    names = openpyxl.load_workbook(night.project.folder / BOOK).sheetnames
    sheets = {name: rows_of(night.project, name) for name in names}
    assert {name: len(rows) for name, rows in sheets.items()} == {
        "Different amounts": 1, "Only in ERP": 1, "Only at bank": 1, "Ambiguous": 0, "Matched": 6,
    }  # fmt: skip


def test_the_mail_names_each_exception(night: Night) -> None:
    (mail,) = night.project.mails()
    assert mail.message["Subject"] == f"3 bank exceptions of {DAY:%d.%m.%Y}"
    assert "treasury@example.com" in mail.recipients
    text = mail.message.get_body(("html",)).get_content()  # type: ignore[attr-defined]
    assert "only in ERP ledger" in text and "only in Bank" in text
    assert [part.get_filename() for part in mail.message.iter_attachments()] == [Path(BOOK).name]  # type: ignore[attr-defined]


def test_the_plan_shows_the_same_without_sending_anything(night: Night) -> None:
    seen = json.loads(
        night.project.cli("plan", "bank_reconciliation", "--as-of", TODAY.isoformat(), "--format", "json").stdout
    )
    assert "6 matched, 1 different" in json.dumps(seen)
    assert len(night.project.mails()) == 1


@pytest.mark.slow
def test_a_statement_that_does_not_add_up_stops_the_run_and_tells_the_owner(tmp_path: Path) -> None:
    with flagship(tmp_path) as project:
        prepared(project)
        put_statement(project, bank.camt053(DAY, TODAY).replace(">19.90<", ">19.91<"))
        ended = reconcile(project)
        assert ended.returncode == 1
        assert "does not add up: opening balance 250000.00" in ended.stdout
        assert not (project.folder / BOOK).exists()
        (mail,) = project.mails()
        assert "did not finish" in str(mail.message["Subject"])
