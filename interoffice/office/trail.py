"""The audit as people see it: listed, verified against heads kept outside the database, exported to stand alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from interoffice.errors import UsageError
from interoffice.office import listings

if TYPE_CHECKING:
    from interoffice.store import Ledger
    from interoffice.store.audit_heads import HeadFiles

SHOWN = 10


class Owner(Protocol):
    """The project whose audit it is."""

    @property
    def ledger(self) -> Ledger:
        """The ledger."""

    def audit_heads_files(self) -> HeadFiles:
        """Where the audit's head is kept outside the database."""


class Trail:
    """The audit of one project."""

    def __init__(self, office: Owner) -> None:
        self._office = office

    def newest(self, limit: int) -> list[listings.Listed]:
        """The newest entries, oldest first."""
        return [listings.audit_row(each) for each in self._office.ledger.audit(limit=limit)]

    def verify(self) -> tuple[bool, list[str]]:
        """Whether nothing was done to the audit, and what was, in words."""
        from interoffice.store import audit_heads

        files = self._office.audit_heads_files()
        kept = {path: audit_heads.read(path) for path in map(files.path, files.names())}
        heads = sum(len(each.heads) for each in kept.values())
        damaged = [f"  line {line} of {path} is damaged" for path, each in kept.items() for line in each.damaged]
        faults = list(dict.fromkeys(map(str, self._office.ledger.audit_faults(files))))
        if faults:
            return False, ["The audit was changed.", *_shown(faults), *damaged]
        last = self._office.ledger.audit(limit=1)
        if not last:
            return True, ["The audit is empty."]
        said = f"{heads} heads kept outside the database" if heads else "no head is kept outside the database yet"
        told = [f"The audit is whole: {last[0].seq} entries, each fits the one before it and {said}."]
        return True, [*told, *(f"{each}, and no head that was kept is missing for it" for each in damaged)]

    def verify_file(self, file: Path) -> tuple[bool, list[str]]:
        """The same of an export, which needs no database. What is cut off at its end, only its own last line knows."""
        from interoffice.store.audit import chain_faults

        lines = list(_lines(file))
        entries, ends = [line for line in lines if "seq" in line], [line for line in lines if "entries" in line]
        faults = [str(fault) for fault in chain_faults(entries)]
        if len(ends) != 1 or "entries" not in lines[-1]:
            faults.append("the last line of an export, which says how many entries it has, is not there")
        elif (ends[0]["entries"], ends[0]["head"]) != (len(entries), entries[-1]["hash"] if entries else ""):
            faults.append(f"the export says that it has {ends[0]['entries']} entries, and another last one")
        if faults:
            return False, [f"{file.name} was changed.", *_shown(faults)]
        return True, [f"{file.name} is whole: {len(entries)} entries, each fits the one before it."]

    def export(self, to: Path) -> str:
        """Writes every entry as it is stored, a line of JSON each; the last line says how many, and the head."""
        if to.exists():
            raise UsageError(f"{to} is there already; name another file, nothing is overwritten.")
        count, head = 0, ""
        with to.open("w", encoding="utf-8") as file:
            for entry in self._office.ledger.audit_raw():
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                count, head = count + 1, str(entry["hash"])
            at = datetime.now(UTC).isoformat()
            file.write(json.dumps({"entries": count, "head": head, "exported_at": at}) + "\n")
        return f"wrote {count} entries to {to}; its head is {head}: keep that apart from the file"


def _lines(file: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    said = json.loads(line)
                except ValueError:
                    raise UsageError(f"{file}:{number} is no line of an audit export.") from None
                if not isinstance(said, dict):
                    raise UsageError(f"{file}:{number} is no line of an audit export.")
                yield said
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read as an audit export: {error}.") from error


def _shown(faults: list[str]) -> list[str]:
    more = len(faults) - SHOWN
    return [*(f"  {fault}" for fault in faults[:SHOWN]), *([f"  and {more} more"] if more > 0 else [])]
