"""Planning: series of months carried on, by a method that can be told in a sentence, with its back-test error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from interoffice.bot import Choice, ColumnName, ColumnNames, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY
from interoffice.model.values import Percent, Value

SEASON = 12
LEAST = SEASON + 1
"""Months of history that a forecast needs: a year to look back on, and one month to try it."""
CENT = Decimal("0.01")
MOST_MONTHS = 120

Series = dict[tuple[Value, ...], dict[date, Decimal]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Projected:
    """The months to come, the error of the back test, and the method in a sentence."""

    rows: Table
    back_test_error: Percent
    explained: str


@bot(
    effect="reads",
    choices={"method": ("seasonal", "smoothing")},
    outputs={
        "rows": "columns of by plus {month: date, forecast: money}",
        "back_test_error": "percent, missing where nothing was booked in the months that were tried",
        "explained": "text",
    },
)
def project_series(
    ctx: Context, *, rows: Table, by: ColumnNames, month: ColumnName, value: ColumnName, months: Decimal, method: Choice
) -> Projected:
    """Carries every series on by some months, and says what the method would have been off by.

    `seasonal` is the same month of the year before (seasonal naive), `smoothing` is exponential smoothing with a damped
    trend, with seasons where there are two years of history.

    For the back-test error the last months (a year, or what there is beyond
    the first) are left out, forecast from the months before them, and compared; it is the sum of the absolute
    differences by the sum of the absolute values, over all series (WAPE). `explained` says this in a sentence.

    A month is any day of it. Every series needs 13 months without a gap, up to the same last month; what has not is
    named and nothing is guessed. Amounts are rounded to cents.

    Error codes: no_column, bad_number (months is no whole number from 1 to 120), cell_missing (a month or value is),
    month_twice, month_missing, series_too_short, series_ended (it has no value in the last month).

    Inputs:
        rows: one row per series and month
        by: the column or columns that name a series
        month: the column with the month
        value: the column with the amount
        months: how many months to forecast
        method: seasonal or smoothing

    Example:
        - id: forecast
          bot: planning.project_series
          with:
            rows: ${{ steps.actuals.rows }}
            by: [cost_centre, product_line]
            month: month
            value: actual_amount
            months: 12
            method: seasonal
    """
    lacking = [name for name in (*by, month, value) if name not in rows.columns]
    if lacking:
        raise BusinessError(
            f'the rows have no column "{lacking[0]}"; they have {", ".join(rows.columns)}', code="no_column"
        )
    if months != months.to_integral_value() or not 1 <= months <= MOST_MONTHS:
        raise BusinessError(f"months is {months}; write a whole number from 1 to {MOST_MONTHS}", code="bad_number")
    series = _series(rows, by, month, value)
    _refuse_gaps(series)
    error, tried = _back_test(series, method)
    explained = _explained(series, method, error, tried)
    ctx.log.info("series_projected", series=len(series), method=method, explained=explained)
    columns = {**{name: rows.columns[name] for name in by}, "month": DATE, "forecast": MONEY}
    return Projected(
        rows=Table.from_rows(columns, _forecast(series, by, int(months), method)),
        back_test_error=error,  # type: ignore[arg-type]
        explained=explained,
    )


def _series(rows: Table, by: Sequence[str], month: str, value: str) -> Series:
    """The values of every series by the first day of their month."""
    found: Series = {}
    for number, row in enumerate(rows.rows(), start=1):
        key, day, amount = tuple(row[name] for name in by), row[month], row[value]
        if not isinstance(day, date) or not isinstance(amount, Decimal):
            lacks = month if not isinstance(day, date) else value
            raise BusinessError(f"row {number} ({_words(key)}) has no {lacks}; fill it in", code="cell_missing")
        first = day.replace(day=1) if type(day) is date else date(day.year, day.month, 1)
        months = found.setdefault(key, {})
        if first in months:
            raise BusinessError(
                f"{_words(key)} has two values for {first:%Y-%m} (row {number}); add them up before, with `totals`",
                code="month_twice",
            )
        months[first] = amount
    return found


def _refuse_gaps(series: Series) -> None:
    last = max((max(months) for months in series.values()), default=None)
    for key, months in series.items():
        start, end = min(months), max(months)
        missing = next((day for day in _from(start, _between(start, end) + 1) if day not in months), None)
        if missing is not None:
            raise BusinessError(
                f"{_words(key)} has no value for {missing:%Y-%m}; add the month, with 0 where nothing was booked",
                code="month_missing",
            )
        if last is not None and end != last:
            raise BusinessError(
                f"{_words(key)} ends with {end:%Y-%m}, others with {last:%Y-%m}; leave it out, or add the months",
                code="series_ended",
            )
        if len(months) < LEAST:
            raise BusinessError(
                f"{_words(key)} has {len(months)} months, from {start:%Y-%m} to {end:%Y-%m}; a forecast needs {LEAST}",
                code="series_too_short",
            )


def _words(key: Sequence[Value]) -> str:
    return ", ".join("missing" if part is None else str(part) for part in key) or "the series"


def _between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def _from(start: date, count: int) -> Iterator[date]:
    for step in range(count):
        year, month = divmod(start.year * 12 + start.month - 1 + step, 12)
        yield date(year, month + 1, 1)


def _values(months: Mapping[date, Decimal]) -> list[Decimal]:
    return [months[day] for day in sorted(months)]


# the methods


def _carried_on(values: Sequence[Decimal], count: int, method: str) -> list[Decimal]:
    if method == "seasonal":
        return [values[len(values) - SEASON + step % SEASON] for step in range(count)]
    return _smoothed(values, count)


def _smoothed(values: Sequence[Decimal], count: int) -> list[Decimal]:
    import warnings

    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # type: ignore[import-untyped]

    has_seasons = len(values) >= 2 * SEASON
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where its optimiser could still improve; the back test is the judge
        model = ExponentialSmoothing(
            [float(value) for value in values], trend="add", damped_trend=True, initialization_method="estimated",
            seasonal="add" if has_seasons else None, seasonal_periods=SEASON if has_seasons else None,
        )  # fmt: skip
        found = model.fit().forecast(count)
    return [Decimal(repr(float(value))) for value in found]


def _forecast(series: Series, by: Sequence[str], months: int, method: str) -> Iterator[dict[str, Value]]:
    for key, known in series.items():
        last = max(known)
        days = list(_from(last, months + 1))[1:]
        for day, amount in zip(days, _carried_on(_values(known), months, method), strict=True):
            yield {**dict(zip(by, key, strict=True)), "month": day, "forecast": amount.quantize(CENT, ROUND_HALF_UP)}


def _back_test(series: Series, method: str) -> tuple[Percent | None, int]:
    """The error over the months that were left out, and how many of them each series had at most."""
    off, size, most = Decimal(0), Decimal(0), 0
    for months in series.values():
        values = _values(months)
        left_out = min(SEASON, len(values) - SEASON)
        most = max(most, left_out)
        before, after = values[:-left_out], values[-left_out:]
        for told, was in zip(_carried_on(before, left_out, method), after, strict=True):
            off, size = off + abs(told - was), size + abs(was)
    if not size:
        return None, most
    return Percent((off / size).quantize(Decimal("0.0001"))), most


def _explained(series: Series, method: str, error: Percent | None, tried: int) -> str:
    if not series:
        return "There was nothing to carry on."
    first, last = min(min(months) for months in series.values()), max(max(months) for months in series.values())
    has_seasons = all(len(months) >= 2 * SEASON for months in series.values())
    how = {
        "seasonal": "each month is the same month of the year before (seasonal naive)",
        "smoothing": "exponential smoothing with a damped trend"
        + (" and seasons" if has_seasons else ", with seasons where a series has two years"),
    }[method]
    off = "nothing was booked in the months that were tried" if error is None else (
        f"tried on the last {tried} month{'' if tried == 1 else 's'} it was off by {error * 100:.1f}%"
    )  # fmt: skip
    count = f"{len(series)} series" if len(series) > 1 else "One series"
    return f"{count} from {first:%Y-%m} to {last:%Y-%m}: {how}; {off}."
