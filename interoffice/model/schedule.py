"""schedules.yaml: which workflow, when, and what happens to a run that was missed. Shape only; times stay text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from interoffice.model.values import Duration
from interoffice.model.workflow import Raw
from interoffice.problem import Path, Source

Trigger = Literal["every", "cron", "queue", "watch", "mail", "after", "call"]
IfMissed = Literal["skip", "run_once", "run_all"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """One entry. `trigger` says what starts it and `when` how: the text of `every`, a cron line, a queue, a pattern of
    files, a mail account, the workflow that ends before it, or the credential that signs a call.

    `between` and `must_finish_by` are times like 08:00 in its zone. `days` is "business", "all" or names of weekdays.
    """

    id: str
    workflow: str
    path: Path
    trigger: Trigger
    when: str
    timezone: str | None = None
    calendar: str | None = None
    between: tuple[str, str] | None = None
    days: tuple[str, ...] = ()
    if_missed: IfMissed = "skip"
    catch_up_window: Duration | None = None
    late_after: Duration | None = None
    must_finish_by: str | None = None
    jitter: Duration | None = None
    enabled: bool = True
    inputs: Mapping[str, Raw] = field(default_factory=dict)
    min_items: int = 1
    max_runs: int = 1
    settle: Duration | None = None
    one_run_per: Literal["file", "batch"] = "file"
    folder: str | None = None


def watched_folder(pattern: str) -> str:
    """The folder in which a `watch:` pattern begins: all before its first part with a * or ?, "" for the project's."""
    parts = PurePosixPath(pattern).parts[:-1]
    wild = next((place for place, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts))
    return "/".join(parts[:wild])


@dataclass(frozen=True, kw_only=True)
class Schedules:
    """The whole file; its zone and calendar hold for entries that name none, and else those of settings.yaml."""

    source: Source
    timezone: str | None
    calendar: str | None
    schedules: tuple[Schedule, ...]
    calls_at: int | None = None
    """The port of the loopback on which signed calls are taken; None: on none."""
    alarms_to: tuple[str, ...] = ()
    """People, groups or addresses that get a mail when a schedule is late, missed or broken."""
