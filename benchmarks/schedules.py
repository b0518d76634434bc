"""Ten thousand schedules: how long the scheduler takes to start, and how soon a thousand that are due are queued.

    python -m benchmarks.schedules --schedules 10000 --due 1000

Beside it in the same run: bare APScheduler 3 with as many jobs in memory, its own cron trigger and a thread pool. Its
jobs only note the time; ours are in the ledger, on the disk, once. Memory is the growth of the process's peak (RSS).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SETTINGS = "version: 1\nproject: many\ntimezone: Europe/Berlin\n"
WORKFLOW = """\
version: 1
name: Nothing
overlap: allow
defaults:
  timeout: 30s
steps:
  - id: rows
    wait: 0 seconds
"""


def mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def when(number: int, due: int, at: datetime) -> datetime:
    """The first `due` are due at one moment, the others within the day after."""
    return at if number < due else at + timedelta(minutes=1 + number % 1380)


def ours(schedules: int, due: int, result: Any) -> None:
    from interoffice.engine.engine import Engine
    from interoffice.plan.project import open_project
    from interoffice.schedule.scheduler import Scheduler
    from interoffice.store import firings

    folder = Path(tempfile.mkdtemp())
    (folder / "workflows").mkdir()
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "workflows" / "nothing.yaml").write_text(WORKFLOW)
    lead = timedelta(seconds=45)
    at = (datetime.now(UTC) + lead + timedelta(minutes=1)).replace(second=0, microsecond=0)
    lines = ["version: 1", "timezone: UTC", "schedules:"]
    for number in range(schedules):
        lines += [f"  - id: s{number}", "    workflow: nothing", f"    every: day at {when(number, due, at):%H:%M}"]
    (folder / "schedules.yaml").write_text("\n".join(lines))
    before = mib()
    with Engine(open_project(folder), folder / "state") as engine:
        scheduler = Scheduler(engine, reopen=lambda: open_project(folder))
        began = time.perf_counter()
        scheduler.load()
        started = time.perf_counter() - began
        scheduler.start_due = lambda: None  # type: ignore[method-assign]  # the runs are not what is measured here
        stop = threading.Event()
        thread = threading.Thread(target=scheduler.serve, args=(stop,))
        thread.start()
        time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 20)
        memory = mib() - before
        stop.set()
        thread.join()
        found = [each for each in engine.ledger.read(lambda tx: firings.unsettled(tx, at)) if each.planned_at == at]
    late = sorted((each.noticed_at - at).total_seconds() for each in found if each.noticed_at is not None)
    result.put(("interoffice", started, len(found), len({each.schedule_id for each in found}), late, memory))


def bare(schedules: int, due: int, result: Any) -> None:
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger

    at = (datetime.now(UTC) + timedelta(seconds=105)).replace(second=0, microsecond=0)
    seen: list[tuple[int, float]] = []
    before = mib()
    began = time.perf_counter()
    scheduler = BackgroundScheduler(timezone=UTC)
    for number in range(schedules):
        moment = when(number, due, at)
        trigger = CronTrigger(hour=moment.hour, minute=moment.minute, timezone=UTC)
        scheduler.add_job(
            lambda number: seen.append((number, time.time())), trigger, args=(number,), misfire_grace_time=None
        )
    scheduler.start()
    started = time.perf_counter() - began
    time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 20)
    memory = mib() - before
    scheduler.shutdown()
    late = sorted(moment - at.timestamp() for _, moment in seen)
    result.put(("APScheduler", started, len(seen), len({number for number, _ in seen}), late, memory))


def main() -> None:
    """Both, one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=1_000)
    said = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for run in (bare, ours):
        result = context.Queue()
        process = context.Process(target=run, args=(said.schedules, said.due, result))
        process.start()
        name, started, fired, once, late, memory = result.get()
        process.join()
        p99 = late[int(len(late) * 0.99) - 1] if late else float("nan")
        print(
            f"{name:12} start {started:6.2f} s   fired {fired} of {said.due} (schedules: {once})   "
            f"late p50 {statistics.median(late or [float('nan')]) * 1000:6.0f} ms, p99 {p99 * 1000:6.0f} ms   "
            f"memory +{memory:.0f} MiB"
        )


if __name__ == "__main__":
    main()
