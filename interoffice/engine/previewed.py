"""What a preview found: step by step and key by key, what a run would do; frozen, to be printed, kept or asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from interoffice.errors import UsageError
from interoffice.plan.plan import Plan
from interoffice.store.views import Failure

What = Literal["new", "changed", "already there", "maybe", "to be sent", "?"]
"""What a run would do under a key: `maybe` where the target can't tell, `?` where the row itself can't be known."""
End = Literal["", "already there", "in another run", "rejected", "failed", "on hold", "stopped", "not begun", "nothing"]
"""How an item ends without an act; "" where its steps say what would be done."""
State = Literal["done", "skipped", "would act", "unknown", "asks", "waits", "failed", "stops", "lists"]

FORMAT: Final = 1
ORDER: Final[tuple[What, ...]] = ("new", "changed", "already there", "maybe", "to be sent", "?")
NO_CHANGE: Final = frozenset({"already there"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one call would do. `different`: name -> (what is there, what was meant). `condition`: "" if sure."""

    path: str
    title: str
    key: str
    what: What
    different: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    why: str = ""
    condition: str = ""

    def as_json(self) -> dict[str, object]:
        """For `--format json`."""
        return {
            "path": self.path,
            "step": self.title,
            "key": self.key,
            "what": self.what,
            "different": {name: list(pair) for name, pair in self.different.items()},
            "why": self.why,
            "condition": self.condition,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemSeen:
    """One item of a loop: its steps, or how it ends before any of them acts. `row` as it is shown."""

    key: str
    row: Mapping[str, str]
    steps: tuple[StepSeen, ...] = ()
    end: End = ""
    why: str = ""
    condition: str = ""

    def as_json(self) -> dict[str, object]:
        """For `--format json`."""
        return {
            "key": self.key,
            "row": dict(self.row),
            "end": self.end,
            "why": self.why,
            "condition": self.condition,
            "steps": [step.as_json() for step in self.steps],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSeen:
    """One step. `inputs` as a person reads them, `?` what can't be known; `rows` those an approval would show."""

    path: str
    title: str
    verb: str
    state: State
    bot: str = ""
    text: str = ""
    condition: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    change: Change | None = None
    rows: tuple[Mapping[str, str], ...] = ()
    steps: tuple[StepSeen, ...] = ()
    items: tuple[ItemSeen, ...] | None = None

    def changes(self) -> Iterator[Change]:
        """What this step, and all in it, would do."""
        if self.change is not None:
            yield self.change
        for step in self.steps:
            yield from step.changes()
        for item in self.items or ():
            for step in item.steps:
                yield from step.changes()

    def every(self) -> Iterator[StepSeen]:
        """This step and all in it."""
        yield self
        inner = [*self.steps, *(step for item in self.items or () for step in item.steps)]
        for step in inner:
            yield from step.every()

    def as_json(self) -> dict[str, object]:
        """For `--format json`."""
        return {
            "path": self.path,
            "title": self.title,
            "kind": f"{self.verb} {self.bot}".strip(),
            "state": self.state,
            "text": self.text,
            "condition": self.condition,
            "inputs": dict(self.inputs),
            "change": None if self.change is None else self.change.as_json(),
            "rows": [dict(row) for row in self.rows],
            "steps": [step.as_json() for step in self.steps],
            "items": None if self.items is None else [item.as_json() for item in self.items],
        }


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a run of a plan would do at this moment. `failure`: why it would fail before its end.

    `plan.options.rows` are the rows that a run of the kept plan is held to; `sources` the files that were read, by
    their digest; `folder` where the mails stand, None where there is none. `text`: all of it for a person.
    """

    preview_id: str
    name: str
    plan: Plan
    made_at: datetime
    made_by: str
    steps: tuple[StepSeen, ...]
    inputs: Mapping[str, str]
    failure: Failure | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    mails: tuple[Path, ...] = ()
    folder: Path | None = None
    text: str = ""

    @property
    def changes(self) -> bool:
        """False only where it is sure that a run would do nothing; what can't be known may be a change."""
        return any(change.what not in NO_CHANGE for step in self.steps for change in step.changes())

    def _every(self) -> Iterator[StepSeen]:
        for step in self.steps:
            yield from step.every()

    def exit_code(self, *, detailed: bool) -> int:
        """1 where the run would fail; `detailed`: 0 nothing to do, 2 changes."""
        if self.failure is not None:
            return 1
        return 2 if detailed and self.changes else 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many keys are new, changed, already there, ...: those for sure."""
        return _counted(change for step in self.steps for change in step.changes() if not change.condition)

    def as_json(self) -> dict[str, Any]:
        """For `--format json`."""
        return {
            "plan": self.preview_id,
            "workflow": self.plan.workflow,
            "name": self.name,
            "planned": self.plan.planned.isoformat(),
            "environment": self.plan.environment,
            "made_at": self.made_at.isoformat(),
            "made_by": self.made_by,
            "inputs": dict(self.inputs),
            "changes": self.changes,
            "counts": dict(self.counts),
            "failure": None if self.failure is None else self.failure.as_json(),
            "steps": [step.as_json() for step in self.steps],
            "mails": [str(path) for path in self.mails],
            "sources": dict(self.sources),
        }

    def write(self, path: Path) -> None:
        """Keeps the plan in a file, for `run --plan`; refused for one that would fail, and over another file."""
        from interoffice.resources.files import write_durably

        if self.failure is not None:
            raise UsageError(f"A plan that would fail is not kept: {self.failure.message}")
        if path.exists():
            raise UsageError(f"{path} is there already; name another file, nothing is overwritten.")
        if not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} for the plan; make it, or name another file.")
        text = json.dumps(self._kept(), ensure_ascii=False, indent=2) + "\n"
        write_durably(path, text.encode())

    def _kept(self) -> dict[str, Any]:
        said = {
            "interoffice_plan": FORMAT,
            "plan": self.plan.as_json(),
            "sources": dict(self.sources),
            "made": {"at": self.made_at.isoformat(), "by": self.made_by, "as": self.preview_id},
            "rows": {step.path: [item.as_json() for item in step.items] for step in self._every() if step.items},
        }
        return {**said, "digest": digest_of(said)}


def digest_of(said: Mapping[str, Any]) -> str:
    """The digest of a plan file's content, its own digest left out."""
    import hashlib

    content = {name: part for name, part in said.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _counted(changes: Iterator[Change]) -> dict[str, int]:
    counts = Counter(change.what for change in changes)
    return {what: counts[what] for what in ORDER if counts[what]}
