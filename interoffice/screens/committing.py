"""The commit: the whole form read once more, the intent written, the button pressed once, the outcome read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Error

from interoffice.errors import ApplicationError, BusinessError, OutcomeUnclear
from interoffice.model.selectors import Commit, Screen
from interoffice.model.values import Value
from interoffice.screens.evidence import Evidence
from interoffice.screens.fields import TRIES
from interoffice.screens.filling import Form
from interoffice.screens.finding import Place, Press
from interoffice.screens.formats import Unreadable, shown
from interoffice.screens.once import sent_once
from interoffice.screens.session import Session, SessionEnded, press_problem
from interoffice.screens.sight import Condition, Sight

Gate = Callable[..., str]
"""commit(meant, evidence=...): returns when the intent is durable; raises Rehearsed or Refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """How a commit ended well: what was read, and the evidence by name."""

    values: Mapping[str, Value]
    evidence: Mapping[str, str]


class Missed(Exception):
    """The press did not reach its button: nothing was pressed. `problem` says why."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem["problem"])
        self.problem = problem


@dataclass(kw_only=True)
class Outcome:
    """A commit of a form: its button, and the three ends that it can have. One that holds before the press counts only
    after it was false."""

    session: Session
    screen: Screen
    place: Place
    commit: Commit
    said: str
    held: tuple[Place, ...]
    counts: dict[str, bool]
    conditions: dict[str, Condition]

    @classmethod
    def of(cls, form: Form, submit: str) -> Outcome:
        """The outcome of the commit that will be pressed. ApplicationError where the button does not commit."""
        session, screen = form.session, form.screen
        place, said = session.finder.place(screen, submit), f'"{submit}" of {session.application.key}.{screen.name}'
        commit = place.element.commit
        if commit is None:
            raise ApplicationError(f"{said} does not commit", transient=False)
        texts = {"done": commit.done_when, "fails": commit.fails_when, "breaks": commit.breaks_when}
        return cls(
            session=session, screen=screen, place=place, commit=commit, said=said,
            held=tuple(form.places), counts={},
            conditions={name: session.condition(screen, text) for name, text in texts.items() if text},
        )  # fmt: skip

    @property
    def press(self) -> Press | None:
        """What is aimed at while the form is read; None where not all of it is in the main frame."""
        in_main = not any(place.frames for place in (self.place, *self.held))
        return Press(place=self.place, held=self.held) if in_main else None

    @property
    def watched(self) -> list[Place]:
        """What must be looked at before the press."""
        return [*self.places, self.place]

    @property
    def places(self) -> list[Place]:
        """What must be looked at to tell."""
        found = [place for each in self.conditions.values() for place in each.places.values()]
        if self.commit.reason is not None:
            found.append(self.session.finder.place(self.screen, self.commit.reason))
        return found

    def before(self, sight: Sight) -> None:
        """Notes which of them hold before the press."""
        self.counts = {name: not self.session.holds(each, sight) for name, each in self.conditions.items()}

    def ends(self, sight: Sight) -> list[str]:
        """Which of them hold now, and count."""
        if not sight.movement.is_there or sight.movement.loaded == "loading":
            return []
        found = []
        for name, each in self.conditions.items():
            if not self.session.holds(each, sight):
                self.counts[name] = True
            elif self.counts[name]:
                found.append(name)
        return found

    @property
    def within_s(self) -> float:
        """How long an end may take."""
        return float(self.commit.within_s) if self.commit.within_s is not None else self.session.patience_s


def commit_form(
    form: Form, outcome: Outcome, *, read: tuple[str, ...], meant: Mapping[str, Value], gate: Gate, evidence: Evidence
) -> Committed:
    """Commits a filled form. BusinessError: refused, nothing posted. OutcomeUnclear: look up before any repeat."""
    session, screen = form.session, form.screen
    files, aimed = _make_ready(form, outcome, evidence)
    gate(meant, evidence=files)
    wanted = session.finder.places(screen, read)
    try:
        with sent_once(session, within_s=outcome.within_s):
            sight = _pressed_once(form, outcome, aimed, wanted)
    except BusinessError as refused:
        if names := _wiped(form):
            raise ApplicationError(
                f"{session.here} emptied {', '.join(names)} just before the press, and refused the form for it "
                f"({refused.message}); nothing was posted",
                code="wiped_before_press",
            ) from refused
        raise
    except Error as error:
        raise OutcomeUnclear(f"the browser failed while {outcome.said} was pressed: {error}") from error
    if outcome.commit.verify_after:
        _verify(form)
    session.ended_well = True
    if (after := evidence.picture(session, "after")) is not None:
        files["after"] = after
    return Committed(values=read_values(session, screen, read, sight), evidence=files)


def _wiped(form: Form) -> list[str]:
    """What was emptied between the last reading and the press; nothing where the page can't tell any more."""
    try:
        return form.wiped()
    except (ApplicationError, SessionEnded):
        return []


