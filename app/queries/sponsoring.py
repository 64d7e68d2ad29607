"""Members who are asked to carry a petition: for its team, and for the office that has a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from app.core import tokens
from app.models import Addressee, Campaign, Letter, Sponsor, Token, open_campaign_key
from app.queries.life import find_shown_texts
from app.rules.eligibility import parse_rule
from app.rules.texts import edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.rules.eligibility import Rule
    from app.rules.texts import CampaignText

LIVING: Final = ("proposed", "asked", "accepted")
#: How many members may be asked, one after another: the House of Commons' own rule for e-petitions.
COMMONS_ASKINGS: Final = 5
#: Nobody limits it elsewhere; a campaign that asked so many writes to offices that do not want it.
ASKINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Asking:
    """A member who was proposed or asked. ``email`` is the office's; None once the campaign's key is destroyed."""

    id: UUID
    state: str
    name: str
    titles: Mapping[str, str]
    district: str | None
    party: str | None
    email: str | None
    locale: str
    asked_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SponsorLink:
    """What a link in a letter to an office leads to. ``text_hash`` names the text that is shown."""

    asking: Asking
    is_expired: bool
    campaign_id: UUID
    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    timezone: str
    organiser_name: str
    addressees: tuple[Mapping[str, str], ...]
    rule: Rule
    texts: Mapping[str, CampaignText]
    text_hash: str


def count_askings_left(session: Session, *, campaign_id: UUID, form: str) -> int:
    """Return how many more members may be asked."""
    counted = select(func.count()).where(Sponsor.campaign_id == campaign_id, Sponsor.asked_at.is_not(None))
    asked = session.scalars(counted).one()
    return max(0, (COMMONS_ASKINGS if form == "commons" else ASKINGS) - asked)


def find_organiser_name(session: Session, *, campaign_id: UUID) -> str:
    """Return in whose name a campaign asks."""
    return session.scalars(select(Campaign.organiser_name).where(Campaign.id == campaign_id)).one()


def list_askings(session: Session, *, campaign_id: UUID, keyring: Keyring) -> list[Asking]:
    """Return everybody who was proposed or asked: who stands first, then the newest."""
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    rows = session.scalars(select(Sponsor).where(Sponsor.campaign_id == campaign_id)).all()
    askings = [_asking(row, key) for row in rows]
    return sorted(askings, key=_order, reverse=True)


def find_sponsor_link(session: Session, *, token: str, keyring: Keyring, now: datetime) -> SponsorLink | None:
    """Return what an office's link leads to, or None for no link of ours."""
    row = session.execute(
        select(Sponsor, Campaign, Token.expires_at.label("until"))
        .join(Letter, Letter.subject_id == Sponsor.id)
        .join(Token, Token.letter_id == Letter.id)
        .join(Campaign, Campaign.id == Sponsor.campaign_id)
        .where(Token.hash == tokens.hash_token("sponsor", token), Token.purpose == "sponsor")
    ).first()
    if row is None:
        return None
    campaign = row.Campaign
    texts = find_shown_texts(session, campaign_id=campaign.id)
    key = open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)
    return SponsorLink(
        asking=_asking(row.Sponsor, key),
        is_expired=row.until is not None and row.until <= now,
        campaign_id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        state=campaign.state,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        organiser_name=campaign.organiser_name,
        addressees=tuple(
            session.scalars(
                select(Addressee.names).where(Addressee.campaign_id == campaign.id).order_by(Addressee.position)
            )
        ),
        rule=parse_rule(campaign.eligibility),
        texts=texts,
        text_hash=edition_hash(texts),
    )


def _asking(row: Sponsor, key: DataKey | None) -> Asking:
    return Asking(
        id=row.id,
        state=row.state,
        name=row.name,
        titles=row.titles,
        district=row.district,
        party=row.party,
        email=None if key is None or row.email is None else key.open("sponsors.email", row.id, row.email),
        locale=row.locale,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        answered_at=row.answered_at,
        reason=row.reason,
    )


def _order(asking: Asking) -> tuple[bool, float]:
    when = asking.answered_at or asking.asked_at
    return asking.state in LIVING, 0.0 if when is None else when.timestamp()


def list_member_names(session: Session, *, campaign_id: UUID) -> dict[str, str]:
    """Return the names of members who were asked, by the ids that the record has of them."""
    rows = session.execute(select(Sponsor.id, Sponsor.name).where(Sponsor.campaign_id == campaign_id))
    return {str(row.id): row.name for row in rows}
