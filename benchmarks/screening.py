"""What it takes to screen 10,000 names against 20,000 listed parties with aliases, beside the usual way with RapidFuzz.

    .venv/bin/python benchmarks/screening.py [--names 10000] [--entries 20000] [--json FILE]

The names are made (tests/support/made_names.py). Time runs from the entries in memory to all hits, the
preparation of the lists included; memory is the process' highest (VmHWM) after it. The peer is what a hand-
written script does: `rapidfuzz.process.cdist` with `fuzz.token_sort_ratio` and RapidFuzz's own
`default_process`, on as many threads, at the same threshold; it knows no script, no sound of words, no legal
form and no word that is left out. Recall: the share of variants of listed names, by kind, for which their own
entry is among the hits. Exit code 1 when ours takes 60 s or more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers import PROJECT

sys.path.insert(0, str(PROJECT))

import numpy as np
from rapidfuzz import fuzz, process, utils

from interoffice.screening.lists import Entry
from interoffice.screening.matching import Matcher
from tests.support.made_names import COMPANIES, FORMS, PERSONS, clean, listed

GOAL_S = 60.0
THRESHOLD = 80.0
OF_EACH_KIND = 500


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    entries, names = listed(options.entries), clean(options.names)
    began = time.perf_counter()
    matcher = Matcher([("made", entries)])
    found = list(matcher.hits(names, THRESHOLD))
    took, mib = time.perf_counter() - began, highest_mib()
    began = time.perf_counter()
    plain = Peer(entries)
    found_plainly = plain.hits(names)
    result: dict[str, Any] = {
        "names": len(names),
        "entries": len(entries),
        "listed_names": sum(len(entry.names) for entry in entries),
        "seconds": round(took, 1),
        "peer_seconds": round(time.perf_counter() - began, 1),
        "mib": mib,
        "clean_names_with_a_hit": round(sum(bool(each) for each in found) / len(names), 3),
        "peer_clean_names_with_a_hit": round(sum(bool(each) for each in found_plainly) / len(names), 3),
        "clean_names_with_a_hit_of_92": round(sum(any(h.score >= 92 for h in each) for each in found) / len(names), 4),
        "recall": recalls(entries, matcher, plain),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "goal": took < GOAL_S,
    }
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0 if took < GOAL_S else 1


class Peer:
    """The usual script."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.names = [name for entry in entries for name in entry.names]
        self.ids = [entry.id for entry in entries for _ in entry.names]

    def hits(self, names: Sequence[str]) -> list[set[str]]:
        """Per name the ids of the entries from the threshold on."""
        found = []
        for start in range(0, len(names), 500):
            scores = process.cdist(
                names[start : start + 500], self.names, scorer=fuzz.token_sort_ratio, processor=utils.default_process,
                score_cutoff=THRESHOLD, dtype=np.float32, workers=-1,
            )  # fmt: skip
            found += [{self.ids[place] for place in np.flatnonzero(row)} for row in scores]
        return found


def recalls(entries: Sequence[Entry], matcher: Matcher, plain: Peer) -> dict[str, dict[str, float]]:
    """By kind of variant: the share found by ours, and by the peer."""
    chance = random.Random(20261127)
    told = {}
    for is_company, kinds in ((False, PERSONS), (True, COMPANIES)):
        fit = [e for e in entries if (e.names[0].split()[-1] in FORMS) == is_company and len(e.names[0].split()) == 3]
        for kind, variant in kinds.items():
            chosen = chance.sample(fit, min(OF_EACH_KIND, len(fit)))
            names = [variant(chance, entry.names[0]) for entry in chosen]
            ours = [{hit.entry.id for hit in each} for each in matcher.hits(names, THRESHOLD)]
            theirs = plain.hits(names)
            told[f"{'company' if is_company else 'person'}: {kind}"] = {
                name: round(sum(e.id in ids for e, ids in zip(chosen, found, strict=True)) / len(chosen), 3)
                for name, found in (("ours", ours), ("peer", theirs))
            }
    return told


def highest_mib() -> int:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


if __name__ == "__main__":
    sys.exit(main())
