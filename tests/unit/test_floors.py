"""Imports point down the floors of the house, also those for type checking; no circle; selectors/ holds data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS: dict[str, int] = {
    "interoffice.frozen": 1,
    "interoffice.problem": 1,
    "interoffice.errors": 1,
    "interoffice.model": 2,
    "interoffice.language": 2,
    "interoffice.loader": 3,
    "interoffice.store": 3,
    "interoffice.screening": 3,
    "interoffice.documents": 3,
    "interoffice.resources": 3,
    "interoffice.bot": 3,
    "interoffice.screens": 4,
    "interoffice.recording": 4,
    "interoffice.learn": 4,
    "interoffice.context": 4,
    "interoffice.declaration": 5,
    "interoffice.registry": 6,
    "bots": 6,
    "interoffice.plan": 7,
    "interoffice.engine": 8,
    "interoffice.schedule": 8,
    "interoffice.report": 9,
    "interoffice.office": 10,
    "interoffice.practice": 10,
    "interoffice.setup": 10,
    "interoffice.starter": 10,
    "interoffice.testing": 11,
    "interoffice.cli": 12,
}
"""The floor of every part; a part may import from its own floor only what belongs to itself or to a neighbour below it
in this list. The practice office and the set-up stand beside the office: nothing below imports them but by name at run
time, where a project's address says `practice:`."""

MAY_BE_ASKED = {("interoffice.engine.desk", "interoffice.practice")}
"""The lane asks a running practice office for its addresses, where a project names `practice:erp`."""


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("interoffice", "bots"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "starter_project" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield name.removesuffix(".__init__"), path


def part_of(module: str) -> str | None:
    fitting = [part for part in FLOORS if module == part or module.startswith(part + ".")]
    return max(fitting, key=len, default=None)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("module", "path"), [pytest.param(*each, id=each[0]) for each in modules()])
def test_a_module_imports_only_from_below(module: str, path: Path) -> None:
    own = part_of(module)
    if own is None:
        assert module in ("interoffice", "bots")
        return
    order = list(FLOORS)
    wrong = [
        name
        for name in imported(path)
        if (other := part_of(name)) is not None
        and other != own
        and (FLOORS[other] > FLOORS[own] or (FLOORS[other] == FLOORS[own] and order.index(other) > order.index(own)))
        and (module, other) not in MAY_BE_ASKED
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = {module for module, _ in modules()}
    graph = {module: set(_modules_of(imported(path), known)) - {module} for module, path in modules()}
    left = dict(graph)
    while free := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in free:
            del left[module]
    assert left == {}


def _modules_of(names: Iterator[str], known: set[str]) -> Iterator[str]:
    for name in names:
        if name in known:
            yield name
        elif name.rpartition(".")[0] in known:
            yield name.rpartition(".")[0]


def test_the_engine_never_imports_bots_and_the_command_line_never_touches_the_store() -> None:
    for module, path in modules():
        names = list(imported(path))
        if module.startswith("interoffice.engine"):
            assert not [name for name in names if name.startswith("bots")], module
        if module.startswith("interoffice.cli"):
            assert not [name for name in names if name.startswith(("interoffice.store", "interoffice.engine"))], module


def test_no_python_is_ever_in_selectors() -> None:
    assert [*(ROOT / "selectors").rglob("*.py")] == []
