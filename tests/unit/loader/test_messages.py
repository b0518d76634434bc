"""Mistakes as text, JSON and annotations."""

from __future__ import annotations

import json
from pathlib import Path

from interoffice.loader.messages import exit_code, render
from interoffice.problem import Position, Problem

MISSPELT = Problem(
    rule="U02",
    message='screen "sales_order" has no element "custommer_no"',
    at=Position(file="workflows/w.yaml", line=2, column=5, length=12),
    suggestion="customer_no",
    see=Position(file="selectors/erp.yaml", line=96, column=1),
)
UNUSED = Problem(
    rule="R07", message="never used", at=Position(file="workflows/w.yaml", line=1, column=1), severity="warning"
)
NOTE = Problem(rule="U05", message="unused", at=Position(file="a.yaml", line=1, column=1), severity="note")


def project(folder: Path, text: str = "fields:\n    custommer_no: ${{ x }}\n") -> Path:
    (folder / "workflows").mkdir()
    (folder / "workflows" / "w.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_message_has_the_shape_of_the_language_page(tmp_path: Path) -> None:
    assert render([MISSPELT], project(tmp_path)) == (
        'workflows/w.yaml:2:5  U02  screen "sales_order" has no element "custommer_no"\n'
        "    2 |     custommer_no: ${{ x }}\n"
        "      |     ^~~~~~~~~~~~\n"
        '   did you mean "customer_no"?  (selectors/erp.yaml:96)      runner.py explain U02\n'
        "\n"
        "1 mistake in 1 file\n"
    )


def test_messages_stand_in_the_order_of_the_lines_and_say_their_severity(tmp_path: Path) -> None:
    text = render([MISSPELT, UNUSED], project(tmp_path))
    assert text.index("R07  warning: never used") < text.index("U02")
    assert text.endswith("1 mistake, 1 warning in 1 file\n")


def test_notes_are_shown_only_when_asked_for_and_never_change_the_exit_code(tmp_path: Path) -> None:
    assert render([NOTE], tmp_path) == ""
    assert "U05" in render([NOTE], tmp_path, notes=True)
    assert [exit_code(found) for found in ([], [NOTE], [UNUSED, NOTE], [UNUSED, MISSPELT])] == [0, 0, 3, 1]


def test_json_holds_exactly_the_promised_keys(tmp_path: Path) -> None:
    found = json.loads(render([MISSPELT], tmp_path, format="json"))
    assert found == [
        {
            "file": "workflows/w.yaml",
            "line": 2,
            "column": 5,
            "rule": "U02",
            "severity": "error",
            "message": 'screen "sales_order" has no element "custommer_no"',
            "suggestion": "customer_no",
        }
    ]
    assert render([], tmp_path, format="json") == "[]\n"


def test_an_annotation_escapes_what_github_would_read_as_its_own(tmp_path: Path) -> None:
    odd = Problem(rule="S05", message="100% of\nit", at=Position(file="a,b:c.yaml", line=3, column=2, length=4))
    assert render([odd], tmp_path, format="github") == (
        "::error file=a%2Cb%3Ac.yaml,line=3,col=2,endColumn=6,title=S05::100%25 of%0Ait\n"
    )


def test_a_line_can_not_drive_the_terminal_and_the_mark_stays_under_wide_signs(tmp_path: Path) -> None:
    odd = Problem(rule="Y01", message="odd \x1b[2J", at=Position(file="workflows/w.yaml", line=1, column=4, length=1))
    text = render([odd], project(tmp_path, "顧客\tx\x1b[31m\n"))
    assert "\x1b" not in text
    assert "    1 | 顧客→x?[31m\n      |      ^\n" in text


def test_a_very_long_line_is_cut_around_its_mistake(tmp_path: Path) -> None:
    odd = Problem(rule="Y01", message="odd", at=Position(file="workflows/w.yaml", line=1, column=5001, length=3))
    lines = render([odd], project(tmp_path, "x" * 5000 + "!!!" + "x" * 5000)).splitlines()
    assert len(lines[1]) < 200
    assert lines[1][lines[2].index("^")] == "!"


def test_colours_only_when_asked_for(tmp_path: Path) -> None:
    assert "\x1b" not in render([MISSPELT], tmp_path)
    assert "\x1b[31mU02" in render([MISSPELT], tmp_path, colours=True)


def test_a_file_that_is_not_there_any_more_costs_only_its_line(tmp_path: Path) -> None:
    assert "U02" in render([MISSPELT], tmp_path)
