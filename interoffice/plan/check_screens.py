"""What workflows say of screens: applications, screens, elements, and the values typed in (U01, U02, U03, U06)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from interoffice.declaration import BotDescription
from interoffice.language.scopes import columns_of
from interoffice.model.selectors import Application, Element, Screen
from interoffice.model.types import DATE, FILE, MONEY, NUMBER, TEXT, YES_NO, Type, choice_of, list_of
from interoffice.model.workflow import BotCall, Raw, Step
from interoffice.plan.check_tables import is_open
from interoffice.plan.checking import Checking, Typed
from interoffice.plan.fitting import FITS, misfit
from interoffice.plan.given import GivenInput
from interoffice.plan.named_columns import grid_columns, readable, split_screen
from interoffice.plan.scope import Known
from interoffice.problem import Path, Position, did_you_mean

SCREEN_KINDS: Final = frozenset(
    ("application", "screen", "element", "elements", "element values", "grid tables", "element files")
)
ROWS: Final = frozenset(("grid", "one_to_many"))
UNTYPED: Final = frozenset(("read_only", "button"))
AS_TEXT: Final = frozenset(("number", "money", "percent", "date", "date_time", "time"))
"""What is formatted when it is typed into a text."""
TYPED: Final[Mapping[str, Type]] = {
    "text": TEXT,
    "rich_text": TEXT,
    "relation": TEXT,
    "number": NUMBER,
    "money": MONEY,
    "date": DATE,
    "yes_no": YES_NO,
    "multi_choice": list_of(TEXT),
    "file": FILE,
}


def check_screen_inputs(checking: Checking, step: Step, bot: BotDescription, given: Mapping[str, GivenInput]) -> None:
    """Checks every input of a call that speaks of an application, a screen or its elements."""
    for one in given.values():
        if one.declared.kind == "application" and _is_written(checking, one):
            find_application(checking, str(one.raw), one.path)
    named = next((one for one in given.values() if one.declared.kind == "screen"), None)
    if named is None or not _is_written(checking, named):
        return
    found = find_named_screen(checking, str(named.raw), bot.module, named.path)
    if found is None:
        return
    for one in given.values():
        _check_input(checking, bot, one, *found)
    _need_required(checking, step, bot, given, *found)


def _is_written(checking: Checking, one: GivenInput) -> bool:
    if one.name is not None:
        return True
    if one.known.type.kind != "any" or not isinstance(one.raw, str):
        message = f'"{one.declared.name}" is the name of a {one.declared.kind}, written out and not made from data'
        checking.report("B04", one.path, message)
    return False


def find_application(checking: Checking, name: str, path: Path) -> Application | None:
    """An application by name; notes U01 where it isn't there, or not for the environment in use."""
    project = checking.project
    loaded = project.application_file(name)
    if loaded is None:
        meant = did_you_mean(name, project.applications())
        checking.report("U01", path, f'there is no application "{name}" in selectors/', suggestion=meant)
        return None
    if loaded.content is None or not loaded.is_read:
        return None
    environment = project.environment
    if environment is not None and environment not in loaded.content.environments:
        known = ", ".join(loaded.content.environments)
        message = f'application "{name}" has no environment "{environment}"; it has {known}'
        checking.report("U01", path, message)
        return None
    _need_lock(checking, loaded.content, path)
    return loaded.content


def _need_lock(checking: Checking, application: Application, path: Path) -> None:
    """F09: steps of two runs would type into one desktop."""
    environment = application.environments.get(checking.project.environment or "")
    if environment is None or environment.kind != "desktop" or application.lock or checking.workflow.locks:
        return
    if application.key not in checking.unlocked:
        checking.unlocked.add(application.key)
        name = application.key
        message = f'"{name}" is a desktop that runs share; name its "lock" in selectors/{name}.yaml'
        checking.report("F09", path, message)


def find_named_screen(checking: Checking, name: str, module: str, path: Path) -> tuple[Application, Screen] | None:
    """A screen by name; notes U01 where it isn't there or can't be opened."""
    where, screen_name = split_screen(name, module)
    application = _application_of_screen(checking, name, where, path)
    if application is None:
        return None
    screen = application.screens.get(screen_name)
    if screen is None:
        meant = did_you_mean(screen_name, application.screens)
        suggestion = meant if "." not in name or meant is None else f"{where}.{meant}"
        see = application.source.at_key(application.screens[meant].path) if meant else None
        message = f'application "{where}" has no screen "{screen_name}"'
        checking.report("U01", path, message, suggestion=suggestion, see=see)
        return None
    environment = checking.project.environment
    if environment is not None and screen.opening(environment) is None:
        checking.report("U01", path, f'screen "{screen_name}" does not say how it is opened in "{environment}"')
    return application, screen


