"""Arithmetic with values that are there."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from interoffice.language.calendars import Times, add_duration
from interoffice.language.errors import RowError
from interoffice.language.functions import fitted
from interoffice.model.formats import format_value
from interoffice.model.table import Table, union
from interoffice.model.values import EXACT, Duration, Percent, Value


def combine(operator: str, left: Value, right: Value, times: Times) -> Value:
    """left + right, and - * /, of two values that are there."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _number(operator, left, right)
    if operator in "+-" and isinstance(right, Duration):
        return _plus_duration(left, right if operator == "+" else -right, times)
    if operator == "+" and isinstance(left, Duration) and isinstance(right, date):
        return _plus_duration(right, left, times)
    if operator == "+":
        return _put_together(left, right)
    if operator == "-" and isinstance(left, date) and isinstance(right, date):
        return _difference(left, right)
    if operator == "*":
        return _multiple(left, right)
    raise _unfit(operator, left, right)


def _number(operator: str, left: Decimal, right: Decimal) -> Decimal:
    both_percent = left if isinstance(left, Percent) and isinstance(right, Percent) else None
    if operator == "+":
        return fitted(EXACT.add(left, right), both_percent)
    if operator == "-":
        return fitted(EXACT.subtract(left, right), both_percent)
    if operator == "*":
        return fitted(EXACT.multiply(left, right))
    if not right:
        raise RowError("division by zero")
    return fitted(divided(left, right))


def divided(left: Decimal, right: Decimal) -> Decimal:
    """left / right with 10 decimals, half away from zero, without rounding twice."""
    numerator = int(left.scaleb(20, EXACT))
    denominator = int(right.scaleb(10, EXACT))
    quotient, remainder = divmod(abs(numerator), abs(denominator))
    if 2 * remainder >= abs(denominator):
        quotient += 1
    return Decimal(quotient if (numerator < 0) == (denominator < 0) else -quotient).scaleb(-10, EXACT)


def _plus_duration(left: Value, duration: Duration, times: Times) -> Value:
    if isinstance(left, Duration):
        return left + duration
    if not isinstance(left, date):
        raise _unfit("+", left, duration)
    try:
        return add_duration(left, duration, times)
    except (OverflowError, ValueError) as error:
        raise RowError("the date is out of the years 1 to 9999 (overflow)") from error


def _put_together(left: Value, right: Value) -> Value:
    if isinstance(left, Table) and isinstance(right, Table):
        try:
            return union(left, right)
        except ValueError as error:
            raise RowError(str(error)) from error
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return [*left, *right]
    raise _unfit("+", left, right)


def _difference(left: date, right: date) -> Duration:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return Duration.between(right, left)
    if isinstance(left, datetime) or isinstance(right, datetime):
        raise _unfit("-", left, right)
    return Duration(days=(left - right).days)


def _multiple(left: Value, right: Value) -> Value:
    if isinstance(right, Duration):
        left, right = right, left
    if not isinstance(left, Duration) or not isinstance(right, Decimal):
        raise _unfit("*", left, right)
    if right != right.to_integral_value():
        raise RowError("a duration is multiplied by a whole number")
    times = int(right)
    return Duration(left.days * times, left.business_days * times, left.months * times, left.seconds * times)


def _unfit(operator: str, left: Value, right: Value) -> RowError:
    return RowError(f"{format_value(left)!r} {operator} {format_value(right)!r} has no meaning")
