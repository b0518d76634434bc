"""The `reconcile` step: its tolerances, its outputs, and what its rules say of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from interoffice.engine.endings import RunStopped, StepFailed
from interoffice.engine.evaluation import converted, scope_at, value_of
from interoffice.engine.outcome import Done
from interoffice.engine.pure_steps import kept, table_of
from interoffice.engine.run import Place, Run
from interoffice.language.errors import RowError
from interoffice.language.reasons import reason_of
from interoffice.language.reconcile import Reconciled, run_reconcile
from interoffice.language.row import ValueScope, evaluate
from interoffice.language.rules import read_rule
from interoffice.model import codec
from interoffice.model.formats import format_value
from interoffice.model.types import DURATION, NUMBER, PERCENT
from interoffice.model.values import Value
from interoffice.model.workflow import Reconcile, ReconcilePass, Step
from interoffice.store import breaks
from interoffice.store.views import Failure


def do_reconcile(
    run: Run, place: Place, step: Step, kind: Reconcile, outputs: dict[str, Value], *, keeps_breaks: bool = True
) -> Done:
    """matched, different, only_left, only_right, ambiguous, exceptions, difference; then its rules warn or stop.

    `keeps_breaks`: what is open is remembered for the next run; a preview remembers nothing.
    """
    scope, at = scope_at(run, place), _place(run, place, step)
    found = run_reconcile(
        table_of(run, place, kind.left),
        table_of(run, place, kind.right),
        kind,
        [_tolerances(run, each, scope) for each in kind.passes],
        today=run.times.today,
        formats=run.formats,
        first_seen=run.ledger.read(lambda tx: breaks.first_seen(tx, at)),
    )
    if keeps_breaks and not run.options.rehearse:
        seen, now = list(_seen_lines(run, kind, found)), run.clock.now()
        place.recorder.write(lambda tx: breaks.keep(tx, at, seen, run.times.today, now))
    outputs.update(kept(run, place, step, found.outputs()))
    broken = _broken_rules(run, place, kind, replace(scope, measures={**scope.measures, **found.measures}))
    path = place.prefix + step.id
    if stops := [words for route, words in broken if route == "stop"]:
        failure = Failure(kind="workflow", message="; ".join(stops), code="stopped_by_check", step=path)
        raise RunStopped(failure) if place.in_loop else StepFailed(failure)
    for _, words in broken:
        run.tell("message", path, text=f"{step.title}: {words}", level="warning")
    notes = [_reconciled(found), *(words for _, words in broken)]
    return Done(outputs=outputs, note="; ".join(notes))


def _place(run: Run, place: Place, step: Step) -> breaks.Place:
    inputs = hashlib.sha256(codec.canonical(dict(run.inputs)).encode()).hexdigest()
    return breaks.Place(
        environment=run.environment, workflow=place.workflow.key, step=place.prefix + step.id, inputs=inputs,
        run_id=run.run_id,
    )  # fmt: skip


def _seen_lines(run: Run, kind: Reconcile, found: Reconciled) -> Iterator[breaks.SeenLine]:
    """The exceptions with what people know a line by: its common columns."""
    columns = [name for name in found.exceptions.columns if name in found.difference or name in kind.columns]
    for digest, row in zip(found.lines, found.exceptions.rows(), strict=True):
        shown = {name: format_value(row[name], run.formats) for name in columns if row[name] is not None}
        yield breaks.SeenLine(side=str(row["side"]), line=digest, row=shown, reason=str(row["reason"]))


def _tolerances(run: Run, each: ReconcilePass, scope: ValueScope) -> dict[str, Value]:
    """The tolerances of a pass: what expressions give, and texts like `2 days`, `1%` or `0.05`."""
    return {name: _tolerance(name, value_of(raw, scope)) for name, raw in each.close.items()}


def _tolerance(name: str, value: Value) -> Value:
    if not isinstance(value, str):
        return value
    for type in (NUMBER, PERCENT, DURATION):
        try:
            return converted(value, type, "UTC")
        except ValueError:
            continue
    raise RowError(f'"{value}" is no tolerance for {name}; write 1.00, 2% or 2 days')


def _broken_rules(run: Run, place: Place, kind: Reconcile, scope: ValueScope) -> list[tuple[str, str]]:
    """The rules that do not hold, each with its route and in words."""
    found: list[tuple[str, str]] = []
    for rule in map(read_rule, kind.rules):
        if rule.when is not None and evaluate(rule.when, scope) is False:
            continue
        value = evaluate(rule.node, scope)
        if value is True:
            continue
        words = reason_of(rule.text, rule.node, rule.message, value, scope, run.formats, place.workflow.mask)
        found.append((rule.route or "warn", words))
    return found


def _reconciled(found: Reconciled) -> str:
    parts = [
        (len(found.matched), "matched"),
        (len(found.different), "different"),
        (len(found.only_left), "only left"),
        (len(found.only_right), "only right"),
        (len(found.ambiguous), "ambiguous"),
    ]
    return ", ".join(f"{count} {word}" for count, word in parts)
