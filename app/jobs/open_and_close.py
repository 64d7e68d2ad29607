"""Open and close campaigns when their dates come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions.life import move_by_dates
from app.core.clock import utc_now

if TYPE_CHECKING:
    from app.jobs.background import Background


async def open_and_close(background: Background) -> bool:
    """Move what is due."""
    await background.database.write(move_by_dates, now=utc_now())
    return False
