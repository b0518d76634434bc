"""Charts of a report pack: the figures of a chart from the rows of its table, and its drawing as SVG.

A chart says its table, its kind, what runs `across`, the `value`, and what there is `one_line_per`. Values of the same
point are added up. Every figure that is drawn stands in the workbook too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.frozen import dataclass
from interoffice.model.contract import CHART_KINDS
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import Formats, Value, exact, plain

COLOURS: Final = ("#2a6fb0", "#d9822b", "#2f9e6e", "#b8426a", "#6b5fb5", "#8a7a3c", "#3aa1b5", "#777f8a")
MOST_SERIES, MOST_POINTS = 12, 200
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 320, 84, 16, 16, 58
NUMBERS: Final = ("number", "money", "percent")


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """What a chart is made of."""

    table: str
    kind: str
    across: str
    value: str
    one_line_per: str | None = None

    @property
    def title(self) -> str:
        """What stands over it."""
        by = f" by {_words(self.one_line_per)}" if self.one_line_per else ""
        return f"{self.table}: {_words(self.value)}{by}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The figures of a chart: a row per point of `across`, a column per series; None where there is no value."""

    across: tuple[Value, ...]
    series: Mapping[str, tuple[Decimal | None, ...]]

    @property
    def highest(self) -> Decimal:
        """The greatest figure, 0 at least."""
        return max((Decimal(0), *self._all()))

    @property
    def lowest(self) -> Decimal:
        """The smallest figure, 0 at most."""
        return min((Decimal(0), *self._all()))

    def _all(self) -> list[Decimal]:
        return [figure for line in self.series.values() for figure in line if figure is not None]


def read_charts(said: Sequence[Mapping[str, Value]], tables: Mapping[str, Table]) -> list[Chart]:
    """The charts that a step asks for; BusinessError `bad_chart` naming the one that can't be drawn and why."""
    return [_read_chart(number, each, tables) for number, each in enumerate(said, start=1)]


def _read_chart(number: int, said: Mapping[str, Value], tables: Mapping[str, Table]) -> Chart:
    def wrong(why: str) -> BusinessError:
        return BusinessError(f"chart {number} {why}", code="bad_chart")

    unknown = [name for name in said if name not in ("table", "kind", "across", "value", "one_line_per")]
    if unknown:
        raise wrong(f'has "{unknown[0]}"; it has table, kind, across, value and one_line_per')
    missing = [name for name in ("table", "kind", "across", "value") if not said.get(name)]
    if missing:
        raise wrong(f"lacks {missing[0]}")
    table, kind = tables.get(str(said["table"])), str(said["kind"])
    if table is None:
        raise wrong(f'is of the table "{said["table"]}"; there is {", ".join(tables)}')
    if kind not in CHART_KINDS:
        raise wrong(f'is a "{kind}"; it can be {", ".join(CHART_KINDS)}')
    for name in ("across", "value", "one_line_per"):
        column = said.get(name)
        if column is not None and str(column) not in table.columns:
            raise wrong(f'has {name}: {column}, and the table has {", ".join(table.columns)}')
    if table.columns[str(said["value"])].kind not in NUMBERS:
        raise wrong(f"shows {said['value']}, which is a {table.columns[str(said['value'])].kind} and no number")
    line = said.get("one_line_per")
    if kind == "pie" and line is not None:
        raise wrong("is a pie, which has no one_line_per")
    return Chart(
        table=str(said["table"]), kind=kind, across=str(said["across"]), value=str(said["value"]),
        one_line_per=None if line is None else str(line),
    )  # fmt: skip


def figures(chart: Chart, table: Table, formats: Formats) -> Figures:
    """The figures, `across` in its order (dates and numbers by size, texts as the rows come)."""
    sums: dict[str, dict[Value, Decimal]] = {}
    across: dict[Value, None] = {}
    for row in table.rows():
        point, figure = row[chart.across], row[chart.value]
        name = _shown(row[chart.one_line_per], formats) if chart.one_line_per else _words(chart.value)
        across.setdefault(point)
        line = sums.setdefault(name, {})
        if isinstance(figure, Decimal):
            line[point] = plain(exact(line.get(point, Decimal(0)) + figure))
    if len(sums) > MOST_SERIES or len(across) > MOST_POINTS:
        raise BusinessError(
            f"the chart of {chart.table} would have {len(sums)} lines and {len(across)} points, it can show "
            f"{MOST_SERIES} and {MOST_POINTS}; sum up before",
            code="bad_chart",
        )
    points = tuple(across)
    if table.columns[chart.across].kind in ("date", "date_time", "number", "money", "percent"):
        points = tuple(sorted((point for point in points if point is not None), key=_order))
    return Figures(
        across=points, series={name: tuple(line.get(point) for point in points) for name, line in sums.items()}
    )


