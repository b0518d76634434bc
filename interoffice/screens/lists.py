"""Lists: searched with what is asked for, answered for sure, read over all pages."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from interoffice.errors import ApplicationError
from interoffice.model.selectors import Element, Screen
from interoffice.model.values import Value
from interoffice.screens.filling import make_form
from interoffice.screens.finding import Place
from interoffice.screens.formats import Field, Unreadable, field_of_column, shown
from interoffice.screens.lines import column_spec
from interoffice.screens.page import PageReplaced
from interoffice.screens.session import Session
from interoffice.screens.sight import Sight

Rows = list[dict[str, Value]]


@dataclass(frozen=True, kw_only=True, slots=True)
class GridPage:
    """The rows of one page, and a fingerprint that changes with them."""

    rows: Rows
    document: str
    asked: int
    print: str


class NoAnswer(ApplicationError):
    """A search was pressed and nothing shows that the application answered it."""

    default_code = "no_answer_seen"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListReader:
    """A screen's one grid, and the columns that are wanted of it."""

    session: Session
    screen: Screen
    place: Place
    fields: Mapping[str, Field]

    @property
    def grid(self) -> Element:
        """The grid's element."""
        return self.place.element

    # searching

    def search(self, by: Mapping[str, Value]) -> None:
        """Fills the search fields, reads them back, presses search, and sees an answer. NoAnswer."""
        session, screen = self.session, self.screen
        form = make_form(session, screen, fields=by)
        form.fill()
        form.make_right()
        session.searched |= set(by)
        before = self.read_page()
        if screen.search == "enter":
            self._press_enter([meant.place for meant in form.values])
        elif screen.search is not None:
            session.press(screen, screen.search)
        elif by:
            raise ApplicationError(f"{session.here} has no `search`", transient=False)
        else:
            return
        self._see_answer(before)
        session.settle()

    def _press_enter(self, places: Sequence[Place]) -> None:
        if self.screen.commits:
            raise ApplicationError(f"Enter in {self.session.here} could commit, so it is not pressed", transient=False)
        if places:
            self.session.web.call("focusOn", {"spec": places[-1].asked()}, places[-1].frames)
        self.session.web.press_keys(["enter"])

    def _see_answer(self, before: GridPage) -> None:
        """Waits until a request ended, a page was loaded or the grid changed since the press."""
        session = self.session
        deadline = time.monotonic() + session.patience_s
        sight = session.look([self.place])
        while True:
            movement = sight.movement
            calm = movement.is_there and not movement.in_flight and movement.loaded == "complete"
            if calm and (movement.document != before.document or movement.asked > before.asked):
                return
            if calm and session.unrest(sight) == "" and self.read_page().print != before.print:
                return
            session.refuse_broken(sight)
            if time.monotonic() > deadline:
                raise NoAnswer(f"{session.here} did not answer the search")
            sight = session.look([self.place], since=movement.moves)

    # reading

    def read_page(self) -> GridPage:
        """The rows that the grid shows now."""
        grid = self.grid.grid
        assert grid is not None
        columns = [column_spec(grid.columns[name]) for name in self.fields]
        asked = {"spec": self.place.asked(), "columns": columns, "cells_by": grid.cells_by}
        deadline = time.monotonic() + self.session.patience_s
        while True:
            try:
                said = self.session.web.call("grid", asked, self.place.frames)
            except PageReplaced:
                said = None
            if said is not None and said["grid"] is not None and not said["grid"]["missing"]:
                break
            if time.monotonic() > deadline:
                self._refuse(said)
            sight = self.session.look([self.place])
            self.session.refuse_broken(sight)
            self.session.look([self.place], since=sight.movement.moves)
        rows = [self._row(cells) for cells in said["grid"]["rows"]]
        print_ = repr(said["grid"]["rows"])
        return GridPage(rows=rows, document=said["document"], asked=said["asked"], print=print_)

    def _refuse(self, said: Any) -> None:
        name = f'"{self.grid.name}" of {self.session.here}'
        if said is None:
            raise ApplicationError(f"{name} is on a page that keeps being replaced")
        if said["grid"] is None:
            from interoffice.screens.sight import why_not

            raise ApplicationError(f"{name} {why_not(said['state'], self.place)}", code="not_found")
        missing, there = ", ".join(said["grid"]["missing"]), ", ".join(said["grid"]["shown"]) or "none"
        message = f"{name} has no column {missing}; it shows {there}"
        raise ApplicationError(message, code="not_found", transient=False)

    def _row(self, cells: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
        try:
            return {name: shown(cell, field) for cell, (name, field) in zip(cells, self.fields.items(), strict=True)}
        except Unreadable as error:
            message = f'a row of "{self.grid.name}" of {self.session.here} can\'t be read: {error}'
            raise ApplicationError(message, code="not_readable", transient=False) from None

    def read_all(self, *, max_pages: int | None = None) -> Rows:
        """The rows of all pages. ApplicationError when it isn't sure that these are all of them."""
        grid = self.grid.grid
        assert grid is not None
        most = max_pages or grid.max_pages or 1000
        page = self._first_page()
        rows = list(page.rows)
        pages = 1
        while self._has_next():
            if pages >= most:
                raise ApplicationError(
                    f"{self.session.here} has more than {most} pages; narrow the search or raise max_pages",
                    code="too_many_pages", transient=False,
                )  # fmt: skip
            page = self._next_page(page)
            rows += page.rows
            pages += 1
        self._refuse_incomplete(rows)
        return rows

    def _first_page(self) -> GridPage:
        """The first page, once it shows as many rows as the count says, or there are further pages."""
        deadline = time.monotonic() + self.session.patience_s
        while True:
            sight = self._settled()
            page = self.read_page()
            count = self._count(sight)
            if count is None or count == len(page.rows) or self._next_enabled(sight):
                return page
            if time.monotonic() > deadline:
                return page
            self.session.look([self.place], since=sight.movement.moves)

    def _settled(self) -> Sight:
        return self.session.settle(self._watched())

    def _watched(self) -> list[Place]:
        grid = self.grid.grid
        assert grid is not None
        names = [name for name in (grid.count, grid.next_page) if name is not None]
        places = [self.place, *self.session.finder.places(self.screen, names)]
        if grid.empty_when is not None:
            places += self.session.condition(self.screen, grid.empty_when).places.values()
        return places

    def _count(self, sight: Sight) -> int | None:
        """What the screen says how many there are; None where it says nothing."""
        grid = self.grid.grid
        if grid is None or grid.count is None:
            return None
        value = sight.state(self.session.finder.place(self.screen, grid.count)).value
        return int(value) if isinstance(value, Decimal) else None

    def _next_enabled(self, sight: Sight) -> bool:
        grid = self.grid.grid
        if grid is None or grid.next_page is None:
            return False
        return sight.state(self.session.finder.place(self.screen, grid.next_page)).is_enabled

    def _has_next(self) -> bool:
        return self._next_enabled(self.session.look(self._watched()))

    def _next_page(self, before: GridPage) -> GridPage:
        grid = self.grid.grid
        assert grid is not None and grid.next_page is not None
        self.session.has_paged = True
        self.session.press(self.screen, grid.next_page)
        self._see_answer(before)
        self._settled()
        page = self.read_page()
        if page.print == before.print and page.rows:
            raise ApplicationError(f'"{grid.next_page}" of {self.session.here} shows the same page again')
        return page

    def _refuse_incomplete(self, rows: Rows) -> None:
        grid = self.grid.grid
        assert grid is not None
        sight = self._settled()
        count = self._count(sight)
        here = f'"{self.grid.name}" of {self.session.here}'
        if grid.count is not None and count != len(rows):
            shown_count = "no number" if count is None else str(count)
            message = f'{here} was read with {len(rows)} rows, but "{grid.count}" says {shown_count}'
            raise ApplicationError(message, code="incomplete")
        if grid.key and set(grid.key) <= set(self.fields):
            keys = [tuple(row[name] for name in grid.key) for row in rows]
            if len(set(keys)) != len(keys):
                message = f"{here} shows a row twice: it changed while its pages were read"
                raise ApplicationError(message, code="changed")
        if not rows and grid.empty_when is not None:
            empty = self.session.condition(self.screen, grid.empty_when)
            if not self.session.holds(empty, sight):
                why = self.session.explain(empty, sight)
                raise ApplicationError(f"{here} shows no rows, yet nothing proves it empty: {why}", code="not_proven")


def list_reader(session: Session, screen: Screen, names: Sequence[str] = ()) -> ListReader:
    """The reader of a screen's one grid; `names` are the columns wanted, all of them when none is named."""
    grids = screen.grids
    where = f"{session.application.key}.{screen.name}"
    if len(grids) != 1 or grids[0].grid is None:
        raise ApplicationError(f"{where} has {len(grids)} grids; a list has one", transient=False)
    columns = grids[0].grid.columns
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise ApplicationError(f"the list of {where} has no column {', '.join(unknown)}", transient=False)
    wanted = list(dict.fromkeys([*(names or columns), *(key for key in grids[0].grid.key if key in columns)]))
    formats = session.application.formats
    fields = {name: field_of_column(columns[name], formats) for name in wanted}
    return ListReader(session=session, screen=screen, place=session.finder.place(screen, grids[0].name), fields=fields)
