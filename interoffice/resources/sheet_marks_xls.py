"""Errors and number formats of cells in an XLS workbook: BIFF8 records in a compound file ([MS-XLS], [MS-CFB])."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from interoffice.resources.sheet_marks import PERCENT_IDS, DamagedWorkbook, Marks, is_telling

_END_OF_CHAIN: Final = 0xFFFFFFFE
_ERRORS: Final[Mapping[int, str]] = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip
_BOUNDSHEET, _FORMAT, _XF, _EOF = 0x0085, 0x041E, 0x00E0, 0x000A
_FORMULA, _BOOLERR, _NUMBER, _RK, _MULRK = 0x0006, 0x0205, 0x0203, 0x027E, 0x00BD

Record = tuple[int, bytes]


def find_xls_marks(path: Path, sheet: str, formats_of: frozenset[int]) -> Marks:
    """The marks of one sheet; DamagedWorkbook where the file is not what the standard says."""
    try:
        stream = _workbook_stream(path.read_bytes())
        telling, start = _globals(stream, sheet)
        return _sheet_marks(_records(stream, start), telling, formats_of)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise DamagedWorkbook(str(error)) from error


def _workbook_stream(content: bytes) -> bytes:
    """The stream `Workbook` of the compound file. One too small for a sector chain of its own holds no XLS."""
    (shift,) = struct.unpack_from("<H", content, 30)
    size = 1 << shift
    (first,) = struct.unpack_from("<I", content, 48)
    table = _allocation(content, size)
    folder = _chain(content, first, table, size)
    for at in range(0, len(folder) - 127, 128):
        entry = folder[at : at + 128]
        (length,) = struct.unpack_from("<H", entry, 64)
        if entry[: max(0, length - 2)].decode("utf-16-le") in ("Workbook", "Book"):
            start, stream_bytes = struct.unpack_from("<II", entry, 116)
            return _chain(content, start, table, size)[:stream_bytes]
    raise DamagedWorkbook("it has no stream of a workbook")


def _allocation(content: bytes, size: int) -> tuple[int, ...]:
    """The sector allocation table, put together from its own sectors."""
    sectors = list(struct.unpack_from("<109I", content, 76))
    (following,) = struct.unpack_from("<I", content, 68)
    for _ in range(len(content) // size):
        if following >= _END_OF_CHAIN:
            break
        more = struct.unpack_from(f"<{size // 4}I", content, (following + 1) * size)
        sectors += more[:-1]
        following = more[-1]
    table: list[int] = []
    for sector in sectors:
        if sector < _END_OF_CHAIN - 2:
            table += struct.unpack_from(f"<{size // 4}I", content, (sector + 1) * size)
    return tuple(table)


def _chain(content: bytes, sector: int, table: tuple[int, ...], size: int) -> bytes:
    pieces: list[bytes] = []
    for _ in range(len(table) + 1):
        if sector >= _END_OF_CHAIN - 2:
            return b"".join(pieces)
        pieces.append(content[(sector + 1) * size : (sector + 2) * size])
        sector = table[sector]
    raise DamagedWorkbook("its sectors run in a circle")


def _records(stream: bytes, start: int) -> Iterator[Record]:
    """The records of a substream, until its end; a sheet's charts are substreams inside it and passed over."""
    at, depth = start, 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == 0x0809:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth <= 1:
            yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _globals(stream: bytes, sheet: str) -> tuple[dict[int, str], int]:
    """Style index -> telling number format, and where the sheet begins."""
    codes, styles, start = dict(PERCENT_IDS), [], None
    for kind, data in _records(stream, 0):
        if kind == _FORMAT:
            (number,) = struct.unpack_from("<H", data)
            codes[number] = _text(data, 2, "<H")
        elif kind == _XF:
            styles.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == _BOUNDSHEET and _text(data, 6, "<B") == sheet:
            (start,) = struct.unpack_from("<I", data)
    if start is None:
        raise DamagedWorkbook(f'the sheet "{sheet}" is named but not there')
    telling = {index: codes.get(number, "General") for index, number in enumerate(styles)}
    return {index: code for index, code in telling.items() if is_telling(code)}, start


def _text(data: bytes, at: int, length_as: str) -> str:
    """A text with its length before it; its flag says one or two bytes a sign."""
    (length,) = struct.unpack_from(length_as, data, at)
    at += struct.calcsize(length_as)
    is_wide = data[at] & 1
    content = data[at + 1 : at + 1 + length * (2 if is_wide else 1)]
    return content.decode("utf-16-le" if is_wide else "latin-1")


def _sheet_marks(records: Iterator[Record], telling: Mapping[int, str], formats_of: frozenset[int]) -> Marks:
    errors: dict[tuple[int, int], str] = {}
    formats: dict[tuple[int, int], str] = {}
    for kind, data in records:
        if kind == _MULRK:
            row, first = struct.unpack_from("<HH", data)
            cells = [(row, first + place, struct.unpack_from("<H", data, 4 + 6 * place)[0])
                     for place in range((len(data) - 6) // 6)]  # fmt: skip
        elif kind in (_FORMULA, _BOOLERR, _NUMBER, _RK):
            cells = [struct.unpack_from("<HHH", data)]
        else:
            continue
        for row, column, style in cells:
            if style in telling and column in formats_of:
                formats[row + 1, column] = telling[style]
        error = _error_of(kind, data)
        if error is not None:
            errors[cells[0][0] + 1, cells[0][1]] = error
    return Marks(errors=errors, formats=formats)


def _error_of(kind: int, data: bytes) -> str | None:
    if kind == _BOOLERR and data[7]:
        return _ERRORS.get(data[6], "#ERR!")
    if kind == _FORMULA and data[12:14] == b"\xff\xff" and data[6] == 2:
        return _ERRORS.get(data[8], "#ERR!")
    return None
