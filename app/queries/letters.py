"""Letters as documents: as they stand now, as they were signed at one moment, what came after, who was handed them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app import models as tables
from app.core.db import dialect_of
from app.queries.campaigns import find_any_campaign, find_preview
from app.queries.editions import count_present
from app.queries.names import list_all_names, list_shown_places
from app.rules.letters import Letter, Recipient, Signatory
from app.rules.life import local_day, start_of_day
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey
    from app.queries.campaigns import Campaign, Endorsement


@dataclass(frozen=True, slots=True)
class LivingLetter:
    """A letter as it stands, without names; ``places`` are those of the names that belong under it.

    It is dated by the day of its newest change, so that it is the same letter, byte for byte, until the next.
    """

    letter: Letter
    places: tuple[int, ...]
    present_since: int | None


@dataclass(frozen=True, slots=True)
class AdvanceLetter:
    """A letter that is not public yet, and until when it is under embargo; None for a draft."""

    letter: Letter
    embargo_until: datetime | None


@dataclass(frozen=True, slots=True)
class DatedLetter:
    """A dated edition as a line of a list; ``hash`` names its content."""

    number: int
    signed_as_of: datetime
    edition_number: int
    hash: str
    organisations: int
    individuals: int


@dataclass(frozen=True, slots=True)
class Since:
    """What has changed under a letter since a dated edition: who signed later, and who is there no more."""

    later: tuple[Signatory, ...]
    gone: tuple[Signatory, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One time that a letter was handed over; ``number`` is the dated edition's, where one was handed over."""

    id: UUID
    number: int | None
    recipient: str
    delivered_on: date
    way: str
    acknowledged_on: date | None
    answered_on: date | None


def find_letter(session: Session, *, campaign_id: UUID, base_url: str, now: datetime) -> Letter:
    """Return the letter of a campaign, published or not, as it is signed at ``now``, without names of individuals.

    CampaignHasNoText where no edition was ever frozen.
    """
    campaign = find_any_campaign(session, campaign_id=campaign_id)
    if campaign is None:
        raise CampaignHasNoText
    return _compose_letter(session, campaign=campaign, base_url=base_url, now=now)


class CampaignHasNoText(Exception):
    """There is no edition that anybody could have signed."""


def _compose_letter(session: Session, *, campaign: Campaign, base_url: str, now: datetime) -> Letter:
    head = campaign.letterhead
    return Letter(
        slug=campaign.slug,
        kind=campaign.kind,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        organiser=campaign.organiser_name,
        url=f"{base_url}/c/{campaign.slug}",
        texts=campaign.texts,
        edition_number=campaign.edition_number,
        edition_hash=campaign.edition_hash,
        signed_as_of=now,
        recipients=tuple(
            Recipient(each.names, each.country, each.salutations, each.locale) for each in campaign.addressees
        ),
        places=head.places,
        dated_on=head.dated_on,
        subjects=head.subjects,
        arrangement=head.arrangement,
        is_numbered=head.is_numbered,
        organisations=tuple(_signatory(each) for each in campaign.endorsements if each.is_present),
        earlier=tuple(_signatory(each) for each in campaign.endorsements if not each.is_present),
        takes_individuals=campaign.takes_individuals,
        individuals=_count_individuals(session, campaign),
        paper=campaign.paper,
    )


def find_advance_letter(session: Session, *, campaign_id: UUID, base_url: str, now: datetime) -> AdvanceLetter | None:
    """Return the letter of a campaign that is not public yet, or None once it is.

    Under embargo that is the approved text with whoever signed it; before, what the draft says, as the next edition.
    It is dated by the day, so that it is the same letter, byte for byte, until something changes.
    """
    row = session.execute(
        select(tables.Campaign.state, tables.Campaign.embargo_until, tables.Campaign.timezone).where(
            tables.Campaign.id == campaign_id
        )
    ).one()
    if row.state in PUBLIC_STATES:
        return None
    campaign = find_any_campaign(session, campaign_id=campaign_id) if row.state == "embargoed" else None
    if campaign is None:
        campaign = find_preview(session, campaign_id=campaign_id, now=now)
    day = start_of_day(local_day(now, row.timezone), row.timezone)
    letter = _compose_letter(session, campaign=campaign, base_url=base_url, now=day)
    return AdvanceLetter(letter, row.embargo_until if row.state == "embargoed" else None)


def find_living_letter(session: Session, *, campaign_id: UUID, base_url: str) -> LivingLetter:
    """Return a campaign's letter as it stands and the places of the names under it; none once it was stopped.

    CampaignHasNoText as `find_letter`.
    """
    campaign = find_any_campaign(session, campaign_id=campaign_id)
    if campaign is None:
        raise CampaignHasNoText
    changed_on = local_day(_newest_change(session, campaign), campaign.timezone)
    day = start_of_day(changed_on, campaign.timezone)
    letter = _compose_letter(session, campaign=campaign, base_url=base_url, now=day)
    if not campaign.takes_individuals or campaign.state == "stopped":
        return LivingLetter(letter, (), campaign.present_since)
    places = list_shown_places(session, campaign_id=campaign.id, since=campaign.present_since)
    return LivingLetter(letter, places, campaign.present_since)


def find_letter_with_names(
    session: Session, *, campaign_id: UUID, base_url: str, key: DataKey | None
) -> tuple[LivingLetter, Letter]:
    """Return a campaign's letter as it stands, without names and with them, of one moment."""
    living = find_living_letter(session, campaign_id=campaign_id, base_url=base_url)
    if key is None or not living.places:
        return replace(living, places=()), living.letter
    names = list_all_names(session, campaign_id=campaign_id, key=key, since=living.present_since)
    return living, replace(living.letter, names=names)


