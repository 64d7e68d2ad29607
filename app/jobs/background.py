"""The loops of background work and what they share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.core.clock import utc_now
from app.core.logs import get_logger
from app.jobs.apply_sets import apply_sets
from app.jobs.check_names import check_names
from app.jobs.deliver_mail import deliver_mail
from app.jobs.fan_out import fan_out
from app.jobs.open_and_close import open_and_close
from app.jobs.retain import forget_all
from app.jobs.roll_up_counts import roll_up_counts
from app.jobs.sequence_log import sequence_log
from app.jobs.take_snapshots import take_snapshots
from app.jobs.watch import watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.core.db import Database
    from app.core.keys import Keyring
    from app.mail.transport import MailboxTransport, RelayTransport
    from app.rendering import Pages
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Background:
    """What jobs work with."""

    settings: Settings
    database: Database
    keyring: Keyring
    pages: Pages
    transport: MailboxTransport | RelayTransport


async def retain(background: Background) -> bool:
    """Forget what is to be forgotten."""
    await forget_all(background.database, now=utc_now())
    return False


#: Each loop, and the seconds it rests when there is nothing more to do.
LOOPS: Final[tuple[tuple[Callable[[Background], Awaitable[bool]], float], ...]] = (
    (roll_up_counts, 0.5),
    (apply_sets, 0.5),
    (fan_out, 0.5),
    (deliver_mail, 0.5),
    (open_and_close, 1.0),
    (check_names, 5.0),
    (watch, 30.0),
    (sequence_log, 30.0),
    (take_snapshots, 3600.0),
    (retain, 600.0),
)
REST_AFTER_FAULT: Final = 2.0


async def run_background(background: Background) -> None:
    """Run every loop until cancelled. A loop that fails says so and goes on: its work is still in its table."""
    async with asyncio.TaskGroup() as group:
        for job, rest in LOOPS:
            group.create_task(_loop(job, rest, background), name=job.__name__)


async def _loop(job: Callable[[Background], Awaitable[bool]], rest: float, background: Background) -> None:
    while True:
        try:
            is_more = await job(background)
        except Exception as fault:  # noqa: BLE001 - a loop outlives whatever befalls one of its rounds
            get_logger().error("job failed", job=job.__name__, error=type(fault).__name__)
            await asyncio.sleep(REST_AFTER_FAULT)
            continue
        if not is_more:
            await asyncio.sleep(rest)
