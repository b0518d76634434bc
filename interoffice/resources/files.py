"""The files a bot may touch: below the roots of settings.yaml, and the run's own folder.

A path is resolved first (`..`, symbolic links, absolute paths), then asked whether it is inside. What a run has read or
written is kept under its digest, so that it stays what it was when the file itself is changed later.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NoReturn

from interoffice.errors import ApplicationError, BusinessError, ProjectError
from interoffice.model.values import FileValue

_PIECE_BYTES: Final = 1 << 20
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]')
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,8}")


class FileRoots:
    """The files of one run: what bots see as `ctx.files`. Files of the run's own folder are readable too."""

    def __init__(
        self,
        *,
        project: Path,
        read: Sequence[str],
        write: Sequence[str],
        run_folder: Path,
        largest_bytes: int = 50_000_000,
    ) -> None:
        self.project = project.resolve()
        self.read_roots, self.write_roots = tuple(read), tuple(write)
        self.run_folder = run_folder.resolve()
        self.kept = self.run_folder / "files"
        self.largest_bytes = largest_bytes

    def find(self, path: str) -> FileValue:
        """An existing file below a read root."""
        return self.held(self.readable(path))

    def readable(self, file: FileValue | str) -> Path:
        """Where to read it. A file value whose file has changed since is read from what the run kept of it."""
        if isinstance(file, FileValue):
            return self._readable_value(file)
        place = self._inside(file, (*self.read_roots, *self.write_roots), "read")
        self._refuse_unreadable(place, file)
        return place

    def original(self, file: FileValue) -> Path:
        """Where the file itself stands, unchanged since the run took it; BusinessError where it doesn't."""
        place = (self.project / file.path).resolve()
        if not self._is_below(place, (*self.read_roots, *self.write_roots)):
            self._refuse(file.path, "move", (*self.read_roots, *self.write_roots))
        if not place.is_file():
            raise BusinessError(f"{file.name} is no longer at {file.path}; put it back", code="file_missing")
        if digest_of(place)[0] != file.sha256:
            self._refuse_changed(file)
        return place

    def writable(self, path: str) -> Path:
        """Where a bot may write; its folder is made."""
        place = self._inside(path, self.write_roots, "write")
        if place.is_dir():
            raise BusinessError(f"{path} is a folder; name a file in it", code="file_refused")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ApplicationError(f"the folder of {path} can't be made: {error.strerror}", code="file_not_written",
                                   transient=False) from error  # fmt: skip
        return place

    def listed(self, folder: str) -> tuple[Path, ...]:
        """The files that stand directly in a folder below a read root, by name; links out of the roots left out."""
        place = self._inside(folder, (*self.read_roots, *self.write_roots), "read")
        if not place.is_dir():
            raise BusinessError(
                f"there is no folder {folder}; make it or correct the step's `folder`", code="folder_missing"
            )
        found = []
        for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
            if entry.is_file() and entry.resolve().is_relative_to(place):
                found.append(entry)
        return tuple(found)

    def keep(self, path: Path, name: str) -> FileValue:
        """A copy in the run's folder under its digest; `name` is only what people call it."""
        digest, size_bytes = digest_of(path)
        place = self._kept_place(digest, name)
        if not place.exists():
            _copy_durably(path, place)
        return FileValue(path=self._told(place), name=safe_name(name), sha256=digest, size_bytes=size_bytes)

    def keep_bytes(self, content: bytes, name: str) -> FileValue:
        """The same for bytes in memory (an attachment, a rendered mail)."""
        digest = hashlib.sha256(content).hexdigest()
        place = self._kept_place(digest, name)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_durably(place, content)
        return FileValue(path=self._told(place), name=safe_name(name), sha256=digest, size_bytes=len(content))

    def held(self, path: Path) -> FileValue:
        """The value of a file that stands where it is."""
        digest, size_bytes = digest_of(path)
        return FileValue(path=self._told(path), name=path.name, sha256=digest, size_bytes=size_bytes)

    def _readable_value(self, file: FileValue) -> Path:
        place = (self.project / file.path).resolve()
        allowed = self._is_below(place, (*self.read_roots, *self.write_roots)) or place.is_relative_to(self.run_folder)
        if allowed and place.is_file() and digest_of(place)[0] == file.sha256:
            self._refuse_big(place, file.name)
            return place
        kept = self._kept_place(file.sha256, file.name)
        if kept.is_file() and digest_of(kept)[0] == file.sha256:
            return kept
        if not allowed:
            self._refuse(file.path, "read", (*self.read_roots, *self.write_roots))
        if not place.exists():
            raise BusinessError(f"{file.name} is no longer at {file.path}; put it back", code="file_missing")
        self._refuse_changed(file)

    def _refuse_changed(self, file: FileValue) -> NoReturn:
        raise BusinessError(
            f"{file.name} at {file.path} was changed since the run took it; start a new run", code="file_changed"
        )

    def _inside(self, path: str, roots: Sequence[str], act: str) -> Path:
        if not path.strip() or _CONTROL.search(path):
            raise BusinessError(f"{path!r} is no path of a file", code="file_refused")
        try:
            place = (self.project / path).resolve()
        except (OSError, RuntimeError) as error:  # a circle of links
            raise BusinessError(f"{path} can't be followed: {error}", code="file_refused") from error
        if not self._is_below(place, roots):
            self._refuse(path, act, roots)
        return place

    def _is_below(self, place: Path, roots: Sequence[str]) -> bool:
        return any(place.is_relative_to((self.project / root).resolve()) for root in roots)

    def _refuse(self, path: str, act: str, roots: Sequence[str]) -> NoReturn:
        below = ", ".join(dict.fromkeys(roots)) or "nowhere"
        raise BusinessError(
            f"{path} is outside of what bots may {act}: {below} (settings.yaml, files.roots)", code="file_refused"
        )

    def _refuse_unreadable(self, place: Path, path: str) -> None:
        if not place.exists():
            near = f"; the folder has {_some_names(place.parent)}" if place.parent.is_dir() else ""
            raise BusinessError(f"there is no file {path}{near}; put it there and run again", code="file_missing")
        if not place.is_file():
            raise BusinessError(f"{path} is no file; name a file", code="file_refused")
        if not os.access(place, os.R_OK):
            raise ProjectError(f"{path} may not be read by this user; give it the right to")
        self._refuse_big(place, path)

    def _refuse_big(self, place: Path, name: str) -> None:
        size = place.stat().st_size
        if size > self.largest_bytes:
            raise BusinessError(
                f"{name} has {size / 1_000_000:.1f} MB, more than {self.largest_bytes / 1_000_000:g} MB "
                "(settings.yaml, files.largest)",
                code="file_refused",
            )

    def _kept_place(self, digest: str, name: str) -> Path:
        suffix = PurePosixPath(safe_name(name)).suffix
        return self.kept / f"{digest}{suffix.lower() if _SUFFIX.fullmatch(suffix) else ''}"

    def _told(self, place: Path) -> str:
        resolved = place.resolve()
        if resolved.is_relative_to(self.project):
            return resolved.relative_to(self.project).as_posix()
        return str(resolved)


