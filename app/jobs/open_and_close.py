"""Open and close campaigns when their dates come, and let letters under embargo appear at their very second."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.actions.life import move_by_dates
from app.core.clock import utc_now
from app.queries.previews import find_next_appearance

if TYPE_CHECKING:
    from app.jobs.background import Background

#: Longer than the loop rests between two rounds: no embargo ends while it rests.
AHEAD: Final = timedelta(seconds=1.5)


async def open_and_close(background: Background) -> bool:
    """Move what is due; where an embargo ends shortly, wait for its moment and move again."""
    now = utc_now()
    await background.database.write(move_by_dates, now=now)
    moment = await background.database.read(find_next_appearance, until=now + AHEAD)
    if moment is None:
        return False
    await asyncio.sleep(max(0.0, (moment - utc_now()).total_seconds()))
    # Sleep may end a hair early, and a clock may be set back: the row is moved by the clock and by nothing else.
    await background.database.write(move_by_dates, now=utc_now())
    return True
