"""A newcomer's first ten minutes, with the real command line: new, check, mistakes, run, look."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def runner(*words: str, cwd: Path = ROOT, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1"}
    environment.pop("INTEROFFICE_PROJECT", None)
    command = [sys.executable, "-P", "-m", "interoffice.cli", *words]
    return subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer") / "my-office"
    made = runner("new", str(folder))
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def run(office: Path) -> dict[str, object]:
    ended = runner("run", "first", "--project", str(office), "--as-of", "2026-11-23", "--format", "json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answer: dict[str, object] = json.loads(ended.stdout)
    return answer


def test_a_new_project_has_no_mistakes(office: Path) -> None:
    checked = runner("check", "--project", str(office))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "no mistakes" in checked.stdout


def test_a_folder_that_holds_something_is_not_written_over(office: Path) -> None:
    again = runner("new", str(office))
    assert again.returncode == 2
    assert "not empty" in again.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "rule", "line", "meant"),
    [
        ("      - amount > 0", "      - amoount > 0", "C03", 23, "amount"),
        ("    bot: spreadsheet.read_rows", "    bot: spreadsheet.read_row", "B01", 11, "spreadsheet.read_rows"),
        ("${{ steps.checks.passed }}", "${{ steps.cheks.passed }}", "R01", 34, "checks"),
        ("    otherwise: reject", "    otherwise: rejct", "C02", 20, "reject"),
        ("steps:\n", "stepps:\n", "S01", 8, "steps"),
    ],
)
def test_a_mistake_is_found_on_its_line_with_what_was_meant(
    office: Path, right: str, wrong: str, rule: str, line: int, meant: str
) -> None:
    file = office / "workflows" / "first.yaml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    try:
        checked = runner("check", "--project", str(office), "--format", "json")
    finally:
        file.write_text(text, encoding="utf-8")
    problems = json.loads(checked.stdout)
    assert checked.returncode == 1
    assert [(each["rule"], each["line"], each["suggestion"]) for each in problems] == [(rule, line, meant)]


def test_the_run_ends_well_and_says_so(run: dict[str, object]) -> None:
    assert run["state"] == "succeeded"
    assert "2 of 4 rows rejected by a rule" in str(run["sentence"])


def test_the_workbook_holds_every_row_once(office: Path, run: dict[str, object]) -> None:
    import openpyxl

    book = openpyxl.load_workbook(office / "reports" / "invoices_2026-11-23.xlsx")
    rows = {sheet.title: [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book}
    assert rows == {"Sound": ["00417", "00419"], "Rejected": ["00418", "00418"]}


def test_the_report_is_one_file_that_needs_no_network(run: dict[str, object]) -> None:
    page = Path(str(run["report"])).read_text(encoding="utf-8")
    assert "My first workflow" in page
    assert "00418" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_show_tells_the_steps_by_their_names(office: Path, run: dict[str, object]) -> None:
    told = json.loads(runner("show", "last", "--project", str(office), "--format", "json").stdout)
    assert told["run"] == run["run"]
    assert [step["step"] for step in told["steps"]] == [
        "Read the invoices",
        "Is each invoice sound?",
        "Write the result",
    ]


def test_the_audit_is_whole(office: Path, run: dict[str, object]) -> None:
    verified = runner("audit", "verify", "--project", str(office))
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "fist"), 2, 'did you mean "first"'),
        (("run", "first", "--as-of", "yesterday"), 2, "--as-of yesterday"),
        (("run", "first", "--input", "x"), 2, "name=value"),
        (("run", "first", "--env", "prod"), 2, '"prod"'),
        (("show", "nothing-like-it"), 2, "nothing-like-it"),
        (("bot", "spreadsheet.read"), 2, "spreadsheet.read_rows"),
        (("explain", "Z99"), 2, "Z99"),
        (("items", "last", "--state", "lost"), 2, "lost"),
        (("learn", "table", "no_such.csv"), 2, "no_such.csv"),
        (("settle", "17"), 2, "--done"),
    ],
)
def test_a_wrong_command_gets_one_clear_sentence(
    office: Path, run: dict[str, object], words: tuple[str, ...], code: int, said: str
) -> None:
    ended = runner(*words, "--project", str(office))
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [("check",), ("runs",), ("show", "last")])
def test_a_command_imports_nothing_heavy_that_it_does_not_use(
    office: Path, run: dict[str, object], words: tuple[str, ...]
) -> None:
    code = (
        "import sys; from interoffice.cli import main; main(sys.argv[1:]);"
        "heavy = ('pandas', 'dbos', 'playwright', 'pyautogui');"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-P", "-c", code, *words, "--project", str(office)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stderr.splitlines()[-1] == "[]"
