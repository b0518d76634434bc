"""Rules D: every mistake of schedules.yaml beyond its shape, in one sentence with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.plan.check_project import check_project
from interoffice.plan.project import open_project
from tests.support.shop import Shop, make_shop

WORKFLOW = """\
version: 1
name: Nothing
locks: [desk]
timeout: 1h
inputs:
  day:
    type: date
    default: yesterday
  which:
    type: choice
    choices: [one, two]
    default: one
defaults:
  timeout: 30s
steps:
  - id: nothing
    bot: shop.nothing
"""
NEEDS = WORKFLOW.replace("    default: one\n", "").replace("locks: [desk]\n", "")
GOOD = "every: day at 12:00\n  if_missed: run_all"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.workflow("nothing", WORKFLOW)
    shop.workflow("needs", NEEDS)
    return shop


def found(shop: Shop, *entries: str) -> list[str]:
    """The mistakes as "line rule severity message (meant)"."""
    body = "".join(f"- {entry}\n" for entry in entries)
    lines = "\n".join(f"  {line}" for line in body.splitlines())
    text = f"version: 1\ntimezone: Europe/Berlin\nschedules:\n{lines}\n"
    (shop.folder / "schedules.yaml").write_text(text)
    problems = check_project(open_project(shop.folder), ["schedules.yaml"])
    return [
        f"{each.at.line} {each.rule} {each.severity} {each.message}{f' ({each.suggestion})' if each.suggestion else ''}"
        for each in problems
    ]


def entry(rest: str, workflow: str = "nothing") -> str:
    return f"id: a\n  workflow: {workflow}\n  {rest}"


def test_a_sound_schedule_has_no_mistake(shop: Shop) -> None:
    assert found(shop, entry(GOOD)) == []


@pytest.mark.parametrize(
    ("rest", "workflow", "said"),
    [
        (GOOD, "nothnig", '5 D02 error there is no workflow "nothnig" (nothing)'),
        ("cron: 61 2 * * *\n  if_missed: run_all", "nothing", "6 D01 error the cron line \"61 2 * * *\" can't be read"),
        ("cron: 0 0 31 2 *\n  if_missed: run_all", "nothing", '6 D01 error the cron line "0 0 31 2 *" can\'t be read'),
        (f"{GOOD}\n  calendar: bank", "nothing", '8 D01 error settings.yaml has no calendar "bank"'),
        ("mail: invoices", "nothing", '6 D02 error settings.yaml has no mail account "invoices"'),
        ("after: nothnig", "nothing", '6 D02 error there is no workflow "nothnig" that could end (nothing)'),
        ("queue: calls", "nothing", '6 D02 error there is no queue "calls"'),
        ("watch: ../inbox/*.pdf", "nothing", '6 D02 error "../inbox/*.pdf" leads out of the project'),
        ("watch: secret/*.pdf", "nothing", '6 D02 error bots may not read "secret/*.pdf"'),
        ("watch: inbox/*.pdf", "nothing", "6 D02 warning the folder inbox is not there yet"),
        (f"{GOOD}\n  with:\n    whihc: two", "nothing", '9 D02 error the workflow "nothing" has no input "whihc"'),
        (f"{GOOD}\n  with:\n    which: three", "nothing", "9 D02 error nothing: input which can be one, two"),
        (f"{GOOD}\n  with:\n    which: ${{{{ trigger.files }}}}", "nothing", '9 D02 error "every" brings no'),
        (GOOD, "needs", '4 D02 error the workflow "needs" needs the input "which"'),
        ("every: day at 12:00", "nothing", "4 D05 warning the input \"day\" is the run's own day (yesterday)"),
        ("every: 20 minutes\n  if_missed: run_all", "nothing", "6 D03 error a run may take 1:00:00 (timeout)"),
        ("every: day at 02:30\n  if_missed: run_all", "nothing", "6 D04 warning the clock of Europe/Berlin"),
    ],
)
def test_each_mistake_is_one_sentence_with_its_line(shop: Shop, rest: str, workflow: str, said: str) -> None:
    told = found(shop, entry(rest, workflow))
    assert len(told) == 1, told
    assert told[0].startswith(said), told


def test_two_schedules_that_want_one_lock_at_once(shop: Shop) -> None:
    other = entry(GOOD).replace("id: a", "id: b")
    assert len(found(shop, entry(GOOD), other.replace("12:00", "13:00"))) == 0
    (told,) = found(shop, entry(GOOD), other)
    assert told.startswith('10 D03 error b and a both need the lock "desk" at ')