def _pressed_once(form: Form, outcome: Outcome, aimed: Mapping[str, Any] | None, read: list[Place]) -> Sight:
    """The sight in which the commit is done. While it is sure that nothing was pressed, what the page has changed is
    typed anew, and pressed then."""
    session = form.session
    for _ in range(TRIES):
        try:
            _press(session, outcome, aimed)
            return _wait_for_end(session, outcome, read, after_press=aimed is not None)
        except Missed as missed:
            aimed = None
            if missed.problem["problem"] == "changed":
                session.say("changed_before_press", screen=session.here)
                aimed = _aimed(form.make_right(outcome.watched, press=outcome.press))
    message = f"{session.here} changed what was typed each time before it could be pressed; nothing was pressed"
    raise ApplicationError(message, code="wiped_before_press")


def _aimed(sight: Sight) -> Mapping[str, Any] | None:
    return sight.aimed if sight.aimed is not None and sight.aimed["problem"] is None else None


def _make_ready(
    form: Form, outcome: Outcome, evidence: Evidence
) -> tuple[dict[str, str], Mapping[str, Any] | None]:
    """The form right, the button aimed at, the evidence taken: all that can go wrong before the intent."""
    session, place = form.session, outcome.place
    sight = form.make_right(outcome.watched, press=outcome.press)
    state = sight.state(place)
    if not state.is_enabled:
        why = "is not enabled" if state.is_found else state.why_not
        raise ApplicationError(f'"{place.element.name}" of {session.here} {why}', code="not_ready")
    if state.said.get("second") is not None:
        message = f'the ways to find "{place.element.name}" of {session.here} point at different buttons'
        raise ApplicationError(message + "; a person must say which one posts", code="ambiguous", transient=False)
    session.note_drift(sight, [place])
    files = {"typed": evidence.record(session, "typed", form.typed_and_read(sight))}
    if (before := evidence.picture(session, "before")) is not None:
        files["before"] = before
    outcome.before(sight)
    return files, _aimed(sight)


def _press(session: Session, outcome: Outcome, aimed: Mapping[str, Any] | None) -> None:
    """The one press. What could not be pressed is pressed again only while it is sure that nothing was.

    What is aimed at already is pressed at once; whether it got the press is told by the first look for an end.
    """
    place, deadline = outcome.place, time.monotonic() + session.patience_s
    while True:
        try:
            if aimed is not None:
                session.web.press_aimed(aimed)
                return
            problem = session.try_press(place)
        except ApplicationError as error:
            raise OutcomeUnclear(f"{outcome.said} was pressed, then: {error}", code=error.code) from error
        if problem is None:
            return
        if time.monotonic() > deadline:
            message = f'"{place.element.name}" of {session.here} {press_problem(problem, place)}'
            raise ApplicationError(message, code="not_pressed")
        sight = _unless_ended(session, outcome, "before it could be pressed")
        outcome.ends(sight)


