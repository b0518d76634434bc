"""selectors/<application>.yaml -> `Application`: the shape of screens.md, every mistake of it at once.

What its parts mean for each other (U rules) is `interoffice.loader.selector_rules`, asked once the shape is right.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, cast, get_args

from interoffice.errors import MistakesFound
from interoffice.loader.selector_elements import load_elements, load_scope, seconds
from interoffice.loader.selector_rules import check_application
from interoffice.loader.yaml_tree import Fields, Reading, compose, said
from interoffice.model.selectors import (
    EVERYWHERE,
    Application,
    Environment,
    FindRecord,
    Opening,
    Platform,
    Popup,
    Quiet,
    Scope,
    Screen,
    ScreenFormats,
    SignIn,
    SignInStep,
)
from interoffice.problem import Path, Problem

MOST_SCREENS: Final = 500
APPLICATION_KEYS: Final = (
    "version", "application", "name", "office", "checked", "environments", "max_sessions", "lock", "settle", "formats",
    "quiet", "patience", "keep_session", "maintenance_when", "scopes", "elements", "sign_in", "popups", "healing",
    "evidence", "screens",
)  # fmt: skip
SCREEN_KEYS: Final = (
    "name", "open", "again", "ready_when", "fill", "scope", "search", "autosaves", "elements", "find_record",
)  # fmt: skip
ENVIRONMENT_KEYS: Final = (
    "kind", "like", "address", "window", "process", "command", "display", "size", "codepage",
)  # fmt: skip
OPENING_KEYS: Final = ("address", "menu", "keys", "press")
PLATFORMS: Final[tuple[Platform, ...]] = get_args(Platform)


def load_application(text: str, file: str) -> Application:
    """The application of a file's text; MistakesFound with all its mistakes."""
    application, problems = load_application_with_problems(text, file)
    if application is None or any(problem.severity == "error" for problem in problems):
        raise MistakesFound(problems)
    return application


def load_application_with_problems(text: str, file: str) -> tuple[Application | None, list[Problem]]:
    """The application as far as it can be read (None when it is no YAML), and every mistake of the file."""
    try:
        application, reading = _read(text, file)
    except MistakesFound as mistakes:
        return None, list(mistakes.problems)
    if not any(problem.severity == "error" for problem in reading.problems):
        reading.problems += check_application(application)
    return application, reading.sorted_problems()


def _read(text: str, file: str) -> tuple[Application, Reading]:
    reading = Reading(compose(text, file))
    top = reading.top(*APPLICATION_KEYS)
    _read_version(top)
    key = _read_key(top, file)
    scopes = _load_scopes(top)
    environments = _load_environments(top)
    names = tuple(environments)
    application = Application(
        key=key,
        name=top.text("name", default=key),
        office=top.choice("office", ("front", "middle", "back"), "back", required=True),
        checked=_day(top, "checked"),
        source=reading.source,
        environments=environments,
        scopes=scopes,
        elements=load_elements(top, "elements", scopes, names),
        screens=_load_screens(top, scopes, names),
        formats=_load_formats(top),
        quiet=_load_quiet(top),
        sign_in=_load_sign_in(top),
        popups=_load_popups(top),
        patience_s=seconds(top, "patience") or Decimal(15),
        settle_s=seconds(top, "settle") or Decimal(0),
        max_sessions=top.whole("max_sessions"),
        lock=top.text("lock"),
        keep_session=top.yes_no("keep_session"),
        maintenance_when=top.text("maintenance_when"),
        healing=top.choice("healing", ("use", "ask", "off"), "use"),
        evidence=top.choice("evidence", ("full", "failures"), "full"),
    )
    top.close()
    return application, reading


def _read_version(top: Fields) -> None:
    version = top.text("version", required=True)
    if version not in ("", "1"):
        top.problem("S07", "version", f'version {said(version)} is not known here; write "version: 1"', "1")


def _read_key(top: Fields, file: str) -> str:
    key = top.text("application", required=True)
    stem = re.split(r"[/\\]", file)[-1].removesuffix(".yaml")
    if key and key != stem:
        top.problem("S05", "application", f'"application" must be the file\'s name, "{stem}", not "{key}"', stem)
    return key or stem


def _day(top: Fields, key: str) -> str | None:
    day = top.date(key)
    return None if day is None else day.isoformat()


