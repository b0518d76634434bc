"""A real ERP that nobody here wrote: Tryton 8.0, server and web client, brought up from its packages on loopback.

`Tryton.open()` installs it below build/tryton once (Python and npm packages by locks with hashes), makes and seeds the
database, and starts the server; `fresh()` puts the database back to the seed. What it holds is asked through the
server's own API, never through its screens.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
DATABASE: Final = "tryton"
USER, PASSWORD = "admin", "Blaue Tinte 7"
MODULES: Final = ("party", "company", "currency", "country", "product", "account", "account_product",
                  "account_invoice", "stock", "sale")  # fmt: skip
UP_WITHIN_S: Final = 90.0
FILES: Final = ("requirements.txt", "package.json", "package-lock.json", "seed.py")


def need_tryton() -> None:
    """Skips where npm isn't there; in continuous integration it is."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("npm is not installed, which brings Tryton's web client (apt-get install npm)")


class Tryton:
    """A running Tryton in a folder of its own. `address` is what a selectors file says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._session: str | None = None

    @classmethod
    def open(cls, folder: Path) -> Tryton:
        """A server on a copy of the seeded database, in `folder`."""
        installed = _installed()
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        _write_configuration(folder, installed, made.port)
        made.fresh()
        return made

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT"""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """The address of the database in the web client."""
        return f"{self.url}/#{DATABASE}"

    def fresh(self) -> None:
        """The database back to its seed."""
        self.close()
        database = self.folder / "db" / f"{DATABASE}.sqlite"
        for each in database.parent.glob(f"{DATABASE}.sqlite*"):
            each.unlink()
        shutil.copy2(_installed() / "seeded.sqlite", database)
        self._start()

    def close(self) -> None:
        """Stops the server."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = self._session = None

    def _start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            command = [_installed() / "venv/bin/trytond", "-c", self.folder / "trytond.conf", "-d", DATABASE]
            self._server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                urlopen(self.url, timeout=2).read(1)
                return
            except (URLError, OSError):
                if self._server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "server.log").read_text()[-2000:]) from None
                time.sleep(0.1)

    # the server's own API: JSON-RPC with a session

    def call(self, method: str, *words: Any) -> Any:
        """One call, such as model.party.party.search_read; the context is empty."""
        if self._session is None:
            user_id, key, *_ = self._ask("common.db.login", USER, {"password": PASSWORD}, "en")
            self._session = base64.b64encode(f"{USER}:{user_id}:{key}".encode()).decode()
        return self._ask(method, *words, {})

    def _ask(self, method: str, *words: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._session is not None:
            headers["Authorization"] = f"Session {self._session}"
        body = json.dumps({"id": 1, "method": method, "params": words}).encode()
        with urlopen(Request(f"{self.url}/{DATABASE}/rpc/", body, headers), timeout=30) as answer:
            said = json.load(answer)
        if isinstance(said, dict) and said.get("error"):
            raise RuntimeError(f"{method}: {said['error'][:2]}")
        return said["result"] if isinstance(said, dict) and "result" in said else said

    def read(self, model: str, fields: Sequence[str], domain: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Records by the order of their making; `fields` may follow relations: country.code gives `country.`."""
        found = self.call(f"model.{model}.search_read", list(domain), 0, None, [["id", "ASC"]], list(fields))
        return [_plain(record) for record in found]

    def customer_count(self) -> int:
        """How many parties there are beside the company."""
        return len(self.read("party.party", ["name"], [["id", ">", 1]]))

    def customers(self) -> dict[str, list[dict[str, Any]]]:
        """The parties by name, but for the company itself, with all that a customer was made of."""
        countries = {each["id"]: each["name"] for each in self.read("country.country", ["name"])}
        addresses = {each["id"]: each for each in self.read(
            "party.address", ["street", "postal_code", "city", "country"])}  # fmt: skip
        contacts = {each["id"]: each for each in self.read("party.contact_mechanism", ["type", "value"])}
        identifiers = {each["id"]: each for each in self.read("party.identifier", ["type", "code"])}
        found: dict[str, list[dict[str, Any]]] = {}
        for party in self.read(
            "party.party", ["name", "addresses", "contact_mechanisms", "identifiers"], [["id", ">", 1]]
        ):
            made = {
                "addresses": [{**addresses[key], "country": countries.get(addresses[key]["country"])}
                              for key in party["addresses"]],
                "contacts": [(contacts[key]["type"], contacts[key]["value"]) for key in party["contact_mechanisms"]],
                "identifiers": [(identifiers[key]["type"], identifiers[key]["code"]) for key in party["identifiers"]],
            }  # fmt: skip
            found.setdefault(party["name"] or "", []).append(made)
        return found

    def sales(self) -> dict[str, list[dict[str, Any]]]:
        """The sales by reference, with their lines by product code."""
        parties = {each["id"]: each["name"] for each in self.read("party.party", ["name"])}
        products = {each["id"]: each["code"] for each in self.read("product.product", ["code"])}
        lines = {each["id"]: each for each in self.read("sale.line", ["product", "quantity"])}
        found: dict[str, list[dict[str, Any]]] = {}
        for sale in self.read("sale.sale", ["reference", "party", "state", "sale_date", "lines"]):
            made = {
                "party": parties[sale["party"]], "state": sale["state"], "sale_date": sale["sale_date"],
                "lines": [(products[lines[key]["product"]], lines[key]["quantity"]) for key in sale["lines"]],
            }  # fmt: skip
            found.setdefault(sale["reference"] or "", []).append(made)
        return found


