"""The JSON Schema of workflows: steps, verbs, bots with their `with:` keys, screens and elements, with help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from interoffice.loader.schema_words import (
    ANY,
    DURATION,
    EXPRESSION,
    NAME,
    NUMBER,
    SCALAR,
    TEXT,
    TEXTS,
    VERSION,
    YES_NO,
    Schema,
    document,
    list_of,
    map_of,
    one_map,
    ref,
    said,
    when,
    whole,
    words,
    words_list,
)
from interoffice.loader.step_kinds import (
    APPROVAL_LATE,
    DECIDE,
    IF_MISSING,
    KIND_KEYS,
    LIMITS,
    MANY,
    NOT_BY,
    PASS_RESULTS,
    ROUTES,
    TOTALS,
    WAIT_LATE,
)
from interoffice.loader.steps import ON_FAILURE, VERBS
from interoffice.loader.workflow import OVERLAP
from interoffice.model.selectors import Application, Screen
from interoffice.model.workflow import FIELD_TYPES, INPUT_TYPES


class InputLike(Protocol):
    """What the schema asks of a bot's input."""

    @property
    def name(self) -> str:
        """Its name under `with:`."""

    @property
    def kind(self) -> str:
        """How it is written: value, screen, element, contract ..."""

    @property
    def many(self) -> bool:
        """True where one or a list may be written."""

    @property
    def optional(self) -> bool:
        """True where it may be left out."""

    @property
    def help(self) -> str:
        """What it is for."""


class BotLike(Protocol):
    """What the schema asks of a bot's description."""

    @property
    def name(self) -> str:
        """module.function."""

    @property
    def effect(self) -> str:
        """reads, changes or sends."""

    @property
    def summary(self) -> str:
        """One line."""

    @property
    def doc(self) -> str:
        """All its help."""

    @property
    def inputs(self) -> Mapping[str, InputLike]:
        """Its inputs by name."""


class Names:
    """Names of a project that inputs can take, by the kind of the input."""

    def __init__(
        self,
        *,
        applications: Iterable[Application] = (),
        contracts: Iterable[str] = (),
        layouts: Iterable[str] = (),
        decision_tables: Iterable[str] = (),
        risk_tables: Iterable[str] = (),
        screening_lists: Iterable[str] = (),
        queues: Iterable[str] = (),
        mail_accounts: Iterable[str] = (),
        templates: Iterable[str] = (),
        workflows: Iterable[str] = (),
    ) -> None:
        self.applications = tuple(applications)
        self.workflows = tuple(workflows)
        self.by_kind: Mapping[str, tuple[str, ...]] = {
            "contract": tuple(contracts),
            "layout": tuple(layouts),
            "decision table": tuple(decision_tables),
            "risk table": tuple(risk_tables),
            "screening lists": tuple(screening_lists),
            "queue": tuple(queues),
            "mail account": tuple(mail_accounts),
            "template": tuple(templates),
            "application": tuple(application.key for application in self.applications),
            "screen": tuple(name for name, _ in self.screens()),
        }

    def screens(self) -> Sequence[tuple[str, Screen]]:
        """Every screen by its full name."""
        return [
            (f"{application.key}.{name}", screen)
            for application in self.applications
            for name, screen in application.screens.items()
        ]


