"""Breaks as people work them: listed with their age, assigned, commented, closed."""

from __future__ import annotations

from datetime import UTC, datetime

from interoffice.errors import UsageError
from interoffice.office.desk import Desk
from interoffice.office.listings import Listed
from interoffice.problem import did_you_mean
from interoffice.store import breaks

STATES = ("open", "closed", "all")
MOST_SHOWN = 1_000


class OpenBreaks:
    """The breaks of a project."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listed(self, *, workflow: str | None, state: str) -> list[Listed]:
        """Breaks, the oldest first. `age` in days until today."""
        if state not in STATES:
            raise UsageError(f"--state {state}: write one of {', '.join(STATES)}.")
        found = self._desk.ledger.read(
            lambda tx: breaks.listed(tx, workflow=workflow, state=state, limit=MOST_SHOWN)
        )
        return [_row(each) for each in found]

    def assign(self, break_id: str, to: str, *, person: str) -> str:
        """It is this person's to clear."""
        people = self._desk.project.settings.people
        if to not in people:
            meant = did_you_mean(to, people)
            raise UsageError(f'settings.yaml knows no person "{to}"' + (f'; did you mean "{meant}"?' if meant else "."))
        now = datetime.now(UTC)
        self._desk.ledger.write(lambda tx: breaks.assign(tx, break_id, to, now, person=person))
        return f"{break_id} is {people[to].name}'s to clear."

    def comment(self, break_id: str, text: str, *, person: str) -> str:
        """What is known about it."""
        now = datetime.now(UTC)
        self._desk.ledger.write(lambda tx: breaks.comment(tx, break_id, text, now, person=person))
        return f"{break_id} has its comment."

    def close(self, break_id: str, why: str, *, person: str) -> str:
        """It is cleared."""
        now = datetime.now(UTC)
        self._desk.ledger.write(lambda tx: breaks.close(tx, break_id, why, now, person=person))
        return f"{break_id} is closed. A run that sees the line again opens a new one."


def _row(view: breaks.BreakView) -> Listed:
    days = (datetime.now().astimezone().date() - view.first_seen).days
    return {
        "break": view.break_id,
        "workflow": view.workflow,
        "step": view.step,
        "side": view.side,
        "line": ", ".join(f"{name}={text}" for name, text in view.row.items()),
        "reason": view.reason,
        "first_seen": view.first_seen,
        "age": f"{days} day{'' if days == 1 else 's'}",
        "assigned_to": view.assigned_to,
        "comment": view.comment,
        "closed_by": view.closed_by,
    }
