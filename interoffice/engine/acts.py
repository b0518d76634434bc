"""An act that changes or sends: its intent before, its confirmation after, and the look-up where the end is unclear.

opened      the intent is durable; only then the bot acts
confirmed   the bot said that it is done, or the look-up found exactly what was meant
withdrawn   it did not happen: refused by the application, or looked up and not there
in doubt    nobody can tell; never repeated by the engine, a person decides
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NoReturn, Protocol

from interoffice.bot import Answer, Found, NotFound, Unclear
from interoffice.declaration import BotDescription
from interoffice.engine.endings import Cancelled, Doubtful, Held, StepFailed
from interoffice.engine.history import counts
from interoffice.engine.messages import Message
from interoffice.engine.outcome import ALREADY, Done
from interoffice.engine.posting import posting_key, settle_s
from interoffice.engine.recorder import Write
from interoffice.engine.run import Place, Run
from interoffice.errors import Refused
from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.model.workflow import Step
from interoffice.store import audit, intents, runs
from interoffice.store.database import Transaction
from interoffice.store.intents import NewIntent
from interoffice.store.steps import StepPlace
from interoffice.store.views import Failure, IntentView

LOOK_UPS_AT_MOST: Final = 3
BETWEEN_LOOK_UPS_S: Final = 1.0


class Caller(Protocol):
    """The call whose act it is."""

    run: Run
    place: Place
    step: Step
    at: StepPlace
    bot: BotDescription
    inputs: Mapping[str, Value]

    def look_up(self, act: Act) -> tuple[Answer | None, str]:
        """Asks the bot's look-up; the answer, or None and why there is none."""


class Verdict:
    """Words for what a look-up answered, as the ledger keeps them."""

    @staticmethod
    def words(answer: Answer | None) -> str:
        """found, different, not_found, unclear."""
        match answer:
            case Found(different=different):
                return "different" if different else "found"
            case NotFound():
                return "not_found"
        return "unclear"


