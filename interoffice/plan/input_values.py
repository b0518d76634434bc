"""Inputs of a run: texts from a command or a schedule, and defaults, as values of their declared types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from interoffice.errors import UsageError
from interoffice.language.calendars import Times
from interoffice.language.errors import RowError
from interoffice.language.nodes import TIME_WORDS
from interoffice.language.row import ValueScope, compared, evaluate
from interoffice.language.templates import parse_template
from interoffice.model.formats import format_value
from interoffice.model.reading import read_date_time, read_time
from interoffice.model.values import Duration, FileValue, Percent, Value, number_from_text
from interoffice.model.workflow import Input, Raw, Workflow
from interoffice.plan.project import Project
from interoffice.problem import did_you_mean


def input_values(project: Project, workflow: Workflow, given: Mapping[str, str], times: Times) -> dict[str, Value]:
    """Input -> value; UsageError that names everything that is wrong with what was given."""
    reading = _Reading(project=project, workflow=workflow, times=times)
    values: dict[str, Value] = {}
    wrong = [reading.unknown(name) for name in given if name not in workflow.inputs]
    for name, declared in workflow.inputs.items():
        try:
            values[name] = reading.value(declared, given.get(name))
        except (ValueError, RowError) as error:
            wrong.append(f"input {name} {error}")
    if wrong:
        raise UsageError(f"{workflow.key}: {'; '.join(wrong)}")
    return values


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    project: Project
    workflow: Workflow
    times: Times

    def unknown(self, name: str) -> str:
        """The sentence about an input that the workflow doesn't have."""
        known = self.workflow.inputs
        meant = did_you_mean(name, known)
        if meant is not None:
            return f'there is no input "{name}"; did you mean "{meant}"?'
        return f'there is no input "{name}"; there is {", ".join(known) or "none"}'

    def value(self, declared: Input, text: str | None) -> Value:
        """The value of one input; ValueError says why there is none."""
        if text is not None:
            value = self._many(declared, text) if declared.many else self._one(declared, text)
        elif declared.has_default:
            value = self._default(declared, declared.default)
        else:
            raise ValueError(f"is missing; give it as --input {declared.name}=...")
        self._bounded(declared, value)
        return value

    def _many(self, declared: Input, text: str) -> Value:
        """Several values: a JSON list of texts, or parted by commas."""
        parts: object = None
        if text.lstrip().startswith("["):
            try:
                parts = json.loads(text)
            except ValueError as error:
                raise ValueError("is no list; write a, b, c") from error
        entries = [str(part) for part in parts] if isinstance(parts, list) else text.split(",")
        return tuple(self._one(declared, entry.strip()) for entry in entries if entry.strip())

    def _default(self, declared: Input, raw: Raw) -> Value:
        if isinstance(raw, tuple):
            return tuple(self._default_part(declared, part) for part in raw)
        value = self._default_part(declared, raw)
        is_one = declared.many and not isinstance(value, tuple | list)
        return (value,) if is_one else value

    def _default_part(self, declared: Input, raw: Raw) -> Value:
        if not isinstance(raw, str):
            return None
        if "${{" not in raw:
            return self._one(declared, raw)
        single = parse_template(raw).single
        if single is None:
            from interoffice.language.reasons import render
            from interoffice.plan.times import formats_of

            text = render(parse_template(raw), self._scope(), formats_of(self.project.settings))
            return self._one(declared, str(text))
        value = evaluate(single, self._scope())
        return self._one(declared, value) if isinstance(value, str) else value

    def _scope(self) -> ValueScope:
        return ValueScope(times=self.times, names={"run": {"date": self.times.today}})

    def _one(self, declared: Input, text: str) -> Value:
        if declared.type in ("date", "date_time") and text in TIME_WORDS:
            return self._time_word(declared, text)
        if declared.type in ("file", "table"):
            return find_file(self.project, text)
        if declared.type == "choice" and text not in declared.choices:
            raise ValueError(f'can be {", ".join(declared.choices)}, not "{text}"')
        return self._converted(declared.type, text)

    def _time_word(self, declared: Input, word: str) -> Value:
        value: Value = getattr(self.times, word)
        if declared.type == "date_time" and TIME_WORDS[word] == "date" and isinstance(value, date):
            return self.times.moment(value)
        if declared.type == "date" and TIME_WORDS[word] == "date_time":
            return self.times.today
        return value

    def _converted(self, type: str, text: str) -> Value:
        convert = partial(read_date_time, zone=self.times.zone) if type == "date_time" else FROM_TEXT.get(type, str)
        try:
            return convert(text)
        except (ValueError, ArithmeticError) as error:
            raise ValueError(f'must be {EXAMPLES[type]}, not "{text}"') from error

    def _bounded(self, declared: Input, value: Value) -> None:
        for value_of_many in value if isinstance(value, tuple) else (value,):
            for limit, operator, words in ((declared.min, ">=", "at least"), (declared.max, "<=", "at most")):
                if limit is None or value_of_many is None:
                    continue
                bound = self._default_part(declared, limit)
                if not compared(operator, value_of_many, bound):
                    raise ValueError(f"must be {words} {format_value(bound)}, not {format_value(value_of_many)}")


def _percent(text: str) -> Percent:
    if not text.strip().endswith("%"):
        raise ValueError(text)
    return Percent(number_from_text(text.strip()[:-1]) / Decimal(100))


def _yes_no(text: str) -> bool:
    meant = {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().lower())
    if meant is None:
        raise ValueError(text)
    return meant


def _date(text: str) -> date:
    if len(text.strip()) != 10:
        raise ValueError(text)
    return date.fromisoformat(text.strip())


FROM_TEXT: Final[Mapping[str, Callable[[str], Value]]] = {
    "number": number_from_text,
    "money": number_from_text,
    "percent": _percent,
    "yes_no": _yes_no,
    "date": _date,
    "time": read_time,
    "duration": Duration.parse,
}
EXAMPLES: Final[Mapping[str, str]] = {
    "number": "a number like 1234.56",
    "money": "an amount like 1234.56",
    "percent": "a percent like 15%",
    "yes_no": "true or false",
    "date": "a date like 2026-12-24, or a word like yesterday",
    "date_time": "a moment like 2026-12-24T08:00, or a word like now",
    "time": "a time like 08:30",
    "duration": "a duration like 90s or 2 business days",
}


class FileNotThere(ValueError):
    """A file that is named and does not exist."""


def find_file(project: Project, text: str) -> FileValue:
    """An existing file below the folders that may be read or written; ValueError says what is wrong. Its path counts
    from the project where it is inside."""
    path = (project.folder / text).resolve()
    allowed_roots = (*project.settings.files.read, *project.settings.files.write)
    if not any(path.is_relative_to((project.folder / root).resolve()) for root in allowed_roots):
        allowed = ", ".join(dict.fromkeys(allowed_roots))
        raise ValueError(f'names "{text}", which is outside of the folders that may be read ({allowed})')
    if not path.is_file():
        raise FileNotThere(f'names the file "{text}", which is not there')
    return _file_value(project, path)


def _file_value(project: Project, path: Path) -> FileValue:
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise ValueError(f'names the file "{path.name}", which can\'t be read: {error.strerror}') from error
    base = project.folder.resolve()
    shown = path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
    return FileValue(path=shown, name=path.name, sha256=digest, size_bytes=size)
