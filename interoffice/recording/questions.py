"""The four things that a recording can't show by itself, asked on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from interoffice.recording.recorded import Recorded, Recording, Showing, Visited
from interoffice.recording.writing import Answers

Ask = Callable[[str], str]
"""Asks one line; '' takes what is offered first."""
Tell = Callable[[str], None]
Offer = TypeVar("Offer")


def ask_all(recording: Recording, ask: Ask, tell: Tell) -> Answers:
    """Which button commits, what shows that it worked, where a refusal's reason stands, how a record is searched."""
    commit = _ask_commit(recording, ask, tell)
    if commit is None:
        return Answers()
    shows = _ask_shows(recording, commit, ask, tell)
    reason = _ask_reason(recording, ask, tell)
    return Answers(commit=commit, shows=shows, reason=reason, searched=_ask_searched(recording, commit[0], ask, tell))


def _ask_commit(recording: Recording, ask: Ask, tell: Tell) -> tuple[Visited, Recorded] | None:
    offers = recording.pressed()[::-1]
    if not offers:
        tell("No button was pressed on a screen where something was typed: nothing commits.")
        return None
    likely = sorted(offers, key=lambda offer: (offer[0].grid is not None, not offer[1].said.get("submits")))
    words = [f'"{one.caption or one.name}" on {screen.title}' for screen, one in likely]
    return _choose("Which button commits (posts, saves for good)?", likely, words, ask, tell)


def _ask_shows(
    recording: Recording, commit: tuple[Visited, Recorded], ask: Ask, tell: Tell
) -> Showing | None:
    offers = recording.shown_after(*commit)
    if not offers:
        tell("Nothing came up after it that only shows: done_when is yours to write.")
        return None
    return _choose("What shows that it worked?", offers, [offer.words for offer in offers], ask, tell)


def _ask_reason(recording: Recording, ask: Ask, tell: Tell) -> Mapping[str, Any] | None:
    alert = {"role": "alert", "captions": [], "candidates": [{"kind": "role", "value": "alert", "name": None}]}
    seen = recording.alerts()
    offers: list[Mapping[str, Any]] = [one.said for one in seen]
    words = [one.words for one in seen]
    if not any(each["kind"] == "role" and each["value"] == "alert" for one in offers for each in one["candidates"]):
        offers.append(alert)
        words.append("in an alert (role alert), which was not seen while recording")
    return _choose("Where does the reason of a refusal stand?", offers, words, ask, tell)


def _ask_searched(recording: Recording, form: Visited, ask: Ask, tell: Tell) -> Visited | None:
    offers = [screen for screen in recording.lists if screen is not form]
    if not offers:
        tell("No list was opened while recording: there is no look-up, so a step of this screen can't be repeated.")
        return None
    offers.sort(key=lambda screen: not any(form.field(one.caption) for one in screen.fields))
    words = [_list_words(screen) for screen in offers]
    return _choose("How is a record searched?", offers, words, ask, tell)


def _list_words(screen: Visited) -> str:
    by = ", ".join(one.caption or one.name for one in screen.fields)
    return f"on {screen.title}, by {by}" if by else f"on {screen.title}, which was not searched"


def _choose(
    question: str, offers: Sequence[Offer], words: Sequence[str], ask: Ask, tell: Tell
) -> Offer | None:
    tell(question)
    for number, each in enumerate(words, start=1):
        tell(f"  {number}  {each}")
    while True:
        said = ask(f"Its number, or none [{1}]: ").strip().lower()
        if said in ("none", "no", "0"):
            return None
        if said == "":
            return offers[0]
        if said.isdigit() and 1 <= int(said) <= len(offers):
            return offers[int(said) - 1]
        tell(f'"{said}" is not one of them: write a number from 1 to {len(offers)}, or none.')
