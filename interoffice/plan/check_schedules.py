"""Rules D: what schedules.yaml says of workflows, queues, mailboxes, calendars and folders, and of the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.errors import UsageError
from interoffice.language.calendars import Times
from interoffice.model.schedule import Schedule, Schedules, watched_folder
from interoffice.model.settings import Settings
from interoffice.model.workflow import Workflow
from interoffice.plan.input_values import input_values
from interoffice.plan.project import Project
from interoffice.plan.times import calendar_of
from interoffice.plan.timetable import Timetable, is_changed, refuse_cron
from interoffice.problem import Path, Problem, did_you_mean

_MOST_LOOKED_AT: Final = 2_100
"""A week of five minutes: whoever comes more often meets everybody anyway."""
_TIME_WORDS: Final = frozenset(("now", "today", "yesterday", "previous_business_day"))
TRIGGER: Final = re.compile(r"\$\{\{\s*trigger\.(\w+)\s*\}\}")
BROUGHT: Final[dict[str, tuple[str, ...]]] = {
    "every": (), "cron": (), "queue": ("queue", "waiting"), "watch": ("files", "file"),
    "mail": ("messages", "message"), "after": ("run", "workflow"), "call": ("body",),
}  # fmt: skip
"""What `trigger.*` has, by what starts the schedule."""


def check_schedules(project: Project, schedules: Schedules) -> list[Problem]:
    """Every mistake of the schedules beyond their shape; those of their shape are the loader's."""
    settings = project.known_settings
    if settings is None:
        return []
    found: list[Problem] = []
    found += _alarms_to(schedules, settings)
    if schedules.calendar is not None:
        found += _calendar(schedules, settings, schedules.calendar, ("calendar",))
    entries = [_Entry(project, settings, schedules, each) for each in schedules.schedules]
    for entry in entries:
        found += entry.problems()
    return [*found, *_clashes(entries)]


