"""What a durable step, and a work item, cost: beside bare SQLite transactions, SQLAlchemy checkpoints, DBOS alone,
Prefect 3, Robocorp's work items, Robot Framework.

    .venv/bin/python benchmarks/engine.py [--rounds 3] [--steps 1000] [--items 1000] [--no-peers] [--json FILE]

Every durable store is on the same disk, SQLite in WAL with synchronous=FULL. Rounds alternate between the candidates,
so that a busy moment of the machine hits all of them; medians count. A step is a bot that does nothing, in a lane
process; an item is one such step in a loop of 4 lanes. Exit code 1 when a goal is missed: steps at least 3 x Prefect,
an item at most 4 x two bare durable transactions and at least 5 x faster than one DBOS workflow per item.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy
import sqlalchemy.event
from peers import PROJECT, peer

sys.path.insert(0, str(PROJECT))

from interoffice.engine.engine import Engine
from interoffice.engine.progress import Event
from interoffice.plan.making import make_plan
from interoffice.plan.project import open_project

HEAD = "version: 1\nname: No operation\nowner: nobody@example.com\ndefaults:\n  timeout: 1m\nsteps:\n"
STEP = "  - id: s{n}\n    bot: idle.nothing\n"
LOOP = """\
  - id: rows
    bot: idle.rows
    with:
      count: {count}
  - id: loop
    for_each: ${{{{ steps.rows.rows }}}}
    as: row
    key: row.number
    workers: 4
    do:
      - id: nothing
        bot: idle.nothing
"""
BOTS = '''\
"""Bots that do nothing."""

from dataclasses import dataclass
from decimal import Decimal

from interoffice.bot import bot
from interoffice.context import Context
from interoffice.model.table import Table
from interoffice.model.types import NUMBER


@dataclass(frozen=True, kw_only=True)
class Rows:
    rows: Table


@bot(effect="reads")
def nothing(ctx: Context) -> None:
    """Nothing.

    Example:
        bot: idle.nothing
    """


@bot(effect="reads", outputs={"rows": "table of number: number"})
def rows(ctx: Context, *, count: Decimal) -> Rows:
    """So many rows.

    Example:
        bot: idle.rows
        with:
          count: 3
    """
    return Rows(rows=Table.from_rows({"number": NUMBER}, ({"number": Decimal(n)} for n in range(int(count)))))
'''


def main() -> int:
    """Measure, print the table and the JSON, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--no-peers", action="store_true", help="without the systems that others wrote")
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    taken = measure(candidates(options), options.rounds)
    per_s = {name: statistics.median(rates) for name, rates in taken.items()}
    print_table(taken, per_s)
    result = {
        "rounds": options.rounds,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "per_second": {name: round(rate, 1) for name, rate in per_s.items()},
        "goals": judge(per_s),
    }
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0 if all(result["goals"].values()) else 1  # type: ignore[attr-defined]


