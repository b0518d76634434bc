"""So many no-op tasks in one Prefect 3 flow, embedded, its results kept; prints the seconds of the flow's own work."""

from __future__ import annotations

import sys
import time

from prefect import flow, task


@task(log_prints=False)
def nothing() -> None:
    """Nothing."""


@flow(log_prints=False)
def steps(count: int) -> float:
    """The tasks one after the other."""
    nothing()
    began = time.perf_counter()
    for _ in range(count):
        nothing()
    return time.perf_counter() - began


if __name__ == "__main__":
    print("seconds", steps(int(sys.argv[1])))
