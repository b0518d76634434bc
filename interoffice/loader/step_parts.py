"""Parts that several kinds of steps share: names, rules, retries, and what a person may fill in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Final

from interoffice.loader.yaml_tree import Fields, said
from interoffice.model.values import Duration, number_from_text
from interoffice.model.workflow import FIELD_TYPES, INPUT_TYPES, ApprovalField, Input, Retry, Route, Rule
from interoffice.problem import did_you_mean

NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
TAKEN: Final = frozenset({"inputs", "steps", "run", "workflow", "trigger", "tables", "today", "now", "yesterday"})
RULE_KEYS: Final = ("rule", "otherwise", "message", "when", "per")
FIELD_KEYS: Final = ("type", "choices", "min", "max", "required_when", "help")
INPUT_KEYS: Final = ("type", "many", "default", "choices", "min", "max", "columns", "help")
RETRY_KEYS: Final = ("attempts", "wait", "backoff", "max_wait")


def identifier(fields: Fields, key: str, name: str, what: str, *, at_key: bool = False) -> bool:
    """True of a name that expressions can use; another one is reported (S04)."""
    if not NAME.fullmatch(name):
        wrong = f'"{name}" is no good name: {what} is letters, digits and _, beginning with a letter'
        fields.problem("S04", key, wrong, re.sub(r"\W+", "_", name).strip("_") or None, at_key=at_key)
        return False
    if name in TAKEN:
        fields.problem("S04", key, f'"{name}" has a meaning of its own; choose another name', at_key=at_key)
        return False
    return True


def is_word(fields: Fields, key: str, number: int, word: str, words: tuple[str, ...]) -> bool:
    """True of a list's entry that is one of the words; another one is reported (S05)."""
    if word in words:
        return True
    path = fields.place(key) if isinstance(fields.raw(key), str) else (*fields.place(key), number)
    wrong = f'"{key}" can name {" and ".join(words)}, not "{word}"'
    fields.reading.problem("S05", path, wrong, suggestion=did_you_mean(word, words))
    return False


def rules(fields: Fields, routes: tuple[Route, ...], *, required: bool = True) -> tuple[Rule, ...]:
    """The rules of a check or a reconciliation: plain sentences, or maps with a route and a message."""
    read = []
    for number, entry in enumerate(fields.list_of("rules", required=required)):
        path = (*fields.place("rules"), number)
        if isinstance(entry, str):
            read.append(Rule(text=entry, path=path, short=True))
        elif isinstance(entry, dict):
            read.append(_rule(Fields(fields.reading, path, values=entry, keys=RULE_KEYS, called="this rule"), routes))
        else:
            wrong = f"a rule is a sentence like `amount > 0` or a map with `rule:`, not {said(entry)}"
            fields.reading.problem("S05", path, wrong)
    return tuple(read)


def _rule(fields: Fields, routes: tuple[Route, ...]) -> Rule:
    rule = Rule(
        text=fields.text("rule", required=True),
        path=fields.path,
        otherwise=fields.choice("otherwise", routes, rule="C02") if fields.has("otherwise") else None,
        message=fields.text("message"),
        when=fields.text("when"),
        per=fields.texts("per"),
    )
    fields.close()
    return rule


def retry(fields: Fields) -> Retry | None:
    """How often something is tried again, from the key `retry`."""
    found = fields.sub("retry", *RETRY_KEYS)
    if found is None:
        return None
    backoff = found.decimal("backoff")
    if backoff is not None and backoff < 1:
        found.problem("S05", "backoff", f'"backoff" must be at least 1, not {backoff}')
    read = Retry(
        attempts=found.whole("attempts", default=1, at_most=100),
        wait=found.duration("wait") or Duration(seconds=10),
        backoff=found.text("backoff", default="1"),
        max_wait=found.duration("max_wait"),
    )
    found.close()
    return read


def read_inputs(fields: Fields) -> dict[str, Input]:
    """The inputs of a workflow by name."""
    read = {}
    for name, entry in fields.map_of("inputs", *INPUT_KEYS).items():
        if identifier(Fields(entry.reading, entry.path[:-1]), name, name, "an input", at_key=True):
            read[name] = _input(name, entry)
            entry.close()
    return read


def _input(name: str, entry: Fields) -> Input:
    kind = _type(entry, INPUT_TYPES)
    choices = _choices(entry, kind)
    if kind != "table" and kind != "any" and entry.has("columns"):
        entry.problem("S01", "columns", f'"columns" belongs to type table, not to {kind}', at_key=True)
    read = Input(
        name=name,
        type=kind,
        path=entry.path,
        many=entry.yes_no("many"),
        default=entry.raw("default"),
        has_default=entry.has("default"),
        choices=choices,
        min=_bound(entry, "min", kind),
        max=_bound(entry, "max", kind),
        columns=entry.text("columns", required=kind == "table"),
        help=entry.text("help"),
    )
    if read.has_default:
        _check_default(entry, read)
    return read


