"""Tells a run: from the ledger's record to a story."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from interoffice.model.table import Table
from interoffice.model.values import FileValue
from interoffice.model.workflow import BotCall, Check, ForEach, Kind, Step, SubWorkflow, walk
from interoffice.report import cells
from interoffice.report.annotated import annotated_lines
from interoffice.report.mails import mails_told
from interoffice.report.record import Record
from interoffice.report.sentence import check_counts, outcome, sentence, title_at
from interoffice.report.story import (
    ApprovalTold,
    AttemptTold,
    Bar,
    CheckTold,
    DecisionTold,
    FieldTold,
    Grid,
    ItemTold,
    Office,
    StepTold,
    Story,
    Tone,
)
from interoffice.store.views import ApprovalView, AttemptView, ItemView, StepView

VERB_NAMES: Mapping[type, str] = {BotCall: "bot", Check: "check", ForEach: "for_each", SubWorkflow: "workflow"}
ITEMS_SHOWN = 500
PICTURES_SHOWN = 60
"""Items that come with their pictures; a page of thousands of pictures opens nowhere."""


def tell(record: Record) -> Story:
    """The story of a run."""
    run = record.run
    steps = tuple(_steps(record))
    return Story(
        run=run.run_id,
        workflow=run.workflow_name,
        description=record.workflow.description or "",
        state=run.state.replace("_", " "),
        tone=cells.tone_of(run.state),
        sentence=sentence(record),
        facts=tuple(_facts(record)),
        steps=steps,
        sums=tuple(_sums(record)),
        items=tuple(_items(record)),
        checks=tuple(_checks(record)),
        approvals=tuple(_approvals(record)),
        mails=tuple(mails_told(record)),
        lines=annotated_lines(record),
        errors=tuple(_errors(record)),
        written=datetime.now(UTC),
        labels={},
    )


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    run = record.run
    yield "Run", run.run_id
    yield "Stands for", cells.clock(run.planned_at, record.formats, day=True)
    yield "Environment", run.environment
    yield "Began", cells.clock(run.begun_at, record.formats, day=True)
    if run.rehearse:
        yield "Rehearsal", "stopped before every commit"
    if run.waiting_for:
        yield "Waits for", run.waiting_for


def _errors(record: Record) -> Iterator[tuple[str, str]]:
    if record.run.error is not None:
        yield title_at(record, record.run.error.step) or "The run", record.run.error.message


# --- steps ---


def _steps(record: Record) -> Iterator[StepTold]:
    titles = {step.id: step for step in walk(_all_steps(record))}
    began = record.run.begun_at or record.run.created_at
    last = max(
        (moment for step in record.steps for moment in (step.ended_at, step.started_at) if moment), default=began
    )
    whole = max((last - began).total_seconds(), 0.001)
    attempts = defaultdict[str, list[AttemptView]](list)
    for attempt in record.attempts:
        attempts[attempt.path].append(attempt)
    before: StepTold | None = None
    for view in record.top_steps():
        step = titles.get(view.step_id)
        told = StepTold(
            path=view.path,
            title=step.title if step else view.step_id,
            kind=f"{view.kind} {view.bot}".strip(),
            office=_office(view, step, record),
            state=view.state,
            tone=_step_tone(view, record),
            counts=tuple(_counts(view, record)),
            took="" if view.state == "skipped" else cells.took(view.started_at, view.ended_at),
            attempts=max(view.attempts, 1),
            handed=_handed(before, view, step, record),
            note=_note(view),
            bars=tuple(_bars(view, attempts[view.path], began, whole)),
        )
        if view.state != "skipped":
            before = told
        yield told


def _note(view: StepView) -> str:
    """Why it failed, or why it did not run; what the counts say already is not said again."""
    if view.error is not None:
        return view.error.message
    return "" if view.kind in ("check", "for_each", "table", "approve") and view.state == "succeeded" else view.note


def _all_steps(record: Record) -> tuple[Step, ...]:
    return record.workflow.steps + record.workflow.on_failure + record.workflow.always


def _office(view: StepView, step: Step | None, record: Record) -> Office:
    if view.office in ("front", "middle", "back"):
        return cast(Office, view.office)
    inner: Kind | None = step.kind if step else None
    if isinstance(inner, ForEach):
        for each in record.steps:
            if each.path.startswith(f"{view.path}[") and each.office in ("front", "middle", "back"):
                return cast(Office, each.office)
    return "middle"


def _step_tone(view: StepView, record: Record) -> Tone:
    if view.kind == "for_each":
        states = {item.state for item in record.items if item.loop == view.path}
        for state in ("in_doubt", "failed", "rejected", "on_hold"):
            if state in states:
                return cells.tone_of(state)
    counts = check_counts(record).get(view.path)
    if counts and view.state == "succeeded" and (counts["rejected"] or counts["review"]):
        return "warn"
    return cells.tone_of(view.state)


def _counts(view: StepView, record: Record) -> Iterator[tuple[str, int, Tone]]:
    if view.kind == "for_each":
        states = Counter(item.state for item in record.items if item.loop == view.path)
        yield from ((state.replace("_", " "), count, cells.tone_of(state)) for state, count in states.items())
    elif view.kind == "approve":
        rows = [row for each in record.approvals if each.path == view.path for row in each.rows]
        yield from ((state, count, cells.tone_of(state)) for state, count in Counter(row.state for row in rows).items())
    elif view.kind == "check" and view.path in check_counts(record):
        words = {"passed": "passed", "review": "for review", "rejected": "rejected"}
        for name, count in check_counts(record)[view.path].items():
            if count or name == "passed":
                yield words[name], count, cells.tone_of(name)
    else:
        yield from _output_counts(view.outputs)


def _output_counts(outputs: Mapping[str, Any]) -> Iterator[tuple[str, int, Tone]]:
    for name, value in outputs.items():
        if isinstance(value, Table):
            yield name.replace("_", " "), value.row_count, "plain"


def _handed(before: StepTold | None, view: StepView, step: Step | None, record: Record) -> str:
    """What crossed the line between two offices."""
    if before is None or view.state == "skipped":
        return ""
    office = _office(view, step, record)
    if before.office == office:
        return ""
    rows = next((value.row_count for value in view.inputs.values() if isinstance(value, Table)), None)
    if view.path in check_counts(record):
        rows = sum(check_counts(record)[view.path].values())
    if view.kind == "for_each":
        rows = sum(1 for item in record.items if item.loop == view.path)
    return f"→ {cells.many(rows, 'row')} from the {before.office} office" if rows is not None else ""


def _bars(view: StepView, attempts: list[AttemptView], began: datetime, whole: float) -> Iterator[Bar]:
    spans: list[tuple[datetime | None, datetime | None, str, str]] = []
    if view.kind in ("approve", "wait"):
        spans.append((view.started_at, view.ended_at, "wait", "waited"))
    elif attempts:
        for attempt in attempts:
            what = "work" if attempt.state == "succeeded" else "failed"
            hint = attempt.error.message if attempt.error else f"attempt {attempt.number}"
            spans.append((attempt.started_at, attempt.ended_at, what, hint))
    else:
        spans.append((view.started_at, view.ended_at, "work", view.state))
    for start, end, what, hint in spans:
        if start is not None:
            ended = end or start
            at = 100 * (start - began).total_seconds() / whole
            wide = 100 * (ended - start).total_seconds() / whole
            start_at = round(min(max(at, 0), 99.5), 2)
            yield Bar(start=start_at, width=round(min(wide, 100 - start_at), 2), what=cast(Any, what), hint=hint)


# --- sums ---


def _sums(record: Record) -> Iterator[tuple[str, str, bool]]:
    """The counts that must add up: rows of each check, items of each loop."""
    titles = {step.id: step.title for step in walk(_all_steps(record))}
    for view in record.top_steps():
        counts = check_counts(record).get(view.path)
        if counts is not None:
            came = view.inputs.get("rows")
            total = came.row_count if isinstance(came, Table) else sum(counts.values())
            parts = f"{counts['passed']} passed + {counts['review']} for review + {counts['rejected']} rejected"
            said = f"{total} in = {parts}"
            yield titles.get(view.step_id, view.step_id), said, total == sum(counts.values())
        elif view.kind == "for_each":
            items = [item for item in record.items if item.loop == view.path and item.parent_id is None]
            states = Counter(item.state for item in items)
            said = " + ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())
            if items:
                yield titles.get(view.step_id, view.step_id), f"{len(items)} items = {said}", True


# --- items ---


def _items(record: Record) -> Iterator[ItemTold]:
    attempts = defaultdict[str, list[AttemptView]](list)
    for attempt in record.attempts:
        if attempt.item_id is not None:
            attempts[attempt.item_id].append(attempt)
    ordered = sorted(record.items, key=lambda item: (cells.tone_of(item.state) == "good", item.loop, item.position))
    for at, item in enumerate(ordered[:ITEMS_SHOWN]):
        yield _item(item, attempts[item.item_id], record, with_pictures=at < PICTURES_SHOWN)


def _item(item: ItemView, attempts: list[AttemptView], record: Record, *, with_pictures: bool) -> ItemTold:
    result = item.result[0] if item.result else {}
    evidence = _evidence(attempts)
    return ItemTold(
        key=item.key,
        loop=item.loop,
        state=item.state.replace("_", " "),
        tone=cells.tone_of(item.state),
        outcome=outcome(item),
        row=_pairs({name: each for name, each in item.row.items() if name not in ("route", "reasons")}, item, record),
        outputs=_pairs({name: each for name, each in result.items() if item.row.get(name) != each}, item, record),
        fields=tuple(_fields(evidence, record)),
        attempts=tuple(_attempt(attempt, record) for attempt in attempts),
        before=_picture(evidence, "before", record) if with_pictures else None,
        after=(_picture(evidence, "after", record) or _picture(evidence, "failure", record)) if with_pictures else None,
        look_up=_look_up(attempts),
        beside=tuple(_beside(attempts, record)),
    )


def _pairs(row: Mapping[str, Any], item: ItemView, record: Record) -> tuple[tuple[str, str], ...]:
    """What isn't said elsewhere on the line: no tables, and not the key again."""
    left = {name: each for name, each in row.items() if not isinstance(each, Table) and each != item.key}
    return cells.pairs(left, record.formats, record.masked, record.kinds)


