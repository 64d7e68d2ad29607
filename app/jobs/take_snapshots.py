"""Take snapshots: once an hour, of the campaigns for which it is time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions.snapshots import draw_snapshot, keep_snapshot, list_campaigns_to_snapshot
from app.core.clock import utc_now
from app.core.logs import get_logger

if TYPE_CHECKING:
    from app.jobs.background import Background


async def take_snapshots(background: Background) -> bool:
    """Take what is due."""
    for campaign_id in await background.database.read(list_campaigns_to_snapshot, now=utc_now()):
        try:
            drawn = await background.database.read(draw_snapshot, campaign_id=campaign_id, now=utc_now())
            if drawn is not None:
                await background.database.write(keep_snapshot, drawn=drawn)
        except Exception as fault:  # noqa: BLE001 - a campaign that cannot be counted does not stop the others
            get_logger().error("snapshot not taken", campaign=str(campaign_id), error=type(fault).__name__)
    return False
