"""Twelve rules over a table: beside the same rules in hand-written DuckDB SQL, and in pandera over pandas.

    .venv/bin/python benchmarks/checks.py [--rows 100000] [--rounds 5] [--bad 0.01] [--no-peers] [--json FILE]
    .venv/bin/python benchmarks/checks.py --rows 1000000 --rounds 1 --no-peers      (memory of a million rows)

The table has 15 columns and stands in a Parquet file; about `--bad` of its rows break one rule each. The rules:
missing, unique, set, pattern, range, comparison, date, across columns, within a tolerance, a look-up in a second table.
Each candidate reads the file and gives the rows that passed and the rows that failed, those with the reasons of all
rules that they break. Amounts are exact decimals for us, for DuckDB and for pandera; pandera on doubles, which are not
the same rules, stands beside it. Rounds alternate; medians count. Memory is the highest of a process of its own
(VmHWM). Exit code 1 when a goal is missed: at most 1.5 x the SQL, at least 5 x faster than pandera on the same rules.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from peers import PROJECT, peer

sys.path.insert(0, str(PROJECT))

from interoffice.language.calendars import Times
from interoffice.language.row import ValueScope
from interoffice.language.rules import read_rule, run_check
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, NUMBER, PERCENT, TEXT
from interoffice.model.values import Percent, Value
from interoffice.model.workflow import Rule

TODAY = date(2026, 11, 26)
COLUMNS = {
    "deal_id": TEXT, "customer_no": TEXT, "customer_name": TEXT, "region": TEXT, "currency": TEXT, "amount": MONEY,
    "net": MONEY, "vat": MONEY, "credit_limit": MONEY, "open_balance": MONEY, "discount": PERCENT, "closed": DATE,
    "quantity": NUMBER, "owner": TEXT, "remark": TEXT,
}  # fmt: skip
RULES = (
    "deal_id is present",
    "deal_id is unique",
    "customer_name is present",
    "currency is one of EUR, USD, GBP",
    "region is one of EMEA, APAC, AMER",
    "deal_id matches deal_id",
    "amount > 0",
    "discount is between 0% and 30%",
    "closed <= today",
    "open_balance + amount <= credit_limit",
    "net + vat = amount within 0.02",
    "customer_no exists in steps.customers.rows.customer_no",
)
SQL = r"""
WITH read AS (SELECT row_number() OVER () AS line, * FROM read_parquet('{rows}')),
seen AS (SELECT *, count(*) OVER (PARTITION BY deal_id) AS times FROM read),
judged AS (
  SELECT seen.*, concat_ws('; ',
    CASE WHEN deal_id IS NULL THEN 'deal_id is missing' END,
    CASE WHEN times > 1 THEN 'deal_id is unique is not true: deal_id is ' || deal_id END,
    CASE WHEN seen.customer_name IS NULL THEN 'customer_name is missing' END,
    CASE WHEN (currency IN ('EUR', 'USD', 'GBP')) IS NOT TRUE THEN 'currency is ' || currency END,
    CASE WHEN (region IN ('EMEA', 'APAC', 'AMER')) IS NOT TRUE THEN 'region is ' || region END,
    CASE WHEN regexp_full_match(deal_id, 'D-[0-9]{{7}}') IS NOT TRUE THEN 'deal_id is ' || deal_id END,
    CASE WHEN (amount > 0) IS NOT TRUE THEN 'amount is ' || amount END,
    CASE WHEN (discount BETWEEN 0 AND 0.3) IS NOT TRUE THEN 'discount is ' || discount END,
    CASE WHEN (closed <= DATE '2026-11-26') IS NOT TRUE THEN 'closed is ' || closed END,
    CASE WHEN (open_balance + amount <= credit_limit) IS NOT TRUE
      THEN 'open_balance is ' || open_balance || ', amount is ' || amount || ', credit_limit is ' || credit_limit END,
    CASE WHEN (abs(net + vat - amount) <= 0.02) IS NOT TRUE
      THEN 'net is ' || net || ', vat is ' || vat || ', amount is ' || amount END,
    CASE WHEN customers.customer_no IS NULL THEN 'customer_no is ' || seen.customer_no END) AS reasons
  FROM seen LEFT JOIN read_parquet('{customers}') AS customers ON customers.customer_no = seen.customer_no)
