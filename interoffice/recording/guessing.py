"""What a control is, guessed from what the page says of it and what was typed: names, types, formats."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from interoffice.language.parser import KEYWORDS

MONEY_WORDS: Final = re.compile(
    r"\b(amount|price|total|sum|net|gross|cost|fee|debit|credit|betrag|preis|summe)\b", re.IGNORECASE
)
DATES: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = (
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)"), "yyyy-MM-dd", "yyyy-MM-dd"),
    (re.compile(r"(\d\d)\.(\d\d)\.(\d{4})"), "dd.MM.yyyy", "dd.MM.yyyy"),
    (re.compile(r"(\d\d)/(\d\d)/(\d{4})"), "dd/MM/yyyy", "MM/dd/yyyy"),
)
"""A date's shape, its format, and its format where the second part can't be a month."""
BUTTON_ROLES: Final = ("button", "link", "tab", "menuitem", "option")


def name_of(*words: str, taken: Iterable[str] = (), otherwise: str = "element") -> str:
    """A name for an element or screen: customer_no, from the first words that give one; unlike those taken."""
    for said in words:
        plain = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode()
        name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:40].strip("_")
        if name:
            break
    else:
        name = otherwise
    if not name:
        return ""
    if name in KEYWORDS or not name[0].isalpha():
        name = f"the_{name}"
    known, number, free = set(taken), 2, name
    while free in known:
        free, number = f"{name}_{number}", number + 1
    return free


def type_of(said: Mapping[str, Any], value: Any) -> str:
    """The type of an element in a selectors file."""
    tag, native, role = said.get("tag"), said.get("input"), said.get("role")
    if said.get("columns"):
        return "grid"
    if tag == "select":
        return "multi_choice" if said.get("multiple") else "choice"
    if native in ("checkbox", "radio") or role in ("checkbox", "switch"):
        return "yes_no"
    if role == "radiogroup" or tag == "fieldset":
        return "choice"
    if native == "file":
        return "file"
    if tag in ("button", "a", "summary") or role in BUTTON_ROLES or native in ("button", "submit", "reset", "image"):
        return "button"
    if said.get("completes") or role == "combobox":
        return "relation"
    if said.get("editable") and tag not in ("input", "textarea"):
        return "rich_text"
    if tag in ("input", "textarea"):
        return _typed(said, value if isinstance(value, str) else "")
    return "read_only"


def _typed(said: Mapping[str, Any], value: str) -> str:
    words = [*said.get("captions", ()), str(said.get("name", "")).replace("_", " "), said.get("placeholder", "")]
    caption = " ".join(words)
    native, hint = said.get("input"), said.get("kind")
    if native == "date" or hint == "date" or (date_format(value) and native != "number"):
        return "date"
    is_money = bool(MONEY_WORDS.search(caption)) and bool(number_format(value) or not value)
    if hint == "money" or (said.get("tag") == "input" and is_money):
        return "money"
    if native == "number" or hint == "number" or (said.get("mode") == "decimal" and number_format(value)):
        return "number"
    return "text"


def date_format(value: str) -> str | None:
    """The format of a date as it was typed; None where it is no date, or could be two."""
    for shape, usual, other in DATES:
        found = shape.fullmatch(value.strip())
        if found is None:
            continue
        first, second = int(found[1]), int(found[2])
        if usual == other:
            return usual
        if second > 12 >= first:
            return other
        return usual if first > 12 >= second else None
    return None


def number_format(value: str) -> str | None:
    """How 1234.56 is written where somebody typed this; None where it is no number, or does not tell."""
    text = value.strip()
    if not re.fullmatch(r"-?\d[\d.,'\u00a0 ]*", text):
        return None
    marks = re.findall(r"[.,]", text)
    if not marks:
        return "1234.56" if text.lstrip("-").isdigit() else None
    last = marks[-1]
    decimals = len(text) - text.rindex(last) - 1
    if len(set(marks)) == 1 and (len(marks) > 1 or decimals == 3):
        return None  # 1.234: a thousand or one and a bit
    grouped = len(set(marks)) == 2
    if last == ",":
        return "1.234,56" if grouped else "1234,56"
    return "1,234.56" if grouped else "1234.56"
