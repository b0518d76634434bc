"""Alerts of screening as compliance works them: listed, commented, decided by a named person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from interoffice.errors import Refused, UsageError
from interoffice.office.desk import Desk
from interoffice.office.listings import Listed
from interoffice.store import alerts, runs

if TYPE_CHECKING:
    from interoffice.store.database import Transaction

STATES = ("open", *alerts.DECIDED, "all")
MOST_SHOWN = 1_000


class ScreeningAlerts:
    """The alerts of a project."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listed(self, *, state: str, party: str | None) -> list[Listed]:
        """Alerts, the oldest first. `age` in days until today."""
        if state not in STATES:
            raise UsageError(f"--state {state}: write one of {', '.join(STATES)}.")
        found = self._desk.ledger.read(lambda tx: alerts.listed(tx, state=state, party=party, limit=MOST_SHOWN))
        return [_row(each) for each in found]

    def decide(self, alert_id: str, state: str, why: str, *, person: str) -> str:
        """A false positive or a true match. Who started the run that saw it last can't decide; every try is audited."""
        now, settings = datetime.now(UTC), self._desk.project.settings

        def write(tx: Transaction) -> bool:
            view = alerts.one(tx, alert_id)
            if refused := settings.why_no_alerts(person):
                raise Refused(refused)
            if runs.one(tx, view.last_run).started_by == person:
                raise Refused(f"You started run {view.last_run}, which raised {alert_id}; another person decides.")
            return alerts.decide(tx, alert_id, state, why, now, person=person)

        try:
            done = self._desk.ledger.write(write)
        except Refused as refused:
            said = str(refused)
            self._desk.ledger.write(lambda tx: alerts.refused(tx, alert_id, said, now, person=person))
            raise
        words = state.replace("_", " ")
        if not done:
            return f"{alert_id} is a {words} already."
        holds = "; no run asks again until the name, the country or the entry changes" if "false" in state else ""
        return f"{alert_id} is a {words}{holds}."

    def comment(self, alert_id: str, text: str, *, person: str) -> str:
        """What is known about it."""
        now = datetime.now(UTC)
        self._desk.ledger.write(lambda tx: alerts.comment(tx, alert_id, text, now, person=person))
        return f"{alert_id} has its comment."


def _row(view: alerts.AlertView) -> Listed:
    days = (datetime.now().astimezone().date() - view.first_seen).days
    return {
        "alert": view.alert_id,
        "party": view.party,
        "name": view.party_name,
        "country": view.country,
        "listed_as": view.listed_name,
        "list": f"{view.list} {view.entry}",
        "score": view.score,
        "list_version": view.list_version,
        "state": view.state.replace("_", " "),
        "first_seen": view.first_seen,
        "last_seen": view.last_seen,
        "age": f"{days} day{'' if days == 1 else 's'}",
        "decided_by": view.decided_by,
        "comment": view.comment,
    }
