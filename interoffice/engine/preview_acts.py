"""Calls of bots in a preview: one that reads is called, one that changes or sends is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interoffice.engine.evaluation import failed
from interoffice.engine.held_rows import content_digest
from interoffice.engine.locks import locks_held
from interoffice.engine.preview_calls import Asked, Verdict
from interoffice.engine.preview_spot import UNKNOWN, Spot, Tour
from interoffice.engine.previewed import Change
from interoffice.engine.run import result_of
from interoffice.engine.unknown import Unknown, UnknownOutputs
from interoffice.errors import InterofficeError
from interoffice.model.values import Value
from interoffice.model.work import StepState
from interoffice.model.workflow import BotCall, Step


def preview_call(tour: Tour, spot: Spot, step: Step, said: BotCall) -> None:
    """A bot step."""
    run, place = tour.run, spot.place
    path = place.prefix + step.id
    bot = run.project.registry.find(said.bot)
    if bot is None:
        raise failed(path, f'there is no bot "{said.bot}"; see them with: runner.py bots', kind="workflow")
    try:
        known, unknown = tour.inputs(place, bot, said.inputs)
    except ValueError as error:
        raise failed(path, error) from error
    call = tour.call(spot, step, bot, known)
    with locks_held(run, place):
        if bot.writes:
            _ask(tour, spot, step, call, said, unknown)
        else:
            _read(tour, spot, step, call, unknown)


def _read(tour: Tour, spot: Spot, step: Step, call: Asked, unknown: Mapping[str, str]) -> None:
    if unknown:
        raise Unknown(", ".join(sorted(set(unknown.values()))))
    tour.sources.note_inputs(call.bot, call.inputs)
    done = call.read()
    tour.sources.note(done.outputs)
    spot.place.results.put(step.id, result_of(done.outputs, StepState.SUCCEEDED))
    tour.see(spot, step, "done", tour.outputs_text(done.outputs))


def _ask(
    tour: Tour, spot: Spot, step: Step, call: Asked, said: BotCall, unknown: Mapping[str, str]
) -> None:
    place = spot.place
    verdict = tour.looking.verdict(call, unknown)
    mail = None if verdict.outputs is not None or unknown else _mail(tour, spot, call)
    if not place.in_loop and not place.ending and not unknown and not spot.condition:
        tour.held[call.at.path] = {"inputs": content_digest(call.inputs)}
    if verdict.outputs is not None:
        place.results.put(step.id, result_of(verdict.outputs, StepState.SUCCEEDED))
        place.results.posted[step.id] = True
    else:
        place.results.put(step.id, UnknownOutputs(step.id))
        place.results.posted[step.id] = False
    change = _change(tour, spot, step, verdict)
    state = "unknown" if verdict.what == UNKNOWN else "done" if verdict.what == "already there" else "would act"
    text = f"the mail is in {mail}" if mail is not None else ""
    tour.see(spot, step, state, text, inputs=tour.inputs_text(place, said.inputs), change=change)  # type: ignore[arg-type]


def _change(tour: Tour, spot: Spot, step: Step, verdict: Verdict) -> Change:
    different = {
        name: (tour.shown(name, there), tour.shown(name, meant)) for name, (there, meant) in verdict.different.items()
    }
    return Change(
        path=spot.place.prefix + step.id,
        title=tour.title(spot.place, step),
        key=spot.place.key or "",
        what=verdict.what,
        different=different,
        why=verdict.why,
        condition=spot.condition,
    )


def _mail(tour: Tour, spot: Spot, call: Asked) -> Path | None:
    """The file of the mail that the call would send; StepFailed where it could not be sent."""
    if not tour.mails.is_mail(call.bot, call.inputs):
        return None
    try:
        return tour.mails.render(call.at.path, call.bot, call.inputs, _names(tour, spot))
    except InterofficeError as error:
        raise failed(call.at.path, str(error), code=getattr(error, "code", "not_ready")) from error


def _names(tour: Tour, spot: Spot) -> Mapping[str, Value]:
    """What a template sees beside its data; what comes with the run is a question mark."""
    run, place = tour.run, spot.place
    facts: dict[str, Value] = {"id": UNKNOWN, "date": run.times.today, "started_by": run.started_by}
    if place.ending:
        failure = place.failure
        facts["failed_step"] = None if failure is None else failure.step
        facts["error"] = None if failure is None else failure.message
        facts["report"] = UNKNOWN
    return {"run": facts, "workflow": {"name": place.workflow.name, "owner": place.workflow.owner}}
