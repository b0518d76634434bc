"""Switches faults of a practice office that runs in another process, by its control endpoint."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interoffice.errors import ProjectError
from interoffice.practice.address import PracticeInfo, read_practice
from interoffice.practice.faults import Fault, FaultState

TIMEOUT_S = 5.0


def switch_on(folder: Path, fault: Fault) -> int:
    """From now on this goes wrong in the office of this folder; the number is for `switch_off`."""
    return int(_ask(folder, "POST", "/faults", fault.as_json())["number"])


def switch_off(folder: Path, number: int) -> None:
    """This one no longer goes wrong."""
    _ask(folder, "DELETE", f"/faults/{number}")


def clear_faults(folder: Path) -> None:
    """Nothing goes wrong any more."""
    _ask(folder, "DELETE", "/faults")


def fault_states(folder: Path) -> list[FaultState]:
    """What is switched on there, and how often each has hit."""
    return [
        FaultState(number=raw["number"], fault=Fault.from_json(raw["fault"]), seen=raw["seen"], fired=raw["fired"])
        for raw in _ask(folder, "GET", "/faults")
    ]


def unlock_account(folder: Path, user: str) -> None:
    """Lets an ERP account in again that five wrong passwords locked."""
    _ask(folder, "POST", f"/unlock/{user}")


def _ask(folder: Path, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    info = read_practice(folder)
    request = urllib.request.Request(
        f"{_door(info, folder)}/_practice{path}",
        data=json.dumps(body).encode() if body is not None else None,
        headers={"X-Practice-Token": info.token, "Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise ProjectError(f"The practice office refused {method} {path}: {refusal.read().decode()}.") from refusal


def _door(info: PracticeInfo, folder: Path) -> str:
    for name in ("erp", "crm", "risk"):
        if name in info.addresses:
            return info.addresses[name]
    raise ProjectError(f"The practice office in {folder} runs no web server, so its faults can't be switched.")
