"""What the names of an expression mean before the run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from typing import NamedTuple, Protocol

from interoffice.frozen import dataclass
from interoffice.language.suggest import closest
from interoffice.model.types import ANY, FILE, Type


class NameProblem(NamedTuple):
    """Why a name can't be used: rule code, message, and the last part of the name that was meant."""

    code: str
    message: str
    suggestion: str | None = None


class TypeScope(Protocol):
    """Names and their types. `Names` serves, unless the types are made on demand."""

    @property
    def patterns(self) -> Collection[str]:
        """The project's own named patterns."""

    @property
    def measures(self) -> Mapping[str, Type]:
        """Types of `match rate`, `row count`, `difference of amount` where they are known."""

    @property
    def is_screen(self) -> bool:
        """True where bare words are elements, so that `x is visible` can be asked."""

    def lookup(self, path: tuple[str, ...]) -> Type | NameProblem | None:
        """The type of a first name (a path of one part), a problem, or None when there is no such name."""

    def column(self, name: str) -> Type | None:
        """The type of a bare word: a column of the row, an output, an element; None when there is none."""

    def unknown(self, path: tuple[str, ...], owner: Type | None) -> NameProblem:
        """The problem of a name that isn't there: `path` up to it, and the type it was looked for in (None: none)."""


Unknown = Callable[[tuple[str, ...], Type | None], NameProblem | None]


@dataclass(frozen=True, kw_only=True)
class Names:
    """A scope of given types.

    `names` are first names, `columns` the row's table or record type (None: bare words mean nothing), `unknown_name`
    is asked first about a name that isn't there, for a rule code of its own.
    """

    names: Mapping[str, Type] = field(default_factory=dict)
    columns: Type | None = None
    measures: Mapping[str, Type] = field(default_factory=dict)
    patterns: Collection[str] = ()
    is_screen: bool = False
    column_word: str = "column"
    column_code: str = "C03"
    unknown_name: Unknown | None = None

    def lookup(self, path: tuple[str, ...]) -> Type | NameProblem | None:
        """The type of a first name; `row` is the row."""
        found = self.names.get(path[0])
        if found is None and path[0] == "row" and self.columns is not None:
            return Type("record", fields=columns_of(self.columns), open=self.columns.open)
        return found

    def column(self, name: str) -> Type | None:
        """The type of a bare word."""
        if self.columns is None:
            return None
        columns = columns_of(self.columns)
        if name in columns:
            return columns[name]
        return ANY if self.columns.open and name not in self.names else None

    def unknown(self, path: tuple[str, ...], owner: Type | None) -> NameProblem:
        """What is wrong, with the nearest name."""
        said = self.unknown_name(path, owner) if self.unknown_name is not None else None
        return said if said is not None else self._unknown(path, owner)

    def _unknown(self, path: tuple[str, ...], owner: Type | None) -> NameProblem:
        if path[0] == "secrets":
            return NameProblem("K01", "a secret is never read in an expression; a step names its credential")
        if owner is None:
            known = list(columns_of(self.columns)) if self.columns is not None else []
            meant = closest(path[0], [*known, *self.names])
            if self.columns is not None:
                return NameProblem(self.column_code, f'there is no {self.column_word} "{path[0]}"', meant)
            return NameProblem("R05", f'there is no name "{path[0]}" here', meant)
        return self._unknown_part(path, owner)

    def _unknown_part(self, path: tuple[str, ...], owner: Type) -> NameProblem:
        meant = closest(path[-1], columns_of(owner))
        before = ".".join(path[:-1])
        if owner.kind == "table" or path[0] == "row":
            return NameProblem("C03", f'"{before}" has no column "{path[-1]}"', meant)
        code = "R04" if path[0] == "inputs" and len(path) == 2 else "R05"
        return NameProblem(code, f'"{before}" has no "{path[-1]}"', meant)


def columns_of(type: Type) -> Mapping[str, Type]:
    """The columns of a table, the fields of a record or file, nothing for other types."""
    if type.kind == "table":
        return type.columns or {}
    if type.kind == "file":
        return FILE.fields or {}
    return type.fields or {}


@dataclass(frozen=True, kw_only=True)
class RowsScope:
    """The scope inside of `rows where ...`: bare words are columns of the rows, other names those outside."""

    outside: TypeScope
    rows: Names

    @property
    def patterns(self) -> Collection[str]:
        """Those outside."""
        return self.outside.patterns

    @property
    def measures(self) -> Mapping[str, Type]:
        """Those outside."""
        return self.outside.measures

    @property
    def is_screen(self) -> bool:
        """False: bare words are columns."""
        return False

    def lookup(self, path: tuple[str, ...]) -> Type | NameProblem | None:
        """A first name outside; `row` is the row of the table."""
        return self.rows.lookup(path) if path[0] == "row" else self.outside.lookup(path)

    def column(self, name: str) -> Type | None:
        """A column of the rows."""
        return self.rows.column(name)

    def unknown(self, path: tuple[str, ...], owner: Type | None) -> NameProblem:
        """A bare word is looked for among the columns, other names outside."""
        return self.rows.unknown(path, owner) if owner is None else self.outside.unknown(path, owner)


def rows_scope(outside: TypeScope, rows: Type) -> RowsScope:
    """The scope for a condition over these rows."""
    return RowsScope(outside=outside, rows=Names(columns=rows))
