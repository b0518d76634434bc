"""Building the wheel: the standard bots stand beside the package in a checkout, and inside it once installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).parents[2]


class BuildWithBots(build_py):  # type: ignore[misc]  # setuptools has no types
    """The package, with bots/ copied to interoffice/bots, where the registry looks for the standard ones."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "interoffice" / "bots"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / "bots", target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
