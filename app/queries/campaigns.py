"""Campaigns as pages, letters and the JSON doors show them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from app import models as tables
from app.core.keys import KeysUnusableError, SealBrokenError, WrappedKey
from app.queries.drafts import find_draft, list_draft_parts
from app.rules import campaign_file as files
from app.rules.campaign_file import campaign_as_data
from app.rules.drafts import put_together
from app.rules.eligibility import parse_rule
from app.rules.letters import Letterhead, is_usually_numbered
from app.rules.life import closing_after, last_day
from app.rules.moves import PUBLIC_STATES
from app.rules.texts import CampaignText, edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.rules.eligibility import Rule


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a campaign speaks to; ``names`` by locale, at least one."""

    names: Mapping[str, str]
    country: str
    salutations: Mapping[str, str] = field(default_factory=dict)  # how a letter to it begins, by locale
    locale: str | None = None  # the language of the letter to it


@dataclass(frozen=True, slots=True)
class Sponsor:
    """The member who agreed to carry a petition; ``titles`` by locale."""

    name: str
    titles: Mapping[str, str]
    district: str | None
    party: str | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """What is promised at a count; ``labels`` by locale; ``reached_at`` is never cleared.

    ``fell_below_at`` is when the count last went below it afterwards, ``regained_at`` when it was reached again.
    """

    signatures: int
    labels: Mapping[str, str]
    reached_at: datetime | None
    fell_below_at: datetime | None = None
    regained_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endorsement:
    """An organisation that signed, in the order of signing.

    ``names`` by locale, beside ``name`` as it writes it; ``edition_number`` is the newest text to which it said yes,
    and ``is_present`` whether that says what the current one does.
    """

    id: UUID
    position: int
    name: str
    acronym: str | None
    country: str | None
    names: Mapping[str, str]
    kind: str | None
    website: str | None
    proof: str | None
    signed_at: datetime
    edition_number: int | None
    is_present: bool
    is_disputed: bool
    logo: str | None  # SHA-256 of its picture, where it gave one

    def name_in(self, locale: str) -> tuple[str, str | None]:
        """Return its name for readers of ``locale``, and the language that name is in where that is known."""
        found = self.names.get(locale)
        return (self.name, None) if found is None else (found, locale)


