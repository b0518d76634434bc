"""What the office answers: how a run ended, what it tells meanwhile, what is asked of a person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from interoffice.errors import UsageError
from interoffice.frozen import dataclass
from interoffice.model.work import RunState
from interoffice.problem import Problem

EXIT_CODES: Mapping[RunState, int] = {
    RunState.SUCCEEDED: 0,
    RunState.SKIPPED: 0,
    RunState.DONE_WITH_WARNINGS: 3,
    RunState.WAITING: 4,
    RunState.QUEUED: 4,
    RunState.RUNNING: 4,
    RunState.FAILED: 1,
    RunState.CANCELLED: 1,
}
"""Exit codes of runs, by the issue of the user's manual: 1 failed, 4 waiting for a person, 3 with warnings, 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded:
    """How a run stands after it was driven as far as it goes. `next_steps`: what a person may do now."""

    run: str
    state: str
    sentence: str
    exit_code: int
    next_steps: tuple[str, ...] = ()
    report: Path | None = None

    def as_json(self) -> Mapping[str, object]:
        """For `--format json`."""
        return {
            "run": self.run,
            "state": self.state,
            "sentence": self.sentence,
            "exit_code": self.exit_code,
            "next_steps": list(self.next_steps),
            "report": str(self.report) if self.report else None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckFound:
    """What a check of files found."""

    problems: tuple[Problem, ...]
    files: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An approval that waits: its question and its open rows, as they are shown; `names` are the rows' own names,
    `attached` the files that belong to the question, with size and digest."""

    approval: str
    run: str
    step: str
    ask: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, object]]
    names: tuple[str, ...]
    digest: str
    attached: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For `--format json`."""
        return {
            "run": self.run, "step": self.step, "ask": self.ask, "rows": [dict(row) for row in self.rows],
            "attached": list(self.attached), "digest": self.digest, "decided": False,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BotDone:
    """What one bot gave when it was run by hand; `outputs` as JSON knows them, tables as lists of rows."""

    ended: RunEnded
    outputs: Mapping[str, object] = field(default_factory=dict)
    text: str = ""

    def as_json(self) -> Mapping[str, object]:
        """For `--format json`."""
        return {"run": self.ended.run, "state": self.ended.state, "outputs": dict(self.outputs)}

    def write(self, path: Path) -> None:
        """The outputs as JSON in a file; refused for another ending, so that nothing is guessed."""
        if path.suffix != ".json":
            raise UsageError(f"--out {path}: outputs are written as JSON; end the name with .json.")
        path.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
