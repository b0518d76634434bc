"""The wheel carries the package and the standard bots, and works without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("interoffice", "bots"):
        shutil.copytree(PROJECT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder / "source")
    (folder / "source" / "README.md").write_text("# Interoffice\n")
    command = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(folder)]
    subprocess.run([sys.executable, *command, str(folder / "source")], check=True, capture_output=True)
    return next(folder.glob("interoffice-*.whl"))


def test_every_file_of_the_package_and_every_standard_bot_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    package = {str(path.relative_to(PROJECT)) for path in (PROJECT / "interoffice").rglob("*") if path.is_file()}
    bots = {f"interoffice/{path.relative_to(PROJECT)}" for path in (PROJECT / "bots").rglob("*.py")}
    assert bots
    assert {name for name in package | bots if "__pycache__" not in name} - inside == set()
    assert not [name for name in inside if name.startswith(("bots/", "tests/", "selectors"))]


@pytest.mark.slow
def test_the_installed_wheel_makes_a_project_and_knows_the_standard_bots(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    # The packages it needs come from this environment; Interoffice itself from the wheel alone.
    site = next((tmp_path / "venv" / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "others.pth").write_text(f"{next(path for path in sys.path if path.endswith('site-packages'))}\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("INTEROFFICE", "PYTHON"))}
    code = "import interoffice, sys; print(interoffice.__file__); from interoffice.cli import main; sys.exit(main())"
    command = [str(python), "-P", "-c", code]
    made = subprocess.run(
        [*command, "new", str(tmp_path / "my-office")], cwd=tmp_path, env=clean, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(str(site))
    checked = subprocess.run([*command, "check"], cwd=tmp_path / "my-office", env=clean, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
