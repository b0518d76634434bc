"""Where a running practice office is: it writes `practice.json` into its folder, and everybody reads it there."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from interoffice.errors import ProjectError

FILE_NAME = "practice.json"
START_IT = "start it with: runner.py practice"


@dataclass(frozen=True, kw_only=True, slots=True)
class PracticeInfo:
    """What `practice.json` says. `addresses` holds crm, erp, risk (http), imap (imaps) and smtp (smtps)."""

    pid: int
    addresses: Mapping[str, str]
    certificate: str
    token: str
    today: str
    started_at: str


def practice_address(folder: Path, name: str) -> str:
    """The address of one server of the running office, e.g. `http://127.0.0.1:40123` for "erp"."""
    info = read_practice(folder)
    if name not in info.addresses:
        known = ", ".join(sorted(info.addresses))
        raise ProjectError(f"The practice office in {folder} runs no {name!r}, only {known}; {START_IT}.")
    return info.addresses[name]


def practice_certificate(folder: Path) -> Path:
    """The PEM file of the authority that signed the practice mail server's certificate: clients verify with it."""
    return Path(read_practice(folder).certificate)


def read_practice(folder: Path) -> PracticeInfo:
    """What the office running in this folder wrote about itself; an error where none runs."""
    file = folder / FILE_NAME
    try:
        info = PracticeInfo(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ProjectError(f"The practice office is not running in {folder}; {START_IT}.") from None
    except (OSError, ValueError, TypeError) as problem:
        raise ProjectError(f"{file} can't be read ({problem}); delete it, then {START_IT}.") from problem
    if not _is_alive(info):
        raise ProjectError(f"The practice office in {folder} has ended (process {info.pid}); {START_IT}.")
    return info


def write_practice(file: Path, info: PracticeInfo) -> None:
    """Writes the file whole or not at all, readable by its owner only: it holds the token of the control endpoint."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(asdict(info), out, indent=1)
    unfinished.replace(file)


def _is_alive(info: PracticeInfo) -> bool:
    if os.name == "posix":
        return _process_exists(info.pid)
    return any(_answers(address) for address in info.addresses.values())


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=0.5):
            return True
    except OSError:
        return False
