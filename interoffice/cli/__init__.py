"""The command line. `main` starts it; the commands are in the modules beside it and know only `interoffice.office`."""

from __future__ import annotations

import gc
import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and gives its exit code.

    Runs: 0 succeeded, 3 done with warnings, 4 waiting for a person, 1 failed. Files: 0 clean, 3 warnings, 1 mistakes.
    2 the command itself was wrong, 130 stopped by Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        from interoffice import __version__

        print(f"interoffice {__version__}")
        return 0
    gc.disable()  # nothing that loading makes is garbage, and looking for some takes a twentieth of a check
    try:
        return _run(words)
    finally:
        gc.enable()


def _run(words: list[str]) -> int:
    from interoffice.cli.quick import plain_command

    command = plain_command(words)
    if command is not None:
        from interoffice.cli.ending import ended

        return ended(command)
    from interoffice.cli.app import run_command

    gc.enable()
    return run_command(words)