def safe_name(name: str) -> str:
    """A name from outside as a bare file name: no path, no control or turning signs, never hidden, at most 120 long."""
    bare = _UNSAFE.sub("_", re.split(r"[/\\]", name.strip())[-1]).strip(" .")
    if len(bare) > 120:
        stem, dot, suffix = bare.rpartition(".")
        bare = f"{stem[: 119 - len(suffix)]}{dot}{suffix}" if dot and len(suffix) <= 8 else bare[:120]
    return bare or "unnamed"


def digest_of(path: Path) -> tuple[str, int]:
    """sha256 and size of a file's content."""
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size_bytes += len(piece)
    return digest.hexdigest(), size_bytes


def write_durably(place: Path, content: bytes) -> None:
    """The bytes at this place: written aside, synced, renamed. What stood there stands there until then."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".writing-", suffix=place.suffix)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(aside, place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def put_in_place(aside: Path, place: Path) -> None:
    """Rename a synced file over its place, and make the rename durable."""
    os.replace(aside, place)
    sync_folder(place.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable (Windows does so itself)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy_durably(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".keeping-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as target, path.open("rb") as source:
            shutil.copyfileobj(source, target, _PIECE_BYTES)
            target.flush()
            os.fsync(target.fileno())
        put_in_place(aside, place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _some_names(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return f"{', '.join(names[:5])}{' and more' if len(names) > 5 else ''}" if names else "no files"
