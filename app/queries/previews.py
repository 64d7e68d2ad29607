"""Letters under embargo: what the private link shows of one, and what its team's page says of the embargo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.core.tokens import hash_token
from app.models import Campaign, Endorsement, open_campaign_key
from app.queries.campaigns import find_any_campaign
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.queries.campaigns import Campaign as ShownCampaign


@dataclass(frozen=True, slots=True)
class PrivateLetter:
    """What a private link leads to: the letter, until when nobody else sees it, and the key that seals who signs."""

    campaign: ShownCampaign
    embargo_until: datetime | None
    is_public: bool
    key: DataKey | None


@dataclass(frozen=True, slots=True)
class Embargo:
    """How an embargo stands: until when, what the private link is made from, and how many organisations signed."""

    state: str
    timezone: str
    until: datetime | None
    opens_at: datetime | None
    link_id: UUID | None
    accepted: int
    waiting: int


def find_private_letter(session: Session, *, token: str, keyring: Keyring) -> PrivateLetter | None:
    """Return what a private link leads to, or None: for an old link, and where the embargo was called off."""
    row = session.execute(
        select(Campaign.id, Campaign.embargo_until).where(
            Campaign.preview_hash == hash_token("preview", token), Campaign.state.in_(PUBLIC_STATES | {"embargoed"})
        )
    ).first()
    campaign = None if row is None else find_any_campaign(session, campaign_id=row.id)
    if row is None or campaign is None:
        return None
    key = open_campaign_key(session, campaign_id=row.id, keyring=keyring)
    return PrivateLetter(campaign, row.embargo_until, campaign.state != "embargoed", key)


def get_embargo(session: Session, *, campaign_id: UUID) -> Embargo:
    """Return how a campaign's embargo stands, for its team."""
    campaign = session.execute(
        select(
            Campaign.state, Campaign.timezone, Campaign.embargo_until, Campaign.opens_at, Campaign.preview_link_id
        ).where(Campaign.id == campaign_id)
    ).one()
    rows = session.execute(
        select(Endorsement.state, func.count().label("number"))
        .where(Endorsement.campaign_id == campaign_id)
        .group_by(Endorsement.state)
    )
    numbers = {row.state: row.number for row in rows}
    return Embargo(
        state=campaign.state,
        timezone=campaign.timezone,
        until=campaign.embargo_until,
        opens_at=campaign.opens_at,
        link_id=campaign.preview_link_id,
        accepted=numbers.get("accepted", 0),
        waiting=numbers.get("waiting", 0),
    )


def find_next_appearance(session: Session, *, until: datetime) -> datetime | None:
    """Return when the next embargo ends, if that is no later than ``until``."""
    moment: datetime | None = session.scalar(
        select(func.min(Campaign.embargo_until)).where(Campaign.state == "embargoed", Campaign.embargo_until <= until)
    )
    return moment
