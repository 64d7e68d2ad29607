"""Who signs: invented people, honest or not, with names, mailboxes and addresses as such people have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from random import Random
    from uuid import UUID

#: Family names and given names, the family's first where people write it so.
_KHMER: Final = (
    "សុខ ចាន់ ហេង លី កែវ នួន ម៉ៅ សៀង ប៊ុន ឈឹម ទេព អ៊ុក ពេជ្រ សោម ស៊ន ខៀវ ជា យិន រស់ មាស",
    "សុភា ដារា វណ្ណា សុជាតា បូផា រតនា វិចិត្រ ស្រីមុំ ពិសិដ្ឋ កញ្ញា មករា ធារី បញ្ញា រស្មី សំណាង វាសនា ចន្ថា នារី ភារុណ សុវណ្ណ",
)
_ROMANISED: Final = (
    "Sok Chan Heng Ly Keo Nuon Mao Seang Bun Chhim Tep Ouk Pech Som Sun Khiev Chea Yin Ros Meas",
    "Sophea Dara Vanna Socheata Bopha Ratana Vichet Sreymom Piseth Kanha Makara Theary Panha Raksmey Samnang Veasna",
)
_FRENCH: Final = (
    "Tremblay Gagnon Roy Côté Bouchard Gauthier Morin Lavoie Fortin Gagné Ouellet Pelletier Bélanger Lévesque Bergeron",
    "Marie Jean Luc Hélène Étienne Sophie Benoît Chantal Pierre Élise Mathieu Nathalie Alain Geneviève Yves Isabelle",
)
_ENGLISH: Final = (
    "Smith Brown Wilson Taylor Campbell Anderson Martin Thompson White Clark Wright Walker Young Scott Green Baker",
    "John Mary Robert Linda David Susan Michael Karen James Nancy Andrew Helen Peter Laura Thomas Emma",
)
_LARGE: Final = ("gmail.com", "yahoo.com", "outlook.com", "hotmail.fr", "orange.fr")
_PROVINCES: Final = {"BC": "V", "AB": "T", "ON": "MLKNP", "QC": "HGJ", "MB": "R", "NS": "B"}
_LETTERS: Final = "ABCEGHJKLMNPRSTVXY"


@dataclass(eq=False, slots=True)
class Person:
    """Somebody who signs, what they do, and what became of it."""

    name: str
    email: str
    address: str
    locale: str
    place: dict[str, str]
    comes_at: datetime
    types_for: timedelta
    confirms_after: timedelta
    confirms_at: datetime | None = None  # not before
    is_attacker: bool = False
    is_of_hall: bool = False
    has_script: bool = True
    obeys: bool = True  # waits and presses again, where that is asked for
    extra: dict[str, str] = field(default_factory=dict)  # of a program: other fields; an empty one is left out
    # What became of it.
    posts: int = 0
    asked: int = 0
    waited: timedelta | None = None  # from the first press to the page that says to look into the mailbox
    is_confirmed: bool = False
    signature_id: UUID | None = None


def name_of(random: Random, locale: str) -> str:
    """Return a name as people of that language have."""
    if locale == "km":
        families, given = _KHMER if random.random() < 0.7 else _ROMANISED
        return f"{random.choice(families.split())} {random.choice(given.split())}"
    families, given = _FRENCH if locale == "fr" else _ENGLISH
    if random.random() < 0.3:
        families, given = _ROMANISED
    middle = f" {random.choice('ABCDEGHJLMPRST')}." if random.random() < 0.2 else ""
    return f"{random.choice(given.split())}{middle} {random.choice(families.split())}"


def mailboxes(small: int) -> tuple[list[str], list[int]]:
    """Return mail domains and how often each is found: large providers' for three of five, and ``small`` others."""
    others = [f"mail{number}.example" for number in range(small)]
    weights = [40, 8, 5, 4, 3] if small else [60, 16, 10, 8, 6]
    return [*_LARGE, *others], [each * max(small, 1) for each in weights] + [40] * small


def place_of_living(random: Random, *, is_abroad: bool = False) -> dict[str, str]:
    """Return the fields that say where somebody lives; Canada, or abroad."""
    if is_abroad:
        country = random.choice(("FR", "AU", "KH", "NZ"))
        places = {"FR": ("", f"75{random.randrange(1, 21):03}"), "NZ": ("", f"{random.randrange(1000, 9000)}")}
        _, code = places.get(country, ("", ""))
        if country == "AU":
            return {"country": "US", "subdivision": "US-WA", "postal_code": f"981{random.randrange(10, 99)}"}
        return {"country": country, "postal_code": code}
    province = random.choice(tuple(_PROVINCES))
    start = random.choice(_PROVINCES[province])

    def digit() -> int:
        return random.randrange(1, 10)

    def letter() -> str:
        return random.choice(_LETTERS)

    code = f"{start}{digit()}{letter()} {digit()}{letter()}{digit()}"
    return {"country": "CA", "subdivision": f"CA-{province}", "postal_code": code}


def home_address(random: Random) -> str:
    """Return an address as homes and telephones have: every third is of IPv6."""
    if random.random() < 1 / 3:
        return (
            f"2607:fea8:{random.randrange(1, 0xFFFF):x}:{random.randrange(1, 0xFFFF):x}::{random.randrange(1, 999):x}"
        )
    first = random.choice((24, 70, 72, 76, 82, 99, 104, 142, 174, 184))
    return f"{first}.{random.randrange(1, 250)}.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
