"""`python -m interoffice.cli`."""

import atexit
import os
import sys
import threading

from interoffice.cli import main


def leave(code: int) -> None:
    """Ends the process as the interpreter does, but for its last part: threads are waited for, exit functions run,
    output flushed.

    Tearing the libraries down is left out: a thread that Arrow or DuckDB is just starting aborts the process then,
    after all is done, and the exit code is lost (seen: SIGABRT, "terminate called without an active exception").
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


leave(main())
