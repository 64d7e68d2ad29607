"""Counting: the roll-up that takes events, moves the total, and records a crossing once for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import and_, delete, insert, or_, select, update

from app.mail.outbox import owe_letter
from app.models import Campaign, CampaignCount, CountEvent, Crossing, Sponsor, Threshold

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def list_campaigns_to_roll_up(session: Session) -> list[UUID]:
    """Return the campaigns that have events waiting."""
    return list(session.scalars(select(CountEvent.campaign_id).distinct()))


def roll_up_count(session: Session, *, campaign_id: UUID, now: datetime) -> int:
    """Take every event that is there, add it to the total, record thresholds that it reaches, and return the total.

    The counter's row is locked first, so that rollers take turns. Events are taken by deleting them: an event that is
    committed late is simply taken by a later roll-up, where a high-water mark would lose it.
    """
    total: int = session.scalars(
        select(CampaignCount.signatures).where(CampaignCount.campaign_id == campaign_id).with_for_update()
    ).one()
    events = session.execute(
        delete(CountEvent).where(CountEvent.campaign_id == campaign_id).returning(CountEvent.change, CountEvent.at)
    ).all()
    if not events:
        return total
    total += sum(event.change for event in events)
    session.execute(
        update(CampaignCount).where(CampaignCount.campaign_id == campaign_id).values(signatures=total, counted_at=now)
    )
    additions = [event.at for event in events if event.change > 0]
    if additions:
        _record_crossings(session, campaign_id, total, reached_at=max(additions), now=now)
    if len(additions) < len(events):
        _note_fall(session, campaign_id, total, now)
    if additions:
        _note_return(session, campaign_id, total, now)
    return total


def _note_fall(session: Session, campaign_id: UUID, total: int, now: datetime) -> None:
    """Note that a count fell below a threshold it had reached. The crossing stands."""
    session.execute(
        update(Threshold)
        .where(
            Threshold.campaign_id == campaign_id,
            Threshold.reached_at.is_not(None),
            Threshold.signatures > total,
            or_(Threshold.fell_below_at.is_(None), Threshold.regained_at.is_not(None)),
        )
        .values(fell_below_at=now, regained_at=None)
    )


def _note_return(session: Session, campaign_id: UUID, total: int, now: datetime) -> None:
    session.execute(
        update(Threshold)
        .where(
            Threshold.campaign_id == campaign_id,
            Threshold.fell_below_at.is_not(None),
            Threshold.regained_at.is_(None),
            Threshold.signatures <= total,
        )
        .values(regained_at=now)
    )


def _record_crossings(session: Session, campaign_id: UUID, total: int, *, reached_at: datetime, now: datetime) -> None:
    reached = session.scalars(
        update(Threshold)
        .where(Threshold.campaign_id == campaign_id, Threshold.reached_at.is_(None), Threshold.signatures <= total)
        .values(reached_at=reached_at)
        .returning(Threshold.id)
    ).all()
    for threshold_id in reached:
        crossing_id = uuid4()
        crossing = {
            "id": crossing_id,
            "threshold_id": threshold_id,
            "campaign_id": campaign_id,
            "signatures": total,
            "reached_at": reached_at,
            "recorded_at": now,
        }
        session.execute(insert(Crossing), crossing)
        _owe_crossing_letters(session, campaign_id, crossing_id, now)


def _owe_crossing_letters(session: Session, campaign_id: UUID, crossing_id: UUID, now: datetime) -> None:
    campaign = session.execute(
        select(Campaign.source_locale, Sponsor.email, Sponsor.locale)
        .outerjoin(Sponsor, and_(Sponsor.campaign_id == Campaign.id, Sponsor.state == "accepted"))
        .where(Campaign.id == campaign_id)
    ).one()
    recipients = {"crossing_organiser": campaign.source_locale}
    if campaign.email is not None:
        recipients["crossing_office"] = campaign.locale
    for kind, locale in recipients.items():
        owe_letter(
            session,
            kind=kind,
            dedupe_key=f"{kind}:{crossing_id}",
            locale=locale,
            now=now,
            campaign_id=campaign_id,
            crossing_id=crossing_id,
        )