def candidates(options: argparse.Namespace) -> dict[str, Callable[[Path], float]]:
    """What is measured, by its name in the table: gives so many a second."""
    steps, items = options.steps, options.items
    chosen: dict[str, Callable[[Path], float]] = {
        "two bare transactions": lambda folder: bare(folder, steps),
        "sqlalchemy checkpoints": lambda folder: checkpoints(folder, steps),
        "interoffice step": lambda folder: our_steps(folder, steps),
        "interoffice item, 4 lanes": lambda folder: our_items(folder, items),
    }
    if options.no_peers:
        return chosen
    return chosen | {
        "prefect task": lambda folder: other(folder, "prefect_steps.py", steps),
        "robocorp work item (no state)": lambda folder: other(folder, "robocorp_items.py", items),
        "robot keyword (not durable)": lambda folder: other(folder, "robot_steps.py", steps),
        "dbos workflow per item": lambda folder: dbos_items(folder, max(50, items // 10)),
    }


def measure(chosen: Mapping[str, Callable[[Path], float]], rounds: int) -> dict[str, list[float]]:
    """Rates of each round by name."""
    taken: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, work in chosen.items():
            with tempfile.TemporaryDirectory(dir=PROJECT / "benchmarks") as folder:
                taken[name].append(work(Path(folder)))
    return taken


def bare(folder: Path, count: int) -> float:
    """Two durable transactions per step, one insert and one update: what a checkpoint can't cost less than."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE steps (number INTEGER PRIMARY KEY, state TEXT, outputs TEXT)")
    began = time.perf_counter()
    for number in range(count):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO steps VALUES (?, 'running', NULL)", (number,))
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE steps SET state = 'succeeded', outputs = '{}' WHERE number = ?", (number,))
        connection.execute("COMMIT")
    rate = count / (time.perf_counter() - began)
    connection.close()
    return rate


def checkpoints(folder: Path, count: int) -> float:
    """The same two transactions by SQLAlchemy Core: checkpoints as most write them by hand."""
    engine = sqlalchemy.create_engine(f"sqlite:///{folder}/checkpoints.db")
    sqlalchemy.event.listen(engine, "connect", durable)
    table = sqlalchemy.Table(
        "steps",
        sqlalchemy.MetaData(),
        sqlalchemy.Column("number", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("state", sqlalchemy.Text),
        sqlalchemy.Column("outputs", sqlalchemy.Text),
    )
    table.metadata.create_all(engine)
    began = time.perf_counter()
    for number in range(count):
        with engine.begin() as connection:
            connection.execute(table.insert().values(number=number, state="running"))
        with engine.begin() as connection:
            connection.execute(table.update().where(table.c.number == number).values(state="succeeded", outputs="{}"))
    rate = count / (time.perf_counter() - began)
    engine.dispose()
    return rate


def durable(connection: sqlite3.Connection, _: object) -> None:
    """WAL, and an fsync at each commit."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def our_steps(folder: Path, count: int) -> float:
    """Written steps, one bot each; from the end of the first to the end of the last."""
    text = HEAD + "".join(STEP.format(n=number) for number in range(count + 1))
    seen = walked(folder, text)
    return count / (seen["step_ended", f"s{count}"] - seen["step_ended", "s0"])


def our_items(folder: Path, count: int) -> float:
    """Items of one loop in 4 lanes; from the loop's begin to its end, its results written."""
    seen = walked(folder, HEAD + LOOP.format(count=count))
    return count / (seen["step_ended", "loop"] - seen["loop_began", "loop"])


def walked(folder: Path, text: str) -> dict[tuple[str, str], float]:
    """A run of this workflow; when each thing happened first."""
    for name in ("workflows", "bots/back_office"):
        (folder / name).mkdir(parents=True)
    (folder / "settings.yaml").write_text("version: 1\ntimezone: UTC\n", encoding="utf-8")
    (folder / "workflows" / "idle.yaml").write_text(text, encoding="utf-8")
    (folder / "bots" / "back_office" / "idle.py").write_text(BOTS, encoding="utf-8")
    project, seen = open_project(folder), dict[tuple[str, str], float]()

    def hear(event: Event) -> None:
        seen.setdefault((event.name, event.path), time.perf_counter())

    with Engine(project, folder / "state") as engine:
        plan = make_plan(project, "idle", {}, planned=datetime.now(UTC), started_by="benchmark")
        run_id = engine.start(plan)
        state = engine.drive(run_id, hear)
        if state != "succeeded":
            sys.exit(f"the run {state}: {engine.ledger.run(run_id).error}")
    return seen


def other(folder: Path, program: str, count: int) -> float:
    """A peer in its own environment; it says how many seconds its own work took."""
    said = {"PREFECT_HOME": str(folder), "PREFECT_LOGGING_LEVEL": "ERROR", "DO_NOT_TRACK": "1"}
    said["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"
    if program.startswith("prefect"):
        said["PYTHONPATH"] = str(PROJECT / "benchmarks" / "engine_peers" / "prefect_shim")
    environment = {**os.environ, **said}
    command = [peer("python"), str(PROJECT / "benchmarks" / "engine_peers" / program), str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    return count / _seconds(program, ended)


def _seconds(name: str, ended: subprocess.CompletedProcess[str]) -> float:
    said = [line for line in ended.stdout.splitlines() if line.startswith("seconds ")]
    if not said:
        sys.exit(f"{name} failed: {ended.stderr[-2000:]}")
    return float(said[-1].split()[1])


DBOS_ITEMS = """
import sys, time
from dbos import DBOS
@DBOS.step()
def nothing(): pass
@DBOS.workflow()
def item(number): nothing()
DBOS(config={"name": "items", "system_database_url": f"sqlite:///{sys.argv[1]}/dbos.db", "log_level": "ERROR"})
DBOS.launch()
DBOS.register_queue("items", worker_concurrency=4, polling_interval_sec=0.01)
DBOS.enqueue_workflow("items", item, -1).get_result()
began = time.perf_counter()
handles = [DBOS.enqueue_workflow("items", item, number) for number in range(int(sys.argv[2]))]
for handle in handles:
    handle.get_result()
print("seconds", time.perf_counter() - began, flush=True)
import os; os._exit(0)
"""


def dbos_items(folder: Path, count: int) -> float:
    """One queued DBOS workflow with one step per item, 4 at a time, its queue polled each 10 ms, WAL and FULL."""
    with sqlite3.connect(folder / "dbos.db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    command = [sys.executable, "-c", DBOS_ITEMS, str(folder), str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return count / _seconds("DBOS", ended)


def print_table(taken: Mapping[str, list[float]], per_s: Mapping[str, float]) -> None:
    """One line per candidate: so many a second, milliseconds each, and how it stands to two bare transactions."""
    floor = per_s["two bare transactions"]
    print(f"{'':<30}{'a second':>10}{'ms each':>10}{'x bare':>8}   rounds")
    for name, rates in taken.items():
        rounds = " ".join(f"{rate:.0f}" for rate in rates)
        print(f"{name:<30}{per_s[name]:>10.0f}{1000 / per_s[name]:>10.2f}{floor / per_s[name]:>8.2f}   {rounds}")


def judge(per_s: Mapping[str, float]) -> dict[str, bool]:
    """The goals, and whether they are met."""
    item, floor = per_s["interoffice item, 4 lanes"], per_s["two bare transactions"]
    goals = {"an item at most 4 x two bare durable transactions": floor / item <= 4}
    if "prefect task" in per_s:
        goals["steps at least 3 x Prefect"] = per_s["interoffice step"] >= 3 * per_s["prefect task"]
        goals["an item at least 5 x faster than one DBOS workflow"] = item >= 5 * per_s["dbos workflow per item"]
    return goals


if __name__ == "__main__":
    sys.exit(main())
