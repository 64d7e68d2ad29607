"""The campaign file, ``hatthalekha-campaign/1``: read whole or refused whole, with every fault and its place.

The format is a public contract (shared/real-campaigns/README.md); `campaign_as_data` writes what
`parse_campaign_file` reads. Limits are ours, and far above what any campaign has needed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.i18n.catalogues import LOCALES, Message, message
from app.rules.eligibility import Anyone, RuleFault, parse_rule, rule_as_data
from app.rules.places import COUNTRIES
from app.rules.texts import CampaignText, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from app.rules.eligibility import Rule

T = TypeVar("T")

FORMAT: Final = "hatthalekha-campaign/1"
KINDS: Final = ("petition", "open_letter", "joint_statement")
SIGNATORIES: Final = ("individuals", "organisations", "both")
ASKS: Final = ("postal_code", "phone", "district")
ASKED_WHERE_ABSENT: Final = frozenset({"postal_code"})

MAX_FILE_BYTES: Final = 2_000_000
MAX_TITLE: Final = 300
MAX_NAME: Final = 300
MAX_SHORT: Final = 100
MAX_EMAIL: Final = 254
MAX_LINE: Final = 1_000
MAX_PARAGRAPH: Final = 20_000
MAX_BODY: Final = 100_000
MAX_LIST: Final = 200
MAX_ENDORSEMENTS: Final = 5_000
MAX_SIGNATURES: Final = 100_000_000
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199

_SLUG: Final = re.compile(r"[a-z0-9-]{3,64}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONE: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_EMAIL: Final = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@[^@\s\"(),:;<>\[\]\\.]+(?:\.[^@\s\"(),:;<>\[\]\\.]+)+")
#: Controls, surrogates, and the marks that make text run the other way than it is stored.
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs"})
_REFUSED_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: ``texts.km.recitals[2]``; the place of the file as a whole is empty."""

    place: str
    message: Message


