"""The official petition's count, as the team typed it from the House's own site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import Campaign

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class OfficialCount:
    """What the House's site counted on a day."""

    signatures: int
    counted_on: date


def find_official_count(session: Session, *, campaign_id: UUID) -> OfficialCount | None:
    """Return the count of the official petition, or None where nobody has typed one."""
    row = session.execute(
        select(Campaign.official_signatures, Campaign.official_counted_on).where(Campaign.id == campaign_id)
    ).one()
    if row.official_signatures is None or row.official_counted_on is None:
        return None
    return OfficialCount(row.official_signatures, row.official_counted_on)
