"""`python -m interoffice.practice --folder DIR [--port-file FILE]`: the office as a process of its own."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from interoffice.errors import InterofficeError
from interoffice.practice.address import FILE_NAME, read_practice, write_practice
from interoffice.practice.serve import serve_forever


def main() -> int:
    """Runs until SIGTERM or Ctrl-C; the port file is written once every server answers."""
    parser = argparse.ArgumentParser(prog="python -m interoffice.practice", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where data and ledger live")
    parser.add_argument("--port-file", type=Path, help=f"a second copy of {FILE_NAME}")
    parser.add_argument("--today", type=date.fromisoformat, help="the day to make the data for")
    parser.add_argument("--invoices", action="store_true", help="six supplier invoices wait in the mailbox")
    chosen = parser.parse_args()
    has_copied = False

    def say(line: str) -> None:
        nonlocal has_copied
        if chosen.port_file is not None and not has_copied:
            write_practice(chosen.port_file, read_practice(chosen.folder))
            has_copied = True
        print(line, flush=True)

    try:
        serve_forever(chosen.folder, say, today=chosen.today, invoices=chosen.invoices)
    except InterofficeError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
