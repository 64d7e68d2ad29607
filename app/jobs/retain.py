"""Forget what is to be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions import endorsing, retention
from app.actions.complaints import CHUNK, forget_complaints
from app.actions.paper import expire_batches
from app.actions.supporting import forget_supporters

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.core.db import Database


async def forget_all(database: Database, *, now: datetime) -> None:
    """Expire unconfirmed forms, destroy the keys of campaigns long closed, clear old quotas and sign-ins."""
    while await database.write(retention.expire_signatures, now=now) == retention.CHUNK:
        pass
    for campaign_id in await database.read(retention.list_campaigns_to_forget, now=now):
        after: UUID | None = retention.BEFORE_ALL
        while after is not None:
            after = await database.write(retention.forget_signers, campaign_id=campaign_id, after=after)
    while await database.write(endorsing.expire_endorsements, now=now) == endorsing.CHUNK:
        pass
    while await database.write(retention.forget_questions, now=now) == retention.CHUNK:
        pass
    while await database.write(forget_complaints, now=now) == CHUNK:
        pass
    await database.write(expire_batches, now=now)
    await database.write(retention.forget_quotas, now=now)
    await database.write(retention.forget_sign_ins, now=now)
    await database.write(retention.forget_offices, now=now)
    await database.write(forget_supporters, now=now)
