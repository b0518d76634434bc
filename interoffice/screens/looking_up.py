"""The look-up of a screen: is the record there, equal, different, surely not, or can't it be told?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from interoffice.bot import Answer, Found, NotFound, Unclear
from interoffice.errors import ApplicationError
from interoffice.model.formats import format_value
from interoffice.model.selectors import FindRecord, Screen
from interoffice.model.values import Value
from interoffice.screens.formats import Field, same_value
from interoffice.screens.lists import ListReader, list_reader
from interoffice.screens.session import Session

MOST_OPENED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The record that is looked for: its key, what is read of it, and what was meant to be in it."""

    by: Mapping[str, Value]
    read: tuple[str, ...]
    meant: Mapping[str, Value]
    open_row: bool = False
    reached_when: str | None = None

    @property
    def said(self) -> str:
        """The key, for people."""
        return ", ".join(f"{name} {format_value(value)}" for name, value in self.by.items())


def wanted_for(screen: Screen, find: FindRecord, fields: Mapping[str, Value], submit: str) -> Wanted:
    """What the look-up of a commit wants: the record with this key, and in it what was meant to be typed."""
    button = screen.elements.get(submit)
    commit = button.commit if button is not None else None
    meant = {name: fields[name] for name in find.read if fields.get(name) is not None}
    return Wanted(
        by={name: fields.get(name) for name in find.by},
        read=find.read,
        meant=meant,
        open_row=find.open_row,
        reached_when=commit.reached_when if commit is not None else None,
    )


def find_one(session: Session, screen: Screen, owner: Screen, wanted: Wanted, *, settled: Callable[[], bool]) -> Answer:
    """Searches the list `screen` for a record of `owner`. Only NotFound is sure that there is none.

    `settled()` tells whether the application's `settle` has passed; a list may lag that long behind a commit.
    """
    missing = [name for name, value in wanted.by.items() if value is None or value == ""]
    if missing:
        return Unclear(why=f"the key to search by is missing: {', '.join(missing)}")
    while True:
        is_settled = settled()
        try:
            answer = _search_once(session, screen, owner, wanted)
        except ApplicationError as error:
            return Unclear(why=str(error))
        if not isinstance(answer, NotFound) or is_settled:
            return answer
        _wait_a_little(session)


def _wait_a_little(session: Session) -> None:
    """Lets a lagging list catch up: until the page moves, at most a quarter of a second."""
    until = time.monotonic() + 0.25
    while (left := until - time.monotonic()) > 0:
        sight = session.look()
        session.look(since=sight.movement.moves, longest_ms=max(1.0, left * 1000))


def _search_once(session: Session, screen: Screen, owner: Screen, wanted: Wanted) -> Answer:
    session.open(screen, searching=wanted.by)
    columns = _columns(screen, wanted)
    reader = list_reader(session, screen, columns)
    reader.search(wanted.by)
    rows = reader.read_all()
    searched = f"{session.application.key}.{screen.name} for {wanted.said}"
    equal = [number for number, row in enumerate(rows) if _fits(wanted, row, reader.fields)]
    if not equal:
        return NotFound(searched=searched)
    if wanted.open_row:
        return _open_records(session, reader, owner, wanted, equal)
    if len(equal) > 1:
        return Unclear(why=f"{len(equal)} records in {searched}")
    return _answer(session, owner, wanted, rows[equal[0]], reader.fields)


def _fits(wanted: Wanted, row: Mapping[str, Value], fields: Mapping[str, Field]) -> bool:
    """Whether a row of the list has every value searched by, as far as the list shows it."""
    return all(same_value(value, row[name], fields[name]) for name, value in wanted.by.items() if name in row)


def _columns(screen: Screen, wanted: Wanted) -> Sequence[str]:
    grid = screen.grids[0].grid if screen.grids else None
    there = grid.columns if grid is not None else {}
    names = dict.fromkeys([*wanted.by, *(() if wanted.open_row else wanted.read)])
    return [name for name in names if not wanted.open_row or name in there]


def _answer(
    session: Session, owner: Screen, wanted: Wanted, found: Mapping[str, Value], fields: Mapping[str, Field]
) -> Answer:
    """Found, with what differs; NotFound where the record is there and this very commit has not happened to it."""
    values = {name: found.get(name) for name in wanted.read}
    if wanted.reached_when is not None and not _is_reached(session, owner, wanted.reached_when, values):
        return NotFound(searched=f"{wanted.said}: it is there, but `{wanted.reached_when}` is not true of it")
    different = {
        name: (found[name], meant)
        for name, meant in wanted.meant.items()
        if name in found and not same_value(meant, found[name], fields[name])
    }
    return Found(fields={**values, **wanted.by}, reference=_reference(values), different=different)


def _is_reached(session: Session, owner: Screen, text: str, values: Mapping[str, Value]) -> bool:
    from interoffice.language import parse_rule
    from interoffice.language.errors import RowError
    from interoffice.language.row import ValueScope, evaluate

    known = {name: values.get(name) for name in (*owner.elements, *values)}
    try:
        return evaluate(parse_rule(text), ValueScope(times=session.scope.times, names=known, row=known)) is True
    except RowError:
        return False


def _reference(values: Mapping[str, Value]) -> str:
    """What the application calls the record: the first thing read of it."""
    return next((format_value(value) for value in values.values() if value is not None), "")


def _open_records(session: Session, reader: ListReader, owner: Screen, wanted: Wanted, rows: list[int]) -> Answer:
    """Opens each record found (at most 5) on its own screen and compares it there."""
    if len(rows) > MOST_OPENED:
        return Unclear(why=f"{len(rows)} records for {wanted.said}: too many to open each")
    answers = []
    for row in rows:
        if row != rows[0]:
            session.open(reader.screen, searching=wanted.by)
            reader.search(wanted.by)
        found = _open_row(session, reader, owner, wanted, row)
        if all(same_value(meant, found[name], _field(session, owner, name)) for name, meant in wanted.by.items()):
            answers.append(found)
    if not answers:
        return NotFound(searched=f"{session.application.key}.{reader.screen.name} for {wanted.said}")
    if len(answers) > 1:
        return Unclear(why=f"{len(answers)} records for {wanted.said}")
    fields = {name: _field(session, owner, name) for name in (*wanted.read, *wanted.by)}
    return _answer(session, owner, wanted, answers[0], fields)


def _field(session: Session, owner: Screen, name: str) -> Field:
    return session.finder.place(owner, name).field


def _open_row(session: Session, reader: ListReader, owner: Screen, wanted: Wanted, row: int) -> dict[str, Value]:
    """What a record shows on its own screen, once its key is there; an element that isn't shown is left out."""
    grid = reader.grid.grid
    twice = grid is not None and grid.open_row == "double click"
    session.press(reader.screen, reader.grid.name, row=row, twice=twice)
    session.screen = owner
    names = dict.fromkeys((*wanted.by, *wanted.read))
    places = {name: session.finder.place(owner, name) for name in names}
    deadline = time.monotonic() + session.patience_s
    sight = session.settle(places.values())
    while any(sight.state(places[name]).value is None for name in wanted.by):
        if time.monotonic() > deadline:
            raise ApplicationError(f"a record for {wanted.said} did not open on {session.here}", code="not_ready")
        session.look(places.values(), since=sight.movement.moves)
        sight = session.settle(places.values())
    return {name: sight.state(place).value for name, place in places.items() if sight.state(place).is_found}
