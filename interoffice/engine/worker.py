"""A worker: a process that takes runs that are delivered to it, until it is told to end.

python -m interoffice.engine.worker PROJECT
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from interoffice.engine.engine import Engine
from interoffice.engine.progress import Progress, silent
from interoffice.plan.project import Project, open_project


def work(project: Project, state_dir: Path, until: threading.Event, *, say: Progress = silent) -> None:
    """Walks everything that is due, queued, woken or left by the dead, until the event is set."""
    from interoffice.engine.durable import Delivery

    with Engine(project, state_dir) as engine:
        with Delivery(engine, runs_at_once=project.settings.limits.runs_at_once, say=say) as delivery:
            delivery.serve(until)


def main() -> None:
    """Works for the project named on the command line until SIGTERM or SIGINT."""
    folder, until = Path(sys.argv[1]), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: until.set())
    work(open_project(folder), folder / "state", until)


if __name__ == "__main__":
    main()
