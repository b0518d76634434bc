"""Typing as soon as it is possible: a field that is covered, disabled or not there yet is waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from interoffice.screens.finding import Place
from interoffice.screens.healing import AFTER_S, heal
from interoffice.screens.page import PageReplaced
from interoffice.screens.session import Session
from interoffice.screens.sight import Sight

PASSING: Final = frozenset({"not_found", "disabled", "covered", "replaced"})
"""What keeps a field from being typed into now and may pass."""

Problems = Mapping[str, Mapping[str, Any]]


def type_when_possible(
    session: Session,
    asked: Sequence[tuple[Place, Mapping[str, Any]]],
    *,
    leave: bool = True,
    beside: Sequence[Place] | None = None,
) -> tuple[Problems, Sight | None]:
    """Types values into places of one frame in one call: the problems by key that did not pass, none when all is typed.

    A page that keeps being replaced is a problem of every place. `beside`: places of the main frame to look at too once
    the page has drawn; that sight comes along where all was typed.
    """
    began = time.monotonic()
    deadline, heals = began + session.patience_s, True
    while True:
        sight: Sight | None = None
        problems: Problems
        try:
            problems, sight = session.web.type_together(list(asked), leave=leave, beside=beside)
        except PageReplaced:
            problems = {place.key: {"problem": "replaced"} for place, _ in asked}
        passes = any(problem["problem"] in PASSING for problem in problems.values())
        if not passes or time.monotonic() > deadline:
            return problems, sight if beside is not None and not problems else None
        lacking = [place for place, _ in asked if problems.get(place.key, {}).get("problem") == "not_found"]
        if heals and lacking and time.monotonic() > began + AFTER_S:
            heals = False
            if heal(session, lacking):
                continue
        popups = session.popups_pressed
        session.look([place for place, _ in asked], since=None if sight is None else sight.movement.moves)
        if session.popups_pressed != popups:
            session.settle()
