"""Rows of a one-to-many: an inline row, a modal, or a first record that is there already; typed field by field."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interoffice.errors import ApplicationError, BusinessError
from interoffice.model.selectors import Element, OneToMany, Screen
from interoffice.model.values import Value
from interoffice.screens.fields import Meant, fill_alone
from interoffice.screens.session import Session
from interoffice.screens.sight import Sight


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Rows that belong into a one-to-many, each with its preset values first."""

    owner: Element
    many: OneToMany
    rows: tuple[tuple[Meant, ...], ...]

    @classmethod
    def of(cls, session: Session, screen: Screen, name: str, rows: Iterable[Mapping[str, Value]]) -> Rows:
        """The rows; one with nothing but missing values is none. BusinessError when the screen can't hold a value."""
        owner = session.finder.place(screen, name).element
        if owner.many is None:
            raise ApplicationError(f'"{name}" has no rows, so nothing belongs into them', transient=False)
        made = (_row(session, screen, owner, owner.many, row) for row in rows)
        return cls(owner=owner, many=owner.many, rows=tuple(row for row in made if row))

    @property
    def standing(self) -> tuple[Meant, ...]:
        """The values that stay in sight on the form: those of a single row that is no modal."""
        return self.rows[0] if len(self.rows) == 1 and self.many.entry != "modal" and not self.owner.behind else ()


def _row(
    session: Session, screen: Screen, owner: Element, many: OneToMany, row: Mapping[str, Value]
) -> tuple[Meant, ...]:
    given = {name: row[name] for name in many.elements if row.get(name) is not None}
    if not given:
        return ()
    missing = [name for name, each in many.elements.items() if each.required and name not in {**many.preset, **given}]
    if missing:
        raise BusinessError(f'"{owner.name}.{missing[0]}" of {screen.name} is missing', code="missing")
    values: dict[str, Value] = {**many.preset, **given}
    return tuple(
        Meant.of(session.finder.place(screen, f"{owner.name}.{name}"), values[name])
        for name in many.elements
        if name in values
    )


def type_rows(session: Session, screen: Screen, rows: Rows) -> None:
    """Types every row and reads each back before the next is begun."""
    behind, back = rows.owner.behind, rows.owner.leave_by
    if behind is not None and rows.rows:
        session.press(screen, behind)
        session.settle()
    for number, row in enumerate(rows.rows):
        before = rows.rows[number - 1] if number else ()
        if number or rows.many.entry != "first record":
            _begin_row(session, screen, rows, number)
        _await_row(session, rows, row, before)
        for meant in row:
            fill_alone(session, screen, meant, [other.place for other in row])
        if rows.many.entry == "modal":
            _end_row(session, screen, rows, row, is_last=number + 1 == len(rows.rows))
    if back is not None and rows.rows:
        session.press(screen, back)
        session.settle()


def _begin_row(session: Session, screen: Screen, rows: Rows, number: int) -> None:
    many = rows.many
    if number and many.entry == "modal" and many.ok_and_new is not None:
        return
    if many.add is None:
        raise ApplicationError(f'"{rows.owner.name}" of {session.here} has no `add` for a row', transient=False)
    session.press(screen, many.add)


def _await_row(session: Session, rows: Rows, row: tuple[Meant, ...], before: tuple[Meant, ...]) -> None:
    """Waits for the fields of a new row; those of the row before it are not mistaken for them."""
    deadline = time.monotonic() + session.patience_s
    places = [meant.place for meant in (*row, *before)]
    while True:
        sight = session.settle(places)
        if all(sight.state(meant.place).is_found for meant in row) and not _is_still(before, sight):
            return
        if time.monotonic() > deadline:
            raise ApplicationError(f'"{rows.owner.name}" of {session.here} shows no new row', code="not_ready")
        session.look(places, since=sight.movement.moves)


def _is_still(before: tuple[Meant, ...], sight: Sight) -> bool:
    """Whether the fields still show the row before."""
    return bool(before) and all(meant.stands(sight) for meant in before)


def _end_row(session: Session, screen: Screen, rows: Rows, row: tuple[Meant, ...], *, is_last: bool) -> None:
    """Takes a modal's row over: by `ok`, or by `ok_and_new` while more are to come."""
    many = rows.many
    name = many.ok if is_last or many.ok_and_new is None else many.ok_and_new
    if name is None:
        raise ApplicationError(f'"{rows.owner.name}" of {session.here} has no `ok` for its modal', transient=False)
    session.press(screen, name)
    if name == many.ok:
        _await_end(session, rows, row)


def _await_end(session: Session, rows: Rows, row: tuple[Meant, ...]) -> None:
    deadline = time.monotonic() + session.patience_s
    places = [meant.place for meant in row]
    while any(session.settle(places).state(place).is_visible for place in places):
        if time.monotonic() > deadline:
            raise ApplicationError(f'"{rows.owner.name}" of {session.here} did not take its row over', code="not_kept")
        session.look(places, since=session.look(places).movement.moves)
