"""Schedules: planned times and triggers become runs, each once, through outages, set-back clocks and two schedulers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interoffice.engine.clock import SystemClock
from interoffice.engine.engine import Engine
from interoffice.errors import InterofficeError, ProjectError
from interoffice.model.work import RunState
from interoffice.office import Office
from interoffice.plan.project import open_project
from interoffice.schedule.alarms import lines, wanting
from interoffice.schedule.arrivals import FilesArrive
from interoffice.schedule.scheduler import Scheduler
from interoffice.store import firings, queues
from interoffice.store.queues import NewEntry
from interoffice.testing.ground import wait_until
from tests.support.shop import Shop, make_shop

START = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # a Monday, 06:00 in Berlin
NOTHING = """\
version: 1
name: Nothing
defaults:
  timeout: 30s
overlap: allow
inputs:
  which:
    type: text
    default: none
  scans:
    type: file
    many: true
    default: []
steps:
  - id: nothing
    bot: shop.nothing
"""


class SetClock(SystemClock):
    """A clock that the test sets."""

    def __init__(self, now: datetime) -> None:
        self.at, self.passed = now, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def on(self, **by: float) -> None:
        """Time passes."""
        self.at += timedelta(**by)
        self.passed += timedelta(**by).total_seconds()

    def back(self, **by: float) -> None:
        """Somebody sets the clock back; the time that passes goes on."""
        self.at -= timedelta(**by)
        self.passed += 60


class Desk:
    """A shop with a scheduler on a clock of its own."""

    def __init__(self, shop: Shop, clock: SetClock) -> None:
        self.shop, self.clock, self.said = shop, clock, list[str]()
        self.engine = Engine(open_project(shop.folder), shop.state, clock=clock, in_process=True)
        self.scheduler = Scheduler(self.engine, reopen=lambda: open_project(shop.folder), say=self.said.append)
        self.scheduler.load()

    def round(self) -> None:
        """Everything is gone through once."""
        self.scheduler.load()
        self.scheduler.fire()
        self.scheduler.look()
        self.scheduler.start_due()

    def fired(self, id: str, state: str | None = None) -> list[datetime]:
        """The planned times of a schedule's firings, in order."""
        found = self.engine.ledger.read(lambda tx: firings.of_schedule(tx, id, 10_000))
        return sorted(each.planned_at for each in found if state in (None, each.state))

    def close(self) -> None:
        self.scheduler.close()
        self.engine.close()


@contextmanager
def a_desk(shop: Shop, clock: SetClock) -> Iterator[Desk]:
    desk = Desk(shop, clock)
    try:
        yield desk
    finally:
        desk.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.workflow("nothing", NOTHING)
    return shop


def schedules(shop: Shop, text: str) -> None:
    body = "\n".join(f"  {line}" for line in text.strip("\n").splitlines())
    (shop.folder / "schedules.yaml").write_text(f"version: 1\ntimezone: Europe/Berlin\nschedules:\n{body}\n")


DAILY = """
- id: daily
  workflow: nothing
  every: day at 06:30
  if_missed: {if_missed}
  {more}
"""


def test_a_planned_time_becomes_one_run_that_stands_for_it(shop: Shop) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more=""))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        assert desk.fired("daily") == []
        clock.on(minutes=30, seconds=2)
        for _ in range(3):
            desk.round()
        (run,) = desk.engine.ledger.runs()
        assert run.planned_at == START + timedelta(minutes=30)
        assert run.started_by == "schedule daily"
        assert run.state is RunState.QUEUED
        assert desk.engine.drive(run.run_id) is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("if_missed", "more", "caught_up"),
    [
        ("skip", "", []),
        ("run_once", "", [25]),
        ("run_all", "", [23, 24, 25]),
        ("run_all", "catch_up_window: 2 days", [24, 25]),
    ],
)
def test_after_an_outage_of_three_days(shop: Shop, if_missed: str, more: str, caught_up: list[int]) -> None:
    schedules(shop, DAILY.format(if_missed=if_missed, more=more))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
    clock.on(days=3)  # Thursday 06:00: 06:30 of Monday to Wednesday are over
    for _ in range(2):  # and a scheduler that starts again finds nothing more
        with a_desk(shop, clock) as desk:
            desk.round()
            assert [moment.day for moment in desk.fired("daily", "started")] == caught_up
            assert len(desk.fired("daily")) == 3
            clock.on(minutes=30, seconds=10)
            desk.round()
            caught_up = sorted({*caught_up, 26})
            assert [moment.day for moment in desk.fired("daily", "started")] == caught_up
            break


