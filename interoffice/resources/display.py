"""A display of a lane's own: Xvfb with a window manager, of the size and resolution that the selectors name.

X picks the number itself (`-displayfd`), so that two lanes never race for one. All that is started here dies with this
process, however it dies: each program is told by the kernel (`setpriv --pdeathsig`), and what draws on a display ends
when the display does.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from interoffice.errors import ApplicationError, ProjectError
from interoffice.resources.system_packages import by_hand

PROGRAMS = {
    "Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool", "tesseract": "tesseract-ocr", "setpriv": "util-linux",
}  # fmt: skip
"""What an unattended desktop needs on Linux, with the Debian package of each."""
START_WITHIN_S = 20.0


@dataclass(kw_only=True)
class Display:
    """A running display. `name` is what DISPLAY says, e.g. ":3"; `size` in pixels."""

    name: str
    size: tuple[int, int]
    dpi: int
    log: Path
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: list[str] | tuple[str, ...], **more: str) -> subprocess.Popen[bytes]:
        """Starts a program on this display; it ends when the display is closed. `more` goes into its environment."""
        with self.log.open("ab") as log:
            environment = {**os.environ, "DISPLAY": self.name, **more}
            try:
                process = subprocess.Popen(
                    [*bound_to_us(), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
                )
            except OSError as error:
                message = f"{command[0]} can't be started ({error.strerror}); correct `command` in selectors/"
                raise ApplicationError(message, code="not_started", transient=False) from error
        self._running.append(process)
        return process

    @property
    def is_alive(self) -> bool:
        """Whether the X server still runs."""
        return bool(self._running) and self._running[0].poll() is None

    def close(self) -> None:
        """Ends what was started here, the last first."""
        while self._running:
            process = self._running.pop()
            with contextlib.suppress(OSError):
                process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def bound_to_us() -> list[str]:
    """The words before a command that make it die with this process."""
    return ["setpriv", "--pdeathsig", "KILL"]


def refuse_incomplete() -> None:
    """ProjectError where this machine can't have a display of its own: nothing was started, nothing typed."""
    if not sys.platform.startswith("linux"):
        raise ProjectError(
            f"desktop screens are driven on Linux only, with a display of their own; this is {sys.platform}: run the "
            "workflow on a Linux server, or take the web environment of the application"
        )
    lacking = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if lacking:
        missing = ", ".join(program for program in PROGRAMS if shutil.which(program) is None)
        raise ProjectError(f"desktop screens need {missing}, which is not installed here: {by_hand(lacking)}")


def open_display(folder: Path, *, size: tuple[int, int] | None = None, dpi: int = 96) -> Display:
    """Starts X and the window manager. ProjectError says in one sentence why there is none."""
    refuse_incomplete()
    width, height = size or (1280, 800)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"display-{os.getpid()}.log"
    ours, theirs = os.pipe()
    command = [*bound_to_us(), "Xvfb", "-displayfd", str(theirs), "-screen", "0", f"{width}x{height}x24"]
    command += ["-dpi", str(dpi), "-nolisten", "tcp", "-noreset"]
    with log.open("ab") as out:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=(theirs,))
    os.close(theirs)
    try:
        number = _number(ours, server, log)
        display = Display(name=f":{number}", size=(width, height), dpi=dpi, log=log, _running=[server])
        display.start(["openbox", "--sm-disable"])
    except BaseException:
        server.kill()
        server.wait()
        raise
    finally:
        os.close(ours)
    return display


def _number(end: int, server: subprocess.Popen[bytes], log: Path) -> int:
    """What X writes when it is ready; nothing when it ended."""
    said, until = b"", time.monotonic() + START_WITHIN_S
    while not said.endswith(b"\n") and server.poll() is None and time.monotonic() < until:
        if select.select([end], [], [], 0.1)[0]:
            said += os.read(end, 20)
    if not said.strip().isdigit():
        server.kill()
        raise ProjectError(f"the display for desktop screens did not start (Xvfb); {log} says why")
    return int(said)
