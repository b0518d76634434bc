"""The door of the loader's lower half: a YAML file as a tree, and reading its maps field by field.

`compose` gives the tree; a `Reading` collects the mistakes of one file; `Fields` reads one map: it is asked for each
key by its type, and `close` reports every key nobody asked for. A mistake never stops the reading: each getter then
gives a harmless value of its type, and the caller raises at the end (`Reading.raise_mistakes`).
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar, cast, overload

from interoffice.errors import MistakesFound
from interoffice.loader.composer import Raw, Tree, compose, decode
from interoffice.model.values import Duration, number_from_text
from interoffice.problem import Edit, Path, Position, Problem, Severity, did_you_mean, guess

__all__ = ["Fields", "Raw", "Reading", "Tree", "compose", "decode", "said"]

Word = TypeVar("Word", bound=str)


def said(value: Raw) -> str:
    """What stands in the file, for a message: `"5 minuts"`, `a list`, `a map`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, dict):
        return "a map"
    return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'


class Reading:
    """The mistakes of one file, in the order of their places at the end; begins with those of the tree."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.source = tree.source
        self.problems: list[Problem] = list(tree.problems)
        self.strange: set[str] = set()

    def top(self, *keys: str) -> Fields:
        """The fields of the whole file; with `keys` given, a misspelt one is read as what was meant."""
        return Fields(self, (), keys=keys)

    def problem(
        self,
        rule: str,
        path: Path,
        message: str,
        *,
        suggestion: str | None = None,
        severity: Severity = "error",
        at_key: bool = False,
        fix: tuple[Edit, ...] = (),
        see: Position | None = None,
    ) -> None:
        """Reports a mistake at a value (or its key); silent where it follows from one of the tree's."""
        at = self.at_key(path) if at_key else self.at(path)
        if at.line not in self.tree.misread and not self._follows(rule, path):
            found = Problem(
                rule=rule, message=message, at=at, suggestion=suggestion, severity=severity, fix=fix, see=see
            )
            self.problems.append(found)

    def _follows(self, rule: str, path: Path) -> bool:
        """True of a mistake about keys of a map whose lines YAML has mixed up."""
        inside = path[:-1] in self.tree.muddled if path else False
        return rule[0] == "S" and (inside or (rule == "S02" and path in self.tree.muddled))

    def at(self, path: Path) -> Position:
        """Where a value begins, one line of it at most; a map, a list and a blank: their key."""
        start, end = self.source.values.get(path, (0, 0))
        text = self.source.text
        if end <= start or text.find("\n", start, end) >= 0:
            if path in self.source.keys:
                return self.at_key(path)
            end = text.find("\n", start) if "\n" in text[start:end] else end
        return self.source.position(start, end)

    def at_key(self, path: Path) -> Position:
        """Where a key stands."""
        return self.source.at_key(path)

    def raise_mistakes(self) -> None:
        """Raises MistakesFound when there is an error among the problems."""
        if any(problem.severity == "error" for problem in self.problems):
            raise MistakesFound(self.sorted_problems())

    def sorted_problems(self) -> list[Problem]:
        """All problems, by line and column."""
        return sorted(self.problems, key=lambda problem: (problem.at.line, problem.at.column, problem.rule))


@dataclass(slots=True)
class _Misspelt:
    """A key of the file that isn't known, and what it was taken for."""

    written: str
    meant: str | None
    is_certain: bool