def test_a_clock_that_is_set_back_repeats_nothing(shop: Shop) -> None:
    schedules(shop, "- id: often\n  workflow: nothing\n  every: 20 minutes\n  if_missed: run_all\n")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        for _ in range(6):
            clock.on(minutes=20)
            desk.round()
        before = desk.fired("often")
        assert before == [START + timedelta(minutes=20 * n) for n in range(1, 7)]
        clock.back(hours=1)
        for _ in range(3):
            desk.round()
            clock.on(minutes=20)
        assert desk.fired("often") == before
        clock.on(minutes=20)
        desk.round()
        assert desk.fired("often") == [*before, before[-1] + timedelta(minutes=20)]
        assert len(desk.engine.ledger.runs(limit=100)) == 7


def test_two_schedulers_fire_each_time_once(shop: Shop) -> None:
    schedules(
        shop,
        "\n".join(f"- id: s{n}\n  workflow: nothing\n  every: 10 minutes\n  if_missed: run_all" for n in range(20)),
    )
    with a_desk(shop, SetClock(START)) as one, a_desk(shop, SetClock(START)) as two:
        for _ in range(3):
            threads = []
            for desk in (one, two):
                desk.clock.on(minutes=10)
                threads.append(threading.Thread(target=desk.round))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        runs = one.engine.ledger.runs(limit=1000)
        stands_for = [(run.started_by, run.planned_at) for run in runs]
        assert len(stands_for) == len(set(stands_for)) == 60


def test_a_file_is_taken_when_it_is_settled_and_whole_and_its_content_once(shop: Shop) -> None:
    inbox = shop.folder / "inbox"
    inbox.mkdir()
    entry = "- id: scans\n  workflow: nothing\n  watch: inbox/*.pdf\n  settle: 5s\n"
    entry += "  with:\n    which: ${{ trigger.file }}"
    schedules(shop, entry)
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        (inbox / "a.pdf").write_bytes(b"%PDF-1.4 half of")
        for _ in range(4):
            desk.round()
            clock.on(seconds=4)
        assert desk.fired("scans") == []
        (inbox / "a.pdf").write_bytes(b"%PDF-1.4 whole\n%%EOF\n")
        desk.round()
        clock.on(seconds=4)
        desk.round()
        assert desk.fired("scans") == []
        clock.on(seconds=2)
        desk.round()
        (run,) = desk.engine.ledger.runs()
        assert desk.engine.ledger.plan(run.run_id).count("inbox/a.pdf") == 1
        (inbox / "again.pdf").write_bytes((inbox / "a.pdf").read_bytes())
        for _ in range(4):
            clock.on(seconds=4)
            desk.round()
        assert len(desk.fired("scans")) == 1
    with a_desk(shop, clock) as desk:  # nor does a scheduler that starts again take it
        for _ in range(4):
            clock.on(seconds=4)
            desk.round()
        assert len(desk.fired("scans")) == 1


def test_files_of_a_batch_go_into_one_run(shop: Shop) -> None:
    inbox = shop.folder / "inbox"
    inbox.mkdir()
    schedules(
        shop,
        "- id: scans\n  workflow: nothing\n  watch: inbox/*.txt\n  settle: 1s\n  one_run_per: batch\n"
        "  with:\n    scans: ${{ trigger.files }}",
    )
    for name in ("b.txt", "a.txt", "c.txt"):
        (inbox / name).write_text(name)
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        for _ in range(4):
            desk.round()
            clock.on(seconds=2)
        (run,) = desk.engine.ledger.runs()
        assert [each in desk.engine.ledger.plan(run.run_id) for each in ("a.txt", "b.txt", "c.txt")] == [True] * 3
        assert desk.engine.drive(run.run_id) is RunState.SUCCEEDED


def test_a_folder_that_is_away_is_told_and_the_others_go_on(shop: Shop) -> None:
    schedules(
        shop,
        "- id: away\n  workflow: nothing\n  watch: inbox/nowhere/*.txt\n"
        "- id: daily\n  workflow: nothing\n  every: day at 06:30\n",
    )
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        clock.on(minutes=30, seconds=10)
        desk.round()
        known = desk.engine.ledger.read(lambda tx: firings.schedule(tx, "away"))
        assert known is not None
        assert known.problem == "the folder inbox/nowhere that is watched is not there"
        assert len(desk.fired("daily")) == 1
        alarms = wanting(desk.engine.ledger, desk.scheduler.tables, clock.now(), armed_at=START)
        assert [alarm.kind for alarm in alarms] == ["dead"]
        (shop.folder / "inbox" / "nowhere").mkdir(parents=True)
        clock.on(minutes=1)
        desk.round()
        assert wanting(desk.engine.ledger, desk.scheduler.tables, clock.now(), armed_at=START) == []


