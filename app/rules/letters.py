"""An open letter as a document: whom it addresses, what it says, who has signed it, in which order they stand.

`Letter` is all that a page or a PDF of it needs, of one moment. As data it is what a dated edition keeps.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from app.i18n import LOCALES, Locale, as_locale
from app.i18n.collation import collation_key
from app.rules.organisations import KINDS
from app.rules.texts import CampaignText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: How signatories can be ordered; the first is how they are where nobody has chosen.
ARRANGEMENTS: Final = ("as_signed", "alphabetical", "by_country", "by_kind")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter addresses; ``names`` and ``salutations`` by locale, ``locale`` of the letter to it, None: any."""

    names: Mapping[str, str]
    country: str
    salutations: Mapping[str, str] = field(default_factory=dict)
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What stands above a letter beside its addressees, and how its signatories stand; texts by locale."""

    places: Mapping[str, str] = field(default_factory=dict)
    dated_on: date | None = None
    subjects: Mapping[str, str] = field(default_factory=dict)
    arrangement: str = ARRANGEMENTS[0]
    is_numbered: bool = False


def is_usually_numbered(kind: str) -> bool:
    """Tell whether signatories of texts of this kind have numbers where nobody has chosen: under joint statements."""
    return kind == "joint_statement"


class Arranged(Protocol):
    """What can stand in a list of signatories."""

    @property
    def country(self) -> str | None:
        """Its country, ISO 3166-1 alpha-2."""

    @property
    def kind(self) -> str | None:
        """What it is, a word of app/rules/organisations.py."""

    def name_in(self, locale: str) -> tuple[str, str | None]:
        """Return its name for readers of ``locale``, and the language that name is in where that is known."""


T = TypeVar("T", bound=Arranged)


@dataclass(frozen=True, slots=True)
class Signatory:
    """An organisation under a letter; ``names`` by locale beside ``name``; ``edition`` is the text that it signed."""

    name: str
    acronym: str | None = None
    country: str | None = None
    kind: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    edition: int | None = None
    signed_at: str | None = None  # RFC 3339, UTC
    logo: str | None = None  # SHA-256 of its picture

    def name_in(self, locale: str) -> tuple[str, str | None]:
        """Return its name for readers of ``locale``, and the language that name is in where that is known."""
        found = self.names.get(locale)
        return (self.name, None) if found is None else (found, locale)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter at one moment. ``number`` is its dated edition's; None: as it stands at ``signed_as_of``.

    ``organisations`` stand in the order of signing. ``earlier`` are those that signed a text of another substance and
    have not said yes to this one; ``names`` are individuals who allow theirs to be shown, a part of ``individuals``.
    """

    slug: str
    kind: str
    reference: str | None
    source_locale: str
    timezone: str
    organiser: str
    url: str  # the short link
    texts: Mapping[str, CampaignText]
    edition_number: int
    edition_hash: str
    signed_as_of: datetime
    recipients: tuple[Recipient, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    dated_on: date | None = None
    subjects: Mapping[str, str] = field(default_factory=dict)
    arrangement: str = ARRANGEMENTS[0]
    is_numbered: bool = False
    organisations: tuple[Signatory, ...] = ()
    earlier: tuple[Signatory, ...] = ()
    takes_individuals: bool = False
    individuals: int = 0
    paper: int = 0  # signatures in ink, which are counted apart
    names: tuple[str, ...] = ()
    number: int | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON data, without names of individuals: what never changes must not hold what may be hidden."""
        data = asdict(replace(self, texts={}, names=()))
        del data["names"], data["number"]
        return {
            **data,
            "texts": {locale: text.as_data() for locale, text in self.texts.items()},
            "signed_as_of": self.signed_as_of.isoformat(),
            "dated_on": None if self.dated_on is None else self.dated_on.isoformat(),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], *, number: int | None = None) -> Letter:
        """Return the letter that `as_data` wrote, as the dated edition of ``number``."""
        dated_on = data["dated_on"]
        values = {
            **data,
            "texts": {locale: CampaignText.from_data(text) for locale, text in data["texts"].items()},
            "signed_as_of": datetime.fromisoformat(data["signed_as_of"]),
            "dated_on": None if dated_on is None else date.fromisoformat(dated_on),
            "recipients": tuple(Recipient(**each) for each in data["recipients"]),
            "organisations": tuple(Signatory(**each) for each in data["organisations"]),
            "earlier": tuple(Signatory(**each) for each in data["earlier"]),
            "number": number,
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A signatory in its place; ``number`` counts through all groups, None where they are not numbered."""

    signatory: T
    number: int | None


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """Signatories that stand together; ``heading`` is a country's code or a kind's word, None where there is but one.

    An empty heading stands over those that said neither.
    """

    heading: str | None
    signatories: tuple[Listed[T], ...]


def arrange(
    signatories: Sequence[T],
    *,
    arrangement: str,
    is_numbered: bool,
    locale: str,
    country_names: Mapping[str, str],
) -> tuple[Group[T], ...]:
    """Return signatories, given in the order of signing, as they stand for readers of ``locale``.

    ``country_names`` are by code, in that language. Countries are in the order of their names, kinds in the form's, and
    those that said neither come last.
    """
    reader = as_locale(locale)
    groups = [
        (heading, sorted(members, key=lambda each: _name_key(each, reader)) if arrangement != "as_signed" else members)
        for heading, members in _group(signatories, arrangement, reader, country_names)
    ]
    number, arranged = 0, []
    for heading, members in groups:
        listed = tuple(Listed(each, number + place if is_numbered else None) for place, each in enumerate(members, 1))
        number += len(members)
        arranged.append(Group(heading, listed))
    return tuple(arranged)


def shorten(groups: Sequence[Group[T]], most: int) -> tuple[tuple[Group[T], ...], int]:
    """Return the first ``most`` signatories of arranged groups, as they stand in these, and how many are beyond."""
    shown, room = [], most
    for group in groups:
        if room > 0:
            shown.append(Group(group.heading, group.signatories[:room]))
        room -= len(group.signatories)
    return tuple(shown), max(-room, 0)


def content_hash(data: Mapping[str, Any]) -> str:
    """Return what names the content of a dated edition: SHA-256, in hexadecimal, of its canonical JSON."""
    canonical = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def languages_of(letter: Letter, recipient: Recipient | None = None) -> tuple[Locale, ...]:
    """Return the languages that a letter exists in: the recipient's own, else all that it was written in."""
    written = tuple(locale for locale in LOCALES if locale in letter.texts)
    if recipient is not None and recipient.locale in written:
        return (as_locale(recipient.locale),)
    return written


def _group(
    signatories: Sequence[T], arrangement: str, locale: Locale, country_names: Mapping[str, str]
) -> list[tuple[str | None, list[T]]]:
    if not signatories:
        return []
    if arrangement not in {"by_country", "by_kind"}:
        return [(None, list(signatories))]
    found: dict[str, list[T]] = {}
    for each in signatories:
        heading = (each.country if arrangement == "by_country" else each.kind) or ""
        found.setdefault(heading, []).append(each)
    kinds = list(KINDS)

    def order(heading: str) -> tuple[bool, bytes | int]:
        if arrangement == "by_kind":
            return (not heading, kinds.index(heading) if heading in kinds else len(kinds))
        return (not heading, collation_key(country_names.get(heading, heading), locale))

    return [(heading, found[heading]) for heading in sorted(found, key=order)]


def _name_key(signatory: Arranged, locale: Locale) -> bytes:
    return collation_key(signatory.name_in(locale)[0], locale)
