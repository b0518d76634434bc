"""Plain command lines are read without Typer; what they print and how they end is the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interoffice.cli import main
from interoffice.cli.app import run_command
from interoffice.cli.ending import ended
from interoffice.cli.quick import plain_command

ROOT = Path(__file__).parents[2]
CODE = "import sys; from interoffice.cli import main; code = main(sys.argv[1:]);"
SLOW = ("typer", "pydantic", "rich", "pandas", "pyarrow", "duckdb", "sqlalchemy", "dbos", "playwright", "loguru")


def runner(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "interoffice.cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run, and a workflow with two mistakes, one of which has a safe correction."""
    folder = tmp_path_factory.mktemp("quick") / "my-office"
    for words in (["new", str(folder)], ["run", "first", "--project", str(folder), "--as-of", "2026-11-23"]):
        done = runner(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    first = (folder / "workflows" / "first.yaml").read_text(encoding="utf-8")
    wrong = first.replace("spreadsheet.read_rows", "spreadsheet.read_row").replace("description:", "descripton:")
    assert wrong != first
    (folder / "workflows" / "wrong.yaml").write_text(wrong, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def at_home(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(office)
    monkeypatch.setenv("INTEROFFICE_PROJECT", str(office))


PLAIN = [
    "check",
    "check first",
    "check first wrong",
    "check workflows/first.yaml --notes",
    "check wrong --format json",
    "check --format=github wrong",
    "check --format text tables",
    "check no_such_workflow",
    "explain U02",
    "explain nothing",
    "runs",
    "runs --limit 1 --format json",
    "runs --workflow first --state=succeeded",
    "runs --workflow other",
    "runs --state nonsense",
    "show last",
    "show last --format json",
    "show nothing",
    "--project . runs",
    "show --project=. last",
]


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_line_gives_the_same_as_typer_gives(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    by_typer = run_command(line.split()), capfd.readouterr()
    command = plain_command(line.split())
    assert command is not None, "the line is read without Typer"
    assert (ended(command), capfd.readouterr()) == by_typer


def test_corrections_are_the_same_both_ways(
    office: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for way in ("typer", "plain"):
        folder = tmp_path / way / "project"
        shutil.copytree(office, folder)
        monkeypatch.chdir(folder)
        words = ["check", "--fix", "wrong", "--project", str(folder)]
        command = plain_command(words)
        assert command is not None
        code = run_command(words) if way == "typer" else ended(command)
        found.append((code, capfd.readouterr(), (folder / "workflows" / "wrong.yaml").read_text(encoding="utf-8")))
    assert found[0] == found[1]
    assert found[0][0] == 1
    assert "corrected workflows/wrong.yaml:3" in found[0][1].out
    assert "description:" in found[0][2]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("check --help", 0),
        ("check -h", 0),
        ("check --format xml", 2),
        ("check --format", 2),
        ("check --format --fix", 2),
        ("check --fix=yes", 2),
        ("check --hlp", 2),
        ("check -- first", 0),
        ("check --format json --format text first", 0),
        ("runs --limit 0", 2),
        ("runs --limit many", 2),
        ("runs extra", 2),
        ("show", 2),
        ("show last twice", 2),
        ("explain", 2),
        ("explain U02 U03", 2),
        ("bots --format json", 0),
        ("--project", 2),
        ("check --project /no/such/folder", 2),
        ("chekc", 2),
    ],
)
def test_any_other_line_is_left_to_typer(line: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert plain_command(line.split()) is None
    by_typer = run_command(line.split()), capfd.readouterr()
    assert (main(line.split()), capfd.readouterr()) == by_typer
    assert by_typer[0] == code


@pytest.mark.parametrize("line", ["check", "check first", "runs", "show last", "explain U02"])
def test_a_plain_line_loads_nothing_that_is_slow_to_load(line: str, office: Path) -> None:
    told = f"{CODE} print(sorted(set({SLOW}) & set(sys.modules)), file=sys.stderr)"
    environment = {**os.environ, "INTEROFFICE_PROJECT": str(office)}
    command = [sys.executable, "-c", told, *line.split()]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.stderr == "[]\n"
