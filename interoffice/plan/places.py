"""Whether a step has run where another part of the workflow reads it, seen from their places alone.

A place is like a path in the file, ("steps", 3, "do", 0), but made from the workflow as it was read, so that a misspelt
key doesn't change it. Steps of a `do:` end with their item; steps of a branch, of `if_late:` and
of a step's `on_failure:` may not have run; `on_failure:` and `always:` of the workflow come after some part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from interoffice.model.workflow import Choose, ForEach, Step, Wait, Workflow
from interoffice.problem import Path

Relation = Literal["before", "maybe", "later", "around", "another loop", "another branch"]
"""How a step stands to the place that reads it. `around`: it isn't over, the place is inside it."""


def places_of(workflow: Workflow) -> dict[str, Path]:
    """Step -> its place, of all steps."""
    parts = (("steps", workflow.steps), ("on_failure", workflow.on_failure), ("always", workflow.always))
    return {step.id: place for name, steps in parts for step, place in _places(steps, (name,))}


def _places(steps: tuple[Step, ...], outer: Path) -> Iterator[tuple[Step, Path]]:
    for number, step in enumerate(steps):
        place = (*outer, number)
        yield step, place
        for inner, below in _inner(step, place):
            yield from _places(inner, below)


def _inner(step: Step, place: Path) -> Iterator[tuple[tuple[Step, ...], Path]]:
    match step.kind:
        case ForEach(do=do):
            yield do, (*place, "do")
        case Choose(branches=branches, otherwise=otherwise):
            for number, branch in enumerate(branches):
                yield branch.do, (*place, "choose", number, "do")
            yield otherwise or (), (*place, "otherwise")
        case Wait(if_late=tuple() as late):
            yield late, (*place, "if_late")
    if isinstance(step.on_failure, tuple):
        yield step.on_failure, (*place, "on_failure")


def relation(reader: Path, step: Path) -> Relation:
    """How the step stands to the place that reads it."""
    if reader[0] != step[0]:
        return _other_part(reader, step)
    common = 0
    while common < min(len(reader), len(step)) and reader[common] == step[common]:
        common += 1
    if common >= len(step):
        return "around"
    mine = reader[common] if common < len(reader) else None
    theirs = step[common]
    if not (isinstance(mine, int) and isinstance(theirs, int)):
        return "another branch" if common > 1 else "later"
    if common and step[common - 1] == "choose":
        return "another branch"
    if mine < theirs:
        return "later"
    return _inside(step[common + 1 :])


def _other_part(reader: Path, step: Path) -> Relation:
    if reader[0] == "outputs":
        return _inside(step[2:]) if step[0] == "steps" else "another branch"
    if reader[0] == "always" or (reader[0] == "on_failure" and step[0] == "steps"):
        inside = _inside(step[2:])
        return "maybe" if inside == "before" else inside
    return "later"


def _inside(rest: Path) -> Relation:
    """The step is one that came before, or stands inside of it at the place `rest`."""
    found: Relation = "before"
    while rest:
        if rest[0] == "do":
            return "another loop"
        found = "maybe"
        rest = rest[4:] if rest[0] == "choose" else rest[2:]
    return found


def in_loop(path: Path) -> bool:
    """True of a place inside a loop's `do:`."""
    return any(part == "do" and (at < 2 or path[at - 2] != "choose") for at, part in enumerate(path))
