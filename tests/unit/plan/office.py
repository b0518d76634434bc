"""Bots as they are declared (bots.md), written as modules into a folder, so that samples can be checked before their
bots exist, and small projects around them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from interoffice.declaration import ANNOTATIONS, BotDescription, BotInput, BotOutput
from interoffice.loader.workflow import load_workflow_with_problems
from interoffice.plan.check_workflow import check_workflow_file
from interoffice.plan.project import LoadedFile, Project, open_project
from interoffice.problem import Problem
from interoffice.registry import Registry, RegistryContent

ROOT = Path(__file__).parents[3]
SAMPLES = tuple(sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml")))

BOTS = (Path(__file__).parent / "bots_of_samples.txt").read_text()


@lru_cache
def declared_bots() -> Mapping[str, BotDescription]:
    """The descriptions of every bot of bots.md by name."""
    found = {}
    for line in BOTS.strip().splitlines():
        head, inputs, *rest = line.replace(" | None", "?").replace("Table | Record", "TableOrRecord").split(" |")
        folder, name, effect = head.split()
        bot_inputs = {}
        for part in filter(None, (each.strip() for each in inputs.split(";"))):
            key, _, annotation = part.partition(": ")
            word = annotation.rstrip("?")
            many = word.startswith("tuple[")
            word = word.removeprefix("tuple[").removesuffix(", ...]")
            kind, type = ("table or record", ANNOTATIONS["Value"][1]) if word == "TableOrRecord" else ANNOTATIONS[word]
            bot_inputs[key] = BotInput(
                name=key, kind=kind, type=type, many=many or kind in ("columns", "elements"), optional="?" in annotation
            )
        outputs = {}
        for part in filter(None, (each.strip() for each in "".join(rest).split(";"))):
            key, _, declared = part.partition(": ")
            annotation, _, says = declared.partition(" = ")
            outputs[key] = BotOutput(name=key, type=ANNOTATIONS[annotation][1], says=says)
        found[name] = BotDescription(
            name=name,
            function=name.partition(".")[2],
            effect=effect.rstrip("+"),  # type: ignore[arg-type]
            office=folder.partition("_")[0],  # type: ignore[arg-type]
            file=f"bots/{folder}/{name.partition('.')[0]}.py",
            line=1,
            inputs=bot_inputs,
            outputs=outputs,
            has_look_up=effect.endswith("+"),
        )
    return found


def sample_project(folder: Path = ROOT) -> Project:
    """The samples, with every bot of bots.md."""
    project = open_project(folder)
    registry = Registry(folders=[], project=folder)
    found = RegistryContent(bots=declared_bots(), problems=(), broken=frozenset(), digests={})
    registry.__dict__["content"] = found
    project.__dict__["registry"] = registry
    return project


def copy_of_samples(to: Path) -> Path:
    """A folder with the files of the samples, to change them."""
    for name in ("workflows", "selectors", "tables"):
        shutil.copytree(ROOT / name, to / name)
    for name in ("settings.yaml", "schedules.yaml"):
        shutil.copy(ROOT / name, to / name)
    return to


def check_text(project: Project, key: str, text: str) -> list[Problem]:
    """All mistakes of a workflow of this text in the project."""
    file = f"workflows/{key}.yaml"
    content, problems = load_workflow_with_problems(text, file)
    loaded = LoadedFile(file=file, text=text, digest="", content=content, problems=tuple(problems))
    return check_workflow_file(project, loaded)


def shown(problems: list[Problem]) -> str:
    """Problems for a failing test's message."""
    return "\n".join(
        f"{one.at.file}:{one.at.line}:{one.at.column} {one.rule} {one.severity} {one.message} -> {one.suggestion}"
        for one in problems
    )
