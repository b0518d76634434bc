"""Robocorp's work items with the file adapter: so many items taken, and released as done. Nothing is durable but the
input file; a process that dies leaves no trace of what it had taken.

    python robocorp_items.py COUNT     prints "seconds S"
"""

import json
import os
import sys
import time
from pathlib import Path

count = int(sys.argv[1])
folder = Path.cwd() / "items"
folder.mkdir()
(folder / "work-items.json").write_text(json.dumps([{"payload": {"number": number}} for number in range(count)]))
os.environ["RC_WORKITEM_ADAPTER"] = "FileAdapter"
os.environ["RC_WORKITEM_INPUT_PATH"] = str(folder / "work-items.json")
os.environ["RC_WORKITEM_OUTPUT_PATH"] = str(Path.cwd() / "output" / "work-items.json")

from robocorp import workitems  # noqa: E402

began = time.perf_counter()
done = 0
for item in workitems.inputs:
    with item:
        assert item.payload["number"] == done
        done += 1
assert done == count, f"{done} of {count}"
print("seconds", time.perf_counter() - began, flush=True)
