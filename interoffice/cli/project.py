"""The office of this command's project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from interoffice.errors import UsageError

if TYPE_CHECKING:
    from interoffice.office import Office


def folder() -> Path:
    """The project's folder, as `--project` or runner.py say."""
    return Path(os.environ["INTEROFFICE_PROJECT"])


def office() -> Office:
    """The project, opened. Nothing is read before it is asked for."""
    from interoffice.office import Office

    return Office(folder())


def pairs(words: list[str], option: str) -> dict[str, str]:
    """`name=value` words as a map."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} {word}: write name=value.")
        if name.strip() in found:
            raise UsageError(f"{option} {name.strip()} is given twice.")
        found[name.strip()] = value
    return found
