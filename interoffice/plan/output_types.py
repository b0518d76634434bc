"""What a bot gives back in one step: its declared outputs, the dependent ones worked out from the step's inputs.

The declarations are a small language of their own (bots.md):

    columns of contract              the columns of the file that the input `contract` names (a layout, a queue alike)
    columns of screen.read           elements of the screen that the input `screen` names, those listed in `read`
    columns of screen.columns        the same of the screen's grid, as rows
    columns of read                  the same where the bot has one screen
    columns of by                    those columns of the input table that `by` names
    input rows                       the input `rows`, as it is
    gives of table                   what the decision table (or risk table) named by the input `table` adds
    table of a: text, b: file        a table of these columns
    choice of classes                one of the texts written in the input `classes`
    ... plus {a: money, b: choice}   and these columns too; also `plus gives of table`

Whatever depends on something unknown (an input made by an expression, a file that isn't there) is `any`: that mistake
has been reported where it was made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from interoffice.declaration import BotDescription, BotOutput
from interoffice.frozen import dataclass
from interoffice.model.types import (
    ANY,
    TEXT,
    Type,
    choice_of,
    named_type,
    record_of,
    table_of,
)
from interoffice.model.workflow import Raw


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What a step gives for one input: as written, and its static type."""

    raw: Raw
    type: Type

    @property
    def word(self) -> str | None:
        """The name that is written there; None for a value made by an expression."""
        return self.raw if isinstance(self.raw, str) and "${{" not in self.raw else None

    @property
    def words(self) -> tuple[str, ...] | None:
        """The names that are written there, one or a list; None where they are not known before the run."""
        parts = self.raw if isinstance(self.raw, tuple) else (self.raw,)
        texts = tuple(part for part in parts if isinstance(part, str) and "${{" not in part)
        return texts if len(texts) == len(parts) else None


class NamedColumns(Protocol):
    """What is known of the files that inputs name. None: there is no such file, or it has mistakes of its own."""

    def table_columns(self, name: str) -> Type | None:
        """A table of the columns of a contract, queue or layout, or of what a decision or risk table adds."""

    def screen_values(self, screen: str) -> Mapping[str, Type] | None:
        """Element -> type of what can be read on a screen (`erp.sales_order`), its list's columns included."""

    def grid_columns(self, screen: str) -> Mapping[str, Type] | None:
        """Column -> type of the one grid of a screen."""


def output_types(bot: BotDescription, given: Mapping[str, Given], files: NamedColumns) -> dict[str, Type]:
    """Output -> type of one step that calls the bot with these inputs."""
    working = _Working(bot=bot, given=given, files=files)
    return {output.name: working.output(output) for output in bot.outputs.values()}


class OutputDeclarationError(ValueError):
    """A bot's declaration of an output is not in the small language."""


_MISSING: Final = re.compile(r",\s*missing\b.*$")
_MORE: Final = re.compile(r"\s+plus\s+")
_NAMED: Final = re.compile(r"([a-z_][a-z_0-9]*)(?:\.([a-z_][a-z_0-9]*))?")