class _Entry:
    """One schedule and its mistakes."""

    def __init__(self, project: Project, settings: Settings, schedules: Schedules, schedule: Schedule) -> None:
        self.project, self.settings, self.schedules, self.schedule = project, settings, schedules, schedule

    def problems(self) -> Iterator[Problem]:
        schedule = self.schedule
        if schedule.calendar is not None:
            yield from _calendar(self.schedules, self.settings, schedule.calendar, (*schedule.path, "calendar"))
        if schedule.settle is not None and not schedule.settle.is_fixed:
            yield self._problem("D01", "settle", '"settle" is a time with a fixed length like 2m')
        if not schedule.when or not schedule.workflow:
            return
        yield from self._started_by()
        loaded = self.project.workflow_file(schedule.workflow)
        if loaded is None:
            meant = did_you_mean(schedule.workflow, self.project.workflows())
            yield self._problem("D02", "workflow", f'there is no workflow "{schedule.workflow}"', meant)
        elif loaded.content is not None and loaded.is_read:
            yield from self._inputs(loaded.content)
            yield from self._clock(loaded.content)

    # what starts it

    def _started_by(self) -> Iterator[Problem]:
        when, trigger = self.schedule.when, self.schedule.trigger
        if trigger == "cron":
            try:
                refuse_cron(when)
            except ValueError as error:
                yield self._problem("D01", "cron", f'the cron line "{when}" can\'t be read: {error}')
        elif trigger == "mail" and when not in self.settings.mail.accounts:
            meant = did_you_mean(when, self.settings.mail.accounts)
            yield self._problem("D02", "mail", f'settings.yaml has no mail account "{when}"', meant)
        elif trigger == "after" and self.project.workflow_file(when) is None:
            meant = did_you_mean(when, self.project.workflows())
            yield self._problem("D02", "after", f'there is no workflow "{when}" that could end', meant)
        elif trigger == "queue" and self.project.table_file(when) is None:
            meant = did_you_mean(when, self.project.tables())
            yield self._problem("D02", "queue", f'there is no queue "{when}": tables/{when}.yaml describes none', meant)
        elif trigger == "call":
            known = self.project.credentials
            if known is not None and when not in known:
                how = f"runner.py credentials set {when} --part secret"
                words = f'there is no credential "{when}"; store it with: {how}'
                yield self._problem("K02", "call", words, did_you_mean(when, known))
            if self.schedules.calls_at is None:
                yield self._problem("D02", "call", 'no port takes calls; add "calls_at: 8765" at the top of the file')
        elif trigger == "watch":
            yield from self._watched(when)

    def _watched(self, pattern: str) -> Iterator[Problem]:
        path = PurePosixPath(pattern)
        if path.is_absolute() or ".." in path.parts:
            yield self._problem("D02", "watch", f'"{pattern}" leads out of the project; watch a folder inside it')
            return
        roots = self.settings.files.read
        if not any(path.parts[: len(PurePosixPath(root).parts)] == PurePosixPath(root).parts for root in roots):
            words = f'bots may not read "{pattern}": settings.yaml allows files: read: {", ".join(roots)}'
            yield self._problem("D02", "watch", words)
            return
        folder = watched_folder(pattern)
        if not (self.project.folder / folder).is_dir():
            words = f"the folder {folder} is not there yet; make it, or nothing will ever arrive"
            yield self._problem("D02", "watch", words, severity="warning")

    # what it gives

    def _inputs(self, workflow: Workflow) -> Iterator[Problem]:
        given: dict[str, str] = {}
        for name, raw in self.schedule.inputs.items():
            path = ("with", name)
            if name not in workflow.inputs:
                meant = did_you_mean(name, workflow.inputs)
                yield self._problem("D02", path, f'the workflow "{workflow.key}" has no input "{name}"', meant)
            elif isinstance(raw, str) and "${{" in raw:
                yield from self._brought(name, raw)
            elif isinstance(raw, str):
                given[name] = raw
        for name, declared in workflow.inputs.items():
            if name not in self.schedule.inputs and not declared.has_default:
                words = f'the workflow "{workflow.key}" needs the input "{name}"; give it under with:'
                yield self._problem("D02", None, words)
            is_day = declared.type == "date" and declared.default in _TIME_WORDS and name not in self.schedule.inputs
            if is_day and self.schedule.trigger in ("every", "cron") and self.schedule.if_missed != "run_all":
                words = (
                    f'the input "{name}" is the run\'s own day ({declared.default}): with if_missed: '
                    f"{self.schedule.if_missed} the days of an outage are never asked for; say run_all"
                )
                yield self._problem("D05", None, words, severity="warning")
        known = {name: declared for name, declared in workflow.inputs.items() if name in given}
        if known and not any(declared.type in ("file", "table") for declared in known.values()):
            times = Times(now=datetime.now(UTC), zone=self.settings.timezone, calendar=calendar_of(self.settings))
            try:
                input_values(self.project, replace(workflow, inputs=known), given, times)
            except UsageError as error:
                yield self._problem("D02", ("with", next(iter(known))), str(error))

    def _brought(self, name: str, raw: str) -> Iterator[Problem]:
        match = TRIGGER.fullmatch(raw.strip())
        there = BROUGHT[self.schedule.trigger]
        if match is None:
            words = f'"{name}" can be a word, a number, a list, or ${{{{ trigger.files }}}} alone, not "{raw}"'
            yield self._problem("D02", ("with", name), words)
        elif match[1] not in there:
            words = f'"{self.schedule.trigger}" brings no trigger.{match[1]}; it has {", ".join(there) or "nothing"}'
            yield self._problem("D02", ("with", name), words, did_you_mean(match[1], there))

    # the clock

    @property
    def zone(self) -> str:
        """Its time zone: its own, the file's or the settings'."""
        return self.schedule.timezone or self.schedules.timezone or self.settings.timezone

    @cached_property
    def table(self) -> Timetable | None:
        """Its planned times; None where it has none, or they can't be read."""
        name = self.schedule.calendar or self.schedules.calendar
        is_known = name is None or name in self.settings.calendars
        if self.schedule.trigger not in ("every", "cron") or not self.schedule.when or not is_known:
            return None
        try:
            return Timetable.of(self.schedule, self.zone, calendar_of(self.settings, name))
        except ValueError:
            return None

    @cached_property
    def locks(self) -> frozenset[str]:
        """The locks that its workflow takes."""
        loaded = self.project.workflow_file(self.schedule.workflow) if self.schedule.workflow else None
        return frozenset(loaded.content.locks) if loaded is not None and loaded.content is not None else frozenset()

    def clash(self, other: _Entry, lock: str, at: datetime) -> Problem:
        """Both want one lock at the same moment."""
        local = at.astimezone(ZoneInfo(self.zone))
        words = (
            f'{self.schedule.id} and {other.schedule.id} both need the lock "{lock}" at {local:%a %Y-%m-%d %H:%M}; '
            "give one of them another time"
        )
        return self._problem("D03", self.schedule.trigger, words)

    def _clock(self, workflow: Workflow) -> Iterator[Problem]:
        table = self.table
        if table is None:
            return
        zone, key, now = self.zone, self.schedule.trigger, datetime.now(UTC)
        if table.next(now) is None:
            yield self._problem("D01", key, f'"{self.schedule.when}" never comes within nine years')
            return
        step = table.step(now)
        timeout = workflow.timeout
        is_bounded = timeout is not None and timeout.is_fixed and workflow.overlap == "skip"
        if step is not None and timeout is not None and is_bounded and timeout.timedelta > step:
            may = f"a run may take {timeout.timedelta} (timeout)"
            words = f"{may}, and the next one comes after {step}: it would be skipped"
            yield self._problem("D03", key, words)
        clock = re.search(r" at (\d\d:\d\d)$", self.schedule.when) if key == "every" else None
        if clock is not None:
            place, at = ZoneInfo(zone), time.fromisoformat(clock[1])
            changes = {is_changed(now.date() + timedelta(days=day), at, place) for day in range(366)} - {None}
            if changes:
                words = f"the clock of {zone} {' and '.join(sorted(filter(None, changes)))} {clock[1]} once a year"
                yield self._problem("D04", key, f"{words}; it runs once that day all the same", severity="warning")

    def _problem(
        self, rule: str, key: str | tuple[str, ...] | None, message: str, meant: str | None = None, *,
        severity: str = "error",
    ) -> Problem:  # fmt: skip
        more: tuple[str, ...] = () if key is None else (key,) if isinstance(key, str) else key
        at = self.schedules.source.at((*self.schedule.path, *more))
        return Problem(rule=rule, message=message, at=at, suggestion=meant, severity=severity)  # type: ignore[arg-type]


