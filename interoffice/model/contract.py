"""The files of tables/: what columns a table from outside has, and the tables that analysts keep themselves.

    Contract        columns of a file that comes in or goes out: headers, types, how numbers and dates are written
    Queue           a contract with a key: rows that wait for a performer
    DecisionTable   given -> gives, its lines in a CSV file beside it
    RiskTable       factors with points, and bands
    ScreeningList   a sanctions or PEP list: whose form its files have, and how old our copy may be
    Layout          where the fields of a document stand (tables/layouts/)
    Patterns        named patterns for `matches` and `format:` (tables/patterns.yaml)

`key` is the file's name without .yaml: how workflows call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Any, ClassVar, Final, Literal

from interoffice.frozen import dataclass
from interoffice.model.types import NUMBER, TEXT, Type, type_from_json
from interoffice.model.values import Duration
from interoffice.problem import Path, Source

CHART_KINDS: Final = ("line", "column", "bar", "area", "pie")
"""Kinds of charts that a report pack can have."""
PUBLISHERS: Final = ("ofac", "eu", "un", "names")
"""Whose form the files of a screening list may have (`interoffice.screening.lists`)."""

FileFormat = Literal["csv", "xlsx", "xls", "ods"]
FILE_FORMATS: Final[tuple[FileFormat, ...]] = ("csv", "xlsx", "xls", "ods")
UnknownColumns = Literal["ignore", "error", "keep"]

ALWAYS_PATTERNS: Final = ("email", "iban", "bic", "lei", "luhn", "eu_vat_number")
"""Named patterns that every project has; tables/patterns.yaml adds its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column. `headers` are the names it may have in the file (none: its own). `required` speaks of its cells.

    `scale` says what a percent without a % sign means: 15 in `points` is 15%, 0.15 as a `fraction` is; None: an error.
    """

    name: str
    type: Type
    path: Path
    headers: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    format: str | None = None
    scale: Literal["points", "fraction"] | None = None
    sensitive: bool = False
    missing_is: str | None = None
    help: str | None = None

    @property
    def header(self) -> str:
        """What stands over it in a file that is written, and in messages."""
        return self.headers[0] if self.headers else self.name

    @property
    def known_headers(self) -> tuple[str, ...]:
        """Every header that it may have, its own name last."""
        return self.headers if self.name in self.headers else (*self.headers, self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """How a file is written: `source:` of a contract. `dates` in Unicode letters, tried in order."""

    formats: tuple[FileFormat, ...] = FILE_FORMATS
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    dates: tuple[str, ...] = ("yyyy-MM-dd",)
    sheet: str | None = None
    header_row: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Trailer:
    """The closing line of a file: its first cell starts with a text; its filled cells, in order, have these names."""

    starts_with: str
    columns: Mapping[str, Type]


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """A sentence that the whole file must keep, e.g. `sum of hours = trailer.hours`."""

    text: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The columns of a table from outside. `file`: the table's own rows stand in this file of the project."""

    kind: ClassVar[str] = "table contract"
    key: str
    name: str
    source: Source
    columns: Mapping[str, Column]
    writing: Writing = field(default_factory=Writing)
    unknown_columns: UnknownColumns = "ignore"
    trailer: Trailer | None = None
    controls: tuple[Control, ...] = ()
    file: str | None = None

    @property
    def column_types(self) -> Mapping[str, Type]:
        """Column -> type, as `check` and tables want it."""
        return {name: column.type for name, column in self.columns.items()}

    @property
    def sensitive_columns(self) -> tuple[str, ...]:
        """What logs, pictures and traces never show."""
        return tuple(name for name, column in self.columns.items() if column.sensitive)


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue: rows with these columns, each key once. `keep`: how long done ones are remembered."""

    kind: ClassVar[str] = "queue"
    key: str
    name: str
    source: Source
    columns: Mapping[str, Column]
    key_columns: tuple[str, ...]
    priority: Literal["low", "normal", "high"] = "normal"
    keep: Duration = field(default_factory=lambda: Duration(days=90))

    @property
    def column_types(self) -> Mapping[str, Type]:
        """Column -> type."""
        return {name: column.type for name, column in self.columns.items()}


@dataclass(frozen=True, kw_only=True)
class DecisionTable:
    """Lines of a CSV file: where all `given` fit, the `gives` are the answer."""

    kind: ClassVar[str] = "decision table"
    key: str
    name: str
    source: Source
    hit: Literal["first", "all", "add_up"]
    file: str
    writing: Writing
    given: Mapping[str, Column]
    gives: Mapping[str, Column]

    @property
    def column_types(self) -> Mapping[str, Type]:
        """The columns that it adds to the rows, with their types."""
        return {name: column.type for name, column in self.gives.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Factor:
    """Points by a column's value; a key may be a range `a..b` (half open) or `*`."""

    column: str
    points: Mapping[str, str]
    path: Path


