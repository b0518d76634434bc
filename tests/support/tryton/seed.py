"""Fills a fresh Tryton 8.0 database with what is needed to sell; run by rig.py with Tryton's own Python, server down.

A company in US dollars, the universal chart of accounts, this year and its neighbours, products and countries.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

COUNTRIES = (
    ("US", "USA", "United States"), ("DE", "DEU", "Germany"), ("FR", "FRA", "France"), ("GB", "GBR", "United Kingdom"),
    ("ES", "ESP", "Spain"), ("PL", "POL", "Poland"), ("JP", "JPN", "Japan"),
)  # fmt: skip
PRODUCTS = (
    ("DESK-01", "Standing desk", "goods", "420.00"), ("CHAIR-01", "Office chair", "goods", "189.50"),
    ("LAMP-01", "Desk lamp", "goods", "39.90"), ("PAPER-A4", "Copy paper A4", "goods", "4.75"),
    ("SETUP-01", "Assembly on site", "service", "65.00"),
)  # fmt: skip


def main(folder: Path, database: str) -> None:
    os.environ["TRYTOND_CONFIG"] = str(folder / "trytond.conf")  # trytond reads it on import
    from proteus import Model, Wizard, config

    configuration = config.set_trytond(database, config_file=str(folder / "trytond.conf"))

    def model(name):  # type: ignore[no-untyped-def]
        return Model.get(name)

    dollar = model("currency.currency")(code="USD", name="US Dollar", symbol="$", rounding=Decimal("0.01"), digits=2)
    rate = dollar.rates.new()
    rate.date, rate.rate = date(2000, 1, 1), Decimal(1)
    dollar.save()

    party = model("party.party")(name="Interoffice Test Company")
    party.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party, wizard.form.currency = party, dollar
    wizard.execute("add")
    (company,) = model("company.company").find([])
    configuration._context = model("res.user").get_preferences(True, {})

    def account(kind):  # type: ignore[no-untyped-def]
        found = model("account.account").find([
            (f"type.{kind}", "=", True), ("company", "=", company.id), ("closed", "!=", True),
        ], limit=1)  # fmt: skip
        return found[0]

    chart = model("ir.model.data").get_id("account", "account_template_root_en", configuration.context)
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = model("account.account.template")(chart)
    wizard.form.company = company
    wizard.execute("create_account")
    wizard.form.account_receivable, wizard.form.account_payable = account("receivable"), account("payable")
    for field, kind in (("category_account_expense", "expense"), ("category_account_revenue", "revenue")):
        if hasattr(wizard.form, field):
            setattr(wizard.form, field, account(kind))
    wizard.execute("create_properties")

    this_year = datetime.now(UTC).year
    for year in range(this_year - 1, this_year + 2):
        open_year(model, company, year)

    category = model("product.category")(name="Merchandise", accounting=True)
    category.account_expense, category.account_revenue = account("expense"), account("revenue")
    category.save()
    (unit,) = model("product.uom").find([("name", "=", "Unit")])
    for code, name, kind, price in PRODUCTS:
        template = model("product.template")(
            name=name, type=kind, default_uom=unit, list_price=Decimal(price), account_category=category
        )
        template.salable = True
        variant = template.products[0] if template.products else template.products.new()
        variant.suffix_code, variant.cost_price = code, Decimal(price) / 2
        template.save()
    for code, code3, name in COUNTRIES:
        model("country.country")(name=name, code=code, code3=code3).save()
    term = model("account.invoice.payment_term")(name="30 days")
    line = term.lines.new(type="remainder")
    line.relativedeltas.new().days = 30
    term.save()
    for item in model("ir.module.config_wizard.item").find([("state", "=", "open")]):
        item.state = "done"  # no set-up wizard at the first sign-in
        item.save()


def open_year(model, company, year):  # type: ignore[no-untyped-def]
    fiscal = model("account.fiscalyear")(name=str(year), company=company)
    fiscal.start_date, fiscal.end_date = date(year, 1, 1), date(year, 12, 31)
    fiscal.move_sequence = sequence(model, company, "Account Move", year)
    invoices = sequence(model, company, "Invoice", year)
    row = fiscal.invoice_sequences[0]
    row.out_invoice_sequence = row.in_invoice_sequence = invoices
    row.out_credit_note_sequence = row.in_credit_note_sequence = invoices
    fiscal.save()
    fiscal.click("create_period")


def sequence(model, company, kind, year):  # type: ignore[no-untyped-def]
    (type_,) = model("ir.sequence.type").find([("name", "=", kind)])
    made = model("ir.sequence.strict")(name=f"{kind} {year}", sequence_type=type_, company=company)
    made.save()
    return made


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
