"""Small files that only their owner may read: written whole or not at all, one writer at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interoffice.errors import ProjectError

WAIT_FOR_WRITER_S = 30.0


def config_folder() -> Path:
    """The user's own folder for keys, outside every project. INTEROFFICE_CONFIG names another."""
    named = os.environ.get("INTEROFFICE_CONFIG")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "interoffice"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "interoffice"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "interoffice"


def write_private(path: Path, data: bytes) -> None:
    """Replace the file's content, mode 0600, durable before it counts."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
        sync_folder(path.parent)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder durable; Windows does that by itself."""
    if sys.platform != "win32":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def private_folder(path: Path) -> Path:
    """The folder, made for its owner alone where it was not there."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def refuse_if_shared(path: Path) -> None:
    """ProjectError where others than the owner may read the file."""
    if sys.platform != "win32" and path.stat().st_mode & 0o077:
        raise ProjectError(f"{path} can be read by other users of this machine: chmod 600 {path}")


def key(name: str, size: int = 32) -> bytes:
    """A random key of this user, made when it is first asked for."""
    path = config_folder() / name
    try:
        private_folder(path.parent)
        with one_writer(path):
            if not path.exists():
                write_private(path, os.urandom(size))
        refuse_if_shared(path)
        content = path.read_bytes()
    except OSError as error:
        raise ProjectError(
            f"The key file {path} can't be used ({error.strerror}): make {path.parent} yours, or name another folder "
            "in INTEROFFICE_CONFIG."
        ) from error
    if len(content) != size:
        raise ProjectError(
            f"The key file {path} is damaged ({len(content)} bytes, not {size}): restore it from a backup."
        )
    return content


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Hold the lock beside a file; other processes wait. It is given up when the process ends, however it ends."""
    number = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + WAIT_FOR_WRITER_S
        while not taken(number):
            if time.monotonic() > deadline:
                raise ProjectError(f"Another process has been writing {path} for {WAIT_FOR_WRITER_S:.0f} s: end it.")
            time.sleep(0.02)
        yield
    finally:
        os.close(number)


def taken(number: int) -> bool:
    """Whether the lock of an open file was free and is ours now. OSError: this file system has no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
