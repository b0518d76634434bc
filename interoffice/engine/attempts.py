"""One step's bot, called until it is done: attempts with their waits, the pause of a credential, the time-out.

What an attempt that changes or sends leaves behind is `acts`' to settle.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

from interoffice.bot import Answer
from interoffice.context import RunFacts
from interoffice.declaration import BotDescription
from interoffice.engine.acts import Act, Verdict, answer_of
from interoffice.engine.alerts_asked import answer_about_alerts
from interoffice.engine.bot_call import facts_to, packed, with_saved_tables
from interoffice.engine.element_literals import with_literals_typed
from interoffice.engine.endings import Cancelled, StepFailed
from interoffice.engine.evaluation import converted, names_for_templates, title_of
from interoffice.engine.lanes import OnCommit
from interoffice.engine.locks import free_locks, take_lock
from interoffice.engine.messages import Message
from interoffice.engine.outcome import REHEARSED, Done
from interoffice.engine.posting import screen_of
from interoffice.engine.queue_asked import answer_about_queue
from interoffice.engine.recorder import Write
from interoffice.engine.refused_credentials import pause, paused_sentence
from interoffice.engine.run import Place, Run
from interoffice.errors import InterofficeError, Refused
from interoffice.language.calendars import add_duration
from interoffice.model import codec
from interoffice.model.types import Type
from interoffice.model.values import Duration, FileValue, Value
from interoffice.model.workflow import Retry, Step
from interoffice.plan.input_values import FileNotThere, find_file
from interoffice.store import office, steps
from interoffice.store.database import Transaction
from interoffice.store.steps import AttemptPlace, StepPlace
from interoffice.store.views import Failure, StepView

BREAKS: Final = frozenset({"application", "unclear", "bug"})
"""Errors after which a session may stand anywhere: it is opened afresh."""
SHOWN_AFTER_S: Final = 0.05
"""A call that takes longer is written down as running; a shorter one is recorded with its end."""


def seconds_of(run: Run, duration: Duration) -> float:
    """A duration from now on in seconds; business days by the project's calendar."""
    if duration.is_fixed:
        return float(duration.total_seconds)
    now = run.clock.now()
    later: Any = add_duration(now, duration, run.times)
    return float((later - now).total_seconds())


