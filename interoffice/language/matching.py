"""The passes of a reconciliation: which lines of two sides belong together.

Lines fit when their `same` columns are equal, their `opposite` ones equal with the other sign, and their `close` ones
within the tolerance; a missing value fits nothing. Of candidates the nearest pair is matched first; lines that have
several equally near candidates stay for later passes, and are ambiguous when no pass tells them apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from interoffice.language.errors import RowError
from interoffice.model import codec
from interoffice.model.table import Table
from interoffice.model.types import Type
from interoffice.model.values import Duration, Percent, Value
from interoffice.model.workflow import Reconcile, ReconcilePass

CANDIDATES_AT_MOST: Final = 5_000_000
ONE_DAY_S: Final = 86_400
NEAREST: Final = Decimal(0)
Distance = Decimal
Pair = tuple[int, int]
Lines = tuple[int, ...]
Found = tuple[list[tuple[Lines, Lines]], list[tuple[set[int], set[int]]]]
"""What a pass found: lines of the left with lines of the right, and those that fit each other equally well."""


def common_columns(kind: Reconcile, left: Iterable[str], right: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The columns that passes may name: those that both sides have, and the pairs of `columns:`."""
    there = set(right)
    return {name: (name, name) for name in left if name in there} | dict(kind.columns)


class Side:
    """One side: its table, and its columns under the names that the passes use, loaded when they are asked for."""

    def __init__(self, table: Table, columns: Mapping[str, str], name: str) -> None:
        self.table = table
        self.name = name
        self.columns = columns
        self.count = len(table)
        self._cells: dict[str, list[Value]] = {}

    def cells(self, name: str) -> list[Value]:
        """The cells of a common column, line by line."""
        if name not in self._cells:
            if name not in self.columns:
                raise RowError(f'"{name}" is not a column of both sides')
            self._cells[name] = self.table.column(self.columns[name])
        return self._cells[name]

    def type_of(self, name: str) -> Type:
        """The type of a common column."""
        return self.table.columns[self.columns[name]]


class Taken(NamedTuple):
    """A match: the lines of each side, and the pass that made it."""

    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    by: str


class Matching:
    """The passes over the lines that are left."""

    def __init__(self, kind: Reconcile, left: Table, right: Table) -> None:
        common = common_columns(kind, left.columns, right.columns)
        self.kind = kind
        self.common = common
        self.left = Side(left, {name: pair[0] for name, pair in common.items()}, kind.left_name)
        self.right = Side(right, {name: pair[1] for name, pair in common.items()}, kind.right_name)
        self.free_left = set(range(self.left.count))
        self.free_right = set(range(self.right.count))
        self.matched: list[Taken] = []
        self.different: list[Taken] = []
        self.alike: list[tuple[set[int], set[int]]] = []
        """Lines that a pass found to fit each other equally well."""

    def do_pass(self, each: ReconcilePass, close: Mapping[str, Value]) -> None:
        """One pass over the lines that are left."""
        for value in close.values():
            _refuse_tolerance(each, value)
        buckets = self._buckets(each)
        if each.total is not None:
            found, alike = _by_total(self, each, close, buckets)
        elif close:
            found, alike = _by_distance(_near(self, each, close, buckets))
        else:
            found, alike = _by_key(buckets)
        into = self.matched if each.result == "matched" else self.different
        for lefts, rights in found:
            into.append(Taken(lefts, rights, each.name))
            self.free_left.difference_update(lefts)
            self.free_right.difference_update(rights)
        self.alike += alike

    def _buckets(self, each: ReconcilePass) -> list[tuple[list[int], list[int]]]:
        """The free lines that agree in `same` and `opposite`, where both sides have some."""
        exact = [name for name in each.opposite if name != each.total]
        lefts = _keyed(self.left, self.free_left, each.same, exact, negate=False)
        rights = _keyed(self.right, self.free_right, each.same, exact, negate=True)
        return [(lines, rights[key]) for key, lines in lefts.items() if key in rights]


def _keyed(
    side: Side, free: Iterable[int], same: Sequence[str], opposite: Sequence[str], *, negate: bool
) -> dict[tuple[Any, ...], list[int]]:
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    columns = [side.cells(name) for name in same] + [_negated(side, name, negate) for name in opposite]
    for line in free:
        key = tuple(_part(cells[line]) for cells in columns)
        if None not in key:
            found[key].append(line)
    return found


def _part(value: Value) -> Any:
    return codec.canonical(value) if isinstance(value, (Mapping, list, tuple)) else value


def _negated(side: Side, name: str, negate: bool) -> list[Value]:
    cells = side.cells(name)
    if not negate:
        return cells
    if not side.type_of(name).is_number:
        raise RowError(f'"{name}" can\'t be opposite: it is no number')
    return [None if cell is None else -cell for cell in cells]  # type: ignore[operator]


