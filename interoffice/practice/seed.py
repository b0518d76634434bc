"""The invented data of the practice office, the same for the same day.

`seed_demo(folder, today)` writes what the CRM, the ERP and the risk service begin with. The heart of it are the 14 won
deals of the last business day, D-1042 to D-1055, each with its own part in the demo `won_deals_to_erp`:

| deal | customer | amount | what happens to it |
|---|---|---|---|
| D-1042 | Müller & Söhne GmbH | 18,450.00 EUR | straight through; `&` and umlauts |
| D-1043 | Łódzkie Tekstylia Sp. z o.o. | 7,320.50 EUR | straight through |
| D-1044 | Bäckerei Groß & Klein OHG | 1,249.99 EUR | EMEA with 18% discount: only warned about, then entered |
| D-1045 | 東京精密株式会社 | 32,000.00 USD | APAC with 22% discount: that rule is not for APAC, straight through |
| D-1046 | Ångström Instruments AB | 24,875.00 EUR | straight, after the application error that `demo_faults` stages |
| D-1047 | Crédit Rural S.A. | 9,800.00 CHF | rejected by a rule: currency is one of EUR, USD, GBP |
| D-1048 | O'Brien & Daughters Ltd | 15,600.00 GBP | straight through |
| D-1049 | Nordwind Offshore SE | 42,000.00 EUR | over the credit limit by 23,500.00: waits for a second person |
| D-1050 | 1-€-Markt Handels GmbH | 980.00 EUR | straight; its customer number is 00004711, zeros and all |
| D-1051 | Smith "Quality" Tools Inc. | 12,345.67 USD | straight; quotation marks |
| D-1052 | São Paulo Café Ltda. | 5,400.00 USD | straight through |
| D-1053 | +plus Apotheken GmbH | 3,999.90 EUR | exactly 15% discount: allowed; the name looks like a formula |
| D-1054 | 한빛전자 주식회사 | 27,800.00 USD | straight through |
| D-1055 | Müller & Söhne GmbH | 2,150.00 EUR | straight; a second order of the same customer on the same day |

So 14 deals: 12 entered at once, 1 after approval, 1 rejected (7%, under the limit of 10%). D-1042 to D-1053 were closed
on the last weekday before `today`, D-1054 and D-1055 yesterday: both always lie in "previous business day to
yesterday". Around them lie older won deals, lost deals of the same days, open deals and one won today, none of which
may be exported: 56 deals, three pages. Customer C-100090 is blocked in the ERP. No deal belongs to it.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from interoffice.practice.amounts import erp_money
from interoffice.practice.crm_data import CrmData, write_crm_data
from interoffice.practice.faults import Fault
from interoffice.practice.master_data import MasterData, write_master_data
from interoffice.practice.seed_tables import COMPANIES, SUPPLIERS, export_tables

CREDIT_FILE = "credit.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """A customer of the practice world, as all its systems know it."""

    number: str
    crm_id: str
    name: str
    street: str
    city: str
    country: str
    region: str
    limit: Decimal
    open_balance: Decimal
    screening: str = "clear"
    blocked: bool = False


def _customer(line: str) -> Customer:
    number, crm_id, name, street, city, country, region, limit, open_balance, *more = line.split("|")
    return Customer(
        number=number, crm_id=crm_id, name=name, street=street, city=city, country=country, region=region,
        limit=Decimal(limit), open_balance=Decimal(open_balance), screening=more[0] if more else "clear",
        blocked="blocked" in more,
    )


CUSTOMERS: tuple[Customer, ...] = tuple(
    _customer(line)
    for line in """
