"""What visitors report of campaigns: kept sealed, read and settled by moderators. No letter goes to whoever reports.

However much comes, the answer is the same: what is beyond the caps of a day is not kept, and nobody is told which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import delete, func, or_, select, update

from app.actions.accounts import make_account_key
from app.actions.limiting import count_today
from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.models import Complaint, open_campaign_key
from app.rules.limits import is_private

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

DAY: Final = timedelta(hours=24)
#: What is kept in a day of one address (of a hall, perhaps) on a campaign, and from everywhere on it.
FROM_AN_ADDRESS: Final = 10
FOR_A_CAMPAIGN: Final = 500
KEPT: Final = timedelta(days=90)  # after it was settled
OPEN_KEPT: Final = timedelta(days=365)
CHUNK: Final = 1000


class ComplaintSettled(Exception):
    """Somebody has settled it before, or there is no such report."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a visitor typed, cleaned; ``reason`` is a word of app/rules/complaints.py."""

    reason: str
    text: str
    email: str


def report_campaign(
    session: Session,
    *,
    complaint_id: UUID,
    campaign_id: UUID,
    reported: Reported,
    locale: str,
    address: str | None,
    keyring: Keyring,
    now: datetime,
    endorsement_id: UUID | None = None,
) -> None:
    """Keep what a visitor reports, unless the day is full; the same form again changes nothing.

    ``endorsement_id`` is the organisation whose signature it disputes, where it does.
    ``address`` is where it came from: an IPv4 address or an IPv6 /64, as text. Only a hash of it is kept, for a day.
    """
    if session.get(Complaint, complaint_id) is not None:
        return
    today = select(func.count()).where(Complaint.campaign_id == campaign_id, Complaint.created_at > now - DAY)
    if session.scalars(today).one() >= FOR_A_CAMPAIGN:
        return
    if (
        address is not None
        and not is_private(address)
        and count_today(session, what=b"complaint", campaign_id=campaign_id, address=address, keyring=keyring, now=now)
        > FROM_AN_ADDRESS
    ):
        return
    # A campaign's key is destroyed a year after it closes; its page, and what is wrong with it, stay.
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    if key is None:
        key = make_account_key(session, keyring=keyring, now=now)
    session.execute(
        insert_if_absent(cast("Table", Complaint.__table__), dialect_of(session)),
        {
            "id": complaint_id,
            "campaign_id": campaign_id,
            "endorsement_id": endorsement_id,
            "reason": reported.reason,
            "text": key.seal("complaints.text", complaint_id, reported.text) if reported.text else None,
            "email": key.seal("complaints.email", complaint_id, reported.email) if reported.email else None,
            "locale": locale,
            "state": "open",
            "created_at": now,
        },
    )


def settle_complaint(session: Session, *, complaint_id: UUID, outcome: str, account_id: UUID, now: datetime) -> None:
    """Put a report aside with what came of it, on record. Raises ComplaintSettled."""
    campaign_id = session.scalar(
        update(Complaint)
        .where(Complaint.id == complaint_id, Complaint.state == "open")
        .values(state="settled", outcome=outcome, settled_at=now, settled_by=account_id)
        .returning(Complaint.campaign_id)
    )
    if campaign_id is None:
        raise ComplaintSettled
    details = {"complaint": complaint_id.hex, "outcome": outcome}
    record(session, what="complaint_settled", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def forget_complaints(session: Session, *, now: datetime) -> int:
    """Delete what was settled 90 days ago, and empty what nobody has settled within a year.

    Return how many of the one or of the other, whichever is more: ``CHUNK`` where there may be more to do.
    """
    settled = select(Complaint.id).where(Complaint.settled_at <= now - KEPT).limit(CHUNK)
    deleted = session.scalars(delete(Complaint).where(Complaint.id.in_(settled)).returning(Complaint.id)).all()
    is_filled = or_(Complaint.text.is_not(None), Complaint.email.is_not(None))
    old = select(Complaint.id).where(Complaint.created_at <= now - OPEN_KEPT, is_filled).limit(CHUNK)
    emptied = session.scalars(
        update(Complaint).where(Complaint.id.in_(old)).values(text=None, email=None).returning(Complaint.id)
    ).all()
    return max(len(deleted), len(emptied))
