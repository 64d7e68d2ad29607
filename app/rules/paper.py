"""Sheets signed in ink: what may be typed of a line, which lines are typed twice, and which count.

A line is a name and, where the sheet has one, a postal code. It is compared with lines of other sheets alone: what is
typed costs nothing, and whoever types shall not learn from it who signed online (docs/decisions/0022-paper.md).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.rules.khmer import to_latin_digits
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import Refused, clean_line, clean_name, name_key
from app.rules.postal import clean_postal_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

KINDS: Final = ("commons", "free")
WAYS: Final = ("entered", "counted")
#: Lines of a sheet. A form has a limit of fields (app/web/forms.py), and each line has two.
LINES: Final = 25
MOST_SHEETS: Final = 200
MOST_STATED: Final = 100_000
PLACE_LIMIT: Final = 200
RETURN_LIMIT: Final = 1000
CODE_LIMIT: Final = 20
#: Every so many lines one is typed a second time by somebody else; 0: none.
SAMPLES: Final = (10, 5, 20, 0)
#: Why a batch is removed: words, since what is typed might name somebody.
REASONS: Final = ("mistake", "twice", "invalid", "asked")
#: While a campaign is in one of these, sheets can be registered.
PAPER_STATES: Final = PUBLIC_STATES - {"stopped"}

#: What is typed as a name where nobody's is to count: unreadable, struck out, without what the sheet asks for.
_VOID: Final = frozenset({"-", "\u2013", "\u2014", "\u2212"})
_WRONG_CODE: Final = message("Enter the postal code as it is on the sheet, like V3B 1A1, or leave it empty")
_NAME_MISSING: Final = message("Enter the name, or a hyphen where it cannot be read")

Place = tuple[int, int]  # a sheet and a line of it, both from 1


@dataclass(frozen=True, slots=True)
class Registered:
    """What is said of a batch as it comes in: how many sheets, from where, with how many signatures by their count."""

    kind: str
    way: str
    edition_number: int | None
    collected_on: date | None
    place: str
    sheets: int
    stated: int
    sample: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody read on a line. Without a name it is a line that does not count."""

    name: str | None
    postal_code: str = ""


def read_line(name: str, postal_code: str) -> Reading | None:
    """Return what was typed of a line, None where nothing was. Raises Refused."""
    typed = clean_line(name, limit=10 * CODE_LIMIT)
    code = clean_code(postal_code)
    if typed in _VOID:
        return Reading(None)
    if not typed and not code:
        return None
    if not typed:
        raise Refused(_NAME_MISSING)
    return Reading(clean_name(typed), code)


def clean_code(raw: str) -> str:
    """Return a postal code as Canada or the United States write it, else as it was typed. May be empty.

    A sheet names no country of its own on each line, and codes are compared without spaces and case.
    Raises Refused where it can be no postal code.
    """
    code = unicodedata.normalize("NFKC", to_latin_digits(clean_line(raw, limit=CODE_LIMIT))).upper()
    if not code:
        return ""
    for country in ("CA", "US"):
        try:
            return clean_postal_code(code, country)
        except Refused:
            continue
    is_plausible = code.isascii() and all(each.isalnum() or each in " -" for each in code)
    if not is_plausible or not any(each.isdigit() for each in code) or len(code) > CODE_LIMIT // 2:
        raise Refused(_WRONG_CODE)
    return code


def person_key(reading: Reading) -> str:
    """Return what a line is compared by: what finds one person's forms online, too, where a postal code is asked."""
    return name_key(reading.name or "", reading.postal_code)


def choose_sample(places: Iterable[Place], every: int) -> list[Place]:
    """Return which of the lines that were typed are to be typed again: one in ``every``, and one at least."""
    ordered = sorted(places)
    if not every or not ordered:
        return []
    return ordered[every - 1 :: every] or ordered[-1:]


def judge_lines(people: Mapping[Place, bytes | None], *, elsewhere: Collection[bytes]) -> dict[Place, str]:
    """Return what each line is: counted, repeated or invalid. The first of a person's lines is the one that counts.

    ``people`` are those on the lines, None where a line is not to count; ``elsewhere`` those whom other batches count.
    """
    verdicts: dict[Place, str] = {}
    seen: set[bytes] = set()
    for place, person in sorted(people.items()):
        if person is None:
            verdicts[place] = "invalid"
        elif person in seen or person in elsewhere:
            verdicts[place] = "repeated"
        else:
            verdicts[place] = "counted"
            seen.add(person)
    return verdicts