def _evidence(attempts: list[AttemptView]) -> tuple[str, ...]:
    """The evidence files of the last try that left some, counted from the run's folder."""
    tries = (attempt.evidence.get("files") for attempt in reversed(attempts) if attempt.kind == "call")
    return next(
        (tuple(str(each) for each in files) for files in tries if isinstance(files, (list, tuple)) and files), ()
    )


def _fields(evidence: tuple[str, ...], record: Record) -> Iterator[FieldTold]:
    """What was typed and what the screen held, as the screens wrote it down before the commit."""
    for file in evidence:
        if not file.endswith("-typed.json"):
            continue
        try:
            said = json.loads((record.folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # retention has removed it
        for name, each in said.items():
            meant = cells.shown(name, each.get("typed"), record.formats, record.masked)
            found = cells.shown(name, each.get("read"), record.formats, record.masked)
            yield FieldTold(name=name.replace("_", " "), meant=meant, found=found, same=bool(each.get("same", True)))


def _picture(evidence: tuple[str, ...], name: str, record: Record) -> str | None:
    found = next((file for file in evidence if file.rsplit(".", 1)[0].endswith(f"-{name}")), None)
    return cells.picture(record.folder / found) if found else None


BESIDE: Final = (
    ("-failure.html", "the page of attempt {}"), ("-trace.zip", "a trace of attempt {}, for playwright show-trace"),
)  # fmt: skip


def _beside(attempts: list[AttemptView], record: Record) -> Iterator[tuple[str, str]]:
    """What is too much for one page, of every try, as far as retention has left it."""
    for attempt in attempts:
        files = attempt.evidence.get("files")
        for file in files if isinstance(files, (list, tuple)) else ():
            what = next((words for ending, words in BESIDE if str(file).endswith(ending)), None)
            if what is not None and (record.folder / str(file)).is_file():
                yield what.format(attempt.number), quote(str(file))


def _look_up(attempts: list[AttemptView]) -> str:
    return "; ".join(
        str(attempt.outputs.get("answer") or attempt.state) for attempt in attempts if attempt.kind == "look_up"
    )


def _attempt(attempt: AttemptView, record: Record) -> AttemptTold:
    what = "look-up" if attempt.kind == "look_up" else ""
    return AttemptTold(
        number=attempt.number,
        state=f"{what} {attempt.state}".strip().replace("_", " "),
        when=cells.clock(attempt.started_at, record.formats),
        took=cells.took(attempt.started_at, attempt.ended_at),
        note=attempt.error.message if attempt.error else "",
    )


# --- checks, approvals, mails ---


def _checks(record: Record) -> Iterator[CheckTold]:
    titles = {step.id: step.title for step in walk(_all_steps(record))}
    for view in record.top_steps():
        if view.path not in check_counts(record):
            continue
        tables = [(name, view.outputs.get(name)) for name in ("rejected", "review", "passed")]
        told = [(name, table) for name, table in tables if isinstance(table, Table)]
        yield CheckTold(
            title=titles.get(view.step_id, view.step_id),
            counts=tuple(_counts(view, record)),
            reasons=tuple(_reasons(told)),
            rows=_left_out(told, record),
        )


def _reasons(tables: list[tuple[str, Table]]) -> Iterator[tuple[str, int, Tone]]:
    """The reasons by how many rows they took; values are taken out of the wording so that like reasons count as one."""
    counts: Counter[tuple[str, Tone]] = Counter()
    for name, table in tables:
        tone: Tone = "bad" if name == "rejected" else "wait" if name == "review" else "warn"
        for row in table.rows():
            for reason in _split(row.get("reasons")):
                counts[(reason, tone)] += 1
    for (reason, tone), count in counts.most_common(30):
        yield reason, count, tone


def _split(reasons: object) -> list[str]:
    return [part.strip() for part in str(reasons).split(";") if part.strip()] if reasons else []


def _why_first(names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of rows that a check stopped: what names the row, then why, then the rest."""
    why = tuple(name for name in ("route", "reasons") if name in names)
    others = tuple(name for name in names if name not in why)
    return (*others[:2], *why, *others[2:])


def _left_out(tables: list[tuple[str, Table]], record: Record) -> Grid | None:
    grids = [
        cells.grid(table, record.formats, record.masked, _why_first(tuple(table.columns)))
        for name, table in tables
        if name != "passed" and table.row_count
    ]
    if not grids:
        return None
    rows = tuple(row for each in grids for row in each.rows)
    return Grid(columns=grids[0].columns, rows=rows, of=sum(each.of for each in grids))


def _pictures_seen(record: Record, approval: ApprovalView, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The pictures of the rows that were shown, as the run kept them."""
    found = (
        (row.key, value)
        for row in approval.rows
        for name in names
        if name not in record.masked and isinstance(value := row.row.get(name), FileValue)
    )
    for key, file in islice(found, PICTURES_SHOWN):
        suffix = Path(file.name).suffix.lower()
        if suffix in (".png", ".jpg", ".jpeg"):
            data = cells.picture(record.folder / "files" / f"{file.sha256}{suffix}")
            if data is not None:
                yield key, data


def _approvals(record: Record) -> Iterator[ApprovalTold]:
    titles = {step.id: step.title for step in walk(_all_steps(record))}
    for each in record.approvals:
        names = tuple(each.terms.get("show") or (each.rows[0].row if each.rows else ()))
        seen = tuple(
            tuple(
                cells.shown(name, row.row.get(name), record.formats, record.masked, record.kinds.get(name, ""))
                for name in names
            )
            for row in each.rows
        )
        yield ApprovalTold(
            title=titles.get(each.step_id, each.step_id),
            ask=str(each.terms.get("ask", "")),
            asked=", ".join(str(group) for group in each.terms.get("by", ())) or "the person each row names",
            state=each.state,
            tone=cells.tone_of("good" if each.state == "decided" else each.state)
            if each.state != "decided"
            else "good",
            seen=Grid(columns=tuple(name.replace("_", " ") for name in names), rows=seen, of=len(each.rows)),
            pictures=tuple(_pictures_seen(record, each, names)),
            digest=each.digest,
            decisions=tuple(
                DecisionTold(
                    row=row.key,
                    decision=row.state,
                    tone=cells.tone_of(row.state),
                    who=record.person(row.decided_by),
                    when=cells.clock(row.decided_at, record.formats, day=True),
                    comment=row.comment or "",
                )
                for row in each.rows
                if row.state != "open"
            ),
        )
