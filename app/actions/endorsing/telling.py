"""Who is told of what happened to an organisation, and what the record says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import exists, or_, select

from app.actions.records import record
from app.mail.outbox import owe_letter
from app.models import Account, Edition, Endorsement, EndorsementRenewal, Member
from app.rules.permissions import STAFF, StaffPermission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


class Addressed(NamedTuple):
    """Which organisation a letter is about, and in which language."""

    endorsement_id: UUID
    campaign_id: UUID
    locale: str


def address_of(endorsement: Endorsement) -> Addressed:
    """Return where letters about an organisation go."""
    return Addressed(endorsement.id, endorsement.campaign_id, endorsement.locale)


def note(
    session: Session,
    endorsement: Endorsement,
    what: str,
    *,
    now: datetime,
    account_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Add a line to the record and return its number; it names the row, and nobody."""
    return record(
        session,
        what=what,
        now=now,
        account_id=account_id,
        campaign_id=endorsement.campaign_id,
        details={"endorsement": str(endorsement.id), **(details or {})},
    )


def owe(session: Session, *, kind: str, dedupe_key: str, to: Addressed, now: datetime) -> None:
    """Owe a letter to whoever speaks for an organisation; app/mail/endorsing.py reads the words of its key."""
    owe_letter(
        session,
        kind=kind,
        dedupe_key=dedupe_key,
        locale=to.locale,
        now=now,
        campaign_id=to.campaign_id,
        subject_id=to.endorsement_id,
    )


def notify(session: Session, endorsement: Endorsement, news: str, line: int, now: datetime) -> None:
    """Owe the representative news about a line of the record, where somebody speaks for the organisation."""
    if endorsement.email is not None:
        key = f"endorsement_notice:{endorsement.id}:{news}:{line}"
        owe(session, kind="endorsement_notice", dedupe_key=key, to=address_of(endorsement), now=now)


def tell_team(session: Session, endorsement: Endorsement, news: str, line: int, now: datetime) -> None:
    """Owe every owner of the campaign news about a line of the record, in the language of each."""
    owners = session.execute(
        select(Account.id, Account.locale)
        .join(Member, Member.account_id == Account.id)
        .where(Member.campaign_id == endorsement.campaign_id, Member.role == "owner", Account.state == "active")
    )
    for owner in owners:
        owe_letter(
            session,
            kind="endorsement_waiting",
            dedupe_key=f"endorsement_waiting:{endorsement.id}:{news}:{line}:{owner.id}",
            locale=owner.locale,
            now=now,
            campaign_id=endorsement.campaign_id,
            account_id=owner.id,
            subject_id=endorsement.id,
        )


def tell_moderators(session: Session, campaign_id: UUID, letter_id: UUID, now: datetime) -> None:
    """Owe everybody who moderates a letter that there is something to read, once an hour for a campaign at most."""
    roles = [role for role, allowed in STAFF.items() if StaffPermission.MODERATE in allowed]
    hour = int(now.timestamp()) // 3600
    for account in session.execute(
        select(Account.id, Account.locale).where(Account.role.in_(roles), Account.state == "active")
    ):
        owe_letter(
            session,
            kind="authority_waiting",
            dedupe_key=f"authority_waiting:{campaign_id.hex}:{hour}:{account.id.hex}",
            locale=account.locale,
            now=now,
            campaign_id=campaign_id,
            account_id=account.id,
            subject_id=letter_id,
        )


def ask_again(session: Session, campaign_id: UUID, now: datetime, endorsement_id: UUID | None = None) -> int:
    """Ask who signed a text of another substance, or one of them, about the present one; return how many are owed."""
    changed = session.execute(
        select(Edition.id, Edition.number)
        .where(Edition.campaign_id == campaign_id, Edition.is_substantive.is_(True), Edition.number > 1)
        .order_by(Edition.number.desc())
        .limit(1)
    ).first()
    if changed is None:
        return 0
    present = select(Edition.id).where(Edition.campaign_id == campaign_id, Edition.number >= changed.number)
    has_renewed = exists().where(
        EndorsementRenewal.endorsement_id == Endorsement.id, EndorsementRenewal.edition_id.in_(present)
    )
    statement = select(Endorsement.id, Endorsement.locale).where(
        Endorsement.campaign_id == campaign_id,
        Endorsement.state == "accepted",
        Endorsement.email.is_not(None),
        or_(Endorsement.edition_id.is_(None), Endorsement.edition_id.not_in(present)),
        ~has_renewed,
    )
    if endorsement_id is not None:
        statement = statement.where(Endorsement.id == endorsement_id)
    asked = session.execute(statement).all()
    for row in asked:
        key = f"endorsement_again:{changed.id}:{row.id}"
        owe(session, kind="endorsement_again", dedupe_key=key, to=Addressed(row.id, campaign_id, row.locale), now=now)
    return len(asked)
