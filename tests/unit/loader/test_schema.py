"""The generated JSON Schemas take every sample and refuse what the loader refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interoffice.loader.schema import Names, schemas, write_schemas
from interoffice.loader.selectors import load_application
from interoffice.loader.yaml_tree import compose

from .samples import PROJECT, text_of
from .schema_reader import mistakes


def bot(name: str, effect: str = "changes", **inputs: str) -> Any:
    """A bot as the registry describes one: input=kind, a ? behind an optional one."""
    given = {
        key: SimpleNamespace(
            name=key, kind=kind.rstrip("?"), many=False, optional=kind.endswith("?"), help=f"help of {key}"
        )
        for key, kind in inputs.items()
    }
    return SimpleNamespace(name=name, effect=effect, summary="One line.", doc="All of it.", inputs=given)


FILL = bot(
    "screens.fill_form",
    screen="screen",
    credential="credential",
    fields="element values",
    submit="element",
    read="elements?",
)
FIND = bot("email.find_replies", "reads", mailbox="mail account", to_message="value")
NAMES = Names(
    applications=[load_application(text_of("selectors/erp.yaml"), "selectors/erp.yaml")], mail_accounts=["purchasing"]
)
PLAIN = schemas()

FILES = [
    *(("workflow", path) for path in sorted((PROJECT / "workflows").glob("*.yaml"))),
    *(("selectors", path) for path in sorted((PROJECT / "selectors").glob("*.yaml"))),
    *(("table", path) for path in sorted((PROJECT / "tables").glob("*.yaml")) if path.stem != "patterns"),
    *(("layout", path) for path in sorted((PROJECT / "tables/layouts").glob("*.yaml"))),
    ("patterns", PROJECT / "tables/patterns.yaml"),
    ("settings", PROJECT / "settings.yaml"),
    ("schedules", PROJECT / "schedules.yaml"),
]


def as_an_editor_reads(value: Any) -> Any:
    """Texts that YAML 1.2 calls a number or true or false, as those."""
    if isinstance(value, dict):
        return {key: as_an_editor_reads(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [as_an_editor_reads(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    return float(value) if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value) else value


@pytest.mark.parametrize(("name", "path"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_a_sample_fits_its_schema_as_text_and_as_an_editor_reads_it(name: str, path: Path) -> None:
    schema = PLAIN[f"{name}.schema.json"]
    root = compose(path.read_text(encoding="utf-8"), path.name).root
    assert list(mistakes(root, schema, schema)) == []
    assert list(mistakes(as_an_editor_reads(root), schema, schema)) == []


def workflow_mistakes(steps: str, schema: Any) -> list[str]:
    root = compose(f"version: 1\nname: x\nsteps:\n{steps}", "w").root
    return list(mistakes(root, schema, schema))


STEP = """
  - id: order
    bot: screens.fill_form
    with:
      screen: erp.sales_order
      credential: erp_clerk
      fields:
        customer_no: ${{ deal.customer }}
      submit: save
"""


def test_a_step_knows_its_bot_its_screen_and_its_elements() -> None:
    schema = schemas([FILL, FIND], NAMES)["workflow.schema.json"]
    assert workflow_mistakes(STEP, schema) == []
    for right, wrong in [
        ("screens.fill_form", "screens.fill_from"),
        ("erp.sales_order", "erp.sales_ordr"),
        ("submit: save", "submit: sav"),
        ("credential: erp_clerk", "credentials: erp_clerk"),
        ("bot:", "bots:"),
        ("      submit: save\n", ""),
        ("    with:", "    rules: [a]\n    with:"),
        ("    with:", "    check: x\n    with:"),
    ]:
        assert workflow_mistakes(STEP.replace(right, wrong), schema), wrong


def test_the_help_of_bots_inputs_and_elements_reaches_the_editor() -> None:
    text = json.dumps(schemas([FILL], NAMES)["workflow.schema.json"])
    assert "All of it." in text and "help of credential" in text and '"description": "Customer no."' in text


def test_only_bots_that_read_are_offered_to_a_wait() -> None:
    step = "  - {id: a, wait: email.find_replies, with: {mailbox: purchasing, to_message: x}, every: 5m, until: a}\n"
    schema = schemas([FILL, FIND], NAMES)["workflow.schema.json"]
    assert workflow_mistakes(step, schema) == []
    offered = schema["definitions"]["step"]["properties"]["wait"]["anyOf"][0]["enum"]
    assert offered == ["email.find_replies"]


def test_all_schemas_are_written_where_the_samples_look_for_them(tmp_path: Path) -> None:
    written = write_schemas(tmp_path / "schemas")
    named = {
        found[1]
        for _, path in FILES
        if (found := re.search(r"schemas/([\w.]+)", path.read_text(encoding="utf-8").splitlines()[0]))
    }
    assert {path.name for path in written} == named
    for path in written:
        assert json.loads(path.read_text(encoding="utf-8"))["$schema"].endswith("draft-07/schema#")
