"""Tokens -> tree, by precedence climbing; docs/reference/grammar.md is the same grammar for readers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from interoffice.language.errors import ExpressionError
from interoffice.language.lexer import Token, tokens
from interoffice.language.nodes import (
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
from interoffice.model.values import Duration, Percent

DEEPEST: Final = 60
"""Levels of nesting that an expression may have."""
MOST_CHOICES: Final = 1_000
MOST_OPERATORS: Final = 200
"""Operators of one chain (a + b + c ...), so that no walk over a tree is too deep."""

KEYWORDS: Final = frozenset(
    ("and", "or", "not", "implies", "where", "within", "is", "contains", "matches", "exists", "does", "of")
)
"""Words that can't be a bare name; behind a point any word can stand (`row.contains`)."""
AGGREGATES: Final = frozenset(("sum", "min", "max", "average", "count", "first", "difference"))
MEASURES: Final = frozenset((("row", "count"), ("match", "rate"), ("ambiguous", "count")))
TESTS: Final = frozenset(("present", "missing", "empty", "visible", "enabled", "covered"))
COMPARISONS: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
UNIT_WORDS: Final = frozenset(
    unit + plural
    for unit in ("second", "minute", "hour", "day", "week", "month", "year", "business day")
    for plural in ("", "s")
)


@lru_cache(maxsize=20_000)
def parse_expression(text: str) -> Node:
    """The tree of an expression (what stands between `${{` and `}}`, or a `key`). ExpressionError E01, E02, E07."""
    return parse_part(text, 0, len(text))


@lru_cache(maxsize=20_000)
def parse_rule(text: str) -> Node:
    """The tree of a rule or condition; also takes `a, b is unique`. ExpressionError E01, E02, E07."""
    _refuse_braces(text)
    parser = Parser(tokens(text))
    return parser.whole(parser.rule)


def parse_part(text: str, start: int, end: int) -> Node:
    """The tree of text[start:end], with offsets in the whole text."""
    parser = Parser(tokens(text, start, end))
    return parser.whole(parser.expression)


def _refuse_braces(text: str) -> None:
    stripped = text.strip()
    if stripped.startswith("${{") and stripped.endswith("}}") and stripped.count("${{") == 1:
        message = "a condition stands without ${{ }}"
        raise ExpressionError("E02", message, 0, len(text), stripped[3:-2].strip())


class _Place(NamedTuple):
    """How tightly an operator binds, and how it is read."""

    power: int
    read: Callable[[Parser, Node], Node]


