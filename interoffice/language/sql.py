"""A tree -> SQL for DuckDB over Arrow.

What comes out is exact or NULL. NULL is `missing` where the fragment is `certain`; elsewhere it may also mean that SQL
can't tell (an overflow, a division by zero, letters beyond ASCII in `upper`), and the row evaluator is asked about
those rows. What SQL can't say at all raises NotInSql; a whole condition is then one more column, worked out in Python.
Columns are called c0, c1 ..., never by their own names, and texts are parameters: data never becomes SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, NamedTuple

from interoffice.language.comparing import CellSet
from interoffice.language.evaluator import ValueScope
from interoffice.language.fold import folded, is_same_for_all
from interoffice.language.functions import FUNCTIONS
from interoffice.language.nodes import (
    Attribute,
    Between,
    Binary,
    Call,
    Compare,
    Exists,
    Literal,
    Logic,
    Matches,
    Name,
    Node,
    OneOf,
    Search,
    Test,
    Unary,
    Unique,
)
from interoffice.language.patterns import sql_mask
from interoffice.model.types import Type
from interoffice.model.values import BOUND, EXACT, Duration, Percent, Value, number_text

NUMBER: Final = "DECIMAL(38,10)"
KINDS_IN_SQL: Final[Mapping[str, str]] = {
    "number": "number",
    "money": "number",
    "percent": "percent",
    "text": "text",
    "choice": "text",
    "date": "date",
    "date_time": "date_time",
    "time": "time",
    "yes_no": "yes_no",
}
"""Kinds of types that DuckDB computes with, and the group in which they are compared."""


class NotInSql(Exception):
    """This can't be said exactly in SQL."""


class Sql(NamedTuple):
    """A fragment. `certain`: it is NULL exactly where the value is missing, and never fails."""

    text: str
    kind: str
    certain: bool = True


class LookUp(NamedTuple):
    """A set of keys that is joined to the table to ask whether a row's key is among them."""

    name: str
    keys: tuple[tuple[Value, ...], ...]
    types: tuple[Type, ...]


