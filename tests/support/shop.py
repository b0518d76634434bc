"""A project with a shop that keeps what was really ordered: its bots can't mark their own homework.

The shop is a file that is appended to and synced; `faults` say per key what goes wrong. Its bots use the commit gate as
every bot must, and `place_order` can look up.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interoffice.plan.making import make_plan
from interoffice.plan.plan import Plan, RunOptions
from interoffice.plan.project import open_project

SETTINGS = """\
version: 1
project: shop
timezone: Europe/Berlin
people:
  anna:
    name: Anna Berg
    email: anna.berg@example.com
  bilal:
    name: Bilal Demir
    email: bilal.demir@example.com
  chiara:
    name: Chiara Conti
    email: chiara.conti@example.com
  dora:
    name: Dora Novak
    email: dora.novak@example.com
groups:
  managers: [anna, bilal, dora]
environment: practice
environments:
  practice: {}
"""

MAIL = """\
mail:
  servers:
    practice:
      imap: practice:imap
      smtp: practice:smtp
      only_to: ["*@example.com"]
  send_from: office
  accounts:
    office:
      address: interoffice@example.com
      credential: office_mailbox
"""
"""For a shop whose environment names the practice mail server: an account that sends and is written to."""

BOTS = '''\
"""A shop for tests."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from interoffice.bot import CredentialName, Found, Money, NotFound, Unclear, bot
from interoffice.context import Context
from interoffice.errors import ApplicationError, BusinessError, CredentialRefused, OutcomeUnclear
from interoffice.model.table import Table
from interoffice.model.types import MONEY, TEXT

SHOP = Path(__file__).parents[2] / "shop"


def faults_of(key):
    file = SHOP / "faults.json"
    return json.loads(file.read_text()).get(key, {}) if file.exists() else {}


def counted(name):
    """How often this was called before, kept in a file."""
    file = SHOP / f"count-{name}"
    with open(file, "ab") as opened:
        opened.write(b".")
        opened.flush()
    return file.stat().st_size - 1