class Parser:
    """Reads one expression. Weakest first: where, implies, or, and, not, comparisons, + -, * /, minus, point."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.position = 0
        self.depth = 0

    # reading tokens

    @property
    def token(self) -> Token:
        """The token that is next."""
        return self.tokens[self.position]

    def ahead(self, count: int) -> Token:
        """A token further on; the last one is `end`."""
        return self.tokens[min(self.position + count, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The next token, and goes on behind it."""
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def takes(self, kind: str, text: str) -> bool:
        """True, and behind it, when the next token is this one."""
        token = self.token
        if token.kind == kind and token.text == text:
            self.position += 1
            return True
        return False

    def takes_words(self, *words: str) -> bool:
        """True, and behind them, when these words come next."""
        if all(self.ahead(i).kind == "word" and self.ahead(i).text == word for i, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def expect(self, kind: str, text: str, why: str) -> Token:
        """The next token, which must be this one."""
        if self.token.kind != kind or self.token.text != text:
            raise self.unexpected(why)
        return self.take()

    def unexpected(self, wanted: str) -> ExpressionError:
        """The mistake that the next token is."""
        token = self.token
        if token.kind == "end":
            before = self.tokens[self.position - 1] if self.position else token
            message = f"the expression ends here, {wanted} is missing"
            return ExpressionError("E01", message, before.start, len(before.text))
        message = f'"{token.text}" can\'t stand here; {wanted} is expected'
        return ExpressionError("E01", message, token.start, len(token.text))

    def whole(self, read: Callable[[], Node]) -> Node:
        """What `read` gives, and nothing behind it."""
        if self.token.kind == "end":
            raise ExpressionError("E01", "the expression is empty", self.token.start, 1)
        node = read()
        if self.token.kind != "end":
            raise self._left_over(node)
        return node

    def _left_over(self, node: Node) -> ExpressionError:
        token = self.token
        if token.kind == "word" and isinstance(node, Compare) and isinstance(node.right, Name):
            return _unquoted(self.tokens, node.right.start, self.position)
        return self.unexpected("the end, or a word like and, or, where")

    # the grammar

    def rule(self) -> Node:
        """A rule: `a, b is unique`, or an expression."""
        if self.token.kind == "word" and self.ahead(1).text == "," and self.ahead(1).kind == "operator":
            return self._unique_list()
        return self.expression()

    def _unique_list(self) -> Node:
        columns = [self._column()]
        while self.takes("operator", ","):
            columns.append(self._column())
        self.expect("word", "is", "is unique")
        negated = self.takes("word", "not")
        last = self.expect("word", "unique", "unique")
        return Unique(columns[0].start, last.end, tuple(columns), negated)

    def _column(self) -> Name:
        token = self.token
        if token.kind != "word" or token.text in KEYWORDS:
            raise self.unexpected("the name of a column")
        self.take()
        return Name(token.start, token.end, token.text)

    def expression(self) -> Node:
        """Anything, with `where`."""
        node = self.climb(0)
        while self.takes("word", "where"):
            condition = self.climb(0)
            node = Where(node.start, condition.end, node, condition)
        return node

    def climb(self, power: int) -> Node:
        """An operand and all operators that bind at least as tightly as `power`."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError("E01", f"an expression is at most {DEEPEST} levels deep", self.token.start, 1)
        node = self._prefix()
        compared, operators = False, 0
        while True:
            place = _PLACES.get(self.token.text) if self.token.kind in ("word", "operator") else None
            if place is None or place.power < power:
                self.depth -= 1
                return node
            if place.power == _COMPARED and compared:
                raise self._second_comparison()
            compared = compared or place.power == _COMPARED
            operators += 1
            if operators > MOST_OPERATORS:
                message = f"at most {MOST_OPERATORS} operators in a row; put intermediate results into columns or set"
                raise ExpressionError("E01", message, self.token.start, len(self.token.text))
            node = place.read(self, node)

    def _second_comparison(self) -> ExpressionError:
        message = "one comparison at a time: join them by and, or write is between a and b"
        return ExpressionError("E01", message, self.token.start, len(self.token.text))

    def _prefix(self) -> Node:
        token = self.token
        if token.kind == "word" and token.text == "not":
            self.take()
            operand = self.climb(_NOT)
            return Unary(token.start, operand.end, "not", operand)
        if token.kind == "operator" and token.text == "-":
            return self._negative()
        return self._postfix(self._primary())

    def _negative(self) -> Node:
        sign = self.take()
        operand = self.climb(_MINUS)
        if isinstance(operand, Literal) and operand.kind in ("number", "percent"):
            value = operand.value
            negative = Percent(-value) if isinstance(value, Percent) else -value  # type: ignore[operator]
            return Literal(sign.start, operand.end, negative, operand.kind)
        return Unary(sign.start, operand.end, "-", operand)

    def _postfix(self, node: Node) -> Node:
        while self.takes("operator", "."):
            token = self.token
            if token.kind != "word":
                raise self.unexpected("a name behind the point")
            self.take()
            node = Attribute(node.start, token.end, node, token.text, token.start)
        return node

    def _primary(self) -> Node:
        token = self.token
        if token.kind == "word":
            return self._word()
        if token.kind == "number":
            return self._number()
        if token.kind in ("percent", "text", "date", "time"):
            self.take()
            return Literal(token.start, token.end, token.value, token.kind)
        if token.kind == "duration":
            self.take()
            return self._duration(token, token.end, *token.value)  # type: ignore[misc]
        if self.takes("operator", "("):
            node = self.expression()
            self.expect("operator", ")", "a closing bracket")
            return node
        raise self.unexpected("a value or a name")

    def _number(self) -> Node:
        token = self.take()
        unit, words = self.token.text, 1
        if unit == "business" and self.ahead(1).kind == "word":
            unit, words = f"business {self.ahead(1).text}", 2
        if self.token.kind == "word" and unit in UNIT_WORDS:
            last = self.ahead(words - 1)
            self.position += words
            return self._duration(token, last.end, token.value, unit)  # type: ignore[arg-type]
        return Literal(token.start, token.end, token.value, "number")

    def _duration(self, token: Token, end: int, amount: Decimal, unit: str) -> Node:
        duration = Duration.of(amount, unit)
        if duration is None:
            message = "days, weeks, months and years are whole numbers"
            raise ExpressionError("E01", message, token.start, end - token.start)
        return Literal(token.start, end, duration, "duration")

    def _word(self) -> Node:
        token, after = self.token, self.ahead(1)
        if token.text in ("true", "false") and after.text != ".":
            self.take()
            return Literal(token.start, token.end, token.text == "true", "yes_no")
        if after.kind == "operator" and after.text == "(":
            return self._call()
        if after.kind == "word" and after.text == "of" and token.text in AGGREGATES:
            self.position += 2
            column = self._column()
            return Aggregate(token.start, column.end, token.text, column)
        if after.kind == "word" and (token.text, after.text) in MEASURES:
            self.position += 2
            return Measure(token.start, after.end, f"{token.text} {after.text}")
        if token.text in KEYWORDS:
            raise self.unexpected("a value or a name")
        self.take()
        return Name(token.start, token.end, token.text)

    def _call(self) -> Node:
        name = self.take()
        self.take()
        arguments: list[Node] = []
        if not (self.token.kind == "operator" and self.token.text == ")"):
            arguments.append(self.expression())
            while self.takes("operator", ","):
                arguments.append(self.expression())
        end = self.expect("operator", ")", "a comma or a closing bracket").end
        return Call(name.start, end, name.text, tuple(arguments), name.end)

    # operators; each is read when its left side is known

    def _logic(self, left: Node) -> Node:
        operator = self.take().text
        power = _PLACES[operator].power
        right = self.climb(power if operator == "implies" else power + 1)
        return Logic(left.start, right.end, operator, left, right)

    def _binary(self, left: Node) -> Node:
        operator = self.take().text
        right = self.climb(_PLACES[operator].power + 1)
        return Binary(left.start, right.end, operator, left, right)

    def _compare(self, left: Node) -> Node:
        operator = self.take().text
        right = self.climb(_COMPARED + 1)
        tolerance = self.climb(_COMPARED + 1) if self.takes("word", "within") else None
        end = right.end if tolerance is None else tolerance.end
        return Compare(left.start, end, operator, left, right, tolerance)

    def _is(self, left: Node) -> Node:
        self.take()
        negated = self.takes("word", "not")
        token = self.token
        if token.kind == "word" and token.text in TESTS:
            self.take()
            return Test(left.start, token.end, left, token.text, negated)
        if token.kind == "word" and token.text == "unique":
            return self._is_unique(left, negated)
        if self.takes_words("one", "of"):
            return self._one_of(left, negated)
        if self.takes("word", "between"):
            low = self.climb(_COMPARED + 1)
            self.expect("word", "and", "and with the upper limit")
            high = self.climb(_COMPARED + 1)
            return Between(left.start, high.end, left, low, high, negated)
        raise self._after_is(left, negated)

    def _after_is(self, left: Node, negated: bool) -> ExpressionError:
        token = self.token
        known = "present, missing, empty, unique, one of or between"
        if token.kind == "end" or token.text in KEYWORDS:
            return self.unexpected(known)
        from interoffice.language.suggest import closest

        meant = closest(token.text, (*TESTS, "unique", "one of", "between"))
        message = f'after "is" comes {known}, not "{token.text}"'
        if meant is None and token.kind in ("number", "text", "percent", "date", "word"):
            message += "; equality is written ="
        return ExpressionError("E01", message, token.start, len(token.text), meant)

    def _is_unique(self, left: Node, negated: bool) -> Node:
        last = self.take()
        if not isinstance(left, Name):
            message = "is unique goes with columns: a, b is unique"
            raise ExpressionError("E01", message, left.start, left.end - left.start)
        return Unique(left.start, last.end, (left,), negated)

    def _one_of(self, left: Node, negated: bool) -> Node:
        choices = [self._choice()]
        while self.takes("operator", ","):
            choices.append(self._choice())
        if len(choices) > MOST_CHOICES:
            raise ExpressionError("E01", f"at most {MOST_CHOICES} choices", left.start, choices[-1].end - left.start)
        return OneOf(left.start, choices[-1].end, left, tuple(choices), negated)

    def _choice(self) -> Node:
        token, after = self.token, self.ahead(1)
        if token.kind != "word" or after.text in (".", "(") or token.text in ("true", "false"):
            return self.climb(_COMPARED + 1)
        if token.text in KEYWORDS:
            raise self.unexpected("a choice")
        if after.kind == "word" and after.text not in KEYWORDS:
            raise _unquoted(self.tokens, token.start, self.position + 1)
        self.take()
        return Literal(token.start, token.end, token.text, "word")

    def _search(self, left: Node) -> Node:
        return self._searched(left, negated=False)

    def _searched(self, left: Node, *, negated: bool) -> Node:
        word = self.take()
        test = {"start": "starts", "end": "ends", "contain": "contains"}.get(word.text, word.text)
        if test in ("starts", "ends"):
            self.expect("word", "with", "with")
            test = f"{test} with"
        sought = self.climb(_COMPARED + 1)
        return Search(left.start, sought.end, left, test, sought, negated)

    def _matches(self, left: Node) -> Node:
        return self._matched(left, negated=False)

    def _matched(self, left: Node, *, negated: bool) -> Node:
        self.take()
        token = self.token
        if token.kind != "word":
            raise self.unexpected("the name of a pattern")
        self.take()
        return Matches(left.start, token.end, left, token.text, token.start, negated)

    def _exists(self, left: Node) -> Node:
        return self._existing(left, negated=False)

    def _existing(self, left: Node, *, negated: bool) -> Node:
        self.take()
        self.expect("word", "in", "in")
        cells = self.climb(_COMPARED + 1)
        return Exists(left.start, cells.end, left, cells, negated)

    def _does(self, left: Node) -> Node:
        self.take()
        self.expect("word", "not", "not")
        word = self.token.text
        if word == "exist":
            return self._existing(left, negated=True)
        if word in ("contain", "start", "end"):
            return self._searched(left, negated=True)
        if word == "match":
            return self._matched(left, negated=True)
        raise self.unexpected("exist in, contain, start with, end with or match")

    def _early_within(self, left: Node) -> Node:
        message = "within belongs behind a comparison: a = b within 2%"
        raise ExpressionError("E01", message, self.token.start, len(self.token.text))


def _unquoted(found: list[Token], start: int, position: int) -> ExpressionError:
    """A text of several words without quotes: from the token that begins at `start` over all words that follow."""
    position = position if found[position].kind == "word" else position - 1
    end = found[position].end
    words = [token.text for token in found if start <= token.start and token.end <= end and token.text]
    while found[position + 1].kind == "word" and found[position + 1].text not in KEYWORDS:
        position += 1
        words.append(found[position].text)
        end = found[position].end
    text = " ".join(words)
    return ExpressionError("E07", f"a text of several words goes in quotes: '{text}'", start, end - start, f"'{text}'")


_IMPLIES, _OR, _AND, _NOT, _COMPARED, _SUM, _PRODUCT, _MINUS = range(1, 9)
_PLACES: Final[dict[str, _Place]] = {
    "implies": _Place(_IMPLIES, Parser._logic),
    "or": _Place(_OR, Parser._logic),
    "and": _Place(_AND, Parser._logic),
    "is": _Place(_COMPARED, Parser._is),
    "contains": _Place(_COMPARED, Parser._search),
    "starts": _Place(_COMPARED, Parser._search),
    "ends": _Place(_COMPARED, Parser._search),
    "matches": _Place(_COMPARED, Parser._matches),
    "exists": _Place(_COMPARED, Parser._exists),
    "does": _Place(_COMPARED, Parser._does),
    "within": _Place(_COMPARED, Parser._early_within),
    "+": _Place(_SUM, Parser._binary),
    "-": _Place(_SUM, Parser._binary),
    "*": _Place(_PRODUCT, Parser._binary),
    "/": _Place(_PRODUCT, Parser._binary),
} | {operator: _Place(_COMPARED, Parser._compare) for operator in COMPARISONS}
