"""What moderators have switched on, read from the database at most once a second by each process."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from app.queries.switches import find_switches
from app.rules.switches import NOTHING_ON

if TYPE_CHECKING:
    from app.core.db import Database
    from app.rules.switches import Switches

SECONDS: Final = 1.0


class Switchboard:
    """The switches, at most a second old."""

    def __init__(self, database: Database) -> None:
        """Start without having looked."""
        self._database = database
        self._read_at: float | None = None
        self._switches = NOTHING_ON
        self._reading = asyncio.Lock()

    async def find(self) -> Switches:
        """Return what is on. Whoever comes while it is being read waits for the same reading."""
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    asked_at = time.monotonic()
                    self._switches = await self._database.read(find_switches)
                    self._read_at = asked_at
        return self._switches

    def forget(self) -> None:
        """Read again at the next question: a switch was turned in this process."""
        self._read_at = None

    def _is_old(self) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at >= SECONDS
