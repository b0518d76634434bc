"""A small XLS workbook, written by hand: BIFF8 records in a compound file ([MS-XLS], [MS-CFB])."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Cell = str | float | None
SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
ERRORS = {"#DIV/0!": 0x07, "#N/A": 0x2A}


def xls(place: Path, rows: Sequence[Sequence[Cell]], *, formats: Mapping[tuple[int, int], str] | None = None) -> Path:
    """An XLS file: texts, numbers, errors (`#N/A`); `formats`: (row, column) from 0 -> number format."""
    place.write_bytes(_compound(_workbook(rows, formats or {})))
    return place


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _text(text: str, length_as: str = "<H") -> bytes:
    return struct.pack(length_as, len(text)) + b"\x01" + text.encode("utf-16-le")


def _workbook(rows: Sequence[Sequence[Cell]], formats: Mapping[tuple[int, int], str]) -> bytes:
    codes = list(dict.fromkeys(formats.values()))
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 6)) + _record(0x0042, b"\xb0\x04")
    for number, code in enumerate(codes):
        head += _record(0x041E, struct.pack("<H", 164 + number) + _text(code))
    for number in (0, *(164 + place for place in range(len(codes)))):
        head += _record(0x00E0, struct.pack("<HHH", 0, number, 0) + b"\0" * 14)
    name = _text("Sheet1", "<B")
    bound = len(head) + 4 + 6 + len(name) + 4
    head += _record(0x0085, struct.pack("<IH", bound, 0) + name) + _record(0x000A, b"")
    body = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 6))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            code = formats.get((row, column))
            body += _cell(row, column, 0 if code is None else 1 + codes.index(code), cell)
    return (head + body + _record(0x000A, b"")).ljust(4096, b"\0")


def _cell(row: int, column: int, style: int, cell: Cell) -> bytes:
    at = struct.pack("<HHH", row, column, style)
    if cell is None:
        return b""
    if isinstance(cell, str):
        if cell in ERRORS:
            return _record(0x0205, at + bytes([ERRORS[cell], 1]))
        return _record(0x0204, at + _text(cell))
    return _record(0x0203, at + struct.pack("<d", cell))


def _compound(stream: bytes) -> bytes:
    stream = stream.ljust(-(-len(stream) // SECTOR) * SECTOR, b"\0")
    count = len(stream) // SECTOR
    table = [FAT, END, *range(3, count + 2), END]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    entries = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, 2, len(stream)) + _entry("", 0, 0, 0) * 2
    sectors = struct.pack("<128I", *table, *[FREE] * (128 - len(table))) + entries
    return header + sectors + stream


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    spelled = (name.encode("utf-16-le") + b"\0\0") if name else b""
    entry = spelled.ljust(64, b"\0") + struct.pack("<HBB", len(spelled), kind, 1)
    entry += struct.pack("<III", FREE, FREE, child) + b"\0" * 36 + struct.pack("<IQ", start, size)
    return entry
