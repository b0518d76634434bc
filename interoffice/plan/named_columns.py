"""The columns of what inputs name: contracts, layouts, queues, decision tables, screens and grids."""

from __future__ import annotations

from collections.abc import Mapping

from interoffice.frozen import dataclass
from interoffice.model.selectors import Application, Element, Screen
from interoffice.model.types import Type
from interoffice.plan.input_types import table_type
from interoffice.plan.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectColumns:
    """What a project's files say; a `NamedColumns` for `output_types`. `module` may stand for the application."""

    project: Project
    module: str = ""

    def table_columns(self, name: str) -> Type | None:
        """A table of the columns of a contract, queue or layout, or of what a decision or risk table adds."""
        loaded = self.project.table_file(name)
        return None if loaded is None or not loaded.is_read else table_type(self.project, name)

    def screen_values(self, screen: str) -> Mapping[str, Type] | None:
        """Element -> type of what can be read on a screen, its list's columns included."""
        found = find_screen(self.project, screen, self.module)
        if found is None:
            return None
        application, it = found
        values = {name: element.value_type for name, element in readable(application, it).items()}
        return {**grid_columns(application, application.list_of(it)), **grid_columns(application, it), **values}

    def grid_columns(self, screen: str) -> Mapping[str, Type] | None:
        """Column -> type of the one grid of a screen."""
        found = find_screen(self.project, screen, self.module)
        return None if found is None else grid_columns(*found)


def split_screen(name: str, module: str) -> tuple[str, str]:
    """`erp.sales_order` as application and screen; in a bot of module `erp` the first part may be left out."""
    application, point, screen = name.partition(".")
    return (application, screen) if point else (module, name)


def find_screen(project: Project, name: str, module: str) -> tuple[Application, Screen] | None:
    """A screen and its application; None where there is none."""
    application, screen = split_screen(name, module)
    loaded = project.application_file(application)
    if loaded is None or loaded.content is None or not loaded.is_read or screen not in loaded.content.screens:
        return None
    return loaded.content, loaded.content.screens[screen]


def readable(application: Application, screen: Screen) -> Mapping[str, Element]:
    """The elements of a screen and of its application."""
    return {**application.elements, **screen.elements}


def grid_columns(application: Application, screen: Screen | None) -> Mapping[str, Type]:
    """Column -> type of the grids of a screen."""
    if screen is None:
        return {}
    columns: dict[str, Type] = {}
    for grid in screen.grids:
        for name, column in (grid.grid.columns if grid.grid is not None else {}).items():
            columns.setdefault(name, column.holds)
    return columns
