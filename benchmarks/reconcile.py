"""What a reconciliation of 100,000 against 100,000 lines in four passes takes, beside one merge of pandas.

    .venv/bin/python benchmarks/reconcile.py [--lines 100000] [--rounds 3] [--json FILE]

The passes are those of workflows/bank_reconciliation.yaml: same reference and amount; same amount, up to two days
apart; several ledger lines that are one bank line; same reference with another amount. 90 % of the lines match in the
first pass, the rest is spread over the others, and over lines that fit nothing or several. Time runs from two tables in
memory to all outputs; memory is the process' highest (VmHWM) after it. pandas does the first pass alone (an inner merge
on reference, currency and amount as integers of cents), which leaves doubles, dates and totals to be written by hand:
it is the floor, not a rival. Exit code 1 when our median is 10 s or more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from peers import PROJECT

sys.path.insert(0, str(PROJECT))

from interoffice.language.reconcile import Reconciled, run_reconcile
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, TEXT
from interoffice.model.values import Duration, Value
from interoffice.model.workflow import Reconcile, ReconcilePass

LEFT = {"line": TEXT, "document_ref": TEXT, "currency": TEXT, "amount": MONEY, "posting_date": DATE}
RIGHT = {"entry_ref": TEXT, "end_to_end_ref": TEXT, "currency": TEXT, "amount": MONEY, "booking_date": DATE}
DAY = date(2026, 11, 25)
GOAL_S = 10.0
PASSES = (
    ReconcilePass(name="reference and amount", path=(), same=("reference", "currency", "amount")),
    ReconcilePass(name="amount, 2 days", path=(), same=("currency", "amount"), close={"day": "2 days"}),
    ReconcilePass(name="several to one", path=(), same=("reference", "currency"), total="amount", many="left"),
    ReconcilePass(name="other amount", path=(), same=("reference", "currency"), result="different"),
)
KIND = Reconcile(
    left="", right="", left_name="ERP", right_name="Bank",
    columns={"reference": ("document_ref", "end_to_end_ref"), "day": ("posting_date", "booking_date")},
    passes=PASSES, rules=(),
)  # fmt: skip
TOLERANCES: tuple[dict[str, Value], ...] = ({}, {"day": Duration(days=2)}, {}, {})


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    left, right = sides(options.lines)
    ours: list[float] = []
    merges: list[float] = []
    for _ in range(options.rounds):
        began = time.perf_counter()
        found = run_reconcile(left, right, KIND, TOLERANCES, today=DAY)
        ours.append(time.perf_counter() - began)
        merges.append(merged(left, right))
    took, floor = statistics.median(ours), statistics.median(merges)
    result = {
        "lines": [len(left), len(right)],
        "seconds": round(took, 2),
        "merge_seconds": round(floor, 3),
        "mib": highest_mib(),
        "found": counts(found),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "goal": took < GOAL_S,
    }
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0 if took < GOAL_S else 1


def sides(count: int) -> tuple[Table, Table]:
    """About so many lines on each side, drawn with a fixed seed and shuffled."""
    chance = random.Random(20261126)
    left: list[dict[str, Value]] = []
    right: list[dict[str, Value]] = []

    def ledger(reference: str, amount: Decimal, day: date) -> None:
        line = {"line": f"L{len(left)}", "document_ref": reference, "currency": currency, "amount": amount}
        left.append({**line, "posting_date": day})

    def bank(reference: str, amount: Decimal, day: date) -> None:
        line = {"entry_ref": f"B{len(right)}", "end_to_end_ref": reference, "currency": currency, "amount": amount}
        right.append({**line, "booking_date": day})

    for number in range(count):
        reference, amount = f"R{number:07}", Decimal(chance.randrange(1, 50_000_000)) / 100
        currency = chance.choice(("EUR", "USD", "GBP"))
        drawn = chance.random()
        if drawn < 0.90:
            ledger(reference, amount, DAY)
            bank(reference, amount, DAY)
        elif drawn < 0.94:
            ledger(reference, amount, DAY)
            bank("", amount, DAY + timedelta(days=chance.randrange(3)))
        elif drawn < 0.96:
            part = (amount / 3).quantize(Decimal("0.01"))
            for share in (part, part, amount - 2 * part):
                ledger(reference, share, DAY)
            bank(reference, amount, DAY)
        elif drawn < 0.98:
            ledger(reference, amount, DAY)
            bank(reference, amount + Decimal("0.07"), DAY)
        elif drawn < 0.99:
            ledger(reference, amount, DAY)
        else:
            ledger(reference, amount, DAY)
            bank(reference, amount, DAY)
            bank(reference, amount, DAY)
    chance.shuffle(left)
    chance.shuffle(right)
    return in_memory(LEFT, left), in_memory(RIGHT, right)


def in_memory(columns: dict[str, object], rows: list[dict[str, Value]]) -> Table:
    """The rows as Arrow holds them, as a step before would have left them."""
    made = Table.from_rows(columns, rows)  # type: ignore[arg-type]
    return Table.from_arrow(columns, made.arrow())  # type: ignore[arg-type]


def merged(left: Table, right: Table) -> float:
    """Seconds of an inner merge of pandas on three columns."""
    frames = []
    for table, reference in ((left, "document_ref"), (right, "end_to_end_ref")):
        frame = table.arrow().select([reference, "currency"]).rename_columns(["reference", "currency"]).to_pandas()
        frame["cents"] = [int(amount * 100) for amount in table.arrow().column("amount").to_pylist()]
        frames.append(frame)
    began = time.perf_counter()
    frames[0].merge(frames[1], on=["reference", "currency", "cents"])
    return time.perf_counter() - began


def counts(found: Reconciled) -> dict[str, int]:
    """How many rows each output has."""
    names = ("matched", "different", "only_left", "only_right", "ambiguous", "exceptions")
    return {name: len(getattr(found, name)) for name in names}


def highest_mib() -> int:
    """VmHWM in MiB; 0 where there is no /proc."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    sys.exit(main())
