"""Mail templates: the file is there (R09), and uses only what `data:` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interoffice.language.scopes import columns_of
from interoffice.model.types import Type
from interoffice.plan.check_tables import is_open
from interoffice.plan.checking import Checking
from interoffice.plan.given import GivenInput
from interoffice.plan.template_use import TemplateUse
from interoffice.problem import Position, did_you_mean

ALWAYS_GIVEN: Final = frozenset(("run", "workflow"))


def check_template(checking: Checking, one: GivenInput, given: Mapping[str, GivenInput]) -> None:
    """Checks the template that a step names, against the data that it gives."""
    name = str(one.raw)
    text = checking.project.template(name)
    if text is None:
        meant = did_you_mean(name, checking.project.templates())
        checking.report("R09", one.path, f"there is no template workflows/{name}", suggestion=meant)
        return
    use = checking.project.template_uses.of(text)
    data = next((each for each in given.values() if each.declared.kind == "values"), None)
    if use.error is not None:
        message = f"the template workflows/{name} can't be read: {use.error} (line {use.error_line})"
        checking.report("R09", one.path, message, see=_line(name, use.error_line))
        return
    if data is None or data.known.type.kind == "record":
        _check_variables(checking, one, use, data)


def _line(name: str, line: int) -> Position:
    return Position(file=f"workflows/{name}", line=line, column=1)


def _check_variables(checking: Checking, one: GivenInput, use: TemplateUse, data: GivenInput | None) -> None:
    fields = {} if data is None else columns_of(data.known.type)
    path = one.path if data is None else data.path
    if data is not None and data.known.type.open:
        return
    for variable, line in use.variables.items():
        if variable not in fields and variable not in ALWAYS_GIVEN:
            message = f'the template {one.raw} uses "{variable}" (line {line}), which "data" does not give'
            meant = did_you_mean(variable, fields)
            place = (*path, meant) if meant and meant not in use.variables else path
            is_renamed = place != path
            checking.report(
                "R05", place, message, suggestion=variable if is_renamed else None, at_key=True,
                see=_line(str(one.raw), line),
            )  # fmt: skip
    for variable, part, line in use.parts:
        rows = fields.get(variable)
        if rows is not None and data is not None:
            _check_part(checking, one, data, variable, part, line, rows)


def _check_part(
    checking: Checking, one: GivenInput, data: GivenInput, variable: str, part: str, line: int, rows: Type
) -> None:
    if rows.kind != "table" or is_open(rows) or part in columns_of(rows):
        return
    message = f'the template {one.raw} shows column "{part}" (line {line}), which "{variable}" does not have'
    see = _line(str(one.raw), line)
    checking.report("C03", (*data.path, variable), message, see=see)
