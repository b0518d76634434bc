"""Files of a run: only below the roots, whatever the path looks like; kept under their digest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interoffice.errors import BusinessError
from interoffice.model.values import FileValue
from interoffice.resources.files import FileRoots, digest_of, safe_name, write_durably


@pytest.fixture
def roots(tmp_path: Path) -> FileRoots:
    project = tmp_path / "project"
    for folder in ("inbox", "data", "secret"):
        (project / folder).mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("outside", encoding="utf-8")
    (project / "secret" / "key.txt").write_text("key", encoding="utf-8")
    (project / "data" / "a.csv").write_text("a", encoding="utf-8")
    return FileRoots(
        project=project, read=["inbox", "data"], write=["data", "out"], run_folder=project / "state" / "runs" / "r-1",
        largest_bytes=1000,
    )  # fmt: skip


def code_of(act: object, *arguments: object) -> str:
    with pytest.raises(BusinessError) as raised:
        act(*arguments)  # type: ignore[operator]
    return raised.value.code


@pytest.mark.parametrize(
    "path",
    ["../outside.txt", "data/../../outside.txt", "/etc/hostname", "secret/key.txt", "data/../secret/key.txt", ".",
     "settings.yaml", "", "   ", "data/a.csv\x00.txt", "data/\n", "~/x", "data/../.."],
)  # fmt: skip
def test_a_path_out_of_the_roots_is_refused_for_reading_and_writing(roots: FileRoots, path: str) -> None:
    assert code_of(roots.readable, path) == "file_refused"
    assert code_of(roots.writable, path) == "file_refused"


def test_a_link_out_of_the_roots_is_refused(roots: FileRoots, tmp_path: Path) -> None:
    os.symlink(tmp_path / "outside.txt", roots.project / "data" / "link.txt")
    os.symlink(tmp_path, roots.project / "data" / "folder")
    os.symlink(roots.project / "data" / "loop", roots.project / "data" / "loop")
    for path in ("data/link.txt", "data/folder/outside.txt"):
        assert code_of(roots.readable, path) == "file_refused"
        assert code_of(roots.writable, path) == "file_refused"
    assert code_of(roots.readable, "data/loop") in ("file_refused", "file_missing")
    assert [path.name for path in roots.listed("data")] == ["a.csv"]


def test_a_path_inside_is_found_however_it_is_written(roots: FileRoots) -> None:
    place = roots.project / "data" / "a.csv"
    for path in ("data/a.csv", "./data/a.csv", "inbox/../data/a.csv", str(place)):
        assert roots.readable(path) == place
    found = roots.find("data/a.csv")
    assert (found.path, found.name, found.size_bytes) == ("data/a.csv", "a.csv", 1)
    assert found.sha256 == digest_of(place)[0]


def test_a_missing_file_is_one_sentence_that_says_what_is_there(roots: FileRoots) -> None:
    with pytest.raises(BusinessError, match=r"there is no file data/b\.csv; the folder has a\.csv") as raised:
        roots.readable("data/b.csv")
    assert raised.value.code == "file_missing"
    assert code_of(roots.listed, "inbox/none") == "folder_missing"
    assert code_of(roots.readable, "data") == "file_refused"


def test_a_file_above_the_bound_is_refused(roots: FileRoots) -> None:
    (roots.project / "inbox" / "big").write_bytes(b"x" * 1001)
    with pytest.raises(BusinessError, match=r"files\.largest"):
        roots.readable("inbox/big")


def test_the_folder_of_what_is_written_is_made(roots: FileRoots) -> None:
    assert roots.writable("out/2026/11/a.csv").parent.is_dir()
    assert code_of(roots.writable, "inbox/x.csv") == "file_refused"
    assert code_of(roots.writable, "out/2026") == "file_refused"


def test_what_is_kept_stays_what_it_was(roots: FileRoots) -> None:
    place = roots.project / "data" / "a.csv"
    roots.keep(place, place.name)
    written = roots.held(place)
    assert written.path == "data/a.csv"
    assert roots.readable(written) == place
    place.write_text("changed", encoding="utf-8")
    assert roots.readable(written).read_text(encoding="utf-8") == "a"
    place.unlink()
    assert roots.readable(written).read_text(encoding="utf-8") == "a"


def test_a_file_that_was_only_named_and_is_another_by_now_is_refused(roots: FileRoots) -> None:
    found = roots.find("data/a.csv")
    (roots.project / "data" / "a.csv").write_text("b", encoding="utf-8")
    assert code_of(roots.readable, found) == "file_changed"
    assert code_of(roots.original, found) == "file_changed"
    (roots.project / "data" / "a.csv").unlink()
    assert code_of(roots.readable, found) == "file_missing"


def test_a_made_up_file_value_reaches_nothing_outside(roots: FileRoots) -> None:
    digest, size = digest_of(roots.project / "secret" / "key.txt")
    value = FileValue(path="secret/key.txt", name="key.txt", sha256=digest, size_bytes=size)
    assert code_of(roots.readable, value) == "file_refused"
    assert code_of(roots.original, value) == "file_refused"


def test_the_same_content_is_kept_once_and_the_name_is_only_data(roots: FileRoots) -> None:
    one = roots.keep_bytes(b"pdf", "../../etc/passwd.pdf")
    other = roots.keep_bytes(b"pdf", "invoice.pdf")
    assert one.sha256 == other.sha256
    assert one.path == other.path
    assert (one.name, other.name) == ("passwd.pdf", "invoice.pdf")
    assert Path(one.path).name == f"{one.sha256}.pdf"
    assert roots.readable(one).read_bytes() == b"pdf"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/passwd", "passwd"),
        (".bashrc", "bashrc"),
        ("a\r\nb.pdf", "a__b.pdf"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("", "unnamed"),
        ("...", "unnamed"),
        ("x" * 200 + ".pdf", "x" * 116 + ".pdf"),
        ('a:b*c?"<>|.pdf', "a_b_c_____.pdf"),
    ],
)
def test_a_name_from_outside_becomes_a_bare_one(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_what_is_written_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    write_durably(place, b"one")
    write_durably(place, b"two")
    assert place.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(OSError, match=r"\w"):
        write_durably(tmp_path / "none" / "a.txt", b"x")
