"""What an analyst writes out for an element of a screen: `amount: 12.50` is an amount where the element holds one.

Values out of expressions keep their own type; only what stands in the file as text is read by the element's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interoffice.declaration import BotDescription
from interoffice.engine.evaluation import converted
from interoffice.model.selectors import Application, Element, Screen
from interoffice.model.values import Value
from interoffice.plan.check_screens import element_type
from interoffice.plan.named_columns import split_screen
from interoffice.plan.project import Project


def with_literals_typed(
    project: Project, bot: BotDescription, said: Mapping[str, Any], name: str, value: Value, zone: str
) -> Value:
    """The map of element to value as it is typed. ValueError: a literal that is no value of its element."""
    raw, screen_name = said[name], _screen_name(bot, said)
    if not isinstance(raw, Mapping) or not isinstance(value, Mapping) or screen_name is None:
        return value
    application_name, own_name = split_screen(screen_name, bot.module)
    application = project.application(application_name)
    screen = application.screens.get(own_name)
    typed = dict(value)
    for key, written in raw.items():
        element = _element(application, screen, key)
        if element is not None and isinstance(written, str) and "${{" not in written:
            typed[key] = converted(value[key], element_type(element), zone)
    return typed


def _screen_name(bot: BotDescription, said: Mapping[str, Any]) -> str | None:
    names = (said.get(name) for name, declared in bot.inputs.items() if declared.kind == "screen")
    return next((name for name in names if isinstance(name, str)), None)


def _element(application: Application, screen: Screen | None, name: str) -> Element | None:
    outer, point, inner = name.partition(".")
    element = application.element(screen, outer)
    if element is None or not point:
        return element
    return None if element.many is None else element.many.elements.get(inner)
