"""Drafts as the editor, the pre-flight and the export read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import TextItem, TextPart
from app.rules.drafts import DraftPart, put_together

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.rules.texts import CampaignText


def list_draft_parts(session: Session, *, campaign_id: UUID) -> list[DraftPart]:
    """Return every box of a draft that was ever written in, in the order of reading; removed items are left out."""
    rows = session.execute(
        select(TextPart, TextItem.kind, TextItem.position)
        .outerjoin(TextItem, TextItem.id == TextPart.item_id)
        .where(TextPart.campaign_id == campaign_id, TextItem.removed_at.is_(None))
        .order_by(TextItem.kind, TextItem.position, TextPart.name, TextPart.locale)
    )
    return [
        DraftPart(
            row.TextPart.name, row.TextPart.locale, row.TextPart.text, row.kind, row.position, row.TextPart.item_id
        )
        for row in rows
    ]


def find_draft(session: Session, *, campaign_id: UUID, is_frozen: bool = False) -> dict[str, CampaignText]:
    """Return a campaign's draft by locale, as `put_together` reads it."""
    return put_together(list_draft_parts(session, campaign_id=campaign_id), is_frozen=is_frozen)


def find_draft_titles(session: Session, *, campaign_ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    """Return the titles of drafts by campaign and locale, of those that are written."""
    titles: dict[UUID, dict[str, str]] = {}
    for row in session.execute(
        select(TextPart.campaign_id, TextPart.locale, TextPart.text).where(
            TextPart.campaign_id.in_(campaign_ids), TextPart.name == "title", TextPart.text != ""
        )
    ):
        titles.setdefault(row.campaign_id, {})[row.locale] = row.text
    return titles
