"""The charts of a report pack: their table is one of the pack's, their columns are there, their values are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from interoffice.language.scopes import columns_of
from interoffice.model.contract import CHART_KINDS
from interoffice.model.types import Type
from interoffice.model.workflow import Raw
from interoffice.plan.checking import Checking
from interoffice.plan.given import GivenInput
from interoffice.problem import Path, did_you_mean

PARTS: Final = ("table", "kind", "across", "value", "one_line_per")
NEEDED: Final = ("table", "kind", "across", "value")


def check_charts(checking: Checking, one: GivenInput, given: Mapping[str, GivenInput]) -> None:
    """B02 to B04 and C03 of every chart that is written out."""
    charts = one.raw if isinstance(one.raw, Sequence) and not isinstance(one.raw, str) else (one.raw,)
    tables = next((each for each in given.values() if each.declared.kind == "sheet tables"), None)
    types = columns_of(tables.known.type) if tables is not None else {}
    for number, chart in enumerate(charts):
        path = (*one.path, number) if (*one.path, number) in checking.workflow.source.values else one.path
        if isinstance(chart, Mapping):
            _check_chart(checking, chart, path, types)
        elif not (isinstance(chart, str) and "${{" in chart):
            checking.report("B04", path, f'a chart has {", ".join(NEEDED)}, not "{chart}"')


def _check_chart(checking: Checking, chart: Mapping[str, Raw], path: Path, tables: Mapping[str, Type]) -> None:
    for name in chart:
        if name not in PARTS:
            meant = did_you_mean(name, PARTS)
            checking.report("B02", (*path, name), f'a chart has no "{name}"', suggestion=meant, at_key=True)
    missing = [name for name in NEEDED if chart.get(name) is None]
    if missing:
        checking.report("B03", path, f"a chart needs {' and '.join(missing)}")
    kind = chart.get("kind")
    if _is_written(kind) and kind not in CHART_KINDS:
        said = f'"{kind}" is no kind of chart; it can be {", ".join(CHART_KINDS)}'
        checking.report("B04", (*path, "kind"), said, suggestion=did_you_mean(str(kind), CHART_KINDS))
    table = chart.get("table")
    if not _is_written(table) or not tables:
        return
    if table not in tables:
        meant = did_you_mean(str(table), tables)
        checking.report("R05", (*path, "table"), f'the pack has no table "{table}"', suggestion=meant)
        return
    _check_columns(checking, chart, path, tables[str(table)])


def _check_columns(checking: Checking, chart: Mapping[str, Raw], path: Path, rows: Type) -> None:
    columns = columns_of(rows)
    if rows.kind != "table" or rows.open or rows.columns is None:
        return
    for name in ("across", "value", "one_line_per"):
        column = chart.get(name)
        if not _is_written(column):
            continue
        if column not in columns:
            meant = did_you_mean(str(column), columns)
            checking.report("C03", (*path, name), f'there is no column "{column}"', suggestion=meant)
        elif name == "value" and not columns[str(column)].is_number and columns[str(column)].kind != "any":
            said = f'a chart shows numbers, and "{column}" is a {columns[str(column)].kind}'
            checking.report("B04", (*path, name), said)


def _is_written(raw: Raw) -> bool:
    return isinstance(raw, str) and "${{" not in raw
