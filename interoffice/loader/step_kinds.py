"""The eleven things that a step can do, read from the step's own keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol

from interoffice.loader.step_parts import approval_fields, identifier, is_word, rules
from interoffice.loader.yaml_tree import Fields, Raw, said
from interoffice.model.values import Duration
from interoffice.model.workflow import (
    Approve,
    BotCall,
    Branch,
    Check,
    Choose,
    Escalate,
    ForEach,
    Join,
    Kind,
    Reconcile,
    ReconcilePass,
    Route,
    SetValues,
    Step,
    Stop,
    SubWorkflow,
    TableStep,
    Total,
    Unread,
    Wait,
)

STEP_KEYS: Final = ("id", "name", "if", "timeout", "retry", "on_failure", "look_up", "posts", "tags")
KIND_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "bot": ("with",),
    "check": ("row", "otherwise", "rules", "limits"),
    "table": ("join", "columns", "where", "group_by", "totals", "sort"),
    "reconcile": ("passes", "rules"),
    "for_each": ("as", "key", "group_by", "do", "collect", "workers", "at_most", "max_failures", "again"),
    "choose": ("otherwise",),
    "approve": (
        "row",
        "decide",
        "ask",
        "by",
        "not_by",
        "show",
        "attach",
        "fields",
        "within",
        "remind_every",
        "escalate",
        "if_late",
    ),
    "wait": ("with", "every", "until", "within", "if_late"),
    "workflow": ("with",),
    "set": (),
    "stop": ("result",),
}
PASS_KEYS: Final = ("name", "same", "opposite", "close", "total", "many", "result")
ROUTES: Final[tuple[Route, ...]] = ("warn", "review", "reject", "stop")
RECONCILE_ROUTES: Final[tuple[Route, ...]] = ("warn", "stop")
TOTALS: Final[tuple[Total, ...]] = ("sum", "min", "max", "average", "count", "first")
IF_MISSING: Final[tuple[Literal["keep", "drop", "stop"], ...]] = ("keep", "drop", "stop")
MANY: Final[tuple[Literal["left", "right"], ...]] = ("left", "right")
PASS_RESULTS: Final[tuple[Literal["matched", "different"], ...]] = ("matched", "different")
DECIDE: Final[tuple[Literal["row by row", "together"], ...]] = ("row by row", "together")
APPROVAL_LATE: Final[tuple[Literal["reject", "stop", "wait"], ...]] = ("reject", "stop", "wait")
WAIT_LATE: Final[tuple[Literal["continue", "stop"], ...]] = ("continue", "stop")
NOT_BY: Final = ("starter", "previous_approver")
STOP_RESULTS: Final[tuple[Literal["success", "failed"], ...]] = ("success", "failed")
ITEM_RESULTS: Final[tuple[Literal["success", "rejected"], ...]] = ("success", "rejected")
LIMITS: Final = ("rejected", "review")

_QUEUE: Final = re.compile(r"queue[ ]+(\S+)")
_BOT: Final = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LIMIT: Final = re.compile(r"\d+(\.\d+)?%|\d+")


class StepReader(Protocol):
    """Reads the steps inside a step."""

    @property
    def in_loop(self) -> bool:
        """True inside a `do:` of a for_each."""

    def steps(self, fields: Fields, key: str, *, required: bool = False) -> tuple[Step, ...]:
        """The steps that stand as a list under a key."""

    def inside_loop(self) -> StepReader:
        """The same reader, for the steps of a `do:`."""


def _bot(fields: Fields, inner: StepReader) -> Kind:
    return BotCall(bot=fields.text("bot", required=True), inputs=fields.map("with"))


def _workflow(fields: Fields, inner: StepReader) -> Kind:
    return SubWorkflow(workflow=fields.text("workflow", required=True), inputs=fields.map("with"))


def _check(fields: Fields, inner: StepReader) -> Kind:
    written = fields.has("otherwise")
    route = fields.choice("otherwise", ROUTES, rule="C02") if written else None
    read = rules(fields, ROUTES)
    if read and not written and not all(rule.otherwise for rule in read):
        fields.problem("S02", "rules", 'a rule here has no route; give the check an "otherwise"', at_key=True)
    return Check(
        rows=fields.raw("check", required=True),
        row=fields.texts("row"),
        otherwise=route,
        rules=read,
        limits=_limits(fields),
    )


def _limits(fields: Fields) -> dict[str, str]:
    found = fields.sub("limits", *LIMITS)
    if found is None:
        return {}
    limits = {}
    for name in LIMITS:
        limit = found.text(name)
        if limit is not None and not _LIMIT.fullmatch(limit):
            found.problem("S05", name, f'"{name}" must be a percent like 10% or a number of rows, not "{limit}"')
        elif limit is not None:
            limits[name] = limit
    found.close()
    return limits


def _table(fields: Fields, inner: StepReader) -> Kind:
    totals: dict[str, Total] = {}
    if written := fields.sub("totals"):
        totals = {name: written.choice(name, TOTALS) for name in written.names()}
    return TableStep(
        rows=fields.raw("table", required=True),
        join=_join(fields),
        columns=fields.text_map("columns"),
        where=fields.text("where"),
        group_by=fields.texts("group_by"),
        totals=totals,
        sort=fields.texts("sort"),
    )


def _join(fields: Fields) -> Join | None:
    found = fields.sub("join", "with", "same", "if_missing")
    if found is None:
        return None
    join = Join(
        table=found.raw("with", required=True),
        same=found.texts("same", required=True),
        if_missing=found.choice("if_missing", IF_MISSING, "stop"),
    )
    found.close()
    return join


def _reconcile(fields: Fields, inner: StepReader) -> Kind:
    sides = fields.sub("reconcile", "left", "right", "left_name", "right_name", "columns", required=True)
    passes = tuple(
        _pass(entry, number) for number, entry in enumerate(fields.entries("passes", *PASS_KEYS, required=True), 1)
    )
    read = rules(fields, RECONCILE_ROUTES, required=False)
    if sides is None:
        return Unread()
    kind = Reconcile(
        left=sides.raw("left", required=True),
        right=sides.raw("right", required=True),
        left_name=sides.text("left_name", default="left"),
        right_name=sides.text("right_name", default="right"),
        columns=_column_pairs(sides),
        passes=passes,
        rules=read,
    )
    sides.close()
    return kind


def _column_pairs(sides: Fields) -> dict[str, tuple[str, str]]:
    pairs = {}
    for name, pair in sides.map("columns").items():
        if isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(column, str) for column in pair):
            pairs[name] = (pair[0], pair[1])
        else:
            wrong = f'"{name}" must name two columns, [left column, right column], not {said(pair)}'
            sides.reading.problem("S05", (*sides.place("columns"), name), wrong)
    return pairs


def _pass(entry: Fields, number: int) -> ReconcilePass:
    total, many = entry.text("total"), entry.has("many")
    if many and total is None:
        wrong = '"many" needs "total": the column whose sum must be equal'
        entry.problem("S02", "many", wrong, at_key=True)
    read = ReconcilePass(
        name=entry.text("name", default=f"pass {number}"),
        path=entry.path,
        same=entry.texts("same"),
        opposite=entry.texts("opposite"),
        close=entry.map("close"),
        total=total,
        many=entry.choice("many", MANY) if many else None,
        result=entry.choice("result", PASS_RESULTS, "matched"),
    )
    if not entry.has("same") and not entry.has("close") and not entry.has("opposite"):
        entry.problem("S02", None, 'a pass needs "same": the columns that must be equal')
    entry.close()
    return read


def _for_each(fields: Fields, inner: StepReader) -> Kind:
    over: Raw = fields.raw("for_each", required=True)
    queue = _QUEUE.fullmatch(over.strip()) if isinstance(over, str) else None
    if over == ():
        fields.problem("S06", "for_each", '"for_each" is an empty list; write what the loop goes over')
    if isinstance(over, dict):
        fields.problem("S05", "for_each", '"for_each" must be ${{ rows }}, a list or `queue NAME`, not a map')
    _queue_words(fields, queue[1] if queue else None)
    name = fields.text("as", required=True)
    is_named = bool(name) and identifier(fields, "as", name, "a loop's name")
    loop = ForEach(
        over=over,
        as_name=name,
        do=inner.inside_loop().steps(fields, "do", required=True),
        queue=queue[1] if queue else None,
        key=fields.texts("key"),
        group_by=fields.texts("group_by"),
        collect=fields.map("collect") if fields.has("collect") else None,
        workers=fields.whole("workers", default=1, at_most=100),
        at_most=fields.whole("at_most"),
        max_failures=fields.whole("max_failures"),
        again=_again(fields),
    )
    return loop if is_named else Unread()


def _queue_words(fields: Fields, queue: str | None) -> None:
    """What belongs to a loop over a queue, and what does not."""
    if queue is None and fields.has("at_most"):
        fields.problem("S01", "at_most", '"at_most" belongs to `for_each: queue NAME`; rows are cut by a table step')
    for name in ("key", "group_by"):
        if queue is not None and fields.has(name):
            fields.problem("S01", name, f'a queue names its items itself, in tables/{queue}.yaml: leave "{name}" out')


def _again(fields: Fields) -> Duration | Literal["never", "every run"]:
    written = fields.raw("again")
    if written == "every run":
        return "every run"
    if not fields.has("again") or written == "never":
        return "never"
    if isinstance(written, str):
        try:
            return Duration.parse(written)
        except ValueError:
            wrong = f'"again" can be never, every run or a duration like 3 days, not "{written}"'
            fields.problem("S05", "again", wrong)
            return "never"
    fields.text("again")
    return "never"


def _choose(fields: Fields, inner: StepReader) -> Kind:
    branches = []
    for entry in fields.entries("choose", "when", "do", required=True):
        steps = inner.steps(entry, "do", required=True)
        branches.append(Branch(when=entry.text("when", required=True), do=steps, path=entry.path))
        entry.close()
    return Choose(branches=tuple(branches), otherwise=_otherwise(fields, inner))


def _otherwise(fields: Fields, inner: StepReader) -> tuple[Step, ...] | None:
    if not fields.has("otherwise"):
        return None
    written = fields.raw("otherwise")
    if isinstance(written, str):
        fields.choice("otherwise", ("nothing",))
        return ()
    return inner.steps(fields, "otherwise")


def _approve(fields: Fields, inner: StepReader) -> Kind:
    by, by_row = _approvers(fields)
    return Approve(
        rows=fields.raw("approve", required=True),
        row=fields.texts("row", required=True),
        ask=fields.text("ask", required=True),
        by=by,
        by_row=by_row,
        not_by=_words(fields, "not_by", NOT_BY),
        show=fields.texts("show", required=True),
        within=fields.duration("within"),
        if_late=fields.choice("if_late", APPROVAL_LATE) if fields.has("if_late") else None,
        decide=fields.choice("decide", DECIDE, "row by row"),
        attach=fields.raw("attach"),
        fields=approval_fields(fields),
        remind_every=fields.duration("remind_every"),
        escalate=_escalate(fields),
    )


def _approvers(fields: Fields) -> tuple[tuple[str, ...], str | None]:
    written = fields.raw("by")
    if isinstance(written, str) and "${{" in written:
        return (), written
    return fields.texts("by"), None


def _words(fields: Fields, key: str, words: tuple[str, ...]) -> tuple[str, ...]:
    named = fields.texts(key)
    return tuple(word for number, word in enumerate(named) if is_word(fields, key, number, word, words))


def _escalate(fields: Fields) -> Escalate | None:
    found = fields.sub("escalate", "after", "to")
    if found is None:
        return None
    after, to = found.duration("after", required=True), found.texts("to", required=True)
    found.close()
    return Escalate(after=after or Duration(), to=to)


def _wait(fields: Fields, inner: StepReader) -> Kind:
    target = fields.text("wait", required=True)
    if "${{" in target or _DATE.fullmatch(target):
        for key in KIND_KEYS["wait"]:
            if fields.has(key):
                wrong = f'"{key}" belongs to a wait for a bot, not to a wait for a date'
                fields.problem("S01", key, wrong, at_key=True)
        return Wait(date=target)
    if target and not _BOT.fullmatch(target):
        wrong = f'"wait" must be a date in ${{{{ }}}} or a bot like email.find_replies, not "{target}"'
        fields.problem("S05", "wait", wrong)
    if not _BOT.fullmatch(target):
        for key in KIND_KEYS["wait"]:
            fields.has(key)
        return Unread()
    return Wait(
        bot=target,
        inputs=fields.map("with"),
        every=fields.duration("every", required=True),
        until=fields.text("until", required=True),
        within=fields.duration("within"),
        if_late=_if_late(fields, inner),
    )


def _if_late(fields: Fields, inner: StepReader) -> Literal["continue", "stop"] | tuple[Step, ...] | None:
    if not fields.has("if_late"):
        return None
    if isinstance(fields.raw("if_late"), str):
        return fields.choice("if_late", WAIT_LATE)
    return inner.steps(fields, "if_late")


def _set(fields: Fields, inner: StepReader) -> Kind:
    found = fields.sub("set", required=True)
    for name in found.names() if found else ():
        if found:
            identifier(found, name, name, "a name that is set", at_key=True)
    return SetValues(values=dict(found.values) if found else {})


def _stop(fields: Fields, inner: StepReader) -> Kind:
    reason = fields.text("stop", required=True)
    words: tuple[Literal["success", "failed", "rejected"], ...] = ITEM_RESULTS if inner.in_loop else STOP_RESULTS
    return Stop(reason=reason, result=fields.choice("result", words, "success"))


KINDS: Final[Mapping[str, Callable[[Fields, StepReader], Kind]]] = {
    "bot": _bot,
    "check": _check,
    "table": _table,
    "reconcile": _reconcile,
    "for_each": _for_each,
    "choose": _choose,
    "approve": _approve,
    "wait": _wait,
    "workflow": _workflow,
    "set": _set,
    "stop": _stop,
}
