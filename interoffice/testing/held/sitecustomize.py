"""Lets strace hold this Python process and what it forks, and nothing that it starts: not the browser, not its driver.

On PYTHONPATH only where a `Tracing` put it: `INTEROFFICE_HELD` names the kind of process (engine, lane) and the
words of strace.
"""

import json
import os
import subprocess
import sys
import time

ATTACHED_WITHIN_S = 20.0


def kind_of(words: list[str]) -> str:
    """engine, lane, or nothing of the two, by the words that a process was started with."""
    if any("interoffice.engine.lane" in word for word in words):
        return "lane"
    return "engine" if any("interoffice.cli" in word or "interoffice.engine" in word for word in words) else ""


def held() -> bool:
    """Whether a tracer holds this process."""
    with open("/proc/self/status") as status:
        return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in status)


def hold(strace: list[str]) -> None:
    """Starts strace on this process and waits until it holds it."""
    pid = str(os.getpid())
    words = [word.replace("%p", pid) for word in strace]
    subprocess.Popen([*words, "-p", pid], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + ATTACHED_WITHIN_S
    while not held() and time.monotonic() < end:
        time.sleep(0.005)


said = json.loads(os.environ.get("INTEROFFICE_HELD", "{}"))
if said and said["of"] == kind_of(sys.orig_argv):
    hold(said["strace"])
