"""Whether somebody has a workbook open: the lock files that Excel and LibreOffice leave beside it."""

from __future__ import annotations

from pathlib import Path

from interoffice.errors import ApplicationError


def refuse_open_elsewhere(place: Path) -> None:
    """ApplicationError `file_open`, transient, naming who has it open."""
    office_lock = place.parent / f".~lock.{place.name}#"
    for lock, read_owner in ((_excel_lock(place), _excel_owner), (office_lock, _office_owner)):
        if lock.is_file():
            owner = read_owner(lock)
            by = f" by {owner}" if owner else ""
            raise ApplicationError(
                f"{place.name} is open elsewhere{by}: close it there and try again "
                f"(if nobody has it open, delete {lock.name})",
                code="file_open",
            )


def _excel_lock(place: Path) -> Path:
    """`~$` before the name; in place of its first two signs where the name is long enough for that."""
    short = place.parent / f"~${place.name[2:]}"
    return short if short.is_file() and len(place.stem) > 6 else place.parent / f"~${place.name}"


def _excel_owner(lock: Path) -> str:
    """The name at the beginning: its length in one byte, then its letters."""
    content = lock.read_bytes()[:55]
    return content[1 : 1 + content[0]].decode("cp1252", "replace").strip() if content else ""


def _office_owner(lock: Path) -> str:
    """LibreOffice writes `name,user,machine,date,folder`."""
    fields = lock.read_text(encoding="utf-8", errors="replace").split(",")
    names = [field.strip() for field in fields[:3] if field.strip()]
    return names[0] + (f" on {names[-1]}" if len(names) > 1 else "") if names else ""
