"""How every command ends: the project it is about is known, and an error is one clear sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from interoffice.cli.show import warn
from interoffice.errors import InterofficeError, MistakesFound, UsageError

STOPPED = 130
"""The exit code of a command that Ctrl-C ended (128 + SIGINT)."""


def project_of(words: list[str]) -> tuple[Path, list[str]]:
    """Takes `--project DIR` out of the words, wherever it stands; else the folder of runner.py, else this one."""
    rest: list[str] = []
    folder = os.environ.get("INTEROFFICE_PROJECT") or "."
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--project":
            if at + 1 == len(words):
                raise UsageError("--project needs a folder behind it.")
            folder = words[at + 1]
            at += 2
            continue
        if word.startswith("--project="):
            folder = word.partition("=")[2]
        else:
            rest.append(word)
        at += 1
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise UsageError(f"--project {folder}: there is no such folder.")
    return path, rest


def ended(command: Callable[[], int]) -> int:
    """The exit code of a command, its errors told."""
    try:
        return command()
    except MistakesFound as found:
        from interoffice.cli.answers import print_problems

        return print_problems(found.problems)
    except UsageError as error:
        warn(f"Error: {error}")
        return 2
    except InterofficeError as error:
        warn(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        warn("\nStopped. What was finished is kept; `runner.py runs` shows where it stands.")
        return STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno is not None:
        where = f" ({error.filename})" if error.filename else ""
        warn(f"Error: {error.strerror}{where}: make room or correct the rights, then repeat the command.")
        return 1
    if "INTEROFFICE_DEBUG" in os.environ:
        import traceback

        traceback.print_exception(error)
    warn(f"Error: {type(error).__name__}: {error}. This is a fault of Interoffice; INTEROFFICE_DEBUG=1 shows where.")
    return 1
