"""Forms of people who may not sign: how many there were, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import TurnedAway

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


def count_turned_away(session: Session, *, campaign_id: UUID) -> int:
    """Return how many whole forms of a campaign were answered with reasons against their sender."""
    return session.scalar(select(TurnedAway.forms).where(TurnedAway.campaign_id == campaign_id)) or 0
