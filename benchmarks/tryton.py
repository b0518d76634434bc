"""Customers and sale orders from an export into Tryton's web client, checked through the server's own API.

    .venv/bin/python benchmarks/tryton.py [--customers 50] [--orders 10] [--delay MS] [--rounds 2] [--json FILE]

Tryton 8.0 is brought up from its packages (npm must be there; about 80 s the first time). Each round has a fresh
database and a project of its own: customers_to_tryton by the real command line, every customer and order compared with
what model.party.party.search_read and its like say, then the workflow a second time, which must enter nothing.
`--delay`: every request to the server waits so long. Exit code 1 when anything is missing, doubled or wrong.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from peers import PROJECT

sys.path.insert(0, str(PROJECT))

from tests.support.tryton.delay import delayed
from tests.support.tryton.project import TrytonProject
from tests.support.tryton.rig import DATABASE, Tryton


def main() -> int:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=50)
    parser.add_argument("--orders", type=int, default=10)
    parser.add_argument("--delay", type=int, default=0, metavar="MS")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    if shutil.which("npm") is None:
        sys.exit("npm is not installed, which brings Tryton's web client: apt-get install npm")
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            rounds.append(one_round(Path(folder) / str(number), options))
            print(json.dumps(rounds[-1], ensure_ascii=False), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rounds, indent=1), encoding="utf-8")
    return 0 if all(not each["wrong"] for each in rounds) else 1


def one_round(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """One export into a fresh database, twice."""
    tryton = Tryton.open(folder / "tryton")
    line = delayed(tryton.port, options.delay / 1000) if options.delay else nullcontext(tryton.port)
    try:
        with line as port:
            address = f"http://127.0.0.1:{port}/#{DATABASE}"
            project = TrytonProject(folder / "project", address, customers_=options.customers, orders=options.orders)
            began = time.perf_counter()
            first = project.run()
            seconds = time.perf_counter() - began
            wrong = project.wrong(tryton)
            began = time.perf_counter()
            project.run()
            again = time.perf_counter() - began
            wrong += [f"after the second run: {each}" for each in project.wrong(tryton)]
    finally:
        tryton.close()
    if first.returncode != 0:
        wrong.append((first.stdout + first.stderr)[-2000:])
    return {
        "customers": options.customers, "orders": options.orders, "delay_ms": options.delay, "wrong": wrong,
        "seconds": round(seconds, 1), "seconds_of_the_second_run": round(again, 1),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
