"""Roll up counts: each half second, add what was confirmed and record what was reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions.counting import list_campaigns_to_roll_up, roll_up_count
from app.core.clock import utc_now
from app.core.logs import get_logger

if TYPE_CHECKING:
    from app.jobs.background import Background


async def roll_up_counts(background: Background) -> bool:
    """Roll up every campaign that has events waiting."""
    for campaign_id in await background.database.read(list_campaigns_to_roll_up):
        try:
            await background.database.write(roll_up_count, campaign_id=campaign_id, now=utc_now())
        except Exception as fault:  # noqa: BLE001 - a campaign that cannot be counted does not stop the others
            get_logger().error("campaign not counted", campaign=str(campaign_id), error=type(fault).__name__)
    return False
