"""A Debian with nothing but Python, made by debootstrap, in which a copy of this project is started by runner.py.

    sudo python3 tests/acceptance/fresh_machine.py -- doctor
    sudo python3 tests/acceptance/fresh_machine.py --pip-cache ~/.cache/pip -- demo -- demo

Each command after a `--` runs in turn in the same new machine: the home is empty, no package is installed, no browser,
no fonts, no ensurepip. Only how this machine reaches its package sources (apt, pip, certificates, proxies) is taken
over from it. Prints what is said, and the time and exit code of each; exits with the first code that is not 0.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[2]
BASES = Path("/var/tmp/interoffice-fresh-machines")
SUITE = "bookworm"
OWN_PIP_CONF = ("~/.config/pip/pip.conf", "~/.pip/pip.conf")
TAKEN_OVER = re.compile(r"(?i)^(pip_.*|.*_proxy|ssl_cert_.*|.*_ca_bundle|node_extra_ca_certs)$")
INSIDE = """
set -e
mount --bind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/dev/shm"
mount -t proc proc "$ROOT/proc"
if [ -n "$PIP_CACHE" ]; then
  mkdir -p "$ROOT/home/new/.cache/pip"
  mount --bind "$PIP_CACHE" "$ROOT/home/new/.cache/pip"
fi
exec chroot "$ROOT" /usr/bin/env -i "$@"
"""


def main(words: Sequence[str]) -> int:
    """The exit code of the first command that did not end well, else 0."""
    own, commands = split_commands(words)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pip-cache", default="", help="a folder of packages that pip fetched before")
    parser.add_argument("--keep", action="store_true", help="leave the machine's folder there")
    parser.add_argument("--json", default="", metavar="FILE", help="write times and exit codes there")
    options = parser.parse_args(own)
    lacking = what_is_lacking()
    if lacking:
        print(lacking, file=sys.stderr)
        return 2
    BASES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=BASES, ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "root"
        subprocess.run(["cp", "--archive", "--reflink=auto", str(base()), str(root)], check=True)
        take_over_sources(root)
        copy_project(root / "home" / "new" / "my office")
        results = [run_inside(root, command, options.pip_cache) for command in commands or [["doctor"]]]
        if options.keep:
            kept = BASES / f"kept-{int(time.time())}"
            root.rename(kept)
            print(f"kept: {kept}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))
    return next((int(result["code"]) for result in results if result["code"] != 0), 0)


def split_commands(words: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """This script's own words, and the runner's commands: each begins behind a `--`."""
    groups: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            groups.append([])
        else:
            groups[-1].append(word)
    return groups[0], groups[1:]


def what_is_lacking() -> str:
    """Why no such machine can be made here; empty where it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root can make a machine in a folder"
    lacking = [name for name in ("debootstrap", "unshare", "chroot") if shutil.which(name) is None]
    return f"{', '.join(lacking)} not installed" if lacking else ""


def base() -> Path:
    """The machine as debootstrap makes it, kept for the next time."""
    made = BASES / SUITE
    if not made.exists():
        print(f"debootstrap {SUITE}: a Debian with python3 and nothing else", flush=True)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=BASES))
        command = ["debootstrap", "--variant=minbase", "--include=python3", SUITE, str(new), mirror()]
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if ended.returncode != 0:
            shutil.rmtree(new, ignore_errors=True)
            sys.exit(f"debootstrap failed: {ended.stdout.strip().splitlines()[-1]}")
        new.chmod(0o755)
        new.rename(made)
    return made


def mirror() -> str:
    """Where this machine's own apt gets its packages from."""
    asked = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True)
    return next((uri for uri in asked.stdout.split() if uri.rstrip("/").endswith("/debian")), "")


def take_over_sources(root: Path) -> None:
    """How this machine reaches packages, so that the new one can: names, apt, pip, certificates."""
    for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf"):
        if os.path.exists(path):
            shutil.copy(path, root / path[1:])
    own = next((path for name in OWN_PIP_CONF if (path := Path(name).expanduser()).exists()), None)
    if own is not None:
        (root / "etc" / "xdg" / "pip").mkdir(parents=True)
        shutil.copy(own, root / "etc" / "xdg" / "pip" / "pip.conf")
    for path in ("/etc/apt", "/etc/ssl/certs", "/usr/local/share/ca-certificates", "/usr/share/ca-certificates"):
        if os.path.isdir(path):
            command = ["cp", "--recursive", "--dereference", "--no-target-directory", path, str(root / path[1:])]
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(command, stderr=subprocess.DEVNULL)  # certificates whose link points nowhere are left out


def copy_project(to: Path) -> None:
    """What a clone would hold, with what is not committed yet."""
    asked = subprocess.run(
        ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    for name in asked.stdout.decode().split("\0"):
        source = PROJECT / name
        if name and source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / name)


def run_inside(root: Path, command: Sequence[str], pip_cache: str) -> dict[str, object]:
    """Run one command of runner.py in the machine, in its own mounts and processes, which end with it."""
    print(f"\n$ python3 runner.py {' '.join(command)}", flush=True)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/home/new",
        "LANG": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if TAKEN_OVER.match(name)},
    }
    shell = "cd '/home/new/my office' && exec python3 runner.py \"$@\""
    began = time.monotonic()
    ended = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE, "inside"]
        + [f"{name}={value}" for name, value in environment.items()]
        + ["sh", "-c", shell, "runner", *command],
        env={**os.environ, "ROOT": str(root), "PIP_CACHE": os.path.abspath(pip_cache) if pip_cache else ""},
        stdin=subprocess.DEVNULL,
    )
    seconds = time.monotonic() - began
    print(f"= exit code {ended.returncode} after {seconds:.1f} s", flush=True)
    return {"command": list(command), "code": ended.returncode, "seconds": round(seconds, 1)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
