"""A project whose workflow customers_to_tryton works on a running Tryton, and what must then be in its database."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from interoffice.resources.secrets import CredentialStore
from interoffice.testing.ground import kill_group
from tests.support.flagship import CONFIG, ROOT, copy
from tests.support.tryton.rig import PASSWORD, USER, Tryton

WORKFLOW: Final = "customers_to_tryton"
COPIED: Final = ("settings.yaml", "selectors/tryton.yaml", "tables", f"workflows/{WORKFLOW}.yaml")
CITIES: Final = (
    ("Germany", "Köln", "50667", "Straße der Mühe"), ("France", "Orléans", "45000", "rue de l'Été"),
    ("Spain", "A Coruña", "15001", "Calle Ñandú"), ("Poland", "Łódź", "90-001", "ulica Żeromskiego"),
    ("Japan", "京都", "604-8571", "上本能寺前町"), ("United Kingdom", "Ely", "CB7 4EJ", "Guildhall & Sons Row"),
)  # fmt: skip
PRODUCTS: Final = (("DESK-01", "Standing desk"), ("CHAIR-01", "Office chair"), ("LAMP-01", "Desk lamp"))
VAT_NUMBERS: Final = ("DE136695976", "DE811569869", "DE129273398", "DE118856456", "DE814584193")


def customers(count: int) -> list[dict[str, str]]:
    """Made customers as a CRM exports them: several scripts, ampersands, angle brackets; some cells empty."""
    made = []
    for number in range(1, count + 1):
        country, city, postal_code, street = CITIES[number % len(CITIES)]
        has_tax_id = number % 3 == 1
        made.append({
            "Customer": f"{city} Handels <{number}> & Söhne", "Street": f"{street} {number}",
            "Postal code": postal_code, "City": city, "Country": country,
            "E-mail": f"einkauf.{number}@example.com" if number % 4 else "",
            "Tax id kind": "German VAT Number" if has_tax_id else "",
            "Tax id": VAT_NUMBERS[number % len(VAT_NUMBERS)] if has_tax_id else "",
        })  # fmt: skip
    return made


def order_lines(of: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    """The first customers' orders: one to three lines each."""
    return [
        {"Order": f"CRM-{1000 + number}", "Customer": of[number]["Customer"], "Ordered on": "2026-11-16",
         "Product": PRODUCTS[line][1], "Quantity": str(1 + number + line)}
        for number in range(count)
        for line in range(1 + number % 3)
    ]  # fmt: skip


class TrytonProject:
    """A project folder with its exports and the credential of Tryton's clerk, and the command line on it."""

    def __init__(self, folder: Path, address: str, *, customers_: int, orders: int) -> None:
        self.folder = folder
        self.exported = customers(customers_)
        self.lines = order_lines(self.exported, orders)
        self._started: list[subprocess.Popen[str]] = []
        for name in COPIED:
            copy(ROOT / name, folder / name)
        selectors = folder / "selectors" / "tryton.yaml"
        text = selectors.read_text(encoding="utf-8")
        assert "http://127.0.0.1:8000/#tryton" in text
        selectors.write_text(text.replace("http://127.0.0.1:8000/#tryton", address), encoding="utf-8")
        _write_csv(folder / "inbox" / "new_customers.csv", self.exported)
        _write_csv(folder / "inbox" / "new_order_lines.csv", self.lines)
        with self._own_keys():
            CredentialStore(folder / "state").set("tryton_clerk", {"user": USER, "password": PASSWORD})

    def cli(self, *words: str, within_s: float = 3600) -> subprocess.CompletedProcess[str]:
        """One command, as an operator types it."""
        return subprocess.run(self._command(words), cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=within_s)  # fmt: skip

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`run customers_to_tryton`."""
        return self.cli("run", WORKFLOW, *words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The same in a process group of its own, which goes on by itself."""
        process = subprocess.Popen(
            self._command(("run", WORKFLOW, *words)), cwd=self.folder, env=self._environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._started.append(process)
        return process

    def states(self, run: str = "last") -> dict[str, str]:
        """The state of each work item of a run by key."""
        ended = self.cli("items", run, "--format", "json")
        assert ended.returncode == 0, ended.stderr
        return {item["key"]: item["state"] for item in json.loads(ended.stdout)}

    def kill(self, process: subprocess.Popen[str]) -> None:
        """kill -9 of the command and all that it started."""
        kill_group(process)

    def close(self) -> None:
        """Ends what was started here."""
        for process in self._started:
            kill_group(process)

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "interoffice.cli", *words, "--project", str(self.folder)]

    def _environment(self) -> dict[str, str]:
        left_out = ("INTEROFFICE_PROJECT", "INTEROFFICE_PERSON")
        inherited = {name: value for name, value in os.environ.items() if name not in left_out}
        return {**inherited, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), CONFIG: str(self.folder.parent / "keys")}

    @contextmanager
    def _own_keys(self) -> Iterator[None]:
        before = os.environ.get(CONFIG)
        os.environ[CONFIG] = str(self.folder.parent / "keys")
        try:
            yield
        finally:
            if before is None:
                del os.environ[CONFIG]
            else:
                os.environ[CONFIG] = before

    # what must be in the database

    def wrong(self, tryton: Tryton) -> list[str]:
        """Every difference between the exports and what Tryton's own API says, in words; none: all is right."""
        return [*self._wrong_customers(tryton), *self._wrong_sales(tryton)]

    def _wrong_customers(self, tryton: Tryton) -> list[str]:
        there, said = tryton.customers(), []
        for row in self.exported:
            found = there.pop(row["Customer"], [])
            if len(found) != 1:
                said.append(f"{row['Customer']} stands {len(found)} times")
            elif (shown := _shown(found[0])) != (meant := _meant(row)):
                said.append(f"{row['Customer']}: {shown}, meant was {meant}")
        return [*said, *(f"{name!r} stands there and nobody meant it" for name in there)]

    def _wrong_sales(self, tryton: Tryton) -> list[str]:
        meant: dict[str, dict[str, Any]] = {}
        codes = {name: code for code, name in PRODUCTS}
        for line in self.lines:
            made = meant.setdefault(line["Order"], {"party": line["Customer"], "sale_date": line["Ordered on"],
                                                    "lines": []})  # fmt: skip
            made["lines"].append((codes[line["Product"]], float(line["Quantity"])))
        there, said = tryton.sales(), []
        for reference, wanted in meant.items():
            found = there.pop(reference, [])
            if len(found) != 1:
                said.append(f"{reference} stands {len(found)} times")
            elif (shown := {name: found[0][name] for name in wanted}) != wanted:
                said.append(f"{reference}: {shown}, meant was {wanted}")
        return [*said, *(f"the sale {name!r} stands there and nobody meant it" for name in there)]


def _meant(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "address": [row["Street"], row["Postal code"], row["City"], row["Country"]],
        "contacts": [("email", row["E-mail"])] if row["E-mail"] else [],
        "identifiers": [("de_vat", row["Tax id"].removeprefix("DE"))] if row["Tax id"] else [],
    }


def _shown(party: Mapping[str, Any]) -> dict[str, Any]:
    (address,) = party["addresses"]
    return {
        "address": [address[name] for name in ("street", "postal_code", "city", "country")],
        "contacts": party["contacts"],
        "identifiers": [(kind, code.removeprefix("DE")) for kind, code in party["identifiers"]],
    }


def _write_csv(file: Path, rows: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