TOP_HELP: Final = {
    "version": "The version of the language: 1.",
    "name": "What people call the workflow.",
    "description": "What it does, in a sentence or two.",
    "owner": "Whose it is: the address that learns of failures. `${{ workflow.owner }}` in expressions.",
    "inputs": "What a person or a schedule may give to a run: `${{ inputs.NAME }}`.",
    "overlap": "What happens when a run is due while another one is still going.",
    "locks": "Names shared by all workflows; a step that needs one waits until it is free.",
    "mask": "Columns that logs, pictures and traces never show.",
    "timeout": "How long a whole run may take. Waiting never counts.",
    "defaults": "What holds for every step that doesn't say otherwise.",
    "steps": "What is done, from top to bottom.",
    "outputs": "What a run gives, to a workflow that calls it and to people.",
    "on_failure": "Steps that run when the run fails.",
    "always": "Steps that run at the end, whatever happened.",
}
STEP_HELP: Final = {
    "id": "The step's own name: `${{ steps.ID.output }}`. Letters, digits and _.",
    "name": "What people call the step.",
    "if": "Run the step only when this is true. Without braces.",
    "timeout": "How long one attempt may take: 90s, 5m, 2h.",
    "retry": "Try again after an application error; never after a business error.",
    "on_failure": "stop (default), continue, review (in a loop: a person decides), or steps.",
    "look_up": "How it is found out whether the item is in the target already, instead of the bot's own way.",
    "posts": "What is posted, in one word: with the key it decides whether it was posted already.",
    "tags": "What a worker must offer to run this step.",
    "bot": "Does one thing in one tool: module.function.",
    "check": "Checks the rows of a table, or one record, by rules. Gives passed, review, rejected.",
    "table": "Joins, computes, filters, groups and sorts a table, in this order. Gives rows and rest.",
    "reconcile": "Compares two tables. Gives matched, different, only_left, only_right, ambiguous, exceptions.",
    "for_each": "Does the steps of `do` for every row. Gives results, failed, already.",
    "choose": "The first branch whose condition is true.",
    "approve": "Another person decides on these rows. Gives approved, rejected.",
    "wait": "Waits for a date, or until a bot finds something.",
    "workflow": "Runs another workflow inside this run.",
    "set": "Names for values: `${{ steps.ID.name }}`.",
    "stop": "Ends the run here (inside `do`: the item), for this reason.",
    "with": "The inputs.",
    "row": "How a row is named in reports: a column, or a list of them.",
    "otherwise": "check: the route of rules that name none. choose: steps when no branch fits, or `nothing`.",
    "rules": "Each is one sentence that is true of a good row.",
    "limits": "How many rows may be out before the run stops: 10% or a number.",
    "join": "Another table put beside this one.",
    "columns": "New columns, each an expression over the others.",
    "where": "Which rows stay; the others are in `.rest`.",
    "group_by": "The columns that make a group.",
    "totals": "What is made of the columns of a group.",
    "sort": "The columns that the rows are ordered by.",
    "passes": "From strict to wide; each takes what the earlier ones left.",
    "as": "What a row is called inside `do`.",
    "key": "The business reference of an item, unique over all runs. Without braces.",
    "do": "The steps for each row.",
    "collect": "The columns of `.results`.",
    "workers": "How many items are worked at once.",
    "at_most": "How many items of a queue one run takes.",
    "max_failures": "The loop ends after so many application errors in a row.",
    "again": "When an item that was done may be done again: never (default), every run, 3 days.",
    "decide": "row by row (default), or together.",
    "ask": "The question that the approver reads.",
    "by": "Groups of settings.yaml, or an expression that gives an e-mail address for each row.",
    "not_by": "Who may not decide, besides those who prepared it.",
    "show": "The columns that the approver sees.",
    "attach": "Files that the approver sees.",
    "fields": "What the approver fills in or corrects.",
    "within": "How long at most.",
    "remind_every": "How often the approvers are reminded.",
    "escalate": "To whom it goes after how long.",
    "if_late": "approve: reject, stop or wait. wait: continue, stop, or steps.",
    "every": "How often the bot looks.",
    "until": "What its outputs must show. Without braces.",
    "result": "How the run ends: success or failed (inside `do`: success or rejected).",
}
_VALUES: Final = frozenset({"values", "element values", "grid tables", "element files", "sheet tables"})
_TYPED: Final = frozenset({"element values", "element files", "grid tables"})


def workflow_schema(bots: Iterable[BotLike] = (), names: Names | None = None) -> Schema:
    """The schema of workflows of a project with these bots and names."""
    every, known = tuple(bots), names or Names()
    top = {key: said(schema, TOP_HELP[key]) for key, schema in _top().items()}
    body = one_map(top, required=("version", "name", "steps"))
    definitions = {"step": _step(every, known), "retry": _retry(), "rule": _rule(), "value": ANY}
    return document("Interoffice workflow", body, definitions)


def _top() -> dict[str, Schema]:
    return {
        "version": VERSION,
        "name": TEXT,
        "description": TEXT,
        "owner": TEXT,
        "inputs": map_of(_input(), names=NAME),
        "overlap": words(*OVERLAP),
        "locks": TEXTS,
        "mask": TEXTS,
        "timeout": DURATION,
        "defaults": one_map({"timeout": DURATION, "retry": ref("retry")}),
        "steps": list_of(ref("step")),
        "outputs": map_of(ANY),
        "on_failure": list_of(ref("step")),
        "always": list_of(ref("step")),
    }


