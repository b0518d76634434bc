"""`selectors check` and `pick` by the real command line on the practice office: a table, pictures, exit codes, YAML."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interoffice.office.open_browser import address_of
from interoffice.resources.secrets import CredentialStore
from tests.support.display import display
from tests.support.flagship import Flagship, flagship

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flagship]:
    with flagship(tmp_path_factory.mktemp("check")) as opened:
        yield opened


def test_the_practice_erp_has_every_element_and_nothing_is_posted(project: Flagship) -> None:
    ended = project.cli("selectors", "check", "erp")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert 'customer_no         found        field "Customer no."' in ended.stdout
    assert "order_no            empty        shown after save" in ended.stdout
    assert "0 ambiguous, 0 missing" in ended.stdout
    pictures = Path(ended.stdout.rpartition("pictures: ")[2].strip())
    assert len([*pictures.glob("*.png")]) == 12
    assert project.orders() == {}


def test_a_changed_screen_is_drift_and_a_lost_element_is_a_mistake(project: Flagship) -> None:
    file = project.folder / "selectors" / "erp.yaml"
    before = file.read_text()
    try:
        bare = before.replace("caption: Net amount\n        type: money\n        req", "type: money\n        req")
        more = "- css: input[name=n]\n          - label: Net amount"
        file.write_text(bare.replace("- css: input[name=amount]", more))
        ended = project.cli("selectors", "check", "erp", "--screen", "sales_order", "--format", "json")
        said = json.loads(ended.stdout)
        assert (ended.returncode, said["counts"]["later"]) == (3, 1)
        file.write_text(before.replace("caption: Customer no.\n        type: text\n        required",
                                       "caption: Debtor\n        type: text\n        required")
                        .replace("- css: input[name=customer_no]", "- css: input[name=debtor]"))  # fmt: skip
        ended = project.cli("selectors", "check", "erp", "--screen", "sales_order")
        assert ended.returncode == 1
        assert "not ready: " in ended.stdout
        assert "missing" in ended.stdout and "selectors/erp.yaml:" in ended.stdout
    finally:
        file.write_text(before)


def test_a_refused_sign_in_pauses_the_credential_and_is_not_tried_again(project: Flagship) -> None:
    with project._own_keys():
        CredentialStore(project.state).set("stranger", {"user": "erp.clerk", "password": "wrong"})
    first = project.cli("selectors", "check", "erp", "--screen", "sales_order", "--credential", "stranger")
    assert (first.returncode, "refused the credential stranger" in first.stderr) == (1, True)
    again = project.cli("selectors", "check", "erp", "--screen", "sales_order", "--credential", "stranger")
    assert (again.returncode, "is paused" in again.stderr) == (1, True)


def test_a_wrong_name_is_told(project: Flagship) -> None:
    ended = project.cli("selectors", "check", "epr")
    assert (ended.returncode, 'did you mean "erp"?' in ended.stderr) == (2, True)


def test_picking_prints_one_element_and_writes_nothing(project: Flagship) -> None:
    before = {path: path.read_bytes() for path in project.folder.glob("*/*.yaml")}
    base = address_of(project.state, "practice:erp").rstrip("/")
    with display() as person:
        command = subprocess.Popen(
            project._command(("selectors", "pick", "erp")), cwd=project.folder, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=project._environment({"DISPLAY": person.display}),
        )  # fmt: skip
        try:
            person.await_title("Sign in")
            person.go(base, "Sign in")
            assert command.stdin is not None and command.stderr is not None
            command.stdin.write("\n")
            command.stdin.flush()
            while "Click it." not in command.stderr.readline():
                assert command.poll() is None
            person.press("Tab", "Tab", "Return")  # the button "Sign in", pressed by the keyboard
            said, _ = command.communicate(timeout=60)
        finally:
            command.kill()
    assert said.startswith("sign_in:\n  caption: Sign in\n  type: button\n  find:\n    - role: button\n")
    assert before == {path: path.read_bytes() for path in project.folder.glob("*/*.yaml")}
