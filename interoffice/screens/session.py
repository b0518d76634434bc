"""A signed-in page of one application: looking with watchers, waiting until it is quiet, opening screens, pressing.

After every look the watchers are asked: a dialog nobody declared, the sign-in page in mid-session, maintenance,
pop-ups. So nothing that a page shows is taken for data before it is known to be the page that was meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from interoffice.errors import ApplicationError
from interoffice.language.row import ValueScope
from interoffice.model.selectors import Application, Element, Environment, Opening, Popup, Screen
from interoffice.model.values import FileValue
from interoffice.screens.drift import Drift, drift_of
from interoffice.screens.finding import Finder, Place, Press, candidate_specs, keys_of
from interoffice.screens.formats import Field, fold_caption
from interoffice.screens.healing import AFTER_S, Memory, drift_id, heal, keep_prints, write_drift
from interoffice.screens.page import PageReplaced, WebPage
from interoffice.screens.sight import Condition, Movement, Sight, condition

LEAVING_MS: Final = 10_000
"""How long a page that began to leave counts as moving; a navigation that ended as a download never comes."""

Say = Callable[..., None]
"""say(event, **fields): what happened on a screen, for the run's log and report."""

PRESS_AGAIN_S: Final = 0.2
"""How long a pop-up may stay after its button was pressed before the button is pressed again."""


class SessionEnded(Exception):
    """The sign-in page came up in mid-session: nothing on this page is data."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The conditions of the whole application that every look asks."""

    sign_in_ready: Condition | None
    maintenance: Condition | None
    busy: Condition | None
    popups: tuple[tuple[Popup, Condition], ...]

    @property
    def places(self) -> list[Place]:
        """All places that they need."""
        every = (self.sign_in_ready, self.maintenance, self.busy, *(when for _, when in self.popups))
        found = {place.key: place for one in every if one is not None for place in one.places.values()}
        return list(found.values())


def watch_of(finder: Finder) -> Watch:
    """The watchers of an application."""
    application = finder.application
    signs_in = application.sign_in and application.screens.get(application.sign_in.screen)
    quiet = application.quiet.busy_while

    def of(screen: Screen | None, text: str | None) -> Condition | None:
        return None if text is None else condition(finder, screen, text)

    return Watch(
        sign_in_ready=of(signs_in, signs_in.ready_when) if signs_in else None,
        maintenance=of(None, application.maintenance_when),
        busy=of(None, quiet),
        popups=tuple((popup, condition(finder, None, popup.when)) for popup in application.popups.values()),
    )