def test_a_queue_that_fills_starts_as_many_runs_as_allowed(shop: Shop) -> None:
    (shop.folder / "tables" / "calls.yaml").write_text(
        "version: 1\nname: Calls\nqueue: true\nkey: call\nkeep: 30 days\n"
        "columns:\n  call:\n    type: text\n    required: true\n"
    )
    schedules(shop, "- id: calls\n  workflow: nothing\n  queue: calls\n  min_items: 2\n  max_runs: 1")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:

        def put(key: str) -> None:
            entry = NewEntry(key=key, row={"call": key})
            desk.engine.ledger.write(
                lambda tx: queues.add(tx, "calls", [entry], clock.now(), added_by="test", keep=timedelta(days=30))
            )

        put("1")
        desk.round()
        assert desk.fired("calls") == []
        put("2")
        for _ in range(3):
            clock.on(seconds=2)
            desk.round()
        assert len(desk.fired("calls")) == 1  # the first has not ended yet
        desk.engine.drive(desk.engine.ledger.runs()[0].run_id)
        clock.on(seconds=2)
        desk.round()
        assert len(desk.fired("calls")) == 1  # it took nothing, and nothing is new
        put("3")
        clock.on(seconds=2)
        desk.round()
        assert len(desk.fired("calls")) == 2


def test_a_run_that_ends_well_starts_the_next_workflow_for_the_same_moment(shop: Shop) -> None:
    shop.workflow("next", NOTHING)
    schedules(shop, "- id: then\n  workflow: next\n  after: nothing")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        clock.on(minutes=1)
        run_id = desk.engine.start(shop.plan("nothing", planned=START))
        desk.round()
        assert desk.fired("then") == []
        desk.engine.drive(run_id)
        for _ in range(3):
            clock.on(seconds=2)
            desk.round()
        assert desk.fired("then") == [START]


def test_a_broken_entry_is_left_out_and_a_broken_file_leaves_what_was_armed(shop: Shop) -> None:
    good = DAILY.format(if_missed="skip", more="")
    schedules(shop, f"{good}\n- id: lost\n  workflow: nothnig\n  every: day at 07:00\n")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        assert list(desk.scheduler.tables.armed) == ["daily"]
        assert 'schedules.yaml:11 D02 there is no workflow "nothnig"' in desk.scheduler.tables.left_out["lost"]
        (shop.folder / "schedules.yaml").write_text("version: 1\nschedules: [")
        desk.round()
        assert any("is not taken, what was armed before stays" in line for line in desk.said)
        clock.on(minutes=30, seconds=10)
        desk.round()
        assert len(desk.fired("daily")) == 1
        schedules(shop, good.replace("06:30", "06:45"))
        clock.on(minutes=20)
        desk.round()
        assert len(desk.fired("daily")) == 2  # what the new file plans is not lost either


def test_a_first_file_that_is_broken_is_refused(shop: Shop) -> None:
    (shop.folder / "schedules.yaml").write_text("version: 1\nschedules: [")
    with pytest.raises(InterofficeError):
        Desk(shop, SetClock(START))


def test_a_run_that_can_not_be_made_is_said_once_and_is_an_alarm(shop: Shop) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more="late_after: 10m"))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        shop.workflow("nothing", NOTHING.replace("shop.nothing", "shop.nothnig"))
        clock.on(minutes=30, seconds=10)
        desk.round()
        desk.scheduler.raise_alarms()
        desk.scheduler.raise_alarms()
        assert desk.fired("daily", "failed") == [START + timedelta(minutes=30)]
        told = [line for line in desk.said if line.startswith("ALARM")]
        assert len(told) == 1
        assert "could not be started: workflows/nothing.yaml:16 B01" in told[0]


def test_late_and_unfinished_runs_are_alarms(shop: Shop) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more='late_after: 10m\n  must_finish_by: "07:00"'))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        clock.on(minutes=30, seconds=10)
        desk.round()
        desk.scheduler.raise_alarms()
        assert desk.engine.ledger.read(firings.alarms) == ()
        for minutes in (10, 20, 0):
            clock.on(minutes=minutes)
            desk.round()
            desk.scheduler.raise_alarms()
        kinds = sorted(each.kind for each in desk.engine.ledger.read(firings.alarms))
        assert kinds == ["late", "unfinished"]


