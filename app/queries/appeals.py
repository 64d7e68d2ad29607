"""Appeals: for the team that makes them, and for those who decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, select

from app.models import Appeal, Campaign, Member, Record
from app.queries.drafts import find_draft_titles
from app.rules.appeals import GROUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

#: How many a list shows: those that wait always come first.
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class FirstDecision:
    """The refusal, or the stop, that an appeal is against. Nobody decided where it was done at the terminal."""

    account_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class TeamAppeal:
    """An appeal as its team sees it."""

    id: UUID
    against: str
    text: str
    state: str
    created_at: datetime
    answer: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a team can appeal against, None for nothing; whether it did; and all its appeals, newest first."""

    against: str | None
    reason: str | None
    has_appealed: bool
    appeals: tuple[TeamAppeal, ...]


@dataclass(frozen=True, slots=True)
class JudgedAppeal:
    """An appeal as somebody of the service sees it."""

    id: UUID
    campaign_id: UUID
    slug: str
    kind: str
    titles: Mapping[str, str]
    source_locale: str
    timezone: str
    against: str
    text: str
    state: str
    created_at: datetime
    answer: str | None
    decided_at: datetime | None
    rule: str | None  # of a refusal
    reason: str | None
    is_own: bool  # whoever reads is of its team
    is_first: bool  # whoever reads decided first


def find_first_decision(session: Session, *, campaign_id: UUID, against: str) -> FirstDecision:
    """Return who brought a campaign into the state that an appeal is against, and when: the latest time."""
    row = session.execute(
        select(Record.account_id, Record.at)
        .where(Record.campaign_id == campaign_id, Record.what == GROUNDS[against].move)
        .order_by(Record.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return FirstDecision(None, session.scalars(select(Campaign.created_at).where(Campaign.id == campaign_id)).one())
    return FirstDecision(row.account_id, row.at)


def has_appealed(session: Session, *, campaign_id: UUID, against: str) -> bool:
    """Tell whether there is an appeal against the refusal, or the stop, that holds now."""
    first = find_first_decision(session, campaign_id=campaign_id, against=against)
    appeal_id = session.scalar(
        select(Appeal.id)
        .where(Appeal.campaign_id == campaign_id, Appeal.against == against, Appeal.created_at >= first.at)
        .limit(1)
    )
    return appeal_id is not None


def find_standing(session: Session, *, campaign_id: UUID) -> Standing:
    """Return what a team can do, and what it did."""
    campaign = session.get_one(Campaign, campaign_id)
    rows = session.scalars(
        select(Appeal).where(Appeal.campaign_id == campaign_id).order_by(Appeal.created_at.desc(), Appeal.id)
    )
    against = campaign.state if campaign.state in GROUNDS else None
    return Standing(
        against=against,
        reason=_reason(campaign, campaign.state),
        has_appealed=against is not None and has_appealed(session, campaign_id=campaign_id, against=against),
        appeals=tuple(
            TeamAppeal(row.id, row.against, row.text, row.state, row.created_at, row.answer, row.decided_at)
            for row in rows
        ),
    )


def list_appeals(session: Session, *, account_id: UUID) -> list[JudgedAppeal]:
    """Return appeals, those that wait first, the longest waiting first; then the newest decided."""
    is_open = Appeal.state == "open"
    rows = session.execute(
        select(Appeal, Campaign)
        .join(Campaign, Campaign.id == Appeal.campaign_id)
        .order_by(case((is_open, 0), else_=1), case((is_open, Appeal.created_at)), Appeal.decided_at.desc(), Appeal.id)
        .limit(SHOWN)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.Campaign.id for row in rows])
    return [_judged(session, row, titles, account_id) for row in rows]


def find_appeal(session: Session, *, appeal_id: UUID, account_id: UUID) -> JudgedAppeal | None:
    """Return an appeal for somebody who may decide it, or None."""
    row = session.execute(
        select(Appeal, Campaign).join(Campaign, Campaign.id == Appeal.campaign_id).where(Appeal.id == appeal_id)
    ).first()
    if row is None:
        return None
    return _judged(session, row, find_draft_titles(session, campaign_ids=[row.Campaign.id]), account_id)


def _judged(
    session: Session, row: Row[*tuple[Any, ...]], titles: Mapping[UUID, Mapping[str, str]], account_id: UUID
) -> JudgedAppeal:
    appeal, campaign = row.Appeal, row.Campaign
    is_open = appeal.state == "open"
    first = find_first_decision(session, campaign_id=campaign.id, against=appeal.against) if is_open else None
    member = session.get(Member, {"campaign_id": campaign.id, "account_id": account_id}) if is_open else None
    return JudgedAppeal(
        id=appeal.id,
        campaign_id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        titles=titles.get(campaign.id, {}),
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        against=appeal.against,
        text=appeal.text,
        state=appeal.state,
        created_at=appeal.created_at,
        answer=appeal.answer,
        decided_at=appeal.decided_at,
        rule=campaign.refused_rule if is_open and appeal.against == "refused" else None,
        reason=_reason(campaign, appeal.against) if is_open else None,
        is_own=member is not None,
        is_first=first is not None and first.account_id == account_id,
    )


def _reason(campaign: Campaign, against: str) -> str | None:
    reasons = {"refused": campaign.refused_because, "stopped": campaign.stopped_because}
    return reasons.get(against)
