"""Lists of federal districts for tests: a few that there are, or as many as Canada has, invented."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from app.actions.districts import load_districts
from app.core.clock import utc_now
from app.rules.districts import FederalDistrict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.stage import Stage

FEW: Final = (
    FederalDistrict("59008", {"en": "Coquitlam—Port Coquitlam", "fr": "Coquitlam—Port Coquitlam"}, "CA-BC"),
    FederalDistrict("59035", {"en": "Vancouver East", "fr": "Vancouver-Est"}, "CA-BC"),
    FederalDistrict("35109", {"en": "Toronto Centre", "fr": "Toronto-Centre"}, "CA-ON"),
)
#: Of the representation order of 2023: 343 in all.
SEATS: Final = {
    "CA-NL": ("10", 7), "CA-PE": ("11", 4), "CA-NS": ("12", 11), "CA-NB": ("13", 10), "CA-QC": ("24", 78),
    "CA-ON": ("35", 122), "CA-MB": ("46", 14), "CA-SK": ("47", 14), "CA-AB": ("48", 37), "CA-BC": ("59", 43),
    "CA-YT": ("60", 1), "CA-NT": ("61", 1), "CA-NU": ("62", 1),
}  # fmt: skip
_SYLLABLES: Final = """
    bar bel berg bran by cal can char clair cot dale de den dor du ford fort gar gate ham hill is ka ken king la
    lake lan lau lin lon ma mar mer mis mont na nor o ot pa park pel pen pier port que ra rich ri rose sag saint sas
    shore ster ston sur ta ter ton tor val van ver vier view ville wa west win wood york
""".split()  # noqa: SIM905 - a list would take a line for each


def as_many_as_canada_has() -> tuple[FederalDistrict, ...]:
    """Return 343 districts with invented names, as long as those of the list (22 letters on average)."""
    dice = random.Random(343)

    def part() -> str:
        return "".join(dice.choices(_SYLLABLES, k=dice.choice((2, 3)))).capitalize()

    def name() -> str:
        return dice.choice(("—", "—", " ")).join(part() for _ in range(dice.choice((2, 2, 3))))

    found = []
    for province, (number, seats) in SEATS.items():
        for place in range(1, seats + 1):
            english = name()
            french = english if dice.random() < 0.8 else f"{english}-Est"
            found.append(FederalDistrict(f"{number}{place:03}", {"en": english, "fr": french}, province))
    return tuple(found)


def offer(stage: Stage, districts: Sequence[FederalDistrict] = FEW) -> None:
    """Load a list, and let the pages of this process have it at once."""
    stage.write(load_districts, districts=districts, now=utc_now())
    stage.house.districts.forget()
