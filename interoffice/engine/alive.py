"""Who lives: every engine process, and every lane process, holds a lock on a file of its own that dies with it.

An engine is proven dead only when its own lock and those of all its lanes are free: a lane that outlives its engine for
a moment may still be pressing Save. A lock of another host can't be asked, so its engine counts as alive.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import IO


class LifeLock:
    """A lock on a file, held from its making until the process ends or `release` is called."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = _locked(path)

    def release(self) -> None:
        """Frees the lock and takes the file away."""
        self.path.unlink(missing_ok=True)
        self._file.close()


class Seat:
    """One of the places that an application has for sessions. It dies with the process that has it."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file

    def give_up(self) -> None:
        """Another may have it."""
        self._path.unlink(missing_ok=True)
        self._file.close()


class LifeLocks:
    """The folder of all locks. `host` is this machine's name, part of every engine's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = (socket.gethostname().partition(".")[0] or "localhost").replace("-", "_")

    def engine(self, engine_id: str) -> LifeLock:
        """The lock of an engine, held by the caller."""
        return LifeLock(self.folder / f"{engine_id}.lock")

    def lane(self, engine_id: str, lane: str) -> Path:
        """Where a lane of the engine keeps its lock; the lane itself takes it."""
        return self.folder / f"{engine_id}.lane-{lane}.lock"

    def seat(self, name: str, holder: str) -> Seat | None:
        """A seat of this name, held until it is given up or this process ends; None when another has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"seat-{name}.lock"
        file = _try_locked(path)
        if file is None:
            return None
        file.truncate(0)
        file.write(holder.encode())
        file.flush()
        return Seat(path, file)

    def seat_holder(self, name: str) -> str:
        """Who has a seat, as it said when it took it."""
        try:
            return (self.folder / f"seat-{name}.lock").read_text(encoding="utf-8")
        except OSError:
            return ""

    def is_dead(self, engine_id: str) -> bool:
        """True only when it is proven: no process of the engine lives. Another host's engine is never proven dead."""
        if engine_id.partition("-")[0] != self.host:
            return False
        return all(_is_free(path) for path in self._of(engine_id))

    def sweep(self) -> None:
        """Takes away the files of the dead."""
        for path in self.folder.glob("*.lock"):
            if _is_free(path):
                path.unlink(missing_ok=True)

    def _of(self, engine_id: str) -> list[Path]:
        return [self.folder / f"{engine_id}.lock", *self.folder.glob(f"{engine_id}.lane-*.lock")]


def _locked(path: Path) -> IO[bytes]:
    """The file, locked. One who asks whether we live may hold the lock for a moment, or take the unlocked file away."""
    for _ in range(200):
        file = _try_locked(path)
        if file is not None:
            return file
        time.sleep(0.005)
    raise RuntimeError(f"{path} is locked by another process")


def _try_locked(path: Path) -> IO[bytes] | None:
    """The file, locked, and still the one that stands there; None when another holds it, or took it away just now."""
    file = open(path, "a+b")  # noqa: SIM115 - held open on purpose, for as long as the process lives
    if _lock(file) and path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
        return file
    file.close()
    return None


def new_engine_id(host: str) -> str:
    """An id for an engine process: its host, its pid, and four letters, since pids come again."""
    return f"{host}-{os.getpid()}-{os.urandom(3).hex()}"


def _is_free(path: Path) -> bool:
    try:
        with open(path, "r+b") as file:
            return _lock(file)
    except FileNotFoundError:
        return True
    except OSError:
        return False


if os.name == "nt":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
