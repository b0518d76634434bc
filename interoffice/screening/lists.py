"""The entries of a screening list, read from what its publisher publishes.

    ofac    Specially Designated Nationals of the US Treasury: sdn.csv with alt.csv beside it, or sdn.xml
    eu      consolidated list of the European Union: the full CSV (version 1.1) or the full XML (version 1.1)
    un      consolidated list of the Security Council: its XML
    names   our own: a CSV with the header id,name,aliases,countries; several aliases or countries with | between them

The publishers' pages: https://sanctionslist.ofac.treas.gov, https://data.europa.eu (consolidated list of persons,
groups and entities subject to EU financial sanctions), https://main.un.org/securitycouncil/en/content/un-sc-consolidated-list.
A file of another form, or one without entries, is a ListMistake and never an empty list.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from interoffice.frozen import dataclass

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NOTHING: Final = ("-0-", "")
"""What stands in a field of OFAC's CSV where there is nothing."""
OFAC_FIELDS, OFAC_ALIAS_FIELDS = 12, 5
"""Fields of sdn.csv and alt.csv, which have no header."""
EU_COLUMNS: Final = ("fileGenerationDate", "Entity_LogicalId", "NameAlias_WholeName")
OWN_COLUMNS: Final = ("id", "name")


class ListMistake(ValueError):
    """A list that can't be used, and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One listed party. `names`: the first is the publisher's own; `countries` as the publisher writes them."""

    id: str
    names: tuple[str, ...]
    countries: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Changes when its names or countries do: what a person cleared was the entry as it stood then."""
        said = "\x1e".join(("\x1f".join(sorted(self.names)), "\x1f".join(sorted(self.countries))))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadList:
    """A list as read. `published`: the day its publisher made it; None where the format does not say."""

    entries: tuple[Entry, ...]
    published: date | None


def read_list(publisher: str, paths: Sequence[Path]) -> ReadList:
    """The list in these files; ListMistake naming the file and what is wrong."""
    found = _READERS[publisher](paths)
    if not found.entries:
        raise ListMistake(f"{paths[0].name} holds no name; fetch the list again")
    return found


# CSV


def _lines(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="cp1252", errors="replace")
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for row in rows:
            if row and row != ["\x1a"]:
                yield rows.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        _wrong(path, f"line {rows.line_num}: {error}")


def _wrong(path: Path, why: str) -> NoReturn:
    raise ListMistake(f"{path.name} is not in the form that its publisher publishes: {why}")


def _is_xml(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _ofac(paths: Sequence[Path]) -> ReadList:
    if _is_xml(paths[0]):
        return _ofac_xml(paths[0])
    aliases: dict[str, list[str]] = {}
    for path in paths[1:]:
        for number, row in _lines(path):
            if len(row) < OFAC_ALIAS_FIELDS - 1 or not row[0].isdigit():
                _wrong(path, f"line {number} has {len(row)} fields, alt.csv has {OFAC_ALIAS_FIELDS}")
            aliases.setdefault(row[0], []).append(row[3])
    entries = []
    for number, row in _lines(paths[0]):
        if len(row) < OFAC_FIELDS or not row[0].isdigit():
            _wrong(paths[0], f"line {number} has {len(row)} fields, sdn.csv has {OFAC_FIELDS}")
        if row[1] in NOTHING:
            _wrong(paths[0], f"line {number} has no name")
        entries.append(Entry(id=row[0], names=_names(row[1], *aliases.pop(row[0], []))))
    if aliases:
        lost = next(iter(aliases))
        _wrong(paths[1], f"it has aliases of number {lost}, which {paths[0].name} lacks; take both of one day")
    return ReadList(entries=tuple(entries), published=None)


def _eu(paths: Sequence[Path]) -> ReadList:
    return _eu_xml(paths[0]) if _is_xml(paths[0]) else _eu_csv(paths[0])


def _eu_csv(path: Path) -> ReadList:
    lines = _lines(path, ";")
    _, header = next(lines, (1, []))
    lacking = [name for name in EU_COLUMNS if name not in header]
    if lacking:
        _wrong(path, f"its header lacks {lacking[0]}")
    generated, logical, whole = (header.index(name) for name in EU_COLUMNS)
    country = [place for place, name in enumerate(header) if name.endswith("CountryIso2Code")]
    names: dict[str, list[str]] = {}
    countries: dict[str, list[str]] = {}
    published: date | None = None
    for number, row in lines:
        if len(row) < len(header):
            _wrong(path, f"line {number} has {len(row)} fields, the header has {len(header)}")
        published = published or _day(path, row[generated], "%d/%m/%Y")
        names.setdefault(row[logical], []).append(row[whole])
        countries.setdefault(row[logical], []).extend(row[place] for place in country)
    return ReadList(entries=_entries(path, names, countries), published=published)


def _own(paths: Sequence[Path]) -> ReadList:
    lines = _lines(paths[0])
    _, header = next(lines, (1, []))
    lacking = [name for name in OWN_COLUMNS if name not in header]
    if lacking:
        _wrong(paths[0], f"its header lacks {lacking[0]}; it is id,name,aliases,countries")
    names: dict[str, list[str]] = {}
    countries: dict[str, list[str]] = {}
    for number, row in lines:
        if len(row) != len(header):
            _wrong(paths[0], f"line {number} has {len(row)} fields, the header has {len(header)}")
        cells = dict(zip(header, row, strict=True))
        if cells["id"] in names or not cells["id"]:
            _wrong(paths[0], f'line {number} has the id "{cells["id"]}", which must be there and be there once')
        names[cells["id"]] = [cells["name"], *cells.get("aliases", "").split("|")]
        countries[cells["id"]] = cells.get("countries", "").split("|")
    return ReadList(entries=_entries(paths[0], names, countries), published=None)


def _entries(
    path: Path, names: Mapping[str, Sequence[str]], countries: Mapping[str, Sequence[str]]
) -> tuple[Entry, ...]:
    nameless = next((each for each, found in names.items() if not _names(*found)), None)
    if nameless is not None:
        _wrong(path, f"the entry {nameless} has no name")
    return tuple(
        Entry(id=each, names=_names(*found), countries=_names(*countries.get(each, ())))
        for each, found in names.items()
    )


def _names(*said: str | None) -> tuple[str, ...]:
    """The names that are there, each once, in their order."""
    return tuple(dict.fromkeys(name.strip() for name in said if name is not None and name.strip() not in NOTHING))


def _day(path: Path, text: str, form: str) -> date:
    try:
        return datetime.strptime(text.strip()[:10], form).date()  # noqa: DTZ007  a day, without a zone
    except ValueError:
        _wrong(path, f'"{text}" is not the day it was made')


# XML


def _root(path: Path, name: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root = parse(path, forbid_dtd=True).getroot()
    except ParseError as error:
        _wrong(path, f"its XML breaks off or is damaged at line {error.position[0]}")
    except DefusedXmlException:
        _wrong(path, "its XML defines entities or a document type, which no list needs")
    except (LookupError, ValueError) as error:
        _wrong(path, f"its encoding can't be read ({error})")
    if root is None or _plain(root.tag) != name:
        _wrong(path, f"its first element is not {name}")
    for element in root.iter():
        element.tag = _plain(element.tag)
    return root


def _plain(tag: object) -> str:
    """A tag without its namespace, which the publishers have changed over the years."""
    return str(tag).rpartition("}")[2]


def _ofac_xml(path: Path) -> ReadList:
    root = _root(path, "sdnList")
    day = root.findtext(".//Publish_Date")
    entries = []
    for listed in root.findall("sdnEntry"):
        number = (listed.findtext("uid") or "").strip()
        also = [_full(alias, "firstName", "lastName") for alias in listed.findall("akaList/aka")]
        names = _names(_full(listed, "firstName", "lastName"), *also)
        if not names:
            _wrong(path, f"the entry {number} has no name")
        countries = [each.text or "" for each in listed.iter("country")]
        entries.append(Entry(id=number, names=names, countries=_names(*countries)))
    return ReadList(entries=tuple(entries), published=None if day is None else _day(path, day, "%m/%d/%Y"))


def _eu_xml(path: Path) -> ReadList:
    root = _root(path, "export")
    entries = []
    for listed in root.findall("sanctionEntity"):
        number = listed.get("logicalId", "")
        names = _names(*(alias.get("wholeName") for alias in listed.findall("nameAlias")))
        if not names:
            _wrong(path, f"the entry {number} has no name")
        countries = [each.get("countryIso2Code", "") for tag in ("citizenship", "address") for each in listed.iter(tag)]
        entries.append(Entry(id=number, names=names, countries=_names(*countries)))
    day = root.get("generationDate")
    return ReadList(entries=tuple(entries), published=None if day is None else _day(path, day, "%Y-%m-%d"))


def _un(paths: Sequence[Path]) -> ReadList:
    root = _root(paths[0], "CONSOLIDATED_LIST")
    parts = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
    entries = []
    for kind in ("INDIVIDUAL", "ENTITY"):
        for listed in root.iter(kind):
            number = (listed.findtext("REFERENCE_NUMBER") or listed.findtext("DATAID") or "").strip()
            also = [alias.findtext("ALIAS_NAME") for alias in listed.findall(f"{kind}_ALIAS")]
            names = _names(_full(listed, *parts), listed.findtext("NAME_ORIGINAL_SCRIPT"), *also)
            if not names:
                _wrong(paths[0], f"the entry {number} has no name")
            countries = [each.findtext("VALUE") for each in listed.findall("NATIONALITY")]
            entries.append(Entry(id=number, names=names, countries=_names(*countries)))
    day = root.get("dateGenerated")
    return ReadList(entries=tuple(entries), published=None if day is None else _day(paths[0], day, "%Y-%m-%d"))


def _full(element: Element, *parts: str) -> str:
    """A name that is written in several elements."""
    return " ".join(text for part in parts if (text := (element.findtext(part) or "").strip()))


_READERS: Final[Mapping[str, Callable[[Sequence[Path]], ReadList]]] = {
    "ofac": _ofac, "eu": _eu, "un": _un, "names": _own,
}  # fmt: skip
