"""A recording: the events of a browser sorted into screens, with the fields that were typed and the buttons pressed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from interoffice.recording.events import Event
from interoffice.recording.guessing import name_of, type_of

LEAVES: Final = re.compile(r"\b(sign ?out|log ?out|logoff|abmelden|ausloggen|d[ée]connexion)\b", re.I)
SEARCHES: Final = re.compile(r"\b(search|find|apply|filter|go|suchen|anwenden)\b", re.I)
NEXT: Final = re.compile(r"^(next|next page|weiter|n[äa]chste.*|›|»|>)$", re.I)
COUNTS: Final = re.compile(r"found|count|total|result|hits|records|treffer|anzahl", re.I)


@dataclass(kw_only=True)
class Recorded:
    """An element that was used or is needed. `values` are what it held, for guesses only; none is ever written."""

    name: str
    said: Mapping[str, Any]
    type: str
    frame: str = ""
    values: list[Any] = field(default_factory=list)

    @property
    def caption(self) -> str:
        """What a person reads beside or on it; '' where nothing stands there."""
        captions = self.said.get("captions") or [""]
        return str(captions[0])


@dataclass(kw_only=True)
class Visited:
    """A screen: one address of the application, all that was done there in order, and what could be seen."""

    name: str
    title: str
    url: str
    events: list[Event] = field(default_factory=list)
    fields: list[Recorded] = field(default_factory=list)
    presses: list[Recorded] = field(default_factory=list)
    has_cells: bool = False

    @property
    def signs_in(self) -> bool:
        """Whether a secret was typed here."""
        return any(one.said.get("secret") for one in self.fields)

    @property
    def seen(self) -> list[Event]:
        """What could be seen here, in order."""
        return [event for event in self.events if event.what == "seen"]

    @property
    def grid(self) -> Mapping[str, Any] | None:
        """The list of the screen: the one table with the most columns that nobody types into."""
        grids = [grid for event in self.seen for grid in event.grids]
        return max(grids, key=lambda grid: len(grid["columns"]), default=None)

    def field(self, caption: str) -> Recorded | None:
        """The field with a caption."""
        return next((one for one in self.fields if one.caption and one.caption == caption), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """Something that only shows, and came up or changed after a press."""

    said: Mapping[str, Any]
    text: str

    @property
    def words(self) -> str:
        """How a person is asked about it."""
        captions = self.said.get("captions") or [""]
        what = f"{captions[0]}: " if captions[0] else f"({self.said['role']}) " if self.said.get("role") else ""
        return f'{what}"{self.text[:60]}"'


@dataclass(kw_only=True)
class Recording:
    """What was recorded in one application."""

    screens: list[Visited]
    events: list[Event]

    @property
    def sign_in(self) -> Visited | None:
        """The screen where somebody signed in."""
        return next((screen for screen in self.screens if screen.signs_in), None)

    @property
    def forms(self) -> list[Visited]:
        """Screens where something was typed, the sign-in apart."""
        return [screen for screen in self.screens if screen.fields and not screen.signs_in]

    @property
    def lists(self) -> list[Visited]:
        """Screens that show a list whose columns have captions."""
        return [screen for screen in self.screens if screen.grid is not None and not screen.signs_in]

    def pressed(self) -> list[tuple[Visited, Recorded]]:
        """Buttons that may have committed: on a screen where something was typed."""
        return [
            (screen, one)
            for screen in self.forms
            for one in screen.presses
            if not LEAVES.search(one.caption) and one.said.get("tag") != "a"
        ]

    def shown_after(self, screen: Visited, button: Recorded) -> list[Showing]:
        """What came up after the last press of a button and was not there before, likeliest first."""
        presses = (n for n, event in enumerate(self.events) if event.what == "pressed")
        at = max(n for n in presses if is_same(self.events[n].element, button.said))
        before: dict[str, str] = {}
        for event in self.events[:at]:
            if event.what == "seen":
                before = {key_of(one["element"]): one["text"] for one in event.shows}
        found: dict[str, Showing] = {}
        for event in self.events[at + 1 :]:
            if event.what in ("typed", "pressed"):
                break
            for one in event.shows:
                key = key_of(one["element"])
                if one["text"] and not before.get(key) and one["element"]["candidates"]:
                    found.setdefault(key, Showing(said=one["element"], text=one["text"]))
        last = lambda one: (not one.said.get("captions"), one.said.get("role") == "alert")  # noqa: E731
        return sorted(found.values(), key=last)

    def alerts(self) -> list[Showing]:
        """What looked like the reason of a refusal at some time."""
        found: dict[str, Showing] = {}
        for event in self.events:
            for one in event.shows:
                said = one["element"]
                is_alert = said.get("role") == "alert"
                is_alert = is_alert or any("error" in str(each["value"]) for each in said["candidates"])
                if is_alert and said["candidates"] and one["text"]:
                    found.setdefault(key_of(said), Showing(said=said, text=one["text"]))
        return list(found.values())

    def control(self, wanted: re.Pattern[str], screens: Sequence[Visited] | None = None) -> Mapping[str, Any] | None:
        """A button or link that was on a page and is called so."""
        for screen in screens if screens is not None else self.screens:
            for event in screen.seen:
                for said in event.controls:
                    if wanted.search(str(said.get("text", ""))) and said["candidates"]:
                        return said
        return None


def make_recording(events: Iterable[Event]) -> Recording:
    """Sorts events into screens, one per address (numbers of records in a path count as one)."""
    told = list(events)
    screens: dict[str, Visited] = {}
    signing_in = _signing_in(told)
    for event in told:
        if not event.url.startswith(("http://", "https://", "file:")):
            continue
        key = page_key(event.url)
        if event.document in signing_in:
            key = "sign-in"  # whatever its address: one may show the sign-in first and itself afterwards
        if key not in screens:
            title = event.heading or event.title.partition(" - ")[0] or key
            if event.document in signing_in:
                title = "Sign in"
            taken = [screen.name for screen in screens.values()]
            screens[key] = Visited(name=name_of(title, taken=taken, otherwise="screen"), title=title, url=event.url)
        screen = screens[key]
        screen.events.append(event)
        if event.what in ("typed", "pressed"):
            _use(screen, event)
    return Recording(screens=list(screens.values()), events=told)


def _signing_in(told: Sequence[Event]) -> set[str]:
    """The documents in which somebody signed in: those with a secret, and the page before that asked who it is."""
    typed: dict[str, list[Event]] = {}
    for event in told:
        if event.what == "typed":
            typed.setdefault(event.document, []).append(event)
    found, before = set(), ""
    for document, events in typed.items():
        if any(event.element.get("secret") for event in events):
            found.add(document)
            if before and before not in found and len({key_of(event.element) for event in typed[before]}) == 1:
                has_list = any(event.grids for event in told if event.document == before)
                found |= set() if has_list else {before}
        before = document
    return found


def page_key(url: str) -> str:
    """What makes two addresses the same screen."""
    parts = urlsplit(url)
    route = parts.fragment if parts.fragment.startswith(("/", "!/")) else ""
    return "#".join(re.sub(r"/\d+(?=/|$)", "/*", each) for each in (parts.path, route.partition("?")[0]))


def _use(screen: Visited, event: Event) -> None:
    if event.what == "pressed" and event.element.get("role") == "option":
        if screen.fields:  # an entry of a completion list belongs to the field before it
            screen.fields[-1].type = "relation"
            screen.fields[-1].values.append(event.value)
        return
    if event.element.get("row"):  # a cell of a list: never an element of its own
        screen.has_cells = screen.has_cells or event.what == "typed"
        return
    used = screen.fields if event.what == "typed" else screen.presses
    known = next((one for one in used if is_same(one.said, event.element)), None)
    if known is None:
        said = event.element
        names = [one.name for one in (*screen.fields, *screen.presses)]
        own = (*said.get("captions", ()), said.get("name"), said.get("placeholder"), said.get("title"))
        words = [str(one) for one in own if one]
        name = name_of(*words, taken=names, otherwise="field" if event.what == "typed" else "button")
        known = Recorded(name=name, said=said, type=type_of(said, event.value), frame=event.frame)
        used.append(known)
    if event.value is not None and not known.said.get("secret"):
        if event.what == "typed":
            known.values = [event.value]
            if known.type not in ("relation",):
                known.type = type_of(known.said, event.value)
        else:
            known.values.append(event.value)


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return key_of(one) == key_of(other)


def key_of(said: Mapping[str, Any]) -> str:
    """An element across documents: what finds it, and where."""
    candidates = [(each["kind"], each["value"], each["name"]) for each in said.get("candidates", ())[:2]]
    return repr((said.get("tag"), said.get("captions"), said.get("scope"), candidates))
