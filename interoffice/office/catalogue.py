"""The bots of a project as listings, and what a bot gave as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from interoffice.declaration import BotDescription, BotInput
from interoffice.errors import UsageError
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.types import Type
from interoffice.model.values import Value
from interoffice.plan.project import Project
from interoffice.problem import did_you_mean

ROWS_SHOWN = 20


def bot_rows(project: Project, name: str | None) -> list[dict[str, object]]:
    """One row a bot; with a name, that bot alone and its description as `text`."""
    if name is None:
        return [_row(bot) for _, bot in sorted(project.registry.bots.items())]
    bot = find_bot(project, name)
    return [_row(bot) | {"text": "\n".join(_text(bot))}]


def find_bot(project: Project, name: str) -> BotDescription:
    """The bot of a name; UsageError with what was meant."""
    bot = project.registry.find(name)
    if bot is None:
        meant = did_you_mean(name, project.registry.bots)
        hint = f'did you mean "{meant}"?' if meant else "`runner.py bots` lists them all."
        raise UsageError(f'there is no bot "{name}"; {hint}')
    return bot


def _row(bot: BotDescription) -> dict[str, object]:
    return {
        "bot": bot.name,
        "office": bot.office,
        "effect": bot.effect,
        "look_up": "yes" if bot.has_look_up else "" if bot.effect == "reads" else "no",
        "gives": bot.summary,
        "inputs": {each.name: _input_words(each) for each in bot.inputs.values()},
        "outputs": {each.name: each.says or type_words(each.type) for each in bot.outputs.values()},
        "file": bot.file,
        "example": bot.example,
    }


def _text(bot: BotDescription) -> Iterator[str]:
    yield f"{bot.name}  ({bot.office} office, {bot.effect})"
    yield bot.doc or bot.summary
    yield ""
    yield "inputs"
    for each in bot.inputs.values():
        yield f"  {each.name}: {_input_words(each)}" + (f"   {each.help}" if each.help else "")
    yield "outputs" if bot.outputs else "no outputs"
    for output in bot.outputs.values():
        yield f"  {output.name}: {output.says or type_words(output.type)}"
    if bot.example:
        yield "example"
        yield from (f"  {line}" for line in bot.example.splitlines())
    yield f"{bot.file}:{bot.line}"


def _input_words(given: BotInput) -> str:
    kind = type_words(given.type) if given.kind == "value" else given.kind
    return kind + (", one or more" if given.many else "") + (", optional" if given.optional else "")


def type_words(type: Type) -> str:
    """A type as the documentation writes it: `choice of A, B`, `table of a, b`."""
    if type.kind == "choice" and type.choices:
        return f"choice of {', '.join(type.choices)}"
    if type.kind == "table" and type.columns:
        return f"table of {', '.join(type.columns)}"
    if type.kind == "list" and type.item is not None:
        return f"list of {type_words(type.item)}"
    return type.kind


def outputs_as_json(outputs: Mapping[str, Value]) -> dict[str, object]:
    """Outputs as JSON knows them: tables are lists of rows, numbers are texts, since JSON's are not exact."""
    return {name: _json(value) for name, value in outputs.items() if name not in ("status", "error")}


def _json(value: Value) -> object:
    if isinstance(value, Table):
        return [_json(row) for row in value.rows()]
    if isinstance(value, Mapping):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_json(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    return format_value(value)


def outputs_as_text(outputs: Mapping[str, Value]) -> str:
    """Outputs for a person: tables as tables, the rest as name: value."""
    lines: list[str] = []
    for name, value in outputs.items():
        if isinstance(value, Table):
            lines += [f"{name}: {value.row_count} rows", *_grid(value)]
        elif name not in ("status", "error"):
            lines.append(f"{name}: {format_value(value)}")
    return "\n".join(lines) or "done, it gives nothing back"


def _grid(table: Table) -> Iterator[str]:
    names = list(table.columns)
    rows = [[format_value(row.get(name)) for name in names] for row in islice(table.rows(), ROWS_SHOWN)]
    widths = [max(len(name), *(len(row[at]) for row in rows), 0) for at, name in enumerate(names)]
    yield "  " + "  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip()
    for row in rows:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    if table.row_count > ROWS_SHOWN:
        yield f"  … {table.row_count - ROWS_SHOWN} more; --out FILE.json or --format json gives all"
