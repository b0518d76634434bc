"""A run under way: what is fixed while it is walked, where in it a step stands, and what earlier steps gave."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from interoffice.engine.alive import LifeLocks
from interoffice.engine.clock import Clock
from interoffice.engine.lanes import Lane, LanePool
from interoffice.engine.progress import Event, EventName, Progress
from interoffice.engine.recorder import Recorder
from interoffice.engine.seats import Seats
from interoffice.language.calendars import Times
from interoffice.model.values import Formats, Value
from interoffice.model.work import StepState
from interoffice.model.workflow import Workflow, walk
from interoffice.plan.plan import RunOptions
from interoffice.plan.project import Project
from interoffice.store import Ledger
from interoffice.store.views import Failure, ItemView, StepView

SLICE_S = 0.2


def step_ids(workflow: Workflow) -> frozenset[str]:
    """The ids of all its steps."""
    parts = (workflow.steps, workflow.on_failure, workflow.always)
    return frozenset(step.id for part in parts for step in walk(part))


class Control:
    """What changes while a run is walked, and what all its threads must know at once."""

    def __init__(self, first_position: int, *, deadline: float | None) -> None:
        self.positions = itertools.count(first_position)
        self.deadline = deadline
        self.stop = threading.Event()
        self.at_once = threading.Event()
        self.cancel: str | None = None
        self.warned = False
        self.failed_step = ""
        self.error = ""
        self.failures_in_a_row = 0
        self.proven: set[str] = set()
        self.proving: dict[str, threading.Lock] = {}
        self.lock = threading.Lock()

    def ask_to_end(self, how: str) -> None:
        """Cancels: `soft` before the next step, `hard` at once; waits between attempts end."""
        self.cancel = "hard" if "hard" in (how, self.cancel) else how
        self.stop.set()
        if self.cancel == "hard":
            self.at_once.set()

    def wait_out(self, clock: Clock, seconds: float) -> bool:
        """Waits so long, also when the run is being cancelled softly; True when it is cancelled at once."""
        until = clock.monotonic() + seconds
        while self.cancel != "hard" and (left := until - clock.monotonic()) > 0:
            clock.wait(min(left, SLICE_S) if self.stop.is_set() else left, self.at_once if self.cancel else self.stop)
        return self.cancel == "hard"

    def note_outcome(self, *, application_error: bool) -> int:
        """Counts application errors in a row over all steps of the run; gives how many there are now."""
        with self.lock:
            self.failures_in_a_row = self.failures_in_a_row + 1 if application_error else 0
            return self.failures_in_a_row


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is fixed while a run is walked."""

    run_id: str
    ledger: Ledger
    clock: Clock
    engine_id: str
    locks: LifeLocks
    project: Project
    workflow: Workflow
    workflow_of: Callable[[str], Workflow]
    inputs: Mapping[str, Value]
    trigger: Mapping[str, Value]
    tables: Mapping[str, Value]
    times: Times
    formats: Formats
    patterns: Mapping[str, str]
    environment: str
    started_by: str
    options: RunOptions
    digests: Mapping[str, str]
    folder: Path
    lanes: LanePool
    seats: Seats
    control: Control
    say: Progress

    @property
    def tables_folder(self) -> Path:
        """Where the run's tables are saved."""
        return self.folder / "tables"

    def tell(self, name: EventName, path: str = "", **fields: object) -> None:
        """An event of this run. A display that breaks does not break the run."""
        with contextlib.suppress(Exception):
            self.say(Event(name=name, run_id=self.run_id, path=path, **fields))  # type: ignore[arg-type]


class Lacking(Mapping[str, Value]):
    """The outputs of a step that did not end well: every name is there, and missing."""

    def __init__(self, known: Mapping[str, Value]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> Value:
        return self._known.get(name)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def result_of(outputs: Mapping[str, Value], state: StepState, error: str | None = None) -> Mapping[str, Value]:
    """`steps.<id>`: the outputs, `.status` and `.error`."""
    known = {**outputs, "status": str(state), "error": error}
    return known if state == StepState.SUCCEEDED else Lacking(known)


class Results(Mapping[str, Value]):
    """`steps.<id>` at one place: what the steps before it gave, and those outside a loop before the loop.

    `pending` are approvals that are not decided yet, with how they decide. `posted` says of each step here that changed
    or sent something whether another run had done it before.
    """

    def __init__(self, outer: Results | None = None, *, known: frozenset[str] = frozenset()) -> None:
        """`known`: the ids of all steps of the workflow; one that has not run is there too, its outputs missing."""
        self._own: dict[str, Value] = {}
        self._outer = outer
        self._known = known
        self.pending: dict[str, str] = {}
        self.posted: dict[str, bool] = {}

    def put(self, step_id: str, value: Mapping[str, Value]) -> None:
        """What a step gave."""
        self._own[step_id] = value
        self.pending.pop(step_id, None)

    def is_pending(self, step_id: str) -> bool:
        """True of an approval that is not decided yet."""
        return step_id in self.pending or (self._outer is not None and self._outer.is_pending(step_id))

    def __getitem__(self, step_id: str) -> Value:
        if step_id in self._own:
            return self._own[step_id]
        if self._outer is not None:
            return self._outer[step_id]
        if step_id in self._known:
            return result_of({}, StepState.SKIPPED)
        raise KeyError(step_id)

    def __contains__(self, step_id: object) -> bool:
        return step_id in self._own or step_id in self._known or (self._outer is not None and step_id in self._outer)

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        if self._outer is not None:
            yield from (step_id for step_id in self._outer if step_id not in self._own)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a run a step stands. `prefix` begins its path; `recorded` is what the ledger knows of steps here.

    `on_failure` is the loop's own, for what becomes of an item. `ending`: inside on_failure or always of the workflow.
    """

    prefix: str
    workflow: Workflow
    inputs: Mapping[str, Value]
    results: Results
    recorded: Mapping[str, StepView]
    recorder: Recorder
    lane: Lane
    names: Mapping[str, Value] = field(default_factory=dict)
    item: ItemView | None = None
    token: str = ""
    key: str | None = None
    again: object = "never"
    ending: bool = False
    failure: Failure | None = None
    late: bool = False

    @property
    def in_loop(self) -> bool:
        """True inside a loop's `do:`."""
        return self.item is not None

    @property
    def item_id(self) -> str | None:
        """The work item's id, None outside a loop."""
        return None if self.item is None else self.item.item_id
