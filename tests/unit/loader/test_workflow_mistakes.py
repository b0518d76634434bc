"""Every mistake of YAML and shape gives exactly one message, with its rule, on its line."""

from __future__ import annotations

import pytest

from interoffice.loader.workflow import load_workflow_with_problems

from .samples import WORKFLOWS, text_of, with_mistake

DEALS, INVOICES, RECON = "won_deals_to_erp", "supplier_invoices", "bank_reconciliation"

# workflow, right, wrong, rule, lines below the beginning of what was replaced, suggestion
MISTAKES = [
    # YAML
    (DEALS, "  timeout: 5m", "\ttimeout: 5m", "Y01", 0, None),
    (DEALS, "      stage: Won", "      stage:\tWon", "Y01", 0, None),
    (
        DEALS,
        "name: Won deals to ERP orders",
        'name: "Won" deals to ERP orders',
        "Y01",
        0,
        "'\"Won\" deals to ERP orders'",
    ),
    (DEALS, "if: steps.deals.rows is empty", "if: 'Won' = inputs.stage", "Y01", 0, "\"'Won' = inputs.stage\""),
    (DEALS, "ask: Enter these orders?", "ask: * these orders?", "Y01", 0, "'* these orders?'"),
    (DEALS, "file: data/credit_limits.csv", "file: *.csv", "Y01", 0, "'*.csv'"),
    (DEALS, "file: data/credit_limits.csv", "file: *csv", "Y01", 0, None),
    (DEALS, "ask: Enter these orders?", "ask: @all enter these?", "Y01", 0, "'@all enter these?'"),
    (DEALS, "stage: Won", "stage: %won", "Y01", 0, "'%won'"),
    (DEALS, "- amount > 0", "- > 0", "Y01", 0, "'> 0'"),
    (DEALS, "ask: Enter these orders?", "ask: Decide: enter these orders?", "Y01", 0, "'Decide: enter these orders?'"),
    (DEALS, "message: Sanctions screening of", "message: Stop: screening of", "Y01", 0, None),
    (DEALS, "by: [sales-managers]", "by: [${{ row.manager }}, sales-managers]", "Y01", 0, None),
    (
        INVOICES,
        "attach:\n            attachment: ${{ invoice.file }}",
        "attach: {a: ${{ invoice.file }}}",
        "Y01",
        0,
        None,
    ),
    (DEALS, "by: [sales-managers]", "by: [sales-managers", "Y01", 0, None),
    (DEALS, "by: [sales-managers]", "by: [sales-managers]]", "Y01", 0, None),
    (DEALS, "- currency is one of EUR, USD, GBP", "- 'EUR' = currency", "Y01", 0, "\"'EUR' = currency\""),
    (DEALS, "\nowner: sales", "\n owner: sales", "Y01", 1, None),
    (DEALS, "    as: deal\n", "   as: deal\n", "Y01", 0, None),
    (DEALS, "      - amount > 0\n", "      - amount > 0\n        otherwise: warn\n", "Y01", 0, "- rule: amount > 0"),
    (DEALS, "    result: success\n", "    result success\n", "Y01", 0, None),
    (INVOICES, "file_types: [pdf, xml]", "file_types: - pdf", "Y01", 0, None),
    (INVOICES, "subject: Please correct", 'subject: "Please correct', "Y01", 0, None),
    (RECON, "day: 2 days", "day: 2 days\n          - 3 days", "Y01", 1, None),
    (RECON, '"00123456"', '"00123456', "Y01", 0, None),
    (DEALS, "overlap: skip\n", "overlap: skip\nname: Again\n", "Y02", 1, None),
    (DEALS, "    as: deal\n", "    as: deal\n    as: order\n", "Y02", 1, None),
    (DEALS, "      closed_from: ${{ inputs.closed_from }}", "      stage: Lost", "Y02", 0, None),
    (DEALS, "rows: ${{ steps.deals.rows }}", "rows: {{ steps.deals.rows }}", "Y03", 0, "${{ steps.deals.rows }}"),
    (DEALS, "subject: ${{ count(", "subject: {{ count(", "Y03", 0, None),
    (
        DEALS,
        "if: steps.deals.rows is empty",
        "if: {{ steps.deals.rows is empty }}",
        "Y03",
        0,
        "steps.deals.rows is empty",
    ),
    (DEALS, "timeout: 90s", "timeout: !seconds 90s", "Y04", 0, None),
    (DEALS, "stage: Won", "stage: &won Won", "Y04", 0, None),
    (DEALS, "      stage: Won\n", "      stage:Won\n", "Y05", 0, "stage: Won"),
    (DEALS, "    with:\n      application: erp", "    with:\n      application:erp", "Y05", 1, "application: erp"),
    (DEALS, "    key: deal.deal_id\n", "    key:deal.deal_id\n", "Y05", 0, "key: deal.deal_id"),
    (INVOICES, "subject: Please correct invoice ${{", "subject: Please correct invoice #${{", "Y06", 0, None),
    (RECON, "left_name: ERP ledger", "left_name: ERP #1 ledger", "Y06", 0, '"ERP #1 ledger"'),
    (RECON, "left: ${{ steps.ledger.rows }}", "left: ${{ steps.ledger # x }}", "Y06", 0, None),
    # shape
    (DEALS, "overlap: skip", "overlapp: skip", "S01", 0, "overlap"),
    (DEALS, "\nowner:", "\nonwer:", "S01", 1, "owner"),
    (DEALS, "\nsteps:", "\nstep:", "S01", 1, "steps"),
    (DEALS, "    key: deal.deal_id", "    kee: deal.deal_id", "S01", 0, "key"),
    (DEALS, "    row: deal_id", "    rows: deal_id", "S01", 0, "row"),
    (DEALS, "        timeout: 90s", "        time_out: 90s", "S01", 0, "timeout"),
    (DEALS, "    bot: crm.export_deals", "    bott: crm.export_deals", "S01", 0, "bot"),
    (DEALS, "    check: ${{ steps.credit.rows }}", "    chek: ${{ steps.credit.rows }}", "S01", 0, "check"),
    (DEALS, "    for_each: ${{", "    for_eech: ${{", "S01", 0, "for_each"),
    (DEALS, "    approve: ${{", "    aprove: ${{", "S01", 0, "approve"),
    (DEALS, "    stop: No deals", "    stopp: No deals", "S01", 0, "stop"),
    (INVOICES, "    table: ${{", "    tabel: ${{", "S01", 0, "table"),
    (INVOICES, "      same: [supplier_no, po_no]", "      sames: [supplier_no, po_no]", "S01", 0, "same"),
    (INVOICES, "required_when: decision", "require_when: decision", "S01", 0, "required_when"),
    (RECON, "    reconcile:", "    reconcil:", "S01", 0, "reconcile"),
    (RECON, "    passes:", "    pases:", "S01", 0, "passes"),
    (RECON, "    choose:", "    chose:", "S01", 0, "choose"),
    (RECON, "    wait: files.list", "    wiat: files.list", "S01", 0, "wait"),
    (DEALS, "      - rule: screening_result", "      - rul: screening_result", "S01", 0, "rule"),
    (DEALS, "        message: Sanctions", "        mesage: Sanctions", "S01", 0, "message"),
    (DEALS, "    attempts: 3", "    atempts: 3", "S01", 0, "attempts"),
    (DEALS, "    help: First", "    hlep: First", "S01", 0, "help"),
    (DEALS, "      rejected: 10%", "      rejectd: 10%", "S01", 0, "rejected"),
    (DEALS, "    key: deal.deal_id", "    show: [deal_id]", "S01", 0, None),
    (DEALS, "    max_failures: 3", "    while: true", "S01", 0, None),
    (DEALS, "name: Won deals to ERP orders\n", "", "S02", -1, None),
    (DEALS, "    as: deal\n", "", "S02", -3, None),
    (DEALS, "    ask: Enter these orders?\n", "", "S02", -4, None),
    (DEALS, "    type: money\n", "", "S02", -1, None),
    (DEALS, "    ask: Enter these orders?", "    ask:", "S02", 0, None),
    (DEALS, "    row: deal_id\n    ask", "    ask", "S02", -3, None),
    (DEALS, "    bot: crm.export_deals\n", "    bot: crm.export_deals\n    check: x\n", "S03", 1, None),
    (DEALS, "    bot: crm.export_deals\n", "    run: crm.export_deals\n", "S03", 0, None),
    (DEALS, "    stop: No deals were", "    say: No deals were", "S03", 0, None),
    (DEALS, "  - id: credit\n", "  - id: deals\n", "S04", 0, None),
    (DEALS, "      - id: order\n", "      - id: credit\n", "S04", 0, None),
    (DEALS, "  - id: credit\n", "  - id: credit check\n", "S04", 0, "credit_check"),
    (DEALS, "  - id: credit\n", "  - id: 2nd-credit\n", "S04", 0, None),
    (DEALS, "    as: deal\n", "    as: steps\n", "S04", 0, None),
    (DEALS, "overlap: skip", "overlap: skipp", "S05", 0, "skip"),
    (DEALS, "timeout: 90s", "timeout: 90 sacks", "S05", 0, None),
    (DEALS, "within: 1 business day", "within: soon", "S05", 0, None),
    (DEALS, "workers: 2", "workers: two", "S05", 0, None),
    (DEALS, "workers: 2", "workers: 0", "S05", 0, None),
    (DEALS, "    type: money", "    type: mony", "S05", 0, "money"),
    (DEALS, "    type: money", "    type: blob", "S05", 0, None),
    (DEALS, "default: 50000", "default: fifty", "S05", 0, None),
    (DEALS, "default: 50000", "default: 50,000", "S05", 0, None),
    (DEALS, "default: yesterday", "default: 31.12.2026", "S05", 0, None),
    (INVOICES, "default: 2%", "default: 2", "S05", 0, None),
    (DEALS, "on_failure: review", "on_failure: reveiw", "S05", 0, "review"),
    (DEALS, "if_late: reject", "if_late: rejct", "S05", 0, "reject"),
    (DEALS, "result: success", "result: sucess", "S05", 0, "success"),
    (DEALS, "not_by: [starter]", "not_by: [startr]", "S05", 0, "starter"),
    (DEALS, "      rejected: 10%", "      rejected: many", "S05", 0, None),
    (INVOICES, "if_missing: keep", "if_missing: kepp", "S05", 0, "keep"),
    (RECON, "many: left", "many: lift", "S05", 0, "left"),
    (RECON, "reference: [document_ref, end_to_end_ref]", "reference: [document_ref]", "S05", 0, None),
    (DEALS, "    collect:\n", "    collect: all\n", "Y01", 1, None),
    (DEALS, "      - id: order\n        name", "      - order\n      - id: order\n        name", "S05", 0, None),
    (DEALS, "by: [sales-managers]", "by: []", "S06", 0, None),
    (RECON, "        per: [currency]", "        per: []", "S06", 0, None),
    (DEALS, "always:\n", "locks: []\nalways:\n", "S06", 0, None),
    (DEALS, "\nversion: 1", "\nversion: 2", "S07", 1, "1"),
    (DEALS, "        otherwise: review", "        otherwise: reviw", "C02", 0, "review"),
    (DEALS, "    otherwise: reject", "    otherwise: refuse", "C02", 0, None),
]


@pytest.mark.parametrize(("workflow", "right", "wrong", "rule", "below", "meant"), MISTAKES)
def test_one_mistake_gives_one_message_on_its_line(
    workflow: str, right: str, wrong: str, rule: str, below: int, meant: str | None
) -> None:
    text, line = with_mistake(workflow, right, wrong)
    _, problems = load_workflow_with_problems(text, f"workflows/{workflow}.yaml")
    assert [(problem.rule, problem.message) for problem in problems] == [(rule, problems[0].message)]
    assert problems[0].at.line == line + below, problems[0]
    if meant is not None:
        assert problems[0].suggestion == meant


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_sample_workflow_loads_without_a_problem(path: object) -> None:
    name = getattr(path, "name", "")
    workflow, problems = load_workflow_with_problems(text_of(f"workflows/{name}"), f"workflows/{name}")
    assert problems == []
    assert workflow is not None and workflow.steps
