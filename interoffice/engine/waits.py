"""`wait`: for a date, or until a reading bot sees something. Suspended on disk; only here the real clock counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from interoffice.engine.attempts import Call, inputs_of, seconds_of
from interoffice.engine.endings import StepFailed, Suspended
from interoffice.engine.evaluation import condition, failed, scope_at, value_of
from interoffice.engine.outcome import Done
from interoffice.engine.run import Place, Run
from interoffice.model.reading import read_date_time
from interoffice.model.values import Duration, Value
from interoffice.model.workflow import Step, Wait
from interoffice.store.steps import StepPlace
from interoffice.store.views import Failure

WalkSteps = Callable[[Run, Place, tuple[Step, ...]], None]
EVERY_S = 300.0


def do_wait(run: Run, place: Place, step: Step, wait: Wait, at: StepPlace, walk: WalkSteps) -> Done:
    """Done when the date has come or the bot has seen it, `.late` when the time was up; else Suspended."""
    if wait.date is not None:
        return _for_date(run, place, wait.date, at)
    outputs = _ask(run, place, step, wait, at)
    seen = dict(outputs)
    if wait.until is None or condition(wait.until, scope_at(run, place, row=seen)):
        return Done(outputs={**outputs, "late": False})
    now, due = run.clock.now(), _due(run, place, wait, at)
    if due is None or now < due:
        every_s = EVERY_S if wait.every is None else seconds_of(run, wait.every)
        again = now + timedelta(seconds=every_s)
        raise Suspended(f"{step.title}: not yet", again if due is None else min(again, due))
    return _late(run, place, step, wait, at, outputs, walk)


def _for_date(run: Run, place: Place, said: str, at: StepPlace) -> Done:
    value = value_of(said, scope_at(run, place))
    try:
        moment = _moment(run, value)
    except ValueError as error:
        raise failed(at.path, f"a wait is for a date or a date-time, and {value!r} {error}") from error
    if run.clock.now() < moment:
        raise Suspended(f"until {moment.astimezone(run.times.zone_info):%Y-%m-%d %H:%M}", moment)
    return Done(outputs={"late": False})


def _moment(run: Run, value: Value) -> datetime:
    if isinstance(value, str):
        return read_date_time(value, zone=run.times.zone)
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return run.times.moment(value)
    raise ValueError("is none")


def _ask(run: Run, place: Place, step: Step, wait: Wait, at: StepPlace) -> dict[str, Value]:
    bot = run.project.registry.find(wait.bot or "")
    if bot is None or bot.writes:
        raise failed(at.path, f'a wait asks a bot that reads, and "{wait.bot}" is none', kind="workflow")
    scope = scope_at(run, place)
    try:
        inputs = inputs_of(run, bot, lambda raw: value_of(raw, scope), wait.inputs)  # type: ignore[arg-type]
    except ValueError as error:
        raise failed(at.path, error) from error
    done = Call(run, place, step, at, bot, inputs).work()
    for write in done.writes:
        place.recorder.note(write)
    return dict(done.outputs)


def _due(run: Run, place: Place, wait: Wait, at: StepPlace) -> datetime | None:
    """When the wait is late: `within` after it began, however often the run was suspended since."""
    if wait.within is None:
        return None
    recorded = place.recorded.get(at.path)
    began = recorded.started_at if recorded is not None else None
    return _after(run, began or run.clock.now(), wait.within)


def _after(run: Run, began: datetime, within: Duration) -> datetime:
    from interoffice.language.calendars import add_duration

    later = add_duration(began, within, run.times)
    assert isinstance(later, datetime)
    return later


def _late(
    run: Run, place: Place, step: Step, wait: Wait, at: StepPlace, outputs: dict[str, Value], walk: WalkSteps
) -> Done:
    if wait.if_late is None or wait.if_late == "stop":
        message = f"{step.title}: it did not come within {wait.within}"
        raise StepFailed(Failure(kind="business", message=message, code="late", step=at.path))
    if isinstance(wait.if_late, tuple):
        walk(run, place, wait.if_late)
    return Done(outputs={**outputs, "late": True})
