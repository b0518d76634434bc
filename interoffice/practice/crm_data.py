"""What the practice CRM shows: deals, accounts and tasks, as texts (ISO dates, amounts like "48500.00")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "crm_data.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class CrmData:
    """`today` is the day that the data was made for."""

    today: str
    deals: Sequence[Mapping[str, str]]
    accounts: Sequence[Mapping[str, str]]
    tasks: Sequence[Mapping[str, str]]


def read_crm_data(folder: Path) -> CrmData:
    """The data of the office in this folder."""
    return CrmData(**json.loads((folder / FILE_NAME).read_text(encoding="utf-8")))


def write_crm_data(folder: Path, data: CrmData) -> None:
    """Writes the file that `read_crm_data` reads."""
    (folder / FILE_NAME).write_text(json.dumps(asdict(data), ensure_ascii=False, indent=1), encoding="utf-8")
