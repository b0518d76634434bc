"""The documents of the practice ERP as data: their fields, captions, numbers, lists. The captions are an interface.

`selectors/erp.yaml` names these captions, input names and test ids; a change here is what an upgrade of a real ERP
would be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interoffice.practice.ledger import NumberRange


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One input of a form, search or line; `kind`: text, money, number, date, choice or file."""

    name: str
    caption: str
    kind: str = "text"
    required: bool = False
    max_length: int = 0
    choices: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LineGrid:
    """The lines of a document, typed into a grid."""

    name: str
    caption: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPage:
    """The list of a kind of document: its search fields and the columns of its grid."""

    screen: str
    path: str
    caption: str
    grid: str
    search: tuple[Field, ...]
    columns: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentKind:
    """A kind of document: the form it is entered in, and its list. `screen` is also its kind in the ledger."""

    screen: str
    title: str
    path: str
    numbers: NumberRange
    number: Field
    commit: str
    commit_caption: str
    fields: tuple[Field, ...]
    lines: LineGrid | None = None
    shows_total: bool = False
    list_page: ListPage

    @property
    def has_file(self) -> bool:
        """Whether a file can be attached."""
        return any(field.kind == "file" for field in self.fields)


COUNTRIES = ("AT", "BE", "BR", "CH", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "JP", "KR", "NL", "PL", "SE", "UK", "US")

_CUSTOMER_NO = Field(name="customer_no", caption="Customer no.", required=True, max_length=10)
_REFERENCE = Field(name="customer_reference", caption="Customer reference", required=True, max_length=35)
_AMOUNT = Field(name="amount", caption="Net amount", kind="money", required=True)
_CURRENCY = Field(name="currency", caption="Currency", kind="choice", required=True, choices=("EUR", "USD", "GBP"))
_ORDER_NO = Field(name="order_no", caption="Order no.")

_SUPPLIER_NO = Field(name="supplier_no", caption="Supplier no.", required=True, max_length=10)
_INVOICE_NO = Field(name="invoice_no", caption="Invoice no.", required=True, max_length=30)
_INVOICE_DATE = Field(name="invoice_date", caption="Invoice date", kind="date", required=True)
_GROSS = Field(name="total", caption="Gross total", kind="money", required=True)
_DOCUMENT_NO = Field(name="document_no", caption="Document no.")

_OUR_REFERENCE = Field(name="our_reference", caption="Our reference", required=True, max_length=35)
_PO_NO = Field(name="po_no", caption="PO no.")
_PO_TOTAL = Field(name="total", caption="Total", kind="money")

_COMPANY = Field(name="company", caption="Company", required=True, max_length=10)
_POSTING_DATE = Field(name="posting_date", caption="Posting date", kind="date", required=True)
_JOURNAL_TEXT = Field(name="journal_text", caption="Text", required=True, max_length=50)

_NAME = Field(name="name", caption="Name", required=True, max_length=80)
_STREET = Field(name="street", caption="Street", max_length=80)
_CITY = Field(name="city", caption="City", max_length=60)
_COUNTRY = Field(name="country", caption="Country", kind="choice", choices=COUNTRIES)
_EMAIL = Field(name="email", caption="E-mail", max_length=120)
_VAT = Field(name="vat_number", caption="VAT number", required=True, max_length=20)

SALES_ORDER = DocumentKind(
    screen="sales_order",
    title="Sales order",
    path="/sales/orders",
    numbers=NumberRange(prefix="SO-", digits=8, first=1001),
    number=_ORDER_NO,
    commit="save",
    commit_caption="Save",
    fields=(_CUSTOMER_NO, _REFERENCE, _AMOUNT, _CURRENCY),
    list_page=ListPage(
        screen="order_list",
        path="/sales/orders",
        caption="Sales orders",
        grid="orders",
        search=(_REFERENCE,),
        columns=(_ORDER_NO, _CUSTOMER_NO, _REFERENCE, _AMOUNT, _CURRENCY),
    ),
)