class Act:
    """The act of one call: its key, and the intent that stands for it in the ledger."""

    def __init__(self, call: Caller, key: str, occasion: str) -> None:
        self.key = key
        self.occasion = occasion
        self.is_open = False
        self._call = call
        self._intent_id = ""

    @classmethod
    def of(cls, call: Caller) -> Act:
        """The act of a call, on the occasion that `again:` of its loop says."""
        key = posting_key(call.run, call.place, call.step, call.bot, call.inputs)
        return cls(call, key, call.run.run_id if call.place.again != "never" else "")

    # before the act

    def done_before(self) -> Done | None:
        """What was posted under this key before, or what an earlier attempt left open, settled; None: nothing."""
        found = self._call.run.ledger.read(lambda tx: self._history(tx))
        if found is None:
            return None
        if found.state == "confirmed":
            return self._posted_before(found)
        self._intent_id = found.intent_id
        if found.run_id == self._call.run.run_id and found.path == self._call.at.path:
            return self._left_open(found)
        return self._open_elsewhere(found)

    def _history(self, tx: Transaction) -> IntentView | None:
        unsettled = intents.unsettled(tx, self.key)
        if unsettled is not None:
            return unsettled
        posted = intents.confirmed(tx, self.key)
        call = self._call
        return posted if posted is not None and counts(call.run, posted, call.place.again) else None

    def _posted_before(self, posted: IntentView) -> Done:
        call = self._call
        if posted.run_id == call.run.run_id and posted.path == call.at.path:
            return Done(outputs=posted.outputs, inputs=call.inputs, note="posted by this run before")
        if posted.run_id == call.run.run_id and posted.item_id == call.place.item_id:
            message = f"{posted.path} has posted {self.key} in this run; say what each of the two posts, with posts:"
            raise StepFailed(Failure(kind="workflow", message=message, code="posts_the_same", step=call.at.path))
        note = f"{ALREADY}: posted by run {posted.run_id}" + (f" as {posted.reference}" if posted.reference else "")
        return Done(outputs=posted.outputs, inputs=self._call.inputs, note=note)

    def _left_open(self, left: IntentView) -> Done | None:
        """Our own intent of an attempt whose end nobody saw: this engine's, or that of one that is dead."""
        if left.state == "in_doubt":
            raise Doubtful(self._failure(left.why or "a person has to say whether it was done"))
        self.is_open = True
        failure = self._failure("the attempt before was interrupted", kind="interrupted")
        return self.settle(failure, left)

    def _open_elsewhere(self, other: IntentView) -> Done | None:
        """Another run has this key open: its posting can be confirmed, but repeated only if that run is proven dead."""
        if other.state == "in_doubt":
            raise Held(self._failure(f"{self.key} is in doubt since run {other.run_id}; settle that first"))
        self.is_open = True
        done = self.settle(self._failure(f"run {other.run_id} left it open", kind="interrupted"), other)
        if done is None:
            return None
        return Done(
            outputs=done.outputs, inputs=done.inputs, writes=done.writes, acted=True,
            note=f"{ALREADY}: posted by run {other.run_id}",
        )  # fmt: skip

    # after an unclear end

    def settle(self, failure: Failure, left: IntentView | None = None) -> Done | None:
        """Looks up what became of the open intent: done, or None when it surely isn't there and may be done again."""
        call = self._call
        if not call.bot.has_look_up:
            self._doubt(f"{failure.message}; {call.bot.name} can't look up whether it was done")
        self._let_settle(left)
        answer, why = self._answer()
        match answer:
            case Found(different=different) if different:
                words = ", ".join(f"{name} is {pair[0]} and should be {pair[1]}" for name, pair in different.items())
                self._doubt(f"found, but different: {words}")
            case Found() as found:
                return self._found(found, failure)
            case NotFound():
                self._not_found(left)
                return None
            case Unclear(why=why):
                pass
        self._doubt(f"{failure.message}; the look-up can't tell: {why}")

    def _answer(self) -> tuple[Answer | None, str]:
        """The look-up's answer; it is asked again when it can't tell, since that may pass."""
        run = self._call.run
        for attempt in range(1, LOOK_UPS_AT_MOST + 1):
            answer, why = self._call.look_up(self)
            if isinstance(answer, Found | NotFound) or attempt == LOOK_UPS_AT_MOST:
                return answer, why
            if run.control.wait_out(run.clock, BETWEEN_LOOK_UPS_S * attempt):
                raise Cancelled("cancelled during the look-up")
        return None, ""

    def _let_settle(self, left: IntentView | None) -> None:
        """Waits until the application must show what was committed; an older intent has settled long ago."""
        call = self._call
        wait_s = settle_s(call.run, call.bot, call.inputs)
        if left is not None:
            passed = call.run.clock.now() - left.written_at
            wait_s = min(wait_s, max(0.0, wait_s - passed / timedelta(seconds=1)))
        if wait_s > 0 and call.run.control.wait_out(call.run.clock, wait_s):
            raise Cancelled("cancelled before the look-up")

    def _found(self, found: Found, failure: Failure) -> Done | None:
        earlier = self._call.run.ledger.read(lambda tx: intents.references(tx, self.key)) if self.occasion else ()
        if earlier and found.reference in earlier and found.reference:
            self._not_found(None)
            return None
        if earlier:
            self._doubt("found, but it may be the posting of an earlier occasion")
        write = self.confirmed(found.fields, by="look-up", reference=found.reference)
        note = f"found by look-up after: {failure.message}"
        return Done(outputs=found.fields, inputs=self._call.inputs, note=note, writes=(write,), acted=True)

    def _not_found(self, left: IntentView | None) -> None:
        run = self._call.run
        if left is not None and left.engine_id != run.engine_id and not run.locks.is_dead(left.engine_id):
            raise Held(self._failure(f"run {left.run_id} may be posting it right now; nothing was repeated"))
        self._call.place.recorder.write(self.withdrawn("looked up: not there"))

    def _doubt(self, why: str) -> NoReturn:
        self._call.place.recorder.write(self._end("in_doubt", why=why))
        self.is_open = False
        raise Doubtful(Failure(kind="unclear", message=why, code="in_doubt", step=self._call.at.path))

    # writes

    def opened(self, meant: Mapping[str, Value], evidence: Mapping[str, str], attempt: int) -> Write:
        """The intent, to be written just before the act; refused when the item or the run is no longer ours."""
        call, now = self._call, self._call.run.clock.now()
        self._intent_id = f"I-{secrets.token_hex(6)}"
        new = NewIntent(
            intent_id=self._intent_id,
            posting_key=self.key,
            occasion=self.occasion,
            run_id=call.run.run_id,
            path=call.at.path,
            attempt=attempt,
            item_id=call.place.item_id,
            token=call.place.token,
            engine_id=call.run.engine_id,
            meant=meant,
            evidence=dict(evidence),
        )

        def write(tx: Transaction) -> None:
            if new.item_id is None and runs.one(tx, new.run_id).engine_id != new.engine_id:
                raise Refused(f"Run {new.run_id} is walked by another engine now; nothing was done.")
            intents.open_intent(tx, new, now, once=call.place.again == "never")
            self._audit(tx, "intent.opened", f"bot {call.bot.name}", {})

        return write

    def confirmed(self, outputs: Mapping[str, Value], *, by: str, reference: str = "") -> Write:
        """The confirmation; one that was looked up by another run meanwhile stands as it is."""
        self.is_open = False
        return self._end("confirmed", outputs=outputs, reference=reference or _reference(outputs), by=by)

    def withdrawn(self, why: str) -> Write:
        """It did not happen."""
        self.is_open = False
        return self._end("withdrawn", why=why)

    def _end(
        self,
        state: str,
        *,
        outputs: Mapping[str, Value] | None = None,
        reference: str = "",
        why: str = "",
        by: str = "engine",
    ) -> Write:
        intent_id, now = self._intent_id, self._call.run.clock.now()

        def write(tx: Transaction) -> None:
            stored = intents.one(tx, intent_id)
            if stored is not None and stored.state == state == "confirmed":
                return
            intents.end(tx, intent_id, state, now, reference=reference, outputs=outputs, why=why)
            self._audit(tx, f"intent.{state}", by, {"reference": reference, "why": why})

        return write

    def _audit(self, tx: Transaction, act: str, actor: str, details: Mapping[str, object]) -> None:
        call, said = self._call, {"posting_key": self.key, "path": self._call.at.path, **details}
        now = call.run.clock.now()
        audit.write(
            tx, now=now, actor=actor, act=act, run_id=call.run.run_id, subject=self._intent_id,
            details={name: value for name, value in said.items() if value},
        )  # fmt: skip

    def _failure(self, message: str, kind: str = "unclear") -> Failure:
        return Failure(kind=kind, message=message, code="in_doubt", step=self._call.at.path)  # type: ignore[arg-type]


def _reference(outputs: Mapping[str, Value]) -> str:
    """What the target calls it, where the outputs say so: the one text among them, or among their `values`."""
    values = outputs.get("values")
    found = values if isinstance(values, Mapping) else outputs
    texts = [value for value in found.values() if isinstance(value, str)]
    return texts[0] if len(texts) == 1 else ""


def answer_of(reply: Message) -> tuple[Answer | None, str]:
    """The answer in a reply to a look-up; None with the reason where there is none."""
    if reply["t"] == "interrupted":
        return None, "it took too long" if reply["why"] == "timeout" else "it died"
    if reply["t"] != "answer":
        return None, reply["message"]
    if reply["answer"] == "found":
        fields, different = codec.decode(reply["fields"]), codec.decode(reply["different"])
        assert isinstance(fields, Mapping) and isinstance(different, Mapping)
        pairs = {name: (pair[0], pair[1]) for name, pair in different.items()}
        return Found(fields=dict(fields), reference=reply["reference"], different=pairs), ""
    if reply["answer"] == "not_found":
        return NotFound(searched=reply["searched"]), ""
    return Unclear(why=reply["why"]), reply["why"]