def approval_fields(fields: Fields) -> dict[str, ApprovalField]:
    """The fields of an approval by name."""
    read = {}
    for name, entry in fields.map_of("fields", *FIELD_KEYS).items():
        kind = _type(entry, FIELD_TYPES)
        read[name] = ApprovalField(
            name=name,
            type=kind,
            path=entry.path,
            choices=_choices(entry, kind),
            min=_bound(entry, "min", kind),
            max=_bound(entry, "max", kind),
            required_when=entry.text("required_when"),
            help=entry.text("help"),
        )
        entry.close()
    return read


def _type(entry: Fields, types: tuple[str, ...]) -> str:
    """The type as written or meant; "any" where it can't be known, so that nothing more is said of it."""
    written = entry.raw("type")
    if isinstance(written, str) and written not in types and did_you_mean(written, types) is None:
        entry.choice("type", types)
        return "any"
    return entry.choice("type", types, required=True) if isinstance(written, str) else _no_type(entry)


def _no_type(entry: Fields) -> str:
    entry.text("type", required=True)
    return "any"


def _choices(entry: Fields, kind: str) -> tuple[str, ...]:
    choices = entry.texts("choices", required=kind == "choice")
    if choices and kind not in ("choice", "any"):
        entry.problem("S01", "choices", f'"choices" belongs to type choice, not to {kind}', at_key=True)
    return choices


def _bound(entry: Fields, key: str, kind: str) -> str | None:
    """`min` or `max` of a type that has an order."""
    written = entry.text(key)
    if written is None or kind == "any" or "${{" in written:
        return written
    if kind not in _LITERALS:
        wrong = f'"{key}" belongs to a type with an order (number, date ...), not to {kind}'
        entry.problem("S01", key, wrong, at_key=True)
    elif not is_literal(written, kind):
        entry.problem("S05", key, f'"{key}" must be {_LITERALS[kind][0]}, not "{written}"')
    return written


def _check_default(entry: Fields, read: Input) -> None:
    """S05: a default that is written out and isn't of the input's type. Expressions and time words are the plan's."""
    written = read.default
    if written is None:
        entry.problem("S02", "default", '"default" has no value; write one or leave it out')
        return
    values = written if isinstance(written, tuple) else (written,)
    if isinstance(written, tuple) and not read.many and read.type not in ("table", "any"):
        entry.problem("S05", "default", 'this input takes one value, not a list; for several add "many: true"')
        return
    for value in values:
        if isinstance(value, str) and "${{" not in value:
            _check_literal(entry, read, value)


def _check_literal(entry: Fields, read: Input, value: str) -> None:
    if read.type == "choice" and read.choices and value not in read.choices:
        meant = did_you_mean(value, read.choices)
        entry.problem("S05", "default", f'"{value}" is none of the choices {", ".join(read.choices)}', meant)
    elif read.type in _LITERALS and not is_literal(value, read.type):
        if read.type in ("date", "date_time") and NAME.match(value):
            return
        what = _LITERALS[read.type][0]
        entry.problem("S05", "default", f'the default of an input of type {read.type} must be {what}, not "{value}"')


def is_literal(text: str, kind: str) -> bool:
    """True of a text that stands for a value of the type."""
    try:
        _LITERALS[kind][1](text)
    except ValueError:
        return False
    return True


def _percent(text: str) -> object:
    if not text.endswith("%"):
        raise ValueError(text)
    return number_from_text(text[:-1].rstrip())


def _yes_no(text: str) -> object:
    return {"true": True, "false": False}.get(text) or ("true", "false").index(text)


def _day(text: str) -> object:
    return date.fromisoformat(text if len(text) == 10 else "")


def _moment(text: str) -> object:
    from datetime import datetime

    return datetime.fromisoformat(text)


_LITERALS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    "number": ("a number like 1234.56", number_from_text),
    "money": ("an amount like 1234.56", number_from_text),
    "percent": ("a percent like 15%", _percent),
    "date": ("a date like 2026-12-24, or a word like yesterday", _day),
    "date_time": ("a moment like 2026-12-24T08:00, or a word like now", _moment),
    "time": ("a time like 08:30", time.fromisoformat),
    "duration": ("a duration like 90s or 2 business days", Duration.parse),
    "yes_no": ("true or false", _yes_no),
}
