"""Forgetting on schedule: forms that nobody confirmed, keys of campaigns long closed, yesterday's quotas."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from sqlalchemy import CursorResult, and_, case, delete, exists, func, literal, or_, select, update

from app.actions.endorsing import forget_endorsers
from app.actions.limiting import forget_buckets
from app.actions.own_signature import NO_DETAILS
from app.actions.paper import forget_lines
from app.models import (
    AccountSession,
    Campaign,
    CampaignKey,
    Challenge,
    LetterQuota,
    LogLeaf,
    Office,
    OfficeStaff,
    Question,
    QuotaSalt,
    Signature,
    SignInRequest,
    Token,
)
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

UNCONFIRMED_KEPT: Final = timedelta(days=14)
CONFIRMED_KEPT: Final = timedelta(days=365)  # after closing
QUOTAS_KEPT: Final = timedelta(hours=48)
QUESTIONS_KEPT: Final = timedelta(days=90)  # after they were answered or closed
OPEN_QUESTIONS_KEPT: Final = timedelta(days=180)
INVITED_KEPT: Final = timedelta(days=30)
SIGN_INS_KEPT: Final = timedelta(days=1)
CHUNK: Final = 1000
#: Where a walk through rows begins.
BEFORE_ALL: Final = UUID(int=0)
#: The organiser's address once all is forgotten that its campaign's key sealed.
EMPTIED: Final = b""


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
    """Return the campaigns closed, or stopped, for a year whose key still exists, or whose rows are not all emptied.

    The organiser's address, which was sealed with the key, is emptied last (``forget_signers``). Closing early sets the
    closing date: one without it is open, or stopped. What was never published has no signer, and a closing date in it
    is a wish, which may be long past: of a petition of years ago that is brought in a file.
    """
    year_ago = now - CONFIRMED_KEPT
    is_closed = and_(Campaign.state.in_(PUBLIC_STATES), Campaign.closes_at <= year_ago)
    is_stopped = and_(Campaign.state == "stopped", Campaign.stopped_at <= year_ago)
    has_key = exists().where(CampaignKey.campaign_id == Campaign.id)
    return list(
        session.scalars(
            select(Campaign.id).where(or_(is_closed, is_stopped), or_(has_key, Campaign.organiser_email != EMPTIED))
        )
    )


def forget_signers(session: Session, *, campaign_id: UUID, after: UUID = BEFORE_ALL) -> UUID | None:
    """Destroy a campaign's key: names and addresses are noise from here on, in backups too; totals stay.

    Then empty the rows that it sealed, as many at a time as are its own among a thousand: on SQLite everybody else
    waits meanwhile. Returns after which row to go on, None at the end; whoever broke off begins anew.
    """
    session.execute(delete(CampaignKey).where(CampaignKey.campaign_id == campaign_id))
    beyond = Signature.id > after
    until = session.scalar(select(Signature.id).where(beyond).order_by(Signature.id).offset(CHUNK - 1).limit(1))
    these = beyond if until is None else and_(beyond, Signature.id <= until)
    ids = session.scalars(select(Signature.id).where(Signature.campaign_id == campaign_id, these)).all()
    session.execute(delete(Token).where(Token.signature_id.in_(ids)))
    session.execute(update(Signature).where(Signature.id.in_(ids)).values(**NO_DETAILS))
    # Without the key no salt opens, and no receipt can be made again; whose leaf was whose goes with it.
    session.execute(update(LogLeaf).where(LogLeaf.signature_id.in_(ids)).values(signature_id=None, salt=None))
    if until is None:
        forget_endorsers(session, campaign_id=campaign_id)
        forget_lines(session, campaign_id=campaign_id)
        session.execute(update(Campaign).where(Campaign.id == campaign_id).values(organiser_email=EMPTIED))
    return until


def forget_questions(session: Session, *, now: datetime) -> int:
    """Empty what visitors asked 90 days ago or longer before, counted from the answer; after 180 in any case."""
    is_due = or_(Question.answered_at <= now - QUESTIONS_KEPT, Question.created_at <= now - OPEN_QUESTIONS_KEPT)
    due = select(Question.id).where(is_due, Question.email_index.is_not(None)).limit(CHUNK)
    emptied = session.scalars(
        update(Question)
        .where(Question.id.in_(due))
        .values(
            state=case((Question.state == "open", "closed"), else_=Question.state),
            answered_at=func.coalesce(Question.answered_at, literal(now, Question.answered_at.type)),
            email_index=None,
            name=None,
            email=None,
            text=None,
            answer=None,
        )
        .returning(Question.id)
    )
    return len(emptied.all())


def forget_offices(session: Session, *, now: datetime) -> None:
    """Empty the addresses of an office's staff once it has ended, and of those who have not come for a month."""
    ended = select(Office.id).where(or_(Office.expires_at <= now, Office.revoked_at.is_not(None)))
    never_came = and_(OfficeStaff.state == "invited", OfficeStaff.invited_at <= now - INVITED_KEPT)
    session.execute(
        update(OfficeStaff)
        .where(OfficeStaff.email.is_not(None), or_(OfficeStaff.office_id.in_(ended), never_came))
        .values(state="removed", ended_at=now, email=None, email_index=secrets.token_bytes(32))
    )


def forget_quotas(session: Session, *, now: datetime) -> int:
    """Destroy the salts and numbers of days that began 48 hours ago, so that no salt grows older; return how many.

    The minutes that limits count in go too, and proofs of work that have expired.
    """
    last_gone = (now - QUOTAS_KEPT).date()
    session.execute(delete(QuotaSalt).where(QuotaSalt.day <= last_gone))
    gone = session.execute(delete(LetterQuota).where(LetterQuota.day <= last_gone))
    forget_buckets(session, now=now)
    return cast("CursorResult[Any]", gone).rowcount


def forget_sign_ins(session: Session, *, now: datetime) -> None:
    """Forget who asked to sign in a day ago, challenges as old, and sessions that have ended."""
    session.execute(delete(SignInRequest).where(SignInRequest.created_at <= now - SIGN_INS_KEPT))
    session.execute(delete(Challenge).where(Challenge.expires_at <= now - SIGN_INS_KEPT))
    session.execute(delete(AccountSession).where(AccountSession.expires_at <= now))
