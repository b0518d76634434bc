"""`--fix`: the safe corrections, everything else byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from interoffice.loader.fix import corrected, fix_files, mistakes_of
from interoffice.loader.workflow import load_workflow
from interoffice.problem import Edit, Position, Problem

from .samples import text_of

FILE = "workflows/w.yaml"


def fixed(folder: Path, data: bytes, file: str = FILE) -> bytes:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    text = data.decode("utf-8-sig")
    fix_files(folder, mistakes_of(text, file))
    return path.read_bytes()


DEALS = text_of("workflows/won_deals_to_erp.yaml")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("rows: ${{ steps.deals.rows }}", "rows: {{ steps.deals.rows }}"),
        ("if: steps.deals.rows is empty", "if: {{ steps.deals.rows is empty }}"),
        ("      stage: Won\n", "      stage:Won\n"),
        ("    key: deal.deal_id\n", "    key:deal.deal_id\n"),
        ("\noverlap: skip", "\noverlapp: skip"),
        ("        timeout: 90s", "        tiemout: 90s"),
        ("    for_each: ${{", "    for_eech: ${{"),
        ("    approve: ${{", "    aprove: ${{"),
    ],
)
def test_a_safe_correction_gives_the_file_back_as_it_was(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in DEALS
    assert fixed(tmp_path, DEALS.replace(right, wrong, 1).encode()) == DEALS.encode()


def test_braces_in_brackets_are_unfolded_to_lines(tmp_path: Path) -> None:
    wrong = DEALS.replace("by: [sales-managers]", "by: [${{ row.manager }}, sales-managers]  # who", 1)
    after = fixed(tmp_path, wrong.encode()).decode()
    assert "    by:\n      - ${{ row.manager }}\n      - sales-managers  # who\n" in after
    load_workflow(after, FILE)


def test_braces_in_a_map_are_unfolded_with_the_line_ends_of_the_file(tmp_path: Path) -> None:
    wrong = DEALS.replace("    with:\n      application: erp", "    with: {application: ${{ run.id }}, b: 'c, d'}", 1)
    data = wrong.replace("\n", "\r\n").encode()
    after = fixed(tmp_path, data)
    assert b"    with:\r\n      application: ${{ run.id }}\r\n      b: 'c, d'\r\n" in after
    assert b"\n" not in after.replace(b"\r\n", b"")


def test_several_mistakes_of_one_file_are_corrected_together_even_behind_unreadable_ones(tmp_path: Path) -> None:
    wrong = (
        DEALS.replace("by: [sales-managers]", "by: [${{ a }}]", 1)
        .replace("not_by: [starter]", "not_by: [${{ b }}, starter]", 1)
        .replace("\noverlap:", "\noverlapp:", 1)
        .replace("rows: ${{ steps.orders.results }}", "rows: {{ steps.orders.results }}", 1)
    )
    after = fixed(tmp_path, wrong.encode()).decode()
    assert "by:\n      - ${{ a }}\n    not_by:\n      - ${{ b }}\n      - starter\n" in after
    assert "\noverlap: skip" in after and "rows: ${{ steps.orders.results }}" in after


def test_comments_quotes_blanks_and_the_byte_order_mark_stay(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfversion:   1 # one\r\nnmae : 'x'\r\n\r\nname: \"W\"   \r\nstepps:\n- id: a\n  stop:  ok"
    data = data.replace(b"nmae : 'x'\r\n", b"")
    after = fixed(tmp_path, data)
    assert after == data.replace(b"stepps", b"steps")


@pytest.mark.parametrize(
    "wrong",
    [
        "\nonwr: x",  # too little alike
        "\nname: x\nname: y",  # which one?
        "\n\tname: x",
    ],
)
def test_what_is_not_safe_is_left_alone(tmp_path: Path, wrong: str) -> None:
    data = DEALS.replace("\nname: Won deals to ERP orders", wrong, 1).encode()
    assert fixed(tmp_path, data) == data


def test_nothing_is_written_when_the_file_could_not_be_read_afterwards(tmp_path: Path) -> None:
    data = b"version: 1\nname: x\nsteps: []\n"
    (tmp_path / "workflows").mkdir()
    (tmp_path / FILE).write_bytes(data)
    edit = Edit(start=0, end=0, text="a: [")
    bad = Problem(rule="S01", message="x", at=Position(file=FILE, line=1, column=1), fix=(edit,))
    assert fix_files(tmp_path, [bad]) == []
    assert (tmp_path / FILE).read_bytes() == data


def test_edits_that_touch_each_other_are_not_made_together() -> None:
    at = Position(file=FILE, line=1, column=1)
    one = Problem(rule="S01", message="", at=at, fix=(Edit(start=0, end=3, text="x"),))
    other = Problem(rule="S01", message="", at=at, fix=(Edit(start=2, end=4, text="y"),))
    assert corrected("abcdef", [one, other]) == ("xdef", [one])


def test_the_rights_of_the_file_stay(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_text(DEALS.replace("\noverlap:", "\noverlapp:", 1), encoding="utf-8")
    path.chmod(0o640)
    fix_files(tmp_path, mistakes_of(path.read_text(encoding="utf-8"), FILE))
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["w.yaml"]


def test_what_was_corrected_is_given_back_and_a_second_time_nothing(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_text(DEALS.replace("\noverlap:", "\noverlapp:", 1), encoding="utf-8")
    (fixed,) = fix_files(tmp_path, mistakes_of(path.read_text(encoding="utf-8"), FILE))
    assert fixed.file == FILE and [problem.suggestion for problem in fixed.problems] == ["overlap"]
    assert fix_files(tmp_path, mistakes_of(path.read_text(encoding="utf-8"), FILE)) == []
