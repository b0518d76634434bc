"""The functions of the language: one table of name, parameters, result, what it gives, and how DuckDB says it.

A parameter is a word: `number` (money too), `numeric` (percent too), `text` (a choice too), `date`, `moment` (date or
date-time), `rows` (table or list), `numbers` (a list of numeric values), `condition`, `value` (anything); `?` behind it
makes it optional, `*` repeats it. A function of a missing argument is missing, except where `sees_missing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from interoffice.language.calendars import Times, add_months, month_length
from interoffice.language.errors import RowError
from interoffice.model.formats import format_date, format_number, format_value, is_date_pattern, number_marks
from interoffice.model.table import Table
from interoffice.model.values import (
    EXACT,
    Formats,
    NumberTooBig,
    Percent,
    Value,
    exact,
    number_from_text,
    plain,
)

Evaluate = Callable[..., Value]


class Function(NamedTuple):
    """One function. `result` is a kind of type, or `same` (as the first argument), `common`, `row` or `item`."""

    name: str
    parameters: tuple[str, ...]
    result: str
    doc: str
    evaluate: Evaluate
    sql: str | None = None
    sees_missing: bool = False

    @property
    def least(self) -> int:
        """How many arguments it must have."""
        return sum(1 for parameter in self.parameters if not parameter.endswith("?"))

    @property
    def most(self) -> int | None:
        """How many it may have, None for any number."""
        return None if self.parameters[-1].endswith("*") else len(self.parameters)

    def parameter(self, number: int) -> str:
        """The word of an argument's parameter."""
        return self.parameters[min(number, len(self.parameters) - 1)].rstrip("?*")


def fitted(number: Decimal, like: Value = None) -> Decimal:
    """A result rounded to what a number holds; a percent when `like` is one. RowError when it is too big."""
    try:
        result = exact(number)
    except NumberTooBig as error:
        raise RowError("the result has more than 28 digits before the point (overflow)") from error
    return Percent(result) if isinstance(like, Percent) else result


def total(values: Sequence[Value]) -> Decimal:
    """The sum of the values that are there; of none it is 0."""
    there = [value for value in values if value is not None]
    result = Decimal(0)
    for value in there:
        result = EXACT.add(result, _number(value))
    return fitted(result, there[0] if there else None)


def average(values: Sequence[Value]) -> Decimal | None:
    """The exact mean of the values that are there, rounded to 10 decimals; of none it is missing."""
    there = [_number(value) for value in values if value is not None]
    if not there:
        return None
    summed = Decimal(0)
    for value in there:
        summed = EXACT.add(summed, value)
    return fitted(EXACT.divide(summed, Decimal(len(there))), there[0])


def smallest(values: Sequence[Value]) -> Value:
    """The least of the values that are there; of none it is missing."""
    there = [value for value in values if value is not None]
    return min(there, default=None)  # type: ignore[type-var]


def greatest(values: Sequence[Value]) -> Value:
    """The greatest of the values that are there; of none it is missing."""
    there = [value for value in values if value is not None]
    return max(there, default=None)  # type: ignore[type-var]


def _number(value: Value) -> Decimal:
    if not isinstance(value, Decimal):
        raise RowError(f"{format_value(value)!r} is not a number")
    return value


def _cells(value: Value) -> Sequence[Value]:
    if isinstance(value, (list, tuple)):
        return value
    raise RowError("a column is needed here: rows.column")


def _count(times: Times, rows: Value) -> Value:
    if isinstance(rows, Table):
        return Decimal(rows.row_count)
    return Decimal(sum(1 for cell in _cells(rows) if cell is not None))


def _extreme(choose: Callable[[Sequence[Value]], Value]) -> Evaluate:
    def evaluate(times: Times, *values: Value) -> Value:
        if len(values) == 1:
            return choose(_cells(values[0]))
        return None if any(value is None for value in values) else choose(values)

    return evaluate


def _of_cells(choose: Callable[[Sequence[Value]], Value]) -> Evaluate:
    return lambda times, cells: choose(_cells(cells))


