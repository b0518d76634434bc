"""A process with all that it started, ended at once: a lane must not leave a browser behind that still presses Save."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def kill_with_children(pid: int) -> None:
    """Kills the process and every process below it. One that has ended already is none of our business."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
        return
    if pid != os.getpid():
        _signal(pid, signal.SIGSTOP)
    for _ in range(2):  # a child may have started another before it was killed
        for one in _below(pid):
            _signal(one, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _below(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for one, parent in _all_processes():
        children.setdefault(parent, []).append(one)
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def _all_processes() -> Iterator[tuple[int, int]]:
    """Every process with its parent, from /proc, else from `ps` (macOS)."""
    if not _PROC.is_dir():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
        for line in listed.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                yield int(entry.name), int(stat.rpartition(")")[2].split()[1])
