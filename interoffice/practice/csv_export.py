"""The export files of the practice applications, right or spoilt by a fault."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from flask import Response

from interoffice.practice.web import FaultyWeb


def csv_answer(
    web: FaultyWeb, file_name: str, headings: Mapping[str, str], rows: Iterable[Mapping[str, str]]
) -> Response:
    """A download: UTF-8, commas, quoted where needed. `headings`: the row's name to the column's heading, in order."""
    empty, renamed, encoded = (web.take(kind) for kind in ("empty_export", "renamed_header", "export_encoding"))
    if empty is not None and empty.how == "file":
        return _download(b"", file_name)
    kept = [] if empty is not None else [dict(row) for row in rows]
    titles = dict(headings)
    if renamed is not None and renamed.fields:
        titles[renamed.fields[0]] = renamed.text
    encoding = (encoded.text or "utf-16") if encoded is not None else "utf-8"
    return _download(_text(titles, kept).encode(encoding, errors="replace"), file_name)


def _text(titles: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(titles.values())
    for row in rows:
        writer.writerow([row.get(name, "") for name in titles])
    return out.getvalue()


def _download(content: bytes, file_name: str) -> Response:
    return Response(
        content, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{file_name}"'}
    )
