"""Pieces of workflows that small cases are put together from."""

from __future__ import annotations

HEAD = """version: 1
name: Case
owner: office@example.com
defaults:
  timeout: 5m
"""
DEALS = """  - id: deals
    bot: crm.export_deals
    with:
      stage: Won
      closed_from: ${{ today }}
      closed_to: ${{ today }}
      contract: won_deals
      credential: crm_reader
"""
CREDIT = (
    DEALS
    + """  - id: credit
    bot: finance.credit_lookup
    with:
      rows: ${{ steps.deals.rows }}
      customer: erp_customer_no
"""
)
CHECKED = (
    CREDIT
    + """  - id: checks
    check: ${{ steps.credit.rows }}
    row: deal_id
    otherwise: reject
    rules:
      - amount > 0
"""
)
TELL = """  - id: tell
    bot: email.send
    with:
      to: a@example.com
      subject: Done
      template: emails/recon_clean.html
      data:
        account: "1"
        matched: ${{ %s }}
"""
SEEN = TELL % "steps.checks.rejected"
ORDERS = """  - id: orders
    for_each: ${{ %s }}
    as: deal
    key: deal.deal_id
    do:
      - id: order
        bot: screens.fill_form
        with:
          screen: erp.sales_order
          credential: erp_clerk
          fields:
            customer_no: ${{ deal.erp_customer_no }}
            customer_reference: ${{ deal.deal_id }}
            amount: ${{ deal.amount }}
            currency: ${{ deal.currency }}
          submit: save
          read: [order_no]
"""
