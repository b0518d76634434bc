"""What a test, or the demo, makes the practice office do wrong: which fault, where, for what, and how many times.

    faults = Faults()
    faults.switch_on(Fault(kind="error_before_commit", screen="sales_order", reference="D-1046", times=1))

A fault without a scope holds wherever its kind makes sense. From another process: `interoffice.practice.control`.

| kind | what happens (application) |
|---|---|
| slow | the answer comes `seconds` later (all) |
| error | HTTP 500 (risk: 500; smtp: 451), nothing was done |
| error_before_commit | the same, but only where a document is being entered |
| error_after_commit | the document is posted, the mail delivered, and then HTTP 500 or 451 |
| lost_reply | the document is posted, the mail delivered, and the answer is lost; `how`: see HOWS |
| cut_reply | the answer of any request is lost in the same ways |
| no_answer | the request is taken and never answered (`seconds`: how long it is held, else until the office stops) |
| kill_client_after_commit | right after its own commit the server kills process `pid` (SIGKILL) |
| session_expired | the session is gone: the sign-in page comes with HTTP 200 |
| maintenance | the maintenance page, HTTP 503 |
| notice | a modal dialog "Notice" lies over the page, `seconds` after it was loaded |
| loading | "please wait" covers the page and its rows are not there yet, for `seconds` |
| renamed_ids, renamed_names, renamed_test_ids | attributes get other names, made from `seed` |
| moved_fields | the fields stand in another order, made from `seed` |
| swapped_captions | two fields carry each other's caption: `fields`, else two chosen by `seed` |
| changed_caption | the caption of `fields[0]` is `text` |
| wiped_field | `fields[0]` loses its value `seconds` after something was typed into it |
| stolen_focus | every `seconds` (0.02 left out) another field of the form takes the focus |
| double_submit | a second click on the committing button posts again; together with slow it tempts |
| moved_window | the window of the desktop client moves, `seconds` after it got an answer |
| list_lag | lists and exports don't show what was posted in the last `seconds` |
| refuse_doubled_reference | a reference that was used before is refused |
| empty_export | an export without rows; `how="file"`: without a single byte |
| renamed_header | an export whose column `fields[0]` is called `text` |
| export_encoding | an export in encoding `text`, e.g. utf-16 or cp1252 |
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

KINDS = frozenset(
    {
        "slow", "error", "error_before_commit", "error_after_commit", "lost_reply", "cut_reply", "no_answer",
        "stolen_focus", "moved_window",
        "kill_client_after_commit", "session_expired", "maintenance", "notice", "loading", "renamed_ids",
        "renamed_names", "renamed_test_ids", "moved_fields", "swapped_captions", "changed_caption", "wiped_field",
        "double_submit", "list_lag", "refuse_doubled_reference", "empty_export", "renamed_header", "export_encoding",
    }
)
HOWS = {
    "lost_reply": ("reset", "close", "after_headers", "mid_body", "stall"),
    "cut_reply": ("reset", "close", "after_headers", "mid_body", "stall"),
    "empty_export": ("rows", "file"),
}
"""reset: a TCP reset and no byte; close: an orderly end and no byte; stall: the connection stays open and silent.

