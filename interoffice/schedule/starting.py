"""Due firings -> runs: planned for their moment, queued in the ledger in one transaction with the firing itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from interoffice.engine.engine import Engine
from interoffice.engine.makers import SCHEDULE, text_digest
from interoffice.errors import InterofficeError, MistakesFound, UsageError
from interoffice.model.workflow import Raw
from interoffice.plan.check_schedules import TRIGGER
from interoffice.plan.making import make_plan
from interoffice.schedule.armed import Armed
from interoffice.store import firings, office
from interoffice.store.database import Transaction
from interoffice.store.firings import Firing


class _Taken(Exception):
    """Another scheduler was first."""


def start(
    engine: Engine,
    armed: Armed,
    firing: Firing,
    *,
    credentials: frozenset[str] | None = None,
    person: str | None = None,
    signed_in: str | None = None,
    before: Callable[[Transaction], None] | None = None,
) -> str | None:
    """Puts the firing's run into the ledger, once; its id, or None when another was first.

    `person`: who fires it by hand, and is its starter then. `signed_in`: who started the scheduler, and so is a maker
    of files that nobody brought before. `before` is written in the same transaction. InterofficeError says why there is
    no run.
    """

    def beside(tx: Transaction, run_id: str) -> None:
        if before is not None:
            before(tx)
        if not firings.started(tx, firing, run_id):
            raise _Taken
        file = project.schedules_file
        if signed_in is not None and file is not None:
            office.see_first(tx, text_digest(file.text), file.file, signed_in, engine.clock.now())

    project = replace(engine.project, credentials=credentials)
    project.__dict__["registry"] = engine.project.registry
    plan = make_plan(
        project,
        armed.schedule.workflow,
        inputs_of(armed.schedule.inputs, firing.brought),
        planned=firing.planned_at,
        environment=engine.project.environment_name,
        started_by=person or f"{SCHEDULE}{armed.id}",
    )
    try:
        return engine.start(plan, signed_in=signed_in, beside=beside)
    except _Taken:
        return None


def inputs_of(said: Mapping[str, Raw], brought: Mapping[str, Any]) -> dict[str, str]:
    """What `with:` gives a run: words as they stand, lists as JSON, `${{ trigger.x }}` as what arrived."""
    return {name: _text(value, brought, name) for name, value in said.items()}


def _text(value: Raw, brought: Mapping[str, Any], name: str) -> str:
    if isinstance(value, tuple):
        return json.dumps([_text(each, brought, name) for each in value], ensure_ascii=False)
    if not isinstance(value, str):
        raise UsageError(f"with: {name}: give a word, a number or a list")
    match = TRIGGER.fullmatch(value.strip())
    if match is None:
        return value
    if match[1] not in brought:
        there = ", ".join(brought) or "none"
        raise UsageError(f"with: {name}: nothing arrived as trigger.{match[1]}; there is {there}")
    found = brought[match[1]]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def sentence_of(error: InterofficeError) -> str:
    """Why there is no run, in one line."""
    if isinstance(error, MistakesFound):
        first = next((each for each in error.problems if each.severity == "error"), error.problems[0])
        more = sum(each.severity == "error" for each in error.problems) - 1
        said = f"{first.at.file}:{first.at.line} {first.rule} {first.message}"
        return f"{said} (and {more} more)" if more > 0 else said
    return str(error)