@dataclass(frozen=True, kw_only=True)
class _Working:
    bot: BotDescription
    given: Mapping[str, Given]
    files: NamedColumns

    def output(self, output: BotOutput) -> Type:
        says = _MISSING.sub("", output.says.strip())
        if not says:
            return output.type
        first, *more = _MORE.split(says)
        found = self._first(first.strip(), output)
        for part in more:
            found = _with(found, self._more(part.strip()))
        return found

    def _first(self, says: str, output: BotOutput) -> Type:
        word, _, rest = says.partition(" ")
        of = rest.removeprefix("of ").strip()
        if word == "columns":
            return _shaped(self._columns(of), output.type)
        if word == "gives":
            return _shaped(self._file(of), output.type)
        if word == "input":
            return self._rows(rest, output)
        if word in ("table", "record"):
            columns = read_columns(of)
            return table_of(columns) if word == "table" else record_of(columns)
        if word == "choice":
            return self._choice(of)
        return _type_of(says)

    def _more(self, says: str) -> Type:
        if says.startswith("{") and says.endswith("}"):
            return table_of(read_columns(says[1:-1]))
        if says.startswith("gives of "):
            return self._file(says.removeprefix("gives of "))
        raise OutputDeclarationError(f'"plus {says}" is not known in the outputs of {self.bot.name}')

    def _columns(self, of: str) -> Type:
        found = _NAMED.fullmatch(of)
        if found is None:
            raise OutputDeclarationError(f'"columns of {of}" is not known in the outputs of {self.bot.name}')
        name, part = found[1], found[2]
        if part is not None:
            return self._screen_part(name, part)
        declared = self.bot.inputs.get(name)
        if declared is not None and declared.kind in ("columns", "column", "elements"):
            return self._listed(name)
        return self._file(name)

    def _file(self, name: str) -> Type:
        given = self.given.get(name)
        word = None if given is None else given.word
        found = None if word is None else self.files.table_columns(word)
        return ANY if found is None else found

    def _screen_part(self, screen: str, part: str) -> Type:
        given = self.given.get(screen)
        where = None if given is None else given.word
        if where is None:
            return ANY
        declared = self.bot.inputs.get(part)
        is_grid = declared is not None and declared.kind in ("columns", "column")
        known = self.files.grid_columns(where) if is_grid else self.files.screen_values(where)
        return self._named(known, part)

    def _listed(self, name: str) -> Type:
        """The columns that an input lists, of the screen where the bot has one, else of the table given."""
        screen = self.bot.named("screen")
        if screen is not None:
            return self._screen_part(screen.name, name)
        rows = next((one for one in self.bot.inputs.values() if one.kind in ("table", "table or record")), None)
        given = None if rows is None else self.given.get(rows.name)
        return ANY if given is None else self._named(_columns_of(given.type), name)

    def _named(self, known: Mapping[str, Type] | None, part: str) -> Type:
        given = self.given.get(part)
        words: tuple[str, ...] | None = () if given is None else given.words
        if known is None or words is None:
            return ANY
        is_unsure = any(word not in known for word in words)
        return table_of({word: known.get(word, ANY) for word in words}, open=is_unsure)

    def _rows(self, name: str, output: BotOutput) -> Type:
        given = self.given.get(name.strip())
        if given is None or given.type.kind not in ("table", "record"):
            return ANY
        if output.type.kind == "table" and given.type.kind == "record":
            return Type("table", columns=given.type.fields, open=given.type.open)
        return given.type

    def _choice(self, name: str) -> Type:
        given = self.given.get(name)
        words = None if given is None else given.words
        return choice_of(words) if words else TEXT


def _with(found: Type, more: Type) -> Type:
    if found.kind == "any" or more.kind == "any":
        return ANY
    columns = {**(_columns_of(found) or {}), **(_columns_of(more) or {})}
    return record_of(columns, open=found.open) if found.kind == "record" else table_of(columns, open=found.open)


def _shaped(columns: Type, declared: Type) -> Type:
    """Columns as a record where the output is declared as one."""
    if columns.kind == "table" and declared.kind == "record":
        return Type("record", fields=columns.columns, open=columns.open)
    return columns


def _columns_of(type: Type) -> Mapping[str, Type] | None:
    return type.columns if type.kind == "table" else type.fields


def read_columns(says: str) -> dict[str, Type]:
    """`a: text, b: choice` -> column -> type; a name alone may hold anything."""
    columns: dict[str, Type] = {}
    for part in says.split(","):
        name, _, word = part.partition(":")
        if name.strip():
            columns[name.strip()] = _type_of(word.strip()) if word.strip() else ANY
    return columns


def _type_of(word: str) -> Type:
    try:
        return named_type(word)
    except ValueError as error:
        raise OutputDeclarationError(str(error)) from error
