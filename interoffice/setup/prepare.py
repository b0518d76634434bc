"""Makes .venv from the lock files, with nothing but the standard library, saying what it does while it does it."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO

from interoffice.errors import ProjectError
from interoffice.resources.private_files import taken
from interoffice.resources.system_packages import by_hand, has_apt, install_packages, may_install
from interoffice.setup.pip_output import NEEDS, Phase, explain_pip, read_pip_line
from interoffice.setup.saying import Saying
from interoffice.setup.stamp import (
    STAMP,
    UNFINISHED,
    environment_folder,
    interpreter,
    is_prepared,
    read_stamp,
    write_stamp,
)

LOG = "setup.log"
WAIT_FOR_OTHER_S = 1800
NEVER_IMPORTED = r"[/\\](tests?|testing|stubs|typeshed|lib2to3)[/\\]"
"""Folders of packages that are not worth compiling; what is imported all the same is compiled then."""


def main(project: str, *, anew: bool = False) -> int:
    """Prepare the environment of a project folder; the exit code: 0 prepared, 1 not, with one sentence on stderr."""
    saying = Saying(sys.stderr)
    try:
        prepare(project, saying, anew=anew)
    except ProjectError as error:
        saying.line(str(error))
        return 1
    except OSError as error:
        saying.line(explain_os_error(error, project))
        return 1
    except KeyboardInterrupt:
        saying.line("Stopped. The next start goes on from here.")
        return 130
    return 0


def prepare(project: str, saying: Saying, *, anew: bool = False) -> None:
    """Bring .venv to what the lock files ask for. Two starts at once: the second waits for the first."""
    with only_one(project, saying) as lock:
        if not anew and is_prepared(project):
            return
        began = time.monotonic()
        if anew or not is_usable(project):
            make_environment(project, saying, lock)
        else:
            saying.line("Bringing .venv up to date with requirements/all.txt")
        fill_environment(project, saying, lock)
        saying.line(f"Ready after {time.monotonic() - began:.0f} s. The next start takes no set-up time.")


@contextlib.contextmanager
def only_one(project: str, saying: Saying) -> Iterator[int]:
    """The set-up lock of a project. It gives the lock's file number: pip holds it too, so that a pip that outlived a
    killed start is waited for."""
    path = os.path.join(project, ".venv.lock")
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + WAIT_FOR_OTHER_S
        told = False
        while not taken(number):
            if not told:
                saying.line("Another start is preparing .venv; waiting for it")
                told = True
            if time.monotonic() > deadline:
                raise ProjectError(
                    f"Another start has held {path} for {WAIT_FOR_OTHER_S // 60} minutes: end it, then start again."
                )
            time.sleep(0.2)
        yield number
    finally:
        os.close(number)


def is_usable(project: str) -> bool:
    """Whether the .venv there can be brought up to date: finished once (or made by a person), and its Python runs."""
    folder = environment_folder(project)
    if os.path.exists(os.path.join(folder, UNFINISHED)) or not os.path.exists(os.path.join(folder, "pyvenv.cfg")):
        return False
    was_for = [line for line in read_stamp(project) if line.startswith("python ")]
    if was_for and was_for != [f"python {os.path.realpath(interpreter(project))}"]:
        return False
    question = "import sys, pip; sys.exit(0 if sys.version_info >= (3, 11) and sys.prefix != sys.base_prefix else 1)"
    with contextlib.suppress(OSError):
        return subprocess.run([interpreter(project), "-I", "-c", question], capture_output=True).returncode == 0
    return False


def make_environment(project: str, saying: Saying, lock: int) -> None:
    """A new, empty .venv with pip in it; what a killed start left there goes first."""
    folder = environment_folder(project)
    if os.path.lexists(folder):
        saying.line("Removing the unfinished .venv of an earlier start")
        clear(folder)
    provide_ensurepip(saying)
    os.makedirs(folder, exist_ok=True)
    mark_unfinished(folder)
    saying.line(f"Making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
    with open(os.path.join(folder, LOG), "a", encoding="utf-8", errors="replace") as log:
        code = run_logged([sys.executable, "-m", "venv", folder], log, lock)
    if code != 0:
        with open(os.path.join(folder, LOG), encoding="utf-8", errors="replace") as log:
            output = log.read()
        raise ProjectError(explain_pip(output, code, "Making .venv", os.path.join(folder, LOG)))


def clear(folder: str) -> None:
    """Remove a .venv, also one that is a link or a file."""
    if os.path.islink(folder) or not os.path.isdir(folder):
        os.unlink(folder)
        return
    # The marker goes last: a kill in the middle of the removal must not leave something that looks finished.
    mark_unfinished(folder)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name == UNFINISHED:
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    shutil.rmtree(folder)


def mark_unfinished(folder: str) -> None:
    """From here on .venv is unfinished until its stamp is written."""
    with open(os.path.join(folder, UNFINISHED), "w", encoding="utf-8") as marker:
        marker.write("Set-up works here, or was stopped while it did.\n")


def provide_ensurepip(saying: Saying) -> None:
    """Debian keeps the part of Python that makes an environment with pip in a package of its own."""
    if importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None:
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    package = f"python{version}-venv"
    debian = has_apt() and os.path.realpath(sys.base_prefix) == "/usr"
    if debian and may_install():
        saying.line(f"This Python has no ensurepip; installing {package}")
        install_packages([package], saying.line)
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") is not None:
            return
    mend = f"`{by_hand([package])}`" if debian else f"install a complete Python {version} (with venv and ensurepip)"
    raise ProjectError(f"This Python ({sys.executable}) can't make an environment, its ensurepip is missing: {mend}.")


def fill_environment(project: str, saying: Saying, lock: int) -> None:
    """Install what the lock files ask for, and only then say so in the stamp."""
    folder = environment_folder(project)
    before = [line.split()[1:] for line in read_stamp(project) if line.startswith("packages ")]
    mark_unfinished(folder)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, STAMP))
    locked = locked_names(project)
    with open(os.path.join(folder, LOG), "a", encoding="utf-8", errors="replace") as log:
        pip = Pip(project=project, log=log, saying=saying, lock=lock)
        pip.install("requirements/build.txt", "what source packages are built with", hashes_and=[])
        pip.install("requirements/all.txt", "the locked packages", hashes_and=["--no-build-isolation"])
        gone = sorted(set(before[0] if before else []) - set(locked))
        if gone:
            saying.line(f"Removing {', '.join(gone)}: no longer in the lock")
            pip.run(["uninstall", "--yes", *gone], "Removing packages")
        saying.line("Compiling")
        compiling = [interpreter(project), "-I", "-m", "compileall", "-q", "-j", "0", "-x", NEVER_IMPORTED]
        run_logged([*compiling, pip.packages], log, lock)
    link_project(project)
    write_stamp(project, locked)
    os.unlink(os.path.join(folder, UNFINISHED))


def locked_names(project: str) -> list[str]:
    """The packages of the lock file, by name, those of other systems too."""
    with open(os.path.join(project, "requirements", "all.txt"), encoding="utf-8") as file:
        return sorted(set(re.findall(r"^([A-Za-z0-9][\w.-]*)==", file.read(), re.MULTILINE)))


def site_packages(project: str) -> str:
    """Where the packages of the environment lie."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    asked = subprocess.run([interpreter(project), "-I", "-c", question], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def link_project(project: str) -> None:
    """Let every Python of this environment find `interoffice` and `bots`, from whatever folder it is started.

    A path file puts the project behind the standard library, so that no folder of it can shadow a module there.
    """
    with open(os.path.join(site_packages(project), "interoffice_project.pth"), "w", encoding="utf-8") as file:
        file.write(os.path.realpath(project) + "\n")


