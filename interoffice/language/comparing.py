"""Comparisons of values that are there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from interoffice.language.calendars import Times, add_duration
from interoffice.language.errors import RowError
from interoffice.model.formats import format_value
from interoffice.model.values import EXACT, Duration, Percent, Value


class CellSet(frozenset[Any]):
    """Cells of one kind, made once to be looked up for many rows."""


def compared(operator: str, left: Value, right: Value) -> bool:
    """left operator right, of two values that are there; RowError where they can't be compared."""
    a, b = _comparable(left, right)
    if operator == "=":
        return bool(a == b)
    if operator == "!=":
        return bool(a != b)
    if isinstance(left, bool):
        raise RowError("yes and no have no order")
    if operator in ("<", ">="):
        return bool(a < b) is (operator == "<")
    return bool(a > b) is (operator == ">")


def _comparable(left: Value, right: Value) -> tuple[Any, Any]:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        if isinstance(left, Percent) is not isinstance(right, Percent):
            raise RowError(f"{format_value(left)} and {format_value(right)} can't be compared: one is a percent")
        return left, right
    if isinstance(left, Duration) and isinstance(right, Duration):
        return _lengths(left, right)
    for kind in (bool, str, datetime, date, time):
        if isinstance(left, kind) or isinstance(right, kind):
            if isinstance(left, kind) and isinstance(right, kind):
                return left, right
            break
    raise RowError(f"{format_value(left)!r} and {format_value(right)!r} can't be compared")


def _lengths(left: Duration, right: Duration) -> tuple[Any, Any]:
    if left.months != right.months or left.business_days != right.business_days:
        if (left.is_fixed and right.is_fixed) or left == right:
            return left, right
        raise RowError(f"{left} and {right} can't be compared: a month and a business day have no fixed length")
    rest = Duration(left.days, 0, 0, left.seconds), Duration(right.days, 0, 0, right.seconds)
    return rest[0].total_seconds, rest[1].total_seconds


def within(left: Value, right: Value, tolerance: Value, times: Times) -> bool:
    """abs(left - right) <= tolerance; a percent is of abs(right); between dates it is a duration."""
    if isinstance(left, Decimal) and isinstance(right, Decimal) and isinstance(tolerance, Decimal):
        _comparable(left, right)
        limit = tolerance
        if isinstance(tolerance, Percent) and not isinstance(left, Percent):
            limit = EXACT.multiply(tolerance, right.copy_abs())
        return EXACT.subtract(left, right).copy_abs() <= limit
    if isinstance(left, date) and isinstance(right, date) and isinstance(tolerance, Duration):
        _comparable(left, right)
        early, late = min(left, right), max(left, right)
        try:
            reached = add_duration(early, tolerance, times)
        except (OverflowError, ValueError):
            return True
        if isinstance(reached, datetime) and not isinstance(late, datetime):
            return reached >= times.moment(late)
        return reached >= late
    shown = format_value(tolerance)
    raise RowError(f"{format_value(left)!r} and {format_value(right)!r} can't be compared within {shown}")


def is_among(value: Value, cells: Sequence[Value] | CellSet) -> bool:
    """Whether one of the cells equals the value; missing cells equal nothing."""
    if isinstance(cells, CellSet):
        for one in cells:
            compared("=", value, one)
            break
        return value in cells
    return any(compared("=", value, cell) for cell in cells if cell is not None)
