"""Appeals against a refusal or a stop: one for each, decided by another account than the one that decided first."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import select, update

from app.actions.life import ReviewerIsOfTeam, grant_appeal
from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Account, Appeal, Campaign, Member
from app.queries.appeals import find_first_decision, has_appealed
from app.rules.appeals import GROUNDS
from app.rules.permissions import STAFF

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session


class NothingToAppeal(Exception):
    """The campaign is neither refused nor stopped."""


class AppealedBefore(Exception):
    """There is an appeal against this very refusal, or this very stop."""


class AppealSettled(Exception):
    """Somebody decided it before, or the campaign moved on, or there is no such appeal."""


class DecidedFirst(Exception):
    """Whoever refused or stopped a campaign does not decide the appeal against that."""


def file_appeal(
    session: Session, *, appeal_id: UUID, campaign_id: UUID, text: str, account_id: UUID, now: datetime
) -> None:
    """Keep a team's appeal and tell those who may decide it. The same ``appeal_id`` again changes nothing.

    Raises NothingToAppeal, AppealedBefore.
    """
    # One at a time for a campaign: of two owners who appeal at once, one is told that the other did.
    state = session.scalars(
        select(Campaign.state).where(Campaign.id == campaign_id).with_for_update(key_share=True)
    ).one()
    if session.scalar(select(Appeal.id).where(Appeal.id == appeal_id)) is not None:
        return
    if state not in GROUNDS:
        raise NothingToAppeal
    if has_appealed(session, campaign_id=campaign_id, against=state):
        raise AppealedBefore
    row = {
        "id": appeal_id,
        "campaign_id": campaign_id,
        "against": state,
        "text": text,
        "account_id": account_id,
        "state": "open",
        "created_at": now,
    }
    session.execute(insert_if_absent(cast("Table", Appeal.__table__), dialect_of(session)), row)
    details = {"appeal": appeal_id.hex, "against": state}
    record(session, what="appeal", now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    _owe_notices(session, appeal_id=appeal_id, campaign_id=campaign_id, against=state, now=now)


def decide_appeal(
    session: Session, *, appeal_id: UUID, is_granted: bool, answer: str, account_id: UUID, now: datetime
) -> str:
    """Grant an appeal, which undoes what it is against, or uphold the decision; return which campaign's, by its slug.

    Raises AppealSettled, DecidedFirst, ReviewerIsOfTeam, CampaignCannotMove.
    """
    appeal = session.execute(
        select(Appeal.campaign_id, Appeal.against, Campaign.slug)
        .join(Campaign, Campaign.id == Appeal.campaign_id)
        .where(Appeal.id == appeal_id)
    ).first()
    if appeal is None:
        raise AppealSettled
    if session.get(Member, {"campaign_id": appeal.campaign_id, "account_id": account_id}) is not None:
        raise ReviewerIsOfTeam
    first = find_first_decision(session, campaign_id=appeal.campaign_id, against=appeal.against)
    if first.account_id == account_id:
        raise DecidedFirst
    decided = session.scalar(
        update(Appeal)
        .where(Appeal.id == appeal_id, Appeal.state == "open")
        .values(
            state="granted" if is_granted else "upheld", answer=answer or None, decided_by=account_id, decided_at=now
        )
        .returning(Appeal.id)
    )
    if decided is None:
        raise AppealSettled
    who = {"campaign_id": appeal.campaign_id, "account_id": account_id, "now": now}
    if is_granted:
        grant_appeal(session, name=GROUNDS[appeal.against].granting, **who)
    what = "appeal_granted" if is_granted else "appeal_upheld"
    record(session, what=what, details={"appeal": appeal_id.hex, "against": appeal.against}, **who)
    _owe_answers(session, appeal_id=appeal_id, campaign_id=appeal.campaign_id, now=now)
    slug: str = appeal.slug
    return slug


def _owe_notices(session: Session, *, appeal_id: UUID, campaign_id: UUID, against: str, now: datetime) -> None:
    first = find_first_decision(session, campaign_id=campaign_id, against=against)
    roles = [role for role, allowed in STAFF.items() if GROUNDS[against].needs in allowed]
    staff = select(Account.id, Account.locale).where(Account.role.in_(roles), Account.state == "active")
    readers = {row.id: row.locale for row in session.execute(staff) if row.id != first.account_id}
    _owe(session, "appeal_notice", readers, appeal_id=appeal_id, campaign_id=campaign_id, now=now)


def _owe_answers(session: Session, *, appeal_id: UUID, campaign_id: UUID, now: datetime) -> None:
    owners = (
        select(Account.id, Account.locale)
        .join(Member, Member.account_id == Account.id)
        .where(Member.campaign_id == campaign_id, Member.role == "owner", Account.state == "active")
    )
    readers = {row.id: row.locale for row in session.execute(owners)}
    _owe(session, "appeal_answer", readers, appeal_id=appeal_id, campaign_id=campaign_id, now=now)


def _owe(
    session: Session, kind: str, readers: Mapping[UUID, str], *, appeal_id: UUID, campaign_id: UUID, now: datetime
) -> None:
    for account_id, locale in readers.items():
        owe_letter(
            session,
            kind=kind,
            dedupe_key=f"{kind}:{appeal_id}:{account_id}",
            locale=locale,
            now=now,
            campaign_id=campaign_id,
            account_id=account_id,
            subject_id=appeal_id,
        )
