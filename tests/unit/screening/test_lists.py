"""Screening lists in the forms of their publishers, made small; a file of another form is no empty list."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from interoffice.screening.lists import Entry, ListMistake, ReadList, read_list

SDN = (
    '36,"AERO EXAMPLE AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
    '6365,"EXAMPLE, Usama",individual,"SDGT",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 30 Jul 1957; ""a.k.a."""\r\n\x1a'
)
ALT = '36,12,"aka","AERO-EXAMPLE",-0- \r\n6365,13,"aka","EXAMPEL, Osama",-0- \r\n'
SDN_XML = """<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="http://tempuri.org/sdnList.xsd">
  <publshInformation><Publish_Date>11/24/2026</Publish_Date><Record_Count>2</Record_Count></publshInformation>
  <sdnEntry><uid>36</uid><lastName>AERO EXAMPLE AIRLINES</lastName><sdnType>Entity</sdnType>
    <akaList><aka><uid>12</uid><type>a.k.a.</type><category>strong</category><lastName>AERO-EXAMPLE</lastName></aka></akaList>
    <addressList><address><uid>25</uid><city>Havana</city><country>Cuba</country></address></addressList></sdnEntry>
  <sdnEntry><uid>6365</uid><firstName>Usama</firstName><lastName>EXAMPLE</lastName><sdnType>Individual</sdnType>
    <akaList><aka><uid>13</uid><firstName>Osama</firstName><lastName>EXAMPEL</lastName></aka></akaList></sdnEntry>
</sdnList>"""
EU_CSV = (
    "\ufefffileGenerationDate;Entity_LogicalId;Entity_EU_ReferenceNumber;NameAlias_WholeName;"
    "Citizenship_CountryIso2Code\n"
    "24/11/2026;13;EU.27.28;Dmitri Example;\n24/11/2026;13;EU.27.28;Дмитрий Пример;\n"
    "24/11/2026;13;EU.27.28;;RU\n"
)
EU_XML = """<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-11-24T16:03:12.000+01:00" globalFileId="1">
  <sanctionEntity logicalId="13" euReferenceNumber="EU.27.28"><nameAlias wholeName="Dmitri Example" strong="true"/>
    <nameAlias wholeName="Дмитрий Пример"/><citizenship countryIso2Code="RU"/></sanctionEntity>
</export>"""
UN = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-11-20T23:30:00.001-05:00"><INDIVIDUALS><INDIVIDUAL><DATAID>1</DATAID>
  <FIRST_NAME>RI</FIRST_NAME><SECOND_NAME>WON </SECOND_NAME><THIRD_NAME>EXAMPLE</THIRD_NAME>
  <REFERENCE_NUMBER>KPi.033</REFERENCE_NUMBER><NAME_ORIGINAL_SCRIPT>리원호</NAME_ORIGINAL_SCRIPT>
  <NATIONALITY><VALUE>Exampleland</VALUE></NATIONALITY>
  <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Ri Won Ho</ALIAS_NAME></INDIVIDUAL_ALIAS>
  <INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS></INDIVIDUAL></INDIVIDUALS>
  <ENTITIES><ENTITY><DATAID>2</DATAID><FIRST_NAME>EXAMPLE TRADING</FIRST_NAME>
  <REFERENCE_NUMBER>KPe.001</REFERENCE_NUMBER>
  <ENTITY_ALIAS><QUALITY>a.k.a.</QUALITY><ALIAS_NAME>EXAMPLE EXPORT</ALIAS_NAME></ENTITY_ALIAS></ENTITY></ENTITIES>
