"""Drift of selectors as a person settles it: listed, accepted into the file, or rejected for good."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from interoffice.errors import UsageError
from interoffice.loader.selector_edit import candidate_map, with_candidate
from interoffice.office.desk import Desk
from interoffice.office.listings import Listed
from interoffice.resources.files import write_durably
from interoffice.screens.finding import describe
from interoffice.screens.healing import DRIFT_FILE, Memory
from interoffice.store import audit

STATES = ("open", "accepted", "rejected", "all")


class Workshop(Desk, Protocol):
    """The office that it works in, with its state folder and who is at the keyboard."""

    @property
    def state(self) -> Path: ...

    def actor(self) -> str:
        """Who is at the keyboard."""


class HealedSelectors:
    """What was healed in this project."""

    def __init__(self, desk: Workshop) -> None:
        self._desk = desk
        self._folder = desk.state / "selectors"

    def listed(self, *, state: str, application: str | None) -> list[Listed]:
        """Healings, the oldest first, with what was decided of each."""
        if state not in STATES:
            raise UsageError(f"--state {state}: write one of {', '.join(STATES)}.")
        settled = self._settled()
        found = []
        for entry in self._entries().values():
            stands = settled.get(entry["id"], "open")
            if state in (stands, "all") and application in (None, entry["application"]):
                found.append(_row(entry, stands))
        return found

    def accept(self, drift: str) -> str:
        """The healed candidate stands first in the file from now on."""
        entry = self._one(drift)
        file = f"selectors/{entry['application']}.yaml"
        path = self._desk.project.folder / file
        candidate = candidate_map(entry["candidate"])
        text = path.read_bytes().decode("utf-8")
        new = with_candidate(
            text, file, screen=entry["screen"], element=entry["element"], environment=entry["environment"],
            candidate=candidate,
        )  # fmt: skip
        write_durably(path, new.encode("utf-8"))
        self._note("selectors.accepted", entry, {"file": file, "candidate": candidate})
        return f"{file}: {entry['element']} is found first by {describe(entry['candidate'])} from now on."

    def reject(self, drift: str, why: str) -> str:
        """This element is never taken for that one again."""
        entry = self._one(drift)
        memory = Memory(folder=self._folder, application=entry["application"], environment=entry["environment"])
        memory.reject(f"{entry['screen']}/{entry['element']}", entry["trait"])
        self._note("selectors.rejected", entry, {"why": why})
        return f"{drift} is rejected: that element is never taken for {entry['element']} again."

    def _one(self, drift: str) -> dict[str, Any]:
        entry = self._entries().get(drift)
        if entry is None:
            raise UsageError(f'There is no drift "{drift}"; list it with: runner.py selectors drift')
        stands = self._settled().get(drift)
        if stands is not None:
            raise UsageError(f"{drift} is {stands} already.")
        return entry

    def _entries(self) -> dict[str, dict[str, Any]]:
        file = self._folder / DRIFT_FILE
        if not file.is_file():
            return {}
        lines = file.read_text(encoding="utf-8").splitlines()
        return {entry["id"]: entry for line in lines if line.strip() for entry in [json.loads(line)]}

    def _settled(self) -> dict[str, str]:
        """What the audit says was decided."""
        return {
            entry.subject: act.partition(".")[2]
            for act in ("selectors.accepted", "selectors.rejected")
            for entry in self._desk.ledger.audit(act=act, limit=10_000)
        }

    def _note(self, act: str, entry: dict[str, Any], details: dict[str, Any]) -> None:
        now, actor = datetime.now(UTC), self._desk.actor()
        where = {name: entry[name] for name in ("application", "environment", "screen", "element")}
        self._desk.ledger.write(
            lambda tx: audit.write(tx, now=now, actor=actor, act=act, subject=entry["id"], details={**where, **details})
        )


def _row(entry: dict[str, Any], stands: str) -> Listed:
    return {
        "drift": entry["id"],
        "element": f"{entry['application']}.{entry['screen']}.{entry['element']}",
        "environment": entry["environment"],
        "healed_by": describe(entry["candidate"]),
        "alike": f"{entry['score']:.2f}, next {entry['next']:.2f}",
        "reason": entry["reason"],
        "seen": entry["at"][:10],
        "state": stands,
    }
