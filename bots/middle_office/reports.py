"""Report packs: what the board, a manager or an auditor gets of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from interoffice.bot import Answer, Charts, Found, NotFound, SheetTables, Wording, bot
from interoffice.context import Context
from interoffice.model.values import FileValue, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """The workbook, and the page with the same tables and charts."""

    file: FileValue
    page: FileValue


def _look_for_pack(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    tables, charts = inputs["tables"], inputs.get("charts")
    assert isinstance(tables, Mapping)
    left = inputs.get("without_total") or ()
    names = (left,) if isinstance(left, str) else tuple(str(name) for name in left)  # type: ignore[attr-defined]
    with ctx.tables.new_pack(str(inputs["file"]), str(inputs["title"]), tables, _listed(charts), names) as made:
        if not made.is_in_place():
            return NotFound(searched=f"{made.workbook.place.name} with this content")
        outputs: dict[str, Value] = {
            "file": ctx.files.held(made.workbook.place), "page": ctx.files.held(made.page.place),
        }  # fmt: skip
        return Found(fields=outputs, reference=str(inputs["file"]))


def _listed(charts: Any) -> Sequence[Mapping[str, Value]]:
    if charts is None:
        return ()
    return (charts,) if isinstance(charts, Mapping) else tuple(charts)


@bot(effect="changes", identity=("file", "title", "tables", "charts", "without_total"), look_up=_look_for_pack)
def write_pack(
    ctx: Context,
    *,
    file: str,
    title: Wording,
    tables: SheetTables,
    charts: Charts | None = None,
    without_total: tuple[str, ...] | None = None,
) -> Pack:
    """A workbook with a contents sheet, a sheet per table and native charts, and beside it the same as a page to print.

    Columns of money get a total (none where they hold several currencies). A table with `plan_x` and `actual_x` gets
    variance and variance percent beside them. Below a chart the page says what became of each line from its first
    figure to its last. Text from outside is text and never a formula or a tag. The workbook is reopened and compared
    cell by cell before both are put in place; the same tables give the same bytes.

    Error codes: bad_chart (names the chart and what is wrong with it), sheet_name, cell_not_writable, wrong_format,
    file_refused; application errors: file_open, file_not_written.

    Inputs:
        file: where the workbook goes, ending in .xlsx; the page stands beside it, ending in .html
        title: what stands on top
        tables: name of a sheet -> its rows; Contents and Charts are taken
        without_total: tables whose amounts must not be added up, such as scenarios beside each other
        charts: table, kind (line, column, bar, area, pie), across, value, and for several lines one_line_per

    Example:
        - id: pack
          bot: reports.write_pack
          with:
            file: reports/checks_${{ run.date }}.xlsx
            title: Checks of ${{ run.date }}
            tables:
              Rejected: ${{ steps.checks.rejected }}
    """
    with ctx.tables.new_pack(file, title, tables, _listed(charts), without_total or ()) as made:
        rows = sum(table.row_count for table in tables.values())
        meant: dict[str, Value] = {"file": file, "tables": tuple(tables), "rows": Decimal(rows)}
        ctx.commit(meant, evidence={"digest": made.workbook.digest})
        workbook, page = made.put()
    ctx.log.info("pack_written", file=file, tables=len(tables), rows=rows)
    return Pack(file=workbook, page=page)