# which lines belong together

def _by_key(buckets: Iterable[tuple[list[int], list[int]]]) -> Found:
    """One line on each side is a match; more fit equally well."""
    found: list[tuple[Lines, Lines]] = []
    alike: list[tuple[set[int], set[int]]] = []
    for lefts, rights in buckets:
        if len(lefts) == len(rights) == 1:
            found.append(((lefts[0],), (rights[0],)))
        else:
            alike.append((set(lefts), set(rights)))
    return found, alike


def _by_distance(candidates: list[tuple[Distance, int, int]]) -> Found:
    """The nearest pairs first; lines with several equally near candidates are taken out of the pass."""
    found: list[tuple[Lines, Lines]] = []
    alike: list[tuple[set[int], set[int]]] = []
    gone_left, gone_right = set[int](), set[int]()
    candidates.sort(key=lambda candidate: candidate[0])
    for pairs in _levels(candidates):
        open_pairs = [(i, j) for i, j in pairs if i not in gone_left and j not in gone_right]
        for lefts, rights in _connected(open_pairs):
            gone_left |= lefts
            gone_right |= rights
            if len(lefts) == len(rights) == 1:
                found.append((tuple(lefts), tuple(rights)))
            else:
                alike.append((lefts, rights))
    return found, alike


def _levels(candidates: Sequence[tuple[Distance, int, int]]) -> Iterator[list[Pair]]:
    """The pairs of each distance."""
    pairs: list[Pair] = []
    at: Distance | None = None
    for distance, i, j in candidates:
        if distance != at and pairs:
            yield pairs
            pairs = []
        at = distance
        pairs.append((i, j))
    if pairs:
        yield pairs


def _connected(pairs: Sequence[Pair]) -> Iterator[tuple[set[int], set[int]]]:
    """The lines that hang together by these pairs."""
    of_left: dict[int, list[int]] = defaultdict(list)
    of_right: dict[int, list[int]] = defaultdict(list)
    for i, j in pairs:
        of_left[i].append(j)
        of_right[j].append(i)
    seen = set[int]()
    for start in of_left:
        if start in seen:
            continue
        lefts, rights, waiting = {start}, set[int](), [start]
        while waiting:
            for j in of_left[waiting.pop()]:
                if j in rights:
                    continue
                rights.add(j)
                new = [i for i in of_right[j] if i not in lefts]
                lefts.update(new)
                waiting += new
        seen |= lefts
        yield lefts, rights


# near lines


def _near(
    work: Matching, each: ReconcilePass, close: Mapping[str, Value], buckets: Iterable[tuple[list[int], list[int]]]
) -> list[tuple[Distance, int, int]]:
    """Every pair within the tolerances, with its distance: the sum of the parts of each tolerance that it needs."""
    lefts = {name: _measurable(work.left, name) for name in close}
    rights = {name: _measurable(work.right, name) for name in close}
    windowed = next((name for name, value in close.items() if not isinstance(value, Percent)), None)
    found: list[tuple[Distance, int, int]] = []
    for left_lines, right_lines in buckets:
        for i, js in _windows(left_lines, right_lines, lefts, rights, windowed, close):
            for j in js:
                distance = _distance(close, lefts, rights, i, j)
                if distance is not None:
                    found.append((distance, i, j))
            if len(found) > CANDIDATES_AT_MOST:
                too_many = f"has more than {CANDIDATES_AT_MOST} pairs"
                raise RowError(f'pass "{each.name}" {too_many}; add a column to its "same"')
    return found


def _measurable(side: Side, name: str) -> list[Decimal | None]:
    """The cells as numbers: amounts, or moments in seconds."""
    return [_number(name, cell) for cell in side.cells(name)]


def _number(name: str, cell: Value) -> Decimal | None:
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return Decimal(str(cell.timestamp()))
    if isinstance(cell, date):
        return Decimal(cell.toordinal() * ONE_DAY_S)
    if isinstance(cell, Decimal):
        return Decimal(cell)
    raise RowError(f'"{name}" can\'t be close: it is neither a number nor a date')


def _windows(
    left_lines: Sequence[int],
    right_lines: Sequence[int],
    lefts: Mapping[str, list[Decimal | None]],
    rights: Mapping[str, list[Decimal | None]],
    by: str | None,
    close: Mapping[str, Value],
) -> Iterator[tuple[int, Sequence[int]]]:
    """For each line of the left the lines of the right that may be near: all, or those within one tolerance."""
    if by is None:
        yield from ((i, right_lines) for i in left_lines)
        return
    width = _absolute(close[by])
    ordered = sorted((value, j) for j in right_lines if (value := rights[by][j]) is not None)
    values, lines = [value for value, _ in ordered], [j for _, j in ordered]
    for i in left_lines:
        value = lefts[by][i]
        if value is not None:
            yield i, lines[bisect_left(values, value - width) : bisect_right(values, value + width)]


