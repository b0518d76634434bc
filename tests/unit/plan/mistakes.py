"""Mistakes put into a sample mechanically, one at a time: what was changed, and what the check must say of it.

Each maker goes over the lines of a workflow's text and gives every place where its construct occurs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A workflow's text with one mistake. `rules`: any of these families; `suggestion`: what must be suggested."""

    what: str
    text: str
    line: int
    rules: tuple[str, ...]
    suggestion: str | None = None


Maker = Callable[[str], Iterator[Mistake]]


def misspelt(word: str) -> str:
    """A word with two letters in the middle exchanged, or one doubled where they are the same."""
    for at in range(len(word) // 2, 0, -1):
        if at + 1 < len(word) and word[at] != word[at + 1] and word[at].isalpha() and word[at + 1].isalpha():
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word + word[-1]


def change(text: str, start: int, end: int, new: str) -> tuple[str, int]:
    """The text with a part exchanged, and the line of it."""
    return text[:start] + new + text[end:], text.count("\n", 0, start) + 1


def each(
    what: str, pattern: str, *rules: str, group: str = "word", suggests: bool = True, skip: str = r"(?!)"
) -> Maker:
    """A maker that misspells what the pattern finds."""

    def make(text: str) -> Iterator[Mistake]:
        for found in re.finditer(pattern, text, re.MULTILINE):
            word = found[group]
            if re.fullmatch(skip, word):
                continue
            changed, line = change(text, *found.span(group), misspelt(word))
            yield Mistake(what=what, text=changed, line=line, rules=rules, suggestion=word if suggests else None)

    return make


def replaced(what: str, pattern: str, new: Callable[[re.Match[str]], str], *rules: str) -> Maker:
    """A maker that exchanges what the pattern finds."""

    def make(text: str) -> Iterator[Mistake]:
        for found in re.finditer(pattern, text, re.MULTILINE):
            changed, line = change(text, *found.span("old"), new(found))
            yield Mistake(what=what, text=changed, line=line, rules=rules)

    return make


def keys_under(what: str, parents: tuple[str, ...], *rules: str, only: str = r"\w[\w ]+") -> Maker:
    """A maker that misspells every key that stands below keys of these names, the nearest last."""

    def make(text: str) -> Iterator[Mistake]:
        stack: list[tuple[int, str]] = []
        for found in re.finditer(r"^( *)(- )?(\w[\w ]*):(?= |$)", text, re.MULTILINE):
            indent = len(found[1]) + len(found[2] or "")
            stack = [one for one in stack if one[0] < indent]
            names = tuple(name for _, name in stack)
            if names[-len(parents) :] == parents and len(found[3]) > 2 and re.fullmatch(only, found[3]):
                changed, line = change(text, *found.span(3), misspelt(found[3]))
                yield Mistake(what=what, text=changed, line=line, rules=rules, suggestion=found[3])
            stack.append((indent, found[3]))

    return make


BARE = r"^ +(?:- (?!id|name)|(?:- )?(?:rule|if|when|until|where): )"
VERB = r"(?:bot|check|table|reconcile|for_each|choose|approve|wait|workflow|set|stop)"


def duplicate_id(text: str) -> Iterator[Mistake]:
    found = list(re.finditer(r"^ +- id: (\w+)$", text, re.MULTILINE))
    for first, second in pairwise(found):
        if f"steps.{second[1]}." in text:
            continue  # then two mistakes would have been made
        changed, line = change(text, *second.span(1), first[1])
        yield Mistake(what="duplicate id", text=changed, line=line, rules=("S04",))


def duplicate_key(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^( +)(timeout|overlap|name|by|submit|screen|template): .+$\n", text, re.MULTILINE):
        changed, line = change(text, found.end(), found.end(), found[0])
        yield Mistake(what="duplicate key", text=changed, line=line, rules=("Y02",))


def two_verbs(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^( +)bot: .+$\n", text, re.MULTILINE):
        changed, line = change(text, found.end(), found.end(), f"{found[1]}stop: Enough\n")
        yield Mistake(what="two verbs", text=changed, line=line, rules=("S03",))


def tab(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^( {4,})(?=\w+: )", text, re.MULTILINE):
        changed, line = change(text, *found.span(), "\t" + found[0][2:])
        yield Mistake(what="a tab", text=changed, line=line, rules=("Y01",))


def later_step(text: str) -> Iterator[Mistake]:
    steps = re.search(r"^steps:$(.*?)^(?=\w)", text + "\nend", re.MULTILINE | re.DOTALL)
    assert steps is not None
    ids = re.findall(r"^  - id: (\w+)$", steps[1], re.MULTILINE)
    place = r"^    (?:with:\n(?:      .*\n)*?      \w+|check|table|for_each): \$\{\{ steps\.(\w+)\."
    for found in re.finditer(place, steps[1], re.MULTILINE):
        if found[1] in ids and ids[-1] != found[1] and len(ids) > 1:
            start = steps.start(1) + found.start(1)
            changed, line = change(text, start, start + len(found[1]), ids[-1])
            yield Mistake(what="a later step", text=changed, line=line, rules=("R02", "R03"))


def writing_loop_without_key(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^ +for_each: .+\n(?: +group_by: .+\n)?(?: +as: .+\n)( +key: .+\n)", text, re.MULTILINE):
        if "group_by" in found[0]:
            continue  # the group is its key
        changed, _ = change(text, *found.span(1), "")
        line = text.count("\n", 0, found.start()) + 1
        yield Mistake(what="a writing loop without key", text=changed, line=line, rules=("F03",))


def unreleased_review(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^    approve: (\$\{\{ .+ \}\})$", text, re.MULTILINE):
        ids = re.findall(r"steps\.(\w+)\.review", found[1])
        for check in ids:
            others = text[: found.start()] + text[found.end() :]
            if f"steps.{check}.review" in others:
                continue
            other = found[1].replace(f"steps.{check}.review", f"steps.{check}.passed")
            changed, _ = change(text, *found.span(1), other)
            place = re.search(rf"- id: {check}\n(?:    .*\n)*?    check: ", text)
            if place is None:
                continue
            line = text.count("\n", 0, place.end()) + 1
            yield Mistake(what="review rows nobody releases", text=changed, line=line, rules=("F07",))


def braces_in_if(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^ +(?:- )?(?:if|when|until|where): (.+)$", text, re.MULTILINE):
        changed, line = change(text, *found.span(1), f"${{{{ {found[1]} }}}}")
        yield Mistake(what="braces in a condition", text=changed, line=line, rules=("E02",), suggestion=found[1])


def wrong_default(text: str) -> Iterator[Mistake]:
    kind = r"^    type: (date|money|percent|number|duration)\n"
    pattern = kind + r"(?:    (?:many|min|max|help).*\n)*    default: (?!\$)(.+)$"
    for found in re.finditer(pattern, text, re.MULTILINE):
        wrong = "50%" if found[1] in ("money", "number") else "soonish"
        changed, line = change(text, *found.span(2), wrong)
        yield Mistake(what="a default of the wrong type", text=changed, line=line, rules=("S05",))


def text_with_number(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"(?<=[\w)] )(?:>|>=|<|<=) (\d+(?:\.\d+)?)$", text, re.MULTILINE):
        changed, line = change(text, *found.span(1), "'many'")
        yield Mistake(what="text compared with a number", text=changed, line=line, rules=("E04",))


def half_a_rule(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^ +- (?:rule: )?(?!id:)([\w, .]+) (?:>=|<=|>|<|=) (.+)$", text, re.MULTILINE):
        if not re.match(r"[\w, .]+$", found[1]):
            continue
        changed, line = change(text, found.start(2) - 1, found.end(2), "")
        yield Mistake(what="half a rule", text=changed, line=line, rules=("C01",))


def secret(text: str) -> Iterator[Mistake]:
    for found in re.finditer(r"^( +)credential: (\w+)$\n", text, re.MULTILINE):
        changed, line = change(text, *found.span(2), "Xk9Lq2Vb7Nt4Rz8Wm3Yc6Pd1")
        yield Mistake(what="a secret in text", text=changed, line=line, rules=("K03",))
    for found in re.finditer(r"^ +(?:subject|title|ask): (.+)$", text, re.MULTILINE):
        changed, line = change(text, *found.span(1), found[1] + ", password = hunter2go")
        yield Mistake(what="a secret in text", text=changed, line=line, rules=("K03",))
        changed, line = change(text, *found.span(1), found[1] + " DE89 3704 0044 0532 0130 00")
        yield Mistake(what="a secret in text", text=changed, line=line, rules=("K03",))


NAMES = r"[a-z_]\w{2,}"
MAKERS: tuple[Maker, ...] = (
    each("top key", rf"^(?P<word>{NAMES}):", "S01"),
    keys_under("step key", ("steps",), "S01", "S03"),
    keys_under("step key", ("do",), "S01", "S03"),
    keys_under("verb", ("steps",), "S01", "S03", only=VERB),
    keys_under("verb", ("do",), "S01", "S03", only=VERB),
    each("bot", r"^ +bot: (?P<word>\w+\.\w+)$", "B01"),
    keys_under("bot input", ("with",), "B02", "R08"),
    each("step", rf"(?<=\bsteps\.)(?P<word>{NAMES})(?=\.)", "R01"),
    each("output", rf"(?<=\bsteps\.)\w+\.(?P<word>{NAMES})", "R03"),
    each("input", rf"(?<=\binputs\.)(?P<word>{NAMES})", "R04"),
    each("screen", rf"^ +screen: (?P<word>{NAMES}\.{NAMES})$", "U01"),
    keys_under("element", ("with", "fields"), "U02"),
    keys_under("element", ("with", "lines"), "U02"),
    each("element", rf"^ +submit: (?P<word>{NAMES})$", "U02"),
    each("element", rf"^ +read: \[(?P<word>{NAMES})", "U02"),
    each("column", rf"^ +show: \[(?P<word>{NAMES})", "C03"),
    each("column", rf"^ +row: (?P<word>{NAMES})$", "C03"),
    each("column", rf"^ +- (?:rule: )?(?P<word>{NAMES}) (?:is |>|<|=)", "C03"),
    each("column", rf"\brow\.(?P<word>{NAMES})", "C03", "C04"),
    each("column", rf"^ +(?:same|per|group_by|sort): \[(?P<word>{NAMES})", "C03", "C07"),
    each("column", rf"^ +where: (?P<word>{NAMES}) ", "C03"),
    each("contract", rf"^ +contract: (?P<word>{NAMES})$", "R09"),
    each("table", rf"^ +(?:layout|queue): (?P<word>{NAMES})$", "R09"),
    each("template", r"^ +template: emails/(?P<word>\w+)\.html$", "R09"),
    each("mail account", rf"^ +mailbox: (?P<word>{NAMES})$", "R05"),
    each("group", r"^ +(?:by|to): \[(?P<word>[a-z]+-[a-z-]+)", "R05"),
    each("application", rf"^ +application: (?P<word>{NAMES})$", "U01"),
    each("sub-workflow", rf"^ +workflow: (?P<word>{NAMES})$", "R08"),
    each("route", r"^ +otherwise: (?P<word>warn|review|reject|stop)$", "C02"),
    each("rule word", rf"{BARE}.*\bis (?P<word>present|missing|unique|between|empty)\b", "E01", "C01", suggests=False),
    each("rule word", rf"{BARE}.*\b(?P<word>matches|exists)\b(?= \w+$| in)", "E01", "C01", suggests=False),
    later_step,
    replaced("missing $", r"(?P<old>\$\{\{)", lambda _: "{{", "Y03", "E03"),
    braces_in_if,
    half_a_rule,
    duplicate_id,
    duplicate_key,
    two_verbs,
    tab,
    replaced("quote at the start", r"^    name: (?P<old>\w+)(?= )", lambda found: f'"{found[1]}"', "Y01"),
    replaced("star at the start", r"folder: (?P<old>\w+)", lambda found: f"*{found[1]}", "Y01", "Y04"),
    writing_loop_without_key,
    secret,
    text_with_number,
    replaced("a bad duration", r"(?:timeout|within): (?P<old>\d+ ?\w+)", lambda _: "5 minuts", "S05"),
    replaced("a bad duration", r"remind_every: (?P<old>\d+ ?\w+)", lambda _: "soon", "S05"),
    wrong_default,
    unreleased_review,
)


def loop_variable(text: str) -> Iterator[Mistake]:
    for name in dict.fromkeys(re.findall(r"^ +as: (\w+)$", text, re.MULTILINE)):
        for found in re.finditer(rf"(?<=\{{ )(?P<word>{name})(?=\.\w)", text):
            changed, line = change(text, *found.span("word"), misspelt(name))
            yield Mistake(what="loop variable", text=changed, line=line, rules=("R05",), suggestion=name)


def column_of_loop_variable(text: str) -> Iterator[Mistake]:
    for name in dict.fromkeys(re.findall(r"^ +as: (\w+)$", text, re.MULTILINE)):
        for found in re.finditer(rf"(?:\{{ |key: |key: \[|, ){name}\.(?P<word>[a-z_]\w{{2,}})", text):
            changed, line = change(text, *found.span("word"), misspelt(found["word"]))
            rules = ("C03", "R05")
            yield Mistake(what="column of an item", text=changed, line=line, rules=rules, suggestion=found["word"])


MAKERS = (*MAKERS, loop_variable, column_of_loop_variable)
