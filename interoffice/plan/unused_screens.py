"""U05: screens and elements that no workflow, bot, expression or look-up names. Notes only, for whoever tidies up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from interoffice.model.selectors import Application, Screen
from interoffice.plan.project import Project
from interoffice.problem import Problem

_WORD: Final = re.compile(r"\w+")


def find_unused(project: Project) -> Iterator[Problem]:
    """A note for each; asked of a project all of whose workflows were read."""
    elsewhere = list(_texts(project))
    named = {word for text in elsewhere for word in _WORD.findall(text)}
    for name in project.applications():
        loaded = project.application_file(name)
        if loaded is not None and loaded.content is not None and loaded.is_read:
            yield from _of_application(loaded.content, elsewhere, named)


def _texts(project: Project) -> Iterator[str]:
    for key in project.workflows():
        loaded = project.workflow_file(key)
        if loaded is not None:
            yield loaded.text
    for file in project.registry.digests:
        try:
            yield (project.folder / file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def _of_application(application: Application, elsewhere: list[str], named: set[str]) -> Iterator[Problem]:
    counts = Counter(_WORD.findall(application.source.text))
    again = {word for word, count in counts.items() if count > 1}
    own = {screen.find_record.screen for screen in application.screens.values() if screen.find_record is not None}
    if application.sign_in is not None:
        own.add(application.sign_in.screen)
    for screen in application.screens.values():
        full = re.compile(rf"\b{re.escape(application.key)}\.{re.escape(screen.name)}\b")
        if screen.name not in own and not any(full.search(text) for text in elsewhere):
            message = f'nothing uses screen "{screen.name}"'
            yield _note(application, screen, message)
            continue
        for element in screen.elements.values():
            if element.name not in named and element.name not in again and element.type != "grid":
                message = f'nothing uses element "{element.name}" of screen "{screen.name}"'
                at = application.source.at_key(element.path)
                yield Problem(rule="U05", message=message, at=at, severity="note")


def _note(application: Application, screen: Screen, message: str) -> Problem:
    at = application.source.at_key(screen.path)
    return Problem(rule="U05", message=message, at=at, severity="note")
