"""What the JSON door says, described for ``/api/v1/openapi.json``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from app.rules.integrity import REMOVAL_RULES


def _in_utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime, PlainSerializer(_in_utc, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
Kind = Literal["petition", "open_letter", "joint_statement"]
#: Of the states in the contract, those of what is published.
State = Literal["scheduled", "open", "closed", "presented", "answered", "stopped"]
Texts = dict[str, str]
Rule = Annotated[str, WithJsonSchema({"type": "string", "enum": list(REMOVAL_RULES)})]


class Shape(BaseModel):
    """Parent of all answers: frozen, read from attributes."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class CampaignLine(Shape):
    """A campaign in a list."""

    slug: str
    kind: Kind
    state: State
    titles: Texts
    opens_at: Moment | None
    closes_at: Moment | None
    signatures: int
    url: str


class CampaignPage(Shape):
    """A page of the list; ``next`` is the address of the following one."""

    campaigns: list[CampaignLine]
    next: str | None


class AddresseeShape(Shape):
    """Whom a campaign speaks to."""

    names: Texts
    country: str


class SponsorShape(Shape):
    """The member who carries it; carrying is not endorsing."""

    name: str
    titles: Texts
    district: str | None
    party: str | None


class ThresholdShape(Shape):
    """What is promised at a count."""

    signatures: int
    labels: Texts
    reached_at: Moment | None
    fell_below_at: Moment | None
    regained_at: Moment | None


class ReachedShape(Shape):
    """A threshold as the count tells it.

    ``reached_at`` stands for ever; ``fell_below_at`` is when signatures were withdrawn or taken out later and the count
    last went below it, ``regained_at`` when it was reached again after that.
    """

    signatures: int
    reached_at: Moment | None
    fell_below_at: Moment | None
    regained_at: Moment | None


class EndorsementShape(Shape):
    """An organisation that signed."""

    name: str
    acronym: str | None
    country: str | None


class ResponseShape(Shape):
    """What a parliament, a minister or a member answered; ``language`` is a BCP 47 tag."""

    kind: Literal["resolution", "government", "statement", "other"]
    body: str
    date: date
    language: str
    title: str
    text: str
    url: str | None


class EligibilityShape(Shape):
    """Who can sign: the rule, and its sentence by language."""

    rule: dict[str, Any]
    sentences: Texts


class EditionShape(Shape):
    """The frozen version of the text."""

    number: int
    hash: str


class CampaignShape(CampaignLine):
    """A campaign, whole."""

    reference: str | None
    source_locale: str
    timezone: str
    signatories: str
    organiser: str
    edition: EditionShape
    texts: dict[str, dict[str, Any]]
    addressees: list[AddresseeShape]
    sponsor: SponsorShape | None
    eligibility: EligibilityShape
    thresholds: list[ThresholdShape]
    endorsements: list[EndorsementShape]
    responses: list[ResponseShape]
    paper: int  # signatures in ink, counted by the organisers; never a part of `signatures`


class Problem(Shape):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None


class CountShape(Shape):
    """The count so far; ``paper`` stands apart from it: signatures in ink, counted by the organisers, not verified."""

    campaign: str
    signatures: int
    paper: int
    as_of: Moment
    thresholds: list[ReachedShape]


class CellShape(Shape):
    """Signatures from a place.

    No subdivision: from everywhere in the country that has no cell of its own. No country either: from everywhere
    else, where small numbers and small changes are added together.
    """

    country: str | None
    subdivision: str | None
    signatures: int


class LanguageShareShape(Shape):
    """Signatures given on the page in a language; null: in those that are merged."""

    language: str | None
    signatures: int


class DayShareShape(Shape):
    """Signatures confirmed on a day, in the campaign's time zone; null: on the last, and on those that are merged."""

    day: date | None
    signatures: int


class DistrictShareShape(Shape):
    """Signatures from a federal district of Canada, where their signers said so themselves.

    ``names`` are those of Elections Canada, in ``en`` and ``fr``. No district: from everybody else, whether they named
    none, live in a district with fewer than twenty, or in another country.
    """

    district: str | None
    names: Texts | None
    province: str | None
    signatures: int


class BreakdownShape(Shape):
    """A snapshot: the same signatures by place, language, day and district; null and nothing before the first.

    ``cells`` add up to ``signatures``, its own total. So does each other list, unless it is empty: then nothing can be
    shown. Numbers under five are merged, within a province under twenty, and none moves by less than five.
    """

    campaign: str
    snapshot: int | None
    as_of: Moment | None
    signatures: int | None
    cells: list[CellShape]
    languages: list[LanguageShareShape]
    days: list[DayShareShape]
    districts: list[DistrictShareShape]


class NumbersShape(Shape):
    """Signatures held back when they were confirmed, taken out of the count, and put into it again or at last."""

    held: int
    removed: int
    restored: int


class RemovalDayShape(NumbersShape):
    """What a rule did until the end of a day (UTC), since the last one where the number shows; below five, it waits."""

    day: date
    rule: Rule


class IntegrityShape(Shape):
    """Removals by rule and day, through the last whole day (UTC); ``totals`` are the sums of the days that show."""

    campaign: str
    as_of: Moment
    counted_through: date
    days: list[RemovalDayShape]
    totals: NumbersShape
