"""How the page is asked for an element: its scope chain, its candidates, and the captions that protect it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from interoffice.errors import ApplicationError
from interoffice.model.selectors import Application, Candidate, Element, Environment, Scope, ScopeStep, Screen
from interoffice.screens.formats import Field, field_of, fold, fold_caption

Spec = dict[str, Any]
"""What page/find.js takes: key, scope, candidates, captions, others, and switches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An element on a screen, ready to be asked for. `key` tells it apart from those of other screens."""

    key: str
    element: Element
    field: Field
    frames: tuple[str, ...]
    spec: Spec

    def asked(self, **switches: bool) -> Spec:
        """The question, with `thorough` (try all candidates), `wants_cover` ..."""
        return {**self.spec, **switches} if switches else self.spec


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """An element to press, and the places of the same frame that must still show then what they showed when it was
    aimed at."""

    place: Place
    held: tuple[Place, ...]

    @property
    def asked(self) -> Spec:
        """What page/door.js takes."""
        return {"spec": self.place.asked(thorough=True), "held": [place.asked() for place in self.held]}


@dataclass(slots=True)
class Finder:
    """The places of one application in one environment, made once each."""

    application: Application
    environment: Environment
    masked: frozenset[str] = frozenset()
    _places: dict[tuple[str, str], Place] = field(default_factory=dict)

    def place(self, screen: Screen | None, name: str) -> Place:
        """The place of an element; `name` may be a path into a one-to-many (`addresses.street`)."""
        known = (screen.name if screen else "", name)
        if known not in self._places:
            self._places[known] = self._make(screen, name)
        return self._places[known]

    def places(self, screen: Screen | None, names: Iterable[str]) -> list[Place]:
        """The places of several elements."""
        return [self.place(screen, name) for name in dict.fromkeys(names)]

    def has(self, screen: Screen | None, name: str) -> bool:
        """Whether there is such an element."""
        return self._element(screen, name) is not None

    def _element(self, screen: Screen | None, name: str) -> tuple[Element, Element | None] | None:
        owner_name, _, inner = name.partition(".")
        owner = self.application.element(screen, owner_name)
        if owner is None or not inner:
            return None if owner is None else (owner, None)
        if owner.many is None or inner not in owner.many.elements:
            return None
        return owner.many.elements[inner], owner

    def _make(self, screen: Screen | None, name: str) -> Place:
        found = self._element(screen, name)
        if found is None:
            where = f"screen {screen.name}" if screen else "the application"
            raise ApplicationError(f'{where} of {self.application.key} has no element "{name}"', transient=False)
        element, owner = found
        is_own = screen is not None and name.partition(".")[0] in screen.elements
        chain = (*(screen.scope if screen and is_own else ()), *(owner.scope if owner else ()), *element.scope)
        frames, steps = split_frames(chain)
        key = f"{screen.name if screen and is_own else ''}/{name}"
        if element.name in self.masked and not element.sensitive:
            element = masked(element)
        spec = {
            "key": key,
            "type": element.type,
            "scope": [step_spec(step, self.application.scopes) for step in steps],
            "candidates": candidate_specs(element, self.environment),
            "captions": [fold_caption(caption) for caption in element.caption],
            "others": self._others(screen if is_own else None, element, owner),
            "protects": bool(element.caption),
            "hidden": element.type == "file",
            "grid": element.type in ("grid", "one_to_many"),
            "commits": element.commits,
            "in_row": owner is not None and owner.many is not None and owner.many.entry == "inline row",
            "sensitive": element.sensitive,
        }
        formats = self.application.formats
        return Place(key=key, element=element, field=field_of(element, formats), frames=frames, spec=spec)

    def _others(self, screen: Screen | None, element: Element, owner: Element | None) -> dict[str, str]:
        """Captions of the elements beside it that it must not show."""
        if owner is not None and owner.many is not None:
            beside: Mapping[str, Element] = owner.many.elements
        else:
            beside = screen.elements if screen else self.application.elements
        own = {fold_caption(caption) for caption in element.caption}
        return {
            fold_caption(caption): other.name
            for other in beside.values()
            for caption in other.caption
            if fold_caption(caption) not in own
        }


def masked(element: Element) -> Element:
    """The same, never shown in logs and pictures."""
    from dataclasses import replace

    return replace(element, sensitive=True)


def split_frames(chain: Iterable[ScopeStep]) -> tuple[tuple[str, ...], list[ScopeStep]]:
    """The frames to go through, and the steps inside the last one. `page`, `frame` and `dialog` (an application's
    own of that name too) begin anew."""
    frames: list[str] = []
    steps: list[ScopeStep] = []
    was_frame = False
    for step in chain:
        if step.kind == "frame":
            frames = [*frames, step.value or ""] if was_frame else [step.value or ""]
            steps = []
        elif step.kind == "page":
            frames, steps = [], []
        elif step.kind == "dialog" or step.name == "dialog":
            steps = [step]
        else:
            steps.append(step)
        was_frame = step.kind == "frame"
    return tuple(frames), steps


def step_spec(step: ScopeStep, scopes: Mapping[str, Scope]) -> Spec:
    """One step of a scope chain, for the page."""
    said = step.name or step.kind
    if step.value is not None:
        said = f"{said}: {step.value}"
    value = step.value if step.value is None or step.kind == "css" else fold_caption(step.value)
    if step.kind != "own":
        return {"kind": step.kind, "value": value, "said": said}
    scope = scopes[step.name]
    caption = scope.caption
    return {"kind": "own", "value": value, "said": said, "css": scope.css, "caption": caption, "take": scope.take}


def candidate_specs(element: Element, environment: Environment) -> list[Spec]:
    """The captions first, then what `find` says, in order."""
    specs: list[Spec] = [{"kind": "caption", "value": fold_caption(caption)} for caption in element.caption]
    if environment.kind == "desktop":
        return [desktop_spec(one) for one in element.candidates(environment)] + specs
    return specs + [candidate_spec(one) for one in element.candidates(environment) if one.kind != "keys"]


def candidate_spec(candidate: Candidate) -> Spec:
    """One candidate, for the page; names and texts are compared as captions are."""
    value = candidate.value
    if candidate.kind in ("label", "text"):
        value = fold_caption(value)
    elif candidate.kind == "placeholder":
        value = fold(value)
    name = None if candidate.name is None else fold_caption(candidate.name)
    return {"kind": candidate.kind, "value": value, "name": name}


def desktop_spec(candidate: Candidate) -> Spec:
    """One candidate, for a window: all that its file says."""
    return {
        "kind": candidate.kind, "value": candidate.value or " ".join(candidate.keys or candidate.copy),
        "name": candidate.name, "role": candidate.role, "keys": candidate.keys, "copy": candidate.copy,
        "beside": candidate.beside, "offset": candidate.offset, "at": candidate.at,
    }  # fmt: skip


def keys_of(element: Element, environment: Environment) -> tuple[str, ...]:
    """The keys that press a button of a page, where it has any; a window's are among its candidates."""
    if environment.kind != "web":
        return ()
    return next((one.keys for one in element.candidates(environment) if one.kind == "keys"), ())


def describe(candidate: Mapping[str, Any]) -> str:
    """A candidate in words: `css input[name=amount]`."""
    name = f' "{candidate["name"]}"' if candidate.get("name") else ""
    return f"{candidate['kind']} {candidate['value']}{name}"
