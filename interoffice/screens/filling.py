"""Filling a form: all plain fields in one call, read back in the same breath and again when the page is quiet; what did
not stay is typed alone. Relations, one-to-many, grids and files go one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from interoffice.errors import BusinessError
from interoffice.model.selectors import Screen
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value
from interoffice.screens.fields import TRIES, Meant, did_not_stay, fill_alone, type_group
from interoffice.screens.finding import Place, Press
from interoffice.screens.formats import for_people
from interoffice.screens.lines import Lines, type_lines
from interoffice.screens.many import Rows, type_rows
from interoffice.screens.session import Session
from interoffice.screens.sight import Sight
from interoffice.screens.uploads import Upload, attach_file


@dataclass(kw_only=True)
class Form:
    """What belongs into one screen; turned into what is typed before anything is."""

    session: Session
    screen: Screen
    values: list[Meant] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    files: list[Upload] = field(default_factory=list)

    @property
    def standing(self) -> list[Meant]:
        """The values that the filled form shows: its own, and those of a one-to-many with a single row in sight."""
        return [*self.values, *(meant for rows in self.rows for meant in rows.standing)]

    @property
    def places(self) -> list[Place]:
        """Where values and files go."""
        return [*(meant.place for meant in self.standing), *(upload.place for upload in self.files)]

    # filling

    def fill(self) -> None:
        """Types everything and reads it back. ApplicationError naming field, meant and found."""
        popups = self.session.popups_pressed
        plain = [meant for meant in self.values if meant.is_plain]
        if plain:
            self._fill_plain(plain)
        for meant in self.values:
            if not meant.is_plain:
                fill_alone(self.session, self.screen, meant)
        for rows in self.rows:
            type_rows(self.session, self.screen, rows)
        for upload in self.files:
            attach_file(self.session, self.screen, upload)
        for lines in self.lines:
            type_lines(self.session, self.screen, lines)
        if self.session.popups_pressed != popups or self.rows or not all(meant.is_plain for meant in self.values):
            self.make_right()

    def _fill_plain(self, plain: list[Meant]) -> None:
        places = [meant.place for meant in self.values]
        if self._wants_care:
            for meant in plain:
                fill_alone(self.session, self.screen, meant, places)
            return
        groups = _groups(plain)
        for group in groups[:-1]:
            type_group(self.session, self.screen, group)
        every = [*places, *self.session.watch.places]
        beside = None if any(place.frames for place in every) else every
        seen = type_group(self.session, self.screen, groups[-1], beside=beside)
        sight = self.session.settle(places, seen=seen)
        self.session.note_drift(sight, (meant.place for meant in plain))
        wiped = [meant for meant in plain if not meant.stands(sight)]
        if wiped:
            self._remember_care(wiped)
            for meant in wiped:
                fill_alone(self.session, self.screen, meant, places)

    @property
    def _wants_care(self) -> bool:
        return self.screen.fill == "one by one" or self.screen.name in self.session.needs_care

    def _remember_care(self, wiped: list[Meant]) -> None:
        self.session.needs_care.add(self.screen.name)
        names = [meant.place.element.name for meant in wiped]
        self.session.say("values_did_not_stay", screen=self.session.here, elements=names)

    # reading back

    def make_right(self, places: Iterable[Place] = (), *, press: Press | None = None) -> Sight:
        """The whole form read once more, what is wrong typed again; the sight in which all of it is right.

        `places` are looked at in the same sight; `press` is aimed at in it.
        """
        every = [*self.places, *places]
        for _ in range(TRIES):
            sight = self.session.settle(every, press=press)
            wrong = [meant for meant in self.standing if not meant.stands(sight)]
            if not wrong:
                break
            self._remember_care(wrong)
            for meant in wrong:
                fill_alone(self.session, self.screen, meant)
        else:
            sight = self.session.settle(every, press=press)
        self.refuse_wrong(sight)
        return sight

    def refuse_wrong(self, sight: Sight) -> None:
        """ApplicationError when the page does not show all that was meant."""
        for meant in self.standing:
            if not meant.stands(sight):
                raise did_not_stay(self.session, meant, sight)
        for upload in self.files:
            upload.refuse_wrong(sight, self.session.here)
        for lines in self.lines:
            lines.refuse_wrong(self.session)

    def wiped(self) -> list[str]:
        """Fields that the page emptied after they were read back, while others still stand: the application saw a form
        that nobody meant."""
        sight = self.session.look(meant.place for meant in self.values)
        states = [(meant, sight.state(meant.place)) for meant in self.values]
        if not all(state.is_found for _, state in states) or not any(meant.stands(sight) for meant, _ in states):
            return []
        return [
            meant.place.element.name
            for meant, state in states
            if not meant.stands(sight) and state.text == "" and meant.value not in (None, "")
        ]

    def refuse_stored(self, sight: Sight) -> None:
        """ApplicationError when what the page shows after a commit is not what was meant.

        Rows of a one-to-many, once stored, are often shown as a list: they are compared where they can still be read.
        """
        for meant in self.standing:
            is_own = meant in self.values
            if (is_own or sight.state(meant.place).is_found) and not meant.stands(sight):
                raise did_not_stay(self.session, meant, sight)

    def typed_and_read(self, sight: Sight) -> dict[str, dict[str, str]]:
        """Per field what was meant and what the page shows, for the evidence."""
        said = {}
        for meant in self.standing:
            name = meant.place.key.partition("/")[2]
            said[name] = {"typed": for_people(meant.value, meant.place.field), "read": meant.shown(sight)}
        for upload in self.files:
            said[upload.place.element.name] = {"typed": upload.file.name, "read": upload.found(sight)}
        for lines in self.lines:
            said[lines.place.element.name] = {"typed": f"{len(lines.rows)} lines", "read": f"{len(lines.rows)} lines"}
        for rows in self.rows:
            if not rows.standing:
                said[rows.owner.name] = {"typed": f"{len(rows.rows)} rows", "read": f"{len(rows.rows)} rows"}
        return said


def _groups(plain: list[Meant]) -> list[list[Meant]]:
    """Fields of one frame, in one call; each that is behind something, alone."""
    groups: dict[tuple[Any, ...], list[Meant]] = {}
    for number, meant in enumerate(plain):
        behind = meant.place.element.behind
        groups.setdefault((meant.place.frames, number if behind else -1), []).append(meant)
    return list(groups.values())


def make_form(
    session: Session,
    screen: Screen,
    *,
    fields: Mapping[str, Value],
    lines: Mapping[str, Table] | None = None,
    attach: Mapping[str, FileValue] | None = None,
) -> Form:
    """The form of a step. BusinessError when the screen can't hold a value: before anything was typed."""
    form = Form(session=session, screen=screen)
    inner: dict[str, dict[str, Value]] = {}
    for name, value in fields.items():
        owner, point, part = name.partition(".")
        if point:
            inner.setdefault(owner, {})[part] = value
            continue
        place = session.finder.place(screen, name)
        if value is not None:
            form.values.append(Meant.of(place, value))
        elif place.element.required:
            raise BusinessError(f'"{name}" of {session.application.key}.{screen.name} is missing', code="missing")
    for owner, row in inner.items():
        form.rows.append(Rows.of(session, screen, owner, [row]))
    for name, table in (lines or {}).items():
        _add_lines(form, name, table)
    for name, file in (attach or {}).items():
        if file is not None:
            form.files.append(Upload.of(session, session.finder.place(screen, name), file))
    return form


def _add_lines(form: Form, name: str, table: Table) -> None:
    """Lines of a grid, or rows of a one-to-many."""
    place = form.session.finder.place(form.screen, name)
    if place.element.many is not None:
        form.rows.append(Rows.of(form.session, form.screen, name, table.rows()))
    else:
        form.lines.append(Lines.of(form.session, place, table))


def in_order(screen: Screen, names: Iterable[str]) -> list[str]:
    """Names of elements in the order in which the screen's file has them."""
    known = list(screen.elements)
    return sorted(names, key=lambda name: known.index(name.partition(".")[0]) if name.partition(".")[0] in known else 0)