@dataclass(frozen=True, slots=True)
class Response:
    """What a parliament, a minister or a member answered; ``language`` is a BCP 47 tag."""

    kind: str
    body: str
    date: date
    language: str
    title: str
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with its current edition and its count so far."""

    id: UUID
    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    timezone: str
    opens_at: datetime | None
    closes_at: datetime | None
    asks: frozenset[str]
    signatories: str
    organiser_name: str
    rule: Rule
    addressees: tuple[Addressee, ...]
    sponsor: Sponsor | None
    thresholds: tuple[Threshold, ...]
    endorsements: tuple[Endorsement, ...]
    edition_id: UUID
    edition_number: int
    edition_hash: str
    texts: Mapping[str, CampaignText]
    signatures: int
    present_since: int | None = None  # the edition that last changed the substance, where one did
    responses: tuple[Response, ...] = ()  # newest first
    answer_due_on: date | None = None
    people_per_mailbox: int = 1
    paper: int = 0  # signatures in ink on sheets that were checked; never a part of ``signatures``
    letterhead: Letterhead = field(default_factory=Letterhead)

    @property
    def next_threshold(self) -> Threshold | None:
        """The lowest threshold that has not been reached."""
        return next((each for each in self.thresholds if each.reached_at is None), None)

    @property
    def takes_individuals(self) -> bool:
        """Whether people sign it (organisations sign by endorsement)."""
        return self.signatories in {"individuals", "both"}

    @property
    def takes_organisations(self) -> bool:
        """Whether organisations sign it."""
        return self.signatories in {"organisations", "both"}

    def counted_again(self, signatures: int, thresholds: tuple[Threshold, ...]) -> Campaign:
        """Return the same campaign with a newer count."""
        return replace(self, signatures=signatures, thresholds=thresholds)


@dataclass(frozen=True, slots=True)
class CampaignCard:
    """A campaign as a line of a list."""

    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    timezone: str
    opens_at: datetime | None
    closes_at: datetime | None
    signatories: str
    titles: Mapping[str, str]
    addressees: tuple[Addressee, ...]
    thresholds: tuple[Threshold, ...]
    endorsements: int
    signatures: int
    created_at: datetime

    @property
    def takes_individuals(self) -> bool:
        """Whether people sign it."""
        return self.signatories in {"individuals", "both"}

    @property
    def next_threshold(self) -> Threshold | None:
        """The lowest threshold that has not been reached."""
        return next((each for each in self.thresholds if each.reached_at is None), None)


def find_campaign(session: Session, *, slug: str) -> Campaign | None:
    """Return a published campaign with its current edition, or None."""
    return _find(session, and_(tables.Campaign.slug == slug, _IS_PUBLIC))


def find_any_campaign(session: Session, *, campaign_id: UUID) -> Campaign | None:
    """Return a campaign with its current edition, published or not, or None where it has no edition yet."""
    return _find(session, tables.Campaign.id == campaign_id)


def find_preview(session: Session, *, campaign_id: UUID, now: datetime) -> Campaign:
    """Return a campaign, published or not, as it would be with its draft as the next edition.

    One that is not published yet is open, from now or from the opening that is wished. A draft without a title in its
    own language says there what else it says.
    """
    row = session.execute(
        select(
            tables.Campaign,
            SIGNATURES_SO_FAR,
            select(func.coalesce(func.max(_newer.number), 0))
            .where(_newer.campaign_id == tables.Campaign.id)
            .scalar_subquery()
            .label("editions"),
        ).where(tables.Campaign.id == campaign_id)
    ).one()
    campaign = row.Campaign
    parts = list_draft_parts(session, campaign_id=campaign_id)
    source, draft, texts = campaign.source_locale, put_together(parts), put_together(parts, is_frozen=True)
    if source in draft and source not in texts:
        texts[source] = draft[source]
    # Nothing has this id: what is not frozen cannot be signed.
    words = _Words(UUID(int=0), row.editions + 1, edition_hash(texts), texts)
    preview = _campaign(session, campaign, words, signatures=row.signatures)
    if campaign.state in PUBLIC_STATES:
        return preview
    closes_at = campaign.closes_at
    if campaign.open_for_days is not None:
        closes_at = closing_after(max(campaign.opens_at or now, now), campaign.open_for_days, campaign.timezone)
    return replace(preview, state="open", closes_at=closes_at)


def _find(session: Session, which: ColumnElement[bool]) -> Campaign | None:
    row = session.execute(_CAMPAIGN.add_columns(_PRESENT_SINCE).where(which)).first()
    if row is None:
        return None
    edition = row.Edition
    texts = {locale: CampaignText.from_data(text) for locale, text in edition.texts.items()}
    return _campaign(
        session,
        row.Campaign,
        _Words(edition.id, edition.number, edition.hash, texts),
        signatures=row.signatures,
        present_since=row.present_since,
    )


@dataclass(frozen=True, slots=True)
class _Words:
    edition_id: UUID
    number: int
    hash: str
    texts: Mapping[str, CampaignText]


def _campaign(
    session: Session, campaign: tables.Campaign, words: _Words, *, signatures: int, present_since: int | None = None
) -> Campaign:
    return Campaign(
        id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        state=campaign.state,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        asks=frozenset(campaign.asks),
        signatories=campaign.signatories,
        organiser_name=campaign.organiser_name,
        rule=parse_rule(campaign.eligibility),
        addressees=_addressees(session, [campaign.id]).get(campaign.id, ()),
        sponsor=_find_sponsor(session, campaign.id),
        thresholds=_thresholds(session, [campaign.id]).get(campaign.id, ()),
        endorsements=_list_endorsements(session, campaign.id, present_since),
        edition_id=words.edition_id,
        edition_number=words.number,
        edition_hash=words.hash,
        texts=words.texts,
        signatures=signatures,
        present_since=present_since,
        responses=_list_responses(session, campaign.id),
        answer_due_on=campaign.answer_due_on if campaign.state == "presented" else None,
        people_per_mailbox=campaign.people_per_mailbox,
        paper=_count_paper(session, campaign.id),
        letterhead=_find_letterhead(session, campaign),
    )


def is_keyring_ours(session: Session, *, keyring: Keyring) -> bool:
    """Tell whether the root keys open the newest campaign's key: not so where KEYS_DIR is another installation's."""
    newest = session.scalars(select(tables.CampaignKey).order_by(tables.CampaignKey.created_at.desc()).limit(1)).first()
    if newest is None:
        return True
    try:
        keyring.data_key(newest.campaign_id, newest.version, WrappedKey(newest.root_version, newest.sealed))
    except (KeysUnusableError, SealBrokenError):
        return False
    return True


def list_campaigns(
    session: Session, *, after: tuple[datetime, str] | None = None, limit: int | None = None
) -> list[CampaignCard]:
    """Return published campaigns, newest first.

    ``after`` is when the last one of the page before was made, and its slug. The order rests on what never changes: a
    campaign that closes between two pages is neither lost nor repeated.
    """
    made_at, slug = tables.Campaign.created_at, tables.Campaign.slug
    statement = _CAMPAIGN.where(_IS_PUBLIC).order_by(made_at.desc(), slug)
    if after is not None:
        last_made_at, last_slug = after
        statement = statement.where(or_(made_at < last_made_at, and_(made_at == last_made_at, slug > last_slug)))
    rows = session.execute(statement.limit(limit)).all()
    ids = [row.Campaign.id for row in rows]
    addressees, thresholds = _addressees(session, ids), _thresholds(session, ids)
    endorsements = _count_endorsements(session, ids)
    return [
        CampaignCard(
            slug=row.Campaign.slug,
            kind=row.Campaign.kind,
            state=row.Campaign.state,
            reference=row.Campaign.reference,
            source_locale=row.Campaign.source_locale,
            timezone=row.Campaign.timezone,
            opens_at=row.Campaign.opens_at,
            closes_at=row.Campaign.closes_at,
            signatories=row.Campaign.signatories,
            titles={locale: text["title"] for locale, text in row.Edition.texts.items()},
            addressees=addressees.get(row.Campaign.id, ()),
            thresholds=thresholds.get(row.Campaign.id, ()),
            endorsements=endorsements.get(row.Campaign.id, 0),
            signatures=row.signatures,
            created_at=row.Campaign.created_at,
        )
        for row in rows
    ]


def find_count(session: Session, *, slug: str) -> tuple[int, tuple[Threshold, ...]] | None:
    """Return the count so far of a published campaign and its thresholds, or None."""
    row = session.execute(
        select(tables.Campaign.id, SIGNATURES_SO_FAR).where(tables.Campaign.slug == slug, _IS_PUBLIC)
    ).first()
    return None if row is None else (row.signatures, _thresholds(session, [row.id]).get(row.id, ()))


#: The total that is rolled up and the events that are not yet, in one statement and so of one moment.
SIGNATURES_SO_FAR = (
    func.coalesce(
        select(tables.CampaignCount.signatures)
        .where(tables.CampaignCount.campaign_id == tables.Campaign.id)
        .scalar_subquery(),
        0,
    )
    + func.coalesce(
        select(func.sum(tables.CountEvent.change))
        .where(tables.CountEvent.campaign_id == tables.Campaign.id)
        .scalar_subquery(),
        0,
    )
).label("signatures")

# What is not listed here is seen by nobody: a state that is new, or a letter under embargo, leaks nowhere.
_IS_PUBLIC = tables.Campaign.state.in_(PUBLIC_STATES)

_newer = aliased(tables.Edition)
_PRESENT_SINCE = (
    select(func.max(_newer.number))
    .where(_newer.campaign_id == tables.Campaign.id, _newer.is_substantive.is_(True), _newer.number > 1)
    .scalar_subquery()
    .label("present_since")
)
_CAMPAIGN = select(tables.Campaign, tables.Edition, SIGNATURES_SO_FAR).join(
    tables.Edition,
    and_(
        tables.Edition.campaign_id == tables.Campaign.id,
        tables.Edition.number
        == select(func.max(_newer.number)).where(_newer.campaign_id == tables.Campaign.id).scalar_subquery(),
    ),
)


#: No page says that a member carries anything before that member has said so.
_ACCEPTED_SPONSOR = select(tables.Sponsor).where(tables.Sponsor.state == "accepted")


def _addressees(session: Session, ids: list[UUID]) -> dict[UUID, tuple[Addressee, ...]]:
    found: dict[UUID, tuple[Addressee, ...]] = {}
    for each in session.scalars(
        select(tables.Addressee).where(tables.Addressee.campaign_id.in_(ids)).order_by(tables.Addressee.position)
    ):
        found[each.campaign_id] = (
            *found.get(each.campaign_id, ()),
            Addressee(each.names, each.country, each.salutations, each.locale),
        )
    return found


def _thresholds(session: Session, ids: list[UUID]) -> dict[UUID, tuple[Threshold, ...]]:
    found: dict[UUID, tuple[Threshold, ...]] = {}
    for each in session.scalars(
        select(tables.Threshold).where(tables.Threshold.campaign_id.in_(ids)).order_by(tables.Threshold.signatures)
    ):
        threshold = Threshold(each.signatures, each.labels, each.reached_at, each.fell_below_at, each.regained_at)
        found[each.campaign_id] = (*found.get(each.campaign_id, ()), threshold)
    return found


def _count_endorsements(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    rows = session.execute(
        select(tables.Endorsement.campaign_id, func.count().label("number"))
        .where(tables.Endorsement.campaign_id.in_(ids), tables.Endorsement.state == "accepted")
        .group_by(tables.Endorsement.campaign_id)
    )
    return {row.campaign_id: row.number for row in rows}


def _find_sponsor(session: Session, campaign_id: UUID) -> Sponsor | None:
    sponsor = session.scalars(_ACCEPTED_SPONSOR.where(tables.Sponsor.campaign_id == campaign_id)).first()
    return None if sponsor is None else Sponsor(sponsor.name, sponsor.titles, sponsor.district, sponsor.party)


def _list_endorsements(session: Session, campaign_id: UUID, present_since: int | None) -> tuple[Endorsement, ...]:
    """Return the organisations that signed; the newest text each said yes to is its own, or one it was asked about."""
    bound, renewed = aliased(tables.Edition), aliased(tables.Edition)
    renewed_number = (
        select(func.max(renewed.number))
        .join(tables.EndorsementRenewal, tables.EndorsementRenewal.edition_id == renewed.id)
        .where(tables.EndorsementRenewal.endorsement_id == tables.Endorsement.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(tables.Endorsement, bound.number, renewed_number.label("renewed"), tables.Logo.sha256)
        .outerjoin(bound, bound.id == tables.Endorsement.edition_id)
        .outerjoin(tables.Logo, tables.Logo.endorsement_id == tables.Endorsement.id)
        .where(tables.Endorsement.campaign_id == campaign_id, tables.Endorsement.state == "accepted")
        .order_by(tables.Endorsement.position)
    )
    return tuple(
        Endorsement(
            id=each.id,
            position=each.position or 0,
            name=each.name,
            acronym=each.acronym,
            country=each.country,
            names=each.names,
            kind=each.kind,
            website=each.website,
            proof=each.proof,
            signed_at=each.decided_at or each.asked_at,
            edition_number=max(number or 0, renewed or 0) or None,
            is_present=present_since is None or max(number or 0, renewed or 0) >= present_since,
            is_disputed=each.disputed_at is not None,
            logo=logo,
        )
        for each, number, renewed, logo in rows
    )


def _find_letterhead(session: Session, campaign: tables.Campaign) -> Letterhead:
    head = session.get(tables.Letterhead, campaign.id)
    if head is None:
        return Letterhead(is_numbered=is_usually_numbered(campaign.kind))
    return Letterhead(head.places, head.dated_on, head.subjects, head.arrangement, head.is_numbered)


def _count_paper(session: Session, campaign_id: UUID) -> int:
    batch = tables.PaperBatch
    closed = select(func.sum(batch.signatures)).where(batch.campaign_id == campaign_id, batch.state == "closed")
    return session.scalar(closed) or 0


def _list_responses(session: Session, campaign_id: UUID) -> tuple[Response, ...]:
    return tuple(
        Response(each.kind, each.body, each.answered_on, each.language, each.title, each.text, each.url)
        for each in session.scalars(
            select(tables.Response)
            .where(tables.Response.campaign_id == campaign_id, tables.Response.removed_at.is_(None))
            .order_by(tables.Response.answered_on.desc(), tables.Response.created_at.desc(), tables.Response.id)
        )
    )


@dataclass(frozen=True, slots=True)
class CampaignState:
    """A campaign as the operator lists it, published or not."""

    slug: str
    state: str
    signatures: int


def list_all_campaigns(session: Session) -> list[CampaignState]:
    """Return every campaign, whatever its state, by slug."""
    rows = session.execute(
        select(tables.Campaign.slug, tables.Campaign.state, SIGNATURES_SO_FAR).order_by(tables.Campaign.slug)
    )
    return [CampaignState(row.slug, row.state, row.signatures) for row in rows]


def export_campaign(
    session: Session, *, slug: str, keyring: Keyring, is_draft: bool = False
) -> dict[str, object] | None:
    """Return a campaign in the format ``hatthalekha-campaign/1``, or None. Its dates are days in its own zone.

    It has the texts of the newest edition, or those of its draft, where it ``is_draft`` or has no edition.
    """
    campaign = session.scalars(select(tables.Campaign).where(tables.Campaign.slug == slug)).first()
    if campaign is None:
        return None
    key = tables.open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)

    def opened(place: str, row: UUID, sealed: bytes | None) -> str:
        return "" if key is None or sealed is None else key.open(place, row, sealed)

    sponsor = session.scalars(_ACCEPTED_SPONSOR.where(tables.Sponsor.campaign_id == campaign.id)).first()
    edition = session.scalars(
        select(tables.Edition)
        .where(tables.Edition.campaign_id == campaign.id)
        .order_by(tables.Edition.number.desc())
        .limit(1)
    ).first()
    if edition is None or is_draft:
        texts = find_draft(session, campaign_id=campaign.id)
    else:
        texts = {locale: CampaignText.from_data(text) for locale, text in edition.texts.items()}
    zone = campaign.timezone
    return campaign_as_data(
        files.CampaignFile(
            slug=campaign.slug,
            kind=campaign.kind,
            reference=campaign.reference or "",
            source_locale=campaign.source_locale,
            timezone=zone,
            opens_on=None if campaign.opens_at is None else campaign.opens_at.astimezone(ZoneInfo(zone)).date(),
            closes_on=None if campaign.closes_at is None else last_day(campaign.closes_at, zone),
            asks=frozenset(campaign.asks),
            signatories=campaign.signatories,
            organiser=files.Organiser(
                campaign.organiser_name, opened("campaigns.organiser_email", campaign.id, campaign.organiser_email)
            ),
            addressees=tuple(
                files.Addressee(each.names, each.country)
                for each in _addressees(session, [campaign.id]).get(campaign.id, ())
            ),
            sponsor=None
            if sponsor is None
            else files.Sponsor(
                sponsor.name,
                sponsor.titles,
                sponsor.district or "",
                sponsor.party or "",
                opened("sponsors.email", sponsor.id, sponsor.email),
            ),
            eligibility=parse_rule(campaign.eligibility),
            thresholds=tuple(
                files.Threshold(each.signatures, each.labels)
                for each in _thresholds(session, [campaign.id]).get(campaign.id, ())
            ),
            texts=texts,
            endorsements=tuple(
                files.Endorsement(each.name, each.acronym or "", each.country or "")
                for each in _list_endorsements(session, campaign.id, None)
            ),
        )
    )
