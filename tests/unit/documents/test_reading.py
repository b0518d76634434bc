"""Documents by a layout: what stands beside captions, what is never guessed, and a confidence that was counted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.documents.confidence import Evidence, confidence
from interoffice.documents.pages import read_words
from interoffice.documents.reading import ReadDocument, read_document
from interoffice.errors import BusinessError
from interoffice.loader.contracts import load_contract, load_contract_with_problems
from interoffice.model.contract import Layout
from interoffice.practice.invoices import Text, pdf
from tests.support.made_invoices import TRAPS, invoice

ROOT = Path(__file__).parents[3]


def layout(name: str = "supplier_invoice", text: str = "") -> Layout:
    file = f"tables/layouts/{name}.yaml"
    found = load_contract(text or (ROOT / file).read_text(encoding="utf-8"), file)
    assert isinstance(found, Layout)
    return found


def read(folder: Path, content: bytes, by: Layout | None = None) -> ReadDocument:
    file = folder / "paper.pdf"
    file.write_bytes(content)
    return read_document(by or layout(), read_words(file, file.name), {})


def paper(*changed: tuple[str, str]) -> list[Text]:
    """An invoice that adds up, captions and values side by side; `changed` captions say something else."""
    said = {
        "Supplier no.": "S-70001", "Invoice no.": "RE-1", "Date": "09.11.2026", "Your order": "PO-1",
        "Quantity": "2", "Unit price": "1.000,50", "Net": "2.001,00", "VAT": "380,19", "Total": "2.381,19",
        "Currency": "EUR", "IBAN": "DE89 3704 0044 0532 0130 00",
    } | dict(changed)  # fmt: skip
    texts: list[Text] = []
    for number, (name, value) in enumerate(said.items()):
        texts += [(60, 100 + 20 * number, 10, name), (200, 100 + 20 * number, 10, value)]
    return texts


def values(found: ReadDocument) -> dict[str, object]:
    return {name: field.value for name, field in found.rows[0].items()}


def test_a_plain_invoice_is_read_surely_and_exactly(tmp_path: Path) -> None:
    found = read(tmp_path, pdf(paper()))
    assert values(found) == {
        "supplier_no": "S-70001", "invoice_no": "RE-1", "invoice_date": date(2026, 11, 9), "po_no": "PO-1",
        "quantity": Decimal(2), "unit_price": Decimal("1000.5"), "net": Decimal(2001), "vat": Decimal("380.19"),
        "total": Decimal("2381.19"), "currency": "EUR", "iban": "DE89370400440532013000",
    }  # fmt: skip
    assert found.confidence >= Decimal("0.99")
    assert found.doubts == ""


@pytest.mark.parametrize(
    ("changed", "field", "value", "doubt"),
    [
        ([("Total", "2.381,20")], "total", Decimal("2381.20"), ""),
        ([("Total", "2.391,19")], "total", Decimal("2391.19"), "the amounts do not add up"),
        ([("IBAN", "DE89 3704 0044 0532 0130 01")], "iban", "DE89 3704 0044 0532 0130 01", "check digits are wrong"),
        ([("Total", "€2.381,19")], "total", Decimal("2381.19"), ""),
        ([("Total", "2.381,19EUR")], "total", Decimal("2381.19"), ""),
        ([("Quantity", "two")], "quantity", None, '"two" is no number'),
        ([("Date", "soon")], "invoice_date", None, '"soon" is no date'),
        ([("Quantity", "1,234"), ("Unit price", "1,62"), ("Net", "2,00"), ("VAT", "0,38"), ("Total", "2,38")],
         "quantity", Decimal("1.234"), ""),
    ],
)  # fmt: skip
def test_what_is_doubtful_says_why(
    tmp_path: Path, changed: list[tuple[str, str]], field: str, value: object, doubt: str
) -> None:
    found = read(tmp_path, pdf(paper(*changed)))
    assert found.rows[0][field].value == value
    assert (doubt in found.doubts) and (bool(doubt) == (found.rows[0][field].confidence < Decimal("0.9")))


def test_two_totals_are_never_guessed_between_but_the_sum_may_tell(tmp_path: Path) -> None:
    again = [(60, 500, 10, "Total"), (200, 500, 10, "2.400,00")]
    told = read(tmp_path, pdf([*paper(), *again]))
    assert (told.rows[0]["total"].value, told.doubts) == (Decimal("2381.19"), "")
    torn = read(tmp_path, pdf([*paper(("Total", "2.390,00")), *again]))
    assert torn.rows[0]["total"].value is None
    assert torn.doubts == "total: it says 2390 or 2400"
    assert torn.confidence == 0


def test_a_number_that_can_be_read_twice_is_read_as_the_document_writes_others(tmp_path: Path) -> None:
    either = [("Quantity", "1,234"), ("Unit price", "5"), ("Net", "6"), ("VAT", "0"), ("Total", "6")]
    assert read(tmp_path, pdf(paper(*either))).rows[0]["quantity"].value is None
    english = [("Quantity", "1,234"), ("Unit price", "5.50"), ("Net", "6"), ("VAT", "0"), ("Total", "6")]
    assert read(tmp_path, pdf(paper(*english))).rows[0]["quantity"].value == 1234


def test_a_required_field_that_is_not_there_is_no_confidence_and_an_optional_one_is_none(tmp_path: Path) -> None:
    without = [text for text in paper() if text[3] not in ("Your order", "PO-1")]
    assert read(tmp_path, pdf(without)).confidence >= Decimal("0.99")
    found = read(tmp_path, pdf([text for text in paper() if text[3] not in ("Net", "2.001,00")]))
    assert (found.confidence, found.doubts) == (0, "net: not found")


def test_lines_of_an_order_confirmation_are_rows(tmp_path: Path) -> None:
    texts: list[Text] = [(60, 100, 10, "Your order"), (160, 100, 10, "PO-77")]
    texts += [(60, 120, 10, "Currency"), (160, 120, 10, "EUR")]
    at = (60, 160, 260, 360)
    for place, caption in zip(at, ("Your item", "Quantity", "Price", "Delivery"), strict=True):
        texts.append((place, 200, 10, caption))
    rows = [("10001", "5", "12,50", "01.12.2026"), ("10002", "1.200", "0,75", "15.12.2026")]
    rows += [("10003", "7", "", "15.12.2026")]
    for number, row in enumerate(rows):
        texts += [(place, 220 + 16 * number, 10, cell) for place, cell in zip(at, row, strict=True) if cell]
    texts.append((60, 300, 10, "We thank you for your order"))
    found = read(tmp_path, pdf(texts), layout("order_confirmation"))
    assert [{name: field.value for name, field in row.items()} for row in found.rows] == [
        {"po_no": "PO-77", "currency": "EUR", "item_no": "10001", "quantity": 5, "net_price": Decimal("12.5"),
         "delivery_date": date(2026, 12, 1)},
        {"po_no": "PO-77", "currency": "EUR", "item_no": "10002", "quantity": 1200, "net_price": Decimal("0.75"),
         "delivery_date": date(2026, 12, 15)},
        {"po_no": "PO-77", "currency": "EUR", "item_no": "10003", "quantity": 7, "net_price": None,
         "delivery_date": date(2026, 12, 15)},
    ]  # fmt: skip


def test_sure_documents_of_the_corpus_are_right_and_every_trap_was_met(tmp_path: Path) -> None:
    by, sure, met = layout(), [], set()
    for seed in range(10_001, 10_601, 2):
        made = invoice(seed)
        met |= {*made.traps}
        found = read(tmp_path, made.pdf, by)
        if found.confidence >= Decimal("0.9"):
            sure.append(values(found) == made.truth)
    assert met == {*TRAPS}
    assert len(sure) > 150
    assert sum(sure) / len(sure) >= 0.98


@pytest.mark.parametrize("trap", ["two totals", "wrong sum", "bad iban", "lines"])
def test_what_no_machine_can_tell_goes_to_a_person(tmp_path: Path, trap: str) -> None:
    for seed in range(20):
        made = invoice(seed, traps=(trap, "wrong sum"))
        assert read(tmp_path, made.pdf).confidence < Decimal("0.9"), (seed, trap)


def test_a_confidence_is_counted_and_evidence_that_was_never_met_is_none() -> None:
    met = Evidence(side="right_of", match="exact", how="clean", choice="one", sum="agrees")
    assert Decimal("0.99") < confidence(met) < 1
    never = Evidence(side="below", match="inside", how="unfit", choice="arithmetic", sum="contradicts")
    assert confidence(never) == 0


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "file_unreadable", "is no PDF that can be opened, or is damaged"),
        (b"<html>Please sign in</html>", "file_unreadable", "is no PDF that can be opened, or is damaged"),
        (pdf(paper())[:700], "file_unreadable", "is no PDF that can be opened, or is damaged"),
        (pdf([]), "no_text", "holds no text, only a picture: it is a scan"),
    ],
)
def test_a_pdf_that_cant_be_read_is_one_sentence(tmp_path: Path, content: bytes, code: str, says: str) -> None:
    with pytest.raises(BusinessError) as raised:
        read(tmp_path, content)
    assert raised.value.code == code
    assert says in raised.value.message


def test_controls_of_a_layout_name_its_own_columns() -> None:
    text = (ROOT / "tables/layouts/supplier_invoice.yaml").read_text(encoding="utf-8")
    _, problems = load_contract_with_problems(text.replace("net + vat = total", "net + vta = total"), "supplier.yaml")
    assert [(problem.rule, problem.suggestion) for problem in problems] == [("C03", "vat")]