C-100017|A-2001|Müller & Söhne GmbH|Hafenstraße 12|Hamburg|DE|EMEA|60000|8150.25
C-100018|A-2002|Łódzkie Tekstylia Sp. z o.o.|ul. Piotrkowska 88|Łódź|PL|EMEA|25000|0
C-100019|A-2003|Bäckerei Groß & Klein OHG|Marktplatz 3|Köln|DE|EMEA|5000|310.10
C-100020|A-2004|東京精密株式会社|丸の内 2-4-1|東京|JP|APAC|120000|41000
C-100021|A-2005|Ångström Instruments AB|Kungsgatan 40|Uppsala|SE|EMEA|80000|12400
C-100022|A-2006|Crédit Rural S.A.|Rue du Rhône 65|Genève|CH|EMEA|40000|2200
C-100023|A-2007|O'Brien & Daughters Ltd|14 Quay Street|Belfast|UK|EMEA|50000|9975.50
C-100024|A-2008|Nordwind Offshore SE|Am Deich 1|Bremerhaven|DE|EMEA|50000|31500
00004711|A-2009|1-€-Markt Handels GmbH|Bahnhofstraße 100|Dortmund|DE|EMEA|3000|0
C-100025|A-2010|Smith "Quality" Tools Inc.|200 Main Street|Cleveland|US|AMER|45000|18000
C-100026|A-2011|São Paulo Café Ltda.|Avenida Paulista 1000|São Paulo|BR|AMER|20000|1500
C-100027|A-2012|+plus Apotheken GmbH|Rosenweg 7|Mainz|DE|EMEA|15000|2750
C-100028|A-2013|한빛전자 주식회사|테헤란로 152|서울|KR|APAC|90000|22000
C-100031|A-2014|Værft & Søn A/S|Havnegade 5|Aarhus|DK|EMEA|30000|4000
C-100032|A-2015|Zoë Façade Systems B.V.|Keizersgracht 210|Amsterdam|NL|EMEA|70000|15000
C-100033|A-2016|Ferretería Núñez S.L.|Calle Mayor 9|Zaragoza|ES|EMEA|12000|800
C-100034|A-2017|Dubois Père & Fils SARL|Rue de la Gare 2|Lille|FR|EMEA|35000|6400
C-100035|A-2018|Great Lakes Packaging LLC|88 Shore Drive|Duluth|US|AMER|65000|20500
C-100036|A-2019|Officine Perù S.r.l.|Via Roma 31|Torino|IT|EMEA|28000|3300|open
C-100037|A-2020|Harbour Trading Pte.|1 Marina Way|Dublin|IE|EMEA|50000|0|hit
C-100090|A-2021|Grauzone Import GmbH|Hintergasse 4|Kassel|DE|EMEA|10000|9900|clear|blocked
""".strip().splitlines()
)

_WON = """
D-1042|C-100017|18450.00|EUR|5
D-1043|C-100018|7320.50|EUR|0
D-1044|C-100019|1249.99|EUR|18
D-1045|C-100020|32000.00|USD|22
D-1046|C-100021|24875.00|EUR|10
D-1047|C-100022|9800.00|CHF|3
D-1048|C-100023|15600.00|GBP|7.5
D-1049|C-100024|42000.00|EUR|12
D-1050|00004711|980.00|EUR|0
D-1051|C-100025|12345.67|USD|10
D-1052|C-100026|5400.00|USD|2.5
D-1053|C-100027|3999.90|EUR|15
D-1054|C-100028|27800.00|USD|0
D-1055|C-100017|2150.00|EUR|5
""".strip().splitlines()
_CLOSED_YESTERDAY = ("D-1054", "D-1055")
_PEOPLE = ("Anna Berg", "Bilal Demir", "Chiara Conti", "David Okafor")


def seed_demo(folder: Path, today: date) -> None:
    """Writes the data that an office in this folder begins with; what it writes depends on `today` alone."""
    folder.mkdir(parents=True, exist_ok=True)
    write_crm_data(
        folder,
        CrmData(today=today.isoformat(), deals=_deals(today), accounts=_accounts(today), tasks=_tasks(today)),
    )
    write_master_data(
        folder,
        MasterData(
            customers={c.number: _erp_customer(c) for c in CUSTOMERS},
            suppliers={row["supplier_no"]: row for row in SUPPLIERS},
            companies=COMPANIES,
            tables=export_tables(today),
        ),
    )
    credit = {c.number: _credit(c) for c in CUSTOMERS}
    (folder / CREDIT_FILE).write_text(json.dumps(credit, ensure_ascii=False, indent=1), encoding="utf-8")


def read_credit(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """credit_limit, open_balance and screening_result by customer number: what the risk service answers."""
    credit: Mapping[str, Mapping[str, str]] = json.loads((folder / CREDIT_FILE).read_text(encoding="utf-8"))
    return credit


def credit_limits_csv(path: Path) -> None:
    """Writes finance's nightly file: semicolons, decimal commas, as tables/credit_limits.yaml describes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(["Customer no.", "Limit", "Open balance", "Screening"])
        for customer in CUSTOMERS:
            limit, balance = (erp_money(a).replace(".", "") for a in (customer.limit, customer.open_balance))
            writer.writerow([customer.number, limit, balance, customer.screening])