def orders():
    file = SHOP / "orders.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def post(**order):
    SHOP.mkdir(exist_ok=True)
    file = os.open(SHOP / "orders.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (json.dumps(order) + "\\n").encode())
    os.fsync(file)
    os.close(file)


@dataclass(frozen=True, kw_only=True)
class Deals:
    rows: Table


@bot(effect="reads", outputs={"rows": "table of deal: text, customer: text, amount: money"})
def read_deals(ctx: Context) -> Deals:
    """The deals that someone put into shop/deals.json.

    Example:
        bot: shop.read_deals
    """
    counted("read_deals")
    said = json.loads((SHOP / "deals.json").read_text())
    rows = [{**row, "amount": Decimal(row["amount"])} for row in said]
    return Deals(rows=Table.from_rows({"deal": TEXT, "customer": TEXT, "amount": MONEY}, rows))


@dataclass(frozen=True, kw_only=True)
class Placed:
    order_no: str


def find_order(ctx, key, inputs):
    fault = faults_of(inputs["deal"])
    if fault.get("look_up") == "unclear":
        return Unclear(why="the list does not answer")
    found = [order for order in orders() if order["deal"] == inputs["deal"]]
    if not found:
        return NotFound(searched=inputs["deal"])
    if len(found) > 1:
        return Unclear(why="two orders")
    amount = Decimal(found[0]["amount"])
    different = {} if amount == inputs["amount"] else {"amount": (amount, inputs["amount"])}
    return Found(fields={"order_no": found[0]["order_no"]}, reference=found[0]["order_no"], different=different)


@bot(effect="changes", identity=("deal",), look_up=find_order)
def place_order(
    ctx: Context, *, deal: str, customer: str, amount: Money, credential: CredentialName | None = None
) -> Placed:
    """One order in the shop.

    Example:
        bot: shop.place_order
        with:
          deal: D-1
          customer: Blue
          amount: 10
    """
    fault = faults_of(deal)
    tried = counted(f"place-{deal}")
    if fault.get("wrong_password"):
        counted("sign-in")
        raise CredentialRefused("the shop refused the password", credential=credential)
    if fault.get("business"):
        raise BusinessError(f"{customer} is blocked", code="customer_blocked")
    if tried < fault.get("flaky", 0):
        raise ApplicationError("the shop is slow today", code="slow")
    if fault.get("bug"):
        raise ZeroDivisionError("a bug of the bot")
    if tried < fault.get("stall", 0):
        time.sleep(600)
    key = ctx.commit({"deal": deal, "customer": customer, "amount": amount})
    if tried < fault.get("stall_before_act", 0):
        time.sleep(600)
    if tried < fault.get("die_before_act", 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if fault.get("refused"):
        raise BusinessError("the shop says no", code="refused")
    if tried < fault.get("break_before_act", 0):
        raise ApplicationError("the connection broke", code="broken")
    time.sleep(fault.get("slow_s", 0))
    order_no = f"SO-{deal}"
    post(deal=deal, customer=customer, amount=str(fault.get("posts", amount)), order_no=order_no, key=key)
    if tried < fault.get("die_after_act", 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if tried < fault.get("lose_reply", 0):
        raise OutcomeUnclear("no answer came back")
    return Placed(order_no=order_no)


@bot(effect="sends", identity=("to",))
def send_note(ctx: Context, *, to: str, text: str) -> None:
    """A note that nobody can look up.

    Example:
        bot: shop.send_note
        with:
          to: blue
          text: Hello
    """
    fault = faults_of(to)
    ctx.commit({"to": to, "text": text})
    post(note=to, deal=f"note-{to}")
    if fault.get("lose_reply"):
        raise OutcomeUnclear("no answer came back")


@bot(effect="changes", identity=("deal",), look_up=find_order)
def place_unasked(ctx: Context, *, deal: str, amount: Money) -> Placed:
    """Acts twice in one call, which the gate refuses.

    Example:
        bot: shop.place_unasked
        with:
          deal: D-1
          amount: 10
    """
    ctx.commit({"deal": deal})
    ctx.commit({"deal": deal})
    return Placed(order_no="never")


@dataclass(frozen=True, kw_only=True)
class Seen:
    there: bool


@bot(effect="reads")
def look_for(ctx: Context, *, file: str) -> Seen:
    """Whether a file has come.

    Example:
        bot: shop.look_for
        with:
          file: flag
    """
    counted("look_for")
    return Seen(there=(SHOP / file).exists())


@bot(effect="reads")
def nothing(ctx: Context) -> None:
    """Nothing at all.

    Example:
        bot: shop.nothing
    """


@bot(effect="reads")
def fail(ctx: Context, *, why: str, kind: str = "application") -> None:
    """Fails as it is told.

    Example:
        bot: shop.fail
        with:
          why: a test
    """
    counted("fail")
    if kind == "business":
        raise BusinessError(why, code="no")
    raise ApplicationError(why, code="down", transient=kind == "application")
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """The project, and what its shop really holds."""

    folder: Path

    @property
    def state(self) -> Path:
        """The project's state folder."""
        return self.folder / "state"

    def deals(self, *rows: Mapping[str, str]) -> None:
        """Puts deals where `shop.read_deals` reads them."""
        (self.folder / "shop" / "deals.json").write_text(json.dumps(list(rows)))

    def some_deals(self, count: int) -> None:
        """So many deals D-1, D-2 ... of 10, 20 ..."""
        self.deals(*({"deal": f"D-{n}", "customer": "Blue", "amount": f"{n}0"} for n in range(1, count + 1)))

    def faults(self, **faults: Mapping[str, Any]) -> None:
        """What goes wrong, by key; `_` stands for `-` in the name."""
        said = {key.replace("_", "-"): fault for key, fault in faults.items()}
        (self.folder / "shop" / "faults.json").write_text(json.dumps(said))

    def orders(self) -> list[dict[str, str]]:
        """What was really posted, in the order of posting."""
        file = self.folder / "shop" / "orders.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def posted(self) -> Counter[str]:
        """How often each deal was really posted."""
        return Counter(order["deal"] for order in self.orders())

    def called(self, name: str) -> int:
        """How often something was called."""
        file = self.folder / "shop" / f"count-{name}"
        return file.stat().st_size if file.exists() else 0

    def workflow(self, key: str, text: str) -> None:
        """Writes a workflow."""
        (self.folder / "workflows" / f"{key}.yaml").write_text(text)

    def plan(
        self,
        key: str,
        *,
        planned: datetime | None = None,
        started_by: str = "anna",
        options: RunOptions | None = None,
        **inputs: str,
    ) -> Plan:
        """The plan of a run."""
        return make_plan(
            open_project(self.folder),
            key,
            inputs,
            planned=planned or datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
            started_by=started_by,
            options=options or RunOptions(),
        )


def make_shop(folder: Path) -> Shop:
    """A project with the shop and its bots; workflows come from the test."""
    for name in ("workflows", "bots/back_office", "shop", "tables", "selectors"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "bots" / "back_office" / "shop.py").write_text(BOTS)
    return Shop(folder=folder)


ORDERS = """\
version: 1
name: Deals to orders
owner: anna.berg@example.com

defaults:
  timeout: 30s

steps:
  - id: deals
    bot: shop.read_deals

  - id: checks
    check: ${{ steps.deals.rows }}
    row: deal
    otherwise: reject
    rules:
      - amount > 0

  - id: orders
    name: Enter one order per deal
    for_each: ${{ steps.checks.passed }}
    as: deal
    key: deal.deal
    on_failure: continue
    do:
      - id: order
        bot: shop.place_order
        with:
          deal: ${{ deal.deal }}
          customer: ${{ deal.customer }}
          amount: ${{ deal.amount }}
        retry:
          attempts: 3
          wait: 10ms
    collect:
      deal: ${{ deal.deal }}
      order_no: ${{ steps.order.order_no }}

  - id: rejected
    table: ${{ steps.checks.rejected }}

outputs:
  orders: ${{ steps.orders.results }}
"""
"""Deals are read, checked, and ordered one by one."""
