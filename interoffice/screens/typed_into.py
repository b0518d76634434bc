"""An input that gives way to another one when it gets the focus: typed there, in that one's own format."""

from __future__ import annotations

from dataclasses import replace

from interoffice.errors import ApplicationError
from interoffice.model.values import Value
from interoffice.screens.finding import Place, candidate_spec
from interoffice.screens.formats import own_formats, typed
from interoffice.screens.keyboard import type_when_possible
from interoffice.screens.session import Session, press_problem


def type_into(session: Session, place: Place, value: Value) -> None:
    """Focuses the element, then types into the input that took its place."""
    session.web.call("focusOn", {"spec": place.asked()}, place.frames)
    inner = _inner(place)
    formats = own_formats(place.field.type, place.element.typed_format, place.field.formats)
    meant = typed(value, replace(place.field, formats=formats))
    problems, _ = type_when_possible(session, [(inner, meant)])
    if inner.key in problems:
        raise ApplicationError(f'"{place.element.name}" of {session.here} {press_problem(problems[inner.key], inner)}')


def _inner(place: Place) -> Place:
    candidates = [candidate_spec(one) for one in place.element.typed_into]
    spec = {**place.spec, "key": f"{place.key}>", "candidates": candidates, "protects": False}
    return replace(place, key=f"{place.key}>", spec=spec)