def demo_faults() -> tuple[tuple[Fault, str], ...]:
    """What goes wrong in the demo, each with the words to tell it in."""
    error = Fault(kind="error_before_commit", screen="sales_order", reference="D-1046", times=1)
    return ((error, "the ERP answers the first order for D-1046 with an error 500, and takes it the second time"),)


def last_weekday_before(today: date) -> date:
    """Monday to Friday before today. Holidays don't matter: the previous business day is this one or earlier."""
    day = today - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day


def _credit(customer: Customer) -> dict[str, str]:
    return {
        "customer_no": customer.number,
        "credit_limit": f"{customer.limit:.2f}",
        "open_balance": f"{customer.open_balance:.2f}",
        "screening_result": customer.screening,
    }


def _erp_customer(customer: Customer) -> dict[str, str]:
    digits = customer.number[-6:].replace("-", "0")
    return {
        "customer_no": customer.number,
        "name": customer.name,
        "street": customer.street,
        "city": customer.city,
        "country": customer.country,
        "email": f"buying.{digits}@example.com",
        "vat_number": f"{customer.country}{digits}{digits[:3]}",
        "blocked": "yes" if customer.blocked else "no",
    }


def _deal(
    number: str, customer: Customer, stage: str, amount: Decimal, currency: str, discount: str, closed: date | None
) -> dict[str, str]:
    return {
        "deal_id": number,
        "customer_id": customer.crm_id,
        "customer_name": customer.name,
        "erp_customer_no": customer.number,
        "stage": stage,
        "amount": f"{amount:.2f}",
        "currency": currency,
        "discount_percent": discount,
        "region": customer.region,
        "closed": closed.isoformat() if closed else "",
    }


def _deals(today: date) -> list[dict[str, str]]:
    by_number = {customer.number: customer for customer in CUSTOMERS}
    weekday, yesterday = last_weekday_before(today), today - timedelta(days=1)
    won = [
        _deal(
            deal_id, by_number[number], "Won", Decimal(amount), currency, discount,
            yesterday if deal_id in _CLOSED_YESTERDAY else weekday,
        )
        for deal_id, number, amount, currency, discount in (line.split("|") for line in _WON)
    ]
    return _older_deals(today) + won + _other_deals(today)


def _older_deals(today: date) -> list[dict[str, str]]:
    draws = random.Random(1017)
    deals = []
    for position, number in enumerate(range(1018, 1042)):
        customer = draws.choice(CUSTOMERS[:18])
        stage = "Lost" if position % 4 == 3 else "Won"
        closed = today - timedelta(days=60 - 2 * position)
        deals.append(_deal(f"D-{number}", customer, stage, _amount(draws), _currency(customer), "5", closed))
    return deals


def _other_deals(today: date) -> list[dict[str, str]]:
    draws = random.Random(1056)
    weekday = last_weekday_before(today)
    plan: Sequence[tuple[str, date | None]] = (
        [("Lost", weekday), ("Lost", today - timedelta(days=1)), ("Won", today)] + [("Open", None)] * 15
    )
    deals = []
    for number, (stage, closed) in enumerate(plan, start=1056):
        customer = draws.choice(CUSTOMERS[:18])
        deals.append(_deal(f"D-{number}", customer, stage, _amount(draws), _currency(customer), "0", closed))
    return deals


