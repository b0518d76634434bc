"""A file's header against its contract: missing, renamed and doubled columns are named before a row is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from interoffice.errors import BusinessError
from interoffice.model.contract import Column, Contract
from interoffice.model.types import TEXT
from interoffice.resources.sheets import Cell, RawRow

_RENAMED_FROM = 60
"""From which likeness (0 to 100) a header of the file is named as the renamed one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Where the contract's columns stand in the file. `extra`: columns kept beside them; `width`: fields of a row."""

    places: Mapping[str, int]
    columns: Mapping[str, Column]
    titles: Sequence[str]
    width: int


def match_header(row: RawRow, contract: Contract, name: str, *, delimiter: str | None) -> Header:
    """The places of the columns; BusinessError `wrong_header` naming all that is wrong. `delimiter`: of a CSV file."""
    titles = [_title(cell) for cell in row.cells]
    while titles and not titles[-1]:
        titles.pop()
    by_title: dict[str, list[int]] = {}
    for place, title in enumerate(titles):
        by_title.setdefault(title.casefold(), []).append(place)
    places, wrong, used = {}, [], set()
    for column in contract.columns.values():
        found = sorted({place for header in column.known_headers for place in by_title.get(_key(header), ())})
        used.update(found)
        if len(found) == 1:
            places[column.name] = found[0]
        elif found:
            wrong.append(_doubled(column, found, titles))
    unused = [title for place, title in enumerate(titles) if place not in used and title]
    wrong += [_missing(column, unused) for column in contract.columns.values() if column.name not in places
              and not any(_key(header) in by_title for header in column.known_headers)]  # fmt: skip
    extra = {title: place for place, title in enumerate(titles) if place not in used and title}
    if contract.unknown_columns == "error" and not wrong:
        wrong += [f'column "{title}" is not in the contract' for title in extra]
    kept = _kept(extra, contract, by_title, wrong) if contract.unknown_columns == "keep" else {}
    if wrong:
        _refuse(row, contract, name, wrong, titles, delimiter, nothing_fits=not places)
    for title, column in kept.items():
        places[column.name] = extra[title]
    columns = {**contract.columns, **{column.name: column for column in kept.values()}}
    return Header(places=places, columns=columns, titles=titles, width=len(row.cells))


def _title(cell: Cell) -> str:
    return " ".join(unicodedata.normalize("NFC", str(cell)).replace("\u00a0", " ").split())


def _key(header: str) -> str:
    return _title(header).casefold()


def _doubled(column: Column, found: Sequence[int], titles: Sequence[str]) -> str:
    where = " and ".join(f'{place + 1} ("{titles[place]}")' for place in found)
    return f"column {column.name} is there {len(found)} times: column {where} of the file"


def _missing(column: Column, unused: Sequence[str]) -> str:
    called = " or ".join(f'"{header}"' for header in column.headers or (column.name,))
    renamed = _likeliest(column, unused)
    if renamed is None:
        return f"column {called} is missing"
    return f'column {called} is missing, the file has "{renamed}": if that is it, add it to `from:` of {column.name}'


def _likeliest(column: Column, unused: Sequence[str]) -> str | None:
    from rapidfuzz import fuzz, process

    best = None
    for header in column.known_headers:
        found = process.extractOne(_key(header), unused, scorer=fuzz.ratio, processor=_key)
        if found is not None and found[1] >= _RENAMED_FROM and (best is None or found[1] > best[1]):
            best = found
    return None if best is None else str(best[0])


def _kept(
    extra: Mapping[str, int], contract: Contract, by_title: Mapping[str, list[int]], wrong: list[str]
) -> dict[str, Column]:
    """The columns beside the contract's, as text, named by their header."""
    kept: dict[str, Column] = {}
    names = set(contract.columns)
    for title in extra:
        column_name = re.sub(r"\W+", "_", title.casefold()).strip("_") or f"column_{extra[title] + 1}"
        if column_name in names or len(by_title[title.casefold()]) > 1:
            wrong.append(f'column "{title}" is there twice, or has the name of a column of the contract')
            continue
        names.add(column_name)
        kept[title] = Column(name=column_name, type=TEXT, path=(), headers=(title,))
    return kept


def _refuse(
    row: RawRow,
    contract: Contract,
    name: str,
    wrong: Sequence[str],
    titles: Sequence[str],
    delimiter: str | None,
    nothing_fits: bool,
) -> None:
    if nothing_fits and delimiter is not None and len(titles) == 1:
        only = str(row.cells[0])
        other = next((mark for mark in (";", ",", "\t", "|") if mark != delimiter and mark in only), None)
        if other is not None:
            raise BusinessError(
                f"the columns of {name} are parted by {_mark(other)}, but {contract.source.file} says "
                f"{_mark(delimiter)}; export it so or write `delimiter: {_written(other)}`",
                code="wrong_header",
            )
    listed = ", ".join(f'"{title}"' for title in titles[:30]) or "nothing"
    raise BusinessError(
        f"{name} does not have the columns of {contract.source.file}: {'; '.join(wrong)}. "
        f"Row {row.number} of the file has {listed}",
        code="wrong_header",
    )


def _mark(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else f'"{delimiter}"'


def _written(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else f'"{delimiter}"'
