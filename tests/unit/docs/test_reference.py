"""The generated pages are up to date, and the written ones name what exists."""

import re
from pathlib import Path

import pytest

from interoffice.cli.app import app
from interoffice.cli.reference import pages

ROOT = Path(__file__).parents[3]


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("INTEROFFICE_PROJECT", str(ROOT))
    return pages(app)


@pytest.mark.parametrize("name", ["commands.md", "bots.md", "rules.md"])
def test_a_generated_page_is_up_to_date(name: str, generated: dict[str, str]) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == generated[name], "python3 runner.py reference"


def _written_pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", _written_pages(), ids=lambda page: page.name)
def test_a_page_names_only_commands_that_exist(page: Path, generated: dict[str, str]) -> None:
    known = set(re.findall(r"^## (.+)$", generated["commands.md"], re.M)) | {"reference"}
    used = set(re.findall(r"runner\.py (?:--project \S+ )?([a-z][a-z-]+)", page.read_text(encoding="utf-8")))
    assert used <= known


@pytest.mark.parametrize("page", _written_pages(), ids=lambda page: page.name)
def test_a_page_links_only_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
