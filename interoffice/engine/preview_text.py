"""A preview as a listing for people: the steps, under each loop its keys, and at the end how much there is to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from unicodedata import combining, east_asian_width

from interoffice.engine.previewed import ORDER, Change, ItemSeen, Preview, State, StepSeen

MARKS: Final[Mapping[State, str]] = {
    "done": "✓", "skipped": "·", "would act": "→", "unknown": "?", "asks": "…", "waits": "…", "failed": "✗",
    "stops": "■", "lists": "?",
}  # fmt: skip
MOST_LINES: Final = 400
MOST_REASON: Final = 120
WORDS: Final = {"?": "not known before the run", "to be sent": "to send"}
ENDS_QUIETLY: Final = ("already there", "nothing", "stopped")


def told(preview: Preview) -> str:
    """The whole listing."""
    plan = preview.plan
    lines = [
        f"{preview.name} ({plan.workflow}), planned for {plan.planned:%Y-%m-%d %H:%M} ({plan.zone}), "
        f"environment {plan.environment or '-'}",
        *(f"  {name}: {value}" for name, value in preview.inputs.items()),
        "Nothing was changed or sent. ? is what can't be known before the run.",
        "",
    ]
    for step in preview.steps:
        lines += _step(step, "  ")
    lines += ["", *_end(preview)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _step(step: StepSeen, indent: str) -> Iterator[str]:
    parts = [step.text] if step.text else []
    if step.change is not None and step.items is None:
        parts = [_said(step.change), *parts]
    if step.condition:
        parts.append(f"only {step.condition}")
    yield f"{indent}{MARKS[step.state]} {step.title}" + (f"  {'; '.join(parts)}" if parts else "")
    inner = f"{indent}    "
    if step.state == "unknown" and step.inputs and step.items is None:
        yield from (f"{inner}{name}: {value}" for name, value in step.inputs.items())
    if step.rows:
        yield from _table([dict(row) for row in step.rows], inner)
    for each in step.steps:
        yield from _step(each, inner)
    if step.items is not None:
        yield from _loop(step.items, inner)


# loops


def _loop(items: Sequence[ItemSeen], indent: str) -> Iterator[str]:
    calls = {change.path.rpartition(".")[2] for item in items for step in item.steps for change in step.changes()}
    rows = [row for item in items for row in _rows_of(item, several=len(calls) > 1)]
    if rows:
        yield from _table(rows, indent)
        yield f"{indent}{_counted(_words_of(items))}"


def _rows_of(item: ItemSeen, *, several: bool) -> Iterator[dict[str, str]]:
    """One line per call that would act, by name where there are `several`; else one with how the item ends."""
    changes = [change for step in item.steps for change in step.changes()]
    only = f"only {item.condition}" if item.condition else ""
    for change in changes:
        title = change.title if several else ""
        yield {"key": change.key, "step": title, "what": change.what, "old -> new": _detail(change), "": _if(change)}
    if item.end and (not changes or item.end not in ENDS_QUIETLY):
        yield {"key": item.key, "step": "", "what": item.end, "old -> new": _cut(item.why), "": only}


def _if(change: Change) -> str:
    return f"only {change.condition}" if change.condition else ""


def _detail(change: Change) -> str:
    words = ", ".join(f"{name} {_blank(old)} -> {_blank(new)}" for name, (old, new) in change.different.items())
    return words or _cut(change.why)


def _blank(text: str) -> str:
    return text or "(empty)"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_REASON else f"{text[: MOST_REASON - 1]}…"


def _said(change: Change) -> str:
    detail = _detail(change)
    what = WORDS.get(change.what, change.what)
    return f"{what}: {detail}" if detail else what


def _words_of(items: Sequence[ItemSeen]) -> Counter[str]:
    """What would be done, counted: those for sure, and those under a condition apart."""
    found: Counter[str] = Counter()
    for item in items:
        changes = [change for step in item.steps for change in step.changes()]
        words: list[str] = [change.what for change in changes] or ([item.end] if item.end else [])
        if changes and item.end and item.end not in ENDS_QUIETLY:
            words.append(item.end)
        for word in words:
            found[f"{WORDS.get(word, word)} {item.condition}".strip()] += 1
    return Counter(dict(sorted(found.items(), key=lambda pair: _rank(pair[0]))))


def _rank(words: str) -> tuple[bool, int]:
    """What is sure comes first, in the order of the words."""
    known = [word for word in ORDER if words.startswith(WORDS.get(word, word))]
    return words not in [WORDS.get(word, word) for word in ORDER], ORDER.index(known[0]) if known else len(ORDER)


def _counted(words: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in words.items())


def _table(rows: Sequence[Mapping[str, str]], indent: str) -> Iterator[str]:
    """Rows under their names, in columns; columns that are empty everywhere are left out."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if any(row.get(name) for row in rows)]
    widths = {name: max(_width(name), *(_width(row.get(name, "")) for row in rows)) for name in names}
    yield indent + "  ".join(_padded(name, widths[name]) for name in names)
    for row in rows[:MOST_LINES]:
        yield indent + "  ".join(_padded(row.get(name, ""), widths[name]) for name in names)
    if len(rows) > MOST_LINES:
        yield f"{indent}and {len(rows) - MOST_LINES} more; all of them with --format json"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """How many columns a text takes on a terminal: two for a wide sign (UAX #11), none for a mark on another one."""
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


# the end


def _end(preview: Preview) -> Iterator[str]:
    if preview.folder is not None:
        count = len(preview.mails)
        yield f"{count} mail{'' if count == 1 else 's'} rendered in {preview.folder}"
    if preview.failure is not None:
        where = f" at {preview.failure.step}" if preview.failure.step else ""
        yield f"The run would fail{where}: {preview.failure.message}"
    sure = _counted({WORDS.get(what, what): count for what, count in preview.counts.items()})
    perhaps = Counter(
        change.condition for step in preview.steps for change in step.changes() if change.condition
    )
    more = ", ".join(f"{count} more {condition}" for condition, count in perhaps.items())
    if not preview.changes and preview.failure is None:
        yield f"Nothing to do: {sure}" if sure else "Nothing to do"
    else:
        yield "; ".join(part for part in (sure, more) if part) or "Nothing to do before it fails"