@dataclass(kw_only=True)
class Session:
    """One page in one application, for one credential."""

    finder: Finder
    web: WebPage
    base_address: str
    scope: ValueScope
    say: Say
    readable: Callable[[FileValue], Path]
    credential: str = ""
    screen: Screen | None = None
    is_signing_in: bool = False
    ended_well: bool = False
    needs_care: set[str] = field(default_factory=set)
    drifts: list[Drift] = field(default_factory=list)
    memory: Memory = field(default_factory=lambda: Memory(folder=None, application="", environment=""))
    unhealed: dict[str, str] = field(default_factory=dict)
    healed_as: dict[str, str] = field(default_factory=dict)
    picture: Callable[[Session, str], str | None] = field(default=lambda session, what: None)
    popups_pressed: int = 0
    searched: set[str] = field(default_factory=set)
    is_traced: bool = False
    hidden: set[str] = field(default_factory=set)
    has_paged: bool = False
    _watch: Watch | None = None
    _calm: tuple[str, int] = ("", 0)
    _calm_acts: int = -1
    _opened: dict[str, Any] = field(default_factory=dict)
    _pressed: dict[str, int] = field(default_factory=dict)
    _pressing: dict[str, float] = field(default_factory=dict)
    _conditions: dict[tuple[str, str], Condition] = field(default_factory=dict)

    @property
    def application(self) -> Application:
        """The application as its file says it."""
        return self.finder.application

    @property
    def environment(self) -> Environment:
        """Where it is."""
        return self.finder.environment

    @property
    def watch(self) -> Watch:
        """What every look asks."""
        if self._watch is None:
            self._watch = watch_of(self.finder)
        return self._watch

    @property
    def patience_s(self) -> float:
        """What bounds a wait that has no bound of its own."""
        return float(self.application.patience_s)

    def condition(self, screen: Screen | None, text: str) -> Condition:
        """The condition of an expression on a screen."""
        known = (screen.name if screen else "", text)
        if known not in self._conditions:
            self._conditions[known] = condition(self.finder, screen, text)
        return self._conditions[known]

    def holds(self, wanted: Condition, sight: Sight) -> bool:
        """Whether a condition is true in a sight."""
        return wanted.holds(sight, self.scope)

    # looking

    def look(
        self,
        places: Iterable[Place] = (),
        *,
        covers: bool = False,
        since: int | None = None,
        longest_ms: float = 100,
        frame: bool = False,
        press: Press | None = None,
        after_press: bool = False,
    ) -> Sight:
        """What the places show now, after the watchers had their say. SessionEnded, ApplicationError.

        `press`: what to aim at in the same breath; `after_press`: what became of that press is asked (`missed`).
        """
        wanted = {place.key: place for place in (*places, *self.watch.places)}
        switches = {"wants_cover": True} if covers else None
        sight = self.web.look(
            wanted.values(), switches=switches, since=since, longest_ms=longest_ms, frame=frame, press=press,
            after_press=after_press,
        )  # fmt: skip
        missed = sight.missed
        for _ in range(10):
            if not self._heed(sight):
                break
            sight = self.web.look(wanted.values(), switches=switches, frame=True, press=press)
        return sight if sight.missed == missed else replace(sight, missed=missed)

    def _heed(self, sight: Sight) -> bool:
        """Asks the watchers; True when a pop-up was pressed away, so that the sight is stale."""
        self._refuse_dialogs()
        watch = self.watch
        if not self.is_signing_in and watch.sign_in_ready is not None and self.holds(watch.sign_in_ready, sight):
            raise SessionEnded
        if watch.maintenance is not None and self.holds(watch.maintenance, sight):
            message = f"{self.application.name} is being maintained: {self._text_of(watch.maintenance, sight)}"
            raise ApplicationError(message, code="maintenance")
        for popup, when in watch.popups:
            if not self.holds(when, sight):
                self._note_gone(popup)
            elif self._pressed.get(popup.name, 0) < popup.at_most and self._may_press(popup):
                return self._press_away(popup)
        return False

    def _may_press(self, popup: Popup) -> bool:
        """A pop-up can be on the page before its script is: one that stays after the press is pressed again."""
        last = self._pressing.get(popup.name)
        return last is None or time.monotonic() - last > PRESS_AGAIN_S

    def _note_gone(self, popup: Popup) -> None:
        if self._pressing.pop(popup.name, None) is not None:
            self._pressed[popup.name] = self._pressed.get(popup.name, 0) + 1

    def _refuse_dialogs(self) -> None:
        if self.web.dialogs:
            said = self.web.dialogs.pop()
            self.web.dialogs.clear()
            message = f'{self.application.name} asked something nobody has declared: "{said}"; it was not accepted'
            raise ApplicationError(message, code="unexpected_dialog", transient=False)

    def _text_of(self, wanted: Condition, sight: Sight) -> str:
        texts = (sight.state(place).text for place in wanted.places.values())
        return next((text for text in texts if text), wanted.text)[:200]

    def _press_away(self, popup: Popup) -> bool:
        place = self.finder.place(None, popup.press)
        if place.element.commits:
            raise ApplicationError(f'the pop-up "{popup.name}" would press a commit', transient=False)
        try:
            problem = self.web.press_once(place.asked(), place.frames)
        except PageReplaced:
            return True
        if problem is not None:
            return False
        if popup.name not in self._pressing:
            self.popups_pressed += 1
            self.say("popup_closed", application=self.application.key, popup=popup.name)
        self._pressing[popup.name] = time.monotonic()
        return True

    # waiting

    def settle(
        self,
        places: Iterable[Place] = (),
        *,
        within_s: float | None = None,
        seen: Sight | None = None,
        press: Press | None = None,
    ) -> Sight:
        """A sight of the quiet page; ApplicationError when it does not come to rest.

        After an act the page draws once before it is looked at; where nothing was done since it was quiet, it need not.
        `seen`: a sight of these places and the watchers' after the act. `press`: what to aim at in the same breath.
        """
        places = list(places)
        deadline = time.monotonic() + (self.patience_s if within_s is None else within_s)
        if seen is None or self._heed(seen):
            seen = self.look(places, frame=self.web.acts != self._calm_acts, press=press)
        sight = seen
        while why := self.unrest(sight):
            if time.monotonic() > deadline:
                raise ApplicationError(f"{self.here} does not come to rest: {why}", code="not_quiet")
            longest = self._longest_ms(sight.movement)
            sight = self.look(places, since=sight.movement.moves, longest_ms=longest, press=press)
        self.is_calm(sight)
        return sight

    def is_calm(self, sight: Sight) -> None:
        """Notes that the page was quiet in this sight."""
        self._calm = (sight.movement.document, sight.movement.asked)
        self._calm_acts = self.web.acts

    def unrest(self, sight: Sight) -> str:
        """Why the page is not quiet yet; '' when it is."""
        movement, quiet = sight.movement, self.application.quiet
        if not movement.is_there or movement.loaded != "complete":
            return "the page is still loading"
        if movement.leaving_ms is not None and movement.leaving_ms < LEAVING_MS:
            return "the page is about to be left"
        if movement.in_flight:
            return f"{movement.in_flight} requests are not answered"
        calm_at = self._calm[1] if self._calm[0] == movement.document else 0
        if movement.asked != calm_at and movement.since_request_ms < float(quiet.no_requests_for_s) * 1000:
            return "it keeps asking the server"
        if quiet.no_changes_for_s is not None and movement.since_change_ms < float(quiet.no_changes_for_s) * 1000:
            return "it keeps changing"
        if self.watch.busy is not None and self.holds(self.watch.busy, sight):
            return self._text_of(self.watch.busy, sight)
        return ""

    def _longest_ms(self, movement: Movement) -> float:
        """How long nothing has to move until it is worth looking again."""
        quiet = self.application.quiet
        left = [float(quiet.no_requests_for_s) * 1000 - movement.since_request_ms]
        if quiet.no_changes_for_s is not None:
            left.append(float(quiet.no_changes_for_s) * 1000 - movement.since_change_ms)
        return min(100.0, max([5.0, *(each for each in left if each > 0)]))

    def wait_until(
        self, wanted: Condition, *, what: str, within_s: float | None = None, places: Iterable[Place] = (),
        heals: bool = False,
    ) -> Sight:  # fmt: skip
        """The first sight in which a condition holds; ApplicationError with `what` when none does in time.

        `heals`: what the condition needs and the quiet screen lacks is sought by what it looked like before.
        """
        every = [*wanted.places.values(), *places]
        began = time.monotonic()
        deadline = began + (self.patience_s if within_s is None else within_s)
        sight = self.look(every, covers=wanted.wants_cover)
        while not self.holds(wanted, sight):
            self.refuse_broken(sight)
            if heals and time.monotonic() > began + AFTER_S and not self.unrest(sight):
                heals = False
                if heal(self, wanted.needed):
                    sight = self.look(every, covers=wanted.wants_cover)
                    continue
            if time.monotonic() > deadline:
                raise ApplicationError(f"{what}: {self.explain(wanted, sight)}", code="not_ready")
            sight = self.look(every, covers=wanted.wants_cover, since=sight.movement.moves)
        return sight

    def refuse_broken(self, sight: Sight) -> None:
        """ApplicationError when the page is the server's or the browser's own page about an error."""
        if self.web.is_error_page:
            message = f"{self.application.name} can't be reached at {self.base_address}"
            raise ApplicationError(message, code="no_answer")
        if self.web.status >= 500 and sight.movement.loaded == "complete":
            message = f"{self.application.name} answered with an error of its server ({self.web.status})"
            raise ApplicationError(message, code="server_error")

    def explain(self, wanted: Condition, sight: Sight) -> str:
        """Why a condition does not hold: the expression, and what its elements show."""
        parts = []
        for name, place in wanted.places.items():
            state = sight.state(place)
            if not state.is_found:
                more = f" ({self.unhealed[place.key]})" if place.key in self.unhealed else ""
                parts.append(f'"{name}" {state.why_not}{more}' if state.said else f'"{name}" is not there')
            elif place.field.sensitive or place.element.type == "button":
                parts.append(f'"{name}" is {"enabled" if state.is_enabled else "not enabled"}')
            else:
                parts.append(f'"{name}" shows "{state.text[:60]}"')
        return f"`{wanted.text}` is not true ({'; '.join(parts)})"

    @property
    def here(self) -> str:
        """What a message calls the screen that is open."""
        screen = self.screen
        return f"{self.application.key}.{screen.name}" if screen else self.application.name

    # opening

    def open(self, screen: Screen, *, searching: Iterable[str] = ()) -> Sight:
        """Opens a screen, ready and quiet: by the shorter way where the last commit ended well.

        A list that stands ready stays, unless a field was searched by that is not in `searching`, or it was paged.
        """
        if self._stands_ready(screen) and self.searched <= set(searching) and not self.has_paged:
            return self.settle()
        opening = screen.opening_again(self.environment.name) if self._may_go_again(screen) else None
        if opening is not None and opening.stands:
            if (sight := self._as_opened(screen)) is not None:
                self.ended_well = False
                return sight
            opening = None
        opening = opening or screen.opening(self.environment.name)
        if opening is None:
            where = f"{self.application.key}.{screen.name}"
            raise ApplicationError(f'{where} has no `open` for environment "{self.environment.name}"', transient=False)
        self.screen, self.ended_well, self.has_paged = screen, False, False
        self.searched.clear()
        self._pressed.clear()
        self._pressing.clear()
        self.follow(screen, opening)
        sight = self._settle_ready(self.condition(screen, screen.ready_when), self._shown_places(screen))
        self._opened = {place.key: _shown(sight, place) for place in self._shown_places(screen)}
        return sight

    def _shown_places(self, screen: Screen) -> list[Place]:
        """All of a screen that shows a value, where it is to stand again as it was opened."""
        again = screen.opening_again(self.environment.name)
        if again is None or not again.stands:
            return []
        names = [name for name, element in screen.elements.items() if element.type != "button"]
        return self.finder.places(screen, names)

    def _as_opened(self, screen: Screen) -> Sight | None:
        """The sight in which the screen is ready and shows what it showed when it was opened; None where it doesn't."""
        ready, places = self.condition(screen, screen.ready_when), self._shown_places(screen)
        sight = self.settle([*ready.places.values(), *places])
        is_same = all(_shown(sight, place) == self._opened.get(place.key) for place in places)
        return sight if is_same and self.holds(ready, sight) else None

    def _settle_ready(self, ready: Condition, places: Iterable[Place] = ()) -> Sight:
        """A sight of the quiet page in which a screen is ready; `places` are looked at too."""
        deadline = time.monotonic() + self.patience_s
        every = [*ready.places.values(), *places]
        while True:
            self.wait_until(ready, what=f"{self.here} did not become ready", heals=True)
            sight = self.settle(every)
            if self.holds(ready, sight):
                return sight
            if time.monotonic() > deadline:
                why = self.explain(ready, sight)
                raise ApplicationError(f"{self.here} did not stay ready: {why}", code="not_ready")

    def _may_go_again(self, screen: Screen) -> bool:
        return self.screen is screen and self.ended_well

    def _stands_ready(self, screen: Screen) -> bool:
        if self.screen is not screen or screen.commits:
            return False
        ready = self.condition(screen, screen.ready_when)
        return self.holds(ready, self.look(ready.places.values()))

    def follow(self, screen: Screen, opening: Opening) -> None:
        """Goes where an opening leads; whether the screen is there is asked afterwards."""
        if opening.address is not None:
            self.web.go(joined(self.base_address, opening.address), within_s=self.patience_s)
        for word in opening.menu:
            self._press_place(self._menu_entry(word))
            self.settle()
        if opening.keys:
            if self.environment.kind == "desktop":
                self.settle()  # whatever lies over the window would get the keys
            self.web.press_keys(opening.keys)
        for name in opening.press:
            self.settle()
            self.press(screen, name)

    def _menu_entry(self, word: str) -> Place:
        element = Element(name=word, path=(), type="button", caption=(word,))
        spec = {
            "key": f"menu/{word}", "type": "button", "scope": [], "captions": [fold_caption(word)], "others": {},
            "candidates": candidate_specs(element, self.environment), "protects": False, "hidden": False, "grid": False,
            "commits": False, "sensitive": False,
        }  # fmt: skip
        formats = self.application.formats
        return Place(key=f"menu/{word}", element=element, field=Field(name=word, type="button", formats=formats),
                     frames=(), spec=spec)  # fmt: skip

    # pressing

    def press(self, screen: Screen | None, name: str, *, row: int | None = None, twice: bool = False) -> None:
        """Presses a button (or a row of a grid) that does not commit, once it can be pressed."""
        place = self.finder.place(screen, name)
        if place.element.commits:
            raise ApplicationError(f'"{name}" commits, so only `submit` may press it', transient=False)
        self._press_place(place, row=row, twice=twice)

    def _press_place(self, place: Place, *, row: int | None = None, twice: bool = False) -> None:
        deadline = time.monotonic() + self.patience_s
        keys = keys_of(place.element, self.environment)
        if keys and not place.spec["candidates"]:
            self.web.press_keys(keys)
            return
        healing_at: float | None = time.monotonic() + AFTER_S
        while True:
            problem = self.try_press(place, row=row, twice=twice)
            if problem is None:
                if row is None:
                    keep_prints(self, [place])
                return
            if problem["problem"] == "not_found" and healing_at is not None and time.monotonic() > healing_at:
                healing_at = None
                if heal(self, [place]):
                    continue
            sight = self.look([place])
            if keys and problem["problem"] == "not_found":
                self.web.press_keys(keys)
                return
            if time.monotonic() > deadline:
                raise ApplicationError(f'"{place.element.name}" of {self.here} {press_problem(problem, place)}')
            self.look([place], since=sight.movement.moves)

    def try_press(self, place: Place, *, row: int | None = None, twice: bool = False) -> Mapping[str, Any] | None:
        """One press of what can be pressed now; None when it was, else {problem}: nothing was pressed."""
        try:
            problem = self.web.press_once(place.asked(thorough=True), place.frames, row=row, twice=twice)
        except PageReplaced:
            return {"problem": "replaced"}
        return problem  # type: ignore[no-any-return]

    def press_behind(self, screen: Screen, place: Place) -> None:
        """Presses what brings an element in sight, where its file names something and it isn't in sight."""
        behind = place.element.behind
        if behind is not None and not self.look([place]).state(place).is_visible:
            self.press(screen, behind)
            self.settle([place])

    def note_drift(self, sight: Sight, places: Iterable[Place]) -> None:
        """Reports elements that were found otherwise than by their first candidate, each once."""
        places = list(places)
        keep_prints(self, places)
        for place in places:
            drift = drift_of(place, sight.state(place).said, where=self.here)
            if drift is not None and drift not in self.drifts:
                self.drifts.append(drift)
                self.say("drift", screen=self.here, element=place.element.name, reason=drift.reason)

    def report_drift(
        self, place: Place, found: Mapping[str, Any], *, reason: str, was: Mapping[str, Any], is_used: bool
    ) -> None:
        """A healing, told with its picture, and kept for `runner.py selectors`."""
        entry = _drift_entry(self, place, found)
        self.healed_as[place.key] = entry["id"]
        picture = self.picture(self, "healed")
        drift = Drift(screen=self.here, element=place.element.name, reason=f"healed: {reason}")
        if drift in self.drifts:
            return
        self.drifts.append(drift)
        more = {"reason": reason, "was": dict(was), "now": found["print"], "is_used": is_used}
        write_drift(self.memory.folder, {**entry, **more})
        evidence = {"healed": picture} if picture else {}
        self.say("drift", screen=self.here, element=place.element.name, reason=drift.reason, drift=entry["id"],
                 evidence=evidence)  # fmt: skip


