"""Every element of an application looked for on its screens: found as written, by another candidate, or not at all.

Nothing is typed and nothing commits: a screen is opened as its file says, and what `behind` names is pressed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Error

from interoffice.errors import ApplicationError
from interoffice.language import parse_rule
from interoffice.model.selectors import Application, Element, Screen, walk_elements
from interoffice.problem import Path as FilePath
from interoffice.screens.drift import drift_of
from interoffice.screens.evidence import hidden_by_frames
from interoffice.screens.finding import Place, describe
from interoffice.screens.healing import heal, keep_prints
from interoffice.screens.lines import column_spec
from interoffice.screens.page import PageReplaced
from interoffice.screens.session import Session, SessionEnded
from interoffice.screens.sight import State, element_names

Outcome = Literal["found", "later", "healed", "missing", "ambiguous", "empty", "not reached"]
RANK: Final[Mapping[str, int]] = {
    "found": 0, "later": 1, "healed": 2, "ambiguous": 3, "empty": 4, "missing": 5, "not reached": 6,
}  # fmt: skip
"""The better outcome of an element that is sought on several screens is the lower one."""
ROLE_WORDS: Final[Mapping[str, str]] = {
    "text": "field", "number": "field", "money": "field", "date": "field", "choice": "choice", "grid": "table",
    "yes_no": "checkbox", "button": "button", "relation": "field", "rich_text": "field", "file": "file field",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementSeen:
    """What was made of one element. `how` in words; `drift` its number where it was healed; `path` its place in the
    selectors file."""

    name: str
    outcome: Outcome
    how: str
    path: FilePath
    place: int = 0
    drift: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenSeen:
    """One screen and its elements; `problem` why it was not ready, `picture` the file that shows it framed."""

    name: str
    ready_s: float | None
    elements: tuple[ElementSeen, ...]
    problem: str = ""
    picture: str = ""


class Check:
    """A check of one application: screen after screen in sessions that it is given."""

    def __init__(self, application: Application, *, pictures: Path) -> None:
        self.application = application
        self._pictures = pictures
        self._excuses = dict(_excuses(application))
        self._shared: dict[str, ElementSeen] = {}

    def live(self, session: Session, screen: Screen) -> ScreenSeen:
        """Opens a screen and looks. SessionEnded as always."""
        began, problem = time.monotonic(), ""
        try:
            if session.is_signing_in:
                self._open_unsigned(session, screen)
            else:
                session.open(screen)
        except ApplicationError as error:
            problem = error.message
            if session.web.is_crashed:
                return self._not_opened(screen, problem)
        ready_s = None if problem else time.monotonic() - began
        return self._seen(session, screen, ready_s=ready_s, problem=problem)

    def saved(self, session: Session, screen: Screen, page: Path) -> ScreenSeen:
        """Looks at the page that was saved of a screen."""
        session.screen = screen
        if not page.is_file():
            return self._not_opened(screen, f"there is no saved page {page.name}")
        session.web.go(page.resolve().as_uri(), within_s=session.patience_s)
        session.is_signing_in = True  # a saved page is no session that could end
        session.settle()
        return self._seen(session, screen, ready_s=0.0, problem="")

    def shared(self) -> ScreenSeen:
        """The elements of every screen: the best that was seen of each."""
        return ScreenSeen(name="", ready_s=0.0, elements=tuple(self._shared.values()))

    # inner

    def _open_unsigned(self, session: Session, screen: Screen) -> None:
        opening = screen.opening(session.environment.name)
        if opening is None:
            raise ApplicationError(f'it has no `open` for environment "{session.environment.name}"', transient=False)
        session.screen = screen
        session.follow(screen, opening)
        session.wait_until(session.condition(screen, screen.ready_when), what=f"{session.here} did not become ready")
        session.settle()

    def _not_opened(self, screen: Screen, problem: str) -> ScreenSeen:
        seen = [
            ElementSeen(name=name, outcome="not reached", how="the screen was not opened", path=element.path)
            for name, element in _named(screen.elements)
        ]
        return ScreenSeen(name=screen.name, ready_s=None, elements=tuple(seen), problem=problem)

    def _seen(self, session: Session, screen: Screen, *, ready_s: float | None, problem: str) -> ScreenSeen:
        seen: list[ElementSeen] = []
        for name, element in _named(screen.elements):
            seen += self._look(session, screen, name, element)
        for name, element in _named(self.application.elements):
            for one in self._look(session, None, name, element):
                known = self._shared.get(one.name)
                if known is None or RANK[one.outcome] < RANK[known.outcome]:
                    self._shared[one.name] = one
        picture = self._picture(session, screen, seen)
        return ScreenSeen(name=screen.name, ready_s=ready_s, elements=tuple(seen), problem=problem, picture=picture)

    def _look(self, session: Session, screen: Screen | None, name: str, element: Element) -> Iterator[ElementSeen]:
        place = session.finder.place(screen, name)
        excuse = self._excuses.get((screen.name if screen else "", name), "")
        try:
            one = self._one(session, screen, place, excuse)
        except (ApplicationError, PageReplaced) as error:
            one = ElementSeen(name=name, outcome="missing", how=str(error), path=element.path)
        yield ElementSeen(name=name, outcome=one.outcome, how=one.how, path=element.path, place=one.place,
                          drift=one.drift)  # fmt: skip
        if one.outcome in ("found", "later", "healed") and element.grid is not None:
            yield from _columns(session, place, name)

    def _one(self, session: Session, screen: Screen | None, place: Place, excuse: str) -> ElementSeen:
        state = _state(session, place)
        if not state.is_visible and place.element.behind is not None and screen is not None:
            session.press_behind(screen, place)
            state = _state(session, place)
        if state.is_found:
            return self._found(session, place, state, excuse)
        before = len(session.drifts)
        if not excuse and heal(session, [place]) and (state := _state(session, place)).is_found:
            reason = session.drifts[-1].reason if len(session.drifts) > before else "healed"
            drift = session.healed_as.get(place.key, "")
            return _seen_as(place, "healed", reason.removeprefix("healed: "), drift=drift)
        return self._not_found(session, place, state, excuse)

    def _found(self, session: Session, place: Place, state: State, excuse: str) -> ElementSeen:
        by = int(state.said["by"])
        served = place.spec["candidates"][by]
        keep_prints(session, [place])
        drift = drift_of(place, state.said, where=session.here)
        number = sum(one["kind"] != "caption" for one in place.spec["candidates"][: by + 1]) or 1
        if drift is not None:
            return _seen_as(place, "later", drift.reason, place_of=number)
        if place.element.type == "read_only" and not state.text:
            return _seen_as(place, "empty", excuse or "it shows nothing now")
        return _seen_as(place, "found", _in_words(served, place))

    def _not_found(self, session: Session, place: Place, state: State, excuse: str) -> ElementSeen:
        if place.element.type != "file" and not place.spec["candidates"]:
            return _seen_as(place, "found", "by its keys")
        if state.said.get("why") == "several":
            counts = [int(count) for count in state.said["counts"]]
            at = next(at for at, count in enumerate(counts) if count > 1)
            said = _in_words(place.spec["candidates"][at], place)
            return _seen_as(place, "ambiguous", f"{counts[at]} times {said}: give a scope")
        if excuse and state.said.get("why") != "stranger":
            reached = excuse.startswith(("in a row", "a later step"))
            return _seen_as(place, "not reached" if reached else "empty", excuse)
        why = session.unhealed.get(place.key, "")
        return _seen_as(place, "missing", state.why_not + (f"; {why}" if why else ""))

    def _picture(self, session: Session, screen: Screen, seen: list[ElementSeen]) -> str:
        """The screen with its elements framed; what is sensitive is black before the file is written."""
        file = self._pictures / f"{self.application.key}-{screen.name}.png"
        framed: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for one in seen:
            if one.outcome in ("found", "later", "healed", "empty") and session.finder.has(screen, one.name):
                place = session.finder.place(screen, one.name)
                drawn = {"spec": place.asked(), "said": one.name, "is_drift": one.outcome in ("later", "healed")}
                framed.setdefault(place.frames, []).append(drawn)
        hidden = hidden_by_frames(session)
        try:
            for frames, specs in hidden.items():
                session.web.call("cover", {"specs": specs}, frames)
            for frames, elements in framed.items():
                session.web.call("outline", {"elements": elements}, frames)
            self._pictures.mkdir(parents=True, exist_ok=True)
            session.web.page.screenshot(path=file, full_page=True, timeout=10_000)
        except (Error, PageReplaced, ApplicationError):
            return ""
        finally:
            for frames in {*hidden, *framed}:
                _uncover(session, frames)
        return str(file)


def _uncover(session: Session, frames: tuple[str, ...]) -> None:
    try:
        session.web.call("uncover", None, frames)
    except (Error, PageReplaced, ApplicationError):
        return


def _state(session: Session, place: Place) -> State:
    """What is there now; all candidates are tried, so that two that disagree are told."""
    sight = session.web.look([place], switches={"thorough": True})
    watched = session.watch.sign_in_ready
    if not session.is_signing_in and watched is not None:
        signs_in = session.web.look(watched.places.values())
        if session.holds(watched, signs_in):
            raise SessionEnded
    return sight.state(place)


def _columns(session: Session, place: Place, name: str) -> Iterator[ElementSeen]:
    """The columns that a grid lacks."""
    grid = place.element.grid
    assert grid is not None
    if not grid.columns:
        return
    columns = [column_spec(column) for column in grid.columns.values()]
    asked = {"spec": place.asked(), "columns": columns, "cells_by": grid.cells_by}
    try:
        said = session.web.call("grid", asked, place.frames)
    except PageReplaced:
        return
    if said["grid"] is None:
        return
    there = ", ".join(said["grid"]["shown"]) or "none"
    for column in said["grid"]["missing"]:
        how = f'no column "{", ".join(grid.columns[column].caption)}"; it shows {there}'
        yield ElementSeen(name=f"{name}.{column}", outcome="missing", how=how, path=grid.columns[column].path)


def _seen_as(place: Place, outcome: Outcome, how: str, *, place_of: int = 0, drift: str = "") -> ElementSeen:
    return ElementSeen(
        name=place.element.name, outcome=outcome, how=how, path=place.element.path, place=place_of, drift=drift
    )


def _in_words(candidate: Mapping[str, Any], place: Place) -> str:
    if candidate["kind"] != "caption":
        return describe(candidate)
    return f'{ROLE_WORDS.get(place.element.type, "shown")} "{candidate["value"]}"'


def _named(elements: Mapping[str, Element]) -> Iterator[tuple[str, Element]]:
    """Elements by their path: `addresses`, then `addresses.street`."""
    for name, element in elements.items():
        yield name, element
        if element.many is not None:
            for inner, one in element.many.elements.items():
                yield f"{name}.{inner}", one


def _excuses(application: Application) -> Iterator[tuple[tuple[str, str], str]]:
    """(screen, element) -> why it need not be on the screen when that was just opened."""
    shared = application.elements
    for popup in application.popups.values():
        for name in (*_names(popup.when), popup.press):
            yield ("", name), f"shown with the pop-up {popup.name}"
    for text, why in ((application.quiet.busy_while, "shown while it is busy"),
                      (application.maintenance_when, "shown during maintenance")):  # fmt: skip
        for name in _names(text):
            yield ("", name), why
    sign = application.sign_in
    for screen in application.screens.values():
        read = screen.find_record.read if screen.find_record is not None else ()
        for name in read:
            if name in screen.elements and screen.elements[name].type == "read_only":
                yield (screen.name, name), "shown of a record that is stored"
    if sign is not None:
        for name in _names(sign.refused_when):
            yield ("" if name in shared else sign.screen, name), "shown when a sign-in is refused"
        for step in sign.steps:
            for name in (*_names(step.if_), *(step.fill if step.if_ else ())):
                yield (sign.screen, name), "shown only for some accounts"
        for step in sign.steps[1:]:
            if not step.if_:
                for name in (*step.fill, *([step.press] if step.press else [])):
                    if not any(name in (*one.fill, one.press) for one in sign.steps[:1]):
                        yield (sign.screen, name), "a later step of the sign-in"
    for screen in application.screens.values():
        yield from _excuses_of(application, screen)


def _excuses_of(application: Application, screen: Screen) -> Iterator[tuple[tuple[str, str], str]]:
    for element in walk_elements({**application.elements, **screen.elements}):
        own = screen.name if element.name in screen.elements else ""
        if element.commit is not None:
            commit = element.commit
            for text, why in ((commit.fails_when, "refused"), (commit.breaks_when, "broken"), (commit.done_when, "")):
                for name in _names(text):
                    how = f"shown after {element.name}" if not why else f"shown after {element.name} was {why}"
                    yield (screen.name if name in screen.elements else "", name), how
            for name in filter(None, (commit.reason, commit.confirm)):
                yield (screen.name if name in screen.elements else "", name), f"shown after {element.name}"
        if element.grid is not None:
            grid = element.grid
            if grid.next_page:
                yield (own, grid.next_page), "shown when there are more pages"
            for name in _names(grid.empty_when):
                if name != grid.count:
                    yield (own, name), "shown when the list is empty"
        if element.many is not None and element.many.entry != "first record":
            for inner in element.many.elements:
                yield (own, f"{element.name}.{inner}"), f"in a row of {element.name} that only typing would open"


def _names(text: str | None) -> list[str]:
    return [] if text is None else element_names(parse_rule(text))
