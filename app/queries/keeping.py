"""Documents and pictures as they were made once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import KeptDocument

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


def find_kept_document(session: Session, *, campaign_id: UUID, name: str, state: str) -> bytes | None:
    """Return a document of a campaign in one state, or None where nobody has made it, or somebody is making it."""
    return session.scalars(
        select(KeptDocument.content).filter_by(campaign_id=campaign_id, name=name, state=state)
    ).one_or_none()