def _distance(
    close: Mapping[str, Value],
    lefts: Mapping[str, list[Decimal | None]],
    rights: Mapping[str, list[Decimal | None]],
    i: int,
    j: int,
) -> Distance | None:
    """How far apart two lines are; None where they are farther than a tolerance, or a value is missing."""
    total = NEAREST
    for name, tolerance in close.items():
        one, other = lefts[name][i], rights[name][j]
        if one is None or other is None:
            return None
        apart = abs(one - other)
        most = Decimal(tolerance) * abs(other) if isinstance(tolerance, Percent) else _absolute(tolerance)
        if apart > most:
            return None
        total += apart / most if most else NEAREST
    return total


def _absolute(tolerance: Value) -> Decimal:
    if isinstance(tolerance, Duration):
        return Decimal(str(tolerance.total_seconds))
    assert isinstance(tolerance, Decimal)
    return abs(tolerance)


def _refuse_tolerance(each: ReconcilePass, tolerance: Value) -> None:
    if isinstance(tolerance, Duration) and not tolerance.is_fixed:
        raise RowError(f'pass "{each.name}": a tolerance is counted in days, hours or minutes, not in {tolerance}')
    if not isinstance(tolerance, (Duration, Decimal, Percent)):
        raise RowError(f'pass "{each.name}": a tolerance is a number, a percent or a duration, not {tolerance!r}')


# several to one


def _by_total(
    work: Matching, each: ReconcilePass, close: Mapping[str, Value], buckets: Iterable[tuple[list[int], list[int]]]
) -> Found:
    """All lines of the many side together are one line of the other: where exactly one has their total."""
    name = each.total or ""
    many_is_left = each.many != "right"
    many, one = (work.left, work.right) if many_is_left else (work.right, work.left)
    sign = -1 if name in each.opposite else 1
    amounts, totals = _measurable(many, name), _measurable(one, name)
    beside = {column: value for column, value in close.items() if column != name}
    sides = {column: (_measurable(many, column), _measurable(one, column)) for column in beside}
    found: list[tuple[Lines, Lines]] = []
    alike: list[tuple[set[int], set[int]]] = []
    for lefts, rights in buckets:
        lines, candidates = (lefts, rights) if many_is_left else (rights, lefts)
        cells = [amounts[line] for line in lines]
        if any(cell is None for cell in cells):
            continue
        total = sum((cell for cell in cells if cell is not None), Decimal(0)) * sign
        fits = [
            line
            for line in candidates
            if (each.result == "different" or _is_total(total, totals[line], close.get(name)))
            and all(_all_near(sides[column], lines, line, value) for column, value in beside.items())
        ]
        if len(fits) == 1:
            together, alone = tuple(sorted(lines)), (fits[0],)
            found.append((together, alone) if many_is_left else (alone, together))
        elif fits:
            alike.append((set(lines), set(fits)) if many_is_left else (set(fits), set(lines)))
    return found, alike


def _is_total(total: Decimal, wanted: Decimal | None, tolerance: Value) -> bool:
    if wanted is None:
        return False
    if tolerance is None:
        return total == wanted
    most = Decimal(tolerance) * abs(wanted) if isinstance(tolerance, Percent) else _absolute(tolerance)
    return abs(total - wanted) <= most


def _all_near(
    sides: tuple[list[Decimal | None], list[Decimal | None]], lines: Iterable[int], one: int, tolerance: Value
) -> bool:
    many, ones = sides
    wanted = ones[one]
    return wanted is not None and all(
        (cell := many[line]) is not None and _is_total(cell, wanted, tolerance) for line in lines
    )


def alike_groups(work: Matching) -> list[tuple[set[int], set[int]]]:
    """The lines that stayed ambiguous, those of several passes together; in an order that their content decides."""
    pairs = [
        (i, j)
        for lefts, rights in work.alike
        for kept_left, kept_right in ((lefts & work.free_left, rights & work.free_right),)
        if kept_left and kept_right
        for i, j in _star(kept_left, kept_right)
    ]
    return sorted(_connected(pairs), key=lambda group: _content(work, group))


def _star(lefts: set[int], rights: set[int]) -> Iterator[Pair]:
    """Pairs that connect all lines of both sets, as few as will do."""
    one, other = min(lefts), min(rights)
    yield from ((one, j) for j in rights)
    yield from ((i, other) for i in lefts if i != one)


def _content(work: Matching, group: tuple[set[int], set[int]]) -> list[str]:
    names = sorted(work.common)
    return [
        min(codec.canonical([side.cells(name)[line] for name in names]) for line in lines)
        for side, lines in ((work.left, group[0]), (work.right, group[1]))
    ]
