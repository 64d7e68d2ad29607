"""The record: what was done or refused, by whom. Nothing here changes or removes a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from app.models import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


def record(
    session: Session,
    *,
    what: str,
    now: datetime,
    account_id: UUID | None = None,
    campaign_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Add a line and return its number. ``details`` hold no address, no name and no token."""
    line = {"at": now, "account_id": account_id, "campaign_id": campaign_id, "what": what}
    return session.scalars(insert(Record).values(**line, details=dict(details or {})).returning(Record.id)).one()
