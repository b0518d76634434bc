"""A reconciliation: two sides matched line by line in ordered passes; what fits equally well is never guessed.

Each pass takes what the passes before it left (`matching`). Every line ends in exactly one output, sums add up, nothing
depends on the order of the rows, and amounts are exact decimals.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from interoffice.frozen import dataclass
from interoffice.language.matching import Matching, Side, Taken, alike_groups
from interoffice.model import codec
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.types import DATE, DURATION, NUMBER, TEXT, Type, choice_of
from interoffice.model.values import ISO, Duration, Formats, Percent, Value
from interoffice.model.workflow import Reconcile

if TYPE_CHECKING:
    import pyarrow as pa

SIDE: Final = choice_of(["left", "right"])
MATCHED_BY: Final[Mapping[str, Type]] = {"matched_by": TEXT}
AMBIGUOUS: Final[Mapping[str, Type]] = {"side": SIDE, "fits_group": NUMBER}
EXCEPTION: Final[Mapping[str, Type]] = {"side": SIDE, "reason": TEXT, "first_seen": DATE, "age": DURATION}
NOTED: Final = ("route", "reasons")
CURRENCY: Final = "currency"


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What a reconciliation gives. Every line of each side is in exactly one of matched, different, only_left,
    only_right, ambiguous. `difference` is left minus right by column, in the currency where it is largest."""

    matched: Table
    different: Table
    only_left: Table
    only_right: Table
    ambiguous: Table
    exceptions: Table
    difference: Mapping[str, Value]
    measures: Mapping[str, Value]
    lines: tuple[str, ...]
    """The digest of each exception's content, in the order of `exceptions`."""

    def outputs(self) -> dict[str, Value]:
        """The step's outputs by name."""
        names = ("matched", "different", "only_left", "only_right", "ambiguous", "exceptions")
        return {**{name: getattr(self, name) for name in names}, "difference": dict(self.difference)}


def joined_columns(
    lefts: Mapping[str, Type], rights: Mapping[str, Type], common: Mapping[str, Type]
) -> dict[str, Type]:
    """The columns of a matched row: each side's own names, the common ones, and every one as left_x and right_x."""
    sided = {f"left_{name}": type for name, type in lefts.items()}
    sided |= {f"right_{name}": type for name, type in rights.items()}
    return {**rights, **lefts, **common, **sided}


def run_reconcile(
    left: Table,
    right: Table,
    kind: Reconcile,
    tolerances: Sequence[Mapping[str, Value]],
    *,
    today: date,
    formats: Formats = ISO,
    first_seen: Mapping[str, date] | None = None,
) -> Reconciled:
    """Does a reconciliation. `tolerances`: the values of each pass' `close`; `first_seen`: the day since which a line
    is open, by the digest of its content. RowError says what can't be done."""
    work = Matching(kind, left.loaded(), right.loaded())
    for each, close in zip(kind.passes, tolerances, strict=True):
        work.do_pass(each, close)
    return _Results(work, today, formats, first_seen or {}).all()