class Fields:
    """One map of the file, read key by key.

    `keys`: all that it may hold, where that is known before; a misspelt key is then read as the one that was meant, and
    only its spelling is reported. Without them `close` finds the unknown keys out from what was asked for. `called`:
    what a message says instead of the map's key ("step orders").
    """

    def __init__(
        self,
        reading: Reading,
        path: Path,
        *,
        values: dict[str, Raw] | None = None,
        keys: Collection[str] = (),
        called: str | None = None,
    ) -> None:
        self.reading = reading
        self.called = called
        self.path = path
        self.values: dict[str, Raw] = _value_at(reading.tree.root, path) if values is None else values
        self._known = list(dict.fromkeys(keys))
        self._missing: list[str] = []
        self._misspelt: list[_Misspelt] = []
        self._closed = False
        if keys:
            self._read_misspelt()

    # what is there

    def has(self, key: str) -> bool:
        """True when the key is written, even with nothing behind it."""
        self._ask(key)
        return self._written(key) in self.values

    def names(self) -> tuple[str, ...]:
        """The keys as they are written."""
        return tuple(self.values)

    def place(self, key: str) -> Path:
        """The path of a key's value."""
        return (*self.path, self._written(key))

    def raw(self, key: str, *, required: bool = False) -> Raw:
        """The value as it stands; None when it is blank or not there."""
        found = self.values.get(self._written(key)) if self.has(key) else None
        if required and found is None:
            self._lacks(key)
        return found

    # one value

    @overload
    def text(self, key: str, *, required: Literal[True]) -> str: ...
    @overload
    def text(self, key: str, *, default: str) -> str: ...
    @overload
    def text(self, key: str, *, required: bool = False, default: None = None) -> str | None: ...
    def text(self, key: str, *, required: bool = False, default: str | None = None) -> str | None:
        """A text; where it is required and missing (reported) it is ''."""
        found = self._scalar(key, "a text", required=required)
        return (default if not required else default or "") if found is None else found

    def choice(
        self, key: str, words: Sequence[Word], default: Word | None = None, *, required: bool = False, rule: str = "S05"
    ) -> Word:
        """One of the words; the default where the key is missing. Where it is wrong: what was meant, or the default."""
        found = self._scalar(key, _listed(words), required)
        fallback = words[0] if default is None else default
        if found is None or found in words:
            return fallback if found is None else cast(Word, found)
        meant = did_you_mean(found, words)
        self.problem(rule, key, f'{self._name(key)} can be {_listed(words)}, not "{found}"', suggestion=meant)
        return cast(Word, meant or fallback)

    @overload
    def whole(self, key: str, *, at_least: int = 1, at_most: int | None = None, default: int) -> int: ...
    @overload
    def whole(self, key: str, *, at_least: int = 1, at_most: int | None = None) -> int | None: ...
    def whole(
        self,
        key: str,
        *,
        at_least: int = 1,
        at_most: int | None = None,
        default: int | None = None,
    ) -> int | None:
        """A whole number within its bounds."""
        found = self._scalar(key, "a whole number")
        if found is None:
            return default
        number = int(found) if found.isascii() and found.lstrip("-").isdigit() and len(found) < 19 else None
        if number is None:
            self.problem("S05", key, f'{self._name(key)} must be a whole number, not "{found}"')
        elif number < at_least or (at_most is not None and number > at_most):
            bounds = f"at least {at_least}" if at_most is None else f"between {at_least} and {at_most}"
            self.problem("S05", key, f"{self._name(key)} must be {bounds}, not {found}")
        else:
            return number
        return default

    def yes_no(self, key: str, default: bool = False) -> bool:
        """`true` or `false` (`yes` and `no` are understood)."""
        found = self._scalar(key, "true or false", False)
        if found is None:
            return default
        meant = {"true": True, "yes": True, "false": False, "no": False}.get(found.lower())
        if meant is None:
            self.problem("S05", key, f'{self._name(key)} can be true or false, not "{found}"')
            return default
        return meant

    def duration(self, key: str, *, default: Duration | None = None, required: bool = False) -> Duration | None:
        """A length of time like `90s` or `2 business days`, longer than nothing."""
        found = self._scalar(key, "a duration", required)
        if found is None:
            return default
        try:
            duration = Duration.parse(found)
        except ValueError:
            wrong = f'{self._name(key)} must be a duration like 90s, 5m or 2 business days, not "{found}"'
            self.problem("S05", key, wrong)
            return default
        if not duration:
            self.problem("S05", key, f'{self._name(key)} must be longer than "{found}"')
            return default
        return duration

    def decimal(self, key: str, *, required: bool = False) -> Decimal | None:
        """An exact number, written with a point and without thousands."""
        found = self._scalar(key, "a number", required)
        try:
            return None if found is None else number_from_text(found)
        except ValueError:
            self.problem("S05", key, f'{self._name(key)} must be a number like 1234.56, not "{found}"')
            return None

    def date(self, key: str, *, required: bool = False) -> datetime.date | None:
        """A day as 2026-12-24."""
        found = self._scalar(key, "a date", required)
        try:
            return None if found is None else datetime.date.fromisoformat(found if len(found) == 10 else "")
        except ValueError:
            self.problem("S05", key, f'{self._name(key)} must be a date like 2026-12-24, not "{found}"')
            return None

    # several values

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """One text or a list of texts."""
        found = self.raw(key, required=required)
        if found is None:
            self._blank(key, required)
            return ()
        if isinstance(found, str):
            return (found,)
        if isinstance(found, dict):
            self._wrong_type(key, "a text or a list of texts", found)
            return ()
        if not found:
            self.problem("S06", key, f"{self._name(key)} is an empty list; name at least one, or leave it out")
        return self._text_entries(key, found)

    def _text_entries(self, key: str, found: tuple[Raw, ...]) -> tuple[str, ...]:
        wrong = [number for number, entry in enumerate(found) if not isinstance(entry, str)]
        if wrong:
            message = f"{self._name(key)} must be a list of texts; entry {wrong[0] + 1} is {said(found[wrong[0]])}"
            self.reading.problem("S05", (*self.place(key), wrong[0]), message)
        return tuple(entry for entry in found if isinstance(entry, str))

    def sub(self, key: str, *keys: str, required: bool = False) -> Fields | None:
        """The fields of a map inside this one; None when it isn't there or is no map (reported)."""
        found = self._map(key, required)
        return None if found is None else Fields(self.reading, self.place(key), values=found, keys=keys)

    def entries(self, key: str, *keys: str, required: bool = False) -> list[Fields]:
        """The fields of each map in a list; entries that are none are reported and left out."""
        read = []
        for number, entry in enumerate(self.list_of(key, required=required)):
            path = (*self.place(key), number)
            if isinstance(entry, dict):
                read.append(Fields(self.reading, path, values=entry, keys=keys))
            else:
                wrong = f"entry {number + 1} of {self._name(key)} must be a map of keys, not {said(entry)}"
                self._no_map(path, entry, wrong)
        return read

    def map_of(self, key: str, *keys: str, required: bool = False) -> dict[str, Fields]:
        """Name -> fields, for a map of maps; values that are none are reported and left out."""
        read = {}
        wrong = []
        for name, entry in self.map(key, required=required).items():
            path = (*self.place(key), name)
            if isinstance(entry, dict):
                read[name] = Fields(self.reading, path, values=entry, keys=keys)
            else:
                wrong.append(name)
        if wrong:
            entry = self.map(key)[wrong[0]]
            message = f'"{wrong[0]}" must be a map of keys, not {said(entry)}'
            if len(wrong) > 1:
                message += "; mind the indentation of the lines below"
            self._no_map((*self.place(key), wrong[0]), entry, message)
        return read

    def map(self, key: str, *, required: bool = False) -> dict[str, Raw]:
        """A map as it stands; {} when it isn't there or is no map (reported)."""
        return self._map(key, required) or {}

    def text_map(self, key: str, *, required: bool = False) -> dict[str, str]:
        """Name -> text; values that are none are reported and left out."""
        read = {}
        for name, entry in self.map(key, required=required).items():
            if isinstance(entry, str):
                read[name] = entry
            else:
                self.reading.problem("S05", (*self.place(key), name), f'"{name}" must be a text, not {said(entry)}')
        return read

    def list_of(self, key: str, *, required: bool = False) -> tuple[Raw, ...]:
        """A list as it stands; () when it isn't there or is no list (reported)."""
        found = self.raw(key, required=required)
        if found is None:
            self._blank(key, required)
            return ()
        if not isinstance(found, tuple):
            self._wrong_type(key, "a list (each entry on its own line, after `- `)", found)
            return ()
        if not found:
            self.problem("S06", key, f"{self._name(key)} is an empty list; name at least one, or leave it out")
        return found

    # the end

    def problem(
        self,
        rule: str,
        key: str | None,
        message: str,
        suggestion: str | None = None,
        *,
        severity: Severity = "error",
        at_key: bool = False,
    ) -> None:
        """Reports a mistake at a key's value (at the key itself with `at_key`); `key` None: at this map."""
        if key is None:
            at_key = at_key or (bool(self.path) and not isinstance(self.path[-1], int))
            self.reading.problem(rule, self.path, message, suggestion=suggestion, severity=severity, at_key=at_key)
        else:
            place = self.place(key)
            self.reading.problem(rule, place, message, suggestion=suggestion, severity=severity, at_key=at_key)

    def close(self) -> None:
        """Reports every key that nobody asked for (S01) and every required one that is missing (S02)."""
        if self._closed:
            return
        self._closed = True
        if not self._misspelt:
            self._find_unknown()
        meant = [found.meant for found in self._misspelt]
        missing = [key for key in self._missing if key not in meant]
        if len(missing) == 1 and meant.count(None) == 1:
            found = self._misspelt[meant.index(None)]
            found.meant, missing = missing[0], []
        self._report_all_unknown()
        if meant.count(None) < 2:
            self._report_missing([key for key in missing if key not in self.reading.strange])

    def forgive(self, key: str) -> None:
        """Takes back that a required key is missing, since another mistake says it already."""
        self._missing = [missing for missing in self._missing if missing != key]

    # inner

    def _ask(self, key: str) -> None:
        if key not in self._known:
            self._known.append(key)

    def _written(self, key: str) -> str:
        for found in self._misspelt:
            if found.meant == key and key not in self.values:
                return found.written
        return key

    def _read_misspelt(self) -> None:
        free = [key for key in self._known if key not in self.values]
        for written in self.values:
            if written not in self._known:
                meant = guess(written, free)
                word = meant.word if meant else None
                self._misspelt.append(_Misspelt(written, word, bool(meant and meant.is_certain)))
                free = [key for key in free if key != word]

    def _find_unknown(self) -> None:
        for written in self.values:
            if written not in self._known:
                meant = guess(written, [key for key in self._known if key not in self.values])
                self._misspelt.append(
                    _Misspelt(written, meant.word if meant else None, bool(meant and meant.is_certain))
                )

    def _report_all_unknown(self) -> None:
        """S01 for each misspelt key, and one for all that are like nothing: mostly lines of a wrong indentation."""
        for found in self._misspelt:
            if found.meant:
                self._report_misspelt(found, found.meant)
        strange = [found.written for found in self._misspelt if not found.meant]
        if not strange:
            return
        self.reading.strange |= set(strange)
        keys = "key" if len(strange) == 1 else "keys"
        wrong = f"unknown {keys} {', '.join(_quoted(strange[:5]))}"
        above = self._blank_above(strange[0])
        if above:
            wrong += f'; if it belongs to "{above}", it stands two blanks deeper'
        else:
            wrong += f"; {self._here()} can have {_listed(sorted(self._known))}"
        self.reading.problem("S01", (*self.path, strange[0]), wrong, at_key=True)

    def _report_missing(self, missing: list[str]) -> None:
        blank = [key for key in missing if self._written(key) in self.values]
        for key in blank:
            if not self._is_explained(self._written(key)):
                self.problem("S02", key, f"{self._name(key)} has no value")
        absent = [f'"{key}"' for key in missing if key not in blank]
        if absent:
            self.problem("S02", None, f"{self._here()} needs {_all_of(absent)}")

    def _report_misspelt(self, found: _Misspelt, meant: str) -> None:
        path = (*self.path, found.written)
        start, end = self.reading.source.keys[path]
        fix = (Edit(start=start, end=end, text=meant),) if found.is_certain else ()
        wrong = f'unknown key "{found.written}"'
        self.reading.problem("S01", path, wrong, suggestion=meant, at_key=True, fix=fix)

    def _blank_above(self, written: str) -> str | None:
        """The key right above that has nothing below it, where it is a known one."""
        names = list(self.values)
        above = names[names.index(written) - 1] if names.index(written) else None
        return above if above is not None and self.values[above] is None and above in self._known else None

    def _is_explained(self, written: str) -> bool:
        """True of a blank key below which a line of a wrong indentation stands (reported as unknown)."""
        strange = [found.written for found in self._misspelt if not found.meant]
        return bool(strange) and self._blank_above(strange[0]) == written

    def _here(self) -> str:
        if self.called:
            return self.called
        names = [part for part in self.path if isinstance(part, str)]
        if not self.path:
            return "the file"
        if isinstance(self.path[-1], int):
            return f'this entry of "{names[-1]}"' if names else "this entry"
        return f'"{self.path[-1]}"'

    def _name(self, key: str) -> str:
        return f'"{self._written(key)}"'

    def _lacks(self, key: str) -> None:
        if key not in self._missing:
            self._missing.append(key)

    def _blank(self, key: str, required: bool) -> None:
        written = self._written(key)
        if not required and written in self.values and not self._is_explained(written):
            self.problem("S06", key, f"{self._name(key)} has nothing below it; fill it in or leave it out")

    def _scalar(self, key: str, what: str, required: bool = False) -> str | None:
        found = self.raw(key, required=required)
        if isinstance(found, str):
            return found
        if found is not None:
            self._wrong_type(key, what, found)
        elif not required and self._written(key) in self.values:
            self.problem("S02", key, f"{self._name(key)} has no value; write {what} or leave it out")
        return None

    def _map(self, key: str, required: bool) -> dict[str, Raw] | None:
        found = self.raw(key, required=required)
        if found is None:
            self._blank(key, required)
            return None
        if not isinstance(found, dict):
            self._no_map(self.place(key), found, f"{self._name(key)} must be a map of keys, not {said(found)}")
            return None
        if not found:
            self.problem("S06", key, f"{self._name(key)} is empty; fill it in or leave it out")
        return found

    def _wrong_type(self, key: str, what: str, found: Raw) -> None:
        if not self._glued(self.place(key), found):
            self.problem("S05", key, f"{self._name(key)} must be {what}, not {said(found)}")

    def _no_map(self, path: Path, found: Raw, wrong: str) -> None:
        if not self._glued(path, found):
            self.reading.problem("S05", path, wrong)

    def _glued(self, path: Path, found: Raw) -> bool:
        """Reports `key:value` (Y05) where a map was expected."""
        if not isinstance(found, str) or ":" not in found:
            return False
        name, _, value = found.partition(":")
        if not name.isidentifier() or not value or value[0] in " \n/\\":
            return False
        start = self.reading.source.values[path][0] + len(name) + 1
        fix = (Edit(start=start, end=start, text=" "),)
        wrong = f"a blank is missing behind the colon: write {name}: {value.split(chr(10))[0]}"
        self.reading.problem("Y05", path, wrong, suggestion=f"{name}: {value.split(chr(10))[0]}", fix=fix)
        return True


def _value_at(root: Raw, path: Path) -> dict[str, Raw]:
    for part in path:
        root = root[part]
    return cast("dict[str, Raw]", root)


def _quoted(words: Iterable[str]) -> Iterator[str]:
    return (f'"{word}"' for word in words)


def _all_of(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} or {every[-1]}"
