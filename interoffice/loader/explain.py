"""What a rule of `check` means, with a wrong and a right example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from interoffice.errors import UsageError
from interoffice.loader.yaml_tree import Fields, Reading, compose
from interoffice.problem import did_you_mean


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleText:
    """A rule of `check`. `wrong` and `right` are YAML, mostly a part of a file."""

    code: str
    title: str
    severity: str
    means: str
    wrong: str
    right: str


@cache
def rule_texts() -> Mapping[str, RuleText]:
    """Every rule by its code."""
    text = files("interoffice.loader").joinpath("rules.yaml").read_text(encoding="utf-8")
    reading = Reading(compose(text, "interoffice/loader/rules.yaml"))
    top = Fields(reading, ())
    read = {code: _rule(code, Fields(reading, (code,))) for code in top.names()}
    reading.raise_mistakes()
    return read


def _rule(code: str, fields: Fields) -> RuleText:
    rule = RuleText(
        code=code,
        title=fields.text("title", required=True),
        severity=fields.text("severity", default="error"),
        means=fields.text("means", required=True).rstrip(),
        wrong=fields.text("wrong", required=True).rstrip(),
        right=fields.text("right", required=True).rstrip(),
    )
    fields.close()
    return rule


def explain(code: str) -> str:
    """A rule in an analyst's words with its examples; UsageError for a code that doesn't exist."""
    rules = rule_texts()
    rule = rules.get(code.strip().upper())
    if rule is None:
        meant = did_you_mean(code.upper(), rules)
        more = f'did you mean "{meant}"?' if meant else "they begin with Y, S, R, E, B, F, C, U, D or K, like U02"
        raise UsageError(f'there is no rule "{code}"; {more}')
    head = f"{rule.code}  {rule.title}" + ("" if rule.severity == "error" else f"  ({rule.severity})")
    return f"{head}\n\n{rule.means}\n\nWrong:\n{_indented(rule.wrong)}\n\nRight:\n{_indented(rule.right)}\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
