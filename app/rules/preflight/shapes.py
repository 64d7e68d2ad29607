"""What the pre-flight is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from app.i18n import Locale, Message, message, say
from app.i18n.formats import format_date, format_number
from app.rules.drafts import take_apart
from app.rules.eligibility import Anyone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from app.rules.eligibility import Rule
    from app.rules.texts import CampaignText


ANYONE: Final = Anyone()


class Body(StrEnum):
    """Whose form a finding is about."""

    COMMONS_E = "commons_e"  # the House of Commons' e-petitions
    COMMONS_PAPER = "commons_paper"
    PLATFORM = "platform"


class Severity(StrEnum):
    """What follows from a finding."""

    BLOCKS = "blocks"  # not published before it is mended
    REFUSES = "refuses"  # the body named would refuse it; the platform does not
    ADVISES = "advises"


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """One box of the text. ``kind`` and ``position`` are its item's, None for a part that a text has once."""

    name: str
    locale: str
    text: str
    is_ready: bool = True
    is_behind: bool = False  # the source has changed since it was last made ready
    kind: str | None = None
    position: int | None = None
    item_id: UUID | None = None

    @property
    def item(self) -> UUID | int | None:
        """What tells this part's item from the others."""
        return self.item_id if self.item_id is not None else self.position


_ORDER: Final = ("title", "salutation", "recital", "declaration", "request", "body", "closing", "call_to_sign", "faq")


def reading_order(part: CheckedPart) -> tuple[int, int, str, str]:
    """Return what parts are sorted by, as a reader meets them."""
    name = part.kind or part.name
    place = _ORDER.index(name) if name in _ORDER else len(_ORDER)
    return place, part.position or 0, part.name, part.locale


@dataclass(frozen=True, slots=True)
class CheckedAddressee:
    """Whom it speaks to."""

    names: Mapping[str, str]
    country: str


@dataclass(frozen=True, slots=True)
class CheckedThreshold:
    """What is promised at a count."""

    signatures: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpenCampaign:
    """Another campaign that is open for signature."""

    slug: str
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckInput:
    """A campaign as the pre-flight sees it; ``today`` is the day in the campaign's own zone.

    ``form`` is ``commons`` or ``free``. Either both dates say how long it is open, or ``open_for`` days do.
    """

    kind: str
    form: str
    source_locale: str
    promised_locales: tuple[str, ...]
    parts: tuple[CheckedPart, ...]
    today: date
    addressees: tuple[CheckedAddressee, ...] = ()
    thresholds: tuple[CheckedThreshold, ...] = ()
    eligibility: Rule = ANYONE
    signatories: str = "individuals"
    opens_on: date | None = None
    closes_on: date | None = None
    open_for: int | None = None
    embargo_on: date | None = None  # the day on which an embargo ends
    is_embargo_past: bool = False
    supporters_needed: int = 0
    supporters_confirmed: int = 0
    sponsor_state: str | None = None  # as in the table of sponsors; None where nobody was ever named
    sponsor_tries: int = 0
    open_campaigns: tuple[OpenCampaign, ...] = ()

    @property
    def is_for_the_house(self) -> bool:
        """Whether its text is held against the House of Commons' forms."""
        return self.form == "commons" and self.kind == "petition"


def parts_of(texts: Mapping[str, CampaignText]) -> tuple[CheckedPart, ...]:
    """Return the parts of finished texts, such as a file's or an edition's: all of them ready."""
    return tuple(
        CheckedPart(part.name, part.locale, part.text, kind=part.kind, position=part.position)
        for part in take_apart(texts)
    )


class Sentence(Message):
    """A message whose numbers, days and inner messages are spoken in the reader's language, too."""

    __slots__ = ()

    def say(self, locale: Locale) -> str:
        """Return the sentence in ``locale``."""
        return say(locale, self.sentence, **{name: _spoken(value, locale) for name, value in self.values.items()})


def sentence(said: Message) -> Sentence:
    """Return a message that speaks its numbers."""
    return Sentence(said.sentence, said.values)


def _spoken(value: object, locale: Locale) -> object:
    if isinstance(value, int):
        return format_number(value, locale)
    return format_date(value, locale) if isinstance(value, date) else value


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule stands written."""

    name: Message
    url: str | None = None


#: The tabs of the workspace that a place may be on, with what stands there.
TEXT: Final = "text"
_LABELS: Final[Mapping[str, Message]] = {
    "title": message("Title"),
    "salutation": message("Salutation"),
    "recital": message("Recital"),
    "declaration": message("Declaration"),
    "request": message("Request"),
    "body": message("Body of the text"),
    "closing": message("Closing words"),
    "call_to_sign": message("Call to sign"),
    "question": message("Question"),
    "answer": message("Answer"),
    "how_to_sign": message("Step of signing"),
    "text": message("Whole text"),
    "languages": message("Promised languages"),
    "addressee": message("Addressee"),
    "eligibility": message("Who can sign"),
    "dates": message("Dates"),
    "embargo": message("End of the embargo"),
    "threshold": message("Threshold"),
    "supporters": message("Supporters"),
    "sponsor": message("Sponsor"),
}
_LANGUAGES: Final[Mapping[str, str]] = {"km": "ខ្មែរ", "en": "English", "fr": "Français"}


@dataclass(frozen=True, slots=True)
class Place:
    """What a finding is about: a box of the text, or something on another tab (``page``)."""

    name: str
    locale: str = ""
    number: int = 0  # of an item in its list, from 1
    item: UUID | int | None = None
    page: str = TEXT

    @property
    def anchor(self) -> str:
        """The id of the box on the text's page; empty where the place is no box."""
        if self.page != TEXT or self.name not in _BOXES:
            return ""
        return "-".join(str(each) for each in ("part", self.item, self.name, self.locale) if each is not None)

    @property
    def path(self) -> str:
        """The address after the campaign's."""
        return f"/{self.page}#{self.anchor}" if self.anchor else f"/{self.page}"

    def say(self, locale: Locale) -> str:
        """Return where it is, in words: Recital 2, Français."""
        label = _LABELS[self.name].say(locale)
        if self.number:
            label = f"{label} {format_number(self.number, locale)}"
        return f"{label}, {_LANGUAGES[self.locale]}" if self.locale else label


_BOXES: Final = frozenset(_LABELS) - {
    *("text", "languages", "addressee", "eligibility", "dates", "embargo", "threshold", "supporters", "sponsor"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: which body's rule, what is the case, where, and what to do."""

    code: str
    body: Body
    severity: Severity
    place: Place
    message: Message
    advice: Message
    source: Source
    links: Mapping[str, str] = field(default_factory=dict)  # titles of other campaigns by their slugs

    @property
    def blocks(self) -> bool:
        """Whether publishing waits for it."""
        return self.severity is Severity.BLOCKS


@dataclass(frozen=True, slots=True)
class WordCount:
    """How many words of the House's limit a language uses."""

    locale: str
    words: int
    limit: int

    @property
    def is_over(self) -> bool:
        """Whether it is too long."""
        return self.words > self.limit


@dataclass(frozen=True, slots=True)
class Reminder:
    """A rule that no text can break: what to see to on the sheet of paper."""

    message: Message
    source: Source
