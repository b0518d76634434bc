"""`ctx.alerts` in a lane: it asks the engine, which keeps them (see `alerts_asked`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from interoffice.bot import Answer, Found, NotFound
from interoffice.engine.messages import Message
from interoffice.errors import Refused
from interoffice.model.values import Value

PIECE: Final = 500
"""Alerts that are told at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedAlerts:
    """`ctx.alerts` in a lane."""

    ask: Callable[[Message], Message]

    def seen(self, found: Sequence[Mapping[str, Value]]) -> tuple[tuple[str, str], ...]:
        """Id and state of each alert, now that it was seen."""
        states: list[tuple[str, str]] = []
        for start in range(0, len(found), PIECE):
            piece = [dict(each) for each in found[start : start + PIECE]]
            answer = self.ask({"t": "alerts", "do": "seen", "found": piece})
            states += [(id, state) for id, state in answer["states"]]
        return tuple(states)

    def settle(self, ids: Sequence[str], state: str) -> tuple[int, int]:
        """What people of this run decided of alerts: how many are settled now, and how many were."""
        answer = self.ask({"t": "alerts", "do": "settle", "ids": list(ids), "state": state})
        if answer["t"] == "refused":
            raise Refused(answer["message"])
        return int(answer["settled"]), int(answer["already"])

    def look_up(self, ids: Sequence[str], state: str) -> Answer:
        """Whether all these alerts are in the state."""
        others = self.ask({"t": "alerts", "do": "look_up", "ids": list(ids), "state": state})["others"]
        if others:
            return NotFound(searched=f"{len(others)} of {len(ids)} alerts are not {state}, {others[0]} first")
        return Found(fields={"settled": Decimal(0), "already": Decimal(len(ids))}, reference=state)
