"""Why YAML can't be read, in an analyst's words.

The parser says where it gave up, which is often behind the cause ("did not find expected key"). Each detector below
looks at the lines around that place for one way of writing that is known to end there; the first that recognises it
gives the problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from yaml.error import MarkedYAMLError

from interoffice.frozen import dataclass
from interoffice.loader.flow import unfold
from interoffice.problem import Edit, Problem, Source

_ENTRY: Final = re.compile(r"""(?P<indent>[ ]*(?:-[ ]+)*)(?P<key>[\w.-]+|"[^"]*"|'[^']*')[ ]*:(?P<value>[ ].*|)$""")
_GLUED: Final = re.compile(r"[ ]*(?:-[ ]+)*(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:/\\].*)$")
_BRACES: Final = re.compile(r"(?<![$\w])\{\{")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the parser gave up: offset `at` in line `line` (from 0); `began` where what it was reading began."""

    source: Source
    at: int
    line: int
    began: int
    began_line: int
    problem: str
    context: str

    def text(self, line: int) -> str:
        """A line's text without its end."""
        start = self.start(line)
        end = self.source.text.find("\n", start)
        return self.source.text[start : end if end >= 0 else None].rstrip("\r")

    def start(self, line: int) -> int:
        """The offset of a line's first character."""
        start = 0
        for _ in range(line):
            following = self.source.text.find("\n", start)
            if following < 0:
                break
            start = following + 1
        return start

    def above(self) -> int | None:
        """The last line above that holds something other than a comment."""
        for line in range(self.line - 1, -1, -1):
            text = self.text(line).strip()
            if text and not text.startswith("#"):
                return line
        return None

    def says(
        self,
        start: int,
        end: int,
        message: str,
        *,
        rule: str = "Y01",
        meant: str | None = None,
        fix: Edit | None = None,
    ) -> Problem:
        """A problem from one offset to another."""
        at = self.source.position(start, end)
        return Problem(rule=rule, message=message, at=at, suggestion=meant, fix=(fix,) if fix else ())


def explain_syntax_error(source: Source, error: MarkedYAMLError) -> Problem:
    """The one problem of a file that the parser gave up on, at the place of its cause."""
    mark = error.problem_mark or error.context_mark
    began = error.context_mark or mark
    place = _Place(
        source=source,
        at=min(mark.index, len(source.text)) if mark else 0,
        line=mark.line if mark else 0,
        began=min(began.index, len(source.text)) if began else 0,
        began_line=began.line if began else 0,
        problem=error.problem or "",
        context=error.context or "",
    )
    for detect in _DETECTORS:
        if found := detect(place):
            return found
    return place.says(place.at, place.at + 1, f"can't be read from here on ({place.problem})")


def _bad_first_sign(place: _Place) -> Problem | None:
    """A value that begins with a sign that means something to YAML."""
    at = place.at
    if "alias" in place.context or "anchor" in place.context or "block scalar" in place.context:
        at = place.began
    elif not any(word in place.problem for word in ("cannot start any token", "node content", "mapping keys are not")):
        return None
    sign = place.source.text[at : at + 1]
    line_end = place.source.text.find("\n", at)
    value = place.source.text[at : line_end if line_end >= 0 else None].rstrip()
    if sign == "\t":
        return place.says(at, at + 1, "a tab; YAML wants blanks, two for each level")
    if not sign or place.text(place.line)[:1] == sign == "%":
        return None
    wrong = f"a value that begins with {sign} must stand in quotes"
    return place.says(at, at + max(1, len(value)), wrong, meant=quoted(value))


def _braces_in_brackets(place: _Place) -> Problem | None:
    """`${{ }}` inside `[ ]` or `{ }`: YAML takes its braces for a map."""
    if "parsing a flow" not in place.context:
        return None
    text = place.source.text
    line_end = text.find("\n", place.began)
    braces = text.find("{{", place.began + 1, line_end if line_end >= 0 else len(text))
    if braces < 0 or place.at < braces - 1:
        return None
    if text[braces - 1] != "$" and place.began == braces:
        return None
    kind = "[ ]" if text[place.began] == "[" else "{ }"
    wrong = f"${{{{ }}}} can't stand inside {kind}; write each entry on its own line"
    fix = unfold(text, place.began)
    return place.says(max(place.began, braces - 1), braces + 2, wrong, fix=fix)


