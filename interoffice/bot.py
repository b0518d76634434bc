"""`@bot`: a plain typed function becomes a bot, with inputs, outputs, effect, look-up, documentation and example.

The declaration is data that `check` reads from the source text, without importing the module (`interoffice.registry`):
so write the decorator's arguments as literals, and annotate inputs with the names below or of `interoffice.model`.

| annotation | type in the language |
|---|---|
| `str` `Decimal` `bool` `date` `datetime` `time` | text, number, yes_no, date, date_time, time |
| `Money` `Percent` `Duration` `FileValue` `Table` | money, percent, duration, file, table |
| `Wording` | text that people read: dates and numbers inside it in the project's format (elsewhere they are ISO) |
| `Record` | a record; `Table | Record`: either |
| `Values` | a map of names to any values (`data:` of a mail) |
| `Choice` | text, one of the input's `choices` in `@bot(choices={...})` |
| `CredentialName` `ColumnName` `ColumnNames` | names: a credential; columns of the table given |
| `ContractName` `LayoutName` `DecisionTableName` `RiskTableName` `QueueName` | names of files in tables/ |
| `ScreeningLists` | names of screening lists in tables/ |
| `MailAccount` | a mail account of settings.yaml |
| `TemplateFile` | a template beside the workflow |
| `ApplicationName` `ScreenName` `ElementName` `ElementNames` | names in selectors/ (`application.screen`) |
| `ElementValues` `GridTables` `ElementFiles` | maps: element -> value, grid -> table, element -> file |
| `SheetTables` | a map of sheet name to table |
| `Charts` | a list of charts: table (of the sheet tables), kind, across, value, one_line_per |
| `tuple[X, ...]` | many |
| `X | None = None` | optional |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeVar

from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value

Effect = Literal["reads", "changes", "sends"]

Money = Decimal
Record = Mapping[str, Value]
Values = Mapping[str, Value]
Choice = str
Wording = str
CredentialName = str
ColumnName = str
ColumnNames = tuple[str, ...]
ContractName = str
LayoutName = str
DecisionTableName = str
RiskTableName = str
ScreeningLists = tuple[str, ...]
QueueName = str
MailAccount = str
TemplateFile = str
ApplicationName = str
ScreenName = str
ElementName = str
ElementNames = tuple[str, ...]
ElementValues = Mapping[str, Value]
GridTables = Mapping[str, Table]
ElementFiles = Mapping[str, FileValue]
SheetTables = Mapping[str, Table]
Charts = tuple[Mapping[str, Value], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A look-up found exactly one record. `different`: field -> (what is there, what was meant); empty when equal."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    reference: str = ""
    different: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFound:
    """A look-up is sure that there is no such record; only this allows a second act."""

    searched: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unclear:
    """A look-up can't tell, and why: no answer, two records, a sign-in page."""

    why: str


Answer = Found | NotFound | Unclear
LookUp = Callable[..., Answer]
"""look_up(ctx, key: str, inputs: Mapping[str, Value]) -> Answer. `Found.fields` are the bot's outputs."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class BotMark:
    """What `@bot` leaves on the function, as `function.bot_mark`."""

    effect: Effect
    outputs: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]]
    identity: tuple[str, ...]
    look_up: LookUp | None
    deprecated: str


def bot(
    *,
    effect: Effect = "changes",
    outputs: Mapping[str, str] | None = None,
    choices: Mapping[str, tuple[str, ...]] | None = None,
    identity: tuple[str, ...] = (),
    look_up: LookUp | None = None,
    deprecated: str = "",
) -> Callable[[F], F]:
    """A bot of a typed function `f(ctx, *, inputs...)` that returns one frozen dataclass, or None.

    `outputs` declares the dependent ones as data, by field of the dataclass: `{"rows": "columns of contract"}`,
    `{"rows": "input rows plus {credit_limit: money}"}`, `{"values": "columns of screen.read"}`,
    `{"rows": "table of message_id: text, received_at: date_time"}`. `identity`: the inputs that say WHAT is done, for
    the key of the intent. A bot that changes or sends calls `ctx.commit(...)` just before its act, once.
    """

    def mark(function: F) -> F:
        function.bot_mark = BotMark(  # type: ignore[attr-defined]
            effect=effect,
            outputs=dict(outputs or {}),
            choices=dict(choices or {}),
            identity=identity,
            look_up=look_up,
            deprecated=deprecated,
        )
        return function

    return mark
