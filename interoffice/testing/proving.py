"""Proving a workflow: it is run in the practice office, killed and hindered in every way, and the score is counted.

Each trial has a fresh copy of the project and a fresh practice office. The run is hindered, then everything is well
again, and an operator resumes it until it ends or waits for a person. What the ERP's own ledger and the mail server
hold is compared with a run that nothing hindered.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from interoffice.errors import ProjectError, UsageError
from interoffice.plan.project import open_project
from interoffice.problem import did_you_mean
from interoffice.testing.ground import Outcome, ProvingGround
from interoffice.testing.kill_points import (
    FullDisk,
    KillPoint,
    Of,
    Tracing,
    counting,
    kill_points,
    need_strace,
    sampled,
)

Say = Callable[[str], None]
GOES_ON_AT_MOST: Final = 4
DEAD_WITHIN_S: Final = 20.0
NOT_WELL: Final = ("in_doubt", "on_hold", "failed")


@dataclass(frozen=True, kw_only=True)
class ServerFault:
    """Something that goes wrong in the practice office, once per `times`."""

    kind: str
    more: Mapping[str, Any]

    def __str__(self) -> str:
        how = f" by {self.more['how'].replace('_', ' ')}" if "how" in self.more else ""
        return f"{self.kind.replace('_', ' ')}{how} ({self.more['application']})"


Hindrance = KillPoint | FullDisk | ServerFault
LOST: Final = ("reset", "close", "after_headers", "mid_body")
ERP: Final = {"application": "erp", "times": 1}
SERVER_FAULTS: Final = (
    *(ServerFault(kind="lost_reply", more={**ERP, "how": how}) for how in LOST),
    ServerFault(kind="error_after_commit", more=ERP),
    ServerFault(kind="error_before_commit", more=ERP),
    ServerFault(kind="session_expired", more={"application": "erp", "times": 1, "skip": 8}),
    ServerFault(kind="error_after_commit", more={"application": "smtp", "times": 1}),
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of one hindered run. `doubled`, `lost`: acts that stand too often, or nowhere; `open`: that a person
    was told of (in doubt, on hold, failed); `besides`: mails that only a hindered run sends, about what broke."""

    hindrance: str
    once: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    besides: tuple[str, ...]
    open: int
    in_doubt: int
    half_files: tuple[str, ...]
    state: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Nothing doubled, nothing lost, no half file."""
        return not (self.doubled or self.lost or self.half_files)

    def as_json(self) -> dict[str, Any]:
        """For `--format json`."""
        return {name: getattr(self, name) for name in self.__slots__} | {"good": self.is_good}

    __slots__ = (
        "besides", "doubled", "half_files", "hindrance", "in_doubt", "lost", "once", "open", "seconds", "state",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The score of a workflow. `acts`: the documents, mails and files of a run that nothing hinders."""

    workflow: str
    acts: int
    points: int
    trials: tuple[Trial, ...]

    @property
    def doubled(self) -> int:
        """Acts that stand too often."""
        return sum(len(trial.doubled) for trial in self.trials)

    @property
    def lost(self) -> int:
        """Acts that stand nowhere, and nobody was told."""
        return sum(len(trial.lost) for trial in self.trials)

    @property
    def in_doubt(self) -> int:
        """Trials that ended with something in doubt."""
        return sum(trial.in_doubt > 0 for trial in self.trials)

    @property
    def is_good(self) -> bool:
        """0 doubled, 0 lost, no half file."""
        return all(trial.is_good for trial in self.trials)

    def as_json(self) -> dict[str, Any]:
        """For `--format json`."""
        return {
            "workflow": self.workflow, "acts": self.acts, "kill_points": self.points, "trials": len(self.trials),
            "doubled": self.doubled, "lost": self.lost, "trials_in_doubt": self.in_doubt, "good": self.is_good,
            "each": [trial.as_json() for trial in self.trials],
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Proving:
    """How a workflow is proved: `words` are options of `run` (inputs, --limit), `day` the day it stands for."""

    project: Path
    workflow: str
    day: date
    words: tuple[str, ...] = ()

    def prove(
        self, *, points: int, seed: int, first: int = 1, every: int = 0, disks: int = 3, of: Of = "engine", say: Say
    ) -> Proof:
        """Hinders the workflow at so many sampled kill points (`every` n-th from the `first` on, if given) of one kind
        of process, by so many full disks, and by all that a server does wrong."""
        need_strace()
        known = open_project(self.project).workflows()
        if self.workflow not in known:
            hint = did_you_mean(self.workflow, known)
            raise UsageError(f'There is no workflow "{self.workflow}"' + (f'; did you mean "{hint}"?' if hint else "."))
        meant, all_points = self._unhindered(say, of)
        chosen = all_points[first - 1 :: every] if every else sampled(all_points, points, seed=seed)
        hindrances: list[Hindrance] = [*chosen]
        if not every:
            writes = max((point.number for point in all_points if point.call == "pwrite64"), default=0)
            parts = range(1, disks + 1) if writes else ()
            hindrances += [FullDisk(number=max(1, writes * part // (disks + 1)), of=of) for part in parts]
            hindrances += [fault for fault in SERVER_FAULTS if self._concerns(fault, meant)]
        say(f"{len(all_points)} kill points; {len(hindrances)} trials")
        trials = tuple(self._tried(meant, hindrances, say))
        acts = meant.acts.total() + len(meant.files)
        return Proof(workflow=self.workflow, acts=acts, points=len(all_points), trials=trials)

    def _concerns(self, fault: ServerFault, meant: Outcome) -> bool:
        return bool(meant.mails if fault.more["application"] == "smtp" else meant.documents)

    def _unhindered(self, say: Say, of: Of) -> tuple[Outcome, list[KillPoint]]:
        """What the world holds when nothing goes wrong, and every point at which the run could be killed."""
        say(f"{self.workflow} runs once without a fault, its system calls counted")
        with self._ground() as ground:
            log = ground.folder.parent / "calls"
            process = ground.start(*self._run_words, tracing=counting(log, of))
            _, said = process.communicate(timeout=600)
            if process.returncode not in (0, 3, 4):
                raise ProjectError(f"{self.workflow} does not run in the practice office: {_last_line(said)}")
            meant = ground.outcome()
            if not meant.acts and not meant.files:
                raise ProjectError(
                    f"{self.workflow} posted, sent and wrote nothing in the practice office: there is nothing to prove."
                )
            say(f"  {meant.acts.total() + len(meant.files)} documents, mails and files")
            return meant, kill_points(log, of)

    def _tried(self, meant: Outcome, hindrances: Sequence[Hindrance], say: Say) -> Iterator[Trial]:
        for number, hindrance in enumerate(hindrances, start=1):
            trial = self.trial(hindrance, meant)
            verdict = "ok" if trial.is_good else "NOT GOOD"
            open_words = f", {trial.open} told to a person" if trial.open else ""
            say(
                f"  {number:>3} of {len(hindrances)}  {verdict:<8} {hindrance}: {trial.once} once, "
                f"{len(trial.doubled)} doubled, {len(trial.lost)} lost{open_words}; {trial.seconds:.0f} s"
            )
            yield trial

    def trial(self, hindrance: Hindrance, meant: Outcome) -> Trial:
        """One hindered run, resumed when everything is well again."""
        began = time.monotonic()
        with self._ground() as ground:
            tracing = Tracing()
            if isinstance(hindrance, ServerFault):
                ground.fault(hindrance.kind, **hindrance.more)
            else:
                tracing = hindrance.tracing
            process = ground.start(*self._run_words, tracing=tracing)
            process.communicate(timeout=600)
            ground.clear_faults()
            state = _go_on(ground, self._run_words)
            return _judged(str(hindrance), ground, meant, state, time.monotonic() - began)

    @property
    def _run_words(self) -> tuple[str, ...]:
        return ("run", self.workflow, "--as-of", self.day.isoformat(), *self.words)

    def _ground(self) -> _Fresh:
        return _Fresh(self.project, self.day)


class _Fresh:
    """A proving ground in a temporary folder, gone at the end."""

    def __init__(self, project: Path, day: date) -> None:
        self._project = project
        self._day = day
        self._folder = tempfile.TemporaryDirectory(prefix="interoffice-prove-", ignore_cleanup_errors=True)
        self._ground: ProvingGround | None = None

    def __enter__(self) -> ProvingGround:
        self._ground = ProvingGround(self._project, Path(self._folder.name), day=self._day)
        return self._ground

    def __exit__(self, *error: object) -> None:
        if self._ground is not None:
            self._ground.close()
        self._folder.cleanup()


def _go_on(ground: ProvingGround, run_words: Sequence[str]) -> str:
    """Goes on as an operator would, until the run ends well or waits; the state it is left in."""
    for _ in range(GOES_ON_AT_MOST):
        runs = ground.listed("runs")
        if not runs:  # it died before it was begun
            ground.cli(*run_words)
            continue
        run = runs[0]
        if run["state"] in ("succeeded", "done_with_warnings"):
            return str(run["state"])
        if run["state"] == "waiting" and _waits_for_a_person(ground, run["run"]):
            return "waiting"
        _resume(ground, run["run"])
    return str(ground.listed("runs")[0]["state"])


def _waits_for_a_person(ground: ProvingGround, run: str) -> bool:
    """Waits for a decision or on an item that a person must look at, with nothing left that goes on by itself."""
    steps = " ".join(ground.listed("show", run)["next_steps"])
    if "to begin" in steps:
        return False
    return "to decide" in steps or "to settle" in steps or "held and failed" in steps


def _resume(ground: ProvingGround, run: str) -> None:
    """One resume; a lane that outlives its engine for a moment is waited for."""
    end = time.monotonic() + DEAD_WITHIN_S
    while True:
        ended: subprocess.CompletedProcess[str] = ground.cli("resume", run)
        if "is being walked by" not in ended.stderr or time.monotonic() > end:
            return
        time.sleep(0.2)


def _judged(hindrance: str, ground: ProvingGround, meant: Outcome, state: str, seconds: float) -> Trial:
    is_there = ground.outcome()
    items = ground.listed("items", ground.listed("runs")[0]["run"])
    told = sum(item["state"] in NOT_WELL for item in items)
    doubts = len(ground.listed("doubts"))
    told += max(0, doubts - sum(item["state"] == "in_doubt" for item in items))
    missing = sorted((meant.acts - is_there.acts).elements())
    files = () if told else sorted(meant.files - is_there.files)
    return Trial(
        hindrance=hindrance,
        once=sum(count == meant.acts[act] for act, count in is_there.acts.items()) + len(meant.files & is_there.files),
        doubled=_doubled(is_there, meant),
        lost=(*missing[told:], *files),
        besides=tuple(sorted(set(is_there.mails) - set(meant.mails))),
        open=told,
        in_doubt=doubts,
        half_files=is_there.half_files,
        state=state,
        seconds=round(seconds, 1),
    )


def _doubled(is_there: Outcome, meant: Outcome) -> tuple[str, ...]:
    """Documents that nobody meant, and mails that stand twice: one about what broke is no second posting."""
    allowed = Counter({mail: max(1, meant.mails[mail]) for mail in is_there.mails})
    return tuple(sorted((is_there.documents - meant.documents + (is_there.mails - allowed)).elements()))


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