def _not_closed(place: _Place) -> Problem | None:
    """A bracket or a quote that never ends."""
    text = place.source.text
    if "parsing a flow" in place.context and place.line > place.began_line:
        sign = text[place.began]
        other = "]" if sign == "[" else "}"
        return place.says(place.began, place.began + 1, f"the {sign} is not closed; its {other} is missing")
    if "quoted scalar" in place.context and "end of stream" in place.problem:
        return place.says(place.began, place.began + 1, "the quote that begins here is not closed")
    return None


def _escape(place: _Place) -> Problem | None:
    if "escape character" not in place.problem:
        return None
    return place.says(place.at, place.at + 1, "a \\ inside double quotes begins a special sign; use single quotes")


def _quote_at_start(place: _Place) -> Problem | None:
    """A value that begins with a quote and goes on behind the closing one, or whose quote ends lines below."""
    if "did not find expected" not in place.problem and "mapping values" not in place.problem:
        return None
    for line in range(min(place.line, place.source.text.count("\n")), max(place.began_line, place.line - 20) - 1, -1):
        text = place.text(line)
        found = re.match(r"""[ ]*(?:-[ ]+)*(?:[\w.-]+[ ]*:[ ]+)?(?:-[ ]+)*(?P<value>(?P<quote>['"]).*)$""", text)
        if found is None:
            continue
        value, quote = found["value"].rstrip(), found["quote"]
        end = _closing(value)
        start = place.start(line) + found.start("value")
        if end < 0:
            return place.says(start, start + 1, f"the quote {quote} that begins here is not closed in this line")
        if value[end + 1 :].strip() and not re.match(r"[ ]+#|[ ]*:|[ ]*,", value[end + 1 :]):
            wrong = "a value that begins with a quote ends with its second one; put the whole value in the other quotes"
            return place.says(start, start + len(value), wrong, meant=quoted(value))
    return None


def _closing(value: str) -> int:
    """The index of the quote that closes the one at the start; -1 for none."""
    quote = value[0]
    at = 1
    while at < len(value):
        if value[at] == "\\" and quote == '"':
            at += 2
            continue
        if value[at] == quote:
            if quote == '"' or value[at + 1 : at + 2] != quote:
                return at
            at += 1
        at += 1
    return -1


def _braces_without_dollar(place: _Place) -> Problem | None:
    text = place.text(place.line)
    found = _ENTRY.match(text)
    if found is None or not (braces := _BRACES.match(found["value"].lstrip())):
        return None
    start = place.start(place.line) + found.start("value") + len(found["value"]) - len(found["value"].lstrip())
    wrong = "{{ }} without $: a value from a step or an input begins with ${{"
    fix = Edit(start=start, end=start, text="$")
    value = found["value"].strip()
    return place.says(start, start + braces.end(), wrong, rule="Y03", meant=_BRACES.sub("${{", value), fix=fix)


def _glued_colon(place: _Place) -> Problem | None:
    """`key:value`, in this line or the one above."""
    if "mapping values" in place.problem:
        lines = [place.above()]
    elif "expected ':'" in place.problem:
        lines = [place.began_line]
    elif "expected key" in place.problem or "'-' indicator" in place.problem:
        lines = [place.line]
    else:
        return None
    for line in lines:
        found = None if line is None else _GLUED.match(place.text(line))
        if found is None or line is None:
            continue
        start = place.start(line) + found.start("value")
        meant = f"{found['key']}: {found['value'].strip()}"
        wrong = f"a blank is missing behind the colon: write {meant}"
        at = place.start(line) + found.start("key")
        fix = Edit(start=start, end=start, text=" ")
        return place.says(at, start + len(found["value"].rstrip()), wrong, rule="Y05", meant=meant, fix=fix)
    return None