def test_a_paused_schedule_waits_and_catches_up_as_it_says(shop: Shop) -> None:
    schedules(shop, DAILY.format(if_missed="run_all", more=""))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.engine.ledger.write(lambda tx: firings.pause(tx, "daily", "anna", clock.now()))
        clock.on(days=2)
        desk.round()
        assert desk.fired("daily") == []
        desk.engine.ledger.write(lambda tx: firings.resume(tx, "daily"))
        clock.on(seconds=31)
        desk.round()
        assert [moment.day for moment in desk.fired("daily", "started")] == [23, 24]


def test_a_scheduled_run_that_fails_is_an_alarm(shop: Shop) -> None:
    shop.workflow("nothing", NOTHING.replace("bot: shop.nothing", "bot: shop.fail\n    with:\n      why: a test"))
    schedules(shop, DAILY.format(if_missed="skip", more=""))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        clock.on(minutes=30, seconds=10)
        desk.round()
        (run,) = desk.engine.ledger.runs()
        assert desk.engine.drive(run.run_id) is RunState.FAILED
        (alarm,) = wanting(desk.engine.ledger, desk.scheduler.tables, clock.now(), armed_at=START)
        assert alarm.kind == "run_failed"
        assert f"has failed; see: runner.py show {run.run_id}" in alarm.said


def test_a_scheduler_that_can_not_write_tries_again_and_says_so_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more=""))
    stop, tries = threading.Event(), list[int]()
    with a_desk(shop, SetClock(START)) as desk:
        monkeypatch.setattr("interoffice.schedule.scheduler.AGAIN_S", 0.01)

        def look() -> None:
            tries.append(1)
            if len(tries) < 4:
                raise ProjectError("The disk is full.")
            stop.set()

        monkeypatch.setattr(desk.scheduler, "look", look)
        desk.scheduler.serve(stop)
        assert len(tries) == 4
        told = [line for line in desk.said if "disk" in line]
        assert told == ["can't go on just now, tries again: The disk is full."]


def test_a_fault_of_the_scheduler_ends_the_daemon_instead_of_leaving_it_dead(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more=""))

    def broken(self: Scheduler) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(Scheduler, "look", broken)
    stop = threading.Event()
    with pytest.raises(ZeroDivisionError):
        desk = Office(shop.folder).daemons
        desk.serve(stop, threading.Event(), say=lambda line: None, environment=None, work=False)
    assert stop.is_set()


def test_what_was_planned_while_it_was_switched_off_is_nothing_missed(shop: Shop) -> None:
    on = DAILY.format(if_missed="run_all", more="")
    schedules(shop, on)
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        schedules(shop, DAILY.format(if_missed="run_all", more="enabled: false"))
        clock.on(seconds=2)
        desk.round()
    clock.on(days=30)
    with a_desk(shop, clock) as desk:
        desk.round()
        schedules(shop, on)
        clock.on(seconds=2)
        desk.round()
        assert desk.fired("daily") == []
        clock.on(minutes=30)
        desk.round()
        assert [(moment.month, moment.day) for moment in desk.fired("daily", "started")] == [(12, 23)]


def test_an_entry_that_is_broken_for_a_while_catches_up_when_it_is_mended(shop: Shop) -> None:
    schedules(shop, DAILY.format(if_missed="run_all", more=""))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        (shop.folder / "workflows" / "nothing.yaml").rename(shop.folder / "away.yaml")
        schedules(shop, DAILY.format(if_missed="run_all", more="jitter: 1s"))
        clock.on(days=2)
        desk.round()
        assert "D02" in desk.scheduler.tables.left_out["daily"]
        assert desk.fired("daily") == []
        (shop.folder / "away.yaml").rename(shop.folder / "workflows" / "nothing.yaml")
        clock.on(seconds=31)  # no file of the schedules' own has changed
        desk.round()
        assert [moment.day for moment in desk.fired("daily", "started")] == [23, 24]


def test_broken_settings_leave_what_was_armed_and_it_goes_on_firing(shop: Shop) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more=""))
    clock = SetClock(START)
    settings = shop.folder / "settings.yaml"
    good = settings.read_text()
    with a_desk(shop, clock) as desk:
        desk.round()
        settings.write_text(good + "people: [")
        clock.on(minutes=30, seconds=5)
        desk.round()
        assert len(desk.fired("daily")) == 1
        assert sum("is not taken, what was armed before stays" in line for line in desk.said) == 1
        settings.write_text(good)


def test_a_mistake_at_the_margin_behind_the_list_is_the_file_s_own(shop: Shop) -> None:
    good = DAILY.format(if_missed="skip", more="")
    schedules(shop, good)
    with a_desk(shop, SetClock(START)) as desk:
        text = (shop.folder / "schedules.yaml").read_text()
        (shop.folder / "schedules.yaml").write_text(text + "alarms_to: [ana]\n")
        desk.scheduler.load()
        assert list(desk.scheduler.tables.armed) == ["daily"]
        assert desk.scheduler.tables.left_out == {}
        assert 'no person and no group "ana"' in desk.said[-1]


