"""Forgetting on schedule: forms that nobody confirmed, keys of campaigns long closed, yesterday's quotas."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import CursorResult, delete, select, update

from app.actions.own_signature import NO_DETAILS
from app.models import Campaign, CampaignKey, LetterQuota, QuotaSalt, Signature, Token

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

UNCONFIRMED_KEPT: Final = timedelta(days=14)
CONFIRMED_KEPT: Final = timedelta(days=365)  # after closing
QUOTAS_KEPT: Final = timedelta(hours=48)
CHUNK: Final = 1000


def expire_signatures(session: Session, *, now: datetime) -> int:
    """Empty up to a thousand forms that were not confirmed within fourteen days; return how many."""
    due = (
        select(Signature.id)
        .where(Signature.state == "pending", Signature.created_at <= now - UNCONFIRMED_KEPT)
        .limit(CHUNK)
    )
    expired = list(
        session.scalars(
            update(Signature)
            .where(Signature.id.in_(due), Signature.state == "pending")
            .values(state="expired", ended_at=now, **NO_DETAILS)
            .returning(Signature.id)
        )
    )
    if expired:
        # A confirmation link stays known as one that has expired: its page offers to sign again, and says nothing else.
        session.execute(delete(Token).where(Token.signature_id.in_(expired), Token.purpose != "confirm"))
    return len(expired)


def list_campaigns_to_forget(session: Session, *, now: datetime) -> list[UUID]:
    """Return the campaigns closed for a year whose key still exists."""
    return list(
        session.scalars(
            select(Campaign.id)
            .join(CampaignKey, CampaignKey.campaign_id == Campaign.id)
            .where(Campaign.closes_at <= now - CONFIRMED_KEPT)
        )
    )


def forget_signers(session: Session, *, campaign_id: UUID) -> None:
    """Destroy a campaign's key: names and addresses are noise from here on, in backups too; totals stay."""
    session.execute(delete(CampaignKey).where(CampaignKey.campaign_id == campaign_id))
    session.execute(
        delete(Token).where(Token.signature_id.in_(select(Signature.id).where(Signature.campaign_id == campaign_id)))
    )
    session.execute(update(Signature).where(Signature.campaign_id == campaign_id).values(**NO_DETAILS))


def forget_quotas(session: Session, *, now: datetime) -> int:
    """Destroy the salts and numbers of days that began 48 hours ago, so that no salt grows older; return how many."""
    last_gone = (now - QUOTAS_KEPT).date()
    session.execute(delete(QuotaSalt).where(QuotaSalt.day <= last_gone))
    gone = session.execute(delete(LetterQuota).where(LetterQuota.day <= last_gone))
    return cast("CursorResult[Any]", gone).rowcount
