"""Credentials are kept, found again, and never shown."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from loguru import logger

from interoffice.errors import ProjectError, UsageError
from interoffice.resources.masking import MASK
from interoffice.resources.secrets import Credential, CredentialStore, Secret

CANARY = 'Kanarien-"Vogel"/8812'
OTHER = "Zweiter-Vogel-5501"


class MemoryKeyring:
    """What an operating system's keyring does, for one test."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(tmp_path / "state", environ={}, keyring="none")


def test_a_credential_is_found_again_by_another_process(store: CredentialStore) -> None:
    assert store.set("erp_clerk", {"user": "erp.clerk", "password": CANARY, "totp": "JBSWY3DP"}) == "file"
    code = (
        "import sys; from pathlib import Path; from interoffice.resources.secrets import CredentialStore;"
        "print(CredentialStore(Path(sys.argv[1]), keyring='none').get('erp_clerk').revealed())"
    )
    command = [sys.executable, "-c", code, str(store.state_dir)]
    asked = subprocess.run(command, capture_output=True, text=True, check=True)
    assert eval(asked.stdout) == {"user": "erp.clerk", "password": CANARY, "totp": "JBSWY3DP"}


def test_no_file_of_the_project_holds_the_value_and_only_the_owner_reads_them(
    store: CredentialStore, own_config: Path
) -> None:
    store.set("erp_clerk", {"user": "erp.clerk", "password": CANARY})
    written = [path for path in store.state_dir.rglob("*") if path.is_file()]
    assert {path.name for path in written} >= {"credentials.enc", "credentials.json"}
    for path in (*written, own_config / "credentials.key"):
        assert b"Vogel" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    assert not list(store.state_dir.rglob("*.key"))


def test_an_unknown_credential_is_one_sentence_with_the_line_that_sets_it(store: CredentialStore) -> None:
    with pytest.raises(ProjectError) as refused:
        store.get("erp_clerk")
    assert str(refused.value) == 'The credential "erp_clerk" is not set: python3 runner.py credentials set erp_clerk'


def test_a_missing_part_says_which_parts_there_are(store: CredentialStore) -> None:
    store.set("erp_clerk", {"user": "u", "password": CANARY})
    with pytest.raises(ProjectError, match=r'no part "totp" \(it has user, password\).*set erp_clerk --part totp'):
        store.get("erp_clerk").part("totp")


def test_setting_again_replaces_all_parts_and_removing_forgets(store: CredentialStore) -> None:
    store.set("crm", {"user": "u", "password": CANARY, "totp": "x"})
    store.set("crm", {"user": "u", "password": OTHER})
    assert store.get("crm").revealed() == {"user": "u", "password": OTHER}
    assert [(known.name, known.parts, known.kept_in) for known in store.list()] == [
        ("crm", ("user", "password"), "file")
    ]
    store.remove("crm")
    assert store.names() == frozenset()
    with pytest.raises(ProjectError, match='"crm" is not set'):
        store.remove("crm")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Erp", {"password": "x"}),
        ("erp-clerk", {"password": "x"}),
        ("../erp", {"password": "x"}),
        ("erp", {}),
        ("erp", {"pass word": "x"}),
        ("erp", {"user": "u", "password": ""}),
    ],
)
def test_a_bad_name_or_an_empty_value_changes_nothing(store: CredentialStore, name: str, parts: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        store.set(name, parts)
    assert not store.state_dir.exists()


def test_sources_are_asked_in_order_keyring_file_environment(tmp_path: Path) -> None:
    environ = {"INTEROFFICE_CREDENTIAL_ERP_CLERK_USER": "env", "INTEROFFICE_CREDENTIAL_ERP_CLERK_PASSWORD": "from env"}
    keyring = MemoryKeyring()
    plain = CredentialStore(tmp_path / "state", environ=environ, keyring="none")
    assert plain.get("erp_clerk").revealed() == {"user": "env", "password": "from env"}
    assert [known.kept_in for known in plain.list()] == ["environment"]
    plain.set("erp_clerk", {"user": "file", "password": "from file"})
    assert plain.get("erp_clerk").revealed()["user"] == "file"
    ringed = CredentialStore(tmp_path / "state", environ=environ, keyring=keyring)
    assert ringed.set("erp_clerk", {"user": "ring", "password": "from ring"}) == "keyring"
    assert ringed.get("erp_clerk").revealed()["user"] == "ring"
    assert [known.kept_in for known in ringed.list()] == ["keyring"]
    with pytest.raises(ProjectError, match="kept in the keyring, and this session has no keyring"):
        plain.get("erp_clerk")
    ringed.remove("erp_clerk")
    assert keyring.entries == {}
    assert plain.get("erp_clerk").revealed()["user"] == "env"
    with pytest.raises(ProjectError, match="unset it there"):
        plain.remove("erp_clerk")


def test_two_projects_do_not_share_a_credential_in_one_keyring(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    first = CredentialStore(tmp_path / "a", environ={}, keyring=keyring)
    second = CredentialStore(tmp_path / "b", environ={}, keyring=keyring)
    first.set("erp", {"password": CANARY})
    second.set("erp", {"password": OTHER})
    assert first.get("erp").part("password").reveal() == CANARY


def test_a_variable_of_a_longer_name_is_no_part_of_a_shorter_one(tmp_path: Path) -> None:
    store = CredentialStore(tmp_path, environ={"INTEROFFICE_CREDENTIAL_ERP_CLERK_PASSWORD": "x"}, keyring="none")
    assert store.names() == {"erp_clerk"}


def test_a_key_of_another_user_is_said_in_one_sentence(store: CredentialStore, own_config: Path) -> None:
    store.set("erp", {"password": CANARY})
    (own_config / "credentials.key").write_bytes(os.urandom(32))
    with pytest.raises(ProjectError, match="does not open with this user's key"):
        store.get("erp")


def test_a_key_that_others_can_read_is_refused(store: CredentialStore, own_config: Path) -> None:
    store.set("erp", {"password": CANARY})
    (own_config / "credentials.key").chmod(0o644)
    with pytest.raises(ProjectError, match="chmod 600"):
        store.get("erp")


@pytest.mark.parametrize("name", ["credentials.json", "credentials.enc"])
@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b"\x00\xff"])
def test_a_damaged_file_is_said_in_one_sentence(store: CredentialStore, name: str, damage: bytes) -> None:
    store.set("erp", {"password": CANARY})
    (store.state_dir / name).write_bytes(damage)
    with pytest.raises(ProjectError, match="again"):
        store.get("erp")