def test_a_trigger_that_hangs_holds_up_nobody_and_is_an_alarm(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.folder / "inbox").mkdir()
    files = "- id: files\n  workflow: nothing\n  watch: inbox/*.txt\n"
    schedules(shop, files + DAILY.format(if_missed="skip", more=""))
    let_go, stop, clock = threading.Event(), threading.Event(), SetClock(START)

    def hang(self: FilesArrive, now: datetime, monotonic: float) -> list[firings.Firing]:
        let_go.wait(60)
        return []

    monkeypatch.setattr(FilesArrive, "look", hang)
    with a_desk(shop, clock) as desk:
        thread = threading.Thread(target=desk.scheduler.serve, args=(stop,))
        thread.start()
        try:
            clock.on(minutes=30, seconds=5)
            wait_until(lambda: len(desk.fired("daily", "started")) == 1, "the daily one fires", 20)
            clock.on(minutes=5)
            wait_until(lambda: [a.kind for a in desk.engine.ledger.read(firings.alarms)] == ["dead"], "it is told", 20)
        finally:
            let_go.set()
            stop.set()
            thread.join()
        assert "its last look has not come back" in desk.engine.ledger.read(firings.alarms)[0].said


def test_a_file_that_could_not_be_recorded_is_taken_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.folder / "inbox").mkdir()
    (shop.folder / "inbox" / "a.txt").write_text("a")
    schedules(shop, "- id: files\n  workflow: nothing\n  watch: inbox/*.txt\n  settle: 1s")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        clock.on(seconds=2)
        with monkeypatch.context() as full:
            full.setattr("interoffice.schedule.scheduler.record", refuse)
            desk.round()
        assert desk.fired("files") == []
        clock.on(seconds=2)
        desk.round()
        assert len(desk.fired("files", "started")) == 1


def refuse(*args: object) -> int:
    raise ProjectError("The disk is full.")


def test_a_run_that_the_machine_does_not_let_start_is_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    schedules(shop, DAILY.format(if_missed="skip", more=""))
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        with monkeypatch.context() as full:
            full.setattr("interoffice.schedule.scheduler.start", lambda *args, **named: refuse())
            clock.on(minutes=30, seconds=5)
            desk.round()
            clock.on(seconds=11)
            desk.round()
        assert sum("yet, tries again: The disk is full." in line for line in desk.said) == 1
        clock.on(seconds=11)
        desk.round()
        assert len(desk.fired("daily", "started")) == 1
        assert desk.fired("daily", "failed") == []


def test_alarms_of_one_kind_are_one_line(shop: Shop) -> None:
    schedules(shop, "- id: often\n  workflow: nothing\n  every: 20 minutes\n")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        desk.round()
        clock.on(days=3)
        desk.round()
        found = wanting(desk.engine.ledger, desk.scheduler.tables, clock.now(), armed_at=clock.now())
        assert len(found) == 216 - 1
        (line,) = lines(found)
        assert line.endswith("it is not caught up (if_missed: skip) (and 214 more like it)")


def test_a_queue_that_is_worked_in_parts_goes_on_at_once(shop: Shop) -> None:
    (shop.folder / "tables" / "calls.yaml").write_text(
        "version: 1\nname: Calls\nqueue: true\nkey: call\nkeep: 30 days\n"
        "columns:\n  call:\n    type: text\n    required: true\n"
    )
    shop.workflow("nothing", TAKES)
    schedules(shop, "- id: calls\n  workflow: nothing\n  queue: calls")
    clock = SetClock(START)
    with a_desk(shop, clock) as desk:
        entries = [NewEntry(key=str(number), row={"call": str(number)}) for number in range(6)]
        desk.engine.ledger.write(
            lambda tx: queues.add(tx, "calls", entries, clock.now(), added_by="test", keep=timedelta(days=30))
        )
        for number in range(1, 4):
            clock.on(seconds=2)
            desk.round()
            assert len(desk.fired("calls")) == number
            assert desk.engine.drive(desk.engine.ledger.runs()[0].run_id) is RunState.SUCCEEDED
        clock.on(seconds=2)
        desk.round()
        assert len(desk.fired("calls")) == 3


TAKES = """\
version: 1
name: Takes two calls
defaults:
  timeout: 30s
steps:
  - id: calls
    for_each: queue calls
    as: call
    at_most: 2
    do:
      - id: nothing
        bot: shop.nothing
"""
