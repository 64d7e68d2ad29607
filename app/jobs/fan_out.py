"""Owe the letters of updates, responses and new editions, a chunk at a time, and end updates that have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions import fan_out as owing
from app.actions import updates
from app.core.clock import utc_now

if TYPE_CHECKING:
    from app.jobs.background import Background


async def fan_out(background: Background) -> bool:
    """Take one step for every row that owes letters; return whether there may be more to do at once."""
    database, now = background.database, utc_now()
    for update_id in await database.read(updates.list_finished_updates):
        await database.write(updates.end_update, update_id=update_id, now=now)
    owed = 0
    for kind, subject_id in await database.read(owing.list_fan_outs):
        if await database.read(owing.is_outbox_full, now=now):
            return False
        owed += await database.write(owing.fan_out, kind=kind, subject_id=subject_id, now=now)
    return owed > 0
