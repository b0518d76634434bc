"""What the page showed at one moment, and what a condition of selectors/ makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from interoffice.language import names_used, parse_rule, path_of, walk
from interoffice.language.errors import RowError
from interoffice.language.nodes import Logic, Node, Test
from interoffice.language.row import ValueScope, evaluate
from interoffice.model.selectors import Screen
from interoffice.model.values import Value
from interoffice.screens.finding import Finder, Place
from interoffice.screens.formats import Unreadable, shown

STATES = frozenset({"visible", "enabled", "covered"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """What still moved. `document` changes with every page that is loaded."""

    document: str
    address: str
    loaded: str
    moves: int
    asked: int
    in_flight: int
    since_request_ms: float
    since_change_ms: float
    leaving_ms: float | None

    @property
    def is_there(self) -> bool:
        """False while a page is being replaced."""
        return self.document != ""


NOWHERE = Movement(
    document="", address="", loaded="loading", moves=0, asked=0, in_flight=0, since_request_ms=0.0, since_change_ms=0.0,
    leaving_ms=None,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What was found of one place. `by` is the candidate that served, None where none did."""

    place: Place
    said: Mapping[str, Any]

    @property
    def is_found(self) -> bool:
        """Exactly one element."""
        return bool(self.said.get("by", -1) >= 0)

    @property
    def is_visible(self) -> bool:
        """Exactly one, displayed, with an area."""
        return bool(self.said.get("visible"))

    @property
    def is_enabled(self) -> bool:
        """Visible, and takes input."""
        return bool(self.said.get("enabled"))

    @property
    def is_covered(self) -> bool:
        """Something lies over it."""
        return self.said.get("cover") is not None

    @property
    def value(self) -> Value:
        """What it shows, typed; missing where it is not found or can't be read as its type."""
        if not self.is_found:
            return None
        reading = self.said["reading"]
        if "rows" in reading:
            return tuple({} for _ in range(reading["rows"]))
        try:
            return shown(reading, self.place.field)
        except Unreadable:
            return None

    @property
    def text(self) -> str:
        """What it shows, as it stands; '' where it is not found."""
        return str(self.said["reading"]["text"]) if self.is_found else ""

    @property
    def why_not(self) -> str:
        """Why it was not found, in words that go on after its name."""
        return why_not(self.said, self.place)


def why_not(said: Mapping[str, Any], place: Place) -> str:
    """Why an element was not found, in words that go on after its name."""
    if said.get("why") == "scope":
        return f'is not there: nothing is shown for its scope "{said["missing"]}"'
    if said.get("why") == "stranger":
        refused = said["refused"]
        return f'was refused: what was found shows "{refused["caption"]}", the caption of "{refused["of"]}"'
    if said.get("why") == "several":
        return f"can't be told apart: {max(said['counts'])} elements fit; give it a scope"
    count = len(place.spec["candidates"])
    return f"is not on the screen: none of its {count} candidates fits" if count != 1 else "is not on the screen"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """One look at the page: what moved, and the states by place key.

    `aimed`: where a press would go, if one was asked. `missed`: why a press did not reach its element, if it did not.
    """

    movement: Movement
    states: Mapping[str, State]
    aimed: Mapping[str, Any] | None = None
    missed: Mapping[str, Any] | None = None

    def state(self, place: Place) -> State:
        """What was found of a place; nothing where it was not looked for."""
        return self.states.get(place.key) or State(place=place, said={})


@dataclass(frozen=True, kw_only=True)
class Condition:
    """An expression about a screen. Missing counts as not yet."""

    text: str
    screen: Screen | None
    node: Node
    places: Mapping[str, Place]
    wants_cover: bool

    @property
    def needed(self) -> list[Place]:
        """What must be on the screen for it to be true: elements that are to be enabled, visible or present."""
        names = {
            ".".join(path)
            for test in _asserted(self.node)
            if test.test in ("enabled", "visible", "present") and (path := path_of(test.operand)) is not None
        }
        return [place for name, place in self.places.items() if name in names]

    def holds(self, sight: Sight, scope: ValueScope) -> bool:
        """Whether it is true in a sight."""
        if not sight.movement.is_there:
            return False
        row = Row({name: sight.state(place) for name, place in self.places.items()})

        def state(name: str, test: str) -> bool:
            return bool(getattr(row.states[name], f"is_{test}"))

        own = ValueScope(times=scope.times, names=row, row=row, patterns=scope.patterns, state=state)
        try:
            return evaluate(self.node, own) is True
        except RowError:
            return False


@dataclass(frozen=True, slots=True)
class Row(Mapping[str, Value]):
    """The values of the elements of a condition, read when they are asked for."""

    states: Mapping[str, State]

    def __getitem__(self, name: str) -> Value:
        if name in self.states:
            return self.states[name].value
        inner = {key.partition(".")[2]: state.value for key, state in self.states.items() if key.startswith(f"{name}.")}
        if not inner:
            raise KeyError(name)
        return inner

    def __contains__(self, name: object) -> bool:
        return name in self.states or any(key.startswith(f"{name}.") for key in self.states)

    def __iter__(self) -> Iterator[str]:
        return iter(self.states)

    def __len__(self) -> int:
        return len(self.states)


def _asserted(node: Node) -> Iterator[Test]:
    """The tests that must be true for the whole to be true: those joined by `and`, none that is negated."""
    if isinstance(node, Logic) and node.operator == "and":
        yield from _asserted(node.left)
        yield from _asserted(node.right)
    elif isinstance(node, Test) and not node.negated:
        yield node


def condition(finder: Finder, screen: Screen | None, text: str) -> Condition:
    """The condition of an expression, its names being elements of the screen, then of the application."""
    node = parse_rule(text)
    names = dict.fromkeys(name for name in element_names(node) if finder.has(screen, name))
    places = {name: finder.place(screen, name) for name in names}
    wants_cover = any(isinstance(each, Test) and each.test == "covered" for each in walk(node))
    return Condition(text=text, screen=screen, node=node, places=places, wants_cover=wants_cover)


def element_names(node: Node) -> list[str]:
    """The names in an expression that may be elements."""
    return [".".join(path) for name in names_used(node) if (path := path_of(name.node)) is not None]
