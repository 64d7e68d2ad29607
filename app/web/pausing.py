"""A pause after which the time says no more than the answer does."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

#: A new address costs one insert where a known one costs a look-up: up to this long a pause, never twice the same,
#: covers the difference. It holds a connection open and no thread, so it costs no throughput.
LONGEST_SECONDS: Final = 0.015


async def pause() -> None:
    """Wait a little, never twice the same."""
    await asyncio.sleep(secrets.randbelow(1000) / 1000 * LONGEST_SECONDS)
