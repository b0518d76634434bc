"""A workflow as its YAML says it: shape is right, meaning is not yet checked.

Every text that may hold `${{ }}` or an expression stays text here (`Raw`); plan and engine parse it with
`interoffice.language`. `path` is the place of a step in its file, e.g. ("steps", 3, "do", 0), for messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Final, Literal

from interoffice.frozen import dataclass
from interoffice.model.values import Duration
from interoffice.problem import Path, Source

Raw = str | None | tuple["Raw", ...] | Mapping[str, "Raw"]
"""A value of the file: text, nothing (a blank), a list, or a map; never converted before its type is known."""

Route = Literal["warn", "review", "reject", "stop"]
Total = Literal["sum", "min", "max", "average", "count", "first"]

FIELD_TYPES: Final = (
    "text",
    "number",
    "money",
    "percent",
    "date",
    "date_time",
    "time",
    "duration",
    "yes_no",
    "choice",
)
INPUT_TYPES: Final = (*FIELD_TYPES, "file", "table", "credential")


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """An input of the workflow. `columns`: a table contract, for type table.

    `type` is one of INPUT_TYPES; "any" only in a workflow with mistakes, where the type could not be read.
    """

    name: str
    type: str
    path: Path
    many: bool = False
    default: Raw = None
    has_default: bool = False
    choices: tuple[str, ...] = ()
    min: str | None = None
    max: str | None = None
    columns: str | None = None
    help: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """How often and how far apart an application error is tried again. `backoff` is a number of at least 1."""

    attempts: int = 1
    wait: Duration = field(default=Duration(seconds=10))
    backoff: str = "1"
    max_wait: Duration | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BotCall:
    """`bot: module.function` with its inputs."""

    bot: str
    inputs: Mapping[str, Raw]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One sentence of a check; `text` is the bare expression. `short`: written as a plain list entry."""

    text: str
    path: Path
    short: bool = False
    otherwise: Route | None = None
    message: str | None = None
    when: str | None = None
    per: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """`check: rows` (a table or one record). `limits` route -> "10%" or "25"."""

    rows: Raw
    row: tuple[str, ...]
    otherwise: Route | None
    rules: tuple[Rule, ...]
    limits: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Join:
    """The join of a `table` step."""

    table: Raw
    same: tuple[str, ...]
    if_missing: Literal["keep", "drop", "stop"] = "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class TableStep:
    """`table: rows`: join, columns, where, group_by, totals, sort, always in this order."""

    rows: Raw
    join: Join | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    group_by: tuple[str, ...] = ()
    totals: Mapping[str, Total] = field(default_factory=dict)
    sort: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconcilePass:
    """One pass of a reconciliation; `close` column -> tolerance; `many` with `total` for several-to-one."""

    name: str
    path: Path
    same: tuple[str, ...] = ()
    opposite: tuple[str, ...] = ()
    close: Mapping[str, Raw] = field(default_factory=dict)
    total: str | None = None
    many: Literal["left", "right"] | None = None
    result: Literal["matched", "different"] = "matched"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconcile:
    """`reconcile: {left, right, ...}` with its passes and rules; `columns` name -> (left column, right column)."""

    left: Raw
    right: Raw
    left_name: str
    right_name: str
    columns: Mapping[str, tuple[str, str]]
    passes: tuple[ReconcilePass, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ForEach:
    """`for_each`: `over` is an expression's text, a short written list, or `queue NAME` (then `queue` is its name)."""

    over: Raw
    as_name: str
    do: tuple[Step, ...]
    queue: str | None = None
    key: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    collect: Mapping[str, Raw] | None = None
    workers: int = 1
    at_most: int | None = None
    max_failures: int | None = None
    again: Duration | Literal["never", "every run"] = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One `when`/`do` of a choose."""

    when: str
    do: tuple[Step, ...]
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose:
    """`choose`; `otherwise` None where it is left out (F02), () for `nothing`."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalField:
    """A field that an approver fills in or corrects."""

    name: str
    type: str
    path: Path
    choices: tuple[str, ...] = ()
    min: str | None = None
    max: str | None = None
    required_when: str | None = None
    help: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalate:
    """To whom an approval goes after how long."""

    after: Duration
    to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Approve:
    """`approve: rows`: groups (or `by_row`, an expression giving an e-mail per row) decide row by row or together."""

    rows: Raw
    row: tuple[str, ...]
    ask: str
    by: tuple[str, ...]
    by_row: str | None
    not_by: tuple[str, ...]
    show: tuple[str, ...]
    within: Duration | None
    if_late: Literal["reject", "stop", "wait"] | None
    decide: Literal["row by row", "together"] = "row by row"
    attach: Raw = None
    fields: Mapping[str, ApprovalField] = field(default_factory=dict)
    remind_every: Duration | None = None
    escalate: Escalate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """`wait: <a date>` (then `date` is its text) or `wait: <a reads bot>`; `if_late` None where it is left out."""

    date: str | None = None
    bot: str | None = None
    inputs: Mapping[str, Raw] = field(default_factory=dict)
    every: Duration | None = None
    until: str | None = None
    within: Duration | None = None
    if_late: Literal["continue", "stop"] | tuple[Step, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SubWorkflow:
    """`workflow: name` with its inputs; runs inside the same run, under this step's path."""

    workflow: str
    inputs: Mapping[str, Raw]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetValues:
    """`set: {name: value}`."""

    values: Mapping[str, Raw]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """`stop: reason`; ends the run, or inside `do:` the item."""

    reason: Raw
    result: Literal["success", "failed", "rejected"] = "success"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """What a step does could not be read: the loader has reported why, and what follows from it stays silent.

    Only `load_workflow_with_problems` gives it, so that a check goes on behind a mistake; never one that runs.
    Anything may be said of such a step: every output of it is of any type.
    """


Kind = (
    BotCall
    | Check
    | TableStep
    | Reconcile
    | ForEach
    | Choose
    | Approve
    | Wait
    | SubWorkflow
    | SetValues
    | Stop
    | Unread
)
VERBS: Mapping[str, type] = {
    "bot": BotCall, "check": Check, "table": TableStep, "reconcile": Reconcile, "for_each": ForEach, "choose": Choose,
    "approve": Approve, "wait": Wait, "workflow": SubWorkflow, "set": SetValues, "stop": Stop,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: exactly one kind, and what modifies it."""

    id: str
    kind: Kind
    path: Path
    name: str | None = None
    if_: str | None = None
    timeout: Duration | None = None
    retry: Retry | None = None
    on_failure: Literal["stop", "continue", "review"] | tuple[Step, ...] = "stop"
    look_up: Mapping[str, Raw] | None = None
    posts: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.name or self.id.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow file. `key` is its file's name without .yaml: how schedules and `runner.py run` call it."""

    key: str
    name: str
    source: Source
    description: str | None
    owner: str | None
    inputs: Mapping[str, Input]
    steps: tuple[Step, ...]
    outputs: Mapping[str, Raw]
    on_failure: tuple[Step, ...] = ()
    always: tuple[Step, ...] = ()
    overlap: Literal["skip", "queue", "replace", "allow"] = "skip"
    locks: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    timeout: Duration | None = None
    default_timeout: Duration | None = None
    default_retry: Retry | None = None


def children(step: Step) -> Iterator[tuple[Step, ...]]:
    """The lists of steps that stand inside a step: do, branches, otherwise, if_late, on_failure."""
    match step.kind:
        case ForEach(do=do):
            yield do
        case Choose(branches=branches, otherwise=otherwise):
            yield from (branch.do for branch in branches)
            if otherwise:
                yield otherwise
        case Wait(if_late=tuple() as late):
            yield late
    if isinstance(step.on_failure, tuple):
        yield step.on_failure


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, those inside others too, in the order they are written."""
    for step in steps:
        yield step
        for inner in children(step):
            yield from walk(inner)
