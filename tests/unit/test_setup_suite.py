"""`runner.py test` runs what it says it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from interoffice.errors import ProjectError
from interoffice.setup.suite import Part, parts, run, run_suite


def commands(*args: str) -> list[str]:
    return [" ".join(part.command) for part in parts(list(args))]


def test_the_plain_command_runs_the_ordinary_tests_on_two_workers() -> None:
    assert commands() == ["-m pytest -m not slow -n 2 --dist loadfile"]


def test_slow_adds_the_slow_ones_and_all_adds_the_checks_of_the_code_before_them() -> None:
    assert commands("--slow") == [
        "-m pytest -m not slow -n 2 --dist loadfile",
        "-m pytest -m slow and not exhaustive -n 2 --dist loadfile",
    ]
    assert [part.heading for part in parts(["--all"])] == ["ruff", "mypy --strict", "Ordinary tests", "Slow tests"]


def test_words_for_pytest_go_to_pytest_and_narrow_what_runs() -> None:
    assert commands("tests/unit", "-k", "stamp") == ["-m pytest -m not slow -n 2 --dist loadfile tests/unit -k stamp"]
    assert commands("-m", "contract") == ["-m pytest -m (not slow) and (contract) -n 2 --dist loadfile"]


@pytest.mark.parametrize("word", ["-n0", "-n=4", "--pdb", "--numprocesses=1"])
def test_who_asks_for_workers_or_the_debugger_gets_no_workers_of_ours(word: str) -> None:
    assert commands(word) == [f"-m pytest -m not slow {word}"]


def test_a_part_gives_its_exit_code_and_its_output_goes_by(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ended = run(Part(heading="A part", command=("-c", "print('live'); raise SystemExit(7)")), tmp_path)
    assert ended.code == 7
    said = capfd.readouterr().out
    assert said.index("== A part ==") < said.index("live") < said.index("FAILED (exit code 7)")


def test_no_test_collected_is_a_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_none.py").write_text("")
    ended = run(Part(heading="Ordinary tests", command=("-m", "pytest", "-p", "no:cacheprovider", ".")), tmp_path)
    assert ended.code == 5
    assert "no test was collected" in capfd.readouterr().out


def test_a_project_without_tests_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no folder tests"):
        run_suite([], tmp_path)


def test_the_ci_script_is_right_bash_and_calls_the_second_command() -> None:
    script = Path(__file__).parents[2] / ".ci" / "run"
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    assert "python3 runner.py test --all" in script.read_text()


def test_doctor_findings_say_what_for_and_how_to_fix(tmp_path: Path) -> None:
    from interoffice.setup.doctor import Finding, exit_code, print_findings

    needed = Finding(name="browser", state="missing", detail="none", purpose="screens", needed=True, fix="apt-get x")
    extra = Finding(name="git", state="missing", detail="none", purpose="editors", fix="apt-get git")
    there = Finding(name="Python", state="found", detail="3.11", purpose="everything", needed=True)
    assert exit_code([there, extra]) == 0
    assert exit_code([there, needed]) == 1
    with (tmp_path / "said").open("w+") as stream:
        print_findings([there, needed, extra], stream=stream)
        stream.seek(0)
        said = stream.read()
    assert "MISSING" in said and "fix: apt-get x" in said and "for editors" in said
    assert said.splitlines()[-1].startswith("Not ready: browser missing.")


def test_doctor_looks_at_this_machine_and_finds_its_python() -> None:
    from interoffice.setup.doctor import diagnose

    findings = {finding.name: finding for finding in diagnose(Path(__file__).parents[2])}
    assert sys.executable in findings["Python"].detail
    assert {
        "packages",
        "disk",
        "browser",
        "fonts",
        "git",
        "strace",
        "Xvfb",
        "tesseract",
        "LibreOffice",
        "Postgres",
    } <= set(findings)
    assert all(finding.fix for finding in findings.values() if finding.state == "missing")
