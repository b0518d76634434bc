"""The programs that Interoffice is measured beside, in an environment of their own.

Their packages want other versions of what Interoffice uses, so they live in benchmarks/.venv, made from
requirements/bench.txt (with hashes) when it is first asked for.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
LOCK = PROJECT / "requirements" / "bench.txt"
FOLDER = PROJECT / "benchmarks" / ".venv"


def peer(program: str) -> str:
    """The full name of a peer's program, e.g. robot, prefect or python; installs the peers first where needed."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = FOLDER / "stamp"
    if not stamp.exists() or stamp.read_text() != digest:
        install()
        stamp.write_text(digest)
    return str(FOLDER / ("Scripts" if os.name == "nt" else "bin") / program)


def install() -> None:
    """A new environment with the locked peers."""
    print("Installing Robot Framework and Prefect into benchmarks/.venv (once)", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
    python = FOLDER / ("Scripts" if os.name == "nt" else "bin") / "python"
    words = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    command = [str(python), "-m", "pip", *words, "--requirement", str(LOCK)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode != 0:
        sys.exit(f"The peers could not be installed:\n{ended.stdout}")
