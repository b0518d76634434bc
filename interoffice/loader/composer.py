"""One YAML file as a tree of texts that knows the place of everything in it.

Every scalar stays text, whatever YAML 1.1 would make of it (`NO`, `00123`, `12:30`, `1.10`, `on`); a field's own type
converts it later. Tags, anchors, duplicate keys and tabs are refused. What can be read past (a duplicate key, `{{ }}`
without `$`) is kept in `Tree.problems`, and reading goes on; what can't be read is the one problem of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from interoffice.errors import MistakesFound
from interoffice.problem import Edit, Path, Problem, Source

Raw = Any
"""A value of the file: text, None (a blank), a tuple or a dict; the exact type is `interoffice.model.workflow.Raw`."""

LARGEST_BYTES: Final = 1_000_000
DEEPEST: Final = 50
BARE_KEYS: Final = frozenset({"if", "when", "where", "until", "rule", "key"})
"""Keys that hold an expression without braces."""

_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]|\r(?!\n)")
_TAB: Final = re.compile(r"^[ ]*(?:- *)?\t|^[^#'\"\n]*?[:-]\t+(?=[^\s#])", re.MULTILINE)
_CUT: Final = re.compile(r"[ \t]+#([^\s#!])")
_GLUED: Final = re.compile(r"[A-Za-z_]\w*:(?=[^\s:/\\])")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A YAML file as plain text, tuples and dicts (`root`), the place of everything in it, and what is wrong so far.

    What follows from those problems stays silent: nothing more is said of values that begin in `misread` lines, nor of
    the keys of maps whose paths are in `muddled`.
    """

    root: dict[str, Raw]
    source: Source
    problems: tuple[Problem, ...] = ()
    misread: frozenset[int] = frozenset()
    muddled: frozenset[Path] = frozenset()


