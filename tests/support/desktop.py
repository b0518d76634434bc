"""What tests of desktop screens need of the machine; in CI nothing of it may be missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from interoffice.resources.display import PROGRAMS
from tests.support.screens import ScreenDesk, practice_desk

MISSING = [program for program in PROGRAMS if shutil.which(program) is None]
needs_desktop = pytest.mark.skipif(
    bool(MISSING) and not os.environ.get("CI"), reason=f"desktop screens need {', '.join(MISSING)}"
)


@contextmanager
def desktop_desk(folder: Path, office: PracticeOffice) -> Iterator[ScreenDesk]:
    """A desk on the practice ERP's desktop client."""
    with practice_desk(folder, Browser(), office, pictures="full") as desk:
        desk.screens.environment = "desktop"
        try:
            yield desk
        finally:
            desk.screens.close()
