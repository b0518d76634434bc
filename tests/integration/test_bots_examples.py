"""Every bot is short about what it does, tells its error codes, and can look up what it changes.

Inputs and examples: tests/contract/bots.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.declaration import BotDescription
from tests.support.bots import registry

MINE = ("crm", "email", "finance", "decisions", "spreadsheet", "files")
BOTS = [bot for name, bot in sorted(registry().bots.items()) if name.partition(".")[0] in MINE]


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_the_documentation_tells_an_analyst_what_it_is(bot: BotDescription) -> None:
    assert len(bot.summary) <= 120
    assert "Error codes:" in bot.doc


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_every_bot_that_changes_something_can_look_it_up(bot: BotDescription) -> None:
    assert bot.has_look_up == (bot.effect == "changes")
    assert bool(bot.identity) == bot.writes


def test_bots_import_nothing_heavy_at_their_top() -> None:
    heavy = ("pandas", "pyarrow", "openpyxl", "xlsxwriter", "httpx", "jinja2", "imap_tools", "playwright", "duckdb")
    for bot in BOTS:
        text = Path(bot.file).read_text(encoding="utf-8")
        assert not [word for word in heavy if f"import {word}" in text or f"from {word}" in text]