def _application_of_screen(checking: Checking, name: str, where: str, path: Path) -> Application | None:
    """The same as `find_application`, with the whole name of the screen as the suggestion."""
    project = checking.project
    if where in project.applications():
        return find_application(checking, where, path)
    screen = name.partition(".")[2]
    meant = did_you_mean(where, project.applications())
    suggestion = f"{meant}.{screen}" if meant and screen else meant
    checking.report("U01", path, f'there is no application "{where}" in selectors/', suggestion=suggestion)
    return None


def _check_input(
    checking: Checking, bot: BotDescription, one: GivenInput, application: Application, screen: Screen
) -> None:
    match one.declared.kind:
        case "element" | "elements":
            for name, path in one.names():
                element = _readable(checking, name, path, application, screen)
                if element is not None and one.declared.kind == "element" and bot.writes:
                    _need_commit(checking, element, path, screen)
        case "column" | "columns":
            columns = grid_columns(application, screen)
            for name, path in one.names():
                if name not in columns:
                    message = f'screen "{screen.name}" has no column "{name}"'
                    checking.report("U02", path, message, suggestion=did_you_mean(name, columns))
        case "element values":
            for name, path, raw, known in _entries(checking, one, "elements to values"):
                _check_typed(checking, name, path, raw, known, application, screen)
        case "grid tables":
            for name, path, raw, known in _entries(checking, one, "grids to tables"):
                _check_lines(checking, name, path, raw, known, application, screen)
        case "element files":
            for name, path, raw, known in _entries(checking, one, "elements to files"):
                _check_file(checking, name, path, raw, known, application, screen)


def _entries(checking: Checking, one: GivenInput, what: str) -> Iterable[tuple[str, Path, Raw, Known]]:
    if not isinstance(one.raw, Mapping):
        if one.known.type.kind != "any":
            checking.report("B04", one.path, f'"{one.declared.name}" is a map of {what}')
        return
    types = columns_of(one.known.type)
    for name, raw in one.raw.items():
        known = Known(type=types[name], flow=one.known.flow.of(name))
        yield name, (*one.path, name), raw, known


def find_element(
    checking: Checking, name: str, path: Path, application: Application, screen: Screen, *, at_key: bool = True
) -> Element | None:
    """An element by name (`addresses.street` inside a one-to-many); notes U02 where there is none."""
    outer, point, inner = name.partition(".")
    element = application.element(screen, outer)
    if element is not None and point:
        inside = {} if element.many is None else element.many.elements
        element, known, name_of = inside.get(inner), {f"{outer}.{each}": each for each in inside}, name
    else:
        known, name_of = {each: each for each in application.names_on(screen)}, outer
    if element is not None:
        return element
    meant = did_you_mean(name_of, known)
    message = f'screen "{screen.name}" has no element "{name}"'
    see = _place_of(application, screen, meant)
    checking.report("U02", path, message, suggestion=meant, at_key=at_key, see=see)
    return None


def _place_of(application: Application, screen: Screen, name: str | None) -> Position | None:
    element = None if name is None else application.element(screen, name)
    return None if element is None else application.source.at_key(element.path)


def _readable(checking: Checking, name: str, path: Path, application: Application, screen: Screen) -> Element | None:
    listed = {**grid_columns(application, application.list_of(screen)), **grid_columns(application, screen)}
    if name in listed and name not in readable(application, screen):
        return None
    return find_element(checking, name, path, application, screen, at_key=False)


def _need_commit(checking: Checking, element: Element, path: Path, screen: Screen) -> None:
    if not element.commits:
        buttons = [each.name for each in screen.commits]
        message = f'"{element.name}" does not commit anything'
        suggestion = did_you_mean(element.name, buttons) or (buttons[0] if len(buttons) == 1 else None)
        checking.report("U03", path, message, suggestion=suggestion)


