"""What the parts of a selectors file mean for each other: the U rules that need no workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from interoffice.language import ExpressionError, infer_condition, parse_rule
from interoffice.language.scopes import Names
from interoffice.model.formats import number_marks
from interoffice.model.reading import date_pattern
from interoffice.model.selectors import (
    Application,
    Candidate,
    Element,
    FindRecord,
    Opening,
    Screen,
    walk_elements,
)
from interoffice.model.types import Type
from interoffice.problem import Path, Problem, Severity, did_you_mean

FRAGILE_KINDS: Final = frozenset({"xpath", "text", "image", "at", "copy"})
_BY_PLACE: Final = re.compile(r":nth-|:first-child|:last-child|:eq\(")
_GENERATED_ID: Final = re.compile(r"#[\w-]*\d{3,}|\[id[*^$~|]?=[\"']?[\w-]*\d{3,}", re.ASCII)


def check_application(application: Application) -> list[Problem]:
    """Every mistake between the parts of one file."""
    checking = _Checking(application=application)
    checking.check()
    return checking.problems


@dataclass(kw_only=True)
class _Checking:
    """One file under check."""

    application: Application
    problems: list[Problem] = field(default_factory=list)

    def check(self) -> None:
        """The whole file."""
        application = self.application
        self._formats()
        self._elements(None, application.elements)
        self._condition(None, application.quiet.busy_while, ("quiet", "busy_while"))
        self._condition(None, application.maintenance_when, ("maintenance_when",))
        for screen in application.screens.values():
            self._screen(screen)
        self._sign_in()
        for popup in application.popups.values():
            self._condition(None, popup.when, (*popup.path, "when"))
            self._press(None, popup.press, (*popup.path, "press"), f'the pop-up "{popup.name}"')

    def report(
        self, rule: str, path: Path, message: str, *, suggestion: str | None = None, severity: Severity = "error"
    ) -> None:
        """Notes a mistake."""
        at = self.application.source.at(path)
        if "\n" in self.application.source.text[slice(*self.application.source.values.get(path, (0, 0)))]:
            at = self.application.source.at_key(path)
        problem = Problem(rule=rule, message=message, at=at, suggestion=suggestion, severity=severity)
        self.problems.append(problem)

    # formats

    def _formats(self) -> None:
        formats = self.application.formats
        self._date_format(formats.date, ("formats", "date"))
        self._number_format(formats.number, ("formats", "number"))

    def _date_format(self, text: str, path: Path) -> None:
        try:
            date_pattern(text)
        except ValueError as error:
            self.report("U06", path, f"{error}; write it like dd.MM.yyyy")

    def _number_format(self, text: str, path: Path) -> None:
        try:
            number_marks(text)
        except ValueError as error:
            self.report("U06", path, str(error))

    def _format_of(self, element_type: str, text: str | None, path: Path) -> None:
        if text is None:
            return
        if element_type == "date":
            self._date_format(text, path)
        elif element_type in ("number", "money"):
            self._number_format(text, path)

    # names

    def _known(self, screen: Screen | None) -> Mapping[str, Element]:
        if screen is None:
            return self.application.elements
        return {**self.application.elements, **screen.elements}

    def _find(self, screen: Screen | None, name: str, path: Path) -> Element | None:
        """An element by name; U02 where it isn't there."""
        known = self._known(screen)
        outer, point, inner = name.partition(".")
        element = known.get(outer)
        if element is not None and point:
            inside = element.many.elements if element.many is not None else {}
            element, known = inside.get(inner), {f"{outer}.{each}": found for each, found in inside.items()}
        if element is None:
            where = f'screen "{screen.name}"' if screen is not None else "the application"
            self.report("U02", path, f'{where} has no element "{name}"', suggestion=did_you_mean(name, known))
        return element

    def _press(self, screen: Screen | None, name: str | None, path: Path, what: str) -> None:
        """U02, and U03 where something that is no `submit` would press a commit."""
        element = None if name is None else self._find(screen, name, path)
        if element is not None and element.commits:
            self.report("U03", path, f'{what} would press "{name}", which commits; only `submit` of a step may')

    def _condition(self, screen: Screen | None, text: str | None, path: Path) -> None:
        """Mistakes of an expression, its bare words being elements."""
        if not text:
            return
        try:
            wrong = infer_condition(parse_rule(text), self._scope(screen), bare="columns")
        except ExpressionError as error:
            wrong = (error,)
        for mistake in wrong:
            at = self.application.source.at(path, mistake.offset, mistake.length)
            found = Problem(rule=mistake.code, message=mistake.message, at=at, suggestion=mistake.suggestion)
            self.problems.append(found)

    def _scope(self, screen: Screen | None) -> Names:
        types = {name: element.value_type for name, element in self._known(screen).items()}
        record = Type("record", fields=types)
        return Names(columns=record, is_screen=True, column_word="element", column_code="U02")

    # elements

    def _elements(self, screen: Screen | None, elements: Mapping[str, Element]) -> None:
        for element in walk_elements(elements):
            self._format_of(element.type, element.format, (*element.path, "format"))
            self._format_of(element.holds, element.format if element.type == "read_only" else None,
                            (*element.path, "format"))  # fmt: skip
            self._format_of(element.type, element.typed_format, (*element.path, "typed_format"))
            for key in ("behind", "leave_by"):
                self._press(screen, getattr(element, key), (*element.path, key), f'"{key}" of "{element.name}"')
            self._grid(screen, element)
            self._many(screen, element)
            self._commit(screen, element)
            self._fragile(screen, element)

    def _grid(self, screen: Screen | None, element: Element) -> None:
        grid = element.grid
        if grid is None:
            return
        self._press(screen, grid.add, (*element.path, "add"), f'"add" of "{element.name}"')
        self._press(screen, grid.next_page, (*element.path, "next_page"), f'"next_page" of "{element.name}"')
        if grid.count is not None:
            self._find(screen, grid.count, (*element.path, "count"))
        self._condition(screen, grid.empty_when, (*element.path, "empty_when"))
        for key in grid.key:
            if key not in grid.columns:
                meant = did_you_mean(key, grid.columns)
                message = f'the grid "{element.name}" has no column "{key}"'
                self.report("U02", (*element.path, "key"), message, suggestion=meant)
        for column in grid.columns.values():
            self._format_of(column.type, column.format, (*column.path, "format"))

    def _many(self, screen: Screen | None, element: Element) -> None:
        many = element.many
        if many is None:
            return
        for key in ("add", "ok", "ok_and_new"):
            self._press(screen, getattr(many, key), (*element.path, key), f'"{key}" of "{element.name}"')
        for name in many.preset:
            if name not in many.elements:
                meant = did_you_mean(name, many.elements)
                message = f'"{element.name}" has no element "{name}"'
                self.report("U02", (*element.path, "preset", name), message, suggestion=meant)

    def _commit(self, screen: Screen | None, element: Element) -> None:
        commit = element.commit
        if commit is None:
            return
        for key in ("done_when", "fails_when", "breaks_when", "reached_when"):
            self._condition(screen, getattr(commit, key), (*element.path, key))
        if commit.done_when and commit.done_when in (commit.fails_when, commit.breaks_when):
            message = f'"{element.name}" would be done and refused by the same sign: `{commit.done_when}`'
            self.report("U07", (*element.path, "done_when"), message)
        for key in ("reason", "confirm"):
            if getattr(commit, key) is not None:
                self._find(screen, getattr(commit, key), (*element.path, key))

    def _fragile(self, screen: Screen | None, element: Element) -> None:
        """U04: in one environment nothing sturdy finds it."""
        for environment in self.application.environments.values():
            if screen is not None and screen.opening(environment.name) is None:
                continue
            candidates = element.candidates(environment)
            if element.commits and candidates and all(one.kind == "at" for one in candidates) and not element.caption:
                message = f'"{element.name}" commits and is found by its place alone in {environment.name}'
                self.report("U04", element.path, message)
            elif not _is_found_well(element, candidates):
                how = "only by what changes easily" if candidates else "by nothing"
                message = f'"{element.name}" is found {how} in {environment.name}; add a caption, a role or a test id'
                self.report("U04", element.path, message, severity="warning")
                return

    # screens

    def _screen(self, screen: Screen) -> None:
        if not screen.open:
            self.report("U01", screen.path, f'screen "{screen.name}" does not say how it is opened')
        self._condition(screen, screen.ready_when, (*screen.path, "ready_when"))
        self._elements(screen, screen.elements)
        for openings in (screen.open, screen.again):
            for opening in openings.values():
                self._opening(screen, opening)
        if screen.search is not None and screen.search != "enter":
            self._press(screen, screen.search, (*screen.path, "search"), f'"search" of "{screen.name}"')
        if screen.search == "enter" and screen.commits:
            message = f'Enter would commit on "{screen.name}", which has a button that commits'
            self.report("U03", (*screen.path, "search"), message)
        self._tells_empty(screen)
        self._find_record(screen)

    def _opening(self, screen: Screen, opening: Opening) -> None:
        for number, name in enumerate(opening.press):
            path = (*opening.path, "press", number)
            self._press(screen, name, path if path in self.application.source.values else opening.path, "opening")

    def _tells_empty(self, screen: Screen) -> None:
        """U07, a warning: a form that counts as ready while the previous record is still on it."""
        if screen.commits and screen.ready_when and not re.search(r"\b(missing|empty)\b", screen.ready_when):
            message = f'"{screen.name}" counts as ready while the record before is still on it'
            message += "; add `and <element> is missing`"
            self.report("U07", (*screen.path, "ready_when"), message, severity="warning")

    def _find_record(self, screen: Screen) -> None:
        find = screen.find_record
        if find is None:
            if screen.commits:
                message = f'"{screen.name}" commits and has no find_record, so its steps can\'t be tried again'
                self.report("U08", screen.path, message, severity="warning")
            return
        found = self.application.screens.get(find.screen)
        if found is None:
            message = f'there is no screen "{find.screen}" to find records on'
            meant = did_you_mean(find.screen, self.application.screens)
            self.report("U01", (*find.path, "screen"), message, suggestion=meant)
            return
        for name in find.by:
            self._find(screen, name, (*find.path, "by"))
        self._list(screen, find, found)

    def _list(self, screen: Screen, find: FindRecord, place: Screen) -> None:
        """U08: a list that can't answer."""
        if len(place.grids) != 1 or place.grids[0].grid is None:
            message = f'"{place.name}" has {len(place.grids)} grids; a list to find records on has one'
            self.report("U08", (*find.path, "screen"), message)
            return
        grid = place.grids[0].grid
        if place.search is None:
            self.report("U08", (*find.path, "screen"), f'"{place.name}" has no "search", so it can\'t be asked')
        if grid.empty_when is None:
            message = f'the grid "{place.grids[0].name}" of "{place.name}" has no "empty_when", so it can\'t say no'
            self.report("U08", (*find.path, "screen"), message)
        for name in find.by:
            if name in screen.elements and (name not in place.elements or place.elements[name].type == "grid"):
                self.report("U08", (*find.path, "by"), f'"{place.name}" has no search field "{name}"')
            elif not find.open_row and name in screen.elements and name not in grid.columns:
                self.report("U08", (*find.path, "by"), f'the list of "{place.name}" has no column "{name}"')
        for name in find.read:
            if find.open_row:
                self._find(screen, name, (*find.path, "read"))
            elif name not in grid.columns:
                message = f'the list of "{place.name}" has no column "{name}"'
                self.report("U08", (*find.path, "read"), message, suggestion=did_you_mean(name, grid.columns))

    # sign-in

    def _sign_in(self) -> None:
        sign = self.application.sign_in
        if sign is None:
            return
        screen = self.application.screens.get(sign.screen)
        if screen is None:
            meant = did_you_mean(sign.screen, self.application.screens)
            self.report("U01", (*sign.path, "screen"), f'there is no screen "{sign.screen}"', suggestion=meant)
            return
        for step in sign.steps:
            self._condition(screen, step.if_, (*step.path, "if"))
            for name in step.fill:
                self._find(screen, name, (*step.path, "fill", name))
            self._press(screen, step.press, (*step.path, "press"), "the sign-in")
        self._condition(screen, sign.done_when, (*sign.path, "done_when"))
        self._condition(screen, sign.refused_when, (*sign.path, "refused_when"))
        self._press(None, sign.sign_out, (*sign.path, "sign_out"), "the sign-out")
        if sign.done_when and sign.done_when == sign.refused_when:
            self.report("U07", (*sign.path, "done_when"), "signed in and refused are told by the same sign")


def is_sturdy(candidate: Candidate, element: Element) -> bool:
    """Whether a candidate outlives an ordinary change of the application. A message is known by what it says."""
    if candidate.kind == "text" and element.type == "read_only":
        return True
    if candidate.kind in FRAGILE_KINDS:
        return False
    if candidate.kind == "css":
        return not (_BY_PLACE.search(candidate.value) or _GENERATED_ID.search(candidate.value))
    return True


def _is_found_well(element: Element, candidates: tuple[Candidate, ...]) -> bool:
    """By a caption or something sturdy; a one-to-many is found by its scope, through its elements."""
    return bool(
        element.caption or element.type == "one_to_many" or any(is_sturdy(one, element) for one in candidates)
    )

