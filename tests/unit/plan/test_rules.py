"""Each rule code in a small workflow: exactly the lines marked with `# !CODE` are reported, and nothing else."""

from __future__ import annotations

import re

import pytest
from office import check_text, shown
from pieces import CHECKED, CREDIT, DEALS, HEAD, ORDERS, SEEN, TELL

from interoffice.plan.project import Project

CASES = {
    "clean": "steps:\n" + CHECKED + SEEN + ORDERS % "steps.checks.passed",
    "R01 unknown step": "steps:\n" + CHECKED + TELL % "steps.chekcs.rejected" + "# !R01",
    "R02 the loop itself": "steps:\n"
    + CHECKED
    + """  - id: each
    for_each: ${{ steps.checks.passed + steps.checks.rejected }}
    as: deal
    do:
      - id: taken
        set:
          one: ${{ steps.each.results }} # !R02
      - id: told
        if: steps.taken.one is empty
        stop: enough
        result: success
""",
    "C03 what a risk table asks for": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: risk
    bot: risk.score
    with:
      rows: ${{ steps.checks.passed }}
      table: kyc_risk # !C03
""",
    "R03 step of a loop read outside": "steps:\n"
    + CHECKED
    + SEEN
    + ORDERS % "steps.checks.passed"
    + "  - id: late\n    if: steps.order.values.order_no is present # !R03\n    stop: enough\n",
    "R03 step of another branch": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: which
    choose:
      - when: steps.checks.passed is empty
        do:
          - id: one
            set:
              a: x
      - when: steps.checks.passed is not empty
        do:
          - id: two
            set:
              b: ${{ steps.one.a }} # !R03
          - id: three
            if: steps.two.b is present
            stop: enough
    otherwise: nothing
""",
    "R05 unknown name": "steps:\n" + CHECKED + TELL % "step.checks.rejected" + "# !R05",
    "R06 output of a step with if": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: more
    if: steps.checks.passed is not empty
    set:
      text: x
  - id: uses
    set:
      bad: ${{ steps.more.text }} # !R06
      good: ${{ coalesce(steps.more.text, 'none') }}
      state: ${{ steps.more.status }}
  - id: same
    if: steps.checks.passed is not empty
    stop: ${{ steps.more.text }}
  - id: asked
    if: steps.more.text is present and steps.uses.good != 'x'
    stop: ${{ steps.more.text }}
""",
    "R06 step of a branch": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: which
    choose:
      - when: steps.checks.passed is empty
        do:
          - id: one
            set:
              a: x
    otherwise: nothing
  - id: end
    stop: ${{ steps.one.a }} # !R06
""",
    "R06 step that went on after a failure": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: reports
    bot: files.list
    with:
      folder: reports
      pattern: "*"
    on_failure: continue
  - id: end
    if: steps.reports.files is empty # !R06
    stop: none
""",
    "R07 unused input and step": "inputs:\n  amount: # !R07\n    type: money\n    default: 1\nsteps:\n"
    + DEALS.replace("id: deals", "id: deals # !R07"),
    "R08 no such workflow": "steps:\n" + CHECKED + SEEN + "  - id: sub\n    workflow: screen_patry # !R08\n",
    "R08 unknown and missing input": "steps:\n"
    + CHECKED
    + SEEN
    + "  - id: sub\n    workflow: screen_party\n    with:\n      sure_above: 90%\n      amount: 1 # !R08\n"
    + "  - id: other\n    workflow: screen_party # !R08\n    with:\n      sure_above: 90%\n",
    "R08 wrong columns": "steps:\n"
    + CHECKED
    + SEEN
    + "  - id: sub\n    workflow: screen_party\n    with:\n      parties: ${{ steps.checks.passed }} # !R08\n",
    "R08 circle": "steps:\n  - id: sub\n    workflow: case # !R08\n",
    "R09 template": "steps:\n" + CHECKED + SEEN.replace("recon_clean.html", "recon_claen.html # !R09"),
    "R09 contract": "steps:\n" + CHECKED.replace("contract: won_deals", "contract: wun_deals # !R09") + SEEN,
    "R09 a contract where a decision table belongs": "steps:\n"
    + CHECKED
    + SEEN
    + "  - id: more\n    bot: decisions.look_up\n    with:\n      rows: ${{ steps.checks.passed }}\n"
    + "      table: won_deals # !R09\n  - id: end\n    if: steps.more.rows is empty\n    stop: none\n",
    "R05 group and account": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: mails
    bot: email.fetch
    with:
      mailbox: invoises # !R05
      folder: In
  - id: end
    if: steps.mails.messages is empty
    stop: none
  - id: release
    approve: ${{ steps.checks.passed }}
    row: deal_id
    ask: Go?
    by: [sales-manager] # !R05
    not_by: [starter]
    show: [deal_id]
    within: 1 day
    if_late: reject
""",
    "R05 data that the template needs": "steps:\n"
    + CHECKED
    + SEEN.replace("matched: $", "macthed: $").replace("}}", "}} # !R05"),
    "E03 expression without braces": "steps:\n"
    + CHECKED.replace("${{ steps.deals.rows }}", "steps.deals.rows # !E03")
    + SEEN,
    "E04 table in a text": "steps:\n"
    + CHECKED
    + SEEN.replace("subject: Done", "subject: All ${{ steps.deals.rows }} # !E04"),
    "E05 constant": "steps:\n" + CHECKED + SEEN + "  - id: end\n    if: 1 = 1 # !E05\n    stop: none\n",
    "E06 function": "steps:\n" + CHECKED + TELL % "cuont(steps.checks.rejected)" + "# !E06",
    "B02 and B03": "steps:\n"
    + CHECKED.replace("      customer: erp_customer_no\n", "      client: erp_customer_no # !B02\n")
    + SEEN,
    "B03 missing": "steps:\n" + DEALS.replace("      closed_to: ${{ today }}\n", "").replace("with:", "with: # !B03")
    + "  - id: end\n    if: steps.deals.rows is empty\n    stop: none\n",
    "B04 wrong types": "steps:\n"
    + DEALS.replace("closed_from: ${{ today }}", "closed_from: soon # !B04")
    .replace("closed_to: ${{ today }}", "closed_to: ${{ now }} # !B04")
    .replace("contract: won_deals", "contract: ${{ run.id }} # !B04")
    + "  - id: end\n    if: steps.deals.rows is empty\n    stop: none\n",
    "C03 column of a bot": "steps:\n"
    + CHECKED.replace("customer: erp_customer_no", "customer: erp_customer # !C03")
    + SEEN,
    "C01 C02 C03 C04 in rules": "steps:\n"
    + CREDIT
    + """  - id: checks
    check: ${{ steps.credit.rows }}
    row: deal # !C03
    otherwise: warn
    rules:
      - amount > # !C01
      - rule: sum of amount = 0 # !C08
        otherwise: reject # !C02
      - rule: ammount > 0 # !C03
        message: Too little, ${{ row.ammount }} # !C04
      - rule: sum of amount = 0
        per: [curency] # !C03
""".replace("- rule: sum of amount = 0\n        per", "- rule: sum of discount_percent = 0%\n        per"),
    "C06 C02 in a reconciliation": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: recon
    reconcile:
      left: ${{ steps.checks.passed }}
      right: ${{ steps.checks.review }}
    passes:
      - name: near
        same: [currency]
        close:
          amount: 2 days # !C06
      - name: nearer
        same: [currency]
        close:
          amount: 2%
          closed: 5 # !C06
      - name: by business days
        same: [currency]
        close:
          closed: 2 business days # !C06
      - name: texts
        same: [amount]
        close:
          currency: 1 # !C06
    rules:
      - rule: match rate >= 98%
        otherwise: review # !C02
  - id: look
    if: steps.recon.matched is empty
    stop: enough
""",
    "C05 C06 in rules": "steps:\n"
    + CREDIT
    + """  - id: checks
    check: ${{ steps.credit.rows }}
    row: deal_id
    otherwise: warn
    rules:
      - amount > 100
      - amount < 50 # !C05
      - amount  > 100 # !C05
      - closed = today within 2% # !C06
      - amount = credit_limit within 2 days # !C06
""",
    "C08 sums": "steps:\n"
    + CREDIT
    + """  - id: all
    table: ${{ steps.credit.rows }}
    group_by: [region]
    totals:
      amount: sum # !C08
  - id: each
    table: ${{ steps.credit.rows }}
    group_by: [region, currency]
    totals:
      amount: sum
  - id: end
    if: steps.all.rows is empty or steps.each.rows is empty
    stop: none
""",
    "C03 S04 in a table": "steps:\n"
    + CREDIT
    + """  - id: all
    table: ${{ steps.credit.rows }}
    columns:
      amount: amount * 2 # !S04
      twice: amuont * 2 # !C03
    where: regin = 'EMEA' # !C03
    sort: [amount, twice, nothing] # !C03
  - id: end
    if: steps.all.rows is empty
    stop: none
""",
    "F01 unreachable": "steps:\n"
    + CHECKED
    + SEEN
    + "  - id: end\n    stop: none\n  - id: never # !F01\n    stop: none\n",
    "F02 no otherwise": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: which
    choose: # !F02
      - when: steps.checks.passed is empty
        do:
          - id: end
            stop: none
""",
    "F03 no key": "steps:\n"
    + CHECKED
    + SEEN
    + (ORDERS % "steps.checks.passed")
    .replace("    key: deal.deal_id\n", "")
    .replace("}}\n    as", "}} # !F03\n    as"),
    "F04 retry of what can't be looked up": "steps:\n"
    + CHECKED
    + SEEN
    + "    retry: # !F04\n      attempts: 3\n",
    "F05 no end": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: arrival
    wait: files.list # !F05
    with:
      folder: inbox
      pattern: "*"
    every: 1m
    until: files is not empty
""",
    "R03 of until": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: arrival
    wait: files.list
    with:
      folder: inbox
      pattern: "*"
    every: 1m
    until: flies is not empty # !R03
    within: 1h
""",
    "F06 goes on without what it was to write": "steps:\n" + CHECKED + SEEN + "    on_failure: continue # !F06\n",
    "F07 nobody releases": "steps:\n"
    + CHECKED.replace("otherwise: reject", "otherwise: review")
    .replace("check: $", "check: $")
    .replace("check: ${{ steps.credit.rows }}", "check: ${{ steps.credit.rows }} # !F07")
    + TELL % "steps.checks.review",
    "F07 nobody sees": "steps:\n"
    + CHECKED.replace("check: ${{ steps.credit.rows }}", "check: ${{ steps.credit.rows }} # !F07")
    + TELL % "count(steps.checks.rejected)",
    "F08 nothing before it": "steps:\n"
    + DEALS
    + (TELL % "steps.deals.rows").replace("email.send", "email.send # !F08"),
    "F10 approval": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: release
    approve: ${{ steps.checks.passed }} # !F10
    row: deal_id
    ask: Go?
    by: [sales-managers]
    show: [deal_id]
""",
    "F11 typed but not shown": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: release
    approve: ${{ steps.checks.passed }}
    row: deal_id
    ask: Go?
    by: [sales-managers]
    not_by: [starter]
    show: [deal_id, amount, erp_customer_no]
    within: 1 day
    if_late: reject
  - id: doubled
    table: ${{ steps.release.approved }}
    where: amount > 5
"""
    + (ORDERS % "steps.doubled.rows").replace("${{ deal.currency }}", "${{ deal.currency }} # !F11"),
    "F11 corrected but not computed again": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: twice
    table: ${{ steps.checks.passed }}
    columns:
      doubled: amount * 2
  - id: release
    approve: ${{ steps.twice.rows }}
    row: deal_id
    ask: Go?
    by: [sales-managers]
    not_by: [starter]
    show: [deal_id, amount]
    fields:
      amount: # !F11
        type: money
      region:
        type: choice
        choices: [EMEA]
    within: 1 day
    if_late: reject
""",
    "F12 approval in a loop": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: each
    for_each: ${{ steps.checks.passed }}
    as: deal
    key: deal.deal_id
    do:
      - id: release
        approve: ${{ steps.checks.passed }} # !F12
        row: deal_id
        ask: Go?
        by: [sales-managers]
        not_by: [starter]
        show: [deal_id]
        within: 1 day
        if_late: reject
""",
    "U01 to U06": "steps:\n"
    + CHECKED
    + SEEN
    + (ORDERS % "steps.checks.passed")
    .replace("${{ deal.amount }}", "${{ deal.customer_name }} # !U06")
    .replace("${{ deal.currency }}", "EURO # !U06")
    .replace("submit: save", "submit: order_no # !U03")
    .replace("read: [order_no]", "read: [order_nr] # !U02")
    .replace("            customer_no: ", "            order_no: x # !U03\n            customer_no: "),
    "U01 application": "steps:\n"
    + CHECKED
    + SEEN
    + (ORDERS % "steps.checks.passed")
    .replace("erp.sales_order", "epr.sales_order # !U01"),
    "B03 what a screen requires": "steps:\n"
    + CHECKED
    + SEEN
    + (ORDERS % "steps.checks.passed")
    .replace("            customer_reference: ${{ deal.deal_id }}\n", "")
    .replace("fields:", "fields: # !B03"),
    "U06 too long": "steps:\n"
    + CHECKED
    + SEEN
    + (ORDERS % "steps.checks.passed").replace("${{ deal.erp_customer_no }}", "12345678901 # !U06"),
    "K01 secret in an expression": "steps:\n" + CHECKED + TELL % "secrets.crm" + "# !K01",
    "K03 secret in a text": "steps:\n" + CHECKED + SEEN.replace("Done", "password=hunter22 # !K03"),
    "R05 run.error outside of on_failure": "steps:\n"
    + CHECKED
    + SEEN.replace("subject: Done", "subject: Done ${{ run.error }} # !R05")
    + "on_failure:\n  - id: ended\n    stop: ${{ run.error }}\n",
    "S05 time word": "inputs:\n  day:\n    type: date\n    default: yestreday # !S05\nsteps:\n"
    + DEALS.replace("closed_from: ${{ today }}", "closed_from: ${{ inputs.day }}")
    + "  - id: end\n    if: steps.deals.rows is empty\n    stop: none\n",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_exactly_the_marked_lines_are_reported(samples: Project, name: str) -> None:
    text = HEAD + re.sub(r"\n# !(\w+)$", r" # !\1\n", CASES[name])
    wanted = [
        (number, found[1])
        for number, line in enumerate(text.splitlines(), 1)
        if (found := re.search(r"# !(\w+)", line)) is not None
    ]
    problems = check_text(samples, "case", text)
    assert [(one.at.line, one.rule) for one in problems] == wanted, shown(problems)


WARNINGS = ("R07", "F06", "F08", "B05")


def test_severities_are_those_of_the_language(samples: Project) -> None:
    for name, case in CASES.items():
        for problem in check_text(samples, "case", HEAD + case):
            words = ("nobody sees", "not computed again")
            is_warning = problem.rule in WARNINGS or any(word in problem.message for word in words)
            assert (problem.severity == "warning") is is_warning, name