SELECT * EXCLUDE (times) FROM judged ORDER BY line
"""
PANDERA = '''
import sys, time
sys.path.append(sys.argv[5])
from decimal import Decimal
import pandas as pd
import pandera.pandas as pa

rows, customers, rounds, exact = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "exact"
kind, make = (object, Decimal) if exact else (float, float)
amounts = ["amount", "net", "vat", "credit_limit", "open_balance", "discount", "quantity"]

def checked():
    frame = pd.read_parquet(rows)
    known = set(pd.read_parquet(customers)["customer_no"])
    if not exact:
        frame[amounts] = frame[amounts].astype("float64")
    schema = pa.DataFrameSchema(
        {
            "deal_id": pa.Column(str, [pa.Check.str_matches(r"^D-[0-9]{7}$")], unique=True, nullable=False),
            "customer_no": pa.Column(str, [pa.Check.isin(known)], nullable=True),
            "customer_name": pa.Column(str, nullable=False),
            "currency": pa.Column(str, [pa.Check.isin(["EUR", "USD", "GBP"])]),
            "region": pa.Column(str, [pa.Check.isin(["EMEA", "APAC", "AMER"])]),
            "amount": pa.Column(kind, [pa.Check.gt(make("0"))]),
            "discount": pa.Column(kind, [pa.Check.in_range(make("0"), make("0.3"))]),
            "closed": pa.Column(object, [pa.Check(lambda s: pd.to_datetime(s) <= pd.Timestamp("2026-11-26"))]),
        },
        checks=[
            pa.Check(lambda df: df["open_balance"] + df["amount"] <= df["credit_limit"]),
            pa.Check(lambda df: (df["net"] + df["vat"] - df["amount"]).abs() <= make("0.02")),
        ],
    )
    try:
        schema.validate(frame, lazy=True)
        return frame, frame.iloc[:0]
    except pa.errors.SchemaErrors as errors:
        failed = errors.failure_cases
        reasons = failed.groupby("index")["check"].agg(lambda checks: "; ".join(map(str, checks)))
        bad = frame.loc[reasons.index].assign(reasons=reasons)
        return frame.drop(reasons.index), bad

for _ in range(rounds):
    began = time.perf_counter()
    good, bad = checked()
    print("seconds", time.perf_counter() - began, len(good), len(bad), flush=True)
'''


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bad", type=float, default=0.01)
    parser.add_argument("--no-peers", action="store_true", help="us alone, for the memory")
    parser.add_argument("--json", default="", metavar="FILE")
    parser.add_argument("--ours", nargs=2, metavar=("ROWS", "CUSTOMERS"), help="(a process of its own: one check)")
    options = parser.parse_args()
    if options.ours:
        print("counts", *ours(*map(Path, options.ours)), highest_mib())
        return 0
    with tempfile.TemporaryDirectory(dir=PROJECT / "benchmarks") as folder:
        rows, customers = write(Path(folder), options.rows, options.bad)
        result = measured(rows, customers, options)
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0 if all(result["goals"].values()) else 1  # type: ignore[attr-defined]


def measured(rows: Path, customers: Path, options: argparse.Namespace) -> dict[str, object]:
    """The medians, the counts and the goals."""
    taken: dict[str, list[float]] = {"interoffice": [], "duckdb sql": [], "pandera, exact": [], "pandera, doubles": []}
    found: dict[str, tuple[int, int]] = {}
    for _ in range(options.rounds):
        began = time.perf_counter()
        found["interoffice"] = ours(rows, customers)
        taken["interoffice"].append(time.perf_counter() - began)
        if options.no_peers:
            continue
        began = time.perf_counter()
        found["duckdb sql"] = by_sql(rows, customers)
        taken["duckdb sql"].append(time.perf_counter() - began)
        for kind in ("exact", "doubles"):
            seconds, found[f"pandera, {kind}"] = by_pandera(rows, customers, kind)
            taken[f"pandera, {kind}"].append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items() if seconds}
    alone = [sys.executable, __file__, "--ours", str(rows), str(customers)]
    mib = int(subprocess.run(alone, capture_output=True, text=True, check=True).stdout.split()[-1])
    goals = {"a million rows within 1 GiB": mib <= 1024}
    if not options.no_peers:
        goals["at most 1.5 x the SQL"] = medians["interoffice"] <= 1.5 * medians["duckdb sql"]
        goals["at least 5 x faster than pandera"] = medians["pandera, exact"] >= 5 * medians["interoffice"]
        goals["the same rows as the SQL"] = found["interoffice"] == found["duckdb sql"]
    return {
        "rows": options.rows, "rounds": options.rounds, "passed_and_rejected": found, "seconds": medians,
        "of_each": {name: round(medians["interoffice"] / seconds, 2) for name, seconds in medians.items()},
        "mib": mib, "python": platform.python_version(), "processors": os.cpu_count(), "goals": goals,
    }  # fmt: skip


def write(folder: Path, count: int, bad: float) -> tuple[Path, Path]:
    """The table and the customers as Parquet files."""
    chance = random.Random(20261126)
    known = [f"C-{number:06}" for number in range(5_000)]
    rows = (row(number, chance, known, bad) for number in range(count))
    made = Table.from_rows(COLUMNS, rows).save(folder)
    customers = Table.from_rows({"customer_no": TEXT}, ({"customer_no": number} for number in known)).save(folder)
    assert made.path is not None and customers.path is not None
    return made.path, customers.path


def row(number: int, chance: random.Random, known: list[str], bad: float) -> dict[str, Value]:
    """A row that is right, or breaks one rule."""
    net = Decimal(chance.randrange(100, 900_000)) / 100
    vat = (net * Decimal("0.19")).quantize(Decimal("0.01"))
    made: dict[str, Value] = {
        "deal_id": f"D-{number:07}", "customer_no": chance.choice(known), "customer_name": f"Customer {number % 997}",
        "region": chance.choice(("EMEA", "APAC", "AMER")), "currency": chance.choice(("EUR", "USD", "GBP")),
        "amount": net + vat, "net": net, "vat": vat, "credit_limit": Decimal(50_000),
        "open_balance": Decimal(chance.randrange(0, 3_000_000)) / 100,
        "discount": Percent(f"0.{chance.randrange(30):02}"),
        "closed": TODAY - timedelta(days=chance.randrange(400)), "quantity": Decimal(chance.randrange(1, 90)),
        "owner": f"Owner {number % 31}", "remark": None if number % 3 else f"Remark {number}",
    }  # fmt: skip
    if chance.random() < bad:
        wrong: dict[str, Value] = {
            "deal_id": f"D-{number // 2:07}", "customer_name": None, "currency": "CHF", "region": "MARS",
            "discount": Percent("0.45"), "closed": TODAY + timedelta(days=3), "open_balance": Decimal(49_999),
            "vat": vat + 1, "customer_no": "C-999999",
        }  # fmt: skip
        name = chance.choice(sorted(wrong))
        made[name] = wrong[name]
    return made


def ours(rows: Path, customers: Path) -> tuple[int, int]:
    """The check as a step does it: from the Parquet file to its tables; how many passed and were rejected."""
    names = {"steps": {"customers": {"rows": Table.load(customers)}}}
    times = Times(now=datetime(2026, 11, 26, 8, tzinfo=UTC), zone="UTC")
    scope = ValueScope(times=times, names=names, patterns={"deal_id": "D-#######"})
    rules = [read_rule(Rule(text=text, path=())) for text in RULES]
    result = run_check(Table.load(rows), rules, otherwise="reject", row_name=("deal_id",), scope=scope)
    result.passed.arrow(), result.rejected.arrow()
    return len(result.passed), len(result.rejected)


def by_sql(rows: Path, customers: Path) -> tuple[int, int]:
    """The same by hand: one query, its answer split into two tables."""
    import duckdb
    import pyarrow.compute as pc

    with duckdb.connect() as connection:
        judged = connection.execute(SQL.format(rows=rows, customers=customers)).to_arrow_table()
    is_good = pc.equal(judged.column("reasons"), "")
    good, bad = judged.filter(is_good), judged.filter(pc.invert(is_good))
    return good.num_rows, bad.num_rows


def by_pandera(rows: Path, customers: Path, kind: str) -> tuple[float, tuple[int, int]]:
    """pandera beside our own pandas, on exact decimals or on doubles; its second of two rounds, all of it loaded."""
    packages = next((Path(peer("python")).parents[1] / "lib").glob("python*")) / "site-packages"
    command = [sys.executable, "-c", PANDERA, str(rows), str(customers), "2", kind, str(packages)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line.split() for line in ended.stdout.splitlines() if line.startswith("seconds")]
    if len(said) != 2:
        sys.exit(f"pandera failed: {ended.stderr[-2000:]}")
    return float(said[1][1]), (int(said[1][2]), int(said[1][3]))


def highest_mib() -> int:
    """VmHWM in MiB; 0 where there is no /proc."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    sys.exit(main())