class Pip:
    """The environment's own pip; all it says goes to the log, and what it is about to the person."""

    def __init__(self, *, project: str, log: IO[str], saying: Saying, lock: int) -> None:
        self.project = project
        self.log = log
        self.saying = saying
        self.lock = lock
        self.packages = site_packages(project)
        self.there_before = 0

    def install(self, lock_file: str, what: str, *, hashes_and: Sequence[str]) -> None:
        """Install a lock file, each package compared with its hash."""
        self.saying.line(f"Installing {what} ({lock_file})")
        path = os.path.join(self.project, *lock_file.split("/"))
        checked = ["install", "--no-user", "--require-hashes", "--no-deps", "--no-compile", "--progress-bar", "off"]
        self.run([*checked, *hashes_and, "--requirement", path], f"Installing {lock_file}")

    def run(self, arguments: Sequence[str], what: str) -> None:
        """Run pip to its end, showing the packages as they go by. ProjectError: one sentence about why it failed."""
        command = [interpreter(self.project), "-I", "-u", "-m", "pip", "--no-input", "--disable-pip-version-check"]
        self.there_before = count_packages(self.packages)
        with subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(),
            pass_fds=[self.lock] if os.name != "nt" else (),
        ) as process:
            try:
                output = self.follow(process)
            except BaseException:
                process.kill()
                process.wait()
                raise
        if process.returncode != 0:
            raise ProjectError(explain_pip(output, process.returncode, what, self.log.name))

    def follow(self, process: subprocess.Popen[str]) -> str:
        """Keep all of pip's output in the log and show its progress; gives the output."""
        assert process.stdout is not None
        phase = Phase()
        lines: list[str] = []
        for line in with_ticks(process.stdout):
            if line is None:
                self.show_installed(phase)
                continue
            lines.append(line)
            self.log.write(line)
            self.log.flush()
            phase = read_pip_line(line, phase)
            if phase.news:
                self.saying.live(phase.news)
        self.saying.live_ends()
        return "".join(lines)

    def show_installed(self, phase: Phase) -> None:
        """pip is silent while it installs; what lies in the folder tells how far it is."""
        if phase.to_install == 0:
            return
        done = min(max(count_packages(self.packages) - self.there_before, 0), phase.to_install)
        self.saying.live(f"installing {phase.to_install} packages, {done} done")


def count_packages(folder: str) -> int:
    """How many packages lie in a folder of packages."""
    return sum(1 for name in os.listdir(folder) if name.endswith(".dist-info"))


def with_ticks(stream: IO[str], every_s: float = 1.0) -> Iterator[str | None]:
    """The lines of a stream to its end, and None whenever a second went by without one."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed by whoever gave up reading
            for line in stream:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=every_s)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def clean_environment() -> dict[str, str]:
    """Without the settings that would send packages elsewhere, or make pip count foreign ones as installed."""
    unwanted = {"PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT"}
    return {name: value for name, value in os.environ.items() if name not in unwanted} | {"PYTHONUTF8": "1"}


def run_logged(command: Sequence[str], log: IO[str], lock: int) -> int:
    """Run with its output in the log; the exit code."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    held = [lock] if os.name != "nt" else []
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=clean_environment(), pass_fds=held
    ).returncode


def explain_os_error(error: OSError, project: str) -> str:
    """One sentence for what the file system refused."""
    where = error.filename or environment_folder(project)
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"The disk is full at {where}: free some space ({NEEDS} for .venv), then start again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        mend = f"make {project} writable for you, or clone it to a folder that is"
        return f"{where} can't be written ({error.strerror}): {mend}."
    return f"Setting up stopped at {where} ({error.strerror}): mend that, then start again."