def _input() -> Schema:
    keys = {
        "type": words(*INPUT_TYPES),
        "many": said(YES_NO, "Several values."),
        "default": said(ANY, "A value, an expression, or a word of time such as yesterday."),
        "choices": TEXTS,
        "min": SCALAR,
        "max": SCALAR,
        "columns": said(TEXT, "The contract in tables/ of an input of type table."),
        "help": TEXT,
    }
    return one_map(keys, required=("type",))


def _field() -> Schema:
    keys = {
        "type": words(*FIELD_TYPES),
        "choices": TEXTS,
        "min": SCALAR,
        "max": SCALAR,
        "required_when": EXPRESSION,
        "help": TEXT,
    }
    return one_map(keys, required=("type",))


def _retry() -> Schema:
    return one_map({"attempts": whole(), "wait": DURATION, "backoff": NUMBER, "max_wait": DURATION})


def _rule() -> Schema:
    keys = {"rule": EXPRESSION, "otherwise": words(*ROUTES), "message": TEXT, "when": EXPRESSION, "per": TEXTS}
    return {"anyOf": [EXPRESSION, one_map(keys, required=("rule",))]}


def _step(bots: Sequence[BotLike], names: Names) -> Schema:
    """One step: every key is known everywhere, and what a verb brings along is required with it."""
    kinds = {**_step_keys(), **_kind_keys(names)}
    kinds["bot"] = {"enum": [bot.name for bot in bots]} if bots else TEXT
    kinds["wait"] = {"anyOf": [{"enum": [bot.name for bot in bots if bot.effect == "reads"]}, TEXT]} if bots else TEXT
    properties = {key: said(schema, STEP_HELP.get(key, "")) for key, schema in kinds.items()}
    schema = one_map(properties, required=("id",))
    schema["oneOf"] = [{"required": [verb]} for verb in VERBS]
    schema["allOf"] = [_kind(verb) for verb in VERBS] + [
        when(verb, bot.name, {"properties": {"with": _with(bot, names)}, **_needs_with(bot)})
        for bot in bots
        for verb in (("bot", "wait") if bot.effect == "reads" else ("bot",))
    ]
    return schema


def _step_keys() -> dict[str, Schema]:
    return {
        "id": {"type": "string", "pattern": NAME},
        "name": TEXT,
        "if": EXPRESSION,
        "timeout": DURATION,
        "retry": ref("retry"),
        "on_failure": {"anyOf": [words(*ON_FAILURE), list_of(ref("step"))]},
        "look_up": map_of(ANY),
        "posts": TEXT,
        "tags": TEXTS,
    }


def _kind_keys(names: Names) -> dict[str, Schema]:
    values = map_of(ANY)
    steps = list_of(ref("step"))
    known = {"enum": list(names.workflows)} if names.workflows else TEXT
    return {
        "check": ANY, "table": ANY, "reconcile": _sides(), "for_each": ANY, "choose": list_of(_branch()),
        "approve": ANY, "workflow": known, "set": map_of(ANY, names=NAME), "stop": TEXT,
        "with": values, "row": TEXTS, "rules": list_of(ref("rule")), "limits": one_map(dict.fromkeys(LIMITS, TEXT)),
        "otherwise": {"anyOf": [words(*ROUTES), words("nothing"), steps]},
        "join": _join(), "columns": map_of(EXPRESSION), "where": EXPRESSION, "group_by": TEXTS,
        "totals": map_of(words(*TOTALS)), "sort": TEXTS, "passes": list_of(_pass()), "as": {"type": "string"},
        "key": TEXTS, "do": steps, "collect": values, "workers": whole(), "at_most": whole(),
        "max_failures": whole(), "again": {"anyOf": [words("never", "every run"), DURATION]},
        "decide": words(*DECIDE), "ask": TEXT, "by": TEXTS, "not_by": words_list(NOT_BY), "show": TEXTS,
        "attach": ANY, "fields": map_of(_field()), "within": DURATION, "remind_every": DURATION,
        "escalate": one_map({"after": DURATION, "to": TEXTS}, required=("after", "to")),
        "if_late": {"anyOf": [words(*dict.fromkeys((*APPROVAL_LATE, *WAIT_LATE))), steps]},
        "every": DURATION, "until": EXPRESSION, "result": words("success", "failed", "rejected"),
    }  # fmt: skip