def _order(point: Value) -> Any:
    return point


def trends(found: Figures, formats: Formats) -> Iterator[str]:
    """What became of each series of dates from its first figure to its last, as a sentence."""
    if not all(isinstance(point, date) for point in found.across):
        return
    for name, line in found.series.items():
        there = [figure for figure in line if figure is not None]
        if len(there) < 2:
            continue
        first, last = there[0], there[-1]
        change = "" if not first else f" ({(last - first) / abs(first) * 100:+.1f}%)"
        yield f"{name}: from {format_value(first, formats)} to {format_value(last, formats)}{change}"


def _words(name: str | None) -> str:
    return (name or "").replace("_", " ")


def _shown(value: Value, formats: Formats) -> str:
    if isinstance(value, date) and not isinstance(value, datetime) and value.day == 1:
        return f"{value:%Y-%m}"
    return "missing" if value is None else format_value(value, formats)


def labels(found: Figures, formats: Formats) -> list[str]:
    """What stands below each point; first days of months as the month."""
    return [_shown(point, formats) for point in found.across]


# drawing


def svg(chart: Chart, found: Figures, formats: Formats) -> str:
    """The chart as an SVG that needs nothing else. Text from data is escaped."""
    draw = _pie if chart.kind == "pie" else _bars if chart.kind == "bar" else _upright
    body = "".join(draw(chart, found, formats))
    legend = "".join(_legend(found, chart, formats))
    label = escape(chart.title, quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 26 * math.ceil(_legend_count(found, chart) / 4)}" role="img" '
        f'aria-label="{label}" xmlns="http://www.w3.org/2000/svg">{body}{legend}</svg>'
    )


def _legend_count(found: Figures, chart: Chart) -> int:
    return len(found.across) if chart.kind == "pie" else len(found.series)


def _legend(found: Figures, chart: Chart, formats: Formats) -> Iterator[str]:
    names = labels(found, formats) if chart.kind == "pie" else list(found.series)
    for number, name in enumerate(names):
        x, y = LEFT + (number % 4) * 165, HEIGHT + 8 + 26 * (number // 4)
        yield f'<rect x="{x}" y="{y}" width="12" height="12" rx="2" fill="{_colour(number)}"/>'
        yield f'<text x="{x + 18}" y="{y + 11}" class="legend">{escape(_short(name, 22))}</text>'


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _steps(low: float, high: float) -> list[float]:
    """Round numbers from at most `low` to at least `high`, about five of them."""
    span = (high - low) or 1.0
    rough = span / 5
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough)
    start = math.floor(low / step) * step
    count = math.ceil((high - start) / step - 1e-9)
    return [start + step * number for number in range(count + 1)]


def _upright(chart: Chart, found: Figures, formats: Formats) -> Iterator[str]:
    """Lines, areas and columns: figures upwards, points across."""
    steps = _steps(float(found.lowest), float(found.highest))
    low, high = steps[0], steps[-1]
    inner_height, inner_width = HEIGHT - TOP - BOTTOM, WIDTH - LEFT - RIGHT
    count = max(len(found.across), 1)

    def y(figure: float) -> float:
        return round(TOP + inner_height * (1 - (figure - low) / (high - low)), 2)

    def x(number: int) -> float:
        return round(LEFT + inner_width * (number + 0.5) / count, 2)

    for step in steps:
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(step)}" y2="{y(step)}" class="grid"/>'
        shown = format_value(Decimal(repr(round(step, 6))), formats)
        yield f'<text x="{LEFT - 8}" y="{y(step) + 4}" class="axis" text-anchor="end">{escape(shown)}</text>'
    every = math.ceil(count / 12)
    for number, label in enumerate(labels(found, formats)):
        if number % every == 0:
            shown = escape(_short(label, 12))
            yield f'<text x="{x(number)}" y="{HEIGHT - BOTTOM + 20}" class="axis" text-anchor="middle">{shown}</text>'
    if chart.kind == "column":
        yield from _columns(found, x, y, inner_width / count)
        return
    for number, line in enumerate(found.series.values()):
        points = [(x(place), y(float(figure))) for place, figure in enumerate(line) if figure is not None]
        path = " ".join(f"{left},{top}" for left, top in points)
        if chart.kind == "area" and points:
            base = f"{points[-1][0]},{y(0)} {points[0][0]},{y(0)}"
            yield f'<polygon points="{path} {base}" fill="{_colour(number)}" fill-opacity=".18"/>'
        yield f'<polyline points="{path}" fill="none" stroke="{_colour(number)}" stroke-width="2.2"/>'