class BadCampaignFile(Exception):
    """The file is refused; ``faults`` has every reason, in the order of the file's own sections."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep the faults."""
        super().__init__("; ".join(f"{fault.place}: {fault.message.sentence}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Organiser:
    """Who answers for the campaign."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom it addresses: names by locale, and a country (ISO 3166-1 alpha-2, or EU)."""

    name: Mapping[str, str]
    country: str


@dataclass(frozen=True, slots=True)
class Sponsor:
    """The member who carries it, which is not to endorse it. What is not known is None."""

    name: str
    title: Mapping[str, str]
    district: str | None = None
    party: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of signatures, and by locale what is promised at it."""

    signatures: int
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Endorsement:
    """An organisation that signed before the file was made. What is not known is None."""

    name: str
    acronym: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A campaign as a file holds it."""

    slug: str
    kind: str
    source_locale: str
    timezone: str
    signatories: str
    organiser: Organiser
    eligibility: Rule
    texts: Mapping[str, CampaignText]
    reference: str | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    asks: frozenset[str] = ASKED_WHERE_ABSENT
    addressees: tuple[Addressee, ...] = ()
    sponsor: Sponsor | None = None
    thresholds: tuple[Threshold, ...] = ()
    endorsements: tuple[Endorsement, ...] = ()


def parse_campaign_file(raw: bytes) -> CampaignFile:
    """Return the campaign that ``raw`` holds; BadCampaignFile, with every fault at once, if it has any."""
    data = _decode(raw)
    reading = _Reading()
    reading.faults += _faults_anywhere(data)
    campaign = _read_campaign(reading, data)
    if reading.faults:
        raise BadCampaignFile(tuple(reading.faults))
    return campaign


def campaign_as_data(campaign: CampaignFile) -> dict[str, object]:
    """Return ``campaign`` in the format of the file, ready for JSON; what is empty is left out."""
    data: dict[str, object] = {"format": FORMAT, "slug": campaign.slug, "kind": campaign.kind}
    if campaign.reference:
        data["reference"] = campaign.reference
    data |= {"source_locale": campaign.source_locale, "timezone": campaign.timezone}
    if campaign.opens_on is not None:
        data["opens_on"] = campaign.opens_on.isoformat()
    if campaign.closes_on is not None:
        data["closes_on"] = campaign.closes_on.isoformat()
    data |= {
        "asks": [ask for ask in ASKS if ask in campaign.asks],
        "signatories": campaign.signatories,
        "organiser": {"name": campaign.organiser.name, "email": campaign.organiser.email},
        "addressees": [{"name": dict(one.name), "country": one.country} for one in campaign.addressees],
    }
    if campaign.sponsor is not None:
        data["sponsor"] = _sponsor_as_data(campaign.sponsor)
    return data | {
        "eligibility": rule_as_data(campaign.eligibility),
        "thresholds": [{"signatures": one.signatures, "label": dict(one.label)} for one in campaign.thresholds],
        "texts": {locale: text.as_data() for locale, text in campaign.texts.items()},
        "endorsements": [
            _filled(name=one.name, acronym=one.acronym, country=one.country) for one in campaign.endorsements
        ],
    }


def _sponsor_as_data(sponsor: Sponsor) -> dict[str, object]:
    """Return the sponsor in the format of the file."""
    return _filled(
        name=sponsor.name,
        title=dict(sponsor.title),
        district=sponsor.district,
        party=sponsor.party,
        email=sponsor.email,
    )


def _filled(**values: object) -> dict[str, object]:
    """Return ``values`` without those that are empty."""
    return {key: value for key, value in values.items() if value}


# From bytes to data. JSON as Python reads it lets two equal keys and NaN pass: both are kept, to be named with a place.


class _Object(dict[str, object]):
    """An object of the file, which remembers the keys that it had twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        """Keep the last value of each key, as JSON readers do, and which keys came again."""
        super().__init__(pairs)
        times = Counter(key for key, _ in pairs)
        self.repeated = tuple(key for key, number in times.items() if number > 1)


class _NotFinite:
    """NaN, Infinity or -Infinity: not JSON, though Python reads it."""

    def __init__(self, spelling: str) -> None:
        """Take the place of the number."""


def _decode(raw: bytes) -> object:
    """Return the data in ``raw``; BadCampaignFile when it is not JSON in UTF-8 (a byte order mark may lead it)."""
    if len(raw) > MAX_FILE_BYTES:
        raise _unreadable(message("The file is too large: at most %(limit)s bytes.", limit=MAX_FILE_BYTES))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = message("The file is not UTF-8 text: byte %(position)s cannot be read.", position=error.start + 1)
        raise _unreadable(at) from None
    try:
        return json.loads(text, object_pairs_hook=_Object, parse_constant=_NotFinite)
    except json.JSONDecodeError as error:
        at = message(
            "The file is not JSON: see line %(line)s, column %(column)s.", line=error.lineno, column=error.colno
        )
        raise _unreadable(at) from None
    except (RecursionError, ValueError):  # nested beyond any use; a number of thousands of digits
        raise _unreadable(
            message("The file is not a campaign: it is nested too deeply or has a huge number.")
        ) from None


def _unreadable(reason: Message) -> BadCampaignFile:
    """Return the refusal of a file of which nothing could be read."""
    return BadCampaignFile((Fault("", reason),))


def _faults_anywhere(data: object) -> Iterator[Fault]:
    """Yield what is wrong wherever it stands: keys twice, numbers that are none, characters that text cannot hold."""
    waiting: list[tuple[str, object]] = [("", data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _Object):
            for key in value.repeated:
                yield Fault(_inside(place, key), message("This key is there twice."))
            waiting += [(_inside(place, key), one) for key, one in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{place}[{index}]", one) for index, one in reversed(list(enumerate(value)))]
        elif isinstance(value, str) and (found := _refused_character(value)):
            yield Fault(place, message("This has a character that text cannot hold: %(character)s.", character=found))


def _refused_character(text: str) -> str:
    """Return the name, such as U+0007, of the first character that a text cannot hold; empty if there is none."""
    for character in text:
        if character != "\n" and (
            unicodedata.category(character) in _REFUSED_CATEGORIES or character in _REFUSED_MARKS
        ):
            return f"U+{ord(character):04X}"
    return ""


def _inside(place: str, key: str) -> str:
    """Return the place of ``key`` inside ``place``, with nothing in it that could not be shown on one line."""
    shown = key if key.isprintable() else ascii(key)
    return f"{place}.{shown}" if place else shown


@dataclass(slots=True)
class _Reading:
    """What was found wrong so far, and the checks that find it. A check that fails returns something harmless."""

    faults: list[Fault] = field(default_factory=list)

    def fail(self, place: str, reason: Message) -> None:
        """Record a fault."""
        self.faults.append(Fault(place, reason))

    def mapping(self, place: str, value: object, required: Iterable[str], optional: Iterable[str]) -> dict[str, object]:
        """Return an object with these keys and no others; empty if it is none."""
        if not isinstance(value, dict):
            self.fail(place, message("This must be an object, in braces."))
            return {}
        required = tuple(required)
        known = {*required, *optional}
        for key in value:
            if key not in known:
                self.fail(_inside(place, key), message("This key is not part of the format."))
        for key in required:
            if key not in value:
                self.fail(_inside(place, key), message("This is missing."))
        return {key: one for key, one in value.items() if key in known}

    def items(self, place: str, value: object, limit: int = MAX_LIST) -> Sequence[tuple[str, object]]:
        """Return the items of a list, each with its place."""
        if not isinstance(value, list):
            self.fail(place, message("This must be a list, in square brackets."))
            return []
        if len(value) > limit:
            self.fail(place, message("This list is too long: at most %(limit)s items.", limit=limit))
        return [(f"{place}[{index}]", one) for index, one in enumerate(value[:limit])]

    def text(self, place: str, value: object, limit: int, *, lines: bool = False) -> str:
        """Return a text that may be empty; with ``lines``, one that may have several lines."""
        if not isinstance(value, str):
            self.fail(place, message("This must be text, in quotation marks."))
            return ""
        if len(value) > limit:
            self.fail(place, message("This is too long: at most %(limit)s characters.", limit=limit))
        if "\n" in value and not lines:
            self.fail(place, message("This must be on one line."))
        return value

    def filled(self, place: str, value: object, limit: int, *, lines: bool = False) -> str:
        """Return a text that says something."""
        text = self.text(place, value, limit, lines=lines)
        if isinstance(value, str) and not text.strip():
            self.fail(place, message("This is empty."))
        return text

    def one_of(self, place: str, value: object, choices: tuple[str, ...]) -> str:
        """Return one of ``choices``."""
        if isinstance(value, str) and value in choices:
            return value
        self.fail(place, message("This must be one of: %(choices)s.", choices=", ".join(choices)))
        return ""

    def matching(self, place: str, value: object, is_right: Callable[[str], bool], reason: Message) -> str:
        """Return a text of which ``is_right`` holds; else ``reason`` says what it should be."""
        if isinstance(value, str) and is_right(value):
            return value
        self.fail(place, reason)
        return ""

    def by_locale(self, place: str, value: object, limit: int) -> dict[str, str]:
        """Return texts by locale, at least one."""
        found = self.mapping(place, value, (), LOCALES)
        if isinstance(value, dict) and not found:
            self.fail(place, message("This needs a text in at least one language: km, en or fr."))
        return {locale: self.filled(_inside(place, locale), one, limit) for locale, one in found.items()}

    def email(self, place: str, value: object) -> str:
        """Return an e-mail address, as far as its look can tell."""
        reason = message("This must be an e-mail address, such as name@example.org.")
        return self.matching(place, value, lambda one: len(one) <= MAX_EMAIL and bool(_EMAIL.fullmatch(one)), reason)

    def country(self, place: str, value: object, *, or_union: bool = False) -> str:
        """Return a country, or with ``or_union`` the European Union."""
        if or_union:
            reason = message("This must be a country of ISO 3166-1 in two capital letters, such as CA, or EU.")
        else:
            reason = message("This must be a country of ISO 3166-1 in two capital letters, such as CA.")
        return self.matching(place, value, lambda one: one in COUNTRIES or (or_union and one == "EU"), reason)

    def date(self, place: str, value: object) -> date | None:
        """Return a date in years that make sense."""
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                found = date.fromisoformat(value)
            except ValueError:
                found = date.min
            if FIRST_YEAR <= found.year <= LAST_YEAR:
                return found
        self.fail(place, message("This must be a date written as 2026-10-24."))
        return None


# Section by section. A function returns what it could read; the faults it met make the whole be thrown away.

_REQUIRED: Final = (
    "format",
    "slug",
    "kind",
    "source_locale",
    "timezone",
    "signatories",
    "organiser",
    "addressees",
    "eligibility",
    "thresholds",
    "texts",
)
_OPTIONAL: Final = ("reference", "opens_on", "closes_on", "asks", "sponsor", "endorsements")
_OPTIONAL_PARTS: Final = tuple(one.name for one in fields(CampaignText) if one.name != "title")


_NO_RULE: Final[Rule] = Anyone()


def _read_campaign(reading: _Reading, data: object) -> CampaignFile:
    """Return the campaign, with something harmless wherever a fault was recorded."""
    found = reading.mapping("", data, _REQUIRED, _OPTIONAL)
    at = _Section(reading, "", found)
    at.read("format", lambda place, value: reading.one_of(place, value, (FORMAT,)), "")
    opens_on = at.read("opens_on", reading.date, None)
    closes_on = at.read("closes_on", reading.date, None)
    if opens_on is not None and closes_on is not None and closes_on < opens_on:
        reading.fail("closes_on", message("The closing date is before the opening date."))
    source_locale = at.read("source_locale", lambda place, value: reading.one_of(place, value, LOCALES), "")
    texts: Mapping[str, CampaignText] = at.read("texts", partial(_read_texts, reading), {})
    if source_locale and isinstance(found.get("texts"), dict) and source_locale not in texts:
        reading.fail("texts", message("There is no text in the source language, %(locale)s.", locale=source_locale))
    return CampaignFile(
        slug=at.read("slug", partial(_read_slug, reading), ""),
        kind=at.read("kind", lambda place, value: reading.one_of(place, value, KINDS), ""),
        reference=at.text("reference", MAX_SHORT) or None,
        source_locale=source_locale,
        timezone=at.read("timezone", partial(_read_zone, reading), ""),
        opens_on=opens_on,
        closes_on=closes_on,
        asks=at.read("asks", partial(_read_asks, reading), ASKED_WHERE_ABSENT),
        signatories=at.read("signatories", lambda place, value: reading.one_of(place, value, SIGNATORIES), ""),
        organiser=at.read("organiser", partial(_read_organiser, reading), Organiser("", "")),
        addressees=at.read("addressees", partial(_read_addressees, reading), ()),
        sponsor=at.read("sponsor", partial(_read_sponsor, reading), None),
        eligibility=at.read("eligibility", partial(_read_eligibility, reading), _NO_RULE),
        thresholds=at.read("thresholds", partial(_read_thresholds, reading), ()),
        texts=texts,
        endorsements=at.read("endorsements", partial(_read_endorsements, reading), ()),
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """An object of the file whose keys were checked: `read` leaves an absent one alone, since `mapping` named it."""

    reading: _Reading
    place: str
    found: Mapping[str, object]

    def read(self, key: str, read: Callable[[str, object], T], absent: T) -> T:
        """Return what ``read`` makes of ``key``."""
        return read(_inside(self.place, key), self.found[key]) if key in self.found else absent

    def text(self, key: str, limit: int, *, lines: bool = False) -> str:
        """Return a text that may be absent or empty."""
        return self.read(key, lambda place, value: self.reading.text(place, value, limit, lines=lines), "")

    def filled(self, key: str, limit: int, *, lines: bool = False) -> str:
        """Return a text that may not be empty."""
        return self.read(key, lambda place, value: self.reading.filled(place, value, limit, lines=lines), "")

    def filled_list(self, key: str) -> tuple[str, ...]:
        """Return a list of paragraphs, none of them empty."""
        return tuple(self.reading.filled(place, one, MAX_PARAGRAPH, lines=True) for place, one in self.items(key))

    def items(self, key: str) -> Sequence[tuple[str, object]]:
        """Return the items of a list that may be absent, each with its place."""
        return self.read(key, self.reading.items, ())


def _section(
    reading: _Reading, place: str, value: object, required: Iterable[str], optional: Iterable[str] = ()
) -> _Section:
    """Return the object at ``place``, its keys checked."""
    return _Section(reading, place, reading.mapping(place, value, required, optional))


def _read_slug(reading: _Reading, place: str, value: object) -> str:
    """Return the slug."""
    reason = message("This must be 3 to 64 small Latin letters, digits or hyphens.")
    return reading.matching(place, value, is_slug, reason)


def is_slug(name: str) -> bool:
    """Tell whether ``name`` can be the address of a campaign."""
    return bool(_SLUG.fullmatch(name))


def _read_zone(reading: _Reading, place: str, value: object) -> str:
    """Return the name of the zone."""
    reason = message("This must be the name of a time zone, such as America/Toronto.")
    return reading.matching(place, value, is_zone, reason)


def is_zone(name: str) -> bool:
    """Tell whether ``name`` is a time zone of the IANA database."""
    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # unknown; a folder such as "America"; not a zone file
        return False
    return True


def _read_asks(reading: _Reading, place: str, value: object) -> frozenset[str]:
    """Return what the form asks."""
    asks: set[str] = set()
    for inner, one in reading.items(place, value):
        ask = reading.one_of(inner, one, ASKS)
        if ask and ask in asks:
            reading.fail(inner, message("This is there twice."))
        asks.add(ask)
    return frozenset(asks)


def _read_organiser(reading: _Reading, place: str, value: object) -> Organiser:
    """Return the organiser."""
    at = _section(reading, place, value, ("name", "email"))
    return Organiser(name=at.filled("name", MAX_NAME), email=at.read("email", reading.email, ""))


def _read_addressees(reading: _Reading, place: str, value: object) -> tuple[Addressee, ...]:
    """Return those whom the campaign addresses."""
    found = []
    for inner, one in reading.items(place, value):
        at = _section(reading, inner, one, ("name", "country"))
        name: Mapping[str, str] = at.read("name", partial(reading.by_locale, limit=MAX_NAME), {})
        found.append(Addressee(name, at.read("country", partial(reading.country, or_union=True), "")))
    return tuple(found)


def _read_sponsor(reading: _Reading, place: str, value: object) -> Sponsor:
    """Return the member who carries it."""
    at = _section(reading, place, value, ("name",), ("title", "district", "party", "email"))
    return Sponsor(
        name=at.filled("name", MAX_NAME),
        title=at.read("title", partial(reading.by_locale, limit=MAX_NAME), {}),
        district=at.text("district", MAX_NAME) or None,
        party=at.text("party", MAX_NAME) or None,
        email=at.read("email", reading.email, None),
    )


def _read_eligibility(reading: _Reading, place: str, value: object) -> Rule:
    """Return the rule of who may sign."""
    try:
        return parse_rule(value, place)
    except RuleFault as fault:
        reading.faults += [Fault(inner, reason) for inner, reason in fault.faults]
        return Anyone()


def _read_thresholds(reading: _Reading, place: str, value: object) -> tuple[Threshold, ...]:
    """Return the thresholds, in the order of the file."""
    found: list[Threshold] = []
    for inner, one in reading.items(place, value):
        at = _section(reading, inner, one, ("signatures", "label"))
        signatures = at.read("signatures", partial(_read_signatures, reading), 0)
        if signatures and any(signatures == other.signatures for other in found):
            reading.fail(_inside(inner, "signatures"), message("Another threshold has this number."))
        found.append(Threshold(signatures, at.read("label", partial(reading.by_locale, limit=MAX_LINE), {})))
    return tuple(found)


def _read_signatures(reading: _Reading, place: str, value: object) -> int:
    """Return a number of signatures, 0 if it is none."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SIGNATURES:
        return value
    reading.fail(place, message("This must be a whole number from 1 to %(most)s.", most=MAX_SIGNATURES))
    return 0


def _read_texts(reading: _Reading, place: str, value: object) -> dict[str, CampaignText]:
    """Return the text in each language."""
    found = reading.mapping(place, value, (), LOCALES)
    return {locale: _read_text(reading, _inside(place, locale), one) for locale, one in found.items()}


def _read_text(reading: _Reading, place: str, value: object) -> CampaignText:
    """Return the text in one language."""
    at = _section(reading, place, value, ("title",), _OPTIONAL_PARTS)
    return CampaignText(
        title=at.filled("title", MAX_TITLE),
        recitals=at.filled_list("recitals"),
        declaration=at.text("declaration", MAX_PARAGRAPH, lines=True),
        requests=at.filled_list("requests"),
        body=at.text("body", MAX_BODY, lines=True),
        salutation=at.text("salutation", MAX_LINE, lines=True),
        closing=at.text("closing", MAX_LINE, lines=True),
        call_to_sign=at.text("call_to_sign", MAX_PARAGRAPH, lines=True),
        faq=tuple(_read_question(reading, inner, one) for inner, one in at.items("faq")),
        how_to_sign=at.filled_list("how_to_sign"),
    )


def _read_question(reading: _Reading, place: str, value: object) -> Question:
    """Return a question with its answer."""
    at = _section(reading, place, value, ("question", "answer"))
    return Question(at.filled("question", MAX_LINE), at.filled("answer", MAX_PARAGRAPH, lines=True))


def _read_endorsements(reading: _Reading, place: str, value: object) -> tuple[Endorsement, ...]:
    """Return the organisations that signed before."""
    found = []
    for inner, one in reading.items(place, value, MAX_ENDORSEMENTS):
        at = _section(reading, inner, one, ("name",), ("acronym", "country"))
        country = at.read("country", reading.country, None)
        found.append(Endorsement(at.filled("name", MAX_NAME), at.text("acronym", MAX_SHORT) or None, country))
    return tuple(found)
