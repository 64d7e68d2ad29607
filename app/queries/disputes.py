"""Organisations whose signature somebody disputes, as moderators see them: reported, marked, taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, or_, select

from app.models import Campaign, Complaint, Endorsement, Member
from app.queries.drafts import find_draft_titles
from app.queries.endorsements import TeamEndorsement, list_team_endorsements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

#: The longest list: what was taken out long ago is found by its reports, or by the record.
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class DisputedLine:
    """An organisation in the list; ``reports`` are those that nobody has settled."""

    id: UUID
    name: str
    acronym: str | None
    state: str
    proof: str | None
    is_disputed: bool
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    reports: int


@dataclass(frozen=True, slots=True)
class JudgedEndorsement:
    """An organisation on its own page, with its open reports, oldest first."""

    endorsement: TeamEndorsement
    campaign_id: UUID
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    campaign_state: str
    reports: tuple[UUID, ...]


def list_disputes(session: Session, *, account_id: UUID) -> list[DisputedLine]:
    """Return organisations that are reported, disputed or taken out: those with open reports first, then the newest.

    None of a campaign whose team the account is of: somebody else looks at these.
    """
    own = select(Member.campaign_id).where(Member.account_id == account_id)
    reports = (
        select(func.count())
        .where(Complaint.endorsement_id == Endorsement.id, Complaint.state == "open")
        .correlate(Endorsement)
        .scalar_subquery()
        .label("reports")
    )
    is_marked = and_(Endorsement.state == "accepted", Endorsement.disputed_at.is_not(None))
    rows = session.execute(
        select(Endorsement, Campaign.slug, Campaign.source_locale, reports)
        .join(Campaign, Campaign.id == Endorsement.campaign_id)
        .where(or_(reports > 0, is_marked, Endorsement.state == "removed"), Endorsement.campaign_id.not_in(own))
        .order_by((reports > 0).desc(), Endorsement.state != "accepted", Endorsement.asked_at.desc(), Endorsement.id)
        .limit(MOST)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.Endorsement.campaign_id for row in rows])
    return [_line(row, titles) for row in rows]


def find_judged_endorsement(session: Session, *, endorsement_id: UUID, keyring: Keyring) -> JudgedEndorsement | None:
    """Return an organisation that came as far as its campaign's team, or None."""
    row = session.execute(
        select(Campaign.id, Campaign.slug, Campaign.source_locale, Campaign.state)
        .join(Endorsement, Endorsement.campaign_id == Campaign.id)
        .where(Endorsement.id == endorsement_id)
    ).first()
    if row is None:
        return None
    found = list_team_endorsements(session, campaign_id=row.id, keyring=keyring, only=endorsement_id)
    endorsement = next(iter(found), None)
    if endorsement is None:
        return None
    reports = session.scalars(
        select(Complaint.id)
        .where(Complaint.endorsement_id == endorsement_id, Complaint.state == "open")
        .order_by(Complaint.created_at, Complaint.id)
    )
    return JudgedEndorsement(
        endorsement=endorsement,
        campaign_id=row.id,
        slug=row.slug,
        titles=find_draft_titles(session, campaign_ids=[row.id]).get(row.id, {}),
        source_locale=row.source_locale,
        campaign_state=row.state,
        reports=tuple(reports),
    )


def _line(row: Any, titles: Mapping[UUID, Mapping[str, str]]) -> DisputedLine:  # noqa: ANN401 - a row
    each: Endorsement = row.Endorsement
    return DisputedLine(
        id=each.id,
        name=each.name,
        acronym=each.acronym,
        state=each.state,
        proof=each.proof,
        is_disputed=each.disputed_at is not None,
        slug=row.slug,
        titles=titles.get(each.campaign_id, {}),
        source_locale=row.source_locale,
        reports=row.reports,
    )