def find_dated_letter(session: Session, *, slug: str, number: int) -> Letter | None:
    """Return one dated edition of a published campaign as it was signed then, or None."""
    content = session.scalars(
        select(tables.DatedEdition.content).where(_is_of(slug), tables.DatedEdition.number == number)
    ).first()
    return None if content is None else Letter.from_data(content, number=number)


def find_dated_hash(session: Session, *, slug: str, number: int) -> str | None:
    """Return what names the content of a dated edition of a published campaign, or None."""
    return session.scalars(
        select(tables.DatedEdition.hash).where(_is_of(slug), tables.DatedEdition.number == number)
    ).first()


def list_dated_editions(session: Session, *, slug: str) -> tuple[DatedLetter, ...]:
    """Return the dated editions of a published campaign, the newest first."""
    dated = tables.DatedEdition
    count = func.jsonb_array_length if dialect_of(session) == "postgresql" else func.json_array_length
    rows = session.execute(
        # Of what may be a thousand organisations the database says how many they are.
        select(
            dated.number,
            dated.signed_as_of,
            dated.hash,
            dated.content["edition_number"].as_integer().label("edition_number"),
            dated.content["individuals"].as_integer().label("individuals"),
            count(dated.content["organisations"]).label("organisations"),
        )
        .where(_is_of(slug))
        .order_by(dated.number.desc())
    )
    return tuple(
        DatedLetter(
            number=row.number,
            signed_as_of=row.signed_as_of,
            edition_number=row.edition_number,
            hash=row.hash,
            organisations=row.organisations,
            individuals=row.individuals,
        )
        for row in rows
    )


def compare_signatories(dated: Letter, present: Sequence[Signatory]) -> Since:
    """Return what has changed since a dated edition. Who signed is known by name and moment."""
    before, now = ({_who(each): each for each in signatories} for signatories in (_all_of(dated), present))
    return Since(
        later=tuple(each for who, each in now.items() if who not in before),
        gone=tuple(each for who, each in before.items() if who not in now),
    )


def list_deliveries(session: Session, *, campaign_id: UUID) -> tuple[Delivery, ...]:
    """Return to whom a campaign's letter was handed, in the order of the days."""
    rows = session.execute(
        select(tables.Delivery, tables.DatedEdition.number)
        .outerjoin(tables.DatedEdition, tables.DatedEdition.id == tables.Delivery.dated_edition_id)
        .where(tables.Delivery.campaign_id == campaign_id, tables.Delivery.removed_at.is_(None))
        .order_by(tables.Delivery.delivered_on, tables.Delivery.recorded_at, tables.Delivery.id)
    )
    return tuple(
        Delivery(
            id=each.id,
            number=number,
            recipient=each.recipient,
            delivered_on=each.delivered_on,
            way=each.way,
            acknowledged_on=each.acknowledged_on,
            answered_on=each.answered_on,
        )
        for each, number in rows
    )


def _is_of(slug: str) -> ColumnElement[bool]:
    published = select(tables.Campaign.id).where(tables.Campaign.slug == slug, tables.Campaign.state.in_(PUBLIC_STATES))
    return tables.DatedEdition.campaign_id.in_(published)


def _signatory(endorsement: Endorsement) -> Signatory:
    return Signatory(
        name=endorsement.name,
        acronym=endorsement.acronym,
        country=endorsement.country,
        kind=endorsement.kind,
        names=endorsement.names,
        edition=endorsement.edition_number,
        signed_at=endorsement.signed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        logo=endorsement.logo,
    )


def _count_individuals(session: Session, campaign: Campaign) -> int:
    """Return how many people stand under the present text: all of them, unless its substance has changed."""
    if not campaign.takes_individuals:
        return 0
    if campaign.present_since is None:
        return campaign.signatures
    return count_present(session, campaign_id=campaign.id, since=campaign.present_since)


def _newest_change(session: Session, campaign: Campaign) -> datetime:
    """Return when a campaign's letter last changed, as far as its tables say."""
    endorsement, renewal, batch = tables.Endorsement, tables.EndorsementRenewal, tables.PaperBatch
    moments = [
        session.scalar(select(tables.Edition.created_at).where(tables.Edition.id == campaign.edition_id)),
        *session.execute(
            select(func.max(endorsement.decided_at), func.max(endorsement.ended_at)).where(
                endorsement.campaign_id == campaign.id, endorsement.position.is_not(None)
            )
        ).one(),
        session.scalar(
            select(func.max(renewal.at))
            .join(endorsement, endorsement.id == renewal.endorsement_id)
            .where(endorsement.campaign_id == campaign.id)
        ),
        session.scalar(
            select(func.max(batch.closed_at)).where(batch.campaign_id == campaign.id, batch.state == "closed")
        ),
    ]
    if campaign.takes_individuals:
        newest = select(func.max(tables.Signature.confirmed_at))
        moments.append(session.scalar(newest.where(tables.Signature.campaign_id == campaign.id, tables.is_counted())))
    return max(each for each in moments if each is not None)


def _who(signatory: Signatory) -> tuple[str, str | None]:
    return signatory.name, signatory.signed_at


def _all_of(letter: Letter) -> tuple[Signatory, ...]:
    return (*letter.organisations, *letter.earlier)
