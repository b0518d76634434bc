"""A recording put into files: a new one, or what is new put behind what an existing one has, every other byte kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interoffice.loader.selectors import load_application
from interoffice.problem import Path, Source
from interoffice.recording.writing import Written, dumped

SCHEMA = "# yaml-language-server: $schema=../schemas/{kind}.schema.json\n"


def selectors_text(written: Written, file: str, before: str | None) -> str:
    """The selectors file with the recording in it. MistakesFound where it would not be one."""
    text = _new(written) if before is None else _amended(written, file, before)
    load_application(text, file)
    return text


def workflow_text(written: Written) -> str:
    """The workflow as YAML; '' where there is none."""
    return SCHEMA.format(kind="workflow") + dumped(written.workflow) if written.workflow else ""


def _new(written: Written) -> str:
    block = dict(written.head)
    if written.shared:
        block["elements"] = written.shared
    if written.sign_in:
        block["sign_in"] = written.sign_in
    block["screens"] = written.screens
    return SCHEMA.format(kind="selectors") + dumped(block)


def _amended(written: Written, file: str, before: str) -> str:
    text = before  # what is named stands before what names it, so that every step is a sound file
    if written.shared:
        text = _put(text, file, ("elements",), written.shared)
    for screen, elements in written.more.items():
        text = _put(text, file, ("screens", screen, "elements"), elements)
    if written.screens:
        text = _put(text, file, ("screens",), written.screens)
    for path, block in written.keys.items():
        text = _put(text, file, path, block)
    return _put(text, file, (), {"sign_in": written.sign_in}) if written.sign_in else text


def _put(text: str, file: str, path: Path, block: Mapping[str, Any]) -> str:
    """The block as the last children of a map; a map that isn't there yet is begun in its own parent."""
    source = load_application(text, file).source
    if path and path not in source.keys:
        return _put(text, file, path[:-1], {str(path[-1]): block})
    end, indent = _end_of(source, path)
    start = text[:end] if text[:end].endswith("\n") or not end else text[:end] + "\n"
    return start + dumped(block, indent) + text[end:]


def _end_of(source: Source, path: Path) -> tuple[int, int]:
    """Where the last line of a block ends, and how deep its children stand; comments behind it stay behind."""
    lines = source.text.splitlines(keepends=True)
    if not path:
        return len(source.text), 0
    at = source.text.count("\n", 0, source.keys[path][0])
    own = len(lines[at]) - len(lines[at].lstrip(" "))
    end, child = at, own + 2
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth = len(line) - len(line.lstrip(" "))
        if depth <= own:
            break
        if end == at:
            child = depth
        end = number
    return sum(len(line) for line in lines[: end + 1]), child