</CONSOLIDATED_LIST>"""
OWN = "id,name,aliases,countries\n1,Petra Example,Petra Muster|P. Example,DE|AT\n2,Paul Example,,\n"


def listed(folder: Path, publisher: str, *texts: str) -> ReadList:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"list{number}.txt"
        path.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return read_list(publisher, paths)


def test_ofac_as_csv_and_as_xml_say_the_same(tmp_path: Path) -> None:
    by_csv = listed(tmp_path, "ofac", SDN, ALT)
    assert [(each.id, each.names) for each in by_csv.entries] == [
        ("36", ("AERO EXAMPLE AIRLINES", "AERO-EXAMPLE")),
        ("6365", ("EXAMPLE, Usama", "EXAMPEL, Osama")),
    ]
    by_xml = listed(tmp_path, "ofac", SDN_XML)
    assert [(each.id, each.names, each.countries) for each in by_xml.entries] == [
        ("36", ("AERO EXAMPLE AIRLINES", "AERO-EXAMPLE"), ("Cuba",)),
        ("6365", ("Usama EXAMPLE", "Osama EXAMPEL"), ()),
    ]
    assert (by_csv.published, by_xml.published) == (None, date(2026, 11, 24))


def test_the_eu_list_as_csv_and_as_xml_say_the_same(tmp_path: Path) -> None:
    wanted = ReadList(
        entries=(Entry(id="13", names=("Dmitri Example", "Дмитрий Пример"), countries=("RU",)),),
        published=date(2026, 11, 24),
    )
    assert listed(tmp_path, "eu", EU_CSV) == wanted
    assert listed(tmp_path, "eu", EU_XML) == wanted


def test_the_un_list_and_our_own(tmp_path: Path) -> None:
    un = listed(tmp_path, "un", UN)
    assert un.published == date(2026, 11, 20)
    assert [(each.id, each.names, each.countries) for each in un.entries] == [
        ("KPi.033", ("RI WON EXAMPLE", "리원호", "Ri Won Ho"), ("Exampleland",)),
        ("KPe.001", ("EXAMPLE TRADING", "EXAMPLE EXPORT"), ()),
    ]
    assert listed(tmp_path, "names", OWN).entries[0] == Entry(
        id="1", names=("Petra Example", "Petra Muster", "P. Example"), countries=("DE", "AT")
    )


@pytest.mark.parametrize(
    ("publisher", "texts", "says"),
    [
        ("ofac", ("id,name\n1,x\n",), "line 1 has 2 fields, sdn.csv has 12"),
        ("ofac", (SDN, '99,12,"aka","NOBODY",-0- \n'), "aliases of number 99, which list0.txt lacks"),
        ("ofac", (SDN, "only one\n"), "line 1 has 1 fields, alt.csv has 5"),
        ("ofac", (EU_XML,), "its first element is not sdnList"),
        ("ofac", ("",), "holds no name; fetch the list again"),
        ("eu", (EU_CSV.replace("Entity_LogicalId", "Id"),), "its header lacks Entity_LogicalId"),
        ("eu", (EU_CSV.replace("24/11/2026", "2026-11-24"),), '"2026-11-24" is not the day it was made'),
        ("eu", (EU_CSV.replace("Dmitri Example", "").replace("Дмитрий Пример", ""),), "the entry 13 has no name"),
        ("eu", (EU_CSV.rpartition(";")[0],), "line 4 has 4 fields, the header has 5"),
        ("un", (UN[:400],), "its XML breaks off or is damaged at line"),
        ("un", ('<!DOCTYPE a [<!ENTITY b "c">]><CONSOLIDATED_LIST>&b;</CONSOLIDATED_LIST>',), "defines entities"),
        ("un", ("<html><body>Sign in</body></html>",), "its first element is not CONSOLIDATED_LIST"),
        ("names", (OWN.replace("\n2,", "\n1,"),), 'line 3 has the id "1", which must be there and be there once'),
        ("names", ("id,name\n1,\n",), "the entry 1 has no name"),
    ],
)
def test_a_file_of_another_form_is_named_and_never_an_empty_list(
    tmp_path: Path, publisher: str, texts: tuple[str, ...], says: str
) -> None:
    with pytest.raises(ListMistake) as raised:
        listed(tmp_path, publisher, *texts)
    assert says in str(raised.value)
    assert "list0.txt" in str(raised.value) or "list1.txt" in str(raised.value)


def test_an_entry_changes_with_its_names_and_countries_and_not_with_their_order() -> None:
    entry = Entry(id="1", names=("A", "B"), countries=("DE",))
    assert entry.digest == Entry(id="1", names=("B", "A"), countries=("DE",)).digest
    assert entry.digest != Entry(id="1", names=("A", "B", "C"), countries=("DE",)).digest
    assert entry.digest != Entry(id="1", names=("A", "B"), countries=("FR",)).digest
