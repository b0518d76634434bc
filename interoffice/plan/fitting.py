"""Whether a value fits where it is given: a bot's input, a sub-workflow's input, an element of a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from interoffice.language.scopes import columns_of
from interoffice.loader.step_parts import is_literal
from interoffice.model.types import Type
from interoffice.model.workflow import Raw
from interoffice.problem import did_you_mean


class Misfit(NamedTuple):
    """Why a value doesn't fit, to stand behind `input "x"`, and what was meant."""

    message: str
    suggestion: str | None = None


FITS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset(("text", "choice")),
    "choice": frozenset(("text", "choice")),
    "number": frozenset(("number", "money")),
    "money": frozenset(("number", "money")),
    "percent": frozenset(("percent",)),
    "date": frozenset(("date",)),
    "date_time": frozenset(("date_time",)),
    "time": frozenset(("time",)),
    "duration": frozenset(("duration",)),
    "yes_no": frozenset(("yes_no",)),
    "file": frozenset(("file", "text")),
    "table": frozenset(("table",)),
    "record": frozenset(("record",)),
    "list": frozenset(("list", "table")),
    "credential": frozenset(("credential",)),
}
_EXAMPLES: Final[Mapping[str, str]] = {
    "number": "a number like 1234.56",
    "money": "an amount like 1234.56",
    "percent": "a percent like 15%",
    "date": "a date like 2026-12-24",
    "date_time": "a moment like 2026-12-24T08:00",
    "time": "a time like 08:30",
    "duration": "a duration like 90s or 2 business days",
    "yes_no": "true or false",
    "table": "a table; write the expression in ${{ }}",
    "record": "a record",
    "list": "a list",
}


def misfit(wanted: Type, given: Type, raw: Raw, *, many: bool = False) -> Misfit | None:
    """What is wrong with a value for a wanted type; None where it fits or nothing can be said. `many`: or a list."""
    if "any" in (wanted.kind, given.kind):
        return None
    if many and isinstance(raw, tuple):
        return next((found for part in raw if (found := misfit(wanted, _type_of(part, given), part)) is not None), None)
    if isinstance(raw, str) and "${{" not in raw:
        return _literal(wanted, raw)
    if many and given.kind == "list":
        given = given.item or wanted
    return _typed(wanted, given)


def _type_of(part: Raw, given: Type) -> Type:
    """The type of one entry of a written list: that of the list's entries, so far as they have one."""
    return given.item if given.kind == "list" and given.item is not None else given


def _literal(wanted: Type, text: str) -> Misfit | None:
    if wanted.kind == "choice" and wanted.choices and text not in wanted.choices:
        return Misfit(f'can be {", ".join(wanted.choices)}, not "{text}"', did_you_mean(text, wanted.choices))
    if wanted.kind in ("table", "record", "list"):
        return Misfit(f'must be {_EXAMPLES[wanted.kind]}, not the text "{text}"')
    if wanted.kind in _EXAMPLES and not is_literal(text, wanted.kind):
        return Misfit(f'must be {_EXAMPLES[wanted.kind]}, not "{text}"')
    return None


def _typed(wanted: Type, given: Type) -> Misfit | None:
    if given.kind in ("any", "missing"):
        return None
    if given.kind not in FITS.get(wanted.kind, frozenset((given.kind,))):
        return Misfit(f"must be {wanted}, not {given}")
    if wanted.kind == "choice" and wanted.choices and given.choices and not set(wanted.choices) & set(given.choices):
        return Misfit(f"can be {', '.join(wanted.choices)}, and this is one of {', '.join(given.choices)}")
    if wanted.kind in ("table", "record"):
        return _columns(wanted, given)
    return None


def _columns(wanted: Type, given: Type) -> Misfit | None:
    """A wanted column that is not among the given ones, or of another type there."""
    known = columns_of(given)
    is_open = given.open or (given.columns is None and given.fields is None)
    for name, type in columns_of(wanted).items():
        if name not in known:
            if not is_open:
                return Misfit(f'needs a column "{name}"', did_you_mean(name, known))
        elif _typed(type, known[name]) is not None:
            return Misfit(f'needs {type} in column "{name}", and there is {known[name]}')
    return None
