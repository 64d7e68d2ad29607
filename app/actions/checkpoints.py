"""Telling checkpoints to those who would notice another history: the organiser, and the offices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import aliased

from app.mail.outbox import owe_letter
from app.models import Campaign, Checkpoint, Crossing, Office, OfficeStaff, Sponsor, Threshold

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

#: Between two letters where no number was reached.
WEEK: Final = timedelta(days=7)


def list_campaigns_to_tell(session: Session, *, now: datetime) -> list[UUID]:
    """Return the campaigns whose latest checkpoint is owed: it first holds a crossing, or a week is over."""
    newer = aliased(Checkpoint)
    latest = select(newer.id).where(newer.campaign_id == Campaign.id).order_by(newer.number.desc()).limit(1)
    untold = session.scalars(
        select(Checkpoint)
        .join(Campaign, Checkpoint.id == latest.correlate(Campaign).scalar_subquery())
        .where(Checkpoint.told_at.is_(None))
    ).all()
    return [each.campaign_id for each in untold if _is_owed(session, each, now)]


def tell_checkpoint(session: Session, *, campaign_id: UUID, now: datetime) -> None:
    """Owe letters with the latest checkpoint, where it is owed still."""
    checkpoint = session.scalars(
        select(Checkpoint)
        .where(Checkpoint.campaign_id == campaign_id)
        .order_by(Checkpoint.number.desc())
        .limit(1)
        .with_for_update()
    ).one()
    if checkpoint.told_at is not None or not _is_owed(session, checkpoint, now):
        return
    session.execute(update(Checkpoint).where(Checkpoint.id == checkpoint.id).values(told_at=now))
    for recipient, locale in _list_recipients(session, campaign_id, now).items():
        owe_letter(
            session,
            kind="checkpoint",
            dedupe_key=f"checkpoint:{recipient}:{checkpoint.id.hex}",
            locale=locale,
            now=now,
            campaign_id=campaign_id,
            subject_id=checkpoint.id,
        )


def _is_owed(session: Session, checkpoint: Checkpoint, now: datetime) -> bool:
    campaign_id = checkpoint.campaign_id
    told = aliased(Checkpoint)
    is_told = exists().where(
        told.campaign_id == campaign_id, told.told_at >= Crossing.recorded_at, told.signatures >= Threshold.signatures
    )
    crossing = session.scalar(
        select(Crossing.id)
        .join(Threshold, Threshold.id == Crossing.threshold_id)
        .where(Crossing.campaign_id == campaign_id, Threshold.signatures <= checkpoint.signatures, ~is_told)
        .limit(1)
    )
    if crossing is not None:
        return True
    last_told = session.scalar(select(func.max(told.told_at)).where(told.campaign_id == campaign_id))
    first_made = select(told.made_at).where(told.campaign_id == campaign_id, told.number == 1)
    since: datetime = last_told or session.scalars(first_made).one()
    return since <= now - WEEK


def _list_recipients(session: Session, campaign_id: UUID, now: datetime) -> dict[str, str]:
    """Return who is to be told, and in which language: the organiser, the sponsor's office, staff of living offices."""
    source_locale = session.scalars(select(Campaign.source_locale).where(Campaign.id == campaign_id)).one()
    recipients = {"organiser": source_locale}
    sponsors = select(Sponsor.id, Sponsor.locale).where(
        Sponsor.campaign_id == campaign_id, Sponsor.state == "accepted", Sponsor.email.is_not(None)
    )
    staff = (
        select(OfficeStaff.id, OfficeStaff.locale)
        .join(Office, Office.id == OfficeStaff.office_id)
        .where(
            Office.campaign_id == campaign_id,
            Office.revoked_at.is_(None),
            Office.expires_at > now,
            OfficeStaff.state == "joined",
            OfficeStaff.email.is_not(None),
        )
    )
    for who, statement in (("sponsor", sponsors), ("staff", staff)):
        recipients |= {f"{who}-{row.id.hex}": row.locale for row in session.execute(statement)}
    return recipients
