"""What parliaments answered, as the team keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.models import Letter, Response

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class TeamResponse:
    """An answer. ``told_at`` is when it was decided to tell signers."""

    id: UUID
    kind: str
    body: str
    answered_on: date
    language: str
    title: str
    text: str
    url: str | None
    created_at: datetime
    told_at: datetime | None


def list_responses(session: Session, *, campaign_id: UUID) -> list[TeamResponse]:
    """Return the answers to a campaign that were not removed, newest first."""
    rows = session.scalars(
        select(Response)
        .where(Response.campaign_id == campaign_id, Response.removed_at.is_(None))
        .order_by(Response.answered_on.desc(), Response.created_at.desc(), Response.id)
    )
    return [_as_shape(row) for row in rows]


def find_response(session: Session, *, campaign_id: UUID, response_id: UUID) -> TeamResponse | None:
    """Return an answer to this campaign, or None; one that was removed is not there."""
    row = session.scalars(
        select(Response).where(
            Response.id == response_id, Response.campaign_id == campaign_id, Response.removed_at.is_(None)
        )
    ).first()
    return None if row is None else _as_shape(row)


def count_told(session: Session, *, campaign_id: UUID) -> dict[UUID, int]:
    """Return how many letters have gone out, by the answer that they are about; some may have come back since."""
    rows = session.execute(
        select(Letter.subject_id, func.count().label("number"))
        .where(Letter.campaign_id == campaign_id, Letter.kind == "response", Letter.state.in_(("sent", "bounced")))
        .group_by(Letter.subject_id)
    )
    return {row.subject_id: row.number for row in rows}


def _as_shape(row: Response) -> TeamResponse:
    return TeamResponse(
        row.id,
        row.kind,
        row.body,
        row.answered_on,
        row.language,
        row.title,
        row.text,
        row.url,
        row.created_at,
        row.told_at,
    )
