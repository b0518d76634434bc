"""The samples with every bot of bots.md, opened once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from office import sample_project

from interoffice.plan.project import Project


@pytest.fixture(scope="session")
def samples() -> Project:
    """The project of the samples."""
    return sample_project()
