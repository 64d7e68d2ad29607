"""Sequence the log: append what waits, in batches, and tell checkpoints to those who keep them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from app.actions.checkpoints import list_campaigns_to_tell, tell_checkpoint
from app.actions.sequencing import append_batch, list_logs_to_append
from app.core.clock import utc_now
from app.core.logs import get_logger

if TYPE_CHECKING:
    from uuid import UUID

    from app.jobs.background import Background

#: Between two batches: whoever signs comes first.
BREATH: Final = 0.05


async def sequence_log(background: Background) -> bool:
    """Append one batch of each log that is due, and tell; return whether there is more to append at once."""
    database, growing = background.database, set()
    for campaign_id in await database.read(list_logs_to_append, now=utc_now()):
        try:
            if await _append(background, campaign_id):
                growing.add(campaign_id)
        except Exception as fault:  # noqa: BLE001 - a log that cannot go on does not stop the others
            get_logger().error("log not appended", campaign=str(campaign_id), error=type(fault).__name__)
    for campaign_id in await database.read(list_campaigns_to_tell, now=utc_now()):
        if campaign_id in growing:
            continue  # each number that a backlog passes would be a letter; the last of its checkpoints holds them all
        try:
            await database.write(tell_checkpoint, campaign_id=campaign_id, now=utc_now())
        except Exception as fault:  # noqa: BLE001 - nor does one that cannot be told
            get_logger().error("checkpoint not told", campaign=str(campaign_id), error=type(fault).__name__)
    return bool(growing)


async def _append(background: Background, campaign_id: UUID) -> bool:
    appended = await background.database.write(
        append_batch,
        campaign_id=campaign_id,
        keyring=background.keyring,
        host=background.settings.base_url.partition("://")[2],
        now=utc_now(),
    )
    await asyncio.sleep(BREATH)
    return appended.is_more
