"""Screening: names against sanctions and PEP lists, the alerts that come of it, and what people decided of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from interoffice.bot import Answer, ColumnName, ScreeningLists, bot
from interoffice.context import Context
from interoffice.errors import BusinessError
from interoffice.model.contract import ScreeningList
from interoffice.model.table import Table
from interoffice.model.types import DATE, NUMBER, PERCENT, TEXT
from interoffice.model.values import Percent, Value
from interoffice.screening.lists import Entry, ListMistake, read_list
from interoffice.screening.matching import Hit, Matcher
from interoffice.screening.names import words

ADDED = {
    "hits": NUMBER, "best_hit": TEXT, "best_list": TEXT, "best_entry": TEXT, "best_score": PERCENT, "list_date": DATE,
    "cleared_hits": NUMBER, "alerts": TEXT,
}  # fmt: skip
FALSE_POSITIVE = "false_positive"
_READY: dict[tuple[str, ...], Matcher] = {}
"""The lists of the last call, ready to be compared: a lane screens row after row against the same ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Screened:
    """The rows with their hits beside them, and which lists were used."""

    rows: Table
    list_version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """How many alerts are settled now, and how many were already."""

    settled: Decimal
    already: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedList:
    """A list as we have it. `version`: its publisher's day, the day we fetched it, its digest."""

    name: str
    entries: tuple[Entry, ...]
    fetched: datetime
    digest: str
    version: str


@bot(
    effect="reads",
    outputs={
        "rows": (
            "input rows plus {hits: number, best_hit: text, best_list: text, best_entry: text, best_score: percent, "
            "list_date: date, cleared_hits: number, alerts: text}"
        ),
        "list_version": "text",
    },
)
def screen_names(
    ctx: Context,
    *,
    rows: Table,
    name: ColumnName,
    country: ColumnName,
    lists: ScreeningLists,
    threshold: Percent,
    party: ColumnName | None = None,
) -> Screened:
    """Names against sanctions and PEP lists: how many listed parties are near, the nearest, and the alerts.

    Names are compared without regard to case, accents, script, order of words, titles and legal forms, by their letters
    and by the sound of their words (docs/screening.md). `hits` counts the listed parties from the threshold on, but not
    those that a person has called a false positive for this party while name, country and entry stayed as they were:
    these are `cleared_hits`. Every other hit is an alert (`runner.py alerts`); `alerts` has their numbers. A country
    never lowers a score. A blank name has no hits but missing ones, so that a rule about them fails.

    `list_date` is the day on which the oldest of the copies was fetched, `list_version` says of each list what its
    publisher calls its day, when it was fetched, and its digest.

    Error codes: no_column, column_there (the rows have one of the new columns already), bad_list (the name is that of
    another kind of table), list_wrong_format (names file and line), list_too_old, file_missing.

    Inputs:
        rows: the parties
        name: the column with the name
        country: the column with the country, for the alert
        lists: screening lists of tables/
        threshold: from this score on a name is a hit; 80% finds most misspellings
        party: the column with the party's number; left out, name and country say who it is

    Example:
        - id: hits
          bot: screening.screen_names
          with:
            rows: ${{ inputs.parties }}
            name: party_name
            country: country
            lists: [ofac_sdn, eu_sanctions]
            threshold: 80%
            party: party_id
    """
    _refuse_columns(rows, tuple(each for each in (name, country, party) if each is not None))
    fetched = [_fetched(ctx, each) for each in lists]
    matcher = _matcher(fetched)
    names = list(dict.fromkeys(str(each) for each in rows.column(name) if each is not None))
    found: dict[str, list[Hit]] = {}
    for said, hits in zip(names, matcher.hits(names, float(threshold * 100)), strict=True):
        found[said] = hits
        if len(found) % 500 == 0:
            ctx.log.progress(len(found), len(names), "names")
    version = "; ".join(each.version for each in fetched)
    alerts = [list(_alerts_of(row, name, country, party, found, fetched)) for row in rows.rows()]
    flat = [alert for each in alerts for alert in each]
    states = iter(ctx.alerts.seen(flat) if flat else ())
    judged = [[next(states) for _ in each] for each in alerts]
    day = min(each.fetched for each in fetched).astimezone(ctx.run.planned.tzinfo).date()
    ctx.log.info("names_screened", names=len(names), hits=sum(map(len, found.values())), lists=version)
    beside = (
        _beside(found.get(str(row[name]) if row[name] is not None else "", []), row[name], each, day)
        for row, each in zip(rows.rows(), judged, strict=True)
    )
    columns = {**rows.columns, **ADDED}
    return Screened(
        rows=Table.from_rows(columns, ({**row, **more} for row, more in zip(rows.rows(), beside, strict=True))),
        list_version=version,
    )


def _refuse_columns(rows: Table, asked: Sequence[str]) -> None:
    lacking = [each for each in asked if each not in rows.columns]
    if lacking:
        raise BusinessError(
            f'the rows have no column "{lacking[0]}"; they have {", ".join(rows.columns)}', code="no_column"
        )
    there = [each for each in ADDED if each in rows.columns]
    if there:
        raise BusinessError(f"the rows have {', '.join(there)} already; screen them once", code="column_there")