def decode(data: bytes, file: str) -> str:
    """The text of a file's bytes; MistakesFound when it isn't UTF-8. A byte order mark is dropped."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        _refuse(Source(file=file, text="", values={}, keys={}), 0, "the file is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        wrong = f"the file is not UTF-8: byte 0x{data[error.start]:02X} is no character; save it as UTF-8"
        _refuse(Source(file=file, text=before + "?", values={}, keys={}), len(before), wrong)


def compose(text: str, file: str) -> Tree:
    """The tree of a file's text; MistakesFound when it can't be read at all (then that is the only problem)."""
    return _Composer(text.removeprefix("\ufeff"), file).compose()


@dataclass(slots=True)
class _Open:
    """A list or map whose end is not reached yet."""

    path: Path
    start: int
    entries: list[Raw] = field(default_factory=list)
    pairs: dict[str, Raw] | None = None
    key: str | None = None
    place: Path = ()


class _Composer:
    """Turns the parser's events into a tree, one pass, without recursion."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.values: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}
        self.source = Source(file=file, text=text, values=self.values, keys=self.keys)
        self.problems: list[Problem] = []
        self.anchors: set[str] = set()
        self.misread: set[int] = set()
        self.muddled: set[Path] = set()
        self.stack: list[_Open] = []
        self.root: Raw = None

    def compose(self) -> Tree:
        """The whole file."""
        self._refuse_bad_text()
        try:
            self._walk()
        except MarkedYAMLError as error:
            from interoffice.loader.yaml_causes import explain_syntax_error

            raise MistakesFound([explain_syntax_error(self.source, error)]) from None
        except YAMLError as error:
            _refuse(self.source, getattr(error, "position", 0) or 0, f"the file can't be read: {error}")
        if self.root is None or self.root == "":
            _refuse(self.source, 0, "the file is empty")
        if not isinstance(self.root, dict):
            what = "a list" if isinstance(self.root, tuple) else "a text"
            wrong = f"the file must hold keys with values (`name: ...`), not {what}"
            raise MistakesFound([*self.problems, Problem(rule="S05", message=wrong, at=self.source.at(()))])
        return Tree(
            root=self.root,
            source=self.source,
            problems=tuple(self.problems),
            misread=frozenset(self.misread | {problem.at.line for problem in self.problems}),
            muddled=frozenset(self.muddled),
        )

    def _refuse_bad_text(self) -> None:
        if len(self.text) > LARGEST_BYTES or len(self.text.encode("utf-8", "replace")) > LARGEST_BYTES:
            _refuse(self.source, 0, f"the file is bigger than {LARGEST_BYTES // 1_000_000} MB; split it")
        if bad := _UNREADABLE.search(self.text):
            sign = "a carriage return without a line feed" if bad[0] == "\r" else f"the sign U+{ord(bad[0]):04X}"
            _refuse(self.source, bad.start(), f"{sign} can't stand in a text file; delete it")
        if "\t" in self.text and (tab := _TAB.search(self.text)):
            at = self.text.index("\t", tab.start())
            _refuse(self.source, at, "a tab; YAML wants blanks, two for each level")

    def _walk(self) -> None:
        parser: Any = CParser(self.text)
        documents = 0
        while (event := parser.get_event()) is not None:
            kind = event.__class__
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                start = event.start_mark.index
                if kind is MappingStartEvent and self.text.startswith("{{", start) and not self._is_key_next():
                    self._braces(parser, start)
                else:
                    self._begin(event, start, kind is MappingStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._end(event)
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentEndEvent and event.explicit:
                _refuse(self.source, event.start_mark.index, "`...` ends the file for YAML; delete the line")
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    _refuse(self.source, event.start_mark.index, "`---` begins a second document; a file holds one")

    def _is_key_next(self) -> bool:
        return bool(self.stack) and self.stack[-1].pairs is not None and self.stack[-1].key is None

    def _scalar(self, event: Any) -> None:
        value: str | None = event.value
        start, end = event.start_mark.index, event.end_mark.index
        style = event.style
        if event.tag is not None or event.anchor is not None:
            self._refuse_sign(event)
        if style in ("'", '"'):
            start, end = start + 1, end - 1
        elif style in ("|", ">"):
            start, end = self._block(start, end)
        elif self._is_key_next():
            pass
        else:
            value = value or None
            self._look_behind(value, start, end)
            if value and " - " in value:
                self._list_in_text(start, end)
        self._put(value, start, end)

    def _block(self, start: int, end: int) -> tuple[int, int]:
        """The offsets of a block text's own first and last character."""
        body = self.text[start:end]
        line = body.find("\n") + 1
        inner = body[line:]
        return start + line + len(inner) - len(inner.lstrip()), start + len(body.rstrip())

    def _look_behind(self, value: str | None, start: int, end: int) -> None:
        """Y06: what stands behind a plain value was meant as a part of it."""
        if self.text[end : end + 1] not in (" ", "\t"):
            return
        cut = _CUT.match(self.text, end)
        opened = value is not None and value.count("${{") > value.count("}}")
        if cut is None and not (opened and self.text[end:].lstrip(" \t").startswith("#")):
            return
        hash_at = self.text.index("#", end)
        line_end = self.text.find("\n", hash_at)
        lost = self.text[hash_at : line_end if line_end >= 0 else None].rstrip()
        kept = f'after "{value}"' if value else "here"
        wrong = f'the value ends {kept}: ` #` begins a comment, so "{lost}" is lost; put the whole value in quotes'
        whole = self.text[start:hash_at] + lost
        suggestion = None if '"' in whole or "\\" in whole else f'"{whole}"'
        at = self.source.position(hash_at, hash_at + len(lost))
        more = "" if opened else " (for a comment, write a blank behind the #)"
        self.problems.append(Problem(rule="Y06", message=wrong + more, at=at, suggestion=suggestion))

    def _list_in_text(self, start: int, end: int) -> None:
        """Y01: entries below a key that has a value already; YAML would read one text."""
        if found := re.compile(r"\n[ ]*(- )").search(self.text, start, end):
            wrong = "an entry of a list below a key that has a value already; a key has a value or a list"
            at = self.source.position(found.start(1), found.start(1) + 1)
            self.problems.append(Problem(rule="Y01", message=wrong, at=at))
            key = self.keys.get(self._next_path(), (start, end))
            self.muddled.add(self._next_path()[:-1])
            self.misread |= {self.source.position(start).line, self.source.position(*key).line}

    def _put(self, value: Raw, start: int, end: int) -> None:
        """A finished value (or key) takes its place in what is open."""
        if not self.stack:
            self.root, self.values[()] = value, (start, end)
            return
        top = self.stack[-1]
        if top.pairs is None:
            self.values[(*top.path, len(top.entries))] = (start, end)
            top.entries.append(value)
        elif top.key is None:
            self._key(top, value, start, end)
        else:
            if top.place[-1] == top.key:
                self.values[top.place] = (start, end)
                top.pairs[top.key] = value
            top.key = None

    def _key(self, top: _Open, value: Raw, start: int, end: int) -> None:
        key = value or ""
        assert top.pairs is not None
        top.key, top.place = key, (*top.path, key)
        if top.place in self.keys:
            self._doubled(top, key, start, end)
        if top.pairs.get(key) is None:
            self.keys[top.place] = (start, end)
        else:
            top.place = (*top.path, f"{key} (again)")

    def _doubled(self, top: _Open, key: str, start: int, end: int) -> None:
        """Y02: once for a map, since an entry whose `- ` is missing doubles all keys of the one before."""
        if top.path in self.muddled:
            return
        self.muddled.add(top.path)
        first = self.source.position(*self.keys[top.place])
        wrong = f'"{key}" stands twice in the same place, here and in line {first.line}; keep one of them'
        if any(isinstance(part, int) for part in top.path):
            wrong += " (if a new entry of the list begins here, its `- ` is missing)"
        self.problems.append(Problem(rule="Y02", message=wrong, at=self.source.position(start, end), see=first))

    def _next_path(self) -> Path:
        if not self.stack:
            return ()
        top = self.stack[-1]
        return (*top.path, len(top.entries)) if top.pairs is None else top.place

    def _begin(self, event: Any, start: int, is_map: bool) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse_sign(event)
        if len(self.stack) >= DEEPEST:
            _refuse(self.source, start, f"more than {DEEPEST} levels inside each other")
        if self._is_key_next():
            _refuse(self.source, start, "a key must be a word, not a list or a map; if it is a text, put it in quotes")
        self.stack.append(_Open(path=self._next_path(), start=start, pairs={} if is_map else None))

    def _end(self, event: Any) -> None:
        done = self.stack.pop()
        end = event.end_mark.index
        if end > done.start:
            end = done.start + len(self.text[done.start : end].rstrip())
        self._put(tuple(done.entries) if done.pairs is None else done.pairs, done.start, end)

    def _braces(self, parser: Any, start: int) -> None:
        """Y03: `{{ x }}` was read by YAML as a map in a map; here it becomes the text that was meant."""
        depth, event = 1, parser
        while depth:
            event = parser.get_event()
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        end = event.end_mark.index
        inner = self.text[start + 2 : end].rstrip("} ").strip()
        key = self._next_path()[-1:] or ("",)
        bare = key[0] in BARE_KEYS
        meant = inner if bare else f"${{{{ {inner} }}}}"
        why = "a condition stands without braces" if bare else "a value from a step or an input begins with ${{"
        wrong = f"{{{{ }}}} without $: {why}; write {meant}"
        at, fix = self.source.position(start, end), (Edit(start=start, end=end, text=meant),)
        self.problems.append(Problem(rule="Y03", message=wrong, at=at, suggestion=meant, fix=fix))
        self._put(meant, start, end)

    def _alias(self, event: Any) -> None:
        start, name = event.start_mark.index, event.anchor
        if name in self.anchors:
            wrong = f"`*{name}` (a YAML alias) isn't used here; write the value out"
            self.problems.append(Problem(rule="Y04", message=wrong, at=self._word(start)))
        else:
            wrong = f"a value that begins with * must stand in quotes: '*{name}'"
            self.problems.append(Problem(rule="Y01", message=wrong, at=self._word(start)))
        self._put(f"*{name}", start, event.end_mark.index)

    def _refuse_sign(self, event: Any) -> None:
        """Y04: a tag (`!x`) or an anchor (`&x`); the value itself is read on."""
        start = event.start_mark.index
        if event.anchor is not None:
            self.anchors.add(event.anchor)
            what = f"`&{event.anchor}` (a YAML anchor)"
        else:
            what = "`!` at the start (a YAML tag)"
        wrong = f"{what} isn't used here; delete it, or put the value in quotes if it is text"
        self.problems.append(Problem(rule="Y04", message=wrong, at=self._word(start)))

    def _word(self, start: int) -> Any:
        found = re.compile(r"\S+").match(self.text, start)
        return self.source.position(start, found.end() if found else start + 1)


def _refuse(source: Source, offset: int, message: str) -> NoReturn:
    raise MistakesFound([Problem(rule="Y01", message=message, at=source.position(offset))])
