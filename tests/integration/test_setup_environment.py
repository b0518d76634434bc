"""A fresh folder becomes a prepared environment, with the real venv and the real pip, and packages made here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
NO_NETWORK = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": ""}


def make_wheel(folder: Path, name: str, version: str, content: str = "") -> str:
    """A package that pip installs; gives its line for a lock file."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": content or f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},sha256={encoded(text)},{len(text)}\n" for file, text in files.items())
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            wheel.writestr(file, text)
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Machine:
    """A folder with a copy of the wrapper, a small lock of its own, and an empty home."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "my office"
        self.wheels = folder / "wheels"
        self.home = folder / "home"
        for made in (self.project / "requirements", self.wheels, self.home):
            made.mkdir(parents=True)
        shutil.copy(PROJECT / "runner.py", self.project)
        for part in ("setup", "resources"):
            shutil.copytree(PROJECT / "interoffice" / part, self.project / "interoffice" / part)
        for file in ("__init__.py", "errors.py", "frozen.py", "problem.py"):
            shutil.copy(PROJECT / "interoffice" / file, self.project / "interoffice")
        (self.project / "interoffice" / "cli").mkdir()
        (self.project / "interoffice" / "cli" / "__main__.py").write_text(
            "import json, os, signal, sys\n"
            "import interoffice, parcel\n"
            "if sys.argv[1:] == ['die']: os.kill(os.getpid(), signal.SIGTERM)\n"
            "print(json.dumps([sys.argv[1:], sys.prefix, parcel.version, os.environ['INTEROFFICE_PROJECT']]))\n"
            "sys.exit(3)\n"
        )
        self.lock("requirements/build.txt", make_wheel(self.wheels, "crate", "1.0"))
        self.lock("requirements/all.txt", make_wheel(self.wheels, "parcel", "1.0"))

    def lock(self, name: str, *lines: str) -> None:
        (self.project / name).write_text("".join(lines))

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        return {**kept, **NO_NETWORK, "PIP_FIND_LINKS": self.wheels.as_uri(), "HOME": str(self.home), **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.project / "runner.py"), *arguments]

    def start(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.home,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("prepared"))
    started = machine.start("check", "--format", "json")
    assert started.returncode == 3, started.stderr
    return machine


def test_a_first_start_prepares_and_hands_over_with_arguments_and_exit_code(prepared: Machine) -> None:
    started = prepared.start("check", "a b", "--format", "json")
    assert started.returncode == 3
    assert json.loads(started.stdout) == [
        ["check", "a b", "--format", "json"],
        str(prepared.project / ".venv"),
        "1.0",
        str(prepared.project),
    ]


def test_a_second_start_says_nothing_and_does_nothing(prepared: Machine) -> None:
    stamp = (prepared.project / ".venv" / "interoffice.stamp").stat().st_mtime_ns
    began = time.monotonic()
    started = prepared.start("x", PIP_FIND_LINKS="file:///nowhere")
    assert (started.returncode, started.stderr) == (3, "")
    assert time.monotonic() - began < 2
    assert (prepared.project / ".venv" / "interoffice.stamp").stat().st_mtime_ns == stamp


@pytest.mark.slow
def test_set_up_speaks_on_stderr_only_so_that_json_stays_json(machine: Machine) -> None:
    started = machine.start("runs", "--format", "json")
    assert len(json.loads(started.stdout)) == 4
    assert [line.split(" (")[0] for line in started.stderr.splitlines()] == [
        f"Making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}",
        "Installing what source packages are built with",
        "Installing the locked packages",
        "Compiling",
        started.stderr.splitlines()[-1],
    ]
    assert started.stderr.splitlines()[-1].startswith("Ready after ")
    assert "\r" not in started.stderr and "\x1b" not in started.stderr


def test_a_signal_that_ends_the_command_ends_the_start_the_same_way(prepared: Machine) -> None:
    assert prepared.start("die").returncode == -signal.SIGTERM


@pytest.mark.slow
def test_a_changed_lock_is_brought_up_to_date_and_what_left_it_goes(machine: Machine) -> None:
    old = make_wheel(machine.wheels, "parcel", "1.0")
    machine.lock("requirements/all.txt", old, make_wheel(machine.wheels, "leftover", "1.0"))
    assert machine.start().returncode == 3
    machine.lock("requirements/all.txt", make_wheel(machine.wheels, "parcel", "2.0"))
    started = machine.start()
    assert json.loads(started.stdout)[2] == "2.0"
    assert "Bringing .venv up to date" in started.stderr and "Removing leftover" in started.stderr
    there = list((machine.project / ".venv").glob("lib/python*/site-packages/leftover*"))
    assert there == []


@pytest.mark.slow
def test_a_wrong_hash_stops_set_up_in_one_sentence_that_names_the_package(machine: Machine) -> None:
    make_wheel(machine.wheels, "parcel", "1.0", "print('another one')\n")
    started = machine.start()
    assert started.returncode == 1
    sentence = started.stderr.splitlines()[-1]
    assert "parcel is not the package that was locked" in sentence
    assert sentence.endswith(str(machine.project / ".venv" / "setup.log"))
    assert "DO NOT MATCH THE HASHES" in (machine.project / ".venv" / "setup.log").read_text()


@pytest.mark.slow
def test_no_network_is_said_in_one_sentence_and_the_next_start_finishes(machine: Machine) -> None:
    closed = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    started = machine.start(**closed, PIP_FIND_LINKS="")
    assert started.returncode == 1
    assert "the package index can't be reached" in started.stderr.splitlines()[-1]
    assert "Traceback" not in started.stderr
    again = machine.start()
    assert again.returncode == 3
    assert "Removing the unfinished .venv" in again.stderr


@pytest.mark.slow
def test_a_kill_in_the_middle_is_noticed_and_made_good(machine: Machine) -> None:
    first = subprocess.Popen(machine.command(), env=machine.environment(), stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith("Installing what"):
            first.kill()
            break
    first.wait()
    first.stderr.close()
    assert (machine.project / ".venv" / "interoffice.unfinished").exists()
    again = machine.start()
    assert again.returncode == 3, again.stderr
    assert "Removing the unfinished .venv" in again.stderr
    assert not (machine.project / ".venv" / "interoffice.unfinished").exists()


@pytest.mark.slow
def test_two_starts_at_once_prepare_once(machine: Machine) -> None:
    starts = [
        subprocess.Popen(
            machine.command(), env=machine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ends = [start.communicate(timeout=120) for start in starts]
    assert [start.returncode for start in starts] == [3, 3], ends
    said = sorted(error for _, error in ends)
    assert said[0] == "Another start is preparing .venv; waiting for it\n"
    assert "Ready after" in said[1]


@pytest.mark.slow
def test_an_environment_that_a_person_made_is_kept_and_filled(machine: Machine) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(machine.project / ".venv")], check=True)
    own = machine.project / ".venv" / "mine.txt"
    own.write_text("kept")
    started = machine.start()
    assert started.returncode == 3
    assert "Bringing .venv up to date" in started.stderr
    assert own.read_text() == "kept"


@pytest.mark.slow
def test_a_python_that_left_the_machine_makes_the_environment_anew(machine: Machine) -> None:
    assert machine.start().returncode == 3
    python = machine.project / ".venv" / "bin" / "python"
    kept = os.path.realpath(python)
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    started = machine.start()
    assert started.returncode == 3, started.stderr
    assert os.path.realpath(python) == kept


@pytest.mark.slow
def test_settings_that_send_packages_elsewhere_do_not_disturb(machine: Machine) -> None:
    started = machine.start(PIP_USER="1", PIP_TARGET=str(machine.home), PYTHONPATH=str(machine.wheels))
    assert started.returncode == 3, started.stderr


def test_doctor_speaks_before_anything_is_installed_and_installs_nothing(machine: Machine) -> None:
    started = machine.start("doctor", "--format", "json")
    assert started.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(started.stdout)}
    assert findings["Python"]["state"] == "found"
    assert findings["packages"]["state"] == "missing"
    assert findings["packages"]["fix"] == "python3 runner.py demo"
    assert not (machine.project / ".venv").exists()
    assert machine.start("doctor", "--frobnicate").returncode == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, too small for an environment."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("only root may mount the small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_said_in_one_sentence(small_disk: Path) -> None:
    machine = Machine(small_disk)
    started = machine.start()
    assert started.returncode == 1
    assert "disk is full" in started.stderr.splitlines()[-1]
    assert "Traceback" not in started.stderr