SUPPLIER_INVOICE = DocumentKind(
    screen="supplier_invoice",
    title="Supplier invoice",
    path="/purchasing/invoices",
    numbers=NumberRange(prefix="RE-", digits=8, first=5001),
    number=_DOCUMENT_NO,
    commit="post",
    commit_caption="Post",
    fields=(
        _SUPPLIER_NO,
        _INVOICE_NO,
        _INVOICE_DATE,
        _GROSS,
        Field(name="attachment", caption="Attachment", kind="file", accepts=("pdf", "xml")),
    ),
    list_page=ListPage(
        screen="invoice_list",
        path="/purchasing/invoices",
        caption="Supplier invoices",
        grid="invoices",
        search=(_SUPPLIER_NO, _INVOICE_NO),
        columns=(_DOCUMENT_NO, _SUPPLIER_NO, _INVOICE_NO, _INVOICE_DATE, _GROSS),
    ),
)

PURCHASE_ORDER = DocumentKind(
    screen="purchase_order",
    title="Purchase order",
    path="/purchasing/orders",
    numbers=NumberRange(prefix="PO-", digits=8, first=3001),
    number=_PO_NO,
    commit="save",
    commit_caption="Save",
    fields=(_SUPPLIER_NO, _OUR_REFERENCE),
    lines=LineGrid(
        name="order_lines",
        caption="Order lines",
        fields=(
            Field(name="item_no", caption="Item no.", required=True, max_length=20),
            Field(name="quantity", caption="Quantity", kind="number", required=True),
            Field(name="price", caption="Price", kind="money", required=True),
        ),
    ),
    shows_total=True,
    list_page=ListPage(
        screen="purchase_order_list",
        path="/purchasing/orders",
        caption="Purchase orders",
        grid="purchase_orders",
        search=(_OUR_REFERENCE,),
        columns=(_PO_NO, _SUPPLIER_NO, _OUR_REFERENCE, _PO_TOTAL),
    ),
)

JOURNAL = DocumentKind(
    screen="journal",
    title="Journal",
    path="/ledger/journals",
    numbers=NumberRange(prefix="JE-", digits=8, first=7001),
    number=_DOCUMENT_NO,
    commit="post",
    commit_caption="Post",
    fields=(_COMPANY, _POSTING_DATE, _JOURNAL_TEXT),
    lines=LineGrid(
        name="journal_lines",
        caption="Journal lines",
        fields=(
            Field(name="account", caption="Account", required=True, max_length=10),
            Field(name="debit", caption="Debit", kind="money"),
            Field(name="credit", caption="Credit", kind="money"),
        ),
    ),
    list_page=ListPage(
        screen="journal_list",
        path="/ledger/journals",
        caption="Journals",
        grid="journals",
        search=(_COMPANY, _JOURNAL_TEXT),
        columns=(_DOCUMENT_NO, _COMPANY, _POSTING_DATE, _JOURNAL_TEXT),
    ),
)

CUSTOMER = DocumentKind(
    screen="customer",
    title="Customer",
    path="/master/customers",
    numbers=NumberRange(prefix="C-", digits=6, first=200001),
    number=Field(name="customer_no", caption="Customer no."),
    commit="save",
    commit_caption="Save",
    fields=(_NAME, _STREET, _CITY, _COUNTRY, _EMAIL, _VAT),
    list_page=ListPage(
        screen="customer_list",
        path="/master/customers",
        caption="Customers",
        grid="customers",
        search=(_VAT,),
        columns=(
            Field(name="customer_no", caption="Customer no."), _NAME, _STREET, _CITY, _COUNTRY, _EMAIL, _VAT,
        ),
    ),
)

KINDS: Mapping[str, DocumentKind] = {
    kind.screen: kind for kind in (SALES_ORDER, SUPPLIER_INVOICE, PURCHASE_ORDER, JOURNAL, CUSTOMER)
}
NAVIGATION: tuple[tuple[str, tuple[DocumentKind, ...]], ...] = (
    ("Sales", (SALES_ORDER,)),
    ("Purchasing", (PURCHASE_ORDER, SUPPLIER_INVOICE)),
    ("Ledger", (JOURNAL,)),
    ("Master data", (CUSTOMER,)),
)
