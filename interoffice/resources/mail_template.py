"""Mail templates: Jinja in a sandbox, strict about names, escaping everything that comes from data.

A template sees its `data:` and `run`, `workflow`. `a.b` is a key of a record, never an attribute of an object; the only
calls are macros and loops' own. Long tables are cut at `rows_in_a_mail`, and the mail says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from interoffice.errors import BusinessError
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Formats, Value

_LARGEST_MAIL: Final = 5_000_000
_FILE_PARTS: Final = ("name", "sha256", "size_bytes")
_LOOP_PARTS: Final = (
    "index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "cycle", "changed",
    "depth", "depth0",
)  # fmt: skip


class MailRows:
    """The rows of a table as a template sees them: at most so many, its length the true one."""

    def __init__(self, rows: Table, most: int) -> None:
        self._table, self._most = rows, most

    def __iter__(self) -> Iterator[dict[str, Value]]:
        for number, row in enumerate(self._table.rows()):
            if number >= self._most:
                return
            yield {name: _seen(value, self._most) for name, value in row.items()}

    def __len__(self) -> int:
        return self._table.row_count

    def __bool__(self) -> bool:
        return self._table.row_count > 0


def render(
    text: str, name: str, values: Mapping[str, Value], *, formats: Formats, most_rows: int
) -> str:
    """The HTML of a template; BusinessError `template` naming what it misses."""
    environment = _Environment(formats)
    seen = {key: _seen(value, most_rows) for key, value in values.items()}
    try:
        pieces, size = [], 0
        for piece in environment.from_string(text).generate(seen):
            size += len(piece)
            if size > _LARGEST_MAIL:
                raise BusinessError(f"the mail of template {name} is bigger than 5 MB; shorten it", code="template")
            pieces.append(piece)
    except (TemplateError, TypeError, OverflowError) as error:
        line = getattr(error, "lineno", None)
        place = f"{name}, line {line}" if line else name
        raise BusinessError(f"the template {place} can't be filled: {error}", code="template") from error
    return "".join(pieces) + _cut_note(values, most_rows)


def _cut_note(values: Mapping[str, Value], most_rows: int) -> str:
    """A sentence for every table that was cut."""
    notes = [
        f"<p>Of the {value.row_count} rows of {Markup.escape(name)} only the first {most_rows} are shown.</p>"
        for name, value in values.items()
        if isinstance(value, Table) and value.row_count > most_rows
    ]
    return "".join(f"\n{note}" for note in notes)


def _seen(value: Value, most: int) -> Value:
    if isinstance(value, Table):
        return MailRows(value, most)
    if isinstance(value, Mapping):
        return {key: _seen(item, most) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(_seen(item, most) for item in value)
    return value


class _Environment(ImmutableSandboxedEnvironment):
    """Records are read by key, and nothing of Python's own objects is reached."""

    def __init__(self, formats: Formats) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=True, finalize=_finalizer(formats), keep_trailing_newline=True
        )
        for dangerous in ("safe", "attr", "map", "xmlattr", "pprint", "random"):
            self.filters.pop(dangerous, None)
        self.globals = {name: self.globals[name] for name in ("range",)}

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._part(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, (tuple, list)) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self._part(obj, argument)

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        return isinstance(obj, Macro) or isinstance(owner, LoopContext) or obj is self.globals["range"]

    def _part(self, obj: Any, name: Any) -> Any:
        if isinstance(obj, Mapping) and name in obj:
            return obj[name]
        if isinstance(obj, FileValue) and name in _FILE_PARTS:
            return getattr(obj, name)
        if isinstance(obj, LoopContext) and name in _LOOP_PARTS:
            return getattr(obj, name)
        if isinstance(obj, Undefined):
            return getattr(obj, str(name))
        return self.undefined(obj=obj, name=name)


def _finalizer(formats: Formats) -> Callable[[Any], Any]:
    def finalize(value: Any) -> Any:
        if isinstance(value, (str, Undefined)):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, MailRows):
            return f"{len(value)} rows"
        return format_value(value, formats)

    return finalize
