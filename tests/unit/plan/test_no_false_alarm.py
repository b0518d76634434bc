"""What an analyst may rightly write, beyond the samples, gives no message."""

from __future__ import annotations

import time

import pytest
from office import ROOT, SAMPLES, check_text, shown
from pieces import CHECKED, DEALS, HEAD, ORDERS, SEEN

from interoffice.plan.project import Project

LIMIT = "inputs:\n  limit:\n    type: money\n    default: 10\n"
ALL_RIGHT = {
    "a step that goes on after a failure is asked for its status": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: reports
    bot: files.list
    with:
      folder: reports
      pattern: "*"
    on_failure: continue
  - id: end
    if: steps.reports.status = 'failed'
    stop: ${{ steps.reports.error }}
  - id: count
    set:
      files: ${{ coalesce(steps.reports.files, steps.checks.passed) }}
  - id: last
    if: steps.count.files is empty
    stop: none
""",
    "a failed step has steps of its own, which read what came before": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: reports
    bot: files.list
    with:
      folder: reports
      pattern: "*"
    on_failure:
      - id: told
        bot: email.send
        with:
          to: a@example.com
          subject: ${{ count(steps.checks.passed) }} rows, no reports
          template: emails/recon_clean.html
          data:
            account: none
            matched: 0
  - id: end
    if: steps.reports.files is missing or steps.told.message_id is present
    stop: none
""",
    "loops in loops, over lists and over written records": LIMIT
    + "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: regions
    for_each: [EMEA, APAC]
    as: region
    do:
      - id: mine
        table: ${{ steps.checks.passed where region = 'EMEA' }}
        columns:
          part: amount / 2
        sort: [amount desc, deal_id]
      - id: rows
        for_each: ${{ steps.mine.rows }}
        as: row_of
        do:
          - id: noted
            set:
              text: ${{ row_of.deal_id }} in ${{ region }} for ${{ row_of.part }}
        collect:
          text: ${{ steps.noted.text }}
      - id: limits
        for_each:
          - name: low
            at: ${{ inputs.limit }}
          - name: high
            at: ${{ inputs.limit * 2 }}
        as: limit
        do:
          - id: below
            table: ${{ steps.mine.rows }}
            where: amount < limit.at
        collect:
          each: ${{ steps.below.rows }}
          limit: ${{ limit.name }}
    collect:
      each: ${{ steps.rows.results }}
      region: ${{ region }}
outputs:
  texts: ${{ steps.regions.results }}
""",
    "branches in branches, read with coalesce": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: size
    choose:
      - when: count(steps.checks.passed) > 100
        do:
          - id: inner
            choose:
              - when: count(steps.checks.passed) > 1000
                do:
                  - id: huge
                    set:
                      word: huge
            otherwise:
              - id: big
                set:
                  word: big
          - id: said
            set:
              word: ${{ coalesce(steps.huge.word, steps.big.word) }}
    otherwise: nothing
  - id: end
    if: coalesce(steps.said.word, 'small') = 'small'
    stop: none
""",
    "a table of the project is searched": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: charted
    table: ${{ steps.checks.passed where erp_customer_no exists in tables.group_chart.account_from }}
  - id: end
    if: steps.charted.rows is empty
    stop: none
""",
    "rules over a record, and over its group": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: groups
    for_each: ${{ steps.checks.passed }}
    group_by: [currency]
    as: group
    do:
      - id: whole
        check: ${{ group.rows }}
        otherwise: reject
        rules:
          - sum of amount > 0
          - row count > 0
      - id: one
        check: ${{ first(group.rows) }}
        otherwise: stop
        rules:
          - amount > 0
          - currency = group.currency
    collect:
      currency: ${{ group.currency }}
      total: ${{ sum(group.rows.amount) }}
outputs:
  totals: ${{ steps.groups.results }}
""",
    "numbers and dates are typed into texts, and missing values left out": "steps:\n"
    + CHECKED
    + SEEN
    + (ORDERS % "steps.checks.passed").replace("${{ deal.erp_customer_no }}", "${{ year(deal.closed) }}"),
    "a sub-workflow in a branch gives its outputs": "steps:\n"
    + CHECKED
    + SEEN
    + """  - id: parties
    table: ${{ steps.checks.passed }}
    columns:
      party_id: deal_id
      party_name: customer_name
      country: currency
  - id: screening
    workflow: screen_party
    with:
      parties: ${{ steps.parties.rows }}
  - id: end
    if: (steps.screening.cleared where amount > 5) is empty and steps.screening.list_version is present
    stop: ${{ count(steps.screening.blocked) }} blocked
""",
    "reviewed rows go through tables and sets into an approval": "steps:\n"
    + CHECKED.replace("otherwise: reject", "otherwise: review")
    + """  - id: more
    table: ${{ steps.checks.review + steps.checks.passed }}
    columns:
      half: amount / 2
  - id: kept
    set:
      rows: ${{ steps.more.rows }}
  - id: release
    approve: ${{ steps.kept.rows where half > 1 }}
    row: [deal_id]
    ask: Go?
    by: ${{ coalesce(row.customer_name, workflow.owner) }}
    not_by: [starter]
    show: [deal_id, half, reasons, route]
    within: 1 day
    if_late: reject
outputs:
  approved: ${{ steps.release.approved }}
  who: ${{ steps.release.by }}
""",
    "the end knows what failed": "steps:\n"
    + DEALS
    + "outputs:\n  deals: ${{ steps.deals.rows }}\non_failure:\n  - id: ended\n    set:\n"
    + "      text: ${{ run.failed_step }} ${{ run.error }} ${{ coalesce(count(steps.deals.rows), 0) }}\n"
    + "  - id: stopped\n    if: steps.ended.text is present\n    stop: none\n"
    + "always:\n  - id: out\n    bot: screens.sign_out\n    with:\n      application: crm\n",
}


@pytest.mark.parametrize("name", ALL_RIGHT)
def test_nothing_is_said_of_it(samples: Project, name: str) -> None:
    assert shown(check_text(samples, "case", HEAD + ALL_RIGHT[name])) == ""


@pytest.mark.exhaustive
@pytest.mark.slow
def test_500_workflows_are_checked_within_10_seconds(samples: Project) -> None:
    texts = [(ROOT / "workflows" / f"{sample}.yaml").read_text() for sample in SAMPLES]
    started = time.process_time()
    for number in range(500):
        text = texts[number % len(texts)].replace("owner: ", f"owner: n{number}.")
        check_text(samples, SAMPLES[number % len(texts)], text)
    assert time.process_time() - started < 10
