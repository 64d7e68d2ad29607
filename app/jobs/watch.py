"""Look at the newest signatures of each campaign in which somebody confirms: alarms for people, and pairs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from app.actions.alarms import flag_pairs, raise_alarms
from app.core.clock import utc_now
from app.core.logs import get_logger
from app.queries.alarms import find_sight, list_active
from app.rules.bursts import look

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.core.db import Database
    from app.jobs.background import Background

#: How far back the first round of a process looks: what came while nothing looked.
FIRST: Final = timedelta(hours=24)
#: A moment is taken before it is committed: each round begins this much before the last one did.
OVERLAP: Final = timedelta(minutes=2)

#: When this process last looked, by database.
_looked_at: WeakKeyDictionary[Database, datetime] = WeakKeyDictionary()


async def watch(background: Background) -> bool:
    """Look once at every campaign in which somebody has confirmed since the last time."""
    now, database = utc_now(), background.database
    since = _looked_at.get(database, now - FIRST) - OVERLAP
    for campaign_id in await database.read(list_active, since=since):
        try:
            await _look_at(background, campaign_id, now)
            await _flag(database, campaign_id, since, now)
        except Exception as fault:  # noqa: BLE001 - one that cannot be looked at does not hide the others
            get_logger().error("campaign not watched", campaign=str(campaign_id), error=type(fault).__name__)
    _looked_at[database] = now
    return False


async def _look_at(background: Background, campaign_id: UUID, now: datetime) -> None:
    sight = await background.database.read(find_sight, campaign_id=campaign_id, keyring=background.keyring, now=now)
    if sight is None:
        return
    # Not in the loop that answers people.
    findings = await asyncio.to_thread(
        look,
        sight.seen,
        now=now,
        usual=sight.usual,
        in_hour=sight.in_hour,
        large_domains=sight.large_domains,
        crowd=sight.crowd,
    )
    if findings:
        await background.database.write(raise_alarms, campaign_id=campaign_id, findings=findings, now=now)


async def _flag(database: Database, campaign_id: UUID, since: datetime, now: datetime) -> None:
    after: tuple[datetime, UUID] | None = None
    while True:
        after = await database.write(flag_pairs, campaign_id=campaign_id, since=since, after=after, now=now)
        if after is None:
            return
