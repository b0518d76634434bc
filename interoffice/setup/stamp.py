"""What .venv was prepared for. Read at every start, so it imports next to nothing."""

from __future__ import annotations

import hashlib
import os

LOCK_FILES = ("requirements/build.txt", "requirements/all.txt")
STAMP = "interoffice.stamp"
UNFINISHED = "interoffice.unfinished"
"""Stands in .venv while set-up works on it; what it leaves behind after a kill is made anew."""


def environment_folder(project: str) -> str:
    """The environment of a project folder."""
    return os.path.join(project, ".venv")


def interpreter(project: str) -> str:
    """The Python of the environment, whether it exists or not."""
    place = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(environment_folder(project), *place)


def lock_digest(project: str) -> str:
    """The digest of the lock files. OSError: a lock file can't be read."""
    digest = hashlib.sha256()
    for name in LOCK_FILES:
        with open(os.path.join(project, *name.split("/")), "rb") as file:
            digest.update(file.read())
        digest.update(b"\0")
    return digest.hexdigest()


def expected_stamp(project: str) -> list[str]:
    """The lines that a stamp must begin with: the lock, the Python behind .venv, and where the project stands."""
    return [
        f"lock {lock_digest(project)}",
        f"python {os.path.realpath(interpreter(project))}",
        f"project {os.path.realpath(project)}",
    ]


def read_stamp(project: str) -> list[str]:
    """The lines of the stamp; empty where there is none."""
    try:
        with open(os.path.join(environment_folder(project), STAMP), encoding="utf-8") as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def is_prepared(project: str) -> bool:
    """Whether .venv is what the lock files ask for, finished, and made for this folder."""
    stamp = read_stamp(project)
    return bool(stamp) and stamp[:3] == expected_stamp(project)


def write_stamp(project: str, packages: list[str]) -> None:
    """The last act of set-up: whole or not there at all. `packages` are the locked names, to see later what left."""
    target = os.path.join(environment_folder(project), STAMP)
    with open(target + ".new", "w", encoding="utf-8") as file:
        file.write("\n".join([*expected_stamp(project), "packages " + " ".join(packages)]) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(target + ".new", target)