def _abs(times: Times, number: Decimal) -> Value:
    return fitted(number.copy_abs(), number)


def _digits(digits: Decimal | None) -> Decimal:
    places = Decimal(0) if digits is None else digits
    if places != places.to_integral_value() or not -28 <= places <= 10:
        raise RowError("a number is rounded to -28 to 10 decimals")
    return Decimal(1).scaleb(-int(places))


def _round(times: Times, number: Decimal, digits: Decimal | None = None) -> Value:
    step = _digits(digits)
    if isinstance(number, Percent):
        step = step.scaleb(-2)
    return fitted(_to_step(number, step, ROUND_HALF_UP), number)


def _to_step(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    steps = EXACT.divide(number, step).to_integral_value(rounding, EXACT)
    return EXACT.multiply(steps, step)


def _round_to(rounding: str) -> Evaluate:
    def evaluate(times: Times, number: Decimal, step: Decimal) -> Value:
        if step <= 0:
            raise RowError("the step to round to must be more than 0")
        return fitted(_to_step(number, step, rounding), number)

    return evaluate


def _whole(number: Decimal, what: str) -> int:
    if number != number.to_integral_value():
        raise RowError(f"{what} is a whole number, not {format_number(number)}")
    return int(number)


def _left(times: Times, text: str, count: Decimal) -> Value:
    return text[: max(0, _whole(count, "the count of characters"))] or None


def _right(times: Times, text: str, count: Decimal) -> Value:
    wanted = max(0, _whole(count, "the count of characters"))
    return text[max(0, len(text) - wanted) :] or None if wanted else None


def _replace(times: Times, text: str, old: str, new: str | None) -> Value:
    return text.replace(old, new or "") or None


def _text(times: Times, value: Value, pattern: str | None = None) -> Value:
    if pattern is None:
        return format_value(value, Formats(zone=times.zone)) or None
    if isinstance(value, date):
        if not is_date_pattern(pattern):
            raise RowError(f"'{pattern}' is no way to write a date; write dd.MM.yyyy or dd.MM.yyyy HH:mm")
        return format_date(value.astimezone(times.zone_info) if isinstance(value, datetime) else value, pattern)
    if isinstance(value, Decimal):
        return format_number(value, _number_pattern(pattern))
    raise RowError("only dates and numbers are written by a pattern")


def _number_pattern(pattern: str) -> str:
    try:
        number_marks(pattern)
    except ValueError as error:
        raise RowError(str(error)) from error
    return pattern


def _to_number(times: Times, value: Value, pattern: str | None = None) -> Value:
    if isinstance(value, Decimal):
        return Decimal(value)
    if not isinstance(value, str):
        raise RowError(f"{format_value(value)} can't be made a number")
    text = value
    if pattern is not None:
        grouping, point = number_marks(_number_pattern(pattern))
        text = _plain_digits(text, grouping, point)
    try:
        return plain(number_from_text(text))
    except ValueError as error:
        raise RowError(f"'{value}' is not a number") from error


def _plain_digits(text: str, grouping: str, point: str) -> str:
    whole, found, decimals = text.strip().partition(point)
    groups = whole.split(grouping) if grouping else [whole]
    if any(len(group) != 3 for group in groups[1:]) or (found and not decimals):
        raise RowError(f"'{text}' is not a number as written 1{grouping}234{point}56")
    return "".join(groups) + ("." + decimals if decimals else "")


def _to_percent(times: Times, number: Decimal) -> Value:
    return Percent(number)


def _date(times: Times, value: Value, pattern: str | None = None) -> Value:
    if isinstance(value, datetime):
        return times.day_of(value)
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise RowError(f"{format_value(value)} can't be made a date")
    try:
        return date.fromisoformat(value) if pattern is None else read_date(value, pattern)
    except ValueError as error:
        wanted = "2026-11-20" if pattern is None else pattern
        raise RowError(f"'{value}' is not a date written {wanted}") from error


def read_date(text: str, pattern: str) -> date:
    """The date that a text means by a pattern of numbers (`dd.MM.yyyy`); a ValueError otherwise."""
    import re

    named = {"yyyy": r"(?P<y>\d{4})", "MM": r"(?P<m>\d\d)", "M": r"(?P<m>\d\d?)", "dd": r"(?P<d>\d\d)"}
    named["d"] = r"(?P<d>\d\d?)"
    parts = re.split(r"(yyyy|MM?|dd?)", pattern)
    found = re.fullmatch("".join(named.get(part, re.escape(part)) for part in parts), text.strip(), re.ASCII)
    if found is None or len(found.groupdict()) != 3:
        raise ValueError(f'"{text}" is not written {pattern}')
    return date(int(found["y"]), int(found["m"]), int(found["d"]))


def _date_time(times: Times, value: Value) -> Value:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return times.moment(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise RowError(f"'{value}' is not a date-time written 2026-11-20 09:30") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=times.zone_info)).astimezone(UTC)