class Compiler:
    """Compiles expressions over the columns of one table, and gathers what their query needs."""

    def __init__(
        self,
        columns: Mapping[str, Type],
        scope: ValueScope,
        repeated: Mapping[tuple[str, ...], set[tuple[Value, ...]]] | None = None,
    ) -> None:
        self.columns = columns
        self.scope = scope
        self.repeated = repeated or {}
        self.places = {name: f"c{number}" for number, name in enumerate(columns)}
        self.parameters: dict[str, str] = {}
        self.look_ups: list[LookUp] = []
        self.joins: list[str] = []
        self.in_python: list[Node] = []

    def whole(self, node: Node) -> Sql:
        """The fragment of a whole expression; NotInSql where it can't be said."""
        found = self.compile(folded(node, self.scope, self.columns))
        if found.certain or found.kind == "missing":
            return found
        return Sql(f"TRY({found.text})", found.kind, certain=False)

    def compile(self, node: Node) -> Sql:
        """The fragment of a folded node; a condition that SQL can't say becomes a column worked out in Python."""
        try:
            if not isinstance(node, Literal) and is_same_for_all(node, self.scope, self.columns):
                raise NotInSql  # a constant without a value: DuckDB would work it out first and fail the whole query
            return _COMPILE.get(type(node), _never)(self, node)
        except NotInSql:
            if not isinstance(node, _CONDITIONS):
                raise
        self.in_python.append(node)
        return Sql(f"x{len(self.in_python) - 1}", "yes_no", certain=False)

    def parameter(self, text: str) -> str:
        """A text as a parameter of the query."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = text
        return f"${name}"

    def constant(self, value: Value) -> Sql:
        """A value written out."""
        if value is None:
            return Sql("NULL", "missing")
        if isinstance(value, bool):
            return Sql("TRUE" if value else "FALSE", "yes_no")
        if isinstance(value, Decimal):
            if value.as_tuple().exponent < -10 or not -BOUND < value < BOUND:  # type: ignore[operator]
                raise NotInSql
            kind = "percent" if isinstance(value, Percent) else "number"
            return Sql(f"CAST('{number_text(value)}' AS {NUMBER})", kind)
        if isinstance(value, str):
            return Sql(f"{self.parameter(value)}::VARCHAR", "text")
        if isinstance(value, datetime):
            moment = value.astimezone(UTC).replace(tzinfo=None)
            return Sql(f"TIMESTAMP '{moment.isoformat(sep=' ')}'", "date_time")
        if isinstance(value, date):
            return Sql(f"DATE '{value.isoformat()}'", "date")
        if isinstance(value, time):
            return Sql(f"TIME '{value.isoformat()}'", "time")
        raise NotInSql

    def literal(self, node: Literal) -> Sql:
        return self.constant(node.value)

    # names

    def name(self, node: Name) -> Sql:
        return self.column(node.name)

    def column(self, name: str) -> Sql:
        """A column of the row."""
        if name not in self.columns or self.columns[name].kind not in KINDS_IN_SQL:
            raise NotInSql
        return Sql(self.places[name], KINDS_IN_SQL[self.columns[name].kind])

    def attribute(self, node: Attribute) -> Sql:
        if isinstance(node.owner, Name) and node.owner.name == "row" and "row" not in self.scope.names:
            return self.column(node.name)
        raise NotInSql

    # logic

    def condition(self, node: Node) -> Sql:
        """The fragment of a node that must be true or false."""
        found = self.compile(node)
        if found.kind == "missing":
            return Sql("CAST(NULL AS BOOLEAN)", "yes_no")
        if found.kind != "yes_no":
            raise NotInSql
        return found

    def unary(self, node: Unary) -> Sql:
        if node.operator == "not":
            found = self.condition(node.operand)
            return Sql(f"(NOT {found.text})", "yes_no", found.certain)
        found = self.numeric(node.operand)
        return Sql(f"(- {found.text})", found.kind, found.certain)

    def logic(self, node: Logic) -> Sql:
        left, right = self.condition(node.left), self.condition(node.right)
        certain = left.certain and right.certain
        if node.operator == "implies":
            return Sql(f"((NOT {left.text}) OR {right.text})", "yes_no", certain)
        return Sql(f"({left.text} {node.operator.upper()} {right.text})", "yes_no", certain)

    # arithmetic

    def numeric(self, node: Node) -> Sql:
        """The fragment of a node that must be a number or percent."""
        found = self.compile(node)
        if found.kind not in ("number", "percent"):
            raise NotInSql
        return found

    def binary(self, node: Binary) -> Sql:
        left = self.compile(node.left)
        if left.kind in ("date", "date_time"):
            return self.moved(node, left)
        right = self.numeric(node.right)
        if left.kind not in ("number", "percent"):
            raise NotInSql
        kind = "percent" if left.kind == right.kind == "percent" and node.operator in "+-" else "number"
        if node.operator in "+-":
            return Sql(f"({left.text} {node.operator} {right.text})", kind, certain=False)
        if node.operator == "*":
            return Sql(f"CAST({left.text} * {right.text} AS {NUMBER})", kind, certain=False)
        return Sql(self.quotient(node, left.text, right.text), kind, certain=False)

    def quotient(self, node: Binary, left: str, right: str) -> str:
        """left / right with 10 decimals, half away from zero, in 128-bit whole numbers: (2|n| + |d|) // 2|d|.

        What is constant is worked out here: DuckDB folds constants before TRY can see them fail.
        """
        numerator = _unscaled(node.left, 20) or f"(CAST({left} * {_TEN_BILLION} AS HUGEINT) * 10000000000::HUGEINT)"
        denominator = _unscaled(node.right, 10) or f"CAST({right} * {_TEN_BILLION} AS HUGEINT)"
        rounded = f"((2 * abs({numerator}) + abs({denominator})) // (2 * abs({denominator})))"
        signed = f"(CASE WHEN ({left} < 0) = ({right} < 0) THEN {rounded} ELSE - {rounded} END)"
        return f"CAST(CAST({signed} AS DECIMAL(38,0)) * '0.0000000001'::DECIMAL(10,10) AS {NUMBER})"

    def moved(self, node: Binary, left: Sql) -> Sql:
        """A date plus or minus a fixed duration."""
        duration = node.right.value if isinstance(node.right, Literal) else None
        if not isinstance(duration, Duration) or duration.business_days or duration.months:
            raise NotInSql
        if abs(duration.days) > 4_000_000:
            raise NotInSql
        sign = 1 if node.operator == "+" else -1
        if left.kind == "date" and not duration.seconds:
            return Sql(_in_years(f"({left.text} + ({sign * duration.days}))"), "date", certain=False)
        microseconds = sign * int(Decimal(duration.seconds) * 1_000_000)
        if left.kind == "date_time" and not duration.days and abs(microseconds) < 10**18:
            return Sql(_in_years(f"({left.text} + to_microseconds({microseconds}))"), "date_time", certain=False)
        raise NotInSql

    # comparisons

    def alike(self, left: Sql, right: Sql) -> str:
        """The kind in which two fragments are compared."""
        if left.kind == "missing" or right.kind == "missing":
            return right.kind if left.kind == "missing" else left.kind
        if left.kind != right.kind:
            raise NotInSql
        return left.kind

    def compare(self, node: Compare) -> Sql:
        left, right = self.compile(node.left), self.compile(node.right)
        kind = self.alike(left, right)
        if node.tolerance is not None:
            return self.within(node, left, right)
        if kind == "missing":
            return Sql("CAST(NULL AS BOOLEAN)", "yes_no")
        if kind == "yes_no" and node.operator not in ("=", "!="):
            raise NotInSql
        return Sql(f"({left.text} {node.operator} {right.text})", "yes_no", left.certain and right.certain)

    def within(self, node: Compare, left: Sql, right: Sql) -> Sql:
        assert node.tolerance is not None
        if "missing" in (left.kind, right.kind):
            raise NotInSql
        negated = "NOT " if node.operator == "!=" else ""
        if left.kind == "date":
            days = node.tolerance.value if isinstance(node.tolerance, Literal) else None
            if not isinstance(days, Duration) or days != Duration(days=days.days) or days.days < 0:
                raise NotInSql
            return Sql(f"({negated}(abs({left.text} - {right.text}) <= {days.days}))", "yes_no", certain=False)
        tolerance = self.numeric(node.tolerance)
        if left.kind not in ("number", "percent") or (left.kind == "percent" and tolerance.kind == "number"):
            raise NotInSql
        limit = tolerance.text
        if tolerance.kind == "percent" and left.kind == "number":
            limit = self.share(node.tolerance, node.right) or f"({limit} * abs({right.text}))"
        return Sql(f"({negated}(abs({left.text} - {right.text}) <= {limit}))", "yes_no", certain=False)

    def share(self, percent: Node, whole: Node) -> str | None:
        """A constant percent of a constant, worked out here; None where one isn't constant."""
        if not isinstance(percent, Literal) or not isinstance(whole, Literal):
            return None
        if not isinstance(percent.value, Decimal) or not isinstance(whole.value, Decimal):
            raise NotInSql
        return self.constant(EXACT.multiply(percent.value, whole.value.copy_abs())).text

    def between(self, node: Between) -> Sql:
        value, low, high = (self.compile(each) for each in (node.operand, node.low, node.high))
        kinds = {self.alike(value, low), self.alike(value, high)}
        if len(kinds) > 1 or kinds & {"missing", "yes_no"}:
            raise NotInSql
        text = f"({value.text} >= {low.text} AND {value.text} <= {high.text})"
        certain = value.certain and low.certain and high.certain
        doubtful = [limit.text for limit in (low, high) if not limit.certain]
        if doubtful:  # a limit that may have failed isn't hidden by the other, which says no
            text = f"(CASE WHEN {' OR '.join(f'{limit} IS NULL' for limit in doubtful)} THEN NULL ELSE {text} END)"
        return Sql(f"(NOT {text})" if node.negated else text, "yes_no", certain)

    def one_of(self, node: OneOf) -> Sql:
        value = self.compile(node.operand)
        choices = list(self.choices(node.choices))
        if not choices or any(self.alike(value, choice) != value.kind for choice in choices):
            raise NotInSql
        text = f"({value.text} IN ({', '.join(choice.text for choice in choices)}))"
        return Sql(f"(NOT {text})" if node.negated else text, "yes_no", value.certain)

    def choices(self, nodes: Iterable[Node]) -> Iterable[Sql]:
        """The constants among which a value may be."""
        for node in nodes:
            if not isinstance(node, Literal):
                raise NotInSql
            values = node.value if isinstance(node.value, (list, tuple)) else (node.value,)
            yield from (self.constant(value) for value in values)

    def test(self, node: Test) -> Sql:
        value = self.compile(node.operand)
        is_text = value.kind == "text" and node.test == "empty"
        if not value.certain or not (node.test in ("present", "missing") or is_text):
            raise NotInSql
        if isinstance(node.operand, Call | Literal) and value.kind == "text":
            raise NotInSql
        present = (node.test == "present") is not node.negated
        return Sql(f"({value.text} IS {'NOT ' if present else ''}NULL)", "yes_no")

    def search(self, node: Search) -> Sql:
        value, sought = self.compile(node.operand), self.compile(node.sought)
        if value.kind != "text" or sought.kind != "text":
            raise NotInSql
        function = {"contains": "contains", "starts with": "starts_with", "ends with": "suffix"}[node.test]
        text = f"{function}({value.text}, {sought.text})"
        return Sql(f"(NOT {text})" if node.negated else text, "yes_no", value.certain and sought.certain)

    def matches(self, node: Matches) -> Sql:
        like = self.scope.patterns.get(node.pattern)
        value = self.compile(node.operand)
        if like is None or value.kind != "text":
            raise NotInSql
        text = f"regexp_full_match({value.text}, {self.parameter(sql_mask(like))})"
        return Sql(f"(NOT {text})" if node.negated else text, "yes_no", value.certain)

    # keys that are looked up

    def exists(self, node: Exists) -> Sql:
        if not isinstance(node.operand, Name) or not isinstance(node.cells, Literal):
            raise NotInSql
        value, cells = self.column(node.operand.name), node.cells.value
        if not isinstance(cells, CellSet) or any(self.constant(cell).kind != value.kind for cell in _one(cells)):
            raise NotInSql
        among = self.among((node.operand.name,), {(cell,) for cell in cells})
        text = f"CASE WHEN {value.text} IS NULL THEN NULL ELSE {among} END"
        return Sql(f"(NOT {text})" if node.negated else f"({text})", "yes_no")

    def unique(self, node: Unique) -> Sql:
        names = tuple(column.name for column in node.columns)
        if names not in self.repeated:
            raise NotInSql
        places = [self.column(name).text for name in names]
        missing = " OR ".join(f"{place} IS NULL" for place in places)
        among = self.among(names, self.repeated[names]) if self.repeated[names] else "FALSE"
        text = f"CASE WHEN {missing} THEN NULL ELSE NOT {among} END"
        return Sql(f"(NOT {text})" if node.negated else f"({text})", "yes_no")

    def among(self, names: tuple[str, ...], keys: set[tuple[Value, ...]]) -> str:
        """SQL that is true where the row's values of these columns are one of the keys."""
        name = f"k{len(self.look_ups)}"
        self.look_ups.append(LookUp(name, tuple(keys), tuple(self.columns[each] for each in names)))
        on = " AND ".join(f"t.{self.places[each]} = {name}.v{number}" for number, each in enumerate(names))
        self.joins.append(f"LEFT JOIN {name} ON {on}")
        return f"({name}.v0 IS NOT NULL)"

    # functions

    def call(self, node: Call) -> Sql:
        special = _FUNCTIONS.get(node.function)
        if special is not None:
            return special(self, node)
        function = FUNCTIONS.get(node.function)
        if function is None or function.sql is None or len(node.arguments) != 1:
            raise NotInSql
        argument = self.compile(node.arguments[0])
        wanted = ("number", "percent") if function.parameters[0] == "numeric" else ("text",)
        if argument.kind not in wanted:
            raise NotInSql
        certain = argument.certain and "CASE" not in function.sql
        return Sql(function.sql.format(argument.text), argument.kind, certain)

    def whole_number(self, node: Node, least: int, most: int) -> int:
        """The whole number that a constant argument is."""
        value = node.value if isinstance(node, Literal) else None
        if not isinstance(value, Decimal) or value != value.to_integral_value() or not least <= value <= most:
            raise NotInSql
        return int(value)

    def round(self, node: Call) -> Sql:
        number = self.numeric(node.arguments[0])
        digits = self.whole_number(node.arguments[1], 0, 8) if len(node.arguments) > 1 else 0
        digits += 2 if number.kind == "percent" else 0
        return Sql(f"CAST(round({number.text}, {digits}) AS {NUMBER})", number.kind, certain=False)

    def part_of_text(self, node: Call) -> Sql:
        text = self.compile(node.arguments[0])
        count = self.whole_number(node.arguments[1], 1, 10_000)
        if text.kind != "text":
            raise NotInSql
        return Sql(f"NULLIF({node.function}({text.text}, {count}), '')", "text", text.certain)

    def length(self, node: Call) -> Sql:
        text = self.compile(node.arguments[0])
        if text.kind != "text":
            raise NotInSql
        return Sql(f"CAST(length({text.text}) AS {NUMBER})", "number", text.certain)

    def date_part(self, node: Call) -> Sql:
        day = self.a_date(node.arguments[0])
        part = {"weekday": "isodow"}.get(node.function, node.function)
        return Sql(f"CAST({part}({day.text}) AS {NUMBER})", "number", day.certain)

    def edge_of_month(self, node: Call) -> Sql:
        day = self.a_date(node.arguments[0])
        if node.function == "end_of_month":
            return Sql(f"last_day({day.text})", "date", day.certain)
        return Sql(f"CAST(date_trunc('month', {day.text}) AS DATE)", "date", day.certain)

    def later_month(self, node: Call) -> Sql:
        day = self.a_date(node.arguments[0])
        months = self.whole_number(node.arguments[1], -12_000, 12_000)
        return Sql(_in_years(f"CAST({day.text} + to_months({months}) AS DATE)"), "date", certain=False)

    def days_between(self, node: Call) -> Sql:
        start, end = (self.a_date(argument) for argument in node.arguments)
        return Sql(f"CAST(({end.text} - {start.text}) AS {NUMBER})", "number", start.certain and end.certain)

    def a_date(self, node: Node) -> Sql:
        """The fragment of a node that must be a date."""
        found = self.compile(node)
        if found.kind != "date":
            raise NotInSql
        return found

    def extreme(self, node: Call) -> Sql:
        if len(node.arguments) < 2:
            raise NotInSql
        values = self.one_kind(node.arguments)
        if values[0].kind == "yes_no":
            raise NotInSql
        missing = " OR ".join(f"{value.text} IS NULL" for value in values)
        function = "greatest" if node.function == "max" else "least"
        text = f"CASE WHEN {missing} THEN NULL ELSE {function}({', '.join(value.text for value in values)}) END"
        return Sql(f"({text})", values[0].kind, all(value.certain for value in values))

    def coalesce(self, node: Call) -> Sql:
        values = self.one_kind(node.arguments)
        if not all(value.certain for value in values):
            raise NotInSql
        return Sql(f"coalesce({', '.join(value.text for value in values)})", values[0].kind)

    def if_else(self, node: Call) -> Sql:
        condition = self.condition(node.arguments[0])
        values = self.one_kind(node.arguments[1:])
        yes, no = values
        text = f"(CASE WHEN {condition.text} THEN {yes.text} WHEN NOT {condition.text} THEN {no.text} END)"
        return Sql(text, yes.kind, condition.certain and yes.certain and no.certain)

    def one_kind(self, nodes: Iterable[Node]) -> list[Sql]:
        """The fragments of nodes that must be of one kind."""
        values = [self.compile(node) for node in nodes]
        if len({value.kind for value in values}) != 1 or values[0].kind == "missing":
            raise NotInSql
        return values


