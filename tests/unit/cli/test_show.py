"""What the commands print."""

import json

import pytest

from interoffice.cli.app import project_of, run_command
from interoffice.cli.project import pairs
from interoffice.cli.show import Format, listing, took
from interoffice.errors import UsageError


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.42, "0.4 s"), (14.4, "14 s"), (59.7, "60 s"), (372, "6 min 12 s"), (3725, "1 h 02 min")],
)
def test_a_length_of_time_is_said_as_people_say_it(seconds: float | None, said: str) -> None:
    assert took(seconds) == said


def test_a_listing_aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    listing(
        [{"a": "1", "b": "long"}, {"a": "22", "b": None}], columns={"a": "A", "b": "B"}, format=Format.TEXT, empty=""
    )
    assert capsys.readouterr().out == "A   B\n1   long\n22\n"


def test_a_listing_as_json_keeps_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    listing([{"a": 1, "hidden": [1]}], columns={"a": "A"}, format=Format.JSON, empty="")
    assert json.loads(capsys.readouterr().out) == [{"a": 1, "hidden": [1]}]


def test_an_empty_listing_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    listing([], columns={"a": "A"}, format=Format.TEXT, empty="No runs yet.")
    assert capsys.readouterr().out == "No runs yet.\n"


def test_project_may_stand_anywhere_in_the_command(tmp_path: object) -> None:
    assert project_of(["check", "--project", str(tmp_path), "--fix"]) == (tmp_path, ["check", "--fix"])
    assert project_of([f"--project={tmp_path}", "check"]) == (tmp_path, ["check"])


def test_a_project_folder_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", "--project", "/no/such/folder"]) == 2
    assert capsys.readouterr().err == "Error: --project /no/such/folder: there is no such folder.\n"


@pytest.mark.parametrize("words", [["a"], ["=1"], ["a=1", "a=2"]])
def test_pairs_refuse_what_is_no_pair(words: list[str]) -> None:
    with pytest.raises(UsageError):
        pairs(words, "--input")


def test_pairs_keep_everything_behind_the_first_sign() -> None:
    assert pairs(["a=b=c", " n =1"], "--input") == {"a": "b=c", "n": "1"}


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["chekc"]) == 2
    assert "chekc" in capsys.readouterr().err