def _colon_in_text(place: _Place) -> Problem | None:
    """`: ` inside a text that stands without quotes."""
    if "mapping values" not in place.problem:
        return None
    text = place.text(place.line)
    found = _ENTRY.match(text)
    column = place.at - place.start(place.line)
    if found is None or column <= found.start("value") or not found["value"].strip():
        return None
    value = found["value"].strip()
    start = place.start(place.line) + text.index(value, found.start("value"))
    wrong = '": " inside a text begins a new key for YAML; put the whole text in quotes'
    return place.says(place.at, place.at + 1, wrong, meant=quoted(value)) if start < place.at else None


def _keys_behind_a_text(place: _Place) -> Problem | None:
    """A key below a line that can't have any: a plain list entry, a line without a colon, a key with a value."""
    above = place.above()
    if "mapping values" not in place.problem or above is None:
        return None
    text = place.text(above)
    start = place.start(above) + len(text) - len(text.lstrip())
    here = place.start(place.line) + len(place.text(place.line)) - len(place.text(place.line).lstrip())
    key = place.source.text[here : place.at]
    if _ENTRY.match(text):
        wrong = f'"{key}" stands deeper than the line above, which has a value already; line their keys up'
        return place.says(here, place.at, wrong)
    if text.lstrip().startswith("- "):
        entry = text.lstrip()[2:].strip()
        wrong = f'"{key}" can\'t follow a plain text; give the text above a key too (in a check: - rule: ...)'
        return place.says(start, start + len(text.strip()), wrong, meant=f"- rule: {entry}")
    return place.says(start, start + len(text.strip()), "this line has no colon; a key is written as key: value")


def _no_colon(place: _Place) -> Problem | None:
    if "expected ':'" not in place.problem:
        return None
    text = place.text(place.began_line)
    wrong = f'"{text.strip()}" has no colon; a key is written as key: value'
    return place.says(place.began, place.began + max(1, len(text.strip())), wrong)


def _entry_beside_key(place: _Place) -> Problem | None:
    if "block sequence entries" not in place.problem:
        return None
    wrong = "a list begins on the line below its key, each entry after `- `"
    return place.says(place.at, place.at + 1, wrong)


def _indentation(place: _Place) -> Problem | None:
    """A line whose first sign is under nothing above."""
    text = place.text(place.line)
    start = place.start(place.line) + len(text) - len(text.lstrip())
    if "did not find expected" not in place.problem or place.at != start:
        return None
    end = start + max(1, len(text.strip()))
    if "'-' indicator" in place.problem:
        wrong = "this line is no entry of the list above: begin it with `- ` or mind its indentation"
        return place.says(start, end, wrong)
    return place.says(start, end, "the indentation of this line fits no line above; count its blanks")


def _too_much(place: _Place) -> Problem | None:
    sign = place.source.text[place.at : place.at + 1]
    if "did not find expected" not in place.problem or sign not in "]}" or not sign:
        return None
    return place.says(place.at, place.at + 1, f"one {sign} too many; delete it, or put the whole value in quotes")


def _comma(place: _Place) -> Problem | None:
    if "parsing a flow" not in place.context:
        return None
    text = place.source.text
    if place.at >= len(text):  # the file ends inside; libyaml then names its end as the beginning too
        began = max(text.rfind("["), text.rfind("{"))
        sign = text[began : began + 1]
        other = "]" if sign == "[" else "}"
        return place.says(began, began + 1, f"the {sign} is not closed; its {other} is missing")
    kind = "[ ]" if text[place.began] == "[" else "{ }"
    wrong = f"entries inside {kind} are parted by commas; put a text with signs in quotes"
    return place.says(place.at, place.at + 1, wrong)


def quoted(value: str) -> str | None:
    """The value in the quotes that need the least change; None for one that holds both kinds."""
    if "'" not in value:
        return f"'{value}'"
    return None if '"' in value or "\\" in value else f'"{value}"'


_DETECTORS: Final[tuple[Callable[[_Place], Problem | None], ...]] = (
    _bad_first_sign,
    _braces_in_brackets,
    _not_closed,
    _escape,
    _braces_without_dollar,
    _quote_at_start,
    _colon_in_text,
    _glued_colon,
    _keys_behind_a_text,
    _no_colon,
    _entry_beside_key,
    _too_much,
    _indentation,
    _comma,
)
