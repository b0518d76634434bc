"""Every bot says what it does: a line for an analyst, its inputs, its error codes, and an example that is right."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interoffice.declaration import BotDescription
from interoffice.loader.workflow import load_workflow
from interoffice.model.workflow import BotCall, Step, Wait
from tests.support.bots import registry

MINE = ("crm", "email", "finance", "decisions", "spreadsheet", "files")
BOTS = [bot for name, bot in sorted(registry().bots.items()) if name.partition(".")[0] in MINE]


def _step(bot: BotDescription) -> Step:
    text = f"version: 1\nname: Example\nsteps:\n{textwrap.indent(textwrap.dedent(bot.example), '  ')}\n"
    workflow = load_workflow(text, f"workflows/{bot.module}.yaml")
    assert len(workflow.steps) == 1
    return workflow.steps[0]


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_the_example_is_a_step_that_fills_the_bots_inputs(bot: BotDescription) -> None:
    kind = _step(bot).kind
    assert isinstance(kind, BotCall | Wait)
    given = kind.inputs
    assert kind.bot == bot.name
    assert set(given) <= set(bot.inputs)
    assert {name for name, one in bot.inputs.items() if not one.optional} <= set(given)


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_the_documentation_tells_an_analyst_what_it_is(bot: BotDescription) -> None:
    assert bot.summary.endswith(".")
    assert len(bot.summary) <= 120
    assert "Error codes:" in bot.doc
    for name, one in bot.inputs.items():
        assert one.help, f"{bot.name} does not explain its input {name}"


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_every_bot_that_changes_something_can_look_it_up(bot: BotDescription) -> None:
    assert bot.has_look_up == (bot.effect == "changes")
    assert bool(bot.identity) == bot.writes


def test_bots_import_nothing_heavy_at_their_top() -> None:
    heavy = ("pandas", "pyarrow", "openpyxl", "xlsxwriter", "httpx", "jinja2", "imap_tools", "playwright", "duckdb")
    for bot in BOTS:
        text = Path(bot.file).read_text(encoding="utf-8")
        assert not [word for word in heavy if f"import {word}" in text or f"from {word}" in text]
