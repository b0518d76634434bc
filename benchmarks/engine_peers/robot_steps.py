"""So many `No Operation` keywords in one Robot Framework test with its log; prints the seconds that the test took."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from robot.api import ExecutionResult
from robot.run import run


def main(count: int) -> None:
    """Writes the suite, runs it, reads the elapsed time from its output."""
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "steps.robot"
        lines = "    No Operation\n" * count
        suite.write_text(f"*** Test Cases ***\nSteps\n{lines}", encoding="utf-8")
        run(str(suite), outputdir=folder, stdout=sys.stderr)
        result = ExecutionResult(str(Path(folder) / "output.xml"))
        print("seconds", result.suite.tests[0].elapsed_time.total_seconds())


if __name__ == "__main__":
    main(int(sys.argv[1]))