_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "check": ("rules",),
    "reconcile": ("passes",),
    "for_each": ("as", "do"),
    "approve": ("row", "ask", "show"),
}


def _kind(verb: str) -> Schema:
    """What a verb needs beside itself, and which keys don't go with it."""
    foreign = {key for keys in KIND_KEYS.values() for key in keys} - set(KIND_KEYS[verb])
    narrowed: dict[str, Schema] = {key: {"not": {}} for key in sorted(foreign)}
    if verb == "check":
        narrowed["otherwise"] = words(*ROUTES)
    if verb == "choose":
        narrowed["otherwise"] = {"anyOf": [words("nothing"), list_of(ref("step"))]}
    if verb == "approve":
        narrowed["if_late"] = words(*APPROVAL_LATE)
    if verb == "wait":
        narrowed["if_late"] = {"anyOf": [words(*WAIT_LATE), list_of(ref("step"))]}
    needed = {"required": list(_NEEDED[verb])} if verb in _NEEDED else {}
    return {"if": {"required": [verb]}, "then": {"properties": narrowed, **needed}}


def _branch() -> Schema:
    return one_map({"when": EXPRESSION, "do": list_of(ref("step"))}, required=("when", "do"))


def _join() -> Schema:
    return one_map({"with": ANY, "same": TEXTS, "if_missing": words(*IF_MISSING)}, required=("with", "same"))


def _sides() -> Schema:
    pair = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}
    keys = {"left": ANY, "right": ANY, "left_name": TEXT, "right_name": TEXT, "columns": map_of(pair)}
    return one_map(keys, required=("left", "right"))


def _pass() -> Schema:
    return one_map(
        {
            "name": TEXT,
            "same": TEXTS,
            "opposite": TEXTS,
            "close": map_of(SCALAR),
            "total": TEXT,
            "many": words(*MANY),
            "result": words(*PASS_RESULTS),
        }
    )


# bots


def _with(bot: BotLike, names: Names) -> Schema:
    """The `with:` of a bot; where it names a screen, the elements of that screen."""
    properties = {name: said(_given(given, names), given.help) for name, given in bot.inputs.items()}
    required = [name for name, given in bot.inputs.items() if not given.optional]
    schema = said(one_map(properties, required=required), bot.doc or bot.summary)
    screen = next((name for name, given in bot.inputs.items() if given.kind == "screen"), None)
    if screen is not None:
        schema["allOf"] = [when(screen, full, _on_screen(bot, found)) for full, found in names.screens()]
    return schema


def _needs_with(bot: BotLike) -> Schema:
    return {"required": ["with"]} if any(not given.optional for given in bot.inputs.values()) else {}


def _given(given: InputLike, names: Names) -> Schema:
    """What may stand behind one input. Names of things that the project has are offered, and no others taken."""
    known = names.by_kind.get(given.kind, ())
    if known:
        return words_list(known) if given.many else {"enum": list(known)}
    if given.kind in _VALUES:
        return {"type": ["object", "string"]}
    if given.kind in ("column", "columns", "elements"):
        return TEXTS
    if given.kind in ("credential", "element", "screen", "template", "contract"):
        return {"type": "string"}
    return ANY


def _on_screen(bot: BotLike, screen: Screen) -> Schema:
    narrowed: dict[str, Schema] = {}
    for name, given in bot.inputs.items():
        if given.kind == "element values" and name == "fields":
            narrowed[name] = one_map(_elements(screen), more=True)
        elif given.kind == "element":
            narrowed[name] = {"enum": [element.name for element in screen.commits]}
    return {"properties": narrowed} if narrowed else {}


def _elements(screen: Screen) -> dict[str, Schema]:
    offered = (element for element in screen.elements.values() if element.type not in ("button", "read_only", "grid"))
    return {element.name: said({}, " / ".join(element.caption)) for element in offered}
