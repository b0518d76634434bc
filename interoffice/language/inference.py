"""The static type of an expression, and every mistake in it that can be seen without data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple
from typing import Literal as Word

from interoffice.language.errors import ExpressionError
from interoffice.language.functions import FUNCTIONS, Function, signature
from interoffice.language.names import is_constant_condition, path_of
from interoffice.language.nodes import (
    TIME_WORDS,
    Aggregate,
    Attribute,
    Between,
    Binary,
    Call,
    Compare,
    Exists,
    Literal,
    Logic,
    Matches,
    Measure,
    Name,
    Node,
    OneOf,
    Search,
    Test,
    Unary,
    Unique,
    Where,
)
from interoffice.language.patterns import ALWAYS
from interoffice.language.scopes import NameProblem, TypeScope, rows_scope
from interoffice.language.suggest import closest
from interoffice.language.type_rules import (
    PARAMETER_WORDS,
    PARAMETERS,
    TOLERANCE_OF,
    TOLERANCE_WORDS,
    TOLERANCES,
    arithmetic_type,
    group_of,
    item_of,
    part_type,
    untyped_result,
)
from interoffice.language.wording import show
from interoffice.model.types import (
    ANY,
    NUMBER,
    TEXT,
    YES_NO,
    Type,
    common_type,
    named_type,
    table_of,
    union_columns,
)

Bare = Word["columns", "names", "none"]


class Inferred(NamedTuple):
    """The type (`any` where it can't be said) and the mistakes."""

    type: Type
    problems: tuple[ExpressionError, ...]


def infer(node: Node, scope: TypeScope, *, bare: Bare = "none") -> Inferred:
    """The type of an expression and all its mistakes, one message each: what follows from one stays silent.

    `bare`: what a single word stands for: a column of the row, a name (an output, an element), or nothing.
    """
    typist = _Typist(scope, bare)
    return Inferred(typist.type_of(node), tuple(typist.problems))


def infer_condition(node: Node, scope: TypeScope, *, bare: Bare = "none") -> tuple[ExpressionError, ...]:
    """All mistakes of a condition or rule: those of `infer`, no condition at all (E04), always the same (E05)."""
    found = infer(node, scope, bare=bare)
    if found.problems:
        return found.problems
    if is_constant_condition(node):
        message = "this condition is the same for every row: it compares only what is written in it"
        return (ExpressionError("E05", message, node.start, node.end - node.start),)
    if found.type.kind not in ("yes_no", "any"):
        message = f"a condition is true or false, and this is {found.type}"
        return (ExpressionError("E04", message, node.start, node.end - node.start),)
    return ()


class _Typist:
    """Walks one tree with one scope and gathers the problems."""

    def __init__(self, scope: TypeScope, bare: Bare, problems: list[ExpressionError] | None = None) -> None:
        self.scope = scope
        self.bare = bare
        self.problems: list[ExpressionError] = [] if problems is None else problems

    def type_of(self, node: Node) -> Type:
        """The type of a node."""
        return _TYPE_OF[type(node)](self, node)

    def wrong(self, node: Node, message: str, *, code: str = "E04", suggestion: str | None = None) -> Type:
        """Notes a mistake; gives `any`, so that nothing more is said about it."""
        self.problems.append(ExpressionError(code, message, node.start, node.end - node.start, suggestion))
        return ANY

    # names

    def literal(self, node: Literal) -> Type:
        return TEXT if node.kind == "word" else named_type(node.kind)

    def name(self, node: Name) -> Type:
        found = self.known_name(node)
        return found if found is not None else self.unknown(node, (node.name,), None, node.start)

    def known_name(self, node: Name) -> Type | None:
        """The type of a single word, None when it means nothing."""
        if node.name in TIME_WORDS:
            return named_type(TIME_WORDS[node.name])
        if self.bare != "none":
            column = self.scope.column(node.name)
            if column is not None:
                return column
        return self.first_name(node)

    def first_name(self, node: Name) -> Type | None:
        found = self.scope.lookup((node.name,))
        if isinstance(found, NameProblem):
            self.problems.append(_name_error(found, node.start, node.end))
            return ANY
        return found

    def unknown(self, node: Node, path: tuple[str, ...], owner: Type | None, start: int) -> Type:
        problem = self.scope.unknown(path, owner)
        self.problems.append(_name_error(problem, start, start + len(path[-1])))
        return ANY

    def attribute(self, node: Attribute) -> Type:
        path = path_of(node.owner)
        owner_node = node.owner
        if isinstance(owner_node, Name):
            owner = self.first_name(owner_node)
            if owner is None and self.bare != "none":
                owner = self.scope.column(owner_node.name)
            if owner is None:
                return self.unknown(owner_node, (owner_node.name,), None, owner_node.start)
        else:
            owner = self.type_of(owner_node)
        found = part_type(owner, node.name)
        if found is not None:
            return found
        return self.unknown(node, (*(path or ("this",)), node.name), owner, node.name_start)

    # logic

    def condition(self, node: Node) -> None:
        """Checks that a node is true or false."""
        found = self.type_of(node)
        if found.kind not in ("yes_no", "any", "missing"):
            self.wrong(node, f"{show(node)} is {found}, not true or false")

    def unary(self, node: Unary) -> Type:
        if node.operator == "not":
            self.condition(node.operand)
            return YES_NO
        found = self.type_of(node.operand)
        if found.kind in ("number", "money", "percent", "duration", "any"):
            return found
        return self.wrong(node.operand, f"{show(node.operand)} is {found} and has no negative")

    def logic(self, node: Logic) -> Type:
        self.condition(node.left)
        self.condition(node.right)
        return YES_NO

    # arithmetic

    def binary(self, node: Binary) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        if "any" in (left.kind, right.kind) or "missing" in (left.kind, right.kind):
            return untyped_result(node.operator, left, right)
        found = arithmetic_type(node, left, right)
        return found if found is not None else self.no_arithmetic(node, left, right)

    def no_arithmetic(self, node: Binary, left: Type, right: Type) -> Type:
        if node.operator == "+" and left.kind == right.kind == "table":
            _, differing = union_columns(left.columns or {}, right.columns or {})
            name, (one, other) = next(iter(differing.items()))
            return self.wrong(node, f'column "{name}" is {one} in one table and {other} in the other')
        if node.operator == "+" and (left.is_text or right.is_text):
            return self.wrong(node, "texts are not joined by +; write them side by side: ${{ a }} ${{ b }}")
        return self.wrong(node, f"{left} {node.operator} {right} has no meaning")

    # comparisons

    def compare(self, node: Compare) -> Type:
        left, right = self.sides(node.left, node.right)
        self.comparable(node.left, left, node.right, right, ordered=node.operator not in ("=", "!="))
        if node.tolerance is not None:
            self.tolerance(node, node.tolerance, left, right)
        return YES_NO

    def sides(self, left_node: Node, right_node: Node) -> tuple[Type, Type]:
        """The types of both sides; an unknown word beside a text is a text without quotes (E07)."""
        for one, other in ((left_node, right_node), (right_node, left_node)):
            if isinstance(one, Name) and self.known_name(one) is None:
                both_unknown = isinstance(other, Name) and self.known_name(other) is None
                self.unknown_beside(one, ANY if both_unknown else self.type_of(other))
                return ANY, ANY
        return self.type_of(left_node), self.type_of(right_node)

    def unknown_beside(self, word: Name, other: Type) -> None:
        if other.kind == "yes_no" and word.name in ("yes", "no"):
            meant = "true" if word.name == "yes" else "false"
            self.wrong(word, f"{word.name} is written {meant} in an expression", code="E07", suggestion=meant)
            return
        problem = self.scope.unknown((word.name,), None)
        is_text = other.is_text and (word.name in other.choices or problem.suggestion is None)
        if is_text:
            message = f"{word.name} is not known here; a text goes in quotes: '{word.name}'"
            self.wrong(word, message, code="E07", suggestion=f"'{word.name}'")
        else:
            self.problems.append(_name_error(problem, word.start, word.end))

    def comparable(self, left_node: Node, left: Type, right_node: Node, right: Type, *, ordered: bool) -> None:
        """Notes why two values can't be compared."""
        kinds = {group_of(left), group_of(right)}
        if "any" in kinds or "missing" in kinds:
            return
        if kinds == {"number", "percent"}:
            self.percent_with_number(left_node if left.kind == "percent" else right_node, left_node, right_node)
        elif kinds == {"date", "date_time"}:
            moment = left_node if left.kind == "date_time" else right_node
            message = f"{show(left_node)} is {left} and {show(right_node)} is {right}; compare date({_name(moment)})"
            self.wrong(moment, message, suggestion=f"date({_name(moment)})")
        elif len(kinds) == 2 or kinds & {"table", "record", "list", "file", "credential"}:
            message = f"{show(left_node)} is {left} and {show(right_node)} is {right}: they can't be compared"
            self.wrong(right_node if isinstance(right_node, Literal) else left_node, message)
        elif ordered and kinds == {"yes_no"}:
            self.wrong(left_node, "yes and no have no order; compare with =")
        else:
            self.known_choice(left, right_node)
            self.known_choice(right, left_node)

    def percent_with_number(self, percent: Node, left: Node, right: Node) -> None:
        number = right if percent is left else left
        meant = None
        if isinstance(number, Literal) and isinstance(number.value, Decimal):
            value = number.value if abs(number.value) >= 1 or not number.value else number.value * 100
            meant = f"{show(number._replace(value=Decimal(value)))}%"
        message = f"{show(percent)} is a percent and {show(number)} a plain number: 15% is not 15"
        self.wrong(number, message, suggestion=meant)

    def known_choice(self, choice: Type, node: Node) -> None:
        """Notes a text that isn't one of the choices."""
        if not choice.choices or not isinstance(node, Literal) or node.kind not in ("text", "word"):
            return
        text = str(node.value)
        if text and text not in choice.choices:
            meant = closest(text, choice.choices)
            message = f"'{text}' is none of the choices {', '.join(choice.choices)}"
            quoted = None if meant is None else (meant if node.kind == "word" else f"'{meant}'")
            self.wrong(node, message, suggestion=quoted)

    def tolerance(self, node: Compare, tolerance_node: Node, left: Type, right: Type) -> None:
        tolerance = self.type_of(tolerance_node)
        if node.operator not in ("=", "!="):
            self.wrong(tolerance_node, "within goes with = only", code="C06")
            return
        kind = group_of(left) if group_of(left) != "any" else group_of(right)
        allowed = TOLERANCES.get(kind, ())
        if "any" in (kind, tolerance.kind) or group_of(tolerance) in allowed:
            return
        wanted = " or ".join(TOLERANCE_WORDS[each] for each in allowed)
        message = f"{TOLERANCE_OF.get(kind, 'these values')} are compared within {wanted}, not {tolerance}"
        if not allowed:
            message = f"{left} is equal or not: it can't be compared within {tolerance}"
        self.wrong(tolerance_node, message, code="C06")

    def between(self, node: Between) -> Type:
        value = self.type_of(node.operand)
        for limit in (node.low, node.high):
            self.comparable(node.operand, value, limit, self.type_of(limit), ordered=True)
        return YES_NO

    def one_of(self, node: OneOf) -> Type:
        value = self.type_of(node.operand)
        for choice in node.choices:
            self.one_choice(node.operand, value, choice)
        return YES_NO

    def one_choice(self, operand: Node, value: Type, choice: Node) -> None:
        if isinstance(choice, Literal) and choice.kind == "word":
            word = str(choice.value)
            column = self.scope.column(word) if self.bare != "none" else None
            if column is not None and column.kind != "any":
                message = f"{word} is a column too: write '{word}' for the text, row.{word} for the column"
                self.wrong(choice, message, code="E07", suggestion=f"'{word}'")
                return
        found = self.type_of(choice)
        if found.kind == "list" and found.item is not None:
            found = found.item
        self.comparable(operand, value, choice, found, ordered=False)

    def test(self, node: Test) -> Type:
        if node.test in ("visible", "enabled", "covered") and not self.scope.is_screen:
            self.wrong(node, f"is {node.test} is asked about an element of a screen, in selectors/ only")
            return YES_NO
        found = self.type_of(node.operand)
        if node.test == "empty" and found.kind not in ("table", "list", "record", "text", "choice", "any", "missing"):
            self.wrong(node, f"{show(node.operand)} is {found}: it is missing or present, not empty")
        return YES_NO

    def search(self, node: Search) -> Type:
        value, sought = self.sides(node.operand, node.sought)
        if value.kind == "list" and node.test == "contains":
            self.comparable(node.operand, value.item or ANY, node.sought, sought, ordered=False)
            return YES_NO
        for each, found in ((node.operand, value), (node.sought, sought)):
            if not found.is_text and found.kind not in ("any", "missing"):
                self.wrong(each, f"{node.test} goes with texts, and {show(each)} is {found}")
        return YES_NO

    def matches(self, node: Matches) -> Type:
        value = self.type_of(node.operand)
        if not value.is_text and value.kind not in ("any", "missing"):
            self.wrong(node.operand, f"matches goes with texts, and {show(node.operand)} is {value}")
        known = {*ALWAYS, *self.scope.patterns}
        if node.pattern not in known:
            message = f'there is no pattern "{node.pattern}"'
            problem = NameProblem("R05", message, closest(node.pattern, sorted(known)))
            self.problems.append(_name_error(problem, node.pattern_start, node.end))
        return YES_NO

    def exists(self, node: Exists) -> Type:
        value, cells = self.type_of(node.operand), self.type_of(node.cells)
        if cells.kind == "list":
            self.comparable(node.operand, value, node.cells, cells.item or ANY, ordered=False)
        elif cells.kind != "any":
            self.wrong(node.cells, f"exists in needs a column (steps.x.rows.column), and {show(node.cells)} is {cells}")
        return YES_NO

    # rows

    def unique(self, node: Unique) -> Type:
        for column in node.columns:
            self.type_of(column)
        return YES_NO

    def measure(self, node: Measure) -> Type:
        found = self.scope.measures.get(node.name)
        if found is not None:
            return found
        if node.name == "row count" and self.bare == "columns":
            return NUMBER
        where = "in a check" if node.name == "row count" else "in the rules of a reconcile"
        return self.wrong(node, f"{node.name} is known {where} only", code="R05")

    def aggregate(self, node: Aggregate) -> Type:
        measured = self.scope.measures.get(f"{node.function} of {node.column.name}")
        if measured is not None:
            return measured
        if node.function == "difference":
            return self.wrong(node, "difference of is known in the rules of a reconcile only", code="R05")
        column = self.type_of(node.column)
        if node.function == "count":
            return NUMBER
        if node.function in ("sum", "average") and column.kind not in ("number", "money", "percent", "any"):
            return self.wrong(node.column, f"{show(node.column)} is {column} and has no {node.function}")
        if node.function in ("min", "max") and column.kind in ("yes_no", "table", "record", "list", "file"):
            return self.wrong(node.column, f"{show(node.column)} is {column} and has no {node.function}")
        return column

    def where(self, node: Where) -> Type:
        rows = self.type_of(node.rows)
        if rows.kind not in ("table", "any"):
            return self.wrong(node.rows, f"where goes with a table, and {show(node.rows)} is {rows}")
        columns = rows if rows.kind == "table" and rows.columns is not None else table_of({}, open=True)
        _Typist(rows_scope(self.scope, columns), "columns", self.problems).condition(node.condition)
        return rows

    # functions

    def call(self, node: Call) -> Type:
        function = FUNCTIONS.get(node.function)
        if function is None:
            for argument in node.arguments:
                self.type_of(argument)
            problem = NameProblem("E06", f"there is no function {node.function}", closest(node.function, FUNCTIONS))
            self.problems.append(_name_error(problem, node.start, node.name_end))
            return ANY
        count = len(node.arguments)
        if count < function.least or (function.most is not None and count > function.most):
            for argument in node.arguments:
                self.type_of(argument)
            return self.wrong(node, f"{function.name} is called {signature(function)}, not with {count} arguments")
        return self.result(node, function, [self.argument(node, function, number) for number in range(count)])

    def argument(self, node: Call, function: Function, number: int) -> Type:
        argument = node.arguments[number]
        found = self.type_of(argument)
        wanted = function.parameter(number)
        if found.kind not in PARAMETERS[wanted]:
            needed = PARAMETER_WORDS[wanted]
            return self.wrong(argument, f"{function.name} needs {needed} here, and {show(argument)} is {found}")
        if wanted == "numbers" and (found.item or ANY).kind not in ("number", "money", "percent", "any"):
            return self.wrong(argument, f"{function.name} needs numbers, and {show(argument)} is {found}")
        return found

    def result(self, node: Call, function: Function, arguments: list[Type]) -> Type:
        if function.result == "same":
            return arguments[0].item or ANY if arguments[0].kind == "list" else arguments[0]
        if function.result == "item":
            return item_of(arguments[0])
        if function.result == "common":
            return self.common(node, function, arguments)
        return named_type(function.result)

    def common(self, node: Call, function: Function, arguments: list[Type]) -> Type:
        """The type of one of several values."""
        if function.name in ("min", "max") and len(arguments) == 1:
            if arguments[0].kind not in ("list", "any"):
                return self.wrong(node, f"{function.name} takes several values, or a column: rows.column")
            return arguments[0].item or ANY
        pairs = list(zip(node.arguments, arguments, strict=True))[1 if function.name == "if_else" else 0 :]
        first_node, both = pairs[0]
        for each, found in pairs[1:]:
            together = common_type(both, found)
            if together is None:
                return self.wrong(each, f"{show(first_node)} is {both} and {show(each)} is {found}: they must be alike")
            both = together
        return both


def _name_error(problem: NameProblem, start: int, end: int) -> ExpressionError:
    return ExpressionError(problem.code, problem.message, start, end - start, problem.suggestion)


def _name(node: Node) -> str:
    return ".".join(path_of(node) or ("...",))


_TYPE_OF: Final[Mapping[type, Callable[[_Typist, Any], Type]]] = {
    Literal: _Typist.literal,
    Name: _Typist.name,
    Attribute: _Typist.attribute,
    Call: _Typist.call,
    Unary: _Typist.unary,
    Binary: _Typist.binary,
    Logic: _Typist.logic,
    Compare: _Typist.compare,
    Test: _Typist.test,
    OneOf: _Typist.one_of,
    Between: _Typist.between,
    Search: _Typist.search,
    Matches: _Typist.matches,
    Exists: _Typist.exists,
    Unique: _Typist.unique,
    Aggregate: _Typist.aggregate,
    Measure: _Typist.measure,
    Where: _Typist.where,
}
