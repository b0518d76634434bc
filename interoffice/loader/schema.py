"""JSON Schemas (draft 7), so that an editor completes and checks a project's files while they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from interoffice.loader.schema_files import (
    layout_schema,
    patterns_schema,
    schedules_schema,
    selectors_schema,
    settings_schema,
    table_schema,
)
from interoffice.loader.schema_words import Schema
from interoffice.loader.schema_workflow import BotLike, Names, workflow_schema

__all__ = ["BotLike", "Names", "schemas", "write_schemas"]


def schemas(bots: Iterable[BotLike] = (), names: Names | None = None) -> Mapping[str, Schema]:
    """File name -> schema, for a project with these bots and names."""
    known = names or Names()
    return {
        "workflow.schema.json": workflow_schema(bots, known),
        "selectors.schema.json": selectors_schema(),
        "table.schema.json": table_schema(),
        "layout.schema.json": layout_schema(),
        "patterns.schema.json": patterns_schema(),
        "settings.schema.json": settings_schema(),
        "schedules.schema.json": schedules_schema(known.workflows),
    }


def write_schemas(folder: Path, bots: Iterable[BotLike] = (), names: Names | None = None) -> list[Path]:
    """Writes all schemas into a folder, which is made; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas(bots, names).items():
        path = folder / name
        path.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
