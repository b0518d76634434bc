"""The planners' quarter: plan beside actuals, deviations explained, forecast, scenarios, the pack for the board."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import openpyxl
import pytest

from interoffice.practice.seed_tables import export_tables
from interoffice.resources.people import PeopleStore
from tests.support.flagship import PASSPHRASES, ROOT, Flagship, copy, flagship

OWNERS = {"4100": "bilal.demir@example.com", "4200": "david.okafor@example.com"}
PHRASES = {"david": "Regen am Fenster", "emma": "Wolken im Mai"}
TODAY = date(2026, 11, 16)


def actuals() -> list[dict[str, Any]]:
    rows = export_tables(TODAY)["balances"]
    return [{**row, "amount": Decimal(row["actual_amount"]), "month": date.fromisoformat(row["month"])} for row in rows]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flagship]:
    with flagship(tmp_path_factory.mktemp("plan")) as project:
        copy(ROOT / "workflows" / "plan_vs_actuals.yaml", project.folder / "workflows" / "plan_vs_actuals.yaml")
        for person, phrase in PHRASES.items():
            PeopleStore(project.state).add(person, phrase)
        book = openpyxl.Workbook()
        page = book.active
        assert page is not None
        page.title = "Plan"
        page.append(["Cost centre", "Product line", "Month", "Plan", "Owner"])
        for number, row in enumerate(each for each in actuals() if each["month"].year == TODAY.year):
            factor = Decimal("1.20") if number in (3, 8) else Decimal("1.01")
            plan = float((row["amount"] * factor).quantize(Decimal("0.01")))
            page.append([row["cost_centre"], row["product_line"], row["month"], plan, OWNERS[row["cost_centre"]]])
        book.save(project.folder / "data" / "plan.xlsx")
        yield project


def approve(desk: Flagship, step: str, person: str, *words: str) -> Any:
    phrase = {**PASSPHRASES, **PHRASES}[person]
    return desk.cli("approve", "last", step, *words, "--person", person, "--yes", stdin=phrase + "\n")


@pytest.mark.slow
def test_from_the_plan_to_the_board(desk: Flagship) -> None:
    ended = desk.cli("run", "plan_vs_actuals", "--as-of", TODAY.isoformat())
    assert "2 for review" in ended.stdout, ended.stdout + ended.stderr
    shown = json.loads(desk.cli("approve", "last", "explain", "--person", "bilal", "--format", "json").stdout)
    assert all("Deviation of" in row["reasons"] for row in shown["rows"])
    for row in shown["rows"]:
        owner = "bilal" if row["cost_centre"] == "4100" else "david"
        stranger = "david" if owner == "bilal" else "bilal"
        said = ("--field", "explanation=A big order moved", "--field", "one_off=yes")
        assert approve(desk, "explain", stranger, row["row"], *said).returncode != 0
        done = approve(desk, "explain", owner, row["row"], *said)
        assert done.returncode in (0, 3, 4), done.stdout + done.stderr
    done = approve(desk, "cfo", "emma")
    assert done.returncode == 0, done.stdout + done.stderr
    (mail,) = desk.mails()
    assert (mail.message["To"], mail.message["Subject"]) == ("board@example.com", "Plan, forecast and scenarios 2026")

    # the figures of the pack are those of an independent computation
    file = next((desk.folder / "reports").glob("board_*.xlsx"))
    book = openpyxl.load_workbook(file, data_only=True)
    before = {(row["cost_centre"], row["product_line"], row["month"]): row["amount"] for row in actuals()}
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    last = max(month for _, _, month in before)
    for step in range(1, 13):
        year, month = divmod(last.year * 12 + last.month - 1 + step, 12)
        for (_, _, day), amount in before.items():
            if (day.year, day.month) == (year - 1, month + 1):
                for name, growth in (("low", "0.95"), ("expected", "1"), ("high", "1.08")):
                    wanted[name] += (amount * Decimal(growth)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    summary = {row[0].value: row[1].value for row in book["Summary"].iter_rows(min_row=2, max_row=4)}
    assert {name: round(value, 2) for name, value in summary.items()} == {n: float(v) for n, v in wanted.items()}
    explained = [[cell.value for cell in row] for row in book["Deviations explained"].iter_rows()]
    assert len([row for row in explained[1:] if row[0] in OWNERS]) == 2
    assert "variance" in explained[0] and "explanation" in explained[0]
    page = file.with_suffix(".html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1 and "Scenarios by month: amount by scenario" in page
