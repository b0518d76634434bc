"""Schedules as they stand in schedules.yaml, ready to fire: each with its zone, its calendar and its planned times.

A broken entry is left out with its reason; the others are armed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interoffice.errors import MistakesFound, ProjectError
from interoffice.language.calendars import Calendar, add_duration
from interoffice.language.calendars import Times as WorkflowTimes
from interoffice.model.schedule import Schedule, Schedules
from interoffice.model.values import Duration
from interoffice.plan.check_schedules import check_schedules
from interoffice.plan.project import SCHEDULES, Project
from interoffice.plan.times import calendar_of
from interoffice.plan.timetable import Timetable
from interoffice.problem import Problem

TIMED: Final = ("every", "cron")


@dataclass(frozen=True, kw_only=True)
class Armed:
    """A schedule that can fire. `table`: its planned times, None where something else than time starts it."""

    schedule: Schedule
    zone: str
    calendar: Calendar
    table: Timetable | None

    @property
    def id(self) -> str:
        """Its name."""
        return self.schedule.id

    def later(self, moment: datetime, duration: Duration) -> datetime:
        """The moment a duration later, days counted by its zone and calendar."""
        later = add_duration(moment, duration, WorkflowTimes(now=moment, zone=self.zone, calendar=self.calendar))
        assert isinstance(later, datetime)
        return later

    def jittered(self, planned: datetime) -> datetime:
        """When a firing is let go: its planned time and up to `jitter` more, always the same for one planned time."""
        jitter = self.schedule.jitter
        if jitter is None:
            return planned
        word = hashlib.sha256(f"{self.id} {planned.isoformat()}".encode()).digest()
        share = int.from_bytes(word[:4], "big") / 2**32
        return planned + share * (self.later(planned, jitter) - planned)


@dataclass(frozen=True, kw_only=True)
class Timetables:
    """All of schedules.yaml: what is armed, and what is left out and why."""

    digest: str
    armed: dict[str, Armed]
    left_out: dict[str, str]
    """Broken entries and why. What they planned meanwhile is missed, as while no scheduler runs."""
    alarms_to: tuple[str, ...] = ()
    calls_at: int | None = None


def digest_of(project: Project) -> str:
    """Of schedules.yaml and settings.yaml: what schedules are armed from."""
    files = (project.schedules_file, project.settings_file)
    return " ".join("" if file is None else file.digest for file in files)


def read_schedules(project: Project) -> tuple[Schedules | None, list[Problem]]:
    """The file with its mistakes, those of the project included. ProjectError: there is none."""
    loaded = project.schedules_file
    if loaded is None:
        raise ProjectError(f"{project.folder} has no {SCHEDULES}; write one, or name the project with --project.")
    problems = list(loaded.problems)
    if loaded.content is not None:
        problems += check_schedules(project, loaded.content)
    return loaded.content, problems


def arm(project: Project) -> Timetables:
    """The schedules of the project. MistakesFound: the file as a whole can't be read."""
    schedules, problems = read_schedules(project)
    if schedules is None:
        raise MistakesFound(problems)
    settings = project.settings
    left_out: dict[str, str] = {}
    for problem in problems:
        if problem.severity == "error":
            owner = _owner(schedules, problem)
            if owner is None:
                raise MistakesFound(problems)
            left_out.setdefault(owner, f"{SCHEDULES}:{problem.at.line} {problem.rule} {problem.message}")
    armed: dict[str, Armed] = {}
    for each in schedules.schedules:
        if not each.enabled or each.id in left_out:
            continue
        zone = each.timezone or schedules.timezone or settings.timezone
        calendar = calendar_of(settings, each.calendar or schedules.calendar)
        table = Timetable.of(each, zone, calendar) if each.trigger in TIMED else None
        armed[each.id] = Armed(schedule=each, zone=zone, calendar=calendar, table=table)
    return Timetables(
        digest=digest_of(project), armed=armed, left_out=left_out, alarms_to=schedules.alarms_to,
        calls_at=schedules.calls_at,
    )  # fmt: skip


def _owner(schedules: Schedules, problem: Problem) -> str | None:
    """The schedule in whose lines a mistake stands; None: it is the file's own, as every key at its margin is."""
    begins = {schedules.source.at(each.path).line: each.id for each in schedules.schedules}
    text = schedules.source.text.splitlines()
    for line in range(problem.at.line, 0, -1):
        if line in begins:
            return begins[line]
        if text[line - 1][:1].strip(" \t#-"):
            return None
    return None
