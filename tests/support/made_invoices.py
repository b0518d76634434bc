"""Made invoices as PDFs whose fields are known: many layouts, number formats, traps, and badly written captions.

Nobody real is meant. The same seed gives the same documents.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from interoffice.model.formats import format_date, format_number

CAPTIONS: Final = {
    "supplier_no": "Supplier no.", "invoice_no": "Invoice no.", "invoice_date": "Date", "po_no": "Your order",
    "quantity": "Quantity", "unit_price": "Unit price", "net": "Net", "vat": "VAT", "total": "Total",
    "currency": "Currency", "iban": "IBAN",
}  # fmt: skip
TRAPS: Final = (
    "due date", "gross line", "two totals", "typo", "below", "long caption", "no order", "note", "wrong sum",
    "bad iban", "lines",
)  # fmt: skip
IBANS: Final = ("DE89370400440532013000", "FR1420041010050500013M02606", "GB29NWBK60161331926819")


@dataclass(kw_only=True)
class MadeInvoice:
    """A PDF and what stands in it. `truth`: field -> value, None where it is not printed."""

    pdf: bytes
    truth: Mapping[str, Any]
    traps: tuple[str, ...] = ()


@dataclass(kw_only=True)
class _Paper:
    rng: random.Random
    texts: list[tuple[float, float, float, str]] = field(default_factory=list)

    def put(self, x: float, y: float, text: str, size: float = 10) -> None:
        self.texts.append((x, y, size, text))

    def pdf(self) -> bytes:
        from reportlab.pdfgen.canvas import Canvas

        out = io.BytesIO()
        canvas = Canvas(out, pagesize=(595, 842), invariant=1)
        for x, y, size, text in self.texts:
            canvas.setFont("Helvetica", size)
            canvas.drawString(x, 842 - y, text)
        canvas.save()
        return out.getvalue()


def invoice(seed: int, **fixed: Any) -> MadeInvoice:
    """An invoice; `fixed` fields have these values, and `traps` exactly these traps."""
    rng = random.Random(seed)
    wanted = fixed.pop("traps", None)
    truth = _truth(rng) | fixed
    if "net" not in fixed:
        truth["net"] = (truth["quantity"] * truth["unit_price"]).quantize(Decimal("0.01"))
    if "vat" not in fixed:
        rate = rng.choice((Decimal("0.19"), Decimal("0.07"), Decimal(0)))
        truth["vat"] = (truth["net"] * rate).quantize(Decimal("0.01"))
    if "total" not in fixed:
        truth["total"] = truth["net"] + truth["vat"]
    traps = tuple(wanted) if wanted is not None else tuple(trap for trap in TRAPS if rng.random() < 0.13)
    if "no order" in traps:
        truth["po_no"] = None
    paper = _Paper(rng=rng)
    _write(paper, truth, traps, rng)
    if "wrong sum" in traps:
        truth["total"] = None
        if "two totals" not in traps:
            truth |= {"net": None, "vat": None}
    return MadeInvoice(pdf=paper.pdf(), truth=truth, traps=traps)


def _truth(rng: random.Random) -> dict[str, Any]:
    price = Decimal(rng.randrange(100, 300_000)) / 100
    return {
        "supplier_no": f"S-{rng.randrange(10_000, 99_999)}",
        "invoice_no": rng.choice((f"RE-2026-{rng.randrange(9_999):04}", f"{rng.randrange(10**6, 10**7)}")),
        "invoice_date": date(2026, 11, 1) - timedelta(days=rng.randrange(300)),
        "po_no": f"PO-{rng.randrange(3_000, 9_999):08}",
        "quantity": Decimal(rng.choice((1, 2, 5, 10, 12, 100, 250, 1_000, 1_200))),
        "unit_price": price,
        "currency": rng.choice(("EUR", "USD", "GBP")),
        "iban": rng.choice(IBANS),
    }


def _write(paper: _Paper, truth: dict[str, Any], traps: tuple[str, ...], rng: random.Random) -> None:
    german = rng.random() < 0.6
    numbers = rng.choice(("1.234,56", "1234,56")) if german else rng.choice(("1,234.56", "1234.56"))
    days = rng.choice(("dd.MM.yyyy", "yyyy-MM-dd"))
    colon = rng.choice(("", ":"))
    money = lambda amount: format_number(amount, numbers) if amount != amount.to_integral() else (  # noqa: E731
        format_number(amount, numbers) + (",00" if german else ".00")
    )
    unit = rng.choice(("", "", f"{truth['currency']} ", "€ " if truth["currency"] == "EUR" else ""))
    shown = {
        "supplier_no": truth["supplier_no"], "invoice_no": truth["invoice_no"],
        "invoice_date": format_date(truth["invoice_date"], days), "po_no": truth["po_no"],
        "quantity": format_number(truth["quantity"], numbers) + rng.choice(("", "", " pcs")),
        "unit_price": money(truth["unit_price"]), "net": unit + money(truth["net"]), "vat": unit + money(truth["vat"]),
        "total": unit + money(truth["total"]), "currency": truth["currency"],
        "iban": " ".join(truth["iban"][place : place + 4] for place in range(0, len(truth["iban"]), 4))
        if rng.random() < 0.6 else truth["iban"],
    }  # fmt: skip
    if "bad iban" in traps:
        shown["iban"] = shown["iban"].replace("0", "8", 1)
        truth["iban"] = None
    if "wrong sum" in traps:
        shown["total"] = unit + money(truth["total"] + Decimal("10.00"))
    captions = dict(CAPTIONS)
    if "typo" in traps:
        name = rng.choice(("supplier_no", "invoice_no", "unit_price", "quantity", "currency"))
        captions[name] = captions[name].replace("i", "l", 1).replace("u", "v", 1)
    if "long caption" in traps:
        captions["total"] = "Total amount due"
    _head(paper, captions, shown, colon, traps, rng)
    _foot(paper, captions, shown, colon, traps, rng, money, unit, truth)


def _head(
    paper: _Paper, captions: Mapping[str, str], shown: Mapping[str, Any], colon: str, traps: tuple[str, ...],
    rng: random.Random,
) -> None:  # fmt: skip
    paper.put(60, 60, rng.choice(("Example Metals Ltd", "Muster & Söhne GmbH", "Exemple SARL")), 16)
    paper.put(60, 80, "12 Example Street, 10115 Berlin")
    paper.put(60, 130, "INVOICE", 18)
    x, y = rng.choice((60, 320)), 160.0
    names = ["supplier_no", "invoice_no", "invoice_date", "po_no", "currency"]
    rng.shuffle(names)
    if "below" in traps:
        for number, name in enumerate(names):
            if shown[name] is not None:
                paper.put(60 + 100 * number, y, captions[name] + colon)
                paper.put(60 + 100 * number, y + 14, str(shown[name]))
        y += 40
    else:
        step = rng.choice((13, 15, 18))
        for name in names:
            if shown[name] is not None:
                paper.put(x, y, captions[name] + colon)
                paper.put(x + rng.choice((85, 95, 110)), y, str(shown[name]))
                y += step
    if "due date" in traps:
        paper.put(60, 250, "Due date" + colon)
        paper.put(160, 250, "2027-01-15")
    if "note" in traps:
        paper.put(60, 265, "Payment within 30 days net. Please quote invoice no. with every payment.", 8)


def _foot(
    paper: _Paper, captions: Mapping[str, str], shown: Mapping[str, Any], colon: str, traps: tuple[str, ...],
    rng: random.Random, money: Any, unit: str, truth: dict[str, Any],
) -> None:  # fmt: skip
    y = 300.0
    places = {"item": 60, "quantity": 230, "unit_price": 330}
    paper.put(places["item"], y, "Item")
    paper.put(places["quantity"], y, captions["quantity"])
    paper.put(places["unit_price"], y, captions["unit_price"])
    if "gross line" in traps:
        paper.put(450, y, "Total")
    paper.put(places["item"], y + 16, "Steel sheet 2 mm")
    paper.put(places["quantity"], y + 16, shown["quantity"])
    paper.put(places["unit_price"], y + 16, shown["unit_price"])
    if "gross line" in traps:
        paper.put(450, y + 16, money(truth["net"]))
    if "lines" in traps:
        paper.put(places["item"], y + 32, "Freight")
        paper.put(places["quantity"], y + 32, "1")
        paper.put(places["unit_price"], y + 32, money(Decimal("25.00")))
        truth["quantity"] = truth["unit_price"] = None
    y += 70
    x = rng.choice((60, 330))
    for name in ("net", "vat", "total"):
        paper.put(x, y, captions[name] + colon)
        paper.put(x + rng.choice((110, 120)), y, shown[name])
        y += 15
    if "two totals" in traps:
        paper.put(x, y + 20, "Total" + colon)
        paper.put(x + 110, y + 20, unit + money(truth["total"] + Decimal("12.50")))
        y += 20
    paper.put(60, 700, captions["iban"] + colon)
    paper.put(140, 700, shown["iban"])