def _calendar(schedules: Schedules, settings: Settings, name: str, path: Path) -> Iterator[Problem]:
    if name not in settings.calendars:
        meant = did_you_mean(name, settings.calendars)
        message = f'settings.yaml has no calendar "{name}"; describe it under "calendars"'
        yield Problem(rule="D01", message=message, at=schedules.source.at(path), suggestion=meant)


def _alarms_to(schedules: Schedules, settings: Settings) -> Iterator[Problem]:
    """Who is told must be somebody, or an alarm at night reaches nobody."""
    known = (*settings.people, *settings.groups)
    for name in schedules.alarms_to:
        if name not in known and "@" not in name:
            message = f'alarms_to: settings.yaml has no person and no group "{name}"; name one, or an address'
            at = schedules.source.at(("alarms_to",))
            yield Problem(rule="D02", message=message, at=at, suggestion=did_you_mean(name, known))


def _clashes(entries: list[_Entry]) -> Iterator[Problem]:
    """Schedules that want one lock at the same moment of the next week; each is named once, with the one before it."""
    wanted: dict[tuple[str, datetime], _Entry] = {}
    named: set[str] = set()
    now = datetime.now(UTC)
    for entry in entries:
        if not entry.schedule.enabled or not entry.locks or entry.table is None:
            continue
        for at in islice(entry.table.after(now, until=now + timedelta(days=7)), _MOST_LOOKED_AT):
            for lock in sorted(entry.locks):
                other = wanted.setdefault((lock, at), entry)
                if other is not entry and entry.schedule.id not in named:
                    named.add(entry.schedule.id)
                    yield entry.clash(other, lock, at)
