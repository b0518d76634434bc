"""The child process that reads files from outside: bounded in memory and time, without a network, one file at a time.

It talks JSON lines: it says that it is ready, then an answer goes out for each request that comes in. A reader
that panics (python-calamine's PanicException is a BaseException) or runs out of memory ends the child, not its parent.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.model.contract import contract_from_json
from interoffice.resources.first_look import look_at
from interoffice.resources.table_rows import Bounds, read_rows

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _import_readers()
    _leave_network()
    memory_bytes = int(sys.argv[1])
    _bound_memory(memory_bytes)
    answers.write(json.dumps({"ready": os.getpid()}) + "\n")
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        _bound_time(int(request["within_s"]))
        answer = _answer(request)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if answer.get("last"):
            return


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    name = request["name"]
    try:
        return _DOES[request["do"]](request)
    except BusinessError as error:
        return {"refused": error.message, "code": error.code}
    except MemoryError:
        wrong = f"{name} needs more memory than a file may have; it was not read"
        return {"refused": wrong, "code": "file_refused", "last": 1}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of the reader is a BaseException
        if type(error).__name__ == "PanicException":
            wrong = f"{name} is damaged: the reader of workbooks gave it up; export it again"
            return {"refused": wrong, "code": "file_unreadable", "last": 1}
        import traceback

        return {"bug": traceback.format_exc(), "last": 1}


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    """{table: {path, digest}}"""
    table = read_rows(
        Path(request["path"]),
        contract_from_json(request["contract"]),
        name=request["name"],
        sheet=request["sheet"],
        zone=request["zone"],
        patterns=request["patterns"],
        bounds=Bounds(unpacked_bytes=request["unpacked_bytes"], rows=request["rows"]),
    )
    saved = table.save(Path(request["out"]))
    return {"table": {"path": str(saved.path), "digest": saved.digest}}


def _look(request: Mapping[str, Any]) -> dict[str, Any]:
    """{looked: what a first look found}"""
    looked = look_at(
        Path(request["path"]), request["name"], sheet=request["sheet"], unpacked_bytes=request["unpacked_bytes"]
    )
    return {"looked": looked.as_json()}


def _words(request: Mapping[str, Any]) -> dict[str, Any]:
    """{words: [[text, page, left, top, right, bottom]]} of a PDF"""
    from interoffice.documents.pages import read_words

    return {"words": [word.as_json() for word in read_words(Path(request["path"]), request["name"])]}


def _page(request: Mapping[str, Any]) -> dict[str, Any]:
    """{drawn: true} once the picture of a page stands in `out`"""
    from interoffice.documents.pages import draw_page

    draw_page(Path(request["path"]), request["name"], request["page"], request["marks"], Path(request["out"]))
    return {"drawn": True}


_DOES: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "read": _read, "look": _look, "words": _words, "page": _page,
}  # fmt: skip


def _import_readers() -> None:
    """What reading needs is loaded before memory is bounded, so that only files count."""
    import numpy  # noqa: F401
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401
    import pypdfium2  # noqa: F401
    import python_calamine  # noqa: F401
    import rapidfuzz.process  # noqa: F401


def _leave_network() -> None:
    """A network namespace of its own, where the system grants one: nothing in it can be reached."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_CLONE_NEWNET) != 0 and os.getuid() != 0:
        library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _bound_memory(memory_bytes: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    import resource

    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bound_time(within_s: int) -> None:
    """Should the parent be gone, the child still ends: processor seconds, counted from now."""
    if sys.platform == "win32":
        return
    import resource
    import time

    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + within_s + 5, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
