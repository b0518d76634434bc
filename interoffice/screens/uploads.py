"""Files given to a screen: chosen, and read back by name and size."""

from __future__ import annotations

import mimetypes
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Error, FilePayload

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.selectors import Screen
from interoffice.model.values import FileValue
from interoffice.screens.finding import Place
from interoffice.screens.session import Session
from interoffice.screens.sight import Sight

BIGGEST_GIVEN_BYTES: Final = 40_000_000
"""Up to here the page gets the bytes themselves; the browser's driver takes no more than 50 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that belongs into a place."""

    place: Place
    file: FileValue
    path: Path

    @classmethod
    def of(cls, session: Session, place: Place, file: FileValue) -> Upload:
        """The upload; BusinessError when the screen does not take such a file."""
        element = place.element
        ending = file.name.rpartition(".")[2].lower()
        if element.accepts and ending not in element.accepts:
            takes = ", ".join(element.accepts)
            raise BusinessError(f'"{element.name}" takes {takes}, not {file.name}', code="value_not_possible")
        return cls(place=place, file=file, path=session.readable(file))

    def stands(self, sight: Sight) -> bool:
        """Whether the page holds it."""
        files = sight.state(self.place).said.get("reading", {}).get("files", [])
        return [tuple(each) for each in files] == [(self.file.name, self.file.size_bytes)]

    def found(self, sight: Sight) -> str:
        """What the page holds."""
        files = sight.state(self.place).said.get("reading", {}).get("files", [])
        return ", ".join(f"{name} ({size} bytes)" for name, size in files)

    def refuse_wrong(self, sight: Sight, here: str) -> None:
        """ApplicationError when the page does not hold it."""
        if not self.stands(sight):
            found = self.found(sight) or "nothing"
            message = f'"{self.place.element.name}" of {here} holds {found}, meant was {self.file.name}'
            raise ApplicationError(message, code="not_kept")


def _given(session: Session, upload: Upload) -> FilePayload | Path:
    """The file's bytes under its own name; a big one as a path, and then its name must be the file's."""
    if upload.file.size_bytes < BIGGEST_GIVEN_BYTES:
        type = mimetypes.guess_type(upload.file.name)[0] or "application/octet-stream"
        return {"name": upload.file.name, "mimeType": type, "buffer": upload.path.read_bytes()}
    session.web.holds_big_file = True
    if upload.path.name == upload.file.name:
        return upload.path
    folder = Path(tempfile.mkdtemp(prefix="interoffice-"))
    return Path(shutil.copy2(upload.path, folder / upload.file.name))


def attach_file(session: Session, screen: Screen, upload: Upload) -> None:
    """Gives a file to the page under its own name, and reads it back."""
    session.press_behind(screen, upload.place)
    handle = session.web.handle(upload.place)
    if handle is None:
        state = session.look([upload.place]).state(upload.place)
        raise ApplicationError(f'"{upload.place.element.name}" of {session.here} {state.why_not}')
    try:
        handle.set_input_files(_given(session, upload))
    except Error as error:
        first = str(error).splitlines()[0]
        message = f'"{upload.place.element.name}" of {session.here} takes no file: {first}'
        raise ApplicationError(message, code="not_typed") from error
    sight = session.settle([upload.place])
    upload.refuse_wrong(sight, session.here)
