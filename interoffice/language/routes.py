"""Where the rows of a check go: route, reasons, and the tables that come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from interoffice.frozen import dataclass
from interoffice.language.rule import ROUTE_TYPE, STRENGTH
from interoffice.language.tables import row_label
from interoffice.model.table import Table
from interoffice.model.types import TEXT
from interoffice.model.values import Value, number_from_text

SEPARATOR: Final = "; "
MOST_STOP_REASONS: Final = 20


class Failure(NamedTuple):
    """A rule that a row failed, and why. `of_group`: the reason is about the whole table or a group, not this row."""

    rule: int
    route: str
    reason: str
    of_group: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """Where the rows went. All tables have the columns of the input, `route` and `reasons`.

    `warned` are the rows of `passed` with a note. `counts` says per rule how many rows failed it. `stopped` says why
    the run must stop (nothing: it needn't); the rows that stopped it are in `rejected`, with route `stop`. `notes` are
    the reasons of table rules that failed on a table without rows.
    """

    passed: Table
    review: Table
    rejected: Table
    warned: Table
    stopped: tuple[str, ...]
    counts: tuple[int, ...]
    notes: tuple[str, ...] = ()


class Findings(NamedTuple):
    """What the rules found: failures by the number of the row, failing rows per rule, and notes without a row."""

    failures: Mapping[int, Sequence[Failure]]
    counts: tuple[int, ...]
    notes: tuple[tuple[str, str], ...]
    """(route, reason) of rules about a table that has no rows."""


def routed(table: Table, findings: Findings, row_name: Sequence[str], limits: Mapping[str, str]) -> CheckResult:
    """The rows on their routes; every row is in exactly one of passed, review and rejected."""
    marked = _marked(table, findings.failures)
    routes: list[Value] = ["passed"] * len(table)
    reasons: list[Value] = [None] * len(table)
    for number, (route, why) in marked.items():
        routes[number], reasons[number] = route, why
    with_routes = table.adding({"route": ROUTE_TYPE, "reasons": TEXT}, {"route": routes, "reasons": reasons})
    result = _parts(with_routes, marked, findings, row_name)
    if len(result.passed) + len(result.review) + len(result.rejected) != len(table):
        raise AssertionError(f"a check lost rows: {len(table)} in, {result} out")
    return replace(result, stopped=(*result.stopped, *limits_reached(result, limits, len(table))))


class _Mark(NamedTuple):
    route: str
    reasons: str


def _marked(table: Table, failures: Mapping[int, Sequence[Failure]]) -> dict[int, _Mark]:
    """The rows with something to say, by number; a note that an earlier check left with `warn` is kept."""
    marked = {number: _Mark("warn", notes) for number, notes in _earlier_notes(table).items()}
    for number, found in failures.items():
        earlier = marked[number].reasons.split(SEPARATOR) if number in marked else []
        reasons = SEPARATOR.join(dict.fromkeys([*earlier, *(failure.reason for failure in found)]))
        marked[number] = _Mark(max((failure.route for failure in found), key=STRENGTH.__getitem__), reasons)
    return marked


def _earlier_notes(table: Table) -> dict[int, str]:
    if "route" not in table.columns or "reasons" not in table.columns:
        return {}
    rows = enumerate(zip(table.column("route"), table.column("reasons"), strict=True))
    return {number: str(reasons) for number, (route, reasons) in rows if route == "warn" and reasons}


def _parts(table: Table, marked: Mapping[int, _Mark], findings: Findings, row_name: Sequence[str]) -> CheckResult:
    numbers: dict[str, list[int]] = {route: [] for route in STRENGTH}
    for number in sorted(marked):
        numbers[marked[number].route].append(number)
    rejected = sorted(numbers["reject"] + numbers["stop"])
    stopped = [*_stop_reasons(table, numbers["stop"], findings.failures, row_name)]
    stopped += [reason for route, reason in findings.notes if route == "stop"]
    return CheckResult(
        passed=table.without([*numbers["review"], *rejected]),
        review=table.select(numbers["review"]),
        rejected=table.select(rejected),
        warned=table.select(numbers["warn"]),
        stopped=tuple(stopped),
        counts=findings.counts,
        notes=tuple(reason for _, reason in findings.notes),
    )


def _stop_reasons(
    table: Table, numbers: list[int], failures: Mapping[int, Sequence[Failure]], row_name: Sequence[str]
) -> Iterable[str]:
    """Why the run stops: a rule about the table or a group once, the others with the rows that failed them."""
    said: dict[str, None] = {}
    shown = numbers[:MOST_STOP_REASONS]
    for number, row in zip(shown, table.select(shown).rows(), strict=True):
        for failure in failures[number]:
            if failure.route == "stop":
                named = "" if failure.of_group else f"{row_label(row, number, row_name)}: "
                said[named + failure.reason] = None
    hidden = [number for number in numbers[MOST_STOP_REASONS:] if not all(one.of_group for one in failures[number])]
    if hidden:
        said[f"and {len(hidden)} rows more"] = None
    return said


_SAID: Final = {"rejected": "are rejected", "review": "need a review", "warned": "have a warning"}


def limits_reached(result: CheckResult, limits: Mapping[str, str], total: int) -> Iterable[str]:
    """The limits (`rejected: 10%`, `review: 25`) that are passed, each with its sentence."""
    counts = {"rejected": len(result.rejected), "review": len(result.review), "warned": len(result.warned)}
    for name, limit in limits.items():
        most = number_from_text(limit.strip().removesuffix("%"))
        count = counts[name]
        if count * 100 > most * total if limit.strip().endswith("%") else count > most:
            yield f"{count} of {total} rows {_SAID[name]}, more than the limit of {limit}"