class Call:
    """A bot step being worked at one place."""

    def __init__(
        self, run: Run, place: Place, step: Step, at: StepPlace, bot: BotDescription, inputs: Mapping[str, Value]
    ) -> None:
        self.run = run
        self.place = place
        self.step = step
        self.at = at
        self.bot = bot
        self.inputs: Mapping[str, Value] = {
            name: with_saved_tables(value, run.tables_folder) for name, value in inputs.items()
        }
        self.made = 0
        self._shown = False
        self._evidence: dict[str, Value] = {}
        self._proved = False
        self._broken: BaseException | None = None

    def work(self) -> Done:
        """Calls the bot until it is done. StepFailed, Doubtful, Held, Cancelled.

        An output that is declared and was not given (a person said that it was done) is missing.
        """
        done = self._work()
        return replace(done, outputs={**dict.fromkeys(self.bot.outputs), **done.outputs})

    def _work(self) -> Done:
        self.made = self._made_before()
        act = Act.of(self) if self.bot.writes and not self.run.options.rehearse else None
        if act is not None:
            done = act.done_before()
            if done is not None:
                return done
        policy = self._policy()
        tried = 0
        while True:
            tried += 1
            failure = self._try(act, tried)
            if isinstance(failure, Done):
                return failure
            if not failure.transient or tried >= policy.attempts:
                raise StepFailed(failure)
            self._pause(policy, tried, failure)

    # one attempt

    def _try(self, act: Act | None, tried: int) -> Done | Failure:
        """One attempt: done, or why not; what it may have done is settled."""
        with self._credential_in_turn():
            attempt = self.begin_attempt("call")
            reply = self._send(attempt, "call", act)
            if self._broken is not None:
                raise self._broken
            if reply["t"] == "error" and reply["kind"] == "credential":
                self._pause_credential(reply)
            self._proved = reply["t"] in ("result", "rehearsed") or reply.get("kind") in ("business", "unclear")
        if reply["t"] == "interrupted" and self.run.control.cancel == "hard":
            self.place.recorder.write(self.end_attempt(attempt, "interrupted"))
            raise Cancelled("cancelled at once")
        if reply["t"] == "result":
            return self._good(attempt, act, _record(reply["outputs"]))
        if reply["t"] == "rehearsed":
            meant = _record(reply["meant"])
            self.place.recorder.note(self.end_attempt(attempt, "rehearsed", evidence={"meant": meant}))
            return Done(outputs={}, inputs=self.inputs, note=f"{REHEARSED}: stopped before the act")
        return self._bad(attempt, act, self._failure(reply))

    def _good(self, attempt: AttemptPlace, act: Act | None, outputs: Mapping[str, Value]) -> Done:
        writes: list[Write] = [self.end_attempt(attempt, "succeeded", outputs=outputs)]
        acted = act is not None and act.is_open
        if act is not None and act.is_open:
            writes.append(act.confirmed(outputs, by=f"bot {self.bot.name}"))
        return Done(outputs=outputs, inputs=self.inputs, writes=tuple(writes), acted=acted)

    def _bad(self, attempt: AttemptPlace, act: Act | None, failure: Failure) -> Done | Failure:
        state = "interrupted" if failure.kind == "interrupted" else "failed"
        self.place.recorder.write(self.end_attempt(attempt, state, error=failure))
        title = title_of(self.run, self.place, self.step)
        self.run.tell("attempt_failed", self.at.path, title=title, text=failure.message, done=self.made)
        if act is None or not act.is_open:
            return replace(failure, transient=False) if failure.kind == "unclear" and act is not None else failure
        if failure.kind == "business":
            self.place.recorder.write(act.withdrawn(f"refused by the application: {failure.message}"))
            return failure
        verdict = act.settle(failure)
        return verdict if isinstance(verdict, Done) else failure

    def look_up(self, act: Act) -> tuple[Answer | None, str]:
        """Asks the bot's look-up; the answer, or None and why there is none.

        StepFailed when the credential is paused, or is refused now: the intent stays open until it can be asked.
        """
        with self._credential_in_turn():
            attempt = self.begin_attempt("look_up")
            reply = self._send(attempt, "look_up", act)
            self._proved = reply["t"] == "answer"
            if reply["t"] == "error" and reply["kind"] == "credential":
                self._pause_credential(reply)
        answer, why = answer_of(reply)
        failure = None if reply["t"] == "answer" else self._failure(reply)
        found = reply.get("fields")
        outputs = _record(found) if found is not None else None
        state = Verdict.words(answer)
        self.place.recorder.write(self.end_attempt(attempt, state, outputs=outputs, error=failure))
        if failure is not None and failure.kind == "credential":
            raise StepFailed(failure)
        return answer, why or (failure.message if failure is not None else "")

    def _send(self, attempt: AttemptPlace, kind: str, act: Act | None) -> Message:
        run, place = self.run, self.place
        self._evidence = {}
        place.recorder.flush()
        self._note_begin(attempt)
        request = {
            "t": "call",
            "bot": self.bot.name,
            "kind": kind,
            "effect": self.bot.effect,
            "fresh": place.lane.is_stale,
            "inputs": {name: packed(value, run.tables_folder) for name, value in self.inputs.items()},
            "posting_key": act.key if act is not None else "",
            "run": facts_to(self._facts(attempt)),
            "names": packed(names_for_templates(run, place), run.tables_folder),
        }
        reply = place.lane.call(
            request,
            within_s=self._within_s(),
            on_commit=self._on_commit(act, attempt),
            on_note=self._on_note,
            on_slow=(SHOWN_AFTER_S, place.recorder.flush),
        )
        place.lane.is_stale = reply["t"] == "error" and reply["kind"] in BREAKS
        return reply

    def _note_begin(self, attempt: AttemptPlace) -> None:
        now = self.run.clock.now()
        recorder = self.place.recorder
        if not self._shown:
            recorder.note(lambda tx: steps.begin(tx, self.at, now, self.inputs))
            self._shown = True
        recorder.note(lambda tx: steps.begin_attempt(tx, attempt, now, None))

    def _facts(self, attempt: AttemptPlace) -> RunFacts:
        run = self.run
        return RunFacts(
            run_id=run.run_id,
            workflow=run.workflow.key,
            environment=run.environment,
            step=self.at.path,
            planned=run.times.now.astimezone(run.times.zone_info),
            rehearse=run.options.rehearse,
            item_key=self.place.key,
            attempt=attempt.number,
        )

    def _on_commit(self, act: Act | None, attempt: AttemptPlace) -> OnCommit:
        def answer(message: Message) -> Message:
            if message["t"] == "queue":
                return answer_about_queue(self.run, self.at.path, message, may_add=act is not None and act.is_open)
            if message["t"] == "alerts":
                return answer_about_alerts(self.run, message, may_settle=act is not None and act.is_open)
            if act is None:
                return {"t": "refused", "message": f"{self.bot.name} asked to commit and must not in this step."}
            if self.run.control.cancel == "hard":
                return {"t": "refused", "message": "The run is being cancelled; nothing was done."}
            try:
                meant = _record(message["meant"])
                self.place.recorder.write(act.opened(meant, message.get("evidence") or {}, attempt.number))
            except Refused as refused:
                return {"t": "refused", "message": str(refused)}
            except InterofficeError as error:
                self._broken = error
                return {"t": "refused", "message": str(error)}
            act.is_open = True
            return {"t": "go", "posting_key": act.key}

        return answer

    def _on_note(self, message: Message) -> None:
        if message["t"] == "evidence":
            self._evidence[message["name"]] = codec.decode(message["value"])
        elif message["t"] == "sign_out":
            self.run.lanes.sign_out(message["application"], but=self.place.lane)
            self.run.seats.leave(message["application"])
        elif message["t"] == "progress":
            total = message["total"]
            self.run.tell("progress", self.at.path, text=message["what"], done=message["done"], total=total)
        else:
            self.run.tell("message", self.at.path, text=message["text"], level=message["level"])

    # records

    def begin_attempt(self, kind: str) -> AttemptPlace:
        """The next attempt, call or look-up."""
        self.made += 1
        at = self.at
        return AttemptPlace(
            run_id=at.run_id, path=at.path, number=self.made, lane=self.place.lane.name, kind=kind, item_id=at.item_id
        )

    def end_attempt(
        self,
        attempt: AttemptPlace,
        state: str,
        *,
        outputs: Mapping[str, Value] | None = None,
        error: Failure | None = None,
        evidence: Mapping[str, Value] | None = None,
    ) -> Write:
        """The attempt's end, to be written."""
        now, kept = self.run.clock.now(), {**self._evidence, **(evidence or {})}
        return lambda tx: steps.end_attempt(
            tx, attempt, state, now, outputs=outputs, error=error, evidence=kept or None
        )

    def _made_before(self) -> int:
        """How many attempts the step had; a new item or a step that was never begun is not asked about."""
        item = self.place.item
        if self.at.path not in self.place.recorded and (item is None or item.attempts <= 1):
            return 0
        return self.run.ledger.read(lambda tx: steps.attempts_made(tx, self.at.run_id, self.at.path))

    # failures, waits

    def _failure(self, reply: Message) -> Failure:
        if reply["t"] == "interrupted":
            late = reply["why"] == "timeout"
            message = f"{self.bot.name} took longer than {self._within_words()}" if late else f"{self.bot.name} died"
            code = "timeout" if late else "died"
            return Failure(kind="interrupted", message=message, code=code, step=self.at.path, transient=True)
        kind: Any = "application" if reply["kind"] == "refused" else reply["kind"]
        return Failure(
            kind=kind,
            message=reply["message"],
            code=reply.get("code") or reply["kind"],
            step=self.at.path,
            transient=bool(reply.get("transient")) or kind == "unclear",
            traceback=reply.get("traceback", ""),
        )

    def _policy(self) -> Retry:
        if self.step.retry is not None:
            return self.step.retry
        safe = not self.bot.writes or self.bot.has_look_up or self.step.look_up is not None
        default = self.place.workflow.default_retry
        return default if default is not None and safe else Retry()

    def _pause(self, policy: Retry, tried: int, failure: Failure) -> None:
        """Waits before the next attempt: longer each time, never more than `max_wait`, and not all at one moment."""
        wait_s = seconds_of(self.run, policy.wait) * float(policy.backoff) ** (tried - 1)
        if policy.max_wait is not None:
            wait_s = min(wait_s, seconds_of(self.run, policy.max_wait))
        wait_s *= random.uniform(0.8, 1.0) if tried > 1 or wait_s > 1 else 1.0
        self.place.recorder.flush()
        if self.run.clock.wait(wait_s, self.run.control.stop) and self.run.control.cancel == "hard":
            raise Cancelled(failure.message)

    def _within_s(self) -> float | None:
        given = self.step.timeout or self.place.workflow.default_timeout
        own = None if given is None else seconds_of(self.run, given)
        deadline = self.run.control.deadline
        left = None if deadline is None else max(0.0, deadline - self.run.clock.monotonic())
        return min((part for part in (own, left) if part is not None), default=None)

    def _within_words(self) -> str:
        given = self.step.timeout or self.place.workflow.default_timeout
        return str(given) if given is not None else "the run may take"

    # seats, credentials

    def _take_seat(self) -> None:
        """Waits for a session where the application has only so many; waiting is no part of an attempt's time."""
        run, lane = self.run, self.place.lane
        name = run.seats.limited(self.bot, screen_of(self.bot, self.inputs))
        if name is None or run.seats.take(lane, name):
            return
        run.tell("message", self.at.path, text=run.seats.taken_words(name), level="notice")
        self.place.recorder.flush()
        if not run.seats.wait(lane, name, run.clock, run.control.stop):
            raise Cancelled(f"cancelled while it waited for a session of {name}")

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of credentials that the call uses."""
        named = [one.name for one in self.bot.inputs.values() if one.kind == "credential"]
        return tuple(said for name in named if isinstance(said := self.inputs.get(name), str))

    @contextmanager
    def _credential_in_turn(self) -> Iterator[None]:
        """A credential that has not served in this run yet is tried by one call at a time, over all runs (G6)."""
        self._take_seat()
        unproven = [name for name in self.credentials if name not in self.run.control.proven]
        with _all([self._turn(name) for name in sorted(unproven)]):
            self._refuse_paused()
            yield
            if self._proved:
                self.run.control.proven.update(unproven)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        control, lock_name = self.run.control, f"credential {self.run.environment} {name}"
        with control.lock:
            turn = control.proving.setdefault(name, threading.Lock())
        with turn:
            if name in control.proven:
                yield
                return
            take_lock(self.run, lock_name)
            try:
                yield
            finally:
                free_locks(self.run, [lock_name])

    def _paused(self, tx: Transaction) -> str | None:
        for name in self.credentials:
            if office.paused_credential(tx, self.run.environment, name) is not None:
                return name
        return None

    def _refuse_paused(self) -> None:
        if not self.credentials:
            return
        name = self.run.ledger.read(self._paused)
        if name is None:
            return
        message = paused_sentence(name)
        raise StepFailed(Failure(kind="credential", message=message, code="credential_paused", step=self.at.path))

    def _pause_credential(self, reply: Message) -> None:
        run, name, now = self.run, str(reply["credential"]), self.run.clock.now()

        def write(tx: Transaction) -> None:
            pause(
                tx, run.environment, name, reply["message"], now, actor="engine", run_id=run.run_id, path=self.at.path
            )

        self.place.recorder.write(write)


def inputs_of(
    run: Run,
    bot: BotDescription,
    evaluate: Callable[[object], Value],
    said: Mapping[str, Any],
    *,
    for_people: Callable[[object], Value] | None = None,
    before: StepView | None = None,
) -> dict[str, Value]:
    """The inputs of a call as the bot takes them: texts in their declared type, one or many where many may stand.

    `for_people` evaluates what people read (a subject), where dates and numbers stand in the project's format. `before`
    is the same step as an interrupted run began it: a file that it has moved since is the file it took then.
    """
    found: dict[str, Value] = {}
    for name, raw in said.items():
        declared = bot.inputs.get(name)
        value = (for_people or evaluate if declared is not None and declared.for_people else evaluate)(raw)
        if declared is None or value is None:
            if value is not None:
                found[name] = value
            continue
        if declared.kind == "element values":
            found[name] = with_literals_typed(run.project, bot, said, name, value, run.times.zone)
        elif declared.many:
            many = value if isinstance(value, (tuple, list)) else (value,)
            found[name] = tuple(_typed(run, name, one, declared.type, before) for one in many)
        else:
            found[name] = _typed(run, name, value, declared.type, before)
    return found


def _typed(run: Run, name: str, value: Value, wanted: Type, before: StepView | None) -> Value:
    if wanted.kind != "file" or not isinstance(value, str):
        return converted(value, wanted, run.times.zone)
    try:
        return find_file(run.project, value)
    except ValueError as wrong:
        taken = before.inputs.get(name) if before is not None else None
        for file in taken if isinstance(taken, (tuple, list)) else (taken,):
            if isinstance(file, FileValue) and PurePosixPath(file.path) == PurePosixPath(value):
                return file
        if isinstance(wrong, FileNotThere):
            raise ValueError(f'there is no file {value} (input "{name}"); put it there, or name another one') from wrong
        raise ValueError(f'input "{name}" {wrong}') from wrong


def _record(said: object) -> dict[str, Value]:
    value = codec.decode(said)
    return dict(value) if isinstance(value, Mapping) else {}


@contextmanager
def _all(turns: list[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for turn in turns:
            stack.enter_context(turn)
        yield
