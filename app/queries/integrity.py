"""What is published of integrity: removals by rule and day, of days that have ended; and refusals of campaigns.

A number below five is not published. It waits, and is part of that of a later day.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, or_, select

from app.models import Appeal, Campaign, Edition, IntegrityDay
from app.queries.drafts import find_draft_titles
from app.rules.moves import PUBLIC_STATES
from app.rules.suppression import SMALLEST, gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

PAGE: Final = 50
#: How many campaigns the page about counting lists; the others are found from their own pages.
CAMPAIGNS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many signatures were held back, taken out and given back."""

    held: int
    removed: int
    restored: int


@dataclass(frozen=True, slots=True)
class RemovalDay:
    """What a rule did until the end of a day (UTC), since the day before of this rule where the number shows."""

    day: date
    rule: str
    held: int
    removed: int
    restored: int


@dataclass(frozen=True, slots=True)
class Removals:
    """What is published of one campaign: days in their order, and their sums, through the last whole day (UTC).

    Each number is nothing, or five at least.
    """

    counted_through: date
    days: tuple[RemovalDay, ...]

    @property
    def totals(self) -> Numbers:
        """The sums of all days."""
        return Numbers(*(sum(getattr(day, name) for day in self.days) for name in _NUMBERS))


@dataclass(frozen=True, slots=True)
class ListedCampaign:
    """A published campaign of which something was held back or taken out."""

    slug: str
    titles: Mapping[str, str]
    source_locale: str
    last_day: date
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class RefusedCampaign:
    """A refusal: no titles where they are not published; ``is_lifted``, that it was undone on appeal."""

    refused_at: datetime
    kind: str
    rule: str
    titles: Mapping[str, str]
    source_locale: str
    is_lifted: bool


@dataclass(frozen=True, slots=True)
class Refusals:
    """One page of refusals, newest first, and how many there are on all pages."""

    listed: tuple[RefusedCampaign, ...]
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // PAGE))


def last_whole_day(now: datetime) -> date:
    """Return the last day (UTC) that is over.

    What is published goes so far and no further: whoever could see today's numbers could sign with a made-up mailbox,
    look whether a number moved, and so learn of each try whether it was found out.
    """
    return now.astimezone(UTC).date() - timedelta(days=1)


def find_removals(session: Session, *, slug: str, now: datetime) -> Removals | None:
    """Return what is published of a campaign, or None where there is no such page."""
    campaign_id = session.scalar(select(Campaign.id).where(Campaign.slug == slug, Campaign.state.in_(PUBLIC_STATES)))
    if campaign_id is None:
        return None
    through = last_whole_day(now)
    return _find_shown(session, [campaign_id], through)[campaign_id]


def list_campaigns_with_removals(session: Session, *, now: datetime) -> list[ListedCampaign]:
    """Return published campaigns of which removals show, those with the latest day first."""
    through = last_whole_day(now)
    sums = [func.sum(getattr(IntegrityDay, name)) for name in _NUMBERS]
    rows = session.execute(
        select(Campaign.id, Campaign.slug, Campaign.source_locale)
        .join(IntegrityDay, IntegrityDay.campaign_id == Campaign.id)
        .where(Campaign.state.in_(PUBLIC_STATES), IntegrityDay.day <= through)
        .group_by(Campaign.id, Campaign.slug, Campaign.source_locale)
        .having(or_(*(each >= SMALLEST for each in sums)))
        .order_by(func.max(IntegrityDay.day).desc(), Campaign.slug)
        .limit(CAMPAIGNS_SHOWN)
    ).all()
    ids = [row.id for row in rows]
    titles, shown = _find_titles(session, ids), _find_shown(session, ids, through)
    listed = [
        ListedCampaign(row.slug, titles[row.id], row.source_locale, removals.days[-1].day, removals.totals)
        for row in rows
        if (removals := shown[row.id]).days
    ]
    # By the last day that shows: an order by the last that there is would tell of it.
    return sorted(listed, key=lambda each: (-each.last_day.toordinal(), each.slug))


def list_refusals(session: Session, *, page: int) -> Refusals:
    """Return a page (from 1) of the campaigns that were refused, newest first, with no word of their teams.

    A title stands there only while the campaign is refused: what its team makes of it afterwards is a text of its own.
    """
    was_refused = and_(Campaign.refused_at.is_not(None), Campaign.refused_rule.is_not(None))
    total = session.scalars(select(func.count()).select_from(Campaign).where(was_refused)).one()
    is_lifted = exists().where(
        Appeal.campaign_id == Campaign.id,
        Appeal.against == "refused",
        Appeal.state == "granted",
        Appeal.created_at >= Campaign.refused_at,
    )
    rows = session.execute(
        select(Campaign, is_lifted.label("is_lifted"))
        .where(was_refused)
        .order_by(Campaign.refused_at.desc(), Campaign.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    titled = [row.Campaign.id for row in rows if row.Campaign.is_refusal_titled and row.Campaign.state == "refused"]
    titles = find_draft_titles(session, campaign_ids=titled)
    return Refusals(tuple(_refused(row, titles) for row in rows), total)


_NUMBERS: Final = ("held", "removed", "restored")


def _find_shown(session: Session, ids: list[UUID], through: date) -> dict[UUID, Removals]:
    """Return what is published of campaigns."""
    rows = session.scalars(
        select(IntegrityDay)
        .where(IntegrityDay.campaign_id.in_(ids), IntegrityDay.day <= through)
        .order_by(IntegrityDay.day)
    )
    by_rule: defaultdict[tuple[UUID, str], list[IntegrityDay]] = defaultdict(list)
    for row in rows:
        by_rule[row.campaign_id, row.rule].append(row)
    days: dict[UUID, list[RemovalDay]] = {campaign_id: [] for campaign_id in ids}
    for (campaign_id, rule), found in by_rule.items():
        days[campaign_id] += _gather_days(rule, found)
    return {
        campaign_id: Removals(through, tuple(sorted(each, key=lambda day: (day.day, day.rule))))
        for campaign_id, each in days.items()
    }


def _gather_days(rule: str, found: list[IntegrityDay]) -> Iterable[RemovalDay]:
    # Each number by itself: five that a moderator took out are no cover for one that was held.
    shown = zip(*(gather(getattr(row, name) for row in found) for name in _NUMBERS), strict=True)
    for row, numbers in zip(found, shown, strict=True):
        if any(numbers):
            yield RemovalDay(row.day, rule, *numbers)


def _refused(row: Row[*tuple[Any, ...]], titles: Mapping[UUID, Mapping[str, str]]) -> RefusedCampaign:
    campaign = row.Campaign
    return RefusedCampaign(
        refused_at=campaign.refused_at,
        kind=campaign.kind,
        rule=campaign.refused_rule,
        titles=titles.get(campaign.id, {}),
        source_locale=campaign.source_locale,
        is_lifted=row.is_lifted,
    )


def _find_titles(session: Session, ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    """Return the titles of published campaigns, those of their newest editions."""
    rows = session.execute(
        select(Edition.campaign_id, Edition.texts).where(Edition.campaign_id.in_(ids)).order_by(Edition.number)
    )
    return {row.campaign_id: {locale: text["title"] for locale, text in row.texts.items()} for row in rows}