Left out it is after_headers (for mail: reset). After reset and close Chromium repeats a form by itself: `web.cut`.
"""
APPLICATIONS = ("crm", "erp", "risk", "imap", "smtp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that goes wrong. Scope: all that is given must hold; what is not given holds for everything.

    `screen`: a screen's name in selectors/, e.g. sales_order; `path`: a pattern such as `/sales/*`; `reference`: a
    value that the request carries whole, e.g. the customer reference being entered, or a mail's recipient.
    `skip` requests pass first, then every `every`-th is hit, with probability `chance` (drawn from `seed`), until it
    was hit `times` times.
    """

    kind: str
    application: str = ""
    screen: str = ""
    path: str = ""
    method: str = ""
    reference: str = ""
    user: str = ""
    times: int | None = None
    skip: int = 0
    every: int = 1
    chance: float = 1.0
    seed: int = 1
    seconds: float = 0.0
    how: str = ""
    pid: int = 0
    fields: tuple[str, ...] = ()
    text: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}; there are {', '.join(sorted(KINDS))}.")
        if self.application and self.application not in APPLICATIONS:
            raise ValueError(f"There is no practice application {self.application!r}, only {', '.join(APPLICATIONS)}.")
        if self.how and self.how not in HOWS.get(self.kind, ()):
            ways = ", ".join(HOWS.get(self.kind, ())) or "nothing"
            raise ValueError(f"Fault {self.kind} can't have how={self.how!r}; it knows {ways}.")
        if self.kind == "kill_client_after_commit" and self.pid <= 1:
            raise ValueError("Fault kill_client_after_commit needs the pid of the process to kill.")

    def covers(self, request: Asked) -> bool:
        """Whether the request is in the scope of this fault."""
        return (
            self.application in ("", request.application)
            and self.screen in ("", request.screen)
            and self.method in ("", request.method)
            and self.user in ("", request.user)
            and (not self.path or fnmatchcase(request.path, self.path))
            and (not self.reference or self.reference in request.values)
        )

    def as_json(self) -> dict[str, Any]:
        """For the control endpoint; `from_json` takes it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Fault:
        """The fault of a JSON object; ValueError says what is wrong with it."""
        unknown = set(raw) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"A fault has no {', '.join(sorted(unknown))}.")
        return cls(**{**raw, "fields": tuple(raw.get("fields", ()))})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a server was asked: the side of a request that faults are matched with."""

    application: str
    path: str = ""
    method: str = ""
    screen: str = ""
    user: str = ""
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultState:
    """A fault that is or was switched on, and how often it met a request (`seen`) and hit it (`fired`)."""

    number: int
    fault: Fault
    seen: int
    fired: int


class _Switched:
    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._draws = random.Random(fault.seed)

    def hits(self) -> bool:
        """Whether it is this fault's turn; every request in its scope moves it on."""
        fault = self.fault
        self.seen += 1
        if fault.times is not None and self.fired >= fault.times:
            return False
        if self.seen <= fault.skip or (self.seen - fault.skip) % fault.every:
            return False
        return fault.chance >= 1 or self._draws.random() < fault.chance


class Faults:
    """The faults of one office; every server asks it at every request. Safe to use from any thread."""

    def __init__(self, *faults: Fault) -> None:
        self._lock = threading.Lock()
        self._switched: list[_Switched] = []
        self._count = 0
        for fault in faults:
            self.switch_on(fault)

    def switch_on(self, fault: Fault) -> int:
        """From now on this goes wrong; the number is for `switch_off`."""
        with self._lock:
            self._count += 1
            self._switched.append(_Switched(self._count, fault))
            return self._count

    def switch_off(self, number: int) -> None:
        """This one no longer goes wrong."""
        with self._lock:
            self._switched = [each for each in self._switched if each.number != number]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._switched = []

    def states(self) -> list[FaultState]:
        """What is switched on, with its counts."""
        with self._lock:
            return [
                FaultState(number=each.number, fault=each.fault, seen=each.seen, fired=each.fired)
                for each in self._switched
            ]

    def fired(self, kind: str = "") -> int:
        """How often a fault (of this kind) has hit."""
        return sum(state.fired for state in self.states() if kind in ("", state.fault.kind))

    def take(self, kind: str, request: Asked) -> Fault | None:
        """The first fault of this kind that hits this request, counted as used; None where none does."""
        with self._lock:
            meant = [each for each in self._switched if each.fault.kind == kind and each.fault.covers(request)]
            hitting = [each for each in meant if each.hits()]
            if not hitting:
                return None
            hitting[0].fired += 1
            return hitting[0].fault
