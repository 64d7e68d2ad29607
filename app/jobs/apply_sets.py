"""Apply sets of signatures, and take them back, a chunk at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from app.actions.sets import find_step, list_working_sets, take_step
from app.core.clock import utc_now
from app.core.logs import get_logger

if TYPE_CHECKING:
    from uuid import UUID

    from app.jobs.background import Background

#: Between two chunks: whoever signs, and whoever looks at a page, comes first.
BREATH: Final = 0.05


async def apply_sets(background: Background) -> bool:
    """Take one step of every set that is being worked at; return whether there may be more to do at once."""
    is_more = False
    for set_id in await background.database.read(list_working_sets):
        try:
            is_more |= await _take_step(background, set_id)
        except Exception as fault:  # noqa: BLE001 - a set that cannot go on does not stop the others
            get_logger().error("set not applied", set=str(set_id), error=type(fault).__name__)
    return is_more


async def _take_step(background: Background, set_id: UUID) -> bool:
    step = await background.database.read(find_step, set_id=set_id)
    if step is None:
        return False
    is_more = await background.database.write(take_step, step=step, now=utc_now())
    await asyncio.sleep(BREATH)
    return is_more
