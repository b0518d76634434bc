"""Screening as compliance works it: alerts, four eyes, the good-guy list, lists that change and lists that are none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interoffice.resources.people import PeopleStore
from tests.support.flagship import PASSPHRASES, ROOT, Flagship, copy, flagship

SDN = '36,"AERO EXAMPLE AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n'
ALT = '36,12,"aka","AERO-EXAMPLE",-0- \n'
EU = (
    "fileGenerationDate;Entity_LogicalId;NameAlias_WholeName;Citizenship_CountryIso2Code\n"
    "24/11/2026;13;Dmitri Exempelov;RU\n24/11/2026;13;Дмитрий Экземпелов;\n"
)
UN = (
    '<CONSOLIDATED_LIST dateGenerated="2026-11-20T00:00:00"><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>RI'
    "</FIRST_NAME><SECOND_NAME>WON EXAMPLE</SECOND_NAME><REFERENCE_NUMBER>KPi.033</REFERENCE_NUMBER></INDIVIDUAL>"
    "</INDIVIDUALS></CONSOLIDATED_LIST>"
)
PARTIES = "party_id,party_name,country\n1,Blue Ltd,DE\n2,Aero Example,CU\n3,Dimitri Exempeloff,RU\n4,Rio Wine Co,PT\n"
OFFICERS = {"david": "Regen am Fenster", "emma": "Wolken im Mai"}


def put(folder: Path, **changed: str) -> None:
    """The lists, fetched now."""
    texts = {"sdn.csv": SDN, "alt.csv": ALT, "eu.csv": EU, "un.xml": UN, "pep.csv": "id,name\n1,Petra Muster\n"}
    lists = folder / "data" / "lists"
    lists.mkdir(parents=True, exist_ok=True)
    for name, text in {**texts, **{key.replace("_", "."): text for key, text in changed.items()}}.items():
        (lists / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flagship]:
    with flagship(tmp_path_factory.mktemp("screening")) as project:
        copy(ROOT / "workflows" / "screen_party.yaml", project.folder / "workflows" / "screen_party.yaml")
        store = PeopleStore(project.state)
        for person, phrase in OFFICERS.items():
            store.add(person, phrase)
        (project.folder / "data" / "parties.csv").write_text(PARTIES, encoding="utf-8")
        put(project.folder)
        yield project


def screen(desk: Flagship, *words: str) -> Any:
    return desk.cli("run", "screen_party", "--input", "parties=data/parties.csv", *words)


def alerts(desk: Flagship, state: str = "open") -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in desk.listed("alerts", "--state", state)}


def decide(desk: Flagship, action: str, alert: str, person: str, why: str = "Other birth date") -> Any:
    typed = {**PASSPHRASES, **OFFICERS}[person] + "\n"
    return desk.cli("alerts", action, alert, "--comment", why, "--person", person, stdin=typed)


def acts(desk: Flagship, alert: str) -> list[tuple[str, str]]:
    said = desk.listed("audit", "show", "--limit", "1000")
    return [(entry["what"], entry["who"]) for entry in said if entry["about"].endswith(alert)]


@pytest.mark.slow
def test_the_life_of_an_alert(desk: Flagship) -> None:
    # a plan tells the hits and leaves no alert
    told = desk.cli("plan", "screen_party", "--input", "parties=data/parties.csv")
    assert told.returncode == 0, told.stderr
    assert alerts(desk, "all") == {}

    # hits are alerts, and a weak one waits for a person
    ended = screen(desk)
    assert "2 passed, 1 for review, 1 rejected" in ended.stdout
    found = alerts(desk)
    assert {name: (each["listed_as"], each["list"]) for name, each in found.items()} == {
        "Aero Example": ("AERO-EXAMPLE", "ofac_sdn 36"), "Dimitri Exempeloff": ("Dmitri Exempelov", "eu_sanctions 13"),
    }  # fmt: skip
    assert found["Aero Example"]["score"] == "100.0%"
    assert "published 2026-11-24" in found["Dimitri Exempeloff"]["list_version"]

    # the approval settles it, and no later run asks again
    alert = found["Dimitri Exempeloff"]["alert"]
    ended = desk.approve("--comment", "Other birth date", person="david", phrase=OFFICERS["david"])
    assert ended.returncode == 0, ended.stderr + ended.stdout
    settled = alerts(desk, "false_positive")["Dimitri Exempeloff"]
    assert (settled["decided_by"], settled["comment"]) == ("david", "Other birth date")
    assert acts(desk, alert) == [("alert.raised", "engine"), ("alert.false_positive", "david")]
    again = screen(desk)
    assert "3 passed, 0 for review, 1 rejected" in again.stdout
    assert "waiting" not in again.stdout

    # a list that changes opens it again
    put(desk.folder, eu_csv=EU + "24/11/2026;13;Dmitry Exempeloff;BY\n")
    assert "2 passed, 0 for review, 2 rejected" in screen(desk).stdout
    assert alerts(desk)["Dimitri Exempeloff"]["listed_as"] == "Dmitry Exempeloff"
    assert acts(desk, alert)[-1] == ("alert.open_again", "engine")


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("anna", "anna may not decide on alerts; settings.yaml lets compliance-officers (screening)."),
        ("bilal", "bilal may not decide on alerts; settings.yaml lets compliance-officers (screening)."),
    ],
)
def test_who_is_no_officer_is_refused_and_the_try_is_in_the_audit(desk: Flagship, person: str, says: str) -> None:
    screen(desk)
    alert = alerts(desk)["Aero Example"]["alert"]
    refused = decide(desk, "clear", alert, person)
    assert (refused.returncode != 0, says in refused.stderr) == (True, True), refused.stderr
    assert acts(desk, alert)[-1] == ("alert.refused", person)
    assert alerts(desk)["Aero Example"]["state"] == "open"


def test_who_started_the_run_does_not_decide_on_its_alerts(desk: Flagship) -> None:
    desk.sign_in("emma", OFFICERS["emma"])
    screen(desk)
    alert = alerts(desk)["Aero Example"]["alert"]
    refused = decide(desk, "confirm", alert, "emma")
    assert "You started run" in refused.stderr
    assert decide(desk, "confirm", alert, "david", "Same airline").returncode == 0
    assert alerts(desk, "true_match")["Aero Example"]["decided_by"] == "david"
    assert acts(desk, alert)[-2:] == [("alert.refused", "emma"), ("alert.true_match", "david")]
    desk.sign_in("anna")


def test_a_rejected_row_never_clears_its_alert_whatever_the_workflow_says(desk: Flagship) -> None:
    """A rejection says that it IS the listed party; a workflow must not make a clearance of it in the person's name."""
    workflow = desk.folder / "workflows" / "screen_party.yaml"
    text = workflow.read_text(encoding="utf-8")
    cleared = "${{ steps.disposition.%s }}\n      as:"
    turned = text.replace(cleared % "approved", cleared % "rejected")
    assert turned != text
    workflow.write_text(turned, encoding="utf-8")
    (desk.folder / "data" / "other.csv").write_text(
        "party_id,party_name,country\n9,Dimitri Exempelow,RU\n", encoding="utf-8"
    )
    waiting = desk.cli("run", "screen_party", "--input", "parties=data/other.csv")
    assert "1 for review" in waiting.stdout
    said = ("--field", "disposition=true_match", "--comment", "Same birth date", "--person", "david", "--yes")
    ended = desk.cli("reject", "last", *said, stdin=OFFICERS["david"] + "\n")
    workflow.write_text(text, encoding="utf-8")
    assert "david has rejected the row with alert" in ended.stdout
    assert alerts(desk)["Dimitri Exempelow"]["state"] == "open"


