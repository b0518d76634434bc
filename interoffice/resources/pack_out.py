"""A report pack: a workbook with charts of its own, and a page to print with the same tables and charts.

Both are made aside, the workbook is reopened and compared, and they are put in place together, the page first. The same
tables give the same bytes. A table with `plan_...` and `actual_...` of the same thing gets its variance and variance
percent beside them; columns of money get a total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.model.formats import format_money, format_value
from interoffice.model.table import Table
from interoffice.model.types import MONEY, PERCENT, Type
from interoffice.model.values import FileValue, Formats, Percent, Value, exact, plain
from interoffice.resources.files import write_durably
from interoffice.resources.open_elsewhere import refuse_open_elsewhere
from interoffice.resources.pack_charts import NUMBERS, Chart, Figures, figures, labels, read_charts, svg, trends
from interoffice.resources.tables_out import (
    Keeper,
    NewFile,
    compare_workbook,
    finishing,
    made_book,
    refuse_sheet_names,
    refuse_suffix,
    sync_file,
    write_sheet,
)

CONTENTS, CHARTS = "Contents", "Charts"
ROWS_ON_PAGE: Final = 200
KIND: Final = {"line": "line", "column": "column", "bar": "bar", "pie": "pie", "area": "area"}
STEP: Final = Decimal("0.0001")
WIDE: Final = 8
"""Columns from which on a table is set small."""
Drawn = tuple[Chart, Figures]
Sums = Mapping[str, Mapping[str, Decimal]]


class NewPack:
    """A finished pack that stands aside."""

    def __init__(self, workbook: NewFile, page: NewFile) -> None:
        self.workbook, self.page = workbook, page

    def put(self) -> tuple[FileValue, FileValue]:
        """Both in their place: the workbook and the page."""
        page = self.page.put()
        return self.workbook.put(), page

    def is_in_place(self) -> bool:
        """True where exactly these two stand there already."""
        return self.workbook.is_in_place() and self.page.is_in_place()

    def __enter__(self) -> NewPack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.page.__exit__(kind, error, trace)
        self.workbook.__exit__(kind, error, trace)


def new_pack(
    place: Path,
    page_place: Path,
    title: str,
    tables: Mapping[str, Table],
    charts: Sequence[Mapping[str, Value]],
    formats: Formats,
    keeper: Keeper,
    without_total: Sequence[str] = (),
) -> NewPack:
    """The pack, finished aside. BusinessError: bad_chart, sheet_name, cell_not_writable, wrong_format."""
    unknown = next((name for name in without_total if name not in tables), None)
    if unknown is not None:
        raise BusinessError(f'without_total names "{unknown}"; the pack has {", ".join(tables)}', code="sheet_name")
    refuse_suffix(place, (".xlsx",))
    refuse_sheet_names({CONTENTS: None, **({CHARTS: None} if charts else {}), **tables})
    refuse_open_elsewhere(place)
    shown = {name: with_variance(table) for name, table in tables.items()}
    summed = {name: {} if name in without_total else totals(table) for name, table in shown.items()}
    drawn = [(chart, figures(chart, shown[chart.table], formats)) for chart in read_charts(charts, shown)]
    with finishing(page_place) as page_aside:
        write_durably(page_aside, "".join(_page(title, shown, summed, drawn, formats)).encode())
        page = NewFile(page_place, page_aside, keeper)
        with finishing(place) as aside:
            _write_book(aside, title, shown, summed, drawn, formats)
            sync_file(aside)
            compare_workbook(aside, shown, place.name, formats, more=(CONTENTS, *([CHARTS] if drawn else [])))
            return NewPack(NewFile(place, aside, keeper), page)


def with_variance(table: Table) -> Table:
    """The table with the variance of each `actual_x` against its `plan_x`, in money and in percent of the plan."""
    pairs = [
        (name, f"actual_{name.removeprefix('plan_')}")
        for name, type in table.columns.items()
        if name.startswith("plan_") and type.is_number and f"actual_{name.removeprefix('plan_')}" in table.columns
    ]
    many = len(pairs) > 1
    columns: dict[str, Type] = dict(table.columns)
    for plan, _ in pairs:
        tail = f"_{plan.removeprefix('plan_')}" if many else ""
        columns |= {f"variance{tail}": MONEY, f"variance_percent{tail}": PERCENT}
    if not pairs or any(name in table.columns for name in columns.keys() - table.columns.keys()):
        return table

    def rows() -> Iterator[dict[str, Value]]:
        for row in table.rows():
            more: dict[str, Value] = {}
            for plan, actual in pairs:
                tail = f"_{plan.removeprefix('plan_')}" if many else ""
                meant, was = row[plan], row[actual]
                off = plain(exact(was - meant)) if isinstance(meant, Decimal) and isinstance(was, Decimal) else None
                more[f"variance{tail}"] = off
                share = None if off is None or not meant else Percent((off / abs(meant)).quantize(STEP))  # type: ignore[arg-type]
                more[f"variance_percent{tail}"] = share
            yield {**row, **more}

    return Table.from_rows(columns, rows())


def totals(table: Table) -> dict[str, Decimal]:
    """The sum of each column of money; none where amounts of several currencies stand in it."""
    if "currency" in table.columns and len({value for value in table.column("currency") if value is not None}) > 1:
        return {}
    names = [name for name, type in table.columns.items() if type.kind == "money"]
    return {
        name: plain(exact(sum((cell for cell in table.column(name) if isinstance(cell, Decimal)), Decimal(0))))
        for name in names
    }


# the workbook


def _write_book(
    aside: Path, title: str, tables: Mapping[str, Table], summed: Sums, drawn: Sequence[Drawn], formats: Formats
) -> None:
    with made_book(aside, formats) as (book, styles):
        _write_contents(book.add_worksheet(CONTENTS), title, tables, drawn, styles)
        if drawn:
            _write_charts(book, book.add_worksheet(CHARTS), drawn, styles, formats)
        for name, table in tables.items():
            page = book.add_worksheet(name)
            write_sheet(page, name, table, styles, formats)
            _write_totals(page, table, summed[name], styles)


def _write_contents(
    page: Any, title: str, tables: Mapping[str, Table], drawn: Sequence[Drawn], styles: Mapping[str, Any]
) -> None:
    page.set_column(0, 0, 40)
    page.write_string(0, 0, title, styles["title"])
    page.write_string(2, 0, "Sheet", styles["header"])
    page.write_string(2, 1, "Rows", styles["header"])
    lines = [(CHARTS, len(drawn))] if drawn else []
    lines += [(name, table.row_count) for name, table in tables.items()]
    for number, (name, count) in enumerate(lines, start=3):
        quoted = name.replace("'", "''")
        page.write_url(number, 0, f"internal:'{quoted}'!A1", string=name)
        page.write_number(number, 1, count)


def _write_totals(page: Any, table: Table, found: Mapping[str, Decimal], styles: Mapping[str, Any]) -> None:
    """Below the rows, after a blank one, so that the filter leaves them alone."""
    from xlsxwriter.utility import xl_rowcol_to_cell  # type: ignore[import-untyped]

    if not found or not table.row_count:
        return
    row = table.row_count + 2
    for column, name in enumerate(table.columns):
        if name in found:
            area = f"{xl_rowcol_to_cell(1, column)}:{xl_rowcol_to_cell(table.row_count, column)}"
            page.write_formula(row, column, f"=SUBTOTAL(109,{area})", styles["total"], float(found[name]))
        elif column == 0:
            page.write_string(row, 0, "Total", styles["total"])


def _write_charts(
    book: Any, page: Any, drawn: Sequence[Drawn], styles: Mapping[str, Any], formats: Formats
) -> None:
    """Each chart with its figures beside it."""
    page.set_column(0, 0, 18)
    row = 0
    for chart, found in drawn:
        page.write_string(row, 0, chart.title, styles["title"])
        for column, name in enumerate(found.series, start=1):
            page.write_string(row + 1, column, name, styles["header"])
        for number, label in enumerate(labels(found, formats)):
            page.write_string(row + 2 + number, 0, label)
            for column, line in enumerate(found.series.values(), start=1):
                if (figure := line[number]) is not None:
                    page.write_number(row + 2 + number, column, float(figure), styles["money"])
        native = book.add_chart({"type": KIND[chart.kind]})
        last = row + 1 + max(len(found.across), 1)
        for column, name in enumerate(found.series, start=1):
            native.add_series({
                "name": name, "categories": [CHARTS, row + 2, 0, last, 0],
                "values": [CHARTS, row + 2, column, last, column],
            })  # fmt: skip
        native.set_title({"name": chart.title})
        native.set_size({"width": 760, "height": 340})
        page.insert_chart(row, len(found.series) + 2, native)
        row += max(len(found.across) + 4, 20)


# the page


def _page(
    title: str, tables: Mapping[str, Table], summed: Sums, drawn: Sequence[Drawn], formats: Formats
) -> Iterator[str]:
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    style = resources.files(__package__).joinpath("pack_page.css").read_text(encoding="utf-8")
    yield f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body><main>'
    yield f"<h1>{escape(title)}</h1><nav>"
    for number, name in enumerate(tables):
        yield f'<a href="#t{number}">{escape(name)}</a>'
    yield "</nav>"
    for number, (name, table) in enumerate(tables.items()):
        yield f'<section id="t{number}"><h2>{escape(name)}</h2>'
        for chart, found in drawn:
            if chart.table == name:
                yield f"<figure><figcaption>{escape(chart.title)}</figcaption>{svg(chart, found, formats)}"
                changes = "".join(f"<li>{escape(each)}</li>" for each in trends(found, formats))
                yield f'<ul class="trend">{changes}</ul></figure>' if changes else "</figure>"
        yield from _table(table, summed[name], formats)
        yield "</section>"
    yield "</main></body></html>\n"


def _table(table: Table, found: Mapping[str, Decimal], formats: Formats) -> Iterator[str]:
    if not table.row_count:
        yield '<p class="soft">No rows.</p>'
        return
    numbers = {name for name, type in table.columns.items() if type.kind in NUMBERS}
    wide = ' class="wide"' if len(table.columns) > WIDE else ""
    yield f"<table{wide}><thead><tr>"
    for name in table.columns:
        yield f"<th{_right(name in numbers)}>{escape(name.replace('_', ' '))}</th>"
    yield "</tr></thead><tbody>"
    for number, row in enumerate(table.rows()):
        if number >= ROWS_ON_PAGE:
            break
        cells = (_cell(name, row[name], table.columns[name], formats) for name in table.columns)
        yield f"<tr>{''.join(cells)}</tr>"
    if found:
        yield '<tr class="total">'
        for place, name in enumerate(table.columns):
            text = format_money(found[name], formats) if name in found else "Total" if not place else ""
            yield f"<td{_right(name in numbers)}>{escape(text)}</td>"
        yield "</tr>"
    yield "</tbody></table>"
    if table.row_count > ROWS_ON_PAGE:
        yield f'<p class="soft">The first {ROWS_ON_PAGE} of {table.row_count} rows; the workbook has all of them.</p>'


def _right(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _cell(name: str, value: Value, type: Type, formats: Formats) -> str:
    text = "" if value is None else format_value(value, formats)
    if type.kind == "money" and value is not None:
        text = format_money(value, formats)
    classes = ["n"] if type.kind in NUMBERS else []
    if isinstance(value, Decimal) and value < 0:
        classes.append("bad")
    return f'<td class="{" ".join(classes)}">{escape(text)}</td>' if classes else f"<td>{escape(text)}</td>"