def _days_between(times: Times, start: date, end: date) -> Value:
    return Decimal((_date_only(times, end) - _date_only(times, start)).days)


def _date_only(times: Times, moment: date) -> date:
    return times.day_of(moment) if isinstance(moment, datetime) else moment


def _business_days_between(times: Times, start: date, end: date) -> Value:
    return Decimal(times.calendar.between(_date_only(times, start), _date_only(times, end)))


def _is_business_day(times: Times, day: date) -> Value:
    return times.calendar.is_business_day(_date_only(times, day))


def _start_of_month(times: Times, day: date) -> Value:
    return _date_only(times, day).replace(day=1)


def _end_of_month(times: Times, day: date) -> Value:
    local = _date_only(times, day)
    return local.replace(day=month_length(local.year, local.month))


def _add_months(times: Times, day: date, months: Decimal) -> Value:
    try:
        return add_months(_date_only(times, day), _whole(months, "the number of months"))
    except (OverflowError, ValueError) as error:
        raise RowError("the date is out of the years 1 to 9999 (overflow)") from error


def _part(read: Callable[[date], int]) -> Evaluate:
    return lambda times, day: Decimal(read(_date_only(times, day)))


def _join(times: Times, values: Value, separator: str | None = None) -> Value:
    formats = Formats(zone=times.zone)
    texts = [format_value(value, formats) for value in _cells(values) if value is not None]
    return (", " if separator is None else separator).join(texts) or None


def _first(times: Times, rows: Value) -> Value:
    if isinstance(rows, Table):
        return next(rows.rows(), None)
    cells = _cells(rows)
    return cells[0] if cells else None


def _last(times: Times, rows: Value) -> Value:
    if isinstance(rows, Table):
        return next(rows.select([rows.row_count - 1]).rows()) if rows.row_count else None
    cells = _cells(rows)
    return cells[-1] if cells else None


def _never(times: Times, *values: Value) -> Value:
    raise AssertionError("evaluated by the row evaluator itself, argument by argument")


_ASCII_ONLY: Final = "CASE WHEN strlen({0}) = length({0}) THEN %s({0}) END"

