"""Calls of a preview: bots that read are called, those that change or send are only asked, by look-up and ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar, cast

from interoffice.bot import Answer, Found, NotFound, Unclear
from interoffice.engine.acts import Act
from interoffice.engine.attempts import Call
from interoffice.engine.endings import StepFailed
from interoffice.engine.history import counts
from interoffice.engine.messages import Message
from interoffice.engine.outcome import Done
from interoffice.engine.posting import screen_posting
from interoffice.engine.previewed import What
from interoffice.engine.recorder import Recorder, Write
from interoffice.model.values import Value
from interoffice.store import intents
from interoffice.store.database import Transaction
from interoffice.store.views import Failure

T = TypeVar("T")
MOST_DOUBTS: Final = 5
"""After so many look-ups in a row that could not tell, the others are not asked."""
LOOK_UPS: Final = 2
BETWEEN_LOOK_UPS_S: Final = 0.5


class Unwritten(Recorder):
    """A recorder of which nothing gets into the ledger."""

    def note(self, write: Write) -> None:
        """Nothing."""

    def write(self, write: Callable[[Transaction], T]) -> T:
        """Nothing; no caller of a preview reads what such a write gives."""
        return cast(T, None)

    def flush(self) -> None:
        """Nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a call would do; `outputs` where they are known, since another run has done it."""

    what: What
    why: str = ""
    different: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    outputs: Mapping[str, Value] | None = None


class Asked(Call):
    """A call that never acts: its lane refuses every commit, and so does this side."""

    _refused: Failure | None = None

    def read(self) -> Done:
        """The outputs of a bot that reads."""
        if self.bot.writes:
            raise AssertionError(f"{self.bot.name} {self.bot.effect} something; a preview does not call it")
        return self.work()

    def answer(self, act: Act) -> tuple[Answer | None, str]:
        """What the bot's look-up says; None, and why, where it says nothing."""
        answer, why = self.look_up(act)
        if self._refused is not None:
            raise StepFailed(self._refused)
        return answer, why

    def _pause_credential(self, reply: Message) -> None:
        """A refused sign-in pauses the credential for everybody (G6), in a preview too."""
        self._refused = self._failure(reply)
        unwritten, self.place = self.place, replace(self.place, recorder=Recorder(self.run.ledger))
        try:
            super()._pause_credential(reply)
        finally:
            self.place = unwritten


class Looking:
    """Finds out what calls would do. Several threads may use it."""

    def __init__(self) -> None:
        self._doubts_in_a_row: dict[str, int] = {}
        self._lock = threading.Lock()

    def verdict(self, call: Asked, unknown: Mapping[str, str]) -> Verdict:
        """What a call with these inputs would do. `unknown`: inputs that can't be known, with what they need."""
        known = _posted(call) if _has_key(call, unknown) else None
        if known is not None:
            return known
        if unknown:
            return Verdict(what="?", why=f"needs {', '.join(sorted(set(unknown.values())))}")
        if not call.bot.has_look_up:
            if call.bot.effect == "sends":
                return Verdict(what="to be sent")
            return Verdict(what="maybe", why=f"{call.bot.name} can't look up whether it is there")
        target = screen_posting(call.run, call.bot, call.inputs) or call.bot.name
        if self._doubts_in_a_row.get(target, 0) >= MOST_DOUBTS:
            return Verdict(what="maybe", why=f"not asked, since {MOST_DOUBTS} look-ups in a row could not tell")
        act = Act.of(call)
        answer, why = self._answer(call, act)
        with self._lock:
            doubts = 0 if isinstance(answer, Found | NotFound) else self._doubts_in_a_row.get(target, 0) + 1
            self._doubts_in_a_row[target] = doubts
        return _seen(call, act, answer, why)

    def _answer(self, call: Asked, act: Act) -> tuple[Answer | None, str]:
        """The answer; it is asked again when it can't tell, since that may pass."""
        for attempt in range(1, LOOK_UPS + 1):
            answer, why = call.answer(act)
            if isinstance(answer, Found | NotFound) or attempt == LOOK_UPS:
                break
            call.run.clock.wait(BETWEEN_LOOK_UPS_S, call.run.control.stop)
        return answer, why


def _has_key(call: Asked, unknown: Mapping[str, str]) -> bool:
    """Whether what is known says under which key it would post."""
    by_hand = call.step.posts is not None or screen_posting(call.run, call.bot, call.inputs) is not None
    return not (unknown.keys() & set(call.bot.identity)) or by_hand


def _posted(call: Asked) -> Verdict | None:
    """What the ledger says of the key; None where it says nothing."""
    key = Act.of(call).key

    def find(tx: Transaction) -> Verdict | None:
        unsettled = intents.unsettled(tx, key)
        if unsettled is not None:
            words = "in doubt" if unsettled.state == "in_doubt" else "left open"
            return Verdict(what="maybe", why=f"{words} by run {unsettled.run_id}")
        posted = intents.confirmed(tx, key)
        if posted is None or not counts(call.run, posted, call.place.again):
            return None
        reference = f" as {posted.reference}" if posted.reference else ""
        return Verdict(what="already there", why=f"posted by run {posted.run_id}{reference}", outputs=posted.outputs)

    return call.run.ledger.read(find)


def _seen(call: Asked, act: Act, answer: Answer | None, why: str) -> Verdict:
    match answer:
        case Found(different=different) if different:
            return Verdict(what="changed", why=answer.reference, different=different)
        case Found() as found:
            return _found(call, act, found)
        case NotFound():
            return Verdict(what="new")
        case Unclear():
            return Verdict(what="maybe", why=answer.why)
    return Verdict(what="maybe", why=why or "the look-up gave no answer")


def _found(call: Asked, act: Act, found: Found) -> Verdict:
    """Found and equal: it is there, unless it is that of an earlier occasion (`again:`) and this one is due."""
    if act.occasion:
        earlier = call.run.ledger.read(lambda tx: intents.references(tx, act.key))
        if found.reference and found.reference in earlier:
            return Verdict(what="new", why=f"{found.reference} is of an earlier run")
        if earlier:
            return Verdict(what="maybe", why="found, but it may be the posting of an earlier occasion")
    return Verdict(what="already there", why=f"found as {found.reference}" if found.reference else "found")

