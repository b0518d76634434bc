"""What a short command pays for the language."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"pyarrow", "duckdb", "pandas", "numpy", "holidays", "stdnum", "rapidfuzz", "sqlalchemy", "yaml", "zoneinfo"}


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_parsing_and_checking_load_nothing_heavy() -> None:
    statement = (
        "from interoffice.language import Names, infer_condition, parse_rule, parse_template\n"
        "infer_condition(parse_rule('1 < 2'), Names())\nparse_template('${{ a.b }} x')"
    )
    assert not loaded_by(statement) & HEAVY


def test_evaluating_a_row_loads_neither_pyarrow_nor_duckdb() -> None:
    statement = (
        "from datetime import UTC, datetime\n"
        "from interoffice.language import Times, ValueScope, evaluate, parse_rule\n"
        "evaluate(parse_rule('today > 2026-01-01'), ValueScope(times=Times(now=datetime(2026, 11, 22, tzinfo=UTC))))"
    )
    assert not loaded_by(statement) & {"pyarrow", "duckdb", "pandas", "numpy", "holidays", "stdnum"}