def _shown(sight: Sight, place: Place) -> Any:
    """What a place shows, to be compared with what it shows later."""
    return sight.state(place).said.get("reading")


def _drift_entry(session: Session, place: Place, found: Mapping[str, Any]) -> dict[str, Any]:
    application, environment = session.application.key, session.environment.name
    screen, _, element = place.key.partition("/")
    return {
        "id": drift_id(application, environment, place.key, str(found["trait"])), "application": application,
        "environment": environment, "screen": screen, "element": element, "candidate": found["candidate"],
        "trait": found["trait"], "score": found["score"], "next": found["next"],
    }  # fmt: skip


def press_problem(problem: Mapping[str, Any], place: Place) -> str:
    """Why something could not be pressed or typed into, in words that go on after its name."""
    from interoffice.screens.sight import why_not

    match problem["problem"]:
        case "not_found":
            state: Mapping[str, Any] = problem["state"]
            return why_not(state, place)
        case "disabled":
            return "is not enabled"
        case "covered":
            cover: Mapping[str, Any] = problem["cover"]
            what = "a dialog" if cover["dialog"] else "something"
            return f'is covered by {what} that shows "{cover["text"]}"'
        case "moved":
            return "did not get the press: it keeps moving"
        case _:
            return "is on a page that keeps being replaced"


def joined(base: str, address: str) -> str:
    """An address of a screen behind the environment's, as it stands."""
    if address.startswith(("http://", "https://")):
        return address
    return base[:-1] + address if base.endswith("/") and address.startswith("/") else base + address
