"""Alerts of screening: raised when a name is near a listed one, decided by a named person, open again on change.

An alert is one party against one entry of one list. A false positive keeps later runs from asking again (the good-guy
list) for as long as `content` stays what it was: the party's name and country, and the entry's names and countries.
When any of them changes, the alert is open again. Every change of an alert is in the audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from interoffice.errors import Refused
from interoffice.frozen import dataclass
from interoffice.store import audit
from interoffice.store.database import Row, Transaction
from interoffice.store.reading import text_of
from interoffice.store.statements import statements

_SQL = statements("alerts")
OPEN, FALSE_POSITIVE, TRUE_MATCH = "open", "false_positive", "true_match"
DECIDED: Final = (FALSE_POSITIVE, TRUE_MATCH)
FIELDS: Final = ("party", "list", "entry", "content", "party_name", "country", "listed_name", "score", "list_version")
"""What a bot says of an alert that it saw, all texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertView:
    """An alert. `state`: open, false_positive or true_match; who decided it is a person's id."""

    alert_id: str
    environment: str
    party: str
    list: str
    entry: str
    party_name: str
    country: str
    listed_name: str
    score: str
    list_version: str
    state: str
    first_seen: date
    last_seen: date
    last_run: str
    decided_by: str | None
    comment: str | None


def alert_id(environment: str, said: Mapping[str, Any]) -> str:
    """The same party and entry have the same id in every run."""
    key = "\x1f".join((environment, said["party"], said["list"], said["entry"]))
    return "A-" + hashlib.sha256(key.encode()).hexdigest()[:10]


def states(tx: Transaction, environment: str, found: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Id and state of each alert as it stands; one whose content has changed, or that is new, is open."""
    answers = []
    for said in found:
        row = tx.row(_SQL["one"], {"alert_id": alert_id(environment, said)})
        known = row is not None and row["content"] == said["content"]
        answers.append((alert_id(environment, said), row["state"] if row is not None and known else OPEN))
    return tuple(answers)


def seen(
    tx: Transaction, environment: str, run_id: str, found: Sequence[Mapping[str, Any]], day: date, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Keeps what a run has seen: new alerts, those seen again, and those that are open again; id and state of each."""
    for said in found:
        here = alert_id(environment, said)
        values = {name: said[name] for name in FIELDS}
        values |= {"alert_id": here, "environment": environment, "run_id": run_id, "day": day.isoformat()}
        row = tx.row(_SQL["one"], {"alert_id": here})
        if row is None:
            tx.run(_SQL["insert"], values)
            _note(tx, "alert.raised", "engine", here, now, run_id, _facts(said))
            continue
        tx.run(_SQL["seen_again"], values)
        if row["content"] != said["content"]:
            tx.run(_SQL["open_again"], values)
            was = {"was": row["state"], "decided_by": row["decided_by"]}
            _note(tx, "alert.open_again", "engine", here, now, run_id, {**_facts(said), **was})
    return states(tx, environment, found)


def _facts(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("list", "entry", "listed_name", "score", "list_version")}


def one(tx: Transaction, id: str) -> AlertView:
    """The alert."""
    row = tx.row(_SQL["one"], {"alert_id": id})
    if row is None:
        raise Refused(f'There is no alert "{id}"; list them with: runner.py alerts')
    return _view(row)


def listed(tx: Transaction, *, state: str, party: str | None, limit: int) -> tuple[AlertView, ...]:
    """Alerts in a state (open, false_positive, true_match, all), the oldest first."""
    return tuple(_view(row) for row in tx.rows(_SQL["listed"], {"state": state, "party": party, "limit": limit}))


def decide(tx: Transaction, id: str, state: str, comment: str, now: datetime, *, person: str, run_id: str = "") -> bool:
    """A person's decision, which may be changed by another one; False where the alert is in that state already."""
    view = one(tx, id)
    if view.state == state:
        return False
    tx.run(_SQL["decide"], {"alert_id": id, "state": state, "person": person, "now": text_of(now), "comment": comment})
    details = {"was": view.state, "comment": comment, "list_version": view.list_version}
    _note(tx, f"alert.{state}", person, id, now, run_id, details)
    return True


def comment(tx: Transaction, id: str, text: str, now: datetime, *, person: str) -> None:
    """What is known about it."""
    one(tx, id)
    tx.run(_SQL["comment"], {"alert_id": id, "comment": text})
    _note(tx, "alert.commented", person, id, now, "", {"comment": text})


def refused(tx: Transaction, id: str, why: str, now: datetime, *, person: str) -> None:
    """A try that was refused is in the audit too."""
    _note(tx, "alert.refused", person, id, now, "", {"why": why})


def _note(
    tx: Transaction, act: str, actor: str, id: str, now: datetime, run_id: str, details: Mapping[str, Any]
) -> None:
    audit.write(tx, now=now, actor=actor, act=act, run_id=run_id, subject=id, details=dict(details))


def _view(row: Row) -> AlertView:
    return AlertView(
        alert_id=row["alert_id"], environment=row["environment"], party=row["party"], list=row["list"],
        entry=row["entry"], party_name=row["party_name"], country=row["country"], listed_name=row["listed_name"],
        score=row["score"], list_version=row["list_version"], state=row["state"],
        first_seen=date.fromisoformat(row["first_seen"]), last_seen=date.fromisoformat(row["last_seen"]),
        last_run=row["last_run"], decided_by=row["decided_by"], comment=row["comment"],
    )  # fmt: skip