def _unless_ended(session: Session, outcome: Outcome, when: str) -> Sight:
    try:
        return session.look(outcome.places)
    except SessionEnded:
        raise OutcomeUnclear(f"{session.application.name} ended the session {when}", code="session_ended") from None


def _wait_for_end(session: Session, outcome: Outcome, read: list[Place], *, after_press: bool = False) -> Sight:
    """The sight in which it is done; raises for every other end. Missed when nothing was pressed."""
    deadline = time.monotonic() + outcome.within_s
    places = [*outcome.places, *read]
    confirm = outcome.commit.confirm
    asked = session.finder.place(outcome.screen, confirm) if confirm else None
    sight: Sight | None = None
    while True:
        try:
            since = None if sight is None else sight.movement.moves
            sight = session.look([*places, *([asked] if asked else [])], since=since, after_press=after_press)
            after_press = False
            if sight.missed is not None:
                raise Missed(sight.missed)
            ends = outcome.ends(sight)
            if ends and not session.unrest(sight):
                session.is_calm(sight)
                return _judge(session, outcome, ends, sight)
            if asked is not None and sight.state(asked).is_enabled and session.try_press(asked) is None:
                asked = None
            session.refuse_broken(sight)
        except SessionEnded:
            message = f"{session.application.name} showed its sign-in page after {outcome.said} was pressed"
            raise OutcomeUnclear(message, code="session_ended") from None
        except OutcomeUnclear:
            raise
        except ApplicationError as error:
            raise OutcomeUnclear(f"after {outcome.said} was pressed: {error}", code=error.code) from error
        if time.monotonic() > deadline:
            raise OutcomeUnclear(_silence(session, outcome, sight), code="no_sign")


def _silence(session: Session, outcome: Outcome, sight: Sight) -> str:
    done = session.explain(outcome.conditions["done"], sight)
    return f"{outcome.said} was pressed, and no sign of an end came within {outcome.within_s:g} s: {done}"


def _judge(session: Session, outcome: Outcome, ends: list[str], sight: Sight) -> Sight:
    if ends == ["done"]:
        return sight
    if ends == ["fails"]:
        raise BusinessError(_reason(session, outcome, sight), code="refused_by_application")
    if ends == ["breaks"]:
        raise OutcomeUnclear(f"{outcome.said} broke: {_reason(session, outcome, sight)}", code="broke")
    raise OutcomeUnclear(f"{outcome.said} ended in two ways at once: {', '.join(ends)}", code="two_ends")


def _reason(session: Session, outcome: Outcome, sight: Sight) -> str:
    """The application's own words, else the condition that told."""
    if outcome.commit.reason is not None:
        state = sight.state(session.finder.place(outcome.screen, outcome.commit.reason))
        if state.text:
            return state.text
    return f"{session.application.name} refused it ({outcome.commit.fails_when})"


def _verify(form: Form) -> None:
    """The application shows what was stored: all is read again, and a difference is no success."""
    try:
        form.refuse_stored(form.session.settle(form.places))
    except SessionEnded:
        raise OutcomeUnclear("the session ended before what was stored could be read", code="session_ended") from None
    except ApplicationError as error:
        raise OutcomeUnclear(f"posted differently: {error}", code="posted_differently") from error


def read_values(session: Session, screen: Screen, names: tuple[str, ...], sight: Sight) -> dict[str, Value]:
    """The values of elements. After a commit nothing is raised: what can't be read is missing, and said."""
    values: dict[str, Value] = {}
    for name in names:
        state = sight.state(session.finder.place(screen, name))
        reading: Mapping[str, Any] | None = state.said.get("reading")
        try:
            values[name] = None if reading is None else shown(reading, state.place.field)
        except Unreadable as error:
            values[name] = None
            session.say("not_readable", screen=session.here, element=name, reason=str(error))
    return values