_TABLE: Final = (
    Function("count", ("rows",), "number", "how many rows a table has, or how many values a column", _count),
    Function("sum", ("numbers",), "same", "the sum of a column", _of_cells(total)),
    Function("min", ("value*",), "common", "the least of values, or of a column", _extreme(smallest), None, True),
    Function("max", ("value*",), "common", "the greatest of values, or of a column", _extreme(greatest), None, True),
    Function("average", ("numbers",), "same", "the mean of a column", _of_cells(average)),
    Function("abs", ("numeric",), "same", "the number without its sign", _abs, "abs({0})"),
    Function("round", ("numeric", "number?"), "same", "rounded half away from zero, to so many decimals", _round),
    Function("round_up", ("numeric", "numeric"), "same", "up to the next multiple of a step", _round_to(ROUND_CEILING)),
    Function("round_down", ("numeric", "numeric"), "same", "down to a multiple of a step", _round_to(ROUND_FLOOR)),
    Function("upper", ("text",), "text", "in capitals", lambda t, x: x.upper(), _ASCII_ONLY % "upper"),
    Function("lower", ("text",), "text", "in small letters", lambda t, x: x.lower(), _ASCII_ONLY % "lower"),
    Function("trim", ("text",), "text", "without blanks around it", lambda t, x: x.strip() or None),
    Function("length", ("text",), "number", "how many characters", lambda t, x: Decimal(len(x))),
    Function("left", ("text", "number"), "text", "the first characters", _left),
    Function("right", ("text", "number"), "text", "the last characters", _right),
    Function("replace", ("text", "text", "text"), "text", "one part of the text by another", _replace),
    Function("text", ("value", "text?"), "text", "a value as text; a date by dd.MM.yyyy HH:mm", _text),
    Function("number", ("value", "text?"), "number", "the number a text says; 1.234,56 as the pattern", _to_number),
    Function("percent", ("number",), "percent", "a fraction as a percent: 0.15 is 15%", _to_percent),
    Function("date", ("value", "text?"), "date", "the date of a date-time or a text", _date),
    Function("date_time", ("value",), "date_time", "the moment of a text, or the beginning of a date", _date_time),
    Function("days_between", ("moment", "moment"), "number", "days from one date to another", _days_between),
    Function("business_days_between", ("moment", "moment"), "number", "business days after one date up to another",
             _business_days_between),
    Function("is_business_day", ("moment",), "yes_no", "whether business is done on that day", _is_business_day),
    Function("start_of_month", ("moment",), "date", "the first day of its month", _start_of_month),
    Function("end_of_month", ("moment",), "date", "the last day of its month", _end_of_month),
    Function("add_months", ("moment", "number"), "date", "the same day so many months later", _add_months),
    Function("year", ("moment",), "number", "the year of a date", _part(lambda day: day.year)),
    Function("month", ("moment",), "number", "the month, 1 to 12", _part(lambda day: day.month)),
    Function("day", ("moment",), "number", "the day of the month", _part(lambda day: day.day)),
    Function("weekday", ("moment",), "number", "1 for Monday to 7 for Sunday", _part(lambda day: day.isoweekday())),
    Function("join", ("list", "text?"), "text", "the values of a list in one text, by default with commas", _join),
    Function("first", ("rows",), "item", "the first row of a table or value of a list", _first),
    Function("last", ("rows",), "item", "the last row of a table or value of a list", _last),
    Function("coalesce", ("value*",), "common", "the first value that is not missing", _never, None, True),
    Function("if_else", ("condition", "value", "value"), "common", "one value or the other", _never, None, True),
)  # fmt: skip

FUNCTIONS: Final[Mapping[str, Function]] = {function.name: function for function in _TABLE}


def signature(function: Function) -> str:
    """The function as help shows it: `round(numeric, number?)`."""
    return f"{function.name}({', '.join(function.parameters)})"


_RESULT_WORDS: Final = {"same": "the same", "common": "one of them", "item": "a row or value", "yes_no": "yes or no"}


def reference_row(function: Function) -> str:
    """The function's line in the table of docs/reference/grammar.md."""
    result = _RESULT_WORDS.get(function.result, function.result.replace("_", "-"))
    return f"| `{signature(function)}` | {result} | {function.doc} |"


def call(function: Function, times: Times, arguments: Sequence[Value]) -> Value:
    """The function's value; missing when an argument is missing; RowError when it has none."""
    if not function.sees_missing and any(argument is None for argument in arguments):
        return None
    try:
        return function.evaluate(times, *arguments)
    except (TypeError, AttributeError, ArithmeticError, OverflowError, ValueError) as error:
        shown = ", ".join(format_value(argument) for argument in arguments)
        raise RowError(f"{function.name} can't take {shown}") from error


AggregateOf: Final[Mapping[str, Callable[[Sequence[Value]], Any]]] = {
    "sum": total,
    "min": smallest,
    "max": greatest,
    "average": average,
    "count": lambda cells: Decimal(sum(1 for cell in cells if cell is not None)),
    "first": lambda cells: next((cell for cell in cells if cell is not None), None),
}
