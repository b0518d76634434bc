"""settings.yaml and schedules.yaml: the samples, and their mistakes one by one."""

from __future__ import annotations

import datetime

import pytest

from interoffice.errors import MistakesFound
from interoffice.loader.schedules import load_schedules, load_schedules_with_problems
from interoffice.loader.settings import load_settings, load_settings_with_problems
from interoffice.model.values import Duration

from .samples import text_of

SETTINGS = text_of("settings.yaml")
SCHEDULES = text_of("schedules.yaml")


def test_the_sample_settings_are_read_whole() -> None:
    settings = load_settings(SETTINGS, "settings.yaml")
    assert (settings.timezone, settings.calendar, settings.environment) == (
        "Europe/Berlin",
        "de_banking_days",
        "practice",
    )
    calendar = settings.calendar_setting()
    assert calendar is not None and calendar.also_closed[0] == datetime.date(2026, 12, 24)
    server = settings.mail_server()
    assert server is not None and server.imap == "practice:imap" and server.only_to == ("*@example.com",)
    assert settings.mail_server("live") is not None
    assert settings.mail.accounts["invoices"].trusted_senders == ("mail.example.com",)
    assert [person.id for person in settings.members("sales-managers")] == ["anna", "bilal"]
    away = settings.people["emma"].away
    assert away is not None and away.instead == "bilal"
    assert settings.release_limits[1].up_to == {"finance-approvers": "50000", "heads-of-finance": "500000"}
    assert settings.files.largest_bytes == 50_000_000
    assert settings.retention.audit is None and settings.retention.runs == Duration(days=400)
    assert settings.limits.failures_in_a_row == 5
    found = settings.person_by_email(" Anna.Berg@EXAMPLE.com ")
    assert found is not None and found.id == "anna"


def test_settings_that_say_nothing_have_defaults() -> None:
    settings = load_settings("version: 1\n", "settings.yaml")
    assert settings.mail_server() is None and settings.calendar_setting() is None
    assert settings.timezone == "UTC"


@pytest.mark.parametrize(
    ("right", "wrong", "rule", "meant"),
    [
        ("timezone: Europe/Berlin", "timezone: Europe/Berln", "S05", "Europe/Berlin"),
        ("timezone: Europe/Berlin", "timezone: ../etc/passwd", "S05", None),
        ("timezone: Europe", "timezon: Europe", "S01", "timezone"),
        ("calendar: de_banking_days", "calendar: de_bank_days", "R09", "de_banking_days"),
        ("environment: practice", "environment: practise", "R05", "practice"),
        ("    mail: live", "    mail: lief", "R05", "live"),
        ("send_from: office", "send_from: ofice", "R05", "office"),
        ("instead: bilal", "instead: bilall", "R05", "bilal"),
        ("sales-managers: [anna, bilal]", "sales-managers: [anna, bilall]", "R05", "bilal"),
        ("heads-of-service: [emma]", "heads-of-service: []", "S06", None),
        ("      sales-managers: 250000", "      sales-manager: 250000", "R05", "sales-managers"),
        ("      sales-managers: 250000", "      sales-managers: a lot", "S05", None),
        ("date_format: dd.MM.yyyy", "date_format: tt.mm.jjjj", "S05", None),
        ("number_format: 1.234,56", "number_format: 1,2", "S05", None),
        ("imap: practice:imap", "imap: http://mail.example.com", "S05", None),
        ("largest: 50 MB", "largest: 50 pigs", "S05", None),
        ("      - 2026-12-24", "      - 24.12.2026", "S05", None),
        ("to: 2027-01-03", "to: 2026-01-03", "S05", None),
        ("email: bilal.demir@example.com", "email: bilal.demir", "S05", None),
        ("email: bilal.demir@example.com", "email: Anna.Berg@example.com", "S04", None),
        ("write: [data,", "write: [/etc,", "S05", None),
        ("write: [data,", "write: [data/../..,", "S05", None),
        ("use: full", "use: ful", "S05", "full"),
        ("runs_at_once: 4", "runs_at_once: 0", "S05", None),
        ("runs: 400 days", "runs: for ever", "S05", None),
        ("version: 1", "version: 2", "S07", "1"),
        ("      credential: office_mailbox\n", "", "S02", None),
    ],
)
def test_one_mistake_in_the_settings_gives_one_message_on_its_line(
    right: str, wrong: str, rule: str, meant: str | None
) -> None:
    at = SETTINGS.index(right)
    text = SETTINGS[:at] + wrong + SETTINGS[at + len(right) :]
    _, problems = load_settings_with_problems(text, "settings.yaml")
    assert [problem.rule for problem in problems] == [rule]
    if rule != "S02":
        assert problems[0].at.line == SETTINGS.count("\n", 0, at) + 1
    assert problems[0].suggestion == meant
    with pytest.raises(MistakesFound):
        load_settings(text, "settings.yaml")


def test_a_person_who_is_not_there_is_named_once_however_often_it_is_used() -> None:
    _, problems = load_settings_with_problems(SETTINGS.replace("  emma:\n", "  emna:\n", 1), "settings.yaml")
    assert [(problem.rule, problem.suggestion) for problem in problems] == [("R05", "emna")]


def test_the_sample_schedules_are_read_whole() -> None:
    schedules = load_schedules(SCHEDULES, "schedules.yaml").schedules
    assert len(schedules) == 16
    by_id = {schedule.id: schedule for schedule in schedules}
    assert by_id["won_deals_morning"].if_missed == "run_all"
    assert by_id["invoices_in_office_hours"].between == ("08:00", "18:00")
    assert by_id["invoices_in_office_hours"].inputs == {"approve_above": "500"}
    assert (by_id["callbacks"].trigger, by_id["callbacks"].when) == ("queue", "callbacks")
    assert (by_id["scans"].trigger, by_id["scans"].one_run_per) == ("watch", "batch")
    assert not by_id["invoices_on_arrival"].enabled


@pytest.mark.parametrize(
    ("right", "wrong", "rule", "meant"),
    [
        ("every: business day at 06:30", "every: busines day at 6.30", "D01", "business day at 06:30"),
        ("every: 20 minutes", "every: 20 minuts", "D01", "20 minutes"),
        ("every: 20 minutes", "cron: 1 2 3", "D01", None),
        ("every: 20 minutes", "evry: 20 minutes", "S01", "every"),
        ("every: 20 minutes", "every: 20 minutes\n    watch: x", "S03", None),
        ('["08:00", "18:00"]', '["08:00"]', "D01", None),
        ('["08:00", "18:00"]', '["8 am", "18:00"]', "D01", None),
        ("days: business", "days: busines", "D01", "business"),
        ("timezone: Europe/Berlin", "timezone: Europe/Berln", "D01", "Europe/Berlin"),
        ("if_missed: skip", "if_missed: skipp", "S05", "skip"),
        ("catch_up_window: 5 days", "catch_up_window: 5 dais", "S05", None),
        ('must_finish_by: "07:00"', "must_finish_by: 7 o'clock", "D01", None),
        ("min_items: 1", "days: business", "S01", None),
        ("enabled: false", "enabled: never", "S05", None),
        ("id: recon_nightly", "id: chats", "S04", None),
    ],
)
def test_one_mistake_in_the_schedules_gives_one_message(right: str, wrong: str, rule: str, meant: str | None) -> None:
    _, problems = load_schedules_with_problems(SCHEDULES.replace(right, wrong, 1), "schedules.yaml")
    assert [problem.rule for problem in problems] == [rule]
    assert problems[0].suggestion == meant
