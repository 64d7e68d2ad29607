"""What visitors reported of campaigns: a list that opens nothing, and one report, opened for a moderator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, func, select

from app.core.keys import SealBrokenError
from app.models import Campaign, Complaint, Endorsement, open_account_key, open_campaign_key
from app.queries.drafts import find_draft_titles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class ListedComplaint:
    """A report in a list."""

    id: UUID
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    reason: str
    locale: str
    has_words: bool
    state: str
    created_at: datetime
    outcome: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenedComplaint:
    """A report on its own page. ``text`` and ``email`` are None where nothing was written, or once they are erased."""

    listed: ListedComplaint
    campaign_id: UUID
    campaign_state: str
    text: str | None
    email: str | None
    others: int  # open reports of the same campaign beside this one
    endorsement_id: UUID | None = None  # the organisation whose signature it disputes
    organisation: str | None = None  # what that organisation is called


@dataclass(frozen=True, slots=True)
class Complaints:
    """One page of all reports, and how many there are, on all pages, and open."""

    listed: tuple[ListedComplaint, ...]
    total: int
    open: int

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // PAGE))


def list_complaints(session: Session, *, page: int) -> Complaints:
    """Return a page (from 1) of reports: open ones first, the oldest first; then the newest settled."""
    is_open = Complaint.state == "open"
    counted = session.execute(
        select(func.count().label("total"), func.count(case((is_open, 1))).label("open")).select_from(Complaint)
    ).one()
    rows = session.execute(
        select(Complaint, Campaign.slug, Campaign.source_locale)
        .join(Campaign, Campaign.id == Complaint.campaign_id)
        .order_by(
            case((is_open, 0), else_=1),
            case((is_open, Complaint.created_at)),
            Complaint.settled_at.desc(),
            Complaint.id,
        )
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.Complaint.campaign_id for row in rows])
    return Complaints(tuple(_listed(row, titles) for row in rows), counted.total, counted.open)


def find_complaint(session: Session, *, complaint_id: UUID, keyring: Keyring) -> OpenedComplaint | None:
    """Return a report, opened, or None."""
    row = session.execute(
        select(
            Complaint,
            Campaign.slug,
            Campaign.source_locale,
            Campaign.state.label("campaign_state"),
            Endorsement.name.label("organisation"),
        )
        .join(Campaign, Campaign.id == Complaint.campaign_id)
        .outerjoin(Endorsement, Endorsement.id == Complaint.endorsement_id)
        .where(Complaint.id == complaint_id)
    ).first()
    if row is None:
        return None
    complaint = row.Complaint
    # What came after the campaign's key was destroyed is sealed with that of the accounts.
    keys = (
        open_campaign_key(session, campaign_id=complaint.campaign_id, keyring=keyring),
        open_account_key(session, keyring=keyring),
    )
    others = session.scalars(
        select(func.count()).where(
            Complaint.campaign_id == complaint.campaign_id, Complaint.state == "open", Complaint.id != complaint_id
        )
    ).one()
    return OpenedComplaint(
        listed=_listed(row, find_draft_titles(session, campaign_ids=[complaint.campaign_id])),
        campaign_id=complaint.campaign_id,
        campaign_state=row.campaign_state,
        text=_open(keys, "complaints.text", complaint_id, complaint.text),
        email=_open(keys, "complaints.email", complaint_id, complaint.email),
        others=others,
        endorsement_id=complaint.endorsement_id,
        organisation=row.organisation,
    )


def _listed(row: Row[*tuple[object, ...]], titles: Mapping[UUID, Mapping[str, str]]) -> ListedComplaint:
    complaint: Complaint = row.Complaint
    return ListedComplaint(
        id=complaint.id,
        slug=row.slug,
        titles=titles.get(complaint.campaign_id, {}),
        source_locale=row.source_locale,
        reason=complaint.reason,
        locale=complaint.locale,
        has_words=complaint.text is not None,
        state=complaint.state,
        created_at=complaint.created_at,
        outcome=complaint.outcome,
        settled_at=complaint.settled_at,
    )


def _open(keys: tuple[DataKey | None, ...], place: str, row_id: UUID, sealed: bytes | None) -> str | None:
    for key in keys:
        if key is not None and sealed is not None:
            try:
                return key.open(place, row_id, sealed)
            except SealBrokenError:
                continue
    return None
