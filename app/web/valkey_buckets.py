"""Buckets in Valkey: a hash of minutes for each hidden subject and day. While it is away, the database has them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from valkey.asyncio import Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ValkeyError

from app.actions.limiting import Counted
from app.core.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.actions.limiting import Added, Asked

PREFIX: Final = b"hatthalekha:limit:"
#: It answers in a fraction of a millisecond, or it is not worth waiting for.
TIMEOUT_SECONDS: Final = 0.5
SECONDS_BETWEEN_TRIES: Final = 10.0


class ValkeyBuckets:
    """A connection that may fail."""

    def __init__(self, url: str) -> None:
        """Prepare for ``url``; nothing is connected yet. Redis speaks the same protocol."""
        self._client = Valkey.from_url(
            re.sub(r"^redis", "valkey", url),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._is_away = False
        self._try_at = 0.0

    async def exchange(self, added: Sequence[Added], asked: Sequence[Asked]) -> list[Counted] | None:
        """Add hits and return the buckets that are asked for; None while Valkey is away, which is said once."""
        if self._is_away and time.monotonic() < self._try_at:
            return None
        try:
            counted = await self._exchange(added, asked)
        except (ValkeyError, OSError, TimeoutError) as fault:
            if not self._is_away:
                get_logger().error("valkey is away, limits are counted in the database", error=type(fault).__name__)
            self._is_away, self._try_at = True, time.monotonic() + SECONDS_BETWEEN_TRIES
            return None
        if self._is_away:
            self._is_away = False
            get_logger().info("valkey is back")
        return counted

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _exchange(self, added: Sequence[Added], asked: Sequence[Asked]) -> list[Counted]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for each in added:
                name = PREFIX + each.hash.hex().encode()
                pipeline.hincrby(name, str(each.minute), each.hits)
                # A day's latest minute decides how long the day stays.
                pipeline.expireat(name, each.ends_at)
            hashes = [each_hash for each in asked for each_hash in each.hashes]
            for each_hash in hashes:
                pipeline.hgetall(PREFIX + each_hash.hex().encode())
            answers = await pipeline.execute()
        after = {each_hash: each.after for each in asked for each_hash in each.hashes}
        return [
            Counted(each_hash, int(minute), int(hits))
            for each_hash, minutes in zip(hashes, answers[len(answers) - len(hashes) :], strict=True)
            for minute, hits in minutes.items()
            if int(minute) > after[each_hash]
        ]
