"""The stamp tells at once whether .venv is what the lock files ask for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from interoffice.setup.stamp import interpreter, is_prepared, lock_digest, read_stamp, write_stamp

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with lock files and something in the place of the environment's Python."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "build.txt").write_text("wheel==1 --hash=sha256:aa\n")
    (tmp_path / "requirements" / "all.txt").write_text("six==1 --hash=sha256:bb\n")
    python = Path(interpreter(str(tmp_path)))
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path


def test_a_written_stamp_says_prepared(project: Path) -> None:
    assert not is_prepared(str(project))
    write_stamp(str(project), ["six"])
    assert is_prepared(str(project))
    assert read_stamp(str(project))[-1] == "packages six"


@pytest.mark.parametrize("name", ["build.txt", "all.txt"])
def test_a_changed_lock_file_says_not_prepared(project: Path, name: str) -> None:
    write_stamp(str(project), [])
    with (project / "requirements" / name).open("a") as file:
        file.write("\n")
    assert not is_prepared(str(project))


def test_another_python_behind_the_environment_says_not_prepared(project: Path) -> None:
    write_stamp(str(project), [])
    python = Path(interpreter(str(project)))
    python.unlink()
    python.symlink_to("/usr/bin/env")
    assert not is_prepared(str(project))


def test_a_folder_that_was_moved_says_not_prepared(project: Path) -> None:
    write_stamp(str(project), [])
    moved = project.parent / f"{project.name}-moved"
    project.rename(moved)
    assert not is_prepared(str(moved))


@pytest.mark.parametrize("damage", [b"", b"lock", b"\xff\xfe\x00", b"lock 0\npython x\nproject y\n"])
def test_a_damaged_stamp_says_not_prepared(project: Path, damage: bytes) -> None:
    write_stamp(str(project), [])
    (project / ".venv" / "interoffice.stamp").write_bytes(damage)
    assert not is_prepared(str(project))


def test_the_lock_files_hold_hashes_only_and_no_registry_address() -> None:
    for name in ("build.txt", "all.txt"):
        text = (PROJECT / "requirements" / name).read_text()
        assert "://" not in text
        assert "--index" not in text and "--find-links" not in text and " @ " not in text
        packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert packages and all("==" in line and line.endswith("\\") for line in packages)
    assert len(lock_digest(str(PROJECT))) == 64


def test_no_python_file_is_ever_in_selectors() -> None:
    assert list((PROJECT / "selectors").rglob("*.py")) == []


def test_the_fast_way_to_a_prepared_environment_imports_next_to_nothing() -> None:
    code = (
        "import os, sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1]); import interoffice.setup.handover;"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(PROJECT)], capture_output=True, text=True, check=True
    )
    assert set(eval(asked.stdout)) <= {"interoffice", "hashlib", "_hashlib", "_blake2", "_sha2", "__future__"}


def test_the_wrapper_can_be_read_by_old_pythons() -> None:
    import ast

    ast.parse((PROJECT / "runner.py").read_text(), feature_version=(3, 4))
