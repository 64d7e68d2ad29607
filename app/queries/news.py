"""What happened on campaigns, for everybody to know: opened, reached a count, was answered. And where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.models import Campaign, Edition, Response, Threshold
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

#: A stopped campaign makes no news.
_TOLD: tuple[str, ...] = tuple(sorted(PUBLIC_STATES - {"stopped"}))


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened: ``what`` is opened, reached or answered; ``titles`` by locale.

    ``number`` is the count that was reached, ``body`` who answered; ``key`` tells it from all others, for ever.
    """

    key: str
    what: str
    at: datetime
    slug: str
    kind: str
    source_locale: str
    titles: Mapping[str, str]
    number: int | None = None
    body: str | None = None


def list_news(session: Session, *, now: datetime, limit: int) -> list[News]:
    """Return what happened last, newest first; of each kind at most ``limit``."""
    opened = session.execute(
        _of_campaigns(Campaign.opens_at.label("at"))
        .where(Campaign.opens_at <= now, Campaign.state.in_(_TOLD))
        .order_by(Campaign.opens_at.desc(), Campaign.id)
        .limit(limit)
    ).all()
    reached = session.execute(
        _of_campaigns(Threshold.reached_at.label("at"), Threshold.signatures.label("number"))
        .join(Threshold, Threshold.campaign_id == Campaign.id)
        .where(Threshold.reached_at.is_not(None), Campaign.state.in_(_TOLD))
        .order_by(Threshold.reached_at.desc(), Threshold.id)
        .limit(limit)
    ).all()
    answered = session.execute(
        _of_campaigns(Response.created_at.label("at"), Response.body, Response.id.label("response_id"))
        .join(Response, Response.campaign_id == Campaign.id)
        .where(Response.removed_at.is_(None), Campaign.state.in_(_TOLD))
        .order_by(Response.created_at.desc(), Response.id)
        .limit(limit)
    ).all()
    texts = _list_texts(session, {row.id for row in (*opened, *reached, *answered)})
    news = [
        *(_news(row, "opened", row.id.hex, texts) for row in opened),
        *(_news(row, "reached", f"{row.id.hex}-{row.number}", texts, number=row.number) for row in reached),
        *(_news(row, "answered", row.response_id.hex, texts, body=row.body) for row in answered),
    ]
    return sorted(news, key=lambda each: (each.at, each.key), reverse=True)[:limit]


def list_addresses(session: Session) -> list[str]:
    """Return the slugs of all campaigns that have a page to find, newest first."""
    found = select(Campaign.slug).where(Campaign.state.in_(_TOLD)).order_by(Campaign.created_at.desc(), Campaign.slug)
    return list(session.scalars(found))


def _of_campaigns(*columns: Any) -> Select[Any]:  # noqa: ANN401 - columns of several tables
    return select(Campaign.id, Campaign.slug, Campaign.kind, Campaign.source_locale, *columns)


def _list_texts(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    newer = aliased(Edition)
    newest = select(func.max(newer.number)).where(newer.campaign_id == Edition.campaign_id).scalar_subquery()
    rows = session.execute(
        select(Edition.campaign_id, Edition.texts).where(Edition.campaign_id.in_(list(ids)), Edition.number == newest)
    )
    return {row.campaign_id: {name: text["title"] for name, text in row.texts.items()} for row in rows}


def _news(
    row: Any,  # noqa: ANN401 - a row of one of three statements
    what: str,
    key: str,
    texts: Mapping[UUID, Mapping[str, str]],
    *,
    number: int | None = None,
    body: str | None = None,
) -> News:
    return News(
        key=f"{what}-{key}",
        what=what,
        at=row.at,
        slug=row.slug,
        kind=row.kind,
        source_locale=row.source_locale,
        titles=texts.get(row.id, {}),
        number=number,
        body=body,
    )
