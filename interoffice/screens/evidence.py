"""Evidence of what was done on a screen: pictures, and what was typed and read; secrets are black before writing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error

from interoffice.errors import ApplicationError
from interoffice.model.formats import format_value
from interoffice.model.selectors import Screen
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.screens.finding import Place, Spec
from interoffice.screens.lines import column_spec
from interoffice.screens.page import PageReplaced
from interoffice.screens.session import Session
from interoffice.screens.tracing import end_trace


@dataclass(kw_only=True)
class Evidence:
    """Where pictures and records go. `is_full`: before and after each commit too, not only at a failure."""

    folder: Path
    is_full: bool = True
    _count: int = field(default=0)

    def picture(self, session: Session, what: str, *, at_failure: bool = False) -> str | None:
        """The file name of a picture of the page, sensitive elements black; None when none is wanted or possible."""
        if not (self.is_full or at_failure):
            return None
        path = self._next(session, what, "jpg")
        if session.environment.kind == "desktop":
            return _picture_of_window(session, path)
        page, hidden = session.web.page, hidden_by_frames(session)
        try:
            for frames, specs in hidden.items():
                session.web.call("cover", {"specs": specs}, frames)
            page.screenshot(path=path, type="jpeg", quality=70, timeout=5000, animations="allow", caret="initial")
        except (Error, PageReplaced, ApplicationError):
            path.unlink(missing_ok=True)
            return None
        finally:
            for frames in hidden:
                _quietly(session, frames)
        return path.name

    def record(self, session: Session, what: str, said: Mapping[str, Any]) -> str:
        """The file name of what was typed and read back, per field."""
        path = self._next(session, what, "json")
        path.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
        return path.name

    def page_copy(self, session: Session, what: str) -> str | None:
        """The file name of the page's DOM, without scripts and without the values of its fields."""
        if session.environment.kind == "desktop":
            return None
        path = self._next(session, what, "html")
        try:
            text = session.web.call("copy", {"specs": hidden_by_frames(session).get((), [])})
        except (Error, PageReplaced, ApplicationError):
            path.unlink(missing_ok=True)
            return None
        path.write_text(text, encoding="utf-8")
        return path.name

    def trace(self, session: Session, secrets: Iterable[str]) -> str | None:
        """The file name of the trace of what failed again, cleaned; None where it can't be cleaned."""
        path = self._next(session, "trace", "zip")
        try:
            shown: list[str] | None = [
                str(text)
                for frames, specs in hidden_by_frames(session).items()
                for text in session.web.call("hiddenTexts", {"specs": specs}, frames)
            ]
        except (Error, PageReplaced, ApplicationError):
            shown = None
        hidden = [*secrets, *session.hidden, *(shown or ())]
        kept = end_trace(session.web.page, path if shown is not None else None, hidden=hidden)
        if not kept:
            path.unlink(missing_ok=True)
        return path.name if kept else None

    def _next(self, session: Session, what: str, ending: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = session.screen.name if session.screen else "page"
        while True:
            self._count += 1
            path = self.folder / f"{self._count:04}-{session.application.key}-{name}-{what}.{ending}"
            with contextlib.suppress(FileExistsError):
                path.touch(exist_ok=False)
                return path


def _picture_of_window(session: Session, path: Path) -> str | None:
    try:
        window: Any = session.web
        window.take_picture(path, [spec for specs in hidden_by_frames(session).values() for spec in specs])
    except (ApplicationError, OSError):
        path.unlink(missing_ok=True)
        return None
    return path.name


def hidden_by_frames(session: Session) -> dict[tuple[str, ...], list[Spec]]:
    """What no picture may show, by frame: the questions for its elements, with the grid columns among them."""
    found: dict[tuple[str, ...], list[Spec]] = {}
    for place in [*hidden_places(session, None), *hidden_places(session, session.screen)]:
        spec = place.asked() if place.element.sensitive else {**place.asked(), **_hidden_columns(session, place)}
        found.setdefault(place.frames, []).append(spec)
    return found


def hidden_values(
    session: Session, screen: Screen, fields: Mapping[str, Value], lines: Mapping[str, Table]
) -> set[str]:
    """What will be typed and nobody may see, as text."""
    hidden = {
        format_value(value)
        for name, value in fields.items()
        if value is not None and session.finder.place(screen, name).element.sensitive
    }
    for name, table in lines.items():
        place = session.finder.place(screen, name)
        columns = [column["name"] for column in _hidden_columns(session, place)["columns"]]
        for column in table.columns if place.element.sensitive else columns:
            hidden |= {format_value(value) for value in table.column(column) if value is not None}
    return hidden


def hidden_places(session: Session, screen: Screen | None) -> Iterable[Place]:
    """The sensitive elements of a screen, those inside a one-to-many too, and grids with a sensitive column."""
    elements = screen.elements if screen is not None else session.application.elements
    for name, element in elements.items():
        inner = element.many.elements if element.many is not None else {}
        for path in (name, *(f"{name}.{each}" for each in inner)):
            place = session.finder.place(screen, path)
            if place.element.sensitive or _hidden_columns(session, place)["columns"]:
                yield place


def _hidden_columns(session: Session, place: Place) -> Spec:
    grid = place.element.grid
    columns = grid.columns.values() if grid is not None else ()
    hidden = [column for column in columns if column.sensitive or column.name in session.finder.masked]
    return {"columns": [column_spec(column) for column in hidden], "cells_by": grid.cells_by if grid else None}


def _quietly(session: Session, frames: tuple[str, ...]) -> None:
    try:
        session.web.call("uncover", None, frames)
    except (Error, PageReplaced, ApplicationError):
        return
