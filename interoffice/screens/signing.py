"""Signing in as the application's file describes it once, and out again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from interoffice.errors import ApplicationError, CredentialRefused
from interoffice.model.selectors import Screen, SignIn, SignInStep
from interoffice.screens.finding import Place
from interoffice.screens.keyboard import type_when_possible
from interoffice.screens.session import Session, press_problem
from interoffice.screens.sight import Sight

TRIES: Final = 3


def sign_in(session: Session, parts: Mapping[str, str], *, may_be_in: bool = False) -> None:
    """Signs in with the parts of a credential, once. CredentialRefused when the application says no.

    `may_be_in`: the page has a state that was kept; where the application still knows it, nothing is typed.
    """
    sign = session.application.sign_in
    if sign is None:
        return
    screen = session.application.screens[sign.screen]
    session.is_signing_in = True
    try:
        if may_be_in and _is_in(session, sign, screen):
            session.say("still_signed_in", application=session.application.key, credential=session.credential)
            return
        _open(session, screen)
        _Signing(session, sign, screen, parts).go()
    finally:
        session.is_signing_in = False
        session.screen = None
    session.say("signed_in", application=session.application.key, credential=session.credential)


def _is_in(session: Session, sign: SignIn, screen: Screen) -> bool:
    """Whether the application's first page, quiet, says that it knows us."""
    done = session.condition(screen, sign.done_when)
    try:
        session.web.go(session.base_address, within_s=session.patience_s)
        return session.holds(done, session.settle(done.places.values()))
    except ApplicationError:
        return False


def _open(session: Session, screen: Screen) -> None:
    opening = screen.opening(session.environment.name)
    if opening is None:
        message = f'{session.application.key}.{screen.name} has no `open` for "{session.environment.name}"'
        raise ApplicationError(message, transient=False)
    session.screen = screen
    session.follow(screen, opening)


