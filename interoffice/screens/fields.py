"""Typing values into fields: many in one call, or one alone until it stays; read back in any case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.selectors import PLAIN_TYPES, Screen
from interoffice.model.values import Value
from interoffice.screens.finding import Place
from interoffice.screens.formats import for_people, same, typed
from interoffice.screens.keyboard import type_when_possible
from interoffice.screens.relations import NoList, choose_related
from interoffice.screens.session import Session, press_problem
from interoffice.screens.sight import Sight
from interoffice.screens.typed_into import type_into

TRIES: Final = 3
MANY: Final = 12
"""So many choices are named; of more only the nearest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """A value that belongs into a place."""

    place: Place
    value: Value
    typed: Mapping[str, Any]

    @classmethod
    def of(cls, place: Place, value: Value) -> Meant:
        """The value for a place; BusinessError when the screen can't hold it."""
        return cls(place=place, value=value, typed=typed(value, place.field))

    @property
    def is_plain(self) -> bool:
        """Typed together with others, in one call."""
        element = self.place.element
        return element.type in PLAIN_TYPES and not element.typed_into and element.options is None

    def stands(self, sight: Sight) -> bool:
        """Whether the page shows it: in its field, or in the cells of an inline row that the focus has left."""
        state = sight.state(self.place)
        if state.is_found:
            return same(self.value, state.said["reading"], self.place.field)
        cells: list[str] = state.said.get("cells", [])
        return any(same(self.value, {"text": cell, "texts": [cell]}, self.place.field) for cell in cells)

    def shown(self, sight: Sight) -> str:
        """What the page shows in its place, for people."""
        if self.place.field.sensitive:
            return "(hidden)"
        reading = sight.state(self.place).said.get("reading", {})
        return str(reading.get("checked", reading.get("text", "")))


def type_group(
    session: Session, screen: Screen, group: Sequence[Meant], *, beside: Sequence[Place] | None = None
) -> Sight | None:
    """Types fields of one frame in one call; one that is covered or not there yet is waited for.

    With `beside` (places of the main frame) what all of them show once the page has drawn comes along.
    """
    behind, back = group[0].place.element.behind, group[0].place.element.leave_by
    if behind is not None:
        session.press(screen, behind)
        session.settle()
    given = [(meant.place, meant.typed) for meant in group]
    problems, sight = type_when_possible(session, given, beside=None if back is not None else beside)
    for meant in group:
        if meant.place.key in problems:
            raise _not_typed(session, meant, problems[meant.place.key])
    if back is not None:
        session.settle()
        session.press(screen, back)
    return sight


def _not_typed(session: Session, meant: Meant, problem: Mapping[str, Any]) -> ApplicationError | BusinessError:
    name = f'"{meant.place.element.name}" of {session.here}'
    if problem["problem"] == "choice":
        wanted = for_people(problem["text"], meant.place.field)
        there = [choice for choice in problem["choices"] if choice]
        message = f'{name} does not offer "{wanted}"; it offers {offered(there, wanted)}'
        return BusinessError(message, code="not_offered")
    if problem["problem"] == "no_input":
        return ApplicationError(f"{name} is nothing that can be typed into", transient=False)
    if problem["problem"] == "one_line":
        return BusinessError(f"{name} takes one line, and the value has several", code="value_not_possible")
    unexpected = problem["problem"] == "covered" and problem["cover"]["dialog"]
    code = "unexpected_dialog" if unexpected else "not_typed"
    return ApplicationError(f"{name} {press_problem(problem, meant.place)}", code=code, transient=not unexpected)


def offered(choices: Sequence[str], wanted: str) -> str:
    """What a choice offers, in words; of many the nearest ones."""
    if len(choices) <= MANY:
        return ", ".join(choices) or "nothing"
    nearest = get_close_matches(wanted, choices, n=3, cutoff=0.3)
    return f"{len(choices)} others, the nearest: {', '.join(nearest)}" if nearest else f"{len(choices)} others"


def fill_alone(session: Session, screen: Screen, meant: Meant, beside: Iterable[Place] = ()) -> None:
    """Types one value, leaves the field, waits until the page is quiet, reads it back; three times at most."""
    places = [meant.place, *beside]
    sight: Sight | None = None
    for left in reversed(range(TRIES)):
        try:
            _type_alone(session, screen, meant)
        except NoList as no_list:
            if not left and no_list.is_answered:
                raise BusinessError(no_list.message, code="no_entry") from None
            if not left:
                raise
        sight = session.settle(places)
        session.note_drift(sight, [meant.place])
        if meant.stands(sight):
            return
    assert sight is not None
    raise did_not_stay(session, meant, sight)


def _type_alone(session: Session, screen: Screen, meant: Meant) -> None:
    element = meant.place.element
    if element.type == "relation" or element.options is not None:
        choose_related(session, screen, meant.place, meant.value)
    elif element.typed_into:
        type_into(session, meant.place, meant.value)
    else:
        type_group(session, screen, [meant])


def did_not_stay(session: Session, meant: Meant, sight: Sight) -> ApplicationError:
    """The error that names field, meant and found."""
    state = sight.state(meant.place)
    found = f'shows "{meant.shown(sight)}"' if state.is_found else state.why_not
    wanted = for_people(meant.value, meant.place.field)
    message = f'"{meant.place.element.name}" of {session.here} {found}, meant was "{wanted}"'
    return ApplicationError(message, code="not_kept")