def test_a_decision_needs_its_why(desk: Flagship) -> None:
    refused = desk.cli("alerts", "clear", "A-1")
    assert "say why, with --comment" in refused.stderr
    assert "list them with: runner.py alerts" in decide(desk, "clear", "A-1", "david").stderr


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("eu_csv", "<html>Please sign in</html>", "eu.csv is not in the form that its publisher publishes"),
        ("sdn_csv", "ent_num,SDN_Name\n", "sdn.csv is not in the form that its publisher publishes: line 1"),
        ("un_xml", UN[:200], "un.xml is not in the form that its publisher publishes: its XML breaks off"),
    ],
)
def test_a_list_of_another_form_stops_the_run_with_one_sentence(
    desk: Flagship, name: str, text: str, says: str
) -> None:
    put(desk.folder, **{name: text})
    ended = screen(desk)
    put(desk.folder)
    assert ended.returncode != 0
    assert says in " ".join((ended.stdout + ended.stderr).split())


def test_a_list_that_is_older_than_it_may_be_stops_the_run(desk: Flagship) -> None:
    file = desk.folder / "data" / "lists" / "eu.csv"
    before = time.time() - 3 * 86_400
    os.utime(file, (before, before))
    ended = screen(desk)
    put(desk.folder)
    assert ended.returncode != 0
    said = " ".join((ended.stdout + ended.stderr).split())
    assert "our copy of eu_sanctions (data/lists/eu.csv) was fetched on" in said
    assert "more than 2 days before this run; fetch it again from its publisher" in said


def test_a_list_that_is_none_is_found_before_a_run(desk: Flagship) -> None:
    workflow = desk.folder / "workflows" / "screen_party.yaml"
    text = workflow.read_text(encoding="utf-8")
    wrongs = {"ofac_sdm": 'there is no screening list "ofac_sdm"', "parties": '"parties" is a table contract'}
    for wrong, says in wrongs.items():
        workflow.write_text(text.replace("ofac_sdn", wrong), encoding="utf-8")
        checked = desk.cli("check", "screen_party")
        assert checked.returncode != 0 and says in checked.stdout, checked.stdout
    workflow.write_text(text, encoding="utf-8")
