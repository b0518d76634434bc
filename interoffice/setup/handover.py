"""The start of every command: hand over to the prepared environment, or prepare it first."""

from __future__ import annotations

import os
import sys

from interoffice.setup.stamp import interpreter, is_prepared


def start(project: str, arguments: list[str]) -> int:
    """Run `interoffice.cli` of a project folder with these arguments; gives the exit code where it comes back."""
    try:
        prepared = is_prepared(project)
    except OSError as error:
        return refuse(f"The lock file {error.filename} can't be read ({error.strerror}): clone the project again.")
    if not prepared:
        if arguments[:1] == ["doctor"]:
            from interoffice.setup.doctor import main as doctor

            return doctor(project, arguments[1:])
        from interoffice.setup.prepare import main as prepare

        code = prepare(project)
        if code != 0:
            return code
    try:
        return hand_over(project, arguments)
    except FileNotFoundError:
        # The Python that .venv was made of is gone from this machine.
        from interoffice.setup.prepare import main as prepare

        return prepare(project, anew=True) or hand_over(project, arguments)
    except OSError as error:
        return refuse(f"{interpreter(project)} can't be started ({error.strerror}): remove .venv, then start again.")


def refuse(sentence: str) -> int:
    """Say why nothing was begun; the exit code for it."""
    print(sentence, file=sys.stderr)
    return 1


def hand_over(project: str, arguments: list[str]) -> int:
    """Become the command line in the environment's Python. -P: nothing in the project's folder shadows a module.

    By its file and not with -m, which costs 4 ms more at every start.
    """
    command = [interpreter(project), "-P", os.path.join(project, "interoffice", "cli", "__main__.py"), *arguments]
    environment = {**os.environ, "INTEROFFICE_PROJECT": project}
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    return wait_for(command, environment)


def wait_for(command: list[str], environment: dict[str, str]) -> int:
    """Run to the end and give its exit code. Ctrl-C reaches the child by itself; it says how it ends."""
    import signal
    import subprocess

    with subprocess.Popen(command, env=environment) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return process.wait()
