"""What parliaments answered, as the team keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.models import Letter, Response, Signature

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


@dataclass(frozen=True, slots=True)
class Telling:
    """How far the letters about an answer have got; without names, and without who wants any."""

    owed: int
    sent: int
    failed: int


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


def count_readers(session: Session, *, campaign_id: UUID) -> int:
    """Count the signers who asked for news."""
    return session.scalars(
        select(func.count())
        .select_from(Signature)
        .where(Signature.campaign_id == campaign_id, Signature.state == "confirmed", Signature.wants_updates.is_(True))
    ).one()


def count_told(session: Session, *, campaign_id: UUID) -> dict[UUID, Telling]:
    """Return how far the letters have got, by the answer that they are about."""
    rows = session.execute(
        select(Letter.subject_id, Letter.state, func.count().label("number"))
        .where(Letter.campaign_id == campaign_id, Letter.kind == "response")
        .group_by(Letter.subject_id, Letter.state)
    )
    states: dict[UUID, dict[str, int]] = {}
    for row in rows:
        states.setdefault(row.subject_id, {})[row.state] = row.number
    return {
        subject_id: Telling(
            owed=sum(numbers.values()),
            sent=numbers.get("sent", 0) + numbers.get("bounced", 0),
            failed=numbers.get("failed", 0) + numbers.get("bounced", 0),
        )
        for subject_id, numbers in states.items()
    }


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
