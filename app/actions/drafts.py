"""Drafts: a text is taken apart into boxes, and a frozen copy of them becomes an edition."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from app.models import Edition, Endorsement, PartRevision, TextItem, TextPart
from app.rules.drafts import take_apart
from app.rules.texts import edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from app.rules.texts import CampaignText


def write_draft(
    session: Session,
    *,
    campaign_id: UUID,
    texts: Mapping[str, CampaignText],
    now: datetime,
    account_id: UUID | None = None,
    is_ready: bool = True,
) -> None:
    """Fill the boxes of a campaign that has none yet."""
    items: dict[tuple[str, int], UUID] = {}
    for part in take_apart(texts):
        item_id = None
        if part.kind is not None and part.position is not None:
            item_id = items.get((part.kind, part.position))
            if item_id is None:
                item_id = items[part.kind, part.position] = uuid4()
                session.execute(
                    insert(TextItem),
                    {"id": item_id, "campaign_id": campaign_id, "kind": part.kind, "position": part.position},
                )
        part_id = uuid4()
        session.execute(
            insert(TextPart),
            {
                "id": part_id,
                "campaign_id": campaign_id,
                "item_id": item_id,
                "name": part.name,
                "locale": part.locale,
                "text": part.text,
                "is_ready": is_ready,
                "version": 1,
                "source_version": 1,
                "changed_at": now,
                "changed_by": account_id,
            },
        )
        session.execute(
            insert(PartRevision),
            {
                "id": uuid4(),
                "part_id": part_id,
                "version": 1,
                "text": part.text,
                "is_ready": is_ready,
                "is_set_aside": False,
                "at": now,
                "account_id": account_id,
            },
        )


def freeze_edition(
    session: Session,
    *,
    campaign_id: UUID,
    texts: Mapping[str, CampaignText],
    now: datetime,
    account_id: UUID | None = None,
    is_substantive: bool = False,
    note: Mapping[str, str] | None = None,
) -> UUID:
    """Make ``texts`` the campaign's next edition, the current one from now on, and return its id."""
    current = session.execute(
        select(Edition.id, Edition.number)
        .where(Edition.campaign_id == campaign_id)
        .order_by(Edition.number.desc())
        .limit(1)
    ).first()
    if current is not None:
        session.execute(update(Edition).where(Edition.id == current.id).values(superseded_at=now))
    edition_id = uuid4()
    session.execute(
        insert(Edition),
        {
            "id": edition_id,
            "campaign_id": campaign_id,
            "number": 1 if current is None else current.number + 1,
            "texts": {locale: text.as_data() for locale, text in texts.items()},
            "hash": edition_hash(texts),
            "created_at": now,
            "is_substantive": is_substantive,
            "note": dict(note or {}),
            "created_by": account_id,
        },
    )
    # What was signed before there was any edition is bound to the first.
    session.execute(
        update(Endorsement)
        .where(Endorsement.campaign_id == campaign_id, Endorsement.edition_id.is_(None))
        .values(edition_id=edition_id)
    )
    return edition_id
