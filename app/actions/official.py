"""The count of the official petition, as the House's own site shows it: typed by the team, and never added to ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from app.actions.records import record
from app.models import Campaign
from app.rules.reports import official_page

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


class NoOfficialPetition(Exception):
    """The campaign has no number of the House of Commons' own."""


class CountedTooSoon(Exception):
    """The day of the count is still to come by the campaign's clock."""


def set_official_count(
    session: Session,
    *,
    campaign_id: UUID,
    account_id: UUID,
    count: tuple[int, date] | None,
    now: datetime,
) -> None:
    """Keep what the House's site counted and on which day, or nothing any more; the next report says it.

    Raises NoOfficialPetition, CountedTooSoon.
    """
    campaign = session.execute(select(Campaign.reference, Campaign.timezone).where(Campaign.id == campaign_id)).one()
    if official_page(campaign.reference) is None:
        raise NoOfficialPetition
    signatures, counted_on = (None, None) if count is None else count
    if counted_on is not None and counted_on > now.astimezone(ZoneInfo(campaign.timezone)).date():
        raise CountedTooSoon
    session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(official_signatures=signatures, official_counted_on=counted_on)
    )
    record(
        session,
        what="official_counted",
        now=now,
        account_id=account_id,
        campaign_id=campaign_id,
        details={"signatures": signatures, "on": None if counted_on is None else counted_on.isoformat()},
    )
