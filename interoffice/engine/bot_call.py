"""One call of a bot, or of its look-up, from request to reply: the same code in a lane process and in the parent.

Requests and replies are plain JSON objects (values by the codec, tables by handle):

    call      {bot, kind: call | look_up, inputs, run: facts, effect, posting_key}
    replies   {t: result, outputs} {t: answer, answer, ...} {t: rehearsed, meant}
              {t: error, kind, code, message, transient, credential, traceback}
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from interoffice.bot import BotMark, Found, NotFound, Unclear
from interoffice.context import Context, RunFacts
from interoffice.engine.messages import Message
from interoffice.errors import (
    ApplicationError,
    BusinessError,
    CredentialRefused,
    InterofficeError,
    OutcomeUnclear,
    Refused,
    Rehearsed,
)
from interoffice.model import codec
from interoffice.model.table import Table
from interoffice.model.values import Value

Ask = Callable[[Message], Message]
"""Sends a request to the engine and gives its answer: how a lane asks for the intent."""
ContextOf = Callable[[RunFacts, "Gate"], Context]


class Gate:
    """`Context.commit`: asks the engine for the intent, and lets the bot act only when it is durable."""

    def __init__(self, *, effect: str, rehearse: bool, ask: Ask, folder: Path) -> None:
        self.effect = effect
        self.rehearse = rehearse
        self.asked = False
        self._ask = ask
        self._folder = folder

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        if self.effect == "reads":
            raise RuntimeError('a bot with effect "reads" asked to commit; declare it as changes or sends')
        if self.rehearse:
            raise Rehearsed(dict(meant))
        if self.asked:
            raise Refused("The bot asked for a second act in one call; one call does one act.")
        self.asked = True
        answer = self._ask(
            {"t": "commit", "meant": packed(dict(meant), self._folder), "evidence": dict(evidence or {})}
        )
        if answer["t"] == "refused":
            raise Refused(answer["message"])
        return str(answer["posting_key"])


def perform(request: Message, bot: Callable[..., Any], context_of: ContextOf, ask: Ask, folder: Path) -> Message:
    """The reply to a request. Whatever the bot raises becomes an error reply; only a stop of the process passes."""
    facts = facts_from(request["run"])
    look_up = request["kind"] == "look_up"
    effect = "reads" if look_up else request["effect"]
    gate = Gate(effect=effect, rehearse=facts.rehearse, ask=ask, folder=folder)
    try:
        context = context_of(facts, gate)
        inputs = {name: _as_input(codec.decode(said)) for name, said in request["inputs"].items()}
        if look_up:
            return _answer(_look_up_of(bot)(context, request["posting_key"], inputs), folder)
        return {"t": "result", "outputs": _outputs(bot(context, **inputs), folder)}
    except Rehearsed as rehearsed:
        meant = rehearsed.meant if isinstance(rehearsed.meant, Mapping) else {}
        return {"t": "rehearsed", "meant": packed(dict(meant), folder)}
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return error_reply(error)


def _look_up_of(bot: Callable[..., Any]) -> Callable[..., Any]:
    mark = cast(BotMark, bot.bot_mark)  # type: ignore[attr-defined]
    if mark.look_up is None:
        raise RuntimeError("this bot has no look-up")
    return mark.look_up


def _answer(answer: object, folder: Path) -> Message:
    match answer:
        case Found():
            different = {name: list(pair) for name, pair in answer.different.items()}
            said = {"fields": packed(dict(answer.fields), folder), "reference": answer.reference}
            return {"t": "answer", "answer": "found", **said, "different": packed(different, folder)}
        case NotFound():
            return {"t": "answer", "answer": "not_found", "searched": answer.searched}
        case Unclear():
            return {"t": "answer", "answer": "unclear", "why": answer.why}
    raise TypeError(f"a look-up gives Found, NotFound or Unclear, not {answer!r}")


def _outputs(result: object, folder: Path) -> object:
    if result is None:
        return {}
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        named = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
        return packed(named, folder)
    raise TypeError(f"a bot gives one frozen dataclass, or nothing, not {type(result).__name__}")


def packed(value: Value, folder: Path) -> Any:
    """The value as the codec writes it, every table in it saved in the run's folder first."""
    return codec.encode(with_saved_tables(value, folder))


def with_saved_tables(value: Value, folder: Path) -> Value:
    """The same value; tables that were only in memory are handles on files of the folder now."""
    if isinstance(value, Table):
        if value.path is not None and value.path.is_relative_to(folder):
            return value
        folder.mkdir(parents=True, exist_ok=True)
        return value.save(folder)
    if isinstance(value, Mapping):
        return {name: with_saved_tables(item, folder) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(with_saved_tables(item, folder) for item in value)
    return value


def _as_input(value: Value) -> Value:
    return tuple(_as_input(item) for item in value) if isinstance(value, list) else value


def error_reply(error: BaseException) -> Message:
    """An exception of a bot as the reply that says what the engine makes of it."""
    reply: Message = {"t": "error", "message": _sentence(error), "code": getattr(error, "code", ""), "traceback": ""}
    match error:
        case CredentialRefused():
            return {**reply, "kind": "credential", "credential": error.credential}
        case OutcomeUnclear():
            return {**reply, "kind": "unclear"}
        case ApplicationError():
            return {**reply, "kind": "application", "transient": error.transient}
        case BusinessError():
            return {**reply, "kind": "business"}
        case Refused():
            return {**reply, "kind": "refused"}
        case InterofficeError():
            return {**reply, "kind": "application", "transient": False, "code": reply["code"] or "not_ready"}
    text = "".join(traceback.format_exception(error))
    return {**reply, "kind": "bug", "code": type(error).__name__, "traceback": text}


def _sentence(error: BaseException) -> str:
    if isinstance(error, InterofficeError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def facts_to(facts: RunFacts) -> Message:
    """The run's facts as JSON."""
    said = {name: getattr(facts, name) for name in RunFacts.__slots__}
    zone = getattr(facts.planned.tzinfo, "key", "UTC")
    return {**said, "planned": [facts.planned.isoformat(), zone]}


def facts_from(said: Message) -> RunFacts:
    """The run's facts that `facts_to` wrote, the planned time in the project's zone."""
    moment, zone = said["planned"]
    return RunFacts(**{**said, "planned": datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))})