def _load_formats(top: Fields) -> ScreenFormats:
    fields = top.sub("formats", "date", "number")
    if fields is None:
        return ScreenFormats()
    usual = ScreenFormats()
    formats = ScreenFormats(
        date=fields.text("date", default=usual.date), number=fields.text("number", default=usual.number)
    )
    fields.close()
    return formats


def _load_quiet(top: Fields) -> Quiet:
    fields = top.sub("quiet", "no_requests_for", "no_changes_for", "busy_while", "ignore")
    if fields is None:
        return Quiet()
    quiet = Quiet(
        no_requests_for_s=seconds(fields, "no_requests_for") or Quiet().no_requests_for_s,
        no_changes_for_s=seconds(fields, "no_changes_for"),
        busy_while=fields.text("busy_while"),
        ignore=fields.texts("ignore"),
    )
    fields.close()
    return quiet


def _load_scopes(top: Fields) -> dict[str, Scope]:
    found = {}
    for name, fields in top.map_of("scopes", "css", "caption", "take").items():
        found[name] = Scope(
            name=name,
            path=fields.path,
            css=fields.text("css", required=True),
            caption=fields.text("caption"),
            take=fields.choice("take", ("only", "first", "last", "topmost"), "only"),
        )
        fields.close()
    return found


# environments


def _load_environments(top: Fields) -> dict[str, Environment]:
    read = top.map_of("environments", *ENVIRONMENT_KEYS, required=True)
    return {name: _load_environment(name, fields, read) for name, fields in read.items()}


def _load_environment(name: str, fields: Fields, every: Mapping[str, Fields]) -> Environment:
    model = fields
    if (like := fields.text("like")) is not None:
        if like in every and like != name and not every[like].has("like"):
            model = every[like]
        else:
            others = [other for other in every if other != name]
            wrong = f'"like" names no other environment of this file: "{like}"; there is {", ".join(others) or "none"}'
            fields.problem("S05", "like", wrong)
    size, dpi = _load_display(fields if fields.has("display") else model)

    def of(key: str) -> Fields:
        return fields if fields.has(key) else model

    kind = of("kind").choice("kind", PLATFORMS, "web", required=True)
    environment = Environment(
        name=name,
        kind=kind,
        path=fields.path,
        address=of("address").text("address"),
        window=of("window").text("window"),
        process=of("process").text("process"),
        command=of("command").texts("command"),
        display_size=size,
        display_dpi=dpi,
        terminal_size=_pair(of("size"), "size") or (24, 80),
        codepage=of("codepage").text("codepage"),
    )
    _need_place(fields, environment)
    if fields is model or "like" in fields.values:
        fields.close()
    return environment


def _need_place(fields: Fields, environment: Environment) -> None:
    if environment.kind == "web" and environment.address is None:
        fields.problem("S02", None, f'the web environment "{environment.name}" needs "address"')
    if environment.kind == "desktop" and not (environment.window or environment.command):
        fields.problem("S02", None, f'the desktop environment "{environment.name}" needs "window" or "command"')
    if environment.kind == "terminal" and not (environment.address or environment.command):
        fields.problem("S02", None, f'the terminal environment "{environment.name}" needs "address" or "command"')


def _load_display(fields: Fields) -> tuple[tuple[int, int] | None, int]:
    display = fields.sub("display", "size", "dpi")
    if display is None:
        return None, 96
    size, dpi = _pair(display, "size"), display.whole("dpi", default=96)
    display.close()
    return size, dpi


def _pair(fields: Fields, key: str) -> tuple[int, int] | None:
    text = fields.text(key)
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if found is None:
        fields.problem("S05", key, f'"{key}" must be a size like 1280x800, not "{text}"')
        return None
    return int(found[1]), int(found[2])


# sign-in, pop-ups


def _load_sign_in(top: Fields) -> SignIn | None:
    fields = top.sub("sign_in", "screen", "steps", "done_when", "refused_when", "sign_out")
    if fields is None:
        return None
    steps = []
    for entry in fields.entries("steps", "if", "fill", "press", required=True):
        step = SignInStep(
            path=entry.path, fill=entry.text_map("fill"), press=entry.text("press"), if_=entry.text("if")
        )
        if not step.fill and step.press is None:
            entry.problem("S02", None, 'a step of the sign-in needs "fill" or "press"')
        entry.close()
        steps.append(step)
    sign_in = SignIn(
        path=fields.path,
        screen=fields.text("screen", required=True),
        steps=tuple(steps),
        done_when=fields.text("done_when", required=True),
        refused_when=fields.text("refused_when"),
        sign_out=fields.text("sign_out"),
    )
    fields.close()
    return sign_in