def _fetched(ctx: Context, name: str) -> FetchedList:
    found = ctx.tables.contract(name)
    if not isinstance(found, ScreeningList):
        raise BusinessError(f"{found.source.file} is a {found.kind}, not a screening list", code="bad_list")
    files = [ctx.files.find(path) for path in found.files]
    originals = [ctx.files.original(file) for file in files]
    fetched = min(datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in originals)
    if (ctx.run.planned - fetched).total_seconds() > found.oldest.total_seconds:
        raise BusinessError(
            f"our copy of {name} ({found.files[0]}) was fetched on {fetched:%Y-%m-%d}, more than {found.oldest} before "
            "this run; fetch it again from its publisher",
            code="list_too_old",
        )
    try:
        read = read_list(found.publisher, [_named_as(ctx.files.readable(file), path) for file, path in
                                           zip(files, originals, strict=True)])  # fmt: skip
    except ListMistake as mistake:
        raise BusinessError(f"the screening list {name}: {mistake}", code="list_wrong_format") from mistake
    digest = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
    published = f"published {read.published}, " if read.published else ""
    version = f"{name} ({published}fetched {fetched:%Y-%m-%d}, {len(read.entries)} entries, {digest[:12]})"
    return FetchedList(name=name, entries=read.entries, fetched=fetched, digest=digest, version=version)


def _named_as(readable: Path, original: Path) -> Path:
    """The original where both are one, so that a mistake names the file that people know."""
    return original if readable.exists() and original.exists() and readable.samefile(original) else readable


def _matcher(fetched: Sequence[FetchedList]) -> Matcher:
    key = tuple(f"{each.name}:{each.digest}" for each in fetched)
    if key not in _READY:
        _READY.clear()
        _READY[key] = Matcher([(each.name, each.entries) for each in fetched])
    return _READY[key]


def _alerts_of(
    row: Mapping[str, Value],
    name: str,
    country: str,
    party: str | None,
    found: Mapping[str, Sequence[Hit]],
    fetched: Sequence[FetchedList],
) -> Iterator[Mapping[str, Value]]:
    """What the ledger is told of each hit of a row."""
    said = row[name]
    if said is None:
        return
    versions = {each.name: each.version for each in fetched}
    where = str(row[country] or "")
    who = str(row[party]) if party is not None and row[party] is not None else f"{' '.join(words(str(said)))} {where}"
    for hit in found[str(said)]:
        content = "\x1f".join((" ".join(words(str(said))), where.casefold(), hit.entry.digest))
        yield {
            "party": who, "list": hit.list, "entry": hit.entry.id, "party_name": str(said), "country": where,
            "content": hashlib.sha256(content.encode()).hexdigest(), "listed_name": hit.name,
            "score": f"{hit.score:.1f}%", "list_version": versions[hit.list],
        }  # fmt: skip


def _beside(
    hits: Sequence[Hit], name: Value, judged: Sequence[tuple[str, str]], day: date
) -> dict[str, Value]:
    if name is None or not words(str(name)):
        return {**dict.fromkeys(ADDED), "list_date": day}
    left = [hit for hit, (_, state) in zip(hits, judged, strict=True) if state != FALSE_POSITIVE]
    best = left[0] if left else None
    return {
        "hits": Decimal(len(left)),
        "best_hit": best.name if best else None,
        "best_list": best.list if best else None,
        "best_entry": best.entry.id if best else None,
        "best_score": Percent(Decimal(f"{best.score:.1f}") / 100) if best else None,
        "list_date": day,
        "cleared_hits": Decimal(len(hits) - len(left)),
        "alerts": ", ".join(id for id, state in judged if state != FALSE_POSITIVE) or None,
    }


def _look_at_alerts(ctx: Context, key: str, inputs: Mapping[str, Value]) -> Answer:
    rows = inputs["rows"]
    assert isinstance(rows, Table)
    return ctx.alerts.look_up(_alerts_in(rows), str(inputs["as"]))


@bot(effect="changes", identity=("as",), look_up=_look_at_alerts)
def settle_alerts(
    ctx: Context, *, rows: Table, as_: Literal["false_positive", "true_match"]
) -> Settled:
    """Keeps what people decided of the alerts of these rows, so that no later run asks again.

    The rows come from an approval of this run that showed them with their `alerts`; who decided there is who
    settled the alert, and is in the audit with it. The approval asks whether it is NOT the listed party: approved
    rows can only be false positives, rejected ones only true matches. An alert that nobody in this run decided on
    is refused, and so is a person whom settings.yaml does not let (`screening: cleared_by`). A false positive
    holds until the party's name or country or the listed entry changes.

    Error codes: no_column (the rows have no column `alerts`).

    Inputs:
        rows: decided rows of an approval
        as: false_positive or true_match

    Example:
        - id: cleared
          bot: screening.settle_alerts
          with:
            rows: ${{ steps.disposition.approved }}
            as: false_positive
    """
    ids = _alerts_in(rows)
    ctx.commit({"as": as_, "alerts": Decimal(len(ids))})
    settled, already = ctx.alerts.settle(ids, as_)
    return Settled(settled=Decimal(settled), already=Decimal(already))


def _alerts_in(rows: Table) -> list[str]:
    if "alerts" not in rows.columns:
        raise BusinessError(
            f'the rows have no column "alerts"; they have {", ".join(rows.columns)}', code="no_column"
        )
    named = (id for cell in rows.column("alerts") if cell is not None for id in str(cell).split(", "))
    return list(dict.fromkeys(named))