@dataclass(frozen=True, kw_only=True)
class RiskTable:
    """Points by factors, added up, and the band that the sum falls into. `gives`: the column of the points."""

    kind: ClassVar[str] = "risk table"
    key: str
    name: str
    source: Source
    gives: str
    factors: tuple[Factor, ...]
    bands: Mapping[str, str]

    @property
    def column_types(self) -> Mapping[str, Type]:
        """The columns that scoring adds: the points, the band, the reasons."""
        return {self.gives: NUMBER, "risk_band": TEXT, "risk_reasons": TEXT}


@dataclass(frozen=True, kw_only=True)
class ScreeningList:
    """A list that names are screened against. `oldest`: how long ago our copy of its files may have been fetched."""

    kind: ClassVar[str] = "screening list"
    key: str
    name: str
    source: Source
    publisher: str
    files: tuple[str, ...]
    oldest: Duration

    @property
    def column_types(self) -> Mapping[str, Type]:
        """None: no table of a workflow."""
        return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a field stands in a document: beside a text."""

    side: Literal["right_of", "below"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The fields of a document (`rows: fields`, one row) or its lines (`rows: table`), and where each stands.

    `controls`: what is true of every row, e.g. `net + vat = total within 0.02`; it tells apart what can be read twice.
    """

    kind: ClassVar[str] = "layout"
    key: str
    name: str
    source: Source
    rows: Literal["fields", "table"]
    dates: tuple[str, ...]
    decimals: tuple[str, ...]
    columns: Mapping[str, Column]
    places: Mapping[str, tuple[Place, ...]]
    controls: tuple[Control, ...] = ()

    @property
    def column_types(self) -> Mapping[str, Type]:
        """Column -> type."""
        return {name: column.type for name, column in self.columns.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A named pattern: `#` a digit, `@` a capital letter, anything else itself. Never a regular expression."""

    name: str
    like: str
    example: str | None
    path: Path


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """The named patterns of a project."""

    kind: ClassVar[str] = "patterns"
    key: str
    name: str
    source: Source
    patterns: Mapping[str, Pattern]

    @property
    def column_types(self) -> Mapping[str, Type]:
        """None: no table."""
        return {}


TableFile = Contract | Queue | DecisionTable | RiskTable | ScreeningList | Layout | Patterns
"""Any file of tables/."""

COLUMN_KINDS: Final = (
    "text", "number", "money", "percent", "date", "date_time", "time", "duration", "yes_no", "choice",
)  # fmt: skip
"""Types that a column of a file can have."""


def contract_as_json(contract: Contract) -> dict[str, Any]:
    """A table contract as JSON can hold it, for the process that reads files; `contract_from_json` is the inverse."""
    trailer = contract.trailer
    return {
        "key": contract.key,
        "name": contract.name,
        "file": contract.source.file,
        "columns": [_column_as_json(column) for column in contract.columns.values()],
        "writing": asdict(contract.writing),
        "unknown_columns": contract.unknown_columns,
        "trailer": None if trailer is None else {
            "starts_with": trailer.starts_with,
            "columns": {name: type.as_json() for name, type in trailer.columns.items()},
        },
        "controls": [control.text for control in contract.controls],
    }  # fmt: skip


def contract_from_json(said: Mapping[str, Any]) -> Contract:
    """The contract that `contract_as_json` wrote, without its source's text and positions."""
    trailer = said["trailer"]
    columns = [
        Column(**{**column, "type": type_from_json(column["type"]), "headers": tuple(column["headers"]), "path": ()})
        for column in said["columns"]
    ]
    writing = said["writing"]
    return Contract(
        key=said["key"],
        name=said["name"],
        source=Source(file=said["file"], text="", values={}, keys={}),
        columns={column.name: column for column in columns},
        writing=Writing(**{**writing, "formats": tuple(writing["formats"]), "dates": tuple(writing["dates"])}),
        unknown_columns=said["unknown_columns"],
        trailer=None if trailer is None else Trailer(
            starts_with=trailer["starts_with"],
            columns={name: type_from_json(type) for name, type in trailer["columns"].items()},
        ),
        controls=tuple(Control(text=text, path=()) for text in said["controls"]),
    )  # fmt: skip


def _column_as_json(column: Column) -> dict[str, Any]:
    return {
        "name": column.name, "type": column.type.as_json(), "headers": list(column.headers),
        "required": column.required, "unique": column.unique, "format": column.format, "scale": column.scale,
        "sensitive": column.sensitive, "missing_is": column.missing_is, "help": column.help,
    }  # fmt: skip
