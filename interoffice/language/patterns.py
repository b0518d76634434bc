"""Named patterns: what `matches` asks. Some are always there, a project's own are masks in tables/patterns.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from interoffice.language.errors import RowError


def _is_email(text: str) -> bool:
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def _is_iban(text: str) -> bool:
    from stdnum import iban

    return iban.is_valid(text)


def _is_bic(text: str) -> bool:
    from stdnum import bic

    return bic.is_valid(text)


def _is_lei(text: str) -> bool:
    from stdnum import lei

    return lei.is_valid(text)


def _is_luhn(text: str) -> bool:
    from stdnum import luhn

    return text.isascii() and luhn.is_valid(text)


def _is_eu_vat(text: str) -> bool:
    from stdnum.eu import vat

    return vat.is_valid(text)


_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)
"""An address as HTML's own input type takes it, with a domain of at least two parts."""

ALWAYS: Final[Mapping[str, Callable[[str], bool]]] = {
    "email": _is_email,
    "iban": _is_iban,
    "bic": _is_bic,
    "lei": _is_lei,
    "luhn": _is_luhn,
    "eu_vat_number": _is_eu_vat,
}
"""The patterns that are always there; their check digits are python-stdnum's."""


def fits(pattern: str, text: str, own: Mapping[str, str]) -> bool:
    """Whether a text matches a named pattern; `own` are the project's: name -> like."""
    if pattern in own:
        return mask(own[pattern]).fullmatch(text) is not None
    known = ALWAYS.get(pattern)
    if known is None:
        raise RowError(f'there is no pattern "{pattern}"; there is {", ".join(sorted({*ALWAYS, *own}))}')
    return bool(known(text))


@lru_cache(maxsize=1_000)
def mask(like: str) -> re.Pattern[str]:
    """The regular expression of a mask: # is a digit, @ a capital letter A to Z, anything else itself."""
    return re.compile("".join({"#": "[0-9]", "@": "[A-Z]"}.get(sign, re.escape(sign)) for sign in like))


def sql_mask(like: str) -> str:
    """The same for DuckDB's regexp_full_match (RE2)."""
    return "".join({"#": "[0-9]", "@": "[A-Z]"}.get(sign, _escaped(sign)) for sign in like)


def _escaped(sign: str) -> str:
    return sign if sign.isalnum() or not sign.isascii() else f"\\{sign}"
