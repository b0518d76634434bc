"""schedules.yaml -> Schedules, with every mistake of its shape at once."""

from __future__ import annotations

import re
from typing import Final

from interoffice.errors import MistakesFound
from interoffice.loader.settings import zone
from interoffice.loader.step_parts import identifier
from interoffice.loader.workflow import read_version
from interoffice.loader.yaml_tree import Fields, Reading, compose
from interoffice.model.schedule import IfMissed, Schedule, Schedules, Trigger
from interoffice.problem import Position, Problem, did_you_mean

TOP_KEYS: Final = ("version", "timezone", "calendar", "alarms_to", "calls_at", "schedules")
TRIGGERS: Final[tuple[Trigger, ...]] = ("every", "cron", "queue", "watch", "mail", "after", "call")
TRIGGER_KEYS: Final[dict[Trigger, tuple[str, ...]]] = {
    "every": ("between", "days", "jitter", "if_missed", "catch_up_window"),
    "cron": ("between", "days", "jitter", "if_missed", "catch_up_window"),
    "queue": ("min_items", "max_runs"),
    "watch": ("settle", "one_run_per"),
    "mail": ("folder", "one_run_per"),
    "after": (),
    "call": (),
}
ALWAYS_KEYS: Final = ("id", "workflow", "timezone", "calendar", "late_after", "must_finish_by", "enabled", "with")
KEYS: Final = tuple(dict.fromkeys([*ALWAYS_KEYS, *TRIGGERS, *(key for keys in TRIGGER_KEYS.values() for key in keys)]))
IF_MISSED: Final[tuple[IfMissed, ...]] = ("skip", "run_once", "run_all")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_AT: Final = r" at (?:[01]\d|2[0-3]):[0-5]\d"
_EVERY: Final = re.compile(
    r"[1-9]\d{0,5} (?:second|minute|hour)s?|(?:second|minute|hour)"
    rf"|(?:business )?day{_AT}|(?:{'|'.join(WEEKDAYS)}){_AT}"
    rf"|(?:business )?day -?[1-9]\d? of the (?:month|quarter|year){_AT}"
)
_EVERY_WORDS: Final = (
    "20 minutes",
    "1 hour",
    "day at 06:30",
    "business day at 06:30",
    "monday at 06:30",
    "business day 2 of the month at 18:00",
    "business day -3 of the month at 09:00",
    "business day 1 of the quarter at 08:00",
)
_CRON_FIELD: Final = re.compile(r"[\dA-Za-z*,/#LW?-]+")


def load_schedules(text: str, file: str) -> Schedules:
    """The schedules of a file's text; MistakesFound with all its mistakes."""
    schedules, problems = load_schedules_with_problems(text, file)
    if schedules is None or any(problem.severity == "error" for problem in problems):
        raise MistakesFound(problems)
    return schedules


def load_schedules_with_problems(text: str, file: str) -> tuple[Schedules | None, list[Problem]]:
    """The schedules as far as they can be read, and their mistakes; None where YAML itself can't be read."""
    try:
        reading = Reading(compose(text, file))
    except MistakesFound as found:
        return None, list(found.problems)
    top = reading.top(*TOP_KEYS)
    read_version(top)
    entries = [entry for entry in top.entries("schedules", *KEYS, required=True) if entry.names() != ("id",)]
    schedules = Schedules(
        source=reading.source,
        timezone=zone(top, "timezone", "D01"),
        calendar=top.text("calendar"),
        schedules=tuple(_schedule(entry) for entry in entries),
        alarms_to=top.texts("alarms_to"),
        calls_at=top.whole("calls_at", default=0) or None,
    )
    _refuse_same_ids(reading, schedules)
    top.close()
    return schedules, reading.sorted_problems()


