"""Which rows of a table fail which rules, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from typing import NamedTuple

from interoffice.frozen import dataclass
from interoffice.language.each_row import tried
from interoffice.language.errors import RowError
from interoffice.language.evaluator import ValueScope
from interoffice.language.fold import folded
from interoffice.language.functions import AggregateOf
from interoffice.language.nodes import Aggregate, Measure, Node, Unique
from interoffice.language.reasons import reason_of
from interoffice.language.routes import Failure, Findings
from interoffice.language.rule import Route, Rule
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import Formats, Value

Key = tuple[Value, ...]


class _Numbered(NamedTuple):
    """A rule with its number in the check, its conditions worked out as far as they are the same for every row."""

    number: int
    rule: Rule
    node: Node
    when: Node | None


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one table."""

    table: Table
    rules: tuple[Rule, ...]
    otherwise: Route
    scope: ValueScope
    formats: Formats
    masked: Collection[str]
    few_rows: int
    _cells: dict[str, list[Value]] = field(default_factory=dict)

    def findings(self) -> Findings:
        """The failures of each row that has some, in the order of the rules."""
        found: dict[int, list[Failure]] = {}
        notes: list[tuple[str, str]] = []
        for number, failure in (*self._of_rows(), *self._of_groups(notes)):
            found.setdefault(number, []).append(failure)
        counts = [0] * len(self.rules)
        for failures in found.values():
            failures.sort(key=lambda failure: failure.rule)
            for rule in {failure.rule for failure in failures}:
                counts[rule] += 1
        return Findings(found, tuple(counts), tuple(notes))

    def cells(self, name: str) -> list[Value]:
        """The cells of a column, read once."""
        if name not in self._cells:
            self._cells[name] = self.table.column(name)
        return self._cells[name]

    # rules about one row; with `per`, a failing row fails its group

    def _of_rows(self) -> Iterator[tuple[int, Failure]]:
        chosen = [(n, rule) for n, rule in enumerate(self.rules) if not rule.is_about_table and not _is_of_group(rule)]
        if not chosen:
            return
        repeated = self._repeated(rule for _, rule in chosen)
        everywhere = range(len(self.table))
        scope = self._measured([rule for _, rule in chosen], everywhere)
        rules = [self._ready(number, rule, scope) for number, rule in chosen]
        of_groups: dict[int, list[tuple[int, Failure]]] = {}
        for number, row, passes in self._suspects(rules, scope, repeated):
            of_row = scope.of_row(row, _asked(repeated, row) if repeated else None)
            for rule, passed in zip(rules, passes, strict=True):
                reason = None if passed else self._reason(rule, of_row)
                if reason is None:
                    continue
                failure = Failure(rule.number, rule.rule.route or self.otherwise, reason)
                if rule.rule.per:
                    of_groups.setdefault(rule.number, []).append((number, failure))
                else:
                    yield number, failure
        for rule_number, failed in of_groups.items():
            yield from self._spread(self.rules[rule_number], failed)

    def _suspects(
        self, rules: list[_Numbered], scope: ValueScope, repeated: Mapping[tuple[str, ...], set[Key]]
    ) -> Iterable[tuple[int, Mapping[str, Value], Sequence[bool]]]:
        """The rows that may fail, with the rules that each surely passes: all of few, of many those DuckDB finds."""
        table = self._with_columns_of(rules)
        if len(table) <= self.few_rows:
            nothing_sure = (False,) * len(rules)
            return ((number, row, nothing_sure) for number, row in enumerate(table.rows()))
        from interoffice.language.duck import SqlError, all_suspect, suspect_rows

        conditions = [(rule.node, rule.when) for rule in rules]
        try:
            found = suspect_rows(self.table, conditions, scope, repeated)
        except SqlError:
            found = all_suspect(len(self.table), len(rules))
        rows = table.select([suspect.number for suspect in found]).rows()
        return ((suspect.number, row, suspect.passes) for suspect, row in zip(found, rows, strict=True))

    def _with_columns_of(self, rules: list[_Numbered]) -> Table:
        """The table with the columns that the rules and their messages use, so that no other cell is read."""
        used = {name for numbered in rules for name in numbered.rule.columns_said}
        if "row" in used:
            return self.table
        names = [name for name in self.table.columns if name in used]
        return (
            self.table
            if len(names) == len(self.table.columns)
            else self.table.keeping(names or list(self.table.columns)[:1])
        )

    def _spread(self, rule: Rule, failed: list[tuple[int, Failure]]) -> Iterator[tuple[int, Failure]]:
        """The failures of rows, given to every row of their groups."""
        groups = self._groups(rule.per)
        keys = {self._key(rule.per, number): failure for number, failure in reversed(failed)}
        own = dict(failed)
        for key, failure in keys.items():
            named = f"{self._group_name(rule.per, key)}: another row fails: {failure.reason}"
            for number in groups[key]:
                yield number, own.get(number) or failure._replace(reason=named, of_group=True)

    # rules about the table or a group

    def _of_groups(self, notes: list[tuple[str, str]]) -> Iterator[tuple[int, Failure]]:
        for number, rule in enumerate(self.rules):
            if rule.is_about_table:
                yield from self._about_table(number, rule, notes)
            elif _is_of_group(rule):
                yield from self._within_groups(number, rule)

    def _about_table(self, number: int, rule: Rule, notes: list[tuple[str, str]]) -> Iterator[tuple[int, Failure]]:
        route = rule.route or self.otherwise
        groups = self._groups(rule.per) if rule.per else {(): range(len(self.table))}
        for key, rows in groups.items():
            reason = self._reason_of_group(_Numbered(number, rule, rule.node, rule.when), rows)
            if reason is None:
                continue
            if rule.per and rule.message is None:
                reason = f"{self._group_name(rule.per, key)}: {reason}"
            if not rows:
                notes.append((route, reason))
            yield from ((row, Failure(number, route, reason, of_group=True)) for row in rows)

    def _reason_of_group(self, numbered: _Numbered, rows: Sequence[int]) -> str | None:
        """Why a group fails; `when` and the message see its first row, which is fetched only when it is needed."""
        scope = self._measured([numbered.rule], rows).of_row({})
        if numbered.when is None and tried(numbered.node, scope) is True:
            return None
        return self._reason(numbered, scope.of_row(self._row(rows)))

    def _within_groups(self, number: int, rule: Rule) -> Iterator[tuple[int, Failure]]:
        """A rule about rows that asks about their group: `amount <= 2 * average of amount`, `a is unique`."""
        failed: list[tuple[int, Failure]] = []
        for rows in self._groups(rule.per).values():
            group = replace(self, table=self.table.select(rows), rules=(rule._replace(per=()),), _cells={})
            failed += [(rows[place], failure._replace(rule=number)) for place, failure in group._of_rows()]
        yield from self._spread(rule, failed)

    def _row(self, rows: Sequence[int]) -> Mapping[str, Value]:
        return next(self.table.select(rows[:1]).rows(), {})

    def _groups(self, per: tuple[str, ...]) -> Mapping[Key, Sequence[int]]:
        groups: dict[Key, list[int]] = {}
        for number, key in enumerate(zip(*(self.cells(name) for name in per), strict=True)):
            groups.setdefault(key, []).append(number)
        return groups

    def _key(self, per: tuple[str, ...], number: int) -> Key:
        return tuple(self.cells(name)[number] for name in per)

    def _group_name(self, per: tuple[str, ...], key: Key) -> str:
        return ", ".join(f"{name} {format_value(part, self.formats)}" for name, part in zip(per, key, strict=True))

    # one rule in one scope

    def _ready(self, number: int, rule: Rule, scope: ValueScope) -> _Numbered:
        when = None if rule.when is None else folded(rule.when, scope, self.table.columns)
        return _Numbered(number, rule, folded(rule.node, scope, self.table.columns), when)

    def _reason(self, numbered: _Numbered, scope: ValueScope) -> str | None:
        """Why a row fails a rule; None when it passes, or the rule doesn't apply to it."""
        if numbered.when is not None and tried(numbered.when, scope) is False:
            return None
        value = tried(numbered.node, scope)
        if value is True:
            return None
        rule = numbered.rule
        return reason_of(rule.text, rule.node, rule.message, value, scope, self.formats, self.masked)

    def _measured(self, rules: Iterable[Rule], rows: Sequence[int]) -> ValueScope:
        """The scope with the measures that the rules use, over these rows."""
        measures = dict(self.scope.measures)
        for node in (node for rule in rules for node in rule.nodes):
            if isinstance(node, Measure) and node.name == "row count":
                measures[node.name] = Decimal(len(rows))
            elif isinstance(node, Aggregate) and self._is_known(node):
                measures[f"{node.function} of {node.column.name}"] = self._aggregate(node, rows)
        return replace(self.scope, measures=measures)

    def _is_known(self, node: Aggregate) -> bool:
        return node.function in AggregateOf and node.column.name in self.table.columns

    def _aggregate(self, node: Aggregate, rows: Sequence[int]) -> Value:
        cells = self.cells(node.column.name)
        try:
            return AggregateOf[node.function](cells if len(rows) == len(cells) else [cells[row] for row in rows])
        except RowError as error:
            return error

    def _repeated(self, rules: Iterable[Rule]) -> dict[tuple[str, ...], set[Key]]:
        """For the columns of each `is unique`: the values that stand in several rows."""
        found: dict[tuple[str, ...], set[Key]] = {}
        for node in (node for rule in rules for node in rule.nodes):
            if isinstance(node, Unique):
                names = tuple(column.name for column in node.columns)
                if names not in found:
                    found[names] = self._repeated_values(names)
        return found

    def _repeated_values(self, names: tuple[str, ...]) -> set[Key]:
        if len(self.table) > self.few_rows:
            from interoffice.language.duck import SqlError, repeated_keys

            try:
                return repeated_keys(self.table, names, self.scope)
            except SqlError:
                pass
        seen: set[Key] = set()
        repeated: set[Key] = set()
        for key in zip(*(self.cells(name) for name in names), strict=True):
            (repeated if key in seen else seen).add(key)
        return repeated


def _is_of_group(rule: Rule) -> bool:
    """True of a rule with `per` that asks about the rows of its group."""
    return bool(rule.per) and any(isinstance(node, Aggregate | Measure | Unique) for node in rule.nodes)


def _asked(
    repeated: Mapping[tuple[str, ...], set[Key]], row: Mapping[str, Value]
) -> Callable[[tuple[str, ...]], bool | None]:
    """The question `is unique` for one row; missing where a part of the key is."""

    def is_unique(names: tuple[str, ...]) -> bool | None:
        key = tuple(row.get(name) for name in names)
        return None if None in key else key not in repeated[names]

    return is_unique