def _amount(draws: random.Random) -> Decimal:
    return Decimal(draws.randrange(90_000, 4_500_000)) / 100


def _currency(customer: Customer) -> str:
    return {"US": "USD", "BR": "USD", "JP": "USD", "KR": "USD", "UK": "GBP"}.get(customer.country, "EUR")


_PROSPECTS = """
A-3001|Alpenquell Getränke GmbH|Salzgasse 8|Salzburg|AT|ATU13585627|FN 34567 a|beverages|web|20000
A-3002|Charpente Moreau SARL|Rue du Port 17|Nantes|FR|FR40303265045|303 265 045|construction|branch|35000
A-3003|Bitbastion GmbH|Serverallee 99|Berlin|DE|DE136695976|HRB 120044|crypto|web|50000
A-3004|Tulpenhandel De Vries B.V.|Bloemweg 3|Lisse|NL|NL004495445B01|24012345|flowers|agent|15000
A-3005|Fjordline Logistics A/S|Kajen 21|Esbjerg|DK|DK13585628|13585628|logistics|branch|40000
""".strip().splitlines()
_STAGES = ("Prospect", "In review", "Not accepted")


def _accounts(today: date) -> list[dict[str, str]]:
    accounts = [_customer_account(customer, today) for customer in CUSTOMERS]
    for position, line in enumerate(_PROSPECTS):
        number, name, street, city, country, vat, register, industry, channel, wished = line.split("|")
        accounts.append({
            "account_id": number, "requested_on": (today - timedelta(days=1 + position)).isoformat(),
            "legal_name": name, "street": street, "city": city, "country": country,
            "contact_email": f"office.{number[2:]}@example.com", "vat_number": vat, "register_no": register,
            "industry": industry, "channel": channel,
            "id_document_expiry": (today + timedelta(days=400 * position - 30)).isoformat(),
            "credit_wished": wished, "erp_customer_no": "", "stage": "Onboarding requested",
        })
    return accounts + [_early_account(position, today) for position in range(24)]


def _customer_account(customer: Customer, today: date) -> dict[str, str]:
    master = _erp_customer(customer)
    return {
        "account_id": customer.crm_id, "requested_on": (today - timedelta(days=700)).isoformat(),
        "legal_name": customer.name, "street": customer.street, "city": customer.city, "country": customer.country,
        "contact_email": master["email"], "vat_number": master["vat_number"], "register_no": f"R {customer.crm_id[2:]}",
        "industry": "trade", "channel": "branch", "id_document_expiry": "", "credit_wished": f"{customer.limit:.0f}",
        "erp_customer_no": customer.number, "stage": "Customer",
    }


def _early_account(position: int, today: date) -> dict[str, str]:
    number = 4001 + position
    return {
        "account_id": f"A-{number}", "requested_on": (today - timedelta(days=20 + position)).isoformat(),
        "legal_name": f"Prospect {number} GmbH", "street": f"Musterweg {position + 1}", "city": "Kassel",
        "country": "DE", "contact_email": f"prospect.{number}@example.com", "vat_number": "",
        "register_no": f"HRB {number}", "industry": "trade", "channel": "web", "id_document_expiry": "",
        "credit_wished": "5000", "erp_customer_no": "", "stage": _STAGES[position % 3],
    }


def _tasks(today: date) -> list[dict[str, str]]:
    draws = random.Random(7)
    tasks = []
    for number in range(1, 46):
        customer = draws.choice(CUSTOMERS)
        kind = ("Call", "Mail", "Visit")[number % 3]
        tasks.append({
            "reference": f"T-{5000 + number}", "kind": kind, "contact": customer.name,
            "subject": f"{kind}: offer for {customer.city}",
            "due": (today + timedelta(days=number % 21 - 7)).isoformat(),
            "status": "Done" if number % 4 == 0 else "Open", "owner": _PEOPLE[number % 4],
        })
    return tasks
