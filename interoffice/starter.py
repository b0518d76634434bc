"""`interoffice new FOLDER`: a project of the usual layout, with one small workflow that runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from interoffice.errors import UsageError

FOLDERS = ("bots", "workflows/emails", "selectors", "tables", "inbox", "reports")


def make_project(to: Path) -> Iterator[Path]:
    """Makes the folder and gives each file as it is written; refuses a folder that holds anything."""
    target = to.expanduser().resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{to} is there already and not empty; name a new folder.")
    return _write(target)


def _write(target: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        (target / folder).mkdir(parents=True, exist_ok=True)
    with as_file(files("interoffice") / "starter_project") as source:
        for path in sorted(source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(source)
                written = target / ("." + name.name[4:] if name.name.startswith("dot_") else name)
                written.parent.mkdir(parents=True, exist_ok=True)
                written.write_bytes(path.read_bytes())
                yield written
