"""An application's screens as its file in selectors/ says them: shape is right, nothing is looked for yet.

Every expression (`ready_when`, `done_when` ...) stays text here; `interoffice.screens` parses it. `path` is the place
of a thing in its file, for messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Final, Literal

from interoffice.frozen import dataclass
from interoffice.model.types import ANY, DATE, FILE, MONEY, NUMBER, TEXT, YES_NO, Type, list_of, table_of
from interoffice.problem import Path, Source

Platform = Literal["web", "desktop", "terminal"]
ElementType = Literal[
    "text",
    "number",
    "money",
    "date",
    "choice",
    "multi_choice",
    "yes_no",
    "relation",
    "file",
    "rich_text",
    "read_only",
    "button",
    "grid",
    "one_to_many",
]
Held = Literal["text", "number", "money", "date", "yes_no"]
"""What a `read_only` says that it holds."""
Compare = Literal["exact", "contains", "digits only"]

EVERYWHERE: Final = ""
"""The key of what holds in every environment, where a map by environment may stand."""

PLAIN_TYPES: Final = frozenset({"text", "number", "money", "date", "choice", "multi_choice", "yes_no", "rich_text"})
"""Types that are typed together, in one call."""
TYPED_TYPES: Final = PLAIN_TYPES | {"relation"}
"""Types that take a value of `fields`."""
CANDIDATE_KINDS: Final[Mapping[Platform, frozenset[str]]] = {
    "web": frozenset({"role", "label", "test_id", "placeholder", "text", "css", "xpath", "keys"}),
    "desktop": frozenset({"access", "keys", "ocr", "image", "at", "copy"}),
    "terminal": frozenset({"label", "at", "keys"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """Where an application is: a web address, a desktop window, or a terminal."""

    name: str
    kind: Platform
    path: Path
    address: str | None = None
    window: str | None = None
    process: str | None = None
    command: tuple[str, ...] = ()
    display_size: tuple[int, int] | None = None
    display_dpi: int = 96
    terminal_size: tuple[int, int] = (24, 80)
    codepage: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenFormats:
    """How the application writes a date (Unicode letters) and the number 1234.56."""

    date: str = "yyyy-MM-dd"
    number: str = "1234.56"


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """What counts as settled after an act."""

    no_requests_for_s: Decimal = Decimal("0.1")
    no_changes_for_s: Decimal | None = None
    busy_while: str | None = None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeStep:
    """One step of a scope chain. `kind` is a word of screens.md, or `own`: the scope `name` of the application.

    `value` is the frame's, group's or dialog's name, the row's place or key, the css, or what an own scope's caption
    must say; None where the step needs none.
    """

    kind: Literal["frame", "active_tab", "group", "row", "dialog", "page", "css", "own"]
    path: Path
    name: str = ""
    value: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """An application's own step for scope chains."""

    name: str
    css: str
    path: Path
    caption: str | None = None
    take: Literal["only", "first", "last", "topmost"] = "only"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One way to find an element. `value` is what stands behind `kind`; keys and places have their own fields."""

    kind: str
    path: Path
    value: str = ""
    name: str | None = None
    role: str | None = None
    keys: tuple[str, ...] = ()
    copy: tuple[str, ...] = ()
    beside: Literal["right", "below"] | None = None
    offset: tuple[int, int] | None = None
    at: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a grid, found by its caption."""

    name: str
    path: Path
    type: ElementType = "text"
    caption: tuple[str, ...] = ()
    required: bool = False
    format: str | None = None
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    compare: Compare = "exact"
    sensitive: bool = False

    @property
    def holds(self) -> Type:
        """The type of its values."""
        return TYPES.get(self.type, TEXT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """What belongs to a `grid`: columns, paging, the proof of an empty list, and how a row is added or opened."""

    columns: Mapping[str, Column] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    cells_by: str | None = None
    add: str | None = None
    next_page: str | None = None
    max_pages: int | None = None
    count: str | None = None
    empty_when: str | None = None
    open_row: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OneToMany:
    """What belongs to a `one_to_many`: how a row is begun and ended, its elements, and what every row gets."""

    entry: Literal["inline row", "modal", "first record"]
    elements: Mapping[str, Element]
    add: str | None = None
    ok: str | None = None
    ok_and_new: str | None = None
    preset: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """What makes a button irreversible, and how its outcome is read. Without `within_s` the patience counts."""

    done_when: str
    path: Path
    within_s: Decimal | None = None
    fails_when: str | None = None
    reason: str | None = None
    breaks_when: str | None = None
    confirm: str | None = None
    verify_after: bool = False
    reached_when: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """Something on a screen. `find` maps an environment's name (or EVERYWHERE) to candidates in order."""

    name: str
    path: Path
    type: ElementType
    caption: tuple[str, ...] = ()
    find: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    scope: tuple[ScopeStep, ...] = ()
    required: bool = False
    max_length: int | None = None
    pattern: str | None = None
    typed_as: str | None = None
    format: str | None = None
    typed_into: tuple[Candidate, ...] = ()
    typed_format: str | None = None
    choices: tuple[str, ...] = ()
    options: str | None = None
    compare: Compare = "exact"
    accepts: tuple[str, ...] = ()
    holds: Held = "text"
    downloads: str | None = None
    within_s: Decimal | None = None
    sensitive: bool = False
    behind: str | None = None
    leave_by: str | None = None
    heals: bool = True
    commit: Commit | None = None
    grid: Grid | None = None
    many: OneToMany | None = None

    @property
    def commits(self) -> bool:
        """True of a button that posts."""
        return self.commit is not None

    @property
    def value_type(self) -> Type:
        """The type of what it shows: a table for a grid, ANY for a button."""
        if self.type == "read_only":
            return TYPES[self.holds]
        if self.grid is not None:
            return table_of({name: column.holds for name, column in self.grid.columns.items()})
        if self.many is not None:
            return table_of({name: each.value_type for name, each in self.many.elements.items()})
        return TYPES.get(self.type, ANY)

    def candidates(self, environment: Environment) -> tuple[Candidate, ...]:
        """Its further candidates there, in order; words of another kind of application are passed over."""
        found = self.find.get(environment.name, self.find.get(EVERYWHERE, ()))
        return tuple(one for one in found if one.kind in CANDIDATE_KINDS[environment.kind])


TYPES: Final[Mapping[str, Type]] = {
    "text": TEXT,
    "rich_text": TEXT,
    "relation": TEXT,
    "number": NUMBER,
    "money": MONEY,
    "date": DATE,
    "choice": Type("choice"),
    "multi_choice": list_of(TEXT),
    "yes_no": YES_NO,
    "file": FILE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """How a screen is reached: an address, a menu path, keys, or `start` (the client's first screen); then presses.

    `stands`, of `again` alone: after a commit that ended well the form stands there as it was opened.
    """

    path: Path
    address: str | None = None
    menu: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    is_start: bool = False
    stands: bool = False
    press: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FindRecord:
    """A screen's own look-up: where and by what its records are searched, and what of them is read."""

    screen: str
    by: tuple[str, ...]
    path: Path
    read: tuple[str, ...] = ()
    open_row: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """A screen. `elements` are its own; those of the application stand beside them (`Application.element`)."""

    name: str
    title: str
    path: Path
    open: Mapping[str, Opening]
    ready_when: str
    elements: Mapping[str, Element]
    again: Mapping[str, Opening] = field(default_factory=dict)
    fill: Literal["together", "one by one"] = "together"
    scope: tuple[ScopeStep, ...] = ()
    search: str | None = None
    autosaves: bool = False
    find_record: FindRecord | None = None

    @property
    def commits(self) -> tuple[Element, ...]:
        """Its buttons that post."""
        return tuple(element for element in self.elements.values() if element.commits)

    @property
    def grids(self) -> tuple[Element, ...]:
        """Its grids; a list has one."""
        return tuple(element for element in self.elements.values() if element.type == "grid")

    def opening(self, environment: str) -> Opening | None:
        """How it is opened there."""
        return self.open.get(environment, self.open.get(EVERYWHERE))

    def opening_again(self, environment: str) -> Opening | None:
        """The shorter way there after a commit that ended well, if it has one."""
        return self.again.get(environment, self.again.get(EVERYWHERE))


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInStep:
    """One step of a sign-in: elements filled from parts of the credential, then a button pressed."""

    path: Path
    fill: Mapping[str, str] = field(default_factory=dict)
    press: str | None = None
    if_: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """How one signs in and out."""

    screen: str
    steps: tuple[SignInStep, ...]
    done_when: str
    path: Path
    refused_when: str | None = None
    sign_out: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Popup:
    """A dialog that may come at any time, and what makes it go."""

    name: str
    when: str
    press: str
    path: Path
    at_most: int = 1


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application's file. `key` is its file's name without .yaml."""

    key: str
    name: str
    office: Literal["front", "middle", "back"]
    source: Source
    environments: Mapping[str, Environment]
    screens: Mapping[str, Screen]
    elements: Mapping[str, Element] = field(default_factory=dict)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    formats: ScreenFormats = ScreenFormats()
    quiet: Quiet = Quiet()
    sign_in: SignIn | None = None
    popups: Mapping[str, Popup] = field(default_factory=dict)
    checked: str | None = None
    patience_s: Decimal = Decimal(15)
    settle_s: Decimal = Decimal(0)
    max_sessions: int | None = None
    lock: str | None = None
    keep_session: bool = False
    maintenance_when: str | None = None
    healing: Literal["use", "ask", "off"] = "use"
    evidence: Literal["full", "failures"] = "full"

    def element(self, screen: Screen | None, name: str) -> Element | None:
        """The element of that name on a screen: its own, else (`banner` of every screen) the application's."""
        if screen is not None and name in screen.elements:
            return screen.elements[name]
        return self.elements.get(name)

    def names_on(self, screen: Screen) -> tuple[str, ...]:
        """Every element name that a screen knows."""
        return tuple(dict.fromkeys([*screen.elements, *self.elements]))

    def list_of(self, screen: Screen) -> Screen | None:
        """The list that the screen's look-up searches; None when it has no look-up."""
        return None if screen.find_record is None else self.screens.get(screen.find_record.screen)


def walk_elements(elements: Mapping[str, Element]) -> Iterator[Element]:
    """Every element, those inside a one-to-many too."""
    for element in elements.values():
        yield element
        if element.many is not None:
            yield from walk_elements(element.many.elements)
