"""Decision tables: their lines are read exactly, and gaps, overlaps and dead lines are found before a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.loader.contracts import load_contract
from interoffice.model.contract import DecisionTable
from interoffice.model.decision_lines import LineMistake, decide, read_decision_lines
from interoffice.plan.check_project import check_project
from interoffice.plan.check_table_files import check_decision_table
from interoffice.plan.project import open_project
from interoffice.problem import Problem

GIVEN = """\
given:
  class:
    type: choice
    choices: [A, B]
  value:
    type: money
gives:
  percent:
    type: percent
    scale: points
  note:
    type: text
"""


def table(hit: str = "first", given: str = GIVEN) -> DecisionTable:
    text = f'version: 1\nname: T\ndecision: true\nhit: {hit}\nfile: tables/t.csv\ndelimiter: ";"\n{given}'
    found = load_contract(text, "tables/t.yaml")
    assert isinstance(found, DecisionTable)
    return found


def decided(lines: str, hit: str = "first", **row: object) -> list[dict[str, object]]:
    of = table(hit)
    return decide(of, read_decision_lines(of, f"class;value;percent;note\n{lines}"), row)


def test_lines_answer_from_the_top() -> None:
    lines = "A;..100;3;small\nA;*;5;\n*;*;1;rest\n"
    below = decided(lines, **{"class": "A", "value": Decimal("99.99")})
    assert below == [{"percent": Decimal("0.03"), "note": "small"}]
    assert decided(lines, **{"class": "A", "value": Decimal(100)}) == [{"percent": Decimal("0.05"), "note": None}]
    assert decided(lines, **{"class": "A", "value": None}) == [{"percent": Decimal("0.05"), "note": None}]
    assert decided(lines, **{"class": "B", "value": Decimal(1)}) == [{"percent": Decimal("0.01"), "note": "rest"}]


def test_no_line_gives_missing_all_gives_rows_and_add_up_gives_sums() -> None:
    lines = "A;*;3;x\n*;*;2;y\n"
    row = {"class": "A", "value": Decimal(1)}
    assert decided("B;*;3;x\n", **row) == [{"percent": None, "note": None}]
    assert [one["note"] for one in decided(lines, "all", **row)] == ["x", "y"]
    assert decided(lines, "add_up", **row)[0]["percent"] == Decimal("0.05")


def test_dates_and_times_can_be_ranges() -> None:
    of = table(given="given:\n  day:\n    type: date\ngives:\n  n:\n    type: number\n")
    lines = read_decision_lines(of, "day;n\n2026-01-01..2026-07-01;1\n2026-07-01..;2\n")
    days = (date(2025, 12, 31), date(2026, 6, 30), date(2026, 7, 1))
    assert [decide(of, lines, {"day": day})[0]["n"] for day in days] == [None, Decimal(1), Decimal(2)]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("class;value;percent\nA;1;2\n", 1, "it lacks note"),
        ("class;class;value;percent;note\n", 1, "it lacks class"),
        ("class;value;percent;note\nA;1;2\n", 2, "3 fields, the header has 4"),
        ("class;value;percent;note\nC;1;2;x\n", 2, 'class: "C" is none of A, B'),
        ("class;value;percent;note\nA;1,5;2;x\n", 2, 'value: "1,5" is not a number'),
        ("class;value;percent;note\n\nA;5..1;2;x\n", 3, "a range that holds nothing"),
        ('class;value;percent;note\nA;1;2;"x\n', 2, "line 2"),
    ],
)
def test_a_line_that_can_not_be_read_is_named(text: str, line: int, said: str) -> None:
    with pytest.raises(LineMistake) as raised:
        read_decision_lines(table(), text)
    assert raised.value.line == line
    assert said in str(raised.value)


@pytest.fixture
def problems(tmp_path: Path) -> Callable[[str], list[Problem]]:
    def found(lines: str, hit: str = "first") -> list[Problem]:
        place = tmp_path / "t.csv"
        place.write_text(f"class;value;percent;note\n{lines}", encoding="utf-8")
        return list(check_decision_table(table(hit), place))

    return found


def test_a_whole_table_has_no_problem(problems: Callable[[str], list[Problem]]) -> None:
    assert problems("A;..100;1;\nA;100..;2;\nB;*;3;\n") == []
    assert problems("A;..100;1;\n*;*;3;\n") == []


def test_a_gap_is_a_warning_that_names_a_value(problems: Callable[[str], list[Problem]]) -> None:
    for lines, said in (
        ("A;..100;1;\nA;200..;2;\nB;*;3;\n", "no line fits class A, value 100"),
        ("A;*;1;\n", "no line fits class B"),
        ("A;1..;1;\nB;..5;2;\nB;5..;2;\n", "no line fits class A"),
    ):
        found = problems(lines)
        assert [(one.rule, one.severity) for one in found] == [("C09", "warning")]
        assert said in found[0].message


def test_an_overlap_and_a_dead_line_are_errors_in_their_line(problems: Callable[[str], list[Problem]]) -> None:
    overlap = problems("A;..100;1;\nA;50..;2;\nB;*;3;\n")
    assert [(one.rule, one.severity, one.at.line) for one in overlap] == [("C09", "error", 3)]
    assert "this line and line 2 both fit class A, value 50" in overlap[0].message
    dead = problems("*;*;1;\nA;*;2;\n")
    assert [(one.rule, one.at.file, one.at.line) for one in dead] == [("C09", "tables/t.csv", 3)]
    assert "never used" in dead[0].message


def test_tables_that_take_all_lines_may_overlap(problems: Callable[..., list[Problem]]) -> None:
    assert problems("*;*;1;\nA;*;2;\n", "all") == []


def test_the_check_of_a_project_finds_them_and_unknown_patterns_and_files(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "workflows").mkdir()
    tables = tmp_path / "tables"
    (tables / "t.yaml").write_text(table().source.text, encoding="utf-8")
    (tables / "t.csv").write_text("class;value;percent;note\n*;*;1;\nA;*;2;\n", encoding="utf-8")
    (tables / "gone.yaml").write_text(table().source.text.replace("tables/t.csv", "tables/gone.csv"), encoding="utf-8")
    (tables / "people.yaml").write_text(
        "version: 1\nname: People\ncolumns:\n  mail:\n    type: text\n    format: e_mail\n", encoding="utf-8"
    )
    found = {(one.rule, one.at.file, one.suggestion) for one in check_project(open_project(tmp_path))}
    assert {
        ("C09", "tables/t.csv", None), ("R09", "tables/gone.yaml", None), ("R05", "tables/people.yaml", "email"),
    } <= found  # fmt: skip