class _Signing:
    """One sign-in under way: which of its steps are done."""

    def __init__(self, session: Session, sign: SignIn, screen: Screen, parts: Mapping[str, str]) -> None:
        self.session = session
        self.sign = sign
        self.screen = screen
        self.parts = parts
        self.next = 0
        self.secret_sent = False
        self.tries: dict[int, int] = {}
        self.done = session.condition(screen, sign.done_when)
        self.refused = session.condition(screen, sign.refused_when) if sign.refused_when else None
        names = {name for step in sign.steps for name in (*step.fill, *([step.press] if step.press else []))}
        self.places = session.finder.places(screen, sorted(names))
        for step in sign.steps:
            if step.if_ is not None:
                self.places += session.condition(screen, step.if_).places.values()
        self.places += [*self.done.places.values(), *(self.refused.places.values() if self.refused else ())]

    def go(self) -> None:
        """Through the steps that are on screen, until the application says yes or no."""
        deadline = time.monotonic() + self.session.patience_s
        sight = self.session.settle(self.places)
        while not self.session.holds(self.done, sight):
            if self.next and self.refused is not None and self.session.holds(self.refused, sight):
                self._refuse(self._reason(sight))
            step = self._step_on_screen(sight)
            if step is not None:
                self._do(step)
                sight = self.session.settle(self.places)
                continue
            self.session.refuse_broken(sight)
            if time.monotonic() > deadline:
                self._give_up()
            sight = self.session.look(self.places, since=sight.movement.moves)

    def _step_on_screen(self, sight: Sight) -> SignInStep | None:
        """The first step not done yet whose fields can be typed into; those before it are passed over.

        The step done last is done again where its press got lost: its fields stand there empty, and it sent no secret.
        """
        for number in range(max(0, self.next - 1), len(self.sign.steps)):
            step = self.sign.steps[number]
            if step.if_ and not self.session.holds(self.session.condition(self.screen, step.if_), sight):
                continue
            if not all(sight.state(place).is_enabled for place in self._fields(step)):
                continue
            if number < self.next and not self._is_lost(number, step, sight):
                continue
            self.next = number + 1
            self.tries[number] = self.tries.get(number, 0) + 1
            return step
        return None

    def _is_lost(self, number: int, step: SignInStep, sight: Sight) -> bool:
        if not step.fill or self._is_secret(step) or self.tries[number] >= TRIES or self.session.unrest(sight):
            return False
        return all(sight.state(place).text == "" for place in self._fields(step))

    def _is_secret(self, step: SignInStep) -> bool:
        return any(part != "user" for part in step.fill.values())

    def _fields(self, step: SignInStep) -> list[Place]:
        names = list(step.fill) or ([step.press] if step.press else [])
        return self.session.finder.places(self.screen, names)

    def _do(self, step: SignInStep) -> None:
        meant = []
        for name, part in step.fill.items():
            text = self._part(part)
            meant.append((self.session.finder.place(self.screen, name), {"text": text, "native": text}))
        if meant:
            self.secret_sent = self.secret_sent or self._is_secret(step)
            self._type(meant)
        if step.press is not None:
            self.session.press(self.screen, step.press)

    def _type(self, meant: list[tuple[Place, dict[str, str]]]) -> None:
        problems, _ = type_when_possible(self.session, meant)
        sight = self.session.look([place for place, _ in meant])
        for place, value in meant:
            if place.key in problems:
                why = press_problem(problems[place.key], place)
                raise ApplicationError(f'"{place.element.name}" of {self.session.here} {why}', code="not_typed")
            state = sight.state(place)
            if not state.is_found or state.said["reading"]["text"] != value["text"]:
                message = f'"{place.element.name}" of {self.session.here} did not keep what was typed'
                raise ApplicationError(message, code="not_kept")

    def _part(self, name: str) -> str:
        if name == "totp" and name in self.parts:
            return one_time_code(self.parts[name], at=time.time())
        if name not in self.parts:
            has = ", ".join(sorted(self.parts)) or "nothing"
            message = f'the credential {self.session.credential} has no "{name}"; it has {has}'
            raise ApplicationError(message, code="credential_incomplete", transient=False)
        return self.parts[name]

    def _reason(self, sight: Sight) -> str:
        places = self.refused.places.values() if self.refused else ()
        return next((sight.state(place).text for place in places if sight.state(place).text), "")

    def _give_up(self) -> None:
        if not self.secret_sent:
            message = f"{self.session.here} did not ask for the secret of {self.session.credential} in time"
            raise ApplicationError(message, code="not_ready")
        self._refuse(f"not signed in within {self.session.patience_s:g} s")

    def _refuse(self, reason: str) -> None:
        name, credential = self.session.application.name, self.session.credential
        why = f": {reason.rstrip('.')}" if reason else ""
        message = f"{name} refused the credential {credential}{why}; it is not tried again until a person resets it"
        raise CredentialRefused(message, credential=credential)


def sign_out(session: Session) -> bool:
    """Presses the application's sign-out where it is on screen; True when it was pressed."""
    sign = session.application.sign_in
    if sign is None or sign.sign_out is None:
        return False
    place = session.finder.place(None, sign.sign_out)
    session.is_signing_in = True
    try:
        if not session.look([place]).state(place).is_enabled:
            session.web.go(session.base_address, within_s=session.patience_s)
            session.settle([place])
        if session.try_press(place) is not None:
            return False
        _await_signed_out(session, sign)
    finally:
        session.is_signing_in = False
        session.screen = None
    session.say("signed_out", application=session.application.key, credential=session.credential)
    return True


def _await_signed_out(session: Session, sign: SignIn) -> None:
    """Until a loaded page shows nobody signed in: a page closed earlier would take its request back."""
    done = session.condition(session.application.screens[sign.screen], sign.done_when)
    deadline = time.monotonic() + session.patience_s
    while True:
        sight = session.settle(done.places.values())
        if not session.holds(done, sight):
            return
        if time.monotonic() > deadline:
            message = f"{session.application.name} still shows {session.credential} as signed in"
            raise ApplicationError(message, code="not_signed_out")
        session.look(done.places.values(), since=sight.movement.moves)


def one_time_code(secret: str, *, at: float, digits: int = 6) -> str:
    """The time-based one-time code of a base32 secret (RFC 6238, SHA-1, a code every 30 s); `at` in Unix seconds."""
    import pyotp

    return pyotp.TOTP(secret.replace(" ", "").upper(), digits=digits).at(int(at))
