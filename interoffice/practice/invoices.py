"""Six supplier invoices in the practice mailbox, as PDFs, against the practice ERP's own purchase orders.

    RE-9001   fits its order and what was received
    RE-9002   5 % dearer than ordered
    RE-9003   says its total twice, and differently; neither is net and VAT together
    RE-9004   asks for the money on another account than the supplier's own
    RE-9005   for an order that does not exist
    a sixth   breaks off in the middle of the file
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from email.message import EmailMessage

from interoffice.practice.seed_tables import SUPPLIERS, Row, export_tables

MAILBOX, FOLDER = "invoices", "Invoices/In"
OTHER_ACCOUNT = "DE02100500000054540402"
"""An account number that is well formed and nobody's in the practice ERP."""

Text = tuple[int, int, int, str]
"""Points from the left and from the top, size, text."""


def invoice_mails(today: date) -> Iterator[EmailMessage]:
    """The mails, each with one PDF."""
    orders = export_tables(today)["open_purchase_orders"]
    day = today - timedelta(days=7)
    papers = [
        _paper(orders[0], "RE-9001", day),
        _paper(orders[3], "RE-9002", day, price_factor=Decimal("1.05")),
        _paper(orders[6], "RE-9003", day, second_total=True),
        _paper(orders[9], "RE-9004", day, iban=OTHER_ACCOUNT),
        _paper({**orders[12], "po_no": "PO-00009999"}, "RE-9005", day),
    ]
    senders = [SUPPLIERS[place]["email"] for place in range(5)]
    for number, (pdf, sender) in enumerate(zip(papers, senders, strict=True), start=1):
        yield _mail(sender, f"Invoice RE-900{number}", f"RE-900{number}.pdf", pdf)
    yield _mail(senders[0], "Invoice RE-9006", "RE-9006.pdf", papers[0][: len(papers[0]) // 3])


def _mail(sender: str, subject: str, name: str, pdf: bytes) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, f"{MAILBOX}@example.com", subject
    message["Message-ID"] = f"<{name}@{sender.partition('@')[2]}>"
    message.set_content("Please find our invoice attached.")
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)
    return message


def _paper(
    order: Row, number: str, day: date, *, price_factor: Decimal = Decimal(1),
    second_total: bool = False, iban: str = "",
) -> bytes:  # fmt: skip
    supplier = next(each for each in SUPPLIERS if each["supplier_no"] == order["supplier_no"])
    price = (Decimal(order["po_unit_price"]) * price_factor).quantize(Decimal("0.01"))
    quantity = 2
    net = price * quantity
    vat = (net * Decimal("0.19")).quantize(Decimal("0.01"))
    captions = [
        ("Supplier no.", supplier["supplier_no"]), ("Invoice no.", number), ("Date", f"{day:%d.%m.%Y}"),
        ("Your order", order["po_no"]), ("Currency", supplier["currency"]),
    ]  # fmt: skip
    texts: list[Text] = [(60, 60, 16, supplier["name"]), (60, 130, 18, "INVOICE")]
    for place, (caption, value) in enumerate(captions):
        texts += [(60, 160 + 16 * place, 10, caption), (160, 160 + 16 * place, 10, value)]
    for left, caption, value in ((230, "Quantity", str(quantity)), (330, "Unit price", _money(price))):
        texts += [(left, 300, 10, caption), (left, 316, 10, value)]
    texts += [(60, 300, 10, "Item"), (60, 316, 10, "As ordered")]
    total = net + vat + (Decimal(30) if second_total else 0)
    sums = [("Net", net), ("VAT", vat), ("Total", total)]
    if second_total:
        sums.append(("Total", total + 20))
    for place, (caption, amount) in enumerate(sums):
        texts += [(330, 370 + 16 * place, 10, caption), (450, 370 + 16 * place, 10, _money(amount))]
    account = iban or supplier["iban"]
    spaced = " ".join(account[start : start + 4] for start in range(0, len(account), 4))
    texts += [(60, 700, 10, "IBAN"), (120, 700, 10, spaced)]
    return pdf(texts)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def pdf(texts: Sequence[Text]) -> bytes:
    """One page of an A4 PDF 1.4 with texts in Helvetica."""
    drawn = b"".join(
        b"BT /F1 %d Tf %d %d Td (%s) Tj ET\n" % (size, left, 842 - top, _escaped(text))
        for left, top, size, text in texts
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%sendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + end


def _escaped(text: str) -> bytes:
    plain = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return plain.encode("cp1252", errors="replace")