def _schedule(entry: Fields) -> Schedule:
    name = entry.text("id", required=True)
    if name:
        identifier(entry, "id", name, "an id")
    trigger = _trigger(entry)
    schedule = Schedule(
        id=name,
        workflow=entry.text("workflow", required=True),
        path=entry.path,
        trigger=trigger or "every",
        when=_when(entry, trigger) if trigger else "",
        timezone=zone(entry, "timezone", "D01"),
        calendar=entry.text("calendar"),
        between=_between(entry),
        days=_days(entry),
        if_missed=entry.choice("if_missed", IF_MISSED, "skip"),
        catch_up_window=entry.duration("catch_up_window"),
        late_after=entry.duration("late_after"),
        must_finish_by=_time(entry, "must_finish_by"),
        jitter=entry.duration("jitter"),
        enabled=entry.yes_no("enabled", True),
        inputs=entry.map("with"),
        min_items=entry.whole("min_items", default=1),
        max_runs=entry.whole("max_runs", default=1),
        settle=entry.duration("settle"),
        one_run_per=entry.choice("one_run_per", ("file", "batch"), "file"),
        folder=entry.text("folder"),
    )
    if trigger:
        _refuse_foreign_keys(entry, trigger)
    entry.close()
    return schedule


def _trigger(entry: Fields) -> Trigger | None:
    """What starts it; exactly one thing does."""
    named = [trigger for trigger in TRIGGERS if entry.has(trigger)]
    if len(named) == 1:
        return named[0]
    if named:
        wrong = f'one thing starts a schedule; this one has "{named[0]}" and "{named[1]}": make two of it'
        entry.problem("S03", named[1], wrong, at_key=True)
    else:
        entry.problem("S03", None, f"nothing starts this schedule; it needs one of {', '.join(TRIGGERS)}")
    return None


def _when(entry: Fields, trigger: Trigger) -> str:
    when = entry.text(trigger, required=True)
    if trigger == "every" and when and not _EVERY.fullmatch(" ".join(when.split())):
        wrong = f'"every" is like "20 minutes" or "business day at 06:30", not "{when}"'
        entry.problem("D01", "every", wrong, did_you_mean(when, _EVERY_WORDS))
    if trigger == "cron" and when:
        parts = when.split()
        if len(parts) != 5 or not all(_CRON_FIELD.fullmatch(part) for part in parts):
            wrong = f'"cron" has five fields (minute, hour, day, month, weekday) like 30 6 * * mon-fri, not "{when}"'
            entry.problem("D01", "cron", wrong)
    return when


def _between(entry: Fields) -> tuple[str, str] | None:
    times = entry.texts("between")
    if not entry.has("between"):
        return None
    if len(times) != 2 or not all(_TIME.fullmatch(time) for time in times):
        entry.problem("D01", "between", '"between" is two times like ["08:00", "18:00"]')
        return None
    if times[0] == times[1]:
        entry.problem("D01", "between", f'"between" begins and ends at {times[0]}; leave it out for all day')
    return times[0], times[1]


def _days(entry: Fields) -> tuple[str, ...]:
    days = entry.texts("days")
    words = ("business", "all", *WEEKDAYS)
    for day in days:
        if day not in words:
            wrong = f'"days" can be business, all or names of weekdays, not "{day}"'
            entry.problem("D01", "days", wrong, did_you_mean(day, words))
    return days


def _time(entry: Fields, key: str) -> str | None:
    written = entry.text(key)
    if written is not None and not _TIME.fullmatch(written):
        entry.problem("D01", key, f'"{key}" must be a time like "07:00", not "{written}"')
    return written


def _refuse_foreign_keys(entry: Fields, trigger: Trigger) -> None:
    allowed = {*ALWAYS_KEYS, *TRIGGER_KEYS[trigger], trigger}
    for key in KEYS:
        if key not in allowed and entry.has(key):
            owners = [f'"{name}"' for name in TRIGGERS if key in TRIGGER_KEYS[name]]
            wrong = f'"{key}" goes with {" or ".join(owners)}, not with "{trigger}"'
            entry.problem("S01", key, wrong, at_key=True)


def _refuse_same_ids(reading: Reading, schedules: Schedules) -> None:
    seen: dict[str, Position] = {}
    for schedule in schedules.schedules:
        place = (*schedule.path, "id")
        at = reading.at(place)
        first = seen.setdefault(schedule.id, at)
        if schedule.id and first is not at:
            wrong = f'the id "{schedule.id}" is used twice, here and in line {first.line}; choose another name'
            reading.problem("S04", place, wrong, see=first)
