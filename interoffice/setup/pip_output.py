"""Reading what pip says: how far it is, and in one sentence why it failed."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass

NEEDS = "about 900 MB"
FULL_BYTES = 4_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """How far pip is. `to_install` is not zero once it has fetched everything and installs."""

    fetched: int = 0
    to_install: int = 0
    news: str = ""


def read_pip_line(line: str, phase: Phase) -> Phase:
    """The phase after one more line of pip's output; `news` is empty when the line says nothing worth showing."""
    wanted = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)==(\S+)", line)
    if wanted is None:
        wanted = re.match(r"Processing \S*?([\w.]+)-([\w.!+]+?)(?:-[\w.-]+\.whl|\.tar\.gz|\.zip) ", line)
    if wanted is not None:
        fetched = phase.fetched + 1
        return Phase(fetched=fetched, news=f"{fetched} fetched, {wanted[1]} {wanted[2]}")
    size = re.match(r"\s+Downloading (\S+?)-[\d.]+.*\((.+ [kMG]B)\)", line)
    if size is not None:
        return Phase(fetched=phase.fetched, news=f"{phase.fetched} fetched, {size[1]} ({size[2]})")
    building = re.match(r"\s*Building wheel for (\S+)", line)
    if building is not None:
        return Phase(fetched=phase.fetched, news=f"building {building[1]}")
    if line.startswith("Installing collected packages:"):
        count = line.count(",") + 1
        return Phase(fetched=phase.fetched, to_install=count, news=f"installing {count} packages")
    return Phase(fetched=phase.fetched, to_install=phase.to_install)


def explain_pip(output: str, code: int, what: str, log: str) -> str:
    """One sentence about why it failed, what to do, and where pip's own words are kept."""
    if shutil.disk_usage(os.path.dirname(log)).free < FULL_BYTES:
        output = "No space left on device"  # the words about it may have found no room in the log either
    cause, mend = find_cause(output, code)
    return f"{what} failed: {cause}. {mend}, then start again. All of its output is in {log}"


def find_cause(output: str, code: int) -> tuple[str, str]:
    """The cause and what mends it, both without their full stop. The disk is asked first: it breaks all else."""
    for pattern, cause, mend in CAUSES:
        found = re.search(pattern, output)
        if found is not None:
            names = ", ".join(group for group in found.groups() if group)
            return cause.format(names), mend.format(names)
    if code < 0:
        return f"it was ended by signal {-code}, as a machine short of memory does", "Free some memory"
    lines = [line.strip() for line in reversed(output.splitlines()) if line.strip()]
    last = next((line for line in lines if line.startswith("ERROR")), next(iter(lines), ""))
    said = last.strip().removeprefix("ERROR:").strip().rstrip(".") or f"exit code {code} without a reason"
    return f"pip says: {said}", "Mend that"


CAUSES = (
    (
        r"No space left on device|\[Errno 28\]|Disk quota exceeded|\[Errno 122\]",
        "the disk is full",
        f"Free some space ({NEEDS} for .venv, and room in the folder for temporary files)",
    ),
    (
        r"(?s)DO NOT MATCH THE HASHES.*?\n\s+([\w.-]+)==\S+ from ",
        "what came for {0} is not the package that was locked (its hash differs)",
        "Nothing of it was installed: ask who runs your package index why it serves another {0}",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "a package is not the one that was locked (its hash differs)",
        "Nothing of it was installed: ask who runs your package index",
    ),
    (
        r"all requirements must have their versions pinned|Hashes are required in --require-hashes mode",
        "the lock file is damaged: a package in it has no version or no hash",
        "Restore requirements/ from version control",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "the package index shows a certificate that this machine doesn't trust",
        "Name your company's certificate file in the environment variable PIP_CERT",
    ),
    (
        r"407 Proxy Authentication|ProxyError|Cannot connect to proxy",
        "the proxy refuses the connection",
        "Put the right proxy into the environment variable HTTPS_PROXY",
    ),
    (
        r"Temporary failure in name resolution|Name or service not known|nodename nor servname|getaddrinfo failed"
        r"|Network is unreachable|No route to host|Connection refused|Failed to establish a new connection"
        r"|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|Read timed out|Connection aborted"
        r"|Connection reset|RemoteDisconnected|IncompleteRead",
        "the package index can't be reached",
        "Connect this machine to the network, or name your company's package index in the environment variable "
        "PIP_INDEX_URL",
    ),
    (
        r"(?:401|403) (?:Client )?(?:Error|Unauthorized|Forbidden)",
        "the package index refuses access",
        "Sign in to it as your company says (PIP_INDEX_URL, pip.conf or .netrc)",
    ),
    (
        r"\(from versions: none\)\s+ERROR: No matching distribution found for ([\w.-]+==\S+)",
        "the package index has no {0}, or can't be reached",
        "Connect this machine to the network, or name your company's package index in the environment variable "
        "PIP_INDEX_URL",
    ),
    (
        r"No matching distribution found for ([\w.-]+==\S+)",
        "the package index has no {0} for this system",
        "Use Python 3.11 to 3.13 on Linux, macOS or Windows, or ask who runs your package index for it",
    ),
    (
        r"Failed building wheel for ([\w.-]+)|Failed to build '?([\w.-]+)",
        "the source package {0} could not be built",
        "Read the end of the log",
    ),
    (
        r"Permission denied: '?([^'\n]+)",
        "{0} can't be written",
        "Make it writable for you",
    ),
)