def _plain(value: Any) -> Any:
    """What Tryton's JSON says of dates and decimals, as plain values."""
    if isinstance(value, dict):
        match value.get("__class__"):
            case "date":
                return f"{value['year']:04}-{value['month']:02}-{value['day']:02}"
            case "Decimal":
                return value["decimal"]
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _installed() -> Path:
    """The folder of Tryton's packages and the seeded database; made once for what stands in this folder."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:12]
    folder = ROOT / "build" / "tryton" / digest
    if not (folder / "seeded.sqlite").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "lock").open("w") as lock:  # several workers of the tests may want it at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "seeded.sqlite").exists():
                _install(folder)
    return folder


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "db").mkdir(parents=True)
    _run(sys.executable, "-m", "venv", folder / "venv")
    _run(folder / "venv/bin/pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r",
         HERE / "requirements.txt")  # fmt: skip
    www = folder / "www"
    www.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(HERE / name, www / name)
    _run("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", cwd=www)
    client = www / "node_modules" / "tryton-sao"  # its index.html wants node_modules beside itself
    shutil.copytree(client, www, dirs_exist_ok=True)
    for name in ("custom.js", "custom.css"):
        (www / name).touch()
    _write_configuration(folder, folder, 0)
    database = folder / "db" / f"{DATABASE}.sqlite"
    database.touch()  # trytond wants the file to exist
    secret = folder / "password"
    secret.write_text(PASSWORD)
    admin = (folder / "venv/bin/trytond-admin", "-c", folder / "trytond.conf", "-d", DATABASE)
    words = {**os.environ, "TRYTONPASSFILE": str(secret)}
    _run(*admin, "--all", "--email", "admin@example.com", env=words)
    _run(*admin, "-u", *MODULES, "--activate-dependencies", env=words)
    _run(folder / "venv/bin/python", HERE / "seed.py", folder, DATABASE)
    database.rename(folder / "seeded.sqlite")  # last: a folder that has it is whole


def _write_configuration(folder: Path, installed: Path, port: int) -> None:
    (folder / "db").mkdir(exist_ok=True)
    (folder / "trytond.conf").write_text(
        f"[web]\nlisten = 127.0.0.1:{port}\nroot = {installed / 'www'}\n"
        f"[database]\nuri = sqlite://\npath = {folder / 'db'}\nlanguage = en\n"
        "[session]\ntimeout = 86400\nmax_attempt = 1000\n"
    )


def _run(*words: Any, **given: Any) -> None:
    ended = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **given)
    if ended.returncode != 0:
        raise RuntimeError(f"{words[0]} failed: {ended.stdout[-1500:]}{ended.stderr[-1500:]}")
