"""Who is told of what happened to a campaign: its owners, and the member who carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.mail.outbox import owe_letter
from app.models import Account, Member, Sponsor

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def tell_owners(session: Session, *, campaign_id: UUID, line: int, now: datetime) -> None:
    """Owe a letter about a line of the record to every owner, in the language of each."""
    owners = session.execute(
        select(Account.id, Account.locale)
        .join(Member, Member.account_id == Account.id)
        .where(Member.campaign_id == campaign_id, Member.role == "owner", Account.state == "active")
    )
    for owner in owners:
        owe_letter(
            session,
            kind="move_notice",
            dedupe_key=f"move_notice:{line}:{owner.id}",
            locale=owner.locale,
            now=now,
            campaign_id=campaign_id,
            account_id=owner.id,
            subject_id=UUID(int=line),
        )


def tell_sponsor(session: Session, *, campaign_id: UUID, news: str, line: int, now: datetime) -> None:
    """Owe the office of the member who carries the campaign a letter about a line of the record, if there is one."""
    sponsor_id = session.scalar(
        select(Sponsor.id).where(
            Sponsor.campaign_id == campaign_id, Sponsor.state == "accepted", Sponsor.email.is_not(None)
        )
    )
    if sponsor_id is not None:
        tell_office(session, sponsor_id=sponsor_id, news=news, line=line, now=now)


def tell_office(session: Session, *, sponsor_id: UUID, news: str, line: int, now: datetime) -> None:
    """Owe an office a letter; ``news`` is one of those in app/mail/life.py."""
    sponsor = session.execute(select(Sponsor.campaign_id, Sponsor.locale).where(Sponsor.id == sponsor_id)).one()
    owe_letter(
        session,
        kind="sponsor_notice",
        dedupe_key=f"sponsor_notice:{news}:{line}:{sponsor_id}",
        locale=sponsor.locale,
        now=now,
        campaign_id=sponsor.campaign_id,
        subject_id=sponsor_id,
    )
