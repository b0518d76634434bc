"""Forecasts that tell what they would have been off by, and report packs whose charts and totals are the tables'."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from interoffice.bot import Found, NotFound
from interoffice.errors import BusinessError
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, TEXT
from interoffice.model.values import Percent, Value
from tests.support.bots import bot, look_up
from tests.support.context import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as made:
        yield made


def month(number: int) -> date:
    return date(2024 + number // 12, number % 12 + 1, 1)


def actuals(values: dict[str, list[int]]) -> Table:
    rows = [
        {"centre": centre, "month": month(number), "amount": Decimal(value)}
        for centre, line in values.items()
        for number, value in enumerate(line)
    ]
    return Table.from_rows({"centre": TEXT, "month": DATE, "amount": MONEY}, rows)


def project(desk: Desk, rows: Table, **more: Any) -> Any:
    given = {"by": ("centre",), "month": "month", "value": "amount", "months": Decimal(3), "method": "seasonal", **more}
    return bot("planning.project_series")(desk.context, rows=rows, **given)


YEAR = [100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210]


def test_seasonal_is_the_same_month_of_the_year_before_and_says_its_error(desk: Desk) -> None:
    found = project(desk, actuals({"A": [*YEAR, *[value * 2 for value in YEAR]]}))
    assert [(row["month"], row["forecast"]) for row in found.rows.rows()] == [
        (date(2026, 1, 1), 200), (date(2026, 2, 1), 220), (date(2026, 3, 1), 240),
    ]  # fmt: skip
    assert found.back_test_error == Percent("0.5")
    assert found.explained == (
        "One series from 2024-01 to 2025-12: each month is the same month of the year before (seasonal naive); "
        "tried on the last 12 months it was off by 50.0%."
    )


def test_smoothing_follows_a_steady_trend_better_than_the_year_before(desk: Desk) -> None:
    rows = actuals({"A": [1000 + 25 * number for number in range(36)], "B": [500] * 36})
    seasonal = project(desk, rows, method="seasonal", months=Decimal(12))
    smoothed = project(desk, rows, method="smoothing", months=Decimal(12))
    assert smoothed.back_test_error < seasonal.back_test_error / 4
    told = {(row["centre"], row["month"]): row["forecast"] for row in smoothed.rows.rows()}
    assert abs(told["A", date(2027, 12, 1)] - (1000 + 25 * 47)) < 60
    assert told["B", date(2027, 1, 1)] == 500
    assert all(value == value.quantize(Decimal("0.01")) for value in told.values())


@pytest.mark.parametrize(
    ("rows", "more", "code", "says"),
    [
        (actuals({"A": YEAR}), {}, "series_too_short", "A has 12 months, from 2024-01 to 2024-12; a forecast needs 13"),
        (actuals({"A": [*YEAR, 1], "B": [*YEAR, 1, 2]}), {}, "series_ended", "A ends with 2025-01, others with 2025"),
        (actuals({"A": [*YEAR, 1]}), {"months": Decimal("2.5")}, "bad_number", "months is 2.5"),
        (actuals({"A": [*YEAR, 1]}), {"value": "amont"}, "no_column", 'no column "amont"'),
        (Table.from_rows({"centre": TEXT, "month": DATE, "amount": MONEY},
                         [{"centre": "A", "month": date(2026, 1, 3), "amount": Decimal(1)},
                          {"centre": "A", "month": date(2026, 1, 20), "amount": Decimal(1)}]),
         {}, "month_twice", "A has two values for 2026-01 (row 2); add them up before"),
        (Table.from_rows({"centre": TEXT, "month": DATE, "amount": MONEY},
                         [{"centre": "A", "month": date(2026, 1, 1), "amount": Decimal(1)},
                          {"centre": "A", "month": date(2026, 3, 1), "amount": Decimal(1)}]),
         {}, "month_missing", "A has no value for 2026-02; add the month, with 0"),
        (Table.from_rows({"centre": TEXT, "month": DATE, "amount": MONEY},
                         [{"centre": "A", "month": date(2026, 1, 1), "amount": None}]),
         {}, "cell_missing", "row 1 (A) has no amount; fill it in"),
    ],
)  # fmt: skip
def test_what_cant_be_carried_on_is_named(
    desk: Desk, rows: Table, more: dict[str, Any], code: str, says: str
) -> None:
    with pytest.raises(BusinessError) as raised:
        project(desk, rows, **more)
    assert (raised.value.code, says in raised.value.message) == (code, True), raised.value.message


PLAN = Table.from_rows(
    {"centre": TEXT, "plan_amount": MONEY, "actual_amount": MONEY},
    [
        {"centre": "=1+1 <b>", "plan_amount": Decimal("1000"), "actual_amount": Decimal("1200.50")},
        {"centre": "4200", "plan_amount": Decimal("0"), "actual_amount": Decimal("-50")},
        {"centre": "4300", "plan_amount": Decimal("900"), "actual_amount": None},
    ],
)
CHARTS: tuple[dict[str, Value], ...] = (
    {"table": "Plan", "kind": "column", "across": "centre", "value": "variance"},
    {"table": "Months", "kind": "line", "across": "month", "value": "amount", "one_line_per": "centre"},
    {"table": "Months", "kind": "area", "across": "month", "value": "amount"},
    {"table": "Plan", "kind": "bar", "across": "centre", "value": "actual_amount"},
    {"table": "Months", "kind": "pie", "across": "centre", "value": "amount"},
)


def pack(desk: Desk, **more: Any) -> Any:
    tables = {"Plan": PLAN, "Months": actuals({"A": YEAR, "B": [5] * 12}), "None": Table.from_rows(PLAN.columns, [])}
    given = {"file": "reports/board.xlsx", "title": "Board <pack>", "tables": tables, "charts": CHARTS, **more}
    return given, bot("reports.write_pack")(desk.context, **given)


def test_the_workbook_has_its_tables_variances_totals_and_native_charts(desk: Desk) -> None:
    pack(desk)
    place = desk.folder / "reports" / "board.xlsx"
    book = openpyxl.load_workbook(place, data_only=True)
    assert book.sheetnames == ["Contents", "Charts", "Plan", "Months", "None"]
    rows = [[cell.value for cell in row] for row in book["Plan"].iter_rows()]
    assert rows[0] == ["centre", "plan_amount", "actual_amount", "variance", "variance_percent"]
    assert rows[1] == ["=1+1 <b>", 1000, 1200.5, 200.5, 0.2005]
    assert rows[2][:4] == ["4200", 0, -50, -50]
    assert (rows[2][4], rows[3][3]) == (None, None)
    assert rows[5][:4] == ["Total", 1900, 1150.5, 150.5]
    assert book["Plan"]["A2"].data_type == "s"
    with zipfile.ZipFile(place) as packed:
        charts = [name for name in packed.namelist() if name.startswith("xl/charts/chart")]
        kinds = "".join(packed.read(name).decode() for name in charts)
    assert len(charts) == 5
    assert all(tag in kinds for tag in ("<c:barChart>", "<c:lineChart>", "<c:areaChart>", "<c:pieChart>"))
    figures = [[cell.value for cell in row] for row in book["Charts"].iter_rows()]
    assert figures[2][:2] == ["=1+1 <b>", 200.5]
    line = next(number for number, row in enumerate(figures) if row[0] == "Months: amount by centre")
    assert figures[line + 2][:3] == ["2024-01", 100, 5]
    area = next(number for number, row in enumerate(figures) if row[0] == "Months: amount")
    assert figures[area + 2][:2] == ["2024-01", 105]


def test_the_page_says_the_same_and_nothing_from_a_table_is_a_tag(desk: Desk) -> None:
    _, made = pack(desk)
    page = desk.context.files.readable(made.page).read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "<b>" not in page and "Board &lt;pack&gt;" in page
    assert "A: from 100 to 210 (+110.0%)" in page
    assert ">1.200,50<" in page and ">20,05 %<" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_same_tables_are_found_again_and_others_are_not(desk: Desk) -> None:
    given, first = pack(desk)
    again = look_up("reports.write_pack", desk.context, **given)
    assert isinstance(again, Found)
    assert again.fields["file"].sha256 == first.file.sha256  # type: ignore[union-attr]
    assert isinstance(look_up("reports.write_pack", desk.context, **{**given, "title": "Other"}), NotFound)
    (desk.folder / "reports" / "board.html").unlink()
    assert isinstance(look_up("reports.write_pack", desk.context, **given), NotFound)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"kind": "lines"}, 'chart 1 is a "lines"; it can be line, column, bar, area, pie'),
        ({"table": "Plans"}, 'chart 1 is of the table "Plans"; there is Plan, Months, None'),
        ({"value": "varianse"}, "chart 1 has value: varianse, and the table has centre, plan_amount"),
        ({"value": "centre"}, "chart 1 shows centre, which is a text and no number"),
        ({"across": None}, "chart 1 lacks across"),
        ({"colour": "red"}, 'chart 1 has "colour"'),
        ({"kind": "pie", "one_line_per": "centre"}, "chart 1 is a pie, which has no one_line_per"),
    ],
)
def test_a_chart_that_cant_be_drawn_is_refused_and_nothing_is_written(
    desk: Desk, changed: dict[str, Value], says: str
) -> None:
    with pytest.raises(BusinessError, match="chart 1") as raised:
        pack(desk, charts=({**CHARTS[0], **changed},))
    assert says in raised.value.message
    assert list((desk.folder / "reports").iterdir()) == []


def test_names_that_are_taken_and_amounts_of_several_currencies(desk: Desk) -> None:
    with pytest.raises(BusinessError, match='without_total names "Sum"; the pack has Plan'):
        pack(desk, tables={"Plan": PLAN}, charts=None, without_total=("Sum",))
    _, made = pack(desk, tables={"Plan": PLAN}, charts=None, without_total=("Plan",))
    assert "Total" not in desk.context.files.readable(made.page).read_text(encoding="utf-8")
    with pytest.raises(BusinessError, match='two sheets are called "contents"'):
        pack(desk, tables={"contents": PLAN}, charts=None)
    money = Table.from_rows(
        {"currency": TEXT, "amount": MONEY},
        [{"currency": "EUR", "amount": Decimal(1)}, {"currency": "USD", "amount": Decimal(2)}],
    )
    _, made = pack(desk, tables={"Two": money}, charts=None)
    assert "Total" not in desk.context.files.readable(made.page).read_text(encoding="utf-8")
