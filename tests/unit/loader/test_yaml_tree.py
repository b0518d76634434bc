"""Reading YAML: every scalar is text, every place is known, and hostile files end in one clear sentence."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from interoffice.errors import MistakesFound
from interoffice.loader.yaml_tree import Fields, Reading, compose, decode
from interoffice.problem import Problem

from .samples import PROJECT


def problems_of(text: str) -> list[Problem]:
    try:
        return list(compose(text, "f.yaml").problems)
    except MistakesFound as found:
        return list(found.problems)


@pytest.mark.parametrize(
    "value",
    ["NO", "00123", "12:30", "1.10", "0x1F", "1e3", "~", "null", "true", "2026-12-24", "1_000", ".inf", "=", "<<"],
)
def test_every_scalar_stays_the_text_that_was_written(value: str) -> None:
    assert compose(f"a: {value}\n", "f").root == {"a": value}


@pytest.mark.parametrize("key", ["on", "yes", "no", "off", "123", "null"])
def test_no_word_is_special_as_a_key(key: str) -> None:
    assert compose(f"{key}: x\n", "f").root == {key: "x"}


def test_blanks_are_none_and_quoted_nothing_is_an_empty_text() -> None:
    assert compose("a:\nb: ''\nc: []\nd: {}\n", "f").root == {"a": None, "b": "", "c": (), "d": {}}


def test_places_are_of_the_values_own_text_whatever_signs_stand_before_it() -> None:
    text = "ä: 'ö𝄞'\nlist:\n  - x: \"y\"\n    z: |\n      one\n      two\n"
    source = compose(text, "f").source
    cut = {path: text[start:end] for path, (start, end) in source.values.items()}
    assert cut[("ä",)] == "ö𝄞"
    assert cut[("list", 0, "x")] == "y"
    assert cut[("list", 0, "z")] == "one\n      two"
    assert text[slice(*source.keys[("list", 0, "z")])] == "z"
    at = source.at(("list", 0, "x"))
    assert (at.line, at.column, at.length) == (3, 9, 1)


def test_line_ends_of_windows_and_a_byte_order_mark_change_no_place() -> None:
    text = decode(b"\xef\xbb\xbfa: b\r\nc:\r\n  - d\r\n", "f")
    tree = compose(text, "f")
    assert tree.root == {"a": "b", "c": ("d",)}
    at = tree.source.at(("c", 0))
    assert (at.line, at.column) == (3, 5)
    assert compose("\ufeffa: b\n", "f").source.at_key(("a",)).column == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"---\n", "the file is empty"),
        (b"- a\n- b\n", "not a list"),
        (b"just a text", "not a text"),
        (b"a: b\x00c", "U+0000"),
        (b"a: b\x1b[31m", "U+001B"),
        (b"a: \xff\xfe", "not UTF-8"),
        (b"\xff\xfea\x00:\x00", "UTF-16"),
        (b"a: b\rc: d", "carriage return"),
        (b"a: b\n---\nc: d\n", "second document"),
        (b"a: b\n...\nc: d\n", "ends the file"),
        (b"a: " + b"x" * 1_000_001, "bigger than 1 MB"),
        (b"a: " + b"[" * 60, "levels"),
        (b"a: " + b"[" * 400_000, "levels"),
        (b"a: " + b"{b: " * 60, "levels"),
        (b"".join(b" " * i + b"a:\n" for i in range(60)), "levels"),
        (b"? [a, b]\n: c\n", "a key must be a word"),
        (b"%YAML 9.9\n---\na: b\n", "read"),
        (b"\xc2\x85\t", "tab"),
    ],
)
def test_a_hostile_file_ends_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(MistakesFound) as found:
        compose(decode(data, "f.yaml"), "f.yaml")
    assert len(found.value.problems) == 1
    problem = found.value.problems[0]
    assert words in problem.message
    assert "\n" not in problem.message
    assert problem.at.file == "f.yaml" and problem.at.line >= 1


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    began = time.process_time()
    problems = problems_of("\n".join(lines))
    assert time.process_time() - began < 10
    assert {problem.rule for problem in problems} == {"Y04"}


def test_a_megabyte_of_lines_is_read_in_seconds() -> None:
    text = "".join(f"key_{n}: value {n}\n" for n in range(40_000))
    began = time.process_time()
    assert len(compose(text, "f").root) == 40_000
    assert time.process_time() - began < 20


def test_a_duplicate_key_names_both_lines_and_does_not_hide_what_stands_behind() -> None:
    problems = problems_of("a: 1\nb:\n  c: 1\n  c:\n    d: 2\na: 3\n")
    assert [(problem.rule, problem.at.line) for problem in problems] == [("Y02", 4), ("Y02", 6)]
    assert "line 3" in problems[0].message and "line 1" in problems[1].message
    assert problems[0].see is not None and problems[0].see.line == 3


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a: {{ x }}", ["Y03"]),
        ("a: [b, {{ x }}]", ["Y03"]),
        ("a: &b c\nd: *b", ["Y04", "Y04"]),
        ("a: !!str 1", ["Y04"]),
        ("a: *b", ["Y01"]),
        ("a: b #c", ["Y06"]),
        ("a: b # c", []),
        ("a: b\n#c: d\n", []),
        ("a: #ff0000", ["Y06"]),
        ("a: ${{ x # y }}", ["Y06"]),
        ("a: 'b' #c", []),
        ("a: 'it''s #1'", []),
        ("a: http://x.example.com/#top", []),
        ("a: b\n  - c\n  - d", ["Y01"]),
    ],
)
def test_what_yaml_would_misread_in_silence_is_said(text: str, rules: list[str]) -> None:
    assert [problem.rule for problem in problems_of(text)] == rules


def test_a_misread_value_is_read_on_as_it_was_meant() -> None:
    tree = compose("rows: {{ steps.a.rows }}\nif: {{ b is empty }}\nc: d\n", "f")
    assert tree.root == {"rows": "${{ steps.a.rows }}", "if": "b is empty", "c": "d"}


def test_a_map_reports_unknown_missing_and_wrong_keys_at_once() -> None:
    reading = Reading(compose("nmae: x\nsize: big\nwhen: soon\nlist: []\n", "f"))
    fields = Fields(reading, ())
    fields.text("name", required=True)
    fields.whole("size")
    fields.duration("when")
    fields.texts("list")
    fields.text("owner", required=True)
    fields.close()
    assert [(problem.rule, problem.at.line) for problem in reading.sorted_problems()] == [
        ("S01", 1),
        ("S02", 1),
        ("S05", 2),
        ("S05", 3),
        ("S06", 4),
    ]


def test_the_only_unknown_key_is_taken_for_the_only_missing_one() -> None:
    reading = Reading(compose("title: x\nsize: 1\n", "f"))
    fields = reading.top("name", "size")
    fields.text("name", required=True)
    fields.whole("size")
    fields.close()
    assert [(problem.rule, problem.suggestion) for problem in reading.problems] == [("S01", "name")]


def test_reading_yaml_loads_nothing_heavy() -> None:
    code = (
        "import sys; import interoffice.loader.workflow, interoffice.loader.settings, interoffice.loader.messages;"
        "print([n for n in ('pandas','numpy','pyarrow','duckdb','sqlalchemy','dbos','playwright','lark','rapidfuzz')"
        " if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("text", ["a: [", "a: [\n", "a: {", "a: [b, {c: d", "a: [1, 2\nb: 3\n", "- [", "{", "a: [b,"])
def test_a_file_that_ends_inside_brackets_is_one_sentence(text: str) -> None:
    with pytest.raises(MistakesFound) as found:
        compose(text, "a.yaml")
    assert found.value.problems[0].rule == "Y01"
