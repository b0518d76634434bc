"""Packages of the operating system, by apt-get on Debian and Ubuntu, and only as root. Standard library only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence

from interoffice.errors import ProjectError

Say = Callable[[str], None]
UPDATE_WITHIN_S = 300
INSTALL_WITHIN_S = 1200
QUIET = ("-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=2")


def has_apt() -> bool:
    """Whether this system installs packages with apt-get."""
    return os.path.exists("/etc/debian_version") and shutil.which("apt-get") is not None


def may_install() -> bool:
    """Whether this process may install system packages by itself."""
    return has_apt() and hasattr(os, "geteuid") and os.geteuid() == 0


def by_hand(packages: Sequence[str]) -> str:
    """The one line with which a person installs them."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return f"{'' if root else 'sudo '}apt-get install {' '.join(packages)}"


def install_packages(packages: Sequence[str], say: Say) -> None:
    """Install them as root, refreshing the package lists first. ProjectError: one sentence and what to do."""
    say(f"apt-get install {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    refused = apt_get(["update"], environment, UPDATE_WITHIN_S)
    failed = apt_get(["install", "--yes", "--no-install-recommends", *packages], environment, INSTALL_WITHIN_S)
    if failed is not None:
        # Stale lists are only worth a word when the packages could not be had with them.
        reason = failed if refused is None else f"{refused}; {failed}"
        raise ProjectError(
            f"apt-get could not install {' '.join(packages)} ({reason}): mend that, or run `{by_hand(packages)}` "
            "yourself, then start again."
        )


def apt_get(arguments: Sequence[str], environment: Mapping[str, str], within_s: int) -> str | None:
    """Why it failed, in apt's words; None when it went well."""
    try:
        ended = subprocess.run(
            ["apt-get", *QUIET, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=within_s,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {within_s} s"
    except OSError as error:
        return str(error.strerror)
    return None if ended.returncode == 0 else first_reason(ended.stdout)


def first_reason(output: str) -> str:
    """The first error line of apt-get's output, without its `E:`."""
    if "No space left on device" in output:
        return "the disk is full"
    found = re.search(r"^(?:E|Err(?::\d+)?): *(.+)$", output, re.MULTILINE)
    return found.group(1).strip().rstrip(".") if found else "it gave no reason"
