"""What a report tells, as plain data: the ledger's record put into the order in which a person asks.

Every text here is masked and formatted already; the page only lays it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tone = Literal["good", "warn", "bad", "wait", "plain"]
Office = Literal["front", "middle", "back", "every"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Some rows to show: captions, cells as text, and how many there are in all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    of: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One try or wait of a step on the time line; `start` and `width` in percent of the run."""

    start: float
    width: float
    what: Literal["work", "failed", "wait"]
    hint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTold:
    """One step: its lane, how it ended, what came out, and why it did not run where it did not.

    `handed` says what came over from another office, e.g. "→ 14 rows from the front office".
    """

    path: str
    title: str
    kind: str
    office: Office
    state: str
    tone: Tone
    counts: tuple[tuple[str, int, Tone], ...] = ()
    took: str = ""
    attempts: int = 1
    handed: str = ""
    note: str = ""
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldTold:
    """One field of a screen: what was meant and what the screen held."""

    name: str
    meant: str
    found: str
    same: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptTold:
    """One try at an item."""

    number: int
    state: str
    when: str
    took: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemTold:
    """One work item, from its row to what was typed, seen and answered. Pictures are data: addresses."""

    key: str
    loop: str
    state: str
    tone: Tone
    outcome: str
    row: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    fields: tuple[FieldTold, ...]
    attempts: tuple[AttemptTold, ...]
    before: str | None = None
    after: str | None = None
    look_up: str = ""
    beside: tuple[tuple[str, str], ...] = ()
    """Files beside the report: what each is, and its address from the report's folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckTold:
    """One check: rows in and out, the reasons with how many rows each took, and the rows that did not pass."""

    title: str
    counts: tuple[tuple[str, int, Tone], ...]
    reasons: tuple[tuple[str, int, Tone], ...]
    rows: Grid | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionTold:
    """One decision of an approver on one row."""

    row: str
    decision: str
    tone: Tone
    who: str
    when: str
    comment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalTold:
    """One approval: what was asked of whom, what they saw (with its digest), what they decided."""

    title: str
    ask: str
    asked: str
    state: str
    tone: Tone
    seen: Grid
    digest: str
    decisions: tuple[DecisionTold, ...]
    pictures: tuple[tuple[str, str], ...] = ()
    """Row and data: address of each picture among what they saw, e.g. the page that an invoice was read from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LineTold:
    """One line of the workflow, with what its expressions were worth."""

    number: int
    text: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MailTold:
    """A mail that was sent, as its reader got it."""

    to: str
    subject: str
    text: str
    attached: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """A run, told."""

    run: str
    workflow: str
    description: str
    state: str
    tone: Tone
    sentence: str
    facts: tuple[tuple[str, str], ...]
    steps: tuple[StepTold, ...]
    sums: tuple[tuple[str, str, bool], ...]
    items: tuple[ItemTold, ...]
    checks: tuple[CheckTold, ...]
    approvals: tuple[ApprovalTold, ...]
    mails: tuple[MailTold, ...]
    lines: tuple[LineTold, ...]
    errors: tuple[tuple[str, str], ...]
    written: datetime
    labels: Mapping[str, str]