def test_sets_at_once_from_many_processes_lose_none(store: CredentialStore) -> None:
    code = (
        "import sys; from pathlib import Path; from interoffice.resources.secrets import CredentialStore;"
        "CredentialStore(Path(sys.argv[1]), keyring='none').set(sys.argv[2], {'password': 'p' + sys.argv[2]})"
    )
    names = [f"c{number}" for number in range(4)]
    running = [subprocess.Popen([sys.executable, "-c", code, str(store.state_dir), name]) for name in names]
    assert [process.wait() for process in running] == [0] * len(names)
    assert [store.get(name).revealed()["password"] for name in names] == [f"p{name}" for name in names]


def test_names_are_listed_without_opening_a_value_or_importing_what_would(store: CredentialStore) -> None:
    store.set("erp", {"password": CANARY})
    code = (
        "import sys; from pathlib import Path; from interoffice.resources.secrets import CredentialStore;"
        "store = CredentialStore(Path(sys.argv[1])); print(sorted(store.names()), [k.name for k in store.list()],"
        "{'cryptography', 'keyring', 'argon2'} & set(sys.modules))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code, str(store.state_dir)], capture_output=True, text=True, check=True
    )
    assert asked.stdout == "['erp'] ['erp'] set()\n"


def secret() -> Secret:
    return Secret("erp_clerk.password", CANARY)


def test_a_secret_shows_its_name_only() -> None:
    credential = Credential(name="erp_clerk", parts={"password": secret()})
    shown = [
        repr(secret()),
        str(secret()),
        f"{secret()} {secret()!r:>40}",
        repr(credential),
        json.dumps(f"{secret()!s}"),
    ]
    assert all("Secret(erp_clerk.password)" in text for text in shown)
    assert "Vogel" not in "".join(shown)
    assert not hasattr(secret(), "__dict__")


def test_a_secret_is_never_json_or_pickle() -> None:
    with pytest.raises(TypeError):
        json.dumps({"password": secret()})
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps([secret()], protocol)
    one = secret()
    assert copy.deepcopy([one]) == [one]
    with pytest.raises(AttributeError):
        one._value = "other"  # type: ignore[misc]


def test_a_traceback_with_local_values_shows_no_secret() -> None:
    try:
        password = secret()
        raise ValueError(f"could not sign in with {password}")
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(erp_clerk.password)" in text and "Vogel" not in text


@pytest.mark.parametrize("serialize", [False, True])
def test_a_log_never_shows_what_was_revealed_not_even_in_its_tracebacks(
    store: CredentialStore, serialize: bool
) -> None:
    store.set("erp_clerk", {"user": "erp.clerk", "password": CANARY})
    password = store.get("erp_clerk").part("password").reveal()
    stream = io.StringIO()
    number = logger.add(store.masker.sink(stream.write), serialize=serialize, diagnose=True, backtrace=True)
    try:
        logger.bind(sent={"form": [password]}).info("signing in with {}", password)
        try:
            raise RuntimeError(f"POST /sign-in?password={password}")
        except RuntimeError:
            logger.exception("it failed")
    finally:
        logger.remove(number)
    assert MASK in stream.getvalue()
    assert "Vogel" not in stream.getvalue()


def test_what_was_not_revealed_needs_no_mask_and_a_sign_in_name_is_no_secret(store: CredentialStore) -> None:
    store.set("erp_clerk", {"user": "erp.clerk", "password": CANARY})
    credential = store.get("erp_clerk")
    assert credential.part("user").reveal() == "erp.clerk"
    assert store.masker.mask("signed in as erp.clerk") == "signed in as erp.clerk"
    credential.revealed()
    assert store.masker.mask(CANARY) == MASK