def _columns(
    found: Figures, x: Callable[[int], float], y: Callable[[float], float], room: float
) -> Iterator[str]:
    width = room * 0.8 / max(len(found.series), 1)
    for number, line in enumerate(found.series.values()):
        for place, figure in enumerate(line):
            if figure is not None:
                top, base = sorted((y(float(figure)), y(0)))
                left = x(place) - room * 0.4 + width * number
                yield (
                    f'<rect x="{left:.2f}" y="{top}" width="{width * 0.94:.2f}" height="{max(base - top, 0.5):.2f}" '
                    f'fill="{_colour(number)}"/>'
                )


def _bars(chart: Chart, found: Figures, formats: Formats) -> Iterator[str]:
    """Bars from left to right, a name to each."""
    steps = _steps(float(found.lowest), float(found.highest))
    low, high = steps[0], steps[-1]
    left, inner = LEFT + 70, WIDTH - LEFT - RIGHT - 70
    room = (HEIGHT - TOP - BOTTOM) / max(len(found.across), 1)
    height = room * 0.8 / max(len(found.series), 1)

    def x(figure: float) -> float:
        return round(left + inner * (figure - low) / (high - low), 2)

    for step in steps:
        yield f'<line x1="{x(step)}" x2="{x(step)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="grid"/>'
        shown = format_value(Decimal(repr(round(step, 6))), formats)
        yield f'<text x="{x(step)}" y="{HEIGHT - BOTTOM + 18}" class="axis" text-anchor="middle">{escape(shown)}</text>'
    for place, label in enumerate(labels(found, formats)):
        middle = TOP + room * (place + 0.5) + 4
        yield f'<text x="{left - 8}" y="{middle:.2f}" class="axis" text-anchor="end">{escape(_short(label, 20))}</text>'
        for number, line in enumerate(found.series.values()):
            figure = line[place]
            if figure is not None:
                start, end = sorted((x(float(figure)), x(0)))
                top = TOP + room * place + room * 0.1 + height * number
                yield (
                    f'<rect x="{start}" y="{top:.2f}" width="{max(end - start, 0.5):.2f}" height="{height * 0.94:.2f}" '
                    f'fill="{_colour(number)}"/>'
                )


def _pie(chart: Chart, found: Figures, formats: Formats) -> Iterator[str]:
    line = next(iter(found.series.values()), ())
    whole = sum(float(figure) for figure in line if figure is not None and figure > 0)
    angle, centre, radius = -math.pi / 2, (WIDTH / 2, (HEIGHT - 20) / 2 + 8), (HEIGHT - 60) / 2
    for number, figure in enumerate(line):
        share = float(figure) / whole if whole and figure is not None and figure > 0 else 0.0
        if not share:
            continue
        if share > 0.9999:
            yield f'<circle cx="{centre[0]}" cy="{centre[1]}" r="{radius}" fill="{_colour(number)}"/>'
            return
        end = angle + 2 * math.pi * share
        (x1, y1), (x2, y2) = (
            (centre[0] + radius * math.cos(at), centre[1] + radius * math.sin(at)) for at in (angle, end)
        )
        large = 1 if share > 0.5 else 0
        yield (
            f'<path d="M{centre[0]:.2f},{centre[1]:.2f} L{x1:.2f},{y1:.2f} A{radius},{radius} 0 {large} 1 '
            f'{x2:.2f},{y2:.2f} Z" fill="{_colour(number)}" stroke="#fff" stroke-width="1.5"/>'
        )
        angle = end