def _one(cells: CellSet) -> Iterable[Value]:
    return next(([cell] for cell in cells), [])


def _in_years(text: str) -> str:
    """The date where it is in the years that a date can have, else NULL."""
    return f"(CASE WHEN {text} BETWEEN '0001-01-01' AND '9999-12-31' THEN {text} END)"


def _unscaled(node: Node, digits: int) -> str | None:
    """A constant times 10 to the power of digits, as a whole number; None where the node is no constant."""
    if not isinstance(node, Literal):
        return None
    value = node.value
    if not isinstance(value, Decimal) or not value or not abs(value) < 10**17:
        raise NotInSql
    return f"{int(value.scaleb(digits, EXACT))}::HUGEINT"


_TEN_BILLION: Final = "10000000000::DECIMAL(11,0)"
_CONDITIONS: Final = (Compare, Test, OneOf, Between, Search, Matches, Exists, Unique)
_FUNCTIONS: Final[Mapping[str, Callable[[Compiler, Call], Sql]]] = {
    "round": Compiler.round,
    "left": Compiler.part_of_text,
    "right": Compiler.part_of_text,
    "length": Compiler.length,
    "year": Compiler.date_part,
    "month": Compiler.date_part,
    "day": Compiler.date_part,
    "weekday": Compiler.date_part,
    "start_of_month": Compiler.edge_of_month,
    "end_of_month": Compiler.edge_of_month,
    "add_months": Compiler.later_month,
    "days_between": Compiler.days_between,
    "min": Compiler.extreme,
    "max": Compiler.extreme,
    "coalesce": Compiler.coalesce,
    "if_else": Compiler.if_else,
}


def _never(compiler: Compiler, node: Any) -> Sql:
    raise NotInSql


_COMPILE: Final[Mapping[type, Callable[[Compiler, Any], Sql]]] = {
    Literal: Compiler.literal,
    Name: Compiler.name,
    Attribute: Compiler.attribute,
    Call: Compiler.call,
    Unary: Compiler.unary,
    Binary: Compiler.binary,
    Logic: Compiler.logic,
    Compare: Compiler.compare,
    Test: Compiler.test,
    OneOf: Compiler.one_of,
    Between: Compiler.between,
    Search: Compiler.search,
    Matches: Compiler.matches,
    Exists: Compiler.exists,
    Unique: Compiler.unique,
}
