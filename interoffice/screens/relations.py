"""A relation: typed, then chosen from the completion list, whose entry must be the value that was meant."""

from __future__ import annotations

import time
from typing import Final

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.formats import format_value
from interoffice.model.selectors import Screen
from interoffice.model.values import Value
from interoffice.screens.finding import Place
from interoffice.screens.formats import fold, for_people, holds_words, same
from interoffice.screens.keyboard import type_when_possible
from interoffice.screens.session import Session, press_problem

ANSWERED_S: Final = 1.0
"""How long a page that has answered and is quiet may still draw its list."""


class NoList(ApplicationError):
    """No completion list came for what was typed. `is_answered`: the page asked for it, and got nothing to show."""

    default_code = "no_list"

    def __init__(self, message: str, *, is_answered: bool) -> None:
        super().__init__(message)
        self.is_answered = is_answered


def choose_related(session: Session, screen: Screen, place: Place, value: Value) -> None:
    """Types the value and takes its entry; BusinessError naming the entries when none or several are it. NoList.

    A text that was typed and not chosen is taken out again: it looks like the value, and the application has none.
    """
    session.press_behind(screen, place)
    sight = session.settle([place])
    state, asked = sight.state(place), sight.movement.asked
    if state.is_found and same(value, state.said["reading"], place.field):
        return
    text = format_value(value)
    _type(session, place, text)
    if text == "":
        return
    try:
        entry = _entry(session, place, text, asked=asked)
    except (NoList, BusinessError):
        _type(session, place, "")
        raise
    session.web.press_option(place.element.options or "", entry, place.frames)


def _type(session: Session, place: Place, text: str) -> None:
    """All but the last sign in one go, the last by a real key, since completion often listens to keys."""
    asked = {"text": text[:-1], "native": text[:-1]}
    problems, _ = type_when_possible(session, [(place, asked)], leave=False)
    if place.key in problems:
        raise ApplicationError(f'"{place.element.name}" of {session.here} {press_problem(problems[place.key], place)}')
    if text:
        session.web.type_keys(text[-1])


def _entry(session: Session, place: Place, text: str, *, asked: int) -> int:
    """The place of the one entry that is the value. `asked`: how many requests there were before it was typed."""
    css = place.element.options
    if css is None:
        raise ApplicationError(f'"{place.element.name}" has no `options`: where its entries are', transient=False)
    deadline = time.monotonic() + session.patience_s / 3
    while True:
        entries = session.web.options(css, place.frames)
        fitting = fitting_entries(entries, text, contains=place.field.compare == "contains")
        if len(fitting) == 1:
            return fitting[0]
        sight = session.look([place])
        is_quiet, is_answered = not session.unrest(sight), sight.movement.asked > asked
        if is_quiet and is_answered and not entries:
            deadline = min(deadline, time.monotonic() + ANSWERED_S)
        if (entries and is_quiet) or time.monotonic() > deadline:
            break
        session.look([place], since=sight.movement.moves)
    if not entries:
        message = f'"{place.element.name}" of {session.here} shows no entries for "{for_people(text, place.field)}"'
        raise NoList(message, is_answered=is_answered)
    shown = for_people(text, place.field)
    there = "; ".join(entries[:10])
    how = "several entries" if fitting else "no entry"
    message = f'"{place.element.name}" of {session.here} offers {how} for "{shown}": {there}'
    raise BusinessError(message, code="several_entries" if fitting else "no_entry")


def fitting_entries(entries: list[str], text: str, *, contains: bool) -> list[int]:
    """The places of the entries that are the value. With `contains`, one that equals it without a leading symbol or
    [CODE] wins, else those that hold it as whole words."""
    wanted = fold(text)
    equal = [at for at, entry in enumerate(entries) if fold(entry) == wanted]
    if equal or not contains:
        return equal
    stripped = [at for at, entry in enumerate(entries) if _without_lead(entry) == wanted]
    return stripped or [at for at, entry in enumerate(entries) if holds_words(entry, wanted)]


def _without_lead(entry: str) -> str:
    text = fold(entry)
    if text.startswith("[") and "]" in text:
        return text.partition("]")[2].strip()
    first, _, rest = text.partition(" ")
    return rest if rest and not any(sign.isalnum() for sign in first) else text
