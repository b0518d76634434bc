"""How many fields of made invoices are read right, how sure the reading says it is, and what a page takes.

    .venv/bin/python benchmarks/documents.py [--documents 2000] [--calibrate] [--json FILE]

`--calibrate` counts on documents with even seeds and writes interoffice/documents/confidence.json. Without it,
documents with odd seeds, which the counts have never seen, are read with the counts that are there: the share of
fields that are right, by the confidence they were given. A field counts as right where it has exactly the value
that is printed, or is missing where nothing is printed or where what is printed is no answer (several lines, wrong
check digits).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from peers import PROJECT

sys.path.insert(0, str(PROJECT))

from interoffice.documents.pages import read_words
from interoffice.documents.reading import ReadField, read_document
from interoffice.loader.contracts import load_contract
from interoffice.model.contract import Layout
from tests.support.made_invoices import invoice

LAYOUT = "tables/layouts/supplier_invoice.yaml"
COUNTS = PROJECT / "interoffice" / "documents" / "confidence.json"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    fields, took = read_all(range(0 if options.calibrate else 1, 2 * options.documents, 2))
    if options.calibrate:
        write_counts(fields, options.documents)
        return 0
    result = judged(fields) | {"documents": options.documents, "ms_each": round(1000 * took / options.documents, 1)}
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0


def read_all(seeds: range) -> tuple[list[tuple[str, ReadField, Any, tuple[str, ...]]], float]:
    """Every field of the documents with these seeds: its name, how it was read, what stands there, the traps."""
    layout = load_contract((PROJECT / LAYOUT).read_text(encoding="utf-8"), LAYOUT)
    assert isinstance(layout, Layout)
    found, took = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "invoice.pdf"
        for seed in seeds:
            made = invoice(seed)
            file.write_bytes(made.pdf)
            began = time.perf_counter()
            read = read_document(layout, read_words(file, file.name), {})
            took += time.perf_counter() - began
            found += [(name, field, made.truth[name], made.traps) for name, field in read.rows[0].items()]
    return found, took


def write_counts(fields: list[tuple[str, ReadField, Any, tuple[str, ...]]], documents: int) -> None:
    """How often each evidence was met, and how often it was right."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for _, field, truth, _ in fields:
        if field.evidence is not None:
            for key in field.evidence.keys():  # noqa: SIM118  a method of its own
                counts[key][0] += field.value == truth
                counts[key][1] += 1
    made_by = "benchmarks/documents.py --calibrate"
    told = {"made_by": made_by, "documents": documents, "evidence": dict(sorted(counts.items()))}
    COUNTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def judged(fields: list[tuple[str, ReadField, Any, tuple[str, ...]]]) -> dict[str, Any]:
    """Right and wrong fields, by how sure they were."""
    bands: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    wrong: Counter[str] = Counter()
    for name, field, truth, _ in fields:
        right = field.value == truth
        band = "99% and more" if field.confidence >= 0.99 else "90% to 99%" if field.confidence >= 0.9 else "under 90%"
        bands[band if field.value is not None else "missing"][0] += right
        bands[band if field.value is not None else "missing"][1] += 1
        if not right and field.value is not None and field.confidence >= 0.9:
            wrong[name] += 1
    size = len(dict.fromkeys(name for name, *_ in fields))
    pages = [fields[start : start + size] for start in range(0, len(fields), size)]
    sure = [page for page in pages if min(field.confidence for _, field, _, _ in page) >= 0.9]
    return {
        "sure_documents": len(sure),
        "of_them_all_right": sum(all(field.value == truth for _, field, truth, _ in page) for page in sure),
        "fields": len(fields),
        "right": round(sum(field.value == truth for _, field, truth, _ in fields) / len(fields), 4),
        "by_confidence": {
            band: {"fields": of, "right": round(right / of, 4)} for band, (right, of) in sorted(bands.items())
        },
        "wrong_though_sure": dict(wrong),
    }


if __name__ == "__main__":
    sys.exit(main())