def _check_typed(
    checking: Checking, name: str, path: Path, raw: Raw, known: Known, application: Application, screen: Screen
) -> None:
    element = find_element(checking, name, path, application, screen)
    if element is None or raw is None:
        return
    checking.typed.append(Typed(path, name, known.flow.all_unseen))
    if element.type in UNTYPED:
        checking.report("U03", path, f'nothing can be typed into "{name}": it is a {_words(element)}', at_key=True)
    elif element.type in ROWS:
        checking.report("U03", path, f'"{name}" is a {_words(element)}; its rows go under "lines"', at_key=True)
    elif element.type == "file":
        checking.report("U03", path, f'"{name}" takes a file; name it under "attach"', at_key=True)
    else:
        _check_held(checking, element, path, raw, known)


def _words(element: Element) -> str:
    return element.type.replace("_", " ").replace("read only", "field to read only")


def element_type(element: Element) -> Type:
    """The type of what is typed into an element."""
    if element.type == "choice":
        return choice_of(element.choices)
    return TYPED.get(element.type, TEXT)


def _check_held(checking: Checking, element: Element, path: Path, raw: Raw, known: Known) -> None:
    """U06: a value that the element can't hold, so far as literals and types tell."""
    wanted = element_type(element)
    written = raw if isinstance(raw, str) and "${{" not in raw else None
    if wanted.kind == "text" and written is None and known.type.kind in AS_TEXT:
        return
    wrong = misfit(wanted, known.type, raw, many=element.type == "multi_choice")
    if wrong is not None:
        checking.report("U06", path, f'"{element.name}" {wrong.message}', suggestion=wrong.suggestion)
    elif written is not None and element.max_length is not None and len(written) > element.max_length:
        message = f'"{element.name}" holds {element.max_length} characters, and this has {len(written)}'
        checking.report("U06", path, message)


def _check_lines(
    checking: Checking, name: str, path: Path, raw: Raw, known: Known, application: Application, screen: Screen
) -> None:
    element = find_element(checking, name, path, application, screen)
    if element is None:
        return
    if element.type not in ROWS:
        message = f'"{name}" is no grid; its value goes under "fields"'
        checking.report("U03", path, message, at_key=True)
        return
    if known.type.kind not in ("table", "any"):
        checking.report("B04", path, f'"{name}" needs a table, not {known.type}')
        return
    checking.typed.append(Typed(path, name, known.flow.only(_columns_of(element)).all_unseen))
    required = _required_columns(element)
    columns = columns_of(known.type)
    missing = [column for column in required if column not in columns]
    if missing and not is_open(known.type):
        message = f'the rows have no column "{missing[0]}", which "{name}" requires'
        checking.report("C03", path, message, suggestion=did_you_mean(missing[0], columns))


def _columns_of(element: Element) -> list[str]:
    inside = {} if element.many is None else element.many.elements
    return list(inside if element.grid is None else element.grid.columns)


def _required_columns(element: Element) -> list[str]:
    if element.grid is not None:
        return [name for name, column in element.grid.columns.items() if column.required]
    inside = {} if element.many is None else element.many.elements
    return [name for name, each in inside.items() if each.required]


def _check_file(
    checking: Checking, name: str, path: Path, raw: Raw, known: Known, application: Application, screen: Screen
) -> None:
    element = find_element(checking, name, path, application, screen)
    if element is None:
        return
    checking.typed.append(Typed(path, name, known.flow.all_unseen))
    if element.type != "file":
        checking.report("U03", path, f'"{name}" takes no file; its value goes under "fields"', at_key=True)
    elif known.type.kind not in FITS["file"] | {"any", "missing"}:
        checking.report("U06", path, f'"{name}" needs a file, not {known.type}')


def _need_required(
    checking: Checking,
    step: Step,
    bot: BotDescription,
    given: Mapping[str, GivenInput],
    application: Application,
    screen: Screen,
) -> None:
    """B03: an element that the screen requires and that the step leaves out."""
    filled = next((one for one in given.values() if one.declared.kind == "element values"), None)
    if not bot.writes or filled is None or not isinstance(filled.raw, Mapping) or not isinstance(step.kind, BotCall):
        return
    names = {name.partition(".")[0] for name in filled.raw}
    for one in given.values():
        if one.declared.kind in ("grid tables", "element files") and isinstance(one.raw, Mapping):
            names |= set(one.raw)
    meant = {did_you_mean(name, application.names_on(screen)) for name in names if name not in screen.elements}
    missing = [
        name for name, each in screen.elements.items() if each.required and name not in names and name not in meant
    ]
    if missing:
        listed = " and ".join(f'"{name}"' for name in missing)
        checking.report("B03", filled.path, f'screen "{screen.name}" requires {listed}', at_key=True)