def _load_popups(top: Fields) -> dict[str, Popup]:
    found = {}
    for name, fields in top.map_of("popups", "when", "press", "at_most").items():
        found[name] = Popup(
            name=name,
            path=fields.path,
            when=fields.text("when", required=True),
            press=fields.text("press", required=True),
            at_most=fields.whole("at_most", default=1),
        )
        fields.close()
    return found


# screens


def _load_screens(top: Fields, scopes: Mapping[str, Scope], environments: Collection[str]) -> dict[str, Screen]:
    read = top.map_of("screens", *SCREEN_KEYS, required=True)
    if len(read) > MOST_SCREENS:
        top.problem("S05", "screens", f"more than {MOST_SCREENS} screens in one file; split the application")
    return {name: _load_screen(name, fields, scopes, environments) for name, fields in read.items()}


def _load_screen(
    name: str, fields: Fields, scopes: Mapping[str, Scope], environments: Collection[str]
) -> Screen:
    screen = Screen(
        name=name,
        title=fields.text("name", default=name.replace("_", " ")),
        path=fields.path,
        open=_load_openings(fields, "open", environments),
        again=_load_openings(fields, "again", environments),
        ready_when=fields.text("ready_when", required=True),
        fill=cast(Literal["together", "one by one"], fields.choice("fill", ("together", "one by one"), "together")),
        scope=load_scope(fields, "scope", scopes),
        search=fields.text("search"),
        autosaves=fields.yes_no("autosaves"),
        elements=load_elements(fields, "elements", scopes, environments),
        find_record=_load_find_record(fields),
    )
    fields.close()
    return screen


def _load_openings(fields: Fields, key: str, environments: Collection[str]) -> dict[str, Opening]:
    """Environment (or EVERYWHERE) -> how the screen is opened there."""
    found = fields.raw(key)
    path = fields.place(key)
    if found is None:
        return {}
    if isinstance(found, dict) and found and not set(found) & set(OPENING_KEYS):
        unknown = [name for name in found if name not in environments]
        for name in unknown:
            wrong = f'"{name}" is no environment of this file; there is {", ".join(environments)}'
            fields.reading.problem("U01", (*path, name), wrong, at_key=True)
        return {name: _opening(fields.reading, (*path, name), how, key) for name, how in found.items()}
    return {EVERYWHERE: _opening(fields.reading, path, found, key)}


def _opening(reading: Reading, path: Path, how: Any, key: str) -> Opening:
    if how == "stands" and key == "again":
        return Opening(path=path, stands=True)
    if isinstance(how, str):
        return _short_opening(path, how)
    if not isinstance(how, dict):
        wrong = f"how a screen is opened is an address, a menu path, `start` or a map, not {said(how)}"
        reading.problem("S05", path, wrong)
        return Opening(path=path)
    fields = Fields(reading, path, keys=OPENING_KEYS)
    address, menu = fields.text("address"), fields.text("menu")
    opening = Opening(
        path=path,
        address=address,
        menu=_menu(menu) if menu else (),
        keys=fields.texts("keys"),
        press=fields.texts("press"),
    )
    fields.close()
    return opening


def _short_opening(path: Path, how: str) -> Opening:
    if how == "start":
        return Opening(path=path, is_start=True)
    if re.match(r"[/#?]|https?://", how):
        return Opening(path=path, address=how)
    return Opening(path=path, menu=_menu(how))


def _menu(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(">"))


def _load_find_record(fields: Fields) -> FindRecord | None:
    inner = fields.sub("find_record", "screen", "by", "read", "open_row")
    if inner is None:
        return None
    found = FindRecord(
        path=inner.path,
        screen=inner.text("screen", required=True),
        by=inner.texts("by", required=True),
        read=inner.texts("read"),
        open_row=inner.yes_no("open_row"),
    )
    inner.close()
    return found

