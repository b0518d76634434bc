"""Made names for screening: listed parties with aliases, clean customers, and variants of listed names by kind.

Nobody real is meant: given names are common ones in their usual spellings, family names and companies are put together
of syllables. The same seed gives the same names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from interoffice.screening.lists import Entry

GIVEN = [
    "Mohammed Muhammad Mohamed Mohammad", "Yusuf Yousef Youssef Yousuf", "Ahmed Ahmad Achmed",
    "Hussein Husayn Hossein", "Abdulrahman Abdurrahman Abdelrahman", "Khalid Khaled Chalid", "Omar Umar Oumar",
    "Said Saeed Sayeed", "Ibrahim Ebrahim Ibraheem", "Mustafa Mustapha Moustafa", "Vladimir Wladimir Vladimyr",
    "Sergei Sergey Serguei", "Aleksandr Alexander Aleksander", "Dmitri Dmitry Dimitri", "Yuri Yury Juri",
    "Yevgeny Evgeny Jewgeni", "Mikhail Michail Mikhael", "Nikolai Nikolay Nicolai", "Igor Ihor Igar",
    "Oleg Oleh Olek", "Natalia Natalya Nathalia", "Carlos Karlos Carlo", "Jose Josef Yose", "Miguel Migel Michel",
    "Fernando Fernand Hernando", "Pedro Petro Pedru", "Jean Jehan Jeane", "Pierre Piere Pier", "Hans Hannes Hanns",
    "Heinrich Henrich Heinric", "Giorgos Georgios Yiorgos", "Dimitrios Demetrios Dimitris", "Mariam Maryam Miriam",
    "Fatima Fatma Fatimah", "Aisha Ayesha Aicha", "Zainab Zaynab Zeinab", "Rashid Rasheed Rachid",
    "Jamal Gamal Djamal", "Karim Kareem Kerim", "Hamid Hameed Hamed",
]  # fmt: skip
"""Given names, each with spellings of the same name."""
_STARTS = "Kor Vas Mal Bel Tar Zar Pol Gor Sid Nam Rah Fal Qad Has Lum Ost Kra Dob Ser Mir Tul Bar Gen Hol Jan"
_MIDDLES = "a o u i e ova ina ara eri omi udi ali ena isa oro ula"
_ENDS = "kov nin shvili dze wani ri mann berg son ez ini escu vic sky ov ev nko ian adi awi ullah"
_TRADES = "Trading Shipping Petroleum Metals Holding Logistics Electronics Chemicals Aviation Bank"
_FORMS = "LLC Ltd GmbH JSC S.A. Co. Inc. PJSC"
STARTS, MIDDLES, ENDS = _STARTS.split(), _MIDDLES.split(), _ENDS.split()
TRADES, FORMS = _TRADES.split(), _FORMS.split()
ACCENTS = str.maketrans("aeiouncsz", "áéíöüñčšž")
CYRILLIC = {
    "shch": "щ", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "х", "ts": "ц", "ya": "я", "yu": "ю", "a": "а",
    "b": "б", "c": "к", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и", "j": "й",
    "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р", "s": "с",
    "t": "т", "u": "у", "v": "в", "w": "в", "x": "кс", "y": "й", "z": "з",
}  # fmt: skip

Variant = Callable[[random.Random, str], str]


def family(rng: random.Random) -> str:
    """A made family name."""
    return rng.choice(STARTS) + rng.choice(MIDDLES) + rng.choice(("", "l", "r", "n", "t", "sh", "d")) + rng.choice(ENDS)


def person(rng: random.Random) -> str:
    """Two or three words, as lists have them."""
    given = rng.choice(GIVEN).split()[0]
    middle = [rng.choice(GIVEN).split()[0]] if rng.random() < 0.5 else []
    return " ".join([given, *middle, family(rng)])


def company(rng: random.Random) -> str:
    """A made company with its legal form."""
    return f"{family(rng)} {rng.choice(TRADES)} {rng.choice(FORMS)}"


def listed(count: int, seed: int = 1) -> list[Entry]:
    """Listed parties, three in four of them persons, with two other names each."""
    rng = random.Random(seed)
    entries = []
    for number in range(count):
        make = person if rng.random() < 0.75 else company
        name = make(rng)
        aliases = [spelling(rng, name), make(rng)] if make is person else [other_form(rng, name), make(rng)]
        entries.append(Entry(id=str(number), names=tuple(dict.fromkeys([name, *aliases]))))
    return entries


def clean(count: int, seed: int = 2) -> list[str]:
    """Names made like the listed ones, of parties that are not listed."""
    rng = random.Random(seed)
    return [person(rng) if rng.random() < 0.75 else company(rng) for _ in range(count)]


# kinds of variants


def order(rng: random.Random, name: str) -> str:
    """The family name first, with a comma."""
    *front, last = name.split()
    return f"{last.upper()}, {' '.join(front)}"


def one_typo(rng: random.Random, name: str) -> str:
    """One letter dropped, doubled, changed or swapped with its neighbour."""
    place = rng.randrange(1, len(name) - 2)
    kind = rng.randrange(4)
    if kind == 0:
        return name[:place] + name[place + 1 :]
    if kind == 1:
        return name[:place] + name[place] + name[place:]
    if kind == 2:
        return name[:place] + rng.choice("aeiourstln") + name[place + 1 :]
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def two_typos(rng: random.Random, name: str) -> str:
    """Two of them."""
    return one_typo(rng, one_typo(rng, name))


def accents(rng: random.Random, name: str) -> str:
    """Letters with accents, as another keyboard writes them."""
    return name.translate(ACCENTS)


def spelling(rng: random.Random, name: str) -> str:
    """Given names in another usual spelling."""
    words = []
    for word in name.split():
        known = next((group.split() for group in GIVEN if word in group.split()), [word])
        words.append(rng.choice(known[1:] or known))
    return " ".join(words)


def middle_left_out(rng: random.Random, name: str) -> str:
    """Without the middle name."""
    first, *_, last = name.split()
    return f"{first} {last}"


def initial(rng: random.Random, name: str) -> str:
    """The middle name by its first letter."""
    first, *middle, last = name.split()
    return " ".join([first, *(f"{word[0]}." for word in middle), last])


def script(rng: random.Random, name: str) -> str:
    """In Cyrillic letters."""
    rest, out = name.lower(), ""
    while rest:
        size = next((size for size in (4, 2, 1) if rest[:size] in CYRILLIC), 0)
        out, rest = out + (CYRILLIC[rest[:size]] if size else rest[0]), rest[max(size, 1) :]
    return out.title()


def joined(rng: random.Random, name: str) -> str:
    """Two of its words written as one."""
    first, second, *others = name.split()
    return " ".join([first + second.lower(), *others])


def other_form(rng: random.Random, name: str) -> str:
    """A company with another legal form."""
    return " ".join([*name.split()[:-1], rng.choice(FORMS)])


PERSONS: Mapping[str, Variant] = {
    "word order": order, "one typing mistake": one_typo, "two typing mistakes": two_typos, "accents": accents,
    "other spelling of given names": spelling, "middle name left out": middle_left_out,
    "middle name as initial": initial, "Cyrillic letters": script, "two words as one": joined,
}  # fmt: skip
COMPANIES: Mapping[str, Variant] = {"other legal form": other_form, "one typing mistake": one_typo}
