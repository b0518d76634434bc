"""`[ ]` and `{ }` written on one line, taken apart without YAML, since YAML can't read `${{ }}` in them."""

from __future__ import annotations

import re
from typing import Final

from interoffice.problem import Edit

_KEY_BEFORE: Final = re.compile(r"(?:^|\n)(?P<lead>[ ]*(?:-[ ]+)*)[^\s:#'\"][^:#'\"\n]*:[ ]+$")
_PAIR: Final = re.compile(r"""(?P<key>[\w.-]+|"[^"]*"|'[^']*')[ ]*:[ ]+(?P<value>.+)$""", re.DOTALL)


def unfold(text: str, start: int) -> Edit | None:
    """The edit that turns the `[ ]` or `{ }` at `start` into lines of its own; None where that isn't plainly safe."""
    inner = entries(text, start)
    before = _KEY_BEFORE.search(text, max(0, text.rfind("\n", 0, start)), start)
    if inner is None or before is None:
        return None
    parts, end = inner
    line_end = text.find("\n", end)
    behind = text[end : line_end if line_end >= 0 else None].rstrip("\r")
    if not parts or (behind.strip() and not re.match(r"[ ]+#", behind)):
        return None
    newline = "\r\n" if text[line_end - 1 : line_end] == "\r" else "\n"
    lead = newline + " " * (len(before["lead"]) + 2)
    if text[start] == "[":
        lines = [f"- {part}" for part in parts]
    else:
        pairs = [_PAIR.match(part) for part in parts]
        if not all(pairs):
            return None
        lines = [f"{pair['key']}: {pair['value']}" for pair in pairs if pair]
    blanks = len(text[:start]) - len(text[:start].rstrip(" "))
    return Edit(start=start - blanks, end=end, text="".join(lead + line for line in lines))


def entries(text: str, start: int) -> tuple[list[str], int] | None:
    """The entries between the bracket at `start` and its end in the same line, and the offset behind it."""
    parts: list[str] = []
    begun, at, deep, quote = start + 1, start, 0, ""
    while at < len(text) and text[at] not in "\r\n":
        sign = text[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "[{(":
            deep += 1
        elif sign in "]})":
            deep -= 1
        if not quote and deep == 0:
            parts.append(text[begun:at].strip())
            parts = parts if parts[-1] else parts[:-1]
            return (parts, at + 1) if all(parts) else None
        if sign == "," and not quote and deep == 1:
            parts.append(text[begun:at].strip())
            begun = at + 1
        at += 1
    return None