class _Results:
    """The outputs of a reconciliation whose passes are done."""

    def __init__(self, work: Matching, today: date, formats: Formats, first_seen: Mapping[str, date]) -> None:
        self.work = work
        self.first_seen = first_seen
        self.today = today
        self.formats = formats
        self.groups = alike_groups(work)
        alike_left = {line for lefts, _ in self.groups for line in lefts}
        alike_right = {line for _, rights in self.groups for line in rights}
        self.only_left = sorted(work.free_left - alike_left)
        self.only_right = sorted(work.free_right - alike_right)

    def all(self) -> Reconciled:
        """The tables, the difference, the measures; AssertionError where a line is in no output, or in two."""
        work = self.work
        self._assert_all_there()
        ambiguous_lines = sum(len(lefts) + len(rights) for lefts, rights in self.groups)
        difference = self._difference()
        exceptions, digests = self._exceptions()
        measures: dict[str, Value] = {
            "match rate": Percent(self._match_rate()),
            "ambiguous count": Decimal(ambiguous_lines),
            **{f"difference of {name}": value for name, value in difference.items()},
        }
        return Reconciled(
            matched=self._taken(work.matched),
            different=self._taken(work.different),
            only_left=work.left.table.select(self.only_left),
            only_right=work.right.table.select(self.only_right),
            ambiguous=self._ambiguous(),
            exceptions=exceptions,
            lines=digests,
            difference=difference,
            measures=measures,
        )

    def _assert_all_there(self) -> None:
        """Conservation: each line is in exactly one output, so that counts and sums add up in every currency."""
        taken = (*self.work.matched, *self.work.different)
        for side, only, at in ((self.work.left, self.only_left, 0), (self.work.right, self.only_right, 1)):
            lines = [line for each in taken for line in each[at]]
            lines += [*only, *(line for group in self.groups for line in group[at])]
            if len(lines) != side.count or len(set(lines)) != side.count:
                raise AssertionError(f"a reconciliation lost lines of {side.name}: {side.count} in, {len(lines)} out")

    def _match_rate(self) -> Decimal:
        both = self.work.left.count + self.work.right.count
        matched = sum(len(each.lefts) + len(each.rights) for each in self.work.matched)
        return Decimal(matched) / Decimal(both) if both else Decimal(1)

    def _difference(self) -> dict[str, Value]:
        """Left minus right of each common number column, in the currency where it is largest; with `opposite`, plus."""
        found: dict[str, Value] = {}
        for name in self.work.common:
            both = self.work.left.type_of(name).is_number and self.work.right.type_of(name).is_number
            if both:
                found[name] = max(self._differences(name).values(), key=abs, default=Decimal(0))
        return found

    def _differences(self, name: str) -> dict[Value, Decimal]:
        sign = 1 if any(name in each.opposite for each in self.work.kind.passes) else -1
        sums: dict[Value, Decimal] = defaultdict(Decimal)
        for side, factor in ((self.work.left, 1), (self.work.right, sign)):
            currencies = side.cells(CURRENCY) if CURRENCY in self.work.common else [None] * side.count
            for currency, amount in zip(currencies, side.cells(name), strict=True):
                if isinstance(amount, Decimal):
                    sums[currency] += Decimal(amount) * factor
        return {currency: sums[currency] for currency in sorted(sums, key=str)}

    # tables

    def _taken(self, taken: Sequence[Taken]) -> Table:
        """A row per pair; of several to one a row per line, the one beside the first of them."""
        lefts: list[int | None] = []
        rights: list[int | None] = []
        by: list[Value] = []
        for each in sorted(taken, key=lambda one: (one.lefts, one.rights)):
            count = max(len(each.lefts), len(each.rights))
            lefts += [*each.lefts, *[None] * (count - len(each.lefts))]
            rights += [*each.rights, *[None] * (count - len(each.rights))]
            by += [each.by] * count
        return self._table(lefts, rights, MATCHED_BY, {"matched_by": by})

    def _ambiguous(self) -> Table:
        lefts, rights, sides, groups = self._lines_of_groups()
        return self._table(lefts, rights, AMBIGUOUS, {"side": sides, "fits_group": groups})

    def _lines_of_groups(self) -> tuple[list[int | None], list[int | None], list[Value], list[Value]]:
        lefts: list[int | None] = []
        rights: list[int | None] = []
        sides: list[Value] = []
        groups: list[Value] = []
        for number, (of_left, of_right) in enumerate(self.groups, start=1):
            lefts += [*sorted(of_left), *[None] * len(of_right)]
            rights += [*[None] * len(of_left), *sorted(of_right)]
            sides += [*["left"] * len(of_left), *["right"] * len(of_right)]
            groups += [Decimal(number)] * (len(of_left) + len(of_right))
        return lefts, rights, sides, groups

    def _exceptions(self) -> tuple[Table, tuple[str, ...]]:
        """What a person has to look at: a row per different pair or group, and per line that is alone or ambiguous."""
        work = self.work
        different = sorted(work.different, key=lambda one: (one.lefts, one.rights))
        lefts: list[int | None] = [each.lefts[0] for each in different]
        rights: list[int | None] = [each.rights[0] for each in different]
        sides: list[Value] = ["left"] * len(different)
        reasons: list[Value] = [self._what_differs(each) for each in different]
        for only, side, name in ((self.only_left, "left", work.left.name), (self.only_right, "right", work.right.name)):
            lefts += only if side == "left" else [None] * len(only)
            rights += only if side == "right" else [None] * len(only)
            sides += [side] * len(only)
            reasons += [f"only in {name}"] * len(only)
        of_left, of_right, of_side, of_group = self._lines_of_groups()
        lefts, rights, sides = lefts + of_left, rights + of_right, sides + of_side
        reasons += [f"fits several lines equally well (group {number})" for number in of_group]
        digests = self._digests(lefts, rights)
        seen: list[Value] = [min(self.first_seen.get(digest, self.today), self.today) for digest in digests]
        ages: list[Value] = [Duration(days=(self.today - day).days) for day in seen if isinstance(day, date)]
        more = {"side": sides, "reason": reasons, "first_seen": seen, "age": ages}
        return self._table(lefts, rights, EXCEPTION, more), digests

    def _digests(self, lefts: Sequence[int | None], rights: Sequence[int | None]) -> tuple[str, ...]:
        """What each exception is known by in later runs: the content of its lines, and which of several alike it is."""
        left, right = _contents(self.work.left.table, lefts), _contents(self.work.right.table, rights)
        times: dict[str, int] = defaultdict(int)
        found = []
        for one, other in zip(left, right, strict=True):
            said = f"{one}|{other}"
            times[said] += 1
            found.append(hashlib.sha256(f"{said}|{times[said]}".encode()).hexdigest())
        return tuple(found)

    def _what_differs(self, each: Taken) -> str:
        found = []
        for name in self.work.common:
            one, other = self._value(self.work.left, name, each.lefts), self._value(self.work.right, name, each.rights)
            if one != other:
                words = [self.formats_of(value) for value in (one, other)]
                found.append(f"{name} is {words[0]} in {self.work.left.name} and {words[1]} in {self.work.right.name}")
        return "; ".join(found) or "different"

    def _value(self, side: Side, name: str, lines: Sequence[int]) -> Value:
        """The value of a column in the lines of one side: their sum, where they are several and it is a number."""
        cells = side.cells(name)
        if len(lines) == 1 or not side.type_of(name).is_number:
            return cells[lines[0]]
        return sum((cell for line in lines if isinstance(cell := cells[line], Decimal)), Decimal(0))

    def formats_of(self, value: Value) -> str:
        """A value as people read it."""
        return "missing" if value is None else format_value(value, self.formats)

    def _table(
        self,
        lefts: Sequence[int | None],
        rights: Sequence[int | None],
        more: Mapping[str, Type],
        cells: Mapping[str, list[Value]],
    ) -> Table:
        """A table of lines side by side; where a side is missing, a name that both have is the other's."""
        import pyarrow as pa

        work = self.work
        left, right = _took(work.left.table, lefts), _took(work.right.table, rights)
        of_left, of_right = work.left.table.columns, work.right.table.columns
        common = {name: of_left[pair[0]] for name, pair in work.common.items()}
        columns = joined_columns(of_left, of_right, common)
        arrays: dict[str, Any] = {name: right.column(name) for name in of_right}
        for name, type in of_left.items():
            arrays[name] = _either(left.column(name), right.column(name) if of_right.get(name) == type else None)
        for name, (one, other) in work.common.items():
            both_alike = of_right[other] == of_left[one]
            arrays[name] = _either(left.column(one), right.column(other) if both_alike else None)
        arrays |= {f"left_{name}": left.column(name) for name in of_left}
        arrays |= {f"right_{name}": right.column(name) for name in of_right}
        table = Table.from_arrow(columns, pa.table([arrays[name] for name in columns], names=list(columns)))
        return table.adding(more, cells)


def _contents(table: Table, lines: Sequence[int | None]) -> list[str]:
    """The content of these lines as text; what a check has noted on them is none of it."""
    there = [line for line in lines if line is not None]
    columns = [name for name in table.columns if name not in NOTED]
    rows = iter(table.select(there).keeping(columns).rows())
    return ["" if line is None else codec.canonical(next(rows)) for line in lines]


def _took(table: Table, lines: Sequence[int | None]) -> pa.Table:
    """These lines of a table; None is a line of nothing."""
    import pyarrow as pa

    return table.arrow().take(pa.array(lines, type=pa.int64()))


def _either(one: Any, other: Any) -> Any:
    if other is None or one.type != other.type:
        return one
    import pyarrow.compute as pc

    return pc.coalesce(one, other)
