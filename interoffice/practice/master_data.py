"""What the practice ERP knows before anything is posted: customers, suppliers, companies and its export tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FILE_NAME = "erp_master_data.json"

Row = Mapping[str, str]


@dataclass(kw_only=True, slots=True)
class MasterData:
    """By number. `tables`: rows of each export table by its name, texts as in the export file."""

    customers: dict[str, Row]
    suppliers: dict[str, Row]
    companies: Sequence[str]
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)


def read_master_data(folder: Path) -> MasterData:
    """The master data of the office in this folder."""
    raw = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    return MasterData(
        customers={row["customer_no"]: row for row in raw["customers"]},
        suppliers={row["supplier_no"]: row for row in raw["suppliers"]},
        companies=raw["companies"],
        tables=raw["tables"],
    )


def write_master_data(folder: Path, master: MasterData) -> None:
    """Writes the file that `read_master_data` reads."""
    raw = {
        "customers": list(master.customers.values()),
        "suppliers": list(master.suppliers.values()),
        "companies": list(master.companies),
        "tables": {name: list(rows) for name, rows in master.tables.items()},
    }
    (folder / FILE_NAME).write_text(json.dumps(raw, ensure_ascii=False, indent=1), encoding="utf-8")
