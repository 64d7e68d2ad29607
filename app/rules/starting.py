"""Starting a campaign: templates, plain rules of who may sign, and what may still be changed in which state.

Templates and rules are data. The House of Commons' sentences are those of its own petition form (product.md, "Facts
that bind us"); in Khmer they follow the glossary, since the House has none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.rules.eligibility import (
    AllOf,
    AnyOf,
    Anyone,
    CitizenOf,
    IsOrganisation,
    PermanentResidentOf,
    ResidentOf,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from app.rules.eligibility import Rule

#: Signatures after which the House takes an e-petition, and people who must support one before it is published.
HOUSE_THRESHOLD: Final = 500
HOUSE_SUPPORTERS: Final = 5
MOST_SUPPORTERS: Final = 100
#: The zones that a list offers; whatever a campaign has is added to them.
ZONES: Final = (
    "America/St_Johns",
    "America/Halifax",
    "America/Toronto",
    "America/Winnipeg",
    "America/Regina",
    "America/Edmonton",
    "America/Vancouver",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Paris",
    "Asia/Phnom_Penh",
    "Australia/Perth",
    "Australia/Adelaide",
    "Australia/Brisbane",
    "Australia/Sydney",
    "Pacific/Auckland",
)


# Templates


@dataclass(frozen=True, slots=True)
class KnownAddressee:
    """An addressee that many campaigns have, with the words that a declaration calls upon it in."""

    names: Mapping[str, str]
    country: str
    called: Mapping[str, str]


KNOWN_ADDRESSEES: Final[Mapping[str, KnownAddressee]] = {
    "house": KnownAddressee(
        names={
            "en": "House of Commons of Canada",
            "fr": "Chambre des communes du Canada",
            "km": "រដ្ឋសភាកាណាដា (House of Commons)",
        },
        country="CA",
        called={"en": "the House of Commons", "fr": "la Chambre des communes", "km": "រដ្ឋសភាកាណាដា"},
    ),
    "government": KnownAddressee(
        names={"en": "Government of Canada", "fr": "Gouvernement du Canada", "km": "រដ្ឋាភិបាលកាណាដា"},
        country="CA",
        called={"en": "the Government of Canada", "fr": "le gouvernement du Canada", "km": "រដ្ឋាភិបាលកាណាដា"},
    ),
}
_NOBODY_YET: Final = dict.fromkeys(("en", "fr", "km"), "…")


@dataclass(frozen=True, slots=True)
class Template:
    """What a campaign starts with. ``items`` are the empty boxes of its lists, by kind."""

    kind: str
    form: str
    items: Mapping[str, int]
    declaration: Mapping[str, str]  # %(addressee)s stands for who is called upon
    supporters_needed: int = 0
    threshold: int | None = None
    is_addressed: bool = True

    def declarations(self, known: str | None) -> dict[str, str]:
        """Return the declaration by language, with a known addressee, or a gap to fill in."""
        called = _NOBODY_YET if known is None else KNOWN_ADDRESSEES[known].called
        return {locale: text % {"addressee": called[locale]} for locale, text in self.declaration.items()}


TEMPLATES: Final[Mapping[str, Template]] = {
    "commons": Template(
        kind="petition",
        form="commons",
        items={"recital": 2, "request": 1},
        declaration={
            "en": "We, the undersigned, citizens and residents of Canada, call upon %(addressee)s to:",
            "fr": "Nous, soussignés, citoyens et résidents du Canada, prions %(addressee)s de\u00a0:",
            "km": ("ពួកយើងខ្ញុំ ជាពលរដ្ឋ និងអ្នករស់នៅក្នុងប្រទេសកាណាដា ដែលបានចុះហត្ថលេខាខាងក្រោម សូមអំពាវនាវដល់%(addressee)s ដើម្បី៖"),
        },
        supporters_needed=HOUSE_SUPPORTERS,
        threshold=HOUSE_THRESHOLD,
    ),
    "state": Template(
        kind="petition",
        form="free",
        items={"recital": 2, "request": 1},
        declaration={
            "en": "We, the undersigned, call upon %(addressee)s to:",
            "fr": "Nous, les personnes soussignées, prions %(addressee)s de\u00a0:",
            "km": "ពួកយើងខ្ញុំ ដែលបានចុះហត្ថលេខាខាងក្រោម សូមអំពាវនាវដល់%(addressee)s ដើម្បី៖",
        },
    ),
    "letter": Template(kind="open_letter", form="free", items={}, declaration={}),
    "statement": Template(kind="joint_statement", form="free", items={}, declaration={}, is_addressed=False),
}


# Who may sign


@dataclass(frozen=True, slots=True)
class Preset:
    """A rule that most campaigns have. ``make`` takes the countries that were chosen, where it ``has_countries``."""

    make: Callable[[Sequence[str]], Rule]
    has_countries: bool = False
    is_for_organisations: bool = False


PRESETS: Final[Mapping[str, Preset]] = {
    "anyone": Preset(lambda _: Anyone()),
    "house": Preset(lambda _: AnyOf((ResidentOf(("CA",)), CitizenOf(("CA",))))),
    "canadians": Preset(lambda _: AnyOf((CitizenOf(("CA",)), PermanentResidentOf(("CA",))))),
    "cambodians": Preset(lambda _: AllOf((CitizenOf(("KH",)), ResidentOf(("CA", "US"))))),
    "residents": Preset(lambda countries: ResidentOf(tuple(countries)), has_countries=True),
    "organisations": Preset(lambda _: IsOrganisation(), is_for_organisations=True),
}


# What may be changed when

#: Every setting, in the order in which they are shown.
FIELDS: Final = (
    "slug",
    "kind",
    "form",
    "reference",
    "organiser_name",
    "organiser_email",
    "promised_locales",
    "supporters_needed",
    "addressees",
    "signatories",
    "eligibility",
    "people_per_mailbox",
    "asks",
    "closing",
    "timezone",
    "thresholds",
    "new_threshold",
)
_PUBLIC_FIELDS: Final = frozenset({"reference", "organiser_name", "organiser_email"})
_CHANGEABLE: Final[Mapping[str, frozenset[str]]] = {
    "draft": frozenset(FIELDS),
    # What signers were told stays. A number that is added later is one more promise, and must lie above the count.
    "scheduled": _PUBLIC_FIELDS | {"new_threshold"},
    "open": _PUBLIC_FIELDS | {"new_threshold"},
    # An official number, a team and its address outlive signing.
    "closed": _PUBLIC_FIELDS,
    "presented": _PUBLIC_FIELDS,
    "answered": _PUBLIC_FIELDS,
}


def changeable_fields(state: str) -> frozenset[str]:
    """Return which settings may be changed while a campaign is in ``state``.

    In review nothing moves under the eyes of those who check it; a campaign that was refused or stopped is set up no
    more. Dates of a published campaign are moved by steps of their own, which are on record.
    """
    return _CHANGEABLE.get(state, frozenset())


def states_to_change(field: str) -> tuple[str, ...]:
    """Return the states in which ``field`` may be changed, for a guarded update."""
    return tuple(state for state, fields in _CHANGEABLE.items() if field in fields)


# Addresses

SLUG_LIMIT: Final = 64
_SHORTEST_SLUG: Final = 3
_NOT_IN_SLUGS: Final = re.compile(r"[^a-z0-9]+")
_LETTERS_OF_THEIR_OWN: Final = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "đ": "d", "ł": "l"})
_ROOM_FOR_A_NUMBER: Final = 8
_MOST_NUMBERED: Final = 20


def slug_of(title: str) -> str:
    """Return a title as an address in small Latin letters; empty where it has too few of them.

    It is cut between words, so that a number still fits behind it.
    """
    plain = unicodedata.normalize("NFKD", title.lower().translate(_LETTERS_OF_THEIR_OWN))
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    slug = _NOT_IN_SLUGS.sub("-", bare.replace("'", "").replace("’", "")).strip("-")
    limit = SLUG_LIMIT - _ROOM_FOR_A_NUMBER
    if len(slug) > limit:
        slug = slug[: limit + 1].rpartition("-")[0] or slug[:limit]
    return slug if len(slug) >= _SHORTEST_SLUG and any(character.isalpha() for character in slug) else ""


def free_slug(wanted: Iterable[str], is_taken: Callable[[str], bool], fallback: str) -> str:
    """Return the first of the ``wanted`` addresses, with a number where it is taken; else ``fallback``."""
    slug = next((one for one in wanted if one), fallback)
    base = slug[: SLUG_LIMIT - _ROOM_FOR_A_NUMBER].strip("-") or fallback  # hyphens alone leave nothing to number
    numbered = (f"{base}-{number}" for number in range(2, _MOST_NUMBERED))
    return next((one for one in (slug, *numbered) if not is_taken(one)), fallback)
